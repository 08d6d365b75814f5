//! The child of a fork: what threads of its parent had that are not in it.
//!
//! A lock that one of them held is never released in the child, unless the child does that itself: to wait for it is to hang.  The
//! list of held locks is read in the child, where it is what it was at the moment of the fork.

use crate::evidence::acquirers::{self, Acquirer};
use crate::evidence::runtime::{self, Gone};
use crate::interpreter::locks::{Lock, Mark};
use crate::thread::context::{InSlowPath, current_thread};
use crate::thread::outcome::Outcome;
use crate::thread::{guard, registry, stacks};
use ftsan::locks::held::{Held, How};
use ftsan::loops::Realm;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is left of one thread.
#[derive(Clone)]
struct Left {
    gone: Gone,
    /// `None`: it ran a loop.
    held: Option<Held>,
    /// It is told when the child ends: the loop, or what the program acquired by a `with` statement, if nothing is told of the thread yet.
    is_plain: bool,
}

/// Whether there is anything.
static IS_ANY: AtomicBool = AtomicBool::new(false);
static LEFT: Mutex<Vec<Left>> = Mutex::new(Vec::new());

fn left() -> MutexGuard<'static, Vec<Left>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In the child, before what is known of the parent's threads is dropped.
pub(crate) fn in_child(py: Python<'_>) {
    // SAFETY: attached.
    let forked = unsafe { stacks::record(0) };
    let mut all = Vec::new();
    for other in registry::get().loops.others(current_thread().slot) {
        let runs = other.running(Realm::Any) != 0;
        let held: Vec<Held> = other.locks.iter().filter(|held| held.stack != 0).collect();
        if !runs && held.is_empty() {
            continue;
        }
        let gone = runtime::gone(py, other.ident(), other.native_id(), forked);
        let is_plain = |held: &Held| held.by_with && acquirers::of(py, held.stack) == Acquirer::Program;
        all.extend(held.into_iter().map(|held| Left { gone: gone.clone(), held: Some(held), is_plain: is_plain(&held) }));
        if runs {
            all.push(Left { gone, held: None, is_plain: true });
        }
    }
    IS_ANY.store(!all.is_empty(), Ordering::Relaxed);
    *left() = all;
}

/// Whether a lock may be one that nobody is there to release.
#[inline(always)]
pub(crate) fn is_any_left() -> bool {
    IS_ANY.load(Ordering::Relaxed)
}

/// The calling thread is about to wait for a lock, for as long as it takes.
///
/// # Safety
/// Attached; a live lock of a type that [`locks::verify`](crate::interpreter::locks::verify) was given.
#[cold]
pub(crate) unsafe fn acquiring(object: *mut ffi::PyObject, how: How) -> Outcome {
    // SAFETY: passed on.
    let (py, lock) = unsafe { (Python::assume_attached(), Lock::of(object)) };
    guard::catch_panic(Outcome::Continue, || {
        let is_it = |left: &&Left| left.held.is_some_and(|held| held.lock == lock.id() && held.address == object as usize);
        let found = left().iter().find(is_it).cloned();
        let Some(Left { gone, held: Some(held), .. }) = found else { return Outcome::Continue };
        // A thread that may use it as a signal could still be waiting for a thread of the child's own.
        let is_alone = || registry::get().loops.others(current_thread().slot).next().is_none();
        if !lock.is_locked() || !(held.by_with || lock.is(Mark::Owned) || is_alone()) {
            return Outcome::Continue;
        }
        match InSlowPath::enter() {
            Some(_busy) => {
                left().iter_mut().filter(|left| left.gone.ident() == gone.ident()).for_each(|left| left.is_plain = false);
                runtime::wanted_in_child(py, object, how, &gone, held)
            }
            None => Outcome::Continue,
        }
    })
}

/// The calling thread has acquired a lock: it is the child's from now on.
#[cold]
pub(crate) fn acquired(object: *mut ffi::PyObject) {
    left().retain(|left| left.held.is_none_or(|held| held.address != object as usize));
}

/// The child ends without having executed another program.
pub(crate) fn child_ends(py: Python<'_>) {
    if !is_any_left() {
        return;
    }
    guard::catch_panic((), || {
        IS_ANY.store(false, Ordering::Relaxed);
        let all = std::mem::take(&mut *left());
        let Some(_busy) = InSlowPath::enter() else { return };
        let mut told = Vec::new();
        for Left { gone, held, is_plain } in all {
            if is_plain && !told.contains(&gone.ident()) {
                told.push(gone.ident());
                runtime::left_in_child(py, &gone, held);
            }
        }
    });
}
