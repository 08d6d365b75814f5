//! The families of rules: what detection hands to a rule, and what the rules of a family have in common.

pub mod calls;
pub mod descriptors;
pub mod locks;
pub mod races;
pub mod runtime;
