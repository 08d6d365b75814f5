//! Locks: which ones a thread holds, and in which order threads take them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`held`] | the locks that a thread holds, readable by other threads |
//! | [`order`] | which lock was taken while which was held, and by whom |
//! | [`cycle`] | when that is a deadlock waiting to happen |

pub mod cycle;
pub mod held;
pub mod order;

/// Names a lock for as long as it lives, and no other one before or after; 0 is "none".
pub type LockId = u32;
