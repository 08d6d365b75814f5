//! FT207 process-fd-redirected.

use super::family::descriptors::{Descriptors, SystemCall};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::descriptors::Suspicion;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT207",
    name: "process-fd-redirected",
    severity: Severity::Warning,
    finds: Finds::Descriptors(Descriptors { applies: |suspicion| matches!(suspicion, Suspicion::RedirectedByTwo { .. }), title }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "redirect in one thread at a time (a lock), or give each child its own files: subprocess.run(stdout=...)",
    }],
    manual: r#"
## What it finds

Descriptor 0, 1 or 2 pointed elsewhere by a thread while another thread has it pointed elsewhere and has not restored it.

    saved = os.dup(1)
    os.dup2(log, 1)                            # FT207: another thread has redirected descriptor 1
    ...
    os.dup2(saved, 1)

## Why it matters

The descriptors belong to the process.  Output goes to the other thread's file, and the last one restores what the first one had
redirected to: the original is lost.

## Not reported

Redirecting and restoring one after the other; redirections for good by one thread.
"#,
};

fn title(call: &SystemCall<'_>) -> String {
    format!("{} redirected in thread '{}' while thread '{}' has it redirected", call.what, call.thread, call.other)
}
