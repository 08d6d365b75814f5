//! Findings that lie wholly inside installed packages: in a thread that a package started, without a line of the program on the stack.
//! They are their authors' to mend, so they are told apart and leave the exit status alone, unless asked otherwise.

use crate::thread::code_class::is_of_standard_library;
use crate::thread::installed;
use ftsan::report::{Finding, Frame, Role};
use ftsan::rules::Severity;

/// Names the package that a misuse lies in, and lowers its severity, if that is so.  Races are judged by what `--races` names.
pub(crate) fn tell_apart(finding: &mut Finding) {
    if finding.rule.as_str() >= "FT4" {
        return;
    }
    let Some(offending) = finding.accesses.iter().find(|access| access.role == Role::Offending) else { return };
    let started_at = offending.thread.as_ref().map_or(&[][..], |thread| &thread.started_at);
    // What an executor or a loop runs was given to it by somebody who is not on this stack.
    let is_given =
        |frame: &Frame| frame.file.ends_with("/concurrent/futures/thread.py") || frame.file.ends_with("/asyncio/events.py");
    let mut outside_the_library = offending.stack.iter().filter(|frame| !is_of_standard_library(&frame.file)).peekable();
    let starter = started_at.iter().find(|frame| !is_of_standard_library(&frame.file));
    let Some(package) = outside_the_library.peek().and_then(|frame| installed::package_of(&frame.file)) else { return };
    let is_installed = |frame: &Frame| installed::package_of(&frame.file).is_some();
    if !starter.is_some_and(is_installed) || !outside_the_library.all(is_installed) || offending.stack.iter().any(is_given) {
        return;
    }
    let name = installed::distribution_of(&package).unwrap_or(package.0);
    finding.title = format!("{} (in package {name}: report it upstream)", finding.title);
    finding.package = Some(name);
    finding.severity = Severity::Info;
}
