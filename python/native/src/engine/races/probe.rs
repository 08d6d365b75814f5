//! The native object that patched code calls with what it is about to access: `del probe[object]`.
//!
//! The fast path asks one question: is the object still its creator's own?  Everything else is in [`crate::engine::races::accesses`].  Probes are
//! immortal: a reference count that threads share would cost more than the check.

use crate::engine::locks;
use crate::engine::races::folds::{self, Folds};
use crate::engine::races::probe_site::{self, Probe, TYPES, Type, peek, peek_plainly};
use crate::engine::races::waits::Function;
use crate::engine::races::{accesses, by_numbers, confirm, missing, shared, turns, values, waits};
use crate::findings::process;
use crate::interpreter::frames::RawFrame;
use crate::interpreter::header;
use crate::interpreter::own_types::{new_type, set_immortal};
use crate::thread::context::current_thread;
use crate::thread::outcome::Outcome;
use crate::thread::{clock, code_class, guard, perturb};
use ftsan::patcher::known_calls::{self};
use ftsan::patcher::{Action, ActsAt, Operand, Point, Switch};
use ftsan::perturb::Step;
use ftsan::races::access::Value;
use ftsan::races::facts::AccessFacts;
use ftsan::scope;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyTuple};
use std::collections::HashMap;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a probe finds the object and whether it may be passed over.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Path {
    /// What is handed is the object.
    Object,
    /// It is on the stack.
    Stack,
    /// The object is found through what is handed, or peeked from the stack.
    Found,
    /// There is none, or nothing is passed over.
    Always,
    /// A coroutine is about to be suspended, which concerns a thread that is alone, too.
    Suspend,
}

unsafe extern "C" fn delete_item<const PATH: u8, const IS_PERTURBED: bool>(
    probe: *mut ffi::PyObject,
    handed: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> c_int {
    if !value.is_null() {
        return takes_no_items();
    }
    if IS_PERTURBED {
        // For all objects: whether one is private hangs on what other threads have done by now.
        perturb::before(Step::Access, 0);
    }
    // SAFETY: only probes have this slot; the interpreter hands a live object.
    unsafe {
        if PATH == Path::Suspend as u8 {
            return locks::suspends().status();
        }
        let object = match PATH {
            path if path == Path::Object as u8 => Some(handed),
            path if path == Path::Stack as u8 => peek_plainly((*probe.cast::<Probe>()).object),
            _ => None,
        };
        match object {
            Some(object) => found(probe, object),
            None => look_for_it::<PATH>(probe, handed),
        }
    }
}

#[cold]
#[inline(never)]
extern "C" fn takes_no_items() -> c_int {
    // SAFETY: attached; a static string.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_TypeError, c"an ftsan probe takes no items".as_ptr()) };
    -1
}

/// The object has to be looked for.  The fast path ends with this call or that of [`unless_private`]: it has no registers to save before it.
///
/// # Safety
/// Attached, with what the interpreter hands a probe of this path.
#[inline(never)]
unsafe extern "C" fn look_for_it<const PATH: u8>(probe: *mut ffi::PyObject, handed: *mut ffi::PyObject) -> c_int {
    // SAFETY: passed on; probes are immortal.
    unsafe {
        let site = &*probe.cast::<Probe>();
        let object = if PATH == Path::Stack as u8 { peek(site.object) } else { accesses::object_of(site, handed) };
        if object.is_null() {
            0
        } else if PATH == Path::Always as u8 {
            slow(probe, object)
        } else {
            found(probe, object)
        }
    }
}

/// One look at the object tells nearly always that there is nothing to do.
///
/// # Safety
/// As [`slow`].
#[inline(always)]
unsafe fn found(probe: *mut ffi::PyObject, object: *mut ffi::PyObject) -> c_int {
    // SAFETY: passed on.
    unsafe { if header::is_plainly_private(object) || header::is_immortal(object) { 0 } else { unless_private(probe, object) } }
}

/// The object is not immortal, and private only if its heap says so.
///
/// # Safety
/// Attached, with a probe; `object` is alive.
#[inline(never)]
unsafe extern "C" fn unless_private(probe: *mut ffi::PyObject, object: *mut ffi::PyObject) -> c_int {
    // SAFETY: passed on.
    unsafe { if header::is_private(object) { 0 } else { slow(probe, object) } }
}

/// # Safety
/// Attached, with a probe; `object` is alive.
#[inline(never)]
unsafe extern "C" fn slow(probe: *mut ffi::PyObject, object: *mut ffi::PyObject) -> c_int {
    let here = current_thread();
    // The clock of a second thread, once asked for, ends the solitude: C code may have started it.
    here.order.clock();
    if clock::is_at_rest() || here.busy.get() {
        return 0;
    }
    let outcome = guard::catch_panic(Outcome::Continue, || {
        // SAFETY: passed on; probes are immortal.
        unsafe { folds::unfold(&(*probe.cast::<Probe>()).folds) };
        // SAFETY: as above.
        unsafe { accesses::note(here, &*probe.cast::<Probe>(), object) }
    });
    outcome.status()
}

const PATHS: usize = TYPES.len();

/// What probes of a path do in this process.
fn slot_of<const PATH: u8>() -> *mut std::ffi::c_void {
    if perturb::is_on() { delete_item::<PATH, true> as *mut _ } else { delete_item::<PATH, false> as *mut _ }
}

fn probe_type(py: Python<'_>, path: Path) -> PyResult<*mut ffi::PyTypeObject> {
    let place = &TYPES[path as usize];
    if let Some(found) = place.get() {
        return Ok(found.0);
    }
    let slot = match path {
        Path::Object => slot_of::<{ Path::Object as u8 }>(),
        Path::Stack => slot_of::<{ Path::Stack as u8 }>(),
        Path::Found => slot_of::<{ Path::Found as u8 }>(),
        Path::Always => slot_of::<{ Path::Always as u8 }>(),
        Path::Suspend => slot_of::<{ Path::Suspend as u8 }>(),
    };
    let made = new_type(py, c"ftsan._native.Probe", size_of::<Probe>(), 0, &[(ffi::Py_mp_ass_subscript, slot)])?;
    Ok(place.get_or_init(|| Type(made)).0)
}

fn path(point: &Point<'_>, is_strict: bool) -> Path {
    use Action as A;
    match point.action {
        A::Suspend => Path::Suspend,
        A::Import | A::Finalize => Path::Always,
        _ if is_strict => Path::Always,
        // Code that is not chosen may change what is polled.
        A::ReadAttribute if point.is_polled => Path::Always,
        // An object that is private may get the dictionary of another one.
        A::WriteAttribute if point.shares_attributes() => Path::Always,
        A::Iterate | A::EndIteration | A::Function | A::Method | A::ReadGlobal | A::WriteGlobal | A::DeleteGlobal => Path::Found,
        A::Contains if point.is_viewed => Path::Found,
        A::ReadAttribute
        | A::WriteAttribute
        | A::DeleteAttribute
        | A::ReadItem
        | A::WriteItem
        | A::DeleteItem
        | A::Contains
        | A::ReadSlice
        | A::WriteSlice
        | A::Truth
        | A::Await
        | A::Update
        | A::ReadCell
        | A::WriteCell
        | A::DeleteCell => {
            if point.handed == Operand::Site && point.object != 0 {
                Path::Stack
            } else {
                Path::Object
            }
        }
    }
}

fn is_write(action: Action) -> bool {
    use Action as A;
    let blind = matches!(action, A::WriteAttribute | A::WriteItem | A::WriteSlice | A::WriteGlobal | A::WriteCell);
    blind
        || matches!(
            action,
            A::DeleteAttribute | A::DeleteItem | A::DeleteGlobal | A::DeleteCell | A::Update | A::Method | A::Function
        )
}

/// What is known of the accesses that are made at a point.
fn facts(point: &Point<'_>) -> AccessFacts {
    let facts = [
        (point.is_tested, AccessFacts::TESTED),
        (point.is_polled, AccessFacts::POLLED),
        (point.is_awaited, AccessFacts::AWAITED),
        (point.is_asked, AccessFacts::ASKED),
        (point.is_acting, AccessFacts::ACTING),
        (point.is_guard, AccessFacts::GUARD),
        (point.is_lazy, AccessFacts::LAZY),
        (point.is_measured, AccessFacts::MEASURED),
        (point.is_refused, AccessFacts::REFUSED),
        (point.is_filled, AccessFacts::FILLED),
        (point.is_constant, AccessFacts::CONSTANT),
    ];
    facts.into_iter().fold(AccessFacts::NONE, |all, (is_so, fact)| all | fact.when(is_so))
}

/// Whether accesses at a point order threads, or are completed by what is found when they are made.
fn is_special(point: &Point<'_>) -> bool {
    let is_awaited = is_variable(point.action) && (point.is_waiting || point.is_answering);
    let orders = point.is_constant || point.is_turn || point.is_heeded || point.is_polled || is_awaited;
    orders
        || point.is_own
        || point.compared != 0
        || point.would_store != 0
        || point.text.is_some()
        || point.state.is_some()
        || point.number.is_some()
        || point.is_claim
        || point.is_filled
        || point.is_given
        || point.is_time
        || is_token(point)
}

/// Whether it takes an attribute away that need not be there, as a token.
fn is_token(point: &Point<'_>) -> bool {
    point.action == Action::DeleteAttribute && point.is_handled
}

/// Whether it is what is read that the point's name is of, and not what reads it.
fn is_variable(action: Action) -> bool {
    matches!(action, Action::ReadAttribute | Action::ReadGlobal | Action::ReadCell)
}

static NEXT_SITE: AtomicU32 = AtomicU32::new(1);

/// A probe whose code is gone.
struct Spare(*mut ffi::PyObject);
// SAFETY: an immortal object that no code refers to: whoever takes it has it alone.
unsafe impl Send for Spare {}

/// By path.  Immortal code is never freed, so that it costs no reference counts that threads share; it is used again.
static SPARE: [Mutex<Vec<Spare>>; PATHS] = [const { Mutex::new(Vec::new()) }; PATHS];

fn spare(path: usize) -> MutexGuard<'static, Vec<Spare>> {
    SPARE[path].lock().unwrap_or_else(PoisonError::into_inner)
}

/// The probes among the constants of one code object, and of what is made of it.
#[derive(Debug, Default)]
pub(crate) struct Probes(Vec<(usize, usize)>);

impl Probes {
    /// Of these constants, which no code object has that is not freed before the result is.
    pub(crate) fn among<'py>(constants: impl Iterator<Item = Bound<'py, PyAny>>) -> Self {
        Probes(constants.filter_map(|constant| Some((path_of(&constant)?, constant.as_ptr() as usize))).collect())
    }
}

/// Whether a constant is a probe that has nothing to do as long as there is one thread.
pub(crate) fn is_switched(constant: &Bound<'_, PyAny>) -> bool {
    path_of(constant).is_some_and(|path| path != Path::Suspend as usize)
}

/// Of these constants and the places of probes among them: those that others stand for from now on, and the rest.
pub(crate) fn fold(constants: &Bound<'_, PyTuple>, switches: Vec<Switch>) -> (Vec<Switch>, Vec<Switch>) {
    // SAFETY: constants of code are kept alive by it.
    let probe = |site: u32| unsafe { probe_site::of_object(constants.get_item(site as usize).ok()?.as_ptr()) };
    let places: HashMap<u32, Switch> = switches.iter().map(|switch| (switch.site, *switch)).collect();
    switches.into_iter().partition(|switch| {
        let behind = probe(switch.site).map_or(0, |folded| folded.behind);
        let first = (behind > 0).then(|| places.get(&(switch.site - behind))).flatten();
        first.is_some_and(|first| probe(first.site).is_some_and(|site| site.folds.add(first.last(), switch)))
    })
}

/// The path of a probe; `None` if it is none.
fn path_of(object: &Bound<'_, PyAny>) -> Option<usize> {
    TYPES.iter().position(|known| known.get().is_some_and(|known| known.0 == object.get_type_ptr()))
}

impl Drop for Probes {
    fn drop(&mut self) {
        // A code object that is being freed lets go of its constants later on.  It finds them immortal: the header stays as it is.
        self.0.iter().for_each(|(path, probe)| spare(*path).push(Spare(*probe as *mut ffi::PyObject)));
    }
}

/// A probe for `point` of the code object `code` of a function, which lives as long: its address names the function.
pub(crate) fn new(code: &Bound<'_, PyAny>, function: &Function, point: &Point<'_>, is_trusted: bool) -> PyResult<Py<PyAny>> {
    let py = code.py();
    let file = code.getattr(pyo3::intern!(py, "co_filename"))?;
    let is_swapper = file.cast::<pyo3::types::PyString>().is_ok_and(|file| file.to_str().is_ok_and(scope::is_swapper));
    // The namespace of a class, as which it is read by what replaces an attribute, is private; the class is not.
    let reads_namespace = is_swapper && point.action == Action::ReadItem;
    let path = if reads_namespace { Path::Always } else { path(point, shared::is_strict()) };
    let kind = probe_type(py, path)?;
    let (name, field) = crate::engine::races::names::intern(py, point.name.unwrap_or_default())?;
    let site = NEXT_SITE.fetch_add(1, Ordering::Relaxed);
    let constants = || code.getattr(pyo3::intern!(py, "co_consts"))?.get_item(point.text);
    let number = || point.number.map(|number| PyInt::new(py, number).into_any());
    let text = point.text.map(|_| constants()).transpose()?.or_else(number);
    // SAFETY: attached, and we hold a reference.
    let text = text.map_or(Value::UNKNOWN, |text| unsafe { values::value(text.as_ptr()) });
    if point.is_tested && is_variable(point.action) {
        crate::evidence::flags::remember(site, name);
    }
    if point.is_indexed {
        by_numbers::walk();
    }
    if point.is_filled && point.action == Action::WriteItem {
        missing::is_filled();
    }
    // Any class may call itself so.
    let container = point
        .container
        .filter(|container| *container != "self")
        .map(|container| crate::engine::races::names::intern(py, container))
        .transpose()?;
    let container = container.map(|(_, number)| number).filter(|_| !is_variable(point.action));
    // What loops wait for is known by its name: of an item it is that of the container.
    let field = if point.name.is_none() { container.unwrap_or(field) } else { field };
    for number in [is_variable(point.action).then_some(field), point.item, container].into_iter().flatten() {
        if point.is_waiting {
            waits::wait_for(number);
        } else if point.is_answering {
            function.answers(waits::Part::Read(number));
        }
    }
    if is_token(point) {
        waits::take(field);
    }
    if point.is_drained {
        waits::wait_until_drained();
    }
    // SAFETY: an object of our own type, new or of no use any more, of which all is filled but the header.
    unsafe {
        let spare = spare(path as usize).pop();
        let object = spare.map_or_else(|| ffi::PyType_GenericAlloc(kind, 0), |spare| spare.0);
        if object.is_null() {
            return Err(PyErr::fetch(py));
        }
        let probe = object.cast::<Probe>();
        macro_rules! fill {
            ($($field:ident: $value:expr),* $(,)?) => { $( std::ptr::addr_of_mut!((*probe).$field).write($value); )* };
        }
        fill! {
            action: point.action,
            site: site,
            code: (code.as_ptr() as usize >> 4) as u32,
            field: field,
            name: name,
            call: known_calls::function(name).map(|function| function.effect).filter(|_| point.action == Action::Function),
            object: point.object,
            callable: point.callable,
            key: point.key,
            value: point.value,
            facts: facts(point),
            is_answer: point.is_answer,
            is_handled: point.is_handled,
            is_own: point.is_own,
            compared: point.compared,
            would_store: point.would_store,
            text: text,
            state: point.state.unwrap_or(0),
            turn: turns::of_point(point),
            acts_at_local: point.acts_at == Some(ActsAt::Local),
            keywords: point.keywords,
            is_placed: point.is_placed,
            is_turn: point.is_turn,
            is_heeded: point.is_heeded,
            is_claim: point.is_claim,
            is_bounded: point.is_bounded,
            is_given: point.is_given,
            is_waiting: point.is_waiting,
            is_answering: point.is_answering,
            is_first: point.is_first,
            is_drawn: point.is_drawn,
            is_taken: point.is_taken,
            is_indexed: point.is_indexed,
            is_emptied: point.is_emptied,
            is_drained: point.is_drained,
            is_time: point.is_time,
            is_swapper: is_swapper,
            is_trusted: is_trusted,
            is_special: is_trusted || is_special(point),
            behind: point.behind,
            folds: Folds::new(),
            pauses: AtomicU8::new(0),
        }
        set_immortal(object);
        if process::get().options.confirm && is_write(point.action) {
            let line = code_class::resolve(py, RawFrame { code: code.as_ptr() as usize, offset: point.unit });
            confirm::register(&*probe, &line.file, line.line);
        }
        Bound::from_owned_ptr_or_err(py, object).map(Bound::unbind)
    }
}
