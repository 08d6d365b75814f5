//! Data races: which accesses of different threads have no order between them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`clock`] | epochs and vector clocks: what a thread has seen of the others |
//! | [`sync`] | what threads hand each other through locks, queues and the like |

pub mod clock;
pub mod sync;
