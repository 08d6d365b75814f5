//! FT502 lock-held-across-await.

use super::family::locks::{LockUse, Locks};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT502",
    name: "lock-held-across-await",
    severity: Severity::Warning,
    finds: Finds::Locks(Locks { title, severity: |_| None }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "release the lock before the await, or use asyncio.Lock if only tasks of this loop need it",
    }],
    manual: r#"
## What it finds

A lock of `threading` that a task of asyncio has acquired and still holds when it is suspended at an `await`.

    async def refresh(self):
        with self.lock:
            self.data = await fetch()             # FT502: everybody else waits for the network
    data = await fetch()
    with self.lock:                               # right
        self.data = data

## Why it matters

While the task is suspended the loop runs others.  If one of them wants the lock, it stops the whole thread until the lock is released,
and the only one who could do that is a task of this thread: a deadlock.  An RLock does not even guard anything here, since all tasks of
a loop are one thread.  Threads that want the lock wait as long as the I/O takes.

## Not reported

Locks that were acquired by somebody else: by the thread before it ran the loop, by another thread, by another task.  `asyncio.Lock`.  A
lock that is released before the `await`.  An `await` that does not suspend, of something that is done already and was not left to a pool.
Code that is not watched for data races (`--races`).
"#,
};

fn title(lock: &LockUse<'_>) -> String {
    let LockUse::HeldAcrossAwait { lock, thread } = lock else { return String::new() };
    format!(
        "lock {lock} held across an await by a task in thread '{thread}': a task that tries to take it blocks the loop of thread '{thread}'"
    )
}
