//! Calls in installed packages that a line of the program leads to: one mistake, however many watched calls those make on the way.

use crate::findings::store::FindingKey;
use crate::interpreter::frames::RawFrame;
use crate::thread::code_class;
use ftsan::report::Frame;
use ftsan::rules::family::calls::Outer;
use pyo3::prelude::*;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Include/cpython/code.h: `CO_COROUTINE` and `CO_ASYNC_GENERATOR`.
const AWAITED: u32 = 0x0080 | 0x0200;

/// Names places of the program that lead to misuse in packages.
static LED: u8 = 0;

/// What was told of which place.
static TOLD: Mutex<Option<HashSet<(FindingKey, usize, RawFrame)>>> = Mutex::new(None);

/// How the frames of a library are linked to the program's line before them: that one gave away what is called here.
pub(crate) const GIVEN: &str = "what was given there is called at";
/// The same of a call that the line made itself.
pub(crate) const LEADS: &str = "which leads to";

/// Puts the program's own line, with all that leads to it, before the stack that comes of it.
pub(crate) fn led_by(mut own: Vec<Frame>, mut stack: Vec<Frame>, how: &str) -> Vec<Frame> {
    via(&mut stack, how);
    own.append(&mut stack);
    own
}

/// Says how the first of these frames is linked to those that come before them.
pub(crate) fn via(frames: &mut [Frame], how: &str) {
    if let Some(first) = frames.first_mut() {
        first.via = Some(how.to_owned());
    }
}

/// The frames between a watched function and the program's own line, innermost first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Led<'a> {
    pub(crate) frames: &'a [RawFrame],
    /// The program's own line is not on the stack: the function that is called here was given away there.
    pub(crate) is_given: bool,
}

/// The last part of a qualified name.
pub(crate) fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Names what a line of the program leads to, whatever it is.
pub(crate) fn place(py: Python<'_>, line: RawFrame) -> FindingKey {
    (std::ptr::from_ref(&LED) as usize, whole_line(py, line))
}

/// The same for the whole line: an `await` goes on at another instruction than it begins.
pub(crate) fn whole_line(py: Python<'_>, line: RawFrame) -> RawFrame {
    if line.code == 0 { line } else { RawFrame { offset: code_class::resolve(py, line).line, ..line } }
}

impl Led<'_> {
    /// Qualified name of the outermost function that a program may call by its name.
    pub(crate) fn public(&self, py: Python<'_>) -> Option<String> {
        let names = self.frames.iter().rev().map(|frame| code_class::resolve(py, *frame).function);
        names.into_iter().find(|name| !last(name).starts_with(['_', '<']))
    }

    /// Qualified name of the outermost function but for what the syntax calls (`__aenter__`) and what a decorator puts around it.
    fn called(&self, py: Python<'_>) -> Option<String> {
        let names: Vec<String> = self.frames.iter().rev().map(|frame| code_class::resolve(py, *frame).function).collect();
        let plain =
            names.iter().find(|name| !last(name).starts_with(['<']) && !last(name).starts_with("__") && !name.contains("<locals>"));
        plain.or(names.first()).cloned()
    }

    /// The function that the program called.
    pub(crate) fn outer(&self, py: Python<'_>, is_for_asyncio: bool) -> Outer {
        let outermost = self.frames.last().copied().unwrap_or_default();
        let name = self.called(py).unwrap_or_default();
        let name = name.rsplit("<locals>.").next().unwrap_or(&name).to_owned();
        // SAFETY: the code object is on the stack, where it is alive.
        let code = unsafe { Bound::from_borrowed_ptr_or_opt(py, outermost.code as *mut pyo3::ffi::PyObject) };
        let flags = code.and_then(|code| code.getattr("co_flags").ok()?.extract::<u32>().ok()).unwrap_or(0);
        Outer { name, is_coroutine: flags & AWAITED != 0, is_for_asyncio }
    }

    /// Whether this watched function (`id`) was not yet seen to be called from here on behalf of this line.
    pub(crate) fn is_new(&self, py: Python<'_>, line: Option<RawFrame>, id: usize) -> bool {
        let place = place(py, line.unwrap_or_default());
        let innermost = self.frames.first().copied().unwrap_or_default();
        TOLD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert((place, id, innermost))
    }
}
