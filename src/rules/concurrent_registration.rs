//! FT203 concurrent-registration.

use super::family::descriptors::{Descriptors, SystemCall};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::descriptors::Suspicion;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT203",
    name: "concurrent-registration",
    severity: Severity::Error,
    finds: Finds::Descriptors(Descriptors { applies: |suspicion| matches!(suspicion, Suspicion::RegisteredByTwo { .. }), title }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "register and unregister in the thread that polls; hand the request to it through a queue and a wake-up",
    }],
    manual: r#"
## What it finds

One descriptor registered, modified or unregistered by two threads at the same time, or unregistered by one after the other had done so.

    def worker():
        selector.register(sock, EVENT_READ)    # FT203: the other worker is in unregister
        selector.unregister(sock)

## Why it matters

A selector of Python keeps its map and the kernel's set in two steps: KeyError, FileExistsError, FileNotFoundError, and afterwards the two
disagree for good: events are lost, or come for nobody.

## Not reported

Different descriptors registered by different threads with a bare epoll instance, which the kernel allows; one thread after another.
"#,
};

fn title(call: &SystemCall<'_>) -> String {
    format!("{} registered in thread '{}' while thread '{}' does so too", call.what, call.thread, call.other)
}
