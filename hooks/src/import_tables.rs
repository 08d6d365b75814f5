//! The hooks of [`crate::calls`] for a process that did not preload us: through the import tables.

use crate::{calls, pass_on};
use libc::c_void;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

static REWRITTEN: AtomicBool = AtomicBool::new(false);

/// Whether [`rewrite`] was called: then libraries that are loaded later need it again.
pub(crate) fn are_rewritten() -> bool {
    REWRITTEN.load(Ordering::Relaxed)
}

/// Hooks what is loaded by now.
pub(crate) fn rewrite() {
    REWRITTEN.store(true, Ordering::Relaxed);
    for hook in all() {
        hook.original.get();
    }
    // SAFETY: the table has detours of the same signature, in this library, which is never unloaded.
    unsafe { ftsan_backend::import_tables::rewrite(&detour) };
}

fn detour(name: &CStr) -> Option<*const c_void> {
    all().find(|hook| hook.name() == name).map(|hook| hook.detour)
}

/// Every hook.
pub(crate) fn all() -> impl Iterator<Item = &'static calls::Hook> {
    calls::HOOKS.iter().chain(&pass_on::HOOKS)
}
