//! FT305 hub-primitive-shared.

use super::family::calls::{Calls, HandOver};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT305",
    name: "hub-primitive-shared",
    severity: Severity::Error,
    finds: Finds::Calls(Calls { hand_over: HandOver::None, ..Calls::PLAIN }),
    fixes: &[
        Fix {
            name: "wait",
            operations: &["wait", "get", "acquire", "join"],
            advice: "wait with primitives of threading in a native thread (gevent.get_hub().threadpool, eventlet.tpool), not with those of the hub",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "use threading primitives between threads, or hand the event over with what the hub has for it (gevent: hub.loop.async_())",
        },
    ],
    manual: r#"
## What it finds

A primitive of eventlet or gevent (Semaphore, Event, Queue, AsyncResult ...) or a hub itself that is used by two threads that are both
alive.

    ready = eventlet.event.Event()
    eventlet.spawn(ready.wait)
    threading.Thread(target=lambda: ready.send(None)).start()     # FT305

## Why it matters

Each thread has a hub of its own.  The second thread schedules the greenlet that waits on its own hub, which either cannot switch to it or
never runs: the waiting greenlet sleeps on.

## Not reported

A primitive that was made in one thread and is used in one other, and one that a thread takes over when the one before has ended.
"#,
};
