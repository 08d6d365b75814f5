//! Numbers of lives: kept, renewed at a birth, never shared, one for all threads.

use super::*;
use std::collections::HashSet;
use std::sync::Barrier;
use std::sync::atomic::AtomicBool;

/// The header of an object that has nothing but the mark.
#[derive(Default)]
pub(in crate::races) struct Header(AtomicBool);

impl Mark for Header {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn an_object_keeps_its_number_and_a_reborn_one_does_not() {
    let lives = Lifetimes::of_objects(16);
    let (one, two) = (Header::default(), Header::default());
    let first = lives.life(0x1000, &one).number();
    assert_eq!(lives.life(0x1000, &one).number(), first);
    let second = lives.life(0x1000, &two).number();
    assert_ne!(second, first);
    assert_eq!(lives.life(0x1000, &two).number(), second);
}

#[test]
fn losing_an_entry_never_gives_another_objects_number() {
    let lives = Lifetimes::of_objects(1);
    let mut given = HashSet::new();
    let first = Header::default();
    let before = lives.life(0x1000, &first).number();
    for address in (0x1010..0x9000).step_by(16) {
        assert!(given.insert(lives.life(address, &Header::default()).number()));
    }
    assert!(
        given.insert(before) && given.insert(lives.life(0x1000, &first).number()),
        "its entry was lost, so it has a new number"
    );
}

#[test]
fn as_many_objects_as_were_asked_for_keep_nearly_all_their_numbers() {
    let count: usize = if cfg!(miri) { 50 } else { 5000 };
    let addresses = |step: u64| (0..count as u64).map(move |n| 0x7f12_3400_0000 + n * step);
    for step in [16, 48, 64, 112, 4096] {
        let lives = Lifetimes::of_objects(count * 13);
        let header = Header::default();
        let first: Vec<u64> = addresses(step).map(|address| lives.life(address, &Header::default()).number()).collect();
        header.set();
        let kept = addresses(step).zip(first).filter(|(address, life)| lives.life(*address, &header).number() == *life).count();
        assert!(kept >= count - count / 500, "{kept} of {count} objects at a distance of {step}");
    }
}

#[test]
fn threads_that_touch_an_object_first_in_the_same_instant_get_one_number() {
    let rounds: u64 = if cfg!(miri) { 20 } else { 20_000 };
    let lives = Lifetimes::of_objects(if cfg!(miri) { 1 << 8 } else { 1 << 16 });
    let headers: Vec<Header> = (0..rounds).map(|_| Header::default()).collect();
    let together = Barrier::new(2);
    let run = || {
        let objects = headers.iter().enumerate().map(|(number, header)| {
            together.wait();
            lives.life(0x1000 + 16 * number as u64, header).number()
        });
        objects.collect::<Vec<u64>>()
    };
    let (mine, theirs) = std::thread::scope(|scope| {
        let other = scope.spawn(run);
        (run(), other.join().unwrap())
    });
    assert_eq!(mine, theirs);
}
