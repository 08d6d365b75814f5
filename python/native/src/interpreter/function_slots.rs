//! Places of function pointers behind attributes, methods and functions of the interpreter, and attributes in the place of members.

use crate::interpreter::replaced;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;

/// The getter of an attribute.
pub(crate) type Getter = unsafe extern "C" fn(*mut ffi::PyObject, *mut c_void) -> *mut ffi::PyObject;

/// Where a function pointer is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FnSlot(*mut *const c_void);

impl FnSlot {
    /// What is there now.
    pub(crate) fn function(self) -> usize {
        // SAFETY: a place in a static table of the interpreter.
        unsafe { self.0.read() as usize }
    }

    /// Puts a function of the same calling convention there.  Everything that it needs is set before.
    pub(crate) fn replace(self, function: *const c_void) {
        // SAFETY: as above.
        unsafe { replaced::pointer(self.0, function) };
    }

    /// Puts `hook` there, and what was there into `original`, which the hook may need at once; nothing if that was done before.
    ///
    /// # Safety
    /// `F` is the type of the functions there, of their calling convention.
    pub(crate) unsafe fn swap<F: Copy>(self, original: &OnceLock<F>, hook: F) {
        const { assert!(size_of::<F>() == size_of::<usize>()) };
        // SAFETY: the caller's guarantee: both are function pointers, and as large as an address.
        let (there, hook) = unsafe {
            (std::mem::transmute_copy::<usize, F>(&self.function()), std::mem::transmute_copy::<F, *const c_void>(&hook))
        };
        if original.set(there).is_ok() {
            self.replace(hook);
        }
    }
}

fn refuse(name: &str) -> PyErr {
    PyTypeError::new_err(format!("{name} is not what is expected"))
}

/// The setter of an attribute.
pub(crate) type Setter = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut c_void) -> c_int;

/// The getter of a type's attribute.
pub(crate) fn getter(class: &Bound<'_, PyType>, name: &str) -> PyResult<FnSlot> {
    // SAFETY: the definition of an attribute.
    unsafe { Ok(FnSlot((&raw mut (*definition(class, name)?).get).cast())) }
}

/// The setter of a type's attribute.
pub(crate) fn setter(class: &Bound<'_, PyType>, name: &str) -> PyResult<FnSlot> {
    // SAFETY: the definition of an attribute.
    unsafe { Ok(FnSlot((&raw mut (*definition(class, name)?).set).cast())) }
}

fn definition(class: &Bound<'_, PyType>, name: &str) -> PyResult<*mut ffi::PyGetSetDef> {
    let descriptor = class.getattr("__dict__")?.get_item(name)?;
    // SAFETY: checked to be an attribute before it is used as one.
    unsafe {
        if !std::ptr::eq(ffi::Py_TYPE(descriptor.as_ptr()), &raw mut ffi::PyGetSetDescr_Type) {
            return Err(refuse(name));
        }
        Ok((*descriptor.as_ptr().cast::<ffi::PyGetSetDescrObject>()).d_getset)
    }
}

/// The function of a type's method, or of a function of a module, with this calling convention.
pub(crate) fn function(owner: &Bound<'_, PyAny>, name: &str, flags: c_int) -> PyResult<FnSlot> {
    of(&owner.getattr("__dict__")?.get_item(name)?, flags)
}

/// The function of this method or function, with this calling convention.
pub(crate) fn of(object: &Bound<'_, PyAny>, flags: c_int) -> PyResult<FnSlot> {
    let refused = || PyTypeError::new_err(format!("{object} is not what is expected"));
    // SAFETY: checked to be a method or a function before it is used as one; definitions are static arrays of the interpreter.
    unsafe {
        let class = ffi::Py_TYPE(object.as_ptr());
        let definition = if std::ptr::eq(class, &raw mut ffi::PyMethodDescr_Type) {
            (*object.as_ptr().cast::<ffi::PyMethodDescrObject>()).d_method
        } else if std::ptr::eq(class, &raw mut ffi::PyCFunction_Type) {
            (*object.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml
        } else {
            return Err(refused());
        };
        if (*definition).ml_flags != flags {
            return Err(refused());
        }
        Ok(FnSlot((&raw mut (*definition).ml_meth).cast()))
    }
}

/// The refusal of a member that cannot be set (`PyMember_SetOne`).
unsafe extern "C" fn refuse_to_set(_: *mut ffi::PyObject, _: *mut ffi::PyObject, _: *mut c_void) -> c_int {
    // SAFETY: called attached; a static string.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_AttributeError, c"readonly attribute".as_ptr()) };
    -1
}

/// Puts an attribute in the place of a member of a built-in type that cannot be set.
pub(crate) fn show(class: &Bound<'_, PyType>, name: &'static CStr, getter: Getter) -> PyResult<()> {
    let definition = Box::leak(Box::new(ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(getter),
        set: Some(refuse_to_set),
        ..ffi::PyGetSetDef::default()
    }));
    let py = class.py();
    // SAFETY: attached; the definition is leaked, because the interpreter keeps its address.  The type is told that it was modified, so
    // nothing remembers the member.
    unsafe {
        let descriptor: Bound<'_, PyAny> =
            Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewGetSet(class.as_type_ptr(), definition))?;
        let members: Bound<'_, PyAny> = Bound::from_owned_ptr_or_err(py, ffi::PyType_GetDict(class.as_type_ptr()))?;
        if ffi::PyDict_SetItemString(members.as_ptr(), name.as_ptr(), descriptor.as_ptr()) < 0 {
            return Err(PyErr::fetch(py));
        }
        ffi::PyType_Modified(class.as_type_ptr());
    }
    Ok(())
}
