//! A thread's lookaside buffer: the cells of those parts of objects that it has accessed lately, as a TLB has the pages of addresses.
//!
//! It saves the looks into two tables, and never says anything else than they do: an entry counts as long as the object lives that it
//! was made for, and its cell is still that of the location.

use super::lifetimes::{Life, Lifetimes, Mark};
use super::location;
use super::shadow::{Shadow, Spot};
use std::cell::{Cell, OnceCell};

/// Parts of objects that a thread has at hand at most; a power of two.
const ENTRIES: usize = 128;

/// One of them.
#[derive(Clone, Copy)]
struct Translation {
    object: u64,
    part: u64,
    /// Tells the histories that one location has in different slices of time apart.
    slice: u64,
    life: Life<'static>,
    spot: Spot<'static>,
}

/// The buffer of one thread, which has none before its first access: most threads make none that counts.
#[derive(Default)]
pub struct Lookaside(OnceCell<Box<[Cell<Option<Translation>>; ENTRIES]>>);

impl Lookaside {
    /// The cell of a part of the object at this address, in this slice of time.
    #[inline(always)]
    pub fn translate(
        &self,
        tables: impl FnOnce() -> (&'static Lifetimes, &'static Shadow),
        (object, mark): (u64, &impl Mark),
        part: u64,
        slice: u64,
    ) -> Spot<'static> {
        // Addresses are multiples of 16, and most parts are hashes.
        let entry = &self.entries()[(object >> 4 ^ part) as usize % ENTRIES];
        if mark.is_set()
            && let Some(known) = entry.get()
            && known.object == object
            && known.part == part
            && known.slice == slice
            && known.life.is_of(object)
            && known.spot.is_current()
        {
            return known.spot;
        }
        let (lifetimes, shadow) = tables();
        let life = lifetimes.life(object, mark);
        let spot = shadow.spot(location(life.number() ^ slice, part));
        entry.set(Some(Translation { object, part, slice, life, spot }));
        spot
    }

    #[inline(always)]
    fn entries(&self) -> &[Cell<Option<Translation>>; ENTRIES] {
        self.0.get_or_init(|| Box::new([const { Cell::new(None) }; ENTRIES]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::lifetimes::{self, tests::Header};
    use crate::races::shadow;
    use zerocopy::FromZeros as _;

    /// Tables for so many objects and locations, which are never freed.
    fn tables(objects: usize, locations: usize) -> (&'static Lifetimes, &'static Shadow) {
        let lives = (0..lifetimes::groups(objects)).map(|_| lifetimes::Group::new_zeroed()).collect::<Vec<_>>().leak();
        let cells = (0..shadow::groups(locations * shadow::BYTES)).map(|_| shadow::Group::new_zeroed()).collect::<Vec<_>>().leak();
        (Box::leak(Box::new(Lifetimes::new(&*lives))), Box::leak(Box::new(Shadow::new(&*cells))))
    }

    #[test]
    fn a_part_has_the_location_that_the_tables_say() {
        let (tables, header, buffer) = (tables(1000, 1000), Header::default(), Lookaside::default());
        for round in 0..3 {
            for (object, part, slice) in [(0x1000, 7, 0), (0x1000, 8, 0), (0x1000, 7 + ENTRIES as u64, 0), (0x1000, 7, 9)] {
                let found = buffer.translate(|| tables, (object, &header), part, slice).location();
                assert_eq!(found, location(tables.0.life(object, &header).number() ^ slice, part), "round {round}");
            }
        }
    }

    #[test]
    fn an_object_that_is_born_at_the_same_address_has_other_cells() {
        let (tables, buffer) = (tables(1000, 1000), Lookaside::default());
        let of = |header: &Header| buffer.translate(|| tables, (0x1000, header), 7, 0).location();
        let [first, second] = [Header::default(), Header::default()];
        let before = of(&first);
        assert_eq!(of(&first), before);
        let after = of(&second);
        assert_ne!(after, before, "its header says that it was not seen yet");
        let third = Header::default();
        let seen_by_another_thread = tables.0.life(0x1000, &third).number();
        assert_eq!(
            of(&third),
            location(seen_by_another_thread, 7),
            "its header says that it was seen, and its life is another one"
        );
    }

    #[test]
    fn a_cell_that_was_given_to_another_location_is_looked_for_again() {
        // A group of cells for all of them.
        let (tables, header, buffer) = (tables(1000, 8), Header::default(), Lookaside::default());
        let first = buffer.translate(|| tables, (0x1000, &header), 7, 0);
        assert!(first.is_current());
        (0..100).for_each(|number| _ = tables.1.spot(location(crate::races::mix(number + 1000), 7)));
        assert!(!first.is_current());
        let again = buffer.translate(|| tables, (0x1000, &header), 7, 0);
        assert!(again.is_current() && again.location() == first.location());
    }
}
