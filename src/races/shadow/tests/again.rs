//! Reads between a look and the act that it decides, acts by the call that has asked, and values that were whole before.

use super::*;

const TESTED: AccessFacts = AccessFacts::TESTED;
const ACTING: AccessFacts = AccessFacts::ACTING;
const ERROR: Option<Severity> = Some(Severity::Error);
const INFO: Option<Severity> = Some(Severity::Info);

/// Where the thread looks, where it reads once more, and where it writes.
const LOOK: u32 = 1;
const AGAIN: u32 = 2;
const ACT: u32 = 3;

fn read(site: u32, facts: AccessFacts) -> Access {
    access(AccessKind::Read, site).with(facts)
}

/// The races of each of these accesses, which nothing orders.
fn races(trace: &[(usize, Access)]) -> Vec<Vec<Race>> {
    let bench = Bench::new();
    let threads = bench.threads();
    trace.iter().map(|(thread, access)| bench.go(threads, *thread, *access)).collect()
}

#[test]
fn an_act_after_another_read_goes_back_to_the_look() {
    let [look, again] = [read(LOOK, TESTED | ACTING), read(AGAIN, ACTING)];
    for facts in [AccessFacts::NONE, AccessFacts::CONSTANT] {
        let act = access(AccessKind::Write, ACT).with(facts);
        let too_late = races(&[(0, look), (0, again), (0, act), (1, look)]);
        let [race] = too_late[3][..] else { panic!("one race") };
        assert_eq!(
            (race.severity, race.is_checked, race.earlier_check.map(|check| check.site)),
            (Severity::Error, true, Some(LOOK))
        );
        let in_time = races(&[(1, look), (0, look), (0, again), (0, act)]);
        let [race] = in_time[3][..] else { panic!("one race") };
        assert_eq!((race.severity, race.is_checked, race.check.map(|check| check.site)), (Severity::Error, true, Some(LOOK)));
        // Without the look it is an update, or a write that goes back to nothing.
        let blind = races(&[(0, read(AGAIN, AccessFacts::NONE)), (0, act), (1, look)]);
        assert_eq!(worst(&blind[2]), INFO);
    }
}

#[test]
fn one_of_two_counts_that_a_look_decides_is_lost() {
    let [look, again] = [read(LOOK, TESTED | ACTING), read(AGAIN, ACTING)];
    let act = |value| Access { value: Value::of(value), ..access(AccessKind::Write, ACT) };
    let both = races(&[(0, look), (1, look), (0, again), (0, act(8)), (1, again), (1, act(8))]);
    assert_eq!(worst(&both[5]), ERROR, "of equal values, too");
    assert!(both[5].iter().any(|race| race.is_checked && race.check.map(|check| check.site) == Some(LOOK)));
    assert_eq!(worst(&both[4]), ERROR, "the second read comes too late");
}

#[test]
fn a_look_in_another_function_is_not_the_one_before_the_read() {
    let [look, again] = [Access { code: 9, ..read(LOOK, TESTED | ACTING) }, read(AGAIN, ACTING)];
    let all = races(&[(0, look), (0, again), (0, access(AccessKind::Write, ACT)), (1, access(AccessKind::Write, ACT))]);
    let checks: Vec<_> = all[3].iter().filter_map(|race| race.earlier_check.map(|check| check.site)).collect();
    assert_eq!(checks, [AGAIN]);
}

#[test]
fn what_was_whole_before_it_was_published_is_changed_and_not_completed() {
    const PUBLISHED: u64 = 0x1000;
    let publish = Access { location: 1, value: Value::identity(PUBLISHED), ..access(AccessKind::Write, 1) };
    let found = Access { location: 1, ..read(4, TESTED) };
    let shown = Access { location: 2, code: 2, owner: Value::identity(PUBLISHED), ..read(5, AccessFacts::NONE) };
    for (facts, expected) in [(AccessFacts::NONE, Some(Severity::Warning)), (AccessFacts::KEPT, INFO)] {
        let change = |site| Access { location: 2, ..access(AccessKind::Write, site) };
        let first = change(2).with(facts);
        let later = races(&[(0, publish), (0, first), (1, found), (1, shown)]);
        assert_eq!(worst(&later[3]), expected, "it was written before");
        let next = races(&[(0, publish), (0, first), (0, change(3)), (1, found), (1, shown)]);
        assert_eq!(worst(&next[4]), expected, "and what is written over it");
        let earlier = races(&[(0, publish), (1, found), (1, shown), (0, first)]);
        assert_eq!(worst(&earlier[3]), expected);
    }
}

#[test]
fn a_question_decides_what_the_call_does_that_has_asked() {
    let asked = read(LOOK, TESTED | AccessFacts::ASKED);
    let act = Access { code: 2, ..access(AccessKind::Write, ACT) };
    for (is_by_it, expected) in [(true, ERROR), (false, INFO)] {
        let act_for: fn(u32, u32) -> bool = if is_by_it { |_, _| true } else { |_, _| false };
        let bench =
            Bench { shadow: Shadow::of_bytes(1 << 16).comparing_by(Stacks { act_for, ..Stacks::default() }), ..Bench::new() };
        let threads = bench.threads();
        bench.go(threads, 0, asked);
        // Something was handed over meanwhile.
        let mut lock = crate::races::clock::Clock::default();
        threads[0].release_into(&bench.clocks, &mut lock);
        threads[0].advance(&bench.clocks);
        bench.go(threads, 0, act);
        assert_eq!(worst(&bench.go(threads, 1, asked)), expected);
    }
}
