//! Crashes that are known, as tables: how each is recognised, whose it is, and what to do.
//!
//! Rows stand from the particular to the general and the first that holds is the verdict.  Every issue number was looked up; a row
//! without one describes a kind of crash, not a report.  A version that is not known does not exclude a row.  A row that asks for a
//! build without the GIL is of low confidence where the build is not known.
//!
//! | module | what it holds |
//! |---|---|
//! | [`row`] | what a row asks, and when it holds |
//! | [`greenlet`] | greenlet on the free-threaded build |
//! | [`libraries`] | other libraries |
//! | [`interpreter`] | CPython and its standard library |
//! | [`assertions`] | the same, where its words are enough |
//! | [`shared_objects`] | the same, where one object is all that it takes |
//! | [`kinds`] | kinds of misuse, without an issue |

mod assertions;
mod greenlet;
mod interpreter;
mod kinds;
mod libraries;
mod row;
mod shared_objects;

use super::conditions::Condition;
use super::verdict::CrashCause;

pub use row::Known;

/// Crashes that are reported somewhere.
pub fn reported() -> impl Iterator<Item = &'static Known> {
    [greenlet::ROWS, libraries::ROWS, assertions::ROWS, interpreter::ROWS, shared_objects::ROWS, interpreter::GENERATORS]
        .into_iter()
        .flatten()
}

/// Versions of a distribution that crash, as far as the tables name them.
#[derive(Debug, Clone, Copy)]
pub struct BadVersions {
    /// The distribution.
    pub distribution: &'static str,
    /// The first version that has the bug, if it is known.
    pub from: Option<&'static str>,
    /// The first version that has not.
    pub below: &'static str,
    /// Where it is reported.
    pub issue: &'static str,
    /// One sentence.
    pub name: &'static str,
}

/// The versions that a library's own bug is known of.
pub fn bad_versions() -> impl Iterator<Item = BadVersions> {
    reported().filter_map(|row| {
        let distribution = row.culprit.filter(|_| matches!(row.verdict, CrashCause::LibraryBug))?;
        let mut below = None;
        let mut from = None;
        for condition in row.when {
            if let Condition::Below(name, version) = condition {
                below = below.or((*name == distribution).then_some(*version));
            }
            if let Condition::From(name, version) = condition {
                from = from.or((*name == distribution).then_some(*version));
            }
        }
        let below = below?;
        Some(BadVersions { distribution, from, below, issue: row.issue?, name: row.name })
    })
}

/// Kinds of crash that no report stands for.
pub fn kinds() -> impl Iterator<Item = &'static Known> {
    kinds::ROWS.iter()
}

/// Kinds that are told from a heap that anybody may have damaged.
pub fn before_the_heap() -> impl Iterator<Item = &'static Known> {
    kinds::BEFORE_THE_HEAP.iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_told_and_followed() {
        for row in reported().chain(kinds()).chain(before_the_heap()) {
            assert!(!row.when.is_empty() && !row.explanation.is_empty() && !row.next_step.is_empty(), "{}", row.name);
            let number = row.issue.map(|issue| issue.rsplit(['#', '-']).next().unwrap_or(""));
            assert!(number.is_none_or(|number| number.parse::<u32>().is_ok()), "{}", row.name);
            let blames = matches!(row.verdict, CrashCause::LibraryBug);
            assert!(!blames || row.culprit.is_some(), "{}: a library's bug has a culprit", row.name);
            assert!(row.when.iter().any(Condition::is_shape), "{}: no condition on the stack", row.name);
        }
        assert!(reported().all(|row| row.issue.is_some()));
    }

    #[test]
    fn versions_that_crash_are_those_of_the_distribution_at_fault() {
        let of = |name: &str| -> Vec<(Option<&str>, &str)> {
            bad_versions().filter(|bad| bad.distribution == name).map(|bad| (bad.from, bad.below)).collect()
        };
        assert!(of("greenlet").contains(&(None, "3.5.6")), "{:?}", of("greenlet"));
        assert!(of("numpy").iter().any(|(from, _)| *from == Some("2.2.0")), "{:?}", of("numpy"));
        assert!(bad_versions().all(|bad| !bad.issue.is_empty()));
    }
}
