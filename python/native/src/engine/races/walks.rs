//! Iterations: each step is a read of what keys and elements a container has, and between two steps nobody else may change that, in whatever
//! order.  And the iterator itself: each step changes its position.
//!
//! Steps come from the hooks of the iterators' types ([`step`]); of loops over lists, which are inlined, from probes at their beginning and
//! their end ([`begin`], [`end`]).

use crate::engine::order;
use crate::engine::races::noted::Touch;
use crate::engine::races::probe_site::Probe;
use crate::engine::races::{callers, container_sync, containers, shared, touch};
use crate::interpreter::header::{self, WALKED};
use crate::interpreter::iterators::{self, Iterators};
use crate::interpreter::{code_text, frames};
use crate::thread::context::{ThreadContext, current_thread};
use crate::thread::outcome::Outcome;
use crate::thread::{clock, code_class, guard};
use ftsan::patcher::Action;
use ftsan::patcher::known_calls::{CallEffect, Container};
use ftsan::races::walks::Walk;
use pyo3::ffi;

/// Whether a step is one of the calling thread's own things, as far as one look at them tells: then there is nothing round it, either.
///
/// # Safety
/// Attached; a live iterator of this type.
#[inline(always)]
pub(crate) unsafe fn is_of_no_concern(iterators: &Iterators, iterator: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe {
        let container = iterators.container(iterator);
        (container.is_null() || header::is_plainly_private(container) || header::is_immortal(container))
            && header::is_plainly_private(iterator)
            && !shared::is_strict()
    }
}

/// A step of a built-in iterator is about to be made.
///
/// # Safety
/// Attached; a live iterator of this type.
pub(crate) unsafe fn step(iterators: &Iterators, iterator: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        let container = iterators.container(iterator);
        let is_own = container.is_null() || header::is_immortal(container) || header::is_private(container);
        if is_own && header::is_private(iterator) && !shared::is_strict() {
            return Outcome::Continue;
        }
        really_step(iterator, container)
    }
}

#[inline(never)]
unsafe fn really_step(iterator: *mut ffi::PyObject, container: *mut ffi::PyObject) -> Outcome {
    let here = current_thread();
    here.order.clock();
    if clock::is_at_rest() || here.busy.get() || !callers::is_main_interpreter() {
        return Outcome::Continue;
    }
    guard::catch_panic(Outcome::Continue, || {
        if here.order.holds_ignored() {
            return Outcome::Continue;
        }
        container_sync::settle(here);
        order::heed_announcements(here);
        // SAFETY: passed on.
        unsafe {
            match walk(here, iterator, container) {
                Outcome::Continue => advance(here, iterator),
                ended @ (Outcome::Misuse | Outcome::Raised) => ended,
            }
        }
    })
}

/// A step that other steps may be part of, as those of what a `map` or a generator goes through.
///
/// # Safety
/// As [`step`].
pub(crate) unsafe fn around<T>(iterator: *mut ffi::PyObject, make: impl FnOnce() -> T) -> T {
    // SAFETY: passed on.
    if unsafe { header::is_private(iterator) } { make() } else { current_thread().races.memory.walks.inside(make) }
}

/// A step of an iteration over a container.
///
/// # Safety
/// Attached; both are alive, the container may be null.
unsafe fn walk(here: &'static ThreadContext, iterator: *mut ffi::PyObject, container: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        if container.is_null() {
            return Outcome::Continue;
        }
        let Some(family) = containers::family(ffi::Py_TYPE(container)).filter(|_| !touch::is_private(container)) else {
            return Outcome::Continue;
        };
        if family == Container::Counter && is_end_of_update() {
            return update(here, iterator, container);
        }
        // The mark is gone when the address is another iterator's.
        let is_first = header::set(iterator, WALKED) & WALKED == 0;
        let walks = &here.races.memory.walks;
        let begun = walks.find(iterator as u64, container as u64).filter(|_| !is_first);
        let walk = begun.unwrap_or_else(|| {
            let (site, code) = callers::site();
            // A walk that is made again until nobody came between shows what there is.
            let is_watched = callers::is_watched() && !(family.notices_changes() && callers::begins_again());
            Walk { iterator: iterator as u64, container: container as u64, version: 0, site, code, is_watched }
        });
        go_on(here, walk, begun.map(|begun| begun.version))
    }
}

/// Whether the function that runs is how in-place operators of `collections.Counter` end, which are Python code: it drops the counts that are not
/// positive any more.
///
/// # Safety
/// Attached.
unsafe fn is_end_of_update() -> bool {
    // SAFETY: passed on; code on the own stack is alive, and so are its names.
    unsafe {
        let Some(frame) = frames::own().find_map(frames::Frame::raw) else { return false };
        let name = code_text::qualname(frame.code) as *mut ffi::PyObject;
        ffi::PyUnicode_CompareWithASCIIString(name, c"Counter._keep_positive".as_ptr()) == 0
            && code_class::file(frame.code).is_some_and(code_class::is_of_standard_library)
    }
}

/// As much as the first step tells: all of a Counter is read and written.
///
/// # Safety
/// As [`walk`].
unsafe fn update(here: &'static ThreadContext, iterator: *mut ffi::PyObject, counter: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        if header::set(iterator, WALKED) & WALKED != 0 || !callers::is_watched() {
            return Outcome::Continue;
        }
        let (site, code) = callers::site();
        Touch { here, probe: &Probe::of_call(Action::Update, site, code), object: counter }.call(CallEffect::Update)
    }
}

/// Notes that the walk reads its container; `since` is where it was at the last step.
unsafe fn go_on(here: &'static ThreadContext, walk: Walk, since: Option<u16>) -> Outcome {
    let memory = &here.races.memory;
    let mut outcome = Outcome::Continue;
    if walk.is_watched {
        let probe = Probe::of_call(Action::Iterate, walk.site, walk.code);
        // SAFETY: passed on.
        outcome = unsafe { touch::iterate(here, &probe, walk.container as *mut ffi::PyObject, since) };
    }
    memory.walks.keep(Walk { version: memory.version(), ..walk });
    outcome
}

/// A step of an iterator that others have, too.
///
/// # Safety
/// Attached; `iterator` is alive.
unsafe fn advance(here: &'static ThreadContext, iterator: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        let is_part = here.races.memory.walks.is_inside();
        if is_part || !containers::is_iterator(iterator) || touch::is_private(iterator) || !callers::is_watched() {
            return Outcome::Continue;
        }
        let (site, code) = callers::site();
        touch::advance(here, &Probe::of_call(Action::Iterate, site, code), iterator)
    }
}

/// The subject of a probe at the beginning or the end of a loop: of an iterator, or of what stands in its place on the stack, the
/// container if nobody else sees the steps; else the iterator, if that may matter.  Null for nothing.
///
/// # Safety
/// Attached; `iterator` is alive.
pub(crate) unsafe fn subject(iterator: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe {
        let class = ffi::Py_TYPE(iterator);
        match iterators::of_class(class) {
            Some(known) if known.is_inlined => {
                let container = known.container(iterator);
                if header::is_private(iterator) { container } else { iterator }
            }
            // The hook sees each step; but not those of a generator, which are inlined as well.
            Some(_) if class != &raw mut ffi::PyGen_Type => std::ptr::null_mut(),
            Some(_) | None => iterator,
        }
    }
}

/// A loop is about to begin.
///
/// # Safety
/// Attached; `iterator` is alive: an iterator, or since 3.15 a list in its place.
pub(crate) unsafe fn begin(here: &'static ThreadContext, probe: &Probe, iterator: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        let container = list_of(iterator);
        if container.is_null() {
            let is_shared = containers::is_iterator(iterator) && !touch::is_private(iterator);
            return if is_shared { touch::advance(here, probe, iterator) } else { Outcome::Continue };
        }
        if !touch::is_private(container) {
            if (Touch { here, probe, object: container }).is_waiting() {
                container_sync::take(here, container);
            }
            header::set(iterator, WALKED);
            let (iterator, container) = (iterator as u64, container as u64);
            let walk = Walk { iterator, container, version: 0, site: probe.site, code: probe.code, is_watched: true };
            if let Outcome::Raised = go_on(here, walk, None) {
                return Outcome::Raised;
            }
        }
        let is_shared = iterator != container && !touch::is_private(iterator);
        if is_shared { touch::advance(here, probe, iterator) } else { Outcome::Continue }
    }
}

/// A loop has ended.
///
/// # Safety
/// As [`begin`].
pub(crate) unsafe fn end(here: &'static ThreadContext, iterator: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        let container = list_of(iterator);
        let walks = &here.races.memory.walks;
        let Some(walk) = walks.find(iterator as u64, container as u64) else { return Outcome::Continue };
        let outcome = go_on(here, walk, Some(walk.version));
        walks.end(iterator as u64);
        outcome
    }
}

/// The list that a loop walks over; null if it is something else.
unsafe fn list_of(iterator: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe {
        let class = ffi::Py_TYPE(iterator);
        match iterators::of_class(class) {
            Some(known) if known.is_inlined => known.container(iterator),
            None if ffi::PyList_Check(iterator) != 0 => iterator,
            Some(_) | None => std::ptr::null_mut(),
        }
    }
}
