//! Whether the name of an attribute is a location of its object.
//!
//! It is none if something of the class decides where the value is: a property or another descriptor written in Python, a `__getattribute__`, a
//! `__setattr__`, or a `__getattr__` that is asked for what the object has not; if C code decides and the object has nothing of the name, as a
//! proxy of another one; and if each thread has a value of its own.  Then it is their code that is watched, if it is chosen.  Members
//! of `__slots__` and the fields of extension types are descriptors as well, but of a place in the object.
//!
//! No code of the program runs.  Answers that depend on the type alone are remembered by the version of the type, which changes
//! with every change of it or its bases.

use crate::interpreter::{attributes, types};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{CStr, c_char};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The functions that the interpreter has in the slots of classes that are written in Python, and in those of weak proxies.
struct PythonSlots {
    /// With a `__getattribute__`, and with a `__getattr__`.
    read: [usize; 2],
    write: usize,
    /// Of weak proxies.
    weak: usize,
    /// Of descriptors with a `__set__` or a `__delete__`.
    set: usize,
}

static PYTHON: OnceLock<PythonSlots> = OnceLock::new();

/// To be called once, before [`is_location`].
pub(crate) fn learn(py: Python<'_>) -> PyResult<()> {
    let class = |body: &std::ffi::CStr| -> PyResult<Bound<'_, PyType>> { Ok(py.eval(body, None, None)?.cast_into::<PyType>()?) };
    // The slot of a class with a `__getattribute__` alone is set at its first use.
    let asked = class(c"type('Asked', (), {'__getattribute__': lambda self, name: name})")?;
    asked.call0()?.getattr("name")?;
    let lacking = class(c"type('Lacking', (), {'__getattr__': lambda self, name: name})")?;
    let set = class(c"type('Set', (), {'__setattr__': lambda self, name, value: None})")?;
    let descriptor = class(c"type('Descriptor', (), {'__set__': lambda self, object, value: None})")?;
    let there = |class: &Bound<'_, PyType>, slot: fn(&ffi::PyTypeObject) -> usize| {
        // SAFETY: a live type object.
        let found = slot(unsafe { &*class.as_type_ptr() });
        if found == 0 { Err(PyRuntimeError::new_err("a class of Python code has an empty slot")) } else { Ok(found) }
    };
    let read = |class: &ffi::PyTypeObject| class.tp_getattro.map_or(0, |slot| slot as usize);
    let weak = class(c"__import__('_weakref').ProxyType")?;
    let write = |class: &ffi::PyTypeObject| class.tp_setattro.map_or(0, |slot| slot as usize);
    let slots = PythonSlots {
        read: [there(&asked, read)?, there(&lacking, read)?],
        write: there(&set, write)?,
        weak: there(&weak, write)?,
        set: there(&descriptor, |class| class.tp_descr_set.map_or(0, |slot| slot as usize))?,
    };
    let _ = PYTHON.set(slots);
    Ok(())
}

/// What the type says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
enum Answer {
    /// Nothing is in the way.
    Location = 1,
    /// Something else has the value.
    Elsewhere = 2,
    /// It is a location of an object that has it.
    IfThere = 3,
}

/// Answers by the version of the type (upper half), the name and what is asked (lower half but for two bits).
const ANSWERS: usize = 1 << 12;
static KNOWN: [AtomicU64; ANSWERS] = [const { AtomicU64::new(0) }; ANSWERS];

/// Whether an attribute of this name is a location of the object that the thread reads, or writes to.  `field` is the hash of the name.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn is_location(object: *mut ffi::PyObject, name: &str, field: u64, writes: bool) -> bool {
    // SAFETY: passed on; a live object has a live type.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let version = u64::from((*class).tp_version_tag);
        let mixed = ftsan::races::mix(field ^ u64::from(writes));
        let label = version << 32 | mixed & 0xffff_fffc;
        let place = &KNOWN[(mixed >> 32 ^ version) as usize % ANSWERS];
        let known = place.load(Ordering::Relaxed);
        let answer = if version != 0 && known & !3 == label {
            if known & 3 == Answer::Location as u64 {
                return true;
            }
            if known & 3 == Answer::Elsewhere as u64 { Answer::Elsewhere } else { Answer::IfThere }
        } else {
            let answer = ask(class, name, writes);
            // The look-up may have given the type a version; if it has changed since, this is not kept for long.
            if version != 0 {
                place.store(label | answer as u64, Ordering::Relaxed);
            }
            answer
        };
        match answer {
            Answer::Location => true,
            Answer::Elsewhere => false,
            Answer::IfThere => has(object, name),
        }
    }
}

/// An interned string; null without an exception if there is no memory.
unsafe fn string(name: &str) -> *mut ffi::PyObject {
    // SAFETY: attached, as the callers are; the bytes are those of a string.
    unsafe {
        let mut string = ffi::PyUnicode_FromStringAndSize(name.as_ptr().cast(), name.len() as ffi::Py_ssize_t);
        if string.is_null() {
            ffi::PyErr_Clear();
        } else {
            ffi::PyUnicode_InternInPlace(&raw mut string);
        }
        string
    }
}

/// # Safety
/// Attached; `class` is alive.
#[cold]
unsafe fn ask(class: *mut ffi::PyTypeObject, name: &str, writes: bool) -> Answer {
    let Some(python) = PYTHON.get() else { return Answer::Location };
    // SAFETY: passed on; the object that is looked up is a reference of our own.
    unsafe {
        if is_thread_local(class) {
            return Answer::Elsewhere;
        }
        let (reads_by, writes_by) = ((*class).tp_getattro, (*class).tp_setattro);
        if writes && writes_by.is_some_and(|slot| slot as usize == python.write) {
            return Answer::Elsewhere;
        }
        let is_python = !writes && reads_by.is_some_and(|slot| python.read.contains(&(slot as usize)));
        if is_python && is_overridden(class, "__getattribute__") {
            return Answer::Elsewhere;
        }
        match is_descriptor(class, name, python) {
            Some(true) => Answer::Elsewhere,
            None if is_python || has_own_way(class, python) => Answer::IfThere,
            Some(false) | None => Answer::Location,
        }
    }
}

/// Whether C code of the class decides where attributes are written to; classes and weak proxies are known.
///
/// # Safety
/// Attached; `class` is alive.
unsafe fn has_own_way(class: *mut ffi::PyTypeObject, python: &PythonSlots) -> bool {
    // SAFETY: passed on; the others are static types.
    unsafe {
        let slot = |class: *mut ffi::PyTypeObject| (*class).tp_setattro.map_or(0, |slot| slot as usize);
        let own = slot(class);
        let is_known = [0, python.write, slot(&raw mut ffi::PyBaseObject_Type)].contains(&own) || own == python.weak;
        !is_known && ffi::PyType_IsSubtype(class, &raw mut ffi::PyType_Type) == 0
    }
}

/// Whether the class has a property, or another descriptor written in Python that sets, under this name; `None` if it has nothing.
///
/// # Safety
/// Attached; `class` is alive.
unsafe fn is_descriptor(class: *mut ffi::PyTypeObject, name: &str, python: &PythonSlots) -> Option<bool> {
    // SAFETY: passed on; the object that is looked up is a reference of our own.
    unsafe {
        let name = string(name);
        if name.is_null() {
            return Some(false);
        }
        let found = types::look_up(class, name);
        ffi::Py_DECREF(name);
        if found.is_null() {
            return None;
        }
        let kind = ffi::Py_TYPE(found);
        let sets = (*kind).tp_descr_set.map_or(0, |slot| slot as usize);
        let is_it = sets == python.set
            || kind == &raw mut ffi::PyProperty_Type
            || ffi::PyType_IsSubtype(kind, &raw mut ffi::PyProperty_Type) != 0;
        ffi::Py_DECREF(found);
        Some(is_it)
    }
}

/// Whether `object.__setattr__` and its like come to a location of the object: they go round what the class says of all names, and not round a
/// descriptor.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn is_reached_by_generic(object: *mut ffi::PyObject, name: &str) -> bool {
    // SAFETY: passed on; a live object has a live type.
    unsafe {
        let class = ffi::Py_TYPE(object);
        !is_thread_local(class) && PYTHON.get().is_none_or(|python| is_descriptor(class, name, python) != Some(true))
    }
}

/// Whether a class has something else than `object` under a name: that is a wrapper of a slot.
///
/// # Safety
/// Attached; `class` is alive.
unsafe fn is_overridden(class: *mut ffi::PyTypeObject, name: &str) -> bool {
    // SAFETY: passed on.
    unsafe {
        let name = string(name);
        if name.is_null() {
            return false;
        }
        let found = types::look_up(class, name);
        ffi::Py_DECREF(name);
        let is_overridden = !found.is_null() && ffi::Py_TYPE(found) != &raw mut ffi::PyWrapperDescr_Type;
        ffi::Py_XDECREF(found);
        is_overridden
    }
}

/// Whether the object itself has an attribute of this name, which its type has not.
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn has(object: *mut ffi::PyObject, name: &str) -> bool {
    // SAFETY: passed on.
    unsafe {
        let name = string(name);
        if name.is_null() {
            return true;
        }
        let found = attributes::own_by(object, name);
        ffi::Py_DECREF(name);
        let is_there = !found.is_null();
        ffi::Py_XDECREF(found);
        is_there
    }
}

/// Whether each thread sees attributes of its own.
///
/// # Safety
/// Attached; `class` is alive.
pub(crate) unsafe fn is_thread_local(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on; a type keeps its bases and its name alive.
    unsafe {
        // By its name: a module that is made anew has another type.
        let is_local = |class: *mut ffi::PyTypeObject| {
            let name = (*class).tp_name;
            *name == b'_' as c_char && CStr::from_ptr(name) == c"_thread._local"
        };
        types::with_bases(class).any(is_local)
    }
}

/// Whether it is what wraps `object`'s own way to read, set or delete an attribute (`PyWrapperDescrObject`, Include/cpython/descrobject.h).
///
/// # Safety
/// Attached; `callable` is alive, or null.
pub(crate) unsafe fn is_generic(callable: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; a live object has a live type.
    unsafe {
        !callable.is_null() && (ffi::Py_TYPE(callable) == &raw mut ffi::PyWrapperDescr_Type || attributes::is_bound(callable))
    }
}
