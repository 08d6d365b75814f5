//! Statements about descriptors: who did what, how a descriptor is used, and how two threads step on each other.

use crate::recording::ThreadId;
use crate::recording::sites::StackId;

/// The author and the place of an act: a thread and a stack.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// Who.
    pub thread: ThreadId,
    /// Where.
    pub stack: StackId,
}

impl Mark {
    pub(super) const fn pack(self) -> u64 {
        (self.thread.0 as u64) << 32 | self.stack as u64
    }

    pub(super) const fn unpack(word: u64) -> Self {
        Mark { thread: ThreadId((word >> 32) as u32), stack: word as u32 }
    }

    /// Whether there is one, and it is another thread's than `me`'s.
    pub fn is_of_another(self, me: ThreadId) -> bool {
        self.thread != ThreadId::default() && self.thread != me
    }
}

/// What a descriptor is, as far as its making tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FdKind {
    /// Not seen being made.
    Unknown,
    /// A stream socket.
    StreamSocket,
    /// Any other socket.
    Socket,
    /// An end of a pipe.
    Pipe,
    /// An epoll instance.
    Epoll,
    /// An eventfd or a timerfd.
    Event,
    /// Whatever `open` gives.
    File,
}

pub(super) const KINDS: [FdKind; 7] =
    [FdKind::Unknown, FdKind::StreamSocket, FdKind::Socket, FdKind::Pipe, FdKind::Epoll, FdKind::Event, FdKind::File];

impl FdKind {
    /// In words, with an article.
    pub fn name(self) -> &'static str {
        match self {
            FdKind::Unknown => "a descriptor",
            FdKind::StreamSocket => "a stream socket",
            FdKind::Socket => "a socket",
            FdKind::Pipe => "a pipe",
            FdKind::Epoll => "an epoll instance",
            FdKind::Event => "an event descriptor",
            FdKind::File => "a file",
        }
    }
}

/// How a thread uses a descriptor.  At most one thread each is fine, a reader beside a writer included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// `read`, `recv` and their like, `accept`.
    Read,
    /// `write`, `send` and their like, `connect`.
    Write,
    /// `epoll_wait`: any number of threads.
    Wait,
    /// `epoll_ctl` on this descriptor.
    Register,
}

/// Threads step on each other.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// The caller closes what another thread is blocked in.
    ClosedWhileUsed {
        /// Who uses it.
        by: ThreadId,
    },
    /// The caller closes what an epoll instance has, in which another thread waits.
    ClosedWhilePolled {
        /// Who waits.
        by: ThreadId,
        /// In what.
        epoll: i32,
        /// Who put it there.
        registered: Mark,
    },
    /// The number is in use again while the epoll instance has, or its user believes that it has, what was closed by another thread.
    Reused {
        /// The epoll instance.
        epoll: i32,
        /// Who put it there.
        registered: Mark,
        /// Who closed it without taking it out.
        closed: Mark,
        /// What it was.
        was: FdKind,
        /// The new owner of the number; that is the caller unless the caller is who used the stale registration.
        opened: Mark,
        /// Whether the caller just used the stale registration, and was refused.
        is_certain: bool,
    },
    /// The caller registers or unregisters what another thread is registering or unregistering.
    RegisteredByTwo {
        /// Who else.
        by: ThreadId,
        /// Where, if it is over.
        mark: Mark,
    },
    /// The caller polls an epoll instance that another thread waits in.  The kernel allows that; an object of Python's `selectors` does
    /// not.
    Shared {
        /// Who waits.
        by: ThreadId,
        /// In what.
        epoll: i32,
    },
    /// Two threads write, or read, one stream socket at the same time.
    Interleaved {
        /// Who else.
        by: ThreadId,
        /// Whether they read.
        reading: bool,
    },
    /// The caller closed, or used, a number that another thread closed.
    DoubleClose {
        /// Who closed it.
        closed: Mark,
        /// Who closed what had the number before.
        closed_before: Mark,
        /// Who opened it.
        opened: Mark,
    },
    /// The caller waits for a child process that another thread has waited for, or might have taken.
    Reaped {
        /// Who has.
        by: Mark,
        /// It takes any child that there is: it has taken this one, or has waited beside the caller, who got it by luck.
        took_any: bool,
    },
    /// The caller redirects one of the standard descriptors which another thread has redirected and not restored.
    RedirectedByTwo {
        /// Who has it redirected.
        redirected: Mark,
    },
}

/// The operation that `epoll_ctl` is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// `EPOLL_CTL_ADD`
    Add,
    /// `EPOLL_CTL_MOD`
    Modify,
    /// `EPOLL_CTL_DEL`
    Delete,
}

/// How `epoll_ctl` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It did what it was asked to.
    Done,
    /// `ENOENT`: the epoll instance does not have it.
    Missing,
    /// Anything else.
    Refused,
}
