//! FT304 greenlet-foreign-switch.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT304",
    name: "greenlet-foreign-switch",
    severity: Severity::Error,
    fix: "switch to a greenlet in its own thread only; to wake it from another one, write to something that its hub waits for",
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
