//! Faults of our own: a family is off, and the report says so.
//!
//! Noted in a list that only grows and is never locked: a detached thread may note one, or read them all for the report, while another
//! one forks.

#[cfg(not(Py_GIL_DISABLED))]
use crate::interpreter::header;
use crate::interpreter::thread_state;
use std::collections::BTreeSet;
use std::iter;
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

/// What is off.
#[derive(Default)]
pub(crate) struct Faults {
    last: AtomicPtr<Fault>,
}

impl Faults {
    /// Notes it, once.
    pub(crate) fn note(&self, what: &str) {
        if self.entries().any(|known| known == what) {
            return;
        }
        let fault = Box::into_raw(Box::new(Fault { what: what.to_owned(), next: ptr::null() }));
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            // SAFETY: the box is ours until it is in the list, and is leaked then.
            unsafe { (*fault).next = last };
            match self.last.compare_exchange_weak(last, fault, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => last = other,
            }
        }
    }

    pub(crate) fn all(&self) -> BTreeSet<String> {
        self.entries().map(str::to_owned).collect()
    }

    fn entries(&self) -> impl Iterator<Item = &'static str> {
        let mut next: *const Fault = self.last.load(Ordering::Acquire);
        iter::from_fn(move || {
            // SAFETY: entries are complete before they are in the list, never change and are never freed.
            let fault: &'static Fault = unsafe { next.as_ref() }?;
            next = fault.next;
            Some(fault.what.as_str())
        })
    }
}

static OWN: Faults = Faults { last: AtomicPtr::new(ptr::null_mut()) };

/// Notes that `what` is off.
pub(crate) fn fail(what: &str) {
    OWN.note(what);
}

/// Everything that is off.
pub(crate) fn all() -> BTreeSet<String> {
    let mut all = OWN.all();
    if thread_state::are_there_sub_interpreters() {
        all.insert(SUB_INTERPRETERS.to_owned());
    }
    #[cfg(not(Py_GIL_DISABLED))]
    if !header::is_kept() {
        all.insert(BIRTHS.to_owned());
    }
    all
}
