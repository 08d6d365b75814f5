//! FT302 deferred-fired-off-thread.

use super::family::calls::{Calls, HandOver};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT302",
    name: "deferred-fired-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls { hand_over: HandOver::Twisted, ..Calls::PLAIN }),
    fixes: &[
        Fix {
            name: "fire",
            operations: &["callback", "errback", "cancel"],
            advice: "fire it in the thread of the reactor: reactor.callFromThread(deferred.{method}, ...), or let threads.deferToThread do both",
        },
        Fix {
            name: "result",
            operations: &["DeferredQueue.get", "DeferredLock.acquire", "DeferredSemaphore.acquire"],
            advice: "threads.blockingCallFromThread(reactor, {receiver|queue}.{method}), which waits for the Deferred and returns its result",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "reactor.callFromThread({receiver|deferred}.{method}, ...), so that the callbacks run in the thread of the reactor",
        },
    ],
    manual: r#"
## What it finds

`callback`, `errback`, `cancel`, `addCallback` and their like of a Deferred, in a thread that does not run the reactor, while the reactor runs
in the thread that made or used it.  Without a running reactor: two threads that are inside the methods of one Deferred at once.

    deferred = Deferred()
    deferred.addCallback(update_page)
    reactor.callInThread(lambda: deferred.callback(compute()))                          # FT302
    reactor.callInThread(lambda: reactor.callFromThread(deferred.callback, compute()))  # right

## Why it matters

The callbacks run in the thread that fires, so all of the program's code that follows is in the wrong thread.  `_runCallbacks` takes the
list of callbacks apart without a lock: with two threads callbacks run twice, never, or meet a Deferred without a `result`.

## Not reported

A Deferred that lives in one thread from beginning to end, whatever thread that is; one that was handed over before the reactor ran and
is used by one thread at a time.
"#,
};
