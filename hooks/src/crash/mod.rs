//! Fatal signals: what the process was doing goes into the recording, then the program's own handler gets its turn.
//!
//! The fault that killed the process may have destroyed what a handler stands on, so this one stands on little.  It writes down
//! what the kernel tells it, with no more than system calls and stores to the recording, which belongs to the process; it uses
//! nothing thread-local, and a stack of its own.  Everything else is done in steps, and a step that crashes or takes too long is
//! given up for the next one.
//!
//! | module | what it holds |
//! |---|---|
//! | `handler` | the way in |
//! | `steps` | what is done, one after the other, each in its time |
//! | `others` | the other threads are stopped, so that their stacks hold still |
//! | `notes` | what the kernel tells, and what it says of the process's memory |
//! | `first` | the first crash of the process |
//! | `chain` | the way out: the handlers that come after ours |

pub(crate) mod chain;
mod first;
pub(crate) mod handler;
mod notes;
mod others;
mod steps;
