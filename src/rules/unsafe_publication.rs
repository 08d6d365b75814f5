//! FT406 unsafe-publication.

use super::{Rule, Severity};

pub(super) static RULE: Rule = Rule {
    id: "FT406",
    name: "unsafe-publication",
    severity: Severity::Warning,
    fix: "publish last: complete the object, then store the reference or set a flag (threading.Event), or hand it over by a queue",
    manual: r#"
## What it finds

Something that a thread writes after it has told the others that it is complete: a value behind a flag that is already set, an
attribute of an object that others can reach already, changes to what was put into a queue.

    self.ready = True                          # read by another thread
    self.result = compute()                    # FT406: the other thread reads self.result
    self.result = compute()                    # right
    self.ready = True

## Why it matters

The others trust the flag or the reference.  They see the object without its attributes, or the value from before.

## Not reported

What was complete when it was published, by a plain assignment too; replacing a whole object by another one.
"#,
};
