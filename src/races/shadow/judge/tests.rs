//! When a flag and what it speaks for were written, as cells remember it.

use super::*;
use crate::races::clock::Clocks;
use crate::races::shadow::Shadow;
use zerocopy::FromZeros as _;

const SETTER: u32 = 2;

/// Whether this write (number, the one before, the first one) was complete when the flag was set (number, the one before).
fn was_complete([sequence, before, first]: [u32; 3], flag: [u32; 2]) -> bool {
    let cell = Cell::new_zeroed();
    let write = &cell.writes[0];
    write.epoch.store(u64::from(SETTER) << 48 | 1, Relaxed);
    write.sequence.store(sequence, Relaxed);
    write.before.store(before, Relaxed);
    write.first.store(first, Relaxed);
    Now::was_complete(&cell, write, Flag { setter: SETTER, sequence: flag[0], before: flag[1], ..Flag::default() })
}

#[test]
fn what_its_thread_wrote_since_the_last_round_and_before_the_flag_was_complete() {
    for (name, write, flag, expected) in [
        ("before the flag, which was never set before", [5, NEVER, 5], [10, NEVER], true),
        ("in the same round", [5, NEVER, 5], [10, 3], true),
        ("in the round before", [5, NEVER, 5], [10, 7], false),
        ("in whichever round", [5, NEVER, 5], [10, MEANWHILE], false),
        ("after the flag only", [12, NEVER, 12], [10, NEVER], false),
        ("again, and before it in the same round", [12, 5, 5], [10, 3], true),
        ("again, and before it in another round", [12, 5, 5], [10, 7], false),
        ("too often, for the first time before the flag", [14, 12, 8], [10, NEVER], true),
        ("too often, always after the flag", [14, 12, 11], [10, NEVER], false),
        ("too often, and others as well", [14, 12, MEANWHILE], [10, NEVER], true),
        ("after others, having written it before", [12, MEANWHILE, MEANWHILE], [10, NEVER], true),
        ("after others, for the first time", [12, MEANWHILE, 12], [10, NEVER], false),
    ] {
        assert_eq!(was_complete(write, flag), expected, "{name}");
    }
}

#[test]
fn of_what_others_wrote_since_it_is_known_whether_the_setter_ever_had() {
    let cell = Cell::new_zeroed();
    cell.writes[0].epoch.store(u64::from(SETTER + 1) << 48 | 1, Relaxed);
    cell.writes[0].sequence.store(5, Relaxed);
    let flag = Flag { setter: SETTER, sequence: 10, ..Flag::default() };
    assert!(!Now::was_complete(&cell, &cell.writes[0], flag));
    cell.notes_writer(SETTER);
    assert!(Now::was_complete(&cell, &cell.writes[0], flag));
}

#[test]
fn of_a_write_it_is_remembered_when_its_thread_wrote_before_and_first() {
    use AccessKind::{Insert, Write};
    for (name, writes, expected) in [
        ("the first one", &[(0, Write)][..], [1, NEVER, 1]),
        ("the first one of another thread", &[(1, Write)], [1, NEVER, 1]),
        ("the second one", &[(0, Write), (0, Write)], [2, 1, 1]),
        ("the third one", &[(0, Write), (0, Write), (0, Write)], [3, 2, 1]),
        ("after another thread", &[(0, Write), (1, Write)], [1, MEANWHILE, 1]),
        ("after another thread, again", &[(0, Write), (1, Write), (0, Write)], [2, MEANWHILE, MEANWHILE]),
        ("additions take nothing back", &[(0, Insert), (1, Insert)], [1, NEVER, 1]),
        ("a write takes an addition back", &[(0, Insert), (1, Write)], [1, MEANWHILE, 1]),
        ("an addition is made to something else", &[(0, Write), (1, Insert)], [1, MEANWHILE, 1]),
    ] {
        let (clocks, shadow, memories) = (Clocks::default(), Shadow::of_bytes(1 << 12), <[ThreadHistory; 2]>::default());
        let threads = [clocks.enter(), clocks.enter()];
        for (thread, kind) in writes {
            let access = Access { location: 7, ..Access::new(*kind, 1, 1) };
            let _ = shadow.access(&access, threads[*thread], &memories[*thread], || 7);
        }
        let last = shadow.find(7).unwrap().last();
        assert_eq!([&last.sequence, &last.before, &last.first].map(|number| number.load(Relaxed)), expected, "{name}");
    }
}

/// The last of these reads, as it is remembered.
fn remembered(accesses: &[Access]) -> (u16, u8) {
    let (clocks, shadow, memory) = (Clocks::default(), Shadow::of_bytes(1 << 12), ThreadHistory::default());
    let clock = clocks.enter();
    for access in accesses {
        let _ = shadow.access(&Access { location: 7, ..*access }, clock, &memory, || 7);
    }
    let own = shadow.find(7).unwrap().own_read(clock.epoch()).unwrap();
    (own.read.state.load(Relaxed), own.marks)
}

#[test]
fn of_a_read_it_is_remembered_whether_its_thread_has_waited_and_whether_a_function_fills_it() {
    use crate::races::facts::AccessFacts;
    let read = |site| Access::new(AccessKind::Read, site, 1);
    let poll = read(1).with(AccessFacts::POLLED);
    let has_waited = |accesses: &[Access]| remembered(accesses).0 & state::WAITED != 0;
    assert!(!has_waited(&[poll]) && !has_waited(&[read(2)]));
    assert!(has_waited(&[poll, read(2)]) && has_waited(&[poll, read(2), read(3)]));
    assert!(!has_waited(&[poll, Access::new(AccessKind::Write, 4, 1), read(2)]), "it is something else by now");
    let filled = Access { turn: Turn::SET, ..read(1).with(AccessFacts::FILLED) };
    assert_eq!(remembered(&[filled]).1, Turn::SET.0 | mark::FILLED);
    assert_eq!(remembered(&[read(1)]).1, 0);
}

/// The bits of what is forgotten once this read has lost its place to the last one of so many threads that there is no other.
fn forgotten(of: Access) -> u16 {
    let (clocks, shadow, memory) = (Clocks::default(), Shadow::of_bytes(1 << 12), ThreadHistory::default());
    for number in 0..5 {
        let read = if number == 0 { of } else { Access::new(AccessKind::Read, 9, 1) };
        let _ = shadow.access(&Access { location: 7, ..read }, clocks.enter(), &memory, || 7);
    }
    u16::from(shadow.find(7).unwrap().forgotten.load(Relaxed))
}

#[test]
fn of_a_read_that_is_forgotten_it_is_known_whether_its_thread_waited() {
    use crate::races::facts::AccessFacts;
    let read = Access::new(AccessKind::Read, 1, 1);
    let (poll, turn) = (read.with(AccessFacts::POLLED), Access { turn: Turn::SET, ..read });
    assert_eq!(forgotten(read), state::MAY_GO_BACK);
    assert_eq!(forgotten(poll), state::MAY_GO_BACK | state::POLLED);
    assert_eq!(forgotten(turn), state::MAY_GO_BACK | state::TURN);
}

#[test]
fn an_iteration_that_is_over_gives_its_place_away_and_a_read_does_not() {
    for (kind, readers) in [(AccessKind::Iterate, 3), (AccessKind::Read, 5)] {
        let (clocks, shadow, memory) = (Clocks::default(), Shadow::of_bytes(1 << 12), ThreadHistory::default());
        let threads: Vec<&ThreadClock> = (0..readers).map(|_| clocks.enter()).collect();
        let access = Access { location: 7, ..Access::new(kind, 1, 1) };
        let first = threads[0].epoch();
        let _ = shadow.access(&access, threads[0], &memory, || 7);
        let last = threads[readers - 1];
        last.acquire_all(&clocks);
        threads[0].advance(&clocks);
        let _ = shadow.access(&access, last, &memory, || 7);
        let cell = shadow.find(7).unwrap();
        let is_kept = cell.reads_of(kind).0.iter().any(|known| Epoch::from_bits(known.load(Relaxed)) == first);
        assert_eq!(is_kept, kind == AccessKind::Read, "{kind:?}");
    }
}

/// Whether the first thread's last read is up to date.
fn is_up_to_date(accesses: &[(usize, Access)]) -> bool {
    let (clocks, shadow, memories) = (Clocks::default(), Shadow::of_bytes(1 << 12), <[ThreadHistory; 2]>::default());
    let threads = [clocks.enter(), clocks.enter()];
    for (thread, access) in accesses {
        let _ = shadow.access(&Access { location: 7, ..*access }, threads[*thread], &memories[*thread], || 7);
    }
    let cell = shadow.find(7).unwrap();
    cell.own_read(threads[0].epoch()).unwrap().read.version.load(Relaxed) == cell.version.load(Relaxed)
}

#[test]
fn who_was_up_to_date_is_so_after_a_write_of_its_own_unless_it_waits() {
    use crate::races::facts::AccessFacts;
    let [read, write] = [AccessKind::Read, AccessKind::Write].map(|kind| Access::new(kind, 1, 1));
    let poll = Access { site: 2, ..read }.with(AccessFacts::POLLED);
    assert!(is_up_to_date(&[(0, read)]) && is_up_to_date(&[(0, read), (0, write)]));
    assert!(!is_up_to_date(&[(0, read), (1, write)]) && !is_up_to_date(&[(0, read), (1, write), (0, write)]));
    assert!(!is_up_to_date(&[(0, poll), (0, write)]) && !is_up_to_date(&[(0, poll), (0, read), (0, write)]));
}
