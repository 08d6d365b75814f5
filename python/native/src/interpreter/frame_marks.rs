//! Marks in frames of the calling thread: a frame that has one is still the call that was marked, so its callers are where they were.
//!
//! The mark is in `visited`, the byte after `owner` (`Include/internal/pycore_interpframe_structs.h`).  Each frame that is pushed has 0 there
//! (`_PyFrame_Initialize`), and free-threaded builds do nothing else with it.  The collector of builds with the GIL passes over frames that it finds
//! marked, and debug builds have flags of their own in that byte: there, nothing is ever marked.

use crate::interpreter::frames::{self, Frame};
use crate::interpreter::offsets::OWNED_BY_THREAD;
use pyo3::prelude::*;
use pyo3::types::PyCFunction;
use std::sync::atomic::{AtomicBool, Ordering};

/// Not what a collector would write.
const MARK: u8 = 0x5a;

/// Whether frames can be marked here.
static IS_ON: AtomicBool = AtomicBool::new(false);

/// Whether a frame was marked.  Those of generators never are: they change their callers.
#[inline(always)]
pub(crate) fn is_marked(frame: Frame<'_>) -> bool {
    frame.owner_and_visited() == [OWNED_BY_THREAD, MARK]
}

/// Marks a frame, if that is possible.
///
/// # Safety
/// It is the innermost one of the calling thread.
#[inline]
pub(crate) unsafe fn mark(frame: Frame<'_>) {
    if IS_ON.load(Ordering::Relaxed) && frame.owner_and_visited()[0] == OWNED_BY_THREAD {
        // SAFETY: passed on; nobody else reads or writes that byte.
        unsafe { frame.set_visited(MARK) };
    }
}

/// Whether a mark stays while its frame does, and goes with it: the same function is called twice, and twice the second look finds the mark of the first.
fn is_kept_and_lost(py: Python<'_>) -> PyResult<bool> {
    let look = PyCFunction::new_closure(py, None, None, |_, _| {
        // SAFETY: a closure is called attached, and the frame that is marked is its caller's.
        let Some(frame) = unsafe { frames::own() }.next() else { return false };
        let found = is_marked(frame);
        // SAFETY: as above.
        unsafe { mark(frame) };
        found
    })?;
    let twice = py.eval(c"lambda look: (look(), look())", None, None)?;
    for _ in 0..2 {
        if twice.call1((&look,))?.extract::<(bool, bool)>()? != (false, true) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Frames are marked from now on if marks are found to do what is said here; otherwise callers are walked each time.
pub(crate) fn try_out(py: Python<'_>) -> PyResult<()> {
    if cfg!(Py_GIL_DISABLED) && !cfg!(py_sys_config = "Py_DEBUG") {
        IS_ON.store(true, Ordering::Relaxed);
        IS_ON.store(is_kept_and_lost(py)?, Ordering::Relaxed);
    }
    Ok(())
}
