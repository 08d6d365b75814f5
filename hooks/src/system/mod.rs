//! The kernel and libc: no state of ours but the signal stacks.

pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod decimal;
pub(crate) mod environment;
pub(crate) mod memory;
pub(crate) mod original;
pub(crate) mod signal_stack;
