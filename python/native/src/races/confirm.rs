//! `--confirm`: threads pause shortly before a suspicious write, so that others get in between and the harm is seen to happen.
//!
//! RaceFuzzer's idea (Sen, PLDI 2008).  A write is suspicious once a race that it is part of was found, or from the start if a run before
//! this one has found it.  Where and for how long threads pause depends on the seed.

use super::probe::Probe;
use crate::{boundary, session};
use ftsan::races::access::Race;
use ftsan::races::matrix::Kind;
use ftsan::races::mix;
use ftsan::rules::Severity;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often threads pause before one write at most.
const PAUSES: u8 = 12;

/// The shortest pause, in microseconds, and how much longer it may be.
const SHORTEST: u64 = 1000;
const LONGER: u64 = 4000;

static PROBES: Mutex<Vec<&'static Probe>> = Mutex::new(Vec::new());
static DRAWN: AtomicU64 = AtomicU64::new(0);

/// A probe was made before a write at this line.
pub(super) fn register(probe: &'static Probe, file: &str, line: u32) {
    PROBES.lock().unwrap_or_else(PoisonError::into_inner).push(probe);
    if session::get().options.confirm_at.iter().any(|(known, at)| known == file && *at == line) {
        probe.pauses.store(PAUSES, Ordering::Relaxed);
    }
}

/// A race was found: from now on threads pause before the write that completes it.
#[cold]
pub(super) fn suspect(race: &Race) {
    if race.severity < Severity::Error || race.witnessed {
        return;
    }
    let is_update = |kind: Kind| matches!(kind, Kind::Update | Kind::Checked);
    let sites = [(race.kind, race.here.site), (race.earlier_kind, race.earlier.site)];
    let probes = PROBES.lock().unwrap_or_else(PoisonError::into_inner);
    for (_, site) in sites.into_iter().filter(|(kind, _)| is_update(*kind)) {
        if let Some(probe) = probes.iter().find(|probe| probe.site == site) {
            probe.pauses.store(PAUSES, Ordering::Relaxed);
        }
    }
}

/// Pauses, if the write that `probe` is before is suspicious.
///
/// # Safety
/// Attached.
#[inline]
pub(super) unsafe fn pause(probe: &Probe) {
    if probe.pauses.load(Ordering::Relaxed) > 0 {
        // SAFETY: passed on.
        unsafe { really_pause(probe) };
    }
}

#[cold]
unsafe fn really_pause(probe: &Probe) {
    let seed = session::get().options.seed;
    let drawn = mix(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ DRAWN.fetch_add(1, Ordering::Relaxed));
    // Two of three times: if all threads paused for equally long, they would go on as they came.
    if drawn.is_multiple_of(3) {
        return;
    }
    let counted = probe.pauses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if counted.is_ok() {
        let pause = Duration::from_micros(SHORTEST + (drawn >> 8) % LONGER);
        // SAFETY: passed on.
        boundary::guarded((), || unsafe { Python::assume_attached() }.detach(|| std::thread::sleep(pause)));
    }
}
