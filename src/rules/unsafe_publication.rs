//! FT406 unsafe-publication.

use super::family::races::{Races, Unordered, either};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::races::matrix::AccessKind;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT406",
    name: "unsafe-publication",
    severity: Severity::Warning,
    finds: Finds::Races(Races { order: 4, applies: |race, _| race.published_early, title, can_be_witnessed: false }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "publish last: complete the object, then store the reference, start its thread or set a flag (threading.Event), or hand it over by a queue",
    }],
    manual: r#"
## What it finds

Something that a thread writes after it has told the others that it is complete: a value behind a flag that is already set, an
attribute of an object that others can reach already, a table that is filled piece by piece by a function that fills it if it is
empty: it is no longer empty when the first piece is there.  The flag may be tested in a helper (`self.load()`) whose caller then reads the value.
And attributes that an object does not have yet when its thread is started, or when a thread reads them; or that are `None` by then, if it does something with
them at once (`self.connection.send()`).

    self.ready = True                          # read by another thread
    self.result = compute()                    # FT406: the other thread reads self.result
    self.result = compute()                    # right
    self.ready = True

    class Server(threading.Thread):
        def __init__(self):
            super().__init__()
            self.start()                       # right: start it last, or where the server is made
            self.routes = {}                   # FT406: run() reads self.routes

## Why it matters

The others trust the flag or the reference.  They see the object without its attributes, or the value from before.

## Not reported

An object that was complete when it was published, by a plain assignment too; a table that is filled in one step (`update`); an attribute that had another value, neither `None` nor empty, when the object was published
(`job.status = "running"`); replacing a whole object by another one;
what a loop reads before it asks for the flag again; later rounds of what was complete when the flag was set; attributes that a class has a value for,
or that the reader asks for (`getattr` with a default, `hasattr`, `except AttributeError` with something else to go on with, `is None`).
"#,
};

fn title(race: &Unordered<'_>) -> String {
    let outcome = match race.flag {
        _ if either(race.race, AccessKind::Insert) => "; it is filled piece by piece, and seen half".to_owned(),
        _ if race.race.made_late && race.race.was_none => "; the reader had come while it was None".to_owned(),
        _ if race.race.made_late && race.race.flag.is_none() => "; the reader had come before it was there at all".to_owned(),
        Some(flag) => format!("; '{flag}', which says that it is there, was set first"),
        None => "; a flag that says it is there was set first".to_owned(),
    };
    race.sentence_with(&outcome)
}
