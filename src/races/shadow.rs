//! Shadow memory: for each location its last write and its last readers, FastTrack's way (Flanagan and Freund, PLDI 2009).
//!
//! A location is a hash of an object's life and a part of it (attribute, key, the structure of a container).  The table is bounded and
//! lossy: a location that takes another's cell starts without a history, which can hide a race and never invents one.  That happens once
//! all cells of both groups that it may have one in are taken: the second one is looked at only if there was no place in the first.
//!
//! On top of FastTrack: an access is a [`AccessKind`], judged by the [`matrix`](super::matrix); a write of what the thread has read before is an
//! *update*, found at run time, with the read that it goes back to; values of immutable objects are compared, because writing what is
//! there already is innocent.  So two writes are kept where the later one does not stand for the earlier: it is of a milder kind, or has no
//! order to it and was innocent.  The tests of `model` hold all this to a specification.

use super::access::{Access, AccessSite, Race, Value};
use super::clock::{Epoch, ThreadClock};
use super::matrix::AccessKind;
use super::memory::ThreadHistory;
use super::spin::Spin;
use super::stacks::Stacks;
pub use cell::Moment;
use cell::{Cell, Write, kind_of};
use judge::Now;
pub use plain::{Look, PlainAccess, Spot};
use std::array;
use std::ops::Deref;
#[cfg(test)]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use zerocopy::FromZeros;

mod cell;
mod change;
mod judge;
mod plain;

/// Of one location.
pub const BYTES: usize = size_of::<Cell>();

/// Cells of a group.
const WAYS: usize = 8;

/// Locks for giving out cells.
const LOCKS: usize = 64;

/// Cells that a location may have; zeros are cells of no location.
#[derive(FromZeros)]
#[repr(C)]
pub struct Group([Cell; WAYS]);

impl Group {
    /// The cell of a location that is not the first that it may have.
    fn find_further(&self, key: u64) -> Option<&Cell> {
        (1..WAYS).map(|way| &self.0[(key as usize ^ way) % WAYS]).find(|cell| cell.key.load(Acquire) == key)
    }

    /// Its cells, in the order in which this location takes them.
    fn cells(&self, key: u64) -> impl Iterator<Item = &Cell> {
        (0..WAYS).map(move |way| &self.0[(key as usize ^ way) % WAYS])
    }

    /// Once it is, it stays so.
    fn is_full(&self) -> bool {
        self.0.iter().all(|cell| cell.key.load(Relaxed) != 0)
    }
}

/// How many groups of cells fit into so many bytes; at least one.
pub fn groups(bytes: usize) -> usize {
    (bytes / size_of::<Group>()).max(1)
}

/// The table of cells.
pub struct Shadow<G: Deref<Target = [Group]> = &'static [Group]> {
    groups: G,
    locks: [Spin; LOCKS],
    stacks: Stacks,
    /// How often something was forgotten that nothing else stands for.
    #[cfg(test)]
    pub(super) forgotten: AtomicU64,
}

impl<G: Deref<Target = [Group]>> Shadow<G> {
    /// Of cells that nothing is known of: zeros.
    pub fn new(groups: G) -> Self {
        Shadow {
            groups,
            locks: array::from_fn(|_| Spin::default()),
            stacks: Stacks::default(),
            #[cfg(test)]
            forgotten: AtomicU64::new(0),
        }
    }

    /// With other answers to what is asked of stacks.
    pub fn comparing_by(self, stacks: Stacks) -> Self {
        Shadow { stacks, ..self }
    }

    /// All that it remembers of a location.
    #[cfg(test)]
    pub(super) fn remembered(&self, location: u64) -> Vec<[u64; 12]> {
        self.find(location).map(Cell::remembered).unwrap_or_default()
    }

    /// How many locations it holds at most.
    pub fn locations(&self) -> usize {
        self.groups.len() * WAYS
    }

    /// Whether the thread that is in this epoch has read a location, as far as that is remembered.
    pub fn has_read(&self, location: u64, epoch: Epoch) -> bool {
        self.find(location).is_some_and(|cell| cell.own_read(epoch).is_some())
    }

    /// When a location was written to last, as far as that is remembered; of additions, which leave what is there, when the thread of `made` has last
    /// made one.
    pub fn last_written(&self, location: u64, made: Moment) -> Option<Moment> {
        let cell = self.find(location)?;
        let is_there = |write: &&Write| write.epoch.load(Relaxed) != 0;
        let is_addition = |write: &&Write| kind_of(write.state.load(Relaxed)) == AccessKind::Insert;
        let last = Some(cell.last()).filter(is_there)?;
        let additions = cell.writes.iter().filter(is_there).filter(is_addition).map(Moment::of);
        let own = additions.filter(|moment| moment.is_of_thread(made)).last();
        own.filter(|_| is_addition(&last)).or(Some(Moment::of(last)))
    }

    /// The thread that has written to a location last, as far as that is remembered.
    pub fn last_writer(&self, location: u64) -> Option<Epoch> {
        let epoch = Epoch::from_bits(self.find(location)?.last().epoch.load(Relaxed));
        (!epoch.is_none()).then_some(epoch)
    }

    #[inline]
    fn find(&self, key: u64) -> Option<&Cell> {
        let group = &self.groups[super::place(key, self.groups.len())];
        let first = &group.0[key as usize % WAYS];
        // Most have the cell that they come to first.
        if first.key.load(Acquire) == key { Some(first) } else { self.find_further(group, key) }
    }

    #[inline(never)]
    fn find_further<'a>(&'a self, group: &'a Group, key: u64) -> Option<&'a Cell> {
        let second = || group.is_full().then(|| self.second(key).cells(key).find(|cell| cell.key.load(Acquire) == key));
        group.find_further(key).or_else(|| second().flatten())
    }

    /// The group in which a location may have a cell if the first one is full.
    fn second(&self, key: u64) -> &Group {
        &self.groups[super::place(super::mix(key), self.groups.len())]
    }

    /// A cell for a location that has none: a free one, or the first of those that it may have.
    #[cold]
    fn make(&self, key: u64) -> &Cell {
        let place = super::place(key, self.groups.len());
        let _giving_out = self.locks[place % LOCKS].lock();
        // Another thread may have been faster: two cells would be two histories.
        if let Some(cell) = self.find(key) {
            return cell;
        }
        let cells = || self.groups[place].cells(key);
        for free in cells().chain(self.second(key).cells(key)).filter(|cell| cell.key.load(Relaxed) == 0) {
            let _held = free.lock.lock();
            // Another thread may be giving out cells of this group as those of its second one.
            if free.key.load(Relaxed) == 0 {
                free.clear(key);
                return free;
            }
        }
        let cell = cells().next().expect("there are some");
        let _held = cell.lock.lock();
        cell.clear(key);
        cell
    }

    /// The cell of a location, which has one from now on.
    #[inline]
    pub fn spot(&self, location: u64) -> Spot<'_> {
        // 0 is no location.
        let key = location.max(1);
        Spot { key, cell: self.find(key).unwrap_or_else(|| self.make(key)) }
    }

    /// Notes an access of the calling thread: the kind of access that it turns out to be, and what it races with.  `stack` is asked for at most
    /// once.
    #[inline]
    #[must_use]
    pub fn access_at(
        &self,
        Spot { key, mut cell }: Spot<'_>,
        access: &Access,
        clock: &ThreadClock,
        memory: &ThreadHistory,
        stack: impl FnOnce() -> u32,
    ) -> (AccessKind, Vec<Race>) {
        let epoch = access.epoch.unwrap_or_else(|| clock.epoch());
        if epoch.is_none() {
            return (access.kind, Vec::new());
        }
        if access.kind.is_read() {
            let version = cell.version.load(Relaxed);
            if cell.has_noted(access.kind, access.site, epoch)
                && cell.has_heeded(access, memory.flag.get(), epoch)
                && access.since.is_none_or(|since| since == version)
                // Another one would be stored this time.
                && access.value == Value::UNKNOWN
            {
                memory.version.set(version);
                return (access.kind, Vec::new());
            }
        }
        let here = AccessSite { site: access.site, stack: stack() };
        let mut races = Vec::new();
        let kind = {
            let mut held = cell.lock.lock();
            while cell.key.load(Relaxed) != key {
                drop(held);
                cell = self.spot(key).cell;
                held = cell.lock.lock();
            }
            let sequence = memory.sequence.get().wrapping_add(1);
            memory.sequence.set(sequence);
            let now = Now {
                access,
                clock,
                epoch,
                here,
                memory,
                sequence,
                stacks: self.stacks,
                #[cfg(test)]
                forgotten: &self.forgotten,
            };
            let kind = if access.kind.is_read() { now.read(cell, &mut races) } else { now.write(cell, &mut races) };
            memory.version.set(cell.version.load(Relaxed));
            kind
        };
        (kind, races)
    }
}

#[cfg(test)]
impl Shadow<Box<[Group]>> {
    /// As [`access_at`](Self::access_at), of the location that the access is of.
    pub(super) fn access(
        &self,
        access: &Access,
        clock: &ThreadClock,
        memory: &ThreadHistory,
        stack: impl FnOnce() -> u32,
    ) -> (AccessKind, Vec<Race>) {
        self.access_at(self.spot(access.location), access, clock, memory, stack)
    }

    /// With as many cells as fit into `bytes`.
    pub(super) fn of_bytes(bytes: usize) -> Self {
        Self::new((0..groups(bytes)).map(|_| Group::new_zeroed()).collect())
    }
}

#[cfg(test)]
mod tests;
