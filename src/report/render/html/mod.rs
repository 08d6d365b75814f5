//! One page of HTML that needs nothing beside it: no other file, no network, no server.
//!
//! | module | what it holds |
//! |---|---|
//! | [`details`] | what the page's script shows of a finding once it is opened, as JSON |
//! | [`source`] | lines of the program around those that stacks name |
//!
//! `page.html` is the template, with `page.css` and `page.js` in it.  The list is plain HTML, escaped by askama; stacks are made from the
//! JSON when a finding is opened, as text nodes only, so that a page of ten thousand findings opens at once and nothing that a program
//! names becomes markup.

pub mod details;
pub mod source;

use crate::report::model::access::programs_line;
use crate::report::model::finding::Finding;
use crate::report::model::tree::Report;
use crate::report::render::paths::{below, project_root};
use crate::rules::severity::Severity;
use askama::Template;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

/// Writes a report.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let root = project_root();
    let page = Page::of(report, root.as_deref(), &mut source::Sources::default());
    page.write_into(out).map_err(io::Error::other)?;
    out.write_all(b"\n")
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    report: &'a Report,
    python: &'a str,
    platform: &'a str,
    groups: Vec<Group<'a>>,
    /// How many of each severity: errors, warnings, infos.
    counts: [(&'static str, usize); 3],
    details: String,
}

/// The findings of one rule.
struct Group<'a> {
    rule: &'a str,
    name: &'a str,
    rows: Vec<Row<'a>>,
}

/// A finding in the list.
struct Row<'a> {
    /// Of the finding in the details.
    number: usize,
    finding: &'a Finding,
    file: &'a str,
    line: u32,
    place: String,
}

impl<'a> Page<'a> {
    fn of(report: &'a Report, root: Option<&Path>, sources: &mut source::Sources) -> Self {
        let all: Vec<&Finding> = report.findings.iter().chain(&report.accepted).collect();
        let mut groups: BTreeMap<&str, Group<'a>> = BTreeMap::new();
        for (number, finding) in all.iter().enumerate() {
            let line = finding.offending().and_then(|access| programs_line(&access.stack));
            let (file, line) = line.map_or(("", 0), |frame| (below(&frame.file, root), frame.line));
            let place = if line == 0 { file.to_owned() } else { format!("{file}:{line}") };
            let new = || Group { rule: &finding.rule, name: &finding.name, rows: Vec::new() };
            groups.entry(&finding.rule).or_insert_with(new).rows.push(Row { number, finding, file, line, place });
        }
        let mut groups: Vec<Group<'a>> = groups.into_values().collect();
        for group in &mut groups {
            group.rows.sort_by(|a, b| {
                (b.finding.severity, a.file, a.line, a.number).cmp(&(a.finding.severity, b.file, b.line, b.number))
            });
        }
        let counts = |row: &&Row<'_>| row.finding.accepted.is_none();
        let severity = |group: &Group<'_>| group.rows.iter().filter(counts).map(|row| row.finding.severity).max();
        groups.sort_by_key(|group| std::cmp::Reverse(severity(group)));
        let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
        let fact = |name: &str| report.python.get(name).map_or("", String::as_str);
        Page {
            report,
            python: fact("version"),
            platform: fact("platform"),
            groups,
            counts: [Severity::Error, Severity::Warning, Severity::Info].map(|severity| (severity.name(), count(severity))),
            details: details::json(&all, &report.timeline, root, sources),
        }
    }
}

/// "1 thread", "2 threads".
fn number(count: impl Display, noun: &str, ending: &str) -> String {
    let count = count.to_string();
    format!("{count} {noun}{}", if count == "1" { "" } else { ending })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::finding::samples::call_soon;
    use crate::report::model::tree::samples;

    fn page(report: &Report) -> String {
        Page::of(report, None, &mut source::Sources::default()).render().unwrap()
    }

    #[test]
    fn nothing_that_a_program_names_becomes_markup() {
        let mut report = samples::news().report;
        let evil = "</script><img src=x onerror=alert(1)>&\"'";
        let mut finding = call_soon();
        finding.title = evil.to_owned();
        finding.object.repr = evil.to_owned();
        finding.accesses[0].stack[0].function = evil.to_owned();
        finding.accesses[0].thread.as_mut().unwrap().name = evil.to_owned();
        report.findings = vec![finding];
        report.watched.off.insert(evil.to_owned());
        report.gil = evil.to_owned();
        let page = page(&report);
        assert!(!page.contains("<img") && page.matches("</script>").count() == 2, "{page}");
        assert!(page.contains("&#60;img src=x onerror=alert(1)&#62;"), "{page}");
    }

    #[test]
    fn the_page_loads_nothing() {
        let page = page(&samples::news().report);
        assert!(page.contains("default-src 'none'"), "{page}");
        for loads in ["src=", "href=\"http", "url(", "@import", "fetch("] {
            assert!(!page.contains(loads), "{loads}");
        }
    }

    #[test]
    fn findings_are_counted_by_rule_and_severity() {
        let mut report = samples::news().report;
        report.findings.push(Finding { severity: Severity::Info, ..call_soon() });
        let page = Page::of(&report, None, &mut source::Sources::default());
        assert_eq!(page.counts, [("error", 1), ("warning", 0), ("info", 1)]);
        assert_eq!((page.groups.len(), page.groups[0].rows.len()), (1, 2));
        assert_eq!(page.groups[0].rows[0].place, "app.py:12");
    }

    #[test]
    fn one_is_told_from_many() {
        assert_eq!(
            [number(1, "thread", "s"), number(2, "thread", "s"), number(0, "process", "es")],
            ["1 thread", "2 threads", "0 processes"]
        );
    }
}
