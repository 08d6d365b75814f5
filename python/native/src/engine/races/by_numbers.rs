//! Loops that go through the elements of a sequence by their numbers: `for i in range(len(xs)): use(xs[i])`.  Only where there are any does it matter that a
//! sequence gets shorter.

use crate::engine::races::field;
use crate::engine::races::noted::Touch;
use crate::evidence::race::Part;
use crate::thread::outcome::Outcome;
use ftsan::races::access::Value;
use ftsan::races::matrix::AccessKind;
use std::sync::atomic::{AtomicBool, Ordering};

static IS_ANY: AtomicBool = AtomicBool::new(false);

/// There is such a loop.
pub(super) fn walk() {
    IS_ANY.store(true, Ordering::Relaxed);
}

impl Touch<'_> {
    /// There are fewer elements after it, which matters to such loops.
    ///
    /// # Safety
    /// As [`Touch::access`].
    pub(super) unsafe fn shrinks(&self) -> Outcome {
        // SAFETY: passed on.
        if IS_ANY.load(Ordering::Relaxed) { unsafe { self.length(AccessKind::Atomic) } } else { Outcome::Continue }
    }

    /// What is done to the number of elements.
    ///
    /// # Safety
    /// As [`Touch::access`].
    pub(super) unsafe fn length(&self, kind: AccessKind) -> Outcome {
        // SAFETY: passed on.
        unsafe { self.access(self.object, field::LENGTH, kind, Value::UNKNOWN, Part::Structure) }
    }
}
