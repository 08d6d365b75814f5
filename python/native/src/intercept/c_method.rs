//! C methods: their `PyMethodDef.ml_meth` is swapped in place for a function that checks and then calls the original.  The same is
//! done to methods made by Cython, and to `PyGetSetDef.get` of attributes.
//!
//! Seen by every caller, already specialised call sites and bound methods included; costs at most 1 ns.

use crate::engine::affinity::check;
use crate::engine::affinity::given;
use crate::engine::affinity::watch::{Kind, Watch};
use crate::intercept::cython;
use crate::interpreter::memory;
use crate::thread::context::{Busy, here};
use crate::thread::faults::{self, SUB_INTERPRETERS};
use crate::thread::outcome::Outcome;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `PyMethodDescrObject`, `Include/cpython/descrobject.h`.
#[repr(C)]
struct MethodDescriptor {
    header: ffi::PyObject,
    d_type: *mut ffi::PyTypeObject,
    d_name: *mut ffi::PyObject,
    d_qualname: *mut ffi::PyObject,
    d_method: *mut ffi::PyMethodDef,
}

/// `PyGetSetDescrObject`, `Include/cpython/descrobject.h`.
#[repr(C)]
struct AttributeDescriptor {
    header: ffi::PyObject,
    d_type: *mut ffi::PyTypeObject,
    d_name: *mut ffi::PyObject,
    d_qualname: *mut ffi::PyObject,
    d_getset: *mut ffi::PyGetSetDef,
}

/// What is looked at once a call has returned.
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

struct Hooked {
    /// The watch's.
    kind: Kind,
    watch: &'static Watch,
    result: Result,
    /// The function that was there, of the calling convention of the trampoline.
    original: usize,
}

const MOST: usize = 320;
static HOOKED: [OnceLock<Hooked>; MOST] = [const { OnceLock::new() }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn hooked<const N: usize>() -> &'static Hooked {
    HOOKED[N].get().expect("set before the trampoline is")
}

/// # Safety
/// Attached; the method of `object` that is hooked has returned `result`.
unsafe fn returned(hooked: &Hooked, object: *mut ffi::PyObject, result: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        match hooked.result {
            Result::Nothing => {}
            Result::Coroutine => cython::made(hooked.watch, object, result),
            Result::Given => given::away(object, result),
            Result::Interpreter => faults::fail(SUB_INTERPRETERS),
        }
    }
}

/// The calling thread is inside a method of an object that one thread at a time may use, as long as this lives.
struct Inside(usize);

impl Inside {
    fn of(object: *mut ffi::PyObject) -> Self {
        Inside(here().slot.goes_inside(object as usize))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        here().slot.goes_inside(self.0);
    }
}

macro_rules! trampolines {
    ($($name:ident: fn($self:ident $(, $argument:ident: $type:ty)*);)*) => {$(
        unsafe extern "C" fn $name<const N: usize>($self: *mut ffi::PyObject $(, $argument: $type)*) -> *mut ffi::PyObject {
            type Original = unsafe extern "C" fn(*mut ffi::PyObject $(, $type)*) -> *mut ffi::PyObject;
            let hooked = hooked::<N>();
            // SAFETY: the interpreter calls a method attached and with a live object of its type; `install` chose the trampoline by
            // the calling convention of the original.
            unsafe {
                let original = std::mem::transmute::<usize, Original>(hooked.original);
                if hooked.result != Result::Nothing {
                    let result = original($self $(, $argument)*);
                    if !result.is_null() {
                        returned(hooked, $self, result);
                    }
                    return result;
                }
                let _inside = (hooked.kind == Kind::OneAtATime).then(|| Inside::of($self));
                let _part_of_it = match check::before_of(hooked.kind, hooked.watch, $self) {
                    Outcome::Misuse if hooked.kind.is_one_action() => Busy::enter(),
                    Outcome::Continue | Outcome::Misuse => None,
                    Outcome::Raised => return std::ptr::null_mut(),
                };
                original($self $(, $argument)*)
            }
        }
    )*};
}

trampolines! {
    plain: fn(object, argument: *mut ffi::PyObject);
    fast: fn(object, arguments: *const *mut ffi::PyObject, count: ffi::Py_ssize_t);
    fast_keywords: fn(object, arguments: *const *mut ffi::PyObject, count: ffi::Py_ssize_t, names: *mut ffi::PyObject);
    keywords: fn(object, arguments: *mut ffi::PyObject, names: *mut ffi::PyObject);
    method: fn(object, class: *mut ffi::PyTypeObject, arguments: *const *mut ffi::PyObject, count: usize, names: *mut ffi::PyObject);
}

/// The trampolines of one place in a table of hooked methods, by [`column`].
pub(crate) type Row = [*const c_void; 5];

const fn row<const N: usize>() -> Row {
    [
        plain::<N> as *const c_void,
        fast::<N> as *const c_void,
        fast_keywords::<N> as *const c_void,
        method::<N> as *const c_void,
        keywords::<N> as *const c_void,
    ]
}

/// An array of what the function `$row` gives for each number, sixteen at a time.
macro_rules! rows {
    ($row:ident: $($sixteen:literal)*) => { [$(
        $row::<{ $sixteen * 16 }>(), $row::<{ $sixteen * 16 + 1 }>(), $row::<{ $sixteen * 16 + 2 }>(), $row::<{ $sixteen * 16 + 3 }>(),
        $row::<{ $sixteen * 16 + 4 }>(), $row::<{ $sixteen * 16 + 5 }>(), $row::<{ $sixteen * 16 + 6 }>(), $row::<{ $sixteen * 16 + 7 }>(),
        $row::<{ $sixteen * 16 + 8 }>(), $row::<{ $sixteen * 16 + 9 }>(), $row::<{ $sixteen * 16 + 10 }>(), $row::<{ $sixteen * 16 + 11 }>(),
        $row::<{ $sixteen * 16 + 12 }>(), $row::<{ $sixteen * 16 + 13 }>(), $row::<{ $sixteen * 16 + 14 }>(), $row::<{ $sixteen * 16 + 15 }>(),
    )*] };
}
pub(crate) use rows;

const ROWS: [Row; MOST] = rows!(row: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);

/// Watches a method or an attribute of an extension type, given as what its type's dictionary has.
pub(crate) fn install(descriptor: &Bound<'_, PyAny>, watch: &'static Watch) -> PyResult<()> {
    install_as(descriptor, watch, Result::Nothing)
}

/// What this method of a loop returns belongs to the loop.  What it does may be watched besides.
pub(crate) fn install_giver(descriptor: &Bound<'_, PyAny>, watch: &'static Watch) -> PyResult<()> {
    install_as(descriptor, watch, Result::Given)
}

/// This function makes an interpreter.
pub(crate) fn install_maker_of_interpreters(function: &Bound<'_, PyAny>, watch: &'static Watch) -> PyResult<()> {
    install_as(function, watch, Result::Interpreter)
}

fn install_as(descriptor: &Bound<'_, PyAny>, watch: &'static Watch, result: Result) -> PyResult<()> {
    let refuse = |what: &str| PyTypeError::new_err(format!("{}: {what}", watch.operation));
    // SAFETY: checked to be what it is used as; the definitions are static arrays of the module.
    let (slot, column, result) = unsafe {
        let (object, class) = (descriptor.as_ptr(), ffi::Py_TYPE(descriptor.as_ptr()));
        if std::ptr::eq(class, &raw mut ffi::PyGetSetDescr_Type) {
            let getter = &raw mut (*(*object.cast::<AttributeDescriptor>()).d_getset).get;
            (getter.cast::<*const c_void>(), 0, result)
        } else {
            let Some((place, is_coroutine)) = place_of_definition(descriptor) else {
                return Err(refuse("not a method of an extension type"));
            };
            let definition = place.read();
            let Some(column) = column((*definition).ml_flags) else { return Err(refuse("unknown calling convention")) };
            let definition = writable(place, definition);
            let result = match (result, is_coroutine) {
                (Result::Given, true) => return Err(refuse("a coroutine, whose result is not seen")),
                (_, true) => Result::Coroutine,
                (result, false) => result,
            };
            ((&raw mut (*definition).ml_meth).cast::<*const c_void>(), column, result)
        }
    };
    let place = COUNT.fetch_add(1, Ordering::Relaxed);
    let Some(hook) = HOOKED.get(place) else { return Err(PyRuntimeError::new_err("more hooked methods than places")) };
    // SAFETY: the slot holds a function pointer; it is replaced by one of the same calling convention, and an aligned
    // pointer store is seen whole by other threads.
    unsafe {
        let _ = hook.set(Hooked { kind: watch.kind, watch, result, original: slot.read() as usize });
        slot.write_volatile(ROWS[place][column]);
    }
    Ok(())
}

/// Where a method of an extension type, Cython's included, has its definition, and whether it only makes a coroutine.
fn place_of_definition(method: &Bound<'_, PyAny>) -> Option<(*mut *mut ffi::PyMethodDef, bool)> {
    // SAFETY: checked to be what it is used as.
    unsafe {
        let (object, class) = (method.as_ptr(), ffi::Py_TYPE(method.as_ptr()));
        if std::ptr::eq(class, &raw mut ffi::PyMethodDescr_Type) {
            Some((&raw mut (*object.cast::<MethodDescriptor>()).d_method, false))
        } else if std::ptr::eq(class, &raw mut ffi::PyCFunction_Type) {
            Some((&raw mut (*object.cast::<ffi::PyCFunctionObject>()).m_ml, false))
        } else {
            cython::place_of_definition(method)
        }
    }
}

/// A definition that can be changed: this one, or, if it is a constant (Zig and Rust may have it so), a copy that is put in its place.
///
/// # Safety
/// A live definition, and where a live object has it.
unsafe fn writable(place: *mut *mut ffi::PyMethodDef, definition: *mut ffi::PyMethodDef) -> *mut ffi::PyMethodDef {
    if memory::is_writable(definition as usize) {
        return definition;
    }
    // SAFETY: passed on; the copy is never freed, and an aligned pointer store is seen whole by other threads.
    unsafe {
        let copy = Box::into_raw(Box::new(definition.read()));
        place.write_volatile(copy);
        copy
    }
}

/// The definition of a method of an extension type, or of a function of an extension module.
pub(crate) fn definition(method: &Bound<'_, PyAny>) -> Option<*mut ffi::PyMethodDef> {
    // SAFETY: checked to be what it is used as.
    unsafe {
        let (object, class) = (method.as_ptr(), ffi::Py_TYPE(method.as_ptr()));
        if std::ptr::eq(class, &raw mut ffi::PyMethodDescr_Type) {
            Some((*object.cast::<MethodDescriptor>()).d_method)
        } else {
            std::ptr::eq(class, &raw mut ffi::PyCFunction_Type).then(|| (*object.cast::<ffi::PyCFunctionObject>()).m_ml)
        }
    }
}

/// Which of the trampolines has this calling convention.
pub(crate) fn column(flags: c_int) -> Option<usize> {
    const KEYWORDS: c_int = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;
    const METHOD: c_int = KEYWORDS | ffi::METH_METHOD;
    match flags & !(ffi::METH_CLASS | ffi::METH_STATIC | ffi::METH_COEXIST) {
        // The getter of an attribute has the same: the object and one pointer.
        ffi::METH_NOARGS | ffi::METH_O | ffi::METH_VARARGS => Some(0),
        ffi::METH_FASTCALL => Some(1),
        KEYWORDS => Some(2),
        METHOD => Some(3),
        VARARGS_KEYWORDS => Some(4),
        _ => None,
    }
}

const VARARGS_KEYWORDS: c_int = ffi::METH_VARARGS | ffi::METH_KEYWORDS;
