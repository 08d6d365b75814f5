//! Ways in which code could have come to an object: by an attribute, a global variable or a container that it names, and when the object was put there.

use crate::engine::order;
use crate::engine::races::field;
use crate::engine::races::lives::Seen;
use crate::engine::races::{callers, names, shared, values};
use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::{self, Frame};
use crate::interpreter::{attributes, header};
use ftsan::races::location;
use ftsan::races::mix;
use ftsan::races::shadow::Moment;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

/// How many objects are looked at.
const MOST: usize = 64;

/// How many elements of a container are looked at, from the end.
const ELEMENTS: usize = 1000;

/// Looks for what refers to an object.
struct Search<'py> {
    py: Python<'py>,
    object: *mut ffi::PyObject,
    names: Bound<'py, PyTuple>,
    made: Moment,
    /// It was put somewhere before that.
    is_before: bool,
    /// Or after it, or nobody knows when.
    is_after: bool,
}

/// Whether the function that runs, or one of those that have called it, names something in which an object was put before something of it was
/// `made`, by the same thread, and nothing in which it was put later: others could come to it in between.
///
/// # Safety
/// Called from a probe, attached; the object is alive.
pub(super) unsafe fn lead_there(object: *mut ffi::PyObject, made: Moment) -> bool {
    /// Functions that hand on what they have got.
    const FUNCTIONS: usize = 3;
    // SAFETY: passed on; code on the own stack is alive, and so are its variables.
    unsafe {
        let py = Python::assume_attached();
        let mut search = Search { py, object, names: PyTuple::empty(py), made, is_before: false, is_after: false };
        for (frame, raw) in frames::own().filter_map(|frame| Some((frame, frame.raw()?))).take(FUNCTIONS) {
            if callers::is_chosen(raw.code as *mut ffi::PyObject)
                && let Some(code) = Code::of(&Bound::from_borrowed_ptr(py, raw.code as *mut ffi::PyObject))
            {
                search.function(frame, &code);
            }
        }
        search.is_before && !search.is_after
    }
}

impl<'py> Search<'py> {
    /// All that a function on the stack names.
    ///
    /// # Safety
    /// Attached; it is the function's code.
    unsafe fn function(&mut self, frame: Frame<'_>, code: &Code<'py>) {
        self.names = code.names();
        // SAFETY: passed on.
        unsafe {
            let mut owners = self.variables(frame, code.locals().len());
            owners.extend(self.globals(frame));
            owners.truncate(MOST);
            let mut further = Vec::new();
            for owner in &owners {
                self.attributes(owner, &mut further);
            }
            further.truncate(MOST);
            for owner in &further {
                self.attributes(owner, &mut Vec::new());
            }
        }
    }

    /// The object is at this part of `home`, or is in something that is.
    ///
    /// # Safety
    /// Attached; `home` is alive.
    unsafe fn found(&mut self, home: *mut ffi::PyObject, part: u64) {
        // SAFETY: passed on.
        let written = unsafe { last_written(home, part, self.made) };
        // A value that was there before anybody else could look has no moment.
        if let Some(written) = written {
            let is_before = written.is_before(self.made);
            self.is_before |= is_before;
            self.is_after |= !is_before;
        }
    }

    /// What the function has as variables, with those that it shares with others.
    ///
    /// # Safety
    /// Attached; the frame runs, and has so many variables.
    unsafe fn variables(&mut self, frame: Frame<'_>, count: usize) -> Vec<Bound<'py, PyAny>> {
        let mut all = Vec::new();
        // SAFETY: passed on; a variable is alive, and a cell's is a reference of our own.
        unsafe {
            for value in (0..count).filter_map(|place| frame.local(place)) {
                if ffi::Py_TYPE(value) != &raw mut ffi::PyCell_Type {
                    all.push(Bound::from_borrowed_ptr(self.py, value));
                } else if let Some(content) = Bound::from_owned_ptr_or_opt(self.py, ffi::PyCell_Get(value)) {
                    if content.as_ptr() == self.object {
                        self.found(value, field::CONTENT);
                    }
                    all.push(content);
                }
            }
            all.retain(|value| value.as_ptr() != self.object);
            all.iter().for_each(|value| self.elements(value));
        }
        all
    }

    /// The global variables that the function names.
    ///
    /// # Safety
    /// Attached; the frame runs.
    unsafe fn globals(&mut self, frame: Frame<'_>) -> Vec<Bound<'py, PyAny>> {
        let mut all = Vec::new();
        // SAFETY: passed on; a lookup by a string runs no code of the program.
        unsafe {
            let globals = frame.globals();
            if globals.is_null() || ffi::PyDict_CheckExact(globals) == 0 {
                return all;
            }
            for name in &self.names.clone() {
                let mut value = std::ptr::null_mut();
                if ffi::PyDict_GetItemRef(globals, name.as_ptr(), &raw mut value) != 1 {
                    continue;
                }
                let value = Bound::from_owned_ptr(self.py, value);
                if value.as_ptr() == self.object {
                    self.found(globals, values::key(name.as_ptr()));
                } else {
                    self.elements(&value);
                    all.push(value);
                }
            }
        }
        all
    }

    /// The attributes of an object that the function names; `further` gets them.
    ///
    /// # Safety
    /// Attached.
    unsafe fn attributes(&mut self, owner: &Bound<'py, PyAny>, further: &mut Vec<Bound<'py, PyAny>>) {
        for name in &self.names.clone() {
            // SAFETY: passed on; a reference of our own.
            unsafe {
                let value = attributes::own_by(owner.as_ptr(), name.as_ptr());
                let Some(value) = Bound::from_owned_ptr_or_opt(self.py, value) else { continue };
                if value.as_ptr() == self.object {
                    if let Ok((_, part)) = name.extract::<String>().and_then(|name| names::intern(self.py, &name)) {
                        self.found(attributes::home(owner.as_ptr()), part);
                    }
                } else {
                    self.elements(&value);
                    further.push(value);
                }
            }
        }
    }

    /// What is in a container that threads share, of a built-in type.
    ///
    /// # Safety
    /// Attached.
    unsafe fn elements(&mut self, container: &Bound<'py, PyAny>) {
        let home = container.as_ptr();
        // SAFETY: passed on; containers of these types are copied without running code of the program.
        unsafe {
            if header::is_immortal(home) || header::is_private(home) {
                return;
            }
            if let Ok(list) = container.cast_exact::<PyList>() {
                let size = list.len();
                for place in (size.saturating_sub(ELEMENTS)..size).rev() {
                    let Ok(element) = list.get_item(place) else { return };
                    if element.as_ptr() == self.object {
                        let part = mix(place as u64);
                        self.found(home, if last_written(home, part, self.made).is_some() { part } else { field::STRUCTURE });
                        return;
                    }
                }
            } else if let Ok(dictionary) = container.cast_exact::<PyDict>() {
                if dictionary.len() > ELEMENTS {
                    return;
                }
                for item in dictionary.items() {
                    let Ok(item) = item.cast_into_exact::<PyTuple>() else { return };
                    let is_it = |at: usize| item.get_item(at).is_ok_and(|part| part.as_ptr() == self.object);
                    if is_it(1) || is_it(0) {
                        let Ok(key) = item.get_item(0) else { return };
                        self.found(home, values::key(key.as_ptr()));
                        return;
                    }
                }
            } else if ffi::Py_TYPE(home) == &raw mut ffi::PySet_Type
                && values::is_plain_key(self.object)
                && ffi::PySet_Contains(home, self.object) == 1
            {
                self.found(home, values::key(self.object));
            }
        }
    }
}

/// When this part of `home` was written last, as seen from the thread of `made`.
///
/// # Safety
/// Attached; `home` is alive.
unsafe fn last_written(home: *mut ffi::PyObject, part: u64, made: Moment) -> Option<Moment> {
    let races = shared::get();
    let life = races.lifetimes.life(home as u64, &Seen(home)).number();
    races.shadow.last_written(location(life ^ order::slice(), part), made)
}
