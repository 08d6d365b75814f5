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
pub fn title(race: &Race, what: &str, thread: &str, earlier: &str, flag: Option<&str>) -> String {
    let (mine, theirs) = (operation(race.kind), operation(race.earlier_kind));
    let outcome = match race {
        Race { witnessed: true, .. } => "; an update was lost",
        Race { published_early: true, earlier_kind: Kind::Insert, .. } | Race { published_early: true, kind: Kind::Insert, .. } => {
            "; it is filled piece by piece, and seen half"
        }
        Race { published_early: true, .. } => match flag {
            Some(flag) => &format!("; '{flag}', which says that it is there, was set first"),
            None => "; a flag that says it is there was set first",
        },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::access::Place;
    use crate::races::clock::Epoch;

    fn race(earlier_kind: Kind, kind: Kind) -> Race {
        Race {
            severity: Severity::Error,
            earlier_kind,
            earlier: Place { site: 1, stack: 1 },
            earlier_thread: Epoch::NONE,
            earlier_check: None,
            kind,
            here: Place { site: 2, stack: 2 },
            check: None,
            is_checked: false,
            witnessed: false,
            published_early: false,
            is_potential: false,
            is_between: false,
        }
    }

    fn id(race: &Race) -> &'static str {
        rule(race, false).id
    }

    #[test]
    fn each_race_has_its_rule_whichever_access_comes_first() {
        let cases = [
            (Kind::Write, Kind::Write, "FT404"),
            (Kind::Write, Kind::Insert, "FT404"),
            (Kind::Update, Kind::Write, "FT401"),
            (Kind::Update, Kind::Update, "FT401"),
            (Kind::Checked, Kind::Atomic, "FT402"),
            (Kind::Checked, Kind::Update, "FT402"),
            (Kind::Iterate, Kind::Update, "FT403"),
            (Kind::Iterate, Kind::Checked, "FT403"),
            (Kind::Advance, Kind::Advance, "FT405"),
        ];
        for (one, other, expected) in cases {
            assert_eq!([id(&race(one, other)), id(&race(other, one))], [expected; 2], "{one:?} and {other:?}");
        }
    }

    #[test]
    fn what_else_is_known_of_a_race_decides_its_rule() {
        let update = race(Kind::Update, Kind::Update);
        assert_eq!(id(&Race { is_checked: true, ..update }), "FT402");
        assert_eq!(id(&Race { is_checked: true, ..race(Kind::Write, Kind::Write) }), "FT404", "a check without an update");
        assert_eq!(id(&Race { published_early: true, ..race(Kind::Write, Kind::Read) }), "FT406");
        assert_eq!(id(&Race { published_early: true, ..race(Kind::Write, Kind::Iterate) }), "FT403");
        assert_eq!(id(&Race { severity: Severity::Warning, ..update }), "FT401");
        assert_eq!(id(&Race { severity: Severity::Info, ..update }), "FT407");
        assert_eq!(rule(&update, true).id, "FT408");
        assert_eq!(rule(&race(Kind::Advance, Kind::Advance), true).id, "FT408");
    }

    #[test]
    fn the_sentence_names_both_accesses_and_what_became_of_them() {
        let told = |race: Race| title(&race, "C.n", "B", "A");
        let update = race(Kind::Write, Kind::Update);
        assert_eq!(told(update), "C.n: update in thread 'B' not ordered after the write in thread 'A'");
        assert_eq!(
            told(Race { witnessed: true, ..update }),
            "C.n: update in thread 'B' not ordered after the write in thread 'A'; an update was lost"
        );
        let early = Race { published_early: true, ..race(Kind::Write, Kind::Read) };
        assert_eq!(
            told(early),
            "C.n: read in thread 'B' not ordered after the write in thread 'A'; a flag that says it is there was set first"
        );
        let half = "; it is filled piece by piece, and seen half";
        for (one, other) in [(Kind::Insert, Kind::Read), (Kind::Read, Kind::Insert)] {
            assert!(told(Race { published_early: true, ..race(one, other) }).ends_with(half));
        }
        assert_eq!(
            told(Race { is_between: true, ..race(Kind::Insert, Kind::Iterate) }),
            "C.n: insertion in thread 'A' between two steps of the iteration in thread 'B'"
        );
        assert_eq!(
            told(Race { is_potential: true, ..race(Kind::Checked, Kind::Atomic) }),
            "C.n: no lock keeps the change in thread 'B' and the change after a check in thread 'A' apart"
        );
    }
}
