//! What a code object is to us: the program's, asyncio's own, one of the watched functions.
//!
//! A class is looked up on the cold path only.  Code objects that were classified are kept alive, so an address never means
//! another function later.

use crate::interpreter::code_text;
use crate::interpreter::frames::RawFrame;
use ftsan::report::Frame;
use pyo3::ffi;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::ffi::c_int;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

unsafe extern "C" {
    // Include/cpython/code.h
    fn PyCode_Addr2Location(
        code: *mut ffi::PyObject,
        offset: c_int,
        line: *mut c_int,
        column: *mut c_int,
        end_line: *mut c_int,
        end_column: *mut c_int,
    ) -> c_int;
}

/// What a code object is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Code of the program.
    Program,
    /// Code of a watched library.
    Library,
    /// As `Library`, but a thread that is in it is not inside the object: it changes nothing there itself.
    Passage,
    /// A watched function: what it calls was judged when it was called.
    Watched,
    /// Documented as callable from any thread, or a finalizer.
    ThreadSafe,
    /// Where a loop runs its callbacks.
    Boundary,
}

/// Addresses need no protection against collisions on purpose.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(32);
    }
}

static CLASSES: Mutex<Option<HashMap<usize, Class, BuildHasherDefault<AddressHasher>>>> = Mutex::new(None);
static LIBRARIES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static RUN_UNTIL_COMPLETE: AtomicUsize = AtomicUsize::new(0);

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything in this folder belongs to a watched library.
pub(crate) fn add_library(folder: &str) {
    lock(&LIBRARIES).push(format!("{}/", folder.trim_end_matches('/')));
}

static STANDARD_LIBRARY: OnceLock<String> = OnceLock::new();

/// The folder of the standard library.
pub(crate) fn set_standard_library(folder: &str) {
    let _ = STANDARD_LIBRARY.set(format!("{}/", folder.trim_end_matches('/')));
}

/// The path of a file in the standard library's folder, if it is there.
pub(crate) fn in_standard_library(file: &str) -> Option<&str> {
    let inside = STANDARD_LIBRARY.get().and_then(|folder| file.strip_prefix(folder.as_str()));
    inside.filter(|rest| !rest.starts_with("site-packages/"))
}

/// Whether a file belongs to the standard library: what it calls is what its caller asked for.
pub(crate) fn is_of_standard_library(file: &str) -> bool {
    file.starts_with("<frozen ") || in_standard_library(file).is_some()
}

/// The file that a code object says it is of; `None` if that is no text.
///
/// # Safety
/// Attached; a live code object, which outlives the result.
pub(crate) unsafe fn file<'a>(code: usize) -> Option<&'a str> {
    let mut length = 0;
    // SAFETY: passed on; the name of the file is a string, which keeps its text.
    unsafe {
        let file = ffi::PyUnicode_AsUTF8AndSize(code_text::filename(code) as *mut ffi::PyObject, &raw mut length);
        if file.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        std::str::from_utf8(std::slice::from_raw_parts(file.cast::<u8>(), length as usize)).ok()
    }
}

/// Gives a code object a class of its own.
pub(crate) fn set_class(code: &Bound<'_, PyAny>, class: Class) {
    let code = code.clone().unbind().into_ptr() as usize;
    lock(&CLASSES).get_or_insert_default().insert(code, class);
}

/// The code object whose second local variable is the future that a loop runs for.
pub(crate) fn set_run_until_complete(code: &Bound<'_, PyAny>) {
    RUN_UNTIL_COMPLETE.store(code.as_ptr() as usize, Ordering::Relaxed);
}

pub(crate) fn is_run_until_complete(code: usize) -> bool {
    RUN_UNTIL_COMPLETE.load(Ordering::Relaxed) == code
}

/// The class of a code object that is alive.
pub(crate) fn class(py: Python<'_>, code: usize) -> Class {
    if let Some(class) = lock(&CLASSES).get_or_insert_default().get(&code) {
        return *class;
    }
    // SAFETY: the caller has it from a stack or from the depot, where it is alive.
    let object = unsafe { Bound::from_borrowed_ptr(py, code as *mut ffi::PyObject) };
    let text = |name: &str| object.getattr(name).and_then(|value| value.extract::<String>()).unwrap_or_default();
    let (file, name) = (text("co_filename"), text("co_name"));
    let in_library = lock(&LIBRARIES).iter().any(|folder| {
        // The standard library's folder has that of installed packages inside.
        file.strip_prefix(folder.as_str()).is_some_and(|rest| !rest.starts_with("site-packages/"))
    });
    let class = match (in_library, name.as_str()) {
        (true, "__del__") => Class::ThreadSafe,
        (true, _) => Class::Library,
        (false, _) => Class::Program,
    };
    set_class(&object, class);
    class
}

/// A frame as the report shows it.  `frame.code` is alive.
pub(crate) fn resolve(py: Python<'_>, frame: RawFrame) -> Frame {
    // SAFETY: alive by the caller's guarantee.
    let code = unsafe { Bound::from_borrowed_ptr(py, frame.code as *mut ffi::PyObject) };
    let text = |name: &str| code.getattr(name).and_then(|value| value.extract::<String>()).unwrap_or_else(|_| "?".to_owned());
    let (mut line, mut begin, mut last, mut end) = (-1, -1, -1, -1);
    // SAFETY: a live code object; an offset without a line gives -1, as does what else is not known.
    unsafe {
        PyCode_Addr2Location(code.as_ptr(), frame.offset as i32 * 2, &raw mut line, &raw mut begin, &raw mut last, &raw mut end)
    };
    let columns = u32::try_from(begin).ok().zip(u32::try_from(if last == line { end } else { 0 }).ok());
    let line = u32::try_from(line).ok().filter(|line| *line > 0);
    let columns = columns.filter(|_| line.is_some());
    let first = || code.getattr("co_firstlineno").and_then(|line| line.extract()).unwrap_or(0);
    Frame { file: text("co_filename"), line: line.unwrap_or_else(first), columns, function: text("co_qualname"), via: None }
}

/// The frames as reports show them.
pub(crate) fn resolve_all(py: Python<'_>, frames: &[RawFrame]) -> Vec<Frame> {
    frames.iter().map(|frame| resolve(py, *frame)).collect()
}
