//! Crashes: dumps and recordings, triaged.

use crate::launcher::crash_report;
use ftsan::triage as crashes;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::path::PathBuf;

/// A dump, or the `crash.json` of a crash folder, triaged: as "text", "markdown" or "json".
#[pyfunction]
pub(crate) fn triage(py: Python<'_>, text: &str, is_json: bool, format: &str) -> PyResult<String> {
    let crash = if is_json { crashes::from_json(text) } else { crashes::faulthandler::read(text) };
    let crash = crash.map_err(PyValueError::new_err)?;
    Ok(py.detach(|| crashes::render(&crash, format)))
}

/// The JSON of a crash from a recording; empty if its process did not crash.
#[pyfunction]
pub(crate) fn read_recording(path: PathBuf, signal: i32) -> PyResult<String> {
    let crash = crash_report::read(&path, signal).map_err(PyValueError::new_err)?;
    let text = crash.map_or(Ok(String::new()), |crash| serde_json::to_string(&crash));
    text.map_err(|error| PyRuntimeError::new_err(error.to_string()))
}
