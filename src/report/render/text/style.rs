//! How findings are written as text: how much of them, in which colours, and whose lines count as the program's.

use std::borrow::Cow;
use std::ffi::OsString;

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// The first line of an error.
    Error,
    /// The first line of a warning.
    Warning,
    /// What is read first.
    Strong,
    /// A place in the program.
    Place,
    /// What can be passed over.
    Faint,
    /// What is pointed at.
    Mark,
    /// What to do.
    Remedy,
}

/// How findings are written as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Style {
    /// Every frame of every stack, and every access.
    pub is_full: bool,
    /// With the escape sequences of a terminal.
    pub has_colours: bool,
    /// How wide the terminal is, in characters; 0 if it is none.
    pub columns: usize,
    /// Names of installed packages whose lines are the program's own.
    pub own: Vec<String>,
}

impl Style {
    /// The text as this style shows what is of this tone.
    pub(super) fn paint<'a>(&self, tone: Tone, text: &'a str) -> Cow<'a, str> {
        if !self.has_colours || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let code = match tone {
            Tone::Error => "1;31",
            Tone::Warning => "1;33",
            Tone::Strong => "1",
            Tone::Place => "36",
            Tone::Faint => "2",
            Tone::Mark => "31",
            Tone::Remedy => "32",
        };
        Cow::Owned(format!("\u{1b}[{code}m{text}\u{1b}[0m"))
    }
}

/// Whether a stream is written to in colours: `NO_COLOR` (no-color.org) forbids it and `FORCE_COLOR` (force-color.org) asks for it, if they
/// are there and not empty; else a terminal has them, unless it is a dumb one.
pub fn wants_colours(is_terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && (is_set("FORCE_COLOR") || is_terminal && variable("TERM").is_none_or(|term| term != "dumb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_asked_for_and_forbidden_by_the_environment() {
        let wants = |is_terminal, set: &[(&str, &str)]| {
            wants_colours(is_terminal, |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        assert!(wants(true, &[]) && !wants(false, &[]));
        assert!(!wants(true, &[("NO_COLOR", "1")]) && wants(true, &[("NO_COLOR", "")]));
        assert!(wants(false, &[("FORCE_COLOR", "1")]) && !wants(false, &[("FORCE_COLOR", "")]));
        assert!(!wants(true, &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
        assert!(!wants(true, &[("TERM", "dumb")]) && wants(true, &[("TERM", "xterm")]));
    }
}
