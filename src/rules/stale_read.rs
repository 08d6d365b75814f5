//! FT407 stale-read.

use super::family::races::Races;
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT407",
    name: "stale-read",
    severity: Severity::Info,
    finds: Finds::Races(Races {
        order: 0,
        applies: |race, _| !race.severity.is_serious(),
        title: |race| race.sentence(),
        can_be_witnessed: false,
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "read under the lock that the writers hold if the value must be current; otherwise nothing",
    }],
    manual: r#"
## What it finds

A plain read of what another thread writes, with nothing that orders the two.

    with lock:
        self.done += 1
    print(self.done)                           # FT407: another thread, without the lock
    with lock:
        print(self.done)                       # current

## Why it matters

Usually it does not, and this is information only: it does not change the exit status.  A single read is atomic, but the value may
be older than the reader thinks, and two of them may not belong together.

## Not reported

Reads under the lock of the writers, or after a join, an event or another hand-over.
"#,
};
