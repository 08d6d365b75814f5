//! FT601 gil-reenabled.

use super::family::runtime::{Event, Runtime};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT601",
    name: "gil-reenabled",
    severity: Severity::Info,
    finds: Finds::Runtime(Runtime { title, severity }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "update the distribution to a version that declares Py_MOD_GIL_NOT_USED (ftsan audit lists all that do not), or do without it",
    }],
    manual: r#"
## What it finds

The extension module that has switched the GIL on, on a free-threaded build, and the import that has brought it in: the first one to be
loaded that does not declare that it can do without the GIL (the slot `Py_mod_gil` with `Py_MOD_GIL_NOT_USED`, or a call of
`PyUnstable_Module_SetGIL`).

    import gevent                              # FT601: gevent.libev.corecext

## Why it matters

From then on one thread runs Python code at a time, in the whole process and until its end.  The interpreter says so in a warning that is
shown once and does not say which import it was.  Races are found as before: they do not need two threads that run at once.

## Not reported

Modules after the first one, which would do the same: that is FT602.  `PYTHON_GIL=0`, which keeps the GIL off whatever is loaded.

It is of severity info, and error with `--require-gil-disabled`, which is for programs that are to run without the GIL.
"#,
};

fn title(event: &Event<'_>) -> String {
    let Event::Undeclared { module, distribution, .. } = event else { return String::new() };
    let of = distribution.map_or_else(String::new, |distribution| format!(" of {distribution}"));
    format!("the GIL was switched on by {module}{of}, which does not declare that it can do without")
}

fn severity(event: &Event<'_>) -> Option<Severity> {
    matches!(event, Event::Undeclared { is_required: true, .. }).then_some(Severity::Error)
}
