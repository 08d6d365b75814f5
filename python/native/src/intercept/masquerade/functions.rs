//! `__code__`, `f_code`, `gi_code` and the like: of code that the program has seen before it was patched, they show that; and code that is
//! assigned to a function is patched like code that a function is made of.

use crate::intercept::bytecode::code_data;
use crate::interpreter::function_slots::{self, Getter, Setter};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;
/// The code that runs when this code is assigned to this function; `None` if that is the code itself.
pub(crate) type Assigned = for<'py> unsafe fn(*mut ffi::PyFunctionObject, &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>>;

static GETTERS: [OnceLock<Getter>; 5] = [const { OnceLock::new() }; 5];
static SETTER: OnceLock<(Setter, Assigned)> = OnceLock::new();

/// The view of a code object, or of null with an exception set; takes the reference.
///
/// # Safety
/// Attached.
unsafe fn shown(code: Object) -> Object {
    // SAFETY: attached; a code object or null.
    unsafe {
        if code.is_null() || ffi::PyCode_Check(code) == 0 {
            return code;
        }
        match code_data::view(code).and_then(|view| view.known(Python::assume_attached())) {
            Some(original) => {
                ffi::Py_DECREF(code);
                original.into_ptr()
            }
            None => code,
        }
    }
}

unsafe extern "C" fn get<const N: usize>(object: Object, closure: *mut c_void) -> Object {
    // SAFETY: called as an attribute of the type that it was installed in, attached.
    unsafe { shown(GETTERS[N].get().expect("set before it is hooked")(object, closure)) }
}

/// `function.__code__ = code`
unsafe extern "C" fn set(function: Object, value: Object, closure: *mut c_void) -> c_int {
    let (original, assigned) = SETTER.get().expect("set before it is hooked");
    // SAFETY: called as an attribute of functions, attached; the value is null for `del`.
    unsafe {
        if !value.is_null() && ffi::PyCode_Check(value) != 0 {
            let code = Bound::from_borrowed_ptr(Python::assume_attached(), value);
            if let Some(patched) = assigned(function.cast(), &code) {
                return original(function, patched.as_ptr(), closure);
            }
        }
        original(function, value, closure)
    }
}

/// Replaces the attributes; once.
pub(crate) fn install(py: Python<'_>, assigned: Assigned) -> PyResult<()> {
    let hooks: [(*mut ffi::PyTypeObject, &str, Getter); 5] = [
        (&raw mut ffi::PyFunction_Type, "__code__", get::<0>),
        (&raw mut ffi::PyFrame_Type, "f_code", get::<1>),
        (&raw mut ffi::PyGen_Type, "gi_code", get::<2>),
        (&raw mut ffi::PyCoro_Type, "cr_code", get::<3>),
        (&raw mut ffi::PyAsyncGen_Type, "ag_code", get::<4>),
    ];
    // SAFETY: attached; static types.
    let class = |class: *mut ffi::PyTypeObject| unsafe { PyType::from_borrowed_type_ptr(py, class) };
    for (at, (of, name, hook)) in hooks.into_iter().enumerate() {
        let place = function_slots::getter(&class(of), name)?;
        // SAFETY: the getter of an attribute.
        let _ = GETTERS[at].set(unsafe { std::mem::transmute::<usize, Getter>(place.function()) });
        place.replace(hook as *const c_void);
    }
    let place = function_slots::setter(&class(&raw mut ffi::PyFunction_Type), "__code__")?;
    // SAFETY: the setter of an attribute.
    let _ = SETTER.set((unsafe { std::mem::transmute::<usize, Setter>(place.function()) }, assigned));
    place.replace(set as *const c_void);
    Ok(())
}
