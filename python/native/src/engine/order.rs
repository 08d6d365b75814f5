//! What happens before what: the calling thread's clock, and what objects hand over from one thread to another.
//!
//! A thread *releases* an object before it does what another one may notice (unlocks a lock, puts something into a queue), and *acquires* it
//! after it has noticed.  As long as there is one thread only, nothing is done: whoever starts the second one hands over everything.
//!
//! Neither may be called detached: what a detached thread holds while another one forks stays held in the child.

use crate::intercept::sync::threads;
use crate::interpreter::header::{self, HAS_CLOCK, IGNORED};
use crate::thread::context::here;
use crate::thread::guard;
use ftsan::races::clock::{Clock, Clocks, ThreadClock};
use ftsan::races::sync::SyncTable;
use pyo3::ffi;
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The threads of the process, and what they hand each other.
#[derive(Default)]
struct Order {
    clocks: Clocks,
    objects: SyncTable,
}

static ORDER: OnceLock<Order> = OnceLock::new();
static IS_SHARED: AtomicBool = AtomicBool::new(false);

#[inline(always)]
fn order() -> &'static Order {
    ORDER.get_or_init(Order::default)
}

/// Whether there was never more than one thread.
#[inline(always)]
pub(crate) fn is_alone() -> bool {
    !IS_SHARED.load(Ordering::Relaxed)
}

/// What a thread has of its own.
#[derive(Default)]
pub(crate) struct OfThread {
    clock: Cell<Option<&'static ThreadClock>>,
    /// How many ignored locks it holds.
    ignored: Cell<u32>,
    /// How many announcements it knows of.
    announcements: Cell<u64>,
    /// In how many callbacks it is that come after everything.
    last: Cell<u32>,
}

impl OfThread {
    /// What this thread has seen of the others.
    #[inline(always)]
    pub(crate) fn clock(&self) -> &'static ThreadClock {
        self.clock.get().unwrap_or_else(|| self.enter(None))
    }

    /// Whether this thread holds a lock that orders nothing: what it guards is ordered all the same, and is not to be looked at.
    #[inline(always)]
    pub(crate) fn holds_ignored(&self) -> bool {
        self.ignored.get() > 0
    }

    pub(crate) fn enter_ignored(&self) {
        self.ignored.set(self.ignored.get() + 1);
    }

    /// It may have been entered before it was ignored.
    pub(crate) fn leave_ignored(&self) {
        self.ignored.set(self.ignored.get().saturating_sub(1));
    }

    /// Whether what this thread does comes after what all others have done up to now.
    #[inline(always)]
    pub(crate) fn is_last(&self) -> bool {
        self.last.get() > 0
    }

    /// Does something that comes after everything, without having seen it: what is done later does not.
    pub(crate) fn last<T>(&self, act: impl FnOnce() -> T) -> T {
        self.last.set(self.last.get() + 1);
        let result = act();
        self.last.set(self.last.get() - 1);
        result
    }

    /// `before` happened before anything that this thread does; everything did if it was started by nobody we know.
    #[cold]
    fn enter(&self, before: Option<&Clock>) -> &'static ThreadClock {
        let Order { clocks, .. } = order();
        let clock = clocks.enter();
        if clocks.has_two() {
            IS_SHARED.store(true, Ordering::Relaxed);
        }
        match before {
            Some(before) => clock.acquire_from(clocks, before),
            None => clock.acquire_all(clocks),
        }
        self.clock.set(Some(clock));
        if before.is_none() && clocks.has_two() {
            // SAFETY: attached, as whoever asks for a clock is.
            unsafe { threads::announce_at_end() };
        }
        clock
    }

    /// The thread ends, or goes back to C code for now.  Takes no lock: it may be detached.
    pub(crate) fn leave(&self) {
        if let Some(clock) = self.clock.take() {
            order().clocks.leave(clock);
        }
    }
}

/// What the calling thread has seen of the others.
#[inline(always)]
pub(crate) fn thread_clock() -> &'static ThreadClock {
    here().order.clock()
}

/// What the calling thread does before it does what others may notice of `object` happens before what they do once they have.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn release(object: *mut ffi::PyObject) {
    if is_alone() {
        return;
    }
    // SAFETY: passed on.
    let bits = unsafe { header::bits(object) };
    let key = object as u64;
    if bits & (IGNORED | HAS_CLOCK) == HAS_CLOCK {
        release_key(key);
    } else if bits & IGNORED == 0 {
        // SAFETY: passed on.
        unsafe { release_first(object, key) };
    }
}

/// # Safety
/// As [`release`].
#[cold]
unsafe fn release_first(object: *mut ffi::PyObject, key: u64) {
    guard::guarded((), || {
        // What is known under this address is another object's, which is gone.
        // SAFETY: passed on.
        order().objects.renew(key, || unsafe { header::set(object, HAS_CLOCK) } & HAS_CLOCK == 0);
    });
    release_key(key);
}

/// What others did before they did what the calling thread has noticed of `object` happened before what it does from now on.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn acquire(object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    if unsafe { header::bits(object) } & (IGNORED | HAS_CLOCK) == HAS_CLOCK {
        acquire_key(object as u64);
    }
}

/// Whether anything was ever released into `object`.
///
/// # Safety
/// As [`acquire`].
pub(crate) unsafe fn has_clock(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { header::bits(object) & HAS_CLOCK != 0 }
}

/// As [`release`], for what is not an object: a number of [`key`].
#[inline]
pub(crate) fn release_key(key: u64) {
    if is_alone() {
        return;
    }
    let (order, clock) = (order(), thread_clock());
    if !order.objects.release_again(&order.clocks, clock, key) {
        guard::guarded((), || order.objects.release_news(&order.clocks, clock, key));
    }
}

/// As [`acquire`], for what is not an object: a number of [`key`].
#[inline]
pub(crate) fn acquire_key(key: u64) {
    let (order, clock) = (order(), thread_clock());
    if !order.objects.is_acquired(clock, key) {
        guard::guarded((), || order.objects.acquire_news(&order.clocks, clock, key));
    }
}

/// Everything that any thread has done up to now happened before what the calling thread does from now on: for what runs when nobody
/// else can reach an object any more.
pub(crate) fn acquire_all() {
    if !is_alone() {
        let clock = thread_clock();
        guard::guarded((), || clock.acquire_all(&order().clocks));
    }
}

/// `object`, a lock, orders nothing from now on.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn ignore(object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe { header::set(object, IGNORED) };
}

/// What the calling thread has done and seen so far, for a thread that it starts.
pub(crate) fn hand_over() -> Clock {
    let clock = thread_clock();
    IS_SHARED.store(true, Ordering::Relaxed);
    let mut handed = Clock::default();
    clock.release_into(&order().clocks, &mut handed);
    clock.advance(&order().clocks);
    handed
}

/// The calling thread was started by one that has handed this over.
pub(crate) fn begin(handed: &Clock) {
    let mine = &here().order;
    match mine.clock.get() {
        Some(clock) => clock.acquire_from(&order().clocks, handed),
        None => drop(mine.enter(Some(handed))),
    }
}

/// How often threads have done something that may be noticed by anyone.
static ANNOUNCEMENTS: AtomicU64 = AtomicU64::new(0);

/// What the calling thread has done may be known to every thread from now on, and nothing shows to which: it is about to send a signal,
/// to this process perhaps, or leaves Python for the C code that it came from.
pub(crate) fn announce() {
    release_key(key(Space::Announcements, 0));
    ANNOUNCEMENTS.fetch_add(1, Ordering::Release);
}

impl OfThread {
    /// To be called before an access: it may be a signal handler's, or come after a wait in C code.  What was done before it was announced
    /// counts as done before the access, whoever makes it.
    #[inline]
    pub(crate) fn heed_announcements(&self) {
        let announcements = ANNOUNCEMENTS.load(Ordering::Acquire);
        if announcements != self.announcements.replace(announcements) {
            acquire_key(key(Space::Announcements, 0));
        }
    }
}

/// In the child of a fork only the calling thread is left, and what others have done is done.
pub(crate) fn after_fork() {
    let mine = &here().order;
    // Who forks holds a lock of concurrent.futures, which the child makes anew without releasing it.
    mine.ignored.set(0);
    if let Some(clock) = mine.clock.get() {
        order().clocks.after_fork(clock);
        // Whatever the others did, they did it before.
        clock.acquire_all(&order().clocks);
    }
}

/// A module was imported, by this thread or earlier by another one.
pub(crate) fn imported() {
    acquire_key(key(Space::Imports, 0));
}

/// Kinds of what is not an object.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Space {
    /// Modules, all in one.
    Imports,
    /// The ends of threads that are not daemons, all in one.
    ThreadEnds,
    /// The ends of all threads, as `_thread` counts them.
    ThreadCount,
    /// Pipes, by their inode.
    Pipe,
    /// Event descriptors, by their number.
    EventDescriptor,
    /// Sockets made in pairs, by the inode of one.
    SocketPair,
    /// Connected sockets, by both ports or paths.
    Connection,
    /// Where sockets listen, by port or path.
    Address,
    /// What anyone may notice, all in one.
    Announcements,
}

/// A number that is no object's address.
pub(crate) const fn key(space: Space, number: u64) -> u64 {
    1 << 63 | (space as u64) << 56 | number & ((1 << 56) - 1)
}
