//! The conformance suite on the import tables.

use ftsan_backend::conformance::{self, Exempt, Subject};
use ftsan_backend::import_tables::{self, ImportTables, Libraries};
use ftsan_backend::{Backend, Diversion, Refused, Target};
use libc::c_void;
use std::ffi::CStr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

fn main() -> ExitCode {
    conformance::main(&Subject {
        name: "the import tables",
        create: || Ok(Box::new(Remembering)),
        library_loaded: divert_in_new,
        exempt: &[
            Exempt {
                case: "by_address",
                problem: "calls of the detour: 0 instead of 1",
                reason: "calls by an address that was looked up before go through no slot",
            },
            Exempt {
                case: "inside_its_library",
                problem: "calls of the detour: 0 instead of 1",
                reason: "a library may call its own functions through no slot",
            },
        ],
    })
}

/// The libraries in which something was diverted.
static KNOWN: AtomicU64 = AtomicU64::new(0);

/// The import tables, and what there was when they were rewritten.
struct Remembering;

impl Backend for Remembering {
    unsafe fn replace(&mut self, target: Target<'_>, detour: *const c_void, original: &AtomicUsize) -> Result<(), Refused> {
        KNOWN.store(Libraries::now().to_word(), Ordering::Relaxed);
        // SAFETY: passed on.
        unsafe { ImportTables.replace(target, detour, original) }
    }
}

/// # Safety
/// As for [`import_tables::divert_in_new`].
unsafe fn divert_in_new(name: &CStr, detour: *const c_void) {
    let original = AtomicUsize::new(0);
    let diversion = Diversion { target: Target { name, address: std::ptr::null() }, detour, original: &original };
    let known = Libraries::from_word(KNOWN.load(Ordering::Relaxed));
    // SAFETY: the caller's guarantee.
    unsafe { import_tables::divert_in_new(&[diversion], known) };
}
