//! Call sites: the objects that a prologue hands the watched object to.
//!
//! A prologue is `LOAD_CONST site; LOAD_FAST self; DELETE_SUBSCR`, that is `del site[self]`: the cheapest way from bytecode
//! to native code that takes two operands and leaves nothing to pop.  They are immortal: a reference count that two
//! threads share would cost more than the check.

use crate::engine::affinity::check;
use crate::engine::affinity::watch::{KINDS, OwnerKind, Watch};
use crate::interpreter::own_types::{new_type, set_immortal};
use crate::thread::outcome::Outcome;
use crate::thread::perturb;
use ftsan::perturb::Step;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

#[repr(C)]
struct CallSite {
    header: ffi::PyObject,
    watch: &'static Watch,
}

struct CallSiteType(*mut ffi::PyTypeObject);
// SAFETY: a type object is made once, immortal in effect, and only read.
unsafe impl Send for CallSiteType {}
// SAFETY: as above.
unsafe impl Sync for CallSiteType {}

/// One type per kind of watch, so that the hot path has nothing to decide.
static TYPES: [OnceLock<CallSiteType>; KINDS] = [const { OnceLock::new() }; KINDS];

unsafe extern "C" fn delete_item<const K: u8>(
    site: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> c_int {
    if !value.is_null() {
        // SAFETY: attached; a static string.
        unsafe { ffi::PyErr_SetString(ffi::PyExc_TypeError, c"an ftsan site takes no items".as_ptr()) };
        return -1;
    }
    // SAFETY: only sites have this slot, each its kind's; the object is the first argument of the running function.
    match unsafe { check::before_kind::<K>((*site.cast::<CallSite>()).watch, object) } {
        Outcome::Continue | Outcome::Misuse => 0,
        Outcome::Raised => -1,
    }
}

/// As the one of the watch's kind, for threads that are held up.
unsafe extern "C" fn delete_item_perturbed(
    site: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: as in `delete_item`.
    perturb::before(Step::Call, unsafe { (*site.cast::<CallSite>()).watch.frames });
    // SAFETY: passed on.
    unsafe { slot_of((*site.cast::<CallSite>()).watch.kind)(site, object, value) }
}

type DeleteItem = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut ffi::PyObject) -> c_int;

fn slot_of(kind: OwnerKind) -> DeleteItem {
    match kind {
        OwnerKind::Loop => delete_item::<{ OwnerKind::Loop as u8 }>,
        OwnerKind::Attribute => delete_item::<{ OwnerKind::Attribute as u8 }>,
        OwnerKind::AttributeOnly => delete_item::<{ OwnerKind::AttributeOnly as u8 }>,
        OwnerKind::Field => delete_item::<{ OwnerKind::Field as u8 }>,
        OwnerKind::Future => delete_item::<{ OwnerKind::Future as u8 }>,
        OwnerKind::Primitive => delete_item::<{ OwnerKind::Primitive as u8 }>,
        OwnerKind::Waits => delete_item::<{ OwnerKind::Waits as u8 }>,
        OwnerKind::Thread => delete_item::<{ OwnerKind::Thread as u8 }>,
        OwnerKind::OneAtATime => delete_item::<{ OwnerKind::OneAtATime as u8 }>,
        OwnerKind::Hub => delete_item::<{ OwnerKind::Hub as u8 }>,
        OwnerKind::Coroutine => delete_item::<{ OwnerKind::Coroutine as u8 }>,
        OwnerKind::CoroutineStep => delete_item::<{ OwnerKind::CoroutineStep as u8 }>,
        OwnerKind::AsyncGenerator => delete_item::<{ OwnerKind::AsyncGenerator as u8 }>,
        OwnerKind::AsyncStep => delete_item::<{ OwnerKind::AsyncStep as u8 }>,
        OwnerKind::Context => delete_item::<{ OwnerKind::Context as u8 }>,
        OwnerKind::LoopStarts => delete_item::<{ OwnerKind::LoopStarts as u8 }>,
        OwnerKind::LoopStops => delete_item::<{ OwnerKind::LoopStops as u8 }>,
        OwnerKind::LoopBorn => delete_item::<{ OwnerKind::LoopBorn as u8 }>,
        OwnerKind::PrimitiveBorn => delete_item::<{ OwnerKind::PrimitiveBorn as u8 }>,
        OwnerKind::ThreadBorn => delete_item::<{ OwnerKind::ThreadBorn as u8 }>,
        OwnerKind::Born => delete_item::<{ OwnerKind::Born as u8 }>,
        OwnerKind::Portal => delete_item::<{ OwnerKind::Portal as u8 }>,
        OwnerKind::FutureArgument => delete_item::<{ OwnerKind::FutureArgument as u8 }>,
        OwnerKind::AsksClosed => delete_item::<{ OwnerKind::AsksClosed as u8 }>,
        OwnerKind::HandsOver => delete_item::<{ OwnerKind::HandsOver as u8 }>,
    }
}

fn site_type(py: Python<'_>, kind: OwnerKind) -> PyResult<*mut ffi::PyTypeObject> {
    let place = &TYPES[kind as usize];
    if let Some(found) = place.get() {
        return Ok(found.0);
    }
    let slot = if perturb::is_on() { delete_item_perturbed } else { slot_of(kind) };
    let made =
        new_type(py, c"ftsan._native.CallSite", size_of::<CallSite>(), 0, &[(ffi::Py_mp_ass_subscript, slot as *mut c_void)])?;
    Ok(place.get_or_init(|| CallSiteType(made)).0)
}

/// A new site for `watch`.
pub(crate) fn new(py: Python<'_>, watch: &'static Watch) -> PyResult<Py<PyAny>> {
    let kind = site_type(py, watch.kind)?;
    // SAFETY: allocates an object of our own type and fills all of it.
    unsafe {
        let site = ffi::PyType_GenericAlloc(kind, 0);
        if site.is_null() {
            return Err(PyErr::fetch(py));
        }
        std::ptr::addr_of_mut!((*site.cast::<CallSite>()).watch).write(watch);
        set_immortal(site);
        Bound::from_owned_ptr_or_err(py, site).map(Bound::unbind).map_err(|_| PyTypeError::new_err("no site"))
    }
}
