//! What a race is called and how it is told: the rule, the words for what both sides did, the sentence.

use super::access::Race;
use super::matrix::Kind;
use crate::rules::{self, Rule, Severity};

/// The rule that a race falls under.  `is_process_state`: what is raced for is the whole process's (`sys.stdout`).
pub fn rule(race: &Race, is_process_state: bool) -> &'static Rule {
    let either = |kind: Kind| race.kind == kind || race.earlier_kind == kind;
    let is_check = either(Kind::Checked) || either(Kind::Update) && race.is_checked;
    let first = [
        ("FT407", race.severity == Severity::Info),
        ("FT408", is_process_state),
        ("FT405", either(Kind::Advance)),
        ("FT403", either(Kind::Iterate)),
        ("FT406", race.published_early),
        ("FT402", is_check),
        ("FT401", either(Kind::Update)),
    ];
    let id = first.iter().find(|(_, applies)| *applies).map_or("FT404", |(id, _)| id);
    rules::find(id).expect("the rules of races exist")
}

/// What an access did, as a noun.
pub fn operation(kind: Kind) -> &'static str {
    match kind {
        Kind::Read => "read",
        Kind::Iterate => "iteration",
        Kind::Write => "write",
        Kind::Update => "update",
        Kind::Insert => "insertion",
        Kind::Atomic => "change",
        Kind::Checked => "change after a check",
        Kind::Advance => "step",
    }
}

/// One sentence: `what` was raced for, `thread` completes the race, `earlier` was there before.
pub fn title(race: &Race, what: &str, thread: &str, earlier: &str) -> String {
    let (mine, theirs) = (operation(race.kind), operation(race.earlier_kind));
    let outcome = match race {
        Race { witnessed: true, .. } => "; an update was lost",
        Race { published_early: true, earlier_kind: Kind::Insert, .. } | Race { published_early: true, kind: Kind::Insert, .. } => {
            "; it is filled piece by piece, and seen half"
        }
        Race { published_early: true, .. } => "; a flag that says it is there was set first",
        Race { .. } => "",
    };
    if race.is_between {
        return format!("{what}: {theirs} in thread '{earlier}' between two steps of the {mine} in thread '{thread}'");
    }
    if race.is_potential {
        return format!("{what}: no lock keeps the {mine} in thread '{thread}' and the {theirs} in thread '{earlier}' apart");
    }
    format!("{what}: {mine} in thread '{thread}' not ordered after the {theirs} in thread '{earlier}'{outcome}")
}
