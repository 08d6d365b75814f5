//! What watched code calls the object that holds what it accesses, asked where a probe stands: by that, races know which others are the same
//! mistake.

use crate::engine::races::probe_site;
use crate::intercept::bytecode::opcodes;
use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::RawFrame;
use ftsan::patcher;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

/// As [`patcher::holder`]; `None` if no probe stands there.
///
/// # Safety
/// Attached; the frame's code is alive.
pub(crate) unsafe fn holder(frame: RawFrame, is_attribute: bool) -> Option<String> {
    // SAFETY: passed on.
    let object = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), frame.code as *mut _) };
    let code = Code::of(&object)?;
    let (bytes, exceptions, constants) = (code.bytes().ok()?, code.exceptions(), code.constants());
    let (names, locals) = (code.names(), code.locals());
    let (names, locals) = (texts(&names), texts(&locals));
    let parts = patcher::Code {
        bytes: bytes.as_bytes(),
        exceptions: exceptions.as_bytes(),
        lines: &[],
        tuples: &[],
        strings: &[],
        names: &names,
        locals: &locals,
        is_self_a_cell: false,
        arguments: 0,
        name: "",
        is_coroutine: false,
        stack_size: 0,
    };
    let depth = |constant: u32| {
        let constant = constants.get_item(constant as usize).ok()?;
        // SAFETY: alive.
        Some(unsafe { probe_site::of_object(constant.as_ptr()) }?.object)
    };
    patcher::holder(opcodes::get(object.py()).ok()?, &parts, frame.offset, is_attribute, depth)
}

fn texts<'a>(names: &'a Bound<'_, PyTuple>) -> Vec<&'a str> {
    let text = |name: &'a Bound<'_, PyAny>| name.cast::<PyString>().ok().and_then(|name| name.to_str().ok()).unwrap_or_default();
    names.as_slice().iter().map(text).collect()
}
