//! FT602 extension-undeclared.

use super::family::runtime::{Event, Runtime};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT602",
    name: "extension-undeclared",
    severity: Severity::Info,
    finds: Finds::Runtime(Runtime { title, severity: |_| None }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "update the distribution to a version that declares Py_MOD_GIL_NOT_USED (ftsan audit lists all that do not), or keep its \
                 calls to one thread",
    }],
    manual: r#"
## What it finds

An extension module that does not declare that it can do without the GIL, and has not switched it on: because `PYTHON_GIL=0` or `-X gil=0`
keeps it off, or because another module has switched it on before.

    PYTHON_GIL=0 python app.py
    import old_parser                          # FT602

## Why it matters

With the GIL kept off, code runs in several threads at once that nobody has looked at for that: its static variables, its caches, borrowed
references.  With the GIL on, this is the next module to switch it on once the first one is mended.

## Not reported

The module that has switched the GIL on, which is FT601.  Modules that were loaded before the watching began.
"#,
};

fn title(event: &Event<'_>) -> String {
    let Event::Undeclared { module, distribution, .. } = event else { return String::new() };
    let of = distribution.map_or_else(String::new, |distribution| format!(" of {distribution}"));
    format!("{module}{of} does not declare that it can do without the GIL")
}
