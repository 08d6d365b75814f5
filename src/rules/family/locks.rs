//! Locks: which are held, which are wanted, and which thread releases them.

use crate::rules::severity::Severity;

/// What was done with locks.
#[derive(Debug, Clone, Copy)]
pub enum LockUse<'a> {
    /// A lock is wanted while another one is held, and other threads do it the other way round.
    Inverted {
        /// Letter of the lock that is wanted, and what the program calls it.
        wanted: (char, &'a str),
        /// The same of the lock that is held.
        held: (char, &'a str),
        /// Name of the thread.
        thread: &'a str,
        /// Name of the next thread of the circle.
        other: &'a str,
        /// Letter of the lock that this one wants.
        other_wants: char,
        /// How many locks there are in the circle.
        locks: usize,
    },
    /// A task is suspended that has acquired a lock.
    HeldAcrossAwait {
        /// What the program calls the lock.
        lock: &'a str,
        /// Name of the thread.
        thread: &'a str,
    },
    /// A lock is released by another thread than the one that acquired it.
    ReleasedElsewhere {
        /// What the program calls the lock.
        lock: &'a str,
        /// A `with` statement acquired it.
        by_with: bool,
        /// It is released by a call of `release`, and not by leaving a `with` statement.
        by_call: bool,
        /// Name of the thread that releases it.
        thread: &'a str,
        /// Name of the thread that acquired it.
        holder: &'a str,
    },
}

/// What a rule says of locks.
#[derive(Debug)]
pub struct Locks {
    /// The title.
    pub title: fn(&LockUse<'_>) -> String,
    /// How bad a case is, where it is not as bad as the rule says.
    pub severity: fn(&LockUse<'_>) -> Option<Severity>,
}
