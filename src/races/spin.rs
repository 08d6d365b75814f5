//! A lock that is held for a few instructions, of four bytes, which may be zeroed memory.

use std::hint;
use std::sync::atomic::{AtomicU32, Ordering};
use zerocopy::FromZeros;

/// The lock.
#[derive(Debug, Default, FromZeros)]
#[repr(transparent)]
pub(super) struct Spin(AtomicU32);

/// It is held as long as this lives.
pub(super) struct Held<'a>(&'a Spin);

impl Spin {
    /// Waits until it is free.
    #[inline]
    pub(super) fn lock(&self) -> Held<'_> {
        while self.0.swap(1, Ordering::Acquire) != 0 {
            while self.0.load(Ordering::Relaxed) != 0 {
                hint::spin_loop();
            }
        }
        Held(self)
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.0.store(0, Ordering::Release);
    }
}
