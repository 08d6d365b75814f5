//! What is watched for calls from the wrong thread, and what is declared to be.

use crate::engine::affinity::given;
use crate::engine::affinity::watch::{Attribute, OwnerKind, Watch};
use crate::findings::process;
use crate::intercept::python_function::{self, Bytecode};
use crate::intercept::{call_site, constructors, coroutine_steps, future_slots, given_away, watched_methods};
use crate::interpreter::functions::code_of;
use crate::interpreter::{contexts, coroutines, function_slots, futures};
use crate::thread::code_class::{self, Class};
use crate::thread::{carriers, context, guard, recorder, registry, stacks, timeline};
use ftsan::declare::{self, Declaration};
use ftsan::loops::Realm;
use ftsan::rules::{
    self, coroutine_driven_by_two_threads, foreign_await, future_settled_off_thread, loop_call_off_thread, task_touched_off_thread,
};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyType};
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

type SetRunningLoop = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;
static SET_RUNNING_LOOP: OnceLock<SetRunningLoop> = OnceLock::new();

/// `_asyncio._set_running_loop`, as asyncio and uvloop call it: who runs which loop.
unsafe extern "C" fn set_running_loop(module: *mut ffi::PyObject, loop_: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let original = SET_RUNNING_LOOP.get().expect("set before it is hooked");
    // SAFETY: the original function with the arguments it was called with.
    let result = unsafe { original(module, loop_) };
    if !result.is_null() {
        guard::catch_panic((), || {
            let (loops, slot) = (&registry::get().loops, context::current_thread().slot);
            // SAFETY: attached.
            if std::ptr::eq(loop_, unsafe { ffi::Py_None() }) {
                loops.stopped(slot, Realm::Asyncio);
                timeline::ends_to_run(slot, Realm::Asyncio);
                recorder::runs(context::current_thread(), 0);
            } else {
                // SAFETY: attached.
                loops.started(slot, Realm::Asyncio, loop_ as usize, unsafe { ffi::PyThreadState_Get() } as usize);
                recorder::runs(context::current_thread(), loop_ as usize);
                // SAFETY: attached, alive.
                unsafe {
                    let py = Python::assume_attached();
                    timeline::begins_to_run(slot, Realm::Asyncio, &Bound::from_borrowed_ptr(py, loop_));
                    given::runs(py, loop_);
                }
            }
        });
    }
    result
}

/// What a row of a table says of a function or method: see `python/ftsan/watch/declarations.py`.
struct Row<'a, 'py> {
    /// Name of a [`OwnerKind`]; for attributes `attribute:NAME`.
    owner: &'a str,
    rule: &'a str,
    operation: &'a str,
    realm: &'a str,
    /// Objects that are excepted, or loops that objects have in a field.
    class: Option<&'a Bound<'py, PyType>>,
}

impl Row<'_, '_> {
    fn leak(&self, py: Python<'_>, frames: usize) -> PyResult<&'static Watch> {
        let wrong = |what: &str, value: &str| PyValueError::new_err(format!("unknown {what} {value}"));
        let (name, attribute) = self.owner.split_once(':').unwrap_or((self.owner, ""));
        let kind = OwnerKind::parse(name).ok_or_else(|| wrong("owner", self.owner))?;
        let class = self.class.map_or(0, |class| class.clone().unbind().into_ptr() as usize);
        let (except, loop_class) = if kind == OwnerKind::Field { (0, class) } else { (class, 0) };
        let intern = |name: &str| pyo3::types::PyString::intern(py, name).into_any().unbind().into_ptr();
        let (attribute, empty) = attribute.split_once('!').unwrap_or((attribute, ""));
        // `one-at-a-time:16:recv,recv_bytes`
        let (attribute, way) = if kind == OwnerKind::OneAtATime { ("", attribute) } else { (attribute, "") };
        let (way_offset, way) = way.split_once(':').unwrap_or(("0", ""));
        let may_while_empty = empty.split(',').filter(|name| !name.is_empty()).map(|name| Attribute(intern(name))).collect();
        let attribute = if attribute.is_empty() { std::ptr::null_mut() } else { intern(attribute) };
        let needs_attribute = matches!(kind, OwnerKind::Attribute | OwnerKind::AttributeOnly);
        let takes_attribute = needs_attribute || kind == OwnerKind::Primitive;
        let fits = if attribute.is_null() { !needs_attribute } else { takes_attribute };
        if !fits || (kind == OwnerKind::Field && loop_class == 0) {
            return Err(wrong("owner", self.owner));
        }
        process::get().count_hook();
        Ok(Box::leak(Box::new(Watch {
            kind,
            realm: Realm::parse(self.realm).ok_or_else(|| wrong("realm", self.realm))?,
            rule: rules::find(self.rule).ok_or_else(|| wrong("rule", self.rule))?,
            operation: self.operation.to_owned(),
            recorded_as: recorder::operation(self.rule, self.operation),
            frames,
            bindings: &registry::get().bindings,
            attribute: Attribute(attribute),
            loop_attribute: Attribute(intern("_loop")),
            way: way.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            way_offset: way_offset.parse().map_err(|_| wrong("owner", self.owner))?,
            may_while_empty,
            except,
            loop_class,
            field: AtomicUsize::new(0),
        })))
    }
}

/// A declaration as Python has it: (name, owner, rule, methods, thread-safe calls, hand-overs).
type DeclarationRow = (String, String, String, Vec<String>, Vec<String>, Vec<String>);

#[pyfunction]
#[pyo3(signature = (function, owner, rule, operation, realm, class_=None))]
pub(crate) fn watch_function(
    function: &Bound<'_, PyAny>,
    owner: &str,
    rule: &str,
    operation: &str,
    realm: &str,
    class_: Option<&Bound<'_, PyType>>,
) -> PyResult<()> {
    let py = function.py();
    let watch = Row { owner, rule, operation, realm, class: class_ }.leak(py, 1)?;
    // An object that is only noted stays as it was; but a constructor is not judged by what it does to its own parts.
    let is_judged = OwnerKind::is_check(watch.kind as u8) && watch.kind != OwnerKind::FutureArgument || operation == "__init__";
    let class = if is_judged { Class::Watched } else { class_of(function)? };
    python_function::inject(Bytecode::get(py)?, function, call_site::new(py, watch)?)?;
    code_class::set_class(&code_of(function)?, class);
    Ok(())
}

fn class_of(function: &Bound<'_, PyAny>) -> PyResult<Class> {
    Ok(code_class::class(function.py(), code_of(function)?.as_ptr() as usize))
}

#[pyfunction]
#[pyo3(signature = (descriptor, owner, rule, operation, realm, class_=None))]
pub(crate) fn watch_method(
    descriptor: &Bound<'_, PyAny>,
    owner: &str,
    rule: &str,
    operation: &str,
    realm: &str,
    class_: Option<&Bound<'_, PyType>>,
) -> PyResult<()> {
    watched_methods::install(descriptor, Row { owner, rule, operation, realm, class: class_ }.leak(descriptor.py(), 0)?)
}

#[pyfunction]
pub(crate) fn watch_birth(class_: &Bound<'_, PyType>, owner: &str, realm: &str) -> PyResult<()> {
    let row = Row { owner, rule: loop_call_off_thread::RULE.id, operation: "__init__", realm, class: None };
    constructors::install(class_, row.leak(class_.py(), 0)?)
}

/// As [`watch_birth`], of a class whose objects C code makes without `__init__`.
#[pyfunction]
pub(crate) fn watch_allocation(class_: &Bound<'_, PyType>, realm: &str) -> PyResult<()> {
    let row = Row { owner: "born", rule: loop_call_off_thread::RULE.id, operation: "__new__", realm, class: None };
    constructors::install_allocator(class_, row.leak(class_.py(), 0)?)
}

#[pyfunction]
pub(crate) fn watch_futures(module: &Bound<'_, PyModule>) -> PyResult<()> {
    futures::verify(module).map_err(PyRuntimeError::new_err)?;
    let class = |name: &str| -> PyResult<Bound<'_, PyType>> { Ok(module.getattr(name)?.cast_into::<PyType>()?) };
    let watch =
        |rule: &str, operation: &str| Row { owner: "future", rule, operation, realm: "asyncio", class: None }.leak(module.py(), 0);
    let await_ = watch(foreign_await::RULE.id, "await")?;
    let watches = [
        (watch(future_settled_off_thread::RULE.id, "__init__")?, await_),
        (watch(task_touched_off_thread::RULE.id, "__init__")?, await_),
    ];
    future_slots::install(&class("Future")?, &class("Task")?, watches)
}

/// Types of coroutines, generators, asynchronous generators, and of what `asend` and `athrow` return.
#[pyfunction]
pub(crate) fn watch_coroutines(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyType>>> {
    let steps = coroutines::verify(py)?;
    let watch = |owner: &str, operation: &str| {
        Row { owner, rule: coroutine_driven_by_two_threads::RULE.id, operation, realm: "asyncio", class: None }.leak(py, 0)
    };
    let [send, step, next] =
        [watch("coroutine-step", "send")?, watch("async-step", "send")?, watch("async-generator", "__anext__")?];
    coroutine_steps::install(py, steps, send, step, next)
}

/// Type of contexts.
#[pyfunction]
pub(crate) fn watch_contexts(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    contexts::verify(py)
}

/// `meet` is called with each loop that is the first of its class to run, `look_around` when there may be new classes.
#[pyfunction]
pub(crate) fn watch_running_loop(function: &Bound<'_, PyCFunction>, meet: Py<PyAny>, look_around: Py<PyAny>) -> PyResult<()> {
    given::start(meet, look_around);
    let slot = function_slots::of(function, ffi::METH_O)?;
    // SAFETY: the calling convention is checked.
    let original = unsafe { std::mem::transmute::<usize, SetRunningLoop>(slot.function()) };
    SET_RUNNING_LOOP.set(original).map_err(|_| PyRuntimeError::new_err("already hooked"))?;
    slot.replace(set_running_loop as *const std::ffi::c_void);
    process::get().count_hook();
    Ok(())
}

#[pyfunction]
pub(crate) fn adopt_running_loop(loop_: &Bound<'_, PyAny>) {
    // SAFETY: attached.
    let handle = unsafe { ffi::PyThreadState_Get() } as usize;
    let slot = context::current_thread().slot;
    registry::get().loops.started(slot, Realm::Asyncio, loop_.as_ptr() as usize, handle);
    timeline::begins_to_run(slot, Realm::Asyncio, loop_);
    // SAFETY: attached, alive.
    unsafe { given::runs(loop_.py(), loop_.as_ptr()) };
}

/// A loop that no table knows is watched.
#[pyfunction]
pub(crate) fn expect_classes() {
    given::expect_classes();
}

/// What this method of a loop returns belongs to the loop.
#[pyfunction]
pub(crate) fn watch_results(method: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = method.py();
    if method.get_type().name()? == "function" {
        let class = class_of(method)?;
        python_function::inject_at(Bytecode::get(py)?, method, given::site(py)?, python_function::Insertion::End)?;
        code_class::set_class(&code_of(method)?, class);
        return Ok(());
    }
    let row = Row { owner: "born", rule: loop_call_off_thread::RULE.id, operation: "result", realm: "asyncio", class: None };
    watched_methods::install_giver(method, row.leak(py, 0)?)
}

/// This function makes another interpreter, in which nothing is watched.
#[pyfunction]
pub(crate) fn watch_maker_of_interpreters(function: &Bound<'_, PyAny>) -> PyResult<()> {
    let row = Row { owner: "born", rule: loop_call_off_thread::RULE.id, operation: "create", realm: "any", class: None };
    watched_methods::install_maker_of_interpreters(function, row.leak(function.py(), 0)?)
}

/// Whether this is a function written in Python whose calls are judged.
#[pyfunction]
pub(crate) fn is_watched(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(function.get_type().name()? == "function" && class_of(function)? == Class::Watched)
}

/// What `--declarations` declares.
#[pyfunction]
pub(crate) fn declarations() -> PyResult<Vec<DeclarationRow>> {
    let Some(path) = &process::get().options.declarations else { return Ok(Vec::new()) };
    let all = declare::load(path).map_err(PyValueError::new_err)?;
    Ok(all.into_iter().map(|d| (d.name, d.owner, d.rule, d.methods, d.thread_safe, d.hand_overs)).collect())
}

#[pyfunction]
pub(crate) fn check_declaration(declaration: DeclarationRow) -> PyResult<()> {
    let (name, owner, rule, methods, thread_safe, hand_overs) = declaration;
    let declaration = Declaration { name, owner, rule, methods, thread_safe, hand_overs };
    declaration.check().map_err(PyValueError::new_err)
}

#[pyfunction]
pub(crate) fn declare_library(folder: &str) {
    code_class::add_library(folder);
}

#[pyfunction]
pub(crate) fn declare_thread_safe(function: &Bound<'_, PyAny>) -> PyResult<()> {
    code_class::set_class(&code_of(function)?, Class::ThreadSafe);
    Ok(())
}

#[pyfunction]
pub(crate) fn declare_passage(function: &Bound<'_, PyAny>) -> PyResult<()> {
    code_class::set_class(&code_of(function)?, Class::Passage);
    Ok(())
}

#[pyfunction]
#[pyo3(signature = (function, class_=None))]
pub(crate) fn declare_carrier(function: &Bound<'_, PyAny>, class_: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    carriers::add_for_self(&code_of(function)?, class_);
    Ok(())
}

/// Where `function` is called is where its argument `name`, or an attribute of its `self`, is given to a library, which calls it later.
#[pyfunction]
pub(crate) fn watch_given(function: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
    let (number, attribute) = match name.strip_prefix("self.") {
        Some(attribute) => (0, Some(attribute)),
        None => (variable(function, name)?, None),
    };
    let class = class_of(function)?;
    given_away::install(function, number, attribute)?;
    code_class::set_class(&code_of(function)?, class);
    process::get().count_hook();
    Ok(())
}

/// This function calls what its local variable `name` stands for, which was given to its library before.
#[pyfunction]
pub(crate) fn declare_carrier_of(function: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
    carriers::add_for_variable(&code_of(function)?, variable(function, name)?);
    Ok(())
}

/// The number of a local variable that is in no cell.
fn variable(function: &Bound<'_, PyAny>, name: &str) -> PyResult<u16> {
    let code = code_of(function)?;
    let wrong = || PyValueError::new_err(format!("no variable {name}"));
    if code.getattr("co_cellvars")?.contains(name)? {
        return Err(wrong());
    }
    let names: Vec<String> = code.getattr("co_varnames")?.extract()?;
    names.iter().position(|known| known == name).and_then(|at| u16::try_from(at).ok()).ok_or_else(wrong)
}

#[pyfunction]
pub(crate) fn declare_boundary(function: &Bound<'_, PyAny>) -> PyResult<()> {
    let code = code_of(function)?;
    code_class::set_class(&code, Class::Boundary);
    stacks::set_boundary(code.as_ptr() as usize);
    Ok(())
}

#[pyfunction]
pub(crate) fn declare_run_until_complete(function: &Bound<'_, PyAny>) -> PyResult<()> {
    code_class::set_run_until_complete(&code_of(function)?);
    Ok(())
}
