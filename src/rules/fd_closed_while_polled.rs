//! FT201 fd-closed-while-polled.

use super::family::descriptors::{Descriptors, SystemCall};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::descriptors::Suspicion;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT201",
    name: "fd-closed-while-polled",
    severity: Severity::Error,
    finds: Finds::Descriptors(Descriptors {
        applies: |suspicion| matches!(suspicion, Suspicion::ClosedWhileUsed { .. } | Suspicion::ClosedWhilePolled { .. }),
        title,
    }),
    fixes: &[
        Fix {
            name: "polled",
            operations: &["epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect"],
            advice: "let the thread that polls it unregister and close it: hand it over by a queue, and wake that thread up",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "wake the thread up first (shutdown() the socket, or write to the other end) and close the descriptor in that thread",
        },
    ],
    manual: r#"
## What it finds

A descriptor closed while another thread polls it (epoll, poll, select) or is blocked in a system call on it: `recv`, `accept`, `read`, `send`.

    def worker(sock):
        sock.recv(1024)

    sock.close()                        # FT201: the worker is still in recv
    sock.shutdown(socket.SHUT_RDWR)     # right: the worker's recv returns b"", and it closes the socket

## Why it matters

The kernel does not wake the other thread: it hangs until something else happens, or for ever.  epoll drops the registration without a
word.  Worse, the number is free at once: the next file or connection that anybody opens gets it, and the other thread's next calls
with its number are made on that one (select(2), epoll(7): "the result is unspecified").

## Not reported

`shutdown()`; closing after the other thread was joined or has left the call; a descriptor that only the closing thread uses.
"#,
};

fn title(call: &SystemCall<'_>) -> String {
    let SystemCall { what, thread, other, operation, .. } = call;
    if let Suspicion::ClosedWhilePolled { epoll, .. } = call.suspicion {
        return format!("{what} closed in thread '{thread}' while thread '{other}' polls it with epoll instance {epoll}");
    }
    format!("{what} closed in thread '{thread}' while thread '{other}' is in {operation}() on it")
}
