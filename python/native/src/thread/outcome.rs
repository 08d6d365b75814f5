//! How a check ends, and so what the intercepted call has to do.

use std::ffi::c_int;

/// What the intercepted call has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Go on.
    Continue,
    /// Go on; this is a misuse, and all that the call does to the foreign loop in turn belongs to it.
    Misuse,
    /// An exception is set; return with it.
    Raised,
}

impl Outcome {
    /// As a type slot returns it: 0 to go on, -1 with an exception set.
    #[inline]
    pub(crate) fn status(self) -> c_int {
        match self {
            Outcome::Continue | Outcome::Misuse => 0,
            Outcome::Raised => -1,
        }
    }
}
