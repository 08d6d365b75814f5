//! FT603 fork-with-threads.

use super::family::runtime::{Event, Left, Runtime};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT603",
    name: "fork-with-threads",
    severity: Severity::Error,
    finds: Finds::Runtime(Runtime { title, severity }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "fork before threads are started, start another program (subprocess), or use multiprocessing with forkserver or spawn",
    }],
    manual: r#"
## What it finds

The child of an `os.fork` that waits for a lock which another thread of the parent held at that moment.

    with lock:                                 # a worker of the parent
        work()
    if os.fork() == 0:                         # meanwhile
        with lock: ...                         # FT603, in the child

## Why it matters

A fork copies the locks and of all threads only the one that forks.  Nobody is in the child who would release the lock: it hangs for good.
Whether another thread has the lock at the moment of the fork is a matter of luck, so it hangs once in a thousand times.

## Not reported

A fork after which the child executes another program, as `subprocess` does; the methods forkserver and spawn of `multiprocessing`, whose
children are forked by a process with one thread or not at all; locks that are made anew in the child, as those of `logging` and
`threading`; attempts that give up (`acquire(timeout=...)`); and locks that the child itself releases.

A child that ends without having executed another program, and that has inherited a lock which a thread of the parent held by a `with`
statement, or a loop that one ran, has done nothing wrong if it left them alone: that is of severity info, which changes no exit status.
"#,
};

fn title(event: &Event<'_>) -> String {
    let Event::Forked { thread, other, left } = event else { return String::new() };
    match left {
        Left::Wanted => {
            format!(
                "lock wanted in the child of a fork by thread '{thread}' is held for ever by thread '{other}', which is not there"
            )
        }
        Left::Lock => format!("process forked in thread '{thread}' while thread '{other}' held a lock"),
        Left::Loop => format!("process forked in thread '{thread}' while thread '{other}' ran a loop"),
    }
}

fn severity(event: &Event<'_>) -> Option<Severity> {
    let is_wanted = matches!(event, Event::Forked { left: Left::Wanted, .. });
    (!is_wanted).then_some(Severity::Info)
}
