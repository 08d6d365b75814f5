//! FT108 coroutine-driven-by-two-threads.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT108",
    name: "coroutine-driven-by-two-threads",
    severity: Severity::Error,
    fix: "give each thread a coroutine of its own: call the async function again, and share results through a queue or run_coroutine_threadsafe",
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
