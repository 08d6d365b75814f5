//! Cycles of the lock-order graph that are a deadlock waiting to happen.
//!
//! A cycle is one if each of its steps was seen in another thread, and no two of these held a lock in common: only then all of them can
//! be in the middle of their step at once, each waiting for what the next one holds (Joshi et al., "A randomized dynamic program
//! analysis technique for detecting real deadlocks", PLDI 2009).  One thread alone, or threads that a common lock keeps apart, are fine; so
//! are more threads than a semaphore that all of them take lets in.
//!
//! The search is limited in length and effort; a cycle that it does not get to is a miss.

use super::LockId;
use super::order::{LockOrder, Taken};
use std::collections::{HashMap, VecDeque};

/// The longest cycle that is looked for.
const LONGEST: usize = 12;

/// How many steps are tried at most.
const EFFORT: usize = 20_000;

/// One step of a cycle: a thread that held `from` wanted `to`.
#[derive(Debug, Clone)]
pub struct Step<E> {
    /// What was held.
    pub from: LockId,
    /// What was wanted.
    pub to: LockId,
    /// What a report needs to know.
    pub evidence: E,
}

impl<E: Clone> LockOrder<E> {
    /// `to` was wanted while `from` was held.  The cycle that this closes, if there is one: this step comes first, and the last one
    /// wants `from`.
    pub fn add(&mut self, from: LockId, to: LockId, taken: Taken<E>) -> Option<Vec<Step<E>>> {
        if self.edges.get(&(from, to)).is_some_and(|edge| edge.taken.iter().any(|known| known.covers(&taken))) {
            return None;
        }
        let cycle = closed_by(self, from, to, &taken);
        self.keep(from, to, taken);
        cycle
    }
}

/// The shortest cycle that begins with a step that is not in the graph yet.
fn closed_by<E: Clone>(order: &LockOrder<E>, from: LockId, to: LockId, taken: &Taken<E>) -> Option<Vec<Step<E>>> {
    let distances = distances_to(order, from, to)?;
    let mut search = Search { order, end: from, distances: &distances, path: vec![(from, to, taken)], effort: EFFORT };
    let found = (distances[&to]..LONGEST).any(|left| search.goes_on(to, left));
    let step = |(from, to, taken): &(LockId, LockId, &Taken<E>)| Step { from: *from, to: *to, evidence: taken.evidence.clone() };
    found.then(|| search.path.iter().map(step).collect())
}

/// How many steps it takes from each lock to `end`; `None` if there is no way from `begin`.
fn distances_to<E>(order: &LockOrder<E>, end: LockId, begin: LockId) -> Option<HashMap<LockId, usize>> {
    // Most locks are taken last by all.
    if order.nodes.get(&begin)?.after.is_empty() {
        return None;
    }
    let mut distances = HashMap::from([(end, 0)]);
    let mut next = VecDeque::from([end]);
    while let Some(lock) = next.pop_front() {
        let distance = distances[&lock] + 1;
        for before in order.nodes.get(&lock).map_or(&[][..], |node| &node.before) {
            if distance < LONGEST && !distances.contains_key(before) {
                distances.insert(*before, distance);
                next.push_back(*before);
            }
        }
    }
    distances.contains_key(&begin).then_some(distances)
}

struct Search<'a, E> {
    order: &'a LockOrder<E>,
    end: LockId,
    distances: &'a HashMap<LockId, usize>,
    path: Vec<(LockId, LockId, &'a Taken<E>)>,
    effort: usize,
}

impl<E: Clone> Search<'_, E> {
    /// Whether one more thread can be at its step while those of the path are at theirs.
    fn can_meet(&self, taken: &Taken<E>) -> bool {
        let holding = |lock| self.path.iter().filter(|(_, _, before)| before.holds(lock)).count();
        self.path.iter().all(|(_, _, before)| before.thread != taken.thread)
            && taken.held.iter().all(|lock| holding(*lock) < self.order.room(*lock))
    }

    /// Whether `end` can be reached from `at` in exactly `left` steps; then the path is that way.
    fn goes_on(&mut self, at: LockId, left: usize) -> bool {
        let order = self.order;
        for next in order.nodes.get(&at).map_or(&[][..], |node| &node.after) {
            if self.distances.get(next).is_none_or(|distance| *distance >= left) || (left > 1 && *next == self.end) {
                continue;
            }
            for taken in order.edges.get(&(at, *next)).map_or(&[][..], |edge| &edge.taken) {
                if self.effort == 0 {
                    return false;
                }
                self.effort -= 1;
                if !self.can_meet(taken) {
                    continue;
                }
                self.path.push((at, *next, taken));
                if *next == self.end || self.goes_on(*next, left - 1) {
                    return true;
                }
                self.path.pop();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 10_000;

    /// The locks of the cycle that the last of these closes: (thread, held, wanted), where what is held last is what counts.
    fn closed(all: &[(u64, &[LockId], LockId)]) -> Option<Vec<LockId>> {
        let mut order = LockOrder::new(MANY);
        let mut found = None;
        for (thread, held, wanted) in all {
            assert!(found.is_none(), "closed too early");
            found = want(&mut order, *thread, held, *wanted);
        }
        found.map(|steps| steps.iter().map(|step| step.from).collect())
    }

    fn want(order: &mut LockOrder<u64>, thread: u64, held: &[LockId], wanted: LockId) -> Option<Vec<Step<u64>>> {
        let mut sorted = held.to_vec();
        sorted.sort_unstable();
        let all =
            held.iter().rev().map(|from| order.add(*from, wanted, Taken { thread, held: sorted.clone().into(), evidence: thread }));
        all.collect::<Vec<_>>().into_iter().flatten().next()
    }

    #[test]
    fn two_threads_and_two_locks_in_opposite_order() {
        assert_eq!(closed(&[(1, &[10], 20), (2, &[20], 10)]), Some(vec![20, 10]));
        assert_eq!(closed(&[(1, &[10], 20), (2, &[10], 20)]), None);
    }

    #[test]
    fn a_thread_does_not_wait_for_itself() {
        assert_eq!(closed(&[(1, &[10], 20), (1, &[20], 10)]), None);
        assert_eq!(closed(&[(1, &[10], 20), (1, &[20], 10), (2, &[10], 20)]), Some(vec![10, 20]));
    }

    #[test]
    fn three_threads_and_three_locks() {
        assert_eq!(closed(&[(1, &[10], 20), (2, &[20], 30), (3, &[30], 10)]), Some(vec![30, 10, 20]));
        assert_eq!(closed(&[(1, &[10], 20), (1, &[20], 30), (3, &[30], 10)]), None, "the first cannot wait twice");
    }

    #[test]
    fn a_lock_that_all_hold_keeps_them_apart() {
        assert_eq!(closed(&[(1, &[5, 10], 20), (2, &[5, 20], 10)]), None);
        assert_eq!(closed(&[(1, &[5, 10], 20), (2, &[6, 20], 10)]), Some(vec![20, 10]));
        assert_eq!(closed(&[(1, &[5, 10], 20), (2, &[5, 20], 10), (1, &[10], 20)]), Some(vec![10, 20]), "and once without");
        assert_eq!(closed(&[(1, &[5, 10], 20), (2, &[20], 30), (3, &[5, 30], 10)]), None, "two of three");
    }

    #[test]
    fn a_semaphore_keeps_apart_more_threads_than_it_lets_in() {
        let cycle = |room: usize, threads: u64| {
            let fork = |n: u64| (n % threads + 10) as LockId;
            let mut order = LockOrder::new(MANY);
            order.let_in(5, room);
            (0..threads).find_map(|n| want(&mut order, n, &[5, fork(n)], fork(n + 1))).map(|steps| steps.len())
        };
        assert_eq!((cycle(1, 2), cycle(2, 2)), (None, Some(2)));
        assert_eq!((cycle(2, 3), cycle(3, 3)), (None, Some(3)));
        let mut order = LockOrder::<()>::new(MANY);
        order.let_in(5, 2);
        order.forget(5);
        assert_eq!(order.room(5), 1, "another lock has its number");
    }

    #[test]
    fn all_that_is_held_counts_and_not_only_the_last() {
        assert_eq!(closed(&[(1, &[10], 15), (1, &[10, 15], 20), (2, &[20], 10)]), Some(vec![20, 10]));
    }

    #[test]
    fn philosophers() {
        let fork = |n: u64| n as LockId % 7 + 1;
        let mut order = LockOrder::new(MANY);
        let found: Vec<_> = (0..7).map(|n| want(&mut order, n, &[fork(n)], fork(n + 1))).collect();
        assert!(found[..6].iter().all(Option::is_none));
        let threads: Vec<u64> = found[6].as_ref().unwrap().iter().map(|step| step.evidence).collect();
        assert_eq!(threads, [6, 0, 1, 2, 3, 4, 5]);

        let mut ordered = LockOrder::new(MANY);
        let low_first = |n: u64| (fork(n).min(fork(n + 1)), fork(n).max(fork(n + 1)));
        assert!((0..7).map(low_first).enumerate().all(|(n, (low, high))| want(&mut ordered, n as u64, &[low], high).is_none()));
    }

    #[test]
    fn the_shortest_cycle_is_told() {
        let found = closed(&[(1, &[10], 20), (2, &[20], 30), (3, &[30], 40), (4, &[20], 40), (5, &[40], 10)]);
        assert_eq!(found, Some(vec![40, 10, 20]));
    }

    #[test]
    fn a_lock_that_was_forgotten_closes_nothing() {
        let mut order = LockOrder::new(MANY);
        want(&mut order, 1, &[10], 20);
        order.forget(10);
        assert!(want(&mut order, 2, &[20], 10).is_none());
        assert!(want(&mut order, 1, &[10], 20).is_some());
    }

    #[test]
    fn many_ways_take_limited_effort() {
        let mut order = LockOrder::new(MANY);
        let layer = |n: u32| (n * 30 + 10)..(n * 30 + 40);
        for n in 0..8 {
            for from in layer(n) {
                layer(n + 1).for_each(|to| assert!(want(&mut order, 1, &[from], to).is_none()));
            }
        }
        let begun = std::time::Instant::now();
        assert!(want(&mut order, 2, &[layer(8).start], layer(0).start).is_none());
        assert!(begun.elapsed().as_secs() < 5);
    }
}
