//! Hand-overs between threads: by object or key, the clock of all that was released into it.
//!
//! The table is exact.  A clock that got lost would be a missing order, and so a false report.
//!
//! An object has a clock, and the epoch of its last release if that release had seen all that is in the clock, as with a lock.  A
//! thread that has seen that epoch has seen everything; the one that made it, if it has learnt nothing since, need only replace it.
//! That is the common case, takes no lock, and makes uncontended locks cheap.
//!
//! The shards are a few lines here and not dashmap: most look-ups end in `recent`, without a lock, and an object has to stay where it is
//! for as long as `recent` may lead to it, which no map promises.

use super::clock::{Clock, Clocks, Epoch, ThreadClock};
use super::spread;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// One object that was released.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Object {
    key: AtomicU64,
    /// Bits of an epoch; it belongs to the clock and is not in there yet.
    last: AtomicU64,
    clock: Mutex<Clock>,
}

/// The keys are addresses and numbers: multiplying spreads them.
#[derive(Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are u64");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = spread(key).rotate_left(32);
    }
}

type Places = HashMap<u64, u32, BuildHasherDefault<Spread>>;

const SHARDS: usize = 64;
const RECENT: usize = 1 << 14;
/// Chunk `n` has `FIRST << n` objects.
const FIRST: usize = 256;
const CHUNKS: usize = 24;

/// The synchronisation objects of a process.
#[derive(Debug)]
pub struct SyncTable {
    chunks: [OnceLock<Box<[Object]>>; CHUNKS],
    /// Places that are free again, and how many were ever used.
    free: Mutex<(Vec<u32>, u32)>,
    /// Where each key is.
    shards: [Mutex<Places>; SHARDS],
    /// By hash, where a key was found lately; one more than the place.
    recent: Box<[AtomicU32]>,
}

impl Default for SyncTable {
    fn default() -> Self {
        SyncTable {
            chunks: [const { OnceLock::new() }; CHUNKS],
            free: Mutex::default(),
            shards: std::array::from_fn(|_| Mutex::default()),
            recent: (0..RECENT).map(|_| AtomicU32::new(0)).collect(),
        }
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SyncTable {
    #[inline]
    fn object(&self, place: u32) -> Option<&Object> {
        let position = place as usize / FIRST + 1;
        let chunk = position.ilog2() as usize;
        self.chunks[chunk].get()?.get(place as usize - FIRST * ((1 << chunk) - 1))
    }

    #[inline]
    fn recent(&self, key: u64) -> &AtomicU32 {
        &self.recent[spread(key) as usize >> (u64::BITS - RECENT.trailing_zeros())]
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Places> {
        hold(&self.shards[spread(key) as usize % SHARDS])
    }

    #[inline]
    fn find_recent(&self, key: u64) -> Option<&Object> {
        let place = self.recent(key).load(Ordering::Acquire).checked_sub(1)?;
        self.object(place).filter(|object| object.key.load(Ordering::Acquire) == key)
    }

    fn find(&self, key: u64) -> Option<&Object> {
        self.find_recent(key).or_else(|| self.look_up(key))
    }

    fn look_up(&self, key: u64) -> Option<&Object> {
        let place = *self.shard(key).get(&key)?;
        self.recent(key).store(place + 1, Ordering::Release);
        self.object(place)
    }

    fn make(&self, key: u64) -> &Object {
        let mut shard = self.shard(key);
        let place = *shard.entry(key).or_insert_with(|| {
            let place = self.take_place();
            self.grown(place).key.store(key, Ordering::Release);
            place
        });
        self.recent(key).store(place + 1, Ordering::Release);
        self.grown(place)
    }

    fn take_place(&self) -> u32 {
        let mut free = hold(&self.free);
        free.0.pop().unwrap_or_else(|| {
            free.1 += 1;
            free.1 - 1
        })
    }

    /// The object of this place, whose chunk is made if need be.
    fn grown(&self, place: u32) -> &Object {
        let chunk = (place as usize / FIRST + 1).ilog2() as usize;
        self.chunks[chunk].get_or_init(|| (0..FIRST << chunk).map(|_| Object::default()).collect());
        self.object(place).expect("its chunk was just made")
    }

    /// Hands all that the thread of `clock` has done and seen over to each thread that acquires `key`.
    #[inline]
    pub fn release(&self, clocks: &Clocks, clock: &ThreadClock, key: u64) {
        if !self.try_release_fast(clocks, clock, key) {
            self.release_slow(clocks, clock, key);
        }
    }

    /// As [`release`](Self::release), if the thread was the last that did and has learnt nothing since; else `false`, and nothing is done.
    /// Neither locks nor allocates.
    #[inline]
    pub fn try_release_fast(&self, clocks: &Clocks, clock: &ThreadClock, key: u64) -> bool {
        let Some(object) = self.find_recent(key) else { return false };
        let last = object.last.load(Ordering::Acquire);
        if last == 0 || !clock.has_learnt_nothing_since(Epoch::from_bits(last)) {
            return false;
        }
        let is_done = object.last.compare_exchange(last, clock.epoch().bits(), Ordering::Release, Ordering::Relaxed).is_ok();
        if is_done {
            clock.advance(clocks);
        }
        is_done
    }

    /// As [`release`](Self::release), in any case.
    #[cold]
    pub fn release_slow(&self, clocks: &Clocks, clock: &ThreadClock, key: u64) {
        let object = self.find(key).unwrap_or_else(|| self.make(key));
        let mut released = hold(&object.clock);
        let mut last = object.last.load(Ordering::Acquire);
        loop {
            released.add(Epoch::from_bits(last));
            let is_all = clock.release_into(clocks, &mut released);
            let now = if is_all { clock.epoch() } else { Epoch::NONE };
            // The thread whose epoch it is may replace it without the lock.
            match object.last.compare_exchange(last, now.bits(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(newer) => last = newer,
            }
        }
        drop(released);
        clock.advance(clocks);
    }

    /// Hands all that is in `clock` over to each thread that acquires `key`, on behalf of a thread that does not do so itself.
    #[cold]
    pub fn release_clock(&self, clock: &Clock, key: u64) {
        let object = self.find(key).unwrap_or_else(|| self.make(key));
        let mut released = hold(&object.clock);
        // Nobody replaces an epoch that is not there without the lock.
        released.add(Epoch::from_bits(object.last.swap(0, Ordering::AcqRel)));
        released.join(clock);
    }

    /// Everything that was handed over to `key` happened before what the thread of `clock` does from now on.
    #[inline]
    pub fn acquire(&self, clocks: &Clocks, clock: &ThreadClock, key: u64) {
        if !self.nothing_to_acquire(clock, key) {
            self.acquire_slow(clocks, clock, key);
        }
    }

    /// Whether the thread is known to have seen all that was handed over to `key`.  Neither locks nor allocates.
    #[inline]
    pub fn nothing_to_acquire(&self, clock: &ThreadClock, key: u64) -> bool {
        self.find_recent(key).is_some_and(|object| {
            let last = Epoch::from_bits(object.last.load(Ordering::Acquire));
            !last.is_none() && clock.has_seen(last)
        })
    }

    /// As [`acquire`](Self::acquire), in any case.
    #[cold]
    pub fn acquire_slow(&self, clocks: &Clocks, clock: &ThreadClock, key: u64) {
        let Some(object) = self.find(key) else { return };
        let mut released = hold(&object.clock);
        released.add(Epoch::from_bits(object.last.load(Ordering::Acquire)));
        clock.acquire_from(clocks, &released);
    }

    /// `key` is about another object now if `is_first` says so, which no other thread asks for this key meanwhile.
    pub fn renew(&self, key: u64, is_first: impl FnOnce() -> bool) {
        let mut shard = self.shard(key);
        if is_first() {
            self.drop_from(&mut shard, key);
        }
    }

    /// The object of `key` is gone.
    pub fn forget(&self, key: u64) {
        self.drop_from(&mut self.shard(key), key);
    }

    fn drop_from(&self, shard: &mut Places, key: u64) {
        let Some(place) = shard.remove(&key) else { return };
        if let Some(object) = self.object(place) {
            object.key.store(0, Ordering::Release);
            object.last.store(0, Ordering::Release);
            hold(&object.clock).clear();
        }
        hold(&self.free).0.push(place);
    }

    /// How many objects have something to hand over.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| hold(shard).len()).sum()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (Clocks, SyncTable) {
        (Clocks::default(), SyncTable::default())
    }

    #[test]
    fn a_lock_orders_its_holders() {
        let (clocks, sync) = world();
        let (a, b) = (clocks.enter(), clocks.enter());
        for _ in 0..3 {
            sync.acquire(&clocks, a, 7);
            let inside = a.epoch();
            sync.release(&clocks, a, 7);
            assert!(!b.has_seen(inside));
            sync.acquire(&clocks, b, 7);
            assert!(b.has_seen(inside) && !b.has_seen(a.epoch()));
            sync.release(&clocks, b, 7);
        }
    }

    #[test]
    fn what_is_released_again_by_the_same_thread_is_found() {
        let (clocks, sync) = world();
        let (a, b) = (clocks.enter(), clocks.enter());
        sync.release(&clocks, a, 7);
        let before = a.epoch();
        assert!(sync.try_release_fast(&clocks, a, 7));
        sync.acquire(&clocks, b, 7);
        assert!(b.has_seen(before) && !b.has_seen(a.epoch()));
        assert!(!sync.try_release_fast(&clocks, b, 7), "it is not the last that did");
        assert!(!sync.try_release_fast(&clocks, a, 8), "nobody did");
    }

    #[test]
    fn all_that_was_put_into_a_queue_is_taken() {
        let (clocks, sync) = world();
        let threads: Vec<&ThreadClock> = (0..4).map(|_| clocks.enter()).collect();
        let epochs: Vec<Epoch> = threads.iter().map(|thread| thread.epoch()).collect();
        threads[..3].iter().for_each(|thread| sync.release(&clocks, thread, 7));
        sync.release(&clocks, threads[0], 7);
        sync.acquire(&clocks, threads[3], 7);
        assert!(epochs.iter().all(|epoch| threads[3].has_seen(*epoch)));
    }

    #[test]
    fn what_a_thread_has_learnt_since_its_last_release_is_released_too() {
        let (clocks, sync) = world();
        let (a, b, c) = (clocks.enter(), clocks.enter(), clocks.enter());
        sync.release(&clocks, a, 7);
        let theirs = b.epoch();
        sync.release(&clocks, b, 8);
        sync.acquire(&clocks, a, 8);
        sync.release(&clocks, a, 7);
        sync.acquire(&clocks, c, 7);
        assert!(c.has_seen(theirs));
    }

    #[test]
    fn an_object_at_a_used_address_has_no_history() {
        let (clocks, sync) = world();
        let (a, b) = (clocks.enter(), clocks.enter());
        let before = a.epoch();
        sync.release(&clocks, a, 7);
        sync.renew(7, || false);
        assert_eq!(sync.len(), 1);
        sync.renew(7, || true);
        sync.acquire(&clocks, b, 7);
        assert!(!b.has_seen(before));
        sync.release(&clocks, a, 7);
        assert!(!sync.is_empty());
        sync.forget(7);
        assert!(sync.is_empty());
    }

    #[test]
    fn an_object_in_the_place_of_another_one_has_none_of_its_history() {
        let (clocks, sync) = world();
        let threads: Vec<&ThreadClock> = (0..4).map(|_| clocks.enter()).collect();
        let before: Vec<Epoch> = threads[..2].iter().map(|thread| thread.epoch()).collect();
        threads[..2].iter().for_each(|thread| sync.release(&clocks, thread, 7));
        sync.forget(7);
        sync.release(&clocks, threads[2], 8);
        sync.acquire(&clocks, threads[3], 8);
        assert!(before.iter().all(|epoch| !threads[3].has_seen(*epoch)));
    }

    #[test]
    fn nothing_is_lost_among_many_objects() {
        let (clocks, sync) = world();
        let (a, b) = (clocks.enter(), clocks.enter());
        let count = if cfg!(miri) { 300 } else { 100_000 };
        let keys = (1..count).map(|n: u64| n * 48);
        let epochs: Vec<(u64, Epoch)> =
            keys.map(|key| (key, a.epoch())).inspect(|(key, _)| sync.release(&clocks, a, *key)).collect();
        assert_eq!(sync.len(), epochs.len());
        for (key, epoch) in epochs {
            assert!(!b.has_seen(epoch));
            sync.acquire(&clocks, b, key);
            assert!(b.has_seen(epoch));
        }
    }

    #[test]
    fn what_a_thread_had_done_can_be_handed_over_for_it() {
        let (clocks, sync) = world();
        let (a, b, c) = (clocks.enter(), clocks.enter(), clocks.enter());
        sync.release(&clocks, b, 7);
        let (mine, theirs) = (a.epoch(), b.epoch());
        sync.release_clock(&clocks.snapshot(a.epoch().slot()), 7);
        sync.acquire(&clocks, c, 7);
        assert!(c.has_seen(mine) && !c.has_seen(theirs));
        sync.release(&clocks, a, 8);
        assert!(!c.has_seen(a.epoch()));
        sync.release_clock(&clocks.snapshot(999), 9);
        assert!(!b.has_seen(mine));
    }

    #[test]
    fn threads_that_run_at_the_same_time_lose_nothing() {
        let (clocks, sync) = world();
        let run = &|thread: u64| {
            let clock = clocks.enter();
            for round in 0..if cfg!(miri) { 30 } else { 20_000 } {
                sync.release(&clocks, clock, 32 + (round + thread) % 3);
                sync.acquire(&clocks, clock, 32 + round % 3);
                sync.release(&clocks, clock, 16);
            }
            let last = clock.epoch();
            sync.release(&clocks, clock, 16);
            (last, clock.epoch())
        };
        let epochs: Vec<(Epoch, Epoch)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|thread| scope.spawn(move || run(thread))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let late = clocks.enter();
        sync.acquire(&clocks, late, 16);
        assert!(epochs.iter().all(|(released, after)| late.has_seen(*released) && !late.has_seen(*after)));
    }

    #[test]
    fn it_is_known_whether_there_is_anything_to_acquire() {
        let (clocks, sync) = world();
        let (a, b) = (clocks.enter(), clocks.enter());
        assert!(!sync.nothing_to_acquire(b, 7), "of what was never released nothing is known");
        sync.release(&clocks, a, 7);
        assert!(sync.nothing_to_acquire(a, 7) && !sync.nothing_to_acquire(b, 7));
        sync.acquire(&clocks, b, 7);
        assert!(sync.nothing_to_acquire(b, 7));
    }

    #[test]
    fn places_are_taken_in_order_and_those_that_are_free_again_first() {
        let (clocks, sync) = world();
        sync.release(&clocks, clocks.enter(), 7);
        assert_eq!([sync.take_place(), sync.take_place()], [1, 2]);
        sync.forget(7);
        assert_eq!([sync.take_place(), sync.take_place()], [0, 3]);
    }
}
