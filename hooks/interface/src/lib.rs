//! The agreement between the two shared libraries of ftsan, the injected one and the Python module.
//!
//! | module | what it holds |
//! |---|---|
//! | [`api`] | the tables of functions that pass between them |
//! | [`thread_pointer`] | one pointer per thread, one load away |

pub mod api;
pub mod thread_pointer;
