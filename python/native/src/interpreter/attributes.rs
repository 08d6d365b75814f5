//! Where the attributes of an object are.

use crate::interpreter::types;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyWeakrefReference};
use std::ffi::{CStr, c_int};

/// `Py_TPFLAGS_MANAGED_DICT`, Include/object.h.
pub(crate) const MANAGED_DICT: std::ffi::c_ulong = 1 << 4;

/// How many words before such an object its dictionary is: with the GIL, the links of the garbage collector lie in between.
const MANAGED_DICT_BEFORE: usize = if cfg!(Py_GIL_DISABLED) { 1 } else { 3 };

/// Compares the dictionary of an object, and of one that has a weak reference besides, with what Python says of it.
pub(crate) fn verify(py: Python<'_>) -> Result<(), String> {
    let wrong = |error: PyErr| error.to_string();
    let class =
        py.import("builtins").and_then(|builtins| builtins.call_method1("type", ("Object", (), PyDict::new(py)))).map_err(wrong)?;
    for is_weakly_held in [false, true] {
        let object = class.call0().map_err(wrong)?;
        let _weak = if is_weakly_held { Some(PyWeakrefReference::new(&object).map_err(wrong)?) } else { None };
        // SAFETY: attached, and an object that we hold.
        let has_one = unsafe { types::flags(ffi::Py_TYPE(object.as_ptr())) } & MANAGED_DICT != 0;
        // SAFETY: as above.
        let before = unsafe { home(object.as_ptr()) };
        let dictionary = object.getattr("__dict__").map_err(wrong)?;
        // SAFETY: as above.
        let after = unsafe { home(object.as_ptr()) };
        if !has_one || before != object.as_ptr() || after != dictionary.as_ptr() {
            return Err("the dictionary of an object is not where it was expected".to_owned());
        }
    }
    Ok(())
}

/// The object that stands for an object's attributes: its dictionary, if there is one that code may reach as such.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn home(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a live object; that word before an object with a managed dictionary is that dictionary or null
    // (`MANAGED_DICT_OFFSET`, Include/internal/pycore_object.h), which `verify` has checked.
    unsafe {
        let dictionary = if types::flags(ffi::Py_TYPE(object)) & MANAGED_DICT != 0 {
            object.cast::<*mut ffi::PyObject>().sub(MANAGED_DICT_BEFORE).read_volatile()
        } else if ffi::PyModule_Check(object) != 0 {
            ffi::PyModule_GetDict(object)
        } else {
            std::ptr::null_mut()
        };
        if dictionary.is_null() { object } else { dictionary }
    }
}

/// Whether a `mappingproxy` is the `__dict__` of this object, a class.
///
/// # Safety
/// Attached; both are alive.
pub(crate) unsafe fn is_namespace_of(proxy: *mut ffi::PyObject, object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; the mapping follows the header (`mappingproxyobject`, Objects/descrobject.c).
    unsafe {
        let mapping = proxy.add(1).cast::<*mut ffi::PyObject>().read();
        ffi::PyType_Check(object) != 0 && (*object.cast::<ffi::PyTypeObject>()).tp_dict == mapping
    }
}

unsafe extern "C" {
    // Exported, Include/cpython/object.h; the last argument is whether to leave out the exception for what is not there.
    fn _PyObject_GenericGetAttrWithDict(
        object: *mut ffi::PyObject,
        name: *mut ffi::PyObject,
        dictionary: *mut ffi::PyObject,
        suppress: c_int,
    ) -> *mut ffi::PyObject;
}

/// The object's own attribute of this name, if its type has none; a new reference, or null without an exception.  No code of the
/// program runs.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn own(object: *mut ffi::PyObject, name: &CStr) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe { types::with_name(name, |name| own_by(object, name)) }
}

/// As [`own`], by a string.
///
/// # Safety
/// Attached; both are alive.
pub(crate) unsafe fn own_by(object: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; where the type has nothing of this name, no descriptor is called.
    unsafe {
        if ffi::PyType_Check(object) != 0 {
            return types::look_up(object.cast(), name);
        }
        let of_type = types::look_up(ffi::Py_TYPE(object), name);
        if !of_type.is_null() {
            ffi::Py_DECREF(of_type);
            return std::ptr::null_mut();
        }
        let value = _PyObject_GenericGetAttrWithDict(object, name, std::ptr::null_mut(), 1);
        if value.is_null() {
            ffi::PyErr_Clear();
        }
        value
    }
}

/// `wrapperobject`, Objects/descrobject.c: a method of a slot and the object that it is bound to.
#[repr(C)]
struct MethodWrapper {
    header: ffi::PyObject,
    descr: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
}

/// Whether it is a method of a slot, such as `object`'s own way to set an attribute, that is bound to an object.
///
/// # Safety
/// Attached; `callable` is alive, or null.
pub(crate) unsafe fn is_bound(callable: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; a live object has a live type, whose name is a C string.  The type itself is not exported, and has no subclasses.
    unsafe { !callable.is_null() && CStr::from_ptr((*ffi::Py_TYPE(callable)).tp_name) == c"method-wrapper" }
}

/// The object that a method of a slot is bound to, borrowed; null if it is something else.
///
/// # Safety
/// As [`is_bound`].
pub(crate) unsafe fn bound_to(callable: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: of that type.
    unsafe { if is_bound(callable) { (*callable.cast::<MethodWrapper>()).object } else { std::ptr::null_mut() } }
}

unsafe extern "C" {
    // Include/cpython/classobject.h
    static mut PyMethod_Type: ffi::PyTypeObject;
    fn PyMethod_Self(method: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyMethod_Function(method: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// The object and the function of a method of Python code that is bound, borrowed; `None` of anything else.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn of_method(object: *mut ffi::PyObject) -> Option<(*mut ffi::PyObject, *mut ffi::PyObject)> {
    // SAFETY: passed on; of that type, which keeps both alive.
    unsafe { (ffi::Py_TYPE(object) == &raw mut PyMethod_Type).then(|| (PyMethod_Self(object), PyMethod_Function(object))) }
}

/// What an object has under this name, a string, in a slot, as its own or as its class's default; a new reference, or null without an exception.  No
/// code of the program runs: null if a descriptor of Python code would answer.
///
/// # Safety
/// Attached; both are alive.
pub(crate) unsafe fn part(object: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a live object has a live type; the object that is looked up is a reference of our own, and a member runs no code.
    unsafe {
        let found = types::look_up(ffi::Py_TYPE(object), name);
        let answers = !found.is_null()
            && (*ffi::Py_TYPE(found)).tp_descr_get.is_some()
            && ffi::Py_TYPE(found) != &raw mut ffi::PyMemberDescr_Type;
        ffi::Py_XDECREF(found);
        let value =
            if answers { std::ptr::null_mut() } else { _PyObject_GenericGetAttrWithDict(object, name, std::ptr::null_mut(), 1) };
        if value.is_null() {
            ffi::PyErr_Clear();
        }
        value
    }
}

/// Whether an object certainly has nothing under this name, a string, and neither has its class: to read it raises an exception.
///
/// # Safety
/// Attached; both are alive.
pub(crate) unsafe fn lacks(object: *mut ffi::PyObject, name: *mut ffi::PyObject) -> bool {
    // SAFETY: a live object has a live type, and a module its dictionary; what is looked up is a reference of our own, and a member runs no code.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let is_there = |class: *mut ffi::PyTypeObject, counts_members: bool| {
            let found = types::look_up(class, name);
            let is_it = !found.is_null() && (counts_members || ffi::Py_TYPE(found) != &raw mut ffi::PyMemberDescr_Type);
            ffi::Py_XDECREF(found);
            is_it
        };
        // Others, as proxies, have ways of their own.
        let by = |class: *mut ffi::PyTypeObject| (*class).tp_getattro.map_or(0, |slot| slot as usize);
        let known = [&raw mut ffi::PyBaseObject_Type, &raw mut ffi::PyType_Type, &raw mut ffi::PyModule_Type];
        if !known.into_iter().any(|known| by(known) == by(class)) {
            return false;
        }
        let asked = types::look_up_named(class, c"__getattr__");
        ffi::Py_XDECREF(asked);
        if !asked.is_null() || is_there(class, false) || ffi::PyType_Check(object) != 0 && is_there(object.cast(), true) {
            return false;
        }
        if ffi::PyModule_Check(object) != 0 {
            return lacks_global(ffi::PyModule_GetDict(object), name);
        }
        let value = part(object, name);
        ffi::Py_XDECREF(value);
        value.is_null()
    }
}

/// Whether a module certainly has no variable of this name, a string, given its dictionary, and there is no built-in one.
///
/// # Safety
/// Attached; both are alive.
pub(crate) unsafe fn lacks_global(globals: *mut ffi::PyObject, name: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; the built-in names are borrowed, and a lookup by a string runs no code of the program.
    unsafe {
        let has = |dictionary: *mut ffi::PyObject, name| {
            dictionary.is_null() || ffi::PyDict_Check(dictionary) == 0 || ffi::PyDict_Contains(dictionary, name) != 0
        };
        // A module may be asked for what it has not.
        let asks = || {
            let name = ffi::PyUnicode_InternFromString(c"__getattr__".as_ptr());
            let asks = name.is_null() || has(globals, name);
            ffi::Py_XDECREF(name);
            asks
        };
        let lacks = !has(globals, name) && !has(ffi::PyEval_GetBuiltins(), name) && !asks();
        if !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
        }
        lacks
    }
}

/// What an object has in a slot of its type under this name (`__slots__`, a member of an extension type); a new reference, or null without an
/// exception.  No code of the program runs.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn member(object: *mut ffi::PyObject, name: &CStr) -> *mut ffi::PyObject {
    // SAFETY: a live object has a live type; the object that is looked up is a reference of our own, and a member runs no code.
    unsafe {
        types::with_name(name, |name| {
            let found = types::look_up(ffi::Py_TYPE(object), name);
            let is_member = !found.is_null() && ffi::Py_TYPE(found) == &raw mut ffi::PyMemberDescr_Type;
            ffi::Py_XDECREF(found);
            let value = if is_member { ffi::PyObject_GenericGetAttr(object, name) } else { std::ptr::null_mut() };
            if is_member && value.is_null() {
                ffi::PyErr_Clear();
            }
            value
        })
    }
}
