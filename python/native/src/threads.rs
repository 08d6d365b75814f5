//! The calling thread's slot: one pointer in thread-local storage.

use crate::{boundary, session};
use ftsan::loops::ThreadSlot;
use pyo3::ffi;
use std::cell::Cell;

/// What only the thread itself sees.
pub(crate) struct Here {
    pub(crate) slot: &'static ThreadSlot,
    /// Set while a slow path of ours runs: what it calls is not the program's doing.
    pub(crate) busy: Cell<bool>,
    /// How many finalizers of futures and tasks are running: what they call is the garbage collector's doing.
    pub(crate) finalizing: Cell<u32>,
}

struct Leave(&'static Here);

impl Drop for Leave {
    fn drop(&mut self) {
        HERE.set(std::ptr::null());
        session::get().loops.leave(self.0.slot);
    }
}

thread_local! {
    static HERE: Cell<*const Here> = const { Cell::new(std::ptr::null()) };
    static LEAVE: Cell<Option<Leave>> = const { Cell::new(None) };
}

/// The calling thread.
#[inline]
pub(crate) fn here() -> &'static Here {
    let here = HERE.get();
    if here.is_null() {
        return enter();
    }
    // SAFETY: points to a leaked box; null again before the thread's slot is given up.
    unsafe { &*here }
}

#[cold]
fn enter() -> &'static Here {
    boundary::guarded(None, || {
        // SAFETY: only called from hooks, which run attached.
        let (handle, ident) = unsafe { (ffi::PyThreadState_Get() as usize, ffi::PyThread_get_thread_ident()) };
        let slot = session::get().loops.enter(handle, ident as u64, native_id());
        // Leaked: some tens of bytes per thread that ever ran Python code, and no dangling pointer in a late hook.
        let here: &'static Here = Box::leak(Box::new(Here { slot, busy: Cell::new(false), finalizing: Cell::new(0) }));
        HERE.set(here);
        LEAVE.set(Some(Leave(here)));
        Some(here)
    })
    .unwrap_or_else(|| std::process::abort())
}

/// The kernel's id of the calling thread.
pub(crate) fn native_id() -> u64 {
    // SAFETY: always succeeds.
    unsafe { libc::gettid() as u64 }
}

/// Marks the calling thread as being inside a slow path of ours.
pub(crate) struct Busy(&'static Here);

impl Busy {
    /// `None` if it already is.
    pub(crate) fn enter() -> Option<Self> {
        let here = here();
        // Lazily: a Busy that is made and dropped would mark the thread as idle.
        (!here.busy.replace(true)).then(|| Busy(here))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}
