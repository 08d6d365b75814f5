//! How the values of options are read, each from what was given; empty for "none" where there may be none.

use crate::scope::{self, Chosen, Excluded};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What is wrong with a value.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is none of the choices of the table.
    Choice,
    /// It is not what this says.
    Kind(&'static str),
    /// A sentence of its own.
    Other(String),
}

impl Wrong {
    /// The same of an option, which takes `choices`.
    pub(super) fn of(self, key: &str, given: &OsStr, choices: &str) -> String {
        let value = given.to_string_lossy();
        match self {
            Wrong::Choice => format!("{key}: \"{value}\" is not {choices}"),
            Wrong::Kind(kind) => format!("{key}: \"{value}\" is not {kind}"),
            Wrong::Other(wrong) => format!("{key}: {wrong}"),
        }
    }
}

/// What happens in the offending thread once a finding is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFinding {
    /// Report and go on.
    Log,
    /// Raise `ftsan.Misuse` before the state is touched.
    Raise,
    /// Report and abort the process.
    Abort,
}

/// A path may have any bytes.
#[expect(clippy::unnecessary_wraps, reason = "as all readers")]
pub(super) fn path(given: &OsStr) -> Result<Option<PathBuf>, Wrong> {
    Ok((!given.is_empty()).then(|| PathBuf::from(given)))
}

/// The configuration of a run that reads none.
pub const NO_CONFIG: &str = "none";

/// A path, or [`NO_CONFIG`].
pub(super) fn path_or_none(given: &OsStr) -> Result<Option<PathBuf>, Wrong> {
    path(given).map(|path| path.filter(|_| given != NO_CONFIG))
}

pub(super) fn flag(given: &OsStr) -> Result<bool, Wrong> {
    one_of(given, &[("yes", true), ("no", false)])
}

pub(super) fn is_full(given: &OsStr) -> Result<bool, Wrong> {
    one_of(given, &[("full", true), ("short", false)])
}

pub(super) fn is_stderr(given: &OsStr) -> Result<bool, Wrong> {
    one_of(given, &[("stderr", true), ("none", false)])
}

pub(super) fn on_finding(given: &OsStr) -> Result<OnFinding, Wrong> {
    one_of(given, &[("log", OnFinding::Log), ("raise", OnFinding::Raise), ("abort", OnFinding::Abort)])
}

fn one_of<T: Copy>(given: &OsStr, choices: &[(&str, T)]) -> Result<T, Wrong> {
    choices.iter().find(|(word, _)| given == *word).map(|(_, value)| *value).ok_or(Wrong::Choice)
}

pub(super) fn number<T: FromStr>(given: &OsStr) -> Result<T, Wrong> {
    text(given).parse().map_err(|_| Wrong::Choice)
}

/// A number, or none.
pub(super) fn seed(given: &OsStr) -> Result<Option<u64>, Wrong> {
    if given.is_empty() { Ok(None) } else { number(given).map(Some) }
}

pub(super) fn exit_code(given: &OsStr) -> Result<u8, Wrong> {
    text(given).parse().ok().filter(|code| *code > 0).ok_or(Wrong::Kind("a number from 1 to 255"))
}

pub(super) fn megabytes(given: &OsStr) -> Result<usize, Wrong> {
    text(given).parse().ok().filter(|megabytes| (1..=65536).contains(megabytes)).ok_or(Wrong::Kind("a number from 1 to 65536"))
}

/// A share of 100, with or without the sign, as a number of thousandths.
pub(super) fn permille(given: &OsStr) -> Result<u32, Wrong> {
    let text = text(given);
    let percent: Option<f64> = text.strip_suffix('%').unwrap_or(text).parse().ok();
    let permille = percent.filter(|percent| (0.1..=100.0).contains(percent)).map(|percent| (percent * 10.0).round() as u32);
    permille.ok_or(Wrong::Kind("a percentage from 0.1 to 100"))
}

pub(super) fn seconds(given: &OsStr) -> Result<Option<Duration>, Wrong> {
    if given.is_empty() {
        return Ok(None);
    }
    let seconds = text(given).parse().ok().filter(|seconds| *seconds > 0.0 && *seconds < 1e9);
    seconds.map(|seconds| Some(Duration::from_secs_f64(seconds))).ok_or(Wrong::Kind("a number of seconds"))
}

pub(super) fn chosen(given: &OsStr) -> Result<Chosen, Wrong> {
    Chosen::parse(&given.to_string_lossy()).map_err(Wrong::Other)
}

pub(super) fn excluded(given: &OsStr) -> Result<Excluded, Wrong> {
    Excluded::parse(&given.to_string_lossy()).map_err(Wrong::Other)
}

pub(super) fn names(given: &OsStr) -> Result<Vec<String>, Wrong> {
    scope::names(&given.to_string_lossy()).map_err(Wrong::Other)
}

pub(super) fn lines(given: &OsStr) -> Result<Vec<(String, u32)>, Wrong> {
    let line = |place: &str| {
        let (file, line) = place.rsplit_once(':')?;
        Some((file.to_owned(), line.parse().ok()?))
    };
    text(given).split(',').filter(|place| !place.is_empty()).map(line).collect::<Option<_>>().ok_or(Wrong::Choice)
}

/// What is no text is no number either.
fn text(given: &OsStr) -> &str {
    given.to_str().unwrap_or("?")
}
