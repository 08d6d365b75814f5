//! Operations of Python code on loops, transports and streams, for the flight recorder: a few stores per watched call.

use crate::interpreter::{code_text, frames};
use crate::thread::context::ThreadContext;
use crate::thread::hooks_link;
use ftsan::recording::ThreadRecord;
use ftsan::recording::operation::Operation;
use ftsan::recording::sites::{Position, SiteId};
use pyo3::ffi;

/// A number for what a watch sees, by which recordings know it.
pub(crate) fn operation(rule: &str, name: &str) -> Operation {
    hooks_link::recording().map_or(Operation(0), |recording| recording.sites.name_operation(&format!("{rule} {name}")))
}

/// Records that the calling thread calls a watched function of `object`.  Without its site, which would cost as much again.
#[inline(always)]
pub(crate) fn note(here: &ThreadContext, operation: Operation, object: *mut ffi::PyObject) {
    if let Some(record) = here.record() {
        record.begin(operation, -1, Some(object as u64), 0, 0, now);
    }
}

/// Records that the call is a misuse, and where it is.
pub(crate) fn note_misuse(here: &ThreadContext, operation: Operation, object: *mut ffi::PyObject) {
    if let Some(record) = here.record() {
        record.begin(operation, -1, Some(object as u64), site(record), 0, now);
    }
}

/// Records that the calling thread starts, or stops with 0, running a loop.
pub(crate) fn runs(here: &ThreadContext, loop_: usize) {
    if let Some(record) = here.record() {
        record.runs_loop.store(loop_ as u64, std::sync::atomic::Ordering::Relaxed);
    }
}

/// As the injected library counts: see [`ftsan::recording::Recording::ticks_per_us`].
fn now() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has it.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    0
}

fn site(record: &ThreadRecord) -> SiteId {
    // SAFETY: attached; the own stack.
    let innermost = unsafe { frames::own() }.next();
    let Some(frame) = innermost.filter(|frame| !frame.is_entry()) else { return 0 };
    let frames::Position { code, instruction } = frame.position();
    let position = Position { code, instruction, check: 0 };
    record.known_site(position).unwrap_or_else(|| {
        // SAFETY: a code object on the own stack.
        new_site(record, Position { check: unsafe { code_text::qualname(code) }, ..position })
    })
}

#[cold]
#[inline(never)]
fn new_site(record: &ThreadRecord, position: Position) -> SiteId {
    let Some(recording) = hooks_link::recording() else { return 0 };
    // SAFETY: a position on the own stack.
    let site = recording.sites.site(position, |texts| Some(unsafe { hooks_link::resolve(position, texts) }));
    record.remember_site(position, site);
    site
}
