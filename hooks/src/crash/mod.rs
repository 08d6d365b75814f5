//! Fatal signals.

pub(crate) mod handler;
