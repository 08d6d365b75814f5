//! Severities that a project sets: which rules count how much, where.
//!
//! ```toml
//! [[tool.ftsan.policy]]
//! rule = "FT407"                  # id, name, or a glob over ids: "FT4*"; required
//! function = "legacy.*"           # globs as in suppressions
//! file = "*/migrations/*"
//! severity = "warning"            # error, warning, info, or off; required
//! reason = "..."                  # required for off
//! ```
//!
//! The first entry that fits a finding decides.

use super::finding::Finding;
use super::suppress::{a_frame_fits, glob};
use crate::rules;
use crate::rules::severity::Severity;
use serde::Deserialize;

/// What an entry makes of what it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Accepted.
    Off,
    /// As [`Severity::Info`].
    Info,
    /// As [`Severity::Warning`].
    Warning,
    /// As [`Severity::Error`].
    Error,
}

impl Level {
    /// The severity; `None` for off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Off => None,
            Level::Info => Some(Severity::Info),
            Level::Warning => Some(Severity::Warning),
            Level::Error => Some(Severity::Error),
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Severities {
    /// Id or name of a rule, or a glob over ids.
    pub rule: String,
    /// Glob over qualified function names.
    pub function: Option<String>,
    /// Glob over file names.
    pub file: Option<String>,
    /// How bad it is.
    pub severity: Level,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

impl Severities {
    /// Whether this decides about `finding`.
    pub fn fits(&self, finding: &Finding) -> bool {
        let is_rule = |id: &str, name: &str| self.rule.eq_ignore_ascii_case(name) || glob(&self.rule.to_uppercase(), id);
        is_rule(&finding.rule, &finding.name) && a_frame_fits(finding, self.function.as_deref(), self.file.as_deref())
    }
}

/// Refuses entries that fit no rule there is, or switch one off without a reason.
///
/// # Errors
/// ": policy N ..." of the first one.
pub fn check(entries: &[Severities]) -> Result<(), String> {
    for (index, entry) in entries.iter().enumerate() {
        let named = format!(": policy {} (rule {})", index + 1, entry.rule);
        let pattern = entry.rule.to_uppercase();
        if rules::find(&entry.rule).is_none() && !rules::ALL.iter().any(|rule| glob(&pattern, rule.id)) {
            return Err(format!("{named}: {}", rules::no_such_rule(&entry.rule)));
        }
        if entry.severity == Level::Off && entry.reason.trim().is_empty() {
            return Err(format!("{named}: off needs a reason"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::finding::samples;
    use super::*;

    fn entry(rule: &str, severity: Level) -> Severities {
        Severities { rule: rule.to_owned(), function: None, file: None, severity, reason: String::new() }
    }

    #[test]
    fn a_rule_goes_by_id_name_or_the_beginning_of_ids() {
        let finding = samples::call_soon();
        for (rule, fits) in [("FT101", true), ("ft1*", true), ("loop-call-off-thread", true), ("FT4*", false), ("FT10", false)] {
            assert_eq!(entry(rule, Level::Info).fits(&finding), fits, "{rule}");
        }
        let elsewhere = Severities { file: Some("*/vendor/*".to_owned()), ..entry("FT101", Level::Info) };
        assert!(!elsewhere.fits(&finding));
    }

    #[test]
    fn off_needs_a_reason_and_every_rule_must_exist() {
        assert_eq!(check(&[entry("FT4*", Level::Info)]), Ok(()));
        assert!(check(&[entry("FT401", Level::Off)]).unwrap_err().contains("off needs a reason"));
        assert!(
            check(&[entry("FT5O1", Level::Info)])
                .unwrap_err()
                .starts_with(": policy 1 (rule FT5O1): no rule \"FT5O1\"; did you mean FT501")
        );
    }
}
