//! FT503 lock-released-by-other-thread.

use super::family::locks::{LockUse, Locks};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT503",
    name: "lock-released-by-other-thread",
    severity: Severity::Warning,
    finds: Finds::Locks(Locks {
        title,
        severity: |lock| {
            // Without `with`, this is how a lock is used as a signal; a `with` that is left elsewhere was handed over as a whole.
            let is_plain = matches!(lock, LockUse::ReleasedElsewhere { by_with: true, by_call: true, .. });
            (!is_plain).then_some(Severity::Info)
        },
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "let the thread that acquired the lock release it; to wake up another thread, use threading.Event or a Semaphore",
    }],
    manual: r#"
## What it finds

A `threading.Lock` that one thread acquired by a `with` statement and another thread releases by `release()`.

    with lock:                                    # in a worker
        work()
    if lock.locked():
        lock.release()                            # FT503: in another thread, "to be sure"

## Why it matters

From then on two threads are inside the `with` at once.  When the first one leaves it, it gets `RuntimeError: release unlocked lock`, or
it releases what a third thread has acquired meanwhile.

## Not reported

A lock that is acquired by `acquire()` in one thread and released in another is a signal, and a `with` statement that is left in another
thread was handed over as a whole: both are of severity info, which changes no exit status.  An RLock, which the interpreter guards
itself.  Locks of the standard library: those in which `Condition.wait` waits, of `queue`, `concurrent.futures` and so on.
"#,
};

fn title(lock: &LockUse<'_>) -> String {
    let LockUse::ReleasedElsewhere { lock, by_with, thread, holder, .. } = lock else { return String::new() };
    let by = if *by_with { " by a with statement" } else { "" };
    format!("lock {lock} acquired{by} in thread '{holder}' is released in thread '{thread}'")
}
