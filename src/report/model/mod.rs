//! What is reported, as plain data; the field names are the JSON contract.

pub mod access;
pub mod finding;
mod fingerprint;
pub mod ignore;
pub mod suppress;
pub mod tree;
