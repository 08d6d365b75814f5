//! Findings as data, and everything that is done with them.
//!
//! | folder | what it holds |
//! |---|---|
//! | [`model`] | a finding, its fingerprint, the mistake that several are, suppressions, and the report of a process tree: plain data |
//! | [`store`] | where the report is kept while the processes run: a journal, folded into the report's file |
//! | [`render`] | one file per format; the table [`render::FORMATS`] is all that knows them |
//!
//! A [`Finding`] knows nothing of how it is shown, a renderer nothing of how a finding was made.

pub mod model;
pub mod render;
pub mod store;

pub use model::access::{Access, Frame, Role, ThreadInfo, programs_line};
pub use model::finding::{Accepted, Finding, LoopInfo, Means, ObjectInfo};
pub use model::suppress;
pub use model::tree::{Perturbed, Report, SuppressionUse, Watched};
