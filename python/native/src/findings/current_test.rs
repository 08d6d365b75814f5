//! The test of pytest that is running, as pytest tells it to the processes that a test starts, too: `PYTEST_CURRENT_TEST`.
//!
//! Read where `os.environ` keeps what it was set to.  The C library's `getenv` may be called by nobody while another thread sets a variable.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::sync::OnceLock;

/// `os.environ._data`: bytes by bytes.
static ENVIRONMENT: OnceLock<Py<PyDict>> = OnceLock::new();

/// Where the environment is kept.
pub(crate) fn set_environment(environment: Py<PyDict>) {
    let _ = ENVIRONMENT.set(environment);
}

/// Id of the test that is running.
pub(super) fn of_pytest(py: Python<'_>) -> Option<String> {
    // Keys and values are bytes: neither hashing nor comparing runs code of the program.
    let value = ENVIRONMENT.get()?.bind(py).get_item(PyBytes::new(py, b"PYTEST_CURRENT_TEST")).ok()??;
    let text = String::from_utf8_lossy(value.cast_exact::<PyBytes>().ok()?.as_bytes()).into_owned();
    // "tests/test_a.py::test_b (call)"
    Some(text.rsplit_once(" (").map_or(text.as_str(), |(id, _)| id).to_owned()).filter(|id| !id.is_empty())
}
