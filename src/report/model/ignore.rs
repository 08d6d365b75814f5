//! Findings that are accepted on a line of the program: `# ftsan: ignore[FT401] reason`, rules separated by commas, by id or name.

use super::finding::Finding;
use super::suppress::Suppression;

/// The beginning of such a comment.
const BEGIN: &str = "# ftsan: ignore[";

/// The acceptance of this finding on this line of source; `None` if nothing accepts it, or no reason is given.
pub fn on_line(source: &str, file: &str, line: u32, finding: &Finding) -> Option<Suppression> {
    let (rules, reason) = source.split_once(BEGIN)?.1.split_once(']')?;
    let is_it = |rule: &&str| rule.eq_ignore_ascii_case(&finding.rule) || rule.eq_ignore_ascii_case(&finding.name);
    let rule = rules.split(',').map(str::trim).find(is_it)?;
    let reason = reason.trim();
    (!reason.is_empty()).then(|| Suppression {
        rule: rule.to_owned(),
        function: None,
        file: Some(format!("{file}:{line}")),
        object: None,
        fingerprint: None,
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::samples;
    use super::on_line;

    #[test]
    fn a_comment_accepts_what_it_names_for_a_reason() {
        let finding = samples::call_soon();
        let accepted = |line: &str| on_line(line, "app.py", 3, &finding).map(|found| (found.file.unwrap(), found.reason));
        let why = Some(("app.py:3".to_owned(), "the loop is ours, #12".to_owned()));
        assert_eq!(accepted("loop.call_soon(f)  # ftsan: ignore[FT101] the loop is ours, #12"), why);
        assert_eq!(accepted("f()  # noqa # ftsan: ignore[FT401, loop-call-off-thread]  the loop is ours, #12 "), why);
        for other in ["f()  # ftsan: ignore[FT102] why", "f()  # ftsan: ignore[FT101]", "f()  # ftsan: ignore[FT101", "f()", ""] {
            assert_eq!(accepted(other), None, "{other}");
        }
    }
}
