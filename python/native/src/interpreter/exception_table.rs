//! The exception table of a code object (`InternalDocs/exception_handling.md` of CPython): is an instruction in a `try` or `with`?

use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::RawFrame;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytesMethods;

/// CO_GENERATOR, CO_COROUTINE and CO_ASYNC_GENERATOR, Include/cpython/code.h
const GENERATORS: u32 = 0x20 | 0x80 | 0x200;

/// Whether an exception that is raised in this frame where it is goes to a handler of the program in it.
pub(crate) fn has_handler(py: Python<'_>, frame: RawFrame) -> bool {
    // SAFETY: the caller has it from a stack, where it is alive.
    let object = unsafe { Bound::from_borrowed_ptr(py, frame.code as *mut ffi::PyObject) };
    let Some(code) = Code::of(&object) else { return false };
    let flags: u32 = object.getattr("co_flags").and_then(|flags| flags.extract()).unwrap_or(0);
    let table = code.exceptions();
    let table = table.as_bytes();
    // The body of a coroutine as a whole has one: what makes a RuntimeError of a StopIteration, behind everything else.
    let last = entries(table).map(|[_, _, target, _]| target).max().filter(|_| flags & GENERATORS != 0);
    let covers = |[start, length, ..]: &[u32; 4]| (*start..start.saturating_add(*length)).contains(&frame.offset);
    entries(table).filter(covers).any(|[_, _, target, _]| Some(target) != last)
}

/// (start, length, target, depth and lasti) of each entry, in code units.
fn entries(table: &[u8]) -> impl Iterator<Item = [u32; 4]> + '_ {
    let mut bytes = table.iter();
    std::iter::from_fn(move || {
        let mut entry = [0; 4];
        for number in &mut entry {
            let mut byte = *bytes.next()?;
            *number = u32::from(byte & 63);
            while byte & 64 != 0 {
                byte = *bytes.next()?;
                *number = number.wrapping_mul(64) | u32::from(byte & 63);
            }
        }
        Some(entry)
    })
}
