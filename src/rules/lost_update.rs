//! FT401 lost-update.

use super::family::races::{Races, either};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::races::matrix::AccessKind;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT401",
    name: "lost-update",
    severity: Severity::Error,
    finds: Finds::Races(Races {
        order: 6,
        applies: |race, _| either(race, AccessKind::Update),
        title: |race| race.sentence(),
        can_be_witnessed: true,
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "hold one lock from read to write, in all threads that write; for unique numbers, next() of an itertools.count()",
    }],
    manual: r#"
## What it finds

An attribute, global, closure variable or item that a thread reads and then writes, with nothing that orders this with another
thread's write: `+=` and its kind, `x = x + 1`, `d[k] = d.get(k, 0) + 1`, through a local variable or not.  A lock around the write
alone is not enough: what was read before it was taken may be old by then.

    class Stats:
        def hit(self):
            self.hits += 1                     # FT401: two threads
            with self.lock:
                self.hits += 1                 # right

## Why it matters

Reading and writing are two operations.  Another thread's write between them is overwritten: updates get lost, numbers that
should be unique are given out twice.  The GIL made it rare; without it, it happens all the time.

## Not reported

Updates under one lock, or ordered by a queue, an event, a join or any other hand-over, a variable among them that a constant is
written to and that the other thread tests or waits for (`self.ready = True`), and one of any value that a loop waits for without writing it
(`while done < jobs: time.sleep(0.1)`); `threading.local`; objects that only one
thread uses; what threads keep in a dictionary under their own identifiers, which later ones get again; `+=`, `|=` and the like on a list, dict, set or deque that the name keeps referring to (one atomic operation on the
container); single operations that are atomic: `append`, `setdefault`, `pop`, `d[k] = v`.
"#,
};
