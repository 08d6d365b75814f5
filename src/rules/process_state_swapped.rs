//! FT408 process-state-swapped.

use super::family::races::Races;
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT408",
    name: "process-state-swapped",
    severity: Severity::Error,
    finds: Finds::Races(Races {
        order: 1,
        applies: |_, is_process_state| is_process_state,
        title: |race| race.sentence(),
        can_be_witnessed: false,
    }),
    fixes: &[Fix {
        name: "any",
        operations: &[],
        advice: "pass it instead of swapping it (print(file=...), subprocess.run(cwd=..., env=...)), or swap under one lock",
    }],
    manual: r#"
## What it finds

State of the whole process that two threads replace for a while, with nothing that orders them: `sys.stdout` and its kind
(`contextlib.redirect_stdout`), the current directory (`os.chdir`, `contextlib.chdir`), `os.environ`, the umask, the locale, the default timeout of
sockets, the effective user and group, limits that the interpreter has once (`sys.setrecursionlimit`, `sys.set_int_max_str_digits`,
`sys.setswitchinterval`, `threading.stack_size`, `csv.field_size_limit`), what `unittest.mock.patch` patches, and a patch that refuses to start
because another thread is inside of it.

    with contextlib.redirect_stdout(buffer):   # FT408: in two threads
        report()
    report(file=buffer)                        # right

## Why it matters

Each thread works with what the other one put there.  The last one restores what the first one had put: the original is
lost for good, prints vanish, files are written into the wrong directory.

## Not reported

Swapping by one thread at a time; swapping for good at start-up, or to what another thread has set it to already; `warnings.catch_warnings` and `decimal.localcontext`, which are a
thread's own on free-threaded builds.
"#,
};
