//! The part that runs in the launcher, beside the watched program and not in it.
//!
//! | module | holds |
//! |---|---|
//! | [`command_line`] | the command line of `ftsan`, made from the table of options |
//! | [`crash_report`] | from the recording of a dead process to the facts that triage works with |
//! | [`door`] | another process's interpreter is asked to run a script (PEP 768) |
//! | [`extension`] | what the file of an extension module says |
//! | [`symbols`] | names for addresses of a process that has died |
//! | [`tasks`] | the loops of another process and their tasks, from outside |
//! | [`waits`] | the locks that threads of another process wait for and hold, from outside |
//! | [`unwind`] | the native stack of a process that has died, from registers and stack |

pub(crate) mod command_line;
pub(crate) mod crash_report;
pub(crate) mod door;
pub(crate) mod extension;
pub(crate) mod symbols;
pub(crate) mod tasks;
pub(crate) mod unwind;
pub(crate) mod waits;
