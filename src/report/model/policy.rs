//! A project's own view of findings: how bad they are to it, which it accepts, which it has known before.

use super::baseline::Baseline;
use super::finding::{Accepted, Finding, Means};
use super::severities::Severities;
use super::suppress::{self, Suppression};
use crate::configuration::Configuration;
use std::path::Path;

/// A project's own view of findings.
#[derive(Debug, Default)]
pub struct Policy {
    severities: Vec<Severities>,
    suppressions: Vec<Suppression>,
    baseline: Option<(String, Baseline)>,
}

impl Policy {
    /// Reads what there is: the project's configuration, a file of suppressions, a baseline.
    ///
    /// # Errors
    /// One line that names the file, and what is wrong with it.
    pub fn load(config: Option<&Path>, suppressions: Option<&Path>, baseline: Option<&Path>) -> Result<Self, String> {
        let Configuration { policy, suppress: mut accepted, .. } = config.map(Configuration::load).transpose()?.unwrap_or_default();
        accepted.extend(suppressions.map(suppress::load).transpose()?.unwrap_or_default());
        let load = |path: &Path| Baseline::load(path).map(|known| (path.display().to_string(), known));
        Ok(Policy { severities: policy, suppressions: accepted, baseline: baseline.map(load).transpose()? })
    }

    /// All suppressions, wherever they are written.
    pub fn suppressions(&self) -> &[Suppression] {
        &self.suppressions
    }

    /// Where the baseline is.
    pub fn baseline(&self) -> Option<&str> {
        self.baseline.as_ref().map(|(path, _)| path.as_str())
    }

    /// Sets how bad a new finding is and why it is accepted, if it is.  Returns the suppression that accepts it.
    pub fn judge(&self, finding: &mut Finding) -> Option<usize> {
        let entry = self.severities.iter().find(|entry| entry.fits(finding));
        if let Some(entry) = entry.filter(|entry| entry.severity.severity().is_none()) {
            finding.accepted = Some(Accepted { by: Means::Policy, reason: entry.reason.clone() });
            return None;
        }
        finding.severity = entry.and_then(|entry| entry.severity.severity()).unwrap_or(finding.severity);
        if let Some(at) = self.suppressions.iter().position(|suppression| suppression.matches(finding)) {
            finding.accepted = Some(Accepted { by: Means::Suppression, reason: self.suppressions[at].reason.clone() });
            return Some(at);
        }
        if let Some((path, _)) = self.baseline.as_ref().filter(|(_, baseline)| baseline.has(finding)) {
            finding.accepted = Some(Accepted { by: Means::Baseline, reason: format!("known before: {path}") });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::samples;
    use super::super::severities::Level;
    use super::super::tree::samples::news;
    use super::*;
    use crate::rules::severity::Severity;

    fn entry(severity: Level, file: Option<&str>) -> Severities {
        let file = file.map(str::to_owned);
        Severities { rule: "FT1*".to_owned(), function: None, file, severity, reason: "decided".to_owned() }
    }

    fn judged(policy: &Policy) -> (Severity, Option<Means>) {
        let mut finding = samples::call_soon();
        policy.judge(&mut finding);
        (finding.severity, finding.accepted.map(|why| why.by))
    }

    #[test]
    fn the_first_entry_that_fits_decides() {
        let severities = vec![entry(Level::Off, Some("*/vendor/*")), entry(Level::Warning, None), entry(Level::Info, None)];
        assert_eq!(judged(&Policy { severities, ..Policy::default() }), (Severity::Warning, None));
        let severities = vec![entry(Level::Off, Some("app.py"))];
        assert_eq!(judged(&Policy { severities, ..Policy::default() }).1, Some(Means::Policy));
    }

    #[test]
    fn what_was_known_is_accepted_and_a_suppression_goes_first() {
        let baseline = Some(("baseline.toml".to_owned(), Baseline::of(&news().report)));
        assert_eq!(Policy { baseline: baseline.clone(), ..Policy::default() }.baseline(), Some("baseline.toml"));
        assert_eq!(Policy::default().baseline(), None);
        assert_eq!(judged(&Policy { baseline: baseline.clone(), ..Policy::default() }).1, Some(Means::Baseline));
        let suppression = Suppression {
            rule: "FT101".to_owned(),
            function: None,
            file: None,
            object: None,
            fingerprint: None,
            reason: "locked".to_owned(),
        };
        assert_eq!(judged(&Policy { baseline, suppressions: vec![suppression], ..Policy::default() }).1, Some(Means::Suppression));
    }

    #[test]
    fn all_that_a_project_says_is_read_from_its_files() {
        let folder = std::env::temp_dir().join(format!("ftsan-policy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let [suppressions, baseline] = ["suppressions.toml", "baseline.toml"].map(|name| folder.join(name));
        std::fs::write(&suppressions, "[[suppress]]\nrule = 'FT102'\nreason = 'locked'\n").unwrap();
        Baseline::of(&news().report).write(&baseline).unwrap();
        let policy = Policy::load(None, Some(&suppressions), Some(&baseline)).unwrap();
        assert_eq!(policy.suppressions().iter().map(|entry| entry.rule.as_str()).collect::<Vec<_>>(), ["FT102"]);
        assert_eq!(judged(&policy).1, Some(Means::Baseline));
        let missing = Policy::load(None, Some(&folder.join("none.toml")), None).unwrap_err();
        assert!(missing.contains("none.toml"), "{missing}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
