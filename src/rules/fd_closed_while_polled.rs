//! FT201 fd-closed-while-polled.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT201",
    name: "fd-closed-while-polled",
    severity: Severity::Error,
    fix: "wake the thread up first (shutdown() the socket, or write to a pipe that it polls too) and close the descriptor in that thread",
    manual: r#"
## What it finds

A descriptor closed while another thread polls it (epoll, poll, select) or is blocked in a system call on it: `recv`, `accept`, `read`, `send`.

    def worker(sock):
        sock.recv(1024)

    sock.close()                        # FT201: the worker is still in recv
    sock.shutdown(socket.SHUT_RDWR)     # right: the worker's recv returns b"", and it closes the socket

## Why it matters

The kernel does not wake the other thread: it hangs until something else happens, or for ever.  epoll drops the registration without a
word.  Worse, the number is free at once: the next file or connection that anybody opens gets it, and what the other thread does next
with its number is done to that one (select(2), epoll(7): "the result is unspecified").

## Not reported

`shutdown()`; closing after the other thread was joined or has left the call; a descriptor that only the closing thread uses.
"#,
};
