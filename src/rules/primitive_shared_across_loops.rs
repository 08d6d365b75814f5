//! FT106 primitive-shared-across-loops.

use super::family::calls::{Calls, Crash};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT106",
    name: "primitive-shared-across-loops",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        crash: Crash { files: &["locks.py", "queues.py"], symbols: &["deque_"], is_only_likely: false },
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "coroutine",
            operations: &[
                "acquire",
                "wait",
                "wait_for",
                "get",
                "put",
                "join",
                "__aenter__",
                "__aexit__",
                "recv",
                "recv_multipart",
                "send",
                "send_multipart",
                "poll",
            ],
            advice: "it is a coroutine method: asyncio.run_coroutine_threadsafe(f(), loop).result(), where async def f() awaits {class}.{method}(); or use one per loop, and threading or queue.Queue between threads",
        },
        Fix {
            name: "notify",
            operations: &["notify", "notify_all"],
            advice: "asyncio.run_coroutine_threadsafe(f(), loop).result(), where async def f() does it inside async with condition",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "use one primitive per loop, and loop.call_soon_threadsafe({class}.{method}, ...) from other threads; between threads use threading or queue.Queue",
        },
    ],
    manual: r#"
## What it finds

An `asyncio.Lock`, `Event`, `Condition`, `Semaphore`, `Barrier`, `Queue`, `Timeout` or `TaskGroup` touched by a thread that does not run the loop it
belongs to, while that loop is running: whether or not somebody is waiting.  A primitive belongs to the first running loop that
touches it; one created inside a running loop belongs to that loop until another loop starts using it.

    queue = asyncio.Queue()

    def worker():
        queue.put_nowait(item)                             # FT106
        loop.call_soon_threadsafe(queue.put_nowait, item)  # right

## Why it matters

asyncio's primitives are not thread-safe.  The waiter is settled from the wrong thread and its loop stays asleep: the program
hangs with the event set and the item in the queue.  Counters and deques of waiters are changed by two threads at once.

## Not reported

Questions (`is_set`, `locked`, `qsize`, `empty`, `full`), one loop after the other, and a primitive made in one loop and
used by another one only.
"#,
};
