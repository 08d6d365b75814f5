//! The shadow cell: what is remembered of a location.

use crate::races::access::{Access, AccessSite, Value};
use crate::races::clock::{Epoch, ThreadClock};
use crate::races::facts::{AccessFacts, Turn};
use crate::races::matrix::AccessKind;
use crate::races::memory::{Flag, is_before};
use crate::races::spin::Spin;
use crate::rules::Severity;
use std::sync::atomic::{
    AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    Ordering::{Relaxed, Release},
};
use zerocopy::FromZeros;

/// Threads whose last read of a location is remembered.
const READERS: usize = 4;

/// Threads whose last iteration over a location is remembered.
const ITERATORS: usize = 2;

/// Writes of a location that are remembered.
pub(super) const WRITES: usize = 2;

#[derive(FromZeros)]
#[repr(C)]
pub(super) struct Write {
    /// 0: none yet.
    pub(super) epoch: AtomicU64,
    pub(super) value: AtomicU64,
    pub(super) site: AtomicU32,
    pub(super) stack: AtomicU32,
    pub(super) check_site: AtomicU32,
    pub(super) check_stack: AtomicU32,
    pub(super) sequence: AtomicU32,
    /// When the same thread had written it before: [`NEVER`](crate::races::memory::NEVER), or another one has
    /// [`MEANWHILE`](crate::races::memory::MEANWHILE).
    pub(super) before: AtomicU32,
    /// When the same thread wrote it for the first time, or `MEANWHILE` if another one has written since.
    pub(super) first: AtomicU32,
    pub(super) state: AtomicU16,
    /// The cell's, since this write.
    pub(super) version: AtomicU16,
}

#[derive(FromZeros)]
#[repr(C)]
pub(super) struct Read {
    pub(super) site: AtomicU32,
    pub(super) stack: AtomicU32,
    pub(super) code: AtomicU32,
    pub(super) flag: AtomicU32,
    /// Where that flag was seen.
    pub(super) flag_site: AtomicU32,
    pub(super) state: AtomicU16,
    /// The cell's, then.
    pub(super) version: AtomicU16,
}

/// Many of them: nothing is as large as it need not be, and what most accesses look at is in the first cache line.
#[derive(FromZeros)]
#[repr(C, align(64))]
pub(super) struct Cell {
    /// Of the location; 0: none.  Changed under both locks, that of the cell and the one for giving it out.
    pub(super) key: AtomicU64,
    pub(super) lock: Spin,
    /// How many writes there were, roughly.
    pub(super) version: AtomicU16,
    /// Which of the writes is the last one.
    pub(super) last: AtomicU8,
    /// What was known of reads that are forgotten: the bits of `state` of each.
    pub(super) forgotten: AtomicU8,
    /// Of the readers, and after them of those that iterate; 0: none yet.
    epochs: [AtomicU64; READERS + ITERATORS],
    reads: [Read; READERS + ITERATORS],
    pub(super) writes: [Write; WRITES],
    /// Threads that have ever written: a bit for each of those whose slots are the same, modulo the number of bits.
    writers: AtomicU32,
    /// Of the readers: [`mark`]s.
    pub(super) read_marks: [AtomicU8; READERS],
    /// Of the writes.
    pub(super) write_marks: [AtomicU8; WRITES],
    /// The epoch, folded, of the thread that fills it in a function that it called for that, after the last addition.
    filled_in: AtomicU32,
}

/// Bits of `state`: the kind, what is known of the access, and how bad the races were that it was reported with.
pub(super) mod state {
    use super::AccessFacts;

    pub(in crate::races) const KIND: u16 = 0x7;
    /// The value that was read was measured.
    pub(in crate::races) const MEASURED: u16 = AccessFacts::MEASURED.of_read();
    pub(in crate::races) const TESTED: u16 = AccessFacts::TESTED.of_read();
    pub(in crate::races) const POLLED: u16 = AccessFacts::POLLED.of_read();
    /// Of a write: what its thread has read before is forgotten.
    pub(in crate::races) const MAY_GO_BACK: u16 = 1 << 6;
    /// Of reads that are forgotten, which have no kind: one of them waited for its turn.
    pub(in crate::races) const TURN: u16 = 1;
    /// Of a read: the thread has polled for what is there, and nobody has written since.
    pub(in crate::races) const WAITED: u16 = 1 << 6;
    /// Of a read: it came after everything, so that another one by the same instruction may not.
    pub(in crate::races) const LAST: u16 = AccessFacts::LAST.of_read();
    pub(in crate::races) const REPORTED: u16 = 8;
    pub(in crate::races) const LEVEL: u16 = 7 << REPORTED;
    /// Of a read: the function's caller acts on it.
    pub(in crate::races) const ASKED: u16 = AccessFacts::ASKED.of_read();
    /// Of a read: the function acts on it; if it is not tested, it was read once more, and what is remembered is where it was tested.  Of an
    /// update: it goes back to such a read.
    pub(in crate::races) const ACTING: u16 = AccessFacts::ACTING.of_read();
    /// Of a read: the thread has added something since.
    pub(in crate::races) const ACTED: u16 = 1 << 13;
    /// Of a write: it adds one thing after another, having checked once.
    pub(in crate::races) const FILLING: u16 = 1 << 14;
    /// Of a read: if there is nothing, it may be made on demand.
    pub(in crate::races) const LAZY: u16 = AccessFacts::LAZY.of_read();
    /// Of a read: an iteration follows right away, and is noted as one beside it.
    pub(in crate::races) const GUARD: u16 = AccessFacts::GUARD.of_read();
    /// Of a write that goes back to nothing: there was nothing of this name before, or `None`.
    pub(in crate::races) const MADE: u16 = 1 << 15;
    /// And it was `None`.
    pub(in crate::races) const UNSET: u16 = 1 << 13;
}

/// Bits that have no place in `state`, beside a [`Turn`]: of a read, in which case the thread acts on it; of a write, in which case it was made.
pub(super) mod mark {
    /// Of a read: if there is nothing, a function is called that may fill it.
    pub(in crate::races) const FILLED: u8 = 1 << 6;
    /// Of a read: an update that begins with the same instruction has no order with it.
    pub(in crate::races) const BESIDE: u8 = 1 << 7;
    /// Of a write: it takes away what was measured before, and may be another one by then.
    pub(in crate::races) const MEASURED: u8 = 1 << 6;
    /// Of an update: an exception is raised if it is there already, so it is no cache that is filled on demand.
    pub(in crate::races) const CLAIM: u8 = 1 << 7;
    /// Of a write that goes back to nothing: there was something whole there before anything was remembered.
    pub(in crate::races) const KEPT: u8 = 1 << 7;
    /// Of a removal: of what has a name.
    pub(in crate::races) const NAMED: u8 = 1 << 7;
}

impl Cell {
    /// In which case this reader acts on what it has read.
    pub(super) fn turn_of(&self, reader: usize) -> Turn {
        Turn(self.read_marks[reader].load(Relaxed) & Turn::BITS)
    }

    /// Of one of its writes.
    pub(super) fn marks_of(&self, write: &Write) -> u8 {
        let place = self.writes.iter().position(|known| std::ptr::eq(known, write));
        place.map_or(0, |place| self.write_marks[place].load(Relaxed))
    }

    /// In which case one of its writes goes back to what was read.
    pub(super) fn acted_of(&self, write: &Write) -> Turn {
        Turn(self.marks_of(write) & Turn::BITS)
    }

    /// Whether the last addition by a function that was called to fill it was made in this epoch.
    pub(super) fn is_filled_in(&self, epoch: Epoch) -> bool {
        self.filled_in.load(Relaxed) == fold(epoch)
    }

    /// It is filled by a function that the thread of this epoch has called for that.
    pub(super) fn fill_in(&self, epoch: Epoch) {
        self.filled_in.store(fold(epoch), Relaxed);
    }

    /// All that it remembers, for a comparison with another cell.
    #[cfg(test)]
    pub(in crate::races) fn remembered(&self) -> Vec<[u64; 12]> {
        let of_read = |(index, epoch): (usize, &AtomicU64)| {
            let (read, marks) = (&self.reads[index], self.read_marks.get(index).map_or(0, |marks| marks.load(Relaxed)));
            let words = [&read.site, &read.stack, &read.code, &read.flag].map(|word| u64::from(word.load(Relaxed)));
            let [site, stack, code, flag] = words;
            let [state, version] = [&read.state, &read.version].map(|half| u64::from(half.load(Relaxed)));
            (epoch.load(Relaxed) != 0)
                .then(|| [index as u64, epoch.load(Relaxed), site, stack, code, flag, state, version, u64::from(marks), 0, 0, 0])
        };
        let of_write = |write: &Write| {
            let words =
                [&write.site, &write.stack, &write.check_site, &write.check_stack, &write.sequence, &write.before, &write.first];
            let [site, stack, check_site, check_stack, sequence, before, first] = words.map(|word| u64::from(word.load(Relaxed)));
            let [state, version] = [&write.state, &write.version].map(|half| u64::from(half.load(Relaxed)));
            let is_last = u64::from(std::ptr::eq(write, self.last()));
            let [epoch, value] = [&write.epoch, &write.value].map(|word| word.load(Relaxed));
            (epoch != 0).then(|| {
                let marks = u64::from(self.marks_of(write)) << 16 | state;
                [epoch, value, site, stack, check_site, check_stack, sequence, before, first, marks, version, is_last]
            })
        };
        let mut writes: Vec<_> = self.writes.iter().filter_map(of_write).collect();
        // Which of its places a write has does not matter.
        writes.sort_unstable_by_key(|write| write[11]);
        let rest =
            [u64::from(self.version.load(Relaxed)), u64::from(self.forgotten.load(Relaxed)), u64::from(self.writers.load(Relaxed))];
        let rest = [rest[0], rest[1], rest[2], u64::from(self.filled_in.load(Relaxed)), 0, 0, 0, 0, 0, 0, 0, 0];
        self.epochs.iter().enumerate().filter_map(of_read).chain(writes).chain([rest]).collect()
    }

    /// It is that of another location from now on, without a history.
    pub(super) fn clear(&self, key: u64) {
        for write in &self.writes {
            write.epoch.store(0, Relaxed);
            write.value.store(Value::UNKNOWN.0, Relaxed);
        }
        self.version.store(0, Relaxed);
        self.forgotten.store(0, Relaxed);
        self.writers.store(0, Relaxed);
        self.filled_in.store(0, Relaxed);
        for epoch in &self.epochs {
            epoch.store(0, Relaxed);
        }
        // A thread that finds the key finds nothing of the location before.
        self.key.store(key, Release);
    }

    /// Whether one of the reads that are forgotten had this bit of `state`.
    pub(super) fn has_forgotten(&self, bit: u16) -> bool {
        u16::from(self.forgotten.load(Relaxed)) & bit != 0
    }

    /// Whether the thread with this slot has ever written to it; perhaps it was another one with its bit.
    pub(super) fn has_written(&self, slot: u32) -> bool {
        self.writers.load(Relaxed) & 1 << (slot % u32::BITS) != 0
    }

    /// The thread with this slot has written to it.
    pub(super) fn notes_writer(&self, slot: u32) {
        // Only changed under the lock of the cell.
        self.writers.store(self.writers.load(Relaxed) | 1 << (slot % u32::BITS), Relaxed);
    }

    /// Those of this kind, which is one that reads.
    #[inline]
    pub(super) fn reads_of(&self, kind: AccessKind) -> (&[AtomicU64], &[Read]) {
        let its = if kind == AccessKind::Iterate { READERS..READERS + ITERATORS } else { 0..READERS };
        (&self.epochs[its.clone()], &self.reads[its])
    }

    #[inline]
    pub(super) fn last(&self) -> &Write {
        &self.writes[usize::from(self.last.load(Relaxed)) % WRITES]
    }

    /// The last read, in one step, of the thread of `epoch`.
    #[inline]
    pub(super) fn own_read(&self, epoch: Epoch) -> Option<OwnRead<'_>> {
        let index = reader_of(&self.epochs[..READERS], epoch)?;
        let epoch = Epoch::from_bits(self.epochs[index].load(Relaxed));
        Some(OwnRead { read: &self.reads[index], epoch, marks: self.read_marks[index].load(Relaxed) })
    }

    /// Whether the thread that is in this epoch has noted a read by this instruction in it, and another one would be nothing new.
    #[inline(always)]
    pub(super) fn has_noted(&self, kind: AccessKind, site: u32, epoch: Epoch) -> bool {
        let (epochs, reads) = self.reads_of(kind);
        let index = own_place(epochs, epoch);
        let own = &reads[index];
        epochs[index].load(Relaxed) == epoch.bits()
            && own.site.load(Relaxed) == site
            && own.version.load(Relaxed) == self.version.load(Relaxed)
            && own.state.load(Relaxed) & (state::ACTED | state::ASKED | state::LAST) == 0
            && !own.is_again()
            && self.read_marks[index].load(Relaxed) & mark::BESIDE == 0
    }

    /// Whether the read that this thread has noted says as much of a flag as another one would.
    #[inline]
    pub(super) fn has_heeded(&self, access: &Access, flag: Flag, epoch: Epoch) -> bool {
        let (epochs, reads) = self.reads_of(access.kind);
        !flag.is_heeded_by(access) || reads[own_place(epochs, epoch)].flag.load(Relaxed) == flag.packed()
    }

    /// Whether all that it remembers happened before what the thread of this clock does now.
    #[inline(always)]
    pub(super) fn is_ordered(&self, clock: &ThreadClock) -> bool {
        self.writes.iter().all(|write| is_seen(&write.epoch, clock)) && self.epochs.iter().all(|epoch| is_seen(epoch, clock))
    }
}

impl Read {
    /// Whether the thread has polled for what is there.
    #[inline(always)]
    pub(super) fn has_waited(&self) -> bool {
        self.state.load(Relaxed) & (state::POLLED | state::WAITED) != 0
    }

    /// Whether it was read once more, after a look that is remembered in its place.
    #[inline(always)]
    pub(super) fn is_again(&self) -> bool {
        self.state.load(Relaxed) & (state::ACTING | state::TESTED) == state::ACTING
    }

    /// Whether what is read now, by the same thread, is what this one was a look at: then the look stays in its place.
    #[inline(always)]
    pub(super) fn is_looked_at_again(&self, facts: AccessFacts, code: u32) -> bool {
        facts.is_again() && self.state.load(Relaxed) & state::ACTING != 0 && self.code.load(Relaxed) == code
    }

    /// It is this one from now on, of the cell's `version`.
    #[inline(always)]
    pub(super) fn keep(&self, here: AccessSite, code: u32, state: u16, version: u16) {
        self.site.store(here.site, Relaxed);
        self.stack.store(here.stack, Relaxed);
        self.code.store(code, Relaxed);
        self.state.store(state, Relaxed);
        self.version.store(version, Relaxed);
    }
}

/// What a thread has last read.
#[derive(Clone, Copy)]
pub(super) struct OwnRead<'a> {
    pub(super) read: &'a Read,
    /// When.
    pub(super) epoch: Epoch,
    /// [`mark`]s of it.
    pub(super) marks: u8,
}

/// When a thread has made a write, among its accesses.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The slot of the thread.
    slot: u16,
    sequence: u32,
    /// There was `None` before.
    pub was_none: bool,
}

impl Moment {
    pub(super) fn of(write: &Write) -> Self {
        let slot = Epoch::from_bits(write.epoch.load(Relaxed)).slot();
        Moment { slot, sequence: write.sequence.load(Relaxed), was_none: write.state.load(Relaxed) & state::UNSET != 0 }
    }

    pub(super) fn is_of_thread(self, other: Moment) -> bool {
        self.slot == other.slot
    }

    /// Whether it is before another one of the same thread.
    pub fn is_before(self, other: Moment) -> bool {
        self.is_of_thread(other) && is_before(self.sequence, other.sequence)
    }
}

fn fold(epoch: Epoch) -> u32 {
    (epoch.bits() ^ epoch.bits() >> u32::BITS) as u32
}

impl Write {
    /// The read that it goes back to.
    pub(super) fn check(&self) -> Option<AccessSite> {
        let state = self.state.load(Relaxed);
        // A plain write goes back to a loop that has waited for the opposite, or to nothing.
        let is_spin = kind_of(state) == AccessKind::Write;
        let goes_back =
            is_spin || matches!(kind_of(state), AccessKind::Update | AccessKind::Checked) || state & state::FILLING != 0;
        // An update in itself, as that of a Counter, goes back to nothing that was noted.
        let check = place(&self.check_site, &self.check_stack);
        (goes_back && check.site != 0).then_some(check)
    }
}

/// The place among the readers that a thread takes first.
#[inline(always)]
pub(super) fn own_place(epochs: &[AtomicU64], epoch: Epoch) -> usize {
    usize::from(epoch.slot()) % epochs.len()
}

/// The place that it has among them.
#[inline(always)]
pub(super) fn reader_of(epochs: &[AtomicU64], epoch: Epoch) -> Option<usize> {
    let own = own_place(epochs, epoch);
    if is_of(&epochs[own], epoch) { Some(own) } else { epochs.iter().position(|known| is_of(known, epoch)) }
}

/// Whether what was done then happened before what the thread of this clock does now.
#[inline(always)]
pub(super) fn is_seen(epoch: &AtomicU64, clock: &ThreadClock) -> bool {
    clock.has_seen(Epoch::from_bits(epoch.load(Relaxed)))
}

/// Whether this is an epoch of the same thread.
#[inline]
pub(super) fn is_of(known: &AtomicU64, epoch: Epoch) -> bool {
    let known = Epoch::from_bits(known.load(Relaxed));
    !known.is_none() && known.slot() == epoch.slot()
}

/// Whether version `a` is a later one than `b`; they wrap around.
#[inline]
pub(super) fn is_newer(a: u16, b: u16) -> bool {
    a != b && a.wrapping_sub(b) < u16::MAX / 2
}

#[inline]
pub(super) fn kind_of(state: u16) -> AccessKind {
    AccessKind::from_number((state & state::KIND) as u8)
}

/// Whether something this bad was not reported of an access before; now it is.
pub(super) fn is_news(state: &AtomicU16, severity: Severity) -> bool {
    let (now, level) = (state.load(Relaxed), severity as u16 + 1);
    let is_news = (now & state::LEVEL) >> state::REPORTED < level;
    if is_news {
        state.store(now & !state::LEVEL | level << state::REPORTED, Relaxed);
    }
    is_news
}

#[inline]
pub(super) fn place(site: &AtomicU32, stack: &AtomicU32) -> AccessSite {
    AccessSite { site: site.load(Relaxed), stack: stack.load(Relaxed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn threads_are_told_apart_at_the_same_time() {
        for clock in [1, 7, 1 << 16, 7 << 16] {
            let folded: HashSet<u32> = (1..8).map(|slot| fold(Epoch::from_bits(slot << 48 | clock))).collect();
            assert_eq!(folded.len(), 7, "{clock}");
        }
    }

    #[test]
    fn as_many_threads_as_there_are_places_have_places_of_their_own() {
        let epochs = [const { AtomicU64::new(0) }; READERS];
        let places: HashSet<usize> =
            (1..=READERS as u64).map(|slot| own_place(&epochs, Epoch::from_bits(slot << 48 | 1))).collect();
        assert_eq!(places.len(), READERS);
    }

    #[test]
    fn who_fills_it_is_the_one_that_has_called_for_that() {
        let cell = Cell::new_zeroed();
        let [one, other] = [1, 2].map(|slot| Epoch::from_bits(slot << 48 | 7));
        cell.fill_in(one);
        assert!(cell.is_filled_in(one) && !cell.is_filled_in(other));
    }

    #[test]
    fn versions_wrap_around() {
        assert!(is_newer(1, 0) && !is_newer(0, 1) && !is_newer(5, 5));
        assert!(is_newer(0, u16::MAX) && !is_newer(u16::MAX, 0));
        assert!(!is_newer(u16::MAX / 2, 0), "half the way round is not known to be later");
    }

    #[test]
    fn something_worse_is_news_and_the_same_is_not() {
        let state = AtomicU16::new(AccessKind::Update as u16 | state::TESTED | state::FILLING);
        let worse = [Severity::Info, Severity::Info, Severity::Error, Severity::Warning, Severity::Error];
        assert_eq!(worse.map(|severity| is_news(&state, severity)), [true, false, true, false, false]);
        assert_eq!(state.load(Relaxed) & !state::LEVEL, AccessKind::Update as u16 | state::TESTED | state::FILLING);
    }

    #[test]
    fn who_has_written_is_remembered_until_it_is_cleared() {
        let cell = Cell::new_zeroed();
        (1..4).for_each(|slot| cell.notes_writer(slot));
        cell.notes_writer(2);
        assert_eq!((0..32).filter(|slot| cell.has_written(*slot)).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(cell.has_written(34), "one bit for several");
        cell.fill_in(Epoch::from_bits(1 << 48 | 1));
        cell.forgotten.store(state::TURN as u8, Relaxed);
        assert!(cell.has_forgotten(state::TURN) && !cell.has_forgotten(state::POLLED));
        cell.clear(9);
        assert!(!(0..32).any(|slot| cell.has_written(slot)) && !cell.has_forgotten(state::TURN));
        assert_eq!((cell.key.load(Relaxed), cell.filled_in.load(Relaxed), cell.version.load(Relaxed)), (9, 0, 0));
    }

    #[test]
    fn a_write_goes_back_to_a_check_if_it_is_one_that_does() {
        let check = |state: u16, site: u32| {
            let cell = Cell::new_zeroed();
            cell.writes[0].state.store(state, Relaxed);
            cell.writes[0].check_site.store(site, Relaxed);
            cell.writes[0].check().map(|check| check.site)
        };
        for kind in [AccessKind::Write, AccessKind::Update, AccessKind::Checked] {
            assert_eq!((check(kind as u16, 5), check(kind as u16, 0)), (Some(5), None), "{kind:?}");
        }
        let insert = AccessKind::Insert as u16;
        assert_eq!((check(insert, 5), check(insert | state::FILLING, 5)), (None, Some(5)), "one addition, and several");
        assert_eq!(check(AccessKind::Atomic as u16 | state::MAY_GO_BACK, 5), None);
    }
}
