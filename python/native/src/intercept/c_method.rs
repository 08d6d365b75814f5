//! C methods and functions: their `PyMethodDef.ml_meth` is swapped in place for a trampoline, which calls a [`Hook`] with the original.  The
//! same is done to methods made by Cython, and to `PyGetSetDef.get` of attributes.
//!
//! Seen by every caller, already specialised call sites and bound methods included.  Nothing here knows what is watched: a kind of hooks has a
//! [`Table`] of its own.  A single function that is replaced by one of ours needs no table: [`crate::interpreter::function_slots`].
//!
//! A trampoline only asks what is to be done and calls the original, each by a jump of its own, which the processor learns.  As there are
//! thousands, everything else is in one function for each kind of hooks and calling convention.

use crate::intercept::cython;
use crate::interpreter::call_arguments::Arguments;
use crate::interpreter::{memory, replaced};
use crate::thread::perturb;
use ftsan::perturb::Step;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

type Object = *mut ffi::PyObject;

/// What is to be done at a call of a C method.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Todo {
    /// Nothing but to call the original.
    Original,
    /// See [`Hook::around`].
    Around,
    /// Nothing: an exception is set.
    Return,
}

/// What is done before and round a call of a C method.
pub(crate) trait Hook: Sized + 'static {
    /// This place of its table, in which there is a hook once it has a trampoline.
    fn place(number: usize) -> &'static OnceLock<Hooked<Self>>;

    /// What is to be done at a call; inlined into each trampoline.
    ///
    /// # Safety
    /// As [`around`](Self::around).
    unsafe fn before(&self, object: Object) -> Todo;

    /// Calls the original, or gives null with an exception set.
    ///
    /// # Safety
    /// Attached; `object` is alive and of the method's type, and so are the arguments, until the original has returned.
    unsafe fn around(&self, object: Object, arguments: impl Fn() -> Arguments, original: impl FnOnce() -> Object) -> Object;
}

/// A method that is hooked.
pub(crate) struct Hooked<H> {
    hook: H,
    /// The function that was there, of the calling convention of the trampoline.
    original: usize,
    /// `METH_VARARGS`.
    takes_tuple: bool,
    /// Threads are held up before it: beside what every call reads.
    is_perturbed: bool,
}

macro_rules! trampolines {
    ($($name:ident, $around:ident: fn($hooked:ident, $self:ident $(, $argument:ident: $type:ty)*) $arguments:expr;)*) => {$(
        unsafe extern "C" fn $name<H: Hook, const N: usize>($self: Object $(, $argument: $type)*) -> Object {
            type Original = unsafe extern "C" fn(Object $(, $type)*) -> Object;
            let place = H::place(N);
            // SAFETY: the interpreter calls a method attached and with live objects; `install` chose the trampoline by the calling
            // convention of the original.
            unsafe {
                if let Some(hooked) = place.get()
                    && !hooked.is_perturbed
                {
                    match hooked.hook.before($self) {
                        Todo::Original => return std::mem::transmute::<usize, Original>(hooked.original)($self $(, $argument)*),
                        Todo::Return => return std::ptr::null_mut(),
                        Todo::Around => {}
                    }
                }
                $around::<H>($self $(, $argument)*, place)
            }
        }

        // The place comes last, so that the arguments stay in the registers in which they came.
        #[inline(never)]
        unsafe extern "C" fn $around<H: Hook>($self: Object $(, $argument: $type)*, place: &'static OnceLock<Hooked<H>>) -> Object {
            type Original = unsafe extern "C" fn(Object $(, $type)*) -> Object;
            let $hooked = place.get().expect("set before the trampoline is");
            // SAFETY: as in the trampoline, which has asked unless the thread is held up first.
            unsafe {
                let todo = if $hooked.is_perturbed {
                    perturb::before(Step::Call, 0);
                    $hooked.hook.before($self)
                } else {
                    Todo::Around
                };
                let original = std::mem::transmute::<usize, Original>($hooked.original);
                match todo {
                    Todo::Original => original($self $(, $argument)*),
                    Todo::Around => $hooked.hook.around($self, || $arguments, || original($self $(, $argument)*)),
                    Todo::Return => std::ptr::null_mut(),
                }
            }
        }
    )*};
}

trampolines! {
    plain, around_plain: fn(hooked, object, argument: Object) Arguments::of_one(&argument, hooked.takes_tuple);
    fast, around_fast: fn(hooked, object, arguments: *const Object, count: ffi::Py_ssize_t)
        Arguments::of_many(arguments, count as usize);
    fast_keywords, around_fast_keywords: fn(hooked, object, arguments: *const Object, count: ffi::Py_ssize_t, names: Object)
        Arguments { by_name: names, ..Arguments::of_many(arguments, count as usize) };
    method, around_method: fn(hooked, object, class: *mut ffi::PyTypeObject, arguments: *const Object, count: usize, names: Object)
        Arguments { by_name: names, ..Arguments::of_many(arguments, count) };
    keywords, around_keywords: fn(hooked, object, arguments: Object, names: Object)
        Arguments { by_name: names, ..Arguments::of_one(&arguments, true) };
}

/// The trampolines of one place in a table, by [`column`].
#[derive(Clone, Copy)]
pub(crate) struct Row([*const c_void; 5]);
// SAFETY: functions.
unsafe impl Sync for Row {}

/// Those of place `N`.
pub(crate) const fn row<H: Hook, const N: usize>() -> Row {
    Row([
        plain::<H, N> as *const c_void,
        fast::<H, N> as *const c_void,
        fast_keywords::<H, N> as *const c_void,
        method::<H, N> as *const c_void,
        keywords::<H, N> as *const c_void,
    ])
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

/// The hooks of one kind.
pub(crate) struct Table<H: 'static, const MOST: usize> {
    hooked: [OnceLock<Hooked<H>>; MOST],
    rows: [Row; MOST],
    count: AtomicUsize,
}

impl<H: Hook + Send + Sync, const MOST: usize> Table<H, MOST> {
    /// An empty one with these trampolines.
    pub(crate) const fn new(rows: [Row; MOST]) -> Self {
        Table { hooked: [const { OnceLock::new() }; MOST], rows, count: AtomicUsize::new(0) }
    }

    /// For [`Hook::place`].
    #[inline(always)]
    pub(crate) const fn place(&'static self, number: usize) -> &'static OnceLock<Hooked<H>> {
        &self.hooked[number]
    }

    /// Hooks a method.
    pub(crate) fn install(&'static self, method: Method, hook: H) -> PyResult<()> {
        let Method { slot, column, takes_tuple } = method;
        let place = self.count.fetch_add(1, Ordering::Relaxed);
        let Some(hooked) = self.hooked.get(place) else { return Err(PyRuntimeError::new_err("more hooked methods than places")) };
        let _ = hooked.set(Hooked { hook, original: method.original(), takes_tuple, is_perturbed: perturb::is_on() });
        // SAFETY: the slot of a definition that is never freed; the trampoline is of its calling convention.
        unsafe { replaced::pointer(slot, self.rows[place].0[column]) };
        Ok(())
    }
}

/// A method that can be hooked.
#[derive(Clone, Copy)]
pub(crate) struct Method {
    slot: *mut *const c_void,
    column: usize,
    takes_tuple: bool,
}

impl Method {
    /// A method of an extension type, Cython's included, or a function of an extension module; and whether it only makes a coroutine.
    ///
    /// # Errors
    /// It is nothing of the kind, or its calling convention is not known.
    pub(crate) fn of(method: &Bound<'_, PyAny>) -> PyResult<(Self, bool)> {
        let wrong = |what: &str| PyTypeError::new_err(format!("{method}: {what}"));
        let found = place_of_definition(method);
        let (place, is_coroutine) = found.ok_or_else(|| wrong("not a method of an extension type"))?;
        // SAFETY: a live definition, which is a static array of its module or, if that is a constant, a copy.
        unsafe {
            let definition = place.read();
            let flags = (*definition).ml_flags;
            let column = column(flags).ok_or_else(|| wrong("unknown calling convention"))?;
            let slot = (&raw mut (*writable(place, definition)).ml_meth).cast();
            Ok((Method { slot, column, takes_tuple: flags & ffi::METH_VARARGS != 0 }, is_coroutine))
        }
    }

    /// What gets an attribute of an extension type, if this is one.
    pub(crate) fn getter(descriptor: &Bound<'_, PyAny>) -> Option<Self> {
        let object = descriptor.as_ptr();
        // SAFETY: checked to be what it is used as; the definitions are static arrays of the module.
        unsafe {
            std::ptr::eq(ffi::Py_TYPE(object), &raw mut ffi::PyGetSetDescr_Type).then(|| {
                let slot = &raw mut (*(*object.cast::<ffi::PyGetSetDescrObject>()).d_getset).get;
                Method { slot: slot.cast(), column: 0, takes_tuple: false }
            })
        }
    }

    /// The function that is there now.
    pub(crate) fn original(self) -> usize {
        // SAFETY: the slot holds a function pointer.
        unsafe { self.slot.read() as usize }
    }
}

/// Where a method of an extension type, Cython's included, has its definition, and whether it only makes a coroutine.
fn place_of_definition(method: &Bound<'_, PyAny>) -> Option<(*mut *mut ffi::PyMethodDef, bool)> {
    // SAFETY: checked to be what it is used as.
    unsafe {
        let (object, class) = (method.as_ptr(), ffi::Py_TYPE(method.as_ptr()));
        if std::ptr::eq(class, &raw mut ffi::PyMethodDescr_Type) {
            Some((&raw mut (*object.cast::<ffi::PyMethodDescrObject>()).d_method, false))
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

/// Which of the trampolines has this calling convention.
fn column(flags: c_int) -> Option<usize> {
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
