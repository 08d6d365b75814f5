//! FT402 check-then-act.

use super::family::races::{Races, either};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::races::matrix::AccessKind;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT402",
    name: "check-then-act",
    severity: Severity::Error,
    finds: Finds::Races(Races {
        order: 5,
        applies: |race, _| either(race, AccessKind::Checked) || either(race, AccessKind::Update) && race.is_checked,
        title: |race| race.sentence(),
        can_be_witnessed: true,
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "check and act under one lock, or in one step (setdefault, pop with a default), or act and handle the exception",
    }],
    manual: r#"
## What it finds

A thread that tests something and acts on the answer, with nothing that keeps another thread from doing the same in between: a
cache that is filled if the key is missing, a singleton or attribute that is made when first asked for, a `pop` after a test for
emptiness, something that is used and then reset (`if self.file is not None: self.file.close(); self.file = None`), a `del` after a test for the key or of a key that was got from the dictionary itself, the first thing that is put into a container if
there is nothing in it, a balance or a length that is measured before it is changed, room that is looked for in a list, a set or a dictionary of objects, a place that is given to the one that comes first (`if self.leader is None: self.leader = name`), a name that is refused if it is
there already, a number that is made of the size of the list it is added to (`users.append({"id": len(users) + 1})`), a loop that changes what it looks at
until there is no more to do (`while self.left > 0: self.left -= 1`), a container that is copied and then cleared (`items = list(queue); queue.clear()`).  The test may be of a variable that the value was read into, or in a function of its own (`if not self.is_started(): self.start()`, a property as well),
and another thread may be started to act; a test that came too late to act this time is one as well.  So are a value that has
expired and is taken away with a default (`if self.expires[key] < now: self.expires.pop(key, None)`: a warning, as it may have been renewed
meanwhile), a place that `index` or `bisect` has found for `insert`, and a property that takes itself off its class while another
thread reads it and finds nothing.

    if self._pool is None:                     # FT402: two threads see None
        self._pool = Pool()
    with self._lock:                           # right
        if self._pool is None:
            self._pool = Pool()

## Why it matters

Both threads find the test true.  Two singletons exist, and one of them is lost with what was put into it; `pop` and `del` raise
although their test had just passed; something that must happen once happens twice.

## Not reported

Test and act under one lock, with an unlocked test before it or not; `setdefault`, `pop` with a default and other single
operations; acting and handling the exception, in the same function or, if that raises the same by itself (`if not self.items: raise IndexError`), in one
that has called it; a flag that several may set, also to what it was compared with, an element that several may add to a set, an event that is set, if nothing else is done
when it is not there (`if not self.is_stopped: self.is_stopped = True; self.stopped.set()`); a history that a thread cuts after it has added to it; a flag
that says that something has failed, set where an exception is handled; a look before something is taken away that one thread alone finds there, if that decides
whether a constant is stored, or anything if it is an attribute (`del self.is_open` with `except AttributeError: return`); caches of immutable values that are equal, whoever
computes them (a `str`, an `int`, a `tuple` of them, a frozen dataclass, a `Fraction`, a `Path`, a `UUID`, an IP address), but not one of several states that is chosen because another one was found, nor what is
measured first; a set that remembers for what the answer is yes, if something is called to find out before the `add`; threads that take turns by a plain
flag, a small number, a string or a constant with a name (`State.READY`), where each does nothing but go on with its loop, or wait in one, unless it is its turn.
"#,
};
