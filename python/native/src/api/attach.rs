//! A process that somebody attaches to while it runs, and leaves again.

use crate::engine::affinity::given;
use crate::evidence::{descriptor, gone};
use crate::findings::process;
use crate::intercept::syscalls;
use crate::interpreter::functions::code_of;
use crate::interpreter::introspection::type_name;
use crate::interpreter::world::Stopped;
use crate::interpreter::{frames, replaced, tasks, thread_state};
use crate::launcher::door::{self, Interpreter};
use crate::thread::{code_class, hooks_link, origins, registry, timeline};
use ftsan::loops::Realm;
use ftsan::options::{OF_ATTACH, Options};
use ftsan::report::model::timeline::Time;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

/// Begins to watch a process that runs, without findings until [`look`]; whether it was attached to before, and is hooked again.
#[pyfunction]
pub(crate) fn attach(py: Python<'_>, options: OsString, python: BTreeMap<String, String>, gil: String) -> PyResult<bool> {
    let options = Options::parse(&options).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let is_again = process::was_left();
    process::start(options, python, gil).map_err(PyValueError::new_err)?;
    process::get().stop_looking();
    let registry = registry::get();
    registry.loops.begin_again();
    timeline::begin_again(registry.loops.threads());
    registry.bindings.clear();
    origins::clear();
    gone::clear();
    replaced::begin();
    if is_again {
        replaced::replace_again(py)?;
    }
    Ok(is_again)
}

/// Connects to the injected library, or has it divert calls again; what is open by now is looked at.
#[pyfunction]
pub(crate) fn attach_hooks(path: &str, standard_library: &str) -> PyResult<()> {
    code_class::set_standard_library(standard_library);
    if hooks_link::is_connected() {
        hooks_link::suspend(false);
    } else {
        let (count, _) = syscalls::connect(path, true).map_err(PyRuntimeError::new_err)?;
        (0..count).for_each(|_| process::get().count_hook());
    }
    syscalls::learn_open();
    Ok(())
}

/// Finds out where threads have the loop that they run; `asyncio` is `_asyncio`, of which nothing is hooked.
#[pyfunction]
pub(crate) fn learn_running_loops(asyncio: &Bound<'_, PyModule>) -> PyResult<()> {
    tasks::verify(asyncio)
}

/// Notes which threads run a loop of asyncio; how many do.
#[pyfunction]
pub(crate) fn adopt_running_loops(py: Python<'_>) -> PyResult<usize> {
    let running: Vec<(usize, Py<PyAny>)> = {
        let stopped = Stopped::stop(py);
        let of_thread = |thread: *mut ffi::PyThreadState| {
            // SAFETY: the state of a thread of the stopped world; a loop that a thread runs is alive.
            unsafe {
                let loop_ = tasks::running_loop_of(thread);
                (!loop_.is_null()).then(|| (thread as usize, Bound::from_borrowed_ptr(py, loop_).unbind()))
            }
        };
        // No allocation that could wait for another thread: the vector's is the process's own, and the interpreter's is not used.
        stopped.threads().filter_map(of_thread).collect()
    };
    let mut types = BTreeMap::new();
    for (_, loop_) in &running {
        // SAFETY: attached, alive.
        unsafe { given::runs(py, loop_.as_ptr()) };
        types.insert(loop_.as_ptr() as usize, type_name(loop_.bind(py)));
    }
    // They may have stopped meanwhile, and are hooked now: only what they run at this moment counts.
    let stopped = Stopped::stop(py);
    let mut count = 0;
    for thread in stopped.threads() {
        // SAFETY: as above; identities of threads are published.
        unsafe {
            let loop_ = tasks::running_loop_of(thread);
            if !loop_.is_null() {
                let (ident, native_id) = thread_state::identity(thread);
                let r#type = types.remove(&(loop_ as usize)).unwrap_or_default();
                adopt(thread as usize, ident, native_id, Realm::Asyncio, loop_ as usize, r#type);
                count += 1;
            }
        }
    }
    Ok(count)
}

fn adopt(handle: usize, ident: u64, native_id: u64, realm: Realm, loop_: usize, r#type: String) {
    let loops = &registry::get().loops;
    let slot = loops.adopt(handle, ident, native_id);
    loops.started(slot, realm, loop_, handle);
    timeline::runs(slot, realm, r#type, loop_);
}

/// Notes that the thread with this identity runs a loop that is not asyncio's; whether there is such a thread.
#[pyfunction]
pub(crate) fn adopt_loop(py: Python<'_>, loop_: &Bound<'_, PyAny>, ident: u64, realm: &str) -> PyResult<bool> {
    let (realm, r#type) = (realm_of(realm)?, type_name(loop_));
    let stopped = Stopped::stop(py);
    // SAFETY: the states of threads of the stopped world.
    let found = stopped.threads().map(|thread| (thread as usize, unsafe { thread_state::identity(thread) }));
    let mut its = found.filter(|(_, (its, _))| *its == ident);
    let Some((handle, (ident, native_id))) = its.next() else { return Ok(false) };
    adopt(handle, ident, native_id, realm, loop_.as_ptr() as usize, r#type);
    Ok(true)
}

/// Notes that threads run a loop that is not asyncio's, which a function that they are in has in the local variable of this number.
#[pyfunction]
pub(crate) fn adopt_loops_in(py: Python<'_>, function: &Bound<'_, PyAny>, variable: usize, realm: &str) -> PyResult<()> {
    let (r#type, realm) = (realm.to_owned(), realm_of(realm)?);
    let code = code_of(function)?.as_ptr() as usize;
    let stopped = Stopped::stop(py);
    for thread in stopped.threads() {
        // SAFETY: the state of a thread of the stopped world; the function has the variable.
        unsafe {
            let mut its = frames::of_thread(thread).filter(|frame| frame.raw().is_some_and(|raw| raw.code == code));
            if let Some(loop_) = its.find_map(|frame| frame.local(variable)) {
                let (ident, native_id) = thread_state::identity(thread);
                adopt(thread as usize, ident, native_id, realm, loop_ as usize, r#type.clone());
            }
        }
    }
    Ok(())
}

fn realm_of(name: &str) -> PyResult<Realm> {
    Realm::parse(name).ok_or_else(|| PyValueError::new_err(format!("unknown realm {name}")))
}

/// Findings are made from now on, for so many seconds at most: nobody may come to leave the process.
#[pyfunction]
pub(crate) fn look(py: Python<'_>, seconds: f64) {
    process::get().look_until(timeline::now().saturating_add(Duration::from_secs_f64(seconds).as_micros() as Time));
    py.detach(|| process::get().bring_report_up_to_date());
}

/// Whether the time to look is over.
#[pyfunction]
pub(crate) fn is_over() -> bool {
    process::get().is_attached() && !process::get().is_looking()
}

/// This session does not watch something that was asked for.
#[pyfunction]
pub(crate) fn leave_out(what: &str) {
    process::get().leave_out(what);
}

/// Leaves the process: everything that was replaced is put back, and the report is complete, unless it is another process's.
#[pyfunction]
pub(crate) fn leave(py: Python<'_>, is_reported: bool) -> PyResult<()> {
    hooks_link::suspend(true);
    descriptor::judge_deferred(py);
    process::get().stop_looking();
    let result = replaced::put_back(py);
    py.detach(|| {
        if is_reported {
            process::get().complete_report();
        }
        process::get().leave();
    });
    result
}

/// The options that `ftsan attach` takes.
#[pyfunction]
pub(crate) fn options_of_attach() -> Vec<&'static str> {
    OF_ATTACH.to_vec()
}

/// The kernel's ids of the threads of another process that can be asked to run a script.
#[pyfunction]
pub(crate) fn threads_of(pid: u32) -> PyResult<Vec<u64>> {
    Ok(Interpreter::of(pid)?.threads()?.into_iter().map(|(native_id, _)| native_id).collect())
}

/// Asks a thread of another process to run a script; whether there is such a thread.
#[pyfunction]
pub(crate) fn ask_thread(pid: u32, native_id: u64, script: OsString) -> PyResult<bool> {
    let interpreter = Interpreter::of(pid)?;
    let Some((_, thread)) = interpreter.threads()?.into_iter().find(|(its, _)| *its == native_id) else { return Ok(false) };
    interpreter.ask(thread, script.as_bytes())?;
    Ok(true)
}

/// Has a thread of another process that waits look around, if it can be.
#[pyfunction]
pub(crate) fn nudge(native_id: u64) -> PyResult<()> {
    Ok(door::nudge(native_id)?)
}

/// Takes back the script that threads of another process were asked to run and have not begun; how many that were.
#[pyfunction]
pub(crate) fn take_back(pid: u32, script: OsString) -> PyResult<usize> {
    let interpreter = Interpreter::of(pid)?;
    let mut count = 0;
    for (_, thread) in interpreter.threads()? {
        count += usize::from(interpreter.take_back(thread, script.as_bytes())?);
    }
    Ok(count)
}
