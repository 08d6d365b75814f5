//! All that the rules say of samples of each kind of evidence, compared with `sayings.txt` (`make bless` writes it): a word that changes is
//! seen in a review.

use super::family::calls::{Attempt, Call, Loops, Outer};
use super::family::descriptors::SystemCall;
use super::family::locks::LockUse;
use super::family::races::Unordered;
use super::family::runtime::{Event, Left};
use super::rule::{Finds, Rule, Told};
use super::severity::Severity;
use super::{ALL, find, of_race};
use crate::descriptors::{FdKind, Mark, Suspicion};
use crate::races::access::{AccessSite, Race};
use crate::races::clock::Epoch;
use crate::races::matrix::AccessKind;
use crate::recording::ThreadId;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules/sayings.txt");

#[test]
fn the_rules_say_what_they_said() {
    let now: String = ALL.iter().map(|rule| of_rule(rule)).chain([races()]).collect();
    if std::env::var_os("FTSAN_BLESS").is_some() {
        std::fs::write(PATH, &now).unwrap();
    }
    let before = std::fs::read_to_string(PATH).unwrap_or_default();
    let differing = now.lines().zip(before.lines()).find(|(now, before)| now != before);
    assert_eq!(differing, None, "(now, before; make bless)");
    assert_eq!(now.len(), before.len(), "make bless");
}

fn of_rule(rule: &Rule) -> String {
    let mut out = format!("{} {} ({})\n", rule.id, rule.name, rule.severity.name());
    let mut line = |text: &str| writeln!(out, "    {}", text.trim_end()).unwrap();
    rule.fixes.iter().for_each(|fix| line(&format!("fix {}: {}", fix.name, fix.operations.join(" "))));
    line(&format!("in general: {}", rule.general_advice()));
    let operations = || rule.fixes.iter().filter_map(|fix| fix.operations.first()).chain(&["anything"]);
    let mut known = BTreeSet::new();
    let mut told = |told: Told| {
        let text = format!("{} ({})\n        {}", told.title, told.severity.name(), told.fix);
        if known.insert(text.clone()) {
            line(&text);
        }
    };
    match &rule.finds {
        Finds::Calls(_) => calls(rule, operations(), &mut told),
        Finds::Descriptors(_) => {}
        Finds::Races(_) => {}
        Finds::Locks(_) => lock_uses().iter().for_each(|lock| told(rule.tell_lock(lock))),
        Finds::Runtime(_) => events().iter().for_each(|event| told(rule.tell_event(event))),
    }
    if let Some(descriptors) = rule.descriptors() {
        for suspicion in suspicions().iter().filter(|suspicion| (descriptors.applies)(suspicion)) {
            for (operation, is_victim) in operations().flat_map(|operation| [(operation, false), (operation, true)]) {
                let (what, now, thread, other) = ("socket 5", "a file", "B", "A");
                for owners in [None, Some(["its number", "its object"])] {
                    told(rule.tell_system_call(&SystemCall { suspicion, what, now, thread, other, operation, is_victim, owners }));
                }
            }
        }
    }
    if let Some(calls) = rule.calls() {
        line(&format!("hand over: {:?}", calls.hand_over));
        line(&format!("silent after {:?}, joins {:?}, beneath {:?}", calls.said_by, calls.joins, calls.beneath));
        line(&format!("one per line: {}, covers what it calls: {}", calls.is_one_per_line, calls.covers_what_it_calls));
        line(&format!("crash: {:?}", rule.crash()));
        for (name, judges) in [("claims", calls.claims), ("excepts", calls.excepts)] {
            attempts().iter().filter(|attempt| judges(attempt)).for_each(|attempt| line(&format!("{name} {}", words(attempt))));
        }
    }
    line(&format!("can be witnessed: {}", rule.can_be_witnessed()));
    out
}

fn calls<'a>(rule: &Rule, operations: impl Iterator<Item = &'a &'a str>, told: &mut impl FnMut(Told)) {
    let outer = |is_coroutine, is_for_asyncio| Outer { name: "Client.get".to_owned(), is_coroutine, is_for_asyncio };
    let outers: Vec<Outer> = [(false, false), (false, true), (true, false), (true, true)].map(|(a, b)| outer(a, b)).into();
    let call = |class, method, operation| Call {
        class,
        method,
        operation,
        thread: "thread 'B'",
        relation: "while it runs",
        outer: None,
        loops: Loops::default(),
    };
    for operation in operations {
        let (class, method) = operation.split_once('.').unwrap_or(("Thing", operation));
        told(rule.tell_call(&call(class, method, method)));
        let loops = Loops { caller_is_in_asyncio: true, is_for_asyncio: true };
        told(rule.tell_call(&Call { loops, ..call(class, method, method) }));
    }
    told(rule.tell_call(&call("BaseEventLoop", "anything", "anything")));
    told(rule.tell_call(&call("Thing", "anything", "gather")));
    told(rule.tell_call(&call("CancelScope", "deadline", "deadline")));
    for outer in &outers {
        told(rule.tell_call(&Call { outer: Some(outer), ..call("Thing", "anything", "anything") }));
    }
}

fn attempts() -> Vec<Attempt<'static>> {
    let mut all = Vec::new();
    for watched in ["add_done_callback", "remove_done_callback", "create_future", "set_result"] {
        for operation in [watched, "shield", "gather"] {
            for is_nested in [false, true] {
                for (is_done, is_task) in [(NO, NO), (NO, YES), (YES, NO)] {
                    all.push(Attempt { watched, operation, is_nested, is_done, is_task });
                }
            }
        }
    }
    all
}

type Asked = &'static dyn Fn() -> bool;
const NO: Asked = &|| false;
const YES: Asked = &|| true;

fn words(attempt: &Attempt<'_>) -> String {
    let Attempt { watched, operation, is_nested, is_done, is_task } = attempt;
    let state = [(*is_nested, " nested"), (is_done(), " done"), (is_task(), " task")];
    let state: String = state.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| *word).collect();
    format!("{watched} by {operation}{state}")
}

fn suspicions() -> Vec<Suspicion> {
    let by = ThreadId(1);
    let mark = Mark { thread: by, stack: 1 };
    let mut all = vec![
        Suspicion::ClosedWhileUsed { by },
        Suspicion::ClosedWhilePolled { by, epoll: 3, registered: mark },
        Suspicion::RegisteredByTwo { by, mark },
        Suspicion::Shared { by, epoll: 3 },
        Suspicion::DoubleClose { closed: mark, closed_before: Mark::default(), opened: mark },
        Suspicion::RedirectedByTwo { redirected: mark },
    ];
    for yes in [false, true] {
        all.push(Suspicion::Interleaved { by, reading: yes });
        all.push(Suspicion::Reaped { by: mark, took_any: yes });
        let (registered, closed, opened) = (mark, mark, mark);
        all.push(Suspicion::Reused { epoll: 3, registered, closed, was: FdKind::Pipe, opened, is_certain: yes });
    }
    all
}

fn lock_uses() -> Vec<LockUse<'static>> {
    let mut all = vec![LockUse::HeldAcrossAwait { lock: "Pool.lock", thread: "B" }];
    for (other, locks) in [("A", 2), ("A", 3), ("B", 2)] {
        let (wanted, held) = (('L', "Pool.lock"), ('M', "Pool.other"));
        all.push(LockUse::Inverted { wanted, held, thread: "B", other, other_wants: 'N', locks });
    }
    for (by_with, by_call) in [(false, false), (false, true), (true, false), (true, true)] {
        all.push(LockUse::ReleasedElsewhere { lock: "Pool.lock", by_with, by_call, thread: "B", holder: "A" });
    }
    all
}

fn events() -> Vec<Event<'static>> {
    let mut all = vec![Event::Interpreter { why: "PYTHON_GIL=1" }];
    for distribution in [None, Some("thing 1.0")] {
        for (enables, is_required) in [(false, false), (false, true), (true, false), (true, true)] {
            all.push(Event::Undeclared { module: "thing._c", distribution, enables, is_required });
        }
    }
    all.extend([Left::Wanted, Left::Lock, Left::Loop].map(|left| Event::Forked { thread: "B", other: "A", left }));
    all
}

const SITE: AccessSite = AccessSite { site: 1, stack: 1 };
pub(super) const RACE: Race = Race {
    severity: Severity::Error,
    earlier_kind: AccessKind::Read,
    earlier: SITE,
    earlier_thread: Epoch::NONE,
    earlier_check: None,
    kind: AccessKind::Read,
    here: SITE,
    check: None,
    is_checked: false,
    witnessed: false,
    published_early: false,
    made_late: false,
    was_none: false,
    is_potential: false,
    is_between: false,
    flag: None,
};

/// The rule of each pair of accesses, and the titles of the first race of each rule.
fn races() -> String {
    let states = [
        ("plain", RACE, false),
        ("checked", Race { is_checked: true, ..RACE }, false),
        ("early", Race { published_early: true, ..RACE }, false),
        ("warning", Race { severity: Severity::Warning, ..RACE }, false),
        ("info", Race { severity: Severity::Info, ..RACE }, false),
        ("of the process", RACE, true),
    ];
    let mut out = String::new();
    let mut first: Vec<(&str, Race, bool)> = Vec::new();
    for (name, state, is_process_state) in states {
        for kind in AccessKind::ALL {
            let rules = AccessKind::ALL.map(|earlier_kind| {
                let race = Race { earlier_kind, kind, ..state };
                let id = of_race(&race, is_process_state).id;
                if !first.iter().any(|(known, ..)| *known == id) {
                    first.push((id, race, is_process_state));
                }
                id
            });
            writeln!(out, "{name} {kind:?}: {}", rules.join(" ")).unwrap();
        }
    }
    first.sort_by_key(|(id, ..)| *id);
    for (id, race, is_process_state) in &first {
        let of = |race, flag, has_gil| Unordered {
            race,
            is_process_state: *is_process_state,
            what: "C.n",
            thread: "B",
            earlier: "A",
            flag,
            has_gil,
        };
        let others = [
            Race { witnessed: true, ..*race },
            Race { is_between: true, ..*race },
            Race { is_potential: true, ..*race },
            Race { kind: AccessKind::Insert, ..*race },
            Race { made_late: true, ..*race },
            Race { made_late: true, was_none: true, ..*race },
            Race { severity: Severity::Warning, ..*race },
        ];
        let told = [of(race, None, false), of(race, Some("ready"), false), of(race, None, true)].into_iter();
        let mut known = BTreeSet::new();
        for unordered in told.chain(others.iter().map(|race| of(race, None, false))) {
            let told = find(id).unwrap().tell_race(&unordered);
            let text = format!("{id} {} ({})\n    {}\n", told.title, told.severity.name(), told.fix);
            if known.insert(text.clone()) {
                out.push_str(&text);
            }
        }
    }
    out
}
