//! Variables that tell others that something is done: one thread writes a constant there, another one tests it and goes on (`self.ready = True`;
//! `while not self.ready: ...`).  All that was done before the constant was written happened before what is done after it was seen.
//!
//! Locations are folded into a few thousand keys: two that share a key are ordered more than they are, which hides and never invents.

use crate::engine::order::{self, Space, key};
use crate::thread::clock;
use ftsan::races::mix;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many keys there are of each kind.
const FOLDED: u64 = 1 << 14;
const KINDS: u64 = 3;

/// By key, whether a constant was ever written there.
static WRITTEN: [AtomicU64; (KINDS * FOLDED) as usize / 64] = [const { AtomicU64::new(0) }; (KINDS * FOLDED) as usize / 64];

fn written(number: u64) -> (&'static AtomicU64, u64) {
    (&WRITTEN[(number % (KINDS * FOLDED)) as usize / 64], 1 << (number % 64))
}

/// The key for a location.
pub(super) fn of(location: u64) -> u64 {
    key(Space::Flag, mix(location) % FOLDED)
}

/// The key for a location at which threads take turns: one writes a constant there after another one has written, and so tells that
/// one that it is free again.  A thread that takes back what it has written itself tells nobody: that would be a lock, and a flag
/// is none.
pub(super) fn turn(flag: u64) -> u64 {
    flag + FOLDED
}

/// The key for a location at which a loop waits, whatever is written there.
pub(super) fn waited(flag: u64) -> u64 {
    flag + 2 * FOLDED
}

/// Whether it is what [`of`] gave, and not the address of an object.
#[inline]
pub(super) fn is_one(key: u64) -> bool {
    key >> 63 != 0
}

/// A constant is about to be written.
pub(super) fn set(flag: u64) {
    if clock::is_at_rest() {
        return;
    }
    let (written, bit) = written(flag);
    if written.load(Ordering::Relaxed) & bit == 0 {
        written.fetch_or(bit, Ordering::Relaxed);
    }
    order::release_key(flag);
}

/// The value that was there was read.
pub(super) fn acquire(flag: u64) {
    let (written, bit) = written(flag);
    if written.load(Ordering::Relaxed) & bit != 0 {
        order::acquire_key(flag);
    }
    if (flag ^ key(Space::Flag, 0)) / FOLDED == waited(0) / FOLDED {
        acquire(flag - waited(0));
    }
}
