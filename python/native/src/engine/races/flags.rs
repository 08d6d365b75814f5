//! Variables that tell others that something is done: one thread writes a constant there, another one tests it and goes on (`self.ready = True`;
//! `while not self.ready: ...`).  All that was done before the constant was written happened before what is done after it was seen.
//!
//! Locations are folded into a few thousand keys: two that share a key are ordered more than they are, which hides and never invents.

use crate::engine::order::{self, Space, key};
use crate::thread::clock;
use ftsan::races::mix;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many keys there are.
const FOLDED: u64 = 1 << 14;

/// By key, whether a constant was ever written there.
static WRITTEN: [AtomicU64; 2 * FOLDED as usize / 64] = [const { AtomicU64::new(0) }; 2 * FOLDED as usize / 64];

/// By the numbers of names, folded, whether a loop waits for what others write to a variable or attribute of this name.
static WAITED_FOR: [AtomicU64; NAMES as usize / 64] = [const { AtomicU64::new(0) }; NAMES as usize / 64];
const NAMES: u64 = 1 << 12;

fn name(number: u64) -> (&'static AtomicU64, u64) {
    (&WAITED_FOR[(number % NAMES) as usize / 64], 1 << (number % 64))
}

/// A loop waits for what is written under this name, by its number: whatever is written there tells that something is done.
pub(super) fn wait_for(number: u64) {
    let (names, bit) = name(number);
    names.fetch_or(bit, Ordering::Relaxed);
}

/// Whether a loop may wait for what is written under this name.
#[inline(always)]
pub(super) fn is_waited_for(number: u64) -> bool {
    let (names, bit) = name(number);
    names.load(Ordering::Relaxed) & bit != 0
}

fn written(number: u64) -> (&'static AtomicU64, u64) {
    (&WRITTEN[(number % (2 * FOLDED)) as usize / 64], 1 << (number % 64))
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
}
