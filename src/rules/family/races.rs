//! Races: two accesses of one location with no order between them.

use crate::races::access::Race;
use crate::races::matrix::AccessKind;

/// A race, and what of the program it is about.
#[derive(Debug, Clone, Copy)]
pub struct Unordered<'a> {
    /// The race.
    pub race: &'a Race,
    /// The object that is raced for is the whole process's (`sys.stdout`).
    pub is_process_state: bool,
    /// What is raced for, in the words of the program.
    pub what: &'a str,
    /// Name of the thread that completes the race.
    pub thread: &'a str,
    /// Name of the thread that was there before.
    pub earlier: &'a str,
    /// Name of the flag that was set first, if it is known.
    pub flag: Option<&'a str>,
    /// The process has the GIL: threads take turns.
    pub has_gil: bool,
}

/// What a rule says of races.
#[derive(Debug)]
pub struct Races {
    /// Of the rules that apply, the one with the lowest number is what a race is called.
    pub order: u8,
    /// Whether this is one of its cases; the second says that it is state of the whole process.
    pub applies: fn(&Race, bool) -> bool,
    /// The title.
    pub title: fn(&Unordered<'_>) -> String,
    /// The harm can be seen to happen.
    pub can_be_witnessed: bool,
}

/// What an access did, as a noun.
pub fn operation(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Read => "read",
        AccessKind::Iterate => "iteration",
        AccessKind::Write => "write",
        AccessKind::Update => "update",
        AccessKind::Insert => "insertion",
        AccessKind::Atomic => "change",
        AccessKind::Checked => "change after a check",
        AccessKind::Advance => "step",
    }
}

/// Whether one of the two accesses is of this kind.
pub fn either(race: &Race, kind: AccessKind) -> bool {
    race.kind == kind || race.earlier_kind == kind
}

impl Unordered<'_> {
    /// The title of most races.
    pub fn sentence(&self) -> String {
        self.sentence_with("")
    }

    /// The same, with what came of it.
    pub fn sentence_with(&self, outcome: &str) -> String {
        let Unordered { race, what, thread, earlier, .. } = self;
        let (mine, theirs) = (operation(race.kind), operation(race.earlier_kind));
        if race.is_between {
            return format!("{what}: {theirs} in thread '{earlier}' between two steps of the {mine} in thread '{thread}'");
        }
        if race.is_potential {
            return format!("{what}: no lock keeps the {mine} in thread '{thread}' and the {theirs} in thread '{earlier}' apart");
        }
        let outcome = match outcome {
            _ if race.witnessed => "; an update was lost",
            "" if self.has_gil && race.severity.is_serious() => {
                "; with the GIL, which is on here, it does harm less often than without"
            }
            outcome => outcome,
        };
        format!("{what}: {mine} in thread '{thread}' not ordered after the {theirs} in thread '{earlier}'{outcome}")
    }
}
