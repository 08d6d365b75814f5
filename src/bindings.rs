//! Which loop or thread an object that carries neither (Lock, Event, Queue, Deferred, greenlet ...) belongs to.

use crate::loops::{Affinity, Loops, Realm, Runner, ThreadSlot};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many primitives can be bound at once; more than that, and the oldest of a bucket is forgotten (a miss, never a false report).
const BINDINGS: usize = 1 << 14;

/// Which loop or thread an object that carries neither (Lock, Event, Queue, Deferred, greenlet ...) belongs to.
///
/// A primitive belongs to the first running loop that touches it.  Creation inside a running loop, and use by a library of the
/// parts of its own primitives (by a Queue of its Event), binds *softly*: a thread without a loop must keep off, but another loop
/// that starts using it takes it over, which is a legitimate hand-off.
#[derive(Debug)]
pub struct Bindings {
    table: Box<[Binding]>,
    /// Which thread made the object of the entry, where that is asked for.
    makers: Box<[AtomicU64]>,
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
        Bindings {
            table: (0..BINDINGS).map(|_| Binding::default()).collect(),
            makers: (0..BINDINGS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

/// Who had an object at a moment.
#[derive(Debug, Clone, Copy)]
pub struct LastUser(u64);

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
    fn index(object: usize) -> usize {
        // Objects are 16-byte aligned; Fibonacci hashing spreads what is left.
        let hash = (object >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize);
        hash >> (usize::BITS - BINDINGS.trailing_zeros())
    }

    #[inline]
    fn entry(&self, object: usize) -> &Binding {
        &self.table[Self::index(object)]
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
        let id = match slot.running_id(realm) {
            0 if realm.binds_before_the_loop_runs() => slot.id(),
            id => id,
        };
        self.bind(object, if id == 0 { 0 } else { id << 2 | BORN });
    }

    /// As [`Bindings::born`], and which thread made it is kept.
    pub fn made(&self, slot: &ThreadSlot, realm: Realm, object: usize) {
        self.born(slot, realm, object);
        self.makers[Self::index(object)].store(slot.id(), Ordering::Release);
    }

    /// Whether the thread of `slot` is known to have made `object`.
    pub fn is_maker(&self, slot: &ThreadSlot, object: usize) -> bool {
        let index = Self::index(object);
        self.makers[index].load(Ordering::Acquire) == slot.id() && self.table[index].object.load(Ordering::Acquire) == object
    }

    /// The quick answer: the thread of `slot` runs the loop that uses `object`.
    #[inline]
    pub fn is_mine(&self, slot: &ThreadSlot, object: usize) -> bool {
        let owner = self.owner(object);
        owner & BORN == 0 && slot.runs(owner >> 2)
    }

    /// The object at `object` carries its loop itself, and that is the one that the thread of `slot` runs.
    pub fn remember(&self, slot: &ThreadSlot, realm: Realm, object: usize) {
        self.bind(object, slot.running_id(realm) << 2 | HARD);
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.table.iter().for_each(|entry| entry.owner.store(0, Ordering::Release));
        self.makers.iter().for_each(|maker| maker.store(0, Ordering::Release));
    }

    /// The object at the address `object` is gone.
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
        let may = bound == 0 || bound == thread || slot.runs(bound) || (soft && running != 0);
        let mut verdict = Touch::Fine;
        if !may && let Affinity::Elsewhere(runner) = loops.affinity_of_id(slot, bound, realm) {
            if runner.running != 0 {
                return Touch::Elsewhere(runner);
            }
            verdict = Touch::TakenOver(runner);
        }
        let mine = (if running != 0 { running } else { thread }) << 2 | HARD;
        if owner == 0 && mine != HARD && self.entry(object).object.load(Ordering::Acquire) == object {
            // Of two that touch it first at once, one has it.
            if self.entry(object).owner.compare_exchange(0, mine, Ordering::AcqRel, Ordering::Acquire).is_err() {
                return self.touch(loops, slot, realm, object);
            }
        } else if mine != HARD {
            self.bind(object, mine);
        }
        verdict
    }

    /// `object` belongs to the thread of `slot` for good.
    pub fn give_to_thread(&self, slot: &ThreadSlot, object: usize) {
        self.bind(object, slot.thread_id.load(Ordering::Relaxed) << 2 | HARD);
    }

    /// As [`Bindings::give_to_thread`], unless another thread has got it since `last` was found.
    pub fn take(&self, slot: &ThreadSlot, object: usize, last: LastUser) -> bool {
        let entry = self.entry(object);
        if last.0 == 0 || entry.object.load(Ordering::Acquire) != object {
            self.give_to_thread(slot, object);
            return true;
        }
        let mine = slot.thread_id.load(Ordering::Relaxed) << 2 | HARD;
        entry.owner.compare_exchange(last.0, mine, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Who has `object`.
    pub fn last_user(&self, object: usize) -> LastUser {
        LastUser(self.owner(object))
    }

    /// The quick answer: `object` was given to the thread of `slot`.
    #[inline]
    pub fn is_my_threads(&self, slot: &ThreadSlot, object: usize) -> bool {
        self.owner(object) == slot.thread_id.load(Ordering::Relaxed) << 2 | HARD
    }

    /// May the thread of `slot` touch `object`, which belongs to a thread?  `None` if it is nobody's, or that thread has ended.
    pub fn thread_of(&self, loops: &Loops, slot: &ThreadSlot, object: usize) -> Option<Affinity> {
        self.last_user(object).thread(loops, slot)
    }
}

impl LastUser {
    /// As [`Bindings::thread_of`].
    pub fn thread(self, loops: &Loops, slot: &ThreadSlot) -> Option<Affinity> {
        let bound = self.0 >> 2;
        let lives =
            loops.slots().any(|other| other.taken.load(Ordering::Relaxed) && other.thread_id.load(Ordering::Relaxed) == bound);
        (bound != 0 && lives).then(|| loops.affinity_of_id(slot, bound, Realm::Any))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Realm::{Asyncio, Twisted};

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
    }

    #[test]
    fn a_new_loop_at_a_used_address_is_another_loop() {
        for is_new in [false, true] {
            let (loops, a, _) = world();
            let bindings = Bindings::default();
            loops.started(a, Asyncio, LOOP, 1);
            bindings.touch(&loops, a, Asyncio, OBJECT);
            loops.stopped(a, Asyncio);
            if is_new {
                loops.born(LOOP);
            }
            loops.started(a, Asyncio, LOOP, 1);
            assert_eq!(bindings.is_mine(a, OBJECT), !is_new);
        }
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
    fn what_was_made_before_the_reactor_runs_is_its_threads() {
        let (loops, a, b) = world();
        let bindings = Bindings::default();
        bindings.born(a, Twisted, OBJECT);
        loops.started(a, Twisted, LOOP, 1);
        assert!(is_foreign(bindings.touch(&loops, b, Twisted, OBJECT), 11), "the first touch of all");
        bindings.born(b, Twisted, OBJECT);
        assert_eq!(bindings.touch(&loops, a, Twisted, OBJECT), Touch::Fine, "handed to the reactor");
        assert!(is_foreign(bindings.touch(&loops, b, Twisted, OBJECT), 11));
    }

    #[test]
    fn the_maker_of_an_object_is_known_until_another_one_is_made_at_its_address() {
        let (_, a, b) = world();
        let bindings = Bindings::default();
        bindings.made(a, Asyncio, OBJECT);
        assert!(bindings.is_maker(a, OBJECT) && !bindings.is_maker(b, OBJECT));
        bindings.made(b, Asyncio, OBJECT);
        assert!(!bindings.is_maker(a, OBJECT) && bindings.is_maker(b, OBJECT));
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
        let last = bindings.last_user(OBJECT);
        assert!(bindings.take(b, OBJECT, last) && !bindings.take(a, OBJECT, last), "one of two takes it");
        assert!(bindings.is_my_threads(b, OBJECT) && bindings.take(a, OBJECT, bindings.last_user(OBJECT)));
        loops.leave(a);
        assert_eq!(bindings.thread_of(&loops, b, OBJECT), None);
        loops.enter(3, 33, 333);
        assert_eq!(bindings.thread_of(&loops, b, OBJECT), None, "a new thread in the old one's slot");
    }
}
