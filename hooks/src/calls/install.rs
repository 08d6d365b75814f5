//! Diverts calls to the hooks in a process that did not preload us.
//!
//! Through the import tables of all libraries, so calls by name are seen.  With the feature `gum` the functions themselves are rewritten
//! first, where the process allows it: then calls by an address that was looked up are seen as well.

use crate::system::original::Hook;
use ftsan_backend::import_tables::{self, ImportTables, Libraries};
use ftsan_backend::{Backend, Diversion, Target};
use libc::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Set once calls are diverted.
static DIVERSIONS: OnceLock<Box<[Diversion<'static>]>> = OnceLock::new();
/// They are not any more.
static IS_UNDONE: AtomicBool = AtomicBool::new(false);
/// Libraries whose calls are diverted, as a word: those that need not be looked at again.
static DONE: AtomicU64 = AtomicU64::new(0);

/// Whether calls are diverted: then libraries that are loaded later need it too.
pub(crate) fn is_done() -> bool {
    DIVERSIONS.get().is_some() && !IS_UNDONE.load(Ordering::Acquire)
}

/// Diverts what is loaded by now.  The last table holds tail jumps, which gum cannot divert: it keeps return addresses.
pub(crate) fn install(tables: &'static [&'static [Hook]; 2]) {
    let diversions = DIVERSIONS.get_or_init(|| tables.iter().flat_map(|hooks| hooks.iter().map(diversion)).collect());
    #[cfg(feature = "gum")]
    if let (Ok(mut gum), Some(ordinary)) = (ftsan_frida::Frida::new(), diversions.get(..tables[0].len())) {
        divert(&mut gum, ordinary);
    }
    divert(&mut ImportTables, diversions);
}

/// Gives the import tables their functions back, or diverts calls again.
pub(crate) fn undo(is_undone: bool) {
    let Some(diversions) = DIVERSIONS.get() else { return };
    IS_UNDONE.store(is_undone, Ordering::Release);
    if is_undone {
        // SAFETY: the targets were looked up.
        unsafe { import_tables::put_back(diversions) };
    } else {
        divert(&mut ImportTables, diversions);
    }
}

/// Diverts what was loaded since, after a `dlopen` that began when `before` was loaded or being loaded.
///
/// A library is listed before the loader has filled its slots, and one `dlopen` waits for the other: what was listed before this one
/// began is complete, and what is listed now may be another thread's that is not.
pub(crate) fn library_loaded(before: Libraries) {
    let Some(diversions) = DIVERSIONS.get() else { return };
    // SAFETY: as in `divert`.
    unsafe { import_tables::divert_in_new(diversions, Libraries::from_word(DONE.load(Ordering::Acquire))) };
    DONE.store(before.to_word(), Ordering::Release);
}

fn divert(backend: &mut dyn Backend, diversions: &[Diversion<'static>]) {
    // SAFETY: the tables have detours of the same signature, in this library, which is never unloaded.
    unsafe { backend.replace_all(diversions) };
}

fn diversion(hook: &'static Hook) -> Diversion<'static> {
    let target = Target { name: hook.original.name(), address: hook.original.get() as *const c_void };
    Diversion { target, detour: hook.detour, original: hook.original.slot() }
}
