//! Traces on which the engine and the model once disagreed, as small as they could be made.

use super::engine::{self, Fault};
use super::properties::{finds_the_races, reports_only_races};
use super::{Event, Step};
use crate::races::access::{Access, Value};
use crate::races::facts::{AccessFacts, Turn};
use crate::races::matrix::AccessKind;
use crate::rules::Severity;

fn access(kind: AccessKind) -> Access {
    Access { location: 7, ..Access::new(kind, kind as u32 + 1, 0) }
}

/// Both properties hold, and the worst that the engine reports of these accesses, by thread, is this bad.
fn expect(accesses: &[(usize, Access)], worst: Option<Severity>) {
    let events: Vec<Event> =
        accesses.iter().map(|(thread, access)| Event { thread: *thread, step: Step::Access(*access, 0) }).collect();
    assert_eq!(reports_only_races(&events, Fault::None), Ok(()));
    assert_eq!(finds_the_races(&events, Fault::None), Ok(()));
    let (reports, _) = engine::run(&events, Fault::None);
    assert_eq!(reports.iter().map(|report| report.race.severity).max(), worst);
}

#[test]
fn clearing_and_then_filling_is_not_only_filling() {
    let accesses = [(0, access(AccessKind::Write)), (0, access(AccessKind::Insert)), (1, access(AccessKind::Insert))];
    expect(&accesses, Some(Severity::Warning));
}

#[test]
fn an_access_that_comes_last_hides_nothing_from_those_that_do_not() {
    let accesses = [
        (0, access(AccessKind::Checked)),
        (1, access(AccessKind::Update).with(AccessFacts::LAST)),
        (1, access(AccessKind::Update)),
    ];
    expect(&accesses, Some(Severity::Error));
}

#[test]
fn a_thread_that_has_read_nothing_has_not_lost_an_update() {
    let value = Value::flag(16);
    expect(&[(0, Access { value, ..access(AccessKind::Write) }), (1, Access { value, ..access(AccessKind::Update) })], None);
}

#[test]
fn where_no_flag_was_seen_nothing_was_published_early() {
    expect(&[(0, access(AccessKind::Write)), (1, access(AccessKind::Read))], Some(Severity::Info));
}

#[test]
fn two_threads_that_iterate_have_a_place_each() {
    let accesses = [(2, access(AccessKind::Iterate)), (0, access(AccessKind::Iterate)), (0, access(AccessKind::Write))];
    expect(&accesses, Some(Severity::Error));
}

#[test]
fn a_read_beside_an_iteration_does_not_hide_it() {
    let accesses = [(0, access(AccessKind::Iterate)), (0, access(AccessKind::Read)), (1, access(AccessKind::Insert))];
    expect(&accesses, Some(Severity::Error));
}

#[test]
fn a_check_that_is_forgotten_makes_a_cache_no_race() {
    let check = access(AccessKind::Read).with(AccessFacts::TESTED);
    let mut accesses: Vec<(usize, Access)> = [1, 2, 3, 0, 5].map(|thread| (thread, check)).into();
    accesses.push((1, Access { value: Value::of(16), ..access(AccessKind::Write) }));
    expect(&accesses, None);
}

#[test]
fn a_turn_that_is_forgotten_may_have_been_waited_for() {
    let waits = |site, turn| Access { turn, site, ..access(AccessKind::Read).with(AccessFacts::TESTED | AccessFacts::ACTING) };
    let write = |is_set| Access { value: Value::truth(is_set), site: 4, ..access(AccessKind::Write) };
    let look = access(AccessKind::Read);
    let accesses = [
        (5, waits(3, Turn::UNSET)),
        (3, look),
        (5, write(true)),
        (2, look),
        (4, waits(2, Turn::at(2))),
        (0, look),
        (4, write(false)),
    ];
    expect(&accesses, Some(Severity::Info));
}

#[test]
fn a_thread_whose_place_was_taken_may_have_polled() {
    let polls = access(AccessKind::Read).with(AccessFacts::TESTED | AccessFacts::POLLED);
    let read = Access { site: 5, ..access(AccessKind::Read) };
    let mut accesses: Vec<(usize, Access)> = [2, 3, 4].map(|thread| (thread, polls)).into();
    accesses.extend([(1, access(AccessKind::Write)), (0, polls), (1, polls), (0, read), (0, access(AccessKind::Write))]);
    expect(&accesses, Some(Severity::Info));
}

#[test]
fn what_may_go_back_to_a_read_is_not_published() {
    let at = |location, kind| Access { location, owner: Value::identity(if location == 8 { 64 } else { 0 }), ..access(kind) };
    let (flag, thing) = (8, 7);
    let read = at(thing, AccessKind::Read);
    let accesses = [
        (4, at(flag, AccessKind::Write)),
        (2, read),
        (1, read),
        (0, Access { site: 2, ..at(flag, AccessKind::Read) }.with(AccessFacts::TESTED)),
        (3, read),
        (4, read),
        (0, Access { site: 3, ..read }.with(AccessFacts::TESTED | AccessFacts::GUARD)),
        (4, Access { site: 5, ..at(thing, AccessKind::Write) }),
    ];
    expect(&accesses, Some(Severity::Error));
}

#[test]
fn nor_is_it_to_those_who_look_afterwards() {
    let looks = access(AccessKind::Read).with(AccessFacts::TESTED);
    let write = Access { site: 4, ..access(AccessKind::Write) };
    let mut accesses: Vec<(usize, Access)> =
        vec![(3, looks), (4, looks), (0, write), (0, looks), (2, looks), (1, looks), (0, write)];
    accesses.push((1, Access { site: 3, ..looks.with(AccessFacts::GUARD) }));
    expect(&accesses, Some(Severity::Error));
}

#[test]
fn an_equal_write_hides_nothing_of_the_first_one() {
    let write = |value| Access { value: Value::of(value), ..access(AccessKind::Write) };
    let accesses = [(0, write(2)), (1, write(2)), (1, write(4))];
    expect(&accesses, Some(Severity::Warning));
}

#[test]
fn an_own_insertion_does_not_make_a_look_know_of_anothers() {
    let guard = Access { code: 1, ..access(AccessKind::Read).with(AccessFacts::TESTED | AccessFacts::GUARD) };
    let accesses = [(1, guard), (0, access(AccessKind::Insert)), (1, access(AccessKind::Insert)), (1, guard)];
    expect(&accesses, Some(Severity::Error));
}

#[test]
fn who_has_waited_for_a_write_has_waited_for_it_at_the_second_write_too() {
    let poll = Access { site: 20, ..access(AccessKind::Read).with(AccessFacts::TESTED | AccessFacts::POLLED) };
    let write = access(AccessKind::Write);
    expect(&[(0, write), (1, poll), (1, access(AccessKind::Read)), (1, write), (1, write)], Some(Severity::Info));
    // A second look, after an own write, did not poll for it.
    let read = access(AccessKind::Read);
    expect(&[(1, poll), (1, read), (1, write), (1, read), (0, write), (1, write)], Some(Severity::Error));
}

#[test]
fn a_wait_that_was_followed_by_another_read_is_one_that_is_forgotten_too() {
    let poll = access(AccessKind::Read).with(AccessFacts::TESTED | AccessFacts::POLLED);
    let poll = Access { site: 20, ..poll };
    let (read, write) = (access(AccessKind::Read), access(AccessKind::Write));
    // More readers than a cell has places for.
    let readers = [2, 1, 4].map(|thread| (thread, read));
    let mut accesses = vec![(1, Access { value: Value::of(4), ..write })];
    accesses.extend(readers);
    accesses.extend([(0, poll), (0, read), (3, read), (0, write)]);
    expect(&accesses, Some(Severity::Info));
}

#[test]
fn a_flag_that_is_written_in_turn_does_not_stand_for_an_object_that_is() {
    let known = AccessFacts::TESTED | AccessFacts::ACTING;
    let look = |turn| Access { turn, site: 20, ..access(AccessKind::Read).with(known) };
    let write = |value| Access { value, ..access(AccessKind::Write) };
    let first = [(0, look(Turn::UNSET)), (0, write(Value::identity(64))), (0, write(Value::truth(false)))];
    expect(&[&first[..], &[(1, Access { site: 21, ..look(Turn::SET) })]].concat(), Some(Severity::Error));
}

#[test]
fn who_looks_again_with_something_else_to_store_is_not_taken_for_who_has_looked() {
    let look = |value| Access { value, site: 20, ..access(AccessKind::Read).with(AccessFacts::TESTED) };
    let write = Access { value: Value::of(16), ..access(AccessKind::Write) };
    let looks = |second| [(0, look(Value::UNKNOWN)), (0, write), (1, look(Value::of(16))), (1, look(second))];
    expect(&looks(Value::of(16)), None);
    expect(&looks(Value::of(4)), Some(Severity::Error));
}

/// An act of a thread that makes an update.
#[derive(Clone, Copy)]
enum Act {
    Read,
    /// By the same instruction as all of them.
    Write,
    Lock,
    Unlock,
}

/// How bad it is that two threads do these things, in this order, of which each locked one releases the lock to the next.
fn worst_of(acts: &[(usize, Act)], read: Access) -> Option<Severity> {
    let events: Vec<Event> = acts
        .iter()
        .map(|(thread, act)| {
            let step = match act {
                Act::Read => Step::Access(read, 0),
                Act::Write => Step::Access(Access { value: Value::UNKNOWN, ..access(AccessKind::Write) }, 0),
                Act::Lock => Step::Acquire(0),
                Act::Unlock => Step::Release(0),
            };
            Event { thread: *thread, step }
        })
        .collect();
    assert_eq!(reports_only_races(&events, Fault::None), Ok(()));
    assert_eq!(finds_the_races(&events, Fault::None), Ok(()));
    engine::run(&events, Fault::None).0.iter().map(|report| report.race.severity).max()
}

#[test]
fn an_update_whose_read_comes_before_the_lock_of_its_write_is_lost() {
    use Act::{Lock, Read, Unlock, Write};
    let locked = |thread: usize, acts: &[Act]| -> Vec<(usize, Act)> {
        [&[Lock], acts, &[Unlock]].concat().into_iter().map(|act| (thread, act)).collect()
    };
    let read = access(AccessKind::Read);
    for (name, acts, expected) in [
        ("read in turns", vec![vec![(0, Read)], locked(0, &[Write]), vec![(1, Read)], locked(1, &[Write])], true),
        ("read at once", vec![vec![(0, Read)], vec![(1, Read)], locked(0, &[Write]), locked(1, &[Write])], true),
        ("both read within", vec![locked(0, &[Read, Write]), locked(1, &[Read, Write])], false),
        ("read again within", vec![vec![(0, Read)], vec![(1, Read)], locked(0, &[Write]), locked(1, &[Read, Write])], false),
        ("read, and not written", vec![vec![(0, Read)], vec![(1, Read)], locked(0, &[Write])], false),
    ] {
        assert_eq!(worst_of(&acts.concat(), read) == Some(Severity::Error), expected, "{name}");
    }
    // A check is judged by what it decides.
    let checked = [vec![(0, Read)], locked(0, &[Write]), vec![(1, Read)], locked(1, &[Write])].concat();
    assert_eq!(worst_of(&checked, read.with(AccessFacts::TESTED)), Some(Severity::Error));
}
