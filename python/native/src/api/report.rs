//! Findings, and the report of them.

use crate::api::options::Word;
use crate::engine::races::sampling;
use crate::engine::{forks, races};
use crate::evidence::descriptor;
use crate::findings::{conclusion, occurrences, process, tally};
use crate::thread::{faults, installed};
use ftsan::options::Options;
use ftsan::report::render::{self as formats, FORMATS};
use ftsan::report::store::{inventory, journal, shards};
use ftsan::safe_file::Target;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

#[pyfunction]
pub(crate) fn start_report(path: PathBuf) -> PyResult<()> {
    journal::start(&path).map_err(|error| PyOSError::new_err(error.to_string()))
}

/// Makes the tally of a process tree that this process speaks for.
#[pyfunction]
pub(crate) fn create_tally(path: PathBuf) -> PyResult<()> {
    Ok(tally::create(&path)?)
}

/// The outcome of a run with these options: (status that replaces 0, text, whether that is to be said in any case).
#[pyfunction]
pub(crate) fn conclude(report: PathBuf, options: OsString) -> PyResult<(u8, String, bool)> {
    let options = Options::parse(&options).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let tally = options.tally.as_deref().and_then(tally::open);
    let conclusion = conclusion::of(&report, tally, &options, false);
    if let Some(tally) = tally {
        tally.close();
    }
    Ok((conclusion.status, conclusion.text, conclusion.is_news))
}

/// (names of packages and modules that are watched for data races, whether first-party code is)
#[pyfunction]
pub(crate) fn watched_names() -> (Vec<String>, bool) {
    let (names, first_party) = process::get().options.races.by_name();
    (names.to_vec(), first_party)
}

/// Whether a file is of a package that was installed, in whatever folder.
#[pyfunction]
pub(crate) fn is_installed(path: PathBuf) -> bool {
    installed::is_file_of_package(&path.to_string_lossy())
}

/// Refuses to have a report at `path` if there is something that must not be replaced.
#[pyfunction]
pub(crate) fn check_report(path: PathBuf) -> PyResult<()> {
    journal::check(&path).map_err(|error| PyOSError::new_err(error.to_string()))
}

/// Refuses reports in other formats that could not be written when the run is over.
#[pyfunction]
pub(crate) fn check_formats(options: OsString) -> PyResult<()> {
    let options = Options::parse(&options).map_err(|error| PyValueError::new_err(error.to_string()))?;
    for (path, _) in options.formats() {
        Target::at(path)
            .and_then(|target| target.check_writable())
            .map_err(|error| PyValueError::new_err(format!("cannot write the report {}: {error}", path.display())))?;
    }
    Ok(())
}

/// Brings the report's file up to date, in the launcher or whatever else outlives the watched processes.
#[pyfunction]
pub(crate) fn finish_report(path: PathBuf) -> PyResult<()> {
    journal::fold(&path).map_err(|error| PyOSError::new_err(error.to_string()))
}

/// (name, what it is, whether `ftsan run` writes it at the end) of each format that a report can be shown in.
#[pyfunction]
pub(crate) fn report_formats() -> Vec<(&'static str, &'static str, bool)> {
    FORMATS.iter().map(|format| (format.name, format.what, format.at_the_end)).collect()
}

/// The report at `path` in another format, with what the processes have found since its file was written.
#[pyfunction]
pub(crate) fn render_report(py: Python<'_>, path: PathBuf, format: &str) -> PyResult<String> {
    let format = formats::find(format).ok_or_else(|| PyValueError::new_err(format!("no format {format}")))?;
    py.detach(|| {
        let report = journal::read(&path).map_err(|error| PyOSError::new_err(error.to_string()))?;
        let mut bytes = Vec::new();
        (format.write)(&report, &mut bytes)?;
        String::from_utf8(bytes).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    })
}

/// Makes one report of many, written to `out`.  Returns what could not be read: (path, why).
#[pyfunction]
pub(crate) fn merge_reports(py: Python<'_>, paths: Vec<PathBuf>, out: PathBuf) -> PyResult<Vec<(Word, String)>> {
    let skipped = py.detach(|| shards::merge(&paths, &out)).map_err(|error| PyOSError::new_err(error.to_string()))?;
    Ok(skipped.into_iter().map(|(path, why)| (Word(path.into_os_string()), why)).collect())
}

/// The report as JSON, with what the processes have found since its file was written.
#[pyfunction]
pub(crate) fn read_report(path: PathBuf) -> PyResult<String> {
    let report = journal::read(&path).map_err(|error| PyOSError::new_err(error.to_string()))?;
    serde_json::to_string(&report).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

/// (races seen to do harm, races that may, lines of the writes of the others)
#[pyfunction]
pub(crate) fn confirmation(path: PathBuf) -> PyResult<(usize, usize, Vec<String>)> {
    let report = journal::read(&path).map_err(|error| PyOSError::new_err(error.to_string()))?;
    let confirmation = report.confirmation();
    Ok((confirmation.witnessed, confirmation.found, confirmation.lines))
}

#[pyfunction]
pub(crate) fn turn_off(what: &str) {
    faults::fail(what);
}

#[pyfunction]
pub(crate) fn set_gil(state: String) {
    process::get().set_gil(state);
}

#[pyfunction]
pub(crate) fn count_package(package: String) {
    process::get().count_package(package);
}

/// Writes the inventory of shared state, if the options ask for it.
#[pyfunction]
pub(crate) fn write_inventory(py: Python<'_>) -> PyResult<()> {
    py.detach(races::review::write).map_err(|error| PyOSError::new_err(error.to_string()))
}

/// Starts an empty inventory, in the launcher.
#[pyfunction]
pub(crate) fn start_inventory(path: PathBuf) -> PyResult<()> {
    inventory::start(&path).map_err(|error| PyOSError::new_err(error.to_string()))
}

/// The process ends: its last words.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    forks::child_ends(py);
    descriptor::judge_deferred(py);
    sampling::stop();
    py.detach(conclusion::end);
}

#[pyfunction]
pub(crate) fn flush(py: Python<'_>) {
    py.detach(|| process::get().bring_report_up_to_date());
}

/// Findings are noted with the value of this context variable, a string, as [`take_occurrences`] has them.
#[pyfunction]
pub(crate) fn name_occurrences_by(variable: Py<PyAny>) {
    occurrences::name_by(variable);
}

/// (value of the context variable, finding as JSON) of what happened since the last time.
#[pyfunction]
pub(crate) fn take_occurrences() -> PyResult<Vec<(String, String)>> {
    let happened = process::get().take_occurrences().into_iter();
    let rows = happened.map(|(name, finding)| Ok((name, serde_json::to_string(&finding)?)));
    rows.collect::<serde_json::Result<_>>().map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

#[pyfunction]
pub(crate) fn report() -> PyResult<String> {
    serde_json::to_string(&process::get().everything()).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

#[pyfunction]
pub(crate) fn render(py: Python<'_>, finding: &str, pid: u32, has_colours: bool, columns: usize) -> PyResult<String> {
    let finding = serde_json::from_str(finding).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(py.detach(|| process::shown(&finding, pid, has_colours, columns)))
}

/// A finding as `ftsan run` prints it with these options.
#[pyfunction]
pub(crate) fn render_with(py: Python<'_>, finding: &str, pid: u32, options: OsString) -> PyResult<String> {
    let finding = serde_json::from_str(finding).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let options = Options::parse(&options).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(py.detach(|| process::shown_with(&options, &finding, pid)))
}
