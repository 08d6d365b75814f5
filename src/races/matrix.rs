//! The meaning of two unordered accesses of one location: the severity matrix, as a table.
//!
//! Source: CPython's own page on thread safety (`Doc/library/threadsafety.rst`).  Single operations of built-in objects are atomic and
//! innocent; read-modify-write, check-then-act and iteration while another thread mutates are not.

use crate::rules::severity::Severity;

/// What an access does to its location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AccessKind {
    /// Reads it, in one step.
    Read,
    /// Walks over it, in many steps.
    Iterate,
    /// Replaces it, whatever it was.
    Write,
    /// Replaces it after the same thread has read it: an update, or an action after a check.
    Update,
    /// Adds to it; additions commute.
    Insert,
    /// Changes it in one step that also reads it (`setdefault`, `pop`).
    Atomic,
    /// As `Atomic`, after the same thread has checked whether it is to be done.
    Checked,
    /// Advances an iterator, which keeps its place between the steps.
    Advance,
}

/// How many kinds there are.
const KINDS: usize = 8;

impl AccessKind {
    /// All kinds, in the order of the matrix.
    pub const ALL: [AccessKind; KINDS] = [
        AccessKind::Read,
        AccessKind::Iterate,
        AccessKind::Write,
        AccessKind::Update,
        AccessKind::Insert,
        AccessKind::Atomic,
        AccessKind::Checked,
        AccessKind::Advance,
    ];

    /// Whether it leaves the location as it was.
    #[inline]
    pub fn is_read(self) -> bool {
        matches!(self, AccessKind::Read | AccessKind::Iterate)
    }

    /// The inverse of `as u8`.
    #[inline]
    pub(super) fn from_number(number: u8) -> Self {
        AccessKind::ALL[usize::from(number) & (KINDS - 1)]
    }
}

const NO: Option<Severity> = None;
const INF: Option<Severity> = Some(Severity::Info);
const WRN: Option<Severity> = Some(Severity::Warning);
const ERR: Option<Severity> = Some(Severity::Error);

/// Row: the earlier access.  Column: the later one.  In the order of [`AccessKind::ALL`].
#[rustfmt::skip]
const MATRIX: [[Option<Severity>; KINDS]; KINDS] = [
    //           read iter writ upda inse atom chec adva
    /* read */  [NO,  NO,  INF, INF, INF, INF, INF, NO],
    /* iterate*/[NO,  NO,  ERR, ERR, ERR, ERR, ERR, NO],
    /* write */ [INF, ERR, WRN, ERR, WRN, WRN, ERR, NO],
    /* update */[INF, ERR, ERR, ERR, ERR, ERR, ERR, NO],
    /* insert */[INF, ERR, WRN, ERR, NO,  NO,  NO,  NO],
    /* atomic */[INF, ERR, WRN, ERR, NO,  NO,  ERR, NO],
    /* check*/  [INF, ERR, ERR, ERR, NO,  ERR, ERR, NO],
    /* advance*/[NO,  NO,  NO,  NO,  NO,  NO,  NO,  ERR],
];

/// How bad it is that `later` is not ordered after `earlier`; `None` if it is innocent.
#[inline]
pub fn severity(earlier: AccessKind, later: AccessKind) -> Option<Severity> {
    MATRIX[earlier as usize][later as usize]
}

/// Whether everything that is bad after `other` is at least as bad after `kind`.
#[inline]
pub(super) fn covers(kind: AccessKind, other: AccessKind) -> bool {
    COVERS[kind as usize] & 1 << other as usize != 0
}

/// For each kind, those that it covers, as bits.
const COVERS: [u8; KINDS] = {
    let mut covers = [0; KINDS];
    let mut pair = 0;
    while pair < KINDS * KINDS {
        let (kind, other) = (pair / KINDS, pair % KINDS);
        let (mut later, mut is_covered) = (0, true);
        while later < KINDS {
            is_covered &= level(MATRIX[kind][later]) >= level(MATRIX[other][later]);
            later += 1;
        }
        covers[kind] |= (is_covered as u8) << other;
        pair += 1;
    }
    covers
};

const fn level(severity: Option<Severity>) -> u8 {
    match severity {
        None => 0,
        Some(severity) => 1 + severity as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_in_order() {
        for (number, kind) in AccessKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(AccessKind::from_number(number as u8), kind);
        }
    }

    #[test]
    fn the_three_bad_families_are_errors_whichever_comes_first() {
        for kind in [AccessKind::Write, AccessKind::Update, AccessKind::Insert, AccessKind::Atomic, AccessKind::Checked] {
            assert_eq!(severity(AccessKind::Iterate, kind), ERR, "{kind:?}");
            assert_eq!(severity(kind, AccessKind::Iterate), ERR, "{kind:?}");
            assert_eq!(severity(AccessKind::Update, kind), ERR, "{kind:?}");
            assert_eq!(severity(kind, AccessKind::Update), ERR, "{kind:?}");
        }
        assert_eq!(severity(AccessKind::Checked, AccessKind::Atomic), ERR);
    }

    #[test]
    fn a_later_write_stands_for_milder_ones_only() {
        let covered = |kind| AccessKind::ALL.into_iter().filter(|other| covers(kind, *other)).collect::<Vec<_>>();
        use AccessKind::{Advance, Atomic, Checked, Insert, Iterate, Read, Update, Write};
        assert_eq!(covered(Update), [Read, Iterate, Write, Update, Insert, Atomic, Checked]);
        assert_eq!(covered(Write), [Read, Write, Insert, Atomic]);
        assert_eq!(covered(Insert), [Insert]);
        assert_eq!(covered(Atomic), [Insert, Atomic]);
        assert_eq!(covered(Checked), [Insert, Atomic, Checked]);
        assert_eq!(covered(Advance), [Advance]);
    }

    #[test]
    fn atomic_operations_are_innocent() {
        for (a, b) in [
            (AccessKind::Insert, AccessKind::Insert),
            (AccessKind::Atomic, AccessKind::Atomic),
            (AccessKind::Insert, AccessKind::Atomic),
            (AccessKind::Read, AccessKind::Read),
        ] {
            assert_eq!(severity(a, b), NO);
            assert_eq!(severity(b, a), NO);
        }
        assert_eq!(severity(AccessKind::Insert, AccessKind::Checked), NO, "an addition cannot take away what was seen");
    }
}
