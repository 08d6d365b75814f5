//! The state of the process and of the calling thread.

pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod thread;
