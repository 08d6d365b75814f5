//! The verdict: whose a crash is.
//!
//! | module | what it holds |
//! |---|---|
//! | [`questions`], [`verdict`] | the order of the questions, and the answer |
//! | [`facts`] | the crashing thread without the frames of those who report the crash |
//! | [`conditions`] | what the table of known crashes may ask |
//! | [`known`] | the table of known crashes |
//! | [`racing`] | the other threads that were at it |
//! | [`in_one_object`] | several threads in methods of one object that is written in C |
//! | [`process`] | killed, signalled, aborted on purpose, forked with threads, hanging |
//! | [`hang`] | which thread waits for which, and whether in a circle |
//! | [`standstill`] | threads that stand still for each other below Python's locks |
//! | [`stack_overflow`], [`heap`], [`fatal_errors`] | what a stack, an allocator or the interpreter itself says |
//! | [`panic`] | a panic of Rust |
//! | [`nearest`] | the library that is nearest, where nothing else says more |

pub mod conditions;
pub(super) mod facts;
mod fatal_errors;
pub mod hang;
mod heap;
mod in_one_object;
pub mod known;
mod nearest;
mod panic;
mod process;
pub mod questions;
pub(super) mod racing;
mod stack_overflow;
mod standstill;
pub mod verdict;
