//! The text in a code object, read without attaching and without allocating: names are immutable, and so is the line table.

use crate::interpreter::offsets;
use pyo3::ffi;

/// Address of the qualified name.
///
/// # Safety
/// A live code object.
pub(crate) unsafe fn qualname(code: usize) -> usize {
    // SAFETY: passed on; the offset is published.
    unsafe { ((code + offsets::get().code_qualname) as *const usize).read() }
}

/// Address of the file name.
///
/// # Safety
/// A live code object.
pub(crate) unsafe fn filename(code: usize) -> usize {
    // SAFETY: passed on; the offset is published.
    unsafe { ((code + offsets::get().code_filename) as *const usize).read() }
}

/// The text of a string, as far as it fits.
///
/// # Safety
/// A live `str`.
pub(crate) unsafe fn read(string: usize, buffer: &mut [u8]) -> &[u8] {
    let string = string as *mut ffi::PyObject;
    let mut used = 0;
    // SAFETY: passed on; both functions only read.
    unsafe {
        for at in 0..ffi::PyUnicode_GetLength(string) {
            let character = char::from_u32(ffi::PyUnicode_ReadChar(string, at)).unwrap_or('\u{FFFD}');
            if used + character.len_utf8() > buffer.len() {
                break;
            }
            used += character.encode_utf8(&mut buffer[used..]).len();
        }
    }
    &buffer[..used]
}

/// Line of an instruction, 0 if it has none.
///
/// # Safety
/// A live code object.
pub(crate) unsafe fn line(code: usize, instruction: usize) -> u32 {
    // SAFETY: passed on; reads the line table.
    let line =
        offset(code, instruction).map_or(-1, |offset| unsafe { ffi::PyCode_Addr2Line(code as *mut ffi::PyCodeObject, offset) });
    u32::try_from(line).unwrap_or(0)
}

/// Distance of an instruction from the first one, in bytes: in the code object or in one of its thread-local copies.
fn offset(code: usize, instruction: usize) -> Option<i32> {
    // SAFETY: `line` is given a live code object, the size of which is its number of code units.
    let len = unsafe { ffi::Py_SIZE(code as *mut ffi::PyObject) } as usize * 2;
    // SAFETY: as above.
    unsafe { copies(code) }.find_map(|start| {
        let distance = instruction.checked_sub(start)?;
        (distance < len).then_some(distance as i32)
    })
}

/// Addresses of the first instruction: in the code object and in each of its thread-local copies.
///
/// # Safety
/// A live code object, which gets no further copies meanwhile.
#[cfg(Py_GIL_DISABLED)]
pub(crate) unsafe fn copies(code: usize) -> impl Iterator<Item = usize> {
    // struct _PyCodeArray { Py_ssize_t size; char *entries[]; }, Include/cpython/code.h
    // SAFETY: every code object of a free-threaded build has the array; entries are null or a copy of the code, the first is that in the object.
    unsafe {
        let copies = ((code + offsets::get().code_tlbc) as *const *const usize).read();
        (0..copies.read()).map(move |at| copies.add(1 + at).read()).filter(|start| *start != 0)
    }
}

/// Addresses of the first instruction: there is one, as builds with the GIL have no copies.
///
/// # Safety
/// A live code object.
#[cfg(not(Py_GIL_DISABLED))]
pub(crate) unsafe fn copies(code: usize) -> impl Iterator<Item = usize> {
    std::iter::once(code + offsets::get().code_adaptive)
}
