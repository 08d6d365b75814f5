//! Where the report of a process tree is kept while the processes run.
//!
//! [`journal`]: what is found, appended as it happens, and folded into the report's JSON file.  [`inventory`]: the inventory of shared
//! state.  [`shards`]: many reports made one.  [`file`]: locks, and whose file it is; it is replaced in one
//! step by [`crate::safe_file`].

pub mod file;
pub mod inventory;
pub mod journal;
pub mod shards;
