//! The runtime around the program: the GIL, extension modules, and forks.

use crate::rules::severity::Severity;

/// Something that became of the runtime.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// An extension module was loaded that does not say that it can do without the GIL.
    Undeclared {
        /// Name of the module.
        module: &'a str,
        /// The distribution that it came with, and its version.
        distribution: Option<&'a str>,
        /// It has switched the GIL on, for good.
        enables: bool,
        /// The run was asked to be one without the GIL (`--require-gil-disabled`).
        is_required: bool,
    },
    /// The process has begun with the GIL on, although it was asked to be one without.
    Interpreter {
        /// Why it is on.
        why: &'a str,
    },
    /// The child of a fork goes on with what threads of the parent had, which are not there.
    Forked {
        /// Name of the thread that has forked.
        thread: &'a str,
        /// Name of the thread that is not in the child.
        other: &'a str,
        /// What that one was doing.
        left: Left,
    },
}

/// Something that a thread which is not in the child of a fork has left there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// A lock that the child is about to wait for, for ever.
    Wanted,
    /// A lock.
    Lock,
    /// A running loop.
    Loop,
}

/// What a rule says of the runtime.
#[derive(Debug)]
pub struct Runtime {
    /// The title.
    pub title: fn(&Event<'_>) -> String,
    /// How bad a case is, where it is not as the rule says.
    pub severity: fn(&Event<'_>) -> Option<Severity>,
}
