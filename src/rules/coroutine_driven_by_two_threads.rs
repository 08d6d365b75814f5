//! FT108 coroutine-driven-by-two-threads.

use super::family::calls::{Calls, Crash, HandOver};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT108",
    name: "coroutine-driven-by-two-threads",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        crash: Crash {
            files: &[],
            symbols: &[
                "gen_",
                "_gen_",
                "async_gen_",
                "coro_",
                "_PyEval_EvalFrame",
                "_PyFrame_",
                "_TAIL_CALL_",
                "context_",
                "hamt_",
            ],
            is_only_likely: true,
        },
        hand_over: HandOver::None,
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "context",
            operations: &["run"],
            advice: "give each thread a context of its own: contextvars.copy_context().run(f)",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "give each thread a coroutine of its own: call the async function again, and share results through a queue or run_coroutine_threadsafe",
        },
    ],
    manual: r#"
## What it finds

A coroutine, a generator-based coroutine, an asynchronous generator or a `contextvars.Context` that one thread resumes or enters while
another thread is inside it, or while the future that it waits for belongs to a loop that another thread runs.

    numbers = agen()
    async def consume():
        async for number in numbers: ...      # FT108 in both threads
    for _ in range(2):
        threading.Thread(target=lambda: asyncio.run(consume())).start()

## Why it matters

The frame of a coroutine has one stack and one instruction pointer.  CPython checks that nobody is executing it, and without the GIL two
threads can pass that check at once: 3.14 then crashes in the interpreter.  When it does not, and always since 3.15, the second thread gets
`ValueError: coroutine already executing` or `RuntimeError: anext(): asynchronous generator is already running` and the first one
loses what was sent.

## Not reported

A coroutine that one thread makes and another one runs, and one that is driven by one thread after the other.  Plain generators that two
threads call `next()` on are another rule's.  A coroutine that is resumed by itself, in one thread.
"#,
};
