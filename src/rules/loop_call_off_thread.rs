//! FT101 loop-call-off-thread.

use super::family::calls::{Calls, Crash};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT101",
    name: "loop-call-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        // `shield` makes its own future before it touches the given one, which is what is reported.
        excepts: |attempt| attempt.watched == "create_future" && attempt.operation == "shield",
        covers_what_it_calls: true,
        crash: Crash {
            files: &["base_events.py", "selector_events.py"],
            symbols: &["uv_", "uv__", "heap_", "heapq", "_heapq"],
            is_only_likely: false,
        },
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "tornado",
            operations: &[
                "AsyncIO.add_handler",
                "AsyncIO.update_handler",
                "AsyncIO.remove_handler",
                "AsyncIO.call_at",
                "AsyncIO.call_later",
                "AsyncIO.add_timeout",
                "AsyncIO.remove_timeout",
                "AsyncIO.stop",
                "AsyncIO.close",
                "AsyncIO.set_default_executor",
                "PeriodicCallback.start",
                "PeriodicCallback.stop",
            ],
            advice: "hand the call over: loop.add_callback({receiver|loop}.{method}, ...), where loop is tornado's",
        },
        Fix {
            name: "signal",
            operations: &["add_signal_handler", "remove_signal_handler"],
            advice: "only a loop that runs in the main thread takes signals: loop.call_soon_threadsafe(loop.{method}, ...) if this one does, else signal.signal() there, whose handler calls loop.call_soon_threadsafe(...)",
        },
        Fix {
            name: "callback",
            operations: &["call_soon"],
            advice: "loop.call_soon_threadsafe(callback, *args), which also wakes the loop",
        },
        Fix {
            name: "timer",
            operations: &["call_later", "call_at"],
            advice: "loop.call_soon_threadsafe({receiver|loop}.{method}, when, callback): the timer is made in the thread of the loop",
        },
        Fix {
            name: "task",
            operations: &["create_task"],
            advice: "asyncio.run_coroutine_threadsafe(coro, loop), which returns a concurrent.futures.Future",
        },
        Fix {
            name: "future",
            operations: &["create_future"],
            advice: "make a concurrent.futures.Future here, and await it in the loop with asyncio.wrap_future(future)",
        },
        Fix {
            name: "executor",
            operations: &["run_in_executor"],
            advice: "submit it to a concurrent.futures.ThreadPoolExecutor of your own: executor.submit(f)",
        },
        Fix {
            name: "coroutine",
            operations: &[
                "getaddrinfo",
                "getnameinfo",
                "sendfile",
                "start_tls",
                "create_connection",
                "create_server",
                "create_datagram_endpoint",
                "create_unix_connection",
                "create_unix_server",
                "connect_accepted_socket",
                "connect_read_pipe",
                "connect_write_pipe",
                "subprocess_shell",
                "subprocess_exec",
                "sock_recv",
                "sock_recv_into",
                "sock_recvfrom",
                "sock_recvfrom_into",
                "sock_sendall",
                "sock_sendto",
                "sock_sendfile",
                "sock_connect",
                "sock_accept",
            ],
            advice: "await it in the loop: asyncio.run_coroutine_threadsafe(f(), loop).result(), where async def f() awaits loop.{method}(...)",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "hand the call over: loop.call_soon_threadsafe({receiver|loop}.{method}, ...)",
        },
    ],
    manual: r#"
## What it finds

A method of an event loop that is not documented as thread-safe, called while another thread runs that loop: `call_soon`,
`call_later`, `call_at`, `create_task`, `create_future`, `add_reader`, `remove_reader`, `add_writer`, `remove_writer`, `stop`,
`run_in_executor`, `call_exception_handler`, `create_connection`, `create_server`, `sock_*`, `subprocess_*`, `set_debug` and
their like.

    def worker(loop):                     # runs in a thread of its own
        loop.call_soon(callback)          # FT101
        loop.call_soon_threadsafe(callback)   # right

## Why it matters

The loop sleeps in its selector and nobody wakes it: the callback runs whenever something else happens, seconds later or
never.  Its heap of timers, its deque of ready callbacks and its selector map are changed by two threads at once: timers
get lost, `_run_once` dies of "list changed size during iteration", uvloop crashes in libuv.

## Not reported

The documented thread-safe calls (`call_soon_threadsafe`, `asyncio.run_coroutine_threadsafe`, `asyncio.wrap_future`,
`asyncio.all_tasks(loop)`), plain questions (`is_running`, `is_closed`, `time`, `get_debug`), and any call on a loop that no
thread is running: preparing a loop here and running it there is legitimate.
"#,
};
