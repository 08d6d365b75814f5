//! Triage: why a process died, how sure that is, and what to do next.
//!
//! | module | what it holds |
//! |---|---|
//! | [`crash`] | what is known of a crash |

pub mod crash;
