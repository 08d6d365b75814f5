//! The needs of the suite in its surroundings.

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::process::Command;

const ROUNDS: &str = "FTSAN_CONFORMANCE_ROUNDS";

/// How often a function is replaced under load; another number can be given in the environment.
pub(super) fn rounds() -> usize {
    env::var(ROUNDS).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100)
}

pub(super) fn say(to: &mut dyn Write, what: &str) {
    // Nobody may be reading; the status says it too.
    let _ = writeln!(to, "{what}");
}

/// Runs a program to its end.
pub(super) fn run(program: &OsStr, arguments: &[&OsStr]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|error| format!("{}: {error}", program.display()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{}: {}\n{}", program.display(), output.status, String::from_utf8_lossy(&output.stderr)))
    }
}
