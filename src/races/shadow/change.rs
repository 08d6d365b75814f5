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
    pub(super) fn state(&self) -> u16 {
        self.kind as u16
            | bit(self.is_checked, state::TESTED)
            | bit(self.is_filling, state::FILLING)
            | bit(self.may_go_back, state::MAY_GO_BACK)
    }

    pub(super) fn marks(&self, access: &Access) -> u8 {
        let is_claim = access.facts.is_refused() && self.is_checked && self.kind == AccessKind::Update;
        let measured = if self.is_measured { mark::MEASURED } else { 0 };
        self.turn.0 | measured | if is_claim { mark::CLAIM } else { 0 }
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
        matrix::covers(self.kind, kind_of(state)) && (!was_checked || same_act) && same_turn && is_as_bad && !is_taken
    }
}
