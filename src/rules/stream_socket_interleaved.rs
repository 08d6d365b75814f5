//! FT205 stream-socket-interleaved.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT205",
    name: "stream-socket-interleaved",
    severity: Severity::Error,
    fix: "guard whole messages with one lock per direction, or let one thread write (read) and others use a queue",
    manual: r#"
## What it finds

Two threads in a write, or two threads in a read, on one stream socket at the same time.

    def worker(sock, message):
        sock.sendall(message)                  # FT205: another worker's sendall is not done
    with write_lock:
        sock.sendall(message)                  # right

## Why it matters

A stream has no messages: what does not fit into the buffer is sent later, after what the other thread sent meanwhile.  Two readers get
alternating pieces.  The peer sees a corrupt protocol.

## Not reported

One reader beside one writer (full duplex); writes under a lock; single bytes (wake-ups of a self-pipe); datagrams; several threads in
`accept`.
"#,
};
