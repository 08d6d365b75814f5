//! FT206 double-close.

use super::family::descriptors::{Descriptors, SystemCall};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::descriptors::Suspicion;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT206",
    name: "double-close",
    severity: Severity::Error,
    finds: Finds::Descriptors(Descriptors { applies: |suspicion| matches!(suspicion, Suspicion::DoubleClose { .. }), title }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "take the number out of the object in one step before closing it: fd, self.fd = self.fd, None under a lock",
    }],
    manual: r#"
## What it finds

A descriptor number closed by a second thread after the first had closed it, or a file closed by a thread that closed something else long
before: it meant what had the number then.

    def close(self):
        if self.fd is not None:                # two threads pass here
            os.close(self.fd)                  # FT206 in the second one
            self.fd = None

## Why it matters

Between the two, the number may have been given to a file of an unrelated thread, which is closed under it: EBADF in innocent code, or its
data in the wrong file.

## Not reported

A thread that closes what another one opened and gave to it; closing twice in one thread.
"#,
};

fn title(call: &SystemCall<'_>) -> String {
    let SystemCall { what, thread, other, .. } = call;
    if call.is_victim {
        format!("{what} of thread '{thread}' closed in thread '{other}', which had not opened it")
    } else {
        format!("{what} closed in thread '{thread}' after thread '{other}' had closed it")
    }
}
