//! Epochs and vector clocks: what a thread has seen of the others.
//!
//! Threads have slots.  A slot has a clock, which only its thread advances: after each release, so that what a thread does between two
//! releases bears one epoch, and each release has an epoch of its own.  A thread has *seen* an epoch if what was done in it happened
//! before what the thread does now.
//!
//! There are [`SLOTS`] slots, so they are used again.  The thread that gets a slot goes on where the one before it stopped, with what
//! that one had seen: all that is true of a slot's epoch stays true, and the two threads count as one.  That may hide a race of
//! theirs and never invents one; so that it hides few, the slot is one that was never used ([`FRESH`] of them), or else that whose
//! thread has been gone for longest.
//!
//! All of it is atomics without locks: slots are given back by threads that may run while another one forks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering, fence};

/// How many threads can be told apart at the same time.
pub const SLOTS: usize = 1024;

/// How many slots are used before the first is used again.
pub const FRESH: usize = 64;

/// One stretch of a thread, between two of its releases.  The upper four bits are free for whoever stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// Of nothing, or of a thread that is not told apart from others: everybody has seen it.
    pub const NONE: Epoch = Epoch(0);

    const SLOT_SHIFT: u32 = 48;
    const CLOCK_MASK: u64 = (1 << Self::SLOT_SHIFT) - 1;

    #[inline(always)]
    const fn new(slot: u16, clock: u64) -> Self {
        Epoch((slot as u64) << Self::SLOT_SHIFT | clock)
    }

    /// As [`bits`](Self::bits) gave it; the upper four bits do not matter.
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Self {
        Epoch(bits & (u64::MAX >> 4))
    }

    /// The lower 60 bits; not 0 unless there is none.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whose it is: below [`SLOTS`].
    #[inline(always)]
    pub const fn slot(self) -> u16 {
        (self.0 >> Self::SLOT_SHIFT) as u16
    }

    /// When it was, by the slot's clock.
    #[inline(always)]
    pub const fn clock(self) -> u64 {
        self.0 & Self::CLOCK_MASK
    }

    /// Whether it is [`NONE`](Self::NONE).
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// A vector clock that is handed over: what a sync object has, or a thread that is being started.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Clock(Vec<u64>);

impl Clock {
    #[inline]
    fn raise(&mut self, slot: usize, clock: u64) {
        if self.0.len() <= slot {
            self.0.resize(slot + 1, 0);
        }
        self.0[slot] = self.0[slot].max(clock);
    }

    /// Everything before `epoch` in its thread, and itself.
    pub(super) fn add(&mut self, epoch: Epoch) {
        if !epoch.is_none() {
            self.raise(usize::from(epoch.slot()), epoch.clock());
        }
    }

    /// All that is in another one as well.
    pub fn join(&mut self, other: &Clock) {
        other.0.iter().enumerate().for_each(|(slot, clock)| self.raise(slot, *clock));
    }

    /// Nothing was handed over.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// All that the thread of a slot has seen.  Only that thread changes it.
#[derive(Debug)]
pub struct ThreadClock {
    /// Its place in [`Clocks`]; [`UNTRACKED`] if it has none.
    slot: u16,
    /// Slots from here on were not seen at all.
    end: AtomicU16,
    /// The own clock when something was last learnt from another thread.
    joined_at: AtomicU64,
    /// [`Clocks::looks_done`] when the clock was last advanced.
    looks: AtomicU64,
    /// [`LIVE`], or which one the thread was of those that have ended.
    state: AtomicU64,
    /// By slot.  The own one is the slot's clock, which others read.
    seen: Box<[AtomicU64; SLOTS]>,
}

const LIVE: u64 = 0;
const UNTRACKED: u16 = u16::MAX;

impl ThreadClock {
    fn new(slot: u16) -> Self {
        let seen: Box<[AtomicU64]> = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        let clock = ThreadClock {
            slot,
            end: AtomicU16::new(0),
            joined_at: AtomicU64::new(0),
            looks: AtomicU64::new(0),
            state: AtomicU64::new(LIVE),
            seen: seen.try_into().unwrap_or_else(|_| unreachable!("made with this length")),
        };
        if slot != UNTRACKED {
            clock.raise(usize::from(slot), 1);
        }
        clock
    }

    /// Whether this thread is told apart from others.  One that is not counts as ordered with everything.
    #[inline(always)]
    pub fn is_tracked(&self) -> bool {
        self.slot != UNTRACKED
    }

    /// The stretch that this thread is in.
    #[inline(always)]
    pub fn epoch(&self) -> Epoch {
        if self.is_tracked() { Epoch::new(self.slot, self.now()) } else { Epoch::NONE }
    }

    #[inline(always)]
    fn now(&self) -> u64 {
        self.at(usize::from(self.slot))
    }

    #[inline(always)]
    fn at(&self, slot: usize) -> u64 {
        self.seen[slot % SLOTS].load(Ordering::Relaxed)
    }

    /// Whether what was done in `epoch` happened before what this thread does now.
    #[inline(always)]
    pub fn has_seen(&self, epoch: Epoch) -> bool {
        self.at(usize::from(epoch.slot())) >= epoch.clock() || !self.is_tracked()
    }

    /// Notes that `slot` was seen up to `clock`; whether that is news.
    #[inline]
    fn raise(&self, slot: usize, clock: u64) -> bool {
        if self.at(slot) >= clock {
            return false;
        }
        self.seen[slot].store(clock, Ordering::Relaxed);
        if usize::from(self.end.load(Ordering::Relaxed)) <= slot {
            self.end.store(slot as u16 + 1, Ordering::Relaxed);
        }
        true
    }

    /// Hands over what this thread has done and seen; whether that is all that `clock` has now.  Follow it with [`advance`](Self::advance).
    pub fn release_into(&self, clocks: &Clocks, clock: &mut Clock) -> bool {
        if !self.is_tracked() {
            clocks.each_now(|slot, now| clock.raise(slot, now));
            return false;
        }
        let end = usize::from(self.end.load(Ordering::Relaxed));
        if clock.0.len() < end {
            clock.0.resize(end, 0);
        }
        let mut is_all = clock.0[end..].iter().all(|beyond| *beyond == 0);
        for (theirs, mine) in clock.0.iter_mut().zip(&self.seen[..end]) {
            let mine = mine.load(Ordering::Relaxed);
            is_all &= *theirs <= mine;
            *theirs = (*theirs).max(mine);
        }
        is_all
    }

    /// Takes over what was handed over in `clock`.
    pub fn acquire_from(&self, clocks: &Clocks, clock: &Clock) {
        if !self.is_tracked() {
            return;
        }
        let mut is_news = false;
        for (slot, theirs) in clock.0.iter().enumerate() {
            is_news |= self.raise(slot, *theirs);
        }
        if is_news {
            self.note_join(clocks);
        }
    }

    /// Everything that any thread has done up to now happened before what this thread does from now on.
    pub fn acquire_all(&self, clocks: &Clocks) {
        if !self.is_tracked() {
            return;
        }
        clocks.full_joins_started.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let mut is_news = false;
        clocks.each_now(|slot, now| is_news |= self.raise(slot, now));
        clocks.looks_done.fetch_add(1, Ordering::Release);
        if is_news {
            self.note_join(clocks);
        }
    }

    /// An epoch stands for all that its thread had seen in it.  A thread that takes over everything
    /// ([`acquire_all`](Self::acquire_all)) sees threads in the middle of an epoch, so all that they learn after that belongs to
    /// the next one.  The fences order the look and the learning: either the look finds what was learnt here, or it is noticed
    /// here.
    fn note_join(&self, clocks: &Clocks) {
        fence(Ordering::SeqCst);
        if clocks.full_joins_started.load(Ordering::SeqCst) != self.looks.load(Ordering::Relaxed) {
            self.advance(clocks);
        }
        self.joined_at.store(self.now(), Ordering::Relaxed);
    }

    /// Whether nothing was learnt from other threads since `epoch`, which is the own one of an earlier release.
    #[inline]
    pub(super) fn has_learnt_nothing_since(&self, epoch: Epoch) -> bool {
        epoch.slot() == self.slot && self.joined_at.load(Ordering::Relaxed) <= epoch.clock()
    }

    /// Begins a new stretch: everything from now on was not handed over.
    #[inline]
    pub fn advance(&self, clocks: &Clocks) {
        if self.is_tracked() {
            self.looks.store(clocks.looks_done.load(Ordering::Acquire), Ordering::Relaxed);
            self.seen[usize::from(self.slot) % SLOTS].store(self.now() + 1, Ordering::Release);
        }
    }
}

/// The slots of a process.
#[derive(Debug)]
pub struct Clocks {
    slots: [OnceLock<ThreadClock>; SLOTS],
    /// How many of them were ever used.
    used: AtomicUsize,
    /// How many threads have ended.
    ended: AtomicU64,
    /// How often a thread has begun to take over everything, and was done with it.
    full_joins_started: AtomicU64,
    looks_done: AtomicU64,
    untracked: ThreadClock,
    has_untracked: AtomicBool,
}

impl Default for Clocks {
    fn default() -> Self {
        Clocks {
            slots: [const { OnceLock::new() }; SLOTS],
            used: AtomicUsize::new(0),
            ended: AtomicU64::new(LIVE),
            full_joins_started: AtomicU64::new(0),
            looks_done: AtomicU64::new(0),
            untracked: ThreadClock::new(UNTRACKED),
            has_untracked: AtomicBool::new(false),
        }
    }
}

impl Clocks {
    /// The clock of a new thread.
    pub fn enter(&self) -> &ThreadClock {
        self.fresh(FRESH).or_else(|| self.again()).or_else(|| self.fresh(SLOTS)).unwrap_or_else(|| {
            self.has_untracked.store(true, Ordering::Relaxed);
            &self.untracked
        })
    }

    /// A slot that was never used, if fewer than `most` were.
    fn fresh(&self, most: usize) -> Option<&ThreadClock> {
        let place = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used < most).then_some(used + 1)).ok()?;
        Some(self.slots[place].get_or_init(|| ThreadClock::new(place as u16)))
    }

    /// The slot whose thread has been gone for longest.
    fn again(&self) -> Option<&ThreadClock> {
        loop {
            let free = self.slots().map(|clock| (clock.state.load(Ordering::Relaxed), clock));
            let (state, clock) = free.filter(|(state, _)| *state != LIVE).min_by_key(|(state, _)| *state)?;
            // Acquires what the thread before wrote.
            if clock.state.compare_exchange(state, LIVE, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                clock.advance(self);
                return Some(clock);
            }
        }
    }

    /// The thread of `clock` is gone.
    pub fn leave(&self, clock: &ThreadClock) {
        if clock.is_tracked() {
            clock.state.store(self.ended.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Release);
        }
    }

    /// In the child of a fork only the thread of `survivor` is left.
    pub fn after_fork(&self, survivor: &ThreadClock) {
        self.slots()
            .filter(|clock| clock.slot != survivor.slot && clock.state.load(Ordering::Relaxed) == LIVE)
            .for_each(|clock| self.leave(clock));
    }

    /// Whether there was ever more than one thread.
    pub fn has_two(&self) -> bool {
        self.used.load(Ordering::Relaxed) > 1
    }

    /// Whether there were ever more threads than slots.
    pub fn has_untracked(&self) -> bool {
        self.has_untracked.load(Ordering::Relaxed)
    }

    fn slots(&self) -> impl Iterator<Item = &ThreadClock> {
        self.slots[..self.used.load(Ordering::Relaxed)].iter().filter_map(OnceLock::get)
    }

    /// All that the thread in this slot has done and seen up to now; nothing if there was none.
    pub fn snapshot(&self, slot: u16) -> Clock {
        let mut snapshot = Clock::default();
        let Some(thread) = self.slots.get(usize::from(slot)).and_then(OnceLock::get) else { return snapshot };
        self.full_joins_started.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        for seen in 0..usize::from(thread.end.load(Ordering::Acquire)) {
            snapshot.raise(seen, thread.seen[seen].load(Ordering::Acquire));
        }
        self.looks_done.fetch_add(1, Ordering::Release);
        snapshot
    }

    fn each_now(&self, mut act: impl FnMut(usize, u64)) {
        self.slots().for_each(|clock| act(usize::from(clock.slot), clock.now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand_over(clocks: &Clocks, from: &ThreadClock, to: &ThreadClock) {
        let mut clock = Clock::default();
        from.release_into(clocks, &mut clock);
        from.advance(clocks);
        to.acquire_from(clocks, &clock);
    }

    #[test]
    fn what_was_handed_over_is_seen_and_what_came_after_is_not() {
        let clocks = Clocks::default();
        let (a, b, c) = (clocks.enter(), clocks.enter(), clocks.enter());
        let first = a.epoch();
        assert!(a.has_seen(first) && !b.has_seen(first));
        hand_over(&clocks, a, b);
        assert!(b.has_seen(first) && !b.has_seen(a.epoch()) && !c.has_seen(first));
        hand_over(&clocks, b, c);
        assert!(c.has_seen(first), "by way of another thread");
    }

    #[test]
    fn everybody_has_seen_nothing() {
        let clocks = Clocks::default();
        assert!(clocks.enter().has_seen(Epoch::NONE) && clocks.enter().has_seen(Epoch::NONE));
        assert!(Epoch::NONE.is_none() && !clocks.enter().epoch().is_none());
    }

    #[test]
    fn the_upper_bits_of_an_epoch_are_free() {
        let clocks = Clocks::default();
        clocks.enter();
        let epoch = clocks.enter().epoch();
        assert_eq!(Epoch::from_bits(epoch.bits() | 0xa << 60), epoch);
        assert_eq!((epoch.slot(), epoch.clock()), (1, 1));
    }

    #[test]
    fn fresh_slots_come_first_and_then_the_one_whose_thread_has_been_gone_for_longest() {
        let clocks = Clocks::default();
        let mut seen = Vec::new();
        for _ in 0..FRESH {
            let clock = clocks.enter();
            seen.push(clock.slot);
            clocks.leave(clock);
        }
        assert_eq!(seen, (0..FRESH as u16).collect::<Vec<_>>());
        assert_eq!([clocks.enter().slot, clocks.enter().slot], [0, 1]);
        clocks.leave(clocks.slots[1].get().unwrap());
        assert_eq!(clocks.enter().slot, 2);
    }

    #[test]
    fn a_slot_goes_on_with_all_that_the_thread_before_had_seen() {
        let clocks = Clocks::default();
        let threads: Vec<&ThreadClock> = (0..FRESH).map(|_| clocks.enter()).collect();
        let (before, other) = (threads[3], threads[4]);
        let (epoch, theirs) = (before.epoch(), other.epoch());
        hand_over(&clocks, other, before);
        clocks.leave(before);
        let now = clocks.enter();
        assert_eq!(now.slot, 3);
        assert!(now.epoch().clock() > epoch.clock() && now.has_seen(epoch) && now.has_seen(theirs));
    }

    #[test]
    fn a_thread_too_many_is_ordered_with_everything_and_hands_everything_on() {
        let clocks = Clocks::default();
        let threads: Vec<&ThreadClock> = (0..SLOTS).map(|_| clocks.enter()).collect();
        assert!(threads.iter().all(|clock| clock.is_tracked()) && !clocks.has_untracked());
        let many = clocks.enter();
        assert!(!many.is_tracked() && clocks.has_untracked() && many.epoch().is_none());
        assert!(many.has_seen(threads[7].epoch()));
        let epoch = threads[7].epoch();
        assert!(!threads[8].has_seen(epoch));
        hand_over(&clocks, many, threads[8]);
        assert!(threads[8].has_seen(epoch));
    }

    #[test]
    fn who_takes_over_everything_does_not_take_what_is_learnt_later_for_known() {
        let clocks = Clocks::default();
        let (a, b, finalizer) = (clocks.enter(), clocks.enter(), clocks.enter());
        a.advance(&clocks);
        finalizer.acquire_all(&clocks);
        let (seen, later) = (b.epoch(), a.epoch());
        assert!(finalizer.has_seen(seen) && finalizer.has_seen(later));
        hand_over(&clocks, a, b);
        assert!(!finalizer.has_seen(b.epoch()), "the epoch in which b learns is another one");
    }

    #[test]
    fn after_a_fork_the_slots_of_the_others_are_free() {
        let clocks = Clocks::default();
        let threads: Vec<&ThreadClock> = (0..FRESH).map(|_| clocks.enter()).collect();
        clocks.after_fork(threads[0]);
        assert_eq!(clocks.enter().slot, 1);
    }

    #[test]
    fn there_were_two_once_a_second_thread_has_entered() {
        let clocks = Clocks::default();
        let first = clocks.enter();
        assert!(!clocks.has_two());
        clocks.leave(first);
        assert!(!clocks.has_two());
        clocks.enter();
        clocks.enter();
        assert!(clocks.has_two());
    }

    #[test]
    fn threads_that_come_and_go_at_the_same_time_have_slots_of_their_own() {
        let clocks = Clocks::default();
        let rounds = if cfg!(miri) { 25 } else { 2_000 };
        let taken = [const { AtomicBool::new(false) }; SLOTS];
        let last = [const { AtomicU64::new(0) }; SLOTS];
        let run = || {
            for _ in 0..rounds {
                let clock = clocks.enter();
                let place = usize::from(clock.slot);
                assert!(!taken[place].swap(true, Ordering::Relaxed), "another thread has it");
                clock.advance(&clocks);
                let now = clock.epoch().clock();
                assert!(last[place].swap(now, Ordering::Relaxed) < now, "the slot's clock goes on");
                taken[place].store(false, Ordering::Relaxed);
                clocks.leave(clock);
            }
        };
        std::thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(run))));
    }

    #[test]
    fn who_takes_over_everything_has_learnt_from_others() {
        let clocks = Clocks::default();
        let (a, b) = (clocks.enter(), clocks.enter());
        let before = a.epoch();
        assert!(a.has_learnt_nothing_since(before) && !b.has_learnt_nothing_since(before), "that of another thread");
        a.acquire_all(&clocks);
        assert!(a.has_seen(b.epoch()) && !a.has_learnt_nothing_since(before));
        let again = a.epoch();
        a.acquire_all(&clocks);
        assert!(a.has_learnt_nothing_since(again), "nothing new");
    }

    #[test]
    fn a_clock_that_is_cleared_hands_nothing_over() {
        let clocks = Clocks::default();
        let (a, b) = (clocks.enter(), clocks.enter());
        let mut clock = Clock::default();
        a.release_into(&clocks, &mut clock);
        clock.clear();
        b.acquire_from(&clocks, &clock);
        assert!(!b.has_seen(a.epoch()));
    }
}
