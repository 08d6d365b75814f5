//! What a probe knows of the access that it stands before.

use crate::engine::races::folds::Folds;
use crate::interpreter::frames;
use ftsan::patcher::Action;
use ftsan::patcher::known_calls::CallEffect;
use ftsan::races::access::Value;
use ftsan::races::facts::{AccessFacts, Turn};
use pyo3::ffi;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;

/// An access in a patched function.  Its memory lives as long as the process, and is used again once the function's code is gone.
#[repr(C)]
pub(crate) struct Probe {
    pub(crate) header: ffi::PyObject,
    pub(crate) action: Action,
    /// The same number for the same instruction, for no other.
    pub(crate) site: u32,
    /// A number for the function.
    pub(crate) code: u32,
    /// Hash of the name, as dictionaries have it.
    pub(crate) field: u64,
    pub(crate) name: &'static str,
    /// What a function that is known by its name does.
    pub(crate) call: Option<CallEffect>,
    /// Depths on the evaluation stack, from 1; 0 for none.
    pub(crate) object: u16,
    pub(crate) callable: u16,
    pub(crate) key: u16,
    pub(crate) value: u16,
    /// What is known of the accesses that are made here.
    pub(crate) facts: AccessFacts,
    pub(crate) is_answer: bool,
    pub(crate) is_handled: bool,
    pub(crate) is_own: bool,
    pub(crate) compared: u16,
    /// The local variable that the check would have it store.
    pub(crate) would_store: u16,
    /// The text or the small number that the check would have it store; else unknown.
    pub(crate) text: Value,
    /// A number for the state that the answer compares with, or that is stored; 0 for none.
    pub(crate) state: u64,
    pub(crate) turn: Turn,
    /// It acts on what the local variable holds with which it is compared.
    pub(crate) acts_at_local: bool,
    pub(crate) keywords: u16,
    pub(crate) is_placed: bool,
    pub(crate) is_turn: bool,
    pub(crate) is_heeded: bool,
    pub(crate) is_claim: bool,
    pub(crate) is_bounded: bool,
    /// The function returns what is read.
    pub(crate) is_given: bool,
    /// A loop waits for what is read.
    pub(crate) is_waiting: bool,
    /// The function makes its answer of what is read.
    pub(crate) is_answering: bool,
    pub(crate) is_first: bool,
    pub(crate) is_drawn: bool,
    pub(crate) is_taken: bool,
    pub(crate) is_indexed: bool,
    pub(crate) is_emptied: bool,
    pub(crate) is_drained: bool,
    /// It writes the time that the clock says.
    pub(crate) is_time: bool,
    /// It is in code that swaps what is the process's.
    pub(crate) is_swapper: bool,
    /// It is in a library of locks: its accesses order threads and are not judged.
    pub(crate) is_trusted: bool,
    /// There is more to an access here than its kind, its value and the facts: most have nothing of the kind, and one look tells.
    pub(crate) is_special: bool,
    /// So many constants before it is the probe that stands for it as long as the object is private; 0 for none.
    pub(crate) behind: u32,
    /// The probes that it stands for.
    pub(crate) folds: Folds,
    /// How often threads are still to pause here.
    pub(crate) pauses: AtomicU8,
}

impl Probe {
    /// Stands for a probe where there is none: what is accessed is not on the stack of the running frame.
    pub(crate) fn of_call(action: Action, site: u32, code: u32) -> Self {
        Probe {
            // SAFETY: numbers and pointers; nobody takes it for an object.
            header: unsafe { std::mem::zeroed() },
            action,
            site,
            code,
            field: 0,
            name: "",
            call: None,
            object: 0,
            callable: 0,
            key: 0,
            value: 0,
            facts: AccessFacts::NONE,
            is_answer: false,
            is_handled: false,
            is_own: false,
            compared: 0,
            would_store: 0,
            text: Value::UNKNOWN,
            state: 0,
            turn: Turn::NONE,
            acts_at_local: false,
            keywords: 0,
            is_placed: false,
            is_turn: false,
            is_heeded: false,
            is_claim: false,
            is_bounded: false,
            is_given: false,
            is_waiting: false,
            is_answering: false,
            is_first: false,
            is_drawn: false,
            is_taken: false,
            is_indexed: false,
            is_emptied: false,
            is_drained: false,
            is_time: false,
            is_swapper: false,
            is_trusted: false,
            is_special: false,
            behind: 0,
            folds: Folds::new(),
            pauses: AtomicU8::new(0),
        }
    }
}

// SAFETY: immortal, and nothing of it changes after it was made but what is atomic.
unsafe impl Sync for Probe {}

/// A type of probes.
pub(crate) struct Type(pub(crate) *mut ffi::PyTypeObject);
// SAFETY: a type object is made once, immortal in effect, and only read.
unsafe impl Send for Type {}
// SAFETY: as above.
unsafe impl Sync for Type {}

/// The types of probes, each made with its first probe.
pub(crate) static TYPES: [OnceLock<Type>; 5] = [const { OnceLock::new() }; 5];

/// The probe that an object is, if it is one.
///
/// # Safety
/// Null or alive.
pub(crate) unsafe fn of_object<'a>(object: *mut ffi::PyObject) -> Option<&'a Probe> {
    // SAFETY: passed on; objects of these types are probes.
    unsafe {
        let is_type = |class: &OnceLock<Type>| class.get().is_some_and(|class| class.0 == ffi::Py_TYPE(object));
        (!object.is_null() && TYPES.iter().any(is_type)).then(|| &*object.cast::<Probe>())
    }
}

/// What a local variable of the running frame holds; null for nothing.
///
/// # Safety
/// Called from a probe, attached; the function has that variable.
pub(crate) unsafe fn peek_local(index: u16) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe { frames::local(usize::from(index)).unwrap_or(std::ptr::null_mut()) }
}

/// What is below the probe's own two operands on the stack of the running frame, at this depth from 1.
///
/// # Safety
/// Called from a probe, attached.
#[inline]
pub(crate) unsafe fn peek(depth: u16) -> *mut ffi::PyObject {
    if depth == 0 {
        return std::ptr::null_mut();
    }
    // SAFETY: passed on: the innermost frame is the one that runs the probe, with its stack pointer saved.
    unsafe { frames::on_top_of_stack(usize::from(depth) + 2).unwrap_or(std::ptr::null_mut()) }
}

/// The same for a depth that is not 0, if it is quick to find.
///
/// # Safety
/// As [`peek`].
#[inline(always)]
pub(crate) unsafe fn peek_plainly(depth: u16) -> Option<*mut ffi::PyObject> {
    // SAFETY: passed on.
    unsafe { frames::plainly_on_top_of_stack(usize::from(depth) + 2) }
}
