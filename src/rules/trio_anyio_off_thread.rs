//! FT306 trio-anyio-off-thread.

use super::family::calls::{Calls, HandOver};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// A thread of `to_thread` knows the run, any other one has to be told which one it is.
macro_rules! by_thread {
    ($before:literal, $function:literal, $what:literal) => {
        concat!(
            $before,
            "trio.from_thread.",
            $function,
            "(f) or anyio.from_thread.",
            $function,
            "(f), where ",
            $what,
            "; a thread that is not of to_thread needs the token of the run for that (trio_token=, token=), or a portal that was opened there (anyio.from_thread.BlockingPortal)"
        )
    };
}

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT306",
    name: "trio-anyio-off-thread",
    severity: Severity::Error,
    finds: Finds::Calls(Calls { covers_what_it_calls: true, hand_over: HandOver::Trio, ..Calls::PLAIN }),
    fixes: &[
        Fix {
            name: "coroutine",
            operations: &["wait", "acquire", "send", "receive", "start", "__aenter__", "__aexit__"],
            advice: by_thread!("it is a coroutine method: ", "run", "async def f() awaits {class}.{method}()"),
        },
        Fix {
            name: "property",
            operations: &["total_tokens", "deadline", "shield"],
            advice: by_thread!("hand it over: ", "run_sync", "f sets {class}.{method}"),
        },
        Fix { name: "any", operations: &[], advice: by_thread!("hand the call over: ", "run_sync", "f calls {class}.{method}()") },
    ],
    manual: r#"
## What it finds

A cancel scope, event, lock, semaphore, capacity limiter, condition, memory stream or task group of trio or anyio that belongs to one run and
is touched by a thread that does not run it.

    async def main():
        done = trio.Event()
        thread = threading.Thread(target=lambda: done.set())          # FT306
        token = trio.lowlevel.current_trio_token()
        thread = threading.Thread(target=lambda: trio.from_thread.run_sync(done.set, trio_token=token))   # right

A thread that `trio.to_thread` or `anyio.to_thread` runs needs no token.  Any other one does (`token=anyio.lowlevel.current_token()` since anyio 4.11),
or a portal:

    async def main():
        done = anyio.Event()
        async with anyio.from_thread.BlockingPortal() as portal:
            thread = threading.Thread(target=lambda: portal.call(done.set))   # right

## Why it matters

The task that waits is put into a queue of the run which nobody wakes, or not found at all; `RuntimeError: this function can only be used
inside trio` comes only after half of the change.  anyio's memory streams notice nothing.

## Not reported

`from_thread`, `to_thread`, `TrioToken.run_sync_soon` and blocking portals, which are made for it; objects that no running run has used yet.
"#,
};
