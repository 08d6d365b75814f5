//! Findings as data, and everything that is done with them.
//!
//! A [`Finding`] knows nothing of how it is shown; renderers ([`text`], [`json`]) know nothing of how it was made.

mod finding;
mod fingerprint;
pub mod inventory;
pub mod json;
pub mod suppress;
pub mod text;

pub use finding::programs_line;
pub use finding::{Access, Finding, Frame, LoopInfo, ObjectInfo, Role, ThreadInfo};
