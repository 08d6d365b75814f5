//! Which thread runs which event loop.
//!
//! The one question asked here is the affinity verdict: *is the loop of this object running in another thread right now?*
//! A loop that is not running has no owner, so building it here and running it there is legitimate.  A "loop" is asyncio's
//! (uvloop's too), Twisted's reactor or a run of trio: one [`Realm`] each, because one thread may run one of each at once.
//!
//! [`ThreadSlot`]s are never freed, only reused, and are found by walking a list without a lock, so that asking can neither
//! block nor allocate.  The common case (the caller runs the loop itself) is one load and compare.

use crate::locks::held::HeldLocks;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Identity of a loop or a thread that survives the reuse of its address; 0 is "none".
pub type OwnerId = u64;

/// A kind of loop.  A thread runs at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    pub(crate) fn binds_before_the_loop_runs(self) -> bool {
        self == Realm::Twisted
    }
}

/// How much was seen of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Threads.
    pub threads: u64,
    /// Loops that ran.
    pub loops: u64,
    /// Calls of what belongs to a loop or a thread, and locks.
    pub checks: u64,
    /// Accesses of what threads share.
    pub accesses: u64,
}

/// What one thread is doing.  Written by that thread, read by any.
#[derive(Debug, Default)]
pub struct ThreadSlot {
    running: [AtomicUsize; REALMS],
    running_id: [AtomicU64; REALMS],
    pub(crate) thread_id: AtomicU64,
    handle: AtomicUsize,
    ident: AtomicU64,
    native_id: AtomicU64,
    checks: AtomicU64,
    accesses: AtomicU64,
    /// Address of the object that a method written in C is at work on that one thread at a time may use, 0 for none.
    inside: AtomicUsize,
    /// What it holds.
    pub locks: HeldLocks,
    /// Address of the lock or of the thread's handle that it waits for, 0 for none.
    waits_for: AtomicUsize,
    /// Address of the handle by which others wait for it, 0 for none.
    pub waited_by: AtomicUsize,
    /// The number of the stack in which it was started, 0 if that is not known.
    pub started_at: AtomicU32,
    pub(crate) taken: AtomicBool,
    /// Taken for a thread that was seen to run a loop and has not been here itself.
    is_reserved: AtomicBool,
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

    /// Address of the loop of asyncio that this thread runs, 0 for none: [`ThreadSlot::running`] without a choice.
    #[inline(always)]
    pub fn running_asyncio(&self) -> usize {
        self.running[Realm::Asyncio as usize].load(Ordering::Relaxed)
    }

    /// Whether this thread runs the loop of this identity.
    #[inline(always)]
    pub(crate) fn runs(&self, id: OwnerId) -> bool {
        let [asyncio, twisted, trio] = &self.running_id;
        let is = |running: &AtomicU64| running.load(Ordering::Relaxed) == id;
        id != 0 && (is(asyncio) || is(twisted) || is(trio))
    }

    /// Of which kind the loop of this identity is, if this thread runs it.
    pub(crate) fn realm_of(&self, id: OwnerId) -> Option<Realm> {
        [Realm::Asyncio, Realm::Twisted, Realm::Trio].into_iter().find(|realm| id != 0 && self.running_id(*realm) == id)
    }

    /// The thread is about to wait for what is at an address, or not to wait any more; returns what it waited for before.
    #[inline(always)]
    pub fn wait_for(&self, address: usize) -> usize {
        let before = self.waits_for.load(Ordering::Relaxed);
        self.waits_for.store(address, Ordering::Relaxed);
        before
    }

    /// Address of what the thread waits for, 0 for nothing that is known.
    pub fn waits_for(&self) -> usize {
        self.waits_for.load(Ordering::Relaxed)
    }

    /// Identity of this thread, which no other one has before or after it.
    pub fn id(&self) -> OwnerId {
        self.thread_id.load(Ordering::Relaxed)
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

    /// Counts one access of something that threads share, in the same way.
    #[inline]
    pub fn count_access(&self) {
        self.accesses.store(self.accesses.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// How many accesses of this thread were counted.
    #[inline]
    pub fn accesses(&self) -> u64 {
        self.accesses.load(Ordering::Relaxed)
    }

    fn counts_from_zero(&self) {
        self.checks.store(0, Ordering::Relaxed);
        self.accesses.store(0, Ordering::Relaxed);
    }

    /// This thread is inside a method of the object at this address from now on; answers what it was inside of before.
    #[inline]
    pub fn goes_inside(&self, object: usize) -> usize {
        let before = self.inside.load(Ordering::Relaxed);
        self.inside.store(object, Ordering::Relaxed);
        before
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
        if let Some(slot) = self.of_thread(handle, native_id)
            && slot.is_reserved.swap(false, Ordering::Relaxed)
        {
            return slot;
        }
        self.threads_seen.fetch_add(1, Ordering::Relaxed);
        let slot = self.free_slot();
        slot.handle.store(handle, Ordering::Relaxed);
        slot.ident.store(ident, Ordering::Relaxed);
        slot.native_id.store(native_id, Ordering::Relaxed);
        slot.thread_id.store(self.hold().fresh(), Ordering::Relaxed);
        slot.locks.clear();
        slot
    }

    /// The slot of a thread of which that is known from outside, and which has none yet if it was never here.  The thread finds it when
    /// it [enters](Loops::enter).
    pub fn adopt(&self, handle: usize, ident: u64, native_id: u64) -> &'static ThreadSlot {
        self.of_thread(handle, native_id).unwrap_or_else(|| {
            let slot = self.enter(handle, ident, native_id);
            slot.is_reserved.store(true, Ordering::Relaxed);
            slot
        })
    }

    fn of_thread(&self, handle: usize, native_id: u64) -> Option<&'static ThreadSlot> {
        let is_its = |slot: &&ThreadSlot| {
            slot.handle.load(Ordering::Relaxed) == handle && slot.native_id.load(Ordering::Relaxed) == native_id
        };
        self.slots().filter(|slot| slot.taken.load(Ordering::Relaxed)).find(is_its)
    }

    /// Forgets what threads did while nobody looked: which loops they ran, and which loop is at which address.
    pub fn begin_again(&self) {
        for slot in self.slots() {
            self.runs_nothing(slot);
            slot.counts_from_zero();
            slot.locks.clear();
            slot.inside.store(0, Ordering::Relaxed);
            slot.waits_for.store(0, Ordering::Relaxed);
            if slot.is_reserved.swap(false, Ordering::Relaxed) {
                slot.taken.store(false, Ordering::Release);
            }
        }
        self.threads_seen.store(self.threads().count() as u64, Ordering::Relaxed);
        self.loops_seen.store(0, Ordering::Relaxed);
        self.hold().by_address.clear();
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

    /// Whether the thread with this native id runs a loop of asyncio.
    pub fn runs_asyncio(&self, native_id: u64) -> bool {
        self.slots().any(|slot| slot.native_id.load(Ordering::Relaxed) == native_id && slot.running_asyncio() != 0)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &'static ThreadSlot> {
        std::iter::successors(self.first.get().copied(), |slot| slot.next.get().copied())
    }

    fn hold(&self) -> MutexGuard<'_, Identities> {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread of `slot` ends.
    pub fn leave(&self, slot: &ThreadSlot) {
        self.runs_nothing(slot);
        slot.thread_id.store(0, Ordering::Relaxed);
        slot.waited_by.store(0, Ordering::Relaxed);
        slot.started_at.store(0, Ordering::Relaxed);
        slot.waits_for.store(0, Ordering::Relaxed);
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
        self.elsewhere(slot, |other| {
            [Realm::Asyncio, Realm::Twisted, Realm::Trio].into_iter().find(|one| {
                (realm == *one || realm == Realm::Any) && other.running[*one as usize].load(Ordering::Acquire) == address
            })
        })
    }

    /// May the thread of `slot` touch what belongs to the loop or (while it lives) the thread of this identity?
    pub(crate) fn affinity_of_id(&self, slot: &ThreadSlot, id: OwnerId, realm: Realm) -> Affinity {
        self.elsewhere(slot, |other| {
            other.realm_of(id).or_else(|| (other.thread_id.load(Ordering::Relaxed) == id).then_some(realm))
        })
    }

    fn elsewhere(&self, slot: &ThreadSlot, owns_it_through: impl Fn(&ThreadSlot) -> Option<Realm>) -> Affinity {
        let owner = self.slots().filter(|other| other.taken.load(Ordering::Relaxed));
        match owner.filter_map(|other| Some((other, owns_it_through(other)?))).next() {
            Some((other, realm)) if !std::ptr::eq(other, slot) => Affinity::Elsewhere(other.runner(realm)),
            Some(_) | None => Affinity::Fine,
        }
    }

    /// All threads.
    pub fn threads(&self) -> impl Iterator<Item = &'static ThreadSlot> + use<'_> {
        self.slots().filter(|slot| slot.taken.load(Ordering::Relaxed))
    }

    /// The threads other than that of `slot`.
    pub fn others<'a>(&self, slot: &'a ThreadSlot) -> impl Iterator<Item = &'static ThreadSlot> + use<'_, 'a> {
        self.slots().filter(move |other| !std::ptr::eq(*other, slot) && other.taken.load(Ordering::Relaxed))
    }

    /// Whether any thread runs a loop of asyncio at this address.
    pub fn is_run(&self, address: usize) -> bool {
        address != 0 && self.slots().any(|slot| slot.running_asyncio() == address)
    }

    /// Whether another thread than that of `slot` runs a loop of asyncio.
    pub fn others_run(&self, slot: &ThreadSlot) -> bool {
        self.slots().any(|other| !std::ptr::eq(other, slot) && other.running(Realm::Asyncio) != 0)
    }

    /// Whether the thread with this interpreter handle is inside a method, written in C, of the object at this address.
    pub fn is_inside(&self, handle: usize, object: usize) -> bool {
        let threads =
            self.slots().filter(|slot| slot.taken.load(Ordering::Relaxed) && slot.handle.load(Ordering::Relaxed) == handle);
        threads.into_iter().any(|slot| slot.inside.load(Ordering::Relaxed) == object)
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
            slot.counts_from_zero();
            slot.locks.clear();
            if !std::ptr::eq(slot, survivor) {
                slot.taken.store(false, Ordering::Release);
            }
        }
        survivor.native_id.store(native_id, Ordering::Relaxed);
        self.threads_seen.store(1, Ordering::Relaxed);
        self.loops_seen.store(0, Ordering::Relaxed);
        self.hold().by_address.clear();
    }

    /// What was seen in this process so far.
    pub fn totals(&self) -> Totals {
        let sum = |count: fn(&ThreadSlot) -> &AtomicU64| self.slots().map(|slot| count(slot).load(Ordering::Relaxed)).sum();
        Totals {
            threads: self.threads_seen.load(Ordering::Relaxed),
            loops: self.loops_seen.load(Ordering::Relaxed),
            checks: sum(|slot| &slot.checks),
            accesses: sum(|slot| &slot.accesses),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Realm::{Asyncio, Trio};

    const LOOP: usize = 0x1000;
    const OTHER_LOOP: usize = 0x2000;

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
    fn a_thread_that_was_seen_to_run_a_loop_finds_its_slot() {
        let (loops, a, _) = world();
        let adopted = loops.adopt(3, 33, 333);
        assert!(std::ptr::eq(loops.adopt(1, 11, 111), a), "it has been here");
        loops.started(adopted, Asyncio, LOOP, 3);
        assert!(is_elsewhere(loops.affinity(a, Asyncio, LOOP), 33));
        assert!(std::ptr::eq(loops.enter(3, 33, 333), adopted));
        assert_eq!(loops.totals().threads, 3);
        assert_eq!(loops.affinity(adopted, Asyncio, LOOP), Affinity::Fine);
    }

    #[test]
    fn what_ran_while_nobody_looked_is_forgotten() {
        let (loops, a, b) = world();
        loops.started(a, Asyncio, LOOP, 1);
        let never_here = loops.adopt(3, 33, 333);
        for thread in [a, b, b] {
            thread.count_check();
            thread.count_access();
            thread.count_access();
        }
        let Totals { checks, accesses, .. } = loops.totals();
        assert_eq!((checks, accesses), (3, 6));
        loops.begin_again();
        assert_eq!(loops.affinity(b, Asyncio, LOOP), Affinity::Fine);
        assert_eq!(loops.totals(), Totals { threads: 2, ..Totals::default() });
        assert!(std::ptr::eq(loops.enter(4, 44, 444), never_here), "its slot is free");
    }

    #[test]
    fn a_forked_child_inherits_no_running_loop() {
        let (loops, a, b) = world();
        loops.started(a, Asyncio, LOOP, 1);
        a.count_access();
        b.count_access();
        loops.after_fork(b, 9);
        assert_eq!(loops.totals(), Totals { threads: 1, ..Totals::default() });
        assert_eq!(loops.affinity(b, Asyncio, LOOP), Affinity::Fine);
        assert_eq!(b.native_id(), 9);
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
}
