//! Which built-in container an object is, subclasses included, and what its views and iterators are of.

use crate::python::loaded;
use ftsan::patcher::known_calls::Container;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, CString};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Types by family, built-in ones first; looked up when a container is met for the first time.
static TYPES: [AtomicUsize; Container::NAMES.len()] = [const { AtomicUsize::new(0) }; Container::NAMES.len()];

/// More special ones first: a Counter is a dict.
const ORDER: [Container; 9] = [
    Container::List,
    Container::Counter,
    Container::DefaultDict,
    Container::OrderedDict,
    Container::Dict,
    Container::Set,
    Container::Deque,
    Container::ByteArray,
    Container::Array,
];

/// What kind of container objects of this type are: of the type itself or of the built-in one that it is derived from.
///
/// # Safety
/// Attached; `class` is alive.
pub(super) unsafe fn family(class: *mut ffi::PyTypeObject) -> Option<Container> {
    ORDER.into_iter().find(|container| {
        let Some(place) = Container::NAMES.iter().position(|(known, ..)| known == container) else { return false };
        // SAFETY: passed on; both are live type objects: these types live as long as their modules, which are never unloaded.
        unsafe {
            let base = type_of(place);
            base != 0 && (base == class as usize || ffi::PyType_IsSubtype(class, base as *mut ffi::PyTypeObject) != 0)
        }
    })
}

/// Address of a type, or 0 while the program has not imported its module.
///
/// # Safety
/// Attached.
unsafe fn type_of(place: usize) -> usize {
    let known = TYPES[place].load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let (_, module, name) = Container::NAMES[place];
    // SAFETY: passed on.
    let py = unsafe { Python::assume_attached() };
    let Ok(module) = CString::new(module) else { return 0 };
    let found = loaded(py, &module).and_then(|module| module.getattr(name).ok());
    let address = found.map_or(0, |found| found.as_ptr() as usize);
    TYPES[place].store(address, Ordering::Relaxed);
    address
}

/// Whether the program has its own idea of what this method of a container does: then it is that method's code which is watched.
///
/// # Safety
/// Attached; `class` is alive.
pub(super) unsafe fn is_overridden(class: *mut ffi::PyTypeObject, method: &CStr) -> bool {
    // SAFETY: passed on; the result of the lookup is a new reference.
    unsafe {
        if ffi::PyType_GetFlags(class) & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return false;
        }
        let name = ffi::PyUnicode_InternFromString(method.as_ptr());
        let found = _PyType_LookupRef(class, name);
        ffi::Py_DECREF(name);
        let is_python = !found.is_null() && ffi::Py_TYPE(found) == &raw mut ffi::PyFunction_Type;
        ffi::Py_XDECREF(found);
        is_python
    }
}

unsafe extern "C" {
    // Exported for extension modules, Include/internal/pycore_typeobject.h; runs no code of the program.
    fn _PyType_LookupRef(class: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// `_PyDictViewObject`, `Include/internal/pycore_dict.h`: the dictionary follows the header.
///
/// # Safety
/// Attached; `object` is alive.
pub(super) unsafe fn viewed(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; the layout is that of all three types.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let views = [&raw mut ffi::PyDictKeys_Type, &raw mut ffi::PyDictValues_Type, &raw mut ffi::PyDictItems_Type];
        if views.into_iter().any(|view| ffi::PyType_IsSubtype(class, view) != 0) {
            let dictionary = object.add(1).cast::<*mut ffi::PyObject>().read();
            return if dictionary.is_null() { object } else { dictionary };
        }
        object
    }
}

/// What `tp_iternext` is in classes that define `__next__` in Python.
static NEXT_IN_PYTHON: OnceLock<usize> = OnceLock::new();

/// To be called once, before [`is_iterator`].
pub(super) fn learn(py: Python<'_>) -> PyResult<()> {
    let class = py.eval(c"type('Iterator', (), {'__next__': lambda self: None})", None, None)?;
    // SAFETY: a type object.
    let next = unsafe { (*class.as_ptr().cast::<ffi::PyTypeObject>()).tp_iternext };
    let _ = NEXT_IN_PYTHON.set(next.map_or(0, |next| next as usize));
    Ok(())
}

/// Iterators that may be advanced by any thread: each step is one operation.
const ATOMIC: [&CStr; 3] = [c"itertools.count", c"itertools.repeat", c"callable_iterator"];

/// Whether it is an iterator of the interpreter or of an extension module that keeps its place without a lock.
///
/// # Safety
/// Attached; `object` is alive.
pub(super) unsafe fn is_iterator(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; type names are C strings that live as long as the type.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let Some(next) = (*class).tp_iternext else { return false };
        let own = NEXT_IN_PYTHON.get().copied().unwrap_or_default();
        next as usize != own && !ATOMIC.contains(&CStr::from_ptr((*class).tp_name))
    }
}
