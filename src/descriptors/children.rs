//! Child processes: which thread has waited for which.

use super::suspicion::{Mark, Suspicion};
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
}

impl Default for Children {
    fn default() -> Self {
        Self::new()
    }
}

impl Children {
    /// None is known.
    pub const fn new() -> Self {
        Children { table: [const { Child { pid: AtomicI32::new(0), by: AtomicU64::new(0) } }; MOST] }
    }

    fn place(&self, pid: i32) -> &Child {
        &self.table[pid.unsigned_abs() as usize % MOST]
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
    }
}

#[cfg(test)]
mod tests {
    use super::super::suspicion::Mark;
    use super::*;
    use crate::recording::ThreadId;

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
