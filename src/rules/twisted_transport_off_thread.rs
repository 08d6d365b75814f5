//! FT303 twisted-transport-off-thread.

use super::family::calls::{Calls, HandOver};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT303",
    name: "twisted-transport-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls { covers_what_it_calls: true, hand_over: HandOver::Twisted, ..Calls::PLAIN }),
    fixes: &[
        Fix {
            name: "signal",
            operations: &["signalProcess"],
            advice: "reactor.callFromThread(process.signalProcess, ...): the reactor knows whether the process is still there",
        },
        Fix { name: "any", operations: &[], advice: "hand the call over: reactor.callFromThread(transport.{method}, ...)" },
    ],
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
