//! Threads that wait for a variable, or check it and leave it to others to write.

use super::*;

#[test]
fn of_two_threads_that_wait_for_numbers_only_one_acts() {
    for (cases, expected) in [
        ([Turn::at(1), Turn::at(2)], None),
        ([Turn::at(1), Turn::UNSET], None),
        ([Turn::at(1), Turn::at(1)], Some(Severity::Error)),
        ([Turn::at(1), Turn::SET], Some(Severity::Error)),
    ] {
        let bench = Bench::new();
        let threads = bench.threads();
        let check = |thread: usize| Access {
            turn: cases[thread],
            ..access(AccessKind::Read, 1 + thread as u32).with(AccessFacts::TESTED | AccessFacts::ACTING)
        };
        bench.go(threads, 0, check(0));
        bench.go(threads, 1, check(1));
        let mut races =
            bench.go(threads, 0, Access { value: Value::of(4), ..access(AccessKind::Write, 3).with(AccessFacts::CONSTANT) });
        races.extend(bench.go(threads, 1, check(1)));
        races.extend(bench.go(
            threads,
            1,
            Access { value: Value::of(6), ..access(AccessKind::Write, 4).with(AccessFacts::CONSTANT) },
        ));
        assert_eq!(worst(&races), expected, "{cases:?}");
    }
}

/// The worst of what one thread, and then the other one, is told, that each wait until it is not set and then write this.
fn spun(sites: [u32; 2], value: Value, is_taken_back: bool) -> Option<Severity> {
    let bench = Bench::new();
    let threads = bench.threads();
    let wait = |site| Access {
        turn: Turn::UNSET,
        ..access(AccessKind::Read, site).with(AccessFacts::TESTED | AccessFacts::POLLED | AccessFacts::ACTING)
    };
    let write = |site, value| Access { value, ..access(AccessKind::Write, site).with(AccessFacts::CONSTANT) };
    let mut races = Vec::new();
    for (thread, site) in sites.into_iter().enumerate() {
        races.extend(bench.go(threads, thread, wait(site)));
        races.extend(bench.go(threads, thread, write(site + 10, value)));
        if is_taken_back {
            races.extend(bench.go(threads, thread, write(site + 20, Value::truth(false))));
        }
    }
    worst(&races)
}

#[test]
fn two_threads_that_wait_for_a_variable_both_take_it() {
    let taken = Value::truth(true);
    for is_taken_back in [true, false] {
        assert_eq!(spun([1, 1], taken, is_taken_back), Some(Severity::Error));
        assert_ne!(spun([1, 2], taken, is_taken_back), Some(Severity::Error), "each waits at another place");
    }
    assert_ne!(spun([1, 1], Value::truth(false), false), Some(Severity::Error), "it is what they have waited for");
    assert_ne!(spun([1, 1], Value::UNKNOWN, false), Some(Severity::Error));
}

#[test]
fn two_threads_that_have_waited_at_once_both_take_it() {
    let bench = Bench::new();
    let threads = bench.threads();
    let known = AccessFacts::TESTED | AccessFacts::POLLED | AccessFacts::ACTING;
    let wait = Access { turn: Turn::UNSET, ..access(AccessKind::Read, 1).with(known) };
    let write =
        |site, is_set| Access { value: Value::truth(is_set), ..access(AccessKind::Write, site).with(AccessFacts::CONSTANT) };
    bench.go(threads, 0, wait);
    bench.go(threads, 1, wait);
    let of_the_first = bench.go(threads, 0, write(2, true));
    assert!(of_the_first.iter().all(|race| (race.kind, race.is_checked) == (AccessKind::Update, true)), "{of_the_first:?}");
    bench.go(threads, 0, write(3, false));
    let races = bench.go(threads, 1, write(2, true));
    let taken = |race: &&Race| race.earlier.site == 2;
    assert!(!of_the_first.is_empty() && races.iter().any(|race| taken(&race)), "{races:?}");
    let check = Some(AccessSite { site: 1, stack: 7 });
    assert!(races.iter().filter(taken).all(|race| (race.earlier_check, race.check) == (check, check)), "{races:?}");
    let told = races.iter().filter(taken).map(|race| (race.earlier_kind, race.kind, race.is_checked, race.witnessed));
    assert!(told.clone().all(|told| told == (AccessKind::Update, AccessKind::Update, true, false)), "{races:?}");
}

#[test]
fn true_and_false_are_two_answers() {
    let [set, unset] = [true, false].map(Value::truth);
    assert!(set.is_fixed() && !set.is_object() && !set.is_cacheable() && set.may_be_counted());
    assert_ne!(set.as_answer(), unset.as_answer());
    assert_eq!([set, unset].map(Value::is_true), [Some(true), Some(false)]);
    assert_eq!([Value::flag(16), Value::of(6), Value::fixed(6).as_claim(), Value::UNKNOWN].map(Value::is_true), [None; 4]);
}

#[test]
fn what_a_function_has_checked_its_callee_writes_whatever_is_handed_over_meanwhile() {
    for (is_filled, expected) in [(true, Some(Severity::Error)), (false, Some(Severity::Info))] {
        let bench = Bench::new();
        let threads = bench.threads();
        let check = access(AccessKind::Read, 1).with(AccessFacts::TESTED);
        bench.go(threads, 0, check);
        threads[0].advance(&bench.clocks);
        let write = Access {
            code: 2,
            value: Value::truth(true),
            ..access(AccessKind::Write, 2).with(AccessFacts::FILLED.when(is_filled) | AccessFacts::CONSTANT)
        };
        bench.go(threads, 0, write);
        assert_eq!(worst(&bench.go(threads, 1, check)), expected);
    }
}

#[test]
fn a_thread_makes_what_another_one_has_not_found() {
    for (fact, expected) in [(AccessFacts::LAZY, AccessKind::Update), (AccessFacts::NONE, AccessKind::Write)] {
        let bench = Bench::new();
        let threads = bench.threads();
        bench.go(threads, 0, access(AccessKind::Read, 1).with(AccessFacts::TESTED | fact));
        let mut asked = crate::races::clock::Clock::default();
        threads[0].release_into(&bench.clocks, &mut asked);
        threads[0].advance(&bench.clocks);
        threads[1].acquire_from(&bench.clocks, &asked);
        let write = Access { value: Value::identity(64), ..access(AccessKind::Write, 2) };
        assert_eq!(bench.shadow.access(&write, threads[1], &bench.memories[1], || 7).0, expected);
    }
}
