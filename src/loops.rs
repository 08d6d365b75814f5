//! Which thread runs which event loop, and which loop or thread an object that carries neither belongs to.
//!
//! The one question asked here is the affinity verdict: *is the loop of this object running in another thread right now?*
//! A loop that is not running has no owner, so building it here and running it there is legitimate.  A "loop" is asyncio's
//! (uvloop's too), Twisted's reactor or a run of trio: one [`Realm`] each, because one thread may run one of each at once.
//!
//! [`ThreadSlot`]s are never freed, only reused, and are found by walking a list without a lock, so that asking can neither
//! block nor allocate.  The common case (the caller runs the loop itself) is one load and compare.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Identity of a loop or a thread that survives the reuse of its address; 0 is "none".
pub type OwnerId = u64;

/// A kind of loop.  A thread runs at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realm {
    /// asyncio, whoever implements the loop.
    Asyncio,
    /// Twisted's reactor.
    Twisted,
    /// A run of trio.
    Trio,
    /// No loop of its own: whichever the thread runs.
    Any,
}

/// How many realms have loops.
const REALMS: usize = Realm::Any as usize;

impl Realm {
    /// By the name that the tables use.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "asyncio" => Realm::Asyncio,
            "twisted" => Realm::Twisted,
            "trio" => Realm::Trio,
            "any" => Realm::Any,
            _ => return None,
        })
    }

    /// What a thread does with a loop of this kind, for a title.
    pub fn runs(self) -> &'static str {
        match self {
            Realm::Asyncio | Realm::Any => "runs its loop",
            Realm::Twisted => "runs the reactor",
            Realm::Trio => "runs its trio run",
        }
    }

    /// Whether what a thread uses before its loop runs belongs to that thread: a Deferred gets its callbacks before
    /// `reactor.run()`, and there is only one reactor.
    fn binds_before_the_loop_runs(self) -> bool {
        self == Realm::Twisted
    }
}

/// What one thread is doing.  Written by that thread, read by any.
#[derive(Debug, Default)]
pub struct ThreadSlot {
    running: [AtomicUsize; REALMS],
    running_id: [AtomicU64; REALMS],
    thread_id: AtomicU64,
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
    /// Address of the loop it runs, 0 for none.
    pub running: usize,
    /// What kind of loop that is.
    pub realm: Realm,
}

impl ThreadSlot {
    /// Address of the loop of this kind that this thread runs, 0 for none.
    #[inline]
    pub fn running(&self, realm: Realm) -> usize {
        match self.running.get(realm as usize) {
            Some(running) => running.load(Ordering::Relaxed),
            None => self.running.iter().map(|running| running.load(Ordering::Relaxed)).find(|loop_| *loop_ != 0).unwrap_or(0),
        }
    }

    /// Identity of the loop of this kind that this thread runs, 0 for none.
    #[inline]
    pub fn running_id(&self, realm: Realm) -> OwnerId {
        match self.running_id.get(realm as usize) {
            Some(id) => id.load(Ordering::Relaxed),
            None => self.running_id.iter().map(|id| id.load(Ordering::Relaxed)).find(|id| *id != 0).unwrap_or(0),
        }
    }

    /// Which of the loops that this thread runs has this identity.
    #[inline]
    fn runs(&self, id: OwnerId) -> Option<Realm> {
        if id == 0 {
            return None;
        }
        [Realm::Asyncio, Realm::Twisted, Realm::Trio].into_iter().find(|realm| self.running_id(*realm) == id)
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

    fn runner(&self, realm: Realm) -> Runner {
        Runner {
            handle: self.handle.load(Ordering::Relaxed),
            ident: self.ident(),
            native_id: self.native_id(),
            running: self.running(realm),
            realm,
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
    by_address: HashMap<usize, OwnerId>,
    last: OwnerId,
}

impl Identities {
    fn fresh(&mut self) -> OwnerId {
        self.last += 1;
        self.last
    }
}

/// Who may touch an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// The caller runs the loop, or nobody does.
    Fine,
    /// It is another thread's, which runs its loop or is alive.
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
        slot.thread_id.store(self.hold().fresh(), Ordering::Relaxed);
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
        self.runs_nothing(slot);
        slot.thread_id.store(0, Ordering::Relaxed);
        slot.taken.store(false, Ordering::Release);
    }

    /// The thread of `slot` starts running the loop at `address`.  `handle` is the thread's interpreter handle, which may
    /// have changed since the thread entered.
    pub fn started(&self, slot: &ThreadSlot, realm: Realm, address: usize, handle: usize) {
        let mut identities = self.hold();
        let id = identities.by_address.get(&address).copied().unwrap_or_else(|| {
            self.loops_seen.fetch_add(1, Ordering::Relaxed);
            let id = identities.fresh();
            identities.by_address.insert(address, id);
            id
        });
        drop(identities);
        slot.handle.store(handle, Ordering::Relaxed);
        slot.running_id[realm as usize].store(id, Ordering::Relaxed);
        slot.running[realm as usize].store(address, Ordering::Release);
    }

    /// The thread of `slot` runs no loop of this kind any more.
    pub fn stopped(&self, slot: &ThreadSlot, realm: Realm) {
        slot.running[realm as usize].store(0, Ordering::Release);
        slot.running_id[realm as usize].store(0, Ordering::Relaxed);
    }

    fn runs_nothing(&self, slot: &ThreadSlot) {
        for realm in [Realm::Asyncio, Realm::Twisted, Realm::Trio] {
            self.stopped(slot, realm);
        }
    }

    /// A loop object comes to life at `address`, or ends there: what was there is another loop than what will be.
    pub fn born(&self, address: usize) {
        self.hold().by_address.remove(&address);
    }

    /// May the thread of `slot` touch something that belongs to the loop of this kind at `address`?
    pub fn affinity(&self, slot: &ThreadSlot, realm: Realm, address: usize) -> Affinity {
        self.elsewhere(slot, |other| (other.running[realm as usize].load(Ordering::Acquire) == address).then_some(realm))
    }

    /// May the thread of `slot` touch what belongs to the loop or (while it lives) the thread of this identity?
    fn affinity_of_id(&self, slot: &ThreadSlot, id: OwnerId, realm: Realm) -> Affinity {
        self.elsewhere(slot, |other| other.runs(id).or_else(|| (other.thread_id.load(Ordering::Relaxed) == id).then_some(realm)))
    }

    fn elsewhere(&self, slot: &ThreadSlot, owns_it_through: impl Fn(&ThreadSlot) -> Option<Realm>) -> Affinity {
        let owner = self.slots().filter(|other| other.taken.load(Ordering::Relaxed));
        match owner.filter_map(|other| Some((other, owns_it_through(other)?))).next() {
            Some((other, realm)) if !std::ptr::eq(other, slot) => Affinity::Elsewhere(other.runner(realm)),
            Some(_) | None => Affinity::Fine,
        }
    }

    /// Whether another thread than that of `slot` runs a loop of asyncio.
    pub fn others_run(&self, slot: &ThreadSlot) -> bool {
        self.slots().any(|other| !std::ptr::eq(other, slot) && other.running(Realm::Asyncio) != 0)
    }

    /// The thread with this interpreter handle, if it is a live one other than that of `slot`.
    pub fn thread(&self, slot: &ThreadSlot, handle: usize) -> Affinity {
        self.elsewhere(slot, |other| (other.handle.load(Ordering::Relaxed) == handle).then_some(Realm::Any))
    }

    /// In the child of a fork: only the calling thread is left, and it runs no loop.  No other thread may be in
    /// here while the process forks.
    pub fn after_fork(&self, survivor: &ThreadSlot, native_id: u64) {
        for slot in self.slots() {
            self.runs_nothing(slot);
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

/// Which loop or thread an object that carries neither (Lock, Event, Queue, Deferred, greenlet ...) belongs to.
///
/// A primitive belongs to the first running loop that touches it.  Creation inside a running loop, and what a library does to the
/// parts of its own primitives (a Queue to its Event), binds *softly*: a thread without a loop must keep off, but another loop that
/// starts using it takes it over, which is a legitimate hand-off.
#[derive(Debug)]
pub struct Bindings {
    table: Box<[Binding]>,
}

#[derive(Debug, Default)]
struct Binding {
    object: AtomicUsize,
    /// `OwnerId << 2` and one of the constants below.
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

/// What [`Bindings::touch`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// The object is the caller's, or nobody's.
    Fine,
    /// It is another thread's, whose loop runs.
    Elsewhere(Runner),
    /// Another live thread, which runs no loop, used it last: fine unless both are inside the object right now.
    TakenOver(Runner),
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
    pub fn born(&self, slot: &ThreadSlot, realm: Realm, object: usize) {
        let id = slot.running_id(realm);
        self.bind(object, if id == 0 { 0 } else { id << 2 | BORN });
    }

    /// The quick answer: the thread of `slot` runs the loop that uses `object`.
    #[inline]
    pub fn is_mine(&self, slot: &ThreadSlot, object: usize) -> bool {
        let owner = self.owner(object);
        owner & BORN == 0 && slot.runs(owner >> 2).is_some()
    }

    /// The object at `object` carries its loop itself, and that is the one that the thread of `slot` runs.
    pub fn remember(&self, slot: &ThreadSlot, realm: Realm, object: usize) {
        self.bind(object, slot.running_id(realm) << 2 | HARD);
    }

    /// Whatever was at `object` is gone.
    #[inline]
    pub fn forget(&self, object: usize) {
        let entry = self.entry(object);
        if entry.object.load(Ordering::Relaxed) == object {
            entry.owner.store(0, Ordering::Release);
        }
    }

    /// A library touches `object` as a part of another primitive, which was judged already.
    pub fn touch_part(&self, slot: &ThreadSlot, realm: Realm, object: usize) {
        let (id, owner) = (slot.running_id(realm), self.owner(object));
        if id != 0 && (owner == 0 || owner == id << 2 | BORN) {
            self.bind(object, id << 2 | PART);
        }
    }

    /// The thread of `slot` touches `object`: binds it if it is free, else says whether it may.
    pub fn touch(&self, loops: &Loops, slot: &ThreadSlot, realm: Realm, object: usize) -> Touch {
        let owner = self.owner(object);
        let (bound, soft) = (owner >> 2, owner & (BORN | PART) != 0);
        let running = slot.running_id(realm);
        let thread = if realm.binds_before_the_loop_runs() { slot.thread_id.load(Ordering::Relaxed) } else { 0 };
        let may = bound == 0 || bound == thread || slot.runs(bound).is_some() || (soft && running != 0);
        let mut verdict = Touch::Fine;
        if !may && let Affinity::Elsewhere(runner) = loops.affinity_of_id(slot, bound, realm) {
            if runner.running != 0 {
                return Touch::Elsewhere(runner);
            }
            verdict = Touch::TakenOver(runner);
        }
        let mine = if running != 0 { running } else { thread };
        if mine != 0 {
            self.bind(object, mine << 2 | HARD);
        }
        verdict
    }

    /// `object` belongs to the thread of `slot` for good.
    pub fn give_to_thread(&self, slot: &ThreadSlot, object: usize) {
        self.bind(object, slot.thread_id.load(Ordering::Relaxed) << 2 | HARD);
    }

    /// The quick answer: `object` was given to the thread of `slot`.
    #[inline]
    pub fn is_my_threads(&self, slot: &ThreadSlot, object: usize) -> bool {
        self.owner(object) == slot.thread_id.load(Ordering::Relaxed) << 2 | HARD
    }

    /// May the thread of `slot` touch `object`, which belongs to a thread?  `None` if it is nobody's, or that thread has ended.
    pub fn thread_of(&self, loops: &Loops, slot: &ThreadSlot, object: usize) -> Option<Affinity> {
        let bound = self.owner(object) >> 2;
        let lives =
            loops.slots().any(|other| other.taken.load(Ordering::Relaxed) && other.thread_id.load(Ordering::Relaxed) == bound);
        (bound != 0 && lives).then(|| loops.affinity_of_id(slot, bound, Realm::Any))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Realm::{Asyncio, Trio, Twisted};

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

    fn is_foreign(touch: Touch, ident: u64) -> bool {
        matches!(touch, Touch::Elsewhere(runner) if runner.ident == ident)
    }

    #[test]
    fn only_a_loop_running_in_another_thread_is_foreign() {
        let (loops, a, b) = world();
        assert_eq!(loops.affinity(b, Asyncio, LOOP), Affinity::Fine, "before run_forever nobody owns it");
        loops.started(a, Asyncio, LOOP, 1);
        assert_eq!(loops.affinity(a, Asyncio, LOOP), Affinity::Fine);
        assert!(is_elsewhere(loops.affinity(b, Asyncio, LOOP), 11));
        loops.stopped(a, Asyncio);
        assert_eq!(loops.affinity(b, Asyncio, LOOP), Affinity::Fine, "after it stopped nobody owns it");
    }

    #[test]
    fn a_thread_that_ends_owns_nothing_and_its_slot_is_reused() {
        let (loops, a, b) = world();
        loops.started(a, Asyncio, LOOP, 1);
        loops.leave(a);
        assert_eq!(loops.affinity(b, Asyncio, LOOP), Affinity::Fine);
        assert!(std::ptr::eq(loops.enter(3, 33, 333), a));
    }

    #[test]
    fn a_forked_child_inherits_no_running_loop() {
        let (loops, a, b) = world();
        loops.started(a, Asyncio, LOOP, 1);
        loops.after_fork(b, 9);
        assert_eq!(loops.affinity(b, Asyncio, LOOP), Affinity::Fine);
        assert_eq!(b.native_id(), 9);
    }

    #[test]
    fn a_primitive_belongs_to_the_first_loop_that_touches_it() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        assert_eq!(bindings.touch(&loops, b, Asyncio, OBJECT), Touch::Fine, "no loop, no owner");
        loops.started(a, Asyncio, LOOP, 1);
        assert_eq!(bindings.touch(&loops, a, Asyncio, OBJECT), Touch::Fine);
        assert!(bindings.is_mine(a, OBJECT));
        assert!(is_foreign(bindings.touch(&loops, b, Asyncio, OBJECT), 11), "a plain thread");
        loops.started(b, Asyncio, OTHER_LOOP, 2);
        assert!(is_foreign(bindings.touch(&loops, b, Asyncio, OBJECT), 11), "another loop");
        loops.stopped(a, Asyncio);
        assert_eq!(bindings.touch(&loops, b, Asyncio, OBJECT), Touch::Fine, "one loop after the other");
        assert!(bindings.is_mine(b, OBJECT));
    }

    #[test]
    fn a_primitive_made_in_a_loop_may_be_handed_to_another_loop_but_not_to_a_plain_thread() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        loops.started(a, Asyncio, LOOP, 1);
        bindings.born(a, Asyncio, OBJECT);
        assert!(is_foreign(bindings.touch(&loops, b, Asyncio, OBJECT), 11));
        loops.started(b, Asyncio, OTHER_LOOP, 2);
        assert_eq!(bindings.touch(&loops, b, Asyncio, OBJECT), Touch::Fine, "handed over");
        assert!(is_foreign(bindings.touch(&loops, a, Asyncio, OBJECT), 22), "and no longer the maker's");
    }

    #[test]
    fn what_asyncio_does_to_the_parts_of_a_primitive_does_not_hinder_a_hand_off() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        loops.started(a, Asyncio, LOOP, 1);
        bindings.born(a, Asyncio, OBJECT);
        bindings.touch_part(a, Asyncio, OBJECT);
        assert!(bindings.is_mine(a, OBJECT), "the quick answer holds for parts");
        assert!(is_foreign(bindings.touch(&loops, b, Asyncio, OBJECT), 11), "a plain thread");
        loops.started(b, Asyncio, OTHER_LOOP, 2);
        assert_eq!(bindings.touch(&loops, b, Asyncio, OBJECT), Touch::Fine, "handed over with the whole");
    }

    #[test]
    fn a_new_object_at_a_used_address_has_no_history() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        loops.started(a, Asyncio, LOOP, 1);
        bindings.touch(&loops, a, Asyncio, OBJECT);
        bindings.born(b, Asyncio, OBJECT);
        assert_eq!(bindings.touch(&loops, b, Asyncio, OBJECT), Touch::Fine);
        loops.stopped(a, Asyncio);
        loops.born(LOOP);
        bindings.touch(&loops, a, Asyncio, OBJECT);
        loops.started(a, Asyncio, LOOP, 1);
        assert!(!bindings.is_mine(a, OBJECT), "a new loop at a used address is another loop");
    }

    #[test]
    fn a_thread_may_run_a_loop_of_each_realm() {
        let (loops, a, b) = world();
        loops.started(a, Asyncio, LOOP, 1);
        loops.started(a, Trio, OTHER_LOOP, 1);
        assert!(is_elsewhere(loops.affinity(b, Trio, OTHER_LOOP), 11));
        loops.stopped(a, Trio);
        assert_eq!(loops.affinity(b, Trio, OTHER_LOOP), Affinity::Fine);
        assert!(is_elsewhere(loops.affinity(b, Asyncio, LOOP), 11));
    }

    #[test]
    fn what_a_thread_used_before_it_ran_the_reactor_is_the_reactors() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        bindings.born(a, Twisted, OBJECT);
        assert_eq!(bindings.touch(&loops, a, Twisted, OBJECT), Touch::Fine);
        assert!(matches!(bindings.touch(&loops, b, Twisted, OBJECT), Touch::TakenOver(before) if before.ident == 11));
        assert_eq!(bindings.touch(&loops, b, Twisted, OBJECT), Touch::Fine);
        assert!(matches!(bindings.touch(&loops, a, Twisted, OBJECT), Touch::TakenOver(_)));
        loops.started(a, Twisted, LOOP, 1);
        assert!(is_foreign(bindings.touch(&loops, b, Twisted, OBJECT), 11));
    }

    #[test]
    fn what_belongs_to_a_thread_is_nobodys_when_the_thread_has_ended() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        assert_eq!(bindings.thread_of(&loops, b, OBJECT), None);
        bindings.give_to_thread(a, OBJECT);
        assert!(bindings.is_my_threads(a, OBJECT) && !bindings.is_my_threads(b, OBJECT));
        assert_eq!(bindings.thread_of(&loops, a, OBJECT), Some(Affinity::Fine));
        assert!(is_elsewhere(bindings.thread_of(&loops, b, OBJECT).unwrap(), 11));
        loops.leave(a);
        assert_eq!(bindings.thread_of(&loops, b, OBJECT), None);
        loops.enter(3, 33, 333);
        assert_eq!(bindings.thread_of(&loops, b, OBJECT), None, "a new thread in the old one's slot");
    }
}
