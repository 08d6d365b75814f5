//! `ftsan._native`: everything of ftsan that runs inside the watched interpreter.
//!
//! The law of this crate: a hook never allocates, locks or formats before it has found a misuse; a slow path never runs code
//! of the program, never panics into the host, never changes errno ([`boundary`]); what is known of interpreter layouts is
//! in [`interpreter`] and verified before anything is hooked.
//!
//! | module | what it holds |
//! |---|---|
//! | [`watch`], [`check`] | what is watched, and the hot path |
//! | [`prologue`], [`site`] | Python functions, by three injected instructions |
//! | [`methods`], [`slots`] | C methods and type slots, by swapped pointers |
//! | [`threads`], [`stacks`], [`creations`], [`codes`] | the calling thread, recorded stacks, births, what code objects are |
//! | [`evidence`] | the cold path: from a misuse to a finding |
//! | [`command_line`] | the command line of `ftsan`, made from the table of options |
//! | [`session`] | options, findings and report of the process |

mod boundary;
mod check;
mod codes;
mod command_line;
mod creations;
mod evidence;
mod interpreter;
mod methods;
mod module;
mod prologue;
mod session;
mod site;
mod slots;
mod stacks;
mod threads;
mod watch;
