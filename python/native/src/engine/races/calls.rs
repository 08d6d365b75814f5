//! Calls of C functions that work on containers, seen at their entries: through a variable, by `map` or `functools.partial`, as what a thread
//! or a pool is to run.  A call that a probe stood before is not noted again.

use crate::engine::order;
use crate::engine::races::noted::{Touch, Written};
use crate::engine::races::probe_site::Probe;
use crate::engine::races::touch::is_private;
use crate::engine::races::{accesses, callers, container_sync, containers, encoders, shared, values};
use crate::interpreter::call_arguments::Arguments;
use crate::interpreter::header;
use crate::thread::context::{ThreadContext, current_thread};
use crate::thread::outcome::Outcome;
use crate::thread::{clock, guard};
use ftsan::patcher::Action;
use ftsan::patcher::known_calls::{self, CallEffect, Does, Encoder, Entry};
use pyo3::ffi;

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
                let may_be_passed =
                    !matches!(entry.does, Does::LooksThrough(_)) && header::is_private(object) && !shared::is_strict();
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
            (Callee::Function(&Entry { does: Does::LooksThrough(encoder), .. }), _) => {
                encoders::look_through(here, probe, object, encoder)
            }
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

/// The encoder of json is about to be called.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn encode(object: *mut ffi::PyObject) -> Outcome {
    static ENCODE: Entry = Entry { owner: "_json:", name: "encode", does: Does::LooksThrough(Encoder::Json) };
    let arguments = Arguments::of_many(&raw const object, 1);
    // SAFETY: passed on.
    unsafe { before(Callee::Function(&ENCODE), std::ptr::null_mut(), || arguments) }
}
