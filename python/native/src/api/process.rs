//! The beginning of a watched process, and of its children.

use crate::api::fork;
use crate::evidence::runtime;
use crate::findings::{conclusion, current_test, process};
use crate::intercept::bytecode::code_data;
use crate::intercept::{extension_load, fork_calls, process_end, syscalls};
use crate::interpreter;
use crate::thread::{code_class, faults, perturb};
use ftsan::options::Options;
use ftsan::terminal;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::BTreeMap;
use std::ffi::OsString;

#[pyfunction]
pub(crate) fn start(options: OsString, python: BTreeMap<String, String>, gil: String) -> PyResult<()> {
    let options = Options::parse(&options).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let supervisor = options.supervisor;
    let (seed, hears_of_threads) = (options.perturb, !options.races.is_none());
    process::start(options, python, gil).map_err(PyValueError::new_err)?;
    perturb::start(seed, hears_of_threads);
    die_with(supervisor);
    Ok(())
}

/// Where `os.environ` keeps the environment: `os.environ._data`.
#[pyfunction]
pub(crate) fn set_environment(environment: Py<PyDict>) {
    current_test::set_environment(environment);
}

#[pyfunction]
pub(crate) fn verify_layouts(py: Python<'_>) -> PyResult<()> {
    interpreter::verify(py).map_err(PyRuntimeError::new_err)
}

/// Connects to the injected library; (functions hooked, preloaded).
#[pyfunction]
pub(crate) fn connect_hooks(path: &str, standard_library: &str) -> PyResult<(u32, bool)> {
    code_class::set_standard_library(standard_library);
    let (count, preloaded) = syscalls::connect(path, false).map_err(PyRuntimeError::new_err)?;
    (0..count).for_each(|_| process::get().count_hook());
    Ok((count, preloaded))
}

/// If this process has the last word on its tree, its exit status is going to say what was found.
#[pyfunction]
pub(crate) fn speak() {
    if process::get().speaks() {
        conclusion::prepare();
    }
}

/// Python was finalised and initialised again: what is hooked belongs to the interpreter that is gone, and nothing is watched in this one.
#[pyfunction]
pub(crate) fn refuse_second_interpreter(py: Python<'_>) {
    faults::fail("Python was initialised a second time in this process: only the first interpreter is watched");
    code_data::unload();
    py.detach(conclusion::add_fault);
}

/// Prints a line of ours, if there was a stderr when the process began.
#[pyfunction]
pub(crate) fn say(line: &str) {
    process::write_stderr(&format!("ftsan: {}\n", terminal::printable(line)));
}

/// Says what there is to say before the functions of `posix` that end the process at once, and has those that fork wait for our looks.
#[pyfunction]
pub(crate) fn watch_posix(posix: &Bound<'_, PyModule>) -> PyResult<()> {
    process_end::install(posix)?;
    fork_calls::install(posix)
}

/// Notices which extension modules do not declare that they can do without the GIL.
#[pyfunction]
pub(crate) fn watch_extension_modules(imp: &Bound<'_, PyModule>) -> PyResult<()> {
    extension_load::install(imp)
}

/// Whether the GIL must be off.
#[pyfunction]
pub(crate) fn requires_gil_disabled() -> bool {
    process::get().options.require_gil_disabled
}

/// What the calling thread does from now on is held up as in every process that does it in this name; without a name, not at all.
#[pyfunction]
pub(crate) fn begin_strand(name: &str) {
    perturb::begin_named(name);
}

/// The process has begun with the GIL on, which it was asked not to.
#[pyfunction]
pub(crate) fn begins_with_gil(py: Python<'_>, why: &str) {
    runtime::begins_with_gil(py, why);
}

#[pyfunction]
pub(crate) fn is_started() -> bool {
    process::is_started()
}

#[pyfunction]
pub(crate) fn after_fork_in_child(py: Python<'_>) {
    fork::after_in_child(py);
}

/// The direct child of a launcher dies with it: nobody is left to hear what it finds, and a killed `ftsan run` must not leave
/// the program running.
fn die_with(supervisor: u32) {
    // SAFETY: plain system calls.
    unsafe {
        if supervisor != 0 && libc::getppid() as u32 == supervisor {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() as u32 != supervisor {
                libc::raise(libc::SIGKILL);
            }
        }
    }
}
