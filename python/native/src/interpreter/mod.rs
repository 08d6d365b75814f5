//! All knowledge of interpreter internals: layouts, frames, stop-the-world.
//!
//! Offsets come from `_PyRuntime.debug_offsets`, which CPython publishes for debuggers and profilers
//! (`Include/internal/pycore_debug_offsets.h`).  An offset that is not published there is listed in [`offsets`] with its source.
//! [`verify`] compares what we read with what the public API says; if that fails, nothing is hooked.
//!
//! | modules | know of |
//! |---|---|
//! | [`offsets`], [`world`], [`thread_state`], [`memory`] | published offsets; stop-the-world; the calling thread's state; memory that may be bad |
//! | [`header`], [`types`], [`attributes`], [`reach`], [`dict_words`] | objects: spare bits, types, where attributes are, what an object leads to; dictionaries by raw words |
//! | [`frames`], [`frame_marks`], [`code_fields`], [`code_extras`], [`code_text`], [`line_table`], [`exception_table`], [`functions`] | running and compiled Python code |
//! | [`coroutines`], [`await_chain`], [`futures`], [`tasks`], [`contexts`], [`iterators`] | what is suspended, and what it waits for |
//! | [`locks`], [`descriptors`], [`extension_modules`] | locks; file descriptors of objects; what extension modules declare |
//! | [`call_arguments`], [`call_cache`], [`function_slots`], [`trace`], [`tracers`] | calls of C functions, and where their pointers are; tracers |
//! | [`replaced`], [`pending_calls`] | what was replaced, to be put back; calls in whatever thread comes by |
//! | [`introspection`], [`fork_gate`] | asking Python without the program noticing, nor its forks |
//! | [`own_types`], [`py_ref`] | types and references of our own |

pub(crate) mod attributes;
pub(crate) mod await_chain;
pub(crate) mod call_arguments;
pub(crate) mod call_cache;
pub(crate) mod code_extras;
pub(crate) mod code_fields;
pub(crate) mod code_text;
pub(crate) mod contexts;
pub(crate) mod coroutines;
pub(crate) mod descriptors;
pub(crate) mod dict_words;
pub(crate) mod exception_table;
pub(crate) mod extension_modules;
pub(crate) mod fork_gate;
pub(crate) mod frame_marks;
pub(crate) mod frames;
pub(crate) mod function_slots;
pub(crate) mod functions;
pub(crate) mod futures;
pub(crate) mod header;
pub(crate) mod introspection;
pub(crate) mod iterators;
pub(crate) mod line_table;
pub(crate) mod locks;
pub(crate) mod memory;
pub(crate) mod offsets;
pub(crate) mod own_types;
pub(crate) mod pending_calls;
pub(crate) mod py_ref;
pub(crate) mod reach;
pub(crate) mod replaced;
pub(crate) mod tasks;
pub(crate) mod thread_state;
pub(crate) mod trace;
pub(crate) mod tracers;
pub(crate) mod types;
pub(crate) mod world;

use pyo3::prelude::*;

/// Checks every layout that the affinity family relies on.  The error says which one is not as expected.
pub(crate) fn verify(py: Python<'_>) -> Result<(), String> {
    offsets::load()?;
    thread_state::load();
    thread_state::verify()?;
    attributes::verify(py)?;
    frames::verify(py)?;
    coroutines::verify_states(py)
}
