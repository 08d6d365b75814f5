//! A thread's memory between its accesses: how many there were, and the flag that it saw last.

use super::access::{Access, Value};
use super::walks::Walks;
use std::cell::Cell;

/// What a thread remembers between its accesses.
#[derive(Debug, Default)]
pub struct ThreadHistory {
    /// Numbers its accesses.
    pub(super) sequence: Cell<u32>,
    /// The last flag that it saw set by another thread without an order: who set it and when, in which function it was seen.
    pub(super) flag: Cell<Flag>,
    /// How many writes the location of the last access had seen, roughly.
    pub(super) version: Cell<u16>,
    /// The iterations that it is in.
    pub walks: Walks,
}

impl ThreadHistory {
    /// How many writes the location that the thread has just accessed had seen, modulo 2^16; 0 again once its history was forgotten.
    pub fn version(&self) -> u16 {
        self.version.get()
    }

    /// Whether it has seen a flag, and goes by it.
    #[inline]
    pub(super) fn has_flag(&self) -> bool {
        self.flag.get().site != 0
    }

    /// Forgets what was seen: others have gone on unseen since.
    pub fn forget(&self) {
        self.flag.set(Flag::default());
        self.walks.forget();
    }
}

/// When a thread set a flag: the thread's slot and its sequence number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flag {
    pub(super) setter: u32,
    pub(super) sequence: u32,
    pub(super) code: u32,
    /// Where it was seen; 0 if none was.
    pub(super) site: u32,
    /// What it was set to.
    pub(super) value: Value,
    /// When the thread had set it before, as [`Write`](super::shadow) has it.
    pub(super) before: u32,
    pub(super) stack: u32,
}

impl Flag {
    /// Whether an access tells what the flag says: it is of the object that the flag referred to, or follows it in the same function.  One that is
    /// not after it there is read first, or by another round of a loop, whatever the flag says; the flag itself is the same question, of
    /// another key perhaps.
    #[inline]
    pub(super) fn is_heeded_by(self, access: &Access) -> bool {
        let follows = || self.code == access.code && self.site < access.site;
        self.site != 0 && self.site != access.site && (follows() || self.value.is_same_object(access.owner))
    }

    /// Slot and the lower bits of the sequence number.
    #[inline]
    pub(super) fn packed(self) -> u32 {
        self.setter << 20 | (self.sequence & SEQUENCE)
    }
}

/// There was no earlier write, or none that is known.
pub(super) const NEVER: u32 = 0;

/// Another thread has written since.
pub(super) const MEANWHILE: u32 = u32::MAX;

/// As many bits of a sequence number as are kept with a read.
pub(super) const SEQUENCE: u32 = (1 << 20) - 1;

/// Whether sequence number `a` comes before `b`, which wrap around.
#[inline]
pub(super) fn is_before(a: u32, b: u32) -> bool {
    a != b && b.wrapping_sub(a) < u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::matrix::AccessKind;

    #[test]
    fn a_flag_is_seen_and_forgotten() {
        let memory = ThreadHistory::default();
        assert!(!memory.has_flag());
        memory.flag.set(Flag { site: 7, ..Flag::default() });
        assert!(memory.has_flag());
        memory.forget();
        assert!(!memory.has_flag());
    }

    #[test]
    fn of_a_flag_the_setter_and_the_lower_bits_of_its_number_are_kept() {
        let packed = |setter: u32, sequence: u32| Flag { setter, sequence, ..Flag::default() }.packed();
        assert_eq!(packed(2, 5), packed(2, 5 + (1 << 20)));
        assert!(packed(2, 5) != packed(4, 5) && packed(2, 5) != packed(2, 6));
    }

    #[test]
    fn a_flag_speaks_for_what_follows_it_in_its_function_and_for_its_object() {
        let object = Value::identity(0x1000);
        let flag = Flag { site: 7, code: 1, value: object, ..Flag::default() };
        let access = |code, site| Access::new(AccessKind::Read, site, code);
        assert!(flag.is_heeded_by(&access(1, 8)));
        assert!(!flag.is_heeded_by(&access(1, 6)), "before it");
        assert!(!flag.is_heeded_by(&access(2, 8)), "in another function");
        assert!(flag.is_heeded_by(&Access { owner: object, ..access(2, 6) }), "of the object that it referred to");
        assert!(!flag.is_heeded_by(&Access { owner: object, ..access(1, 7) }), "the flag itself");
        assert!(!Flag { site: 0, ..flag }.is_heeded_by(&access(1, 8)), "none was seen");
    }

    #[test]
    fn sequence_numbers_wrap_around() {
        assert!(is_before(1, 2) && !is_before(2, 1) && !is_before(2, 2));
        assert!(is_before(u32::MAX, 1) && !is_before(1, u32::MAX));
    }
}
