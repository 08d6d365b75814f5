//! Does the thread that calls run the loop that the object belongs to?
//!
//! | module | holds |
//! |---|---|
//! | [`watch`] | what is watched: one row per hooked function or method |
//! | [`check`] | the hot path |
//! | [`judge`] | the second look: is it really a misuse? |
//! | [`loop_field`] | where objects of extension types have their loop |
//! | [`given`] | loops that no table knows, and what they give away |
//! | [`contend`] | where threads that share an object are made to meet |

pub(crate) mod check;
pub(crate) mod contend;
pub(crate) mod given;
pub(crate) mod judge;
pub(crate) mod loop_field;
pub(crate) mod watch;
