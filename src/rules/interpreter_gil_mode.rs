//! FT604 interpreter-gil-mode.

use super::family::runtime::{Event, Runtime};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT604",
    name: "interpreter-gil-mode",
    severity: Severity::Error,
    finds: Finds::Runtime(Runtime { title, severity: |_| None }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "run it on a free-threaded build (python3.14t) without PYTHON_GIL=1 and -X gil=1, and without start-up files that import \
                 extension modules",
    }],
    manual: r#"
## What it finds

A process that has begun with the GIL on, in a run with `--require-gil-disabled`.

    PYTHON_GIL=1 ftsan run --require-gil-disabled app.py      # FT604

## Why it matters

A run that is to show that a program works without the GIL shows nothing if the GIL is on.

## Not reported

Without `--require-gil-disabled`, the GIL is no fault: the report says in `gil` whether it was on, and in `python` what kind of build it
was.  Sub-interpreters, of which the report says that they are not watched.
"#,
};

fn title(event: &Event<'_>) -> String {
    let Event::Interpreter { why } = event else { return String::new() };
    format!("the process has begun with the GIL on: {why}")
}
