//! FT102 future-settled-off-thread.

use super::family::calls::{Calls, Crash};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT102",
    name: "future-settled-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        crash: Crash { files: &["futures.py", "tasks.py"], symbols: &["future_", "task_", "_asyncio_"], is_only_likely: false },
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "callback",
            operations: &["add_done_callback", "remove_done_callback"],
            advice: "loop.call_soon_threadsafe(future.{method}, callback)",
        },
        Fix {
            name: "made",
            operations: &["__init__"],
            advice: "make it in the thread of its loop, or make a concurrent.futures.Future and await asyncio.wrap_future(future)",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "loop.call_soon_threadsafe(future.{method}, ...), or use a concurrent.futures.Future and asyncio.wrap_future",
        },
    ],
    manual: r#"
## What it finds

`set_result`, `set_exception`, `cancel`, `add_done_callback` or `remove_done_callback` of an asyncio Future whose loop is running
in another thread.

    def worker(loop, future):
        future.set_result(42)                             # FT102
        loop.call_soon_threadsafe(future.set_result, 42)  # right

## Why it matters

The callbacks are scheduled with `call_soon`, which does not wake the loop: the task that awaits the future sleeps until
something unrelated happens.  With the pure Python Future the state itself can be torn.

## Not reported

Reading (`done`, `result`, `exception`, `cancelled`), `concurrent.futures.Future`, and what `asyncio.wrap_future` does on your behalf.
"#,
};
