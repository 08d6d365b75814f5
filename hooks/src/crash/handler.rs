//! The handler of fatal signals.

use crate::crash::first::{self, Crash};
use crate::crash::{chain, notes, others, steps};
use crate::state::{process, thread};
use crate::system::context::{self, Interrupted};
use crate::system::signal_stack::{self, Reserved};
use libc::{c_int, c_void, siginfo_t};
use std::sync::atomic::{AtomicBool, Ordering};

/// The work for the dying process is done there: the thread's own stacks may be full or bad.
static STACK: Reserved = Reserved::new();

/// Called when Python code begins to be watched, or earlier where there is no Python.
pub(crate) fn install() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !DONE.swap(true, Ordering::AcqRel) {
        signal_stack::give();
        STACK.reserve();
        steps::prepare();
        // SAFETY: called once; a function of this library, which is never unloaded.
        unsafe { chain::install(crashed as *const c_void) };
    }
}

unsafe extern "C" fn crashed(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let crash = Interrupted { info, context: context.cast() };
    match first::claim(crash) {
        Crash::First => {
            thread::dies();
            if let Some(recording) = process::recording() {
                // SAFETY: the kernel filled them in for this call of the handler.
                unsafe { notes::crash(&recording.crash, crash) };
            }
            match STACK.top() {
                // SAFETY: only the first thread that crashes comes here, and only once.
                Some(top) => unsafe { context::on_stack(top, steps::begin) },
                None => steps::begin(),
            }
        }
        Crash::InStep => {
            others::keep();
            steps::go_on()
        }
        Crash::Another => {
            others::wait(); // the process dies of the first one, if it dies
            // SAFETY: this handler returns next.
            unsafe { chain::prepare(signal, crash) };
        }
    }
}
