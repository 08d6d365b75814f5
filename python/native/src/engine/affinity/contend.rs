//! A turn for others, at the moment at which two threads would meet in an object that one at a time may use.
//!
//! The report says that both are inside, which nobody can argue with.  Two threads that share such an object without a lock may
//! well pass each other all the same, each within its own time slices: the shorter the calls and the busier the machine, the more
//! often.  So a thread that takes an object over from a live one waits a moment at the door, where it counts as inside, for threads
//! that are ready to run.  A thread that a lock or a queue keeps away is not ready to run: a proper hand-over costs a look.

use crate::evidence::owner_snapshot;
use crate::thread::context::{InSlowPath, scheduled};
use crate::thread::hooks_link;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Between two looks at whether anybody is ready.
const STEP: Duration = Duration::from_millis(1);
/// A thread that has run this long meanwhile is not on its way to us.  On a busy machine it may wait for its processor much longer.
const ENOUGH: Duration = Duration::from_millis(30);
/// What all turns together may take in the life of the process.
const IN_ALL: Duration = Duration::from_millis(500);

/// Microseconds of [`IN_ALL`] that are used up.
static USED: AtomicU64 = AtomicU64::new(0);

/// Waits while other threads are ready to run, or report whom they have met, if there is time left for that.
pub(crate) fn give(py: Python<'_>) {
    let left = IN_ALL.saturating_sub(Duration::from_micros(USED.load(Ordering::Relaxed)));
    if left.is_zero() {
        return;
    }
    let began = Instant::now();
    let others = owner_snapshot::others(py);
    py.detach(|| {
        let _paused = hooks_link::Paused::begin();
        let ran = |thread: u64| scheduled(thread).map_or(Duration::ZERO, |now| now.ran);
        let others: Vec<(u64, Duration)> = others.into_iter().map(|thread| (thread, ran(thread))).collect();
        let is_coming = |(thread, before): &(u64, Duration)| {
            scheduled(*thread).is_some_and(|now| now.state == b'R' && now.ran.saturating_sub(*before) < ENOUGH)
        };
        while began.elapsed() < left && (InSlowPath::is_anybody() || others.iter().any(is_coming)) {
            std::thread::sleep(STEP);
        }
    });
    USED.fetch_add(began.elapsed().as_micros() as u64, Ordering::Relaxed);
}
