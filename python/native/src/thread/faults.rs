//! Faults of our own: a family is off, and the report says so.

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

struct Note {
    what: String,
    next: *const Note,
}

/// Lines that are added and stay.  Never locked: whoever reads or adds may be detached while another thread forks, and the child would wait for
/// ever.
#[derive(Debug, Default)]
pub(crate) struct Notes(AtomicPtr<Note>);

impl Notes {
    const fn new() -> Self {
        Notes(AtomicPtr::new(ptr::null_mut()))
    }

    /// Adds one, which may be there already.
    pub(crate) fn add(&self, what: &str) {
        let note = Box::into_raw(Box::new(Note { what: what.to_owned(), next: ptr::null() }));
        let mut last = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: the box is ours until it is in the list, and is leaked then.
            unsafe { (*note).next = last };
            match self.0.compare_exchange_weak(last, note, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => last = other,
            }
        }
    }

    /// Each of them once.
    pub(crate) fn all(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut next: *const Note = self.0.load(Ordering::Acquire);
        // SAFETY: notes are complete before they are in the list, never change and are never freed.
        while let Some(note) = unsafe { next.as_ref() } {
            all.insert(note.what.clone());
            next = note.next;
        }
        all
    }
}

static FAULTS: Notes = Notes::new();

/// Notes that `what` is off.
pub(crate) fn fail(what: &str) {
    FAULTS.add(what);
}

/// Everything that is off.
pub(crate) fn all() -> BTreeSet<String> {
    let mut all = FAULTS.all();
    if thread_state::are_there_sub_interpreters() {
        all.insert(SUB_INTERPRETERS.to_owned());
    }
    #[cfg(not(Py_GIL_DISABLED))]
    if !header::is_kept() {
        all.insert(BIRTHS.to_owned());
    }
    all
}
