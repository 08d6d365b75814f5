//! Which object an address means: address -> number of the object's life, without hearing of its death.
//!
//! The interpreter clears a bit in the header of every object that is born, so a look at it says whether an address still means the
//! object that it meant before.  The bit is set after the entry is stored, under the lock of the entry's group: two threads that touch an
//! object for the first time in the same instant get one number.
//!
//! Lossy: an object that lost its entry gets a new number, and its history with it; no two objects ever share a number.
//!
//! An entry is two words, the number and the number XOR the address (Hyatt and Mann, "A lockless transposition table implementation for
//! parallel search", 2002).  A reader that meets a writer in between gets halves of two entries, which give no address that is asked for:
//! numbers are spread over 64 bits and none is used twice.

use super::spin::Spin;
use std::array;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use zerocopy::FromZeros;

/// Entries that an address may have: a cache line of them.
const WAYS: usize = 4;

/// Locks for all the groups.
const LOCKS: usize = 64;

#[derive(FromZeros)]
#[repr(C)]
struct Entry {
    life: AtomicU64,
    /// XOR `life`: the address.  Both are 0 in an entry that was never used.
    check: AtomicU64,
}

/// Of one entry.
pub const BYTES: usize = size_of::<Entry>();

impl Entry {
    /// The address and the number.
    #[inline(always)]
    fn get(&self) -> (u64, u64) {
        let life = self.life.load(Ordering::Relaxed);
        (self.check.load(Ordering::Relaxed) ^ life, life)
    }

    fn set(&self, address: u64, life: u64) {
        self.life.store(life, Ordering::Relaxed);
        self.check.store(address ^ life, Ordering::Relaxed);
    }
}

/// The entries that an address may have; zeros are entries that were never used.
#[derive(FromZeros)]
#[repr(C, align(64))]
pub struct Group([Entry; WAYS]);

/// The mark in an object's header.
pub trait Mark {
    /// Whether the object was marked since it was born.  Acquires what was done before that.
    fn is_set(&self) -> bool;
    /// Marks it.  Releases what was done before.
    fn set(&self);
}

/// The life of an object, and where it is kept.
#[derive(Clone, Copy)]
pub struct Life<'a> {
    number: u64,
    entry: &'a Entry,
}

impl Life<'_> {
    /// Not 0; no other life has it.
    #[inline(always)]
    pub fn number(self) -> u64 {
        self.number
    }

    /// Whether it is still that of the object at this address, if that is [marked](Mark).
    #[inline(always)]
    pub fn is_of(self, address: u64) -> bool {
        self.entry.get() == (address, self.number)
    }
}

/// How many groups of entries so many objects need; at least one.
pub fn groups(objects: usize) -> usize {
    objects.div_ceil(WAYS).max(1)
}

/// The table.
pub struct Lifetimes<G: Deref<Target = [Group]> = &'static [Group]> {
    groups: G,
    locks: [Spin; LOCKS],
    next: AtomicU64,
}

impl<G: Deref<Target = [Group]>> Lifetimes<G> {
    /// Of entries that were never used: zeros.
    pub fn new(groups: G) -> Self {
        Lifetimes { groups, locks: array::from_fn(|_| Spin::default()), next: AtomicU64::new(1) }
    }

    /// This life of the object at `address`.
    pub fn life(&self, address: u64, mark: &impl Mark) -> Life<'_> {
        let index = super::place(address >> 4, self.groups.len());
        let group = &self.groups[index];
        if mark.is_set()
            && let Some(life) = group.find(address)
        {
            return life;
        }
        self.begin(index, address, mark)
    }

    #[cold]
    fn begin(&self, index: usize, address: u64, mark: &impl Mark) -> Life<'_> {
        let group = &self.groups[index];
        let _locked = self.locks[index % LOCKS].lock();
        // Another thread may have been faster.
        if mark.is_set()
            && let Some(life) = group.find(address)
        {
            return life;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // Spread already, so that whoever looks it up need not.
        let (life, entry) = (super::mix(number), group.slot(address, number));
        entry.set(address, life);
        mark.set();
        Life { number: life, entry }
    }
}

impl Group {
    #[inline(always)]
    fn find(&self, address: u64) -> Option<Life<'_>> {
        let found = self.0.iter().map(|entry| (entry.get(), entry)).find(|((known, _), _)| *known == address);
        found.map(|((_, number), entry)| Life { number, entry })
    }

    /// The entry for a new life: that of an earlier object at the address, or a free one, or any.
    fn slot(&self, address: u64, number: u64) -> &Entry {
        let is = |wanted: u64| self.0.iter().find(|entry| entry.get().0 == wanted);
        is(address).or_else(|| is(0)).unwrap_or(&self.0[number as usize % WAYS])
    }
}

#[cfg(test)]
impl Lifetimes<Box<[Group]>> {
    pub(super) fn of_objects(count: usize) -> Self {
        Self::new((0..groups(count)).map(|_| Group::new_zeroed()).collect())
    }
}

#[cfg(test)]
pub(super) mod tests;
