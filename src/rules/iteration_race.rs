//! FT403 iteration-race.

use super::family::races::{Races, either};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::races::matrix::AccessKind;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT403",
    name: "iteration-race",
    severity: Severity::Error,
    finds: Finds::Races(Races {
        order: 3,
        applies: |race, _| either(race, AccessKind::Iterate),
        title: |race| race.sentence(),
        can_be_witnessed: false,
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "iterate over a copy made in one step (d.copy(), list(d)), or hold one lock while iterating and while changing",
    }],
    manual: r#"
## What it finds

A list, dict, set, deque or other built-in container that is iterated by one thread and changed by another one, with nothing that
orders the two: `for`, comprehensions, views, and whatever walks over it in C, such as `sum`, `zip`, `map`, `deque(d)`, `f(*d)`,
`x in d.values()`, `json.dumps(d)` and `pickle.dumps(d)`.  An iteration lasts from its first step to its last one: a change between
two steps is a race although a lock orders every single step.  So is a change after `if d:` that has found nothing to iterate over.  Of a sequence that is gone through by
numbers (`for i in range(len(xs)): use(xs[i])`), what takes elements away races, unless `IndexError` is handled there.

    for listener in self.listeners:            # FT403: another thread calls self.listeners.append()
        listener(event)
    for listener in self.listeners.copy():     # right
        listener(event)

## Why it matters

Iterating takes many operations.  A dict, set or deque raises RuntimeError in the middle ("changed size during iteration"); a list
silently skips elements or gives them twice.

## Not reported

Iterating over a copy: `copy()`, `list(d)`, `[*d]`, `list(d.items())`, `sorted(lst)`, `lst[:]` are single operations; containers that are
replaced and never changed; iterating and changing under one lock, or one after the other.
"#,
};
