//! Functions in C that look into code, most of all those that hand functions to other interpreters: `_interpreters.call` and the like copy the code of a function that needs nothing of
//! its module, if the code is "basic" (`_PyCode_CheckNoInternalState`, `_PyFunction_GetXIData`), and else do something slower, which the
//! program may notice, or refuse.
//!
//! The interpreter looks into the function itself, so the function has its original code while it is handed over.  A thread that
//! calls it meanwhile runs that: something may be missed, nothing goes wrong.

use crate::intercept::masquerade::original_view;
use crate::interpreter::code_fields::Code;
use crate::interpreter::function_slots;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

type Object = *mut ffi::PyObject;
type Keywords = unsafe extern "C" fn(Object, Object, Object) -> Object;
type Fast = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t, Object) -> Object;

/// How deep functions are looked for in what is handed over.
const DEEPEST: usize = 4;

/// A function with its original code.
struct Lent {
    /// How many calls hand it over.
    calls: usize,
    patched: usize,
    original: usize,
}

/// By their addresses; the thread that hands a function over holds a reference to it.
static LENT: Mutex<Option<HashMap<usize, Lent>>> = Mutex::new(None);

/// The place of a function's code.
///
/// # Safety
/// A live function.
unsafe fn code_of<'a>(function: usize) -> &'a AtomicPtr<ffi::PyObject> {
    // SAFETY: passed on; an aligned pointer, which is read as a whole by threads that call the function.
    unsafe { AtomicPtr::from_ptr(&raw mut (*(function as *mut ffi::PyFunctionObject)).func_code) }
}

/// Functions that have their original code until this is dropped.
#[derive(Default)]
struct Lending<'py>(Vec<Bound<'py, PyAny>>);

impl<'py> Lending<'py> {
    /// Looks for functions.
    fn add_all(&mut self, object: &Bound<'py, PyAny>, depth: usize) -> PyResult<()> {
        // SAFETY: attached.
        if unsafe { ffi::PyFunction_Check(object.as_ptr()) } != 0 {
            return self.add(object);
        }
        let mut add = |item: Bound<'py, PyAny>| if depth < DEEPEST { self.add_all(&item, depth + 1) } else { Ok(()) };
        if let Ok(tuple) = object.cast_exact::<PyTuple>() {
            tuple.iter().try_for_each(add)
        } else if let Ok(list) = object.cast_exact::<PyList>() {
            list.iter().try_for_each(add)
        } else if let Ok(dict) = object.cast_exact::<PyDict>() {
            dict.copy()?.iter().try_for_each(|(_, value)| add(value))
        } else {
            Ok(())
        }
    }

    fn add(&mut self, function: &Bound<'py, PyAny>) -> PyResult<()> {
        let address = function.as_ptr() as usize;
        // SAFETY: a live function, whose code is only ever replaced by one that outlives it there.
        let code = unsafe { Bound::from_borrowed_ptr(function.py(), code_of(address).load(Ordering::Acquire)) };
        let original = original_view::basic(&code)?;
        let mut lent = LENT.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = lent.get_or_insert_default();
        if let Some(lent) = lent.get_mut(&address) {
            lent.calls += 1;
        } else if let Some(original) = original {
            let (patched, original) = (code.into_ptr(), original.into_ptr());
            // SAFETY: a live function; both have a reference of their own while they are here, and the function keeps the one that it had.
            unsafe { code_of(address).store(original, Ordering::Release) };
            lent.insert(address, Lent { calls: 1, patched: patched as usize, original: original as usize });
        } else {
            return Ok(());
        }
        self.0.push(function.clone());
        Ok(())
    }
}

impl Drop for Lending<'_> {
    fn drop(&mut self) {
        for function in &self.0 {
            let address = function.as_ptr() as usize;
            let back = {
                let mut lent = LENT.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(entry) = lent.get_or_insert_default().get_mut(&address) else { continue };
                entry.calls -= 1;
                if entry.calls > 0 {
                    continue;
                }
                lent.get_or_insert_default().remove(&address)
            };
            let Some(back) = back else { continue };
            let (original, patched) = (back.original as Object, back.patched as Object);
            // SAFETY: as in `add`.  Code objects are freed by the collector only, which stops the world: a thread that has just
            // read the pointer still reads a code object.  If the program gave the function other code meanwhile, it gave up a
            // reference to what it found there.
            unsafe {
                let is_there = code_of(address).compare_exchange(original, patched, Ordering::AcqRel, Ordering::Relaxed).is_ok();
                ffi::Py_DECREF(if is_there { original } else { patched });
                ffi::Py_DECREF(patched);
            }
        }
    }
}

/// The arguments with basic code in the place of code, and the functions in them lent.
fn prepared<'py>(given: &[Bound<'py, PyAny>], lending: &mut Lending<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut prepared = Vec::with_capacity(given.len());
    for argument in given {
        lending.add_all(argument, 0)?;
        let basic = if Code::of(argument).is_some() { original_view::basic(argument)? } else { None };
        prepared.push(basic.unwrap_or_else(|| argument.clone()));
    }
    Ok(prepared)
}

/// Null, with the exception set.
fn raised(py: Python<'_>, error: PyErr) -> Object {
    error.restore(py);
    std::ptr::null_mut()
}

struct Hand<const N: usize>;

const MOST: usize = 8;
static ORIGINALS: [OnceLock<usize>; MOST] = [const { OnceLock::new() }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);

impl<const N: usize> Hand<N> {
    fn original() -> usize {
        *ORIGINALS[N].get().expect("set before it is hooked")
    }

    unsafe extern "C" fn keywords(module: Object, arguments: Object, names: Object) -> Object {
        // SAFETY: called attached, with a tuple and a dict or null; the original is of this calling convention.
        unsafe {
            let py = Python::assume_attached();
            let original = std::mem::transmute::<usize, Keywords>(Self::original());
            let given: Bound<'_, PyTuple> = Bound::from_borrowed_ptr(py, arguments).cast_into_unchecked();
            let mut lending = Lending::default();
            let named = Bound::from_borrowed_ptr_or_opt(py, names).map_or(Ok(()), |named| lending.add_all(&named, 0));
            match named.and_then(|()| prepared(given.as_slice(), &mut lending)).and_then(|all| PyTuple::new(py, all)) {
                Ok(arguments) => original(module, arguments.as_ptr(), names),
                Err(error) => raised(py, error),
            }
        }
    }

    unsafe extern "C" fn without_keywords(module: Object, arguments: *const Object, count: ffi::Py_ssize_t) -> Object {
        // SAFETY: as below; a function without keywords gets a fourth argument that it does not look at.
        unsafe { Self::fast(module, arguments, count, std::ptr::null_mut()) }
    }

    unsafe extern "C" fn fast(module: Object, arguments: *const Object, count: ffi::Py_ssize_t, names: Object) -> Object {
        // SAFETY: called attached, with this many live arguments, and those that are named after them; as above.
        unsafe {
            let py = Python::assume_attached();
            let original = std::mem::transmute::<usize, Fast>(Self::original());
            let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names) };
            let given = std::slice::from_raw_parts(arguments, (count + named) as usize).iter();
            let given: Vec<Bound<'_, PyAny>> = given.map(|argument| Bound::from_borrowed_ptr(py, *argument)).collect();
            let mut lending = Lending::default();
            match prepared(&given, &mut lending) {
                Ok(all) => original(module, all.iter().map(Bound::as_ptr).collect::<Vec<_>>().as_ptr(), count, names),
                Err(error) => raised(py, error),
            }
        }
    }

    /// By their calling conventions.
    const TRAMPOLINES: [(c_int, *const c_void); 3] = [
        (ffi::METH_VARARGS | ffi::METH_KEYWORDS, Self::keywords as *const c_void),
        (ffi::METH_FASTCALL | ffi::METH_KEYWORDS, Self::fast as *const c_void),
        (ffi::METH_FASTCALL, Self::without_keywords as *const c_void),
    ];
}

const TRAMPOLINES: [[(c_int, *const c_void); 3]; MOST] = [
    Hand::<0>::TRAMPOLINES,
    Hand::<1>::TRAMPOLINES,
    Hand::<2>::TRAMPOLINES,
    Hand::<3>::TRAMPOLINES,
    Hand::<4>::TRAMPOLINES,
    Hand::<5>::TRAMPOLINES,
    Hand::<6>::TRAMPOLINES,
    Hand::<7>::TRAMPOLINES,
];

/// Hooks a function of a module that hands its arguments to other interpreters.
pub(crate) fn hook(module: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let Some(trampolines) = TRAMPOLINES.get(number) else { return Err(PyRuntimeError::new_err("more functions than places")) };
    let found = |(flags, trampoline): (c_int, _)| function_slots::function(module, name, flags).map(|place| (place, trampoline));
    let [first, second, third] = *trampolines;
    let (place, trampoline) = found(first).or_else(|_| found(second)).or_else(|_| found(third))?;
    let _ = ORIGINALS[number].set(place.function());
    place.replace(trampoline);
    Ok(())
}
