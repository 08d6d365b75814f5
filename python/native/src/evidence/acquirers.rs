//! Whose doing it is that a lock was acquired, by the stack that was recorded.
//!
//! The standard library has locks of its own: of queues, of logging handlers, of executors.  They are in the same graph as the program's,
//! because `with mine: log.info(...)` in one thread and an `emit` that takes `mine` in another do deadlock.  The order of two locks
//! that are taken in *one* call into the library is the library's business, however; it is correct, and no edge.
//!
//! `contextlib` and the methods of `Condition` and of the RLock in Python acquire what they are told to: for them, it is whoever calls them.  A semaphore is no lock,
//! but may keep threads apart like one: the lock in it, which its methods hold for a moment, stands for it.

use crate::interpreter::frames::RawFrame;
use crate::thread::code_class;
use crate::thread::stacks::{self, STACKS, StackId};
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

/// The role of a code object when a lock is acquired in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Program,
    Library,
    /// Does what its caller wants.
    GoBetween,
    /// Calls what it was given, with no locks of its own.
    Runner,
    /// `Condition.wait`, which makes a lock only to wait for somebody to release it.
    Wait,
    /// The methods of `Semaphore`.
    Enter,
    Leave,
}

/// Whose doing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Acquirer {
    /// The program's, or that of a library that it uses.
    Program = 1,
    /// The standard library's.
    Library = 2,
    /// The same, inside `Condition.wait`.
    Wait = 3,
    /// The same, while a semaphore is acquired.
    Enter = 4,
    /// The same, while a semaphore is released.
    Leave = 5,
}

static OF_STACKS: [AtomicU8; STACKS + 1] = [const { AtomicU8::new(0) }; STACKS + 1];
static OF_CODES: Mutex<Option<HashMap<usize, Class>>> = Mutex::new(None);

/// Whose doing what was recorded with this stack is.
#[inline]
pub(crate) fn of(py: Python<'_>, stack: StackId) -> Acquirer {
    match OF_STACKS[stack as usize % (STACKS + 1)].load(Ordering::Relaxed) {
        1 => Acquirer::Program,
        2 => Acquirer::Library,
        3 => Acquirer::Wait,
        4 => Acquirer::Enter,
        5 => Acquirer::Leave,
        _ => classify(py, stack),
    }
}

#[cold]
fn classify(py: Python<'_>, stack: StackId) -> Acquirer {
    let mut classes = stacks::get(stack).iter().map(|frame| class_of(py, *frame)).peekable();
    let waits = classes.peek() == Some(&Class::Wait);
    let acquirer = match classes.find(|class| !matches!(class, Class::GoBetween | Class::Wait)) {
        _ if waits => Acquirer::Wait,
        Some(Class::Library) => Acquirer::Library,
        Some(Class::Enter) => Acquirer::Enter,
        Some(Class::Leave) => Acquirer::Leave,
        Some(Class::Program | Class::Runner | Class::GoBetween | Class::Wait) | None => Acquirer::Program,
    };
    OF_STACKS[stack as usize % (STACKS + 1)].store(acquirer as u8, Ordering::Relaxed);
    acquirer
}

/// The code objects of the depot are kept alive, so an address never means another one later.
fn class_of(py: Python<'_>, frame: RawFrame) -> Class {
    let known = || OF_CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(class) = known().get_or_insert_default().get(&frame.code) {
        return *class;
    }
    let resolved = code_class::resolve(py, frame);
    let class = match (resolved.file.rsplit('/').next().unwrap_or_default(), resolved.function.as_str()) {
        _ if !code_class::is_of_standard_library(&resolved.file) => Class::Program,
        ("contextlib.py", _) => Class::GoBetween,
        ("threading.py", "Condition.wait") => Class::Wait,
        ("threading.py", "Semaphore.acquire") => Class::Enter,
        ("threading.py", "Semaphore.release" | "BoundedSemaphore.release") => Class::Leave,
        ("threading.py", name) if ["Condition.", "_RLock."].iter().any(|class| name.starts_with(class)) => Class::GoBetween,
        ("threading.py", "Thread.run" | "Timer.run") | ("thread.py", "WorkerContext.run" | "_WorkItem.run") => Class::Runner,
        _ => Class::Library,
    };
    known().get_or_insert_default().insert(frame.code, class);
    class
}

/// Whether both were acquired by the standard library on one call of the program.
pub(crate) fn is_one_call(py: Python<'_>, first: StackId, second: StackId) -> bool {
    if of(py, first) == Acquirer::Program || of(py, second) == Acquirer::Program {
        return false;
    }
    let (first, second) = (stacks::get(first), stacks::get(second));
    // Where the two stacks part.  The outermost frames of a deep one are not recorded.
    let is_cut = stacks::may_be_cut(second);
    let is_common =
        |outer: &[RawFrame]| first.ends_with(outer) || (is_cut && first.windows(outer.len().max(1)).any(|part| part == outer));
    let inner = (0..second.len()).find(|depth| is_common(&second[*depth..])).unwrap_or(second.len());
    second[..inner].iter().all(|frame| class_of(py, *frame) != Class::Program)
}
