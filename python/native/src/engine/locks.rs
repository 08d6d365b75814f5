//! Locks as they are acquired and released: what the swapped methods of `_thread.lock` and `_thread.RLock` tell.
//!
//! A thread knows what it holds ([`ftsan::locks::held`]), which costs it a look at its stack and a few stores.  Only who wants a lock while
//! it holds another one asks for more, and mostly finds that it has told that before.  Then there is the graph, under a lock; nothing
//! calls into Python while that is held.
//!
//! A lock that is released by another thread than the one that acquired it is a signal: it has no order and is held by nobody.

use crate::engine::forks;
use crate::evidence::acquirers::{self, Acquirer};
use crate::evidence::lock::{self, Evidence};
use crate::interpreter::call_arguments::Arguments;
use crate::interpreter::locks::{Listed, Lock, Mark};
use crate::interpreter::tasks;
use crate::thread::context::{InSlowPath, ThreadContext, current_thread};
use crate::thread::outcome::Outcome;
use crate::thread::{guard, registry};
use ftsan::locks::LockId;
use ftsan::locks::held::{Held, How};
use ftsan::locks::order::{LockOrder, Taken};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt};
use std::ffi::CStr;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// How many pairs of locks are in the graph: some megabytes.
const EDGES: usize = 1 << 13;

static ORDER: LazyLock<Mutex<LockOrder<Evidence>>> = LazyLock::new(|| Mutex::new(LockOrder::new(EDGES)));

fn order() -> MutexGuard<'static, LockOrder<Evidence>> {
    ORDER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calling thread is about to wait for a lock, for as long as it takes.  Not to be called if it tries only, or for a limited time.
///
/// # Safety
/// Attached; a live lock of a type that [`locks::verify`] was given.
#[inline]
pub(crate) unsafe fn acquiring(lock: *mut ffi::PyObject, how: How) -> Outcome {
    // SAFETY: passed on.
    if forks::is_any_left() && unsafe { forks::acquiring(lock, how) } == Outcome::Raised {
        return Outcome::Raised;
    }
    let here = current_thread();
    if here.slot.locks.is_empty() {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    unsafe { acquiring_another(here, lock, how) }
}

/// Whether these are arguments of `acquire` that let it wait for as long as it takes.
///
/// # Safety
/// Attached, during the call.
#[inline(always)]
pub(crate) unsafe fn is_unlimited(arguments: Arguments) -> bool {
    // SAFETY: passed on.
    arguments.is_empty() || unsafe { says_unlimited(arguments) }
}

/// # Safety
/// As [`is_unlimited`].
#[cold]
unsafe fn says_unlimited(arguments: Arguments) -> bool {
    // SAFETY: passed on; the call keeps its arguments alive.
    let argument = |place: usize, name: &CStr| unsafe {
        Bound::from_borrowed_ptr_or_opt(Python::assume_attached(), arguments.get(place, name))
    };
    let is_blocking = argument(0, c"blocking").is_none_or(|blocking| number(&blocking).is_some_and(|number| number != 0.0));
    is_blocking && argument(1, c"timeout").is_none_or(|timeout| number(&timeout) == Some(-1.0))
}

/// The value of a plain number; to ask anything else would be to run code of the program.
fn number(object: &Bound<'_, PyAny>) -> Option<f64> {
    let is_plain = object.is_exact_instance_of::<PyBool>()
        || object.is_exact_instance_of::<PyInt>()
        || object.is_exact_instance_of::<PyFloat>();
    if is_plain { object.extract().ok() } else { None }
}

/// # Safety
/// As [`acquiring`].
unsafe fn acquiring_another(here: &'static ThreadContext, object: *mut ffi::PyObject, how: How) -> Outcome {
    // SAFETY: passed on.
    let lock = unsafe { Lock::of(object) };
    let (mine, wanted) = (&here.slot.locks, lock.id_or_new());
    if wanted == 0 || lock.is(Mark::Signal) || mine.iter().any(|held| held.lock == wanted) {
        return Outcome::Continue;
    }
    mine.want(wanted);
    if mine.iter().all(|held| mine.remembers(mine.pair(held.lock, wanted))) {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    guard::catch_panic(Outcome::Continue, || unsafe { learn(here, object, wanted, how) })
}

/// # Safety
/// As [`acquiring`].
#[cold]
unsafe fn learn(here: &'static ThreadContext, object: *mut ffi::PyObject, wanted: LockId, how: How) -> Outcome {
    // SAFETY: passed on.
    let (py, lock) = unsafe { (Python::assume_attached(), Lock::of(object)) };
    let (slot, mine) = (here.slot, &here.slot.locks);
    // A thread that is the only one is in nobody's way.  If its list is not complete, another lock of it may keep others out.
    if here.busy.get() || !mine.is_complete() || registry::get().loops.others(slot).next().is_none() {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    let stack = unsafe { here.stacks.record() };
    if stack == 0 || (!lock.is_reentrant() && acquirers::of(py, stack) == Acquirer::Wait) {
        return Outcome::Continue;
    }
    let all: Vec<Held> = mine.iter().collect();
    let guards = mine.guards();
    let mut cycle = None;
    // The lock that was acquired last is most of interest.
    for from in all.iter().rev() {
        let pair = mine.pair(from.lock, wanted);
        if mine.remembers(pair) || from.stack == 0 || acquirers::is_one_call(py, from.stack, stack) {
            continue;
        }
        // Acquired in the care of the lock that is wanted again: as of a light switch, whose room is only waited for if none of those has it who
        // will want the switch.  Unless one does wait for it, right now.
        if from.under == wanted
            && !from.by_with
            && how != How::Wait
            && !registry::get().loops.others(slot).any(|other| other.locks.waits(wanted, from.lock))
        {
            continue;
        }
        let evidence = Evidence { thread: lock::own_thread(py), held: *from, wanted: stack };
        let taken = Taken { thread: slot.id(), held: guards.clone(), evidence };
        lock.mark(Mark::Ordered);
        let mut order = order();
        let closed = order.add(from.lock, wanted, taken);
        // A lock that nobody has released yet who had acquired it may turn out to be a signal.
        // SAFETY: each lock of a cycle is marked as ordered, and is forgotten by the graph, which is locked, before its memory is gone.
        let is_owned = |held: &Held| unsafe { Lock::of(held.address as *mut ffi::PyObject) }.is(Mark::Owned);
        if closed.as_ref().is_none_or(|steps| steps.iter().all(|step| is_owned(&step.evidence.held))) {
            cycle = cycle.or(closed);
            mine.remember(pair);
        } else {
            order.drop_taken(from.lock, wanted, slot.id());
        }
    }
    match (cycle, InSlowPath::enter()) {
        (Some(cycle), Some(_busy)) => lock::inversion(py, object, &cycle),
        (_, _) => Outcome::Continue,
    }
}

/// The calling thread has acquired a lock.
///
/// # Safety
/// As [`acquiring`].
#[inline]
pub(crate) unsafe fn acquired(object: *mut ffi::PyObject, how: How) {
    // SAFETY: passed on.
    let Some(lock) = (unsafe { Lock::watched(object) }) else { return };
    if forks::is_any_left() {
        forks::acquired(object);
    }
    if lock.is(Mark::Signal) || (how != How::Wait && lock.is_nested()) {
        return;
    }
    let here = current_thread();
    here.slot.count_check();
    if lock.listed() == Listed::Yes {
        // It was released without our knowing.
        take_from_holder(here, lock);
    }
    // SAFETY: passed on.
    let (py, stack) = unsafe { (Python::assume_attached(), here.stacks.record()) };
    let by = acquirers::of(py, stack);
    if by == Acquirer::Wait && !lock.is_reentrant() {
        return;
    }
    // SAFETY: passed on.
    let task = if here.slot.running_asyncio() == 0 { 0 } else { unsafe { tasks::running() } };
    let (by_with, is_reentrant) = (how == How::With, lock.is_reentrant());
    let mine = &here.slot.locks;
    let held = Held { lock: lock.id_or_new(), address: object as usize, stack, task, by_with, is_reentrant, under: mine.last() };
    if by_with {
        own(lock);
    }
    mine.want(0);
    match by {
        Acquirer::Enter => mine.enter_gate(held.lock),
        Acquirer::Leave => mine.leave_gate(held.lock),
        Acquirer::Program | Acquirer::Library | Acquirer::Wait => {}
    }
    let is_known = held.lock != 0 && mine.acquire(held);
    lock.list(if is_known { Listed::Yes } else { Listed::Beyond });
}

/// An object, a lock as a rule, is that of a semaphore which so many threads may hold at once: it keeps no two of them apart.
///
/// # Safety
/// Attached, alive.
pub(crate) unsafe fn lets_in(object: *mut ffi::PyObject, room: usize) {
    // SAFETY: passed on.
    let Some(lock) = (unsafe { Lock::plain(object) }) else { return };
    let id = lock.id_or_new();
    if id != 0 {
        // So it is forgotten with its lock.
        lock.mark(Mark::Ordered);
        order().let_in(id, room);
    }
}

/// The calling thread is about to release a lock.
///
/// # Safety
/// As [`acquiring`].
#[inline]
pub(crate) unsafe fn releasing(object: *mut ffi::PyObject, how: How) -> Outcome {
    // SAFETY: passed on.
    let Some(lock) = (unsafe { Lock::watched(object) }) else { return Outcome::Continue };
    if how != How::Wait && lock.is_nested() {
        return Outcome::Continue;
    }
    let here = current_thread();
    if lock.listed() == Listed::Yes && here.slot.locks.release(lock.id()) {
        lock.list(Listed::No);
        own(lock);
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    unsafe { release_unknown(here, object, how) }
}

/// The thread that acquires it releases it.
#[inline]
fn own(lock: &Lock) {
    if !lock.is(Mark::Owned) {
        lock.mark(Mark::Owned);
    }
}

/// The calling thread releases what it is not known to hold.
///
/// # Safety
/// As [`acquiring`].
#[cold]
unsafe fn release_unknown(here: &'static ThreadContext, object: *mut ffi::PyObject, how: How) -> Outcome {
    // SAFETY: passed on.
    let (py, lock) = unsafe { (Python::assume_attached(), Lock::of(object)) };
    // The interpreter itself complains of a lock that is not to be released.
    if lock.is_reentrant() || !lock.is_locked() {
        return Outcome::Continue;
    }
    let listed = lock.listed();
    lock.list(Listed::No);
    if listed == Listed::Beyond {
        here.slot.locks.release_beyond();
        return Outcome::Continue;
    }
    let was_signal = lock.is(Mark::Signal);
    lock.mark(Mark::Signal);
    if lock.is(Mark::Ordered) {
        order().forget(lock.id());
    }
    if listed == Listed::No || was_signal {
        return Outcome::Continue;
    }
    guard::catch_panic(Outcome::Continue, || {
        let mut others = registry::get().loops.others(here.slot);
        let found = others.find_map(|other| Some((other, other.locks.take(lock.id())?)));
        match (found, InSlowPath::enter()) {
            (Some((other, held)), Some(_busy)) => lock::released_by_another(py, object, how, other, held),
            (_, _) => Outcome::Continue,
        }
    })
}

/// The innermost coroutine of the calling thread is about to be suspended by an `await`.
///
/// # Safety
/// Attached.
#[inline]
pub(crate) unsafe fn suspends() -> Outcome {
    let here = current_thread();
    if here.slot.locks.is_empty() {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    unsafe { suspends_with_locks(here) }
}

/// Whether the calling thread is known to hold a lock.
pub(crate) fn is_any_held() -> bool {
    !current_thread().slot.locks.is_empty()
}

/// # Safety
/// As [`suspends`].
#[cold]
unsafe fn suspends_with_locks(here: &'static ThreadContext) -> Outcome {
    // SAFETY: passed on.
    let (py, task) = unsafe { (Python::assume_attached(), tasks::running()) };
    if task == 0 || here.busy.get() {
        return Outcome::Continue;
    }
    guard::catch_panic(Outcome::Continue, || {
        let verdicts = here.slot.locks.untold_of(task).map(|held| match InSlowPath::enter() {
            Some(_busy) => lock::held_across_await(py, held),
            None => Outcome::Continue,
        });
        verdicts.fold(Outcome::Continue, |all, one| if all == Outcome::Raised { all } else { one })
    })
}

#[cold]
fn take_from_holder(here: &'static ThreadContext, lock: &Lock) {
    if !here.slot.locks.release(lock.id()) {
        let _ = registry::get().loops.others(here.slot).find_map(|other| other.locks.take(lock.id()));
    }
}

/// A lock dies: nobody holds it any more, and its order is of no use.
///
/// # Safety
/// Attached; an object of a type that [`locks::verify`] was given, whose memory is still there.
pub(crate) unsafe fn died(object: *mut ffi::PyObject) {
    // SAFETY: by the caller's guarantee, it is laid out as a lock.
    let lock = unsafe { Lock::of(object) };
    if lock.listed() == Listed::Yes {
        take_from_holder(current_thread(), lock);
    }
    if lock.is(Mark::Ordered) {
        order().forget(lock.id());
    }
}

/// The locks that the calling thread is known to hold, by number and address, sorted.
pub(crate) fn guards() -> Vec<(LockId, usize)> {
    let mut all: Vec<_> = current_thread().slot.locks.iter().map(|held| (held.lock, held.address)).collect();
    all.sort_unstable();
    all
}

/// In the child of a fork: the other threads that held locks are gone, and so is what was learnt.
pub(crate) fn after_fork() {
    *order() = LockOrder::new(EDGES);
}
