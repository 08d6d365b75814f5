//! FT105 transport-used-off-thread.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT105",
    name: "transport-used-off-thread",
    severity: Severity::Error,
    fix: "loop.call_soon_threadsafe(writer.write, data), or give each thread its own connection",
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
