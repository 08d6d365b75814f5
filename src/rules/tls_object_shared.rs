//! FT208 tls-object-shared.

use super::family::calls::Calls;
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT208",
    name: "tls-object-shared",
    severity: Severity::Error,
    finds: Finds::Calls(Calls { covers_what_it_calls: true, ..Calls::PLAIN }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "one thread at a time per TLS connection: a lock around whole operations, or asyncio",
    }],
    manual: r#"
## What it finds

One `ssl.SSLSocket` or `ssl.SSLObject` used by a thread while another thread is inside it, a reader beside a writer included.

    threading.Thread(target=tls.recv, args=(1024,))
    tls.sendall(data)                          # FT208: the other thread is in recv

## Why it matters

A TLS connection is one state machine: to write may need to read and the other way round.  OpenSSL does not allow two threads in one
connection at the same time, and CPython does not keep them apart (`Modules/_ssl.c` of 3.14 and 3.15 holds no lock of the connection meanwhile): records
are garbled, the connection is closed by its peer, or the process dies in libssl.

## Not reported

Questions (`cipher`, `version`, `getpeercert`); one thread after another.
"#,
};
