//! What was found, and where it goes.
//!
//! [`session`]: the options, the findings and the report of the process.

pub(crate) mod session;
