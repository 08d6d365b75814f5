//! The order of happens-before: the calling thread's clock, and what objects hand over from one thread to another.
//!
//! A thread *releases* an object before it does what another one may notice (unlocks a lock, puts something into a queue), and *acquires* it
//! after it has noticed.  As long as there is one thread only, nothing is done: the start of the second one hands over everything.
//!
//! Neither may be called detached: a lock that a detached thread holds while another one forks stays held in the child.

use crate::interpreter::header::{self, HAS_CLOCK, IGNORED};
use crate::thread::clock::{clocks, is_at_rest, share, slot_of};
use crate::thread::context::{ThreadContext, current_thread};
use crate::thread::guard;
use ftsan::races::clock::{Clock, ThreadClock};
use ftsan::races::mix;
use ftsan::races::sync::SyncTable;
use pyo3::ffi;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The clocks that objects hand from thread to thread.
static OBJECTS: OnceLock<SyncTable> = OnceLock::new();

#[inline(always)]
fn objects() -> &'static SyncTable {
    OBJECTS.get_or_init(SyncTable::default)
}

/// What the calling thread has seen of the others.
#[inline(always)]
pub(crate) fn thread_clock() -> &'static ThreadClock {
    current_thread().order.clock()
}

/// Everything that the calling thread does before it does what others may notice of `object` happens before what they do once they
/// have.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn release(object: *mut ffi::PyObject) {
    if is_at_rest() {
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
    guard::catch_panic((), || {
        // A clock that is known under this address is another object's, which is gone.
        // SAFETY: passed on.
        objects().renew(key, || unsafe { header::set(object, HAS_CLOCK) } & HAS_CLOCK == 0);
    });
    release_key(key);
}

/// Everything that others did before they did what the calling thread has noticed of `object` happened before what it does from now
/// on.
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
    if is_at_rest() {
        return;
    }
    let (objects, clock) = (objects(), thread_clock());
    if !objects.try_release_fast(clocks(), clock, key) {
        guard::catch_panic((), || objects.release_slow(clocks(), clock, key));
    }
}

/// As [`acquire`], for what is not an object: a number of [`key`].
#[inline]
pub(crate) fn acquire_key(key: u64) {
    let (objects, clock) = (objects(), thread_clock());
    if !objects.nothing_to_acquire(clock, key) {
        guard::catch_panic((), || objects.acquire_slow(clocks(), clock, key));
    }
}

/// Everything that the thread which made `object` has done up to now is handed over with it: it has not done so itself while it was
/// alone with the object.
///
/// # Safety
/// Attached; `object` is alive.
#[cold]
pub(crate) unsafe fn release_for_maker(object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    let Some(slot) = slot_of(unsafe { header::maker(object) }) else { return };
    guard::catch_panic((), || {
        let key = object as u64;
        // SAFETY: passed on.
        objects().renew(key, || unsafe { header::set(object, HAS_CLOCK) } & HAS_CLOCK == 0);
        objects().release_clock(&clocks().snapshot(slot), key);
    });
}

/// Everything that any thread has done up to now happened before what the calling thread does from now on: for what runs when nobody
/// else can reach an object any more.
pub(crate) fn acquire_all() {
    if !is_at_rest() {
        let clock = thread_clock();
        guard::catch_panic((), || clock.acquire_all(clocks()));
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
    share();
    let mut handed = Clock::default();
    clock.release_into(clocks(), &mut handed);
    clock.advance(clocks());
    handed
}

/// The calling thread was started by one that has handed this over.
pub(crate) fn begin(handed: &Clock) {
    let mine = &current_thread().order;
    match mine.known_clock() {
        Some(clock) => clock.acquire_from(clocks(), handed),
        None => drop(mine.enter(Some(handed))),
    }
}

/// How often threads have done something that may be noticed by anyone.
static ANNOUNCEMENTS: AtomicU64 = AtomicU64::new(0);

/// Everything that the calling thread has done may be known to every thread from now on, and nothing shows to which: it is about to
/// send a signal, to this process perhaps, or leaves Python for the C code that it came from.
pub(crate) fn announce() {
    release_key(key(Space::Announcements, 0));
    ANNOUNCEMENTS.fetch_add(1, Ordering::Release);
}

/// To be called before an access: it may be a signal handler's, or come after a wait in C code.  Everything that was done before an
/// announcement counts as done before the access, whatever thread makes it.
#[inline]
pub(crate) fn heed_announcements(here: &ThreadContext) {
    if here.order.learns_of(ANNOUNCEMENTS.load(Ordering::Acquire)) {
        acquire_key(key(Space::Announcements, 0));
        let slice = slice();
        if here.races.slice.replace(slice) != slice {
            here.races.memory.forget();
        }
    }
}

/// The slice of time in which accesses are noted: a number whose bits are spread once, here, as every access asks for it; 0 is the first.
static SLICE: AtomicU64 = AtomicU64::new(0);

/// Accesses are noted from now on, and were not for a while: what is known of locations and of the middle of anything is of no use.  With the
/// world stopped.
pub(crate) fn begin_slice() {
    SLICE.store(mix(slice().wrapping_add(1)), Ordering::Release);
    ANNOUNCEMENTS.fetch_add(1, Ordering::Release);
}

/// Tells the histories that one location has in different slices apart.
#[inline(always)]
pub(crate) fn slice() -> u64 {
    SLICE.load(Ordering::Relaxed)
}

/// In the child of a fork only the calling thread is left, and the acts of others are done.
pub(crate) fn after_fork() {
    let mine = &current_thread().order;
    // The forking thread holds a lock of concurrent.futures, which the child makes anew without releasing it.
    mine.forget_ignored();
    if let Some(clock) = mine.known_clock() {
        clocks().after_fork(clock);
        // The acts of the others all came before.
        clock.acquire_all(clocks());
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
    /// Threads that have ended, by the identifier that the next one may get.
    Identifier,
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
    /// Files that are locked, by their inode.
    File,
    /// Names in the file system that stand for a lock.
    FileName,
    /// Databases of SQLite.
    Database,
    /// Child processes.
    Child,
    /// Variables that a constant is written to, and that others test.
    Flag,
    /// Containers from which an entry is deleted, which another thread may then make again.
    Vacant,
    /// Entries of containers whose keys are addresses that were free in between.
    Freed,
}

/// A number that is no object's address.
pub(crate) const fn key(space: Space, number: u64) -> u64 {
    1 << 63 | (space as u64) << 56 | number & ((1 << 56) - 1)
}
