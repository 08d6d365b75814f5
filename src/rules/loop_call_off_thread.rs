//! FT101 loop-call-off-thread.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT101",
    name: "loop-call-off-thread",
    severity: Severity::Error,
    fix: "hand the call over with loop.call_soon_threadsafe(...), or asyncio.run_coroutine_threadsafe(coro, loop) for a coroutine",
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
