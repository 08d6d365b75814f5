//! The caller of a watched function, beyond the frames of the library that it is part of.

use crate::interpreter::frames::RawFrame;
use crate::thread::code_class::{self, Class};
use pyo3::prelude::*;

/// The caller of a watched function.
pub(crate) enum Caller {
    /// Code of the program; the index of its frame.
    Program(usize),
    /// A watched function that has reported already, one that is documented as thread-safe, or a finalizer.
    Nested,
}

/// Finds the caller beyond the frames of the library itself.
pub(crate) fn caller(py: Python<'_>, own: impl Iterator<Item = RawFrame>, skip: usize) -> Caller {
    let mut last = 0;
    for (index, frame) in own.enumerate() {
        last = index;
        if index < skip {
            continue;
        }
        match code_class::class(py, frame.code) {
            Class::Library => {}
            Class::Watched | Class::ThreadSafe => return Caller::Nested,
            Class::Boundary => break,
            Class::Program => return Caller::Program(index),
        }
    }
    // The loop itself made the call: of a callback that was scheduled in the wrong loop, say.
    Caller::Program(skip.min(last))
}
