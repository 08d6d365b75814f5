//! Data races: which accesses of different threads have no order between them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`clock`] | epochs and vector clocks: what a thread has seen of the others |
//! | [`sync`] | what threads hand each other through locks, queues and the like |
//! | [`access`], [`facts`] | what an access and a race are, and what else is known of an access |
//! | [`lifetimes`] | which object an address means |
//! | `spin` | a lock for a few instructions |
//! | [`memory`], [`walks`] | what a thread remembers between its accesses, and of iterations that it is in |
//! | [`shadow`] | the last accesses of each location, and what races with them |
//! | `model` | what a race is, exactly: what the tests measure the engine against |
//! | [`review`] | which locks guard what, whether or not a race was possible this time |
//! | [`matrix`] | how bad it is; [`crate::rules`] say how it is told |

pub mod access;
pub mod clock;
pub mod facts;
pub mod lifetimes;
pub mod matrix;
pub mod memory;
#[cfg(test)]
mod model;
pub mod review;
pub mod shadow;
mod spin;
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
fn place(number: u64, length: usize) -> usize {
    ((u128::from(number.wrapping_mul(GOLDEN)) * length as u128) >> u64::BITS) as usize
}

/// Names a part of an object: by the object's life ([`lifetimes`]) and a number for the part.
#[inline]
pub fn location(life: u64, part: u64) -> u64 {
    life ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93)
}
