//! FT109 loop-lifecycle.

use super::family::calls::{Calls, Crash};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT109",
    name: "loop-lifecycle",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        covers_what_it_calls: true,
        crash: Crash { files: &["base_events.py"], symbols: &["uv_", "uv__"], is_only_likely: false },
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "run",
            operations: &["run_forever", "run_until_complete"],
            advice: "give each thread a loop of its own: asyncio.run(main())",
        },
        Fix {
            name: "shutdown",
            operations: &["shutdown_asyncgens", "shutdown_default_executor"],
            advice: "await it in the loop itself: asyncio.run_coroutine_threadsafe(loop.{method}(), loop).result()",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "stop it with loop.call_soon_threadsafe(loop.stop), join its thread, then close it",
        },
    ],
    manual: r#"
## What it finds

A loop that is run or closed by a thread while another thread runs it, and `shutdown_asyncgens` or
`shutdown_default_executor` driven by another loop.  (`stop` from the wrong thread is FT101.)  And `call_soon_threadsafe` on a loop that said
`is_closed()` no, and has been closed by another thread since: the check and the act are not one.

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    loop.close()                               # FT109
    loop.call_soon_threadsafe(loop.stop)       # right: stop, join, close
    thread.join()
    loop.close()

## Why it matters

Closing takes the selector and the self-pipe away under a thread that polls them.  asyncio refuses some of this with an
exception, but only if it happens to look at the right moment.

## Not reported

`call_soon_threadsafe` in a `try` or `with` of the function that calls it, where its RuntimeError is expected, and after another function
asked: one that has returned, asyncio itself or a package.  Running a loop in one thread after another, and closing it from any thread
once it has stopped.
"#,
};
