//! The conformance suite on frida-gum.  Cannot be built without a devkit, which `make frida` reports as skipped.
//!
//! `under_load` is not exempt although it may fail, about once in a hundred runs of its hundred rounds: see the library's description.

use ftsan_backend::conformance::{self, Exempt, Subject};
use ftsan_frida::Frida;
use libc::c_void;
use std::ffi::CStr;
use std::process::ExitCode;

fn main() -> ExitCode {
    conformance::main(&Subject {
        name: "frida-gum",
        create: || Ok(Box::new(Frida::new()?)),
        library_loaded: nothing,
        exempt: &[
            Exempt {
                case: "not_imported",
                problem: "\"conf_nobody\" was not refused",
                reason: "the function itself is rewritten, whoever calls it",
            },
            Exempt {
                case: "errno_in_first_call",
                problem: "errno in the original",
                reason: "gum allocates before the detour is called, once per thread",
            },
            Exempt {
                case: "called_inside_its_detour",
                problem: "calls of the detour: 1 instead of 2",
                reason: "gum takes a call from inside a detour for a call of the original",
            },
            Exempt {
                case: "signal_handler_inside_a_detour",
                problem: "calls of the detour in the handler",
                reason: "gum does not divert what is called while it is at work in the same thread",
            },
            Exempt {
                case: "longjmp",
                problem: "calls of the detour that was left",
                reason: "a call returns through gum, which waits for it for good: the function is not diverted any more in that thread",
            },
            Exempt {
                case: "cancellation",
                problem: "what its caller cleans up",
                reason: "a call returns through gum, and unwinding ends there: what callers clean up is not cleaned up",
            },
        ],
    })
}

/// # Safety
/// None: the function itself was rewritten.
unsafe fn nothing(_: &CStr, _: *const c_void) {}
