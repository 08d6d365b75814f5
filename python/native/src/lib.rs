//! `ftsan._native`: everything of ftsan that runs inside the watched interpreter.
//!
//! An intercepted call enters at the top and falls; calls and data only go down, and `tests/python/test_layers.py` holds that:
//!
//! ```text
//!   api          the Python surface                         launcher   in `ftsan run` and `ftsan triage`, never in the program
//!    |
//!   intercept    how a call, an access or a system call reaches us; knows no rule
//!    |
//!   engine       is this a misuse?  Formats nothing
//!    |
//!   evidence     which threads, where, and what the other one was doing: from a misuse to a finding
//!    |
//!   findings     what was found so far, and the report it goes to
//!    |
//!   thread       the calling thread: its context, its stacks, the guard of every slow path, the link to the injected library
//!    |
//!   interpreter  all knowledge of interpreter layouts, verified before anything is hooked
//! ```
//!
//! The law of this crate: a hook never allocates, locks or formats before it has found a misuse; a slow path never runs code of the
//! program, never panics into the host and never changes errno ([`thread::guard`]).

mod api;
mod engine;
mod evidence;
mod findings;
mod intercept;
mod interpreter;
mod launcher;
mod thread;
