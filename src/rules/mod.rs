//! The rules: one file each, with its manual page, severity, titles and fix.
//!
//! To add one: copy a file, give it the next free id of its family, add it to [`ALL`], and write
//! `tests/programs/<id>/fires_*.py` and `quiet_*.py`.  A test compares ids, file names and the rule table of the README.

mod ft101;
mod ft102;
mod ft103;
mod ft104;
mod ft105;
mod ft106;
mod ft107;
mod ft108;
mod ft109;
mod ft201;
mod ft202;
mod ft203;
mod ft204;
mod ft205;
mod ft206;
mod ft207;
mod ft208;
mod ft301;
mod ft302;
mod ft303;
mod ft304;
mod ft305;
mod ft306;
mod ft401;
mod ft402;
mod ft403;
mod ft404;
mod ft405;
mod ft406;
mod ft407;
mod ft408;
mod ft501;
mod ft502;
mod ft503;

/// How bad a finding is.  `error` and `warning` change the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; changes no exit status.
    Info,
    /// Likely wrong.
    Warning,
    /// Wrong.
    Error,
}

/// One rule, whole.
#[derive(Debug)]
pub struct Rule {
    /// `FT` and three digits; a contract.
    pub id: &'static str,
    /// Short name in words; a contract.
    pub name: &'static str,
    /// Severity of its findings.
    pub severity: Severity,
    /// What to do about it, in one line, under every finding.
    pub fix: &'static str,
    /// Manual page in Markdown, shown by `ftsan explain`.
    pub manual: &'static str,
}

/// Every rule, by id.
pub static ALL: &[&Rule] = &[
    &ft101::RULE,
    &ft102::RULE,
    &ft103::RULE,
    &ft104::RULE,
    &ft105::RULE,
    &ft106::RULE,
    &ft107::RULE,
    &ft108::RULE,
    &ft109::RULE,
    &ft201::RULE,
    &ft202::RULE,
    &ft203::RULE,
    &ft204::RULE,
    &ft205::RULE,
    &ft206::RULE,
    &ft207::RULE,
    &ft208::RULE,
    &ft301::RULE,
    &ft302::RULE,
    &ft303::RULE,
    &ft304::RULE,
    &ft305::RULE,
    &ft306::RULE,
    &ft401::RULE,
    &ft402::RULE,
    &ft403::RULE,
    &ft404::RULE,
    &ft405::RULE,
    &ft406::RULE,
    &ft407::RULE,
    &ft408::RULE,
    &ft501::RULE,
    &ft502::RULE,
    &ft503::RULE,
];

/// The rule with this id or name, in any case.
pub fn find(id_or_name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id_or_name) || rule.name.eq_ignore_ascii_case(id_or_name))
}

impl Rule {
    /// The whole page for `ftsan explain`.
    pub fn page(&self) -> String {
        let severity = format!("{:?}", self.severity).to_lowercase();
        format!("{} {} ({severity})\n\n{}\n\nFix: {}\n", self.id, self.name, self.manual.trim(), self.fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn every_page_shows_the_mistake_and_the_remedy() {
        for rule in ALL {
            for heading in ["## What it finds", "## Why it matters", "## Not reported"] {
                assert!(rule.manual.contains(heading), "{}: {heading}", rule.id);
            }
            assert!(rule.manual.contains("    "), "{}: an example", rule.id);
        }
    }

    #[test]
    fn a_rule_is_found_by_id_and_by_name() {
        assert_eq!(find("ft101").unwrap().id, "FT101");
        assert_eq!(find("foreign-await").unwrap().id, "FT104");
        assert!(find("FT999").is_none());
    }
}
