//! `--confirm`: threads pause shortly before a suspicious write, so that others get in between and the harm is seen to happen.
//!
//! RaceFuzzer's idea (Sen, PLDI 2008): a thread waits there until another one comes to the same location.  A write is suspicious once a race
//! that it is part of was found, or from the start if a run before this one has found it.  Which threads wait depends on the seed.

use crate::engine::races::probe_site::Probe;
use crate::findings::process;
use crate::thread::guard;
use ftsan::races::access::Race;
use ftsan::races::matrix::AccessKind;
use ftsan::races::mix;
use ftsan::rules::Severity;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often threads pause before one write at most.
const PAUSES: u8 = 12;

/// How long a thread waits for another one at most, and how often it looks.
const LONGEST: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_micros(500);

/// A thread that waits for others to access what it is about to write.
struct Waiting {
    /// 0 if there is none.
    location: AtomicU64,
    /// How many others came.
    others: AtomicU32,
}

static WAITING: [Waiting; 16] = [const { Waiting { location: AtomicU64::new(0), others: AtomicU32::new(0) } }; 16];
static IS_ON: AtomicBool = AtomicBool::new(false);
static PROBES: Mutex<Vec<&'static Probe>> = Mutex::new(Vec::new());
static DRAWN: AtomicU64 = AtomicU64::new(0);

/// Begins, if the options ask for it.
pub(crate) fn start() {
    IS_ON.store(process::get().options.confirm, Ordering::Relaxed);
}

/// A probe was made before a write at this line.
pub(crate) fn register(probe: &'static Probe, file: &str, line: u32) {
    PROBES.lock().unwrap_or_else(PoisonError::into_inner).push(probe);
    if process::get().options.confirm_at.iter().any(|(known, at)| known == file && *at == line) {
        probe.pauses.store(PAUSES, Ordering::Relaxed);
    }
}

/// A race was found: from now on threads pause before the write that completes it.
#[cold]
pub(crate) fn suspect(race: &Race) {
    if !IS_ON.load(Ordering::Relaxed) || race.severity < Severity::Error || race.witnessed {
        return;
    }
    let is_update = |kind: AccessKind| matches!(kind, AccessKind::Update | AccessKind::Checked);
    let sites = [(race.kind, race.here.site), (race.earlier_kind, race.earlier.site)];
    let probes = PROBES.lock().unwrap_or_else(PoisonError::into_inner);
    for (_, site) in sites.into_iter().filter(|(kind, _)| is_update(*kind)) {
        if let Some(probe) = probes.iter().find(|probe| probe.site == site) {
            probe.pauses.store(PAUSES, Ordering::Relaxed);
        }
    }
}

/// Whether threads are to wait for each other.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// The calling thread is about to access a location: a thread that waits for that goes on, and the calling one waits itself if the
/// write that `probe` is before is suspicious.
///
/// # Safety
/// Attached.
#[inline]
pub(crate) unsafe fn meet(probe: &Probe, location: u64) {
    if is_on() {
        // SAFETY: passed on.
        unsafe { really_meet(probe, location) };
    }
}

#[cold]
unsafe fn really_meet(probe: &Probe, location: u64) {
    for waiting in WAITING.iter().filter(|waiting| waiting.location.load(Ordering::Relaxed) == location) {
        waiting.others.fetch_add(1, Ordering::Relaxed);
    }
    if probe.pauses.load(Ordering::Relaxed) == 0 {
        return;
    }
    let number = DRAWN.fetch_add(1, Ordering::Relaxed);
    let drawn = mix(process::get().options.seed.wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(mix(number + 1)));
    // Not always: if all threads waited for each other, they would go on as they came.
    if drawn.is_multiple_of(4) {
        return;
    }
    let counted = probe.pauses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if counted.is_ok() {
        // SAFETY: passed on.
        guard::catch_panic((), || unsafe { Python::assume_attached() }.detach(|| wait(location, drawn >> 8)));
    }
}

/// Waits until another thread accesses the location, and a little longer, so that it gets its turn.
fn wait(location: u64, drawn: u64) {
    let is_free = |waiting: &&Waiting| waiting.location.compare_exchange(0, location, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    let Some(waiting) = WAITING.iter().find(is_free) else { return };
    let before = waiting.others.load(Ordering::Relaxed);
    let end = Instant::now() + LONGEST;
    while waiting.others.load(Ordering::Relaxed) == before && Instant::now() < end {
        std::thread::sleep(STEP);
    }
    waiting.location.store(0, Ordering::Relaxed);
    std::thread::sleep(STEP * (drawn % 4) as u32);
}
