//! Suppressions: findings that are accepted, each with its reason.
//!
//! ```toml
//! [[suppress]]
//! rule = "FT105"                  # id or name; required
//! function = "legacy.Bus.*"       # glob over the functions of the offending stack
//! file = "*/vendor/*"             # glob over its files
//! object = "app.Counter"          # glob over the type of the object
//! fingerprint = "0123456789abcdef"
//! reason = "guarded by Bus._lock; https://tracker/42"   # required
//! ```
//!
//! All given patterns must match; `function` and `file` must match in one and the same frame.

use super::access::Frame;
use super::finding::Finding;
use crate::{rules, safe_file};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One accepted kind of finding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// Id or name of a rule.
    pub rule: String,
    /// Glob over qualified function names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Glob over file names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Glob over the qualified name of the object's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Fingerprint of one finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Why it is accepted.
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    suppress: Vec<Suppression>,
}

/// Reads a suppression file.
///
/// # Errors
/// One line that names the file, the line where there is one, and what is wrong: unreadable, no TOML, an unknown key or
/// rule, a missing reason.
pub fn load(path: &Path) -> Result<Vec<Suppression>, String> {
    let shown = path.display();
    let text = safe_file::read_text_input(path, safe_file::HANDWRITTEN)
        .map_err(|error| format!("suppressions: cannot read {shown}: {error}"))?;
    parse(&text).map_err(|error| format!("suppressions: {shown}{error}"))
}

fn parse(text: &str) -> Result<Vec<Suppression>, String> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(&error, text))?;
    check(&file.suppress)?;
    Ok(file.suppress)
}

/// What is wrong with a TOML text, as ":LINE: MESSAGE".
pub(crate) fn toml_error(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map_or(String::new(), |span| format!(":{}", text[..span.start].matches('\n').count() + 1));
    format!("{line}: {}", error.message().replace('\n', " "))
}

/// Refuses entries without a rule that there is, or without a reason.
///
/// # Errors
/// ": entry N ..." of the first one.
pub fn check(entries: &[Suppression]) -> Result<(), String> {
    for (index, suppression) in entries.iter().enumerate() {
        let entry = format!(": entry {} (rule {})", index + 1, suppression.rule);
        if rules::find(&suppression.rule).is_none() {
            return Err(format!("{entry}: {}", rules::no_such_rule(&suppression.rule)));
        }
        if suppression.reason.trim().is_empty() {
            return Err(format!("{entry}: the reason is empty"));
        }
    }
    Ok(())
}

impl Suppression {
    /// Whether this accepts `finding`.
    pub fn matches(&self, finding: &Finding) -> bool {
        let rule = self.rule.eq_ignore_ascii_case(&finding.rule) || self.rule.eq_ignore_ascii_case(&finding.name);
        let is_it = |wanted: &String| {
            *wanted == finding.fingerprint || finding.mistake.as_ref().is_some_and(|mistake| *wanted == mistake.fingerprint)
        };
        let fingerprint = self.fingerprint.as_ref().is_none_or(is_it);
        let object = self.object.as_ref().is_none_or(|pattern| glob(pattern, &finding.object.r#type));
        rule && fingerprint && object && a_frame_fits(finding, self.function.as_deref(), self.file.as_deref())
    }
}

/// Whether one frame of the offending stack fits both globs; those that are not given fit anything.
pub(super) fn a_frame_fits(finding: &Finding, function: Option<&str>, file: Option<&str>) -> bool {
    let fits = |frame: &Frame| {
        function.is_none_or(|pattern| glob(pattern, &frame.function)) && file.is_none_or(|pattern| glob(pattern, &frame.file))
    };
    function.is_none() && file.is_none() || finding.offending().is_some_and(|access| access.stack.iter().any(fits))
}

/// `*` stands for anything, everything else for itself.  Each part is looked for once, from the left: a pattern of many stars costs no
/// more than the text is long times the parts.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::super::finding::samples;
    use super::*;

    fn one(lines: &str) -> Suppression {
        parse(&format!("[[suppress]]\n{lines}")).unwrap().remove(0)
    }

    #[test]
    fn a_file_is_read_and_named_if_that_fails() {
        let path = std::env::temp_dir().join(format!("ftsan-suppress-{}.toml", std::process::id()));
        std::fs::write(&path, "[[suppress]]\nrule = 'FT401'\nreason = 'known'\n").unwrap();
        assert_eq!(load(&path).unwrap().len(), 1);
        std::fs::write(&path, "[[suppress]]\nrule = 'FT401'\n").unwrap();
        assert!(load(&path).unwrap_err().contains(&path.display().to_string()));
        std::fs::remove_file(&path).unwrap();
        assert!(load(&path).unwrap_err().contains("cannot read"));
    }

    #[test]
    fn every_given_pattern_must_match() {
        let finding = samples::call_soon();
        let accepted = |lines: &str| one(&format!("{lines}\nreason = 'known'")).matches(&finding);
        assert!(accepted("rule = 'FT101'"));
        assert!(accepted("rule = 'loop-call-off-thread'\nfunction = 'wor*'"));
        assert!(accepted("rule = 'FT101'\nfile = '*/threading.py'\nfunction = 'Thread.*'"));
        assert!(!accepted("rule = 'FT102'"));
        assert!(!accepted("rule = 'FT101'\nfunction = 'work'"));
        assert!(!accepted("rule = 'FT101'\nfile = 'app.py'\nfunction = 'Thread.*'"), "two different frames");
        assert!(accepted("rule = 'FT101'\nobject = 'asyncio.*EventLoop'"));
        assert!(!accepted("rule = 'FT101'\nobject = 'asyncio.Task'"));
        assert!(!accepted("rule = 'FT101'\nfingerprint = '0000000000000000'"));
        assert!(accepted(&format!("rule = 'FT101'\nfingerprint = '{}'", finding.fingerprint)));
        let race = super::super::mistake::samples::race("C.a", [1, 7]);
        for fingerprint in [&race.fingerprint, &race.mistake.as_ref().unwrap().fingerprint] {
            let entry = one(&format!("rule = 'FT101'\nfingerprint = '{fingerprint}'\nreason = 'known'"));
            assert!(entry.matches(&race), "of the location, or of the mistake");
        }
    }

    #[test]
    fn stars_stand_for_anything_and_cost_little() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("**x", "x", true),
            ("a*bb*bb", "abbb", false),
            ("*.py", "/app/main.pyc", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
        assert!(!glob(&"*a".repeat(40), &format!("{}b", "a".repeat(4000))));
    }

    #[test]
    fn a_typo_is_named_with_its_line() {
        let refused = |text: &str| parse(text).unwrap_err();
        assert!(refused("[[suppress]]\nrule = 'FT101'\nfunctoin = 'x'\nreason = 'y'").starts_with(":3: unknown field `functoin`"));
        assert!(refused("[[supress]]\nrule = 'FT101'").starts_with(":1: unknown field `supress`"));
        assert!(refused("[[suppress]]\nrule = 'FT101'").contains("missing field `reason`"));
        assert!(refused("[[suppress]]\nrule = 'FT101'\nreason = ' '").contains("the reason is empty"));
        assert!(refused("[[suppress]]\nrule = 'FT1O1'\nreason = 'x'").contains("no rule \"FT1O1\"; did you mean FT101"));
        assert!(refused("rule = ").starts_with(":1: "));
    }
}
