//! A verdict on a crash, as data: whose it is, how sure that is, what shows it, and what to do next.

use serde::{Deserialize, Serialize};

/// Whose a crash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrashCause {
    /// The program lets two threads use what belongs to one.
    CrossThreadMisuse,
    /// A library fails below correct use.
    LibraryBug,
    /// An extension module relies on the GIL.
    ExtensionAssumesGil,
    /// The interpreter fails.
    InterpreterBug,
    /// Not enough evidence.
    Unknown,
}

impl CrashCause {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            CrashCause::CrossThreadMisuse => "cross-thread-misuse",
            CrashCause::LibraryBug => "library-bug",
            CrashCause::ExtensionAssumesGil => "extension-assumes-gil",
            CrashCause::InterpreterBug => "interpreter-bug",
            CrashCause::Unknown => "unknown",
        }
    }
}

/// How sure a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One thing fits.
    Low,
    /// It is the usual cause.
    Medium,
    /// Nothing else is known to look like it.
    High,
}

impl Confidence {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// A verdict; its serialised form is a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Version of the format: 1.
    pub schema: u32,
    /// Whose it is.
    pub verdict: CrashCause,
    /// How sure that is.
    pub confidence: Confidence,
    /// The distribution at fault, or the extension module if it is not known which it is of.
    pub culprit: Option<String>,
    /// Issue of a known crash: "gh-NNN" is CPython's, "name#NNN" the library's.
    pub known_issue: Option<String>,
    /// Names the crash across runs and machines.
    pub signature: String,
    /// What shows it, the sentence that explains it first.
    pub evidence: Vec<String>,
    /// What to do.
    pub next_step: String,
}

pub(super) const RECORD: &str =
    "run it again under `ftsan run`: it records what every thread touches, and triages the crash with that";

/// The same, if that was done already.
pub(super) const RECORD_MORE: &str =
    "run it again with `--races all`: then what threads share in installed packages and the standard library is watched, too";

pub(super) fn verdict(verdict: CrashCause, confidence: Confidence, evidence: Vec<String>, next_step: &str) -> Verdict {
    Verdict {
        schema: 1,
        verdict,
        confidence,
        culprit: None,
        known_issue: None,
        signature: String::new(),
        evidence,
        next_step: next_step.to_owned(),
    }
}
