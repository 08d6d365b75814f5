//! The conformance suite on the import tables.

use ftsan_backend::conformance::{self, Exempt, Subject};
use ftsan_backend::import_tables::{self, ImportTables};
use libc::c_void;
use std::ffi::CStr;
use std::process::ExitCode;

fn main() -> ExitCode {
    conformance::main(&Subject {
        name: "the import tables",
        create: || Ok(Box::new(ImportTables)),
        library_loaded: rewrite_again,
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

/// # Safety
/// As for [`import_tables::rewrite`].
unsafe fn rewrite_again(name: &CStr, detour: *const c_void) {
    // SAFETY: the caller's guarantee.
    unsafe { import_tables::rewrite(&|other| (other == name).then_some(detour)) };
}
