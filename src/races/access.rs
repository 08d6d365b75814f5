//! What an access of a location is, and what a race of two of them is.

use super::clock::Epoch;
use super::facts::{AccessFacts, Turn};
use super::matrix::AccessKind;
use crate::rules::severity::Severity;

/// What an access is.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// Of what.
    pub location: u64,
    /// As the instruction says it; [`AccessKind::Update`] and [`AccessKind::Checked`] are found here.
    pub kind: AccessKind,
    /// Where in the program: the same number for the same instruction, and a higher one for a later one of its function.
    pub site: u32,
    /// The function, by a number.
    pub code: u32,
    /// What is written.
    pub value: Value,
    /// What else is known of it.
    pub facts: AccessFacts,
    /// In which case the thread acts on what is read.
    pub turn: Turn,
    /// The object that the location is of, as the value of what refers to it.
    pub owner: Value,
    /// A step of an iteration that was begun before: what [`ThreadHistory::version`](super::memory::ThreadHistory::version) said after the last step.
    pub since: Option<u16>,
    /// When it counts as made: what it writes was released meanwhile.  `None` is now.
    pub epoch: Option<Epoch>,
}

impl Access {
    /// Of this kind, by this instruction of a function; of no location yet, and nothing else is known of it.
    pub const fn new(kind: AccessKind, site: u32, code: u32) -> Self {
        Access {
            location: 0,
            kind,
            site,
            code,
            value: Value::UNKNOWN,
            facts: AccessFacts::NONE,
            turn: Turn::NONE,
            owner: Value::UNKNOWN,
            since: None,
            epoch: None,
        }
    }

    /// The same with these facts as well.
    #[must_use]
    pub fn with(self, facts: AccessFacts) -> Self {
        Access { facts: self.facts | facts, ..self }
    }
}

/// A summary of an immutable value, equal for equal values; or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Value(pub(super) u64);

impl Value {
    /// Of something that is not known.
    pub const UNKNOWN: Value = Value(0);
    const FLAG: u64 = 1 << 63;
    const IDENTITY: u64 = 1 << 62;
    const FIXED: u64 = 1 << 61;

    /// Of `None`: what flags are made of.
    #[inline]
    pub fn flag(number: u64) -> Self {
        Value(number | Value::FLAG)
    }

    /// Of `True` or `False`.
    #[inline]
    pub fn truth(is_set: bool) -> Self {
        Value(u64::from(is_set) << 1 | 1 << 2 | Value::FLAG | Value::FIXED)
    }

    /// Which of both it is, if it is one.
    pub(super) fn is_true(self) -> Option<bool> {
        const BOTH: u64 = Value::FLAG | Value::FIXED;
        // A value that `of` has made is odd.
        (self.0 & (BOTH | Value::IDENTITY | 1) == BOTH).then_some(self.0 & 2 != 0)
    }

    /// Of what an operation leaves that may be done twice: as little of an answer, or of something kept, as a flag.
    pub fn repeatable(operation: u64) -> Self {
        Value(operation | Value::FLAG)
    }

    /// Of any other immutable object.
    #[inline]
    pub fn of(hash: u64) -> Self {
        Value((hash & !(Value::FLAG | Value::IDENTITY | Value::FIXED)) | 1)
    }

    /// Of an immutable object that nobody counts with: a function, a class, a pattern.
    pub fn fixed(hash: u64) -> Self {
        Value(Value::of(hash).0 | Value::FIXED)
    }

    /// Of an object that may change: writing the one that is there already changes nothing all the same.
    #[inline]
    pub fn identity(address: u64) -> Self {
        Value(address | Value::IDENTITY)
    }

    /// Where there was nothing before, a flag is an answer.
    #[must_use]
    #[inline]
    pub fn as_answer(self) -> Self {
        if self.0 & Value::FLAG == 0 { self } else { Value::of(self.0) }
    }

    /// Whether it is an object that may change.
    #[inline]
    pub fn is_object(self) -> bool {
        self.0 & (Value::FLAG | Value::IDENTITY) == Value::IDENTITY
    }

    /// Chosen because another one was found there: it is no answer that two threads may give.
    #[must_use]
    pub fn as_claim(self) -> Self {
        if self.is_cacheable() { Value(self.0 | Value::FLAG) } else { self }
    }

    /// If `last` is the same as an answer, another thread has given it meanwhile.
    #[inline]
    pub(super) fn after(self, last: Value) -> Self {
        if self.as_answer() == last { last } else { self }
    }

    /// Whether it stays as it is: what was found out of it holds as long as nothing else is written.
    pub fn is_fixed(self) -> bool {
        self.0 != 0 && !self.is_object()
    }

    /// Whether this is an object that may change, and `other` is the same one.
    #[inline]
    pub(super) fn is_same_object(self, other: Value) -> bool {
        self.0 & Value::IDENTITY != 0 && self == other
    }

    #[inline]
    pub(super) fn equals(self, other: Value) -> bool {
        self.0 != 0 && self == other
    }

    /// Whether two threads may have come to it by counting from what both found, so that one of them is lost.
    #[inline]
    pub(super) fn may_be_counted(self) -> bool {
        self.0 & Value::FLAG != 0 || self.0 & (Value::IDENTITY | Value::FIXED) == 0
    }

    /// Whether it is known to be another one.
    #[inline]
    pub(super) fn contradicts(self, other: Value) -> bool {
        self.0 != 0 && other.0 != 0 && self.as_answer() != other.as_answer()
    }

    /// Whether two threads that compute it after a check may both do so: a cache of equal immutable values.
    #[inline]
    pub(super) fn is_cacheable(self) -> bool {
        self.0 != 0 && self.0 & (Value::FLAG | Value::IDENTITY) == 0
    }
}

/// A place in the program at which something was accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccessSite {
    /// The instruction.
    pub site: u32,
    /// The stack there.
    pub stack: u32,
}

/// Two accesses that no order separates.
#[derive(Debug, Clone, Copy)]
pub struct Race {
    /// How bad.
    pub severity: Severity,
    /// What the earlier access did.
    pub earlier_kind: AccessKind,
    /// Where.
    pub earlier: AccessSite,
    /// By which thread.
    pub earlier_thread: Epoch,
    /// The read that the earlier access goes back to, if it is an update.
    pub earlier_check: Option<AccessSite>,
    /// What this access did.
    pub kind: AccessKind,
    /// Where.
    pub here: AccessSite,
    /// The read that this access goes back to, if it is an update.
    pub check: Option<AccessSite>,
    /// A check decides whether the update is made: not an increment.
    pub is_checked: bool,
    /// An update that another thread had made since is lost: it happened, here and now.
    pub witnessed: bool,
    /// The reader had seen a flag that the writer set before, or had the object before it was complete.
    pub published_early: bool,
    /// And what is read was not there at all before it was written.
    pub made_late: bool,
    /// But as `None`.
    pub was_none: bool,
    /// The flag that said so, where it was seen; no stack if that was not kept.
    pub flag: Option<AccessSite>,
    /// They were ordered this time, by something else than a lock that both hold.
    pub is_potential: bool,
    /// The earlier access came between two steps of this iteration, in whatever order.
    pub is_between: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_contradicted_by_another_one_that_is_known() {
        assert!(Value::of(7).contradicts(Value::of(9)));
        assert!(!Value::of(7).contradicts(Value::of(7)));
        assert!(!Value::UNKNOWN.contradicts(Value::of(9)) && !Value::of(7).contradicts(Value::UNKNOWN));
        let claim = Value::of(9).as_claim();
        assert!(claim != Value::of(9) && !claim.contradicts(Value::of(9)), "of the same answer, one as a claim");
    }

    #[test]
    fn what_a_value_is_decides_what_two_threads_may_do_with_it() {
        // Whether it is an object that may change, stays as it is, may be counted with, may be computed twice.
        for (name, value, expected) in [
            ("None", Value::flag(2), [false, true, true, false]),
            ("True", Value::truth(true), [false, true, true, false]),
            ("what may be done twice", Value::repeatable(6), [false, true, true, false]),
            ("a number", Value::of(42), [false, true, true, true]),
            ("a function", Value::fixed(42), [false, true, false, true]),
            ("a list", Value::identity(0x1000), [true, false, false, false]),
            ("not known", Value::UNKNOWN, [false, false, true, false]),
        ] {
            assert_eq!([value.is_object(), value.is_fixed(), value.may_be_counted(), value.is_cacheable()], expected, "{name}");
        }
    }

    #[test]
    fn truth_is_told_from_all_else() {
        assert_eq!([true, false].map(|is_set| Value::truth(is_set).is_true()), [Some(true), Some(false)]);
        let others = [Value::flag(2), Value::of(2), Value::fixed(2), Value::identity(0x1000), Value::UNKNOWN];
        assert_eq!(others.map(Value::is_true), [None; 5]);
    }

    #[test]
    fn an_answer_that_another_thread_has_given_meanwhile_is_that_answer() {
        let (none, answer) = (Value::flag(2), Value::flag(2).as_answer());
        assert!(answer.is_cacheable() && Value::of(42).as_answer() == Value::of(42));
        assert_eq!((none.after(answer), none.after(Value::of(9))), (answer, none));
    }

    #[test]
    fn a_claim_is_no_answer_that_two_may_give() {
        let claim = Value::of(42).as_claim();
        assert!(!claim.is_cacheable() && claim.may_be_counted());
        assert_eq!(Value::identity(0x1000).as_claim(), Value::identity(0x1000));
    }

    #[test]
    fn only_what_is_known_is_the_same() {
        assert!(Value::of(1).equals(Value::of(1)) && !Value::of(1).equals(Value::of(3)) && !Value::UNKNOWN.equals(Value::UNKNOWN));
        let list = Value::identity(0x1000);
        assert!(
            list.is_same_object(list)
                && !list.is_same_object(Value::identity(0x2000))
                && !Value::of(1).is_same_object(Value::of(1))
        );
    }
}
