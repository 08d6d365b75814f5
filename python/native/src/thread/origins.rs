//! Where objects were created: address -> stack, lossy.
//!
//! Every watched type records each of its objects at birth, so an entry is never that of an earlier object at the same
//! address.  Two objects that share an entry cost the older one its history, never a wrong one.

use crate::thread::context::current_thread;
use crate::thread::stacks::{self, StackId};
use ftsan::races;
use std::sync::atomic::{AtomicU64, Ordering};

const BITS: u32 = 16;
/// Addresses are 16-byte aligned and have 47 bits, so 43 bits say which object it is; the rest is the stack.
const ADDRESS_BITS: u32 = 43;

static TABLE: [AtomicU64; 1 << BITS] = [const { AtomicU64::new(0) }; 1 << BITS];

fn entry(object: usize) -> (&'static AtomicU64, u64) {
    let key = (object as u64) >> 4 & ((1 << ADDRESS_BITS) - 1);
    (&TABLE[races::place(key, TABLE.len())], key)
}

/// A bit of addresses that all objects of a process have in common, or nearly all.
const GIVEN: usize = 1 << 46;

/// `object` comes to life here; the innermost `skip` frames are not of interest.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn record(object: usize, skip: usize) {
    // SAFETY: passed on.
    let stack = unsafe { if skip == 0 { current_thread().stacks.record_call() } else { stacks::record(skip) } };
    let (entry, key) = entry(object);
    // Stack ids have 17 bits (`stacks::STACKS`), 21 are left.
    entry.store(key << (u64::BITS - ADDRESS_BITS) | u64::from(stack), Ordering::Relaxed);
}

/// `object`, which may be any, is given to a library here, which will call it or what it stands for; as [`record`].
///
/// # Safety
/// Attached.
pub(crate) unsafe fn record_given(object: usize, skip: usize) {
    // Beside the births: not every object that is asked for was recorded at its own.
    // SAFETY: passed on.
    unsafe { record(object ^ GIVEN, skip) };
}

/// Where `object` was given to a library last; 0 if that is not known.
pub(crate) fn of_given(object: usize) -> StackId {
    of(object ^ GIVEN)
}

/// Forgets all of them.
pub(crate) fn clear() {
    TABLE.iter().for_each(|entry| entry.store(0, Ordering::Relaxed));
}

/// Where `object` came to life; 0 if that is not known.
pub(crate) fn of(object: usize) -> StackId {
    let (entry, key) = entry(object);
    let value = entry.load(Ordering::Relaxed);
    if value >> (u64::BITS - ADDRESS_BITS) == key { (value & ((1 << (u64::BITS - ADDRESS_BITS)) - 1)) as StackId } else { 0 }
}
