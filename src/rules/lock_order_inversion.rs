//! FT501 lock-order-inversion.

use super::family::locks::{LockUse, Locks};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT501",
    name: "lock-order-inversion",
    severity: Severity::Warning,
    finds: Finds::Locks(Locks { title, severity: |_| None }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "take these locks in one order everywhere (sort them by a key that does not change), or guard all of it with one outer lock",
    }],
    manual: r#"
## What it finds

Locks that are taken one inside the other by several threads, in orders that make a circle: one thread holds A and wants B, another one
holds B and wants A; or three threads and three locks, and so on.  The report has, for each step of the circle, where the lock was taken
that was held and where the next one was wanted.

    def transfer(source, target, amount):
        with source.lock:
            with target.lock:                     # FT501: transfer(a, b) in one thread, transfer(b, a) in another
                ...

    first, second = sorted((source, target), key=lambda account: account.number)
    with first.lock, second.lock:                 # right
        ...

## Why it matters

It is a deadlock that has not happened yet: it takes both threads at the wrong moment.  Without the GIL threads are between the two
locks at the same time far more often than before.  No harm need have been done in this run for the report to be true; if it happens,
the report is written before the thread starts to wait.

## Not reported

One thread that takes locks in any order; threads that all hold a further lock or semaphore meanwhile (a gate); RLocks that are taken
again; `acquire` with `blocking=False` or a timeout; locks that are not released by the thread that acquired them, which are
signals; locks of a thread that is the only one.  Two locks that the standard library takes in one call (of `queue`, `logging`,
`concurrent.futures` ...): that order is its own.  A lock of the standard library that is held while the program's code runs, and
the program's while the library is called, count like any other: `with mine: log.info(...)` here, and an `emit` that takes `mine`
there.

Threads that never run at the same time, because one waits for the end of the other, are not told from those that could.
"#,
};

fn title(lock: &LockUse<'_>) -> String {
    let LockUse::Inverted { wanted, held, thread, other, other_wants, locks } = lock else { return String::new() };
    let others = match locks {
        2 => format!("acquires {other_wants} while holding {}", wanted.0),
        more => format!("acquires {other_wants} while holding {}, and so on through {more} locks", wanted.0),
    };
    format!(
        "lock {} ({}) acquired in thread '{thread}' while holding {} ({}), and thread '{other}' {others}",
        wanted.0, wanted.1, held.0, held.1
    )
}
