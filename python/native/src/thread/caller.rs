//! The caller of a watched function, beyond the frames of the library that it is part of.

use crate::interpreter::frames::{self, DEEPEST, Frame, RawFrame};
use crate::interpreter::introspection::loaded;
use crate::thread::code_class::{self, Class};
use crate::thread::context::current_thread;
use crate::thread::{carriers, installed, origins, stacks};
use pyo3::prelude::*;
use std::sync::atomic::Ordering;

/// The caller of a watched function.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller {
    /// Code of the program; the index of its frame.
    Program(usize),
    /// A library calls what the program gave it earlier: the index of the library's frame, and the stack of the program then, its own
    /// line first.
    Given(usize, &'static [RawFrame]),
    /// A watched function that has reported already, one that is documented as thread-safe, or a finalizer.
    Nested,
}

/// Finds the caller of the function that the calling thread is in, beyond the innermost `skip` frames and those of the library itself.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn caller(py: Python<'_>, skip: usize) -> Caller {
    let (mut last, mut is_in_loop) = (0, false);
    // SAFETY: passed on; the own stack.
    let own = unsafe { frames::own() }.filter_map(|frame| Some((frame, frame.raw()?)));
    for (index, (frame, raw)) in own.take(DEEPEST).enumerate() {
        last = index;
        if index < skip {
            continue;
        }
        // SAFETY: passed on; a frame of the own stack.
        if let Some(given) = unsafe { given_at(py, frame, raw) } {
            return Caller::Given(index, given);
        }
        match code_class::class(py, raw.code) {
            Class::Library | Class::Passage => {}
            Class::Watched | Class::ThreadSafe => return Caller::Nested,
            Class::Boundary => {
                is_in_loop = true;
                break;
            }
            Class::Program => return Caller::Program(index),
        }
    }
    if let Some(given) = started_at(py).filter(|_| !is_in_loop) {
        // SAFETY: passed on.
        return Caller::Given(unsafe { beginning() }.max(skip.min(last + 1)), given);
    }
    // The loop itself made the call: of a callback that was scheduled in the wrong loop, say.
    Caller::Program(skip.min(last))
}

/// Where the program started the calling thread: with what has no frame, or none of the program.
fn started_at(py: Python<'_>) -> Option<&'static [RawFrame]> {
    let stack = stacks::get(current_thread().slot.started_at.load(Ordering::Relaxed));
    first_of_program(py, stack).map(|first| &stack[first..])
}

/// Index of the innermost of the frames with which `threading` begins a thread; beyond the last one if it was started in another way.
///
/// # Safety
/// Attached.
unsafe fn beginning() -> usize {
    // SAFETY: passed on; the own stack, where code objects are alive.
    unsafe {
        let own = frames::own_stack();
        let is_other =
            |frame: &RawFrame| code_class::file(frame.code).and_then(code_class::in_standard_library) != Some("threading.py");
        own.frames().iter().rposition(is_other).map_or(0, |other| other + 1)
    }
}

/// As [`caller`], whatever watched functions are in between: the question is not about any of them.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn caller_of_all(py: Python<'_>, skip: usize) -> Option<usize> {
    // SAFETY: passed on; the own stack.
    let own = unsafe { frames::own() }.filter_map(Frame::raw).take(DEEPEST);
    let mut last = skip;
    for (index, frame) in own.enumerate().skip(skip) {
        last = index;
        match code_class::class(py, frame.code) {
            Class::Library | Class::Passage | Class::Watched => {}
            Class::ThreadSafe => return None,
            Class::Boundary => break,
            Class::Program => return Some(index),
        }
    }
    Some(skip.min(last))
}

/// Where the program gave a library what it calls in this frame: `Thread.run` calls what its thread was started with.
///
/// # Safety
/// Attached; a frame of the own stack.
unsafe fn given_at(py: Python<'_>, frame: Frame<'_>, raw: RawFrame) -> Option<&'static [RawFrame]> {
    // SAFETY: passed on.
    let given = unsafe { carriers::given_at(frame, raw.code) };
    first_of_program(py, given).map(|first| &given[first..])
}

/// Index of the innermost frame that is of the program itself; if there is none, of the program or an installed package.
pub(crate) fn first_of_own(py: Python<'_>, stack: &[RawFrame]) -> Option<usize> {
    stack.iter().position(|frame| is_own(py, *frame)).or_else(|| first_of_program(py, stack))
}

/// Index of the innermost frame that is the program's, or of an installed package.
pub(crate) fn first_of_program(py: Python<'_>, stack: &[RawFrame]) -> Option<usize> {
    stack.iter().position(|frame| matches!(code_class::class(py, frame.code), Class::Program))
}

/// The line of the program itself that led to a call: of no library, and of no installed package.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OwnLine {
    /// On the stack of the calling thread, at this index.
    At(usize),
    /// The function that is called at this index was given away there earlier: to a thread, an executor, a task.
    Given(usize, &'static [RawFrame]),
    /// Nowhere.
    Nowhere,
}

/// Finds the innermost line of the program itself from the frame of this index on.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn own_line(py: Python<'_>, start: usize) -> OwnLine {
    // A function that a package gave away is its own business, whoever called it.
    let given_by_own = |given: &'static [RawFrame]| given.first().is_some_and(|frame| is_own(py, *frame)).then_some(given);
    // SAFETY: passed on; the own stack.
    let own = unsafe { frames::own() }.filter_map(|frame| Some((frame, frame.raw()?)));
    for (index, (frame, raw)) in own.take(DEEPEST).enumerate().skip(start) {
        // SAFETY: passed on; a frame of the own stack.
        if let Some(given) = unsafe { given_at(py, frame, raw) }.and_then(given_by_own) {
            return OwnLine::Given(index, given);
        }
        match code_class::class(py, raw.code) {
            Class::Program if is_own(py, raw) => return OwnLine::At(index),
            Class::Boundary => {
                // A task of a package runs in the loop that the program called it in, and does what it was called for.
                let created = creation_of_task(py).unwrap_or_default();
                let own = created.iter().position(|frame| is_own(py, *frame));
                return own.map_or(OwnLine::Nowhere, |first| OwnLine::Given(index, &created[first..]));
            }
            Class::Program | Class::Library | Class::Passage | Class::Watched | Class::ThreadSafe => {}
        }
    }
    // SAFETY: passed on.
    started_at(py).and_then(given_by_own).map_or(OwnLine::Nowhere, |given| OwnLine::Given(unsafe { beginning() }.max(start), given))
}

/// Whether a frame is of the program itself.
pub(crate) fn is_own(py: Python<'_>, frame: RawFrame) -> bool {
    code_class::class(py, frame.code) == Class::Program
        && !installed::is_code_of_package(frame.code, || code_class::resolve(py, frame).file)
}

/// Where the program created the task that the calling thread is in.
pub(crate) fn creation_of_task(py: Python<'_>) -> Option<&'static [RawFrame]> {
    let task = loaded(py, c"_asyncio").and_then(|module| module.call_method0("current_task").ok())?;
    let created = stacks::get(origins::of(task.as_ptr() as usize));
    first_of_program(py, created).map(|first| &created[first..])
}
