//! The hooks.
//!
//! | module | what it holds |
//! |---|---|
//! | `table` | the one table of hooks: name, what is told of the call, the call |
//! | `tail_jumps` | hooks that may leave no trace on the stack: vfork, clone, dlopen |
//! | `install` | diverts calls in a process that did not preload us |
//! | `shapes` | how a call is passed on, recorded, and told to the descriptor table |
//! | `pollers` | which threads are in poll or select |
//! | `thread_start` | threads get a signal stack first |

pub(crate) mod install;
mod pollers;
mod shapes;
pub(crate) mod table;
mod tail_jumps;
mod thread_start;
