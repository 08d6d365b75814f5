//! A form in which people paste a crash, and what it finds in a text.

use super::super::crash::Crash;

/// Descriptions of crashes that are kept of one form.
pub(super) const MOST: usize = 50;

/// A form.
pub struct Form {
    /// What makes it.
    pub name: &'static str,
    /// What it is recognised by, for people.
    pub looks_like: &'static str,
    /// A text without any of these has nothing in this form; none for any text.
    pub(super) signs: &'static [&'static str],
    /// Descriptions of crashes in it, as they come.
    pub(super) read: fn(&[String]) -> Vec<Found>,
}

/// A description of a crash.
pub(super) struct Found {
    /// Number of the line that it begins in.
    pub(super) at: usize,
    pub(super) crash: Crash,
}

#[cfg(test)]
impl Form {
    /// The only crash that is found in a text.
    pub(super) fn one(&self, text: &str) -> Crash {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut found = (self.read)(&lines);
        assert_eq!(found.len(), 1, "{text}");
        found.remove(0).crash
    }
}
