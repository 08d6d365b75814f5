//! Workflow commands of GitHub Actions: `::error file=app.py,line=3,title=...::message`, which become annotations at the line.
//!
//! GitHub shows ten errors, ten warnings and ten notices of a step; SARIF has no such limit.

use super::paths::{below, project_root};
use crate::report::model::access::{Access, programs_line};
use crate::report::model::finding::Finding;
use crate::report::model::location::Location;
use crate::report::model::tree::Report;
use crate::rules::severity::Severity;
use crate::terminal::printable;
use std::io::{self, Write};
use std::path::Path;

/// Writes a report.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let root = project_root();
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.into_iter().try_for_each(|finding| writeln!(out, "{}", command(finding, root.as_deref())))
}

fn command(finding: &Finding, root: Option<&Path>) -> String {
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let line = finding.offending().and_then(|access| programs_line(&access.stack));
    let place =
        line.map_or_else(String::new, |frame| format!("file={},line={},", property(below(&frame.file, root)), frame.line.max(1)));
    let title = property(&format!("{} {}", finding.rule, finding.name));
    let mut lines = vec![printable(&finding.title).into_owned()];
    lines.extend(finding.first_accesses().iter().skip(1).filter_map(|access| other_side(access, root)));
    lines.extend(finding.further_locations().filter_map(|(location, accesses)| further(location, accesses, root)));
    lines.extend([format!("Fix: {}", printable(&finding.fix)), format!("Help: {}", printable(&finding.help))]);
    format!("::{kind} {place}title={title}::{}", data(&lines.join("\n")))
}

fn other_side(access: &Access, root: Option<&Path>) -> Option<String> {
    let frame = programs_line(&access.stack)?;
    let thread = access.thread.as_ref().map_or("a thread no longer known", |thread| &thread.name);
    let told =
        format!("{} by thread '{thread}' at {}:{} in {}", access.operation, below(&frame.file, root), frame.line, frame.function);
    Some(printable(&told).into_owned())
}

fn further(location: &Location, accesses: &[Access], root: Option<&Path>) -> Option<String> {
    let frame = programs_line(&accesses.first()?.stack)?;
    let told = format!("likewise {} at {}:{} in {}", location.what, below(&frame.file, root), frame.line, frame.function);
    Some(printable(&told).into_owned())
}

/// What a command says, as the runner reads it back.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(&printable(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::finding::samples;
    use crate::report::model::mistake::fold;
    use crate::report::model::mistake::samples::race;

    #[test]
    fn a_finding_is_an_annotation_at_its_line() {
        let mut finding = samples::call_soon();
        finding.accesses[0].stack[0].file = "/srv/repo/a,b/app.py".to_owned();
        assert_eq!(
            command(&finding, Some(Path::new("/srv/repo"))),
            "::error file=a%2Cb/app.py,line=12,title=FT101 loop-call-off-thread::_UnixSelectorEventLoop.call_soon() called in thread \
             'worker' while thread 'MainThread' runs the loop%0Arun by thread 'MainThread' at /lib/selectors.py:452 in \
             EpollSelector.select%0AFix: loop.call_soon_threadsafe(callback, *args), which also wakes the loop%0AHelp: ftsan explain FT101"
        );
    }

    #[test]
    fn the_locations_of_a_mistake_are_lines_of_its_annotation() {
        let whole = fold([race("C.a", [1, 7]), race("C.b", [2, 8])]).remove(0);
        let told = command(&whole, None);
        assert!(told.contains("app.py:7 in reset%0Alikewise C.b at app.py:2 in add%0AFix: "), "{told}");
        assert_eq!(told.matches("C.b").count(), 1, "{told}");
    }

    #[test]
    fn nothing_that_a_program_names_is_another_command() {
        let mut finding = samples::call_soon();
        finding.title = "100 %\n::error::x".to_owned();
        let told = command(&finding, None);
        assert_eq!(told.lines().count(), 1);
        assert!(told.contains("::100 %25\\n::error::x"), "{told}");
    }
}
