//! Threads that wait for a variable, or check it and leave it to others to write.

use super::*;

#[test]
fn of_two_threads_that_wait_for_numbers_only_one_acts() {
    let at = |acts_at: u8| (None, acts_at);
    for (cases, expected) in [
        ([at(1), at(2)], None),
        ([at(1), (Some(false), 0)], None),
        ([at(1), at(1)], Some(Severity::Error)),
        ([at(1), (Some(true), 0)], Some(Severity::Error)),
    ] {
        let bench = Bench::new();
        let threads = bench.threads();
        let check = |thread: usize| {
            let (acts_if, acts_at) = cases[thread];
            Access { is_tested: true, is_acting: true, acts_if, acts_at, ..access(AccessKind::Read, 1 + thread as u32) }
        };
        bench.go(threads, 0, check(0));
        bench.go(threads, 1, check(1));
        let mut races = bench.go(threads, 0, Access { value: Value::of(4), is_constant: true, ..access(AccessKind::Write, 3) });
        races.extend(bench.go(threads, 1, check(1)));
        races.extend(bench.go(threads, 1, Access { value: Value::of(6), is_constant: true, ..access(AccessKind::Write, 4) }));
        assert_eq!(worst(&races), expected, "{cases:?}");
    }
}

#[test]
fn what_a_function_has_checked_its_callee_writes_whatever_is_handed_over_meanwhile() {
    for (is_filled, expected) in [(true, Some(Severity::Error)), (false, Some(Severity::Info))] {
        let bench = Bench::new();
        let threads = bench.threads();
        let check = Access { is_tested: true, ..access(AccessKind::Read, 1) };
        bench.go(threads, 0, check);
        threads[0].advance(&bench.clocks);
        let write = Access { code: 2, value: Value::flag(16), is_filled, is_constant: true, ..access(AccessKind::Write, 2) };
        bench.go(threads, 0, write);
        assert_eq!(worst(&bench.go(threads, 1, check)), expected);
    }
}
