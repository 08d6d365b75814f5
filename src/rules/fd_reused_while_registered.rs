//! FT202 fd-reused-while-registered.

use super::family::descriptors::{Descriptors, SystemCall};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::descriptors::Suspicion;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT202",
    name: "fd-reused-while-registered",
    severity: Severity::Error,
    finds: Finds::Descriptors(Descriptors { applies: |suspicion| matches!(suspicion, Suspicion::Reused { .. }), title }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "unregister the descriptor in the thread that registered it, before it is closed",
    }],
    manual: r#"
## What it finds

A descriptor that one thread registered with a selector, another thread closed without unregistering it, and whose number was then given to
another file: the selector (or, for a bare epoll instance, whoever still modifies or removes the registration) takes the new one for the old.

    selector.register(conn, EVENT_READ, handler)
    threading.Thread(target=conn.close)      # FT202 as soon as the number is used again
    selector.unregister(conn); conn.close()  # right, in the selector's thread

## Why it matters

Bytes of one connection reach the handler of another, or `register` says that the new connection is "already registered".  Nothing fails
where the mistake is.

## Not reported

Closing in the thread that registered it; a bare epoll instance whose user never refers to the old registration again (one-shot
registrations that a worker closes).
"#,
};

fn title(call: &SystemCall<'_>) -> String {
    let SystemCall { what, now, thread, other, .. } = call;
    let epoll = if let Suspicion::Reused { epoll, .. } = call.suspicion { epoll } else { &-1 };
    format!(
        "{what} closed in thread '{thread}' while epoll instance {epoll} of thread '{other}' still has it, and the number is {now} now"
    )
}
