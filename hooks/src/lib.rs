//! `libftsan_hooks.so`: what is injected into the process, below Python and whatever else runs there.
//!
//! The law of this crate: a hook never allocates, never formats, never takes a lock that the host could hold, never panics and never
//! changes errno.  It runs in signal handlers, before libc's constructors, between fork and exec, in processes without Python, and in
//! threads that nobody told us about: it then passes the call on and nothing else.
//!
//! Each layer uses those below it, and no file is part of a circle; a test holds both (`tests/python/test_tidy.py`).
//!
//! | layer | what it holds |
//! |---|---|
//! | [`lifecycle`] | switched on or inert; the Python module connects; forks; the end |
//! | [`enter`] | a thread of somebody who attaches runs a script |
//! | [`calls`] | the hooks: the table, and how each shape of call is recorded and told |
//! | [`crash`] | the handler of fatal signals |
//! | [`state`] | the process's recording and descriptors, the thread's record, what Python is doing |
//! | [`system`] | clock, environment, bad memory, signal stacks |

mod calls;
mod crash;
mod enter;
mod lifecycle;
mod state;
mod system;
