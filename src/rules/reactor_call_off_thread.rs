//! FT301 reactor-call-off-thread.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT301",
    name: "reactor-call-off-thread",
    severity: Severity::Error,
    fix: "hand the call over with reactor.callFromThread(...), or threads.blockingCallFromThread(reactor, ...) for a result",
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
