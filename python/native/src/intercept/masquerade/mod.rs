//! The program sees its own code, not ours: every way in which Python shows a code object shows the original.
//!
//! | module | what shows it |
//! |---|---|
//! | [`original_view`] | what a patched code object looks like to the program |
//! | [`code`], [`functions`], [`frames`], [`monitoring`], [`marshal`], [`interpreters`] | attributes of code; code of functions and generators; frames and tracebacks; tracing and monitoring; `marshal`; other interpreters |

pub(crate) mod code;
pub(crate) mod frames;
pub(crate) mod functions;
pub(crate) mod interpreters;
pub(crate) mod marshal;
pub(crate) mod monitoring;
pub(crate) mod original_view;
