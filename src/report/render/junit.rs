//! JUnit XML, as CI systems show it: a failed test case for each finding that changes the exit status, a skipped one for information.

use crate::report::model::access::programs_line;
use crate::report::model::tree::Report;
use crate::report::render::text;
use std::io::{self, Write};

/// Writes a report.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let serious = report.findings.iter().filter(|finding| finding.severity.is_serious()).count();
    let (all, skipped) = (report.findings.len(), report.findings.len() - serious);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    // As the schema of Jenkins has it: `skipped` is no attribute of all suites, and a test case has neither file nor line.
    writeln!(out, r#"<testsuites name="ftsan" tests="{all}" failures="{serious}" errors="0">"#)?;
    writeln!(out, r#"  <testsuite name="ftsan" tests="{all}" failures="{serious}" errors="0" skipped="{skipped}">"#)?;
    for finding in &report.findings {
        let line = finding.offending().and_then(|access| programs_line(&access.stack));
        let (file, number) = line.map_or(("", 0), |frame| (frame.file.as_str(), frame.line));
        let name = escaped(&format!("{}:{number}: {} {}", file, finding.rule, finding.name));
        let title = escaped(&finding.title);
        writeln!(out, r#"    <testcase classname="{}" name="{name}">"#, escaped(&finding.name))?;
        if finding.severity.is_serious() {
            let told = escaped(&text::finding(finding, 0, &|_, _| None));
            writeln!(out, r#"      <failure type="{}" message="{title}">{told}</failure>"#, finding.rule)?;
        } else {
            writeln!(out, r#"      <skipped message="{title}"/>"#)?;
        }
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// Text as XML 1.0 can have it, between quotes too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            // XML has no other control characters, and neither of the last two.
            control if control < ' ' || matches!(control, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::tree::samples;

    #[test]
    fn a_finding_is_a_failed_case_and_information_a_skipped_one() {
        let mut report = samples::news().report;
        let mut information = report.findings[0].clone();
        information.severity = crate::rules::severity::Severity::Info;
        report.findings.push(information);
        let mut out = Vec::new();
        write(&report, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(r#"<testsuite name="ftsan" tests="2" failures="1" errors="0" skipped="1">"#), "{text}");
        assert!(text.contains(r#"name="app.py:12: FT101 loop-call-off-thread">"#), "{text}");
        assert_eq!((text.matches("<failure ").count(), text.matches("<skipped ").count()), (1, 1));
    }

    #[test]
    fn nothing_that_a_program_names_breaks_the_xml() {
        assert_eq!(escaped("<a href=\"&\">\u{1b}[0m\u{0}\n"), "&lt;a href=&quot;&amp;&quot;&gt;\u{fffd}[0m\u{fffd}\n");
    }
}
