//! FT104 foreign-await.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT104",
    name: "foreign-await",
    severity: Severity::Error,
    fix: "await it in its own loop: asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coro, loop)) from another loop",
    manual: r#"
## What it finds

A pending Future or Task that is awaited, waited for, shielded or gathered by a coroutine of another loop than its own, while its
own loop is running in another thread.

    async def in_loop_b(future_of_loop_a):
        await future_of_loop_a                     # FT104
        await asyncio.wait([future_of_loop_a])     # FT104, and asyncio itself does not notice

## Why it matters

A plain await raises "attached to a different loop"; `asyncio.wait`, `gather` and `shield` add callbacks that are scheduled in
the wrong loop from the wrong thread: the waiter is never woken, or its loop's state is torn.

## Not reported

Awaiting a Future that is already done (nothing is registered with any loop), and `asyncio.wrap_future`.
"#,
};
