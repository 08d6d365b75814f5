//! The stack depot: stacks of the own thread, each kept once and named by a number.
//!
//! Recording a stack that is known costs a walk and a probe, without a lock or an allocation.  Code objects in the depot are
//! kept alive for good (one reference each): a frame stays resolvable, and an address never means another function later.

use crate::interpreter::frame_marks;
use crate::interpreter::frames::{self, Frame, RawFrame};
use ftsan::races;
use pyo3::ffi;
use std::cell::UnsafeCell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names a stack; 0 is "none".
pub(crate) type StackId = u32;

/// Frames kept of a stack.
const DEPTH: usize = 16;
/// Stacks kept at most.
pub(crate) const STACKS: usize = 1 << 16;
/// Once there are so many stacks, only so many frames are kept of a new one: there are far fewer different ones then.
const CUTS: [(usize, usize); 2] = [(STACKS / 16 * 15, 1), (STACKS / 4 * 3, 4)];
/// Slots of the hash table, twice the stacks.
const SLOTS: usize = STACKS * 2;
const PROBES: usize = 16;

struct Stack {
    hash: u64,
    frames: Box<[RawFrame]>,
}

// Statics of zeros: pages that are not used are never touched, and there is nothing to initialise on the hot path.
static TABLE: [AtomicU32; SLOTS] = [const { AtomicU32::new(0) }; SLOTS];
static RECORDS: [AtomicPtr<Stack>; STACKS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; STACKS];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The code objects that are kept alive; a table that grows, grows under this lock.
static PINNED: Mutex<Option<HashSet<usize>>> = Mutex::new(None);

/// The code object under which a loop runs its callbacks (`Handle._run`): the frames further out are the same for all of them.
static BOUNDARY: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn set_boundary(code: usize) {
    BOUNDARY.store(code, Ordering::Relaxed);
}

fn hold() -> MutexGuard<'static, Option<HashSet<usize>>> {
    PINNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many frames of a new stack are kept.
fn depth() -> usize {
    let count = COUNT.load(Ordering::Relaxed);
    CUTS.iter().find(|(from, _)| count >= *from).map_or(DEPTH, |(_, depth)| *depth)
}

/// Whether there may have been more frames than these.
pub(crate) fn may_be_cut(frames: &[RawFrame]) -> bool {
    frames.len() == DEPTH || CUTS.iter().any(|(_, depth)| frames.len() == *depth)
}

/// Records the calling thread's stack, leaving out the innermost `skip` frames.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn record(skip: usize) -> StackId {
    let boundary = BOUNDARY.load(Ordering::Relaxed);
    let mut frames = [RawFrame::default(); DEPTH];
    let mut len = 0;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    // SAFETY: attached, and it is our own stack.
    let all = unsafe { frames::own() };
    for frame in all.filter_map(frames::Frame::raw).skip(skip).take_while(|frame| frame.code != boundary).take(depth()) {
        frames[len] = frame;
        len += 1;
        hash = (hash ^ frame.code as u64 ^ u64::from(frame.offset) << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 29;
    }
    known(hash, &frames[..len]).unwrap_or_else(|| {
        // SAFETY: passed on.
        unsafe { add(hash, &frames[..len]) }
    })
}

/// How many stacks a thread has at hand, by the position of the innermost frame, or of the two innermost ones.
const AT_HAND: usize = 256;

/// How many it has at hand by the number of a probe.
const BY_SITE: usize = 256;

/// How many frames it knows by their mark.
const MARKED: usize = 16;

/// Instructions of a trail at most; C calls Python less often than Python does.
const LONGEST: usize = DEPTH * 2;

/// A stack, and what it is known by: addresses of instructions, entry frames included, innermost first.  The code objects are kept alive, so
/// an address means another one only if the interpreter gives the thread's copy of the bytecode up and makes another one.
#[derive(Default)]
struct AtHand {
    stack: StackId,
    /// The call in which it was recorded or found again last: see [`Marked`].
    call: u64,
    /// The innermost instruction.
    instruction: usize,
    /// There are more frames than are kept.
    is_cut: bool,
    trail: Box<[usize]>,
}

impl AtHand {
    /// Records the calling thread's stack.
    ///
    /// # Safety
    /// Attached.
    #[cold]
    unsafe fn record() -> Self {
        let boundary = BOUNDARY.load(Ordering::Relaxed);
        let mut trail = Vec::with_capacity(LONGEST);
        let (mut depth, mut is_cut) = (0, false);
        // SAFETY: attached, and it is our own stack.
        for frame in unsafe { frames::own() }.take_while(|frame| frame.position().code != boundary) {
            depth += usize::from(!frame.is_entry());
            is_cut = depth > DEPTH || trail.len() == LONGEST;
            if is_cut {
                break;
            }
            trail.push(frame.position().instruction);
        }
        // SAFETY: passed on.
        let stack = unsafe { record(0) };
        AtHand { stack, call: 0, instruction: trail.first().copied().unwrap_or_default(), is_cut, trail: trail.into() }
    }

    /// Whether it is the calling thread's stack.
    ///
    /// # Safety
    /// Attached.
    #[inline]
    unsafe fn is_it(&self) -> bool {
        // SAFETY: attached, and it is our own stack.
        let mut frames = unsafe { frames::own() };
        !self.trail.is_empty()
            && self.trail.iter().all(|instruction| frames.next().is_some_and(|frame| frame.position().instruction == *instruction))
            && (self.is_cut || frames.next().is_none_or(|frame| frame.position().code == BOUNDARY.load(Ordering::Relaxed)))
    }
}

/// A call that was given a number, known by the mark in its frame.  As long as it runs, its callers are where they were.
#[derive(Default, Clone, Copy)]
struct Marked {
    frame: usize,
    number: u64,
}

/// The stack at an instruction, in a call that has a number.
#[derive(Default, Clone, Copy)]
struct AtSite {
    instruction: usize,
    call: u64,
    stack: StackId,
}

#[derive(Default)]
struct Known {
    stacks: Box<[AtHand]>,
    by_site: Box<[AtSite]>,
    calls: [Marked; MARKED],
    /// The number of the last call that got one.
    last: u64,
}

impl Known {
    fn new() -> Self {
        Known {
            stacks: std::iter::repeat_with(AtHand::default).take(AT_HAND).collect(),
            by_site: std::iter::repeat_n(AtSite::default(), BY_SITE).collect(),
            ..Known::default()
        }
    }

    /// As [`record`](Self::record), by a probe with this number.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn record_at(&mut self, innermost: Frame<'_>, site: u32) -> StackId {
        let call = self.calls[call_place(innermost)];
        let known = self.by_site[site as usize % BY_SITE];
        let instruction = innermost.position().instruction;
        let is_it = known.instruction == instruction && known.call == call.number && call.frame == innermost.address();
        if is_it && frame_marks::is_marked(innermost) {
            return known.stack;
        }
        // SAFETY: passed on.
        let stack = unsafe { self.record(innermost, 0) };
        self.by_site[site as usize % BY_SITE] = AtSite { instruction, stack, call: self.calls[call_place(innermost)].number };
        stack
    }

    /// Records the calling thread's stack.  `further` tells stacks apart whose innermost frame is at the same instruction.
    ///
    /// # Safety
    /// Attached; `innermost` is the calling thread's innermost frame.
    #[inline]
    unsafe fn record(&mut self, innermost: Frame<'_>, further: usize) -> StackId {
        let instruction = innermost.position().instruction;
        let key = instruction ^ further.rotate_left(16);
        // Two places: a program that waits for two streams by turns comes two ways to one call of `create_future`.
        let first = races::place(key as u64, AT_HAND);
        let places = [first, first ^ 1];
        let call = &mut self.calls[call_place(innermost)];
        let is_numbered = call.frame == innermost.address() && frame_marks::is_marked(innermost);
        if is_numbered {
            let is_of_call = |at: &usize| self.stacks[*at].call == call.number && self.stacks[*at].instruction == instruction;
            if let Some(at) = places.into_iter().find(is_of_call) {
                return self.stacks[at].stack;
            }
        }
        // SAFETY: passed on.
        let at_hand = unsafe {
            let at = places.into_iter().find(|at| self.stacks[*at].is_it()).unwrap_or_else(|| {
                self.stacks.swap(first, first ^ 1);
                self.stacks[first] = AtHand::record();
                first
            });
            if !is_numbered {
                self.last += 1;
                *call = Marked { frame: innermost.address(), number: self.last };
                frame_marks::mark(innermost);
            }
            &mut self.stacks[at]
        };
        at_hand.call = call.number;
        at_hand.stack
    }
}

/// Where the call of a frame is among those that have a number.  Frames lie one after the other, each of more than 64 bytes.
#[inline(always)]
fn call_place(frame: Frame<'_>) -> usize {
    frame.address() >> 6 & (MARKED - 1)
}

/// The stacks that a thread recorded lately: to record one again takes a walk at most, and no look into the depot.
#[derive(Default)]
pub(crate) struct Recent(UnsafeCell<Option<Known>>);

impl Recent {
    /// Records the calling thread's stack.
    ///
    /// # Safety
    /// Attached; `self` is the calling thread's.
    #[inline]
    pub(crate) unsafe fn record(&self) -> StackId {
        // SAFETY: attached, and it is our own stack.
        let Some(innermost) = unsafe { frames::own() }.next() else { return 0 };
        // SAFETY: passed on.
        unsafe { self.known().record(innermost, 0) }
    }

    /// The same by a probe with this number, which is where to look first.
    ///
    /// # Safety
    /// As [`record`](Self::record).
    #[inline(always)]
    pub(crate) unsafe fn record_at(&self, site: u32) -> StackId {
        // SAFETY: attached, and it is our own stack.
        let Some(innermost) = unsafe { frames::own() }.next() else { return 0 };
        // SAFETY: passed on.
        unsafe { self.known().record_at(innermost, site) }
    }

    /// The same where the innermost function is called from everywhere, as `create_future` is.
    ///
    /// # Safety
    /// As [`record`](Self::record).
    pub(crate) unsafe fn record_call(&self) -> StackId {
        // SAFETY: attached, and it is our own stack.
        let mut frames = unsafe { frames::own() };
        let Some(innermost) = frames.next() else { return 0 };
        let caller = frames.next().map_or(0, |frame| frame.position().instruction);
        // SAFETY: passed on.
        unsafe { self.known().record(innermost, caller) }
    }

    /// # Safety
    /// As [`record`](Self::record); the result is gone before the next call.
    #[inline(always)]
    #[expect(clippy::mut_from_ref)]
    unsafe fn known(&self) -> &mut Known {
        // SAFETY: only the thread itself uses them, one call at a time: none of them calls anything that comes back here.
        unsafe { &mut *self.0.get() }.get_or_insert_with(Known::new)
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
fn known(hash: u64, frames: &[RawFrame]) -> Option<StackId> {
    for slot in slots_for(hash) {
        let id = slot.load(Ordering::Acquire);
        if id == 0 {
            return None;
        }
        if record_of(id).is_some_and(|stack| stack.hash == hash && *stack.frames == *frames) {
            return Some(id);
        }
    }
    None
}

/// # Safety
/// Attached; the frames are of the calling thread's stack.
#[cold]
unsafe fn add(hash: u64, frames: &[RawFrame]) -> StackId {
    let mut guard = hold();
    let pinned = guard.get_or_insert_default();
    if let Some(id) = known(hash, frames) {
        return id;
    }
    let count = COUNT.load(Ordering::Relaxed);
    if count == STACKS {
        return 0;
    }
    let Some(free) = slots_for(hash).find(|slot| slot.load(Ordering::Relaxed) == 0) else { return 0 };
    for frame in frames {
        if pinned.insert(frame.code) {
            // SAFETY: the code object is on our stack, so it is alive; never released.
            unsafe { ffi::Py_INCREF(frame.code as *mut ffi::PyObject) };
        }
    }
    RECORDS[count].store(Box::leak(Box::new(Stack { hash, frames: frames.into() })), Ordering::Release);
    COUNT.store(count + 1, Ordering::Relaxed);
    free.store(count as u32 + 1, Ordering::Release);
    count as u32 + 1
}
