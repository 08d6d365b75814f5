//! FT102 future-settled-off-thread.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT102",
    name: "future-settled-off-thread",
    severity: Severity::Error,
    fix: "loop.call_soon_threadsafe(future.set_result, value), or use a concurrent.futures.Future and asyncio.wrap_future",
    manual: r#"
## What it finds

`set_result`, `set_exception`, `cancel`, `add_done_callback` or `remove_done_callback` of an asyncio Future whose loop is running
in another thread.

    def worker(loop, future):
        future.set_result(42)                             # FT102
        loop.call_soon_threadsafe(future.set_result, 42)  # right

## Why it matters

The callbacks are scheduled with `call_soon`, which does not wake the loop: whoever awaits the future sleeps until
something unrelated happens.  With the pure Python Future the state itself can be torn.

## Not reported

Reading (`done`, `result`, `exception`, `cancelled`), `concurrent.futures.Future`, and what `asyncio.wrap_future` does on your behalf.
"#,
};
