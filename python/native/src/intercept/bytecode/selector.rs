//! Every function that is made, and those that there are already: the chosen ones get the patched version of their code.
//!
//! Whatever runs Python code makes a function of it first: a `def`, a lambda, a class body, a module, a script, `-c`, `exec`, `eval`,
//! `types.FunctionType` (`Objects/funcobject.c`, `PyFunction_EVENT_CREATE`).  The callback runs before anybody else sees the function.
//! The function's version is not cleared: it stands for signature and behaviour, by which call sites are specialised, and these are the
//! same; what runs is read from the function at each call.

use crate::engine::order;
use crate::engine::races::callers::{self, Chosen};
use crate::engine::races::folds;
use crate::engine::races::sampling;
use crate::evidence::race;
use crate::findings::process;
use crate::intercept::bytecode::code_data::{self, Fate, Seen};
use crate::intercept::bytecode::decision::{Decision, text};
use crate::intercept::bytecode::tree::{self, Decide};
use crate::intercept::bytecode::{holders, opcodes, self_test, unselected};
use crate::intercept::masquerade::{self, marshal, monitoring, original_view};
use crate::intercept::tracers;
use crate::interpreter::code_fields::{self, Code};
use crate::interpreter::world::Stopped;
use crate::interpreter::{code_text, frames, functions};
use crate::thread::{code_class, guard, perturb, probe_switch};
use ftsan::scope::{Origin, Scope};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;
type Function = *mut ffi::PyFunctionObject;
type Watcher = unsafe extern "C" fn(c_int, Function, Object) -> c_int;
type Visitor = unsafe extern "C" fn(Object, *mut c_void) -> c_int;

unsafe extern "C" {
    // Include/cpython/funcobject.h and objimpl.h
    fn PyFunction_AddWatcher(callback: Watcher) -> c_int;
    fn PyUnstable_GC_VisitObjects(callback: Visitor, argument: *mut c_void);
}

/// `PyFunction_EVENT_CREATE`
const CREATE: c_int = 0;

static SCOPE: OnceLock<Scope> = OnceLock::new();

unsafe extern "C" fn on_event(event: c_int, function: Function, _: Object) -> c_int {
    if event == CREATE {
        // SAFETY: a new function, attached.
        unsafe {
            let code = (*function).func_code;
            let is_settled = match code_data::known(code) {
                Some(extra) => extra.is_final(),
                None => unselected::contains(code_text::filename(code as usize) as Object, (*function).func_module),
            };
            // Nobody else sees objects made while the interpreter ends.  Not `Py_IsInitialized`: 3.15 says no until `site` has been run.
            if !is_settled && ffi::Py_IsFinalizing() == 0 {
                guard::catch_panic((), || created(function));
            }
        }
    }
    0
}

/// # Safety
/// Attached; a function that nobody else has yet.
#[cold]
unsafe fn created(function: Function) {
    // SAFETY: passed on; the function gives up its reference and gets another one.
    unsafe {
        let py = Python::assume_attached();
        // Extension modules make functions while an exception is raised.
        let raised = ffi::PyErr_GetRaisedException();
        let seen = if is_run_by_the_program() { Seen::Perhaps } else { Seen::No };
        if let Some(patched) = patched_of(py, function, seen) {
            let before = (*function).func_code;
            (*function).func_code = patched.into_ptr();
            ffi::Py_DECREF(before);
        }
        ffi::PyErr_SetRaisedException(raised);
    }
}

/// What a function's code is to be replaced by.
///
/// # Safety
/// A live function.
unsafe fn patched_of<'py>(py: Python<'py>, function: Function, seen: Seen) -> Option<Bound<'py, PyAny>> {
    // SAFETY: a live function has code.
    let code = unsafe { Bound::from_borrowed_ptr(py, (*function).func_code) };
    // SAFETY: passed on.
    unsafe { patched_for(function, &code, seen) }
}

/// What code is to be replaced by in this function.
///
/// # Safety
/// A live function.
unsafe fn patched_for<'py>(function: Function, object: &Bound<'py, PyAny>, seen: Seen) -> Option<Bound<'py, PyAny>> {
    let py = object.py();
    // SAFETY: a live function has globals.
    let globals = unsafe { Bound::<PyAny>::from_borrowed_ptr(py, (*function).func_globals) };
    match code_data::fate(object) {
        Fate::Patched(patched) => return Some(patched),
        Fate::Final => return None,
        Fate::Open => {}
    }
    let code = Code::of(object)?;
    // SAFETY: passed on.
    let module = unsafe { Bound::from_borrowed_ptr_or_opt(py, (*function).func_module) };
    let patched = decide(&code, &globals, module.as_ref(), seen);
    patched.unwrap_or_else(|error| {
        crate::thread::faults::fail(&format!("races: {} of {}: {error}", code.qualname(), code.filename()));
        None
    })
}

/// The patched version of code that a function is made of with these globals; `None` if it is not chosen.
fn decide<'py>(
    code: &Code<'py>,
    globals: &Bound<'py, PyAny>,
    module: Option<&Bound<'py, PyAny>>,
    seen: Seen,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(scope) = SCOPE.get() else { return Ok(None) };
    let file = code.filename();
    let name = module.and_then(|module| module.cast_exact::<PyString>().ok());
    let module = name.map_or("", text);
    let has_no_file = text(&file).starts_with('<');
    let module_file = if has_no_file { global(globals, c"__file__") } else { None };
    let package = if module == "__main__" { global(globals, c"__package__") } else { None };
    let origin = Origin {
        file: text(&file),
        module,
        package: package.as_ref().map_or("", text),
        module_file: module_file.as_ref().map_or("", text),
        is_run_by_chosen: has_no_file && module_file.is_none() && is_run_by_chosen(),
    };
    if let Some(seen) = scope.seen_as(&origin).filter(|_| !has_no_file || module == "__main__") {
        process::get().count_package(seen);
    }
    if !scope.includes(&origin) {
        if let Some(name) = name.filter(|_| !has_no_file) {
            // SAFETY: attached; two live strings.
            unsafe { unselected::add(file.as_ptr(), name.as_ptr()) };
        }
        return Ok(None);
    }
    let mut decision = Decision { scope, module, seen };
    let patched = match decision.fate(code)? {
        Fate::Open => tree::patch(code, &mut decision)?,
        Fate::Patched(patched) => Some(patched),
        Fate::Final => None,
    };
    Ok(patched)
}

/// A string among the globals.
fn global<'py>(globals: &Bound<'py, PyAny>, name: &CStr) -> Option<Bound<'py, PyString>> {
    // SAFETY: attached; the globals of a function are a dict.  An error of the look-up is no answer either.
    unsafe {
        let mut value = std::ptr::null_mut();
        if ffi::PyDict_GetItemStringRef(globals.as_ptr(), name.as_ptr(), &raw mut value) < 0 {
            ffi::PyErr_Clear();
        }
        Bound::from_owned_ptr_or_opt(globals.py(), value)?.cast_into_exact().ok()
    }
}

/// Whether the code that runs now is chosen.
fn is_run_by_chosen() -> bool {
    // SAFETY: attached, and it is our own stack; a code object that runs is alive.
    unsafe {
        let running = frames::own().find_map(frames::Frame::raw);
        running.is_some_and(|frame| code_data::is_chosen(frame.code as Object))
    }
}

/// Whether what runs now is code of the program, or of a library, and not what the interpreter imports or starts it by.
fn is_run_by_the_program() -> bool {
    // SAFETY: attached, and it is our own stack; a code object that runs is alive.
    unsafe {
        let running = frames::own().find_map(frames::Frame::raw);
        let file = running.and_then(|frame| code_class::file(frame.code));
        file.is_some_and(|file| !file.starts_with("<frozen "))
    }
}

/// What runs when the program assigns this code to this function; `None` if that is the code itself.
///
/// # Safety
/// A live function.
unsafe fn assigned<'py>(function: Function, code: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: passed on.
    guard::catch_panic(None, || unsafe { patched_for(function, code, Seen::Shown) })
}

/// Replaces the code of functions, the pairs of which are kept alive by the caller, where it is still what it was.
fn replace_code(py: Python<'_>, replacements: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>)>) {
    let mut before = Vec::new();
    {
        let _stopped = Stopped::stop(py);
        for (function, code, patched) in &replacements {
            let function = function.as_ptr().cast::<ffi::PyFunctionObject>();
            // SAFETY: a live function, which no thread looks at while the world is stopped; frames that run it hold the code themselves.
            unsafe {
                if std::ptr::eq((*function).func_code, code.as_ptr()) {
                    before.push((*function).func_code);
                    (*function).func_code = patched.clone().into_ptr();
                }
            }
        }
    }
    for code in before {
        // SAFETY: the function's reference.
        unsafe { ffi::Py_DECREF(code) };
    }
}

unsafe extern "C" fn collect(object: Object, functions: *mut c_void) -> c_int {
    // SAFETY: called by the collector with a live object while the world is stopped, and with what `adopt` gave it.
    unsafe {
        if ffi::PyFunction_Check(object) != 0 {
            ffi::Py_INCREF(object);
            (*functions.cast::<Vec<Object>>()).push(object);
        }
    }
    1
}

/// Gives the functions that there are already the patched version of their code.
fn adopt(py: Python<'_>) {
    let mut functions: Vec<Object> = Vec::new();
    // SAFETY: attached; the visitor only counts references.
    unsafe { PyUnstable_GC_VisitObjects(collect, (&raw mut functions).cast()) };
    // SAFETY: new references.
    let functions = functions.into_iter().map(|function| unsafe { Bound::from_owned_ptr(py, function) });
    let replacements = functions.filter_map(|function| {
        let at = function.as_ptr().cast::<ffi::PyFunctionObject>();
        // SAFETY: a live function.
        let (code, patched) = unsafe { (Bound::from_borrowed_ptr(py, (*at).func_code), patched_of(py, at, Seen::Shown)?) };
        Some((function, code, patched))
    });
    replace_code(py, replacements.collect());
}

/// Begins: what the program sees is replaced, then the functions that there are, then those to come.
pub(crate) fn start(py: Python<'_>, standard_library: &[String]) -> PyResult<()> {
    let mut scope = process::get().options.scope();
    if process::get().options.races.is_none() || SCOPE.get().is_some() {
        return Ok(());
    }
    scope.set_standard_library(standard_library.iter().map(String::as_str));
    code_fields::load(py).map_err(PyRuntimeError::new_err)?;
    code_data::load(py)?;
    opcodes::get(py)?;
    // SAFETY: attached; static types.
    let class = |class: *mut ffi::PyTypeObject| unsafe { PyType::from_borrowed_type_ptr(py, class) };
    masquerade::code::install(&class(&raw mut ffi::PyCode_Type))?;
    masquerade::frames::install(&class(&raw mut ffi::PyFrame_Type), &class(&raw mut ffi::PyTraceBack_Type))?;
    masquerade::functions::install(py, assigned)?;
    monitoring::install(py)?;
    marshal::install(py)?;
    self_test::run(py, &scope)?;
    let options = &process::get().options;
    let is_untraced = tracers::install(py)?;
    if is_untraced && !options.strict && !options.confirm && options.confirm_at.is_empty() && options.inventory.is_none() {
        order::thread_clock();
        sampling::start(py);
        probe_switch::begin(py);
        if !perturb::is_on() {
            folds::begin(opcodes::get(py)?.end_of_probe());
            probe_switch::begin_folding(py);
        }
    }
    race::name_holders_by(holders::holder);
    callers::start(Chosen {
        is_chosen: code_data::is_chosen,
        begins_again: code_data::begins_again,
        decides: code_data::decides,
        decides_more: code_data::decides_more,
        waits: code_data::waits,
        handle_lack: code_data::handle_lack,
        rely: code_data::rely,
    });
    let _ = SCOPE.set(scope);
    // SAFETY: attached; the callback never raises.
    if unsafe { PyFunction_AddWatcher(on_event) } < 0 {
        return Err(PyErr::fetch(py));
    }
    adopt(py);
    Ok(())
}

/// Gives a function the code that it had in the program's source, and never patches that again.
pub(crate) fn leave_alone(function: &Bound<'_, PyAny>) -> PyResult<()> {
    let code = functions::code_of(function)?;
    let original = original_view::original(&code)?;
    leave_alone_down(&original)?;
    replace_code(function.py(), vec![(function.clone(), code, original)]);
    Ok(())
}

fn leave_alone_down(code: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(fields) = Code::of(code) else { return Ok(()) };
    code_data::leave_alone(code)?;
    fields.constants().iter().try_for_each(|constant| leave_alone_down(&constant))
}
