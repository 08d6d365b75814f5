//! Races of two threads without any order between them.

use super::*;
use crate::races::access::Value;
use crate::races::clock::Clocks;
use crate::races::facts::{AccessFacts, Turn};
use crate::rules::Severity;

mod again;
mod exceptions;
mod moments;
mod waits;

/// Two threads without any order between them, and a table.
struct Bench {
    clocks: Clocks,
    shadow: Shadow<Box<[Group]>>,
    memories: [ThreadHistory; 2],
}

impl Bench {
    fn new() -> Self {
        let clocks = Clocks::default();
        Bench { clocks, shadow: Shadow::of_bytes(1 << 16), memories: Default::default() }
    }

    fn threads(&self) -> [&ThreadClock; 2] {
        [self.clocks.enter(), self.clocks.enter()]
    }

    fn go(&self, threads: [&ThreadClock; 2], thread: usize, access: Access) -> Vec<Race> {
        self.shadow.access(&access, threads[thread], &self.memories[thread], || 7).1
    }
}

fn access(kind: AccessKind, site: u32) -> Access {
    Access { location: 0x1234, ..Access::new(kind, site, 1) }
}

fn worst(races: &[Race]) -> Option<Severity> {
    races.iter().map(|race| race.severity).max()
}

#[test]
fn two_increments_are_an_error_and_order_makes_them_innocent() {
    for ordered in [false, true] {
        let bench = Bench::new();
        let threads = bench.threads();
        bench.go(threads, 0, access(AccessKind::Read, 1));
        bench.go(threads, 0, access(AccessKind::Write, 2));
        if ordered {
            let mut lock = crate::races::clock::Clock::default();
            threads[0].release_into(&bench.clocks, &mut lock);
            threads[0].advance(&bench.clocks);
            threads[1].acquire_from(&bench.clocks, &lock);
        }
        let mut races = bench.go(threads, 1, access(AccessKind::Read, 1));
        races.extend(bench.go(threads, 1, access(AccessKind::Write, 2)));
        assert_eq!(worst(&races), (!ordered).then_some(Severity::Error));
    }
}

#[test]
fn an_update_that_is_overwritten_is_witnessed() {
    let bench = Bench::new();
    let threads = bench.threads();
    bench.go(threads, 0, access(AccessKind::Read, 1));
    bench.go(threads, 1, access(AccessKind::Read, 1));
    assert!(!bench.go(threads, 1, access(AccessKind::Write, 2)).iter().any(|race| race.witnessed));
    let races = bench.go(threads, 0, access(AccessKind::Write, 2));
    assert!(races.iter().any(|race| race.witnessed && race.kind == AccessKind::Update && race.check.is_some()));
}

#[test]
fn two_threads_that_count_to_the_same_number_lose_one() {
    let bench = Bench::new();
    let threads = bench.threads();
    let write = Access { value: Value::of(42), ..access(AccessKind::Write, 2) };
    bench.go(threads, 0, access(AccessKind::Read, 1));
    bench.go(threads, 1, access(AccessKind::Read, 1));
    bench.go(threads, 1, write);
    let races = bench.go(threads, 0, write);
    assert!(races.iter().any(|race| race.witnessed && race.severity == Severity::Error));
}

#[test]
fn a_count_that_is_read_before_the_other_is_made_is_lost_though_it_was_noted_after_it() {
    let bench = Bench::new();
    let threads = bench.threads();
    let write = Access { value: Value::of(42), ..access(AccessKind::Write, 2) };
    bench.go(threads, 0, access(AccessKind::Read, 1));
    bench.go(threads, 0, write);
    bench.go(threads, 1, access(AccessKind::Read, 1));
    let races = bench.go(threads, 1, write);
    assert_eq!(worst(&races), Some(Severity::Error));
    assert!(!races.iter().any(|race| race.witnessed), "which of the two it was is not known");
}

#[test]
fn as_many_locations_as_there_is_room_for_keep_their_history() {
    let bench = Bench { shadow: Shadow::of_bytes(8 << 20), ..Bench::new() };
    let threads = bench.threads();
    let count = bench.shadow.locations() as u64 / 2;
    let write =
        |thread, number| bench.go(threads, thread, Access { location: crate::races::mix(number), ..access(AccessKind::Write, 2) });
    (1..=count).for_each(|number| assert!(write(0, number).is_empty()));
    let found = (1..=count).filter(|number| !write(1, *number).is_empty()).count() as u64;
    assert!(found > count / 100 * 98, "{found} of {count}");
}

#[test]
fn threads_that_touch_a_location_first_in_the_same_instant_meet() {
    let (rounds, bytes): (u64, usize) = if cfg!(miri) { (20, 1 << 17) } else { (20_000, 64 << 20) };
    let bench = Bench { shadow: Shadow::of_bytes(bytes), ..Bench::new() };
    let together = std::sync::Barrier::new(2);
    let run = |clock: &ThreadClock| {
        let (memory, mut races) = (ThreadHistory::default(), 0);
        for number in 1..=rounds {
            together.wait();
            let write = Access { location: crate::races::mix(number), ..access(AccessKind::Write, 2) };
            races += bench.shadow.access(&write, clock, &memory, || 7).1.len() as u64;
        }
        races
    };
    let threads = bench.threads();
    let found = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(threads[1]));
        run(threads[0]) + other.join().unwrap()
    });
    assert_eq!(found, rounds);
}

#[test]
fn blind_writes_warn_unless_they_write_the_same() {
    for (values, expected) in [([1, 2], Some(Severity::Warning)), ([1, 1], None)] {
        let bench = Bench::new();
        let threads = bench.threads();
        let write = |value: u64| Access { value: Value::of(value << 1), ..access(AccessKind::Write, 2) };
        bench.go(threads, 0, write(values[0]));
        assert_eq!(worst(&bench.go(threads, 1, write(values[1]))), expected);
    }
}

#[test]
fn a_check_that_came_too_late_to_act_is_an_error_all_the_same() {
    let flag = Value::flag(16);
    let error = Some(Severity::Error);
    for (value, expected) in [(Value::UNKNOWN, error), (flag, error), (Value::of(42), None)] {
        let bench = Bench::new();
        let threads = bench.threads();
        let check = access(AccessKind::Read, 1).with(AccessFacts::TESTED);
        bench.go(threads, 0, check);
        bench.go(threads, 0, Access { value, ..access(AccessKind::Write, 2) });
        assert_eq!(worst(&bench.go(threads, 1, check)), expected, "a cache of equal values may be filled twice");
    }
}

#[test]
fn of_two_threads_that_wait_for_the_opposite_only_one_acts() {
    for (turns, value, expected) in [
        ([Turn::SET, Turn::UNSET], Value::flag(16), None),
        ([Turn::SET, Turn::SET], Value::flag(16), Some(Severity::Error)),
        ([Turn::SET, Turn::NONE], Value::flag(16), Some(Severity::Error)),
        ([Turn::SET, Turn::UNSET], Value::identity(64), Some(Severity::Error)),
    ] {
        for is_seen in [true, false] {
            let bench = Bench::new();
            let threads = bench.threads();
            let check = |thread: usize| {
                let site = 1 + thread as u32;
                Access { turn: turns[thread], ..access(AccessKind::Read, site).with(AccessFacts::TESTED | AccessFacts::ACTING) }
            };
            bench.go(threads, 0, check(0));
            if is_seen {
                bench.go(threads, 1, check(1));
            }
            let mut races = bench.go(threads, 0, Access { value, ..access(AccessKind::Write, 3).with(AccessFacts::CONSTANT) });
            races.extend(bench.go(threads, 1, check(1)));
            let back = Access { value: Value::flag(32), ..access(AccessKind::Write, 4).with(AccessFacts::CONSTANT) };
            races.extend(bench.go(threads, 1, back));
            assert_eq!(worst(&races), expected, "{turns:?}");
        }
    }
}

#[test]
fn a_thread_that_takes_turns_does_not_stand_for_one_that_does_not() {
    for turns in [[Turn::SET, Turn::UNSET], [Turn::NONE; 2]] {
        let bench = Bench::new();
        let ([one, other], third) = (bench.threads(), bench.clocks.enter());
        let mut lock = crate::races::clock::Clock::default();
        let write =
            |site, number| Access { value: Value::flag(number), ..access(AccessKind::Write, site).with(AccessFacts::CONSTANT) };
        let check =
            |thread: usize| Access { turn: turns[thread], ..access(AccessKind::Read, 1 + thread as u32).with(AccessFacts::TESTED) };
        let _ = bench.shadow.access(&write(5, 64), third, &ThreadHistory::default(), || 7);
        third.release_into(&bench.clocks, &mut lock);
        one.acquire_from(&bench.clocks, &lock);
        for (thread, number) in [(0, 16), (1, 32)] {
            bench.go([one, other], thread, check(thread));
            let races = bench.go([one, other], thread, write(3 + thread as u32, number));
            assert_eq!(worst(&races), (thread == 1).then_some(Severity::Error));
        }
    }
}

#[test]
fn what_was_measured_may_be_another_one_when_it_is_taken_away() {
    for (is_measured, first, expected) in
        [(true, 0, Some(Severity::Warning)), (true, 1, Some(Severity::Warning)), (false, 0, Some(Severity::Info))]
    {
        let bench = Bench::new();
        let threads = bench.threads();
        let look = access(AccessKind::Read, 1).with(AccessFacts::TESTED | AccessFacts::MEASURED.when(is_measured));
        let take = access(AccessKind::Atomic, 2).with(AccessFacts::SURE);
        let renew = access(AccessKind::Write, 3).with(AccessFacts::NEW.when(first == 0));
        let mut races = bench.go(threads, 0, look);
        let rest = [(0, take), (1, renew)];
        for (thread, access) in [rest[first], rest[1 - first]] {
            races.extend(bench.go(threads, thread, access));
        }
        assert_eq!(worst(&races), expected);
        assert_eq!(
            races.iter().any(|race| race.earlier_kind == AccessKind::Checked || race.kind == AccessKind::Checked),
            is_measured
        );
        let both = [0, 1].map(|thread| {
            bench.go(threads, thread, Access { location: 9, ..look });
            worst(&bench.go(threads, thread, Access { location: 9, ..take }))
        });
        assert!(both.iter().all(|worst| worst.is_none_or(|worst| worst == Severity::Info)), "whoever takes it, it is gone");
    }
}

#[test]
fn a_function_that_is_called_to_fill_it_shows_it_half() {
    for (is_filled, expected) in [(true, Some(Severity::Error)), (false, Some(Severity::Info))] {
        let bench = Bench::new();
        let threads = bench.threads();
        let look =
            access(AccessKind::Read, 1).with(AccessFacts::TESTED | AccessFacts::ACTING | AccessFacts::FILLED.when(is_filled));
        bench.go(threads, 0, look);
        for _ in 0..2 {
            // Each addition is handed over.
            let epoch = threads[0].epoch();
            threads[0].advance(&bench.clocks);
            bench.go(threads, 0, Access { code: 2, epoch: Some(epoch), ..access(AccessKind::Insert, 2) });
        }
        assert_eq!(worst(&bench.go(threads, 1, look)), expected);
    }
}

#[test]
fn a_table_that_is_half_full_forgets_hardly_anything() {
    const LOCATIONS: u64 = 2400;
    let bench = Bench::new();
    let shadow = Shadow::of_bytes(4096 * BYTES);
    let (clock, memory) = (bench.clocks.enter(), ThreadHistory::default());
    let of = |number: u64| crate::races::location(crate::races::mix(number), 7);
    for number in 1..=LOCATIONS {
        let _ = shadow.access(&Access { location: of(number), ..access(AccessKind::Write, 1) }, clock, &memory, || 7);
    }
    // With one group for each it would be about one in thirty.
    let lost = (1..=LOCATIONS).filter(|number| shadow.last_writer(of(*number)).is_none()).count();
    assert!(lost <= 4, "{lost} of {LOCATIONS}");
}

#[test]
fn polling_a_flag_is_no_check() {
    let bench = Bench::new();
    let threads = bench.threads();
    let poll = access(AccessKind::Read, 1).with(AccessFacts::TESTED | AccessFacts::POLLED);
    bench.go(threads, 0, poll);
    bench.go(threads, 1, poll);
    let set = Access { value: Value::flag(16), ..access(AccessKind::Write, 2) };
    assert_eq!(worst(&bench.go(threads, 0, set)), Some(Severity::Info));
    assert_eq!(worst(&bench.go(threads, 1, poll)), Some(Severity::Info));
    assert_eq!(worst(&bench.go(threads, 1, Access { site: 9, ..poll })), None, "told already");
}

#[test]
fn who_has_polled_for_a_flag_may_take_it_back() {
    for (is_seen, expected) in [(true, None), (false, Some(Severity::Warning))] {
        let bench = Bench::new();
        let threads = bench.threads();
        let poll = access(AccessKind::Read, 1).with(AccessFacts::TESTED | AccessFacts::POLLED);
        let write = |number| Access { value: Value::flag(number), ..access(AccessKind::Write, 2).with(AccessFacts::CONSTANT) };
        bench.go(threads, 1, poll);
        bench.go(threads, 0, write(16));
        if is_seen {
            bench.go(threads, 1, poll);
        }
        assert_eq!(worst(&bench.go(threads, 1, write(32))), expected);
    }
}

#[test]
fn what_comes_last_has_no_race_with_what_was_before() {
    for (is_last, expected) in [(true, None), (false, Some(Severity::Warning))] {
        let bench = Bench::new();
        let threads = bench.threads();
        bench.go(threads, 0, access(AccessKind::Write, 1));
        assert_eq!(worst(&bench.go(threads, 1, access(AccessKind::Write, 2).with(AccessFacts::LAST.when(is_last)))), expected);
        assert_eq!(
            worst(&bench.go(threads, 0, access(AccessKind::Write, 1))),
            Some(Severity::Warning),
            "but with what comes later"
        );
    }
}

#[test]
fn only_what_was_seen_before_it_is_taken_away_is_a_race() {
    for (check, expected) in [(true, Some(Severity::Error)), (false, None)] {
        let bench = Bench::new();
        let threads = bench.threads();
        let mut races = Vec::new();
        for thread in [0, 1] {
            if check {
                races.extend(bench.go(threads, thread, access(AccessKind::Read, 1).with(AccessFacts::TESTED)));
            }
            races.extend(bench.go(threads, thread, access(AccessKind::Atomic, 2).with(AccessFacts::CHECKABLE)));
        }
        assert_eq!(worst(&races), expected);
    }
}

#[test]
fn a_flag_set_before_the_value_is_a_publication_before_it_is_complete() {
    for (flag_first, expected) in [(true, Severity::Warning), (false, Severity::Info)] {
        let bench = Bench::new();
        let threads = bench.threads();
        let flag = Access { location: 1, value: Value::flag(16), ..access(AccessKind::Write, 1) };
        let value = Access { location: 2, ..access(AccessKind::Write, 2) };
        for write in if flag_first { [flag, value] } else { [value, flag] } {
            bench.go(threads, 0, write);
        }
        bench.go(threads, 1, Access { location: 1, ..access(AccessKind::Read, 3).with(AccessFacts::TESTED) });
        let races = bench.go(threads, 1, Access { location: 2, ..access(AccessKind::Read, 4) });
        assert_eq!(worst(&races), Some(expected));
    }
}

#[test]
fn the_flag_that_was_seen_is_the_one_that_was_set_last() {
    for setters in [&[0, 1][..], &[0, 1, 0], &[1, 0], &[1, 0, 1]] {
        let bench = Bench::new();
        let (threads, reader, memory) = (bench.threads(), bench.clocks.enter(), ThreadHistory::default());
        let write = |thread, location, value| Access { location, value, ..access(AccessKind::Write, 1 + thread as u32) };
        setters.iter().for_each(|&thread| drop(bench.go(threads, thread, write(thread, 1, Value::of(16 << thread)))));
        for location in [1, 2, 3] {
            let read =
                Access { location, ..access(AccessKind::Read, 2 + location as u32).with(AccessFacts::TESTED.when(location == 1)) };
            let _ = bench.shadow.access(&read, reader, &memory, || 7);
        }
        let last = setters[setters.len() - 1];
        let early = [(last, 2), (1 - last, 3)].map(|(thread, location)| {
            bench.go(threads, thread, write(thread, location, Value::UNKNOWN)).iter().any(|race| race.published_early)
        });
        assert_eq!(early, [true, false], "{setters:?}");
    }
}

#[test]
fn a_flag_guards_what_comes_after_it_in_its_function() {
    for (site, expected) in [(2, Severity::Info), (4, Severity::Warning)] {
        let bench = Bench::new();
        let threads = bench.threads();
        bench.go(threads, 0, Access { location: 1, value: Value::of(16), ..access(AccessKind::Write, 1) });
        bench.go(threads, 1, Access { location: 1, ..access(AccessKind::Read, 3).with(AccessFacts::TESTED) });
        bench.go(threads, 0, Access { location: 2, ..access(AccessKind::Write, 2) });
        let races = bench.go(threads, 1, Access { location: 2, ..access(AccessKind::Read, site) });
        assert_eq!(worst(&races), Some(expected));
    }
}

#[test]
fn how_many_rounds_a_reader_falls_behind_a_flag_is_luck() {
    for rounds in 1..4 {
        for is_complete in [true, false] {
            let bench = Bench::new();
            let threads = bench.threads();
            let flag = Access { location: 1, value: Value::of(16), ..access(AccessKind::Write, 1) };
            let value = Access { location: 2, ..access(AccessKind::Write, 2) };
            let read = Access { location: 2, ..access(AccessKind::Read, 4) };
            if is_complete {
                bench.go(threads, 0, value);
            }
            bench.go(threads, 0, flag);
            bench.go(threads, 1, Access { location: 1, ..access(AccessKind::Read, 3).with(AccessFacts::TESTED) });
            for _ in 0..rounds {
                bench.go(threads, 0, value);
                bench.go(threads, 0, flag);
            }
            let expected = Some(if is_complete { Severity::Info } else { Severity::Warning });
            assert_eq!(worst(&bench.go(threads, 1, read)), expected, "what was there, {rounds} rounds ago");
            assert_eq!(worst(&bench.go(threads, 0, value)), expected, "what comes next");
        }
    }
}

#[test]
fn in_no_schedule_is_it_early_if_each_round_was_complete_whichever_thread_publishes_it() {
    const STEPS: u32 = if cfg!(miri) { 3 } else { 6 };
    for schedule in 0..4_u32.pow(STEPS) {
        let bench = Bench::new();
        let ([one, reader], other) = (bench.threads(), bench.clocks.enter());
        let memories = [ThreadHistory::default(), ThreadHistory::default()];
        let mut lock = crate::races::clock::Clock::default();
        for step in (0..STEPS).map(|step| schedule >> (2 * step) & 3) {
            let mut races = Vec::new();
            match step {
                0 | 1 => {
                    let clock = [one, other][step as usize];
                    clock.acquire_from(&bench.clocks, &lock);
                    for (location, kind) in [(2, AccessKind::Write), (1, AccessKind::Insert)] {
                        let write = Access { location, ..access(kind, location as u32) };
                        races.extend(bench.shadow.access(&write, clock, &memories[step as usize], || 7).1);
                    }
                    clock.release_into(&bench.clocks, &mut lock);
                    clock.advance(&bench.clocks);
                }
                2 => {
                    races =
                        bench.go([one, reader], 1, Access { location: 1, ..access(AccessKind::Read, 3).with(AccessFacts::TESTED) })
                }
                _ => races = bench.go([one, reader], 1, Access { location: 2, ..access(AccessKind::Read, 4) }),
            }
            assert!(worst(&races) <= Some(Severity::Info), "{schedule:b}");
        }
    }
}

#[test]
fn an_object_published_early_is_the_one_that_the_flag_refers_to_in_whatever_function_it_is_read() {
    const PUBLISHED: u64 = 0x1000;
    for (owner, expected) in [(PUBLISHED, Severity::Warning), (0x2000, Severity::Info)] {
        let bench = Bench::new();
        let threads = bench.threads();
        bench.go(threads, 0, Access { location: 1, value: Value::identity(PUBLISHED), ..access(AccessKind::Write, 1) });
        bench.go(threads, 0, Access { location: 2, ..access(AccessKind::Write, 2) });
        bench.go(threads, 1, Access { location: 1, ..access(AccessKind::Read, 3).with(AccessFacts::TESTED) });
        let elsewhere = Access { location: 2, code: 2, owner: Value::identity(owner), ..access(AccessKind::Read, 4) };
        assert_eq!(worst(&bench.go(threads, 1, elsewhere)), Some(expected));
    }
}

#[test]
fn a_flag_does_not_guard_the_next_one_that_is_read_there() {
    for (site, expected) in [(3, Severity::Info), (4, Severity::Warning)] {
        let bench = Bench::new();
        let threads = bench.threads();
        let flag = |location| Access { location, value: Value::flag(16), ..access(AccessKind::Write, 1) };
        let check = |location, site| Access { location, ..access(AccessKind::Read, site).with(AccessFacts::TESTED) };
        bench.go(threads, 0, flag(1));
        bench.go(threads, 1, check(1, 3));
        bench.go(threads, 1, check(2, site));
        assert_eq!(worst(&bench.go(threads, 0, flag(2))), Some(expected));
    }
}

#[test]
fn a_location_that_loses_its_cell_loses_its_history_only() {
    let bench = Bench { shadow: Shadow::of_bytes(1), ..Bench::new() };
    let threads = bench.threads();
    for location in 0..1000 {
        bench.go(threads, 0, Access { location, ..access(AccessKind::Write, 2) });
        let other = Access { location: location + 5000, ..access(AccessKind::Read, 1) };
        assert!(bench.go(threads, 1, other).is_empty());
    }
}

#[test]
fn an_object_that_two_threads_change_in_place_loses_nothing() {
    let bench = Bench::new();
    let threads = bench.threads();
    let write = Access { value: Value::identity(64), ..access(AccessKind::Write, 2) };
    bench.go(threads, 0, access(AccessKind::Read, 1));
    bench.go(threads, 0, write);
    bench.go(threads, 0, access(AccessKind::Read, 1));
    bench.go(threads, 1, access(AccessKind::Read, 1));
    bench.go(threads, 1, write);
    assert!(bench.go(threads, 0, write).is_empty());
}

#[test]
fn an_answer_may_be_given_twice() {
    let (flag, error) = (Value::flag(16), Some(Severity::Error));
    for (values, expected) in
        [([flag.as_answer(), flag], None), ([flag, flag], error), ([Value::flag(32).as_answer(), flag], error)]
    {
        let bench = Bench::new();
        let threads = bench.threads();
        let mut races = Vec::new();
        for thread in [0, 1] {
            bench.go(threads, thread, access(AccessKind::Read, 1).with(AccessFacts::TESTED));
        }
        for thread in [0, 1] {
            races.extend(bench.go(threads, thread, Access { value: values[thread], ..access(AccessKind::Write, 2) }));
        }
        assert_eq!(worst(&races), expected);
    }
}

fn hand_over(bench: &Bench, from: &ThreadClock, to: &ThreadClock) {
    let mut lock = crate::races::clock::Clock::default();
    from.release_into(&bench.clocks, &mut lock);
    from.advance(&bench.clocks);
    to.acquire_from(&bench.clocks, &lock);
}

#[test]
fn an_iteration_is_an_interval_whatever_the_order_of_a_change_between_two_steps() {
    for (is_between, expected) in [(true, Some(Severity::Error)), (false, None)] {
        let bench = Bench::new();
        let threads = bench.threads();
        let change = || {
            hand_over(&bench, threads[0], threads[1]);
            assert_eq!(worst(&bench.go(threads, 1, access(AccessKind::Insert, 2))), None);
            hand_over(&bench, threads[1], threads[0]);
        };
        if !is_between {
            change();
        }
        bench.go(threads, 0, access(AccessKind::Iterate, 1));
        let since = Some(bench.memories[0].version());
        if is_between {
            change();
        }
        let races = bench.go(threads, 0, Access { since, ..access(AccessKind::Iterate, 1) });
        assert_eq!((worst(&races), races.iter().any(|race| race.is_between)), (expected, is_between));
    }
}

#[test]
fn a_thread_that_has_polled_and_looks_again_has_waited_unless_there_was_another_write() {
    for (is_written_again, expected) in [(false, None), (true, Some(Severity::Error))] {
        let bench = Bench::new();
        let threads = bench.threads();
        bench.go(threads, 0, access(AccessKind::Write, 1));
        bench.go(threads, 1, access(AccessKind::Read, 2).with(AccessFacts::POLLED));
        if is_written_again {
            bench.go(threads, 0, access(AccessKind::Write, 1));
        }
        bench.go(threads, 1, access(AccessKind::Read, 3));
        assert_eq!(worst(&bench.go(threads, 1, access(AccessKind::Write, 4))), expected, "{is_written_again}");
    }
}

#[test]
fn a_reader_that_was_early_is_told_with_the_flag_that_it_had_seen() {
    let bench = Bench::new();
    let threads = bench.threads();
    bench.go(threads, 0, Access { location: 1, value: Value::of(16), ..access(AccessKind::Write, 1) });
    bench.go(threads, 1, Access { location: 1, ..access(AccessKind::Read, 3).with(AccessFacts::TESTED) });
    bench.go(threads, 1, Access { location: 2, ..access(AccessKind::Read, 4) });
    let races = bench.go(threads, 0, Access { location: 2, ..access(AccessKind::Write, 2) });
    let flags: Vec<_> = races.iter().map(|race| (race.published_early, race.flag)).collect();
    assert_eq!(flags, [(true, Some(AccessSite { site: 3, stack: 0 }))]);
}

#[test]
fn a_table_holds_as_many_locations_as_it_has_cells() {
    let shadow = Shadow::of_bytes(3 * size_of::<Group>() + 1);
    assert_eq!((shadow.locations(), groups(0)), (3 * WAYS, 1));
}
