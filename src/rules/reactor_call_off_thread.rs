//! FT301 reactor-call-off-thread.

use super::family::calls::{Calls, HandOver};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT301",
    name: "reactor-call-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls { covers_what_it_calls: true, hand_over: HandOver::Twisted, ..Calls::PLAIN }),
    fixes: &[
        Fix {
            name: "looping",
            operations: &[
                "LoopingCall.start",
                "LoopingCall.stop",
                "LoopingCall.reset",
                "CooperativeTask.pause",
                "CooperativeTask.resume",
                "CooperativeTask.stop",
            ],
            advice: "reactor.callFromThread(call.{method}, ...): the call belongs to the reactor that runs it",
        },
        Fix { name: "stop", operations: &["stop", "crash"], advice: "reactor.callFromThread(reactor.{method})" },
        Fix {
            name: "delayed",
            operations: &["cancel", "reset", "delay"],
            advice: "reactor.callFromThread(call.{method}, ...): the call belongs to the reactor that made it",
        },
        Fix {
            name: "result",
            operations: &[
                "listenTCP",
                "connectTCP",
                "listenSSL",
                "connectSSL",
                "listenUDP",
                "listenMulticast",
                "listenUNIX",
                "connectUNIX",
                "listenUNIXDatagram",
                "connectUNIXDatagram",
                "spawnProcess",
                "resolve",
            ],
            advice: "threads.blockingCallFromThread(reactor, reactor.{method}, ...), which returns what it returns",
        },
        Fix { name: "any", operations: &[], advice: "hand the call over with reactor.callFromThread(reactor.{method}, ...)" },
    ],
    manual: r#"
## What it finds

A method of Twisted's reactor called from a thread that does not run it: `callLater` and what it returns (`DelayedCall.cancel`, `reset`,
`delay`), `callWhenRunning`, `listenTCP`, `connectTCP` and their like, `addReader`, `addWriter`, `removeReader`, `removeWriter`, `stop`,
`crash`, `addSystemEventTrigger`, `spawnProcess`, `resolve`.

    def worker():                                  # reactor.callInThread(worker)
        reactor.callLater(1, ping)                 # FT301
        reactor.callFromThread(reactor.callLater, 1, ping)    # right

## Why it matters

The reactor sleeps in its poll and is not woken: the call happens whenever something else does.  Its heap of delayed calls and its sets of
descriptors are changed under it, and Twisted itself checks nothing.

## Not reported

`callFromThread`, `blockingCallFromThread`, `deferToThread`, `callInThread` and `wakeUp`, which are made for it; plain questions
(`getDelayedCalls`, `seconds`, `active`); anything before `reactor.run()` and after it returned.
"#,
};
