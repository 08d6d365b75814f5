//! What an encoder written in C goes through, element by element: what it is given, and what is in that.
//!
//! It asks objects for what is to be encoded if they have a way of their own to say it; then it is that way which reads them.  No code of the
//! program runs here.

use crate::engine::races::containers;
use crate::engine::races::noted::Touch;
use crate::engine::races::probe_site::Probe;
use crate::engine::races::touch::is_private;
use crate::interpreter::{attributes, types};
use crate::thread::context::ThreadContext;
use crate::thread::outcome::Outcome;
use ftsan::patcher::known_calls::{CallEffect, Container, Encoder};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::collections::HashMap;
use std::ffi::CStr;

/// How deep containers in containers are looked into.
const DEEPEST: usize = 16;

/// What an encoder reads of objects of one class.
#[derive(Clone, Copy, Default)]
struct Reads {
    /// It goes from element to element, and others may come between.
    walks: bool,
    /// What is in it.
    elements: bool,
    /// The values of its attributes.
    attributes: bool,
}

/// # Safety
/// Attached; `object` is alive.
pub(super) unsafe fn look_through(
    here: &'static ThreadContext,
    probe: &Probe,
    object: *mut ffi::PyObject,
    encoder: Encoder,
) -> Outcome {
    // SAFETY: passed on; an object keeps its class alive.
    unsafe {
        let py = Python::assume_attached();
        let mut known = HashMap::new();
        let mut pending = vec![(Bound::from_borrowed_ptr(py, object), 0)];
        while let Some((object, depth)) = pending.pop() {
            let class = object.get_type_ptr();
            let reads = *known.entry(class).or_insert_with(|| reads(py, encoder, class));
            if reads.walks && !is_private(object.as_ptr()) {
                let touch = Touch { here, probe, object: object.as_ptr() };
                if let Outcome::Raised = touch.call(CallEffect::Iterate) {
                    return Outcome::Raised;
                }
            }
            if depth < DEEPEST {
                pending.extend(parts(&object, reads).into_iter().map(|part| (part, depth + 1)));
            }
        }
    }
    Outcome::Continue
}

/// # Safety
/// Attached; `class` is alive.
unsafe fn reads(py: Python<'_>, encoder: Encoder, class: *mut ffi::PyTypeObject) -> Reads {
    // SAFETY: passed on.
    unsafe {
        let flags = types::flags(class);
        let is_dictionary = flags & ffi::Py_TPFLAGS_DICT_SUBCLASS != 0;
        let is_sequence = flags & (ffi::Py_TPFLAGS_LIST_SUBCLASS | ffi::Py_TPFLAGS_TUPLE_SUBCLASS) != 0;
        let gives_elements = || !is_in_python(class, if is_dictionary { c"items" } else { c"__iter__" });
        match encoder {
            // Anything else it hands to the program.
            Encoder::Json if !is_dictionary && !is_sequence => Reads::default(),
            Encoder::Json => {
                let elements = gives_elements();
                Reads { walks: elements && is_walked(class), elements, attributes: false }
            }
            Encoder::Pickle if !is_reduced_by_default(py, class) => Reads::default(),
            Encoder::Pickle => {
                let elements = gives_elements();
                let attributes = has_attributes(class) && is_of_object(class, c"__getstate__");
                Reads { walks: elements && is_walked(class), elements, attributes }
            }
        }
    }
}

/// Whether pickle finds out by itself what there is in objects of this class, or has it from the interpreter.
///
/// # Safety
/// Attached; `class` is alive.
unsafe fn is_reduced_by_default(py: Python<'_>, class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on.
    unsafe {
        if types::flags(class) & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return true;
        }
        // Those of containers are written in C and give away an iterator.
        let has_default = is_of_object(class, c"__reduce__") || is_walked(class) && !is_in_python(class, c"__reduce__");
        has_default && is_of_object(class, c"__reduce_ex__") && !is_registered(py, class)
    }
}

/// Whether objects of this class say themselves how `copy.deepcopy` copies them, or what is to be copied.
///
/// # Safety
/// Attached; `class` is alive.
pub(super) unsafe fn is_copied_by_itself(py: Python<'_>, class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on.
    unsafe { is_in_python(class, c"__deepcopy__") || !is_reduced_by_default(py, class) }
}

/// Whether `copyreg.pickle` was told how objects of this class are pickled.
///
/// # Safety
/// Attached; `class` is alive.
unsafe fn is_registered(py: Python<'_>, class: *mut ffi::PyTypeObject) -> bool {
    static TABLE: PyOnceLock<Option<Py<PyDict>>> = PyOnceLock::new();
    // The table is the one that `_pickle` has, which imports this module when it is imported itself.
    let find = || py.import("copyreg").ok()?.getattr("dispatch_table").ok()?.cast_into().ok().map(Bound::unbind);
    let Some(table) = TABLE.get_or_init(py, find) else { return false };
    // SAFETY: passed on; a class is hashed as all are, unless its own class says otherwise.
    unsafe {
        let hash = |class: *mut ffi::PyTypeObject| (*class).tp_hash.map_or(0, |hash| hash as usize);
        let is_hashed_plainly = hash(ffi::Py_TYPE(class.cast())) == hash(&raw mut ffi::PyType_Type);
        is_hashed_plainly && table.bind(py).contains(Bound::from_borrowed_ptr(py, class.cast())).unwrap_or(false)
    }
}

/// Whether a class has under a name that `object` has, too, nothing else.
///
/// # Safety
/// Attached; `class` is alive.
unsafe fn is_of_object(class: *mut ffi::PyTypeObject, name: &CStr) -> bool {
    // SAFETY: passed on; the results of the look-ups are new references.
    unsafe {
        let found = types::look_up_named(class, name);
        let of_object = types::look_up_named(&raw mut ffi::PyBaseObject_Type, name);
        let is_it = std::ptr::eq(found, of_object);
        ffi::Py_XDECREF(found);
        ffi::Py_XDECREF(of_object);
        is_it
    }
}

/// Whether a class has Python code under a name.
///
/// # Safety
/// Attached; `class` is alive.
unsafe fn is_in_python(class: *mut ffi::PyTypeObject, name: &CStr) -> bool {
    // SAFETY: passed on; the result of the look-up is a new reference.
    unsafe {
        let found = types::look_up_named(class, name);
        let is_it = !found.is_null() && ffi::Py_TYPE(found) == &raw mut ffi::PyFunction_Type;
        ffi::Py_XDECREF(found);
        is_it
    }
}

/// # Safety
/// `class` is alive.
unsafe fn is_walked(class: *mut ffi::PyTypeObject) -> bool {
    use Container as C;
    // SAFETY: passed on.
    match unsafe { containers::family(class) } {
        Some(C::List | C::Dict | C::Set | C::Deque | C::OrderedDict | C::DefaultDict | C::Counter) => true,
        Some(C::ByteArray | C::Array | C::WeakDict | C::Wrapper | C::Generator | C::AsyncGenerator | C::Cursor) | None => false,
    }
}

/// The containers, and the objects with attributes, in what is read; copied in one step, under its own lock.
fn parts<'py>(object: &Bound<'py, PyAny>, reads: Reads) -> Vec<Bound<'py, PyAny>> {
    let is_of_interest = |part: &Bound<'py, PyAny>| {
        // SAFETY: alive, and so is its type.
        let (flags, is_walked) = unsafe { (types::flags(part.get_type_ptr()), is_walked(part.get_type_ptr())) };
        is_walked || flags & (ffi::Py_TPFLAGS_TUPLE_SUBCLASS | ffi::Py_TPFLAGS_HEAPTYPE) != 0
    };
    let elements = if reads.elements { elements(object) } else { None };
    let attributes = if reads.attributes { values(object) } else { None };
    elements.into_iter().chain(attributes).flatten().filter(is_of_interest).collect()
}

fn elements<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyList>> {
    if let Ok(dictionary) = object.cast::<PyDict>() {
        return Some(dictionary.values());
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return Some(tuple.to_list());
    }
    let list = object.cast::<PyList>().ok()?;
    // SAFETY: attached; a slice of a list is a new list.
    let copy = unsafe { Bound::from_owned_ptr_or_opt(object.py(), ffi::PyList_GetSlice(list.as_ptr(), 0, ffi::Py_ssize_t::MAX)) };
    copy.and_then(|copy| copy.cast_into().ok())
}

/// The values of the attributes, as `object.__getstate__` finds them, which a pickle is made with.
fn values<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyList>> {
    // SAFETY: attached, alive; a new reference.
    let attributes =
        unsafe { Bound::from_owned_ptr_or_opt(object.py(), ffi::PyObject_GenericGetDict(object.as_ptr(), std::ptr::null_mut())) };
    Some(attributes?.cast_into::<PyDict>().ok()?.values())
}

/// Whether objects of this class of Python code have dictionaries of attributes.  Classes themselves are pickled by their names.
///
/// # Safety
/// `class` is alive.
unsafe fn has_attributes(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on.
    let flags = unsafe { types::flags(class) };
    flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 && flags & attributes::MANAGED_DICT != 0 && flags & ffi::Py_TPFLAGS_TYPE_SUBCLASS == 0
}
