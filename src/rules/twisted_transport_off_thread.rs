//! FT303 twisted-transport-off-thread.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT303",
    name: "twisted-transport-off-thread",
    severity: Severity::Error,
    fix: "hand the call over: reactor.callFromThread(transport.write, data)",
    manual: r#"
## What it finds

A transport, port, connector or process of Twisted used in a thread that does not run its reactor: `write`, `writeSequence`,
`loseConnection`, `abortConnection`, `registerProducer`, `pauseProducing`, `stopListening`, `signalProcess` and their like.

    def worker(protocol):                          # reactor.callInThread(worker, protocol)
        protocol.transport.write(b"done")          # FT303
        reactor.callFromThread(protocol.transport.write, b"done")   # right

## Why it matters

The buffer of unsent data is joined and cut by two threads: bytes get lost or sent twice.  The reactor is not told of the new data before
something else wakes it.

## Not reported

Questions (`getPeer`, `getHost`), and transports that belong to no running reactor, as those of tests.
"#,
};
