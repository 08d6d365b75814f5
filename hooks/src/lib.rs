//! `libftsan_hooks.so`: what is injected into the process, below Python and whatever else runs there.
//!
//! The law of this crate: a hook never allocates, never formats, never takes a lock that the host could hold, never panics and never
//! changes errno.  It runs in signal handlers, before libc's constructors, between fork and exec, in processes without Python, and in
//! threads that nobody told us about: it then passes the call on and nothing else.
//!
//! | module | what it holds |
//! |---|---|
//! | [`calls`] | the one table of hooks: name, what is told of the call, the call |
//! | [`hook`] | how a call is passed on, recorded, and told to the descriptor table |
//! | [`original`] | the functions that are hooked, found when they are first needed |
//! | [`pass_on`] | hooks that may leave no trace on the stack: vfork, clone, dlopen |
//! | [`pollers`] | who is in poll or select |
//! | [`thread`] | the calling thread's record |
//! | [`process`] | switched on or inert; the recording; forks |
//! | [`python`] | what the Python module tells and is told |
//! | [`import_tables`] | the same hooks for a process that did not preload us |
//! | [`crash`] | the handler of fatal signals |

mod calls;
mod crash;
mod hook;
mod import_tables;
mod original;
mod pass_on;
mod pollers;
mod process;
mod python;
mod thread;
