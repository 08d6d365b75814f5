//! Each exception of the judgement, beside traces that differ from it in one fact.

use super::*;

const NONE: AccessFacts = AccessFacts::NONE;
const TESTED: AccessFacts = AccessFacts::TESTED;
const ACTING: AccessFacts = AccessFacts::ACTING;
const POLLED: AccessFacts = AccessFacts::POLLED;
const MEASURED: AccessFacts = AccessFacts::MEASURED;
const CONSTANT: AccessFacts = AccessFacts::CONSTANT;
const CHECKABLE: AccessFacts = AccessFacts::CHECKABLE;

const INFO: Option<Severity> = Some(Severity::Info);
const WARNING: Option<Severity> = Some(Severity::Warning);
const ERROR: Option<Severity> = Some(Severity::Error);

/// The locations of a flag and of what it speaks for.
const FLAG: u64 = 1;
const THING: u64 = 2;

/// More threads than a cell has places for readers, and a table.
struct Threads<'a> {
    all: &'a Clocks,
    clocks: [&'a ThreadClock; 6],
    memories: [ThreadHistory; 6],
    shadow: Shadow<Box<[Group]>>,
}

impl<'a> Threads<'a> {
    fn of(all: &'a Clocks) -> Self {
        let clocks = std::array::from_fn(|_| all.enter());
        Threads { all, clocks, memories: Default::default(), shadow: Shadow::of_bytes(1 << 16) }
    }

    fn make(&self, thread: usize, access: Access, stack: u32) -> (AccessKind, Vec<Race>) {
        self.shadow.access(&access, self.clocks[thread], &self.memories[thread], || stack)
    }

    fn hand_over(&self, from: usize, to: usize) {
        let mut lock = crate::races::clock::Clock::default();
        self.clocks[from].release_into(self.all, &mut lock);
        self.clocks[from].advance(self.all);
        self.clocks[to].acquire_from(self.all, &lock);
    }
}

/// The last one of these accesses, which nothing orders: the kind that it turned out to be, and its races.
fn last(trace: &[(usize, Access)]) -> (AccessKind, Vec<Race>) {
    let clocks = Clocks::default();
    let threads = Threads::of(&clocks);
    trace.iter().map(|(thread, access)| threads.make(*thread, *access, 7)).last().expect("a trace has accesses")
}

fn worst_of_last(trace: &[(usize, Access)]) -> Option<Severity> {
    worst(&last(trace).1)
}

fn read(location: u64, site: u32, facts: AccessFacts) -> Access {
    Access { location, ..access(AccessKind::Read, site).with(facts) }
}

fn write(location: u64, site: u32, facts: AccessFacts) -> Access {
    Access { location, ..access(AccessKind::Write, site).with(facts) }
}

fn set_flag() -> Access {
    Access { value: Value::of(16), ..write(FLAG, 1, NONE) }
}

fn see_flag(facts: AccessFacts) -> Access {
    read(FLAG, 3, facts)
}

fn add(location: u64, site: u32) -> Access {
    Access { location, ..access(AccessKind::Insert, site) }
}

#[test]
fn published_early_is_what_the_setter_of_a_flag_writes_blindly_after_it() {
    let look = read(THING, 4, NONE);
    let (refused, update) = (AccessFacts::REFUSED, write(THING, 5, NONE));
    let of_setter = |before: &[Access], act: Access, look: Access| {
        let before = before.iter().map(|access| (0, *access));
        let writer: Vec<_> = [(0, set_flag())].into_iter().chain(before).chain([(0, act)]).collect();
        let reader = [(1, see_flag(TESTED)), (1, look)];
        // Whichever of both comes last.
        [worst_of_last(&[&writer[..], &reader].concat()), {
            let (act, first) = writer.split_last().unwrap();
            worst_of_last(&[first, &reader, &[*act]].concat())
        }]
    };
    assert_eq!(of_setter(&[], write(THING, 5, NONE), look), [WARNING; 2]);
    assert_eq!(of_setter(&[], write(THING, 5, NONE), look.with(POLLED)), [INFO; 2], "the reader waits for it");
    assert_eq!(
        of_setter(&[read(THING, 4, NONE)], update, Access { site: 6, ..look }),
        [INFO; 2],
        "an increment shows what was there"
    );
    assert_eq!(of_setter(&[], add(THING, 5), look), [INFO; 2], "an addition");
    let check = read(THING, 8, TESTED);
    assert_eq!(of_setter(&[check], write(THING, 5, NONE), look), [INFO; 2], "made on demand");
    assert_eq!(of_setter(&[check], write(THING, 5, refused), look), [WARNING; 2], "a claim, which is not made on demand");
    let by_another = [(0, set_flag()), (2, write(THING, 5, NONE)), (1, see_flag(TESTED)), (1, look)];
    assert_eq!(worst_of_last(&by_another), INFO);
    let for_another = [(0, set_flag()), (1, see_flag(TESTED)), (1, look), (2, write(THING, 5, NONE))];
    assert_eq!(worst_of_last(&for_another), INFO);
}

#[test]
fn a_thread_goes_by_a_flag_that_it_tests_or_waits_for() {
    let awaited = AccessFacts::AWAITED;
    for (facts, expected) in
        [(NONE, INFO), (TESTED, WARNING), (TESTED | POLLED, INFO), (TESTED | POLLED | awaited, WARNING), (awaited, INFO)]
    {
        let trace = [(0, set_flag()), (0, write(THING, 5, NONE)), (1, see_flag(facts)), (1, read(THING, 4, NONE))];
        assert_eq!(worst_of_last(&trace), expected, "{facts:?}");
    }
}

#[test]
fn what_was_published_early_is_told_with_the_flag() {
    let trace = [(0, set_flag()), (0, write(THING, 5, NONE)), (1, see_flag(TESTED)), (1, read(THING, 4, NONE))];
    let [race] = last(&trace).1[..] else { panic!("one race") };
    assert_eq!((race.earlier_kind, race.kind, race.is_checked), (AccessKind::Write, AccessKind::Read, false));
    assert_eq!((race.published_early, race.flag), (true, Some(AccessSite { site: 3, stack: 7 })));
}

#[test]
fn what_is_made_too_late_is_told_where_others_had_looked_for_it_or_had_the_object_already() {
    let (made, given) = (AccessFacts::MADE, AccessFacts::GIVEN);
    let (make, write, look, late) = (write(THING, 5, made), write(THING, 5, NONE), read(THING, 4, NONE), read(THING, 4, given));
    for (name, trace, expected) in [
        ("it was not there", &[(1, look), (0, make)][..], WARNING),
        ("it was there", &[(1, look), (0, write)], INFO),
        ("it was None", &[(1, look), (0, make.with(AccessFacts::UNSET))], WARNING),
        ("by the reader itself", &[(0, look), (0, make)], None),
        ("the reader had the object", &[(0, make), (1, late)], WARNING),
        ("it is not known when the reader got the object", &[(0, make), (1, look)], INFO),
        ("it was there, and the reader had the object", &[(0, write), (1, late)], INFO),
        ("a flag told of it", &[(0, make), (0, set_flag()), (1, see_flag(TESTED)), (1, late)], INFO),
        ("a flag of another thread", &[(0, make), (2, set_flag()), (1, see_flag(TESTED)), (1, late)], WARNING),
        ("a look at it told of it", &[(0, make), (1, read(THING, 3, TESTED)), (1, late)], None),
    ] {
        let races = last(trace).1;
        assert_eq!(worst(&races), expected, "{name}");
        assert!(races.iter().all(|race| [race.made_late, race.published_early] == [expected == WARNING; 2]), "{name}");
    }
}

#[test]
fn of_a_flag_that_was_set_too_long_ago_it_is_not_known_whether_it_was_before() {
    for (accesses_since, expected) in [(500_000, WARNING), (600_000, INFO)] {
        let clocks = Clocks::default();
        let threads = Threads::of(&clocks);
        let _ = threads.make(0, set_flag(), 7);
        let _ = threads.make(1, see_flag(TESTED), 7);
        let _ = threads.make(1, read(THING, 4, NONE), 7);
        threads.memories[0].sequence.set(accesses_since);
        assert_eq!(worst(&threads.make(0, write(THING, 5, NONE), 7).1), expected, "{accesses_since}");
    }
}

#[test]
fn who_acts_on_a_look_beside_a_checked_update_acts_on_what_is_no_longer_so() {
    let (answer, other) = (Value::of(42), Value::of(9));
    for (facts, value, seen, is_checked, [later, earlier]) in [
        (ACTING, Value::UNKNOWN, Value::UNKNOWN, true, [ERROR, ERROR]),
        (NONE, Value::UNKNOWN, Value::UNKNOWN, true, [INFO, INFO]),
        (ACTING, Value::UNKNOWN, Value::UNKNOWN, false, [INFO, INFO]),
        // An answer that anybody may give.
        (ACTING, answer, Value::UNKNOWN, true, [None, INFO]),
        (ACTING, answer, answer, true, [None, INFO]),
        (ACTING, answer, other, true, [ERROR, INFO]),
        // The act is another one than to give the answer.
        (ACTING | MEASURED, answer, Value::UNKNOWN, true, [ERROR, ERROR]),
        (MEASURED, answer, Value::UNKNOWN, true, [INFO, INFO]),
    ] {
        let check = read(THING, 1, TESTED.when(is_checked));
        let act = Access { value, ..write(THING, 2, NONE) };
        let look = Access { value: seen, ..read(THING, 9, TESTED | facts) };
        assert_eq!(worst_of_last(&[(0, check), (0, act), (1, look)]), later, "{facts:?} {value:?} {seen:?} {is_checked}");
        assert_eq!(worst_of_last(&[(1, look), (0, check), (0, act)]), earlier, "{facts:?} {value:?} {seen:?} {is_checked}");
    }
}

#[test]
fn a_look_that_guards_an_iteration_is_that_iteration() {
    let guard = read(THING, 9, TESTED | AccessFacts::GUARD);
    let trace = [(0, write(THING, 2, NONE)), (1, guard)];
    let [race] = last(&trace).1[..] else { panic!("one race") };
    assert_eq!((race.severity, race.kind), (Severity::Error, AccessKind::Iterate));
    let races = last(&[(1, guard), (0, write(THING, 2, NONE))]).1;
    let told: Vec<_> = races.iter().map(|race| (race.severity, race.earlier_kind)).collect();
    assert_eq!(told, [(Severity::Error, AccessKind::Iterate)], "not as a read as well");
}

#[test]
fn the_same_look_is_the_beginning_of_an_update_of_its_own() {
    let (look, act) = (read(THING, 1, NONE), write(THING, 2, NONE));
    for (site, expected) in [(1, None), (9, INFO)] {
        let other = Access { site, ..look };
        assert_eq!(worst_of_last(&[(0, look), (0, act), (1, other)]), expected, "{site}");
        assert_eq!(worst_of_last(&[(1, other), (0, look), (0, act)]), expected, "{site}");
    }
    // The same guard of a checked act is another check.
    let guard = read(THING, 1, TESTED | AccessFacts::GUARD);
    let answer = Access { value: Value::of(42), ..act };
    assert_eq!(worst_of_last(&[(1, guard), (0, guard), (0, answer)]), ERROR);
}

#[test]
fn a_function_that_is_asked_checks_for_its_caller() {
    for (is_asked, stacks, is_compared, expected) in
        [(true, [1, 1], false, ERROR), (true, [1, 2], false, INFO), (true, [1, 2], true, ERROR), (false, [1, 2], false, ERROR)]
    {
        for is_later in [true, false] {
            let clocks = Clocks::default();
            let threads = Threads::of(&clocks);
            let shadow = if is_compared {
                Shadow::of_bytes(1 << 16).comparing_by(Stacks { decide_the_same: |_, _| true, ..Stacks::default() })
            } else {
                Shadow::of_bytes(1 << 16)
            };
            let threads = Threads { shadow, ..threads };
            let check = read(THING, 1, TESTED | AccessFacts::ASKED.when(is_asked));
            let mut races = Vec::new();
            if !is_later {
                races.extend(threads.make(1, check, stacks[1]).1);
            }
            races.extend(threads.make(0, check, stacks[0]).1);
            races.extend(threads.make(0, write(THING, 2, NONE), 3).1);
            if is_later {
                races.extend(threads.make(1, check, stacks[1]).1);
            }
            assert_eq!(worst(&races), expected, "{is_asked} {stacks:?} {is_compared} {is_later}");
        }
    }
}

#[test]
fn who_finds_what_another_one_is_filling_finds_half_of_it() {
    let (check, fill) = (read(THING, 1, TESTED | ACTING), add(THING, 2));
    let later = |site| last(&[(0, check), (0, fill), (0, fill), (1, Access { site, ..check })]).1;
    let earlier = |site| last(&[(1, Access { site, ..check }), (0, check), (0, fill), (0, fill)]).1;
    for races in [later(1), earlier(1)] {
        let told: Vec<_> = races.iter().map(|race| (race.severity, race.is_checked, race.published_early, race.flag)).collect();
        assert_eq!(told, [(Severity::Error, true, true, None)]);
    }
    assert_eq!(worst(&later(9)), INFO, "another look does not fill it");
    assert_eq!(worst(&earlier(9)), None, "nothing worse than with the first addition");
    let told: Vec<_> = later(1).iter().map(|race| race.earlier_check).collect();
    assert_eq!(told, [Some(AccessSite { site: 1, stack: 7 })]);
    let once = [(0, check), (0, fill), (1, check)];
    assert_eq!(worst_of_last(&once), INFO, "one addition is there or not");
    let overwritten = [(0, check), (0, fill), (0, fill), (1, write(THING, 5, NONE)), (0, fill)];
    assert!(last(&overwritten).1.iter().all(|race| !race.witnessed), "an addition loses nothing");
}

#[test]
fn who_finds_a_variable_taken_has_waited_for_it_too() {
    let wait = Access { turn: Turn::UNSET, ..read(THING, 1, TESTED | POLLED | ACTING) };
    let take = Access { value: Value::truth(true), ..write(THING, 2, CONSTANT) };
    let [race] = last(&[(0, wait), (0, take), (1, wait)]).1[..] else { panic!("one race") };
    assert_eq!((race.severity, race.earlier_kind, race.kind), (Severity::Error, AccessKind::Update, AccessKind::Read));
    assert_eq!((race.is_checked, race.earlier_check), (true, Some(AccessSite { site: 1, stack: 7 })));
    let [race] = last(&[(1, wait), (0, wait), (0, take)]).1[..] else { panic!("one race") };
    assert_eq!((race.severity, race.earlier_kind, race.kind), (Severity::Error, AccessKind::Read, AccessKind::Update));
    assert_eq!((race.is_checked, race.check), (true, Some(AccessSite { site: 1, stack: 7 })));
}

#[test]
fn what_an_act_turns_out_to_be_is_said_by_what_its_thread_has_read() {
    use AccessKind::{Atomic, Checked, Insert, Update, Write};
    let of = |kind, facts| access(kind, 2).with(facts);
    for (name, look, act, expected) in [
        ("an increment", NONE, of(Write, NONE), Update),
        ("a constant goes back to nothing", NONE, of(Write, CONSTANT), Write),
        ("a check decides a constant", TESTED, of(Write, CONSTANT), Update),
        ("who waits has not checked", TESTED | POLLED, of(Write, NONE), Write),
        ("a removal goes by the check even in a loop", TESTED | POLLED, of(Atomic, CHECKABLE), Checked),
        ("a removal without a check", NONE, of(Atomic, CHECKABLE), Atomic),
        ("a removal after a check", TESTED, of(Atomic, CHECKABLE), Checked),
        ("an operation that no check precedes", TESTED, of(Atomic, NONE), Atomic),
        ("whatever is there is taken", TESTED, of(Atomic, AccessFacts::SURE), Atomic),
        ("one addition", TESTED, of(Insert, NONE), Insert),
        ("an update in itself", TESTED, of(Update, NONE), Update),
    ] {
        assert_eq!(last(&[(0, access(AccessKind::Read, 1).with(look)), (0, act)]).0, expected, "{name}");
        assert_eq!(last(&[(0, act)]).0, act.kind, "{name}, without having read");
        assert_eq!(last(&[(1, access(AccessKind::Read, 1).with(look)), (0, act)]).0, act.kind, "{name}, of another thread");
    }
}

#[test]
fn an_act_in_another_function_goes_back_to_what_was_read_if_nothing_was_handed_over_meanwhile() {
    use AccessKind::{Atomic, Checked, Update, Write};
    let elsewhere = |kind, facts| Access { code: 2, ..access(kind, 2).with(facts) };
    for (name, look, act, [expected, later]) in [
        ("a value is written anywhere", NONE, elsewhere(Write, NONE), [Update, Write]),
        ("a removal is decided by a check in its function", TESTED, elsewhere(Atomic, CHECKABLE), [Atomic; 2]),
        ("or in one that it has asked", TESTED | AccessFacts::ASKED, elsewhere(Atomic, CHECKABLE), [Checked, Atomic]),
        ("or in one that waits", TESTED, elsewhere(Write, AccessFacts::FILLED), [Update; 2]),
        ("of a removal nobody waits", TESTED, elsewhere(Atomic, CHECKABLE | AccessFacts::FILLED), [Atomic; 2]),
    ] {
        for (is_handed_over, expected) in [(false, expected), (true, later)] {
            let clocks = Clocks::default();
            let threads = Threads::of(&clocks);
            let _ = threads.make(0, access(AccessKind::Read, 1).with(look), 7);
            if is_handed_over {
                threads.hand_over(0, 1);
            }
            assert_eq!(threads.make(0, act, 7).0, expected, "{name} {is_handed_over}");
        }
    }
}

#[test]
fn a_blind_write_is_not_made_in_turn() {
    for (code, expected) in [(1, None), (2, ERROR)] {
        let clocks = Clocks::default();
        let threads = Threads::of(&clocks);
        let wait = |site, turn| Access { turn, ..access(AccessKind::Read, site).with(TESTED) };
        let set = |site, number| Access { value: Value::flag(number), ..access(AccessKind::Write, site).with(CONSTANT) };
        let _ = threads.make(0, wait(1, Turn::SET), 7);
        threads.hand_over(0, 2);
        let _ = threads.make(0, Access { code, ..set(3, 16) }, 7);
        let _ = threads.make(1, wait(2, Turn::UNSET), 7);
        assert_eq!(worst(&threads.make(1, set(4, 32), 7).1), expected, "in function {code}");
    }
}

#[test]
fn who_only_looked_while_it_was_not_its_turn_has_waited_if_it_was_fixed() {
    let wait = |site, turn| Access { turn, ..access(AccessKind::Read, site).with(TESTED) };
    let set = |value| Access { value, ..access(AccessKind::Write, 5) };
    let (fixed, object) = (Value::flag(16), Value::identity(64));
    for (before, turn, value, expected) in [
        (None, Turn::SET, fixed, None),
        (None, Turn::UNSET, fixed, INFO),
        (None, Turn::SET, object, INFO),
        (Some(Value::flag(32)), Turn::SET, fixed, None),
        (Some(object), Turn::SET, fixed, INFO),
    ] {
        let clocks = Clocks::default();
        let threads = Threads::of(&clocks);
        if let Some(before) = before {
            let _ = threads.make(2, set(before), 7);
            (0..2).for_each(|other| threads.hand_over(2, other));
        }
        let _ = threads.make(1, wait(2, turn), 7);
        let _ = threads.make(0, wait(1, Turn::UNSET), 7);
        assert_eq!(worst(&threads.make(0, set(value), 7).1), expected, "{before:?} {turn:?} {value:?}");
    }
}

#[test]
fn a_turn_that_is_forgotten_is_one_of_those_that_may_have_had_it() {
    let look = |thread: usize, turn| (thread, Access { turn, ..access(AccessKind::Read, 1 + thread as u32).with(TESTED) });
    let set = |thread, number| (thread, Access { value: Value::flag(number), ..access(AccessKind::Write, 8).with(CONSTANT) });
    let mut trace = vec![look(0, Turn::SET)];
    trace.extend((1..4).map(|thread| (thread, access(AccessKind::Read, 1))));
    trace.extend([(4, access(AccessKind::Read, 1)), set(1, 16), set(2, 32)]);
    assert_eq!(worst_of_last(&trace), WARNING, "both still know that they have waited for nothing");
}

#[test]
fn of_more_writes_than_there_is_room_for_the_oldest_is_forgotten() {
    let writes =
        |count: usize| (0..count).map(|thread| (thread, Access { value: Value::of(thread as u64 * 2), ..write(THING, 1, NONE) }));
    for count in 2..=5 {
        let trace: Vec<_> = writes(count).chain([(5, Access { location: THING, ..access(AccessKind::Iterate, 2) })]).collect();
        let slots: Vec<usize> = last(&trace).1.iter().map(|race| usize::from(race.earlier_thread.slot())).collect();
        assert_eq!(slots, [count - 2, count - 1]);
    }
}

#[test]
fn what_is_put_where_there_was_nothing_is_no_race_with_the_removal() {
    let (new, take) = (AccessFacts::NEW, access(AccessKind::Atomic, 3).with(CHECKABLE));
    let (look, check) = (access(AccessKind::Read, 1), access(AccessKind::Read, 1).with(TESTED));
    let put = |facts| access(AccessKind::Write, 2).with(facts);
    for (name, trace, expected) in [
        ("after a removal", &[(0, take), (1, put(new))][..], None),
        ("of something that is there", &[(0, take), (1, put(NONE))], WARNING),
        ("after another write", &[(0, put(NONE)), (1, put(new))], WARNING),
        ("after a removal that was checked, beside the check", &[(0, check), (0, take), (1, put(new))], INFO),
        ("of something that is there, after one that was checked", &[(0, check), (0, take), (1, put(NONE))], ERROR),
        (
            "an update of what was taken after a check",
            &[(0, check), (0, take), (1, Access { site: 8, ..look }), (1, put(new))],
            ERROR,
        ),
    ] {
        assert_eq!(worst_of_last(trace), expected, "{name}");
    }
}

#[test]
fn what_is_put_under_a_name_after_its_removal_might_have_been_taken_away_as_well() {
    let text = |number| Access { value: Value::of(number), ..access(AccessKind::Write, 2) };
    let put = |number| text(number).with(AccessFacts::NEW);
    let take_any = access(AccessKind::Atomic, 3).with(AccessFacts::SURE);
    let take = take_any.with(AccessFacts::NAMED);
    let look = Access { site: 8, ..access(AccessKind::Read, 1) };
    for (name, trace, expected) in [
        ("what was there is older than the threads", &[(0, take), (1, put(4))][..], WARNING),
        ("the thread had put something else there", &[(1, text(2)), (0, take), (1, put(4))], WARNING),
        ("the thread had put the same there", &[(1, text(4)), (0, take), (1, put(4))], None),
        ("under an identifier", &[(0, take_any), (1, put(4))], None),
        ("after a look that finds nothing", &[(0, take), (1, look), (1, put(4))], None),
        (
            "an object, which the one that takes it away would be handed",
            &[(0, take), (1, Access { value: Value::identity(64), ..put(4) })],
            None,
        ),
        ("what was put by a call that looks as well", &[(1, access(AccessKind::Atomic, 5)), (0, take), (1, put(4))], None),
    ] {
        assert_eq!(worst_of_last(trace), expected, "{name}");
    }
}

#[test]
fn what_a_thread_has_made_for_another_one_goes_back_to_the_look_of_that_one() {
    let lazy = |site| access(AccessKind::Read, site).with(TESTED | AccessFacts::LAZY);
    let object = Access { value: Value::identity(64), ..access(AccessKind::Write, 5) };
    let made = |looks: &[(usize, Access)], is_ordered: bool, act: Access| {
        let clocks = Clocks::default();
        let threads = Threads::of(&clocks);
        looks.iter().for_each(|(thread, access)| drop(threads.make(*thread, *access, 7)));
        (0..3).filter(|_| is_ordered).for_each(|thread| threads.hand_over(thread, 3));
        let kind = threads.make(3, act, 7).0;
        let races = threads.make(4, access(AccessKind::Write, 9), 7).1;
        (
            kind,
            races
                .iter()
                .filter(|race| race.earlier.site == 5)
                .filter_map(|race| race.earlier_check)
                .map(|check| check.site)
                .collect(),
        )
    };
    let (update, blind) = (|site: u32| (AccessKind::Update, vec![site]), (AccessKind::Write, Vec::new()));
    assert_eq!(made(&[(0, lazy(1))], true, object), update(1));
    assert_eq!(made(&[(0, lazy(2)), (1, lazy(1)), (2, lazy(3))], true, object), update(1), "the same one in every run");
    assert_eq!(made(&[(0, lazy(1))], false, object), blind, "it may not have looked yet");
    assert_eq!(made(&[(0, lazy(1))], true, object.with(CONSTANT)), blind);
    assert_eq!(made(&[(0, lazy(1))], true, Access { value: Value::of(42), ..object }), blind, "no object");
    let made_meanwhile = [(0, lazy(1)), (1, Access { value: Value::identity(128), ..access(AccessKind::Write, 6) })];
    assert_eq!(made(&made_meanwhile, true, object), blind, "it is there by now");
    let made_by_itself = [(0, lazy(1)), (0, Access { value: Value::identity(128), ..access(AccessKind::Write, 6) })];
    assert_eq!(made(&made_by_itself, true, object), blind, "it has made it itself");
    assert_eq!(made(&[(0, lazy(1))], true, Access { kind: AccessKind::Insert, ..object }).0, AccessKind::Insert);
}

#[test]
fn only_the_last_one_of_two_other_writes_is_seen_to_be_lost() {
    let trace = [
        (0, access(AccessKind::Read, 1)),
        (1, Access { value: Value::of(2), ..access(AccessKind::Write, 3) }),
        (2, Access { value: Value::of(4), ..access(AccessKind::Write, 4) }),
        (0, Access { value: Value::of(6), ..access(AccessKind::Write, 2) }),
    ];
    let mut told: Vec<_> = last(&trace).1.iter().map(|race| (race.earlier.site, race.witnessed, race.kind, race.check)).collect();
    told.sort_by_key(|told| told.0);
    let check = Some(AccessSite { site: 1, stack: 7 });
    assert_eq!(told, [(3, false, AccessKind::Update, check), (4, true, AccessKind::Update, check)]);
}

#[test]
fn a_blind_write_loses_nothing_that_its_thread_goes_by() {
    let trace = [
        (0, access(AccessKind::Read, 1)),
        (1, Access { value: Value::of(2), ..access(AccessKind::Write, 3) }),
        (0, Access { value: Value::of(6), ..access(AccessKind::Write, 2).with(CONSTANT) }),
    ];
    let told: Vec<_> = last(&trace).1.iter().map(|race| (race.severity, race.witnessed, race.is_checked)).collect();
    assert_eq!(told, [(Severity::Warning, false, false)]);
}

#[test]
fn a_checked_update_is_told_as_one() {
    let check = access(AccessKind::Read, 1).with(TESTED);
    let trace = [(0, access(AccessKind::Write, 3)), (1, check), (1, access(AccessKind::Write, 2))];
    let told: Vec<_> = last(&trace).1.iter().map(|race| (race.kind, race.is_checked, race.earlier_check)).collect();
    assert_eq!(told, [(AccessKind::Update, true, None)]);
}

#[test]
fn between_two_steps_of_an_iteration_only_others_change_it_and_each_change_is_told_once() {
    let step = access(AccessKind::Iterate, 1);
    let clocks = Clocks::default();
    let threads = Threads::of(&clocks);
    let next = |since| threads.make(0, Access { since: Some(since), ..step }, 7).1;
    let _ = threads.make(0, step, 7);
    let since = threads.memories[0].version();
    let _ = threads.make(0, access(AccessKind::Insert, 2), 7);
    assert_eq!(next(since).len(), 0, "its own change");
    // Two changes without an order, and one that stands for both.
    let since = threads.memories[0].version();
    (1..3).for_each(|thread| drop(threads.make(thread, access(AccessKind::Atomic, 3), 7)));
    (1..3).for_each(|thread| threads.hand_over(thread, 3));
    let _ = threads.make(3, access(AccessKind::Write, 4), 7);
    threads.hand_over(3, 0);
    let told: Vec<_> = next(since).iter().map(|race| (race.severity, race.is_between, race.earlier.site)).collect();
    assert_eq!(told, [(Severity::Error, true, 4)]);
    assert_eq!(next(since).len(), 0, "it was told");
}

#[test]
fn only_whoever_takes_whatever_is_there_goes_by_what_was_measured() {
    let look = read(THING, 1, TESTED | MEASURED);
    let take = |facts| Access { location: THING, ..access(AccessKind::Atomic, 2).with(facts) };
    let (checked, check) = (AccessKind::Checked, Some(AccessSite { site: 1, stack: 7 }));
    for (facts, expected) in [(AccessFacts::SURE, (checked, check)), (NONE, (AccessKind::Atomic, None))] {
        let later = last(&[(0, look), (0, take(facts)), (1, write(THING, 3, NONE))]).1;
        assert!(later.iter().any(|race| (race.earlier_kind, race.earlier_check) == expected), "{later:?}");
        let earlier = last(&[(1, write(THING, 3, NONE)), (0, look), (0, take(facts))]).1;
        assert!(earlier.iter().any(|race| (race.kind, race.check) == expected), "{earlier:?}");
    }
}

#[test]
fn a_function_goes_on_filling_what_it_was_called_for_only_from_addition_to_addition() {
    let look = read(THING, 1, TESTED | AccessFacts::FILLED);
    let fill = Access { code: 2, ..add(THING, 2) };
    for handed_over_before in [0, 1] {
        let clocks = Clocks::default();
        let threads = Threads::of(&clocks);
        let _ = threads.make(0, look, 7);
        for addition in 0..3 {
            if addition >= handed_over_before {
                threads.hand_over(0, 2);
            }
            let _ = threads.make(0, fill, 7);
        }
        assert_eq!(worst(&threads.make(1, look, 7).1), INFO, "{handed_over_before}");
    }
}

#[test]
fn an_iteration_is_no_look_and_a_look_is_no_wait() {
    let walk = Access { location: THING, ..access(AccessKind::Iterate, 1) };
    assert_eq!(worst_of_last(&[(1, walk), (0, read(THING, 1, NONE)), (0, write(THING, 2, NONE))]), ERROR);
    let wait = Access { turn: Turn::UNSET, ..read(THING, 1, TESTED | POLLED) };
    let take = Access { value: Value::truth(true), ..write(THING, 2, CONSTANT) };
    assert_eq!(worst_of_last(&[(1, read(THING, 1, TESTED)), (0, wait), (0, take)]), None);
}

#[test]
fn an_object_is_not_handed_back_and_forth_by_turns() {
    let wait = |site, turn| Access { turn, ..read(THING, site, TESTED) };
    let set = |value| Access { value, ..write(THING, 5, NONE) };
    for (value, expected) in [(Value::flag(16), [None; 2]), (Value::identity(64), [INFO, ERROR])] {
        let trace = [(0, wait(1, Turn::SET)), (0, set(value)), (1, wait(2, Turn::UNSET)), (1, set(Value::flag(32)))];
        let of_writes = last(&trace).1.into_iter().filter(|race| !race.earlier_kind.is_read()).collect::<Vec<_>>();
        assert_eq!([worst_of_last(&trace[..3]), worst(&of_writes)], expected, "{value:?}");
    }
}

#[test]
fn who_finds_what_was_written_blindly_and_leaves_it_loses_nothing() {
    let set = |site, facts| Access { value: Value::of(42), ..write(THING, site, facts) };
    let look = |site| read(THING, site, NONE);
    assert_eq!(worst_of_last(&[(0, set(3, CONSTANT)), (1, look(1)), (1, set(2, NONE))]), None);
    assert_eq!(worst_of_last(&[(0, look(1)), (0, set(3, NONE)), (1, look(1)), (1, set(2, NONE))]), ERROR, "both have counted");
}

#[test]
fn what_may_go_back_to_a_read_that_is_forgotten_is_not_told_as_a_blind_write() {
    for (readers, expected) in [(4, INFO), (5, None)] {
        let mut trace: Vec<_> = (0..readers).map(|thread| (thread, read(THING, 1, NONE))).collect();
        trace.extend([(0, write(THING, 2, NONE)), (5, read(THING, 9, NONE))]);
        assert_eq!(worst_of_last(&trace), expected, "{readers}");
    }
}

#[test]
fn neither_taking_a_variable_nor_adding_loses_what_another_one_wrote() {
    let wait = Access { turn: Turn::UNSET, ..read(THING, 1, TESTED | POLLED) };
    let take = Access { value: Value::truth(true), ..write(THING, 2, CONSTANT) };
    let take_back = Access { value: Value::truth(false), ..write(THING, 3, CONSTANT) };
    let look = read(THING, 1, NONE);
    for trace in [
        &[(0, wait), (1, wait), (1, take), (1, take_back), (0, take)][..],
        &[(0, look), (1, write(THING, 3, NONE)), (0, add(THING, 2))],
    ] {
        let races = last(trace).1;
        assert!(!races.is_empty() && races.iter().all(|race| !race.witnessed), "{races:?}");
    }
}
