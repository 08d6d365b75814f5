//! The order of threads, and the choice of the code that has probes.

use crate::engine::{order, races};
use crate::findings::process;
#[cfg(not(Py_GIL_DISABLED))]
use crate::intercept::birth_tracers;
use crate::intercept::python_function::{self, Bytecode};
use crate::intercept::sync::{self, caches, operations, python_operations, weakref_callbacks};
use crate::intercept::{bytecode, container_calls, iterator_steps, masquerade};
use crate::interpreter::{self, iterators, tasks};
use ftsan::patcher::known_calls;
use ftsan::races::clock::Epoch;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyCode, PyModule, PyType};

/// (original, patched, original code unit of each patched one) of a code object, which is the last, and of those in it.  `make_site` gets the
/// original and what the site is about: (action, unit, name, depth of object, of callable, of key, of value, is tested).
#[pyfunction]
pub(crate) fn instrumented<'py>(
    code: &Bound<'py, PyCode>,
    make_site: Bound<'py, PyAny>,
) -> PyResult<Vec<bytecode::debug_dump::Pair<'py>>> {
    bytecode::debug_dump::of(code, make_site)
}

/// Instructions of this interpreter that the patcher's table of opcodes has no row and no excuse for, or a wrong row.
#[pyfunction]
pub(crate) fn unknown_opcodes(py: Python<'_>) -> PyResult<Vec<String>> {
    Ok(bytecode::opcodes::get(py)?.unknown().to_vec())
}

/// Whether the options choose any code to look for data races in.
#[pyfunction]
pub(crate) fn wants_races() -> bool {
    !process::get().options.races.is_none()
}

/// Keeps the order of threads, and looks for races in code with probes.
#[pyfunction]
pub(crate) fn start_races(py: Python<'_>) -> PyResult<()> {
    interpreter::header::verify(py).map_err(PyRuntimeError::new_err)?;
    interpreter::frame_marks::try_out(py)?;
    races::containers::learn(py)?;
    races::locations::learn(py)?;
    races::shared::start(&process::get().options);
    races::review::start();
    races::confirm::start();
    let modules = py.import("sys")?.getattr("modules")?;
    // Every import takes something out of it, which would be ordered after all that the main thread has done by then.
    // SAFETY: alive.
    unsafe { races::touch::escape(modules.as_ptr()) };
    Ok(())
}

/// Puts probes into the code that the options choose; the folders are the standard library's.
#[pyfunction]
pub(crate) fn instrument_chosen(py: Python<'_>, standard_library: Vec<String>) -> PyResult<()> {
    bytecode::selector::start(py, &standard_library)
}

/// The C functions that are watched at their entries: ("module:" or "module:Class", name).
#[pyfunction]
pub(crate) fn watched_calls() -> Vec<(String, &'static str)> {
    let methods = known_calls::method_entries().map(|(module, class, name)| (format!("{module}:{class}"), name));
    known_calls::ENTRIES.iter().map(|entry| (entry.owner.to_owned(), entry.name)).chain(methods).collect()
}

/// Watches one of them.
#[pyfunction]
pub(crate) fn watch_call(function: &Bound<'_, PyAny>, owner: &str, name: &str) -> PyResult<()> {
    container_calls::install(function, owner, name)
}

/// The modules that have types of iterators.
#[pyfunction]
pub(crate) fn modules_of_iterators() -> Vec<&'static str> {
    iterators::modules().collect()
}

/// Watches the steps of the iterators of one of them.
#[pyfunction]
pub(crate) fn watch_iterators(module: &Bound<'_, PyModule>) -> PyResult<()> {
    iterator_steps::install(module)
}

/// Watches `operator.attrgetter`.
#[pyfunction]
pub(crate) fn watch_getter(class: &Bound<'_, PyType>) -> PyResult<()> {
    container_calls::install_getter(class)
}

/// Watches json's encoder.
#[pyfunction]
pub(crate) fn watch_encoder(class: &Bound<'_, PyType>) -> PyResult<()> {
    container_calls::install_encoder(class)
}

/// A function of a module that hands what it is given to other interpreters.
#[pyfunction]
pub(crate) fn hands_originals(module: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
    masquerade::interpreters::hook(module, name)
}

#[pyfunction]
pub(crate) fn leave_unpatched(function: &Bound<'_, PyAny>) -> PyResult<()> {
    bytecode::selector::leave_alone(function)
}

/// A method of an extension type, or a function of an extension module, hands something over.
#[pyfunction]
pub(crate) fn order_method(method: &Bound<'_, PyAny>, edge: &str) -> PyResult<()> {
    operations::install(method, edge)
}

/// `list.append` is called where it is said to be, so that its hook is.
#[pyfunction]
pub(crate) fn order_appends(list: &Bound<'_, PyType>) -> PyResult<()> {
    interpreter::call_cache::forget_list_append(list.py()).map_err(PyRuntimeError::new_err)
}

/// A Python function hands something over.
#[pyfunction]
pub(crate) fn order_function(function: &Bound<'_, PyAny>, edge: &str) -> PyResult<()> {
    let edge = python_operations::PythonSyncOp::parse(edge)?;
    let site = python_operations::new(function.py(), edge)?;
    python_function::inject_at(Bytecode::get(function.py())?, function, site, edge.place())?;
    process::get().count_hook();
    Ok(())
}

/// The functions of `_thread` that start threads.
#[pyfunction]
pub(crate) fn order_threads(module: &Bound<'_, PyModule>) -> PyResult<()> {
    sync::threads::install(module)
}

/// The locks that threads hold, and in which order.
#[pyfunction]
pub(crate) fn watch_locks(module: &Bound<'_, PyModule>) -> PyResult<()> {
    sync::locks::watch(module)
}

/// Which task a thread is in the middle of.
#[pyfunction]
pub(crate) fn watch_tasks(module: &Bound<'_, PyModule>) -> PyResult<()> {
    tasks::verify(module)
}

/// The type of caches.
#[pyfunction]
pub(crate) fn order_caches(class: &Bound<'_, PyType>) -> PyResult<()> {
    caches::install(class)
}

/// The type of weak references.
#[pyfunction]
pub(crate) fn order_callbacks(class: &Bound<'_, PyType>) -> PyResult<()> {
    weakref_callbacks::install(class)
}

/// `_tracemalloc`, which hears of births as well.
#[cfg(not(Py_GIL_DISABLED))]
#[pyfunction]
pub(crate) fn share_births(module: &Bound<'_, PyModule>) -> PyResult<()> {
    birth_tracers::install(module)
}

/// A lock that orders nothing.
#[pyfunction]
pub(crate) fn ignore_lock(lock: &Bound<'_, PyAny>) {
    // SAFETY: attached, alive.
    unsafe { order::ignore(lock.as_ptr()) };
}

/// The stretch of the calling thread between two releases.
#[pyfunction]
pub(crate) fn epoch() -> u64 {
    order::thread_clock().epoch().bits()
}

/// Whether what was done in that stretch happened before what the calling thread does now.
#[pyfunction]
pub(crate) fn has_seen(epoch: u64) -> bool {
    order::thread_clock().has_seen(Epoch::from_bits(epoch))
}
