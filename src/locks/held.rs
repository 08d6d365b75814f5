//! The locks that a thread holds.
//!
//! Only the thread itself adds; another thread may take one away, which is what happens if it releases a lock that is not its own, or
//! when a lock dies that is held.  There are no locks in here, nothing is allocated, and there is room for [`MOST`]: of more than that
//! it is known only that there are more ([`HeldLocks::is_complete`]).
//!
//! A lock that is held no more must not stay.

use super::LockId;
use crate::races::mix;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// By what a lock is acquired or released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// `acquire` and `release`.
    Call,
    /// `__enter__` and `__exit__`.
    With,
    /// `_release_save` and `_acquire_restore`: a condition is waited for.
    Wait,
}

/// How many locks of a thread are known.
pub const MOST: usize = 32;

/// How many semaphores of a thread are known; of more than that, the last ones.
const GATES: usize = 8;

/// How many pairs a thread remembers to have told the [order](super::order) of.
const REMEMBERED: usize = 64;

/// A lock that a thread holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Which one.
    pub lock: LockId,
    /// Where it is, as reports show it.
    pub address: usize,
    /// Where it was acquired (opaque here).
    pub stack: u32,
    /// The task that acquired it (opaque here), 0 for none.
    pub task: usize,
    /// Acquired by a `with` statement.
    pub by_with: bool,
    /// May be acquired again by the thread that holds it.
    pub is_reentrant: bool,
    /// Which lock the thread had acquired last of those that it held then, 0 for none.
    pub under: LockId,
}

#[derive(Debug, Default)]
struct Entry {
    /// 0: free.  Written last.
    lock: AtomicU32,
    under: AtomicU32,
    stack: AtomicU32,
    address: AtomicUsize,
    task: AtomicUsize,
    by_with: AtomicBool,
    is_reentrant: AtomicBool,
    is_told: AtomicBool,
}

impl Entry {
    fn read(&self) -> Option<Held> {
        let lock = self.lock.load(Ordering::Acquire);
        (lock != 0).then(|| Held {
            lock,
            address: self.address.load(Ordering::Relaxed),
            stack: self.stack.load(Ordering::Relaxed),
            task: self.task.load(Ordering::Relaxed),
            by_with: self.by_with.load(Ordering::Relaxed),
            is_reentrant: self.is_reentrant.load(Ordering::Relaxed),
            under: self.under.load(Ordering::Relaxed),
        })
    }
}

/// The locks that one thread holds.
#[derive(Debug)]
pub struct HeldLocks {
    entries: [Entry; MOST],
    /// All entries from here on are free.
    end: AtomicUsize,
    /// How many are held that there was no room for.
    beyond: AtomicU32,
    /// Which one is being waited for, while others are held.
    wanted: AtomicU32,
    /// Semaphores, by the locks inside them, that were acquired and perhaps not released.
    gates: [AtomicU32; GATES],
    next_gate: AtomicUsize,
    /// By hash.
    remembered: [AtomicU64; REMEMBERED],
}

impl Default for HeldLocks {
    fn default() -> Self {
        HeldLocks {
            entries: std::array::from_fn(|_| Entry::default()),
            end: AtomicUsize::new(0),
            beyond: AtomicU32::new(0),
            wanted: AtomicU32::new(0),
            gates: [const { AtomicU32::new(0) }; GATES],
            next_gate: AtomicUsize::new(0),
            remembered: [const { AtomicU64::new(0) }; REMEMBERED],
        }
    }
}

impl HeldLocks {
    /// Whether none is known.  It may take until the next call of [`HeldLocks::release`] for this to be noticed.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.end.load(Ordering::Relaxed) == 0
    }

    /// Whether no other locks are held than those that are known.
    pub fn is_complete(&self) -> bool {
        self.beyond.load(Ordering::Relaxed) == 0
    }

    /// The thread has acquired a lock; false if there is no room for it.
    #[inline]
    pub fn acquire(&self, held: Held) -> bool {
        let end = self.end.load(Ordering::Relaxed);
        let free = self.entries.iter().position(|entry| entry.lock.load(Ordering::Acquire) == 0);
        let Some(place) = free else {
            self.beyond.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        let entry = &self.entries[place];
        entry.address.store(held.address, Ordering::Relaxed);
        entry.stack.store(held.stack, Ordering::Relaxed);
        entry.task.store(held.task, Ordering::Relaxed);
        entry.under.store(held.under, Ordering::Relaxed);
        entry.by_with.store(held.by_with, Ordering::Relaxed);
        entry.is_reentrant.store(held.is_reentrant, Ordering::Relaxed);
        entry.is_told.store(false, Ordering::Relaxed);
        entry.lock.store(held.lock, Ordering::Release);
        self.end.store(end.max(place + 1), Ordering::Relaxed);
        true
    }

    /// The thread is about to wait for a lock while it holds others, or has not to wait any more if that is 0.
    #[inline(always)]
    pub fn want(&self, lock: LockId) {
        if self.wanted.load(Ordering::Relaxed) != lock {
            self.wanted.store(lock, Ordering::Relaxed);
        }
    }

    /// Whether the thread holds one lock and waits for another one.
    pub fn waits(&self, held: LockId, wanted: LockId) -> bool {
        self.wanted.load(Ordering::Relaxed) == wanted && self.entries.iter().any(|entry| entry.lock.load(Ordering::Acquire) == held)
    }

    /// The thread acquires a semaphore.  Its lock stands for it, which is held only for a moment.
    pub fn enter_gate(&self, lock: LockId) {
        if self.gates.iter().all(|gate| gate.load(Ordering::Relaxed) != lock) {
            let free = self.gates.iter().position(|gate| gate.load(Ordering::Relaxed) == 0);
            let place = free.unwrap_or_else(|| self.next_gate.fetch_add(1, Ordering::Relaxed) % GATES);
            self.gates[place].store(lock, Ordering::Relaxed);
        }
    }

    /// The thread releases a semaphore, which it may not have acquired.
    pub fn leave_gate(&self, lock: LockId) {
        if let Some(gate) = self.gates.iter().find(|gate| gate.load(Ordering::Relaxed) == lock) {
            gate.store(0, Ordering::Relaxed);
        }
    }

    /// Which of the known ones was acquired last, 0 if there is none.
    #[inline]
    pub fn last(&self) -> LockId {
        let end = self.end.load(Ordering::Relaxed).min(MOST);
        self.entries[..end].last().map_or(0, |entry| entry.lock.load(Ordering::Relaxed))
    }

    /// All that may keep other threads out: the locks that are known and the semaphores, sorted.
    pub fn guards(&self) -> Box<[LockId]> {
        let gates = self.gates.iter().map(|gate| gate.load(Ordering::Relaxed)).filter(|gate| *gate != 0);
        let mut all: Vec<LockId> = self.iter().map(|held| held.lock).chain(gates).collect();
        all.sort_unstable();
        all.dedup();
        all.into()
    }

    /// The thread releases a lock; whether it is known to have it.
    #[inline]
    pub fn release(&self, lock: LockId) -> bool {
        self.want(0);
        let end = self.end.load(Ordering::Relaxed).min(MOST);
        let found = self.entries[..end].iter().rposition(|entry| entry.lock.load(Ordering::Relaxed) == lock);
        if let Some(place) = found {
            self.entries[place].lock.store(0, Ordering::Release);
        }
        let last = self.entries[..end].iter().rposition(|entry| entry.lock.load(Ordering::Relaxed) != 0);
        self.end.store(last.map_or(0, |last| last + 1), Ordering::Relaxed);
        found.is_some()
    }

    /// The thread releases a lock that there was no room for.
    pub fn release_beyond(&self) {
        let _ = self.beyond.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    }

    /// Another thread, or the end of the lock, takes it away; what was known of it.
    pub fn take(&self, lock: LockId) -> Option<Held> {
        let entry = self.entries.iter().find(|entry| entry.lock.load(Ordering::Acquire) == lock)?;
        let held = entry.read();
        let is_taken = entry.lock.compare_exchange(lock, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        held.filter(|held| is_taken && held.lock == lock)
    }

    /// The locks that are known.
    pub fn iter(&self) -> impl Iterator<Item = Held> {
        self.entries[..self.end.load(Ordering::Relaxed).min(MOST)].iter().filter_map(Entry::read)
    }

    /// The locks that are known and that this task acquired, each once.
    pub fn untold_of(&self, task: usize) -> impl Iterator<Item = Held> {
        let all = self.entries[..self.end.load(Ordering::Relaxed).min(MOST)].iter();
        let of_task = all.filter_map(|entry| Some((entry, entry.read()?))).filter(move |(_, held)| held.task == task);
        of_task.filter(|(entry, _)| !entry.is_told.swap(true, Ordering::Relaxed)).map(|(_, held)| held)
    }

    /// Whether the thread remembers this.
    #[inline]
    pub fn remembers(&self, what: u64) -> bool {
        self.remembered[what as usize % REMEMBERED].load(Ordering::Relaxed) == what
    }

    /// Remembers it, and forgets the one that was in its place.
    pub fn remember(&self, what: u64) {
        self.remembered[what as usize % REMEMBERED].store(what, Ordering::Relaxed);
    }

    /// Something to remember: that `to` was wanted while `from` was held, and what else was.
    #[inline]
    pub fn pair(&self, from: LockId, to: LockId) -> u64 {
        let gates = self.gates.iter().map(|gate| gate.load(Ordering::Relaxed)).filter(|gate| *gate != 0);
        let all = self.iter().map(|held| held.lock).chain(gates).fold(0, |sum, lock| mix(u64::from(lock)).wrapping_add(sum));
        mix((u64::from(from) << 32 | u64::from(to)) ^ all).max(1)
    }

    /// Another thread begins here, or a forked child, where nobody will release what others held.
    pub fn clear(&self) {
        self.entries.iter().for_each(|entry| entry.lock.store(0, Ordering::Release));
        self.remembered.iter().for_each(|what| what.store(0, Ordering::Relaxed));
        self.gates.iter().for_each(|gate| gate.store(0, Ordering::Relaxed));
        self.wanted.store(0, Ordering::Relaxed);
        self.end.store(0, Ordering::Relaxed);
        self.beyond.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(lock: LockId) -> Held {
        Held { lock, address: lock as usize * 64, stack: lock + 1000, task: 0, by_with: false, is_reentrant: false, under: 0 }
    }

    fn locks(locks: &HeldLocks) -> Vec<LockId> {
        locks.iter().map(|held| held.lock).collect()
    }

    #[test]
    fn what_is_acquired_is_held_until_it_is_released() {
        let mine = HeldLocks::default();
        assert!(mine.is_empty());
        assert!(mine.acquire(held(7)) && mine.acquire(held(8)));
        assert_eq!(mine.iter().next(), Some(held(7)));
        assert!(mine.release(7) && !mine.release(7));
        assert_eq!(locks(&mine), [8]);
        assert!(mine.release(8) && mine.is_empty());
    }

    #[test]
    fn hand_over_hand_locking_needs_no_more_room_than_two_locks() {
        let mine = HeldLocks::default();
        mine.acquire(held(1));
        for next in 2..1000 {
            assert!(mine.acquire(held(next)) && mine.release(next - 1));
            assert_eq!(locks(&mine), [next]);
        }
        assert!(mine.is_complete());
    }

    #[test]
    fn another_thread_can_take_one_away() {
        let mine = HeldLocks::default();
        mine.acquire(held(1));
        mine.acquire(held(2));
        assert_eq!(mine.take(2), Some(held(2)));
        assert_eq!(mine.take(2), None);
        assert_eq!(locks(&mine), [1]);
        assert!(!mine.release(2), "it is gone");
        assert!(mine.release(1) && mine.is_empty());
    }

    #[test]
    fn of_too_many_it_is_known_that_they_are_too_many() {
        let mine = HeldLocks::default();
        assert!((1..=MOST as LockId).all(|lock| mine.acquire(held(lock))));
        assert!(mine.is_complete());
        assert!(!mine.acquire(held(99)) && !mine.is_complete());
        mine.release(1);
        assert!(!mine.is_complete());
        mine.release_beyond();
        assert!(mine.is_complete());
        mine.release_beyond();
        assert!(mine.is_complete());
    }

    #[test]
    fn what_a_task_holds_is_told_once_per_acquisition() {
        let mine = HeldLocks::default();
        let told = |task: usize| mine.untold_of(task).map(|held| held.lock).collect::<Vec<_>>();
        mine.acquire(Held { task: 5, ..held(1) });
        mine.acquire(Held { task: 6, ..held(2) });
        assert_eq!((told(5), told(5), told(6), told(7)), (vec![1], vec![], vec![2], vec![]));
        mine.release(1);
        mine.acquire(Held { task: 5, ..held(1) });
        assert_eq!(told(5), [1]);
    }

    #[test]
    fn semaphores_count_as_guards_until_they_are_released() {
        let mine = HeldLocks::default();
        mine.acquire(held(9));
        let alone = mine.pair(9, 1);
        [5, 5, 6].into_iter().for_each(|gate| mine.enter_gate(gate));
        assert_eq!((*mine.guards()).to_vec(), [5, 6, 9]);
        assert_ne!(mine.pair(9, 1), alone);
        mine.leave_gate(5);
        mine.leave_gate(7);
        assert_eq!((*mine.guards()).to_vec(), [6, 9]);
        (10..10 + GATES as LockId).for_each(|gate| mine.enter_gate(gate));
        assert_eq!(mine.guards().len(), GATES + 1);
        mine.clear();
        assert!(mine.guards().is_empty());
    }

    #[test]
    fn who_waits_can_be_asked() {
        let mine = HeldLocks::default();
        mine.acquire(held(1));
        mine.want(2);
        assert!(mine.waits(1, 2) && !mine.waits(2, 1) && !mine.waits(3, 2));
        mine.want(0);
        assert!(!mine.waits(1, 2));
    }

    #[test]
    fn a_pair_is_remembered_with_what_else_was_held() {
        let mine = HeldLocks::default();
        mine.acquire(held(1));
        let alone = mine.pair(1, 3);
        mine.remember(alone);
        assert!(mine.remembers(alone) && !mine.remembers(mine.pair(1, 4)) && !mine.remembers(mine.pair(3, 1)));
        mine.acquire(held(2));
        assert!(!mine.remembers(mine.pair(1, 3)));
        mine.clear();
        assert!(mine.is_empty() && !mine.remembers(alone));
    }

    #[test]
    fn threads_that_take_and_hold_at_the_same_time_agree() {
        let rounds: u32 = if cfg!(miri) { 60 } else { 30_000 };
        let mine = HeldLocks::default();
        let taken = AtomicU32::new(0);
        let is_done = AtomicBool::new(false);
        let kept = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    (1..4).filter(|lock| mine.take(*lock).is_some()).for_each(|_| {
                        taken.fetch_add(1, Ordering::Relaxed);
                    });
                }
            });
            let kept = (0..rounds).filter(|round| {
                let lock = round % 3 + 1;
                mine.acquire(held(lock));
                mine.release(lock)
            });
            let kept = kept.count() as u32;
            is_done.store(true, Ordering::Relaxed);
            kept
        });
        assert!(kept + taken.load(Ordering::Relaxed) >= rounds, "both may think that it was them");
        assert!(mine.is_empty() && locks(&mine).is_empty(), "nothing stays");
    }
}
