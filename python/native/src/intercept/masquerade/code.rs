//! The view that the type of code objects gives of a patched one: attributes, methods, comparison and hash answer for the original.
//!
//! Fields that are members are shown by attributes of the same name, because a member is read without asking anybody.

use crate::intercept::bytecode::code_data::{self, View};
use crate::intercept::masquerade::original_view;
use crate::intercept::type_slot::{self, Slot};
use crate::interpreter::code_fields::Code;
use crate::interpreter::function_slots::{self, FnSlot, Getter};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;

/// The code object that a slot of its type was called with, and its view.
///
/// # Safety
/// Attached; a live code object.
unsafe fn subject<'py>(code: Object) -> (Code<'py>, Option<&'py View>) {
    // SAFETY: passed on.
    unsafe {
        let object = Bound::from_borrowed_ptr(Python::assume_attached(), code);
        (Code::of(&object).expect("called as a slot of code objects"), code_data::view(code))
    }
}

/// A new reference, or null with the exception set.
fn answer(result: PyResult<Bound<'_, PyAny>>) -> Object {
    // SAFETY: attached, or there would be no result.
    let py = unsafe { Python::assume_attached() };
    result.map_or_else(
        |error| {
            error.restore(py);
            std::ptr::null_mut()
        },
        Bound::into_ptr,
    )
}

/// The original of what has a view, as a new reference; the object itself if it has none; null with an exception set.
///
/// # Safety
/// Attached; a live object.
unsafe fn original_of(object: Object) -> Object {
    // SAFETY: passed on; an object that is not a code object has no view.
    unsafe {
        if ffi::PyCode_Check(object) != 0
            && let (code, Some(view)) = subject(object)
        {
            return answer(view.original(&code));
        }
        ffi::Py_NewRef(object)
    }
}

macro_rules! getters {
    ($($name:ident: $shown:expr, $field:expr;)*) => {$(
        unsafe extern "C" fn $name(code: Object, _: *mut c_void) -> Object {
            // SAFETY: called as an attribute of code objects, attached.
            let (code, view) = unsafe { subject(code) };
            let shown: fn(&View, &Code<'static>) -> PyResult<Bound<'static, PyAny>> = $shown;
            let field: fn(&Code<'static>) -> PyResult<Bound<'static, PyAny>> = $field;
            answer(view.map_or_else(|| field(&code), |view| shown(view, &code)))
        }
    )*};
}

fn number<'py>(code: &Code<'py>, number: c_int) -> PyResult<Bound<'py, PyAny>> {
    Ok(number.into_pyobject(code.object().py())?.into_any())
}

getters! {
    constants: |view, code| view.constants(code), |code| Ok(code.constants().into_any());
    lines: |view, code| Ok(view.lines(code.object().py())), |code| Ok(code.lines().into_any());
    exceptions: |view, code| Ok(view.exceptions(code.object().py())), |code| Ok(code.exceptions().into_any());
    stack_size: |view, code| number(code, view.stack_size()), |code| number(code, code.stack_size());
    bytes: |view, code| Ok(view.bytes(code.object().py())), |code| Ok(code.bytes()?.into_any());
}

/// The answer of the original, by the function that was there.
struct Originally<const N: usize>;

static ORIGINALLY: [OnceLock<usize>; 7] = [const { OnceLock::new() }; 7];

type OneArgument = unsafe extern "C" fn(Object, *mut c_void) -> Object;
type Fast = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t, Object) -> Object;

impl<const N: usize> Originally<N> {
    fn function() -> usize {
        *ORIGINALLY[N].get().expect("set before it is hooked")
    }

    /// Attributes, and methods without arguments.
    unsafe extern "C" fn ask(code: Object, argument: *mut c_void) -> Object {
        // SAFETY: attached, a live code object; the function is of this calling convention.
        unsafe {
            let original = original_of(code);
            if original.is_null() {
                return original;
            }
            let answer = std::mem::transmute::<usize, OneArgument>(Self::function())(original, argument);
            ffi::Py_DECREF(original);
            answer
        }
    }

    /// `__sizeof__`, which counts extras.
    unsafe extern "C" fn size(code: Object, argument: *mut c_void) -> Object {
        // SAFETY: as above.
        unsafe {
            let object = Bound::from_borrowed_ptr(Python::assume_attached(), code);
            let basic = match original_view::basic(&object) {
                Ok(basic) => basic.unwrap_or(object),
                Err(error) => return answer(Err(error)),
            };
            std::mem::transmute::<usize, OneArgument>(Self::function())(basic.as_ptr(), argument)
        }
    }

    /// `replace`: the constants that are kept are those that are shown.
    unsafe extern "C" fn replace(code: Object, arguments: *const Object, count: ffi::Py_ssize_t, names: Object) -> Object {
        // SAFETY: as above.
        unsafe {
            let original = std::mem::transmute::<usize, Fast>(Self::function());
            let (subject, Some(view)) = subject(code) else { return original(code, arguments, count, names) };
            let py = subject.object().py();
            let replaced = || -> PyResult<Bound<'_, PyAny>> {
                let names: Bound<'_, PyTuple> =
                    if names.is_null() { PyTuple::empty(py) } else { Bound::from_borrowed_ptr(py, names).cast_into_unchecked() };
                let given = std::slice::from_raw_parts(arguments, count as usize + names.len());
                let kept = view.constants(&subject)?;
                let like = view.original(&subject)?;
                let mut words: Vec<Bound<'_, PyAny>> = names.iter().collect();
                let mut values = given.to_vec();
                if !words.iter().any(|word| word.extract::<&str>().is_ok_and(|word| word == "co_consts")) {
                    words.push(pyo3::types::PyString::intern(py, "co_consts").into_any());
                    values.push(kept.as_ptr());
                }
                let words = PyTuple::new(py, words)?;
                Bound::from_owned_ptr_or_err(py, original(like.as_ptr(), values.as_ptr(), count, words.as_ptr()))
            };
            answer(replaced())
        }
    }
}

type Compare = unsafe extern "C" fn(Object, Object, c_int) -> Object;
type Hash = unsafe extern "C" fn(Object) -> ffi::Py_hash_t;
static COMPARE: OnceLock<Compare> = OnceLock::new();
static HASH: OnceLock<Hash> = OnceLock::new();

unsafe extern "C" fn compare(one: Object, other: Object, operator: c_int) -> Object {
    // SAFETY: attached, two live objects.
    unsafe {
        let (one, other) = (original_of(one), original_of(other));
        let answer = if one.is_null() || other.is_null() {
            std::ptr::null_mut()
        } else {
            COMPARE.get().expect("set before it is hooked")(one, other, operator)
        };
        ffi::Py_XDECREF(one);
        ffi::Py_XDECREF(other);
        answer
    }
}

unsafe extern "C" fn hash(code: Object) -> ffi::Py_hash_t {
    // SAFETY: attached, a live code object.
    unsafe {
        let original = original_of(code);
        if original.is_null() {
            return -1;
        }
        let answer = HASH.get().expect("set before it is hooked")(original);
        ffi::Py_DECREF(original);
        answer
    }
}

/// Replaces what the type of code objects has; once.
pub(crate) fn install(class: &Bound<'_, PyType>) -> PyResult<()> {
    const MEMBERS: [(&std::ffi::CStr, Getter); 4] =
        [(c"co_consts", constants), (c"co_linetable", lines), (c"co_exceptiontable", exceptions), (c"co_stacksize", stack_size)];
    for (name, getter) in MEMBERS {
        function_slots::show(class, name, getter)?;
    }
    function_slots::getter(class, "co_code")?.replace(bytes as *const c_void);
    let take_over = |number: usize, place: FnSlot, function: *const c_void| {
        let _ = ORIGINALLY[number].set(place.function());
        place.replace(function);
    };
    if class.hasattr("co_lnotab")? {
        take_over(0, function_slots::getter(class, "co_lnotab")?, Originally::<0>::ask as *const c_void);
    }
    take_over(1, function_slots::getter(class, "_co_code_adaptive")?, Originally::<1>::ask as *const c_void);
    let without = [
        ("__sizeof__", Originally::<2>::size as *const c_void),
        ("co_lines", Originally::<3>::ask as *const c_void),
        ("co_branches", Originally::<4>::ask as *const c_void),
        ("co_positions", Originally::<5>::ask as *const c_void),
    ];
    for (number, (name, function)) in (2..).zip(without) {
        take_over(number, function_slots::function(class, name, ffi::METH_NOARGS)?, function);
    }
    for name in ["replace", "__replace__"] {
        let flags = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;
        take_over(6, function_slots::function(class, name, flags)?, Originally::<6>::replace as *const c_void);
    }
    // SAFETY: the slots of code objects, of these signatures.
    unsafe {
        let _ = COMPARE.set(std::mem::transmute::<*const c_void, Compare>(Slot::Compare.of(class)));
        let _ = HASH.set(std::mem::transmute::<*const c_void, Hash>(Slot::Hash.of(class)));
    }
    type_slot::replace(class, Slot::Compare, compare as *const c_void)?;
    type_slot::replace(class, Slot::Hash, hash as *const c_void)
}
