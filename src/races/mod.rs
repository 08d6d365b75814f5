//! Data races: which accesses of different threads have no order between them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`clock`] | epochs and vector clocks: what a thread has seen of the others |
//! | [`sync`] | what threads hand each other through locks, queues and the like |
//! | [`access`], [`facts`] | what an access and a race are, and what else is known of an access |
//! | [`lifetimes`] | which object an address means |
//! | `spin` | a lock for a few instructions |
//! | [`stacks`] | what is asked of the stacks of two accesses |
//! | [`lookaside`] | the cells that a thread has at hand |
//! | [`memory`], [`walks`] | what a thread remembers between its accesses, and of iterations that it is in |
//! | [`shadow`] | the last accesses of each location, and what races with them |
//! | `model` | what a race is, exactly: what the tests measure the engine against |
//! | [`review`] | which locks guard what, whether or not a race was possible this time |
//! | [`matrix`] | how bad it is; [`crate::rules`] say how it is told |

pub mod access;
pub mod clock;
pub mod facts;
pub mod lifetimes;
pub mod lookaside;
pub mod matrix;
pub mod memory;
#[cfg(test)]
mod model;
pub mod review;
pub mod shadow;
mod spin;
pub mod stacks;
pub mod sync;
pub mod walks;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Spreads the bits of a number upwards.
#[inline(always)]
fn spread(number: u64) -> u64 {
    (number ^ number >> 32).wrapping_mul(GOLDEN)
}

/// Spreads the bits of a number: a hash function for numbers that nobody chooses.  No two numbers give the same.
#[inline]
pub fn mix(number: u64) -> u64 {
    let number = spread(number);
    number ^ number >> 29
}

/// A place for a number in a table of this length.  The product's upper bits are those that all bits of the number go into.
#[inline]
pub fn place(number: u64, length: usize) -> usize {
    ((u128::from(number.wrapping_mul(GOLDEN)) * length as u128) >> u64::BITS) as usize
}

/// Names a part of an object: by the object's life ([`lifetimes`]) and a number for the part.
#[inline]
pub fn location(life: u64, part: u64) -> u64 {
    life ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_numbers_are_mixed_to_the_same() {
        let one_or_two_bits = (0..64).flat_map(|bit| (bit..64).map(move |other| 1_u64 << bit | 1 << other));
        let numbers: HashSet<u64> = one_or_two_bits.collect();
        assert_eq!(numbers.iter().map(|number| mix(*number)).collect::<HashSet<u64>>().len(), numbers.len());
    }

    #[test]
    fn what_is_mixed_has_as_many_ones_as_zeros_and_all_bits_reach_the_lower_ones() {
        let ones: u32 = (1..=1000).map(|number| mix(number * 48).count_ones()).sum();
        assert!((31_000..33_000).contains(&ones), "{ones}");
        for bit in 0..64 {
            assert!((1..100).any(|number| (mix(number) ^ mix(number ^ 1 << bit)) & 0xffff != 0), "{bit}");
        }
    }

    #[test]
    fn addresses_are_spread_evenly_over_all_places_of_a_table() {
        for length in [1, 10, 64] {
            let mut taken = vec![0; length];
            (1..=length as u64 * 100).for_each(|number| taken[place(number * 48, length)] += 1);
            assert!(taken.iter().all(|count| (50..200).contains(count)), "{taken:?}");
        }
    }

    #[test]
    fn each_part_of_each_object_has_a_location_of_its_own() {
        let parts = (1..50).flat_map(|life| (0..50).map(move |part| location(life, part)));
        assert_eq!(parts.collect::<HashSet<u64>>().len(), 49 * 50);
    }
}
