//! The rules: one file each, whole, named as the rule is named.
//!
//! A file says what its rule finds, how bad that is, when it applies and when not, the title, what to do instead, and the manual page.
//! Detection hands a rule its evidence ([`family`]); nothing outside of this folder knows a rule by its id.
//!
//! To add one: copy a file, give it the next free id of its family, add it to [`ALL`], and write `tests/programs/<id>/fires_*.py`,
//! `quiet_*.py`, and for each fix the `fixed_<name>.py` that follows it.  Tests compare ids, file names, fixes and programs.

pub mod check_then_act;
pub mod concurrent_registration;
pub mod conflicting_writes;
pub mod coroutine_driven_by_two_threads;
pub mod deferred_fired_off_thread;
pub mod double_close;
pub mod extension_undeclared;
pub mod family;
pub mod fd_closed_while_polled;
pub mod fd_reused_while_registered;
pub mod foreign_await;
pub mod fork_with_threads;
pub mod future_settled_off_thread;
pub mod gil_reenabled;
pub mod greenlet_foreign_switch;
pub mod handle_cancelled_off_thread;
pub mod hub_primitive_shared;
pub mod interpreter_gil_mode;
pub mod iteration_race;
pub mod iterator_shared;
pub mod lock_held_across_await;
pub mod lock_order_inversion;
pub mod lock_released_by_other_thread;
pub mod loop_call_off_thread;
pub mod loop_gone;
pub mod loop_lifecycle;
pub mod lost_update;
pub mod primitive_shared_across_loops;
pub mod process_fd_redirected;
pub mod process_state_swapped;
pub mod reactor_call_off_thread;
pub mod rule;
#[cfg(test)]
mod sayings;
pub mod selector_shared;
pub mod severity;
pub mod stale_read;
pub mod stream_socket_interleaved;
pub mod task_touched_off_thread;
pub mod tls_object_shared;
pub mod transport_used_off_thread;
pub mod trio_anyio_off_thread;
pub mod twisted_transport_off_thread;
pub mod unsafe_publication;

use crate::descriptors::Suspicion;
use crate::races::access::Race;
use crate::similar;
use family::calls::Attempt;
use rule::Finds;

pub use rule::{Fix, Rule, Told};
pub use severity::Severity;

/// Every rule, by id.
pub static ALL: &[&Rule] = &[
    &loop_call_off_thread::RULE,
    &future_settled_off_thread::RULE,
    &task_touched_off_thread::RULE,
    &foreign_await::RULE,
    &transport_used_off_thread::RULE,
    &primitive_shared_across_loops::RULE,
    &handle_cancelled_off_thread::RULE,
    &coroutine_driven_by_two_threads::RULE,
    &loop_lifecycle::RULE,
    &loop_gone::RULE,
    &fd_closed_while_polled::RULE,
    &fd_reused_while_registered::RULE,
    &concurrent_registration::RULE,
    &selector_shared::RULE,
    &stream_socket_interleaved::RULE,
    &double_close::RULE,
    &process_fd_redirected::RULE,
    &tls_object_shared::RULE,
    &reactor_call_off_thread::RULE,
    &deferred_fired_off_thread::RULE,
    &twisted_transport_off_thread::RULE,
    &greenlet_foreign_switch::RULE,
    &hub_primitive_shared::RULE,
    &trio_anyio_off_thread::RULE,
    &lost_update::RULE,
    &check_then_act::RULE,
    &iteration_race::RULE,
    &conflicting_writes::RULE,
    &iterator_shared::RULE,
    &unsafe_publication::RULE,
    &stale_read::RULE,
    &process_state_swapped::RULE,
    &lock_order_inversion::RULE,
    &lock_held_across_await::RULE,
    &lock_released_by_other_thread::RULE,
    &gil_reenabled::RULE,
    &extension_undeclared::RULE,
    &fork_with_threads::RULE,
    &interpreter_gil_mode::RULE,
];

/// The rule with this id or name, in any case.
pub fn find(id_or_name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id_or_name) || rule.name.eq_ignore_ascii_case(id_or_name))
}

/// One line for a word that [`find`] does not know, with the rules that may be meant.
pub fn no_such_rule(word: &str) -> String {
    let lower = word.to_lowercase();
    let is_part = |rule: &&&Rule| lower.len() > 2 && (rule.id.to_lowercase().starts_with(&lower) || rule.name.contains(&lower));
    let of_family: Vec<String> = ALL.iter().filter(is_part).map(|rule| format!("{} {}", rule.id, rule.name)).collect();
    let meant = match of_family.is_empty() {
        true => similar::did_you_mean(word, ALL.iter().flat_map(|rule| [rule.name, rule.id])),
        false => format!("; did you mean {}?", of_family.join(", ")),
    };
    format!("no rule \"{word}\"{meant} (ftsan explain lists them)")
}

/// Whether this is the id of a rule of data races, or will be.
pub fn is_of_races(id: &str) -> bool {
    id.starts_with("FT4")
}

/// Whether this is the id of a rule of locks, or will be.
pub fn is_of_locks(id: &str) -> bool {
    id.starts_with("FT5")
}

/// The rule that a call falls under, which is of `listed` unless another one claims it; `None` if it is no misuse.
pub fn of_call(listed: &'static Rule, attempt: &Attempt<'_>) -> Option<&'static Rule> {
    let claims = |rule: &&Rule| rule.calls().is_some_and(|calls| (calls.claims)(attempt));
    let rule = ALL.iter().copied().find(claims).unwrap_or(listed);
    let is_excepted = [listed, rule].iter().any(|rule| rule.calls().is_some_and(|calls| (calls.excepts)(attempt)));
    (!is_excepted).then_some(rule)
}

/// The rule that a race falls under.  `is_process_state`: the object that is raced for is the whole process's (`sys.stdout`).
pub fn of_race(race: &Race, is_process_state: bool) -> &'static Rule {
    let order = |rule: &Rule| match &rule.finds {
        Finds::Races(races) if (races.applies)(race, is_process_state) => races.order,
        Finds::Races(_) | Finds::Calls(_) | Finds::Descriptors(_) | Finds::Locks(_) | Finds::Runtime(_) => u8::MAX,
    };
    ALL.iter().copied().min_by_key(|rule| order(rule)).expect("there are rules")
}

/// The rule of what is suspected of system calls; `None` if there is none.
pub fn of_system_call(suspicion: &Suspicion) -> Option<&'static Rule> {
    let applies = |rule: &&Rule| rule.descriptors().is_some_and(|descriptors| (descriptors.applies)(suspicion));
    ALL.iter().copied().find(applies)
}

#[cfg(test)]
mod tests {
    use super::family::calls::{Call, Loops};
    use super::family::races::Unordered;
    use super::*;
    use crate::descriptors::Mark;
    use crate::races::matrix::AccessKind;
    use crate::recording::ThreadId;

    #[test]
    fn ids_are_unique_and_sorted() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn the_harm_of_two_rules_can_be_seen_to_happen() {
        let witnessed: Vec<&str> = ALL.iter().filter(|rule| rule.can_be_witnessed()).map(|rule| rule.id).collect();
        assert_eq!(witnessed, ["FT401", "FT402"]);
    }

    #[test]
    fn a_transport_is_called_one_whatever_it_is_for() {
        let fix = |class: &str, method: &str| {
            let call = Call { class, method, operation: method, thread: "B", relation: "", outer: None, loops: Loops::default() };
            transport_used_off_thread::RULE.tell_call(&call).fix
        };
        for (class, name) in [
            ("_SelectorSocketTransport", "transport"),
            ("UVProcessTransport", "transport"),
            ("Process", "process"),
            ("StreamWriter", "writer"),
        ] {
            assert_eq!(fix(class, "pause_reading"), format!("loop.call_soon_threadsafe({name}.pause_reading, ...)"));
        }
    }

    #[test]
    fn every_page_shows_the_mistake_and_the_remedy() {
        for rule in ALL {
            for heading in ["## What it finds", "## Why it matters", "## Not reported"] {
                assert!(rule.manual.contains(heading), "{}: {heading}", rule.id);
            }
            assert!(
                rule.manual.contains("\n\n    ") && rule.manual.contains(rule.id),
                "{}: an example, with its line marked",
                rule.id
            );
            let (last, others) = rule.fixes.split_last().unwrap();
            assert!(
                last.operations.is_empty() && others.iter().all(|fix| !fix.operations.is_empty()),
                "{}: the last is general",
                rule.id
            );
        }
    }

    #[test]
    fn a_rule_is_found_by_id_and_by_name() {
        assert_eq!(find("ft101").unwrap().id, "FT101");
        assert_eq!(find("foreign-await").unwrap().id, "FT104");
        assert!(find("FT999").is_none());
    }

    #[test]
    fn a_word_that_is_no_rule_brings_the_rules_it_is_a_part_of() {
        assert!(no_such_rule("FT20").contains("did you mean FT201 fd-closed-while-polled, FT202"));
        assert!(no_such_rule("ft5").contains("did you mean FT501"), "three letters are enough");
        assert!(no_such_rule("Publication").contains("did you mean FT406 unsafe-publication?"), "a part of the name");
        assert!(!no_such_rule("ft").contains(", FT102"), "two letters are a part of too many");
        assert_eq!(no_such_rule("xyzzy"), "no rule \"xyzzy\" (ftsan explain lists them)");
    }

    #[test]
    fn an_id_tells_the_family() {
        for rule in ALL {
            let families = (matches!(rule.finds, Finds::Races(_)), matches!(rule.finds, Finds::Locks(_)));
            assert_eq!((is_of_races(rule.id), is_of_locks(rule.id)), families, "{}", rule.id);
        }
    }

    #[test]
    fn a_suspicion_falls_under_the_rule_that_tells_it() {
        let by = ThreadId(1);
        let id = |suspicion| of_system_call(&suspicion).map(|rule| rule.id);
        assert_eq!(id(Suspicion::ClosedWhilePolled { by, epoll: 3, registered: Mark::default() }), Some("FT201"));
        assert_eq!(id(Suspicion::RegisteredByTwo { by, mark: Mark::default() }), Some("FT203"));
        assert_eq!(id(Suspicion::Shared { by, epoll: 3 }), Some("FT204"), "a rule of calls");
    }

    #[test]
    fn what_a_loop_does_inside_of_its_calls_is_not_told_again() {
        let covers = |id| find(id).unwrap().covers_what_it_calls();
        assert_eq!(["FT101", "FT102", "FT206", "FT401"].map(covers), [true, false, false, false]);
    }

    #[test]
    fn a_page_has_heading_manual_and_a_line_for_each_fix() {
        let page = find("FT101").unwrap().page();
        assert!(page.starts_with("FT101 loop-call-off-thread (error)\n\n## What it finds\n"), "{page}");
        assert!(page.contains("\n\nFix (") && page.contains("sock_connect, sock_accept): await it in the loop: "), "{page}");
        let last = page.lines().last().unwrap();
        assert!(last.starts_with("Fix: hand the call over: loop.call_soon_threadsafe("), "{page}");
    }

    #[test]
    fn attributes_are_set_and_methods_of_the_same_name_are_called() {
        let called = |class, method| {
            Call { class, method, operation: method, thread: "B", relation: "", outer: None, loops: Loops::default() }.called()
        };
        assert_eq!(called("CancelScope", "shield"), "CancelScope.shield set");
        assert_eq!(called("Timer", "shield"), "Timer.shield() called");
    }

    #[test]
    fn a_call_falls_under_the_rule_that_claims_it_unless_one_of_them_excepts_it() {
        let fallen = |id, attempt: &Attempt<'_>| of_call(find(id).unwrap(), attempt).map(|rule| rule.id);
        let plain =
            Attempt { watched: "add_done_callback", operation: "gather", is_nested: true, is_done: &|| false, is_task: &|| false };
        assert_eq!(fallen("FT102", &plain), Some("FT104"), "a function that waits for a future");
        assert_eq!(fallen("FT102", &Attempt { is_done: &|| true, ..plain }), None, "nothing is waited for");
        assert_eq!(fallen("FT102", &Attempt { watched: "set_result", is_done: &|| true, ..plain }), Some("FT102"));
        let own = Attempt { operation: "add_done_callback", is_nested: false, ..plain };
        assert_eq!(fallen("FT102", &Attempt { is_task: &|| true, ..own }), Some("FT103"));
        assert_eq!(fallen("FT102", &own), Some("FT102"));
        let create = Attempt { watched: "create_future", ..plain };
        assert_eq!(fallen("FT101", &Attempt { operation: "shield", ..create }), None);
        assert_eq!(fallen("FT101", &Attempt { operation: "gather", ..create }), Some("FT101"));
    }

    fn race(earlier_kind: AccessKind, kind: AccessKind) -> Race {
        Race { earlier_kind, kind, ..sayings::RACE }
    }

    fn id(race: &Race) -> &'static str {
        of_race(race, false).id
    }

    #[test]
    fn each_race_has_its_rule_whichever_access_comes_first() {
        let cases = [
            (AccessKind::Write, AccessKind::Write, "FT404"),
            (AccessKind::Write, AccessKind::Insert, "FT404"),
            (AccessKind::Update, AccessKind::Write, "FT401"),
            (AccessKind::Update, AccessKind::Update, "FT401"),
            (AccessKind::Checked, AccessKind::Atomic, "FT402"),
            (AccessKind::Checked, AccessKind::Update, "FT402"),
            (AccessKind::Iterate, AccessKind::Update, "FT403"),
            (AccessKind::Iterate, AccessKind::Checked, "FT403"),
            (AccessKind::Advance, AccessKind::Advance, "FT405"),
        ];
        for (one, other, expected) in cases {
            assert_eq!([id(&race(one, other)), id(&race(other, one))], [expected; 2], "{one:?} and {other:?}");
        }
    }

    #[test]
    fn what_else_is_known_of_a_race_decides_its_rule() {
        let update = race(AccessKind::Update, AccessKind::Update);
        assert_eq!(id(&Race { is_checked: true, ..update }), "FT402");
        assert_eq!(
            id(&Race { is_checked: true, ..race(AccessKind::Write, AccessKind::Write) }),
            "FT404",
            "a check without an update"
        );
        assert_eq!(id(&Race { published_early: true, ..race(AccessKind::Write, AccessKind::Read) }), "FT406");
        assert_eq!(id(&Race { published_early: true, ..race(AccessKind::Write, AccessKind::Iterate) }), "FT403");
        assert_eq!(id(&Race { severity: Severity::Warning, ..update }), "FT401");
        assert_eq!(id(&Race { severity: Severity::Info, ..update }), "FT407");
        assert_eq!(of_race(&update, true).id, "FT408");
        assert_eq!(of_race(&race(AccessKind::Advance, AccessKind::Advance), true).id, "FT408");
    }

    #[test]
    fn the_sentence_names_both_accesses_and_what_became_of_them() {
        let title = |race: Race, has_gil: bool| {
            let unordered =
                Unordered { race: &race, is_process_state: false, what: "C.n", thread: "B", earlier: "A", flag: None, has_gil };
            of_race(&race, false).tell_race(&unordered).title
        };
        let told = |race: Race| title(race, false);
        let update = race(AccessKind::Write, AccessKind::Update);
        assert_eq!(told(update), "C.n: update in thread 'B' not ordered after the write in thread 'A'");
        assert_eq!(
            told(Race { witnessed: true, ..update }),
            "C.n: update in thread 'B' not ordered after the write in thread 'A'; an update was lost"
        );
        assert_eq!(
            title(update, true),
            "C.n: update in thread 'B' not ordered after the write in thread 'A'; \
             with the GIL, which is on here, it does harm less often than without"
        );
        for plain in [Race { witnessed: true, ..update }, Race { severity: Severity::Info, ..update }] {
            assert_eq!(title(plain, true), told(plain));
        }
        let early = Race { published_early: true, ..race(AccessKind::Write, AccessKind::Read) };
        assert_eq!(
            told(early),
            "C.n: read in thread 'B' not ordered after the write in thread 'A'; a flag that says it is there was set first"
        );
        assert_eq!(
            told(Race { made_late: true, ..early }),
            "C.n: read in thread 'B' not ordered after the write in thread 'A'; the reader had come before it was there at all"
        );
        let none = Race { made_late: true, was_none: true, ..early };
        assert!(told(none).ends_with("in thread 'A'; the reader had come while it was None"));
        let half = "; it is filled piece by piece, and seen half";
        for (one, other) in [(AccessKind::Insert, AccessKind::Read), (AccessKind::Read, AccessKind::Insert)] {
            assert!(told(Race { published_early: true, ..race(one, other) }).ends_with(half));
        }
        assert_eq!(
            told(Race { is_between: true, ..race(AccessKind::Insert, AccessKind::Iterate) }),
            "C.n: insertion in thread 'A' between two steps of the iteration in thread 'B'"
        );
        assert_eq!(
            told(Race { is_potential: true, ..race(AccessKind::Checked, AccessKind::Atomic) }),
            "C.n: no lock keeps the change in thread 'B' and the change after a check in thread 'A' apart"
        );
    }
}
