//! Semaphores that several threads may hold at once: such a one is no lock.
//!
//! Of a semaphore made with `n`, the acquisition number `k` comes after the first `k - n` releases, and after no others: these it has needed.
//! The lock inside of it orders nothing.  Operations that overlap in time are counted so that too much is ordered rather than too little:
//! releases that do count as one, and an acquisition counts after all that have begun.

use crate::engine::{locks, order};
use crate::interpreter::attributes;
use crate::thread::clock::{clocks, is_at_rest};
use ftsan::races::clock::Clock;
use pyo3::ffi;
use std::collections::{HashMap, VecDeque};
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Semaphores that are counted; beyond that, each orders all that its lock does.
const MOST: usize = 1024;

/// What is known of a semaphore.
#[derive(Default)]
struct Counted {
    /// How many may hold it at once.
    room: u64,
    /// Acquisitions that are done, and those that have begun besides.
    acquired: u64,
    acquiring: u64,
    /// Releases that have begun and are not done.
    releasing: u64,
    /// What was released by those that acquisitions have needed up to now, and how many these are.
    needed: (Clock, u64),
    /// What was released since: each by so many.
    pending: VecDeque<(Clock, u64)>,
}

/// By address.
static SEMAPHORES: Mutex<Option<HashMap<usize, Counted>>> = Mutex::new(None);

/// There are any.
static IS_USED: AtomicBool = AtomicBool::new(false);

fn hold() -> MutexGuard<'static, Option<HashMap<usize, Counted>>> {
    SEMAPHORES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A semaphore was made.
///
/// # Safety
/// Attached; `semaphore` is alive.
pub(crate) unsafe fn made(semaphore: *mut ffi::PyObject) {
    // SAFETY: passed on.
    let room = unsafe { number(semaphore, c"_value") };
    if room < 2 && !IS_USED.load(Ordering::Relaxed) {
        return;
    }
    let mut all = hold();
    let all = all.get_or_insert_default();
    // Another one may have been at this address.
    all.remove(&(semaphore as usize));
    if room < 2 || all.len() >= MOST {
        return;
    }
    // SAFETY: passed on.
    let lock = unsafe { lock_of(semaphore) };
    if lock.is_null() {
        return;
    }
    all.insert(semaphore as usize, Counted { room, ..Counted::default() });
    IS_USED.store(true, Ordering::Relaxed);
    // SAFETY: passed on; the semaphore's condition keeps the lock.
    unsafe {
        order::ignore(lock);
        locks::lets_in(lock, room as usize);
        ffi::Py_DECREF(lock);
    }
}

/// # Safety
/// As [`made`].
unsafe fn number(semaphore: *mut ffi::PyObject, name: &CStr) -> u64 {
    // SAFETY: passed on; a reference of our own.
    unsafe {
        let value = attributes::own(semaphore, name);
        let number = if !value.is_null() && ffi::PyLong_CheckExact(value) != 0 { ffi::PyLong_AsUnsignedLongLong(value) } else { 0 };
        ffi::Py_XDECREF(value);
        if number == u64::MAX {
            ffi::PyErr_Clear();
            return 0;
        }
        number
    }
}

/// `semaphore._cond._lock`: a new reference, or null.
///
/// # Safety
/// As [`made`].
unsafe fn lock_of(semaphore: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; references of our own.
    unsafe {
        let condition = attributes::own(semaphore, c"_cond");
        if condition.is_null() {
            return condition;
        }
        let lock = attributes::own(condition, c"_lock");
        ffi::Py_DECREF(condition);
        lock
    }
}

fn with(semaphore: *mut ffi::PyObject, change: impl FnOnce(&mut Counted)) {
    if IS_USED.load(Ordering::Relaxed)
        && let Some(counted) = hold().as_mut().and_then(|all| all.get_mut(&(semaphore as usize)))
    {
        change(counted);
    }
}

/// A semaphore is about to be released.
pub(crate) fn release(semaphore: *mut ffi::PyObject) {
    with(semaphore, |counted| {
        counted.releasing += 1;
        let released = if is_at_rest() { Clock::default() } else { order::hand_over() };
        match counted.pending.back_mut().filter(|_| counted.releasing > 1) {
            Some((clock, count)) => {
                clock.join(&released);
                *count += 1;
            }
            None => counted.pending.push_back((released, 1)),
        }
    });
}

/// It was released.
pub(crate) fn released(semaphore: *mut ffi::PyObject) {
    with(semaphore, |counted| counted.releasing = counted.releasing.saturating_sub(1));
}

/// A semaphore is about to be acquired.
pub(crate) fn acquire(semaphore: *mut ffi::PyObject) {
    with(semaphore, |counted| counted.acquiring += 1);
}

/// It was acquired, or was not.
pub(crate) fn acquired(semaphore: *mut ffi::PyObject, is_done: bool) {
    with(semaphore, |counted| {
        counted.acquiring = counted.acquiring.saturating_sub(1);
        if !is_done {
            return;
        }
        counted.acquired += 1;
        let needed = (counted.acquired + counted.acquiring).saturating_sub(counted.room);
        while counted.needed.1 < needed
            && let Some((clock, count)) = counted.pending.pop_front()
        {
            counted.needed.0.join(&clock);
            counted.needed.1 += count;
        }
        if !is_at_rest() {
            order::thread_clock().acquire_from(clocks(), &counted.needed.0);
        }
    });
}
