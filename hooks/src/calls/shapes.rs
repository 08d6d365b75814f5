//! How a call is passed on, recorded, and told to the descriptor table.  Each function here is one shape of call.
//!
//! None of them has anything to drop while the original runs: a thread that is cancelled inside unwinds through us.

use crate::calls::pollers;
use crate::state::process::{self, CHILDREN, DESCRIPTORS};
use crate::state::{python, thread};
use crate::system::clock;
use ftsan::descriptors::{Control, FdKind, Mark, Registered, Suspicion, Use};
use ftsan::recording::operation::{CLOSE, DUP, EPOLL_CTL, EPOLL_WAIT, Operation, WAIT};
use ftsan::recording::{Begun, PENDING, ThreadRecord};
use libc::{c_int, siginfo_t};

/// What system calls return: -1 is a failure.
pub(crate) trait Returned: Copy {
    /// As a recording has it, `-errno` for a failure.
    fn code(self) -> i32;
}

macro_rules! returned {
    ($($type:ty)*) => {$(
        impl Returned for $type {
            #[inline(always)]
            fn code(self) -> i32 {
                // SAFETY: errno is always readable.
                if self == -1 { unsafe { -*libc::__errno_location() } } else { self as i32 }
            }
        }
    )*};
}

returned! { i32 isize }

const BAD: i32 = -libc::EBADF;

/// The record of the calling thread, which is held up first if it is to be: nothing is noted of the call yet.
#[inline(always)]
fn entered() -> Option<&'static ThreadRecord> {
    let record = thread::current()?;
    python::hold_up();
    Some(record)
}

#[inline(always)]
fn begin(record: &ThreadRecord, operation: Operation, fd: c_int, object: Option<u64>) -> Begun<'_> {
    record.begin(operation, fd, object, python::site(record), PENDING, clock::now)
}

/// Records what is over at once.
#[inline(never)]
pub(crate) fn happened(record: &ThreadRecord, operation: Operation, fd: c_int, object: u64, result: i32) {
    record.begin(operation, fd, Some(object), python::site(record), result, clock::now);
}

/// Notes a call, and nothing else.
#[inline(always)]
pub(crate) fn noted<R: Returned>(operation: Operation, fd: c_int, call: impl FnOnce() -> R) -> R {
    let Some(record) = entered() else { return call() };
    let begun = begin(record, operation, fd, None);
    let result = call();
    begun.end(result.code());
    result
}

/// A call that uses a descriptor.  `len` is how much it writes, asked if another thread is writing.
#[inline(always)]
pub(crate) fn using<R: Returned>(
    operation: Operation,
    fd: c_int,
    how: Use,
    len: impl FnOnce() -> usize,
    call: impl FnOnce() -> R,
) -> R {
    let Some(record) = entered() else { return call() };
    let begun = begin(record, operation, fd, None);
    if let Some(other) = DESCRIPTORS.using(fd, how, record.id())
        && let Some(suspicion) = DESCRIPTORS.overlapping(fd, how, other, len())
    {
        suspect(record, suspicion, operation, fd);
    }
    let result = call();
    let code = result.code();
    begun.end(code);
    DESCRIPTORS.used(fd, how);
    if code == BAD {
        was_bad(record, operation, fd);
    }
    result
}

/// A call that waits for events, unless it only asks.
#[inline(always)]
pub(crate) fn waiting<R: Returned>(epoll: c_int, only_asks: bool, call: impl FnOnce() -> R) -> R {
    let Some(record) = entered() else { return call() };
    // Without its site: a loop always waits at the same line.
    let begun = record.begin(EPOLL_WAIT, epoll, None, 0, PENDING, clock::now);
    if let Some(by) = DESCRIPTORS.using(epoll, Use::Wait, record.id()) {
        suspect(record, Suspicion::Shared { by, epoll }, EPOLL_WAIT, epoll);
    }
    let result = call();
    begun.end(result.code());
    if !only_asks {
        record.stamp(clock::now());
    }
    DESCRIPTORS.used(epoll, Use::Wait);
    result
}

/// A call that waits for the descriptors in an array or in sets: `object` is where they are, `count` how many.
#[inline(always)]
pub(crate) fn polling<R: Returned>(
    operation: Operation,
    object: usize,
    count: c_int,
    only_asks: bool,
    call: impl FnOnce() -> R,
) -> R {
    let Some(record) = entered() else { return call() };
    let begun = begin(record, operation, count, Some(object as u64));
    pollers::begin(record);
    let result = call();
    pollers::end(record);
    begun.end(result.code());
    if !only_asks {
        record.stamp(clock::now());
    }
    result
}

/// A call that gives a descriptor.
#[inline(always)]
pub(crate) fn opening(operation: Operation, kind: FdKind, call: impl FnOnce() -> c_int) -> c_int {
    let Some(record) = entered() else { return call() };
    let fd = call();
    if fd >= 0 {
        opened(record, operation, fd, kind);
    }
    fd
}

/// A call that gives two descriptors.
///
/// # Safety
/// `pair` is where the call puts them.
pub(crate) unsafe fn opening_two(operation: Operation, kind: FdKind, pair: *const c_int, call: impl FnOnce() -> c_int) -> c_int {
    let Some(record) = entered() else { return call() };
    let result = call();
    if result == 0 {
        // SAFETY: the call succeeded, so both are there.
        for fd in unsafe { [pair.read(), pair.add(1).read()] } {
            opened(record, operation, fd, kind);
        }
    }
    result
}

#[inline(never)]
fn opened(record: &ThreadRecord, operation: Operation, fd: c_int, kind: FdKind) {
    let mark = python::mark(record);
    happened(record, operation, fd, 0, fd);
    if let Some(suspicion) = DESCRIPTORS.opened(fd, kind, mark) {
        python::suspect(&suspicion, operation, fd, mark);
    }
}

/// `close`.
#[inline(always)]
pub(crate) fn closing(fd: c_int, call: impl FnOnce() -> c_int) -> c_int {
    let Some(record) = entered() else { return call() };
    let is_closed = DESCRIPTORS.is_closed(fd);
    before_close(record, fd);
    let begun = begin(record, CLOSE, fd, None);
    let result = call();
    let code = result.code();
    begun.end(code);
    if code == BAD {
        was_bad(record, CLOSE, fd);
    } else if is_closed && code == 0 {
        DESCRIPTORS.closed_unseen(fd, python::mark(record));
    }
    result
}

#[inline(never)]
fn before_close(record: &ThreadRecord, fd: c_int) {
    if fd < 0 {
        return;
    }
    let mark = python::mark(record);
    let was_closed = DESCRIPTORS.is_closed(fd);
    let is_open_file = !was_closed && DESCRIPTORS.kind(fd) == FdKind::File;
    let polled = || pollers::other_that_polls(record, fd).map(|by| Suspicion::ClosedWhileUsed { by });
    let suspicion = match DESCRIPTORS.closing(fd, mark) {
        // A thread that is in a poll is surer than one that may come back to it.
        closing @ (None | Some(Suspicion::ClosedWhilePolled { .. })) if !is_open_file => polled().or(closing),
        closing => closing,
    };
    if let Some(suspicion) = suspicion {
        if was_closed && is_open(fd) {
            DESCRIPTORS.opened_unseen(fd);
        }
        python::suspect(&suspicion, CLOSE, fd, mark);
    }
}

/// Whether a number is open, asked without our own hook.  Keeps errno.
fn is_open(fd: c_int) -> bool {
    // SAFETY: changes nothing but errno, which is always there.
    unsafe {
        let errno = *libc::__errno_location();
        let is_open = libc::syscall(libc::SYS_fcntl, fd, libc::F_GETFD) >= 0;
        *libc::__errno_location() = errno;
        is_open
    }
}

/// `close_range`.
pub(crate) fn closing_range(first: u32, last: u32, closes: bool, call: impl FnOnce() -> c_int) -> c_int {
    let Some(record) = entered() else { return call() };
    if closes {
        // One by one: another thread may be in any of them.
        DESCRIPTORS.open_in(first, last).for_each(|fd| before_close(record, fd));
    }
    let begun = begin(record, CLOSE, first as c_int, None);
    let result = call();
    begun.end(result.code());
    result
}

/// `epoll_ctl`.
#[inline(always)]
pub(crate) fn controlling(
    epoll: c_int,
    what: c_int,
    fd: c_int,
    is_one_shot: impl FnOnce() -> bool,
    call: impl FnOnce() -> c_int,
) -> c_int {
    let Some(record) = entered() else { return call() };
    let begun = begin(record, EPOLL_CTL, fd, None);
    // A thread that gets a descriptor from `epoll_wait` may take it out while the thread that put it in is still on its way out of the call.
    if let Some(other) = DESCRIPTORS.using(fd, Use::Register, record.id())
        && what == libc::EPOLL_CTL_ADD
        && let Some(suspicion) = DESCRIPTORS.overlapping(fd, Use::Register, other, 0)
    {
        suspect(record, suspicion, EPOLL_CTL, fd);
    }
    let result = call();
    let code = result.code();
    begun.end(code);
    DESCRIPTORS.used(fd, Use::Register);
    if what == libc::EPOLL_CTL_MOD && code == 0 {
        DESCRIPTORS.rearmed(fd, is_one_shot());
    } else {
        controlled(record, epoll, what, fd, code, code == 0 && what == libc::EPOLL_CTL_ADD && is_one_shot());
    }
    result
}

#[inline(never)]
fn controlled(record: &ThreadRecord, epoll: c_int, what: c_int, fd: c_int, code: i32, is_one_shot: bool) {
    let what = match what {
        libc::EPOLL_CTL_ADD => Control::Add,
        libc::EPOLL_CTL_MOD => Control::Modify,
        libc::EPOLL_CTL_DEL => Control::Delete,
        _ => return,
    };
    let how = match -code {
        0 => Registered::Done,
        libc::ENOENT => Registered::Missing,
        _ => Registered::Refused,
    };
    let mark = python::mark(record);
    if let Some(suspicion) = DESCRIPTORS.controlled(epoll, fd, what, how, mark, is_one_shot) {
        python::suspect(&suspicion, EPOLL_CTL, fd, mark);
    }
}

/// `dup` and its like, `dup2` and its like: what `to` was is closed.
pub(crate) fn duplicating(from: c_int, to: Option<c_int>, call: impl FnOnce() -> c_int) -> c_int {
    let Some(record) = entered() else { return call() };
    if let Some(to) = to.filter(|to| *to != from && *to > 2 && is_open(from)) {
        before_close(record, to);
    }
    let fd = call();
    if fd >= 0 && fd != from {
        // What is put back was opened before: where that is done is of no interest then, and to ask for it takes most of the time.
        let is_back = DESCRIPTORS.restores(from, fd, record.id());
        let mark = if is_back { Mark { thread: record.id(), stack: 0 } } else { python::mark(record) };
        happened(record, DUP, fd, from as u64, fd);
        let suspicion = DESCRIPTORS.opened(fd, DESCRIPTORS.kind_now(from), mark);
        if let Some(suspicion) = DESCRIPTORS.duplicated(from, fd, mark).or(suspicion) {
            let mark = if is_back { python::mark(record) } else { mark };
            python::suspect(&suspicion, DUP, fd, mark);
        }
    }
    fd
}

/// `waitpid` and its like: `pid` is -1 for any child.  `takes`: the child is gone when it returns.
pub(crate) fn reaping(pid: c_int, takes: bool, call: impl FnOnce() -> c_int) -> c_int {
    let Some(record) = entered() else { return call() };
    let any = (pid == -1 && takes).then(|| python::mark(record));
    any.inspect(|&mark| CHILDREN.taking_any(mark));
    // Whoever waits for any child learns as soon as we do that this one is gone.
    let might_be_taken = || if pid > 0 && takes { CHILDREN.might_be_taken(record.id()).filter(is_in_wait) } else { None };
    let before = might_be_taken();
    let begun = begin(record, WAIT, -1, None);
    let result = call();
    let code = result.code();
    begun.end(code);
    any.inspect(|&mark| CHILDREN.took_any(mark));
    if result > 0 && takes {
        let mark = any.unwrap_or_else(|| python::mark(record));
        CHILDREN.reaped(result, pid <= 0, mark);
        if let Some(suspicion) = before.or_else(might_be_taken) {
            let _paused = thread::Paused::begin();
            python::suspect(&suspicion, WAIT, pid, mark);
        }
    } else if code == -libc::ECHILD && pid > 0 {
        let _paused = thread::Paused::begin();
        let mark = python::mark(record);
        if let Some(suspicion) = CHILDREN.missing(pid, mark) {
            python::suspect(&suspicion, WAIT, pid, mark);
        }
    }
    result
}

/// `waitid`, as [`reaping`]: which child it was is in `info`.
///
/// # Safety
/// `info` is null or can be read once the call has succeeded.
pub(crate) unsafe fn reaping_with_info(pid: c_int, takes: bool, info: *const siginfo_t, call: impl FnOnce() -> c_int) -> c_int {
    let mut result = 0;
    reaping(pid, takes, || {
        result = call();
        // SAFETY: passed on.
        if result == 0 && !info.is_null() { unsafe { (*info).si_pid() } } else { result }
    });
    result
}

/// Whether the other thread is in its wait: one that is gone, cancelled in there, never came back from it.
fn is_in_wait(suspicion: &Suspicion) -> bool {
    let Suspicion::Reaped { by, .. } = *suspicion else { return false };
    let record = process::recording().and_then(|recording| recording.thread(by.thread)).filter(|record| record.is_live());
    record.and_then(ThreadRecord::inside).is_some_and(|(operation, ..)| operation == WAIT)
}

#[cold]
#[inline(never)]
fn was_bad(record: &ThreadRecord, operation: Operation, fd: c_int) {
    if fd >= 0 {
        let _paused = thread::Paused::begin();
        let mark = python::mark(record);
        if let Some(suspicion) = DESCRIPTORS.was_bad(fd, mark) {
            python::suspect(&suspicion, operation, fd, mark);
        }
    }
}

#[cold]
#[inline(never)]
fn suspect(record: &ThreadRecord, suspicion: Suspicion, operation: Operation, fd: c_int) {
    python::suspect(&suspicion, operation, fd, python::mark(record));
}
