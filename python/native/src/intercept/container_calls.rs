//! C functions that work on containers, watched at their entries: `PyMethodDef.ml_meth` is swapped in place, as in [`crate::intercept::c_method`],
//! for a function that asks [`crate::engine::races::calls`] before it calls the original.

use crate::engine::races::calls::{self, Callee};
use crate::intercept::c_method::{self, Row};
use crate::intercept::type_slot::{self, Call, New, Slot};
use crate::interpreter::call_arguments::Arguments;
use crate::thread::outcome::Outcome;
use ftsan::patcher::known_calls::{ENTRIES, METHODS};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Hooked {
    callee: Callee,
    /// The function that was there, of the calling convention of the trampoline.
    original: usize,
    /// `METH_VARARGS`.
    takes_tuple: bool,
}

const MOST: usize = 128;
static HOOKED: [OnceLock<Hooked>; MOST] = [const { OnceLock::new() }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);

macro_rules! trampolines {
    ($($name:ident: fn($hooked:ident, $self:ident $(, $argument:ident: $type:ty)*) $arguments:expr;)*) => {$(
        unsafe extern "C" fn $name<const N: usize>($self: *mut ffi::PyObject $(, $argument: $type)*) -> *mut ffi::PyObject {
            type Original = unsafe extern "C" fn(*mut ffi::PyObject $(, $type)*) -> *mut ffi::PyObject;
            let $hooked = HOOKED[N].get().expect("set before the trampoline is");
            // SAFETY: the interpreter calls a method attached and with live objects; `install` chose the trampoline by the calling
            // convention of the original.
            unsafe {
                if calls::before($hooked.callee, $self, || $arguments) == Outcome::Raised {
                    return std::ptr::null_mut();
                }
                std::mem::transmute::<usize, Original>($hooked.original)($self $(, $argument)*)
            }
        }
    )*};
}

trampolines! {
    plain: fn(hooked, object, argument: *mut ffi::PyObject) Arguments::of_one(&argument, hooked.takes_tuple);
    fast: fn(hooked, object, arguments: *const *mut ffi::PyObject, count: ffi::Py_ssize_t) Arguments::of_many(arguments, count as usize);
    fast_keywords: fn(hooked, object, arguments: *const *mut ffi::PyObject, count: ffi::Py_ssize_t, names: *mut ffi::PyObject)
        Arguments { by_name: names, ..Arguments::of_many(arguments, count as usize) };
    method: fn(
        hooked, object, class: *mut ffi::PyTypeObject, arguments: *const *mut ffi::PyObject, count: usize, names: *mut ffi::PyObject
    ) Arguments { by_name: names, ..Arguments::of_many(arguments, count) };
    keywords: fn(hooked, object, arguments: *mut ffi::PyObject, names: *mut ffi::PyObject)
        Arguments { by_name: names, ..Arguments::of_one(&arguments, true) };
}

const fn row<const N: usize>() -> Row {
    [
        plain::<N> as *const c_void,
        fast::<N> as *const c_void,
        fast_keywords::<N> as *const c_void,
        method::<N> as *const c_void,
        keywords::<N> as *const c_void,
    ]
}

const ROWS: [Row; MOST] = c_method::rows!(row: 0 1 2 3 4 5 6 7);

/// Watches a method of a container that is in [`METHODS`], or a function that is in [`ENTRIES`] with this owner.
pub(crate) fn install(function: &Bound<'_, PyAny>, owner: &str, name: &str) -> PyResult<()> {
    let wrong = |what: &str| PyTypeError::new_err(format!("{function}: {what}"));
    let entry = ENTRIES.iter().find(|entry| entry.owner == owner && entry.name == name).map(Callee::Function);
    let method = || METHODS.iter().find(|method| method.name == name).map(|method| Callee::Method(method.name));
    let callee = entry.or_else(method).ok_or_else(|| wrong("not in the tables"))?;
    let definition = c_method::definition(function).ok_or_else(|| wrong("not a method of an extension type"))?;
    // SAFETY: the definitions are static arrays of their modules.
    let flags = unsafe { (*definition).ml_flags };
    let Some(column) = c_method::column(flags) else { return Err(wrong("unknown calling convention")) };
    let place = COUNT.fetch_add(1, Ordering::Relaxed);
    let Some(hook) = HOOKED.get(place) else { return Err(PyRuntimeError::new_err("more C functions than places")) };
    // SAFETY: the slot holds a function pointer; it is replaced by one of the same calling convention, and an aligned pointer store is
    // seen whole by other threads.
    unsafe {
        let slot = (&raw mut (*definition).ml_meth).cast::<*const c_void>();
        let _ = hook.set(Hooked { callee, original: slot.read() as usize, takes_tuple: flags & ffi::METH_VARARGS != 0 });
        slot.write_volatile(ROWS[place][column]);
    }
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
    // SAFETY: the interpreter calls a slot attached and with live objects; what is made is seen by nobody else yet.
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
    // SAFETY: what is in this slot is such a function.
    let _ = ENCODE.set(unsafe { std::mem::transmute::<*const c_void, Call>(there) });
    type_slot::replace(class, Slot::Call, encode as *const c_void)
}
