//! No fork while a thread of ours is looking into an object of the program.
//!
//! The look takes the object's lock.  If another thread forks meanwhile, or while the lock is being handed to a thread that waited for
//! it, the lock stays taken in the child, where the next `asyncio.all_tasks` waits for it for ever.

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

static GATE: Mutex<()> = Mutex::new(());

thread_local! {
    /// The gate, while the calling thread is the one that has closed it.
    static CLOSED: Cell<Option<MutexGuard<'static, ()>>> = const { Cell::new(None) };
}

/// Waits until no other thread is looking, and lets none begin until [`open`] is called in this thread.
///
/// False if this thread has closed it already: a finalizer that runs during a look may fork, or make us look again.
pub(crate) fn close(py: Python<'_>) -> bool {
    let held = CLOSED.take();
    let is_new = held.is_none();
    CLOSED.set(held.or_else(|| Some(GATE.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner))));
    is_new
}

/// Others may look, or fork, again.  Nothing happens if this thread has not closed the gate.
pub(crate) fn open() {
    drop(CLOSED.take());
}

/// Runs `look` while no other thread forks.
pub(crate) fn without_fork<R>(py: Python<'_>, look: impl FnOnce() -> R) -> R {
    struct Open(bool);
    impl Drop for Open {
        fn drop(&mut self) {
            if self.0 {
                open();
            }
        }
    }
    let _open = Open(close(py));
    look()
}
