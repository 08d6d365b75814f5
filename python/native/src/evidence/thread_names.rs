//! Who a thread was: names and origins of threads, kept beyond their end.

use crate::evidence::affinity::thread_info;
use crate::thread::context;
use ftsan::races::clock::Epoch;
use ftsan::report::ThreadInfo;
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

/// A thread, and the first epoch of its slot that is its own.
struct Person {
    since: Epoch,
    info: ThreadInfo,
}

static PEOPLE: Mutex<Vec<Person>> = Mutex::new(Vec::new());

fn lock() -> std::sync::MutexGuard<'static, Vec<Person>> {
    PEOPLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calling thread.
pub(crate) fn me(py: Python<'_>) -> ThreadInfo {
    let slot = context::here().slot;
    thread_info(py, slot.ident(), slot.native_id())
}

/// Introduces the calling thread, which is in `epoch`: before its first access that others may race with.
#[cold]
pub(crate) fn introduce(py: Python<'_>, epoch: Epoch) {
    let info = me(py);
    lock().push(Person { since: epoch, info });
}

/// The thread of an epoch.
pub(crate) fn of(epoch: Epoch) -> ThreadInfo {
    let people = lock();
    let known = people.iter().filter(|person| person.since.slot() == epoch.slot() && person.since.clock() <= epoch.clock());
    let person = known.max_by_key(|person| person.since.clock());
    person.map_or_else(
        || ThreadInfo { name: "?".to_owned(), ident: 0, native_id: 0, started_at: Vec::new() },
        |person| person.info.clone(),
    )
}
