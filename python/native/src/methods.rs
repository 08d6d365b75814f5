//! C methods: their `PyMethodDef.ml_meth` is swapped in place for a function that checks and then calls the original.
//!
//! Seen by every caller, already specialised call sites and bound methods included; costs at most 1 ns.

use crate::check::{self, Verdict};
use crate::threads::Busy;
use crate::watch::Watch;
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

struct Hooked {
    watch: &'static Watch,
    /// The function that was there, of the calling convention of the trampoline.
    original: usize,
}

const MOST: usize = 32;
static HOOKED: [OnceLock<Hooked>; MOST] = [const { OnceLock::new() }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn hooked<const N: usize>() -> &'static Hooked {
    HOOKED[N].get().expect("set before the trampoline is")
}

macro_rules! trampolines {
    ($($name:ident: fn($self:ident $(, $argument:ident: $type:ty)*);)*) => {$(
        unsafe extern "C" fn $name<const N: usize>($self: *mut ffi::PyObject $(, $argument: $type)*) -> *mut ffi::PyObject {
            let hooked = hooked::<N>();
            // SAFETY: the interpreter calls a method attached and with a live object of its type.
            let _part_of_it = match unsafe { check::before(hooked.watch, $self) } {
                Verdict::GoOn => None,
                Verdict::Misused => Busy::enter(),
                Verdict::Raised => return std::ptr::null_mut(),
            };
            type Original = unsafe extern "C" fn(*mut ffi::PyObject $(, $type)*) -> *mut ffi::PyObject;
            // SAFETY: `install` chose the trampoline by the calling convention of the original.
            unsafe { std::mem::transmute::<usize, Original>(hooked.original)($self $(, $argument)*) }
        }
    )*};
}

trampolines! {
    plain: fn(object, argument: *mut ffi::PyObject);
    fast: fn(object, arguments: *const *mut ffi::PyObject, count: ffi::Py_ssize_t);
    fast_keywords: fn(object, arguments: *const *mut ffi::PyObject, count: ffi::Py_ssize_t, names: *mut ffi::PyObject);
    method: fn(object, class: *mut ffi::PyTypeObject, arguments: *const *mut ffi::PyObject, count: usize, names: *mut ffi::PyObject);
}

/// The four trampolines of one place in [`HOOKED`].
type Row = [*const c_void; 4];

const fn row<const N: usize>() -> Row {
    [plain::<N> as *const c_void, fast::<N> as *const c_void, fast_keywords::<N> as *const c_void, method::<N> as *const c_void]
}

macro_rules! rows {
    ($($n:literal)*) => { [$(row::<$n>()),*] };
}

const ROWS: [Row; MOST] = rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

/// Watches a C method, given as the descriptor in its type's dictionary.
pub(crate) fn install(descriptor: &Bound<'_, PyAny>, watch: &'static Watch) -> PyResult<()> {
    let refuse = |what: &str| PyTypeError::new_err(format!("{}: {what}", watch.operation));
    // SAFETY: comparing type pointers of live objects.
    if !std::ptr::eq(unsafe { ffi::Py_TYPE(descriptor.as_ptr()) }, &raw mut ffi::PyMethodDescr_Type) {
        return Err(refuse("not a method of a C type"));
    }
    // SAFETY: just checked to be a method descriptor; the definition is a static array of its module.
    let definition = unsafe { &mut *(*descriptor.as_ptr().cast::<MethodDescriptor>()).d_method };
    let convention: c_int = definition.ml_flags & !(ffi::METH_CLASS | ffi::METH_STATIC | ffi::METH_COEXIST);
    const KEYWORDS: c_int = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;
    const METHOD: c_int = KEYWORDS | ffi::METH_METHOD;
    let column = match convention {
        ffi::METH_NOARGS | ffi::METH_O | ffi::METH_VARARGS => 0,
        ffi::METH_FASTCALL => 1,
        KEYWORDS => 2,
        METHOD => 3,
        _ => return Err(refuse("unknown calling convention")),
    };
    let place = COUNT.fetch_add(1, Ordering::Relaxed);
    let Some(hook) = HOOKED.get(place) else { return Err(PyRuntimeError::new_err("more hooked methods than places")) };
    // SAFETY: `ml_meth` holds a function pointer; it is replaced by one of the same calling convention, and an aligned
    // pointer store is seen whole by other threads.
    unsafe {
        let slot = (&raw mut definition.ml_meth).cast::<*const c_void>();
        let _ = hook.set(Hooked { watch, original: slot.read() as usize });
        slot.write_volatile(ROWS[place][column]);
    }
    Ok(())
}
