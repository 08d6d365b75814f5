//! FT104 foreign-await.

use super::family::calls::{Call, Calls, Crash};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use super::{loop_call_off_thread, transport_used_off_thread};

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT104",
    name: "foreign-await",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        what,
        // Functions that wait for a future add a callback to it: `gather`, `wait`, `shield`.
        claims: |attempt| attempt.is_nested && matches!(attempt.watched, "add_done_callback" | "remove_done_callback"),
        excepts: |attempt| (attempt.is_done)(),
        // Cython's coroutines have no frames: the future that `await loop.create_connection()` waits for inside belongs to that call.
        said_by: &[loop_call_off_thread::RULE.id, transport_used_off_thread::RULE.id],
        // `shield` gives a future to other functions of asyncio, too.
        is_one_per_line: true,
        crash: Crash { files: &["tasks.py", "futures.py"], symbols: &["task_", "future_"], is_only_likely: false },
        ..Calls::PLAIN
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "await it in its own loop: asyncio.wrap_future(asyncio.run_coroutine_threadsafe(f(), loop)), where async def f() awaits it",
    }],
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

fn what(call: &Call<'_>) -> String {
    match call.operation {
        "await" | "__await__" => format!("{} awaited", call.class),
        operation => format!("{} given to {operation}()", call.class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::family::calls::Loops;

    #[test]
    fn the_title_says_what_was_done_with_the_future() {
        let call = |operation| Call {
            class: "Future",
            method: operation,
            operation,
            thread: "'t'",
            relation: "",
            outer: None,
            loops: Loops::default(),
        };
        assert_eq!(["await", "gather"].map(|operation| what(&call(operation))), ["Future awaited", "Future given to gather()"]);
    }
}
