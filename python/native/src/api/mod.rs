//! The Python surface of `ftsan._native`; its types are declared in `python/ftsan/_native.pyi`.

mod fork;

use crate::engine::affinity::watch::{Attribute, Kind, Watch};
use crate::engine::{order, races};
use crate::findings::session;
use crate::intercept::sync::{self, caches, operations, python_operations, weakref_callbacks};
use crate::intercept::{
    bytecode, c_method, call_site, constructors, coroutine_steps, future_slots, masquerade, python_function, syscalls,
};
use crate::interpreter::{self, contexts, coroutines, futures, tasks};
use crate::launcher::command_line::{self, Parsed};
use crate::launcher::crash_report;
use crate::thread::code_class::{self, Class};
use crate::thread::{context, faults, guard, recorder, registry, stacks};
use ftsan::declare::{self, Declaration};
use ftsan::loops::Realm;
use ftsan::options::{OPTIONS, Options};
use ftsan::races::clock::Epoch;
use ftsan::report::{json, text};
use ftsan::{rules, triage as crashes};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyCode, PyType};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

static BYTECODE: OnceLock<python_function::Bytecode> = OnceLock::new();

fn bytecode(py: Python<'_>) -> PyResult<&'static python_function::Bytecode> {
    if BYTECODE.get().is_none() {
        let _ = BYTECODE.set(python_function::Bytecode::ask(py)?);
    }
    BYTECODE.get().ok_or_else(|| PyRuntimeError::new_err("no bytecode"))
}

type SetRunningLoop = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;
static SET_RUNNING_LOOP: OnceLock<SetRunningLoop> = OnceLock::new();

/// `_asyncio._set_running_loop`, as asyncio and uvloop call it: who runs which loop.
unsafe extern "C" fn set_running_loop(module: *mut ffi::PyObject, loop_: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let original = SET_RUNNING_LOOP.get().expect("set before it is hooked");
    // SAFETY: the original function with the arguments it was called with.
    let result = unsafe { original(module, loop_) };
    if !result.is_null() {
        guard::guarded((), || {
            let (loops, slot) = (&registry::get().loops, context::here().slot);
            // SAFETY: attached.
            if std::ptr::eq(loop_, unsafe { ffi::Py_None() }) {
                loops.stopped(slot, Realm::Asyncio);
                recorder::runs(context::here(), 0);
            } else {
                // SAFETY: attached.
                loops.started(slot, Realm::Asyncio, loop_ as usize, unsafe { ffi::PyThreadState_Get() } as usize);
                recorder::runs(context::here(), loop_ as usize);
            }
        });
    }
    result
}

/// What a row of a table says of a function or method: see `python/ftsan/watch/declarations.py`.
struct Row<'a, 'py> {
    /// Name of a [`Kind`]; for attributes `attribute:NAME`.
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
        let kind = Kind::parse(name).ok_or_else(|| wrong("owner", self.owner))?;
        let class = self.class.map_or(0, |class| class.clone().unbind().into_ptr() as usize);
        let (except, loop_class) = if kind == Kind::Field { (0, class) } else { (class, 0) };
        let attribute = match attribute {
            "" => std::ptr::null_mut(),
            name => pyo3::types::PyString::intern(py, name).into_any().unbind().into_ptr(),
        };
        let needs_attribute = matches!(kind, Kind::Attribute | Kind::AttributeOnly);
        let takes_attribute = needs_attribute || kind == Kind::Primitive;
        let fits = if attribute.is_null() { !needs_attribute } else { takes_attribute };
        if !fits || (kind == Kind::Field && loop_class == 0) {
            return Err(wrong("owner", self.owner));
        }
        let session = session::get();
        session.count_hook();
        Ok(Box::leak(Box::new(Watch {
            kind,
            realm: Realm::parse(self.realm).ok_or_else(|| wrong("realm", self.realm))?,
            rule: rules::find(self.rule).ok_or_else(|| wrong("rule", self.rule))?,
            operation: self.operation.to_owned(),
            recorded_as: recorder::operation(self.rule, self.operation),
            frames,
            bindings: &registry::get().bindings,
            attribute: Attribute(attribute),
            except,
            loop_class,
            field: AtomicUsize::new(0),
        })))
    }
}

/// A declaration as Python has it: (name, owner, rule, methods, thread-safe calls, hand-overs).
type DeclarationRow = (String, String, String, Vec<String>, Vec<String>, Vec<String>);

/// One row of the table of options: (key, value, default, help, public).
type OptionRow = (&'static str, &'static str, &'static str, &'static str, bool);

#[pymodule(gil_used = false)]
mod _native {
    use super::*;

    /// Version of ftsan.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = ftsan::VERSION;

    #[pyfunction]
    fn options() -> Vec<OptionRow> {
        OPTIONS.iter().map(|spec| (spec.key, spec.value, spec.default, spec.help, spec.public)).collect()
    }

    #[pyfunction]
    fn check_options(options: &str) -> PyResult<(u8, Option<String>)> {
        let options = Options::parse(options).map_err(|error| PyValueError::new_err(error.to_string()))?;
        if let Some(path) = &options.suppressions {
            ftsan::report::suppress::load(path).map_err(PyValueError::new_err)?;
        }
        if let Some(path) = &options.declarations {
            declare::load(path).map_err(PyValueError::new_err)?;
        }
        Ok((options.exit_code, options.report_json.map(|path| path.to_string_lossy().into_owned())))
    }

    /// (command, options, words); ("", {}, [text]) to show a text; ValueError for what is wrong.
    #[pyfunction]
    fn parse_command_line(words: Vec<String>) -> PyResult<(String, BTreeMap<String, String>, Vec<String>)> {
        match command_line::parse(words) {
            Parsed::Do { command, options, words } => Ok((command, options, words)),
            Parsed::Show(text) => Ok((String::new(), BTreeMap::new(), vec![text])),
            Parsed::Wrong(line) => Err(PyValueError::new_err(line)),
        }
    }

    #[pyfunction]
    fn encode_options(pairs: BTreeMap<String, String>) -> String {
        Options::encode(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }

    #[pyfunction]
    fn rules_table() -> Vec<(&'static str, &'static str, String)> {
        rules::ALL.iter().map(|rule| (rule.id, rule.name, rule.page())).collect()
    }

    /// A dump, or the `crash.json` of a crash folder, triaged: as "text", "markdown" or "json".
    #[pyfunction]
    fn triage(py: Python<'_>, text: &str, is_json: bool, format: &str) -> PyResult<String> {
        let crash = if is_json { crashes::from_json(text) } else { crashes::faulthandler::read(text) };
        let crash = crash.map_err(PyValueError::new_err)?;
        Ok(py.detach(|| crashes::render(&crash, format)))
    }

    /// The JSON of a crash from a recording; empty if its process did not crash.
    #[pyfunction]
    fn read_recording(path: &str, signal: i32) -> PyResult<String> {
        let crash = crash_report::read(path.as_ref(), signal).map_err(PyValueError::new_err)?;
        let text = crash.map_or(Ok(String::new()), |crash| serde_json::to_string(&crash));
        text.map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    #[pyfunction]
    fn find_rule(id_or_name: &str) -> Option<&'static str> {
        rules::find(id_or_name).map(|rule| rule.id)
    }

    #[pyfunction]
    fn start_report(path: &str) -> PyResult<()> {
        json::start(path.as_ref()).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    /// (serious findings, processes, what is off, summary)
    #[pyfunction]
    fn summarize(path: &str) -> PyResult<(usize, u64, Vec<String>, String)> {
        let report = json::read(path.as_ref()).map_err(|error| PyOSError::new_err(error.to_string()))?;
        let serious = report.findings.iter().filter(|finding| finding.severity > rules::Severity::Info).count();
        Ok((serious, report.watched.processes, report.watched.off.iter().cloned().collect(), text::summary(&report)))
    }

    /// (races seen to do harm, races that may, lines of the writes of the others)
    #[pyfunction]
    fn confirmation(path: &str) -> PyResult<(usize, usize, Vec<String>)> {
        let report = json::read(path.as_ref()).map_err(|error| PyOSError::new_err(error.to_string()))?;
        let confirmation = report.confirmation();
        Ok((confirmation.witnessed, confirmation.found, confirmation.lines))
    }

    #[pyfunction]
    fn start(options: &str, python: BTreeMap<String, String>, gil: String) -> PyResult<()> {
        let options = Options::parse(options).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let supervisor = options.supervisor;
        session::start(options, python, gil).map_err(PyValueError::new_err)?;
        die_with(supervisor);
        Ok(())
    }

    #[pyfunction]
    fn verify_layouts(py: Python<'_>) -> PyResult<()> {
        interpreter::verify(py).map_err(PyRuntimeError::new_err)
    }

    /// Listens to the injected library; (functions hooked, preloaded).
    #[pyfunction]
    fn listen_to_hooks(path: &str, standard_library: &str) -> PyResult<(u32, bool)> {
        code_class::set_standard_library(standard_library);
        let (count, preloaded) = syscalls::listen(path).map_err(PyRuntimeError::new_err)?;
        (0..count).for_each(|_| session::get().count_hook());
        Ok((count, preloaded))
    }

    #[pyfunction]
    fn is_started() -> bool {
        session::is_started()
    }

    #[pyfunction]
    fn turn_off(what: &str) {
        faults::fail(what);
    }

    #[pyfunction]
    fn set_gil(state: String) {
        session::get().set_gil(state);
    }

    #[pyfunction]
    #[pyo3(signature = (function, owner, rule, operation, realm, class_=None))]
    fn watch_function(
        function: &Bound<'_, PyAny>,
        owner: &str,
        rule: &str,
        operation: &str,
        realm: &str,
        class_: Option<&Bound<'_, PyType>>,
    ) -> PyResult<()> {
        let py = function.py();
        let watch = Row { owner, rule, operation, realm, class: class_ }.leak(py, 1)?;
        python_function::inject(bytecode(py)?, function, call_site::new(py, watch)?)?;
        code_class::set_class(&function.getattr("__code__")?, Class::Watched);
        Ok(())
    }

    #[pyfunction]
    #[pyo3(signature = (descriptor, owner, rule, operation, realm, class_=None))]
    fn watch_method(
        descriptor: &Bound<'_, PyAny>,
        owner: &str,
        rule: &str,
        operation: &str,
        realm: &str,
        class_: Option<&Bound<'_, PyType>>,
    ) -> PyResult<()> {
        c_method::install(descriptor, Row { owner, rule, operation, realm, class: class_ }.leak(descriptor.py(), 0)?)
    }

    #[pyfunction]
    fn watch_birth(class_: &Bound<'_, PyType>, owner: &str, realm: &str) -> PyResult<()> {
        let row = Row { owner, rule: "FT101", operation: "__init__", realm, class: None };
        constructors::install(class_, row.leak(class_.py(), 0)?)
    }

    #[pyfunction]
    fn watch_futures(module: &Bound<'_, PyModule>) -> PyResult<()> {
        futures::verify(module).map_err(PyRuntimeError::new_err)?;
        let class = |name: &str| -> PyResult<Bound<'_, PyType>> { Ok(module.getattr(name)?.cast_into::<PyType>()?) };
        let watch = |rule: &str, operation: &str| {
            Row { owner: "future", rule, operation, realm: "asyncio", class: None }.leak(module.py(), 0)
        };
        let await_ = watch("FT104", "await")?;
        let watches = [(watch("FT102", "__init__")?, await_), (watch("FT103", "__init__")?, await_)];
        future_slots::install(&class("Future")?, &class("Task")?, watches)
    }

    /// Types of coroutines, generators, asynchronous generators, and of what `asend` and `athrow` return.
    #[pyfunction]
    fn watch_coroutines(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyType>>> {
        let steps = coroutines::verify(py)?;
        let watch =
            |owner: &str, operation: &str| Row { owner, rule: "FT108", operation, realm: "asyncio", class: None }.leak(py, 0);
        let [send, step, next] =
            [watch("coroutine-step", "send")?, watch("async-step", "send")?, watch("async-generator", "__anext__")?];
        coroutine_steps::install(py, steps, send, step, next)
    }

    /// Type of contexts.
    #[pyfunction]
    fn watch_contexts(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
        contexts::verify(py)
    }

    #[pyfunction]
    fn watch_running_loop(function: &Bound<'_, PyCFunction>) -> PyResult<()> {
        // SAFETY: a built-in function with METH_O, which is checked; its definition is a static array of its module.
        unsafe {
            let definition = (*function.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml;
            if (*definition).ml_flags != ffi::METH_O {
                return Err(PyRuntimeError::new_err("_set_running_loop has another calling convention"));
            }
            let slot = (&raw mut (*definition).ml_meth).cast::<*const std::ffi::c_void>();
            let original = std::mem::transmute::<*const std::ffi::c_void, SetRunningLoop>(slot.read());
            SET_RUNNING_LOOP.set(original).map_err(|_| PyRuntimeError::new_err("already hooked"))?;
            slot.write_volatile(set_running_loop as *const std::ffi::c_void);
        }
        session::get().count_hook();
        Ok(())
    }

    #[pyfunction]
    fn adopt_running_loop(loop_: &Bound<'_, PyAny>) {
        // SAFETY: attached.
        let handle = unsafe { ffi::PyThreadState_Get() } as usize;
        registry::get().loops.started(context::here().slot, Realm::Asyncio, loop_.as_ptr() as usize, handle);
    }

    /// What `--declarations` declares.
    #[pyfunction]
    fn declarations() -> PyResult<Vec<DeclarationRow>> {
        let Some(path) = &session::get().options.declarations else { return Ok(Vec::new()) };
        let all = declare::load(path).map_err(PyValueError::new_err)?;
        Ok(all.into_iter().map(|d| (d.name, d.owner, d.rule, d.methods, d.thread_safe, d.hand_overs)).collect())
    }

    #[pyfunction]
    fn check_declaration(declaration: DeclarationRow) -> PyResult<()> {
        let (name, owner, rule, methods, thread_safe, hand_overs) = declaration;
        let declaration = Declaration { name, owner, rule, methods, thread_safe, hand_overs };
        declaration.check().map_err(PyValueError::new_err)
    }

    #[pyfunction]
    fn count_package(package: String) {
        session::get().count_package(package);
    }

    #[pyfunction]
    fn declare_library(folder: &str) {
        code_class::add_library(folder);
    }

    #[pyfunction]
    fn declare_thread_safe(function: &Bound<'_, PyAny>) -> PyResult<()> {
        code_class::set_class(&function.getattr("__code__")?, Class::ThreadSafe);
        Ok(())
    }

    #[pyfunction]
    fn declare_boundary(function: &Bound<'_, PyAny>) -> PyResult<()> {
        let code = function.getattr("__code__")?;
        code_class::set_class(&code, Class::Boundary);
        stacks::set_boundary(code.as_ptr() as usize);
        Ok(())
    }

    #[pyfunction]
    fn declare_run_until_complete(function: &Bound<'_, PyAny>) -> PyResult<()> {
        code_class::set_run_until_complete(&function.getattr("__code__")?);
        Ok(())
    }

    /// (original, patched, original code unit of each patched one) of a code object, which is the last, and of those in it.  `make_site` gets the
    /// original and what the site is about: (action, unit, name, depth of object, of callable, of key, of value, is tested).
    #[pyfunction]
    fn instrumented<'py>(
        code: &Bound<'py, PyCode>,
        make_site: Bound<'py, PyAny>,
    ) -> PyResult<Vec<bytecode::debug_dump::Pair<'py>>> {
        bytecode::debug_dump::of(code, make_site)
    }

    /// Whether the options choose any code to look for data races in.
    #[pyfunction]
    fn wants_races() -> bool {
        !session::get().options.races.is_none()
    }

    /// Keeps the order of threads, and looks for races in code with probes.
    #[pyfunction]
    fn start_races(py: Python<'_>) -> PyResult<()> {
        interpreter::header::verify(py).map_err(PyRuntimeError::new_err)?;
        races::containers::learn(py)?;
        races::shared::start(&session::get().options);
        races::review::start();
        races::confirm::start();
        Ok(())
    }

    /// Puts probes into the code that the options choose; the folders are the standard library's.
    #[pyfunction]
    fn instrument_chosen(py: Python<'_>, standard_library: Vec<String>) -> PyResult<()> {
        bytecode::selector::start(py, &standard_library)
    }

    /// A function of a module that hands what it is given to other interpreters.
    #[pyfunction]
    fn hands_originals(module: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
        masquerade::interpreters::hook(module, name)
    }

    #[pyfunction]
    fn leave_unpatched(function: &Bound<'_, PyAny>) -> PyResult<()> {
        bytecode::selector::leave_alone(function)
    }

    #[pyfunction]
    fn after_fork_in_child() {
        fork::after_fork_in_child();
    }

    /// A method of an extension type, or a function of an extension module, hands something over.
    #[pyfunction]
    fn order_method(method: &Bound<'_, PyAny>, edge: &str) -> PyResult<()> {
        operations::install(method, edge)
    }

    /// A Python function hands something over.
    #[pyfunction]
    fn order_function(function: &Bound<'_, PyAny>, edge: &str) -> PyResult<()> {
        let edge = python_operations::Edge::parse(edge)?;
        let site = python_operations::new(function.py(), edge)?;
        python_function::inject_at(bytecode(function.py())?, function, site, edge.place())?;
        session::get().count_hook();
        Ok(())
    }

    /// The functions of `_thread` that start threads.
    #[pyfunction]
    fn order_threads(module: &Bound<'_, PyModule>) -> PyResult<()> {
        sync::threads::install(module)
    }

    /// What threads hold, and in which order.
    #[pyfunction]
    fn watch_locks(module: &Bound<'_, PyModule>) -> PyResult<()> {
        sync::locks::watch(module)
    }

    /// Which task a thread is in the middle of.
    #[pyfunction]
    fn watch_tasks(module: &Bound<'_, PyModule>) -> PyResult<()> {
        tasks::verify(module)
    }

    /// The type of caches.
    #[pyfunction]
    fn order_caches(class: &Bound<'_, PyType>) -> PyResult<()> {
        caches::install(class)
    }

    /// The type of weak references.
    #[pyfunction]
    fn order_callbacks(class: &Bound<'_, PyType>) -> PyResult<()> {
        weakref_callbacks::install(class)
    }

    /// A lock that orders nothing.
    #[pyfunction]
    fn ignore_lock(lock: &Bound<'_, PyAny>) {
        // SAFETY: attached, alive.
        unsafe { order::ignore(lock.as_ptr()) };
    }

    /// Writes the inventory of shared state, if the options ask for it.
    #[pyfunction]
    fn write_inventory(py: Python<'_>) -> PyResult<()> {
        py.detach(races::review::write).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    /// Starts an empty inventory, in the launcher.
    #[pyfunction]
    fn start_inventory(path: &str) -> PyResult<()> {
        ftsan::report::inventory::start(path.as_ref()).map_err(|error| PyOSError::new_err(error.to_string()))
    }

    /// The stretch of the calling thread between two releases.
    #[pyfunction]
    fn epoch() -> u64 {
        order::thread_clock().epoch().bits()
    }

    /// Whether what was done in that stretch happened before what the calling thread does now.
    #[pyfunction]
    fn has_seen(epoch: u64) -> bool {
        order::thread_clock().has_seen(Epoch::from_bits(epoch))
    }

    /// The process ends: nothing that was found is withdrawn any more.
    #[pyfunction]
    fn end() {
        session::get().end();
    }

    #[pyfunction]
    fn flush(py: Python<'_>) {
        py.detach(|| session::get().bring_report_up_to_date());
    }

    #[pyfunction]
    fn occurrences() -> u64 {
        session::get().occurrences()
    }

    #[pyfunction]
    fn report() -> PyResult<String> {
        serde_json::to_string(&session::get().everything()).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    #[pyfunction]
    fn render(py: Python<'_>, finding: &str) -> PyResult<String> {
        let finding = serde_json::from_str(finding).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(py.detach(|| text::finding(&finding, std::process::id(), &session::source_line)))
    }
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
