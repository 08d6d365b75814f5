//! Loops that go through the elements of a sequence by their numbers: `for i in range(len(xs)): use(xs[i])`.  Only where there are any does it matter that a
//! sequence gets shorter.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_ANY: AtomicBool = AtomicBool::new(false);

/// There is such a loop.
pub(super) fn walk() {
    IS_ANY.store(true, Ordering::Relaxed);
}

/// Whether there are such loops.
#[inline(always)]
pub(super) fn is_any() -> bool {
    IS_ANY.load(Ordering::Relaxed)
}
