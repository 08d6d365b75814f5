//! Random programs in random interleavings, through the model and the engine.
//!
//! With the same seed in every run, unless `MODEL_CASES` asks for more than a few: then `MODEL_SEED` is the seed, or drawn if there is none.

use super::engine::{self, Fault, Report, THREADS};
use super::{Event, Step, Trace};
use crate::races::access::{Access, Value};
use crate::races::facts::{AccessFacts, Turn};
use crate::races::location;
use crate::races::matrix::AccessKind;
use crate::rules::Severity;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::collections::BTreeSet;

/// An instruction of a program: what every access that it makes has in common.
fn instruction(kinds: &'static [AccessKind]) -> impl Strategy<Value = Access> {
    // Functions are few, so that checks and flags are near what they decide.
    (select(kinds), 0..2_u32, any::<[bool; 13]>()).prop_map(|(kind, code, [a, b, c, d, e, f, g, h, i, j, k, l, m])| {
        let (reads, is_read) = (kind.is_read(), kind == AccessKind::Read);
        let turn = if m { Turn::at(1 + u8::from(e)) } else { [Turn::UNSET, Turn::SET][usize::from(e)] };
        Access {
            turn: if a && g && is_read { turn } else { Turn::NONE },
            since: (h && kind == AccessKind::Iterate).then_some(0),
            ..Access::new(kind, 0, code)
        }
        .with(AccessFacts::TESTED.when(a && reads))
        .with(AccessFacts::POLLED.when(a && b && reads))
        .with(AccessFacts::AWAITED.when(a && b && c && reads))
        .with(AccessFacts::ASKED.when(a && f && reads))
        .with(AccessFacts::ACTING.when(g && reads && (a || is_read)))
        .with(AccessFacts::GUARD.when(a && i && is_read))
        .with(AccessFacts::MEASURED.when(a && d && is_read))
        .with(AccessFacts::LAZY.when(a && !b && !f && j && is_read))
        .with(AccessFacts::FILLED.when(a && !b && l && is_read))
        .with(AccessFacts::FILLED.when(f && l && kind == AccessKind::Write))
        .with(AccessFacts::CHECKABLE.when(d && kind == AccessKind::Atomic))
        .with(AccessFacts::SURE.when(!d && k && kind == AccessKind::Atomic))
        .with(AccessFacts::REFUSED.when(l && kind == AccessKind::Write))
        .with(AccessFacts::NAMED.when(l && kind == AccessKind::Atomic))
        .with(AccessFacts::CONSTANT.when(e && kind == AccessKind::Write))
        .with(AccessFacts::KEPT.when(c && d && kind == AccessKind::Write))
    })
}

fn value() -> impl Strategy<Value = Value> {
    let (flag, other) = (Value::flag(16), Value::flag(32));
    select(vec![
        Value::UNKNOWN,
        Value::truth(true),
        Value::truth(false),
        flag,
        other,
        flag.as_answer(),
        Value::of(4),
        Value::of(6),
        Value::fixed(8),
        Value::identity(64),
    ])
}

#[derive(Debug, Clone, Copy)]
enum Choice {
    Access { instruction: prop::sample::Index, stack: u32, location: u64, value: Value, would_store: bool, facts: AccessFacts },
    Release(u64),
    Acquire(u64),
}

fn choice() -> impl Strategy<Value = Choice> {
    let rarely = prop::bool::weighted;
    let access = (any::<prop::sample::Index>(), 0..2_u32, 0..2_u64, value(), rarely(0.2), rarely(0.1), rarely(0.03));
    prop_oneof![
        6 => access.prop_map(|(instruction, stack, location, value, would_store, is_new, is_last)| {
            let facts = AccessFacts::NEW.when(is_new) | AccessFacts::LAST.when(is_last);
            Choice::Access { instruction, stack, location, value, would_store, facts }
        }),
        1 => (0..3_u64).prop_map(Choice::Release),
        1 => (0..3_u64).prop_map(Choice::Acquire),
    ]
}

/// The kinds of accesses of an attribute, of a container, of an entry of one, of an iterator, and all.
const FAMILIES: [&[AccessKind]; 5] = [
    &[AccessKind::Read, AccessKind::Write],
    &[AccessKind::Read, AccessKind::Iterate, AccessKind::Insert, AccessKind::Atomic, AccessKind::Write],
    &[AccessKind::Read, AccessKind::Write, AccessKind::Update, AccessKind::Atomic],
    &[AccessKind::Advance],
    &AccessKind::ALL,
];

/// What threads do that run the same few instructions.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let family = prop_oneof![4 => Just(0_usize), 6 => Just(1), 4 => Just(2), 1 => Just(3), 2 => Just(4)];
    (family, 2..=THREADS).prop_flat_map(|(family, threads)| events_of(FAMILIES[family], threads))
}

fn events_of(kinds: &'static [AccessKind], threads: usize) -> impl Strategy<Value = Vec<Event>> {
    let events = prop::collection::vec((0..threads, choice()), 0..24);
    (prop::collection::vec(instruction(kinds), 1..6), events).prop_map(|(instructions, events)| {
        let step = |choice| match choice {
            Choice::Access { instruction, stack, location: part, value, would_store, facts } => {
                let site = instruction.index(instructions.len());
                let access = Access { site: site as u32 + 1, location: location(7, part + 1), ..instructions[site] };
                let is_read = access.kind.is_read();
                // A read has one only if the thread is known to store it where it finds nothing.
                let value = if is_read && !would_store { Value::UNKNOWN } else { value };
                // Location 1 is of the object that location 0 may refer to.
                let owner = if part == 1 { Value::identity(64) } else { Value::UNKNOWN };
                // Entries are made and taken away; additions are to the whole.
                let may_be_new = !is_read && !kinds.contains(&AccessKind::Insert);
                let facts = if may_be_new { facts } else { facts.without(AccessFacts::NEW) };
                Step::Access(Access { value, owner, ..access.with(facts) }, stack)
            }
            Choice::Release(key) => Step::Release(key),
            Choice::Acquire(key) => Step::Acquire(key),
        };
        events.into_iter().map(|(thread, choice)| Event { thread, step: step(choice) }).collect()
    })
}

/// What the engine reports is a race, and as bad as it says; if it had to forget something, it may be worse.
pub(super) fn reports_only_races(events: &[Event], fault: Fault) -> Result<(), String> {
    let trace = Trace::new(events.to_vec());
    let (reports, forgotten) = engine::run(events, fault);
    for Report { earlier, later, race } in reports {
        let is_all = !forgotten.contains(&trace.location(later));
        let expected = |earlier: usize| {
            if race.is_between {
                trace.is_between(earlier, later)
            } else if race.published_early {
                trace
                    .race(earlier, later)
                    .filter(|_| trace.is_published_early(earlier, later))
                    .map(|bad| bad.max(Severity::Warning))
            } else {
                trace.race(earlier, later)
            }
        };
        let expected: Vec<_> = earlier.iter().map(|earlier| expected(*earlier)).collect();
        if !expected.iter().any(|expected| *expected == Some(race.severity) || !is_all && *expected > Some(race.severity)) {
            return Err(format!("{later} after one of {earlier:?}: {expected:?}, and reported is {race:?}"));
        }
    }
    Ok(())
}

/// Where there is a race of weight, one is reported.
pub(super) fn finds_the_races(events: &[Event], fault: Fault) -> Result<(), String> {
    let trace = Trace::new(events.to_vec());
    let (reports, forgotten) = engine::run(events, fault);
    let reported = reports.iter().filter(|report| report.race.severity > Severity::Info).map(|report| trace.location(report.later));
    let told: BTreeSet<u64> = reported.chain(forgotten).collect();
    let serious = trace.races().into_iter().filter(|(_, severity)| *severity > Severity::Info);
    match { serious }.find(|((_, later), _)| !told.contains(&trace.location(*later))) {
        Some(((earlier, later), severity)) => Err(format!("{earlier} and {later}: {severity:?}, and nothing is reported")),
        None => Ok(()),
    }
}

/// Whether plain accesses are noted by the short way or by the long one, the same is told and remembered.
fn comes_to_the_same_by_both_ways(events: &[Event], fault: Fault) -> Result<(), String> {
    let [short, long] = [true, false].map(|is_short| engine::run_by(events, fault, is_short));
    let reports = [&short, &long].map(|outcome| format!("{:?}", outcome.reports));
    if reports[0] != reports[1] {
        return Err(format!("told by the short way: {}\ntold by the long way: {}", reports[0], reports[1]));
    }
    match short.remembered.iter().find(|(location, cell)| long.remembered[*location] != **cell) {
        Some((location, cell)) => Err(format!("of {location}: {cell:?}, and by the long way {:?}", long.remembered[location])),
        None => Ok(()),
    }
}

/// Threads that call the same few functions again and again, mostly with a lock: most of what they do is plain.
fn calls() -> impl Strategy<Value = Vec<Event>> {
    let rarely = prop::bool::weighted;
    let function = prop::collection::vec((instruction(FAMILIES[0]), 0..2_u64, rarely(0.4)), 1..4);
    let call = (0..3_usize, any::<prop::sample::Index>(), rarely(0.5), prop::collection::vec(value(), 4), 0..2_u32);
    (prop::collection::vec(function, 1..3), prop::collection::vec(call, 0..32)).prop_map(|(functions, calls)| {
        let mut events = Vec::new();
        for (thread, function, is_locked, values, stack) in calls {
            let which = function.index(functions.len());
            let mut act = |step| events.push(Event { thread, step });
            if is_locked {
                act(Step::Acquire(0));
            }
            for (place, ((access, part, is_bare), value)) in functions[which].iter().zip(values).enumerate() {
                let value = if access.kind.is_read() { Value::UNKNOWN } else { value };
                let given = if *is_bare { Access::new(access.kind, 0, access.code) } else { *access };
                let site = (which * 4 + place) as u32 + 1;
                act(Step::Access(Access { site, location: location(7, part + 1), value, ..given }, stack));
            }
            if is_locked {
                act(Step::Release(0));
            }
        }
        events
    })
}

type Property = fn(&[Event], Fault) -> Result<(), String>;

/// The smallest trace found for which the property does not hold, and why.
fn counterexample(
    cases: u32,
    seed: u64,
    fault: Fault,
    property: Property,
    traces: &impl Strategy<Value = Vec<Event>>,
) -> Option<(Vec<Event>, String)> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let test = |events: Vec<Event>| property(&events, fault).map_err(TestCaseError::fail);
    match runner.run(traces, test) {
        Ok(()) => None,
        Err(TestError::Fail(why, events)) => Some((events, why.to_string())),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

fn holds(property: Property, traces: &impl Strategy<Value = Vec<Event>>) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let cases = number("MODEL_CASES");
    let drawn = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_nanos() as u64);
    let seed = number("MODEL_SEED").unwrap_or_else(|| if cases.is_some() { drawn() } else { 1 });
    if let Some((events, why)) = counterexample(cases.unwrap_or(3000) as u32, seed, Fault::None, property, traces) {
        let events: Vec<String> = events.iter().enumerate().map(|(number, event)| format!("{number} {event:?}")).collect();
        panic!("MODEL_SEED={seed}: {why}\n{}", events.join("\n"));
    }
}

#[test]
fn the_engine_reports_nothing_that_is_no_race() {
    holds(reports_only_races, &events());
    holds(reports_only_races, &calls());
}

#[test]
fn the_engine_finds_the_races() {
    holds(finds_the_races, &events());
    holds(finds_the_races, &calls());
}

#[test]
fn the_short_way_leads_where_the_long_one_does() {
    holds(comes_to_the_same_by_both_ways, &events());
    holds(comes_to_the_same_by_both_ways, &calls());
}

#[test]
fn faults_are_found() {
    let cases: [(Fault, Property); 5] = [
        (Fault::NoValues, reports_only_races),
        (Fault::NoEdge, reports_only_races),
        (Fault::NoChecks, reports_only_races),
        (Fault::EdgesTooMany, finds_the_races),
        (Fault::NoReads, finds_the_races),
    ];
    for (fault, property) in cases {
        assert!(counterexample(20_000, 1, fault, property, &events()).is_some(), "{fault:?}");
    }
}

#[test]
fn enough_of_the_traces_have_races_that_the_tables_hold() {
    let seen = std::cell::Cell::new((0, 0));
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 2000, failure_persistence: None, ..Config::default() },
        TestRng::from_seed(RngAlgorithm::ChaCha, &[1; 32]),
    );
    let counted = runner.run(&events(), |events| {
        let (reports, forgotten) = engine::run(&events, Fault::None);
        let trace = Trace::new(events);
        let mut serious = reports.iter().filter(|report| report.race.severity > Severity::Info);
        let is_held = serious.any(|report| !forgotten.contains(&trace.location(report.later)));
        let (held, lost) = seen.get();
        seen.set((held + u32::from(is_held), lost + u32::from(!forgotten.is_empty())));
        Ok(())
    });
    assert!(counted.is_ok());
    let (held, lost) = seen.get();
    assert!(held > 500 && lost > 200, "{held} with a race that was held, {lost} with something forgotten, of 2000");
}
