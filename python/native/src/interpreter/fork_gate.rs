//! No fork while a thread of ours is looking into an object of the program.
//!
//! The look takes the object's lock.  If another thread forks meanwhile, or while the lock is being handed to a thread that waited for
//! it, the lock stays taken in the child, where the next `asyncio.all_tasks` waits for it for ever.
//!
//! A fork waits until looks are over, which take no other lock.  A look that waits for a fork does so for a while only: the fork may be
//! waiting for a lock that the looking thread holds, in a handler of `os.register_at_fork`.

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

static GATE: Mutex<()> = Mutex::new(());

/// How long a look waits for a fork.
const PATIENCE: Duration = Duration::from_millis(200);

thread_local! {
    /// The gate, while the calling thread is the one that has closed it.
    static CLOSED: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// The gate is closed by this thread as long as this lives, or until [`open`] is called.
struct Closed(bool);

impl Closed {
    /// Not again, if this thread has closed it already: a finalizer that runs during a look may fork, or make us look again.
    fn by(lock: impl FnOnce() -> Option<MutexGuard<'static, ()>>) -> Option<Self> {
        CLOSED.with_borrow_mut(|closed| {
            let is_new = closed.is_none();
            if is_new {
                *closed = lock();
            }
            closed.is_some().then_some(Closed(is_new))
        })
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        if self.0 {
            open();
        }
    }
}

/// Others may look, or fork, again.  Nothing happens if this thread has not closed the gate.
pub(crate) fn open() {
    drop(CLOSED.take());
}

/// Runs `fork` while no other thread looks.
pub(crate) fn without_looks<R>(py: Python<'_>, fork: impl FnOnce() -> R) -> R {
    let _closed = Closed::by(|| Some(GATE.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)));
    fork()
}

/// Runs `look` while no other thread forks; `None` if one has not come to its end in time.
pub(crate) fn without_forks<R>(py: Python<'_>, look: impl FnOnce() -> R) -> Option<R> {
    let _closed = Closed::by(|| lock_in_time(py))?;
    Some(look())
}

fn lock_in_time(py: Python<'_>) -> Option<MutexGuard<'static, ()>> {
    let end = Instant::now() + PATIENCE;
    loop {
        match GATE.try_lock() {
            Ok(held) => return Some(held),
            Err(TryLockError::Poisoned(held)) => return Some(held.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() > end => return None,
            Err(TryLockError::WouldBlock) => py.detach(|| thread::sleep(Duration::from_millis(1))),
        }
    }
}
