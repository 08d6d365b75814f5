//! Our data on a code object, found without a lock from the code object itself (its extra, PEP 523).
//!
//! Code that is not chosen has none: a code object with an extra is not "basic" to the interpreter (`_PyCode_CheckNoInternalState`), which
//! does not share it with other interpreters then.

use crate::engine::races::probe::Probes;
use crate::intercept::bytecode::opcodes;
use crate::interpreter::code_extras;
use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::{self, RawFrame};
use crate::interpreter::py_ref::{Lazy, Owned, Weak};
use crate::thread::code_class;
use crate::thread::probe_switch::Switches;
use ftsan::patcher::{self, Lack, Opcodes, UnitMap};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};

unsafe extern "C" {
    // Include/cpython/code.h and ceval.h
    fn PyUnstable_Eval_RequestCodeExtraIndex(free: unsafe extern "C" fn(*mut c_void)) -> ffi::Py_ssize_t;
    fn PyUnstable_Code_GetExtra(code: *mut ffi::PyObject, index: ffi::Py_ssize_t, extra: *mut *mut c_void) -> c_int;
    fn PyUnstable_Code_SetExtra(code: *mut ffi::PyObject, index: ffi::Py_ssize_t, extra: *mut c_void) -> c_int;
}

/// What the program may know of a code object before it is patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing: it is imported, or the script.
    No,
    /// It may have the code object, as what it executes or makes a function of.
    Perhaps,
    /// It may have asked a function for it.
    Shown,
}

/// The parts of a patched code object as the program sees them; [`crate::intercept::masquerade::original_view`] shows them.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) bytes: Owned,
    pub(crate) lines: Owned,
    pub(crate) exceptions: Owned,
    pub(crate) stack_size: c_int,
    /// How many constants the original has; the patched one has the same, nested code patched, and then its sites.
    pub(crate) constants: usize,
    pub(crate) shown_constants: Lazy,
    pub(crate) original: Lazy,
    /// The program may know the original itself, which is kept then, and shown wherever the interpreter would show the patched one.
    pub(crate) is_known: bool,
    /// The original as long as anybody else has it, who may compare it with what is shown.
    pub(crate) source: Weak,
    /// From the original on: a code object that was patched may be patched again.
    pub(crate) maps: Vec<UnitMap>,
    /// Likewise, the probes among its constants.
    pub(crate) probes: Vec<Arc<Probes>>,
    /// If it was made while probes were off.
    pub(crate) switches: Option<Switches>,
}

/// What is known of a code object, for as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// Its patched version, which lives as long as this one.
    pub(crate) patched: Lazy,
    /// The view that the program has of it, if it is a patched version itself.
    pub(crate) view: Option<View>,
    /// Never to be patched.
    pub(crate) is_left_alone: AtomicBool,
    /// Of what is watched for data races, even if there is nothing in it to watch.
    pub(crate) is_chosen: AtomicBool,
    /// Where a container is gone through again if it changes meanwhile, in code units, once somebody has asked.
    pub(crate) begun_again: OnceLock<Vec<(u32, u32)>>,
}

impl Extra {
    /// Whether the code object is a patched one, or is never patched.
    #[inline]
    pub(crate) fn is_final(&self) -> bool {
        self.view.is_some() || self.is_left_alone.load(Ordering::Relaxed)
    }
}

static INDEX: AtomicIsize = AtomicIsize::new(-1);
static INTERPRETER: AtomicPtr<ffi::PyInterpreterState> = AtomicPtr::new(std::ptr::null_mut());

unsafe extern "C" fn free(extra: *mut c_void) {
    if !extra.is_null() {
        // SAFETY: made by `of`, and the code object that it belongs to is gone.
        drop(unsafe { Box::from_raw(extra.cast::<Extra>()) });
    }
}

/// Reserves the place in all code objects.
pub(crate) fn load(py: Python<'_>) -> PyResult<()> {
    if !is_loaded() {
        // SAFETY: attached (a module function).
        let index = unsafe { PyUnstable_Eval_RequestCodeExtraIndex(free) };
        if index < 0 {
            return Err(PyRuntimeError::new_err("no room in code objects"));
        }
        // SAFETY: attached.
        INTERPRETER.store(unsafe { ffi::PyInterpreterState_Get() }, Ordering::Relaxed);
        INDEX.store(index, Ordering::Relaxed);
        code_extras::load(py, index as usize, |code| Ok(std::ptr::from_ref(of(code, Extra::default())?).cast_mut().cast()))?;
    }
    Ok(())
}

/// The interpreter that the place was reserved in is gone, and another one has begun in which it may be somebody else's.
pub(crate) fn unload() {
    INTERPRETER.store(std::ptr::null_mut(), Ordering::Relaxed);
    INDEX.store(-1, Ordering::Relaxed);
}

/// Whether there is such a place.
pub(crate) fn is_loaded() -> bool {
    INDEX.load(Ordering::Relaxed) >= 0
}

/// What is known of a code object.
///
/// # Safety
/// A live code object of this interpreter, which outlives `'a`.
#[inline]
pub(crate) unsafe fn known<'a>(code: *mut ffi::PyObject) -> Option<&'a Extra> {
    let mut extra = std::ptr::null_mut();
    // SAFETY: a live code object; an extra is only freed with it, because `of` never replaces one.
    unsafe {
        PyUnstable_Code_GetExtra(code, INDEX.load(Ordering::Relaxed), &raw mut extra);
        extra.cast::<Extra>().as_ref()
    }
}

/// The view of a patched code object.
///
/// # Safety
/// A live code object, which outlives `'a`; attached.
#[inline]
pub(crate) unsafe fn view<'a>(code: *mut ffi::PyObject) -> Option<&'a View> {
    // SAFETY: attached; in another interpreter, which counts its own, the place may be somebody else's.
    if !std::ptr::eq(unsafe { ffi::PyInterpreterState_Get() }, INTERPRETER.load(Ordering::Relaxed)) {
        return None;
    }
    // SAFETY: passed on.
    unsafe { known(code) }?.view.as_ref()
}

/// What becomes of a code object.
#[derive(Debug)]
pub(crate) enum Fate<'py> {
    /// This is made of it.
    Patched(Bound<'py, PyAny>),
    /// It is a patched one, or is never patched.
    Final,
    Open,
}

/// What becomes of a code object.
pub(crate) fn fate<'py>(code: &Bound<'py, PyAny>) -> Fate<'py> {
    // SAFETY: alive.
    let Some(extra) = (unsafe { known(code.as_ptr()) }) else { return Fate::Open };
    match extra.patched.get(code.py()) {
        Some(patched) => Fate::Patched(patched),
        None if extra.is_final() => Fate::Final,
        None => Fate::Open,
    }
}

/// A lock that may be waited for attached: the interpreter detaches who waits for it.
struct Lock(UnsafeCell<ffi::PyMutex>);
// SAFETY: a mutex.
unsafe impl Sync for Lock {}

static SETTING: Lock = Lock(UnsafeCell::new(ffi::PyMutex::new()));

/// In the child of a fork, where the thread that held the lock may be gone.
pub(crate) fn after_fork_in_child() {
    // SAFETY: the only thread.
    unsafe { SETTING.0.get().write(ffi::PyMutex::new()) };
}

struct Setting;

impl Setting {
    fn begin() -> Self {
        // SAFETY: a mutex in a static; unlocked on drop.
        unsafe { ffi::PyMutex_Lock(SETTING.0.get()) };
        Setting
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // SAFETY: locked by `begin`.
        unsafe { ffi::PyMutex_Unlock(SETTING.0.get()) };
    }
}

/// The extra of a code object, `new` if it had none.
pub(crate) fn of<'a>(code: &'a Bound<'_, PyAny>, new: Extra) -> PyResult<&'a Extra> {
    let _setting = Setting::begin();
    // SAFETY: a live code object, which the borrow keeps.
    if let Some(extra) = unsafe { known(code.as_ptr()) } {
        return Ok(extra);
    }
    let extra = Box::into_raw(Box::new(new));
    let index = INDEX.load(Ordering::Relaxed);
    // SAFETY: a live code object without an extra; ours is stored for as long as the code object lives, or given back.
    unsafe {
        let set = || PyUnstable_Code_SetExtra(code.as_ptr(), index, extra.cast());
        if code_extras::set(code, index as usize, set) < 0 {
            drop(Box::from_raw(extra));
            return Err(PyErr::fetch(code.py()));
        }
        Ok(&*extra)
    }
}

/// Marks a code object as never to be patched.
pub(crate) fn leave_alone(code: &Bound<'_, PyAny>) -> PyResult<()> {
    of(code, Extra::default())?.is_left_alone.store(true, Ordering::Relaxed);
    Ok(())
}

/// Marks a code object as chosen: what it executes that has no module belongs to it.
pub(crate) fn set_chosen(code: &Bound<'_, PyAny>) -> PyResult<()> {
    of(code, Extra::default())?.is_chosen.store(true, Ordering::Relaxed);
    Ok(())
}

/// Whether a code object is chosen.
///
/// # Safety
/// As [`known`].
pub(crate) unsafe fn is_chosen(code: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { known(code) }.is_some_and(|extra| extra.is_chosen.load(Ordering::Relaxed))
}

/// Whether a chosen code object goes through a container again if that changes while it does so at this unit.
///
/// # Safety
/// As [`known`]; attached.
pub(crate) unsafe fn begins_again(frame: RawFrame) -> bool {
    let code = frame.code as *mut ffi::PyObject;
    // SAFETY: passed on.
    let (Some(extra), py) = (unsafe { (known(code), Python::assume_attached()) }) else { return false };
    // SAFETY: alive, as above.
    let ranges = extra.begun_again.get_or_init(|| begun_again(&unsafe { Bound::from_borrowed_ptr(py, code) }));
    ranges.iter().any(|(start, end)| (*start..*end).contains(&frame.offset))
}

fn begun_again(code: &Bound<'_, PyAny>) -> Vec<(u32, u32)> {
    read(code, patcher::begun_again).unwrap_or_default()
}

/// Whether the result of the call at this unit decides something in the function, and more than whether flags are set that may be set already.
///
/// # Safety
/// Attached; the frame's code object is alive.
pub(crate) unsafe fn decides_more(frame: RawFrame) -> bool {
    // SAFETY: passed on.
    let code = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), frame.code as *mut ffi::PyObject) };
    read(&code, |opcodes, bytes, _, names| patcher::decides_more(opcodes, bytes, names, frame.offset)).unwrap_or(false)
}

/// Whether the result of the call at this unit decides something in the function.
///
/// # Safety
/// As [`known`]; attached.
pub(crate) unsafe fn decides(frame: RawFrame) -> bool {
    // SAFETY: passed on.
    let code = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), frame.code as *mut ffi::PyObject) };
    read(&code, |opcodes, bytes, _, _| patcher::decides(opcodes, bytes, frame.offset)).unwrap_or(false)
}

/// Whether a loop of the function waits for the result of the call at this unit; `None` if it does not, and the function does not make its own answer of it.
///
/// # Safety
/// As [`known`]; attached.
pub(crate) unsafe fn waits(frame: RawFrame) -> Option<bool> {
    // SAFETY: passed on.
    let code = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), frame.code as *mut ffi::PyObject) };
    let name = Code::of(&code)?.name();
    let name = name.to_str().unwrap_or_default();
    read(&code, |opcodes, bytes, _, names| patcher::waits(opcodes, bytes, (name, names), frame.offset)).flatten()
}

/// Whether the coroutine that has made the call which runs, perhaps by the standard library, awaits at once what that returns, or is inside of what
/// it awaits.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn is_awaited() -> bool {
    // SAFETY: passed on; code on the own stack is alive.
    unsafe {
        let is_library = |code| code_class::file(code).is_some_and(code_class::is_of_standard_library);
        let Some(frame) = frames::own().filter_map(frames::Frame::raw).find(|frame| !is_library(frame.code)) else { return false };
        let code = Bound::from_borrowed_ptr(Python::assume_attached(), frame.code as *mut ffi::PyObject);
        read(&code, |opcodes, bytes, _, _| patcher::awaits(opcodes, bytes, frame.offset)).unwrap_or(false)
    }
}

/// Whether it is handled by one of these frames, but the first, that there is nothing for `act`, which the first one does where it is: by whichever
/// if the first one raises so by itself, or by the second one if that asks for what the first one returns.
///
/// # Safety
/// As [`known`], of each; attached.
pub(crate) unsafe fn handle_lack(frames: &[RawFrame], act: Option<&str>) -> bool {
    let Some((own, callers @ [caller, ..])) = frames.split_first() else { return false };
    // SAFETY: passed on.
    let code = |frame: &RawFrame| unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), frame.code as *mut ffi::PyObject) };
    let known = read(&code(own), |opcodes, bytes, _, names| {
        let act = act.or_else(|| patcher::taken_by(opcodes, bytes, names, own.offset)).unwrap_or_default();
        (patcher::lacks_of(act), patcher::lacks_raised(opcodes, bytes, names, act))
    });
    let Some((lacks, raised)) = known else { return false };
    let handles = |frame: &RawFrame, raised: &[&str]| {
        let handles = |opcodes: &Opcodes, bytes: &[u8], exceptions: &[u8], names: &[&str]| {
            patcher::handle_raised(opcodes, bytes, exceptions, names, frame.offset, raised)
        };
        !raised.is_empty() && read(&code(frame), handles).unwrap_or(false)
    };
    let asks = || read(&code(caller), |opcodes, bytes, _, _| patcher::uses_result(opcodes, bytes, caller.offset)).unwrap_or(false);
    handles(caller, &lacks) && asks() || callers.iter().any(|frame| handles(frame, &raised))
}

/// Whether the code of the first of these frames relies on the attribute or variable that it reads where it is: none of them is prepared for there being
/// none; or for its being `None`.
///
/// # Safety
/// As [`known`], of each; attached.
pub(crate) unsafe fn rely(frames: &[RawFrame], is_none: bool) -> bool {
    // SAFETY: passed on.
    let code = |frame: &RawFrame| unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), frame.code as *mut ffi::PyObject) };
    let accepts = |(depth, frame): (usize, &RawFrame)| {
        let accepts = |opcodes: &Opcodes, bytes: &[u8], exceptions: &[u8], names: &[&str]| {
            let lack = if is_none { Lack::Value } else { Lack::Name };
            patcher::accepts_lack(opcodes, bytes, exceptions, names, frame.offset, lack, depth == 0)
        };
        read(&code(frame), accepts).unwrap_or(true)
    };
    !frames.is_empty() && !frames.iter().enumerate().any(accepts)
}

/// Something about a code object that its instructions, its exception table and its names say.
fn read<T>(code: &Bound<'_, PyAny>, ask: impl FnOnce(&Opcodes, &[u8], &[u8], &[&str]) -> T) -> Option<T> {
    let (code, opcodes) = (Code::of(code)?, opcodes::get(code.py()).ok()?);
    let (bytes, exceptions, names) = (code.bytes().ok()?, code.exceptions(), code.names());
    let names: Vec<&str> = names.as_slice().iter().filter_map(|name| name.cast::<PyString>().ok()?.to_str().ok()).collect();
    Some(ask(opcodes, bytes.as_bytes(), exceptions.as_bytes(), &names))
}
