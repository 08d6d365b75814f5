//! FT204 selector-shared.

use super::concurrent_registration;
use super::family::calls::Calls;
use super::family::descriptors::{Descriptors, SystemCall};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::descriptors::Suspicion;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT204",
    name: "selector-shared",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        joins: &[concurrent_registration::RULE.id],
        beneath: &["select.poll"],
        covers_what_it_calls: true,
        system_calls: Some(Descriptors { applies: |suspicion| matches!(suspicion, Suspicion::Shared { .. }), title }),
        ..Calls::PLAIN
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "let one thread own the selector; others put their request into a queue and wake it up",
    }],
    manual: r#"
## What it finds

One object of `selectors`, or of `select.poll`, polled or changed by a thread while another thread is inside it.

    selector = selectors.PollSelector()        # or a SelectSelector
    threading.Thread(target=selector.select)
    selector.register(sock, EVENT_READ)        # FT204: the other thread is in select()

Calls are short, and threads that share a selector without a lock may pass each other by luck.  So a thread that takes a selector over from
another one waits in its first call for threads that are ready to run, half a second in the life of the process at most.

## Why it matters

Selectors are not thread-safe: `select` reads the map that `register` changes, and a descriptor that was registered meanwhile may
not be waited for.

## Not reported

A bare `select.epoll`, and `register`, `unregister` and `modify` of an `EpollSelector` or a `KqueueSelector` while another thread is in its
`select`: the kernel allows that.  A selector that is handed on after its thread has left it.
"#,
};

fn title(call: &SystemCall<'_>) -> String {
    let SystemCall { what, thread, other, operation, .. } = call;
    format!("{what}.{operation}() called in thread '{thread}' while thread '{other}' is inside it")
}
