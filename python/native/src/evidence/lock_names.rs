//! What a lock is called: the attribute, the element or the variable that holds it, as far as the functions that run can reach.
//!
//! They may have no name for it themselves: the method that has acquired it has returned, or it lies in an object that they pass on.  So
//! objects are looked through from their variables on, nearest first.  No code of the program runs, and the memory of the lock, which may be
//! gone, is not looked at.

use crate::evidence::naming::{self, Named};
use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::{self, DEEPEST, Frame};
use crate::interpreter::functions;
use crate::thread::code_class;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType, PyWeakref, PyWeakrefMethods};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::CStr;

/// How many objects are looked into, how far from a variable, and how much there may be in a container.
const MOST: usize = 2000;
const DEEP: usize = 4;
const SMALL: usize = 1000;

/// Of what `threading` and `queue` make, the lock inside is no name that the program knows.
const INNER: [&str; 3] = ["_lock", "_cond", "_block"];

/// What the program calls the lock at this address; its address if nothing that the running functions reach holds it.
pub(crate) fn of(py: Python<'_>, address: usize) -> String {
    // SAFETY: attached, and it is our own stack.
    let all: Vec<Frame<'_>> = unsafe { frames::own() }.filter(|frame| frame.raw().is_some()).take(DEEPEST).collect();
    // SAFETY: attached; code on the own stack is alive.
    let is_library = |code| unsafe { code_class::file(code) }.is_some_and(code_class::is_of_standard_library);
    let is_programs = |frame: &&Frame<'_>| frame.raw().is_some_and(|raw| !is_library(raw.code));
    let programs: Vec<Frame<'_>> = all.iter().filter(is_programs).copied().collect();
    let object = address as *mut ffi::PyObject;
    let by_function = |frames: &[Frame<'_>], by_locals: bool| {
        frames
            .iter()
            .find_map(|frame| naming::expression_in(*frame, naming::globals_of(py, *frame).as_ref(), py, object, by_locals))
    };
    by_function(&programs, false)
        .or_else(|| Search::new(py).from(&programs, object, false))
        .or_else(|| by_function(&programs, true))
        .or_else(|| Search::new(py).from(&programs, object, true))
        .or_else(|| by_function(&all, true))
        .unwrap_or_else(|| format!("{address:#x}"))
}

/// An object that is looked into.
struct Place<'py> {
    object: Bound<'py, PyAny>,
    /// What it is called.
    name: String,
    /// What its attributes are called by.
    prefix: String,
    depth: usize,
}

struct Search<'py> {
    py: Python<'py>,
    left: VecDeque<Place<'py>>,
    seen: HashSet<usize>,
    /// By class, the names that its methods know attributes by.
    names: HashMap<usize, Vec<Bound<'py, PyAny>>>,
}

impl<'py> Search<'py> {
    fn new(py: Python<'py>) -> Self {
        Search { py, left: VecDeque::new(), seen: HashSet::new(), names: HashMap::new() }
    }

    /// From the variables of these functions on; those of their own that are containers hold what others have a better name for.
    fn from(mut self, functions: &[Frame<'_>], wanted: *mut ffi::PyObject, by_local_containers: bool) -> Option<String> {
        let mut modules: HashSet<usize> = HashSet::new();
        for frame in functions {
            for (name, object) in naming::locals_of(self.py, *frame) {
                let is_container = is_container(&object);
                if is_container && !by_local_containers {
                    continue;
                }
                let prefix = if is_container { name.clone() } else { naming::class(&object) };
                self.add(Place { object, name, prefix, depth: 0 });
            }
        }
        for frame in functions {
            let Some(globals) = naming::globals_of(self.py, *frame).filter(|globals| modules.insert(globals.as_ptr() as usize))
            else {
                continue;
            };
            let Some(module) = naming::module(&globals) else { continue };
            for (key, object) in entries(&globals) {
                let name = format!(
                    "{module}.{}",
                    key.cast::<PyString>().map_or_else(|_| "?".to_owned(), |name| name.to_string_lossy().into_owned())
                );
                let prefix = if is_container(&object) { name.clone() } else { naming::class(&object) };
                self.add(Place { object, name, prefix, depth: 0 });
            }
        }
        while let Some(place) = self.left.pop_front() {
            for (name, object) in self.parts(&place) {
                if object.as_ptr() == wanted {
                    return Some(name);
                }
                let prefix = name.clone();
                self.add(Place { object, name, prefix, depth: place.depth + 1 });
            }
        }
        None
    }

    fn add(&mut self, place: Place<'py>) {
        // SAFETY: alive.
        let is_worth = unsafe {
            let object = place.object.as_ptr();
            ffi::PyModule_Check(object) == 0
                && ffi::PyFunction_Check(object) == 0
                && ffi::Py_TYPE(object) != &raw mut ffi::PyUnicode_Type
        };
        if is_worth && place.depth < DEEP && self.seen.len() < MOST && self.seen.insert(place.object.as_ptr() as usize) {
            self.left.push_back(place);
        }
    }

    /// What an object holds, by name.
    fn parts(&mut self, place: &Place<'py>) -> Vec<Named<'py>> {
        let Place { object, name, prefix, .. } = place;
        if let Ok(weak) = object.cast::<PyWeakref>() {
            return weak.upgrade().map(|object| (name.clone(), object)).into_iter().collect();
        }
        if object.cast::<PyDict>().is_ok() {
            return entries(object).into_iter().map(|(key, value)| (format!("{name}[{}]", naming::shown(&key)), value)).collect();
        }
        let numbered = |(at, object): (usize, Bound<'py, PyAny>)| (format!("{name}[{at}]"), object);
        if let Ok(list) = object.cast::<PyList>() {
            return (0..list.len().min(SMALL)).map_while(|at| Some((at, list.get_item(at).ok()?))).map(numbered).collect();
        }
        if let Ok(tuple) = object.cast::<PyTuple>() {
            return tuple.iter().take(SMALL).enumerate().map(numbered).collect();
        }
        let class = object.get_type();
        let module = class.module().map_or_else(|_| String::new(), |module| module.to_string_lossy().into_owned());
        if module == "collections" && class.name().is_ok_and(|name| name == "deque") {
            return elements(object).into_iter().enumerate().map(numbered).collect();
        }
        let is_librarys = ["threading", "queue", "weakref"].contains(&module.as_str());
        let parts = self.attributes(object).into_iter().map(|(attribute, value)| {
            let is_inner = is_librarys && (INNER.contains(&attribute.as_str()) || attribute == "data");
            (if is_inner { name.clone() } else { format!("{prefix}.{attribute}") }, value)
        });
        parts.collect()
    }

    fn attributes(&mut self, object: &Bound<'py, PyAny>) -> Vec<Named<'py>> {
        let class = object.get_type();
        let names = self.names.entry(class.as_ptr() as usize).or_insert_with(|| names_in(&class));
        let known = names
            .iter()
            .filter_map(|name| Some((name.cast::<PyString>().ok()?.to_string_lossy().into_owned(), naming::stored(object, name)?)));
        let mut all: Vec<Named<'py>> = known.collect();
        all.extend(naming::dictionary_of(object).or_else(|| namespace_of(object)).iter().flat_map(entries).filter_map(
            |(name, value)| {
                let name = name.cast::<PyString>().ok()?.to_string_lossy().into_owned();
                Some((name, value))
            },
        ));
        all
    }
}

/// The dictionary of a `types.SimpleNamespace`, which is never another one.
fn namespace_of<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let class = object.get_type_ptr();
    // SAFETY: attached; a live object, which has its dictionary where its type says.
    unsafe {
        let offset = (*class).tp_dictoffset;
        let is_one = CStr::from_ptr((*class).tp_name) == c"types.SimpleNamespace" && offset > 0;
        let dictionary = is_one.then(|| object.as_ptr().cast::<u8>().offset(offset).cast::<*mut ffi::PyObject>().read())?;
        Bound::from_borrowed_ptr_or_opt(object.py(), dictionary)
    }
}

fn is_container(object: &Bound<'_, PyAny>) -> bool {
    object.cast::<PyDict>().is_ok() || object.cast::<PyList>().is_ok() || object.cast::<PyTuple>().is_ok()
}

/// Of a dictionary that is not too large.
fn entries<'py>(dictionary: &Bound<'py, PyAny>) -> Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let all = RefCell::new(Vec::new());
    if let Ok(dictionary) = dictionary.cast::<PyDict>()
        && dictionary.len() <= SMALL
    {
        let _ = dictionary.locked_for_each(|key, value| {
            all.borrow_mut().push((key, value));
            Ok(())
        });
    }
    all.into_inner()
}

/// Of a deque, which is read without an iterator that a change would end.
fn elements<'py>(deque: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let element = |at: usize| {
        // SAFETY: attached, alive; a new reference, or null with an exception.
        unsafe {
            let element = ffi::PySequence_GetItem(deque.as_ptr(), at as ffi::Py_ssize_t);
            if element.is_null() {
                ffi::PyErr_Clear();
            }
            Bound::from_owned_ptr_or_opt(deque.py(), element)
        }
    };
    (0..SMALL).map_while(element).collect()
}

/// The names that occur in the methods of a class and of its bases.
fn names_in<'py>(class: &Bound<'py, PyType>) -> Vec<Bound<'py, PyAny>> {
    let mut all: Vec<Bound<'py, PyAny>> = Vec::new();
    let mut seen = HashSet::new();
    for base in class.mro() {
        // SAFETY: attached; a type's dictionary, as a new reference.
        let methods = unsafe { Bound::from_owned_ptr_or_opt(class.py(), PyType_GetDict(base.as_ptr().cast())) };
        for (_, method) in methods.iter().flat_map(entries) {
            let Some(code) = functions::code_of(&method).ok().and_then(|code| Code::of(&code)) else { continue };
            // Names are kept once each by the interpreter.
            all.extend(code.names().iter().filter(|name| seen.len() < SMALL && seen.insert(name.as_ptr() as usize)));
        }
    }
    all
}

unsafe extern "C" {
    // Include/cpython/object.h
    fn PyType_GetDict(class: *mut ffi::PyTypeObject) -> *mut ffi::PyObject;
}
