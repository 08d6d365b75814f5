//! Updates whose read comes before the lock that their write is made under: the writes are ordered, and one is lost all the same.

use super::super::cell::{OwnRead, Read, Write, is_news, kind_of, place, state};
use super::super::change::Change;
use super::Now;
use crate::races::access::{AccessSite, Race};
use crate::races::clock::Epoch;
use crate::races::matrix::{self, AccessKind};
use std::sync::atomic::Ordering::Relaxed;

impl Now<'_> {
    /// Whether this read begins an update as another thread has made one with this write, which is not ordered before it.
    #[inline(always)]
    pub(super) fn is_beside(&self, write: &Write) -> bool {
        self.unordered(&write.epoch).is_some() && self.is_same_update(write, self.here, self.access.facts.is_asked())
    }

    /// Whether this write ends an update that begins with the same instruction as that read, and that no check decides.
    pub(super) fn is_same_beginning(&self, read: &Read, change: &Change) -> bool {
        let is_asked = read.state.load(Relaxed) & state::ASKED != 0;
        let is_it = |check| self.is_same_check(check, place(&read.site, &read.stack), is_asked);
        let is_plain = !change.is_checked && !change.is_decided;
        change.kind == AccessKind::Update && is_plain && change.check.is_some_and(is_it)
    }

    /// Whether a write ends an update that begins with this read, and that no check decides.
    fn is_same_update(&self, write: &Write, read: AccessSite, is_asked: bool) -> bool {
        let state = write.state.load(Relaxed);
        let is_update = kind_of(state) == AccessKind::Update && state & (state::TESTED | state::ACTING) == 0;
        is_update && write.check().is_some_and(|check| self.is_same_check(check, read, is_asked))
    }

    /// This write comes after the last one, as that of a lock, but goes back to a read that does not.
    #[inline(never)]
    pub(super) fn write_too_late(&self, last: &Write, own: OwnRead<'_>, change: &Change, witnessed: bool, races: &mut Vec<Race>) {
        let thread = Epoch::from_bits(last.epoch.load(Relaxed));
        let is_others = !thread.is_none() && thread.slot() != self.epoch.slot() && self.clock.has_seen(thread);
        let is_asked = own.read.state.load(Relaxed) & state::ASKED != 0;
        if is_others
            && change.kind == AccessKind::Update
            && !change.is_decided
            && change.check.is_some()
            && self.is_same_update(last, place(&own.read.site, &own.read.stack), is_asked)
            && let Some(severity) = matrix::severity(AccessKind::Update, AccessKind::Update)
            && is_news(&last.state, severity)
        {
            let race = self.race(severity, (AccessKind::Update, place(&last.site, &last.stack), thread));
            races.push(Race { earlier_check: last.check(), kind: AccessKind::Update, check: change.check, witnessed, ..race });
        }
    }
}
