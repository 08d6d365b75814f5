//! The lock-order graph: which lock was wanted while which was held, by which threads, and what else they held.
//!
//! An edge `A -> B` says that a thread that held A wanted B, without a limit of time.  It has a few [`Taken`]: the first one of each of a
//! few threads, and those that held less, because a further lock that is held may be the one that keeps threads apart.
//!
//! Bounded: of too many edges the oldest are forgotten, and with it an inversion may be missed.  Nothing is ever invented: a lock has
//! its id for itself, and the caller says when a lock is gone ([`LockOrder::forget`]).

use super::LockId;
use std::collections::{BTreeMap, HashMap};

/// How many are kept of an edge.
const MOST_TAKEN: usize = 4;

/// A lock was wanted by a thread that held others.  `E` is what a report needs to know of it.
#[derive(Debug, Clone)]
pub struct Taken<E> {
    /// Identity of the thread, which no other one has.
    pub thread: u64,
    /// All that the thread held, sorted.
    pub held: Box<[LockId]>,
    /// What a report needs to know.
    pub evidence: E,
}

impl<E> Taken<E> {
    pub(super) fn holds(&self, lock: LockId) -> bool {
        self.held.binary_search(&lock).is_ok()
    }

    /// Whether nothing new is said by `other`.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.thread == other.thread && self.held.iter().all(|lock| other.holds(*lock))
    }
}

#[derive(Debug)]
pub(super) struct Edge<E> {
    /// When it was first seen.
    number: u64,
    pub(super) taken: Vec<Taken<E>>,
}

/// The neighbours of a lock.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) after: Vec<LockId>,
    pub(super) before: Vec<LockId>,
}

/// The lock-order graph of a process.
#[derive(Debug)]
pub struct LockOrder<E> {
    pub(super) nodes: HashMap<LockId, Node>,
    pub(super) edges: HashMap<(LockId, LockId), Edge<E>>,
    /// How many threads semaphores let in at once, where that is more than one.
    rooms: HashMap<LockId, usize>,
    /// Edges by number.
    ages: BTreeMap<u64, (LockId, LockId)>,
    next: u64,
    most: usize,
}

impl<E: Clone> LockOrder<E> {
    /// A graph that forgets its oldest edge when there are more than `most`.
    pub fn new(most: usize) -> Self {
        LockOrder { nodes: HashMap::new(), edges: HashMap::new(), rooms: HashMap::new(), ages: BTreeMap::new(), next: 0, most }
    }

    /// The lock is that of a semaphore which so many threads may hold at once.
    pub fn let_in(&mut self, lock: LockId, room: usize) {
        self.rooms.insert(lock, room);
    }

    pub(super) fn room(&self, lock: LockId) -> usize {
        self.rooms.get(&lock).copied().unwrap_or(1)
    }

    pub(super) fn keep(&mut self, from: LockId, to: LockId, taken: Taken<E>) {
        if !self.edges.contains_key(&(from, to)) {
            if self.edges.len() >= self.most
                && let Some((_, oldest)) = self.ages.pop_first()
            {
                self.drop_edge(oldest);
            }
            self.ages.insert(self.next, (from, to));
            self.edges.insert((from, to), Edge { number: self.next, taken: Vec::new() });
            self.next += 1;
            self.nodes.entry(from).or_default().after.push(to);
            self.nodes.entry(to).or_default().before.push(from);
        }
        let Some(edge) = self.edges.get_mut(&(from, to)) else { return };
        edge.taken.retain(|known| !taken.covers(known));
        if edge.taken.len() == MOST_TAKEN && edge.taken.iter().all(|known| known.thread != taken.thread) {
            // Another thread says more than the same one a second time.
            let twice = |at: &usize| edge.taken[..*at].iter().any(|before| before.thread == edge.taken[*at].thread);
            if let Some(place) = (1..MOST_TAKEN).find(twice) {
                edge.taken.remove(place);
            }
        }
        if edge.taken.len() < MOST_TAKEN {
            edge.taken.push(taken);
        }
    }

    /// Forgets what this thread has taken in this order: it may be added again.
    pub fn drop_taken(&mut self, from: LockId, to: LockId, thread: u64) {
        let Some(edge) = self.edges.get_mut(&(from, to)) else { return };
        edge.taken.retain(|known| known.thread != thread);
        if edge.taken.is_empty() {
            self.drop_edge((from, to));
        }
    }

    fn drop_edge(&mut self, (from, to): (LockId, LockId)) {
        let Some(edge) = self.edges.remove(&(from, to)) else { return };
        self.ages.remove(&edge.number);
        for (lock, other, forward) in [(from, to, true), (to, from, false)] {
            let Some(node) = self.nodes.get_mut(&lock) else { continue };
            let side = if forward { &mut node.after } else { &mut node.before };
            side.retain(|neighbour| *neighbour != other);
            if node.after.is_empty() && node.before.is_empty() {
                self.nodes.remove(&lock);
            }
        }
    }

    /// A lock is gone, or is none: all that was learnt of its order is of no use.
    pub fn forget(&mut self, lock: LockId) {
        self.rooms.remove(&lock);
        let Some(node) = self.nodes.remove(&lock) else { return };
        node.after.into_iter().for_each(|after| self.drop_edge((lock, after)));
        node.before.into_iter().for_each(|before| self.drop_edge((before, lock)));
    }

    /// How many edges are known.
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(thread: u64, held: &[LockId]) -> Taken<()> {
        Taken { thread, held: held.into(), evidence: () }
    }

    /// Who is kept of an edge: thread and what it held.
    fn kept(order: &LockOrder<()>, from: LockId, to: LockId) -> Vec<(u64, Vec<LockId>)> {
        order.edges[&(from, to)].taken.iter().map(|taken| (taken.thread, taken.held.to_vec())).collect()
    }

    #[test]
    fn of_a_thread_what_it_did_with_the_fewest_locks_is_kept() {
        let mut order = LockOrder::new(10);
        order.add(1, 2, taken(1, &[1, 5]));
        order.add(1, 2, taken(1, &[1, 5, 6]));
        assert_eq!(kept(&order, 1, 2), [(1, vec![1, 5])]);
        order.add(1, 2, taken(1, &[1, 7]));
        order.add(1, 2, taken(1, &[1]));
        assert_eq!(kept(&order, 1, 2), [(1, vec![1])]);
        order.add(1, 2, taken(2, &[1, 5]));
        assert_eq!(kept(&order, 1, 2), [(1, vec![1]), (2, vec![1, 5])]);
    }

    #[test]
    fn of_many_threads_a_few_are_kept_and_rather_different_ones() {
        let mut order = LockOrder::new(10);
        (10..14).for_each(|other| assert!(order.add(1, 2, taken(1, &[1, other])).is_none()));
        (2..9).for_each(|thread| assert!(order.add(1, 2, taken(thread, &[1])).is_none()));
        let threads: Vec<u64> = kept(&order, 1, 2).into_iter().map(|(thread, _)| thread).collect();
        assert_eq!(threads, [1, 2, 3, 4]);
    }

    #[test]
    fn of_too_many_edges_the_oldest_are_forgotten() {
        let mut order = LockOrder::new(3);
        (1..=5).for_each(|lock| assert!(order.add(lock, lock + 100, taken(1, &[lock])).is_none()));
        let mut left: Vec<LockId> = order.edges.keys().map(|(from, _)| *from).collect();
        left.sort_unstable();
        assert_eq!(left, [3, 4, 5]);
        assert_eq!((order.nodes.len(), order.ages.len()), (6, 3));
        order.add(3, 103, taken(2, &[3]));
        assert_eq!(order.len(), 3);
    }

    #[test]
    fn a_lock_that_is_gone_leaves_nothing_behind() {
        let mut order = LockOrder::new(10);
        order.add(1, 2, taken(1, &[1]));
        order.add(2, 3, taken(1, &[2]));
        order.add(1, 3, taken(1, &[1]));
        order.forget(2);
        assert_eq!(order.len(), 1);
        order.forget(9);
        order.forget(1);
        assert!(order.is_empty() && order.nodes.is_empty() && order.ages.is_empty());
    }

    #[test]
    fn memory_stays_bounded_when_locks_come_and_go() {
        let mut order = LockOrder::new(100);
        for lock in 2..10_000 {
            order.add(1, lock, taken(1, &[1]));
            if lock % 2 == 0 {
                order.forget(lock);
            }
        }
        assert!(order.len() <= 100 && order.nodes.len() <= 101 && order.ages.len() == order.len());
    }
}
