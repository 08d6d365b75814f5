//! The baseline: findings that were there when it was written.  Others are new.
//!
//! It can only shrink: a run with `--update-baseline` takes out what did not happen any more, and adds nothing.  An entry is a fingerprint,
//! so it survives edits that move lines, and covers every line of its function that does the same to the same type.  Of a mistake there is
//! one for each location: another one that joins them later is new.

use super::access::programs_line;
use super::finding::{Finding, Means};
use super::mistake;
use super::suppress::toml_error;
use super::tree::Report;
use crate::safe_file::{self, Target};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// How a baseline begins; nothing else is replaced by one.
const HEAD: &str = "# Baseline of ftsan: findings that were there already.  ";

/// One known finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The finding's.
    pub fingerprint: String,
    /// Id of its rule.
    pub rule: String,
    /// File and function of the program's line, for the reader.
    pub r#where: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<Known>,
}

/// The findings that were known before, by fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<String, Known>);

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// One line that names the file and what is wrong.
    pub fn load(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = safe_file::read_text_input(path, safe_file::HANDWRITTEN)
            .map_err(|error| format!("baseline: cannot read {shown}: {error}; --write-baseline makes one"))?;
        let file: File = toml::from_str(&text).map_err(|error| format!("baseline: {shown}{}", toml_error(&error, &text)))?;
        Ok(Baseline(file.known.into_iter().map(|known| (known.fingerprint.clone(), known)).collect()))
    }

    /// Of all that a run has found, known or new, and that would change its status.
    pub fn of(report: &Report) -> Self {
        let known = report.accepted.iter().filter(|finding| finding.accepted.as_ref().is_some_and(|why| why.by == Means::Baseline));
        let counted = report.findings.iter().chain(known).cloned().flat_map(mistake::unfold);
        let serious = counted.filter(|finding| finding.severity.is_serious());
        Baseline(serious.map(|finding| (finding.fingerprint.clone(), Known::of(&finding))).collect())
    }

    /// Whether this finding was known.
    pub fn has(&self, finding: &Finding) -> bool {
        self.0.contains_key(&finding.fingerprint)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What did not happen in this run.
    pub fn gone(&self, report: &Report) -> Vec<&Known> {
        let all = report.findings.iter().chain(&report.accepted).cloned().flat_map(mistake::unfold);
        let seen: BTreeSet<String> = all.map(|finding| finding.fingerprint).collect();
        self.0.values().filter(|known| !seen.contains(&known.fingerprint)).collect()
    }

    /// What is left without these.
    #[must_use]
    pub fn without(&self, gone: &[&Known]) -> Self {
        let mut left = self.clone();
        gone.iter().for_each(|known| drop(left.0.remove(&known.fingerprint)));
        left
    }

    /// Writes it, sorted by rule and place, so that changes of it read well.
    ///
    /// # Errors
    /// There is a file that is no baseline, or it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = File { known: self.0.values().cloned().collect() };
        file.known.sort_by(|a, b| (&a.rule, &a.r#where, &a.fingerprint).cmp(&(&b.rule, &b.r#where, &b.fingerprint)));
        let text = toml::to_string(&file).map_err(io::Error::other)?;
        let target = Target::at(path)?;
        target.check_replaceable("baseline of ftsan", |head| head.starts_with(HEAD.as_bytes()))?;
        target.replace(|out| write!(out, "{HEAD}Others fail;\n# --update-baseline takes out what is gone.\n\n{text}"))
    }
}

impl Known {
    fn of(finding: &Finding) -> Self {
        let line = finding.offending().and_then(|access| programs_line(&access.stack));
        let place = line
            .map_or_else(String::new, |frame| format!("{}: {}", frame.file.rsplit('/').next().unwrap_or_default(), frame.function));
        Known { fingerprint: finding.fingerprint.clone(), rule: finding.rule.clone(), r#where: place }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Accepted;
    use super::super::mistake::samples::race;
    use super::super::tree::samples;
    use super::*;

    #[test]
    fn what_is_written_is_read_and_says_what_is_gone() {
        let folder = std::env::temp_dir().join(format!("ftsan-baseline-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("baseline.toml");
        let mut report = samples::news().report;
        let mut other = report.findings[0].clone();
        other.fingerprint = "0000000000000001".to_owned();
        report.findings.push(other);
        let baseline = Baseline::of(&report);
        baseline.write(&path).unwrap();
        assert_eq!(Baseline::load(&path).unwrap(), baseline);
        assert_eq!((baseline.len(), baseline.gone(&report).len()), (2, 0));
        report.findings.pop();
        let gone = baseline.gone(&report);
        assert_eq!(gone.iter().map(|known| known.fingerprint.as_str()).collect::<Vec<_>>(), ["0000000000000001"]);
        baseline.without(&gone).write(&path).unwrap();
        assert_eq!(Baseline::load(&path).unwrap().len(), 1);
        assert!(std::fs::read_to_string(&path).unwrap().contains("where = \"app.py: worker\""));
        std::fs::write(&path, "[[suppress]]\n").unwrap();
        assert!(baseline.write(&path).is_err(), "a file that is none is not replaced");
        assert!(Baseline::load(&path).unwrap_err().contains("baseline.toml:1: unknown field `suppress`"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn each_location_of_a_mistake_is_known_by_itself() {
        let [old, new] = ["C.a", "C.b"].map(|what| race(what, [1, 7]));
        let known = Report { findings: mistake::fold([old.clone()]), ..Report::default() };
        let baseline = Baseline::of(&known);
        assert_eq!((baseline.has(&old), baseline.has(&new)), (true, false));
        let both = Report { findings: mistake::fold([old, new]), ..Report::default() };
        assert_eq!((Baseline::of(&both).len(), Baseline::of(&both).gone(&known).len(), baseline.gone(&both).len()), (2, 1, 0));
    }

    #[test]
    fn what_does_not_count_is_not_known() {
        let mut report = samples::news().report;
        report.findings[0].severity = crate::rules::severity::Severity::Info;
        assert!(Baseline::of(&report).is_empty());
    }

    #[test]
    fn what_was_known_stays_known_and_what_is_suppressed_is_not() {
        let mut report = samples::news().report;
        let accept = |by, fingerprint: &str| Finding {
            accepted: Some(Accepted { by, reason: String::new() }),
            fingerprint: fingerprint.to_owned(),
            ..samples::news().report.findings[0].clone()
        };
        report.accepted = vec![accept(Means::Baseline, "1"), accept(Means::Suppression, "2"), accept(Means::Policy, "3")];
        report.findings.clear();
        let baseline = Baseline::of(&report);
        assert!(!baseline.is_empty());
        let has: Vec<bool> = report.accepted.iter().map(|finding| baseline.has(finding)).collect();
        assert_eq!(has, [true, false, false]);
    }
}
