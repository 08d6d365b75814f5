//! The answers that `ftsan audit` gets from files and from the table of known crashes.

use crate::launcher::extension;
use ftsan::triage::judge::known;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use std::path::PathBuf;

/// (modules, whether it declares that it can do without the GIL, functions of Python that it uses, bytes that it can write to)
type ExtensionRow = (Vec<String>, Option<bool>, Vec<String>, u64);

/// Reads an extension module's file.
#[pyfunction]
pub(crate) fn read_extension(py: Python<'_>, path: PathBuf) -> PyResult<ExtensionRow> {
    let data = py.detach(|| std::fs::read(&path)).map_err(|error| PyOSError::new_err(error.to_string()))?;
    let read = py.detach(|| extension::read(&data)).map_err(PyValueError::new_err)?;
    Ok((read.modules, read.declares, read.uses, read.writable))
}

/// (distribution, first version that has the bug, first that has not, issue, what it is)
type BadRow = (&'static str, Option<&'static str>, &'static str, &'static str, &'static str);

#[pyfunction]
pub(crate) fn bad_versions() -> Vec<BadRow> {
    known::bad_versions().map(|bad| (bad.distribution, bad.from, bad.below, bad.issue, bad.name)).collect()
}
