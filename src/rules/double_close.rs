//! FT206 double-close.

use super::family::descriptors::{Descriptors, SystemCall};
use super::rule::{Finds, Fix, Rule};
use super::severity::Severity;
use crate::descriptors::Suspicion;

/// What two closes are called that were not made in one way.
pub const TWO_OWNERS: &str = "two owners";

/// The rule.
pub static RULE: Rule = Rule {
    id: "FT206",
    name: "double-close",
    severity: Severity::Error,
    finds: Finds::Descriptors(Descriptors {
        applies: |suspicion| matches!(suspicion, Suspicion::DoubleClose { .. } | Suspicion::Reaped { .. }),
        title,
    }),
    fixes: &[
        Fix {
            name: "child",
            operations: &["wait"],
            advice: "wait for a child in one place, or by Popen.wait(), which any number of threads may call: os.waitpid(), of its pid or of -1, takes it away from others",
        },
        Fix {
            name: "owners",
            operations: &[TWO_OWNERS],
            advice: "let one owner close it: sock.detach() where the number is given away, closefd=False in open() and os.fdopen() where it is only lent, os.dup() for a number of one's own",
        },
        Fix {
            name: "any",
            operations: &[],
            advice: "take the number out of the object in one step before closing it: fd, self.fd = self.fd, None under a lock",
        },
    ],
    manual: r#"
## What it finds

A descriptor number closed by a second thread after the first had closed it, or a file closed by a thread that closed something else long
before: it meant what had the number then.

    def close(self):
        if self.fd is not None:                # two threads pass here
            os.close(self.fd)                  # FT206 in the second one
            self.fd = None

Or a number that has two owners, each of which closes it: a socket or file object, and `os.close()` of its number; two objects of one number.

    sock = socket.create_connection(address)
    worker(sock.fileno())                      # closes it when it is done, and so does `sock`: sock.detach() gives it away

Or a child process that one thread waits for after another one has: `os.waitpid(-1)` in a thread that reaps takes the children of `subprocess`;
also if that thread only waits meanwhile, and the other one is the lucky one that gets its child.

## Why it matters

Between the two, the number may have been given to a file of an unrelated thread, which is closed under it: EBADF in innocent code, or its
data in the wrong file.

## Not reported

A thread that closes what another one opened and gave to it; closing twice in one thread.
"#,
};

fn title(call: &SystemCall<'_>) -> String {
    let SystemCall { what, thread, other, owners, .. } = call;
    if let Suspicion::Reaped { .. } = call.suspicion {
        return match call.is_victim {
            true => format!("{what} of thread '{thread}' waited for in thread '{other}', which takes any child"),
            false => format!("{what} waited for in thread '{thread}' after thread '{other}' had waited for it"),
        };
    }
    if let Some([first, second]) = owners {
        return match call.is_victim {
            true => format!("{what} of thread '{thread}', which closes it by {second}, closed by {first} in thread '{other}'"),
            false => format!("{what} closed by {second} in thread '{thread}' after thread '{other}' had closed it by {first}"),
        };
    }
    if call.is_victim {
        format!("{what} of thread '{thread}' closed in thread '{other}', which had not opened it")
    } else {
        format!("{what} closed in thread '{thread}' after thread '{other}' had closed it")
    }
}
