//! FT205 stream-socket-interleaved.

use super::family::calls::{Calls, HandOver};
use super::family::descriptors::{Descriptors, SystemCall};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::descriptors::Suspicion;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT205",
    name: "stream-socket-interleaved",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        // Of a connection of multiprocessing, the call says all that the system call does.
        covers_what_it_calls: true,
        system_calls: Some(Descriptors { applies: |suspicion| matches!(suspicion, Suspicion::Interleaved { .. }), title }),
        hand_over: HandOver::None,
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "zmq",
            operations: &[
                "Socket.send",
                "Socket.send_multipart",
                "Socket.send_string",
                "Socket.send_pyobj",
                "Socket.send_json",
                "Socket.recv",
                "Socket.recv_into",
                "Socket.recv_multipart",
                "Socket.recv_string",
                "Socket.recv_pyobj",
                "Socket.recv_json",
                "Socket.poll",
            ],
            advice: "a socket of pyzmq is one thread's: let that one receive and send, and wait in a zmq.Poller for the socket and for an inproc:// socket through which the others hand it messages; a lock around both would be held as long as recv() waits",
        },
        Fix {
            name: "read",
            operations: &["read", "readv", "recv", "recvfrom", "recvmsg", "recv_into"],
            advice: "let one thread read and hand whole messages to the others through a queue.Queue, or guard whole messages with one lock",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "guard whole messages with one lock, or let one thread write and others put into a queue.Queue",
        },
    ],
    manual: r#"
## What it finds

Two threads in a write, or two threads in a read, on one stream socket at the same time; or in `send`, or in `recv`, of one
`multiprocessing.Connection`; or inside one socket of pyzmq.

    def worker(sock, message):
        sock.sendall(message)                  # FT205: another worker's sendall is not done
    with write_lock:
        sock.sendall(message)                  # right

## Why it matters

A stream has no messages: the bytes that do not fit into the buffer are sent later, after what the other thread sent meanwhile.  Two
readers get alternating pieces.  The peer sees a corrupt protocol.

## Not reported

One reader beside one writer (full duplex); writes under a lock; single bytes (wake-ups of a self-pipe); datagrams; several threads in
`accept`.
"#,
};

fn title(call: &SystemCall<'_>) -> String {
    let verb = if matches!(call.suspicion, Suspicion::Interleaved { reading: true, .. }) { "read" } else { "written" };
    let SystemCall { what, thread, other, operation, .. } = call;
    format!("{what} {verb} in thread '{thread}' while thread '{other}' is in {operation}() on it")
}
