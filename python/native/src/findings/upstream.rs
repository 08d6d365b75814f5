//! Findings that lie wholly inside installed packages: in a thread that a package started, without a line of the program on the stack; or
//! between two threads of which one runs code of that package only, and the other one has called it.
//! They are their authors' to mend, so they are told apart and leave the exit status alone, unless asked otherwise.

use crate::thread::code_class::is_of_standard_library;
use crate::thread::installed;
use ftsan::report::{Access, Finding, Frame, Role};
use ftsan::rules::Severity;

/// Names the package that a misuse lies in, and lowers its severity, if that is so.  Races are judged by what `--races` names.
pub(crate) fn tell_apart(finding: &mut Finding) {
    if finding.rule.as_str() >= "FT4" {
        return;
    }
    let Some(offending) = finding.accesses.iter().find(|access| access.role == Role::Offending) else { return };
    let Some(package) = wholly_inside(offending).or_else(|| between_its_own_threads(finding, offending)) else { return };
    let name = installed::distribution_of(&package).unwrap_or(package.0);
    finding.title = format!("{} (in package {name}: report it upstream)", finding.title);
    finding.package = Some(name);
    finding.severity = Severity::Info;
}

/// The package, with its folder, that every frame outside the standard library is of, if there is one; it may call others.
fn package_of_all(stack: &[Frame]) -> Option<(String, String)> {
    let mut outside = stack.iter().filter(|frame| !is_of_standard_library(&frame.file)).peekable();
    let package = outside.peek().and_then(|frame| installed::package_of(&frame.file))?;
    outside.all(|frame| installed::package_of(&frame.file).is_some()).then_some(package)
}

/// Whether the thread was started by a package.
fn is_started_by_package(access: &Access) -> bool {
    let started_at = access.thread.as_ref().map_or(&[][..], |thread| &thread.started_at);
    let starter = started_at.iter().find(|frame| !is_of_standard_library(&frame.file));
    starter.is_some_and(|frame| installed::package_of(&frame.file).is_some())
}

/// The package whose own thread does it.
fn wholly_inside(offending: &Access) -> Option<(String, String)> {
    // A function that an executor or a loop runs was given to it by somebody who is not on this stack.
    let is_given =
        |frame: &Frame| frame.file.ends_with("/concurrent/futures/thread.py") || frame.file.ends_with("/asyncio/events.py");
    let is_its_own = is_started_by_package(offending) && !offending.stack.iter().any(is_given);
    package_of_all(&offending.stack).filter(|_| is_its_own)
}

/// The package that the program calls in one thread, and that in the other one runs code of its own only: a server that is shut down.
/// A loop may run in any thread; that of a package runs in one that it has started.
fn between_its_own_threads(finding: &Finding, offending: &Access) -> Option<(String, String)> {
    let called = offending.stack.iter().find_map(|frame| installed::package_of(&frame.file))?;
    let owner = finding.accesses.iter().find(|access| access.role == Role::Owner)?;
    let package = package_of_all(&owner.stack)?;
    (package == called && (finding.rule.starts_with("FT2") || is_started_by_package(owner))).then_some(package)
}
