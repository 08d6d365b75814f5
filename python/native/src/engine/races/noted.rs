//! One access of a location that threads share: what becomes of it in the shadow memory.
//!
//! An object's life and a hash of the part name the location.

use crate::engine::order;
use crate::engine::races::lives::Seen;
use crate::engine::races::probe_site::{Probe, peek_local};
use crate::engine::races::values::Before;
use crate::engine::races::{
    callers, confirm, container_sync, demands, flags, given, own_thread, review, shared, turns, values, waits, ways,
};
use crate::evidence::race::{self, Part};
use crate::evidence::thread_names;
use crate::thread::context::ThreadContext;
use crate::thread::outcome::Outcome;
use crate::thread::tables;
use ftsan::patcher::Action;
use ftsan::races::access::{Access, AccessSite, Race, Value};
use ftsan::races::clock::Epoch;
use ftsan::races::facts::AccessFacts;
use ftsan::races::location;
use ftsan::races::matrix::AccessKind;
use ftsan::races::shadow::{Look, Moment, PlainAccess, Spot};
use ftsan::rules::Severity;
use pyo3::ffi;
use pyo3::prelude::*;

/// What the clock says: one time is as good as another.
const TIME: u64 = 0x5449_4d45 << 1;

/// What is known of an access beside its kind.
#[derive(Clone, Copy, Default)]
pub(super) struct Details {
    pub(super) facts: AccessFacts,
    /// The entry may have been handed over in the meantime.
    pub(super) is_taken: bool,
    /// When it was handed over, if it was.
    pub(super) epoch: Option<Epoch>,
    /// It writes what a loop may wait for: that all before it is done.
    pub(super) tells: bool,
    /// Of a step of an iteration: where it was at the last one.
    pub(super) since: Option<u16>,
}

/// What is written, and when: before it was handed over, if it was.  The check that it is written after belongs to that epoch.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub(super) value: Value,
    pub(super) epoch: Option<Epoch>,
}

impl Written {
    pub(super) const UNKNOWN: Written = Written::now(Value::UNKNOWN);

    pub(super) const fn now(value: Value) -> Self {
        Written { value, epoch: None }
    }
}

/// One access of a part of an object that more than one thread has touched.
pub(super) struct Touch<'a> {
    pub(super) here: &'static ThreadContext,
    pub(super) probe: &'a Probe,
    pub(super) object: *mut ffi::PyObject,
}

impl Touch<'_> {
    /// Whether the calling thread has read this part of the object, as far as that is remembered.
    ///
    /// # Safety
    /// Attached; the object is alive.
    pub(super) unsafe fn has_read(&self, field: u64) -> bool {
        let races = shared::get();
        // Without a cell of its own for what is only asked for.
        let life = races.lifetimes.life(self.object as u64, &Seen(self.object)).number();
        races.shadow.has_read(location(life ^ order::slice(), field), self.here.order.clock().epoch())
    }

    /// The cell of a part of an object.
    ///
    /// # Safety
    /// Attached; `home` is alive.
    #[inline(always)]
    unsafe fn spot(&self, home: *mut ffi::PyObject, field: u64) -> Spot<'static> {
        let tables = || (&shared::get().lifetimes, &shared::get().shadow);
        self.here.races.lookaside.translate(tables, (home as u64, &Seen(home)), field, order::slice())
    }

    /// Notes an access of a part of `home`, which stands for the object; tells what it races with.
    ///
    /// # Safety
    /// Called from a probe, attached; the object is alive, and so is what it is done with.
    pub(super) unsafe fn noted(
        &self,
        home: *mut ffi::PyObject,
        field: u64,
        kind: AccessKind,
        value: Value,
        details: Details,
        part: Part,
    ) -> Outcome {
        // SAFETY: passed on.
        unsafe {
            self.here.slot.count_access();
            let spot = self.spot(home, field);
            let is_new = || matches!(part, Part::Attribute(name) if values::lacks(self.object, name));
            let name = || if self.probe.action == Action::WriteCell { self.probe.field } else { field };
            let tells = kind == AccessKind::Write && waits::is_waited_for(name()) && waits::tells(field, is_new);
            if !tells && self.noted_plainly(spot, kind, value, &details) {
                Outcome::Continue
            } else {
                self.judged(spot, kind, value, Details { tells, ..details }, part)
            }
        }
    }

    /// Notes an access if there is nothing to judge, as with most: whether it did.  But for the epoch, `details` only concern kinds of accesses that
    /// are never plain, and judgements.
    ///
    /// # Safety
    /// As [`noted`](Self::noted).
    #[inline(always)]
    unsafe fn noted_plainly(&self, spot: Spot<'static>, kind: AccessKind, value: Value, details: &Details) -> bool {
        let (here, probe) = (self.here, self.probe);
        let is_more = probe.is_special || here.order.is_last() || !here.races.is_introduced.get();
        if is_more || details.epoch.is_some() || confirm::is_on() || review::is_on() {
            return false;
        }
        let access = PlainAccess { kind, value, site: probe.site, code: probe.code, facts: probe.facts, turn: probe.turn };
        match spot.look(&access, here.order.clock(), &here.races.memory) {
            Look::Noted => true,
            Look::NotPlain => false,
            // SAFETY: passed on.
            Look::MayBePlain(now) => now.note(unsafe { here.stacks.record_at(probe.site) }),
        }
    }

    /// As [`noted`](Self::noted), of a cell.
    ///
    /// # Safety
    /// As there.
    #[inline(never)]
    unsafe fn judged(&self, spot: Spot<'static>, kind: AccessKind, value: Value, details: Details, part: Part) -> Outcome {
        let (here, probe, clock, location) = (self.here, self.probe, self.here.order.clock(), spot.location());
        tables::are_used(here.slot.accesses());
        let is_demanded = kind == AccessKind::Write && demands::is_met(here, location);
        // A thread gets the identifier of one that has ended by then.
        // SAFETY: the key is alive while the access is noted.
        if matches!(part, Part::Item(key) if unsafe { own_thread::is_number(key) }) {
            order::acquire_key(own_thread::key_of_former());
        }
        let is_first = || kind == AccessKind::Write && shared::get().shadow.last_writer(location).is_none();
        // SAFETY: the object is alive, and nothing is written yet.
        let before = unsafe {
            match part {
                Part::Attribute(name) if is_first() => values::attribute(self.object, name, self.probe.is_time),
                Part::Global(name) if is_first() => values::variable(self.object, name),
                Part::Attribute(_) | Part::Global(_) | Part::Variable(_) | Part::Item(_) | Part::Element(_) => Before::Empty,
                Part::Structure | Part::Position | Part::State(_) => Before::Empty,
            }
        };
        // SAFETY: called from the probe; the object is alive.
        let is_early = |made: Moment| unsafe { self.may_be_early(part, made) };
        let is_given = kind == AccessKind::Read && spot.made_elsewhere(clock).is_some_and(is_early);
        let of_thread = AccessFacts::KEPT.when(before == Before::Whole)
            | AccessFacts::MADE.when(matches!(before, Before::Nothing | Before::None))
            | AccessFacts::UNSET.when(before == Before::None)
            | AccessFacts::GIVEN.when(is_given)
            | AccessFacts::LAST.when(here.order.is_last())
            | AccessFacts::FILLED.when(is_demanded);
        let mut access = Access {
            location,
            kind,
            site: probe.site,
            code: probe.code,
            value,
            facts: probe.facts | details.facts | of_thread,
            turn: probe.turn,
            owner: Value::identity(self.object as u64),
            since: details.since,
            epoch: details.epoch,
        };
        if details.tells {
            // SAFETY: the object is alive, and nothing is written yet.
            if matches!(part, Part::Attribute(name) if unsafe { values::lacks(self.object, name) }) {
                access.facts = access.facts | AccessFacts::NEW;
            }
            // Those who wait know of the write itself as well.
            access.epoch = access.epoch.or_else(|| Some(clock.epoch()));
            flags::set(flags::waited(flags::of(location)));
        }
        // SAFETY: the object is alive, and so is what it is done with; called from the probe.
        if probe.is_special && !unsafe { self.is_judged(&mut access) } {
            return Outcome::Continue;
        }
        if !here.races.is_introduced.get() {
            here.races.is_introduced.set(true);
            // SAFETY: the object is alive, and so is what it is done with.
            thread_names::introduce(unsafe { Python::assume_attached() }, access.epoch.unwrap_or_else(|| clock.epoch()));
        }
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { confirm::meet(probe, location) };
        // SAFETY: the object is alive, and so is what it is done with.
        let stack = || unsafe {
            let stack = here.stacks.record_at(probe.site);
            if access.facts.is_asked() {
                callers::note_decision(stack);
            }
            stack
        };
        let (kind, found) = shared::get().shadow.access_at(spot, &access, clock, &here.races.memory, stack);
        // SAFETY: the object is alive, and so is what it is done with.
        let outcome = if found.is_empty() { Outcome::Continue } else { unsafe { self.tell(found, details.is_taken, part) } };
        if review::is_on() {
            // SAFETY: the object is alive, and so is what it is done with.
            unsafe {
                let place = AccessSite { site: probe.site, stack: here.stacks.record_at(probe.site) };
                review::note(self.object, part, location, clock.epoch(), kind, place);
            }
        }
        outcome
    }

    /// Whether the thread relies on this part of the object, and could have come to the object before it was `made`.
    ///
    /// # Safety
    /// Called from a probe, attached; the object is alive.
    #[cold]
    unsafe fn may_be_early(&self, part: Part, made: Moment) -> bool {
        // SAFETY: passed on.
        unsafe {
            let stack = self.here.stacks.record_at(self.probe.site);
            callers::rely(stack, made.was_none)
                && given::may_ask(stack)
                && match part {
                    Part::Attribute(_) => given::is_one(self.here, self.object) || ways::lead_there(self.object, made),
                    Part::Global(_) => given::are_its_globals(self.object),
                    Part::Variable(_) | Part::Item(_) | Part::Element(_) => false,
                    Part::Structure | Part::Position | Part::State(_) => false,
                }
        }
    }

    /// Tells what an access races with.  `is_taken`: what was put there may have been handed over in the meantime.
    ///
    /// # Safety
    /// Attached; the object is alive.
    #[cold]
    unsafe fn tell(&self, found: Vec<Race>, is_taken: bool, part: Part) -> Outcome {
        let mut outcome = Outcome::Continue;
        for race in found {
            if is_taken {
                // The thread that put it there has released it before it was noted, but perhaps after this thread has asked.
                container_sync::take_now(self.here, self.object);
                if self.here.order.clock().has_seen(race.earlier_thread) {
                    continue;
                }
            }
            let act = if matches!(self.probe.action, Action::Method | Action::Function) { self.probe.name } else { "" };
            // SAFETY: passed on.
            if unsafe { callers::handle_lack(&race, act) } {
                continue;
            }
            let reader = if race.kind == AccessKind::Read { race.here } else { race.earlier };
            // SAFETY: passed on.
            let race = if race.made_late && !unsafe { callers::rely(reader.stack, race.was_none) } {
                Race { severity: Severity::Info, published_early: false, made_late: false, flag: None, ..race }
            } else {
                race
            };
            confirm::suspect(&race);
            // SAFETY: passed on.
            if let Outcome::Raised = unsafe { race::found(self.object, part, self.probe.is_swapper, &race) } {
                outcome = Outcome::Raised;
            }
        }
        outcome
    }

    /// Whether a loop waits for what is read: the one around it, or the one that has asked the function.
    ///
    /// # Safety
    /// Called from a probe, attached.
    pub(super) unsafe fn is_waiting(&self) -> bool {
        // SAFETY: passed on.
        self.probe.is_waiting || self.probe.is_answering && unsafe { callers::wait(self.here.stacks.record_at(self.probe.site)) }
    }

    /// Whether another state is written because a function has answered which one it was.
    ///
    /// # Safety
    /// Called from a probe, attached.
    unsafe fn is_chosen(&self, access: &Access) -> bool {
        let (location, stack, state) = self.here.races.compared.get();
        // SAFETY: passed on.
        let acts = || unsafe { callers::act_for(stack, self.here.stacks.record_at(self.probe.site)) };
        location == access.location && state != self.probe.state && acts()
    }

    /// Of an instruction that is not a plain one ([`Probe::is_special`]): orders threads by it, and completes what is known of the access.  Whether
    /// it is to be judged.
    ///
    /// # Safety
    /// Called from a probe, attached.
    #[inline(never)]
    unsafe fn is_judged(&self, access: &mut Access) -> bool {
        let (here, probe, races) = (self.here, self.probe, shared::get());
        let (kind, value) = (access.kind, access.value);
        let flag = flags::of(access.location);
        if probe.is_trusted {
            if !kind.is_read() {
                flags::set(flag);
            }
            container_sync::see(here, flag);
            return false;
        }
        if probe.action == Action::DeleteAttribute && probe.is_handled {
            // The thread that has put it there comes before the one that takes it away.
            flags::acquire(flags::waited(flag));
            container_sync::see(here, flags::waited(flag));
        }
        // Those who wait for their turn know of the write itself as well.
        access.epoch = access.epoch.or_else(|| probe.is_turn.then(|| here.order.clock().epoch()));
        // A patch that says that it is not started any more hands nothing over: who enters it next swaps as if nobody had.
        let is_set = probe.facts.is_constant() || probe.is_turn && value.is_fixed();
        if kind == AccessKind::Write && !probe.is_swapper && is_set {
            flags::set(flag);
            let writer = races.shadow.last_writer(access.location);
            // The first one to write there has taken nothing back.
            if writer.map_or(probe.is_turn, |writer| writer.slot() != here.order.clock().epoch().slot()) {
                flags::set(flags::turn(flag));
            }
        }
        // SAFETY: called from the probe, whose function has this variable.
        let compared = if probe.compared == 0 { std::ptr::null_mut() } else { unsafe { peek_local(probe.compared - 1) } };
        // SAFETY: alive as long as the variable holds it, or null.
        if probe.is_own || unsafe { own_thread::is_identity(compared) } {
            // To be compared with the calling thread is no check: whatever others write there, the answer stays.
            access.facts = access.facts.without(AccessFacts::TESTED | AccessFacts::ACTING) | AccessFacts::POLLED;
        }
        if probe.acts_at_local && probe.compared != 0 {
            // SAFETY: as above.
            access.turn = unsafe { turns::of_value(compared) };
        }
        if kind == AccessKind::Read && probe.state != 0 {
            // SAFETY: called from the probe.
            here.races.compared.set((access.location, unsafe { here.stacks.record_at(probe.site) }, probe.state));
        }
        if kind == AccessKind::Read && probe.text != Value::UNKNOWN {
            access.value = probe.text;
        } else if probe.would_store != 0 && kind == AccessKind::Read {
            // SAFETY: called from the probe, whose function has this variable; alive as long as the variable holds it, or null.
            access.value = unsafe {
                let argument = peek_local(probe.would_store - 1);
                if argument.is_null() { Value::UNKNOWN } else { values::value(argument) }
            };
        }
        // SAFETY: called from the probe.
        if probe.is_claim || kind == AccessKind::Write && probe.state != 0 && unsafe { self.is_chosen(access) } {
            access.value = value.as_claim();
        }
        if probe.is_time && kind == AccessKind::Write {
            let time = Value::repeatable(TIME);
            access.value = if access.facts.is_new() { time.as_answer() } else { time };
            access.facts = access.facts | AccessFacts::CONSTANT;
        }
        // SAFETY: called from the probe.
        if probe.is_given && kind == AccessKind::Read && unsafe { callers::decides_in_caller(here.stacks.record_at(probe.site)) } {
            access.facts = access.facts | AccessFacts::TESTED | AccessFacts::ASKED;
        }
        if kind == AccessKind::Read && probe.facts.is_filled() {
            demands::make(here, access.location, probe.code);
        }
        let is_polled = probe.facts.is_polled();
        // SAFETY: called from the probe.
        if kind == AccessKind::Read && unsafe { self.is_waiting() } {
            container_sync::see(here, flags::waited(flag));
        } else if kind == AccessKind::Read && (probe.is_heeded || is_polled) {
            container_sync::see(here, if probe.is_heeded { flag } else { flags::turn(flag) });
        }
        true
    }
}
