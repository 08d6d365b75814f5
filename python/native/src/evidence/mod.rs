//! From a misuse to a finding: which threads, where, and what the other one was doing.
//!
//! | module | holds |
//! |---|---|
//! | [`affinity`], [`gone`], [`descriptor`], [`race`], [`lock`], [`runtime`] | one family of rules each |
//! | [`outer`] | what a line of the program leads to in installed packages |
//! | [`owner_snapshot`] | what the owner's thread is doing, read while the world is stopped |
//! | [`thread_names`], [`naming`], [`lock_names`], [`flags`] | what threads and objects are called |
//! | [`acquirers`] | whose doing the acquisition of a lock is: the program's, or the standard library's |
//! | [`native_frames`], [`guarded_close`] | the library that closed a descriptor; the line that checked before it closed |
//! | [`descriptor_truth`], [`deferred`] | whether a suspicion about a descriptor is true; those of threads that are not in Python |
//! | [`crash_stacks`] | what threads were doing when the process died |

pub(crate) mod acquirers;
pub(crate) mod affinity;
pub(crate) mod crash_stacks;
pub(crate) mod deferred;
pub(crate) mod descriptor;
pub(crate) mod descriptor_truth;
pub(crate) mod flags;
pub(crate) mod gone;
pub(crate) mod guarded_close;
pub(crate) mod lock;
pub(crate) mod lock_names;
pub(crate) mod naming;
pub(crate) mod native_frames;
pub(crate) mod outer;
pub(crate) mod owner_snapshot;
pub(crate) mod race;
pub(crate) mod runtime;
pub(crate) mod thread_names;
