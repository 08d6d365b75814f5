//! Calls of C functions that work on containers, seen at their entries: through a variable, by `map` or `functools.partial`, as what a thread
//! or a pool is to run.  A call that a probe stood before is not noted again.

use crate::engine::order;
use crate::engine::races::noted::{Touch, Written};
use crate::engine::races::probe_site::Probe;
use crate::engine::races::touch::is_private;
use crate::engine::races::{accesses, callers, container_sync, containers, shared, values};
use crate::interpreter::call_arguments::Arguments;
use crate::interpreter::{attributes, header, types};
use crate::thread::context::{ThreadContext, current_thread};
use crate::thread::outcome::Outcome;
use crate::thread::{clock, guard};
use ftsan::patcher::Action;
use ftsan::patcher::known_calls::{self, CallEffect, Container, Does, Entry};
use pyo3::ffi;
use pyo3::prelude::*;

/// What is called.
#[derive(Clone, Copy)]
pub(crate) enum Callee {
    /// A method of this name; its object is the container.
    Method(&'static str),
    /// A function; its first argument is the container.
    Function(&'static Entry),
}

/// Whether a call of a method of a container is one of the calling thread's own things, as far as one look tells.
///
/// # Safety
/// Attached; `container` is alive.
#[inline(always)]
pub(crate) unsafe fn is_of_no_concern(container: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { header::is_plainly_private(container) && !shared::is_strict() }
}

/// A C function is about to be called.
///
/// # Safety
/// Attached, with the arguments of the call; `receiver` is what the function is bound to.
#[inline(always)]
pub(crate) unsafe fn before(callee: Callee, receiver: *mut ffi::PyObject, arguments: impl FnOnce() -> Arguments) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        match callee {
            Callee::Method(_) if header::is_private(receiver) && !shared::is_strict() => Outcome::Continue,
            Callee::Method(name) => slow(callee, name, receiver, Rest { all: arguments(), from: 0 }),
            Callee::Function(entry) => {
                let arguments = arguments();
                let object = arguments.place(0);
                let may_be_passed = entry.does != Does::LooksThrough && header::is_private(object) && !shared::is_strict();
                if object.is_null() || may_be_passed || header::is_immortal(object) {
                    return Outcome::Continue;
                }
                slow(callee, entry.name, object, Rest { all: arguments, from: 1 })
            }
        }
    }
}

/// The arguments beside the container.
pub(crate) struct Rest {
    all: Arguments,
    from: usize,
}

impl Rest {
    /// # Safety
    /// The call is going on.
    unsafe fn at(&self, place: usize) -> *mut ffi::PyObject {
        // SAFETY: passed on.
        unsafe { self.all.place(self.from + place) }
    }
}

#[inline(never)]
unsafe fn slow(callee: Callee, name: &'static str, object: *mut ffi::PyObject, rest: Rest) -> Outcome {
    let here = current_thread();
    here.order.clock();
    // A probe stood before this call.
    if here.races.probed.replace(0) == object as usize {
        return Outcome::Continue;
    }
    if clock::is_at_rest() || here.busy.get() || !callers::is_main_interpreter() {
        return Outcome::Continue;
    }
    guard::catch_panic(Outcome::Continue, || {
        // SAFETY: passed on.
        unsafe {
            let Some((site, code)) = callers::program_site() else { return Outcome::Continue };
            if here.order.holds_ignored() {
                return Outcome::Continue;
            }
            container_sync::settle(here);
            order::heed_announcements(here);
            let probe = Probe { name, ..Probe::of_call(Action::Method, site, code) };
            note(here, &probe, callee, object, &rest)
        }
    })
}

/// # Safety
/// Attached, with the arguments of the call.
unsafe fn note(here: &'static ThreadContext, probe: &Probe, callee: Callee, object: *mut ffi::PyObject, rest: &Rest) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        let family = containers::family(ffi::Py_TYPE(object));
        match (callee, family) {
            (Callee::Method(name), Some(container)) => {
                let Some(method) = known_calls::method(name, container) else { return Outcome::Continue };
                let first = if method.is_repeatable { rest.all.first() } else { rest.at(0) };
                accesses::perform(here, probe, object, method, [first, rest.at(1)], container)
            }
            (Callee::Function(&Entry { does: Does::Whole(effect), .. }), Some(container)) if !container.is_generator() => {
                if is_private(object) {
                    Outcome::Continue
                } else {
                    Touch { here, probe, object }.call(effect)
                }
            }
            (Callee::Function(&Entry { does: Does::Item(effect), .. }), Some(container)) => {
                let key = rest.at(0);
                if key.is_null() || is_private(object) {
                    return Outcome::Continue;
                }
                let written = if rest.at(1).is_null() { Written::UNKNOWN } else { Written::now(values::value(rest.at(1))) };
                Touch { here, probe, object }.item(key, effect, written, container)
            }
            (Callee::Function(&Entry { does: Does::Attribute(effect), .. }), _) => {
                accesses::attribute_named(here, probe, object, effect == CallEffect::WriteAttribute, [rest.at(0), rest.at(1)])
            }
            (Callee::Function(&Entry { does: Does::LooksThrough, .. }), _) => look_through(here, probe, object),
            (Callee::Method(_), None) | (Callee::Function(_), _) => Outcome::Continue,
        }
    }
}

/// An attribute of an object is about to be read by `operator.attrgetter`.
///
/// # Safety
/// Attached; the objects that are passed are alive.
#[inline(always)]
pub(crate) unsafe fn get_attribute(object: *mut ffi::PyObject, name: *mut ffi::PyObject) -> Outcome {
    static GET: Entry = Entry { owner: "_operator:attrgetter", name: "", does: Does::Attribute(CallEffect::ReadAttribute) };
    let arguments = [object, name];
    // SAFETY: passed on.
    unsafe { before(Callee::Function(&GET), std::ptr::null_mut(), || Arguments::of_many(arguments.as_ptr(), 2)) }
}

/// Encoders go through everything that they are given, element by element.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn encode(object: *mut ffi::PyObject) -> Outcome {
    static ENCODE: Entry = Entry { owner: "_json:", name: "encode", does: Does::LooksThrough };
    let arguments = Arguments::of_many(&raw const object, 1);
    // SAFETY: passed on.
    unsafe { before(Callee::Function(&ENCODE), std::ptr::null_mut(), || arguments) }
}

/// How deep containers in containers are looked into.
const DEEPEST: usize = 16;

/// # Safety
/// Attached; `object` is alive.
unsafe fn look_through(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        let py = Python::assume_attached();
        let mut pending = vec![(Bound::from_borrowed_ptr(py, object), 0)];
        while let Some((object, depth)) = pending.pop() {
            if is_walked(&object) && !is_private(object.as_ptr()) {
                let touch = Touch { here, probe, object: object.as_ptr() };
                if let Outcome::Raised = touch.call(CallEffect::Iterate) {
                    return Outcome::Raised;
                }
            }
            if depth < DEEPEST {
                pending.extend(parts(&object).into_iter().map(|part| (part, depth + 1)));
            }
        }
    }
    Outcome::Continue
}

fn is_walked(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: alive.
    let family = unsafe { containers::family(ffi::Py_TYPE(object.as_ptr())) };
    matches!(family, Some(family) if !matches!(family, Container::Generator | Container::AsyncGenerator | Container::ByteArray | Container::Array | Container::WeakDict | Container::Wrapper))
}

/// The containers, and the objects with attributes, in a container; copied in one step, under its own lock.
fn parts<'py>(object: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    use pyo3::types::{PyDict, PyList, PyTuple};
    let is_of_interest = |part: &Bound<'py, PyAny>| {
        // SAFETY: alive.
        let flags = unsafe { types::flags(ffi::Py_TYPE(part.as_ptr())) };
        is_walked(part) || flags & (ffi::Py_TPFLAGS_TUPLE_SUBCLASS | ffi::Py_TPFLAGS_HEAPTYPE) != 0
    };
    let of_interest = |parts: Bound<'py, PyList>| parts.iter().filter(is_of_interest).collect();
    if let Ok(dictionary) = object.cast::<PyDict>() {
        of_interest(dictionary.values())
    } else if let Ok(list) = object.cast::<PyList>() {
        // SAFETY: attached; a slice of a list is a new list.
        let copy =
            unsafe { Bound::from_owned_ptr_or_opt(object.py(), ffi::PyList_GetSlice(list.as_ptr(), 0, ffi::Py_ssize_t::MAX)) };
        copy.and_then(|copy| copy.cast_into::<PyList>().ok()).map_or_else(Vec::new, of_interest)
    } else if let Ok(tuple) = object.cast::<PyTuple>() {
        tuple.iter().filter(is_of_interest).collect()
    } else if has_attributes(object) {
        // As `object.__getstate__` does, which a pickle is made with.
        // SAFETY: attached, alive; a new reference.
        let attributes = unsafe {
            Bound::from_owned_ptr_or_opt(object.py(), ffi::PyObject_GenericGetDict(object.as_ptr(), std::ptr::null_mut()))
        };
        let attributes = attributes.and_then(|attributes| attributes.cast_into::<PyDict>().ok());
        attributes.map_or_else(Vec::new, |attributes| of_interest(attributes.values()))
    } else {
        Vec::new()
    }
}

/// Whether it is an object with a dictionary of attributes, of a class of Python code.  Classes themselves are pickled by their names.
fn has_attributes(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: alive, and so is its type.
    let flags = unsafe { types::flags(ffi::Py_TYPE(object.as_ptr())) };
    flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 && flags & attributes::MANAGED_DICT != 0 && flags & ffi::Py_TPFLAGS_TYPE_SUBCLASS == 0
}
