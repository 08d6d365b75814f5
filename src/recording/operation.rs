//! Recorded operations: system calls by number, watched ones by the name that they were given.

/// Names an operation; the numbers below [`FIRST_WATCHED`] are of [`CALLS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation(pub u32);

/// From here on: operations of Python code, by the number that [`super::sites::Sites::name_operation`] gave.
pub const FIRST_WATCHED: u32 = 1 << 16;

macro_rules! calls {
    ($($constant:ident $name:literal)*) => {
        /// Every system call that is recorded.  New ones come last: their places are the numbers in recordings.
        pub const CALLS: &[&str] = &[$($name),*];

        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Number { $($constant),* }

        $(
            #[doc = concat!("`", $name, "`")]
            pub const $constant: Operation = Operation(Number::$constant as u32);
        )*
    };
}

calls! {
    EPOLL_CREATE "epoll_create" EPOLL_CTL "epoll_ctl" EPOLL_WAIT "epoll_wait" POLL "poll" SELECT "select"
    SOCKET "socket" SOCKETPAIR "socketpair" ACCEPT "accept" CONNECT "connect" SHUTDOWN "shutdown"
    SEND "send" RECV "recv" READ "read" WRITE "write" SENDFILE "sendfile" SPLICE "splice"
    OPEN "open" PIPE "pipe" EVENTFD "eventfd" TIMERFD "timerfd_create" DUP "dup" CLOSE "close"
    FORK "fork" VFORK "vfork" CLONE "clone" SPAWN "posix_spawn" EXEC "exec" THREAD "pthread_create" DLOPEN "dlopen"
    WAIT "wait"
}

impl Operation {
    /// Name of a system call.
    pub fn call(self) -> Option<&'static str> {
        CALLS.get(self.0 as usize).copied()
    }
}
