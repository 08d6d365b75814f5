//! FT103 task-touched-off-thread.

use super::family::calls::{Calls, Crash};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT103",
    name: "task-touched-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        // Tasks written in Python have these methods from the futures.
        claims: |attempt| {
            !attempt.is_nested && matches!(attempt.watched, "add_done_callback" | "remove_done_callback") && (attempt.is_task)()
        },
        crash: Crash { files: &["tasks.py"], symbols: &["task_", "_asyncio_"], is_only_likely: false },
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "callback",
            operations: &["add_done_callback", "remove_done_callback"],
            advice: "loop.call_soon_threadsafe(task.{method}, callback)",
        },
        Fix {
            name: "made",
            operations: &["__init__"],
            advice: "make it in its own loop: asyncio.run_coroutine_threadsafe(coro, loop)",
        },
        Fix { name: "any", operations: &[], advice: "loop.call_soon_threadsafe(task.{method})" },
    ],
    manual: r#"
## What it finds

`cancel`, `uncancel`, `add_done_callback`, `remove_done_callback` of a Task whose loop is running in another thread, and a Task
constructed for such a loop (with `eager_start=True` its first step would even run in the wrong thread).

    def watchdog(task, loop):
        task.cancel()                            # FT103
        loop.call_soon_threadsafe(task.cancel)   # right

## Why it matters

The cancellation is recorded but the loop is not woken, so the task goes on sleeping; if the task is being stepped at
that moment, the cancellation can hit the wrong await or be lost.

## Not reported

Reading (`done`, `result`, `get_name`, `get_coro`), and the `concurrent.futures.Future` that `asyncio.run_coroutine_threadsafe`
returns, which may be cancelled from anywhere.
"#,
};
