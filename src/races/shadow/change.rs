//! What a write turned out to be, given what its thread has read: said once, judged by it, and remembered of it.

use super::cell::{Cell, Write, kind_of, mark, state};
use crate::races::access::{Access, AccessSite, Value};
use crate::races::facts::Turn;
use crate::races::matrix::{self, AccessKind};
use std::sync::atomic::Ordering::Relaxed;

/// What a write turned out to be.
pub(super) struct Change {
    pub(super) kind: AccessKind,
    pub(super) value: Value,
    pub(super) check: Option<AccessSite>,
    pub(super) is_checked: bool,
    /// A check decides it, after which it has read again what it goes back to.
    pub(super) is_decided: bool,
    pub(super) is_filling: bool,
    pub(super) may_go_back: bool,
    /// It takes away what was measured before.
    pub(super) is_measured: bool,
    /// In which case the thread does it.
    pub(super) turn: Turn,
}

/// A bit of `state`, if it is to be set.
#[inline(always)]
pub(super) fn bit(is_set: bool, bit: u16) -> u16 {
    if is_set { bit } else { 0 }
}

impl Change {
    /// One that goes back to nothing.
    #[inline(always)]
    pub(super) fn blind(kind: AccessKind, value: Value) -> Self {
        Change {
            kind,
            value,
            check: None,
            is_checked: false,
            is_decided: false,
            is_filling: false,
            may_go_back: false,
            is_measured: false,
            turn: Turn::NONE,
        }
    }

    pub(super) fn state(&self) -> u16 {
        self.kind as u16
            | bit(self.is_checked, state::TESTED)
            | bit(self.is_decided, state::ACTING)
            | bit(self.is_filling, state::FILLING)
            | bit(self.may_go_back, state::MAY_GO_BACK)
    }

    /// An exception is raised if it is there already, so it is no cache that is filled on demand.
    pub(super) fn is_claim(&self, access: &Access) -> bool {
        access.facts.is_refused() && self.is_checked && self.kind == AccessKind::Update
    }

    pub(super) fn marks(&self, access: &Access) -> u8 {
        let measured = if self.is_measured { mark::MEASURED } else { 0 };
        let claim = if self.is_claim(access) { mark::CLAIM } else { 0 };
        let is_named = self.kind == AccessKind::Atomic && access.facts.is_named();
        self.turn.0 | measured | claim | if is_named { mark::NAMED } else { 0 }
    }

    /// The kind that it is told as.
    pub(super) fn told(&self) -> AccessKind {
        if self.is_measured { AccessKind::Checked } else { self.kind }
    }

    /// Whether whatever races with an earlier write, ordered before this one, races with this one at least as badly.
    pub(super) fn stands_for(&self, cell: &Cell, write: &Write) -> bool {
        let state = write.state.load(Relaxed);
        // A check that another thread makes as well may be worse than any write.
        let was_checked = state & state::TESTED != 0;
        let same_check = self.is_checked && self.check.is_some() && self.check == write.check();
        let same_act = same_check && !self.value.is_cacheable() && self.is_filling == (state & state::FILLING != 0);
        // A thread that takes turns with others races with less.
        let is_as_fixed = !self.value.is_fixed() || Value(write.value.load(Relaxed)).is_fixed();
        let same_turn = self.turn == Turn::NONE || self.turn == cell.acted_of(write) && is_as_fixed;
        // Nor does a plain removal race with what is put there later.
        let was_measured = cell.marks_of(write) & mark::MEASURED != 0;
        let is_as_bad = !was_measured || self.is_measured || self.kind != AccessKind::Atomic;
        // A lock that is given back was taken all the same.
        let is_taken = kind_of(state) == AccessKind::Write && write.check().is_some() && self.check != write.check();
        let is_as_decided = self.is_decided || state & state::ACTING == 0;
        let is_as_bad = is_as_bad && is_as_decided;
        matrix::covers(self.kind, kind_of(state)) && (!was_checked || same_act) && same_turn && is_as_bad && !is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::facts::AccessFacts;
    use zerocopy::FromZeros as _;

    const CHECK: AccessSite = AccessSite { site: 5, stack: 1 };

    fn change(kind: AccessKind) -> Change {
        Change::blind(kind, Value::UNKNOWN)
    }

    /// An update that the check at [`CHECK`] decides, of a value that is no answer.
    fn checked() -> Change {
        Change { value: Value::flag(2), check: Some(CHECK), is_checked: true, ..change(AccessKind::Update) }
    }

    /// Whether `now` stands for `earlier`, which was remembered.
    fn stands_for(now: &Change, earlier: &Change) -> bool {
        let cell = Cell::new_zeroed();
        let write = &cell.writes[0];
        write.state.store(earlier.state(), Relaxed);
        write.value.store(earlier.value.0, Relaxed);
        write.check_site.store(earlier.check.map_or(0, |check| check.site), Relaxed);
        write.check_stack.store(earlier.check.map_or(0, |check| check.stack), Relaxed);
        cell.write_marks[0].store(earlier.marks(&Access::new(earlier.kind, 1, 1)), Relaxed);
        now.stands_for(&cell, write)
    }

    #[test]
    fn a_write_stands_for_another_one_that_no_check_has_decided() {
        let write = || change(AccessKind::Write);
        assert!(stands_for(&write(), &write()));
        assert!(!stands_for(&change(AccessKind::Update), &checked()), "a check that others make may be worse than any write");
        assert!(stands_for(&checked(), &checked()), "the same check, and the same act");
        assert!(!stands_for(&Change { check: Some(AccessSite { site: 6, stack: 1 }), ..checked() }, &checked()), "another check");
        assert!(!stands_for(&Change { is_checked: false, ..checked() }, &checked()));
        assert!(!stands_for(&Change { value: Value::of(1), ..checked() }, &checked()), "an answer races with less");
        assert!(!stands_for(&Change { is_filling: true, ..checked() }, &checked()), "another act");
    }

    #[test]
    fn a_thread_that_takes_turns_stands_for_those_of_its_turn() {
        let at = |turn: Turn, value: Value| Change { turn, value, ..change(AccessKind::Write) };
        let (set, unset) = (Turn::SET, Turn::UNSET);
        assert!(stands_for(&at(set, Value::UNKNOWN), &at(set, Value::UNKNOWN)));
        assert!(!stands_for(&at(set, Value::UNKNOWN), &at(unset, Value::UNKNOWN)));
        assert!(stands_for(&at(Turn::NONE, Value::UNKNOWN), &at(set, Value::UNKNOWN)));
        assert!(stands_for(&at(set, Value::flag(2)), &at(set, Value::flag(4))));
        assert!(!stands_for(&at(set, Value::flag(2)), &at(set, Value::UNKNOWN)), "the other one's value may change");
    }

    #[test]
    fn a_plain_removal_does_not_stand_for_one_of_what_was_measured() {
        let measured = || Change { is_measured: true, ..change(AccessKind::Atomic) };
        assert!(stands_for(&measured(), &measured()) && stands_for(&measured(), &change(AccessKind::Atomic)));
        assert!(!stands_for(&change(AccessKind::Atomic), &measured()));
    }

    #[test]
    fn an_update_that_nothing_decides_does_not_stand_for_one_that_is_decided() {
        let decided = || Change { is_decided: true, check: Some(CHECK), ..change(AccessKind::Update) };
        assert!(stands_for(&decided(), &decided()) && stands_for(&decided(), &change(AccessKind::Update)));
        assert!(!stands_for(&change(AccessKind::Update), &decided()));
    }

    #[test]
    fn a_lock_that_is_given_back_was_taken() {
        let taken = || Change { check: Some(CHECK), ..change(AccessKind::Write) };
        assert!(!stands_for(&change(AccessKind::Write), &taken()));
        assert!(stands_for(&taken(), &taken()), "taken again");
    }

    #[test]
    fn only_a_checked_update_that_is_refused_where_it_is_there_is_a_claim() {
        let refused = Access::new(AccessKind::Update, 1, 1).with(AccessFacts::REFUSED);
        let is_claim = |change: &Change, access: &Access| change.is_claim(access) && change.marks(access) & mark::CLAIM != 0;
        assert!(is_claim(&checked(), &refused) && !is_claim(&checked(), &Access::new(AccessKind::Update, 1, 1)));
        assert!(!is_claim(&Change { is_checked: false, ..checked() }, &refused));
        assert!(!is_claim(&Change { kind: AccessKind::Write, ..checked() }, &refused));
        let all = Change { turn: Turn::SET, is_measured: true, ..checked() };
        assert_eq!(all.marks(&refused), Turn::SET.0 | mark::MEASURED | mark::CLAIM);
    }
}
