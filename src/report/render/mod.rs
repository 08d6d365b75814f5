//! Renderers: one file per format.

pub mod json;
pub mod text;
