//! What was found, and where it goes.
//!
//! | module | holds |
//! |---|---|
//! | [`session`] | the options, the findings and the report of the process |
//! | [`tally`] | what the process tree has found, in numbers that cannot be lost |
//! | [`conclusion`] | the last words of a run, and its exit status |

pub(crate) mod conclusion;
pub(crate) mod session;
pub(crate) mod tally;
