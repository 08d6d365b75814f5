//! The one table of hooks.  Its exports are compared with `hooks/exports.txt` in a test.

use crate::calls::{shapes, tail_jumps, thread_start};
use crate::crash::chain;
use crate::state::process::DESCRIPTORS;
use crate::state::{python, thread};
use crate::system::memory;
use crate::system::original::{Hook, Original};
use ftsan::descriptors::{FdKind, Use};
use ftsan::recording::operation as op;
use libc::{
    c_char, c_int, c_long, c_uint, c_void, epoll_event, eventfd_t, fd_set, id_t, idtype_t, iovec, mmsghdr, mode_t, msghdr, nfds_t,
    off_t, pid_t, pollfd, posix_spawn_file_actions_t, posix_spawnattr_t, pthread_attr_t, pthread_t, rusage, siginfo_t, sigset_t,
    size_t, sockaddr, socklen_t, ssize_t, timespec, timeval,
};

/// `fn NAME(ARGUMENTS) -> RESULT = |call| HOW` hooks a function: `call()` calls the original.
macro_rules! hooks {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty = |$call:ident| $body:expr;)*) => {
        $(
            #[doc = concat!("Hook of `", stringify!($name), "`.")]
            ///
            /// # Safety
            /// As the original.
            #[unsafe(no_mangle)]
            pub(crate) unsafe extern "C-unwind" fn $name($($argument: $type),*) -> $result {
                #[allow(unused_imports)]
                use originals::$name as original;
                type Function = unsafe extern "C-unwind" fn($($type),*) -> $result;
                // SAFETY: the original has this signature, and is called with what the host passed.
                let $call = || unsafe { std::mem::transmute::<usize, Function>(original.get())($($argument),*) };
                $body
            }
        )*

        #[allow(non_upper_case_globals)]
        mod originals {
            use super::Original;
            $(
                pub(super) static $name: Original =
                    // SAFETY: a name and a zero.
                    Original::new(unsafe { std::ffi::CStr::from_bytes_with_nul_unchecked(concat!(stringify!($name), "\0").as_bytes()) });
            )*
        }

        static HOOKS: &[Hook] = &[
            $(Hook {
                original: &originals::$name,
                detour: $name as *const c_void,
            }),*
        ];
    };
}

/// All hooks.
pub(crate) static TABLES: [&[Hook]; 2] = [HOOKS, &tail_jumps::HOOKS];

const STREAM: c_int = libc::SOCK_STREAM;

fn socket_kind(kind: c_int) -> FdKind {
    if kind & 0xF == STREAM { FdKind::StreamSocket } else { FdKind::Socket }
}

/// The kind of what a listening socket accepts, which is its own: `SOCK_SEQPACKET` keeps messages apart.  Of one that was opened unseen, a
/// stream is more likely.
fn accepted_by(fd: c_int) -> FdKind {
    if DESCRIPTORS.kind_now(fd) == FdKind::Socket { FdKind::Socket } else { FdKind::StreamSocket }
}

/// How much a `writev` of the host's array would write.  The kernel has not accepted it yet: anything may be there.
fn total(parts: *const iovec, count: usize) -> usize {
    let mut all = [iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; 8];
    let known = count.min(all.len());
    if !memory::read(parts as usize, &mut all[..known]) {
        return 0;
    }
    all[..known].iter().map(|part| part.iov_len).fold(0, usize::saturating_add)
}

/// The same for a `sendmsg`.
fn total_of(message: *const msghdr) -> usize {
    // SAFETY: zeros are valid.
    let mut read: [msghdr; 1] = unsafe { std::mem::zeroed() };
    if memory::read(message as usize, &mut read) { total(read[0].msg_iov, read[0].msg_iovlen as usize) } else { 0 }
}

/// Whether a child is gone after such a wait: one that has stopped only, or goes on, is not.
fn takes(options: c_int) -> bool {
    options & (libc::WUNTRACED | libc::WCONTINUED) == 0
}

/// The same of `waitid`, which is told what to wait for, and may leave the child where it is.
fn takes_by_id(options: c_int) -> bool {
    options & libc::WEXITED != 0 && options & libc::WNOWAIT == 0
}

/// The children that `waitid` waits for, as `waitpid` has it; of a `pidfd` it is not known which one that is.
fn child_of(kind: idtype_t, id: id_t) -> pid_t {
    match (kind, pid_t::try_from(id)) {
        (libc::P_ALL, _) => -1,
        (libc::P_PID, Ok(pid)) => pid,
        _ => 0,
    }
}

fn duplicates(command: c_int) -> bool {
    command == libc::F_DUPFD || command == libc::F_DUPFD_CLOEXEC
}

hooks! {
    fn epoll_create(size: c_int) -> c_int = |call| shapes::opening(op::EPOLL_CREATE, FdKind::Epoll, call);
    fn epoll_create1(flags: c_int) -> c_int = |call| shapes::opening(op::EPOLL_CREATE, FdKind::Epoll, call);
    fn epoll_ctl(epoll: c_int, what: c_int, fd: c_int, event: *mut epoll_event) -> c_int = |call| {
        // SAFETY: asked when the call has succeeded: the kernel has read it.
        let is_one_shot = || unsafe { (&raw const (*event).events).read_unaligned() } & libc::EPOLLONESHOT as u32 != 0;
        shapes::controlling(epoll, what, fd, is_one_shot, call)
    };
    fn epoll_wait(epoll: c_int, events: *mut epoll_event, most: c_int, timeout: c_int) -> c_int = |call| shapes::waiting(epoll, timeout == 0, call);
    fn epoll_pwait(epoll: c_int, events: *mut epoll_event, most: c_int, timeout: c_int, mask: *const sigset_t) -> c_int =
        |call| shapes::waiting(epoll, timeout == 0, call);
    fn epoll_pwait2(epoll: c_int, events: *mut epoll_event, most: c_int, timeout: *const timespec, mask: *const sigset_t) -> c_int =
        |call| shapes::waiting(epoll, false, call);
    fn poll(fds: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int =
        |call| shapes::polling(op::POLL, fds as usize, count as c_int, timeout == 0, call);
    fn __poll_chk(fds: *mut pollfd, count: nfds_t, timeout: c_int, size: size_t) -> c_int =
        |call| shapes::polling(op::POLL, fds as usize, count as c_int, timeout == 0, call);
    fn ppoll(fds: *mut pollfd, count: nfds_t, timeout: *const timespec, mask: *const sigset_t) -> c_int =
        |call| shapes::polling(op::POLL, fds as usize, count as c_int, false, call);
    fn select(most: c_int, reading: *mut fd_set, writing: *mut fd_set, other: *mut fd_set, timeout: *mut timeval) -> c_int = |call| {
        let sets = [reading, writing, other];
        shapes::polling(op::SELECT, sets.as_ptr() as usize, most, false, call)
    };
    fn pselect(most: c_int, reading: *mut fd_set, writing: *mut fd_set, other: *mut fd_set, timeout: *const timespec, mask: *const sigset_t) -> c_int = |call| {
        let sets = [reading, writing, other];
        shapes::polling(op::SELECT, sets.as_ptr() as usize, most, false, call)
    };

    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int = |call| shapes::opening(op::SOCKET, socket_kind(kind), call);
    fn socketpair(domain: c_int, kind: c_int, protocol: c_int, pair: *mut c_int) -> c_int =
        // SAFETY: the host's array.
        |call| unsafe { shapes::opening_two(op::SOCKETPAIR, socket_kind(kind), pair, call) };
    fn accept(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int =
        |call| shapes::opening(op::ACCEPT, accepted_by(fd), || shapes::using(op::ACCEPT, fd, Use::Wait, || 0, call));
    fn accept4(fd: c_int, address: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int =
        |call| shapes::opening(op::ACCEPT, accepted_by(fd), || shapes::using(op::ACCEPT, fd, Use::Wait, || 0, call));
    fn connect(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int = |call| shapes::using(op::CONNECT, fd, Use::Write, || 0, call);
    fn shutdown(fd: c_int, how: c_int) -> c_int = |call| shapes::noted(op::SHUTDOWN, fd, call);

    fn send(fd: c_int, data: *const c_void, len: size_t, flags: c_int) -> ssize_t = |call| shapes::using(op::SEND, fd, Use::Write, || len, call);
    fn sendto(fd: c_int, data: *const c_void, len: size_t, flags: c_int, address: *const sockaddr, address_len: socklen_t) -> ssize_t =
        |call| shapes::using(op::SEND, fd, Use::Write, || len, call);
    fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t =
        |call| shapes::using(op::SEND, fd, Use::Write, || total_of(message), call);
    fn sendmmsg(fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int) -> c_int =
        |call| shapes::using(op::SEND, fd, Use::Write, || usize::MAX, call);
    fn recv(fd: c_int, into: *mut c_void, len: size_t, flags: c_int) -> ssize_t = |call| shapes::using(op::RECV, fd, Use::Read, || 0, call);
    fn __recv_chk(fd: c_int, into: *mut c_void, len: size_t, size: size_t, flags: c_int) -> ssize_t =
        |call| shapes::using(op::RECV, fd, Use::Read, || 0, call);
    fn recvfrom(fd: c_int, into: *mut c_void, len: size_t, flags: c_int, address: *mut sockaddr, address_len: *mut socklen_t) -> ssize_t =
        |call| shapes::using(op::RECV, fd, Use::Read, || 0, call);
    fn __recvfrom_chk(fd: c_int, into: *mut c_void, len: size_t, size: size_t, flags: c_int, address: *mut sockaddr, address_len: *mut socklen_t) -> ssize_t =
        |call| shapes::using(op::RECV, fd, Use::Read, || 0, call);
    fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t = |call| shapes::using(op::RECV, fd, Use::Read, || 0, call);
    fn recvmmsg(fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int, timeout: *mut timespec) -> c_int =
        |call| shapes::using(op::RECV, fd, Use::Read, || 0, call);
    fn read(fd: c_int, into: *mut c_void, len: size_t) -> ssize_t = |call| shapes::using(op::READ, fd, Use::Read, || 0, call);
    fn __read_chk(fd: c_int, into: *mut c_void, len: size_t, size: size_t) -> ssize_t = |call| shapes::using(op::READ, fd, Use::Read, || 0, call);
    fn readv(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t = |call| shapes::using(op::READ, fd, Use::Read, || 0, call);
    // libc makes their system calls without the functions above.
    fn eventfd_read(fd: c_int, value: *mut eventfd_t) -> c_int = |call| shapes::using(op::READ, fd, Use::Read, || 0, call);
    fn eventfd_write(fd: c_int, value: eventfd_t) -> c_int = |call| shapes::using(op::WRITE, fd, Use::Write, || 1, call);
    fn write(fd: c_int, data: *const c_void, len: size_t) -> ssize_t = |call| shapes::using(op::WRITE, fd, Use::Write, || len, call);
    fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t =
        |call| shapes::using(op::WRITE, fd, Use::Write, || total(parts, count.max(0) as usize), call);
    fn sendfile(into: c_int, from: c_int, offset: *mut off_t, count: size_t) -> ssize_t = |call| shapes::using(op::SENDFILE, into, Use::Write, || count, call);
    fn sendfile64(into: c_int, from: c_int, offset: *mut off_t, count: size_t) -> ssize_t = |call| shapes::using(op::SENDFILE, into, Use::Write, || count, call);
    fn splice(from: c_int, from_offset: *mut off_t, into: c_int, into_offset: *mut off_t, len: size_t, flags: c_uint) -> ssize_t =
        |call| shapes::using(op::SPLICE, into, Use::Write, || len, call);

    fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn openat(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn openat64(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn creat(path: *const c_char, mode: mode_t) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn __open_2(path: *const c_char, flags: c_int) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn __open64_2(path: *const c_char, flags: c_int) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn __openat_2(folder: c_int, path: *const c_char, flags: c_int) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn __openat64_2(folder: c_int, path: *const c_char, flags: c_int) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn memfd_create(name: *const c_char, flags: c_uint) -> c_int = |call| shapes::opening(op::OPEN, FdKind::File, call);
    fn inotify_init() -> c_int = |call| shapes::opening(op::EVENTFD, FdKind::Event, call);
    fn inotify_init1(flags: c_int) -> c_int = |call| shapes::opening(op::EVENTFD, FdKind::Event, call);
    fn signalfd(fd: c_int, mask: *const sigset_t, flags: c_int) -> c_int =
        |call| if fd < 0 { shapes::opening(op::EVENTFD, FdKind::Event, call) } else { call() };
    // SAFETY: the host's array.
    fn pipe(pair: *mut c_int) -> c_int = |call| unsafe { shapes::opening_two(op::PIPE, FdKind::Pipe, pair, call) };
    // SAFETY: the host's array.
    fn pipe2(pair: *mut c_int, flags: c_int) -> c_int = |call| unsafe { shapes::opening_two(op::PIPE, FdKind::Pipe, pair, call) };
    fn eventfd(start: c_uint, flags: c_int) -> c_int = |call| shapes::opening(op::EVENTFD, FdKind::Event, call);
    fn timerfd_create(clock: c_int, flags: c_int) -> c_int = |call| shapes::opening(op::TIMERFD, FdKind::Event, call);
    fn dup(fd: c_int) -> c_int = |call| shapes::duplicating(fd, None, call);
    fn dup2(from: c_int, to: c_int) -> c_int = |call| shapes::duplicating(from, Some(to), call);
    fn dup3(from: c_int, to: c_int, flags: c_int) -> c_int = |call| shapes::duplicating(from, Some(to), call);
    fn fcntl(fd: c_int, command: c_int, argument: c_long) -> c_int =
        |call| if duplicates(command) { shapes::duplicating(fd, None, call) } else { call() };
    fn fcntl64(fd: c_int, command: c_int, argument: c_long) -> c_int =
        |call| if duplicates(command) { shapes::duplicating(fd, None, call) } else { call() };
    fn close(fd: c_int) -> c_int = |call| shapes::closing(fd, call);
    fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int =
        |call| shapes::closing_range(first, last, flags as c_uint & libc::CLOSE_RANGE_CLOEXEC == 0, call);

    fn fork() -> pid_t = |call| {
        if let Some(record) = thread::current() {
            shapes::happened(record, op::FORK, -1, 0, 0);
        }
        call()
    };
    fn wait(status: *mut c_int) -> pid_t = |call| shapes::reaping(-1, true, call);
    fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t = |call| shapes::reaping(pid, takes(options), call);
    fn wait3(status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t = |call| shapes::reaping(-1, takes(options), call);
    fn wait4(pid: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t = |call| shapes::reaping(pid, takes(options), call);
    fn waitid(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int =
        // SAFETY: the host's structure, or null, which the kernel takes as well.
        |call| unsafe { shapes::reaping_with_info(child_of(kind, id), takes_by_id(options), info, call) };
    fn posix_spawn(pid: *mut pid_t, path: *const c_char, actions: *const posix_spawn_file_actions_t, attributes: *const posix_spawnattr_t, words: *const *mut c_char, environment: *const *mut c_char) -> c_int =
        |call| shapes::noted(op::SPAWN, -1, call);
    fn posix_spawnp(pid: *mut pid_t, file: *const c_char, actions: *const posix_spawn_file_actions_t, attributes: *const posix_spawnattr_t, words: *const *mut c_char, environment: *const *mut c_char) -> c_int =
        |call| shapes::noted(op::SPAWN, -1, call);
    fn execve(path: *const c_char, words: *const *const c_char, environment: *const *const c_char) -> c_int =
        |call| shapes::noted(op::EXEC, -1, call);
    fn execv(path: *const c_char, words: *const *const c_char) -> c_int = |call| shapes::noted(op::EXEC, -1, call);
    fn execvp(file: *const c_char, words: *const *const c_char) -> c_int = |call| shapes::noted(op::EXEC, -1, call);
    fn execvpe(file: *const c_char, words: *const *const c_char, environment: *const *const c_char) -> c_int =
        |call| shapes::noted(op::EXEC, -1, call);
    fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int =
        // SAFETY: the host's pointers.
        |call| if thread::current().is_some() && unsafe { chain::ask(signal, new, old) } { 0 } else { call() };
    fn signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t = |call| {
        // SAFETY: zeros are valid.
        let (mut new, mut old): (libc::sigaction, libc::sigaction) = unsafe { std::mem::zeroed() };
        new.sa_sigaction = handler;
        new.sa_flags = libc::SA_RESTART;
        // SAFETY: both are here.
        if thread::current().is_some() && unsafe { chain::ask(signal, &raw const new, &raw mut old) } { old.sa_sigaction } else { call() }
    };
    fn pthread_setname_np(thread: pthread_t, name: *const c_char) -> c_int = |call| {
        let result = call();
        // SAFETY: the calling thread's own name.
        if result == 0 && thread == unsafe { libc::pthread_self() } {
            thread::renamed();
        }
        result
    };
    fn pthread_getattr_np(thread: pthread_t, attributes: *mut pthread_attr_t) -> c_int = |call| {
        python::attaching();
        call()
    };
    fn pthread_create(thread: *mut pthread_t, attributes: *const pthread_attr_t, start: thread_start::Start, argument: *mut c_void) -> c_int =
        |call| hook_thread(thread, attributes, start, argument, call);
}

/// Gives the new thread a stack for the crash handler.
fn hook_thread(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    start: thread_start::Start,
    argument: *mut c_void,
    call: impl FnOnce() -> c_int,
) -> c_int {
    type Function = unsafe extern "C-unwind" fn(*mut pthread_t, *const pthread_attr_t, thread_start::Start, *mut c_void) -> c_int;
    let Some(record) = thread::current() else { return call() };
    shapes::happened(record, op::THREAD, -1, start as usize as u64, 0);
    let Some(wrapped) = thread_start::wrap(start, argument) else { return call() };
    // SAFETY: the original, with a start routine that calls the host's.
    let result = unsafe {
        let original = std::mem::transmute::<usize, Function>(originals::pthread_create.get());
        original(thread, attributes, thread_start::on_own_signal_stack, wrapped)
    };
    if result != 0 {
        thread_start::unwrap(wrapped);
    }
    result
}
