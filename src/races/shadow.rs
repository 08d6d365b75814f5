//! Shadow memory: for each location its last write and its last readers, FastTrack's way (Flanagan and Freund, PLDI 2009).
//!
//! A location is a hash of an object's life and a part of it (attribute, key, the structure of a container).  The table is bounded and
//! lossy: a location that takes another's cell starts without a history, which can hide a race and never invents one.  That happens once
//! all [`WAYS`] cells that it may have are taken.
//!
//! On top of FastTrack: an access is a [`Kind`], judged by the [`matrix`](super::matrix); a write of what the thread has read before is an
//! *update*, found at run time, with the read that it goes back to; values of immutable objects are compared, because writing what is
//! there already is innocent.

use super::access::{Access, Place, Race, Value};
use super::clock::{Epoch, ThreadClock};
use super::lock::Spin;
use super::matrix::{self, Kind};
use super::memory::{Flag, Memory, SEQUENCE, is_before};
use crate::rules::Severity;
use std::array;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};
use zerocopy::{FromZeros, KnownLayout};

/// Threads whose last read of a location is remembered.
const READERS: usize = 4;

/// Cells that a location may have.
const WAYS: usize = 8;

/// Locks for giving out cells.
const LOCKS: usize = 64;

#[derive(FromZeros, KnownLayout)]
#[repr(C)]
struct Write {
    /// 0: none yet.
    epoch: AtomicU64,
    value: AtomicU64,
    site: AtomicU32,
    stack: AtomicU32,
    check_site: AtomicU32,
    check_stack: AtomicU32,
    sequence: AtomicU32,
    state: AtomicU16,
}

#[derive(FromZeros, KnownLayout)]
#[repr(C)]
struct Read {
    site: AtomicU32,
    stack: AtomicU32,
    code: AtomicU32,
    flag: AtomicU32,
    state: AtomicU16,
    /// How many writes it had seen.
    version: AtomicU16,
}

/// Many of them: nothing is as large as it need not be.
#[derive(FromZeros, KnownLayout)]
#[repr(C)]
struct Cell {
    /// Of the location; 0: none.  Changed under both locks, that of the cell and the one for giving it out.
    key: AtomicU64,
    lock: Spin,
    /// How many writes there were, roughly.
    version: AtomicU16,
    write: Write,
    /// Of the readers; 0: none yet.
    epochs: [AtomicU64; READERS],
    reads: [Read; READERS],
}

/// Bits of `state`: the kind, what is known of the access, and how bad the races were that it was reported with.
mod state {
    pub(super) const KIND: u16 = 0xf;
    pub(super) const TESTED: u16 = 1 << 4;
    pub(super) const POLLED: u16 = 1 << 5;
    pub(super) const REPORTED: u16 = 8;
    pub(super) const LEVEL: u16 = 7 << REPORTED;
    /// Of a read: the function's caller acts on it.
    pub(super) const ASKED: u16 = 1 << 11;
    /// Of a read: the function acts on it.
    pub(super) const ACTING: u16 = 1 << 12;
    /// Of a read: the thread has added something since.
    pub(super) const ACTED: u16 = 1 << 13;
    /// Of a write: it adds one thing after another, having checked once.
    pub(super) const FILLING: u16 = 1 << 14;
    /// Of a read: an iteration follows right away.
    pub(super) const GUARD: u16 = 1 << 15;
}

/// Which of a cell's readers a thread is.
fn reader(epoch: Epoch) -> usize {
    usize::from(epoch.slot()) & (READERS - 1)
}

fn kind_of(state: u16) -> Kind {
    Kind::from_number((state & state::KIND) as u8)
}

/// Whether something this bad was reported of an access before.
fn is_news(state: &AtomicU16, severity: Severity) -> bool {
    let (now, level) = (state.load(Relaxed), severity as u16 + 1);
    let is_news = (now & state::LEVEL) >> state::REPORTED < level;
    if is_news {
        state.store(now & !state::LEVEL | level << state::REPORTED, Relaxed);
    }
    is_news
}

/// The table of cells.
pub struct Shadow {
    cells: Box<[Cell]>,
    locks: [Spin; LOCKS],
}

impl Shadow {
    /// As many cells as fit into `bytes`, a power of two.
    pub fn new(bytes: usize) -> Self {
        let count = (bytes / size_of::<Cell>()).max(WAYS);
        let count = if count.is_power_of_two() { count } else { count.next_power_of_two() / 2 };
        // Memory that is not used is not touched either.
        let cells = <[Cell]>::new_box_zeroed_with_elems(count).expect("as much memory as the option says");
        Shadow { cells, locks: array::from_fn(|_| Spin::default()) }
    }

    /// How many locations it holds at most.
    pub fn locations(&self) -> usize {
        self.cells.len()
    }

    #[inline]
    fn find(&self, key: u64) -> Option<&Cell> {
        let first = super::place(key, self.cells.len());
        (0..WAYS).map(|way| &self.cells[first ^ way]).find(|cell| cell.key.load(Relaxed) == key)
    }

    /// A cell for a location that has none: a free one, or any of those that it may have.
    #[cold]
    fn make(&self, key: u64) -> &Cell {
        let first = super::place(key, self.cells.len());
        let _giving_out = self.locks[first / WAYS % LOCKS].lock();
        // Another thread may have been faster: two cells would be two histories.
        if let Some(cell) = self.find(key) {
            return cell;
        }
        let free = (0..WAYS).map(|way| &self.cells[first ^ way]).find(|cell| cell.key.load(Relaxed) == 0);
        let cell = free.unwrap_or(&self.cells[first ^ super::mix(key) as usize % WAYS]);
        let _held = cell.lock.lock();
        cell.clear(key);
        cell
    }

    /// Notes an access of the calling thread; what it races with goes to `report`, after the cell has been let go.
    /// `stack` is asked for at most once.  What kind of access it turns out to be.
    #[inline]
    pub fn access(
        &self,
        access: &Access,
        clock: &ThreadClock,
        memory: &Memory,
        stack: impl FnOnce() -> u32,
        mut report: impl FnMut(Race),
    ) -> Kind {
        let epoch = access.epoch.unwrap_or_else(|| clock.epoch());
        if epoch.is_none() {
            return access.kind;
        }
        // 0 is no location.
        let key = access.location.max(1);
        let mut cell = self.find(key).unwrap_or_else(|| self.make(key));
        let index = reader(epoch);
        let own = &cell.reads[index];
        if access.kind.is_read()
            && cell.epochs[index].load(Relaxed) == epoch.bits()
            && own.site.load(Relaxed) == access.site
            && own.version.load(Relaxed) == cell.version.load(Relaxed)
            && access.since.is_none_or(|since| since == own.version.load(Relaxed))
        {
            memory.version.set(own.version.load(Relaxed));
            return access.kind;
        }
        let here = Place { site: access.site, stack: stack() };
        let mut races = Vec::new();
        let kind = {
            let mut held = cell.lock.lock();
            while cell.key.load(Relaxed) != key {
                drop(held);
                cell = self.find(key).unwrap_or_else(|| self.make(key));
                held = cell.lock.lock();
            }
            let sequence = memory.sequence.get().wrapping_add(1);
            memory.sequence.set(sequence);
            let now = Now { access, clock, epoch, here, memory, sequence };
            let kind = if access.kind.is_read() { now.read(cell, &mut races) } else { now.write(cell, &mut races) };
            memory.version.set(cell.version.load(Relaxed));
            kind
        };
        races.into_iter().for_each(&mut report);
        kind
    }
}

impl Cell {
    fn clear(&self, key: u64) {
        self.write.epoch.store(0, Relaxed);
        self.version.store(0, Relaxed);
        for epoch in &self.epochs {
            epoch.store(0, Relaxed);
        }
        self.key.store(key, Relaxed);
    }
}

/// What a write turned out to be.
struct Change {
    kind: Kind,
    value: Value,
    check: Option<Place>,
    is_checked: bool,
    is_filling: bool,
}

/// One access under the lock of its cell.
struct Now<'a> {
    access: &'a Access,
    clock: &'a ThreadClock,
    epoch: Epoch,
    here: Place,
    memory: &'a Memory,
    sequence: u32,
}

impl Now<'_> {
    /// The thread of an access that is not ordered before this one.
    fn unordered(&self, epoch: &AtomicU64) -> Option<Epoch> {
        let epoch = Epoch::from_bits(epoch.load(Relaxed));
        (!self.access.is_last && epoch.slot() != self.epoch.slot() && !self.clock.has_seen(epoch)).then_some(epoch)
    }

    fn read(&self, cell: &Cell, races: &mut Vec<Race>) -> Kind {
        let write = &cell.write;
        if let Some(thread) = self.unordered(&write.epoch) {
            self.read_after(write, thread, races);
        } else if self.access.since.is_some_and(|since| since != cell.version.load(Relaxed)) {
            self.read_between(write, races);
        }
        let index = reader(self.epoch);
        let own = &cell.reads[index];
        let tested = if self.access.is_tested { state::TESTED } else { 0 };
        let polled = if self.access.is_polled { state::POLLED } else { 0 };
        let asked = if self.access.is_asked { state::ASKED } else { 0 };
        let acting = if self.access.is_acting { state::ACTING } else { 0 };
        let guard = if self.access.is_guard { state::GUARD } else { 0 };
        let flag = self.memory.flag.get();
        cell.epochs[index].store(self.epoch.bits(), Relaxed);
        own.site.store(self.here.site, Relaxed);
        own.stack.store(self.here.stack, Relaxed);
        own.code.store(self.access.code, Relaxed);
        own.state.store(self.access.kind as u16 | tested | polled | asked | acting | guard, Relaxed);
        own.version.store(cell.version.load(Relaxed), Relaxed);
        own.flag.store(if flag.is_heeded_by(self.access) { flag.packed() } else { 0 }, Relaxed);
        self.access.kind
    }

    /// Between the last step of this iteration and this one, something was changed: in an order that does not matter, because the iteration
    /// is not over.
    fn read_between(&self, write: &Write, races: &mut Vec<Race>) {
        let thread = Epoch::from_bits(write.epoch.load(Relaxed));
        let kind = kind_of(write.state.load(Relaxed));
        if !thread.is_none()
            && thread.slot() != self.epoch.slot()
            && let Some(severity) = matrix::severity(kind, self.access.kind)
            && is_news(&write.state, severity)
        {
            races.push(Race {
                severity,
                earlier_kind: kind,
                earlier: place(&write.site, &write.stack),
                earlier_thread: thread,
                earlier_check: None,
                kind: self.access.kind,
                here: self.here,
                check: None,
                is_checked: false,
                witnessed: false,
                published_early: false,
                is_potential: false,
                is_between: true,
            });
        }
    }

    /// This read comes after a write that is not ordered before it.
    fn read_after(&self, write: &Write, thread: Epoch, races: &mut Vec<Race>) {
        let state = write.state.load(Relaxed);
        let kind = kind_of(state);
        let check = check_of(write, state);
        let value = Value(write.value.load(Relaxed));
        // The other thread acted on what this one checks as well: here it merely came too late to act, too.
        let same_check = check.is_some_and(|check| is_same_check(check, self.here, self.access.is_asked));
        let flag = self.memory.flag.get();
        let is_filling = state & state::FILLING != 0;
        let published_early = kind == Kind::Write
            && flag.setter == u32::from(thread.slot())
            && flag.is_heeded_by(self.access)
            && is_before(flag.sequence, write.sequence.load(Relaxed))
            || is_filling && same_check;
        let is_checked = state & state::TESTED != 0;
        let harmless = is_checked && value.is_cacheable();
        let would_act = same_check || is_checked && !is_filling && self.access.is_acting;
        // It only found nothing to iterate over.
        let own_kind = if self.access.is_guard { Kind::Iterate } else { self.access.kind };
        let severity = match matrix::severity(kind, own_kind) {
            // The beginning of an update of its own: that tells more.
            Some(_) if harmless || same_check && !is_checked => None,
            Some(_) if would_act && self.access.kind == Kind::Read => Some(Severity::Error),
            Some(Severity::Info) if published_early => Some(Severity::Warning),
            other => other,
        };
        if self.access.is_tested && (self.access.is_awaited || !self.access.is_polled) {
            let sequence = write.sequence.load(Relaxed);
            self.memory.flag.set(Flag {
                setter: u32::from(thread.slot()),
                sequence,
                code: self.access.code,
                site: self.access.site,
                value,
            });
        }
        if let Some(severity) = severity
            && is_news(&write.state, severity)
        {
            races.push(Race {
                severity,
                earlier_kind: kind,
                earlier: place(&write.site, &write.stack),
                earlier_thread: thread,
                earlier_check: check,
                kind: own_kind,
                here: self.here,
                check: None,
                is_checked,
                witnessed: false,
                published_early,
                is_potential: false,
                is_between: false,
            });
        }
    }

    fn write(&self, cell: &Cell, races: &mut Vec<Race>) -> Kind {
        let index = reader(self.epoch);
        let own = &cell.reads[index];
        let own_epoch = Epoch::from_bits(cell.epochs[index].load(Relaxed));
        let (kind, check, is_checked) = self.goes_back_to(own, own_epoch);
        let (check, is_checked, is_filling) = match kind {
            // One addition is innocent, whatever it goes back to; several show what is there half.
            Kind::Insert if check.is_some() => {
                let is_filling = own.state.fetch_or(state::ACTED, Relaxed) & state::ACTED != 0;
                (check.filter(|_| is_filling), is_filling, is_filling)
            }
            _ => (check, is_checked, false),
        };
        let version = cell.version.load(Relaxed);
        let other_wrote =
            version != own.version.load(Relaxed) && Epoch::from_bits(cell.write.epoch.load(Relaxed)).slot() != self.epoch.slot();
        let last = &cell.write;
        let value = self.access.value.after(Value(last.value.load(Relaxed)));
        // Two increments of what both found yield the same value, and one of them is lost.  Whether this thread has read what the other one
        // had written by then cannot be told: an access is noted shortly before it is made.  What was checked may be filled in twice, and
        // an object that both have changed in place is still there.
        let both_counted = kind_of(last.state.load(Relaxed)) == Kind::Update && self.unordered(&last.epoch).is_some();
        let is_lost = kind == Kind::Update && !is_checked && (other_wrote || both_counted) && value.may_be_counted();
        let equal = value.equals(Value(last.value.load(Relaxed))) && !is_lost;
        let witnessed = check.is_some() && other_wrote && !equal && !is_filling;
        if let Some(thread) = self.unordered(&last.epoch).filter(|_| !self.has_waited(own, own_epoch, version)) {
            let earlier_kind = kind_of(last.state.load(Relaxed));
            let severity =
                matrix::severity(earlier_kind, kind).filter(|_| !equal && !self.is_after_its_removal(earlier_kind, kind));
            if let Some(severity) = severity
                && (is_news(&last.state, severity) || witnessed)
            {
                races.push(Race {
                    severity,
                    earlier_kind,
                    earlier: place(&last.site, &last.stack),
                    earlier_thread: thread,
                    earlier_check: check_of(last, last.state.load(Relaxed)),
                    kind,
                    here: self.here,
                    check,
                    is_checked,
                    witnessed,
                    published_early: false,
                    is_potential: false,
                    is_between: false,
                });
            }
        }
        let change = Change { kind, value, check, is_checked, is_filling };
        // Who has read what is there already has missed nothing.
        for (read, epoch) in cell.reads.iter().zip(&cell.epochs).filter(|_| !equal) {
            if let Some(thread) = self.unordered(epoch) {
                self.write_after(read, thread, &change, races);
            }
        }
        // An equal write of another thread changes nothing, and hides nothing of what the first one did.
        if equal && self.unordered(&last.epoch).is_some() {
            return kind;
        }
        let tested = if is_checked { state::TESTED } else { 0 };
        let filling = if is_filling { state::FILLING } else { 0 };
        last.epoch.store(self.epoch.bits(), Relaxed);
        last.value.store(value.0, Relaxed);
        last.site.store(self.here.site, Relaxed);
        last.stack.store(self.here.stack, Relaxed);
        last.check_site.store(check.map_or(0, |check| check.site), Relaxed);
        last.check_stack.store(check.map_or(0, |check| check.stack), Relaxed);
        last.state.store(kind as u16 | tested | filling, Relaxed);
        last.sequence.store(self.sequence, Relaxed);
        cell.version.store(version.wrapping_add(1), Relaxed);
        // What this thread read before is up to date: it wrote it.
        if own_epoch.slot() == self.epoch.slot() {
            own.version.store(version.wrapping_add(1), Relaxed);
        }
        kind
    }

    /// Whether this puts something where there was nothing, which the earlier access had taken away or had not found.
    fn is_after_its_removal(&self, earlier: Kind, kind: Kind) -> bool {
        self.access.is_new && (earlier == Kind::Atomic || earlier == Kind::Checked && kind == Kind::Write)
    }

    /// Whether this thread has polled for the last write and seen it.
    fn has_waited(&self, own: &Read, epoch: Epoch, version: u16) -> bool {
        let is_own = epoch.slot() == self.epoch.slot();
        is_own && own.state.load(Relaxed) & state::POLLED != 0 && own.version.load(Relaxed) == version
    }

    /// This write comes after a read that is not ordered before it.
    fn write_after(&self, read: &Read, thread: Epoch, change: &Change, races: &mut Vec<Race>) {
        let Change { kind, value, check, is_checked, is_filling } = *change;
        let read_state = read.state.load(Relaxed);
        let is_read = kind_of(read_state) == Kind::Read;
        let earlier_kind = if read_state & state::GUARD != 0 { Kind::Iterate } else { kind_of(read_state) };
        let read_place = place(&read.site, &read.stack);
        let is_asked = read_state & state::ASKED != 0;
        let same_check = check.is_some_and(|check| is_same_check(check, read_place, is_asked)) && is_read;
        let harmless = is_checked && value.is_cacheable();
        let flag = read.flag.load(Relaxed);
        let published_early = kind == Kind::Write
            && flag != 0
            && flag >> 20 == u32::from(self.epoch.slot())
            && self.sequence.wrapping_sub(flag) & SEQUENCE < SEQUENCE / 2
            || is_filling && same_check;
        let would_act = is_checked && !is_filling && read_state & state::ACTING != 0;
        let severity = match matrix::severity(earlier_kind, kind) {
            _ if same_check && (harmless || !is_checked) => None,
            _ if same_check => Some(Severity::Error),
            Some(Severity::Info) if would_act && !harmless => Some(Severity::Error),
            Some(Severity::Info) if published_early => Some(Severity::Warning),
            other => other,
        };
        if let Some(severity) = severity
            && is_news(&read.state, severity)
        {
            races.push(Race {
                severity,
                earlier_kind,
                earlier: read_place,
                earlier_thread: thread,
                earlier_check: None,
                kind,
                here: self.here,
                check,
                is_checked,
                witnessed: false,
                published_early,
                is_potential: false,
                is_between: false,
            });
        }
    }

    /// What kind of write this is, and the own read that it goes back to.
    fn goes_back_to(&self, own: &Read, epoch: Epoch) -> (Kind, Option<Place>, bool) {
        let given = self.access.kind;
        let blind = (given, None, false);
        let upgraded = match given {
            Kind::Write => Kind::Update,
            Kind::Atomic if self.access.is_checkable => Kind::Checked,
            Kind::Insert => Kind::Insert,
            Kind::Read | Kind::Iterate | Kind::Update | Kind::Atomic | Kind::Checked | Kind::Advance => {
                return blind;
            }
        };
        let read = own.state.load(Relaxed);
        let polled = read & state::POLLED != 0 && given == Kind::Write;
        if epoch.is_none() || epoch.slot() != self.epoch.slot() || kind_of(read) != Kind::Read || polled {
            return blind;
        }
        let is_tested = read & state::TESTED != 0;
        let same_function = own.code.load(Relaxed) == self.access.code;
        // A value that was read may be written back anywhere in the function, and a check may decide anything in it.
        let is_asked = read & state::ASKED != 0;
        let is_near = same_function || (given == Kind::Write || is_asked) && epoch == self.epoch;
        let goes_back = is_near && (is_tested || given == Kind::Write && !self.access.is_constant);
        if goes_back { (upgraded, Some(place(&own.site, &own.stack)), is_tested) } else { blind }
    }
}

fn place(site: &AtomicU32, stack: &AtomicU32) -> Place {
    Place { site: site.load(Relaxed), stack: stack.load(Relaxed) }
}

fn check_of(write: &Write, state: u16) -> Option<Place> {
    let goes_back = matches!(kind_of(state), Kind::Update | Kind::Checked) || state & state::FILLING != 0;
    goes_back.then(|| place(&write.check_site, &write.check_stack))
}

/// Whether two checks are the same.  A function that is asked says the same to all its callers: these have to be the same as well.
fn is_same_check(one: Place, other: Place, is_asked: bool) -> bool {
    one.site == other.site && (!is_asked || one.stack == other.stack)
}

#[cfg(test)]
mod tests;
