//! Faults of our own: a family is off, and the report says so.
//!
//! A list that only grows and is never locked: a panic may be noted by a detached thread while another one forks.

#[cfg(not(Py_GIL_DISABLED))]
use crate::interpreter::header;
use crate::interpreter::thread_state;
use std::collections::BTreeSet;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The fault if there is another interpreter than the main one.
pub(crate) const SUB_INTERPRETERS: &str = "sub-interpreters: what runs in them is not watched";

/// The fault if old bits may be taken for those of a new object.
#[cfg(not(Py_GIL_DISABLED))]
const BIRTHS: &str = "races: births of objects are not heard of any more: no memory, or something has called PyRefTracer_SetTracer";

struct Fault {
    what: String,
    next: *const Fault,
}

static LAST: AtomicPtr<Fault> = AtomicPtr::new(ptr::null_mut());

/// Notes that `what` is off.
pub(crate) fn fail(what: &str) {
    let fault = Box::into_raw(Box::new(Fault { what: what.to_owned(), next: ptr::null() }));
    let mut last = LAST.load(Ordering::Relaxed);
    loop {
        // SAFETY: the box is ours until it is in the list, and is leaked then.
        unsafe { (*fault).next = last };
        match LAST.compare_exchange_weak(last, fault, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => last = other,
        }
    }
}

/// Everything that is off.
pub(crate) fn all() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    if thread_state::are_there_sub_interpreters() {
        all.insert(SUB_INTERPRETERS.to_owned());
    }
    #[cfg(not(Py_GIL_DISABLED))]
    if !header::is_kept() {
        all.insert(BIRTHS.to_owned());
    }
    let mut next: *const Fault = LAST.load(Ordering::Acquire);
    // SAFETY: entries are complete before they are in the list, never change and are never freed.
    while let Some(fault) = unsafe { next.as_ref() } {
        all.insert(fault.what.clone());
        next = fault.next;
    }
    all
}
