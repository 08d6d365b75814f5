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
        let needs_build = self.when.iter().any(|condition| matches!(condition, Condition::WithoutGil | Condition::Concurrent));
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

#[cfg(test)]
mod tests {
    use super::super::super::super::crash::{Crash, NativeFrame, Python, Thread};
    use super::*;
    use Condition::{Below, Function, Says, Signal, Top, WithoutGil};

    fn row(when: &'static [Condition], confidence: Confidence) -> Known {
        Known {
            name: "",
            when,
            verdict: CrashCause::LibraryBug,
            confidence,
            culprit: None,
            issue: None,
            explanation: "",
            next_step: "",
        }
    }

    fn crash(gil: &str, symbol: &str) -> Crash {
        let native = NativeFrame::named("/usr/bin/python3.14t", symbol);
        Crash {
            signal: "SIGSEGV".to_owned(),
            python: Python { gil: gil.to_owned(), ..Python::default() },
            threads: vec![Thread { crashed: true, native: vec![native], ..Thread::default() }],
            ..Crash::default()
        }
    }

    #[test]
    fn a_row_holds_if_all_of_it_does_and_says_each_thing_once() {
        let twice = row(&[Signal(&["SIGSEGV"]), Top(1, &["boom"]), Top(1, &["boom"])], Confidence::High);
        let said = twice.matches(&Facts::new(&crash("", "boom"))).unwrap();
        assert_eq!(said.iter().filter(|line| line.contains("boom")).count(), 1, "{said:?}");
        assert!(said.iter().all(|line| !line.is_empty()), "{said:?}");
        assert_eq!(twice.matches(&Facts::new(&crash("", "other"))), None);
    }

    #[test]
    fn a_guess_takes_a_step_off() {
        use Confidence::{High, Low, Medium};
        let of = |when, confidence, gil| row(when, confidence).confidence(&Facts::new(&crash(gil, "boom")));
        const CERTAIN: &[Condition] = &[Top(1, &["boom"])];
        const GUESSED: &[Condition] = &[Below("fastlog", "2")];
        assert_eq!([High, Medium, Low].map(|confidence| of(CERTAIN, confidence, "")), [High, Medium, Low]);
        assert_eq!([High, Medium, Low].map(|confidence| of(GUESSED, confidence, "")), [Medium, Low, Low]);
        assert_eq!(["disabled", ""].map(|gil| of(&[WithoutGil], High, gil)), [High, Low]);
    }

    #[test]
    fn a_row_that_nearly_matches_has_the_stack_and_not_the_rest() {
        const WITHOUT: &[Condition] = &[Top(1, &["boom"]), WithoutGil];
        let near = |when, gil, symbol| row(when, Confidence::High).nearly_matches(&Facts::new(&crash(gil, symbol)));
        assert!(near(WITHOUT, "enabled", "boom"), "a build with the GIL");
        assert!(!near(WITHOUT, "disabled", "boom"), "all of it holds");
        assert!(!near(WITHOUT, "enabled", "other"));
        assert!(!near(&[WithoutGil], "enabled", "boom"), "it asks for no stack");
        let elsewhere = |when, symbol| {
            let mut crash = crash("", symbol);
            "/v/site-packages/other/_core.cpython-314t-darwin.so".clone_into(&mut crash.threads[0].native[0].module);
            row(when, Confidence::High).nearly_matches(&Facts::new(&crash))
        };
        assert!(elsewhere(&[Function(1, &["fastlog._core"], &["boom"])], "boom"), "a function of another module");
        assert!(!elsewhere(&[Function(1, &["fastlog._core"], &["run"])], "run"), "of a name that many have");
    }

    #[test]
    fn a_row_may_ask_for_words() {
        assert!(row(&[WithoutGil, Says(&["x"])], Confidence::High).asks_for_words());
        assert!(!row(&[WithoutGil], Confidence::High).asks_for_words());
    }
}
