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
    NativeStack::own().frames()
}

/// Where a thread was in native code, innermost first.
#[derive(Clone, Copy)]
pub(crate) struct NativeStack {
    addresses: [usize; MOST],
    count: usize,
}

impl NativeStack {
    /// The calling thread's.  Allocates nothing.
    pub(crate) fn own() -> Self {
        let mut stack = NativeStack { addresses: [0; MOST], count: 0 };
        // SAFETY: no other thread symbolizes with this crate; only addresses are taken.
        unsafe {
            backtrace::trace_unsynchronized(|frame| {
                if let Some(place) = stack.addresses.get_mut(stack.count) {
                    *place = frame.ip() as usize;
                    stack.count += 1;
                }
                stack.count < MOST
            });
        }
        stack
    }

    /// Its frames of libraries, each with its address.
    fn of_libraries(&self) -> Vec<(usize, Frame)> {
        let mut frames = Vec::new();
        for address in &self.addresses[..self.count] {
            let Some((module, function)) = describe(*address as *mut c_void) else { continue };
            if is_ours(&module) || (frames.is_empty() && is_libc(&module)) {
                continue;
            }
            if is_interpreters(&module) {
                break;
            }
            frames.push((*address, Frame { file: module, function, ..Frame::default() }));
        }
        // The start of the thread.
        while frames.pop_if(|(_, frame)| is_libc(&frame.file)).is_some() {}
        frames
    }

    /// What lies behind the injected library and this module.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        self.of_libraries().into_iter().map(|(_, frame)| frame).collect()
    }

    /// The address of the innermost of these frames, 0 if there is none.
    pub(crate) fn place(&self) -> usize {
        self.of_libraries().first().map_or(0, |(address, _)| *address)
    }
}

fn is_libc(module: &str) -> bool {
    module.contains("/libc.so")
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
