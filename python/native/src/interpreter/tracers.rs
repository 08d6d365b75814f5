//! Tracers that are written in C: libraries that import what starts them.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

unsafe extern "C" {
    // <dlfcn.h>
    fn dlinfo(library: *mut c_void, request: c_int, answer: *mut c_void) -> c_int;
}

/// `RTLD_DI_LINKMAP`, `<dlfcn.h>`.
const LINK_MAP: c_int = 2;

/// `struct link_map`, `<link.h>`.
#[repr(C)]
struct LinkMap {
    base: usize,
    name: *const c_char,
    dynamic: *const [usize; 2],
    next: *const LinkMap,
}

/// `DT_NULL`, `DT_STRTAB` and `DT_STRSZ`, `<elf.h>`.
const END: usize = 0;
const STRINGS: usize = 5;
const SIZE: usize = 10;

/// `Include/cpython/ceval.h`.
const STARTS: [&[u8]; 2] = [b"PyEval_SetTrace", b"PyEval_SetProfile"];

impl LinkMap {
    /// Whether the library may start a tracer: one of these is among its names.
    fn may_trace(&self) -> bool {
        let (mut strings, mut size) = (0, 0);
        let mut entry = self.dynamic;
        // SAFETY: the dynamic section of a loaded library, which ends with such an entry.
        unsafe {
            while !entry.is_null() && (*entry)[0] != END {
                match (*entry)[0] {
                    STRINGS => strings = (*entry)[1],
                    SIZE => size = (*entry)[1],
                    _ => {}
                }
                entry = entry.add(1);
            }
        }
        // The kernel's own library has addresses that were not relocated.
        if strings < self.base || strings == 0 {
            return false;
        }
        // SAFETY: its names, which are mapped as long as it is loaded.
        let names = unsafe { std::slice::from_raw_parts(strings as *const u8, size) };
        names.split(|byte| *byte == 0).any(|name| STARTS.contains(&name))
    }

    /// Whether it is the interpreter, which exports them.
    fn is_interpreter(&self) -> bool {
        // SAFETY: the loader's string, which is empty for the program.
        let name = unsafe { CStr::from_ptr(self.name) };
        name.is_empty() || name.to_bytes().windows(LIBRARY.len()).any(|part| part == LIBRARY)
    }
}

const LIBRARY: &[u8] = b"/libpython";

/// The loader's entry of a library that is loaded, or of the program; null if it is not.
fn entry(path: Option<&CStr>) -> *const LinkMap {
    let mut map: *const LinkMap = std::ptr::null();
    // SAFETY: loads nothing; the handle is given back, and the library stays loaded as Python never unloads one.
    unsafe {
        let library = libc::dlopen(path.map_or(std::ptr::null(), CStr::as_ptr), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        if !library.is_null() {
            dlinfo(library, LINK_MAP, (&raw mut map).cast());
            libc::dlclose(library);
        }
    }
    map
}

/// Whether the extension module of this file, which was just loaded, may start a tracer.
pub(crate) fn may_be_in(file: &str) -> bool {
    let path = CString::new(file).unwrap_or_default();
    // SAFETY: null, or a library that stays loaded.
    unsafe { entry(Some(&path)).as_ref() }.is_some_and(LinkMap::may_trace)
}

/// Whether anything that is loaded by now may.
pub(crate) fn may_be_loaded() -> bool {
    // SAFETY: the loader's list of libraries: nobody else loads or unloads one at this time.
    let maps = std::iter::successors(unsafe { entry(None).as_ref() }, |map| unsafe { map.next.as_ref() });
    maps.filter(|map| !map.is_interpreter()).any(LinkMap::may_trace)
}
