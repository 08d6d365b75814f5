//! FT405 iterator-shared.

use super::family::races::{Races, either};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::races::matrix::AccessKind;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT405",
    name: "iterator-shared",
    severity: Severity::Error,
    finds: Finds::Races(Races {
        order: 2,
        applies: |race, _| either(race, AccessKind::Advance),
        title: |race| race.sentence(),
        can_be_witnessed: false,
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "give each thread an iterator of its own, let one thread fill a queue.Queue from it, or hold a lock around next()",
    }],
    manual: r#"
## What it finds

One iterator advanced by two threads with nothing that orders them: a generator, `zip`, `map`, `enumerate`, `iter(lst)`, what
`itertools` makes, a file, a `csv.reader` or `csv.DictReader`, an async generator; a cursor of `sqlite3`, by `execute` as well as by what
fetches its rows.

    rows = csv.reader(file)
    threading.Thread(target=load, args=(rows,))   # FT405: for row in rows, in two threads
    with lock:                                    # right
        row = next(rows, None)

## Why it matters

A generator that runs raises ValueError ("generator already executing").  Others keep their position in plain memory: elements are
skipped, given twice or mixed from two rows; some have crashed free-threaded interpreters.

## Not reported

`next` of a shared `itertools.count()`, which is atomic; iterators that are handed from one thread to the next by a join, a lock
or a queue; several iterators over one container that nobody changes.
"#,
};
