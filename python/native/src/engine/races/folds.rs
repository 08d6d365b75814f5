//! Probes that another one stands for as long as the object is private ([`ftsan::patcher::Point::behind`]): code jumps over them until that one
//! finds an object that is not, and puts them into their places before they are come to.
//!
//! It does so in the copy of the code that its thread runs, for good: where objects are shared, probes are as if none was folded.

use crate::interpreter::frames;
use crate::thread::faults;
use ftsan::patcher::{FOLDED, Switch};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};

/// The code unit with which a probe ends, as it is in this interpreter.
static LAST: AtomicU16 = AtomicU16::new(0);

static IS_VERIFIED: AtomicBool = AtomicBool::new(false);

/// The probes that one stands for: how far behind its last code unit they are, and what is there if they are on and off; 0 for none.
pub(crate) struct Folds([AtomicU64; FOLDED]);

impl Folds {
    pub(crate) const fn new() -> Self {
        Folds([const { AtomicU64::new(0) }; FOLDED])
    }

    /// One more, of a probe whose last code unit this is; false if there are others of another code object, or it is too far.
    pub(crate) fn add(&self, last: u32, folded: &Switch) -> bool {
        let Some(distance) = folded.unit.checked_sub(last).and_then(|distance| u16::try_from(distance).ok()) else { return false };
        let [on, off] = [folded.on, folded.off].map(|unit| u64::from(u16::from_ne_bytes(unit)));
        let fold = u64::from(distance) | on << 16 | off << 32;
        let is_free = |place: &&AtomicU64| place.compare_exchange(0, fold, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        self.0.iter().find(is_free).is_some()
    }
}

/// Probes end with this code unit.
pub(crate) fn begin(last: [u8; 2]) {
    LAST.store(u16::from_ne_bytes(last), Ordering::Relaxed);
}

/// The probe that runs has found an object that is not private.
///
/// # Safety
/// Attached, called from that probe.
#[inline(always)]
pub(super) unsafe fn unfold(folds: &Folds) {
    let first = folds.0[0].load(Ordering::Relaxed);
    if first == 0 {
        return;
    }
    // SAFETY: passed on: the innermost frame is the one that runs the probe.  Code is only ever made longer, so what was so far behind the probe's
    // last unit is in the code.
    unsafe {
        if !IS_VERIFIED.load(Ordering::Relaxed) {
            verify();
        }
        let (here, [distance, _, off]) = (frames::instruction(), parts(first));
        // If the first is in its place in this copy, all are.
        if AtomicU16::from_ptr(here.add(usize::from(distance))).load(Ordering::Relaxed) == off {
            put_all(folds, here);
        }
    }
}

/// How far behind the last code unit it is, and what is there if it is on and off.
fn parts(fold: u64) -> [u16; 3] {
    [fold as u16, (fold >> 16) as u16, (fold >> 32) as u16]
}

/// # Safety
/// As [`unfold`], with the instruction that runs.
#[cold]
unsafe fn put_all(folds: &Folds, here: *mut u16) {
    let all = folds.0.iter().map(|fold| fold.load(Ordering::Relaxed)).take_while(|fold| *fold != 0);
    for [distance, on, off] in all.map(parts) {
        let [_, to_last] = off.to_ne_bytes();
        // SAFETY: passed on; a jump leads on in the code.  Only one that leads to the end of a probe is replaced, by what belongs there; the
        // interpreter reads and writes units of running code atomically.
        unsafe {
            let unit = |at: usize| AtomicU16::from_ptr(here.add(at));
            let (first, last) = (usize::from(distance), usize::from(distance) + usize::from(to_last));
            let is_folded = unit(first).load(Ordering::Relaxed) == off;
            if is_folded && unit(last).load(Ordering::Relaxed) == unit(0).load(Ordering::Relaxed) {
                unit(first).store(on, Ordering::Relaxed);
            }
        }
    }
}

/// All this is reckoned from where the running probe is, if that is where frames say; else the report says so.
///
/// # Safety
/// Attached, called from a probe.
#[cold]
unsafe fn verify() {
    IS_VERIFIED.store(true, Ordering::Relaxed);
    // SAFETY: passed on.
    if unsafe { AtomicU16::from_ptr(frames::instruction()).load(Ordering::Relaxed) } != LAST.load(Ordering::Relaxed) {
        faults::fail("races: frames do not say where a probe is: some accesses are passed over");
    }
}
