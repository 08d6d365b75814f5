//! FT107 handle-cancelled-off-thread.

use super::family::calls::{Calls, Crash};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT107",
    name: "handle-cancelled-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        crash: Crash { files: &["events.py"], symbols: &["uv_", "uv__", "heap_"], is_only_likely: false },
        ..Calls::PLAIN
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "loop.call_soon_threadsafe(handle.cancel), or schedule with call_soon_threadsafe, whose handle is thread-safe",
    }],
    manual: r#"
## What it finds

`cancel` of a Handle or TimerHandle (what `call_soon`, `call_later` and `call_at` return) while another thread runs the loop.

    timer = loop.call_later(5, expire)
    def worker():
        timer.cancel()                            # FT107
        loop.call_soon_threadsafe(timer.cancel)   # right

## Why it matters

The loop may be running the handle at that moment and finds its callback gone ("'NoneType' object is not callable"), and
the loop's count of cancelled timers loses updates, so its heap is not cleaned any more.

## Not reported

Handles returned by `call_soon_threadsafe`, which are thread-safe since Python 3.14.
"#,
};
