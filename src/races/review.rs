//! The state that threads share, and its guards: locksets, after Eraser (Savage et al., SOSP 1997).
//!
//! For review, not for verdicts: a lockset knows locks only, so an object that is handed over by a queue, or ordered by start and
//! join, looks unguarded.  It does not depend on luck, however: two threads that happened to run one after the other are seen as
//! well.

use super::access::AccessSite;
use super::clock::Epoch;
use super::matrix::{self, AccessKind};
use crate::rules::severity::Severity;
use std::collections::HashMap;

/// Names a lock.
pub type LockId = u32;

/// Locations that are kept; beyond that, new ones are not looked at.
const MOST: usize = if cfg!(test) { 32 } else { 1 << 18 };

/// Threads that are remembered for a location.
const THREADS: usize = 8;

/// An access, as judged by the shadow memory.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    /// Of what.
    pub location: u64,
    /// Who, and when.
    pub epoch: Epoch,
    /// What is done.
    pub kind: AccessKind,
    /// Locks that the thread holds, sorted.
    pub guards: &'a [LockId],
    /// Where.
    pub place: AccessSite,
}

/// An access by another thread that no common lock keeps apart from the one at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unguarded {
    /// What it did.
    pub kind: AccessKind,
    /// Where.
    pub place: AccessSite,
    /// Who, and when.
    pub epoch: Epoch,
    /// How bad it would be if the two met.
    pub severity: Severity,
}

/// What is known of a location.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// An epoch of each thread that has accessed it.
    pub threads: Vec<Epoch>,
    /// Locks that were held at every access since a second thread came; `None` before that.
    pub guards: Option<Vec<LockId>>,
    /// How often it was read since then.
    pub reads: u64,
    /// How often it was written since then.
    pub writes: u64,
    /// The last accesses by different threads.
    last: Vec<(Epoch, AccessKind, AccessSite)>,
    is_told: bool,
}

/// All locations that were reviewed.
#[derive(Debug, Default)]
pub struct Review {
    locations: HashMap<u64, Shared>,
}

/// What came of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing new.
    Nothing,
    /// More than one thread uses it from now on.
    BecameShared,
    /// No lock guards it.
    Unguarded(Unguarded),
}

impl Review {
    /// Notes a use.
    pub fn note(&mut self, use_: &Use<'_>) -> Outcome {
        if self.locations.len() == MOST && !self.locations.contains_key(&use_.location) {
            return Outcome::Nothing;
        }
        let shared = self.locations.entry(use_.location).or_default();
        let slot = use_.epoch.slot();
        if !shared.threads.iter().any(|known| known.slot() == slot) && shared.threads.len() < THREADS {
            shared.threads.push(use_.epoch);
        }
        let others = shared.last.iter().filter(|(epoch, ..)| epoch.slot() != slot);
        let worst = others.filter_map(|&(epoch, kind, place)| {
            let severity = matrix::severity(kind, use_.kind)?;
            Some(Unguarded { kind, place, epoch, severity })
        });
        let worst = worst.max_by_key(|unguarded| unguarded.severity);
        shared.last.retain(|(epoch, kind, _)| epoch.slot() != slot || kind.is_read() != use_.kind.is_read());
        if shared.last.len() < 2 * THREADS {
            shared.last.push((use_.epoch, use_.kind, use_.place));
        }
        if shared.threads.len() < 2 {
            return Outcome::Nothing;
        }
        *(if use_.kind.is_read() { &mut shared.reads } else { &mut shared.writes }) += 1;
        let is_first = shared.guards.is_none();
        match &mut shared.guards {
            Some(guards) => guards.retain(|guard| use_.guards.binary_search(guard).is_ok()),
            none => *none = Some(use_.guards.to_vec()),
        }
        match worst.filter(|worst| worst.severity.is_serious()) {
            Some(worst) if shared.guards.as_ref().is_some_and(Vec::is_empty) && !shared.is_told => {
                shared.is_told = true;
                Outcome::Unguarded(worst)
            }
            _ if is_first => Outcome::BecameShared,
            _ => Outcome::Nothing,
        }
    }

    /// The locations that more than one thread has used and at least one has changed meanwhile.
    pub fn shared(&self) -> impl Iterator<Item = (u64, &Shared)> {
        let is_shared = |(_, shared): &(&u64, &Shared)| shared.guards.is_some() && shared.writes > 0;
        self.locations.iter().filter(is_shared).map(|(location, shared)| (*location, shared))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn use_(slot: u64, kind: AccessKind, guards: &[LockId]) -> Use<'_> {
        Use { location: 1, epoch: Epoch::from_bits(slot << 48 | 1), kind, guards, place: AccessSite { site: 1, stack: 1 } }
    }

    #[test]
    fn a_common_lock_guards_and_different_ones_do_not() {
        for (second, is_guarded) in [([7], true), ([8], false)] {
            let mut review = Review::default();
            assert_eq!(review.note(&use_(1, AccessKind::Update, &[7])), Outcome::Nothing);
            assert_eq!(review.note(&use_(2, AccessKind::Update, &second)), Outcome::BecameShared);
            let third = review.note(&use_(1, AccessKind::Update, &[7]));
            assert_eq!(matches!(third, Outcome::Unguarded(_)), !is_guarded);
            let (_, shared) = review.shared().next().unwrap();
            assert_eq!(shared.guards.as_deref(), Some(if is_guarded { &[7][..] } else { &[] }));
        }
    }

    #[test]
    fn what_one_thread_does_before_the_others_come_needs_no_lock() {
        let mut review = Review::default();
        review.note(&use_(1, AccessKind::Write, &[]));
        review.note(&use_(2, AccessKind::Read, &[7]));
        assert_eq!(review.note(&use_(1, AccessKind::Update, &[7])), Outcome::Nothing);
        assert_eq!(review.shared().count(), 1);
    }

    #[test]
    fn what_is_only_read_is_no_shared_state() {
        let mut review = Review::default();
        review.note(&use_(1, AccessKind::Write, &[]));
        review.note(&use_(2, AccessKind::Read, &[]));
        review.note(&use_(3, AccessKind::Read, &[]));
        assert_eq!(review.shared().count(), 0);
    }

    #[test]
    fn it_is_told_once() {
        let mut review = Review::default();
        review.note(&use_(1, AccessKind::Update, &[]));
        assert!(matches!(review.note(&use_(2, AccessKind::Update, &[])), Outcome::Unguarded(_)));
        assert_eq!(review.note(&use_(1, AccessKind::Update, &[])), Outcome::Nothing);
    }

    fn at(site: u32, slot: u64, kind: AccessKind) -> Use<'static> {
        Use { place: AccessSite { site, stack: 1 }, ..use_(slot, kind, &[]) }
    }

    /// Where the access is that is told, if one is.
    fn told(outcome: Outcome) -> Option<u32> {
        if let Outcome::Unguarded(other) = outcome { Some(other.place.site) } else { None }
    }

    #[test]
    fn the_worst_of_the_last_accesses_of_all_threads_is_told() {
        let mut review = Review::default();
        for use_ in
            [at(1, 1, AccessKind::Iterate), at(2, 1, AccessKind::Iterate), at(3, 1, AccessKind::Write), at(4, 2, AccessKind::Read)]
        {
            assert_eq!(told(review.note(&use_)), None);
        }
        assert_eq!(told(review.note(&at(5, 3, AccessKind::Insert))), Some(2));
    }

    #[test]
    fn so_many_threads_are_remembered() {
        let mut review = Review::default();
        for slot in (1..=THREADS as u64 + 1).flat_map(|slot| [slot, slot]) {
            review.note(&at(1, slot, AccessKind::Update));
        }
        let (_, shared) = review.shared().next().unwrap();
        assert_eq!(
            shared.threads.iter().map(|epoch| epoch.slot()).collect::<Vec<u16>>(),
            (1..=THREADS as u16).collect::<Vec<u16>>()
        );
    }

    #[test]
    fn so_many_accesses_are_remembered() {
        for (readers, expected) in [(2 * THREADS as u64 - 1, Some(2)), (2 * THREADS as u64, None)] {
            let mut review = Review::default();
            (1..=readers).for_each(|slot| assert_eq!(told(review.note(&at(1, slot, AccessKind::Read))), None));
            review.note(&at(2, readers + 1, AccessKind::Iterate));
            assert_eq!(told(review.note(&at(3, readers + 2, AccessKind::Insert))), expected, "after {readers} readers");
        }
    }

    #[test]
    fn so_many_locations_are_looked_at() {
        let mut review = Review::default();
        let update = |slot, location| Use { location, ..at(1, slot, AccessKind::Update) };
        (0..=MOST as u64).for_each(|location| assert_eq!(review.note(&update(1, location)), Outcome::Nothing));
        let told = (0..=MOST as u64).filter(|location| review.note(&update(2, *location)) != Outcome::Nothing);
        assert_eq!(told.count(), MOST);
    }
}
