//! Where a mistake shows: one of its locations, and what tells that a finding is about one.

use crate::rules::severity::Severity;
use serde::{Deserialize, Serialize};

/// What tells of a finding which others are the same mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// Names the mistake across runs, whichever of its locations are found, and in whatever order.
    pub fingerprint: String,
    /// The location, in the words of the program.
    pub what: String,
}

/// One location of a finding that has several, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// In the words of the program.
    pub what: String,
    /// The sentence about it.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether harm was seen to happen to it.
    pub witnessed: bool,
    /// How often it happened.
    pub count: u64,
    /// Names the location across runs; what baselines hold.
    pub fingerprint: String,
    /// How many of the finding's accesses are of it: they come in the order of the locations.
    pub accesses: usize,
}
