//! What a race is: the specification that the engine ([`shadow`](super::shadow), [`sync`](super::sync), [`clock`](super::clock)) is measured
//! against.  Slow and exact, with a memory without bounds, and written to be read.
//!
//! A [`Trace`] is what threads did, in the order in which it was noted.  Of two events the earlier one *happened before* the later one if
//! the same thread did both, or if a release of a key and a later acquisition of that key lie between them, directly or by way of others.
//! Two accesses *race* if different threads make them, of one location, neither happened before the other, and [`Trace::race`] knows no
//! reason why that is innocent.
//!
//! [`properties`] runs random traces through this and through the engine.

use super::access::{Access, Value};
use super::facts::Turn;
use super::matrix::{self, AccessKind};
use crate::rules::Severity;
use std::collections::{BTreeMap, BTreeSet};

mod disagreements;
mod engine;
mod properties;

/// What a thread does.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// With the number of the stack from which it is made.
    Access(Access, u32),
    /// What it has done and seen is handed over to whoever acquires the key.
    Release(u64),
    Acquire(u64),
}

#[derive(Debug, Clone, Copy)]
struct Event {
    thread: usize,
    step: Step,
}

/// What threads did, in order.
struct Trace {
    events: Vec<Event>,
    /// For each event, those that happened before it.
    past: Vec<BTreeSet<usize>>,
}

/// A write and what it goes back to.
struct Change {
    kind: AccessKind,
    /// The own read that it goes back to.
    check: Option<usize>,
    /// That read decides whether it is made.
    is_checked: bool,
    /// A check decides it, after which the thread has read once more what it goes back to.
    is_decided: bool,
    /// It is one of several additions that go back to one check.
    is_filling: bool,
    /// It takes away what the read has measured.
    is_measured: bool,
}

/// In which case a thread acts on what it has read; `None` if it is not known to wait for its turn.
fn acting_case(read: &Access) -> Option<Turn> {
    Some(read.turn).filter(|turn| *turn != Turn::NONE)
}

/// Whether threads that act in these cases do not act at the same time: both are sure that it is not set, or that it is another number.
fn exclude_each_other(one: Turn, other: Turn) -> bool {
    one != other && (one == Turn::UNSET || other == Turn::UNSET || one != Turn::SET && other != Turn::SET)
}

/// A look whether there is something to iterate over is part of the iteration.
fn as_iteration(access: &Access) -> AccessKind {
    if access.facts.is_guard() { AccessKind::Iterate } else { access.kind }
}

impl Trace {
    fn new(events: Vec<Event>) -> Self {
        let mut seen = BTreeMap::<usize, BTreeSet<usize>>::new();
        let mut released = BTreeMap::<u64, BTreeSet<usize>>::new();
        let mut past = Vec::new();
        for (number, Event { thread, step }) in events.iter().enumerate() {
            let seen = seen.entry(*thread).or_default();
            if let Step::Acquire(key) = step {
                seen.extend(released.get(key).into_iter().flatten());
            }
            past.push(seen.clone());
            seen.insert(number);
            if let Step::Release(key) = step {
                released.entry(*key).or_default().extend(seen.iter());
            }
        }
        Trace { events, past }
    }

    fn access(&self, event: usize) -> Option<&Access> {
        match &self.events[event].step {
            Step::Access(access, _) => Some(access),
            Step::Release(_) | Step::Acquire(_) => None,
        }
    }

    /// Of an access; 0 for other events.
    fn stack(&self, event: usize) -> u32 {
        match self.events[event].step {
            Step::Access(_, stack) => stack,
            Step::Release(_) | Step::Acquire(_) => 0,
        }
    }

    /// The same.
    fn location(&self, event: usize) -> u64 {
        self.access(event).map_or(0, |access| access.location)
    }

    /// The accesses of the same location before `event`, latest first.
    fn earlier(&self, event: usize) -> impl Iterator<Item = (usize, &Access)> {
        let location = self.access(event).map(|access| access.location);
        let accesses = (0..event).rev().filter_map(|earlier| Some((earlier, self.access(earlier)?)));
        accesses.filter(move |(_, access)| Some(access.location) == location)
    }

    fn is_own(&self, event: usize, other: usize) -> bool {
        self.events[event].thread == self.events[other].thread
    }

    /// The thread's last read of the location before `event`, in one step.
    fn own_read(&self, event: usize) -> Option<(usize, &Access)> {
        self.earlier(event).find(|(earlier, access)| self.is_own(event, *earlier) && access.kind == AccessKind::Read)
    }

    /// The last write of the location before `event`, by any thread.
    fn last_write(&self, event: usize) -> Option<usize> {
        self.earlier(event).find(|(_, access)| !access.kind.is_read()).map(|(earlier, _)| earlier)
    }

    /// The read by which the thread has polled for what it has last read before `event`: the last one, or one before it if nothing was written since.
    fn polled_for(&self, event: usize) -> Option<usize> {
        let last = self.own_read(event)?;
        let since = self.earlier(last.0).find(|(_, access)| !access.kind.is_read()).map_or(0, |(write, _)| write);
        let reads = self.earlier(event).filter(|(read, access)| self.is_own(event, *read) && access.kind == AccessKind::Read);
        let mut same = reads.filter(|(read, _)| *read >= since);
        same.find(|(_, access)| access.facts.is_polled()).map(|_| last.0)
    }

    fn has_released_between(&self, read: usize, write: usize) -> bool {
        let mut between = (read..write).filter(|event| self.is_own(*event, write));
        between.any(|event| matches!(self.events[event].step, Step::Release(_)))
    }

    /// The own read that a write goes back to.
    ///
    /// A value that was read may be written back anywhere in the function that read it, or before the thread hands anything over.  A
    /// check may decide anything in its function, and if the function is one that is asked, what its caller does, wherever it writes and
    /// elsewhere before it hands anything over; the same holds of additions by a function that is called to fill it.  A function that is called because of a check writes because of it,
    /// whatever it hands over.  Polling for a flag is no reason to write it, and a constant goes back to nothing but a check.
    fn goes_back_to(&self, event: usize) -> Option<(usize, &Access)> {
        let access = self.access(event)?;
        let (number, read) = self.own_read(event)?;
        let is_write = access.kind == AccessKind::Write;
        let is_filled = read.facts.is_filled() && access.kind == AccessKind::Insert;
        let is_near = read.code == access.code
            || is_write && access.facts.is_filled()
            || is_write && read.facts.is_asked() && self.stack(number) == self.stack(event)
            || (is_write || read.facts.is_asked() || is_filled) && !self.has_released_between(number, event);
        let decides = read.facts.is_tested() || read.facts.is_again();
        let may_be = match access.kind {
            AccessKind::Write => !read.facts.is_polled() && (decides || !access.facts.is_constant()),
            AccessKind::Atomic => decides && (access.facts.is_checkable() || access.facts.is_sure() && read.facts.is_measured()),
            AccessKind::Insert => read.facts.is_tested(),
            AccessKind::Read | AccessKind::Iterate | AccessKind::Update | AccessKind::Checked | AccessKind::Advance => false,
        };
        (is_near && may_be).then_some((number, read))
    }

    /// A write of what the thread has read before is an update; a removal of what it has measured is one of what may be something else by
    /// then; an operation after a look whether it is to be done is a checked one; and
    /// where several additions go back to one check, all but the first fill what others may see half.
    fn change(&self, event: usize) -> Change {
        let kind = self.access(event).expect("it is an access").kind;
        let blind = Change { kind, check: None, is_checked: false, is_decided: false, is_filling: false, is_measured: false };
        if let Some(waited) = self.waited_for_the_opposite(event) {
            return Change { check: Some(waited), ..blind };
        }
        let Some((number, read)) = self.goes_back_to(event) else {
            return match self.demanded_by(event) {
                Some(read) => Change { kind: AccessKind::Update, check: Some(read), is_checked: true, ..blind },
                None => blind,
            };
        };
        let upgraded = match kind {
            AccessKind::Write => AccessKind::Update,
            AccessKind::Atomic if !self.access(event).is_some_and(|access| access.facts.is_checkable()) => {
                return Change { check: Some(number), is_measured: true, ..blind };
            }
            AccessKind::Atomic => AccessKind::Checked,
            AccessKind::Insert if self.has_added_since(number, event) => AccessKind::Insert,
            AccessKind::Insert
            | AccessKind::Read
            | AccessKind::Iterate
            | AccessKind::Update
            | AccessKind::Checked
            | AccessKind::Advance => return blind,
        };
        let is_filling = kind == AccessKind::Insert;
        let is_constant = self.access(event).is_some_and(|access| access.facts.is_constant());
        let is_decided = upgraded == AccessKind::Update && read.facts.is_again() && !is_constant;
        let is_checked = read.facts.is_tested() || read.facts.is_again() && !is_decided;
        let check = Some(self.look_before(number));
        Change { kind: upgraded, check, is_checked, is_decided, is_filling, is_measured: false }
    }

    /// The read by which the thread has waited for the opposite of the constant that it writes: it takes what it has waited for.
    fn waited_for_the_opposite(&self, event: usize) -> Option<usize> {
        let access = self.access(event).filter(|access| access.kind == AccessKind::Write && access.facts.is_constant())?;
        let (number, read) = self.own_read(event)?;
        (read.facts.is_polled() && read.turn.is_taken_by(access.value.is_true())).then_some(number)
    }

    /// Where the thread has looked whether to act on what it reads once more; any other read is a look itself.
    fn look_before(&self, read: usize) -> usize {
        let Some(again) = self.access(read).filter(|access| access.facts.is_again()) else { return read };
        match self.own_read(read).filter(|(_, look)| look.facts.is_acting() && look.code == again.code) {
            Some((look, _)) => self.look_before(look),
            None => read,
        }
    }

    /// The look of another thread that has had this one make what was not there.
    ///
    /// It happened before, nothing was written since, and the thread that makes it has never looked itself.  Of several, the first in the
    /// order of their instructions.
    fn demanded_by(&self, event: usize) -> Option<usize> {
        let access = self.access(event)?;
        if access.kind != AccessKind::Write
            || access.facts.is_constant()
            || !self.value(event).is_object()
            || self.own_read(event).is_some()
        {
            return None;
        }
        let last_write = self.last_write(event);
        let mut seen = BTreeSet::new();
        let last_looks =
            self.earlier(event).filter(|(read, access)| access.kind == AccessKind::Read && seen.insert(self.events[*read].thread));
        let demands = last_looks.filter(|(read, access)| {
            access.facts.is_lazy() && self.past[event].contains(read) && last_write.is_none_or(|write| write < *read)
        });
        let place = |event: usize| match self.events[event].step {
            Step::Access(access, stack) => (access.site, stack),
            Step::Release(_) | Step::Acquire(_) => (0, 0),
        };
        demands.map(|(read, _)| read).min_by_key(|read| place(*read))
    }

    fn has_added_since(&self, check: usize, event: usize) -> bool {
        let mut own =
            self.earlier(event).filter(|(earlier, access)| self.is_own(event, *earlier) && access.kind == AccessKind::Insert);
        own.any(|(earlier, _)| self.goes_back_to(earlier).is_some_and(|(read, _)| read == check))
    }

    /// Whether a write goes back to the check that `read` is.
    ///
    /// It is the same instruction, and what is removed was not merely measured by it; and if that answers a function's callers, it is the same caller, too.
    fn same_check(&self, write: usize, read: usize) -> bool {
        self.is_checked_at(write, read, self.access(read).is_some_and(|access| access.facts.is_asked()))
    }

    /// The same of a read that the write comes after: what was read once more is known by the look before it.
    fn same_look(&self, write: usize, read: usize) -> bool {
        self.is_checked_at(write, self.look_before(read), self.access(read).is_some_and(|access| access.facts.is_asked()))
    }

    fn is_checked_at(&self, write: usize, look: usize, is_asked: bool) -> bool {
        let change = self.change(write);
        let (Some(check), Step::Access(access, stack)) = (change.check.filter(|_| !change.is_measured), self.events[look].step)
        else {
            return false;
        };
        let Step::Access(known, from) = self.events[check].step else { return false };
        known.site == access.site && (!is_asked || from == stack)
    }

    /// What is written, or the answer that is there already.
    fn value(&self, event: usize) -> Value {
        let access = self.access(event).expect("it is an access");
        self.last_write(event).map_or(access.value, |last| access.value.after(self.value(last)))
    }

    /// Whether another thread has written since this one last read or wrote the location.
    fn other_wrote(&self, event: usize) -> bool {
        let last = self.last_write(event);
        self.own_read(event).is_some_and(|(read, _)| last.is_some_and(|last| !self.is_own(event, last) && last > read))
    }

    /// Whether a write leaves the location as it was.
    ///
    /// Not if two threads may have counted from the same value to the same one: then one count is lost, although the values are equal.
    fn changes_nothing(&self, event: usize) -> bool {
        let Some(last) = self.last_write(event) else { return false };
        let Change { kind, is_checked, .. } = self.change(event);
        let value = self.value(event);
        let both_counted = self.is_unordered(last, event) && self.change(last).kind == AccessKind::Update;
        let is_count = kind == AccessKind::Update && !is_checked && value.may_be_counted();
        value.equals(self.value(last)) && !(is_count && (both_counted || self.other_wrote(event)))
    }

    fn is_unordered(&self, earlier: usize, later: usize) -> bool {
        !self.is_own(earlier, later) && !self.past[later].contains(&earlier)
    }

    /// How bad it is that these two accesses of a location have no order; `None` if they have, or if it is innocent.
    fn race(&self, earlier: usize, later: usize) -> Option<Severity> {
        let (first, second) = (self.access(earlier)?, self.access(later)?);
        if first.location != second.location || second.facts.is_last() {
            return None;
        }
        if !self.is_unordered(earlier, later) {
            return self.is_too_late(earlier, later).then(|| matrix::severity(AccessKind::Update, AccessKind::Update))?;
        }
        match (first.kind.is_read(), second.kind.is_read()) {
            (true, true) => None,
            (false, true) => self.read_after_write(earlier, later),
            (true, false) => self.write_after_read(earlier, later),
            (false, false) => self.write_after_write(earlier, later),
        }
    }

    /// Whether an update comes after another thread's, the last one, by its write alone: it goes back to a read that does not.
    ///
    /// Both begin with the same instruction, and neither is decided by a check.  The read has no order with the last write before it, or with one
    /// that was made since, each of which ends such an update.
    fn is_too_late(&self, earlier: usize, later: usize) -> bool {
        let Change { kind: AccessKind::Update, is_checked: false, is_decided: false, check: Some(read), .. } = self.change(later)
        else {
            return false;
        };
        let ends_the_same = |write: usize| {
            let Change { kind, is_checked, is_decided, .. } = self.change(write);
            kind == AccessKind::Update && !is_checked && !is_decided && !self.is_own(write, later) && self.same_check(write, read)
        };
        let is_last = |event: usize| self.access(event).is_some_and(|access| access.facts.is_last());
        let was_beside =
            || self.last_write(read).is_some_and(|write| ends_the_same(write) && self.is_unordered(write, read) && !is_last(read));
        let is_since = |write: &usize| {
            *write > read
                && ends_the_same(*write)
                && self.is_unordered(read, *write)
                && !is_last(*write)
                && !self.changes_nothing(*write)
        };
        let writes = || self.earlier(later).filter(|(_, access)| !access.kind.is_read()).map(|(write, _)| write);
        let is_another_after = self.last_write(later) == Some(earlier) && !self.is_own(earlier, later) && ends_the_same(earlier);
        is_another_after && !self.changes_nothing(later) && (was_beside() || writes().any(|write| is_since(&write)))
    }

    fn read_after_write(&self, write: usize, read: usize) -> Option<Severity> {
        let access = self.access(read)?;
        let Change { kind, is_checked, is_decided, is_filling, .. } = self.change(write);
        let is_read = access.kind == AccessKind::Read;
        let same_check = self.same_check(write, read);
        let would_act = same_check || (is_checked && !is_filling || is_decided) && access.facts.is_acting();
        match matrix::severity(kind, as_iteration(access))? {
            // A cache of equal values may be filled twice, so looking whether it is filled may come at any time; what is measured is no cache.
            _ if is_checked
                && self.value(write).is_cacheable()
                && !access.value.contradicts(self.value(write))
                && is_read
                && !access.facts.is_guard()
                && !access.facts.is_measured() =>
            {
                None
            }
            // Both have waited for it, and both take it.
            _ if same_check && kind == AccessKind::Write => Some(Severity::Error),
            // The beginning of an update: the write that ends it races.
            _ if same_check && !is_checked && !is_decided => None,
            // It finds that it is its turn.
            Severity::Info if !same_check && self.take_turns(write, read) => None,
            // It came too late to act, this time.
            _ if would_act && is_read => Some(Severity::Error),
            // The look before it tells more.
            Severity::Info if access.facts.is_again() => None,
            severity @ (Severity::Info | Severity::Warning | Severity::Error) => Some(severity),
        }
    }

    fn write_after_read(&self, read: usize, write: usize) -> Option<Severity> {
        let access = self.access(read)?;
        // A thread that has read what is there already has missed nothing.
        if self.changes_nothing(write) {
            return None;
        }
        let Change { kind, is_checked, is_decided, is_filling, .. } = self.change(write);
        let same_check = self.same_look(write, read) && access.kind == AccessKind::Read;
        let is_cached = is_checked && self.value(write).is_cacheable() && !access.facts.is_guard() && !access.facts.is_measured();
        let takes_it_too = same_check && kind == AccessKind::Write && access.facts.is_polled();
        match matrix::severity(as_iteration(access), kind) {
            _ if takes_it_too && self.is_last_look(read, write) => Some(Severity::Error),
            // The other thread begins an update, whose write races, or may fill a cache with the same value.
            _ if same_check && (!is_checked && !is_decided || is_cached) => None,
            // It has found that it is not its turn.
            Some(Severity::Info) if !same_check && self.has_to_wait(read, write) => None,
            // It will act on what it saw, unless it has looked elsewhere since.
            _ if same_check && self.is_last_look(read, write) => Some(Severity::Error),
            Some(Severity::Info)
                if (is_checked && !is_filling || is_decided)
                    && !is_cached
                    && access.facts.is_acting()
                    && self.is_last_look(read, write) =>
            {
                Some(Severity::Error)
            }
            severity => severity,
        }
    }

    /// Whether the write was decided by a look that lets the thread act in the one case, while the other read lets its thread act in the other
    /// case, and wait for its turn in this one.
    fn take_turns(&self, write: usize, read: usize) -> bool {
        let (Some(reader), Some(writer)) = (self.access(read).and_then(acting_case), self.acted_if(write)) else { return false };
        exclude_each_other(reader, writer)
    }

    /// In which case the thread makes this write, if it waits for its turn in the other one.
    fn acted_if(&self, write: usize) -> Option<Turn> {
        let look = self.own_read(write).filter(|_| self.change(write).is_checked && self.value(write).is_fixed());
        look.and_then(|(_, look)| acting_case(look))
    }

    /// Whether the last look of the thread of `read` lets it act in the other case than that of the write: if both are about to act, something
    /// else was written between, which races.
    fn has_to_wait(&self, read: usize, write: usize) -> bool {
        let look = self.earlier(write).find(|(earlier, access)| self.is_own(*earlier, read) && access.kind == AccessKind::Read);
        let is_fixed = self.last_write(write).is_none_or(|last| self.value(last).is_fixed());
        is_fixed && look.is_some_and(|(look, _)| self.take_turns(write, look))
    }

    /// Whether the thread of `read` has not read the location elsewhere before `event`.
    fn is_last_look(&self, read: usize, event: usize) -> bool {
        let look = self.earlier(event).find(|(earlier, access)| self.is_own(*earlier, read) && access.kind == AccessKind::Read);
        let place = |event: usize| match self.events[event].step {
            Step::Access(access, stack) => Some((access.site, if access.facts.is_asked() { stack } else { 0 })),
            Step::Release(_) | Step::Acquire(_) => None,
        };
        look.is_some_and(|(look, _)| place(self.look_before(look)) == place(self.look_before(read)))
    }

    fn write_after_write(&self, earlier: usize, later: usize) -> Option<Severity> {
        let (first, second) = (self.change(earlier), self.change(later));
        let access = self.access(later)?;
        let has_waited = self.polled_for(later).is_some_and(|read| read > earlier);
        // The old one has been taken away, or was not found, and something else is put in its place.
        let is_put_again = access.facts.is_new()
            && !first.is_measured
            && (first.kind == AccessKind::Atomic && !self.would_replace(earlier, later)
                || first.kind == AccessKind::Checked && second.kind == AccessKind::Write);
        let cases = self.acted_if(earlier).zip(self.acted_if(later));
        let took_turns = cases.is_some_and(|(one, other)| exclude_each_other(one, other));
        if has_waited || is_put_again || took_turns || self.changes_nothing(later) {
            return None;
        }
        let takes = [earlier, later].map(|event| self.waited_for_the_opposite(event).and_then(|read| self.access(read)));
        match matrix::severity(first.kind, second.kind) {
            // Both have waited for it at the same place, and both take it.
            Some(_) if takes[0].zip(takes[1]).is_some_and(|(one, other)| one.site == other.site) => Some(Severity::Error),
            severity => severity,
        }
    }

    /// Whether `write`, had it come first, would have written something else over what `removal`, the last write before it, has taken away by
    /// its name.
    ///
    /// Objects that may change are handed over by whoever takes them away.
    fn would_replace(&self, removal: usize, write: usize) -> bool {
        let is_named = self.access(removal).is_some_and(|access| access.facts.is_named());
        let is_blind = self.change(write).kind == AccessKind::Write && !self.value(write).is_object();
        let differs = |put: usize| self.value(put).as_answer() != self.value(write).as_answer();
        let is_put = |put: &usize| matches!(self.change(*put).kind, AccessKind::Write | AccessKind::Update);
        let taken = self.last_write(removal);
        is_named && is_blind && self.last_write(write) == Some(removal) && taken.is_none_or(|put| is_put(&put) && differs(put))
    }

    /// Whether one reads what the other writes, and could see that it is not complete: then the race is at least a warning.
    ///
    /// The reader had seen a flag that the writer set before, without an order.  A flag is a location that a thread tests, without polling
    /// for it or waiting for it to be set; then at another instruction of the same function, or of the one that has called it, it reads something else, or in any function
    /// something of the object that the flag was set to.  (The engine tells fewer: not if the writer had completed that before it set the flag, so
    /// that this is another round; nor if the instruction comes before that of the flag, so that it is another round of the reader's loop.)  Or the reader asks whether it is filled, and the writer is filling it.
    fn is_published_early(&self, earlier: usize, later: usize) -> bool {
        let is_read = |event: usize| self.access(event).is_some_and(|access| access.kind.is_read());
        let (read, write) = if is_read(later) { (later, earlier) } else { (earlier, later) };
        let Some(access) = self.access(read).filter(|access| access.kind.is_read()) else { return false };
        let tells = |seen: usize, set: usize| {
            self.access(seen).is_some_and(|flag| {
                let is_flag = flag.kind.is_read() && flag.facts.is_tested() && (flag.facts.is_awaited() || !flag.facts.is_polled());
                let is_of_it = self.value(set).is_same_object(access.owner);
                let is_for_caller = self.stack(seen) == self.stack(read);
                is_flag && flag.site != access.site && (flag.code == access.code || is_of_it || is_for_caller)
            })
        };
        let sets = |set: usize, seen: usize| {
            self.is_own(set, write)
                && !is_read(set)
                && self.earlier(seen).any(|(known, _)| known == set)
                && self.is_unordered(set, seen)
        };
        let flags = || (0..read).filter(|seen| self.is_own(*seen, read) && self.access(*seen).is_some());
        let was_told = || flags().any(|seen| (0..write.min(seen)).any(|set| sets(set, seen) && tells(seen, set)));
        let Change { kind, is_filling, is_checked, .. } = self.change(write);
        // A name that is refused if it is there already is as much a part of the whole as one that is written without looking.
        let is_claim =
            kind == AccessKind::Update && is_checked && self.access(write).is_some_and(|access| access.facts.is_refused());
        let is_part = kind == AccessKind::Write && !self.is_kept(write) || is_claim;
        // A thread that polls for something does not take it to be there.
        let same_check = if read == later { self.same_check(write, read) } else { self.same_look(write, read) };
        is_part && !access.facts.is_polled() && was_told() || is_filling && same_check
    }

    /// Whether a write replaces something that was whole before anything was written, or what was written over that.
    fn is_kept(&self, write: usize) -> bool {
        let was_kept = |last: usize| self.change(last).kind == AccessKind::Write && self.is_kept(last);
        self.access(write).is_some_and(|access| access.facts.is_kept()) || self.last_write(write).is_some_and(was_kept)
    }

    /// Whether a step of an iteration comes after a change that was made since the step before, whatever their order: the iteration is not
    /// over.
    fn is_between(&self, write: usize, step: usize) -> Option<Severity> {
        let access = self.access(step)?;
        let before = self.earlier(step).find(|(earlier, access)| self.is_own(*earlier, step) && access.kind == AccessKind::Iterate);
        let is_since = access.since.is_some() && before.is_some_and(|(before, _)| before < write);
        let is_same = self.earlier(step).any(|(earlier, _)| earlier == write) && !self.is_own(write, step);
        matrix::severity(self.change(write).kind, access.kind).filter(|_| is_since && is_same)
    }

    /// All the races: (earlier, later) and how bad each is.
    fn races(&self) -> BTreeMap<(usize, usize), Severity> {
        let pairs = (0..self.events.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
        pairs.filter_map(|(earlier, later)| Some(((earlier, later), self.race(earlier, later)?))).collect()
    }
}
