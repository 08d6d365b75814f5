//! The judgement of a race: what an access of a location means after those that its cell remembers, and what is remembered of it.

use super::cell::{
    Cell, OwnRead, Read, WRITES, Write, is_newer, is_news, is_of, kind_of, mark, own_place, place, reader_of, state,
};
use super::change::{Change, bit};
use crate::races::access::{Access, AccessSite, Race, Value};
use crate::races::clock::{Epoch, ThreadClock};
use crate::races::facts::Turn;
use crate::races::matrix::{self, AccessKind};
use crate::races::memory::{Flag, MEANWHILE, NEVER, SEQUENCE, ThreadHistory, is_before};
use crate::races::stacks::Stacks;
use crate::rules::Severity;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One access under the lock of its cell.
pub(super) struct Now<'a> {
    pub(super) access: &'a Access,
    pub(super) clock: &'a ThreadClock,
    pub(super) epoch: Epoch,
    pub(super) here: AccessSite,
    pub(super) memory: &'a ThreadHistory,
    pub(super) sequence: u32,
    pub(super) stacks: Stacks,
    #[cfg(test)]
    pub(super) forgotten: &'a AtomicU64,
}

/// Whether a thread has polled for this write and seen it, by its last read.
fn has_waited(own: Option<OwnRead<'_>>, write: &Write) -> bool {
    own.is_some_and(|OwnRead { read: own, .. }| {
        own.has_waited() && !is_newer(write.version.load(Relaxed), own.version.load(Relaxed))
    })
}

impl Now<'_> {
    /// The thread of an access that is not ordered before this one.
    #[inline(always)]
    fn unordered(&self, epoch: &AtomicU64) -> Option<Epoch> {
        let epoch = Epoch::from_bits(epoch.load(Relaxed));
        // The clock has seen all that its own thread did, and what was never.
        (!self.clock.has_seen(epoch) && !self.access.facts.is_last()).then_some(epoch)
    }

    /// Whether two checks are the same.  A function that is asked says the same to all its callers: what these decide has to be the same as well.
    fn is_same_check(&self, one: AccessSite, other: AccessSite, is_asked: bool) -> bool {
        one.site == other.site && (!is_asked || (self.stacks.decide_the_same)(one.stack, other.stack))
    }

    fn race(&self, severity: Severity, earlier: (AccessKind, AccessSite, Epoch)) -> Race {
        let (earlier_kind, earlier, earlier_thread) = earlier;
        Race {
            severity,
            earlier_kind,
            earlier,
            earlier_thread,
            earlier_check: None,
            kind: self.access.kind,
            here: self.here,
            check: None,
            is_checked: false,
            witnessed: false,
            published_early: false,
            made_late: false,
            was_none: false,
            is_potential: false,
            is_between: false,
            flag: None,
        }
    }

    /// Judges and notes a read.
    pub(super) fn read(&self, cell: &Cell, races: &mut Vec<Race>) -> AccessKind {
        let comes_last = cell.writes.iter().all(|write| self.unordered(&write.epoch).is_none());
        if !comes_last || self.access.since.is_some() {
            self.judge_read(cell, races);
        }
        if self.access.kind == AccessKind::Read {
            self.keep(cell, AccessKind::Read);
        }
        if self.access.kind == AccessKind::Iterate || self.access.facts.is_guard() {
            self.keep_iteration(cell);
        }
        self.access.kind
    }

    #[inline(never)]
    fn judge_read(&self, cell: &Cell, races: &mut Vec<Race>) {
        // The last one last: it is the flag that was seen.
        let last = usize::from(cell.last.load(Relaxed));
        for write in (1..=WRITES).map(|number| &cell.writes[(last + number) % WRITES]) {
            if let Some(thread) = self.unordered(&write.epoch) {
                self.read_after(cell, write, thread, races);
            } else if self.access.since.is_some_and(|since| is_newer(write.version.load(Relaxed), since)) {
                self.read_between(write, races);
            }
        }
    }

    #[inline(never)]
    fn keep_iteration(&self, cell: &Cell) {
        self.keep(cell, AccessKind::Iterate);
    }

    /// Remembers a read as one of this kind.
    #[inline(always)]
    fn keep(&self, cell: &Cell, kind: AccessKind) {
        let (epochs, reads) = cell.reads_of(kind);
        let index = self.reader(cell, kind, epochs, reads);
        let own = &reads[index];
        let known = kind as u16 | self.access.facts.of_read();
        let has_waited = if is_of(&epochs[index], self.epoch) {
            own.has_waited() && own.version.load(Relaxed) == cell.version.load(Relaxed)
        } else {
            cell.has_forgotten(state::POLLED) // perhaps its own
        };
        let known = known | bit(kind == AccessKind::Read && has_waited, state::WAITED);
        let is_again = is_of(&epochs[index], self.epoch) && own.is_looked_at_again(self.access.facts, self.access.code);
        let here = if is_again { place(&own.site, &own.stack) } else { self.here };
        epochs[index].store(self.epoch.bits(), Relaxed);
        own.keep(here, self.access.code, known, cell.version.load(Relaxed));
        own.flag.store(if self.memory.has_flag() { self.heed(cell, own) } else { 0 }, Relaxed);
        if kind == AccessKind::Read {
            let is_filled = if self.access.facts.is_filled() { mark::FILLED } else { 0 };
            let is_beside = if self.is_beside(cell.last()) { mark::BESIDE } else { 0 };
            cell.read_marks[index].store(self.access.turn.0 | is_filled | is_beside, Relaxed);
        }
    }

    /// Which of these readers this thread is.
    #[inline(always)]
    fn reader(&self, cell: &Cell, kind: AccessKind, epochs: &[AtomicU64], reads: &[Read]) -> usize {
        reader_of(epochs, self.epoch).unwrap_or_else(|| self.place_of_reader(cell, kind, epochs, reads))
    }

    /// The place of a thread that has none yet.
    #[cold]
    fn place_of_reader(&self, cell: &Cell, kind: AccessKind, epochs: &[AtomicU64], reads: &[Read]) -> usize {
        // An iteration that comes before this one needs no place of its own; a read may be what a write of its thread goes back to.
        let may_go = |known: &AtomicU64| {
            let is_over = kind == AccessKind::Iterate && self.clock.has_seen(Epoch::from_bits(known.load(Relaxed)));
            known.load(Relaxed) == 0 || is_over
        };
        let own = own_place(epochs, self.epoch);
        if may_go(&epochs[own]) {
            return own;
        }
        epochs.iter().position(may_go).unwrap_or_else(|| {
            #[cfg(test)]
            self.forgotten.fetch_add(1, Relaxed);
            let index = own;
            let has_waited = reads[index].has_waited();
            let turn = bit(cell.turn_of(index) != Turn::NONE, state::TURN);
            cell.forgotten.fetch_or((bit(has_waited, state::POLLED) | turn | state::MAY_GO_BACK) as u8, Relaxed);
            index
        })
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
            races.push(Race { is_between: true, ..self.race(severity, (kind, place(&write.site, &write.stack), thread)) });
        }
    }

    /// This read comes after a write that is not ordered before it.
    fn read_after(&self, cell: &Cell, write: &Write, thread: Epoch, races: &mut Vec<Race>) {
        let state = write.state.load(Relaxed);
        let (kind, check) = (kind_of(state), write.check());
        let value = Value(write.value.load(Relaxed));
        // The other thread acted on what this one checks as well: here it merely came too late to act, too.
        let same_check = check.is_some_and(|check| self.is_same_check(check, self.here, self.access.facts.is_asked()));
        let flag = self.memory.flag.get();
        let is_filling = state & state::FILLING != 0;
        let is_blind = kind == AccessKind::Write && state & state::MAY_GO_BACK == 0 && cell.marks_of(write) & mark::KEPT == 0;
        let is_claim = kind == AccessKind::Update && cell.marks_of(write) & mark::CLAIM != 0;
        let published_early = (is_blind || is_claim)
            && !self.access.facts.is_polled()
            && flag.setter == u32::from(thread.slot())
            && self.heeds(flag)
            && is_before(flag.sequence, write.sequence.load(Relaxed))
            && !Self::was_complete(cell, write, flag)
            || is_filling && same_check;
        let was_none = state & state::UNSET != 0;
        let is_late = || if published_early { !was_none } else { self.is_made_late(cell, write, flag) };
        let made_late = Self::is_made(write) && is_late();
        let is_checked = state & state::TESTED != 0;
        let is_read = self.access.kind == AccessKind::Read;
        let is_decided = state & state::ACTING != 0;
        let would_act = same_check || (is_checked && !is_filling || is_decided) && self.access.facts.is_acting();
        // Both have waited for it, and both take it.
        let is_spin = same_check && kind == AccessKind::Write;
        let takes_turns = !same_check && value.is_fixed() && cell.acted_of(write).excludes(self.access.turn);
        // A guard only found nothing to iterate over.
        let own_kind = if self.access.facts.is_guard() { AccessKind::Iterate } else { self.access.kind };
        let is_cached = value.is_cacheable() && !self.access.value.contradicts(value);
        let harmless = is_checked && is_cached && own_kind == AccessKind::Read && !self.access.facts.is_measured();
        let severity = match matrix::severity(kind, own_kind) {
            Some(_) if is_spin => Some(Severity::Error),
            // The beginning of an update of its own: that tells more.
            Some(_) if harmless || same_check && !is_checked && !is_decided => None,
            // It finds that it is its turn.
            Some(Severity::Info) if takes_turns => None,
            Some(_) if would_act && is_read => Some(Severity::Error),
            // The look before it tells more.
            Some(Severity::Info) if self.access.facts.is_again() => None,
            Some(Severity::Info) if state & state::MAY_GO_BACK != 0 => None,
            Some(Severity::Info) if published_early || made_late => Some(Severity::Warning),
            other => other,
        };
        if self.access.facts.is_tested() && (self.access.facts.is_awaited() || !self.access.facts.is_polled()) {
            let sequence = write.sequence.load(Relaxed);
            self.memory.flag.set(Flag {
                setter: u32::from(thread.slot()),
                sequence,
                code: self.access.code,
                site: self.access.site,
                value,
                before: write.before.load(Relaxed),
                stack: self.here.stack,
            });
        }
        if let Some(severity) = severity
            && is_news(&write.state, severity)
        {
            let race = self.race(severity, (kind, place(&write.site, &write.stack), thread));
            let flag = (published_early && !is_filling).then_some(AccessSite { site: flag.site, stack: flag.stack });
            let is_checked = is_checked || is_spin || is_decided && would_act;
            let earlier_kind = if is_spin { AccessKind::Update } else { kind };
            let published_early = published_early || made_late;
            let race = Race { published_early, made_late, was_none, flag, ..race };
            races.push(Race { earlier_check: check, earlier_kind, kind: own_kind, is_checked, ..race });
        }
    }

    /// Judges and notes a write; what kind of write it turned out to be.
    pub(super) fn write(&self, cell: &Cell, races: &mut Vec<Race>) -> AccessKind {
        let own = cell.own_read(self.epoch);
        let version = cell.version.load(Relaxed);
        let last = cell.last();
        let last_epoch = Epoch::from_bits(last.epoch.load(Relaxed));
        let other_wrote = !last_epoch.is_none()
            && last_epoch.slot() != self.epoch.slot()
            && own.is_some_and(|own| is_newer(last.version.load(Relaxed), own.read.version.load(Relaxed)));
        let mut change = self.change(cell, last, own);
        match own {
            Some(own) if change.is_checked => change.turn = Turn(own.marks & Turn::BITS),
            Some(_) => {}
            None if cell.forgotten.load(Relaxed) == 0 => self.is_made_on_demand(cell, &mut change),
            // A read of this thread that is forgotten may be what it goes back to, which tells more.
            None => change.may_go_back = cell.has_forgotten(state::MAY_GO_BACK),
        }
        let Change { kind, value, check, is_checked, .. } = change;
        // Two increments of what both found yield the same value, and one of them is lost.  Whether this thread has read what the other one
        // had written by then cannot be told: an access is noted shortly before it is made.  An entry that was checked may be filled in twice,
        // and an object that both have changed in place is still there.
        let both_counted = kind_of(last.state.load(Relaxed)) == AccessKind::Update && self.unordered(&last.epoch).is_some();
        let is_lost = kind == AccessKind::Update && !is_checked && (other_wrote || both_counted) && value.may_be_counted();
        let equal = !last_epoch.is_none() && value.equals(Value(last.value.load(Relaxed))) && !is_lost;
        // A thread that has read or written what is there already has missed nothing.
        if !equal && !self.access.facts.is_last() && !cell.is_ordered(self.clock) {
            self.judge_write(cell, own, &change, other_wrote, races);
        }
        if let Some(own) = own.filter(|own| own.marks & mark::BESIDE != 0)
            && !equal
            && !self.access.facts.is_last()
        {
            self.write_too_late(last, own, &change, other_wrote, races);
        }
        let has_written = cell.has_written(u32::from(self.epoch.slot()));
        let before = match last_epoch {
            epoch if epoch.is_none() => NEVER,
            epoch if epoch.slot() == self.epoch.slot() => last.sequence.load(Relaxed),
            // Additions take nothing back.
            _ if [kind, kind_of(last.state.load(Relaxed))] == [AccessKind::Insert; 2] => NEVER,
            _ => MEANWHILE,
        };
        let first = match last_epoch {
            epoch if !epoch.is_none() && epoch.slot() == self.epoch.slot() => last.first.load(Relaxed),
            _ if has_written => MEANWHILE,
            _ => self.sequence,
        };
        let version = version.wrapping_add(1);
        let is_kept = kind == AccessKind::Write && self.is_kept(cell);
        let place = self.replaces(cell, &change);
        let kept = &cell.writes[place];
        kept.epoch.store(self.epoch.bits(), Relaxed);
        kept.value.store(value.0, Relaxed);
        kept.site.store(self.here.site, Relaxed);
        kept.stack.store(self.here.stack, Relaxed);
        kept.check_site.store(check.map_or(0, |check| check.site), Relaxed);
        kept.check_stack.store(check.map_or(0, |check| check.stack), Relaxed);
        let is_made = kind == AccessKind::Write && self.access.facts.is_made();
        let was_none = is_made && self.access.facts.is_unset();
        kept.state.store(change.state() | bit(is_made, state::MADE) | bit(was_none, state::UNSET), Relaxed);
        kept.sequence.store(self.sequence, Relaxed);
        kept.before.store(before, Relaxed);
        kept.first.store(first, Relaxed);
        let kept_mark = if is_kept { mark::KEPT } else { 0 };
        cell.write_marks[place].store(change.marks(self.access) | kept_mark, Relaxed);
        kept.version.store(version, Relaxed);
        cell.last.store(place as u8, Relaxed);
        cell.version.store(version, Relaxed);
        cell.notes_writer(u32::from(self.epoch.slot()));
        // It has looked for something that it has now made itself.
        if let Some(OwnRead { read: own, .. }) = own {
            // Only changed under the lock of the cell: an atomic operation would cost as much as all the rest.
            own.state.store(own.state.load(Relaxed) & !state::LAZY, Relaxed);
        }
        // The thread's earlier reading is up to date if it was: the thread wrote it.  Of what it has polled for it knows as much as before.
        if let Some(OwnRead { read: own, .. }) = own
            && own.version.load(Relaxed) == version.wrapping_sub(1)
            && !own.has_waited()
        {
            own.version.store(version, Relaxed);
        }
        kind
    }

    /// Judges a write that does not come after everything that the cell remembers, and changes something.
    #[inline(never)]
    fn judge_write(&self, cell: &Cell, own: Option<OwnRead<'_>>, change: &Change, other_wrote: bool, races: &mut Vec<Race>) {
        let last = cell.last();
        // One that is forgotten may have waited for the other write.
        let may_have_waited = own.is_none() && cell.has_forgotten(state::POLLED);
        for write in cell.writes.iter().filter(|_| !may_have_waited) {
            if let Some(thread) = self.unordered(&write.epoch).filter(|_| !has_waited(own, write)) {
                let goes_back = change.check.is_some() && change.kind != AccessKind::Write;
                let witnessed = goes_back && other_wrote && std::ptr::eq(write, last) && !change.is_filling;
                let are_fixed = change.value.is_fixed() && Value(write.value.load(Relaxed)).is_fixed();
                // Of one of the two it may be forgotten which turn was its.
                let may_be_turn = change.may_go_back || write.state.load(Relaxed) & state::MAY_GO_BACK != 0;
                let is_turn = cell.acted_of(write).excludes(change.turn) || may_be_turn && cell.has_forgotten(state::TURN);
                if !(are_fixed && is_turn) {
                    self.write_after_write(cell, write, thread, change, witnessed, races);
                }
            }
        }
        let is_first = Epoch::from_bits(last.epoch.load(Relaxed)).is_none();
        let are_fixed = change.value.is_fixed() && (is_first || Value(last.value.load(Relaxed)).is_fixed());
        for kind in [AccessKind::Read, AccessKind::Iterate] {
            let (epochs, reads) = cell.reads_of(kind);
            for (index, epoch) in epochs.iter().enumerate() {
                if let Some(thread) = self.unordered(epoch) {
                    let waits = kind == AccessKind::Read && are_fixed && change.turn.excludes(cell.turn_of(index));
                    self.write_after_read(cell, &reads[index], thread, change, waits, races);
                    if kind == AccessKind::Read && self.is_same_beginning(&reads[index], change) {
                        cell.read_marks[index].fetch_or(mark::BESIDE, Relaxed);
                    }
                }
            }
        }
    }

    /// Which of the cell's writes this one takes the place of; others that it stands for as well are forgotten.
    fn replaces(&self, cell: &Cell, change: &Change) -> usize {
        let mut free = None;
        for (place, write) in cell.writes.iter().enumerate() {
            let epoch = Epoch::from_bits(write.epoch.load(Relaxed));
            if epoch.is_none() || self.clock.has_seen(epoch) && change.stands_for(cell, write) {
                write.epoch.store(0, Relaxed);
                free = Some(place);
            }
        }
        free.unwrap_or_else(|| {
            #[cfg(test)]
            self.forgotten.fetch_add(1, Relaxed);
            // The older one.
            (usize::from(cell.last.load(Relaxed)) + 1) % WRITES
        })
    }

    /// Whether this puts something where there was nothing, which the earlier access had taken away or had not found.
    fn is_after_its_removal(&self, cell: &Cell, earlier: &Write, change: &Change) -> bool {
        let kind = kind_of(earlier.state.load(Relaxed));
        self.access.facts.is_new()
            && (kind == AccessKind::Atomic && !Self::would_replace(cell, earlier, change)
                || kind == AccessKind::Checked && change.kind == AccessKind::Write)
    }

    /// Whether this, had it come first, would have written something else over what was taken away by its name: that it came later is luck.
    /// Objects that may change are handed over by whoever takes them away.
    fn would_replace(cell: &Cell, removal: &Write, change: &Change) -> bool {
        let is_blind = change.kind == AccessKind::Write && !change.value.is_object();
        if !is_blind || cell.marks_of(removal) & mark::NAMED == 0 || !std::ptr::eq(removal, cell.last()) {
            return false;
        }
        let before = removal.version.load(Relaxed).wrapping_sub(1);
        let is_put = |write: &&Write| {
            let kind = kind_of(write.state.load(Relaxed));
            write.version.load(Relaxed) == before && matches!(kind, AccessKind::Write | AccessKind::Update)
        };
        let differs = |write: &Write| change.value.as_answer() != Value(write.value.load(Relaxed)).as_answer();
        before == 0 || cell.writes.iter().find(is_put).is_some_and(differs)
    }

    /// Another thread has found that there is nothing, and then had this one make it.
    fn is_made_on_demand(&self, cell: &Cell, change: &mut Change) {
        if change.kind != AccessKind::Write || self.access.facts.is_constant() || !change.value.is_object() {
            return;
        }
        let (epochs, reads) = cell.reads_of(AccessKind::Read);
        let demands = reads.iter().zip(epochs).filter(|(read, epoch)| {
            let thread = Epoch::from_bits(epoch.load(Relaxed));
            let is_current = read.version.load(Relaxed) == cell.version.load(Relaxed);
            read.state.load(Relaxed) & state::LAZY != 0 && is_current && !thread.is_none() && self.clock.has_seen(thread)
        });
        if let Some(check) = demands.map(|(read, _)| place(&read.site, &read.stack)).min_by_key(|check| (check.site, check.stack)) {
            (change.kind, change.check, change.is_checked) = (AccessKind::Update, Some(check), true);
        }
    }

    /// This write comes after another one that is not ordered before it, and does not leave what is there.
    fn write_after_write(
        &self,
        cell: &Cell,
        write: &Write,
        thread: Epoch,
        change: &Change,
        witnessed: bool,
        races: &mut Vec<Race>,
    ) {
        let earlier_kind = kind_of(write.state.load(Relaxed));
        let was_measured = cell.marks_of(write) & mark::MEASURED != 0;
        // Of the two, it is the update.
        let was_checked = change.kind != AccessKind::Update && write.state.load(Relaxed) & (state::TESTED | state::ACTING) != 0;
        // Both have waited for it at the same place, and both take it.
        let is_spin = [earlier_kind, change.kind] == [AccessKind::Write; 2]
            && change.check.is_some_and(|check| write.check().is_some_and(|other| other.site == check.site));
        if let Some(severity) = matrix::severity(earlier_kind, change.kind)
            && let severity = if is_spin { Severity::Error } else { severity }
            && (was_measured || !self.is_after_its_removal(cell, write, change))
            && (is_news(&write.state, severity) || witnessed)
        {
            let told = if was_measured { AccessKind::Checked } else { earlier_kind };
            let [told, own] = if is_spin { [AccessKind::Update; 2] } else { [told, change.told()] };
            races.push(Race {
                earlier_check: if was_measured { Some(place(&write.check_site, &write.check_stack)) } else { write.check() },
                kind: own,
                check: change.check,
                is_checked: change.is_checked || change.is_decided || is_spin || was_checked,
                witnessed,
                ..self.race(severity, (told, place(&write.site, &write.stack), thread))
            });
        }
    }

    /// This write comes after a read that is not ordered before it.
    fn write_after_read(&self, cell: &Cell, read: &Read, thread: Epoch, change: &Change, waits: bool, races: &mut Vec<Race>) {
        let Change { kind, value, check, is_checked, is_decided, is_filling, may_go_back, is_measured, .. } = *change;
        let read_state = read.state.load(Relaxed);
        let earlier_kind = kind_of(read_state);
        let read_place = place(&read.site, &read.stack);
        let is_asked = read_state & state::ASKED != 0;
        let is_guard = read_state & state::GUARD != 0;
        let is_look = earlier_kind == AccessKind::Read || is_guard;
        let same_check = is_look && !is_measured && check.is_some_and(|check| self.is_same_check(check, read_place, is_asked));
        let is_wait = earlier_kind == AccessKind::Read && read_state & state::POLLED != 0;
        let is_spin = same_check && kind == AccessKind::Write && is_wait;
        let harmless = is_checked && value.is_cacheable() && !is_guard && read_state & state::MEASURED == 0;
        let flag = read.flag.load(Relaxed);
        let is_part = kind == AccessKind::Write && !may_go_back && !self.is_kept(cell) || change.is_claim(self.access);
        let published_early = is_part
            && read_state & state::POLLED == 0
            && flag != 0
            && flag >> 20 == u32::from(self.epoch.slot())
            && self.sequence.wrapping_sub(flag) & SEQUENCE < SEQUENCE / 2
            || is_filling && same_check;
        // The other thread has looked for it when there was none.
        let was_none = self.access.facts.is_unset();
        let is_made = kind == AccessKind::Write && self.access.facts.is_made() && earlier_kind == AccessKind::Read;
        let made_late = is_made && !(published_early && was_none);
        let would_act = (is_checked && !is_filling || is_decided) && read_state & state::ACTING != 0;
        let severity = match matrix::severity(earlier_kind, kind) {
            _ if is_spin => Some(Severity::Error),
            _ if same_check && (harmless || !is_checked && !is_decided) => None,
            _ if same_check => Some(Severity::Error),
            // It has found that it is not its turn.
            Some(Severity::Info) if waits => None,
            Some(Severity::Info) if would_act && !harmless => Some(Severity::Error),
            // The iteration that it guards tells more.
            Some(Severity::Info) if may_go_back || earlier_kind == AccessKind::Read && is_guard => None,
            Some(Severity::Info) if published_early || made_late => Some(Severity::Warning),
            other => other,
        };
        if let Some(severity) = severity
            && is_news(&read.state, severity)
        {
            races.push(Race {
                kind: if is_spin { AccessKind::Update } else { kind },
                check,
                is_checked: is_checked || is_spin || is_decided && would_act,
                published_early: published_early || made_late,
                made_late,
                was_none,
                // Where it was seen is known, but not how the reader had come there.
                flag: (published_early && !is_filling).then(|| AccessSite { site: read.flag_site.load(Relaxed), stack: 0 }),
                ..self.race(severity, (earlier_kind, read_place, thread))
            });
        }
    }

    /// What a write is, given the last one and what the own thread has read.
    fn change(&self, cell: &Cell, last: &Write, own: Option<OwnRead<'_>>) -> Change {
        let value = self.access.value.after(Value(last.value.load(Relaxed)));
        let given = self.access.kind;
        let blind = Change::blind(given, value);
        let kind = match given {
            AccessKind::Write => AccessKind::Update,
            AccessKind::Atomic if self.access.facts.is_checkable() => AccessKind::Checked,
            AccessKind::Atomic if self.access.facts.is_sure() => AccessKind::Atomic,
            AccessKind::Insert => AccessKind::Insert,
            AccessKind::Read
            | AccessKind::Iterate
            | AccessKind::Update
            | AccessKind::Atomic
            | AccessKind::Checked
            | AccessKind::Advance => return blind,
        };
        let Some(OwnRead { read: own, epoch: read_in, marks }) = own else { return blind };
        let read = own.state.load(Relaxed);
        if read & state::POLLED != 0 && given == AccessKind::Write {
            // It has waited for the opposite.
            let is_spin = self.access.facts.is_constant() && Turn(marks & Turn::BITS).is_taken_by(self.access.value.is_true());
            return Change { check: is_spin.then(|| place(&own.site, &own.stack)), ..blind };
        }
        let (is_tested, is_again) = (read & state::TESTED != 0, own.is_again());
        let same_function = own.code.load(Relaxed) == self.access.code;
        // A value that was read may be written back anywhere in the function, and a check may decide anything in it.
        let is_filled = given == AccessKind::Insert && marks & mark::FILLED != 0;
        let is_far = given == AccessKind::Write || read & state::ASKED != 0 || is_filled;
        // Each addition hands over what it adds.
        let goes_on = is_filled && read & state::ACTED != 0 && cell.is_filled_in(self.epoch);
        // The function that has checked it is waiting for what this one does.
        let is_for_caller = given == AccessKind::Write && self.access.facts.is_filled();
        let is_by_its_caller = || {
            given == AccessKind::Write
                && read & state::ASKED != 0
                && (self.stacks.act_for)(own.stack.load(Relaxed), self.here.stack)
        };
        let is_near = same_function || is_far && read_in == self.epoch || goes_on || is_for_caller || is_by_its_caller();
        let is_constant = self.access.facts.is_constant();
        let decides = is_tested || is_again && given != AccessKind::Insert;
        if !is_near || !decides && (given != AccessKind::Write || is_constant) {
            return blind;
        }
        let check = Some(place(&own.site, &own.stack));
        if kind == AccessKind::Atomic {
            // Taken away is what is there by now: a look whether anything is there does not matter, nor do two that take it.
            let is_measured = read & state::MEASURED != 0;
            return Change { check: check.filter(|_| is_measured), is_measured, ..blind };
        }
        if is_filled && !same_function {
            cell.fill_in(self.clock.epoch());
        }
        // One addition is innocent, whatever it goes back to; several show what is there half.
        if kind == AccessKind::Insert && own.state.fetch_or(state::ACTED, Relaxed) & state::ACTED == 0 {
            return blind;
        }
        // A value that is made of what was read may be a count, of which one is lost: that is no answer that two may give.
        let is_decided = is_again && kind == AccessKind::Update && !is_constant;
        Change { kind, check, is_checked: decides && !is_decided, is_decided, is_filling: kind == AccessKind::Insert, ..blind }
    }
}

mod published;
mod too_late;

#[cfg(test)]
mod tests;
