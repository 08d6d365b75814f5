//! The stack depot: stacks of the own thread, each kept once and named by a number.
//!
//! Recording a stack that is known costs a walk and a probe, without a lock or an allocation.  Code objects in the depot are
//! kept alive for good (one reference each): a frame stays resolvable, and an address never means another function later.

use crate::interpreter::frames::{self, RawFrame};
use pyo3::ffi;
use std::cell::UnsafeCell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names a stack; 0 is "none".
pub(crate) type StackId = u32;

/// Frames kept of a stack.
pub(crate) const DEPTH: usize = 16;
/// Stacks kept at most; beyond that, new ones are not recorded.
pub(crate) const STACKS: usize = 1 << 16;
/// Slots of the hash table, twice the stacks.
const SLOTS: usize = STACKS * 2;
const PROBES: usize = 16;

struct Stack {
    hash: u64,
    /// What it is found by.  The code objects are kept alive, so a key means another position only if the interpreter gives the
    /// thread's copy of the bytecode up and makes another one.
    keys: Box<[(usize, usize)]>,
    frames: Box<[RawFrame]>,
}

/// What only grows under the lock.
#[derive(Default)]
struct Growth {
    pinned: HashSet<usize>,
    count: u32,
}

// Statics of zeros: pages that are not used are never touched, and there is nothing to initialise on the hot path.
static TABLE: [AtomicU32; SLOTS] = [const { AtomicU32::new(0) }; SLOTS];
static RECORDS: [AtomicPtr<Stack>; STACKS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; STACKS];
static GROWTH: Mutex<Option<Growth>> = Mutex::new(None);

/// The code object under which a loop runs its callbacks (`Handle._run`): what is further out is the same for all of them.
static BOUNDARY: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn set_boundary(code: usize) {
    BOUNDARY.store(code, Ordering::Relaxed);
}

fn hold() -> MutexGuard<'static, Option<Growth>> {
    GROWTH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records the calling thread's stack, leaving out the innermost `skip` frames.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn record(skip: usize) -> StackId {
    let boundary = BOUNDARY.load(Ordering::Relaxed);
    let mut keys = [(0, 0); DEPTH];
    let mut len = 0;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    // SAFETY: attached, and it is our own stack.
    let all = unsafe { frames::of_thread(ffi::PyThreadState_GetUnchecked()) };
    for key in all.filter_map(frames::Frame::key).skip(skip) {
        if key.0 == boundary || len == DEPTH {
            break;
        }
        keys[len] = key;
        len += 1;
        hash = (hash ^ key.1 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 29;
    }
    known(hash, &keys[..len]).unwrap_or_else(|| {
        // SAFETY: passed on.
        unsafe { add(hash, &keys[..len], skip) }
    })
}

/// How many stacks a thread has at hand.
const AT_HAND: usize = 4;

#[derive(Clone, Copy)]
struct AtHand {
    stack: StackId,
    len: usize,
    keys: [(usize, usize); DEPTH],
}

/// The stacks that a thread recorded lately: to record one again takes a walk and no look into the depot.
#[derive(Default)]
pub(crate) struct Recent(UnsafeCell<Option<Box<[AtHand; AT_HAND]>>>);

impl Recent {
    /// The thread ends, and has no use for them any more.
    pub(crate) fn clear(&self) {
        // SAFETY: only the thread itself uses them, one call at a time: none of them calls anything that comes back here.
        unsafe { *self.0.get() = None };
    }

    /// Records the calling thread's stack.
    ///
    /// # Safety
    /// Attached; `self` is the calling thread's.
    #[inline]
    pub(crate) unsafe fn record(&self) -> StackId {
        let boundary = BOUNDARY.load(Ordering::Relaxed);
        // SAFETY: attached, and it is our own stack.
        let all = unsafe { frames::of_thread(ffi::PyThreadState_GetUnchecked()) };
        let mut keys = all.filter_map(frames::Frame::key).take_while(|key| key.0 != boundary).take(DEPTH);
        let Some(first) = keys.next() else { return 0 };
        // SAFETY: as in `clear`.
        let at_hand = unsafe { &mut *self.0.get() };
        let at_hand = at_hand.get_or_insert_with(|| Box::new([AtHand { stack: 0, len: 0, keys: [(0, 0); DEPTH] }; AT_HAND]));
        let place = &mut at_hand[first.1.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize) >> 32 & (AT_HAND - 1)];
        if place.len != 0 && place.keys[0] == first && keys.eq(place.keys[1..place.len].iter().copied()) {
            return place.stack;
        }
        // SAFETY: passed on.
        let stack = unsafe { record(0) };
        if let Some(known) = record_of(stack) {
            place.keys[..known.keys.len()].copy_from_slice(&known.keys);
            (place.stack, place.len) = (stack, known.keys.len());
        }
        stack
    }
}

/// The frames of a recorded stack.
pub(crate) fn get(id: StackId) -> &'static [RawFrame] {
    record_of(id).map_or(&[], |stack| &stack.frames)
}

fn record_of(id: StackId) -> Option<&'static Stack> {
    let record = RECORDS.get((id as usize).wrapping_sub(1))?.load(Ordering::Acquire);
    // SAFETY: null, or a leaked box that is never changed.
    unsafe { record.as_ref() }
}

fn slots_for(hash: u64) -> impl Iterator<Item = &'static AtomicU32> {
    let first = hash as usize >> 7;
    (0..PROBES).map(move |i| &TABLE[first.wrapping_add(i) & (SLOTS - 1)])
}

#[inline]
fn known(hash: u64, keys: &[(usize, usize)]) -> Option<StackId> {
    for slot in slots_for(hash) {
        let id = slot.load(Ordering::Acquire);
        if id == 0 {
            return None;
        }
        if record_of(id).is_some_and(|stack| stack.hash == hash && *stack.keys == *keys) {
            return Some(id);
        }
    }
    None
}

/// # Safety
/// Attached; the keys are of the calling thread's stack without `skip` frames.
#[cold]
unsafe fn add(hash: u64, keys: &[(usize, usize)], skip: usize) -> StackId {
    // SAFETY: passed on.
    let all = unsafe { frames::of_thread(ffi::PyThreadState_GetUnchecked()) };
    let frames: Box<[RawFrame]> = all.filter_map(frames::Frame::raw).skip(skip).take(keys.len()).collect();
    let mut guard = hold();
    let growth = guard.get_or_insert_default();
    if let Some(id) = known(hash, keys) {
        return id;
    }
    if growth.count as usize == STACKS {
        return 0;
    }
    let Some(free) = slots_for(hash).find(|slot| slot.load(Ordering::Relaxed) == 0) else { return 0 };
    for frame in &frames {
        if growth.pinned.insert(frame.code) {
            // SAFETY: the code object is on our stack, so it is alive; never released.
            unsafe { ffi::Py_INCREF(frame.code as *mut ffi::PyObject) };
        }
    }
    let record = Box::leak(Box::new(Stack { hash, keys: keys.into(), frames }));
    RECORDS[growth.count as usize].store(record, Ordering::Release);
    growth.count += 1;
    free.store(growth.count, Ordering::Release);
    growth.count
}
