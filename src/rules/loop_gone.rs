//! FT110 loop-gone.

use super::family::calls::{Call, Calls, HandOver};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT110",
    name: "loop-gone",
    severity: Severity::Error,
    finds: Finds::Calls(Calls { what, hand_over: HandOver::None, ..Calls::PLAIN }),
    fixes: &[
        Fix {
            name: "loop",
            operations: &[
                "Loop.call_soon",
                "Loop.call_later",
                "Loop.call_at",
                "Loop.create_task",
                "Loop.create_future",
                "Loop.run_in_executor",
                "Loop.add_reader",
                "Loop.add_writer",
                "Loop.add_signal_handler",
                "Loop.create_connection",
                "Loop.create_server",
                "Loop.create_datagram_endpoint",
                "Loop.getaddrinfo",
                "Loop.getnameinfo",
                "Loop.sock_recv",
                "Loop.sock_sendall",
                "Loop.sock_connect",
                "Loop.sock_accept",
                "Loop.subprocess_exec",
                "Loop.subprocess_shell",
            ],
            advice: "ask for the loop where it is used, asyncio.get_running_loop().{method}(...), and keep none of a run that is over",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "make the {class} inside the loop that uses it, and be done with it before that loop ends, or keep one loop for the life of the program",
        },
    ],
    manual: r#"
## What it finds

Something that is bound to a loop that has been closed (a connection, a stream, a pending Future, a Lock that was waited for), used by
code that runs on another loop.

    client = Client()                          # keeps its connections
    asyncio.run(client.get("/"))               # binds them to this loop, which is closed at the end
    asyncio.run(client.get("/"))               # FT110

    async def main():                          # right: one loop, or a client for each
        async with Client() as client:
            await client.get("/")
            await client.get("/")

## Why it matters

A callback that is scheduled there is never called: the caller gets "Event loop is closed" or "attached to a different loop", far
from the mistake, or waits for ever.  Which of them it is depends on what was left in a pool.

## Not reported

An object that no loop was bound to yet, such as a Lock without waiters; closing what is left over; a Future that is done.
"#,
};

fn what(call: &Call<'_>) -> String {
    match call.method {
        "await" | "__await__" => format!("{} awaited", call.class),
        // A function of a module.
        "" => format!("{}() called", call.operation),
        method => format!("{}.{method}() called", call.class),
    }
}
