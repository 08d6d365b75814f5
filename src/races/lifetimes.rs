//! Which object an address means: address -> number of the object's life, without hearing of its death.
//!
//! The interpreter clears a bit in the header of every object that is born, so whoever looks knows whether an address still means the
//! object that it meant before.  Lossy: an object that lost its entry gets a new number, and its history with it; no two objects ever
//! share a number.

use std::sync::atomic::{AtomicU64, Ordering};
use zerocopy::{FromZeros, KnownLayout};

#[derive(FromZeros, KnownLayout)]
#[repr(C)]
struct Entry {
    address: AtomicU64,
    life: AtomicU64,
}

/// The table.
pub struct Lifetimes {
    entries: Box<[Entry]>,
    next: AtomicU64,
}

impl Lifetimes {
    /// With `1 << bits` entries of 16 bytes.
    pub fn new(bits: u32) -> Self {
        let entries = <[Entry]>::new_box_zeroed_with_elems(1 << bits).expect("a small table");
        Lifetimes { entries, next: AtomicU64::new(1) }
    }

    /// The number of this life of the object at `address`.  `is_known`: it has been asked for since the object's birth.
    #[inline]
    pub fn of(&self, address: u64, is_known: bool) -> u64 {
        let entry = &self.entries[super::place(address >> 4, self.entries.len())];
        if is_known && entry.address.load(Ordering::Acquire) == address {
            let life = entry.life.load(Ordering::Acquire);
            // Changed meanwhile: then the number may be another object's.
            if entry.address.load(Ordering::Relaxed) == address {
                return life;
            }
        }
        self.begin(entry, address)
    }

    #[cold]
    fn begin(&self, entry: &Entry, address: u64) -> u64 {
        // Spread already, so that whoever looks it up need not.
        let life = super::mix(self.next.fetch_add(1, Ordering::Relaxed));
        entry.address.store(0, Ordering::Release);
        entry.life.store(life, Ordering::Release);
        entry.address.store(address, Ordering::Release);
        life
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_its_number_and_a_reborn_one_does_not() {
        let lives = Lifetimes::new(4);
        let first = lives.of(0x1000, false);
        assert_eq!(lives.of(0x1000, true), first);
        let second = lives.of(0x1000, false);
        assert_ne!(second, first);
        assert_eq!(lives.of(0x1000, true), second);
    }

    #[test]
    fn losing_an_entry_never_gives_another_objects_number() {
        let lives = Lifetimes::new(1);
        let mut given = std::collections::HashSet::new();
        for address in (0x1000..0x9000).step_by(16) {
            assert!(given.insert(lives.of(address, false)));
        }
        let last = lives.of(0x1000, true);
        assert!(given.insert(last), "its entry was lost, so it has a new number");
    }
}
