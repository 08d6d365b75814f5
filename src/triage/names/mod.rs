//! Names of a dump: functions, files, and to whom they belong.
//!
//! | module | what it holds |
//! |---|---|
//! | [`symbols`] | functions: demangled, cleaned |
//! | [`paths`] | files: operating system, interpreter, extension module, distribution |
//! | [`owner`] | whose code a native frame is |
//! | [`lists`] | lists of names that others extend |

pub(crate) mod lists;
pub mod owner;
pub mod paths;
pub mod symbols;
