//! Which thread runs which event loop, and which loop a primitive without one belongs to.
//!
//! The one question asked here is the affinity verdict: *is the loop of this object running in another thread right now?*
//! A loop that is not running has no owner, so building it here and running it there is legitimate.
//!
//! [`ThreadSlot`]s are never freed, only reused, and are found by walking a list without a lock, so that asking can neither
//! block nor allocate.  The common case (the caller runs the loop itself) is one load and compare.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Identity of a loop that survives the reuse of its address; 0 is "none".
pub type LoopId = u64;

/// What one thread is doing.  Written by that thread, read by any.
#[derive(Debug, Default)]
pub struct ThreadSlot {
    running: AtomicUsize,
    running_id: AtomicU64,
    handle: AtomicUsize,
    ident: AtomicU64,
    native_id: AtomicU64,
    checks: AtomicU64,
    taken: AtomicBool,
    next: OnceLock<&'static ThreadSlot>,
}

/// A thread that runs a loop, as found by [`Loops::runner_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runner {
    /// The interpreter's handle of the thread (opaque here).
    pub handle: usize,
    /// What `threading.get_ident()` says in that thread.
    pub ident: u64,
    /// The kernel's id of the thread.
    pub native_id: u64,
    /// Address of the loop it runs.
    pub running: usize,
}

impl ThreadSlot {
    /// Address of the loop that this thread runs, 0 for none.
    #[inline]
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Identity of the loop that this thread runs, 0 for none.
    #[inline]
    pub fn running_id(&self) -> LoopId {
        self.running_id.load(Ordering::Relaxed)
    }

    /// What `threading.get_ident()` says in this thread.
    pub fn ident(&self) -> u64 {
        self.ident.load(Ordering::Relaxed)
    }

    /// The kernel's id of this thread.
    pub fn native_id(&self) -> u64 {
        self.native_id.load(Ordering::Relaxed)
    }

    /// Counts one check.  Only the thread itself counts, so this needs no atomic addition.
    #[inline]
    pub fn count_check(&self) {
        self.checks.store(self.checks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    fn runner(&self) -> Runner {
        Runner {
            handle: self.handle.load(Ordering::Relaxed),
            ident: self.ident(),
            native_id: self.native_id(),
            running: self.running(),
        }
    }
}

/// The threads and loops of a process.
#[derive(Debug, Default)]
pub struct Loops {
    first: OnceLock<&'static ThreadSlot>,
    identities: Mutex<Identities>,
    threads_seen: AtomicU64,
    loops_seen: AtomicU64,
}

/// Which loop lives at which address.  Also the lock under which the list of slots grows.
#[derive(Debug, Default)]
struct Identities {
    by_address: HashMap<usize, LoopId>,
    last: LoopId,
}

/// Who may touch an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// The caller runs the loop, or nobody does.
    Fine,
    /// Another thread runs it.
    Elsewhere(Runner),
}

impl Loops {
    /// Gives the calling thread a slot, which it keeps until [`Loops::leave`].
    pub fn enter(&self, handle: usize, ident: u64, native_id: u64) -> &'static ThreadSlot {
        self.threads_seen.fetch_add(1, Ordering::Relaxed);
        let slot = self.free_slot();
        slot.handle.store(handle, Ordering::Relaxed);
        slot.ident.store(ident, Ordering::Relaxed);
        slot.native_id.store(native_id, Ordering::Relaxed);
        slot
    }

    fn free_slot(&self) -> &'static ThreadSlot {
        let _growing = self.hold();
        if let Some(slot) = self.slots().find(|slot| !slot.taken.swap(true, Ordering::Acquire)) {
            return slot;
        }
        let slot: &'static ThreadSlot = Box::leak(Box::new(ThreadSlot { taken: AtomicBool::new(true), ..Default::default() }));
        let end = self.slots().last().map_or(&self.first, |last| &last.next);
        end.set(slot).expect("the list grows under the lock only");
        slot
    }

    fn slots(&self) -> impl Iterator<Item = &'static ThreadSlot> {
        std::iter::successors(self.first.get().copied(), |slot| slot.next.get().copied())
    }

    fn hold(&self) -> MutexGuard<'_, Identities> {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread of `slot` ends.
    pub fn leave(&self, slot: &ThreadSlot) {
        self.stopped(slot);
        slot.taken.store(false, Ordering::Release);
    }

    /// The thread of `slot` starts running the loop at `address`.  `handle` is the thread's interpreter handle, which may
    /// have changed since the thread entered.
    pub fn started(&self, slot: &ThreadSlot, address: usize, handle: usize) {
        let mut identities = self.hold();
        let id = identities.by_address.get(&address).copied().unwrap_or_else(|| {
            self.loops_seen.fetch_add(1, Ordering::Relaxed);
            identities.last += 1;
            let id = identities.last;
            identities.by_address.insert(address, id);
            id
        });
        drop(identities);
        slot.handle.store(handle, Ordering::Relaxed);
        slot.running_id.store(id, Ordering::Relaxed);
        slot.running.store(address, Ordering::Release);
    }

    /// The thread of `slot` runs no loop any more.
    pub fn stopped(&self, slot: &ThreadSlot) {
        slot.running.store(0, Ordering::Release);
        slot.running_id.store(0, Ordering::Relaxed);
    }

    /// A loop object comes to life at `address`: whatever was there before is another loop.
    pub fn born(&self, address: usize) {
        self.hold().by_address.remove(&address);
    }

    /// May the thread of `slot` touch something that belongs to the loop at `address`?
    pub fn affinity(&self, slot: &ThreadSlot, address: usize) -> Affinity {
        self.elsewhere(slot, |other| other.running.load(Ordering::Acquire) == address)
    }

    fn affinity_of_id(&self, slot: &ThreadSlot, id: LoopId) -> Affinity {
        self.elsewhere(slot, |other| other.running.load(Ordering::Acquire) != 0 && other.running_id() == id)
    }

    fn elsewhere(&self, slot: &ThreadSlot, runs_it: impl Fn(&ThreadSlot) -> bool) -> Affinity {
        match self.slots().find(|other| other.taken.load(Ordering::Relaxed) && runs_it(other)) {
            Some(other) if !std::ptr::eq(other, slot) => Affinity::Elsewhere(other.runner()),
            Some(_) | None => Affinity::Fine,
        }
    }

    /// In the child of a fork: only the calling thread is left, and it runs no loop.  No other thread may be in
    /// here while the process forks.
    pub fn after_fork(&self, survivor: &ThreadSlot, native_id: u64) {
        for slot in self.slots() {
            self.stopped(slot);
            slot.checks.store(0, Ordering::Relaxed);
            if !std::ptr::eq(slot, survivor) {
                slot.taken.store(false, Ordering::Release);
            }
        }
        survivor.native_id.store(native_id, Ordering::Relaxed);
        self.threads_seen.store(1, Ordering::Relaxed);
        self.loops_seen.store(0, Ordering::Relaxed);
        self.hold().by_address.clear();
    }

    /// (threads, loops, checks) seen in this process so far.
    pub fn totals(&self) -> (u64, u64, u64) {
        let checks = self.slots().map(|slot| slot.checks.load(Ordering::Relaxed)).sum();
        (self.threads_seen.load(Ordering::Relaxed), self.loops_seen.load(Ordering::Relaxed), checks)
    }
}

/// How many primitives can be bound at once; more than that, and the oldest of a bucket is forgotten (a miss, never a false report).
const BINDINGS: usize = 1 << 14;

/// Which loop a primitive that carries none (Lock, Event, Queue, Timeout ...) belongs to.
///
/// The first running loop that touches it.  Creation inside a running loop, and what asyncio does to the parts of its own
/// primitives (a Queue to its Event), binds *softly*: a thread without a loop must keep off, but another loop that starts using
/// it takes it over, which is a legitimate hand-off.
#[derive(Debug)]
pub struct Bindings {
    table: Box<[Binding]>,
}

#[derive(Debug, Default)]
struct Binding {
    object: AtomicUsize,
    /// `LoopId << 2` and one of the constants below.
    owner: AtomicU64,
}

/// Used by its loop.
const HARD: u64 = 0;
/// Made in its loop, and not used yet.
const BORN: u64 = 1;
/// Used by its loop as a part of another primitive only.
const PART: u64 = 2;

impl Default for Bindings {
    fn default() -> Self {
        Bindings { table: (0..BINDINGS).map(|_| Binding::default()).collect() }
    }
}

impl Bindings {
    #[inline]
    fn entry(&self, object: usize) -> &Binding {
        // Objects are 16-byte aligned; Fibonacci hashing spreads what is left.
        let hash = (object >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize);
        &self.table[hash >> (usize::BITS - BINDINGS.trailing_zeros())]
    }

    fn bind(&self, object: usize, owner: u64) {
        let entry = self.entry(object);
        entry.owner.store(0, Ordering::Release);
        entry.object.store(object, Ordering::Release);
        entry.owner.store(owner, Ordering::Release);
    }

    #[inline]
    fn owner(&self, object: usize) -> u64 {
        let entry = self.entry(object);
        let owner = entry.owner.load(Ordering::Acquire);
        if entry.object.load(Ordering::Acquire) == object { owner } else { 0 }
    }

    /// A primitive comes to life at `object` in the thread of `slot`.
    pub fn born(&self, slot: &ThreadSlot, object: usize) {
        let id = slot.running_id();
        self.bind(object, if id == 0 { 0 } else { id << 2 | BORN });
    }

    /// The quick answer: the thread of `slot` runs the loop that uses `object`.
    #[inline]
    pub fn is_mine(&self, slot: &ThreadSlot, object: usize) -> bool {
        let (id, owner) = (slot.running_id(), self.owner(object));
        owner & BORN == 0 && owner >> 2 == id && id != 0
    }

    /// The object at `object` carries its loop itself, and that is the one that the thread of `slot` runs.
    pub fn remember(&self, slot: &ThreadSlot, object: usize) {
        self.bind(object, slot.running_id() << 2 | HARD);
    }

    /// Whatever was at `object` is gone.
    #[inline]
    pub fn forget(&self, object: usize) {
        let entry = self.entry(object);
        if entry.object.load(Ordering::Relaxed) == object {
            entry.owner.store(0, Ordering::Release);
        }
    }

    /// asyncio touches `object` as a part of another primitive, which was judged already.
    pub fn touch_part(&self, slot: &ThreadSlot, object: usize) {
        let (id, owner) = (slot.running_id(), self.owner(object));
        if id != 0 && (owner == 0 || owner == id << 2 | BORN) {
            self.bind(object, id << 2 | PART);
        }
    }

    /// The thread of `slot` touches `object`: binds it if it is free, else says whether it may.
    pub fn touch(&self, loops: &Loops, slot: &ThreadSlot, object: usize) -> Affinity {
        let mine = slot.running_id();
        let owner = self.owner(object);
        let (bound, soft) = (owner >> 2, owner & (BORN | PART) != 0);
        if bound != 0 && bound != mine && !(soft && mine != 0) {
            let verdict = loops.affinity_of_id(slot, bound);
            if verdict != Affinity::Fine {
                return verdict;
            }
        }
        if mine != 0 {
            self.bind(object, mine << 2 | HARD);
        }
        Affinity::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOP: usize = 0x1000;
    const OTHER_LOOP: usize = 0x2000;
    const OBJECT: usize = 0x5550;

    fn world() -> (Loops, &'static ThreadSlot, &'static ThreadSlot) {
        let loops = Loops::default();
        let (a, b) = (loops.enter(1, 11, 111), loops.enter(2, 22, 222));
        (loops, a, b)
    }

    fn is_elsewhere(verdict: Affinity, ident: u64) -> bool {
        matches!(verdict, Affinity::Elsewhere(runner) if runner.ident == ident)
    }

    #[test]
    fn only_a_loop_running_in_another_thread_is_foreign() {
        let (loops, a, b) = world();
        assert_eq!(loops.affinity(b, LOOP), Affinity::Fine, "before run_forever nobody owns it");
        loops.started(a, LOOP, 1);
        assert_eq!(loops.affinity(a, LOOP), Affinity::Fine);
        assert!(is_elsewhere(loops.affinity(b, LOOP), 11));
        loops.stopped(a);
        assert_eq!(loops.affinity(b, LOOP), Affinity::Fine, "after it stopped nobody owns it");
    }

    #[test]
    fn a_thread_that_ends_owns_nothing_and_its_slot_is_reused() {
        let (loops, a, b) = world();
        loops.started(a, LOOP, 1);
        loops.leave(a);
        assert_eq!(loops.affinity(b, LOOP), Affinity::Fine);
        assert!(std::ptr::eq(loops.enter(3, 33, 333), a));
    }

    #[test]
    fn a_forked_child_inherits_no_running_loop() {
        let (loops, a, b) = world();
        loops.started(a, LOOP, 1);
        loops.after_fork(b, 9);
        assert_eq!(loops.affinity(b, LOOP), Affinity::Fine);
        assert_eq!(b.native_id(), 9);
    }

    #[test]
    fn a_primitive_belongs_to_the_first_loop_that_touches_it() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        assert_eq!(bindings.touch(&loops, b, OBJECT), Affinity::Fine, "no loop, no owner");
        loops.started(a, LOOP, 1);
        assert_eq!(bindings.touch(&loops, a, OBJECT), Affinity::Fine);
        assert!(bindings.is_mine(a, OBJECT));
        assert!(is_elsewhere(bindings.touch(&loops, b, OBJECT), 11), "a plain thread");
        loops.started(b, OTHER_LOOP, 2);
        assert!(is_elsewhere(bindings.touch(&loops, b, OBJECT), 11), "another loop");
        loops.stopped(a);
        assert_eq!(bindings.touch(&loops, b, OBJECT), Affinity::Fine, "one loop after the other");
        assert!(bindings.is_mine(b, OBJECT));
    }

    #[test]
    fn a_primitive_made_in_a_loop_may_be_handed_to_another_loop_but_not_to_a_plain_thread() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        loops.started(a, LOOP, 1);
        bindings.born(a, OBJECT);
        assert!(is_elsewhere(bindings.touch(&loops, b, OBJECT), 11));
        loops.started(b, OTHER_LOOP, 2);
        assert_eq!(bindings.touch(&loops, b, OBJECT), Affinity::Fine, "handed over");
        assert!(is_elsewhere(bindings.touch(&loops, a, OBJECT), 22), "and no longer the maker's");
    }

    #[test]
    fn what_asyncio_does_to_the_parts_of_a_primitive_does_not_hinder_a_hand_off() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        loops.started(a, LOOP, 1);
        bindings.born(a, OBJECT);
        bindings.touch_part(a, OBJECT);
        assert!(bindings.is_mine(a, OBJECT), "the quick answer holds for parts");
        assert!(is_elsewhere(bindings.touch(&loops, b, OBJECT), 11), "a plain thread");
        loops.started(b, OTHER_LOOP, 2);
        assert_eq!(bindings.touch(&loops, b, OBJECT), Affinity::Fine, "handed over with the whole");
    }

    #[test]
    fn a_new_object_at_a_used_address_has_no_history() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        loops.started(a, LOOP, 1);
        bindings.touch(&loops, a, OBJECT);
        bindings.born(b, OBJECT);
        assert_eq!(bindings.touch(&loops, b, OBJECT), Affinity::Fine);
        loops.stopped(a);
        loops.born(LOOP);
        bindings.touch(&loops, a, OBJECT);
        loops.started(a, LOOP, 1);
        assert!(!bindings.is_mine(a, OBJECT), "a new loop at a used address is another loop");
    }
}
