//! Iterations that a thread is in the middle of: an iteration lasts from its first step to its last one, however each single step is ordered.

use std::cell::Cell;

/// How many a thread may be in at once; of more, the oldest one is forgotten.
const MOST: usize = 8;

/// One iteration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walk {
    /// Address of the iterator; 0: none.
    pub iterator: u64,
    /// Address of what it iterates over.
    pub container: u64,
    /// What [`ThreadHistory::version`](super::memory::ThreadHistory::version) said at the last step.
    pub version: u16,
    /// The instruction that began it.
    pub site: u32,
    /// The function that began it.
    pub code: u32,
    /// It is the program's, or that of code that the program has called for it.
    pub is_watched: bool,
}

/// All iterations of a thread.
#[derive(Debug, Default)]
pub struct Walks {
    all: [Cell<Walk>; MOST],
    next: Cell<usize>,
    /// How many steps of iterators that threads share it is in.
    inside: Cell<u32>,
}

impl Walks {
    /// Makes a step of an iterator that threads share: others that it makes are part of it.
    pub fn inside<T>(&self, make: impl FnOnce() -> T) -> T {
        self.inside.set(self.inside.get() + 1);
        let result = make();
        self.inside.set(self.inside.get() - 1);
        result
    }

    /// Whether the thread is in such a step.
    pub fn is_inside(&self) -> bool {
        self.inside.get() > 0
    }

    fn place(&self, iterator: u64) -> Option<&Cell<Walk>> {
        self.all.iter().find(|walk| walk.get().iterator == iterator)
    }

    /// The iteration by this iterator, which is of this container.
    pub fn find(&self, iterator: u64, container: u64) -> Option<Walk> {
        self.place(iterator).map(Cell::get).filter(|walk| walk.container == container)
    }

    /// Remembers where an iteration is.
    pub fn keep(&self, walk: Walk) {
        let place = self.place(walk.iterator).unwrap_or_else(|| {
            let next = self.next.get();
            self.next.set((next + 1) % MOST);
            &self.all[next]
        });
        place.set(walk);
    }

    /// Forgets all iterations; the steps that the thread is in go on.
    pub(super) fn forget(&self) {
        self.all.iter().for_each(|walk| walk.set(Walk::default()));
    }

    /// Forgets an iteration.
    pub fn end(&self, iterator: u64) {
        if let Some(place) = self.place(iterator) {
            place.set(Walk::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iterator_of_another_container_is_another_iteration() {
        let walks = Walks::default();
        let walk = Walk { iterator: 1, container: 2, version: 3, ..Walk::default() };
        walks.keep(walk);
        assert_eq!((walks.find(1, 2), walks.find(1, 4), walks.find(5, 2)), (Some(walk), None, None));
        walks.keep(Walk { version: 7, ..walk });
        assert_eq!(walks.find(1, 2).map(|walk| walk.version), Some(7));
        walks.end(1);
        assert_eq!(walks.find(1, 2), None);
    }

    #[test]
    fn the_oldest_one_is_forgotten() {
        let walks = Walks::default();
        (1..=MOST as u64 + 1).for_each(|iterator| walks.keep(Walk { iterator, container: 1, ..Walk::default() }));
        assert_eq!(walks.find(1, 1), None);
        assert!((2..=MOST as u64 + 1).all(|iterator| walks.find(iterator, 1).is_some()));
    }

    #[test]
    fn all_are_forgotten() {
        let walks = Walks::default();
        walks.keep(Walk { iterator: 1, container: 2, ..Walk::default() });
        walks.forget();
        assert_eq!(walks.find(1, 2), None);
    }

    #[test]
    fn a_step_is_inside_of_those_around_it() {
        let walks = Walks::default();
        let inner = walks.inside(|| (walks.inside(|| walks.is_inside()), walks.is_inside()));
        assert_eq!((inner, walks.is_inside()), ((true, true), false));
    }
}
