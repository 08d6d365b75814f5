//! Offsets that the program is told by `sys.monitoring` and opcode events of trace functions: those of the original code.  The
//! program is not told of events at our own instructions.
//!
//! A callback is registered inside a native callable, which translates and calls it; code that asks for it gets the callback
//! itself.  Events of lines have no offsets and are left alone.

use crate::intercept::bytecode::code_data::{self, Fate, View};
use crate::interpreter::code_fields::Code;
use crate::interpreter::{function_slots, own_types, trace};
use crate::thread::probe_switch;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

type Object = *mut ffi::PyObject;
type Fast = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t) -> Object;
type OneArgument = unsafe extern "C" fn(Object, Object) -> Object;

/// What a callback is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// (code, offset, ...)
    Offset,
    /// (code, offset, destination)
    Branch,
    /// (code, offset), and not at our instructions
    Instruction,
}

/// A registered callback.
#[repr(C)]
struct Translator {
    header: ffi::PyObject,
    vectorcall: ffi::vectorcallfunc,
    callback: Object,
    event: Event,
}

/// Arguments of a callback at most: code, offset, callable, first argument.
const MOST: usize = 4;

unsafe extern "C" fn translate(translator: Object, arguments: *const Object, flagged: usize, names: Object) -> Object {
    // SAFETY: called attached, as the vectorcall of a translator, with this many live arguments.
    unsafe {
        let Translator { callback, event, .. } = *translator.cast::<Translator>();
        let given = std::slice::from_raw_parts(arguments, ffi::PyVectorcall_NARGS(flagged) as usize);
        let patched = match given {
            [code, _, ..] if given.len() <= MOST && ffi::PyCode_Check(*code) != 0 => code_data::view(*code),
            _ => None,
        };
        let Some(view) = patched else { return ffi::PyObject_Vectorcall(callback, arguments, flagged, names) };
        let offset = ffi::PyLong_AsLong(given[1]) as c_int;
        if event == Event::Instruction && view.is_inserted(offset) {
            return ffi::Py_NewRef(ffi::Py_None());
        }
        // The first place is the callee's to use.
        let mut told = [std::ptr::null_mut(); MOST + 1];
        told[1..=given.len()].copy_from_slice(given);
        let known = view.known(Python::assume_attached());
        if let Some(original) = &known {
            told[1] = original.as_ptr();
        }
        told[2] = ffi::PyLong_FromLong(view.shown_offset(offset).into());
        if event == Event::Branch && given.len() > 2 {
            told[3] = ffi::PyLong_FromLong(view.shown_target(ffi::PyLong_AsLong(given[2]) as c_int).into());
        }
        let answer =
            ffi::PyObject_Vectorcall(callback, &raw const told[1], given.len() | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET, names);
        ffi::Py_XDECREF(told[2]);
        if event == Event::Branch {
            ffi::Py_XDECREF(told[3]);
        }
        answer
    }
}

unsafe extern "C" fn free(translator: Object) {
    // SAFETY: the last reference.
    unsafe {
        ffi::Py_DECREF((*translator.cast::<Translator>()).callback);
        ffi::PyObject_Free(translator.cast());
    }
}

struct TranslatorType(*mut ffi::PyTypeObject);
// SAFETY: a type object is made once, immortal in effect, and only read.
unsafe impl Send for TranslatorType {}
// SAFETY: as above.
unsafe impl Sync for TranslatorType {}

static TYPE: OnceLock<TranslatorType> = OnceLock::new();

fn load(py: Python<'_>) -> PyResult<()> {
    let mut members = [
        ffi::PyMemberDef {
            name: c"__vectorcalloffset__".as_ptr(),
            type_code: ffi::Py_T_PYSSIZET,
            offset: std::mem::offset_of!(Translator, vectorcall) as ffi::Py_ssize_t,
            flags: ffi::Py_READONLY,
            doc: std::ptr::null(),
        },
        ffi::PyMemberDef::default(),
    ];
    let slots = [
        (ffi::Py_tp_dealloc, free as *mut c_void),
        (ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
        (ffi::Py_tp_members, members.as_mut_ptr().cast()),
    ];
    let class =
        own_types::new_type(py, c"ftsan._native.Callback", size_of::<Translator>(), ffi::Py_TPFLAGS_HAVE_VECTORCALL, &slots)?;
    let _ = TYPE.set(TranslatorType(class));
    Ok(())
}

fn class() -> *mut ffi::PyTypeObject {
    TYPE.get().expect("set before it is hooked").0
}

/// What is registered for a callback and an event, as a new reference; null with an exception set.
///
/// # Safety
/// Attached; a live object.
unsafe fn wrapped(callback: Object, number: c_int) -> Object {
    let kind = KINDS.iter().zip(&NUMBERS).find(|(_, known)| known.load(Ordering::Relaxed) == number as usize);
    // SAFETY: passed on; fills all of a new object of our own type.
    unsafe {
        let Some(((_, event), _)) = kind.filter(|_| !std::ptr::eq(callback, ffi::Py_None())) else {
            return ffi::Py_NewRef(callback);
        };
        let translator = own_types::allocate::<Translator>(class()).cast::<Translator>();
        if !translator.is_null() {
            (&raw mut (*translator).vectorcall).write(translate);
            (&raw mut (*translator).callback).write(ffi::Py_NewRef(callback));
            (&raw mut (*translator).event).write(*event);
        }
        translator.cast()
    }
}

/// Events with offsets, by their names in `sys.monitoring.events`.
const KINDS: [(&str, Event); 18] = [
    ("PY_START", Event::Offset),
    ("PY_RESUME", Event::Offset),
    ("PY_RETURN", Event::Offset),
    ("PY_YIELD", Event::Offset),
    ("CALL", Event::Offset),
    ("INSTRUCTION", Event::Instruction),
    ("JUMP", Event::Branch),
    ("BRANCH", Event::Branch),
    ("BRANCH_LEFT", Event::Branch),
    ("BRANCH_RIGHT", Event::Branch),
    ("STOP_ITERATION", Event::Offset),
    ("RAISE", Event::Offset),
    ("EXCEPTION_HANDLED", Event::Offset),
    ("PY_UNWIND", Event::Offset),
    ("PY_THROW", Event::Offset),
    ("RERAISE", Event::Offset),
    ("C_RETURN", Event::Offset),
    ("C_RAISE", Event::Offset),
];

static NUMBERS: [AtomicUsize; KINDS.len()] = [const { AtomicUsize::new(0) }; KINDS.len()];

static REGISTER: OnceLock<Fast> = OnceLock::new();

/// `sys.monitoring.register_callback(tool, event, function)`
unsafe extern "C" fn register(module: Object, arguments: *const Object, count: ffi::Py_ssize_t) -> Object {
    let original = REGISTER.get().expect("set before it is hooked");
    // SAFETY: called attached, with this many live arguments.
    unsafe {
        if count != 3 || ffi::PyLong_Check(*arguments.add(1)) == 0 {
            return original(module, arguments, count);
        }
        let mut overflow = 0;
        let event = ffi::PyLong_AsLongAndOverflow(*arguments.add(1), &raw mut overflow) as c_int;
        let callback = wrapped(*arguments.add(2), event);
        if callback.is_null() {
            return callback;
        }
        let before = original(module, [*arguments, *arguments.add(1), callback].as_ptr(), count);
        if !before.is_null() && std::ptr::eq(ffi::Py_TYPE(callback), class()) {
            take_right_over(original, module, *arguments, event, callback);
        }
        ffi::Py_DECREF(callback);
        unwrapped(before)
    }
}

/// Of `BRANCH`, the interpreter registers two handlers of its own.  The one for `BRANCH_RIGHT` drops what does not come from a jump, as the ends
/// of loops do not whose last instruction is ours: `callback` is put in its place.  Besides, that handler stops an event at an
/// instruction whose other event was disabled, which a tool may not rely on (PEP 669).
///
/// # Safety
/// Attached; the original function with its module, and live objects.
unsafe fn take_right_over(original: &Fast, module: Object, tool: Object, event: c_int, callback: Object) {
    let number = |name: &str| {
        let found = KINDS.iter().zip(&NUMBERS).find(|((known, _), _)| *known == name);
        found.map(|(_, number)| number.load(Ordering::Relaxed) as c_int)
    };
    let (true, Some(right)) = (number("BRANCH") == Some(event), number("BRANCH_RIGHT")) else { return };
    // SAFETY: passed on.  It accepted this tool and this callback just now.
    unsafe {
        let right = ffi::PyLong_FromLong(right.into());
        let before = if right.is_null() { right } else { original(module, [tool, right, callback].as_ptr(), 3) };
        if before.is_null() {
            ffi::PyErr_Clear();
        }
        ffi::Py_XDECREF(before);
        ffi::Py_XDECREF(right);
    }
}

/// The callback in what was registered; takes a reference and gives one.
///
/// # Safety
/// Attached; null or a reference that is given up.
unsafe fn unwrapped(registered: Object) -> Object {
    // SAFETY: passed on.
    unsafe {
        if registered.is_null() || !std::ptr::eq(ffi::Py_TYPE(registered), class()) {
            return registered;
        }
        let callback = ffi::Py_NewRef((*registered.cast::<Translator>()).callback);
        ffi::Py_DECREF(registered);
        callback
    }
}

struct Local<const N: usize>;
static LOCAL: [OnceLock<Fast>; 2] = [const { OnceLock::new() }; 2];

impl<const N: usize> Local<N> {
    /// `sys.monitoring.get_local_events(tool, code)` and `set_local_events(tool, code, events)`: of the code that runs.
    unsafe extern "C" fn events(module: Object, arguments: *const Object, count: ffi::Py_ssize_t) -> Object {
        let original = LOCAL[N].get().expect("set before it is hooked");
        // SAFETY: called attached, with this many live arguments.
        unsafe {
            let mut given = std::slice::from_raw_parts(arguments, count as usize).to_vec();
            let code = given.get(1).and_then(|code| Code::of(&Bound::from_borrowed_ptr(Python::assume_attached(), *code)));
            if let Some(Fate::Patched(patched)) = code.map(|code| code_data::fate(code.object())) {
                given[1] = patched.as_ptr();
                return original(module, given.as_ptr(), count);
            }
            original(module, arguments, count)
        }
    }
}

/// `PyTrace_OPCODE`
const OPCODE: c_int = 7;

/// The interpreter's own C function behind Python trace functions.
static TRACE: OnceLock<trace::Trace> = OnceLock::new();

unsafe extern "C" fn on_trace(function: Object, frame: *mut ffi::PyFrameObject, what: c_int, argument: Object) -> c_int {
    // SAFETY: called attached, with a live frame.
    unsafe {
        if what == OPCODE {
            let code = ffi::PyFrame_GetCode(frame);
            let is_ours = code_data::view(code.cast()).is_some_and(|view: &View| view.is_inserted(ffi::PyFrame_GetLasti(frame)));
            ffi::Py_DECREF(code.cast());
            if is_ours {
                return 0;
            }
        }
        TRACE.get().expect("set before it is hooked")(function, frame, what, argument)
    }
}

/// Puts [`on_trace`] before what was just set for a trace function.
///
/// # Safety
/// As [`trace::function_of`].
unsafe fn take_trace_over(thread: *mut ffi::PyThreadState, function: Object) {
    // SAFETY: passed on.
    unsafe {
        if let Some(place) = trace::function_of(thread, function)
            && let Some(original) = *place
            && std::ptr::fn_addr_eq(*TRACE.get_or_init(|| original), original)
        {
            *place = Some(on_trace);
        }
    }
}

struct SetTrace<const N: usize>;
static SET_TRACE: [OnceLock<OneArgument>; 2] = [const { OnceLock::new() }; 2];

impl<const N: usize> SetTrace<N> {
    /// `sys.settrace(function)` and `sys._settraceallthreads(function)`
    unsafe extern "C" fn set(module: Object, function: Object) -> Object {
        // SAFETY: called attached, with a live object.
        unsafe {
            let begins = !std::ptr::eq(function, ffi::Py_None());
            if begins {
                probe_switch::before_tracing();
            }
            let answer = SET_TRACE[N].get().expect("set before it is hooked")(module, function);
            if !answer.is_null() && begins {
                if N == 0 {
                    take_trace_over(ffi::PyThreadState_GetUnchecked(), function);
                } else {
                    let stopped = crate::interpreter::world::Stopped::stop(Python::assume_attached());
                    stopped.threads().for_each(|thread| take_trace_over(thread, function));
                }
            }
            answer
        }
    }
}

/// Replaces the functions of `sys` and `sys.monitoring`; once.  Callbacks that were registered before are registered anew.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    load(py)?;
    let sys = py.import("sys")?;
    let monitoring = sys.getattr("monitoring")?;
    let events = monitoring.getattr("events")?;
    for ((name, _), number) in KINDS.iter().zip(&NUMBERS) {
        number.store(events.getattr(*name)?.extract()?, Ordering::Relaxed);
    }
    let fast = |name: &str| function_slots::function(&monitoring, name, ffi::METH_FASTCALL);
    // SAFETY: functions of these calling conventions, which were checked.
    unsafe {
        for (place, (name, function)) in
            [("get_local_events", Local::<0>::events as *const c_void), ("set_local_events", Local::<1>::events as *const c_void)]
                .into_iter()
                .enumerate()
        {
            let found = fast(name)?;
            let _ = LOCAL[place].set(std::mem::transmute::<usize, Fast>(found.function()));
            found.replace(function);
        }
        for (place, (name, function)) in
            [("settrace", SetTrace::<0>::set as *const c_void), ("_settraceallthreads", SetTrace::<1>::set as *const c_void)]
                .into_iter()
                .enumerate()
        {
            let found = function_slots::function(&sys, name, ffi::METH_O)?;
            let _ = SET_TRACE[place].set(std::mem::transmute::<usize, OneArgument>(found.function()));
            found.replace(function);
        }
        let found = fast("register_callback")?;
        REGISTER
            .set(std::mem::transmute::<usize, Fast>(found.function()))
            .map_err(|_| PyRuntimeError::new_err("register_callback is hooked already"))?;
        found.replace(register as *const c_void);
    }
    register_anew(&monitoring)
}

/// How many tools there may be (`sys.monitoring.use_tool_id`).
const TOOLS: u8 = 6;

fn register_anew(monitoring: &Bound<'_, PyAny>) -> PyResult<()> {
    for tool in 0..TOOLS {
        if monitoring.call_method1("get_tool", (tool,))?.is_none() {
            continue;
        }
        for number in &NUMBERS {
            let event = number.load(Ordering::Relaxed);
            let callback = monitoring.call_method1("register_callback", (tool, event, monitoring.py().None()))?;
            if !callback.is_none() {
                monitoring.call_method1("register_callback", (tool, event, callback))?;
            }
        }
    }
    Ok(())
}
