//! C methods that are watched: the call is checked before the original is called, or what it returned is looked at.

use crate::engine::affinity::check;
use crate::engine::affinity::given;
use crate::engine::affinity::watch::{OwnerKind, Watch};
use crate::intercept::c_method::{self, Hook, Hooked, Method, Row, Table, Todo};
use crate::intercept::cython;
use crate::interpreter::call_arguments::Arguments;
use crate::thread::context::{InSlowPath, current_thread};
use crate::thread::faults::{self, SUB_INTERPRETERS};
use crate::thread::outcome::Outcome;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::OnceLock;

/// The thing that is looked at once a call has returned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Result {
    /// Nothing: the call was judged before.
    Nothing,
    /// The call only made a coroutine.
    Coroutine,
    /// A loop gave away what belongs to it.
    Given,
    /// There is another interpreter, in which nothing is watched.
    Interpreter,
}

struct Watched {
    /// The watch's.
    kind: OwnerKind,
    watch: &'static Watch,
    result: Result,
}

const fn row<const N: usize>() -> Row {
    c_method::row::<Watched, N>()
}

static TABLE: Table<Watched, 320> = Table::new(c_method::rows!(row: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19));

impl Hook for Watched {
    #[inline(always)]
    fn place(number: usize) -> &'static OnceLock<Hooked<Self>> {
        TABLE.place(number)
    }

    #[inline(always)]
    unsafe fn before(&self, object: *mut ffi::PyObject) -> Todo {
        if self.result != Result::Nothing || self.kind == OwnerKind::OneAtATime {
            return Todo::Around;
        }
        // SAFETY: passed on.
        unsafe { self.judged(object) }
    }

    #[inline(always)]
    unsafe fn around(
        &self,
        object: *mut ffi::PyObject,
        _: impl Fn() -> Arguments,
        original: impl FnOnce() -> *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: passed on.
        unsafe {
            if self.result != Result::Nothing {
                let result = original();
                if !result.is_null() {
                    self.returned(object, result);
                }
                return result;
            }
            let is_inside = self.kind == OwnerKind::OneAtATime;
            let _inside = is_inside.then(|| Inside::of(object));
            // Of other kinds, the call is a misuse, or it would not be here.
            let _part_of_it = match if is_inside { self.judged(object) } else { Todo::Around } {
                Todo::Original => None,
                Todo::Around => InSlowPath::enter(),
                Todo::Return => return std::ptr::null_mut(),
            };
            original()
        }
    }
}

impl Watched {
    /// Judges a call: [`Todo::Around`] is a misuse to which all that the call does belongs.
    ///
    /// # Safety
    /// As [`Hook::before`].
    #[inline(never)]
    unsafe fn judged(&self, object: *mut ffi::PyObject) -> Todo {
        // SAFETY: passed on.
        match unsafe { check::before_of(self.kind, self.watch, object) } {
            Outcome::Misuse if self.kind.is_one_action() => Todo::Around,
            Outcome::Continue | Outcome::Misuse => Todo::Original,
            Outcome::Raised => Todo::Return,
        }
    }

    /// # Safety
    /// Attached; the method of `object` has returned `result`.
    unsafe fn returned(&self, object: *mut ffi::PyObject, result: *mut ffi::PyObject) {
        // SAFETY: passed on.
        unsafe {
            match self.result {
                Result::Nothing => {}
                Result::Coroutine => cython::made(self.watch, object, result),
                Result::Given => given::away(object, result),
                Result::Interpreter => faults::fail(SUB_INTERPRETERS),
            }
        }
    }
}

/// The calling thread is inside a method of an object that one thread at a time may use, as long as this lives.
struct Inside(usize);

impl Inside {
    fn of(object: *mut ffi::PyObject) -> Self {
        Inside(current_thread().slot.goes_inside(object as usize))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        current_thread().slot.goes_inside(self.0);
    }
}

/// Watches a method or an attribute of an extension type, given as what its type's dictionary has.
pub(crate) fn install(descriptor: &Bound<'_, PyAny>, watch: &'static Watch) -> PyResult<()> {
    install_as(descriptor, watch, Result::Nothing)
}

/// The object that this method of a loop returns belongs to the loop.  The call itself may be watched besides.
pub(crate) fn install_giver(descriptor: &Bound<'_, PyAny>, watch: &'static Watch) -> PyResult<()> {
    install_as(descriptor, watch, Result::Given)
}

/// This function makes an interpreter.
pub(crate) fn install_maker_of_interpreters(function: &Bound<'_, PyAny>, watch: &'static Watch) -> PyResult<()> {
    install_as(function, watch, Result::Interpreter)
}

fn install_as(descriptor: &Bound<'_, PyAny>, watch: &'static Watch, result: Result) -> PyResult<()> {
    let (method, is_coroutine) = match Method::getter(descriptor) {
        Some(getter) => (getter, false),
        None => Method::of(descriptor)?,
    };
    let result = match (result, is_coroutine) {
        (Result::Given, true) => {
            return Err(PyTypeError::new_err(format!("{}: a coroutine, whose result is not seen", watch.operation)));
        }
        (_, true) => Result::Coroutine,
        (result, false) => result,
    };
    TABLE.install(method, Watched { kind: watch.kind, watch, result })
}
