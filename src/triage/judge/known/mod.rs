//! Crashes that are known, as tables: how each is recognised, whose it is, and what to do.
//!
//! Rows stand from the particular to the general and the first that holds is the verdict.  Every issue number was looked up; a row
//! without one describes a kind of crash, not a report.  A version that is not known does not exclude a row.  A row that asks for a
//! build without the GIL is of low confidence where the build is not known.
//!
//! | module | what it holds |
//! |---|---|
//! | [`greenlet`] | greenlet on the free-threaded build |
//! | [`libraries`] | other libraries |
//! | [`interpreter`] | CPython and its standard library |
//! | [`kinds`] | kinds of misuse, without an issue |

mod greenlet;
mod interpreter;
mod kinds;
mod libraries;

use super::conditions::Condition;
use super::facts::{Facts, Gil};
use super::verdict::{Confidence, CrashCause};

/// A known crash.
#[derive(Debug)]
pub struct Known {
    /// One sentence.
    pub name: &'static str,
    /// All of it must hold.
    pub when: &'static [Condition],
    /// Whose it is.
    pub verdict: CrashCause,
    /// How sure that is.
    pub confidence: Confidence,
    /// The distribution at fault.
    pub culprit: Option<&'static str>,
    /// Where it is reported.
    pub issue: Option<&'static str>,
    /// How it comes about.
    pub explanation: &'static str,
    /// What to do.
    pub next_step: &'static str,
}

const FATAL_SIGNALS: &[&str] = &["SIGSEGV", "SIGBUS", "SIGABRT", "SIGTRAP"];

/// Crashes that are reported somewhere.
pub fn reported() -> impl Iterator<Item = &'static Known> {
    [greenlet::ROWS, libraries::ROWS, interpreter::ROWS, interpreter::GENERATORS].into_iter().flatten()
}

/// Kinds of crash that no report stands for.
pub fn kinds() -> impl Iterator<Item = &'static Known> {
    kinds::ROWS.iter()
}

impl Known {
    /// What speaks for it, one line per condition; `None` if one does not hold.
    pub(super) fn matches(&self, facts: &Facts<'_>) -> Option<Vec<String>> {
        let mut evidence = Vec::new();
        for condition in self.when {
            let said = condition.holds(facts)?;
            if !said.is_empty() && !evidence.contains(&said) {
                evidence.push(said);
            }
        }
        Some(evidence)
    }

    /// How sure it is of this crash: a build that may have the GIL makes a row of the free-threaded one a guess.
    pub(super) fn confidence(&self, facts: &Facts<'_>) -> Confidence {
        let needs_build = self.when.iter().any(|condition| matches!(condition, Condition::WithoutGil));
        if needs_build && facts.gil() == Gil::Unknown { Confidence::Low } else { self.confidence }
    }

    /// The stack looks like this crash, and another condition says that it is not: a version that has the fix, a build with the GIL, a
    /// function of that name in another module.
    pub(super) fn nearly_matches(&self, facts: &Facts<'_>) -> bool {
        let (shape, rest): (Vec<&Condition>, Vec<&Condition>) = self.when.iter().partition(|condition| condition.is_shape());
        if shape.is_empty() {
            return false;
        }
        if shape.iter().all(|condition| condition.holds(facts).is_some()) {
            return rest.iter().any(|condition| condition.holds(facts).is_none());
        }
        // The functions are there, in a module that is another one.
        let names: Vec<&str> = self.when.iter().flat_map(Condition::functions).collect();
        let particular: Vec<&str> = names.into_iter().filter(|name| name.trim_end_matches('*').len() >= 4).collect();
        facts
            .meaning()
            .take(3)
            .any(|(frame, _)| super::conditions::like(super::super::names::symbols::clean(&frame.symbol), &particular))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_told_and_followed() {
        for row in reported().chain(kinds()) {
            assert!(!row.when.is_empty() && !row.explanation.is_empty() && !row.next_step.is_empty(), "{}", row.name);
            let number = row.issue.map(|issue| issue.rsplit(['#', '-']).next().unwrap_or(""));
            assert!(number.is_none_or(|number| number.parse::<u32>().is_ok()), "{}", row.name);
            let blames = matches!(row.verdict, CrashCause::LibraryBug);
            assert!(!blames || row.culprit.is_some(), "{}: a library's bug has a culprit", row.name);
            assert!(row.when.iter().any(Condition::is_shape), "{}: no condition on the stack", row.name);
        }
        assert!(reported().all(|row| row.issue.is_some()));
    }
}
