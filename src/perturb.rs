//! `--perturb`: which steps of a thread are held up, and how long: schedules that luck does not show.
//!
//! A decision is a function of the seed, of the thread and of the number of the step among the thread's own of its kind.  A thread is known
//! by whose how-manieth thread it is, not by when it began.  So the same seed makes the same decisions, however fast the threads run, as
//! long as they take the same steps.
//!
//! Steps that the standard library takes where it waits for others are none of this: how many there are is a matter of time.
//!
//! Steps become many and threads go on for days, so what is held up becomes rarer with a thread's steps, and never stops.

use crate::races::mix;
use std::cell::Cell;
use std::time::Duration;

/// What a thread is about to do.  Each kind is counted by itself: what the system calls of a thread are depends on more than the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// To begin.
    Start,
    /// An access in watched code.
    Access,
    /// A call of a watched method, or one that orders threads.
    Call,
    /// A system call.
    SystemCall,
}

/// How many kinds of steps there are.
const KINDS: usize = 4;

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The thread takes it at once.
    GoOn,
    /// Others that are ready go first.
    Yield,
    /// The thread waits so long.
    Wait(Duration),
}

/// No thread waits longer before a step.
pub const LONGEST: Duration = Duration::from_millis(2);

/// A short wait: about as long as the system takes to wake a thread up.
const SHORT: Duration = Duration::from_micros(200);

/// Up to which step one of how many is held up.
const RATES: [(u64, u64); 5] = [(32, 3), (256, 8), (4096, 32), (65_536, 256), (u64::MAX, 8192)];

/// Files and folders of the standard library that wait for others.
const WAITING: [&str; 8] = [
    "threading.py",
    "queue.py",
    "selectors.py",
    "subprocess.py",
    "socketserver.py",
    "asyncio/",
    "concurrent/futures/",
    "multiprocessing/",
];

/// Whether this file, by its path in the standard library, does something as often as it has to wait.
pub fn waits(file: &str) -> bool {
    WAITING.iter().any(|place| if place.ends_with('/') { file.starts_with(place) } else { file == *place })
}

/// A number for anything that is numbered in something that has a number.
#[inline]
fn below(parent: u64, number: u64) -> u64 {
    mix(mix(parent).wrapping_add(number).wrapping_add(1))
}

/// The number of a thread that is not held up.
pub const NOBODY: u64 = u64::MAX;

/// The number of a thread that nobody of the same process has started.
pub fn first(seed: u64) -> u64 {
    below(0, seed)
}

/// What becomes of the step with this number, from 0, of a thread.
#[inline]
pub fn decide(thread: u64, step: Step, number: u64) -> Decision {
    let drawn = below(below(thread, step as u64), number);
    let rate = RATES.iter().find(|(most, _)| number < *most).map_or(u64::MAX, |(_, rate)| *rate);
    let rate = if step == Step::Start { 2 } else { rate };
    if !drawn.is_multiple_of(rate) {
        return Decision::GoOn;
    }
    // Letting others go first helps where threads are many; in a long wait a thread gets far ahead of another one.
    let (kind, length) = (drawn / rate % 16, drawn / rate / 16);
    let part = |of: Duration| Duration::from_nanos(1_000 + length % (of.as_nanos() as u64 - 1_000));
    match kind {
        0..5 => Decision::Yield,
        5..13 => Decision::Wait(part(SHORT)),
        _ => Decision::Wait(part(LONGEST)),
    }
}

/// What is counted of one thread; only the thread itself does so.
#[derive(Debug, Default)]
pub struct Strand {
    thread: Cell<u64>,
    steps: [Cell<u64>; KINDS],
    children: Cell<u64>,
}

impl Strand {
    /// Which thread it is; 0 if that was not said yet.
    #[inline]
    pub fn thread(&self) -> u64 {
        self.thread.get()
    }

    /// It is this thread, and has done nothing so far.
    pub fn begin(&self, thread: u64) {
        self.thread.set(thread);
        self.steps.iter().chain([&self.children]).for_each(|count| count.set(0));
    }

    /// The number of the next thread that this one starts, or of the process that it is about to become.
    pub fn next_child(&self) -> u64 {
        let children = self.children.get();
        self.children.set(children + 1);
        self.child(children)
    }

    /// The number that [`Strand::next_child`] gave last.
    pub fn last_child(&self) -> u64 {
        self.child(self.children.get().saturating_sub(1))
    }

    fn child(&self, number: u64) -> u64 {
        // Beside the thread's own steps.
        below(below(self.thread.get(), KINDS as u64), number)
    }

    /// What becomes of the thread's next step of this kind, and the decision's part of [`Decisions`].
    #[inline]
    pub fn next(&self, step: Step) -> (Decision, u64) {
        let (thread, steps) = (self.thread.get(), &self.steps[step as usize]);
        let number = steps.get();
        steps.set(number.wrapping_add(1));
        let decision = decide(thread, step, number);
        let length = match decision {
            Decision::GoOn => return (decision, 0),
            Decision::Yield => 0,
            Decision::Wait(length) => length.as_nanos() as u64,
        };
        (decision, below(below(below(thread, step as u64), number), length))
    }
}

/// The number of a thread of this name, the same one in whatever order such threads do something; [`NOBODY`] without a name.
pub fn named(seed: u64, name: &str) -> u64 {
    if name.is_empty() { NOBODY } else { name.bytes().fold(first(seed), |number, byte| below(number, byte.into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(thread: u64, step: Step, count: u64) -> Vec<Decision> {
        (0..count).map(|number| decide(thread, step, number)).collect()
    }

    #[test]
    fn a_decision_is_a_function_of_seed_thread_kind_and_number() {
        let thread = |seed| {
            let main = Strand::default();
            main.begin(first(seed));
            main.next_child();
            main.next_child()
        };
        let decisions = all(thread(7), Step::Access, 5_000);
        assert_eq!(decisions, all(thread(7), Step::Access, 5_000));
        assert_ne!(decisions, all(thread(8), Step::Access, 5_000));
        assert_ne!(decisions, all(first(7), Step::Access, 5_000));
        assert_ne!(decisions, all(thread(7), Step::Call, 5_000));
    }

    #[test]
    fn the_order_in_which_threads_step_changes_nothing() {
        let two = || {
            let strands = [Strand::default(), Strand::default()];
            strands.iter().zip([3, 4]).for_each(|(strand, thread)| strand.begin(thread));
            strands
        };
        let sum = |order: &mut dyn Iterator<Item = usize>| {
            let strands = two();
            order.map(|which| strands[which].next(Step::Access).1).fold(0, u64::wrapping_add)
        };
        let one_after_the_other = sum(&mut (0..2_000).map(|number| number / 1_000));
        assert_eq!(one_after_the_other, sum(&mut (0..2_000).map(|number| number % 2)));
        assert_ne!(one_after_the_other, sum(&mut (0..2_000).map(|_| 0)));
    }

    #[test]
    fn all_kinds_of_decisions_are_made_and_none_is_longer_than_said() {
        let decisions = all(first(1), Step::Call, 100_000);
        let count = |is: fn(&&Decision) -> bool| decisions.iter().filter(is).count();
        assert!(count(|one| **one == Decision::Yield) > 100);
        assert!(count(|one| matches!(one, Decision::Wait(length) if *length <= SHORT)) > 100);
        assert!(count(|one| matches!(one, Decision::Wait(length) if *length > SHORT)) > 5);
        assert!(count(|one| matches!(one, Decision::Wait(length) if *length > LONGEST || length.is_zero())) == 0);
    }

    #[test]
    fn what_goes_on_for_long_is_held_up_rarely_but_always_again() {
        let held_up = |from: u64, to| (from..to).filter(|number| decide(9, Step::Access, *number) != Decision::GoOn).count();
        assert!((16..64).contains(&held_up(0, 256)), "{}", held_up(0, 256));
        let late = held_up(1_000_000, 3_000_000);
        assert!((150..350).contains(&late), "{late}");
    }

    #[test]
    fn a_process_that_is_forked_is_another_thread_than_the_one_before() {
        let strand = Strand::default();
        strand.begin(first(1));
        let children = [strand.next_child(), strand.next_child()];
        assert_ne!(children[0], children[1]);
        assert_eq!(strand.last_child(), children[1]);
    }

    #[test]
    fn libraries_that_wait_are_known_by_their_place() {
        assert!(waits("threading.py") && waits("asyncio/base_events.py"));
        assert!(!waits("socket.py") && !waits("queue.pyc") && !waits("x/asyncio/base_events.py") && !waits(""));
    }

    #[test]
    fn names_tell_threads_apart() {
        assert_eq!(named(1, "test_a.py::test"), named(1, "test_a.py::test"));
        assert_ne!(named(1, "test_a.py::test"), named(1, "test_b.py::test"));
        assert_ne!(named(1, "test_a.py::test"), named(2, "test_a.py::test"));
        assert_eq!(named(1, ""), NOBODY);
    }
}
