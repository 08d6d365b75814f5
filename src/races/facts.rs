//! The facts that are known of an access beside its kind: most are said by the code around it, once for each instruction.
//!
//! They are bits of one word, because each access of an object that threads share carries them.  Those of a read that are remembered lie
//! where the shadow cell has them (`state` in [`shadow`](super::shadow)).

use std::ops::BitOr;

/// A set of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccessFacts(pub(super) u32);

/// Each fact: what it says, its bit, its name, and the question for it.
macro_rules! facts {
    ($($(#[$says:meta])+ $bit:literal $NAME:ident $is:ident,)+) => {
        impl AccessFacts {
            $($(#[$says])+ pub const $NAME: AccessFacts = AccessFacts(1 << $bit);)+
            $($(#[$says])+ #[inline(always)] pub const fn $is(self) -> bool { self.has(AccessFacts::$NAME) })+
        }
    };
}

facts! {
    /// The value that is read is measured (`if x.balance >= amount`): the act that follows is no answer that may be given twice.
    3 MEASURED is_measured,
    /// The value that is read decides what the thread does next.
    4 TESTED is_tested,
    /// It is the condition of a loop: whoever polls a flag does not act on it.
    5 POLLED is_polled,
    /// It comes after everything that was done before, whoever did it.
    7 LAST is_last,
    /// The value that is read is the answer of a function: the act is in one of its callers.
    11 ASKED is_asked,
    /// The function acts on what it reads here.
    12 ACTING is_acting,
    /// Whether there is something at all is what is tested: if not, it may be made on demand, by whichever thread.
    14 LAZY is_lazy,
    /// An iteration follows right away if there is something.
    15 GUARD is_guard,
    /// An atomic operation that a check may precede: `pop` after "is it there?", `add` after "is it there already?".
    16 CHECKABLE is_checkable,
    /// It takes away whatever is there, which needs not be there: what decides that may be a look at the value that is taken away.
    17 SURE is_sure,
    /// If it were there already, an exception would be raised.
    18 REFUSED is_refused,
    /// There was nothing there: what was there before has been taken away.
    19 NEW is_new,
    /// The value that is written is a constant of the program: it does not go back to what was read.
    20 CONSTANT is_constant,
    /// The loop whose condition it is waits for it to be set.
    21 AWAITED is_awaited,
    /// If there is nothing, a function is called that may fill it; of a write: a function that is still running has checked that.
    22 FILLED is_filled,
    /// There was something there before, which is neither `None`, `False`, 0 nor empty.
    24 KEPT is_kept,
    /// It takes away what has a name: not an identifier, which is given out again only when it is free.
    23 NAMED is_named,
    /// There was nothing of this name before: to read it would have raised an exception; or `None`.
    25 MADE is_made,
    /// There was `None`: to do anything with it would have raised an exception.
    27 UNSET is_unset,
    /// The thread has had what it reads a part of since it was started, or since it was called by a pool or a loop, and relies on the part being there.
    26 GIVEN is_given,
}

impl AccessFacts {
    /// Whether it is read once more, after a look that decides that the function acts on it.
    #[inline(always)]
    pub(super) const fn is_again(self) -> bool {
        self.is_acting() && !self.is_tested()
    }

    /// None.
    pub const NONE: AccessFacts = AccessFacts(0);

    /// Those that are remembered of a read.
    pub(super) const OF_READS: AccessFacts = AccessFacts(0xffff);

    /// Whether all of `these` are among them.
    #[inline(always)]
    pub const fn has(self, these: AccessFacts) -> bool {
        self.0 & these.0 == these.0
    }

    /// Whether any of `these` is among them.
    #[inline(always)]
    pub(super) const fn has_any(self, these: AccessFacts) -> bool {
        self.0 & these.0 != 0
    }

    /// These, if it is so.
    #[must_use]
    #[inline(always)]
    pub const fn when(self, is_so: bool) -> AccessFacts {
        if is_so { self } else { AccessFacts::NONE }
    }

    /// All but `these`.
    #[must_use]
    #[inline(always)]
    pub const fn without(self, these: AccessFacts) -> AccessFacts {
        AccessFacts(self.0 & !these.0)
    }

    /// As the shadow cell has those that are remembered of a read.
    #[inline(always)]
    pub(super) const fn of_read(self) -> u16 {
        (self.0 & AccessFacts::OF_READS.0) as u16
    }
}

impl BitOr for AccessFacts {
    type Output = AccessFacts;

    #[inline(always)]
    fn bitor(self, other: AccessFacts) -> AccessFacts {
        AccessFacts(self.0 | other.0)
    }
}

/// In which case a thread acts on what it reads, while it waits for its turn in any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn(pub(super) u8);

impl Turn {
    /// In none that is known.
    pub const NONE: Turn = Turn(0);
    /// If it is not set.
    pub const UNSET: Turn = Turn(1);
    /// If it is set.
    pub const SET: Turn = Turn(2);

    /// The bits that it takes.
    pub(super) const BITS: u8 = (1 << 6) - 1;

    /// If it is this number, which is not 0.  The largest ones are one and the same.
    #[inline]
    pub const fn at(number: u8) -> Turn {
        let turn = Turn::SET.0.saturating_add(number);
        Turn(if turn < Turn::BITS { turn } else { Turn::BITS })
    }

    /// Whether of two threads that each act in one of these cases only one ever does, and the other one waits for its turn.  A certain number
    /// is set as well.
    #[inline]
    pub(super) fn excludes(self, other: Turn) -> bool {
        self != Turn::NONE && other != Turn::NONE && self != other && self.0.min(other.0) != Turn::SET.0
    }

    /// Whether a thread that acts in this case, and then sets it or unsets it, writes the opposite of what it has waited for: of two that do so,
    /// both may come to it.
    pub(super) fn is_taken_by(self, is_set: Option<bool>) -> bool {
        is_set.is_some_and(|is_set| self == if is_set { Turn::UNSET } else { Turn::SET })
    }
}
