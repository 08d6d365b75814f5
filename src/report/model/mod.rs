//! What is reported, as plain data; the field names are the JSON contract.

pub mod access;
pub mod baseline;
pub mod finding;
mod fingerprint;
pub mod ignore;
pub mod location;
pub mod mistake;
pub mod policy;
pub mod severities;
pub mod suppress;
pub mod timeline;
pub mod tree;
