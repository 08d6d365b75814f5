//! The conformance suite on frida-gum.  Cannot be built without a devkit, which `make frida` reports as skipped.

use ftsan_backend::conformance::{self, Subject};
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
            ("not_imported", "the function itself is rewritten, whoever calls it"),
            ("errno_in_first_call", "gum allocates before the detour is called, once per thread"),
            ("called_inside_its_detour", "gum takes a call from inside a detour for a call of the original"),
            ("signal_handler_inside_a_detour", "gum does not divert what is called while it is at work in the same thread"),
            (
                "longjmp",
                "a call returns through gum, which waits for it for good: the function is not diverted any more in that thread",
            ),
            ("cancellation", "a call returns through gum, and unwinding ends there: what callers clean up is not cleaned up"),
        ],
    })
}

/// # Safety
/// None: the function itself was rewritten.
unsafe fn nothing(_: &CStr, _: *const c_void) {}
