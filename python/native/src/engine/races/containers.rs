//! Which built-in container an object is, subclasses included, and what its views and iterators are of.

use crate::interpreter::{attributes, types};
use crate::thread::code_class;
use ftsan::patcher::known_calls::Container;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::CStr;
use std::sync::OnceLock;

/// What kind of container objects of this type are: of the type itself or of the built-in one that it is derived from.
///
/// # Safety
/// Attached; `class` is alive.
pub(crate) unsafe fn family(class: *mut ffi::PyTypeObject) -> Option<Container> {
    // SAFETY: passed on; a type keeps its base and its name alive.
    unsafe {
        // Most are.
        if class == &raw mut ffi::PyDict_Type {
            return Some(Container::Dict);
        }
        let flags = types::flags(class);
        if flags & ffi::Py_TPFLAGS_LIST_SUBCLASS != 0 {
            return Some(Container::List);
        }
        let is_dictionary = flags & ffi::Py_TPFLAGS_DICT_SUBCLASS != 0;
        let mut base = class;
        while !base.is_null() && base != &raw mut ffi::PyBaseObject_Type {
            if is_dictionary && base == &raw mut ffi::PyDict_Type {
                return Some(Container::Dict);
            }
            // Names of types, unlike their addresses, are known without importing the module.
            let name = CStr::from_ptr((*base).tp_name);
            if let Some((_, container)) = NAMES.iter().find(|(known, _)| *known == name) {
                return Some(*container);
            }
            base = (*base).tp_base;
        }
        None
    }
}

/// `tp_name` of those that are Python code.
const OF_PYTHON_CODE: [&CStr; 5] = [c"ChainMap", c"WeakKeyDictionary", c"WeakValueDictionary", c"UserDict", c"UserList"];

/// `tp_name` of the types that are not told by their flags.
const NAMES: [(&CStr, Container); 15] = [
    (c"set", Container::Set),
    (c"collections.deque", Container::Deque),
    (c"collections.defaultdict", Container::DefaultDict),
    (c"collections.OrderedDict", Container::OrderedDict),
    // Classes of Python code: without their modules.
    (c"Counter", Container::Counter),
    (c"bytearray", Container::ByteArray),
    (c"array.array", Container::Array),
    (c"WeakKeyDictionary", Container::WeakDict),
    (c"WeakValueDictionary", Container::WeakDict),
    // It writes to the first one of its maps.
    (c"ChainMap", Container::Wrapper),
    (c"UserDict", Container::Wrapper),
    (c"UserList", Container::Wrapper),
    (c"generator", Container::Generator),
    (c"async_generator", Container::AsyncGenerator),
    (c"sqlite3.Cursor", Container::Cursor),
];

/// Whether the program has its own idea of what this method of a container does: then it is that method's code which is watched.
///
/// # Safety
/// Attached; `class` is alive.
pub(crate) unsafe fn is_overridden(class: *mut ffi::PyTypeObject, method: &CStr) -> bool {
    // SAFETY: passed on; the results of the look-ups are new references.
    unsafe {
        if types::flags(class) & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return false;
        }
        let found = types::look_up_named(class, method);
        // A container that is Python code itself has the method of its own.
        let own = of_python_code(class).map_or(std::ptr::null_mut(), |own| types::look_up_named(own, method));
        let is_python = !found.is_null() && ffi::Py_TYPE(found) == &raw mut ffi::PyFunction_Type;
        let is_own = std::ptr::eq(found, own);
        ffi::Py_XDECREF(found);
        ffi::Py_XDECREF(own);
        is_python && !is_own
    }
}

/// Classes of containers that are Python code, and what they have their methods from.
const METHODS_OF_LIBRARY: [&str; 9] = [
    "ChainMap.",
    "WeakKeyDictionary.",
    "WeakValueDictionary.",
    "UserDict.",
    "UserList.",
    "Counter.subtract",
    "Counter.update",
    "MutableMapping.",
    "Mapping.get",
];

/// Whether what is called is a method of a container that is Python code of the standard library.
///
/// # Safety
/// Attached; `callable` is alive.
#[inline]
pub(crate) unsafe fn is_method_of_library(callable: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; a function has a qualified name, a string, which keeps its text.
    unsafe {
        if ffi::Py_TYPE(callable) != &raw mut ffi::PyFunction_Type {
            return false;
        }
        let function = callable.cast::<ffi::PyFunctionObject>();
        let mut length = 0;
        let name = ffi::PyUnicode_AsUTF8AndSize((*function).func_qualname, &raw mut length);
        if name.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        let name = std::slice::from_raw_parts(name.cast::<u8>(), length as usize);
        // A program may call a class of its own the same.
        let is_of_library = || code_class::file((*function).func_code as usize).is_some_and(code_class::is_of_standard_library);
        METHODS_OF_LIBRARY.iter().any(|known| name.starts_with(known.as_bytes())) && is_of_library()
    }
}

/// The object of a bound method that is written in C, borrowed; null if it has another name.
///
/// # Safety
/// Attached; `callable` is alive, and of the type of such methods.
pub(crate) unsafe fn bound_to(callable: *mut ffi::PyObject, name: &str) -> *mut ffi::PyObject {
    // SAFETY: passed on; a method keeps its definition, whose name is a C string.
    unsafe {
        let definition = (*callable.cast::<ffi::PyCFunctionObject>()).m_ml;
        let is_it = !definition.is_null() && CStr::from_ptr((*definition).ml_name).to_bytes() == name.as_bytes();
        if is_it { ffi::PyCFunction_GetSelf(callable) } else { std::ptr::null_mut() }
    }
}

/// The container of Python code that a class is derived from, or is.
///
/// # Safety
/// `class` is alive.
unsafe fn of_python_code(class: *mut ffi::PyTypeObject) -> Option<*mut ffi::PyTypeObject> {
    // SAFETY: passed on; a type keeps its bases and its name alive.
    unsafe { types::with_bases(class).find(|class| OF_PYTHON_CODE.contains(&CStr::from_ptr((**class).tp_name))) }
}

/// The container in which one of Python code keeps what it has, a dictionary or a list; null if there is none.  A new reference.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn data(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe {
        let mut data = attributes::own(object, c"data");
        let maps = if data.is_null() { attributes::own(object, c"maps") } else { data };
        if data.is_null() && !maps.is_null() {
            if ffi::PyList_Check(maps) != 0 {
                data = ffi::PyList_GetItemRef(maps, 0);
            }
            ffi::Py_DECREF(maps);
        }
        if data.is_null() {
            ffi::PyErr_Clear();
        } else if ffi::PyDict_Check(data) == 0 && ffi::PyList_Check(data) == 0 {
            ffi::Py_DECREF(data);
            return std::ptr::null_mut();
        }
        data
    }
}

/// As [`family`], with the container itself: of a wrapper of Python code, what it keeps.
pub(crate) struct Inner {
    /// To be let go of; null for none.
    kept: *mut ffi::PyObject,
    pub(crate) object: *mut ffi::PyObject,
    pub(crate) family: Container,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: made attached, by [`inner`], and dropped in the same call of a probe.
        unsafe { ffi::Py_XDECREF(self.kept) };
    }
}

/// # Safety
/// Attached; `object` is alive.
#[inline(always)]
pub(crate) unsafe fn inner(object: *mut ffi::PyObject) -> Option<Inner> {
    // SAFETY: passed on; a live object has a live type.
    unsafe {
        let class = ffi::Py_TYPE(object);
        match family(class) {
            Some(Container::Wrapper) => wrapped(object),
            Some(family) => Some(Inner { kept: std::ptr::null_mut(), object, family }),
            None if class == &raw mut ffi::PyMemoryView_Type => viewed_by_elements(object),
            None => None,
        }
    }
}

/// # Safety
/// Attached; `wrapper` is alive.
#[cold]
unsafe fn wrapped(wrapper: *mut ffi::PyObject) -> Option<Inner> {
    // SAFETY: passed on; a live object has a live type.
    unsafe {
        let kept = data(wrapper);
        let family = if kept.is_null() { None } else { family(ffi::Py_TYPE(kept)) };
        let Some(family) = family.filter(|family| *family != Container::Wrapper) else {
            ffi::Py_XDECREF(kept);
            return None;
        };
        Some(Inner { kept, object: kept, family })
    }
}

/// What a `memoryview` is of, if the elements of both have the same numbers: it shows all of a bytearray or an array as what it is.
///
/// # Safety
/// Attached; `view` is alive, and a `memoryview`.
#[cold]
unsafe fn viewed_by_elements(view: *mut ffi::PyObject) -> Option<Inner> {
    // SAFETY: passed on; a view hands out its own memory without code of the program, and what that is of lives as long as the view.
    unsafe {
        let mut shown = std::mem::zeroed::<ffi::Py_buffer>();
        let kept = ffi::PyObject_GetAttrString(view, c"obj".as_ptr());
        // A class that is derived from these may have a buffer of its own.
        let family = match if kept.is_null() { c"" } else { CStr::from_ptr((*ffi::Py_TYPE(kept)).tp_name) } {
            name if name == c"bytearray" => Some(Container::ByteArray),
            name if name == c"array.array" => Some(Container::Array),
            _ => None,
        };
        if family.is_none() || ffi::PyObject_GetBuffer(view, &raw mut shown, ffi::PyBUF_FULL_RO) != 0 {
            ffi::PyErr_Clear();
            ffi::Py_XDECREF(kept);
            return None;
        }
        let mut whole = std::mem::zeroed::<ffi::Py_buffer>();
        let is_whole = ffi::PyObject_GetBuffer(kept, &raw mut whole, ffi::PyBUF_FULL_RO) == 0;
        let same = is_whole
            && (shown.buf, shown.len, shown.itemsize, shown.ndim) == (whole.buf, whole.len, whole.itemsize, whole.ndim)
            && shown.strides.is_null() == whole.strides.is_null()
            && (shown.strides.is_null() || *shown.strides == *whole.strides);
        if is_whole {
            ffi::PyBuffer_Release(&raw mut whole);
        } else {
            ffi::PyErr_Clear();
        }
        ffi::PyBuffer_Release(&raw mut shown);
        match family.filter(|_| same) {
            Some(family) => Some(Inner { kept, object: kept, family }),
            None => {
                ffi::Py_DECREF(kept);
                None
            }
        }
    }
}

/// `_PyDictViewObject`, `Include/internal/pycore_dict.h`: the dictionary follows the header.  Those of an OrderedDict are derived.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn viewed(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; the layout is that of all three types.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let views = [&raw mut ffi::PyDictKeys_Type, &raw mut ffi::PyDictValues_Type, &raw mut ffi::PyDictItems_Type];
        if views.contains(&class) || views.contains(&(*class).tp_base) {
            let dictionary = object.add(1).cast::<*mut ffi::PyObject>().read();
            return if dictionary.is_null() { object } else { dictionary };
        }
        object
    }
}

/// What `tp_iternext` is in classes of Python code, with a `__next__` and without.
static NEXT_IN_PYTHON: OnceLock<[usize; 2]> = OnceLock::new();

/// To be called once, before [`is_iterator`].
pub(crate) fn learn(py: Python<'_>) -> PyResult<()> {
    let next = |method: &CStr| -> PyResult<usize> {
        let class = py.eval(method, None, None)?;
        // SAFETY: a type object.
        let next = unsafe { (*class.as_ptr().cast::<ffi::PyTypeObject>()).tp_iternext };
        Ok(next.map_or(0, |next| next as usize))
    };
    let iterator = next(c"type('Iterator', (), {'__next__': lambda self: None})")?;
    let _ = NEXT_IN_PYTHON.set([iterator, next(c"type('Iterable', (), {'__iter__': lambda self: None})")?]);
    Ok(())
}

/// Iterators that may be advanced by any thread: each step is one operation.
const ATOMIC: [&CStr; 3] = [c"itertools.count", c"itertools.repeat", c"callable_iterator"];

/// Whether it is an iterator of the interpreter or of an extension module that keeps its place without a lock.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn is_iterator(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; type names are C strings that live as long as the type.
    unsafe {
        let class = ffi::Py_TYPE(object);
        if class == &raw mut ffi::PyAsyncGen_Type {
            return true;
        }
        let Some(next) = (*class).tp_iternext else { return false };
        let in_python = NEXT_IN_PYTHON.get().copied().unwrap_or_default();
        if in_python.contains(&(next as usize)) {
            return is_reader_of_library(class);
        }
        !ATOMIC.contains(&CStr::from_ptr((*class).tp_name))
    }
}

/// Whether it is a `csv.DictReader`, or a class that is derived from it and steps as it does: Python code of the standard library, which is not
/// watched.
///
/// # Safety
/// Attached; `class` is alive.
unsafe fn is_reader_of_library(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on; a type keeps its name, and the results of the look-ups are new references.
    unsafe {
        let Some(reader) = types::with_bases(class).find(|base| CStr::from_ptr((**base).tp_name) == c"DictReader") else {
            return false;
        };
        let [next, of_reader] = [class, reader].map(|class| types::look_up_named(class, c"__next__"));
        [next, of_reader].into_iter().for_each(|found| ffi::Py_XDECREF(found));
        types::is_of_module(reader, c"csv") && std::ptr::eq(next, of_reader)
    }
}
