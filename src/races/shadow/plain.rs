//! Plain accesses: a thread does once more what it has done before, and there is no race to judge.  Most accesses are plain, and are noted
//! here by the shortest way.
//!
//! What is remembered of them is what [`judge`](super::judge) remembers, which knows all cases: the tests of `model` go both ways.

use super::cell::{Cell, Moment, Read, WRITES, is_of, is_seen, own_place, place, state};
use super::change::Change;
#[cfg(test)]
use crate::races::access::Access;
use crate::races::access::{AccessSite, Value};
use crate::races::clock::{Epoch, ThreadClock};
use crate::races::facts::{AccessFacts, Turn};
use crate::races::matrix::AccessKind;
use crate::races::memory::ThreadHistory;
use crate::rules::Severity;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed},
};

/// An access of which no more is known than this, and which is made now.
#[derive(Debug, Clone, Copy)]
pub struct PlainAccess {
    /// As [`Access::kind`](crate::races::access::Access::kind).
    pub kind: AccessKind,
    /// As [`Access::value`](crate::races::access::Access::value).
    pub value: Value,
    /// As [`Access::site`](crate::races::access::Access::site).
    pub site: u32,
    /// As [`Access::code`](crate::races::access::Access::code).
    pub code: u32,
    /// As [`Access::facts`](crate::races::access::Access::facts).
    pub facts: AccessFacts,
    /// As [`Access::turn`](crate::races::access::Access::turn).
    pub turn: Turn,
}

/// Facts with which there is more to do than to remember an access.
const NOT_PLAIN: AccessFacts = AccessFacts(AccessFacts::ASKED.0 | AccessFacts::GUARD.0 | AccessFacts::FILLED.0);

/// The cell of a location.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    pub(super) key: u64,
    pub(super) cell: &'a Cell,
}

impl Spot<'_> {
    /// Which location: not 0.
    #[inline(always)]
    pub fn location(self) -> u64 {
        self.key
    }

    /// Whether the cell was not given to another location meanwhile.
    #[inline(always)]
    pub fn is_current(self) -> bool {
        self.cell.key.load(Acquire) == self.key
    }

    /// When what is there was made, if that was by another thread of which the one of this clock has not heard since, and no read that came too early is
    /// told yet.  A hint: nothing is locked.
    #[inline]
    pub fn made_elsewhere(self, clock: &ThreadClock) -> Option<Moment> {
        const MADE: u16 = state::MADE | AccessKind::Write as u16;
        let last = self.cell.last();
        let now = last.state.load(Relaxed);
        let is_told = (now & state::LEVEL) >> state::REPORTED > Severity::Warning as u16;
        (now & (state::MADE | state::KIND) == MADE && !is_told && !is_seen(&last.epoch, clock)).then(|| Moment::of(last))
    }

    /// A look, without the cell's lock, at whether an access does once more what was done before.  Plain are
    ///
    /// - a read of what the thread has read before, if all writes are ordered before it;
    /// - a write that is the same update as the last write, by the same thread and instruction, and goes back to the same read, if all that the
    ///   cell remembers is ordered before it.
    #[inline(always)]
    pub fn look<'a>(self, access: &'a PlainAccess, clock: &'a ThreadClock, memory: &'a ThreadHistory) -> Look<'a>
    where
        Self: 'a,
    {
        let now = Repeated { spot: self, access, clock, memory, epoch: clock.epoch() };
        let (is_read, is_write) = (access.kind == AccessKind::Read, access.kind == AccessKind::Write);
        if access.facts.has_any(NOT_PLAIN) || now.epoch.is_none() {
            return Look::NotPlain;
        }
        // A read has a value if what it decides would store another one this time.
        if is_read && access.value == Value::UNKNOWN && !memory.has_flag() && now.has_read() {
            if self.cell.has_noted(access.kind, access.site, now.epoch) {
                memory.version.set(self.cell.version.load(Relaxed));
                return Look::Noted;
            }
            return Look::MayBePlain(now);
        }
        if is_write && now.is_by_the_last_writer() { Look::MayBePlain(now) } else { Look::NotPlain }
    }
}

/// What a look at the cell says of an access.
pub enum Look<'a> {
    /// A read that was noted before, and is nothing new.
    Noted,
    /// There is more to it.
    NotPlain,
    /// It is to be [noted](Repeated::note) under the cell's lock, with the thread's stack.
    MayBePlain(Repeated<'a>),
}

/// An access that is plain, unless others come in between.
pub struct Repeated<'a> {
    spot: Spot<'a>,
    access: &'a PlainAccess,
    clock: &'a ThreadClock,
    memory: &'a ThreadHistory,
    epoch: Epoch,
}

impl Repeated<'_> {
    /// Notes it; if it is not plain, nothing is noted, and the result is `false`.
    #[inline(always)]
    #[must_use]
    pub fn note(&self, stack: u32) -> bool {
        let cell = self.spot.cell;
        let _held = cell.lock.lock();
        let is_read = self.access.kind == AccessKind::Read;
        let sequence = self.memory.sequence.get().wrapping_add(1);
        let is_noted = self.spot.is_current() && if is_read { self.read(stack) } else { self.update(stack, sequence) };
        if is_noted {
            self.memory.sequence.set(sequence);
            self.memory.version.set(cell.version.load(Relaxed));
        }
        is_noted
    }

    /// The place among the readers that the thread takes if it can, when the one that has it has read last, and what is known of that read.
    #[inline(always)]
    fn own(&self) -> (usize, &AtomicU64, &Read) {
        let (epochs, reads) = self.spot.cell.reads_of(AccessKind::Read);
        let index = own_place(epochs, self.epoch);
        (index, &epochs[index], &reads[index])
    }

    #[inline(always)]
    fn has_read(&self) -> bool {
        is_of(self.own().1, self.epoch)
    }

    /// Whether the last write was the thread's, by the same instruction.
    #[inline(always)]
    fn is_by_the_last_writer(&self) -> bool {
        let last = self.spot.cell.last();
        is_of(&last.epoch, self.epoch) && last.site.load(Relaxed) == self.access.site
    }

    /// Under the lock of the cell: notes a read, if it is plain.
    #[inline(always)]
    fn read(&self, stack: u32) -> bool {
        let (cell, (index, when, own)) = (self.spot.cell, self.own());
        if !self.has_read() || own.has_waited() || !cell.writes.iter().all(|write| is_seen(&write.epoch, self.clock)) {
            return false;
        }
        let state = AccessKind::Read as u16 | self.access.facts.of_read();
        let is_again = own.is_looked_at_again(self.access.facts, self.access.code);
        let here = if is_again { place(&own.site, &own.stack) } else { AccessSite { site: self.access.site, stack } };
        when.store(self.epoch.bits(), Relaxed);
        own.keep(here, self.access.code, state, cell.version.load(Relaxed));
        own.flag.store(0, Relaxed);
        cell.read_marks[index].store(self.access.turn.0, Relaxed);
        true
    }

    /// Under the lock of the cell: notes a write, if it is plain.
    #[inline(always)]
    fn update(&self, stack: u32, sequence: u32) -> bool {
        let (cell, last, (_, _, own)) = (self.spot.cell, self.spot.cell.last(), self.own());
        let goes_back = self.has_read()
            && own.site.load(Relaxed) == last.check_site.load(Relaxed)
            && own.code.load(Relaxed) == self.access.code
            && own.state.load(Relaxed) & (state::POLLED | state::WAITED | state::TESTED) == 0;
        let is_update = last.state.load(Relaxed) & !(state::LEVEL | state::ACTING) == AccessKind::Update as u16;
        let is_decided = own.state.load(Relaxed) & state::ACTING != 0;
        if !goes_back || !is_update || !self.is_by_the_last_writer() || !cell.is_ordered(self.clock) {
            return false;
        }
        let value = self.access.value.after(Value(last.value.load(Relaxed)));
        let check = Some(place(&own.site, &own.stack));
        let change = Change { check, is_decided, ..Change::blind(AccessKind::Update, value) };
        // What it does not stand for stays.
        const { assert!(WRITES == 2, "there is one other write") };
        let other = &cell.writes[1 - usize::from(cell.last.load(Relaxed)) % WRITES];
        if other.epoch.load(Relaxed) != 0 && change.stands_for(cell, other) {
            return false;
        }
        let version = cell.version.load(Relaxed);
        let next = version.wrapping_add(1);
        last.epoch.store(self.epoch.bits(), Relaxed);
        last.value.store(change.value.0, Relaxed);
        last.stack.store(stack, Relaxed);
        last.check_stack.store(own.stack.load(Relaxed), Relaxed);
        last.before.store(last.sequence.load(Relaxed), Relaxed);
        last.sequence.store(sequence, Relaxed);
        last.state.store(change.state(), Relaxed);
        last.version.store(next, Relaxed);
        cell.version.store(next, Relaxed);
        if own.version.load(Relaxed) == version {
            own.version.store(next, Relaxed);
        }
        true
    }
}

#[cfg(test)]
impl Spot<'_> {
    /// Notes an access if it is plain, as the native module does: whether it was.
    pub(in crate::races) fn note_plainly(self, access: &Access, clock: &ThreadClock, memory: &ThreadHistory, stack: u32) -> bool {
        let Access { kind, value, site, code, facts, turn, .. } = *access;
        if access.epoch.is_some() {
            return false;
        }
        match self.look(&PlainAccess { kind, value, site, code, facts, turn }, clock, memory) {
            Look::Noted => true,
            Look::NotPlain => false,
            Look::MayBePlain(now) => now.note(stack),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::access::Race;
    use crate::races::clock::{Clocks, SLOTS};
    use crate::races::memory::{MEANWHILE, NEVER};
    use crate::races::shadow::{Group, Shadow};

    /// Two threads, of which the second one notes by the short way what it can, or never.
    struct Bench {
        clocks: Clocks,
        shadow: Shadow<Box<[Group]>>,
        memories: [ThreadHistory; 2],
        is_short: bool,
    }

    impl Bench {
        fn both() -> [Self; 2] {
            [true, false].map(|is_short| {
                let (clocks, shadow) = (Clocks::default(), Shadow::of_bytes(1 << 16));
                Bench { clocks, shadow, memories: Default::default(), is_short }
            })
        }

        /// In an epoch of its own; what it races with.
        fn go(&self, thread: usize, threads: [&ThreadClock; 2], access: Access) -> Vec<Race> {
            threads[thread].advance(&self.clocks);
            self.go_on(thread, threads, access)
        }

        /// In the epoch that the thread is in.
        fn go_on(&self, thread: usize, threads: [&ThreadClock; 2], access: Access) -> Vec<Race> {
            let (clock, memory) = (threads[thread], &self.memories[thread]);
            let spot = self.shadow.spot(access.location);
            if self.is_short && spot.note_plainly(&access, clock, memory, 7) {
                return Vec::new();
            }
            self.shadow.access_at(spot, &access, clock, memory, || 7).1
        }
    }

    fn access(kind: AccessKind, location: u64, site: u32) -> Access {
        Access { location, ..Access::new(kind, site, 1) }
    }

    #[test]
    fn a_flag_that_was_seen_since_the_last_read_is_heeded_and_one_that_is_forgotten_is_not() {
        let flag = Access { value: Value::flag(16), ..access(AccessKind::Write, 1, 1) };
        let look = access(AccessKind::Read, 1, 2).with(AccessFacts::TESTED);
        let read = access(AccessKind::Read, 2, 3);
        for (advances, is_forgotten, expected) in [(true, false, true), (false, false, true), (true, true, false)] {
            for bench in Bench::both() {
                let threads = [bench.clocks.enter(), bench.clocks.enter()];
                let go = |access| if advances { bench.go(1, threads, access) } else { bench.go_on(1, threads, access) };
                go(read);
                bench.go(0, threads, flag);
                go(look);
                go(read);
                if is_forgotten {
                    bench.memories[1].forget();
                    go(read);
                }
                let races = bench.go(0, threads, access(AccessKind::Write, 2, 4));
                assert_eq!(races.iter().any(|race| race.published_early), expected, "by the short way: {}", bench.is_short);
            }
        }
    }

    #[test]
    fn what_is_known_of_a_read_is_known_of_the_last_one() {
        for bench in Bench::both() {
            let threads = [bench.clocks.enter(), bench.clocks.enter()];
            let cell = bench.shadow.spot(1).cell;
            for turn in [Turn::NONE, Turn::UNSET, Turn::SET] {
                bench.go(1, threads, Access { turn, ..access(AccessKind::Read, 1, 1) });
                let own = cell.own_read(threads[1].epoch()).expect("it has read");
                assert_eq!(own.marks, turn.0, "by the short way: {}", bench.is_short);
            }
            bench.go(1, threads, access(AccessKind::Read, 1, 2).with(AccessFacts::POLLED));
            bench.go(1, threads, access(AccessKind::Read, 1, 3));
            let own = cell.own_read(threads[1].epoch()).expect("it has read");
            assert!(own.read.has_waited(), "by the short way: {}", bench.is_short);
        }
    }

    #[test]
    fn what_is_remembered_is_the_same_by_both_ways() {
        let facts = [AccessFacts::NONE, AccessFacts::TESTED, AccessFacts::POLLED];
        for pair in facts.into_iter().flat_map(|first| facts.map(|second| [first, second])) {
            let remembered = Bench::both().map(|bench| {
                let threads = [bench.clocks.enter(), bench.clocks.enter()];
                // Instructions have the same facts each time, but for those that stand for several.
                for facts in [pair[0], pair[0], pair[1]] {
                    bench.go(1, threads, access(AccessKind::Read, 1, 1).with(facts));
                    bench.go_on(1, threads, access(AccessKind::Write, 1, 2));
                }
                bench.shadow.remembered(1)
            });
            assert_eq!(remembered[0], remembered[1], "{pair:?}");
        }
    }

    #[test]
    fn an_update_that_was_told_is_news_when_it_is_made_again() {
        for bench in Bench::both() {
            let threads = [bench.clocks.enter(), bench.clocks.enter()];
            let told = [(); 3].map(|()| {
                threads[1].acquire_all(&bench.clocks);
                bench.go(1, threads, access(AccessKind::Read, 1, 1));
                bench.go(1, threads, access(AccessKind::Write, 1, 2));
                bench.go(0, threads, access(AccessKind::Read, 1, 3)).len()
            });
            assert_eq!(told, [1; 3], "by the short way: {}", bench.is_short);
        }
    }

    #[test]
    fn how_often_a_location_was_written_is_known_after_each_read() {
        for bench in Bench::both() {
            let threads = [bench.clocks.enter(), bench.clocks.enter()];
            for location in [1, 2, 2] {
                bench.go(1, threads, access(AccessKind::Write, location, 1));
            }
            let versions = [1, 2, 1, 2].map(|location| {
                bench.go_on(1, threads, access(AccessKind::Read, location, 2));
                bench.memories[1].version()
            });
            assert_eq!(versions, [1, 2, 1, 2], "by the short way: {}", bench.is_short);
        }
    }

    #[test]
    fn a_thread_that_is_not_told_apart_does_nothing_again() {
        let [bench, _] = Bench::both();
        let first = bench.clocks.enter();
        bench.go(0, [first; 2], access(AccessKind::Read, 1, 1));
        let untracked = (0..SLOTS).map(|_| bench.clocks.enter()).last().expect("there are some");
        let read = PlainAccess {
            kind: AccessKind::Read,
            value: Value::UNKNOWN,
            site: 1,
            code: 1,
            facts: AccessFacts::NONE,
            turn: Turn::NONE,
        };
        assert!(!untracked.is_tracked());
        assert!(matches!(bench.shadow.spot(1).look(&read, untracked, &bench.memories[1]), Look::NotPlain));
    }

    #[test]
    fn an_update_by_the_instruction_of_another_thread_is_none_of_its_own() {
        for bench in Bench::both() {
            let threads = [bench.clocks.enter(), bench.clocks.enter()];
            let cell = bench.shadow.spot(1).cell;
            for (thread, before, has_written) in [(0, NEVER, [true, false]), (1, MEANWHILE, [true, true]), (1, 2, [true, true])] {
                threads[thread].acquire_all(&bench.clocks);
                for (kind, site) in [(AccessKind::Read, 1), (AccessKind::Write, 2)] {
                    bench.go(thread, threads, access(kind, 1, site));
                }
                assert_eq!(threads.map(|clock| cell.has_written(u32::from(clock.epoch().slot()))), has_written);
                let known = cell.last().before.load(Relaxed);
                assert!(known == before || before == 2 && ![NEVER, MEANWHILE].contains(&known), "{known}");
            }
        }
    }
}
