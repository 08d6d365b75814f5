//! FT404 conflicting-writes.

use super::family::races::Races;
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT404",
    name: "conflicting-writes",
    severity: Severity::Warning,
    finds: Finds::Races(Races { order: 7, applies: |_, _| true, title: |race| race.sentence(), can_be_witnessed: false }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "decide which write is to win: one lock, one thread that writes, or a place for each thread",
    }],
    manual: r#"
## What it finds

Two threads that write different values to one attribute, global, closure variable or item, with nothing that orders them; neither
has read what it overwrites.

    def worker(self, name):
        self.status = name                     # FT404: two threads
        self.statuses[name] = "running"        # right: a key for each

## Why it matters

The last one wins, and nobody says who is last.  If several places are written together, they may end up with some of one thread
and some of the other.

## Not reported

Writes of one value, or of equal immutable ones; two calls of `clear`, or of `sort` without arguments; writes to different keys
or indices, or to slices without a common element, if each is replaced by as many elements; writes that a lock, join or hand-over orders; what is put where another thread has taken something away, unless that was a
`del` under a string: numbers are given out again when they are free, and what `pop` returns is used.
"#,
};
