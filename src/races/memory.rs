//! What a thread remembers between its accesses: how many there were, and the flag that it saw last.

use super::access::Access;
use std::cell::Cell;

/// What a thread remembers between its accesses.
#[derive(Debug, Default)]
pub struct Memory {
    /// Numbers its accesses.
    pub(super) sequence: Cell<u32>,
    /// The last flag that it saw set by another thread without an order: who set it and when, in which function it was seen.
    pub(super) flag: Cell<Flag>,
}

/// When a thread set a flag: the thread's slot and its sequence number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flag {
    pub(super) setter: u32,
    pub(super) sequence: u32,
    pub(super) code: u32,
    /// Where it was seen.
    pub(super) site: u32,
}

impl Flag {
    /// Whether an access tells what the flag says: it is in the same function and not the same question, of another key perhaps.
    pub(super) fn is_heeded_by(self, access: &Access) -> bool {
        self.code == access.code && self.site != access.site
    }

    /// Slot and the lower bits of the sequence number.
    pub(super) fn packed(self) -> u32 {
        self.setter << 20 | (self.sequence & SEQUENCE)
    }
}

/// As many bits of a sequence number as are kept with a read.
pub(super) const SEQUENCE: u32 = (1 << 20) - 1;

/// Whether sequence number `a` comes before `b`, which wrap around.
pub(super) fn is_before(a: u32, b: u32) -> bool {
    a != b && b.wrapping_sub(a) < u32::MAX / 2
}
