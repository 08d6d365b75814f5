//! FT304 greenlet-foreign-switch.

use super::family::calls::{Calls, Crash, HandOver};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT304",
    name: "greenlet-foreign-switch",
    severity: Severity::Error,
    finds: Finds::Calls(Calls {
        crash: Crash {
            files: &["greenlet", "gevent", "eventlet"],
            symbols: &["g_switch", "slp_", "_PyCriticalSection"],
            is_only_likely: false,
        },
        hand_over: HandOver::None,
        ..Calls::PLAIN
    }),
    fixes: &[
        Fix {
            name: "look",
            operations: &["gr_frame", "gr_context"],
            advice: "look at it in its own thread only, or hand over what is needed of it",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "switch to a greenlet in its own thread only; to wake it from another one, write to something that its hub waits for",
        },
    ],
    manual: r#"
## What it finds

A greenlet that was made in one thread and is switched to, thrown into, killed or inspected (`gr_frame`, `gr_context`) in another one.

    waiting = greenlet.greenlet(wait)
    waiting.switch()
    threading.Thread(target=lambda: waiting.switch()).start()     # FT304

## Why it matters

A greenlet is a piece of the C stack of its thread.  A switch raises `greenlet.error: cannot switch to a different thread`, usually in
somebody else's callback where it is swallowed, and the greenlet that waits is never woken.  Looking at its frames while they run is
undefined.

## Not reported

Greenlets of a thread that has ended, and questions that are safe (`dead`, `parent`).
"#,
};
