//! From code objects to patched ones, of which the program sees nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | [`watcher`] | every function that is made, and those that there are already |
//! | [`not_chosen`] | modules that are left as they are |
//! | [`opcodes`], [`tree`] | the instructions of this interpreter; a code object and those in it, patched |
//! | [`code_extra`] | what is known of a code object |
//! | [`code_view`] | what the program sees of a patched code object |
//! | [`shown_code`], [`shown_frames`], [`shown_events`], [`shown_marshal`], [`shown_interpreters`] | where it sees that |
//! | [`self_test`] | whether all this works here |
//! | [`pairs`] | patched code as it is, for tests |
//! | [`owned`] | references that no Python object has |
//! | [`descriptors`] | places of function pointers of the interpreter |

pub(crate) mod code_extra;
pub(crate) mod code_view;
mod descriptors;
mod not_chosen;
pub(crate) mod opcodes;
mod owned;
pub(crate) mod pairs;
mod self_test;
mod shown_code;
mod shown_events;
mod shown_frames;
pub(crate) mod shown_interpreters;
mod shown_marshal;
mod tree;
pub(crate) mod watcher;
