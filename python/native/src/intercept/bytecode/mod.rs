//! From code objects to patched ones.
//!
//! | module | holds |
//! |---|---|
//! | [`selector`] | every function that is made, and those that there are already: which of them get probes |
//! | [`decision`] | what is decided for the code of one module |
//! | [`unselected`] | modules that are left as they are |
//! | [`opcodes`], [`tree`] | the instructions of this interpreter; a code object and those in it, patched |
//! | [`code_data`] | what is known of a code object |
//! | [`holders`] | what code calls the objects that hold what it accesses |
//! | [`self_test`] | whether all this works here |
//! | [`debug_dump`] | patched code as it is, for tests |

pub(crate) mod code_data;
pub(crate) mod debug_dump;
pub(crate) mod decision;
pub(crate) mod holders;
pub(crate) mod opcodes;
pub(crate) mod selector;
pub(crate) mod self_test;
pub(crate) mod tree;
pub(crate) mod unselected;
