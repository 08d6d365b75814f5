//! The native code between the interpreter and a system call: the library that closed a descriptor, say.
//!
//! Empty where the interpreter or one of its own modules made the call: then the Python frames say it all.

use ftsan::report::Frame;
use libc::c_void;
use std::ffi::CStr;

/// How many frames are looked at.
const MOST: usize = 48;

/// Frames of native code that lie innermost on the calling thread's stack, behind the injected library and this module.
pub(crate) fn innermost() -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut looked = 0;
    // SAFETY: no other thread symbolizes with this crate; only addresses are taken.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            looked += 1;
            let Some((module, function)) = describe(frame.ip()) else { return looked < MOST };
            if is_ours(&module) || (frames.is_empty() && module.contains("/libc.so")) {
                return looked < MOST;
            }
            if is_interpreters(&module) {
                return false;
            }
            frames.push(Frame { file: module, function, ..Frame::default() });
            looked < MOST
        });
    }
    frames
}

fn is_ours(module: &str) -> bool {
    module.ends_with("/libftsan_hooks.so") || module.contains("/ftsan/_native.")
}

fn is_interpreters(module: &str) -> bool {
    let name = module.rsplit('/').next().unwrap_or(module);
    module.contains("/lib-dynload/") || name.starts_with("libpython") || name.starts_with("python")
}

fn describe(address: *mut c_void) -> Option<(String, String)> {
    // SAFETY: zeros are valid, and strings of the loader are found.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(address, &raw mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        let text = |pointer: *const libc::c_char| CStr::from_ptr(pointer).to_string_lossy().into_owned();
        let function = if info.dli_sname.is_null() { "?".to_owned() } else { text(info.dli_sname) };
        Some((text(info.dli_fname), function))
    }
}
