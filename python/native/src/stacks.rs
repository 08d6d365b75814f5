//! The stack depot: stacks of the own thread, each kept once and named by a number.
//!
//! Recording a stack that is known costs a walk and a probe, without a lock or an allocation.  Code objects in the depot are
//! kept alive for good (one reference each): a frame stays resolvable, and an address never means another function later.

use crate::interpreter::frames::{self, Position, RawFrame};
use crate::interpreter::thread_state;
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

/// The positions that a stack is made of, entry frames included, innermost first.
struct Trail {
    positions: [Position; LONGEST],
    len: usize,
    /// How many of them are frames of Python code.
    frames: usize,
    /// There are more frames than are kept.
    is_cut: bool,
}

/// Positions of a trail at most; C calls Python less often than Python does.
const LONGEST: usize = DEPTH * 2;

struct Stack {
    hash: u64,
    /// What it is found by.  The code objects are kept alive, so a position means another one only if the interpreter gives the
    /// thread's copy of the bytecode up and makes another one.
    trail: Box<[Position]>,
    is_cut: bool,
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

impl Trail {
    /// Of the calling thread, without the innermost `skip` frames.
    ///
    /// # Safety
    /// Attached.
    unsafe fn read(skip: usize) -> Self {
        let boundary = BOUNDARY.load(Ordering::Relaxed);
        let mut trail = Trail { positions: [Position::default(); LONGEST], len: 0, frames: 0, is_cut: false };
        let mut left_out = 0;
        // SAFETY: attached, and it is our own stack.
        for frame in unsafe { frames::of_thread(thread_state::own()) } {
            let position = frame.position();
            if position.code == boundary {
                break;
            }
            if left_out < skip {
                left_out += usize::from(!frame.is_entry());
                continue;
            }
            if trail.frames == DEPTH || trail.len == LONGEST {
                trail.is_cut = true;
                break;
            }
            trail.frames += usize::from(!frame.is_entry());
            trail.positions[trail.len] = position;
            trail.len += 1;
        }
        trail
    }

    fn positions(&self) -> &[Position] {
        &self.positions[..self.len]
    }

    fn hash(&self) -> u64 {
        self.positions().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, position| {
            let hash = (hash ^ position.instruction as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            hash ^ hash >> 29
        })
    }
}

impl Stack {
    /// Whether it is the calling thread's, too.
    ///
    /// # Safety
    /// Attached.
    #[inline]
    unsafe fn is_mine(&self) -> bool {
        // SAFETY: attached, and it is our own stack.
        let mut frames = unsafe { frames::of_thread(thread_state::own()) };
        self.trail.iter().all(|position| frames.next().is_some_and(|frame| frame.position() == *position))
            && (self.is_cut || frames.next().is_none_or(|frame| frame.position().code == BOUNDARY.load(Ordering::Relaxed)))
    }
}

/// Records the calling thread's stack, leaving out the innermost `skip` frames.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn record(skip: usize) -> StackId {
    // SAFETY: passed on.
    let trail = unsafe { Trail::read(skip) };
    let hash = trail.hash();
    known(hash, &trail).unwrap_or_else(|| {
        // SAFETY: passed on.
        unsafe { add(hash, &trail, skip) }
    })
}

/// How many stacks a thread has at hand, by the position of the innermost frame.
const AT_HAND: usize = 256;

/// The stacks that a thread recorded lately: to record one again takes a walk and no look into the depot.
#[derive(Default)]
pub(crate) struct Recent(UnsafeCell<Option<Box<[StackId; AT_HAND]>>>);

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
        // SAFETY: attached, and it is our own stack.
        let Some(first) = unsafe { frames::of_thread(thread_state::own()) }.next() else { return 0 };
        // SAFETY: as in `clear`.
        let at_hand = unsafe { &mut *self.0.get() }.get_or_insert_with(|| Box::new([0; AT_HAND]));
        let place = &mut at_hand[first.position().instruction.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 & (AT_HAND - 1)];
        // SAFETY: passed on.
        unsafe {
            if !record_of(*place).is_some_and(|stack| stack.is_mine()) {
                *place = record(0);
            }
        }
        *place
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
fn known(hash: u64, trail: &Trail) -> Option<StackId> {
    for slot in slots_for(hash) {
        let id = slot.load(Ordering::Acquire);
        if id == 0 {
            return None;
        }
        if record_of(id)
            .is_some_and(|stack| stack.hash == hash && *stack.trail == *trail.positions() && stack.is_cut == trail.is_cut)
        {
            return Some(id);
        }
    }
    None
}

/// # Safety
/// Attached; the trail is that of the calling thread's stack without `skip` frames.
#[cold]
unsafe fn add(hash: u64, trail: &Trail, skip: usize) -> StackId {
    // SAFETY: passed on.
    let all = unsafe { frames::of_thread(thread_state::own()) };
    let frames: Box<[RawFrame]> = all.filter_map(frames::Frame::raw).skip(skip).take(trail.frames).collect();
    let mut guard = hold();
    let growth = guard.get_or_insert_default();
    if let Some(id) = known(hash, trail) {
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
    let record = Box::leak(Box::new(Stack { hash, trail: trail.positions().into(), is_cut: trail.is_cut, frames }));
    RECORDS[growth.count as usize].store(record, Ordering::Release);
    growth.count += 1;
    free.store(growth.count, Ordering::Release);
    growth.count
}
