//! From code objects to patched ones.
//!
//! | module | what it holds |
//! |---|---|
//! | [`opcodes`] | the instructions of this interpreter |
//! | [`tree`] | a code object and those in it, patched |

pub(crate) mod opcodes;
mod tree;

pub(crate) use tree::{Pair, patch};
