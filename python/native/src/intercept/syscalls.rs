//! System calls, as the injected library sees them: what it suspects is judged, and what it asks for in a crash is written.

use crate::evidence::{crash_stacks, descriptor};
use crate::thread::hooks_link;
use ftsan::descriptors::{Mark, Suspicion};
use ftsan::recording::operation::Operation;
use libc::c_int;

/// Connects to the library: see [`hooks_link::connect`].
///
/// # Errors
/// As there, or the stacks of a dying process could not be read here; one line.
pub(crate) fn connect(path: &str) -> Result<(u32, bool), String> {
    crash_stacks::verify()?;
    hooks_link::connect(path, suspect, crash_stacks::crashed)
}

/// May be called in any thread, attached or not, in the middle of a system call.
unsafe extern "C" fn suspect(suspicion: &Suspicion, operation: u32, fd: c_int, mark: Mark) {
    descriptor::suspect(suspicion, Operation(operation), fd, mark);
}
