//! A row of the table: what it asks, and when it holds.

use super::super::super::names::symbols::clean;
use super::super::conditions::{Condition, like};
use super::super::facts::{Facts, Gil};
use super::super::verdict::{Confidence, CrashCause};

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

pub(super) const FATAL_SIGNALS: &[&str] = &["SIGSEGV", "SIGBUS", "SIGABRT", "SIGTRAP"];

impl Known {
    /// What speaks for it, one line per condition; `None` if one does not hold.
    pub(in crate::triage::judge) fn matches(&self, facts: &Facts<'_>) -> Option<Vec<String>> {
        let mut evidence = Vec::new();
        for condition in self.when {
            let said = condition.holds(facts)?;
            if !said.is_empty() && !evidence.contains(&said) {
                evidence.push(said);
            }
        }
        Some(evidence)
    }

    /// How sure it is of this crash: a build that may have the GIL makes a row of the free-threaded one a guess, and a version that may have
    /// the fix takes a step off.
    pub(in crate::triage::judge) fn confidence(&self, facts: &Facts<'_>) -> Confidence {
        let needs_build = self.when.iter().any(|condition| matches!(condition, Condition::WithoutGil));
        if needs_build && facts.gil() == Gil::Unknown {
            return Confidence::Low;
        }
        let guesses = self.when.iter().any(|condition| condition.guesses_version(facts));
        match self.confidence {
            Confidence::High if guesses => Confidence::Medium,
            Confidence::Medium if guesses => Confidence::Low,
            Confidence::High | Confidence::Medium | Confidence::Low => self.confidence,
        }
    }

    /// It asks for words that the interpreter or a program said.
    pub(in crate::triage::judge) fn asks_for_words(&self) -> bool {
        self.when.iter().any(Condition::asks_for_words)
    }

    /// The stack looks like this crash, and another condition says that it is not: a version that has the fix, a build with the GIL, a
    /// function of that name in another module.
    pub(in crate::triage::judge) fn nearly_matches(&self, facts: &Facts<'_>) -> bool {
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
        facts.meaning().take(3).any(|(frame, _)| like(clean(&frame.symbol), &particular))
    }
}
