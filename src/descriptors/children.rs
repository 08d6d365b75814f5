//! Child processes: which thread has waited for which.

use super::suspicion::{Mark, Suspicion};
use crate::recording::ThreadId;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

/// How many are remembered; a child whose place another one has taken is a miss.
const MOST: usize = 256;

#[derive(Debug)]
struct Child {
    /// Its process id, negative if the thread that has waited for it took any child.
    pid: AtomicI32,
    by: AtomicU64,
}

/// The children that were waited for.
#[derive(Debug)]
pub struct Children {
    table: [Child; MOST],
    /// The thread that began to wait for any child last, and is not back.
    takes_any: AtomicU64,
}

impl Default for Children {
    fn default() -> Self {
        Self::new()
    }
}

impl Children {
    /// None is known.
    pub const fn new() -> Self {
        Children { table: [const { Child { pid: AtomicI32::new(0), by: AtomicU64::new(0) } }; MOST], takes_any: AtomicU64::new(0) }
    }

    fn place(&self, pid: i32) -> &Child {
        &self.table[pid.unsigned_abs() as usize % MOST]
    }

    /// A thread begins to wait for any child that there is.
    pub fn taking_any(&self, mark: Mark) {
        self.takes_any.store(mark.pack(), Ordering::Relaxed);
    }

    /// It is back, with one or with none.
    pub fn took_any(&self, mark: Mark) {
        let _ = self.takes_any.compare_exchange(mark.pack(), 0, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A thread has got the child that it had waited for while another one waits for any: which of them gets it is luck.
    pub fn might_be_taken(&self, me: ThreadId) -> Option<Suspicion> {
        let by = Mark::unpack(self.takes_any.load(Ordering::Relaxed));
        by.is_of_another(me).then_some(Suspicion::Reaped { by, took_any: true })
    }

    /// A thread has waited for a child, and it is gone.  `any`: it took any child.
    pub fn reaped(&self, pid: i32, any: bool, mark: Mark) {
        let child = self.place(pid);
        child.pid.store(0, Ordering::Relaxed);
        child.by.store(mark.pack(), Ordering::Relaxed);
        child.pid.store(if any { -pid } else { pid }, Ordering::Release);
    }

    /// A thread waits for a child that there is not (`ECHILD`).
    pub fn missing(&self, pid: i32, me: Mark) -> Option<Suspicion> {
        let child = self.place(pid);
        let known = child.pid.load(Ordering::Acquire);
        let by = Mark::unpack(child.by.load(Ordering::Relaxed));
        (known.abs() == pid && by.is_of_another(me.thread)).then_some(Suspicion::Reaped { by, took_any: known < 0 })
    }

    /// This is the child of a fork: it has no children.
    pub fn after_fork(&self) {
        self.table.iter().for_each(|child| child.pid.store(0, Ordering::Relaxed));
        self.takes_any.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::suspicion::Mark;
    use super::*;

    #[test]
    fn a_thread_that_waits_for_any_child_might_take_any() {
        let (me, other) = (Mark { thread: ThreadId(1), stack: 11 }, Mark { thread: ThreadId(2), stack: 22 });
        let all = Children::new();
        assert_eq!(all.might_be_taken(me.thread), None);
        all.taking_any(other);
        assert_eq!(all.might_be_taken(me.thread), Some(Suspicion::Reaped { by: other, took_any: true }));
        assert_eq!(all.might_be_taken(other.thread), None, "itself");
        all.taking_any(me);
        all.took_any(other);
        assert_eq!(all.might_be_taken(other.thread), Some(Suspicion::Reaped { by: me, took_any: true }), "still there");
        all.took_any(me);
        assert_eq!(all.might_be_taken(other.thread), None, "back");
        all.taking_any(other);
        all.after_fork();
        assert_eq!(all.might_be_taken(me.thread), None);
    }

    #[test]
    fn a_child_is_waited_for_by_one_thread() {
        let (me, other) = (Mark { thread: ThreadId(1), stack: 11 }, Mark { thread: ThreadId(2), stack: 22 });
        let all = Children::new();
        assert_eq!(all.missing(70, me), None, "never seen");
        all.reaped(70, true, other);
        assert_eq!(all.missing(70, me), Some(Suspicion::Reaped { by: other, took_any: true }));
        assert_eq!(all.missing(70, other), None, "its own mistake");
        all.reaped(70, false, other);
        assert_eq!(all.missing(70, me), Some(Suspicion::Reaped { by: other, took_any: false }));
        all.reaped(70 + MOST as i32, false, other);
        assert_eq!(all.missing(70, me), None, "forgotten");
        all.after_fork();
        assert_eq!(all.missing(70 + MOST as i32, me), None);
    }
}
