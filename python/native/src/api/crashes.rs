//! Crashes: dumps and recordings, triaged.

use crate::launcher::crash_report::{self, Wanted};
use crate::launcher::symbols::{self, Files};
use crate::launcher::{tasks, waits as other_waits};
use ftsan::triage::{self as crashes, crash::Crash};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::path::PathBuf;

/// A text with crashes in it, or the `crash.json` of a crash folder, triaged: as "text", "markdown" or "json".
#[pyfunction]
pub(crate) fn triage(py: Python<'_>, text: &str, is_json: bool, format: &str) -> PyResult<String> {
    py.detach(|| read(text, is_json, &mut Files::default()).map(|all| crashes::render_all(&all, format)))
        .map_err(PyValueError::new_err)
}

/// The forms in which a crash can be pasted: name, and what it is recognised by.
#[pyfunction]
pub(crate) fn forms_table() -> Vec<(&'static str, &'static str)> {
    crashes::forms::FORMS.iter().map(|form| (form.name, form.looks_like)).collect()
}

/// Crashes of many texts by signature, as "text" or "json"; each text with its name and whether it is a `crash.json`.  Also the names of
/// those without a crash.
#[pyfunction]
pub(crate) fn group_crashes(py: Python<'_>, texts: Vec<(String, String, bool)>, format: &str) -> (String, Vec<String>) {
    py.detach(|| {
        let mut found = Vec::new();
        let mut without = Vec::new();
        let mut files = Files::default();
        for (source, text, is_json) in texts {
            match read(&text, is_json, &mut files) {
                Ok(crashes) => found.extend(crashes.into_iter().map(|crash| (source.clone(), crash))),
                Err(_) => without.push(source),
            }
        }
        (crashes::group(&found, format), without)
    })
}

fn read(text: &str, is_json: bool, files: &mut Files) -> Result<Vec<Crash>, String> {
    if is_json {
        return crashes::from_json(text).map(|crash| vec![crash]);
    }
    let mut all = crashes::read(text)?;
    for crash in &mut all {
        symbols::name_functions(crash, files);
    }
    Ok(all)
}

/// The JSON of the first crash in a text.
#[pyfunction]
pub(crate) fn read_dump(text: &str) -> PyResult<String> {
    let crashes = read(text, false, &mut Files::default()).map_err(PyValueError::new_err)?;
    crashes.first().map_or_else(|| Err(PyValueError::new_err("no stack in it")), json)
}

/// The JSON of a crash from a recording; empty if its process did not crash.
#[pyfunction]
pub(crate) fn read_recording(path: PathBuf, signal: i32) -> PyResult<String> {
    let crash = crash_report::read(&path, Wanted::Death(signal)).map_err(PyValueError::new_err)?;
    crash.map_or(Ok(String::new()), |crash| json(&crash))
}

fn json(crash: &Crash) -> PyResult<String> {
    serde_json::to_string(crash).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

/// What a thread waits for, the place of the thread that has it, and where that has acquired it.
type Wait = (String, Option<usize>, String);

/// What the threads of a `crash.json` of a living process wait for, and which wait in a circle, by their places.
#[pyfunction]
pub(crate) fn waits(crash: &str) -> PyResult<(Vec<Option<Wait>>, Vec<usize>)> {
    let crashes::hang::Waits { threads, circle } =
        crashes::hang::waits_of(&crashes::from_json(crash).map_err(PyValueError::new_err)?);
    Ok((threads, circle))
}

/// (the kernel's id, name of the loop's type, tasks as in `crash.json`) of each thread of another process that runs a loop of asyncio.
#[pyfunction]
pub(crate) fn loops_of(pid: u32) -> PyResult<Vec<(u64, String, String)>> {
    let told = |running: tasks::Running| {
        let tasks = serde_json::to_string(&running.tasks).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok((running.native_id, running.r#type, tasks))
    };
    tasks::running_in(pid)?.into_iter().map(told).collect()
}

/// The threads of another process as `crash.json` has them: Python frames, the locks that they wait for and hold.
#[pyfunction]
pub(crate) fn waits_of(py: Python<'_>, pid: u32) -> PyResult<String> {
    serde_json::to_string(&other_waits::threads_of(py, pid)?).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

/// The JSON of what the process of a recording is doing: it is asked by a signal.
#[pyfunction]
pub(crate) fn ask_process(py: Python<'_>, pid: i32, recording: PathBuf) -> PyResult<String> {
    json(&py.detach(|| crash_report::ask(pid, &recording)).map_err(PyValueError::new_err)?)
}
