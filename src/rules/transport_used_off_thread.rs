//! FT105 transport-used-off-thread.

use super::family::calls::{Calls, Crash};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT105",
    name: "transport-used-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        covers_what_it_calls: true,
        crash: Crash {
            files: &["selector_events.py", "sslproto.py", "streams.py", "unix_events.py"],
            symbols: &["sock_", "send", "__send", "uv_", "_ssl", "SSL_"],
            is_only_likely: false,
        },
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "coroutine",
            operations: &[
                "read",
                "readline",
                "readexactly",
                "readuntil",
                "drain",
                "start_tls",
                "start_serving",
                "serve_forever",
                "wait_closed",
            ],
            advice: "it is a coroutine method: asyncio.run_coroutine_threadsafe({receiver|stream}.{method}(...), loop).result()",
        },
        Fix {
            name: "write",
            operations: &["write", "writelines", "sendto"],
            advice: "loop.call_soon_threadsafe({receiver|writer}.{method}, data), or give each thread its own connection",
        },
        Fix {
            name: "close",
            operations: &["close", "close_clients"],
            advice: "loop.call_soon_threadsafe({receiver|transport}.{method}): its loop flushes and closes it",
        },
        Fix {
            name: "abort",
            operations: &["abort", "abort_clients"],
            advice: "loop.call_soon_threadsafe({receiver|transport}.{method}): its loop drops what is unsent and closes it",
        },
        Fix {
            name: "end",
            operations: &["write_eof"],
            advice: "loop.call_soon_threadsafe({receiver|transport}.{method}): its loop sends what is left before the end",
        },
        Fix {
            name: "signal",
            operations: &["send_signal", "terminate", "kill"],
            advice: "loop.call_soon_threadsafe({receiver|transport}.{method}): its loop knows whether the process is still there",
        },
        Fix {
            name: "feed",
            operations: &["feed_data", "feed_eof", "set_exception"],
            advice: "loop.call_soon_threadsafe({receiver|reader}.{method}, ...)",
        },
        Fix { name: "any", operations: &[], advice: "loop.call_soon_threadsafe({receiver|transport}.{method}, ...)" },
    ],
    manual: r#"
## What it finds

A transport, server, `StreamWriter` or `StreamReader` used while its loop is running in another thread: `write`, `writelines`, `sendto`,
`close`, `abort`, `pause_reading`, `resume_reading`, `feed_data`, `read`, `drain` and their like.  TCP, Unix, pipe, datagram, TLS and subprocess
transports.

    def worker(writer, loop):
        writer.write(b"x")                             # FT105
        loop.call_soon_threadsafe(writer.write, b"x")  # right

## Why it matters

`write` sends at once if its buffer is empty and appends to it if not, while the loop's thread takes from the same buffer: bytes
are reordered or sent inside another message, and buffers are freed under a running send.  This is the usual root of
"the database connection is corrupted" when one asyncpg connection is shared by two threads.

## Not reported

Questions (`is_closing`, `get_extra_info`, `get_write_buffer_size`), and finalizers of forgotten transports that the garbage collector
happens to run in another thread.
"#,
};
