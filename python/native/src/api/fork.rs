//! The child of a fork, which has only the calling thread left.

use crate::engine::races::sampling;
use crate::engine::{forks, locks, order};
use crate::evidence::deferred;
use crate::findings::process;
use crate::intercept::bytecode::code_data;
use crate::interpreter::fork_gate;
use crate::thread::context::{current_thread, native_id};
use crate::thread::{perturb, probe_switch, registry, timeline};
use pyo3::Python;

/// Makes everything that another thread may have been in the middle of anew, from the bottom up.
pub(crate) fn after_in_child(py: Python<'_>) {
    fork_gate::open();
    forks::in_child(py);
    process::after_fork();
    deferred::begin();
    registry::get().loops.after_fork(current_thread().slot, native_id());
    timeline::after_fork(current_thread().slot);
    current_thread().after_fork();
    code_data::after_fork_in_child();
    probe_switch::after_fork_in_child();
    order::after_fork();
    locks::after_fork();
    sampling::after_fork_in_child(py);
    perturb::after_fork();
}
