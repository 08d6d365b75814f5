//! Operations that order threads, as they are called: each one releases before the original runs or acquires after it
//! ([`crate::engine::order`]).
//!
//! | module | intercepts |
//! |---|---|
//! | [`operations`] | methods and functions written in C |
//! | [`python_operations`] | Python functions |
//! | [`locks`] | the deaths of locks |
//! | [`threads`] | the beginnings and ends of threads |
//! | [`caches`], [`weakref_callbacks`] | `functools.lru_cache`; callbacks of weak references |

pub(crate) mod caches;
pub(crate) mod locks;
pub(crate) mod operations;
pub(crate) mod python_operations;
pub(crate) mod threads;
pub(crate) mod weakref_callbacks;
