//! Data races in Python code: what happens before what.
//!
//! | module | what it holds |
//! |---|---|
//! | [`order`] | the calling thread's clock, and what objects hand over |
//! | [`lock_events`] | what is told of locks |

pub(crate) mod lock_events;
pub(crate) mod order;

use std::sync::atomic::{AtomicBool, Ordering};

static IS_ON: AtomicBool = AtomicBool::new(false);

/// Whether data races are looked for.  If not, nothing of this is hooked.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// From now on.
pub(crate) fn turn_on() {
    IS_ON.store(true, Ordering::Relaxed);
}
