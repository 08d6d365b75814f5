//! C functions that work on containers, watched at their entries: [`crate::engine::races::calls`] is asked before the original is called.

use crate::engine::races::calls::{self, Callee};
use crate::intercept::c_method::{self, Hook, Hooked, Method, Row, Table, Todo};
use crate::intercept::type_slot::{self, Call, New, Slot};
use crate::interpreter::call_arguments::Arguments;
use crate::thread::outcome::Outcome;
use ftsan::patcher::known_calls::{ENTRIES, METHODS};
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::c_void;
use std::sync::OnceLock;

const fn row<const N: usize>() -> Row {
    c_method::row::<Callee, N>()
}

static TABLE: Table<Callee, 128> = Table::new(c_method::rows!(row: 0 1 2 3 4 5 6 7));

impl Hook for Callee {
    #[inline(always)]
    fn place(number: usize) -> &'static OnceLock<Hooked<Self>> {
        TABLE.place(number)
    }

    #[inline(always)]
    unsafe fn before(&self, object: *mut ffi::PyObject) -> Todo {
        // SAFETY: passed on.
        let is_own = matches!(self, Callee::Method(_)) && unsafe { calls::is_of_no_concern(object) };
        if is_own { Todo::Original } else { Todo::Around }
    }

    #[inline(always)]
    unsafe fn around(
        &self,
        object: *mut ffi::PyObject,
        arguments: impl Fn() -> Arguments,
        original: impl FnOnce() -> *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: passed on.
        if unsafe { calls::before(*self, object, arguments) } == Outcome::Raised {
            return std::ptr::null_mut();
        }
        original()
    }
}

/// Watches a method of a container that is in [`METHODS`], or a function that is in [`ENTRIES`] with this owner.
pub(crate) fn install(function: &Bound<'_, PyAny>, owner: &str, name: &str) -> PyResult<()> {
    let entry = ENTRIES.iter().find(|entry| entry.owner == owner && entry.name == name).map(Callee::Function);
    let method = || METHODS.iter().find(|method| method.name == name).map(|method| Callee::Method(method.name));
    let callee = entry.or_else(method).ok_or_else(|| PyTypeError::new_err(format!("{function}: not in the tables")))?;
    TABLE.install(Method::of(function)?.0, callee)?;
    crate::findings::process::get().count_hook();
    Ok(())
}

type Vectorcall =
    unsafe extern "C" fn(*mut ffi::PyObject, *const *mut ffi::PyObject, usize, *mut ffi::PyObject) -> *mut ffi::PyObject;

/// What is replaced of `operator.attrgetter`: what makes one, and what calls it.
struct Getters {
    new: New,
    call: Vectorcall,
    /// Where such an object has the function that calls it.
    offset: usize,
}

static GETTERS: OnceLock<Getters> = OnceLock::new();

/// `attrgetterobject.attr`, Modules/_operator.c, in words: a tuple follows the header and a number.
const NAMES: usize = size_of::<ffi::PyObject>() / size_of::<usize>() + 1;

unsafe extern "C" fn get(
    getter: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let getters = GETTERS.get().expect("set before the first one is made");
    // SAFETY: called by the interpreter with live objects; `new_getter` has seen that there is a tuple, which does not change.
    unsafe {
        if ffi::PyVectorcall_NARGS(count) == 1 && keywords.is_null() {
            let names = getter.cast::<*mut ffi::PyObject>().add(NAMES).read();
            // Of a path (`a.b`), which is a tuple as well, the first one is read of the object.
            let name = ffi::PyTuple_GET_ITEM(names, 0);
            let name = if ffi::PyTuple_Check(name) != 0 { ffi::PyTuple_GET_ITEM(name, 0) } else { name };
            if calls::get_attribute(*arguments, name) == Outcome::Raised {
                return std::ptr::null_mut();
            }
        }
        (getters.call)(getter, arguments, count, keywords)
    }
}

unsafe extern "C" fn new_getter(
    class: *mut ffi::PyTypeObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let getters = GETTERS.get().expect("set before the slot is");
    // SAFETY: the interpreter calls a slot attached and with live objects; the object that is made is seen by nobody else yet.
    unsafe {
        let getter = (getters.new)(class, arguments, keywords);
        if !getter.is_null() {
            let call = getter.cast::<u8>().add(getters.offset).cast::<Vectorcall>();
            let names = getter.cast::<*mut ffi::PyObject>().add(NAMES).read();
            if std::ptr::fn_addr_eq(call.read(), getters.call) && !names.is_null() && ffi::PyTuple_Check(names) != 0 {
                call.write(get);
            }
        }
        getter
    }
}

/// Watches `operator.attrgetter`, the objects of which read attributes.
pub(crate) fn install_getter(class: &Bound<'_, PyType>) -> PyResult<()> {
    let wrong = |what: &str| PyTypeError::new_err(format!("{class}: {what}"));
    let sample = class.call1(("real",))?;
    // SAFETY: a type object; an object of it, which has the function that calls it where the type says.
    unsafe {
        let offset = usize::try_from((*class.as_type_ptr()).tp_vectorcall_offset).map_err(|_| wrong("is not called so"))?;
        let there = Slot::New.of(class);
        let call = sample.as_ptr().cast::<u8>().add(offset).cast::<Option<Vectorcall>>().read();
        let (Some(call), false, true) = (call, there.is_null(), offset > 0) else { return Err(wrong("is not made as it was")) };
        let new = std::mem::transmute::<*const c_void, New>(there);
        let _ = GETTERS.set(Getters { new, call, offset });
    }
    type_slot::replace(class, Slot::New, new_getter as *const c_void)
}

static ENCODE: OnceLock<Call> = OnceLock::new();

unsafe extern "C" fn encode(
    encoder: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let original = ENCODE.get().expect("set before the slot is");
    // SAFETY: the interpreter calls a slot attached, with a tuple; the original slot.
    unsafe {
        let given = Arguments::of_one(&arguments, true).place(0);
        if !given.is_null() && calls::encode(given) == Outcome::Raised {
            return std::ptr::null_mut();
        }
        original(encoder, arguments, keywords)
    }
}

/// Watches the encoder of json, a type whose objects are called.
pub(crate) fn install_encoder(class: &Bound<'_, PyType>) -> PyResult<()> {
    let there = Slot::Call.of(class);
    if there.is_null() {
        return Err(PyTypeError::new_err(format!("{class}: cannot be called")));
    }
    // SAFETY: this slot holds such a function.
    let _ = ENCODE.set(unsafe { std::mem::transmute::<*const c_void, Call>(there) });
    type_slot::replace(class, Slot::Call, encode as *const c_void)
}
