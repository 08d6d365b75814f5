//! The hot path: is the loop of this object running in another thread?
//!
//! Nothing here allocates, formats, locks or calls Python code.  Cases that one compare does not settle go to [`crate::evidence::affinity`].

use crate::engine::affinity::watch::{OwnerKind, Watch};
use crate::engine::affinity::{given, judge, loop_field};
use crate::evidence::gone;
use crate::interpreter::{attributes, contexts, coroutines, futures};
use crate::thread::context::{ThreadContext, current_thread};
use crate::thread::outcome::Outcome;
use crate::thread::{guard, origins, recorder, registry, timeline};
use ftsan::loops::{Affinity, Realm};
use pyo3::ffi;
use pyo3::prelude::*;

/// Called before a watched C method does anything.
///
/// # Safety
/// Attached; `object` is alive and of the type that `watch` was made for.
#[inline]
pub(crate) unsafe fn before(watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe { before_of(watch.kind, watch, object) }
}

/// As [`before`], for who has the watch's kind at hand and spares a look at the watch.
///
/// # Safety
/// As [`before`].
#[inline]
pub(crate) unsafe fn before_of(kind: OwnerKind, watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        match kind {
            OwnerKind::Future => before_kind::<{ OwnerKind::Future as u8 }>(watch, object),
            OwnerKind::CoroutineStep => before_kind::<{ OwnerKind::CoroutineStep as u8 }>(watch, object),
            OwnerKind::Coroutine => before_kind::<{ OwnerKind::Coroutine as u8 }>(watch, object),
            OwnerKind::Loop => before_kind::<{ OwnerKind::Loop as u8 }>(watch, object),
            OwnerKind::Field => before_kind::<{ OwnerKind::Field as u8 }>(watch, object),
            OwnerKind::Context => before_kind::<{ OwnerKind::Context as u8 }>(watch, object),
            OwnerKind::AsyncGenerator => before_kind::<{ OwnerKind::AsyncGenerator as u8 }>(watch, object),
            OwnerKind::AsyncStep => before_kind::<{ OwnerKind::AsyncStep as u8 }>(watch, object),
            OwnerKind::Thread => before_kind::<{ OwnerKind::Thread as u8 }>(watch, object),
            OwnerKind::OneAtATime => before_kind::<{ OwnerKind::OneAtATime as u8 }>(watch, object),
            OwnerKind::Hub => before_kind::<{ OwnerKind::Hub as u8 }>(watch, object),
            OwnerKind::Attribute => before_kind::<{ OwnerKind::Attribute as u8 }>(watch, object),
            OwnerKind::AttributeOnly => before_kind::<{ OwnerKind::AttributeOnly as u8 }>(watch, object),
            OwnerKind::Primitive => before_kind::<{ OwnerKind::Primitive as u8 }>(watch, object),
            OwnerKind::Waits => before_kind::<{ OwnerKind::Waits as u8 }>(watch, object),
            OwnerKind::LoopStarts => before_kind::<{ OwnerKind::LoopStarts as u8 }>(watch, object),
            OwnerKind::LoopStops => before_kind::<{ OwnerKind::LoopStops as u8 }>(watch, object),
            OwnerKind::Portal => before_kind::<{ OwnerKind::Portal as u8 }>(watch, object),
            OwnerKind::FutureArgument => before_kind::<{ OwnerKind::FutureArgument as u8 }>(watch, object),
            OwnerKind::AsksClosed => before_kind::<{ OwnerKind::AsksClosed as u8 }>(watch, object),
            OwnerKind::HandsOver => before_kind::<{ OwnerKind::HandsOver as u8 }>(watch, object),
            OwnerKind::LoopBorn | OwnerKind::PrimitiveBorn | OwnerKind::ThreadBorn | OwnerKind::Born => {
                before_kind::<{ OwnerKind::Born as u8 }>(watch, object)
            }
        }
    }
}

/// Called before a watched function whose watch is of kind `K` does anything.
///
/// # Safety
/// As [`before`].
#[inline(always)]
pub(crate) unsafe fn before_kind<const K: u8>(watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    const LOOP: u8 = OwnerKind::Loop as u8;
    const FUTURE: u8 = OwnerKind::Future as u8;
    const ATTRIBUTE: u8 = OwnerKind::Attribute as u8;
    const ATTRIBUTE_ONLY: u8 = OwnerKind::AttributeOnly as u8;
    const FIELD: u8 = OwnerKind::Field as u8;
    const PRIMITIVE: u8 = OwnerKind::Primitive as u8;
    const WAITS: u8 = OwnerKind::Waits as u8;
    const THREAD: u8 = OwnerKind::Thread as u8;
    const HUB: u8 = OwnerKind::Hub as u8;
    const ONE_AT_A_TIME: u8 = OwnerKind::OneAtATime as u8;
    const COROUTINE: u8 = OwnerKind::Coroutine as u8;
    const COROUTINE_STEP: u8 = OwnerKind::CoroutineStep as u8;
    const ASYNC_GENERATOR: u8 = OwnerKind::AsyncGenerator as u8;
    const ASYNC_STEP: u8 = OwnerKind::AsyncStep as u8;
    const CONTEXT: u8 = OwnerKind::Context as u8;
    const LOOP_STARTS: u8 = OwnerKind::LoopStarts as u8;
    const LOOP_STOPS: u8 = OwnerKind::LoopStops as u8;
    const PORTAL: u8 = OwnerKind::Portal as u8;
    const FUTURE_ARGUMENT: u8 = OwnerKind::FutureArgument as u8;
    const ASKS_CLOSED: u8 = OwnerKind::AsksClosed as u8;
    const HANDS_OVER: u8 = OwnerKind::HandsOver as u8;
    // On the path of every step of every task: one load, not even counted.
    // SAFETY: by the caller's guarantee, an object of the kind.
    unsafe {
        match K {
            COROUTINE_STEP if coroutines::is_executing(object) => return judge::driven(watch, object),
            CONTEXT if contexts::is_entered(object) => return judge::entered(watch, object),
            COROUTINE_STEP | CONTEXT => return Outcome::Continue,
            _ => {}
        }
    }
    let here = current_thread();
    if OwnerKind::is_check(K) {
        here.slot.count_check();
    }
    if matches!(K, ATTRIBUTE | ATTRIBUTE_ONLY | FIELD | THREAD) {
        // Not the loop's own methods: they are called for every callback, and misuse is recorded in any case.
        recorder::note(here, watch.recorded_as, object);
    }
    // SAFETY: attached, and what `watch` was made for, by the caller's guarantee.
    unsafe {
        match K {
            LOOP => check_loop(here, watch, object, object),
            FUTURE => check_asyncio_loop(here, watch, object, futures::loop_of(object)),
            FUTURE_ARGUMENT if futures::is_one(object) => check_asyncio_loop(here, watch, object, futures::loop_of(object)),
            FUTURE_ARGUMENT => Outcome::Continue,
            // An object keeps its loop: once it was ours, it is ours until another one is born at its address.
            // Asked of the session and not of the watch, whose cache line nothing else touches: a miss costs more than the check.
            WAITS if gone::is_any_closed() && judge::waited_for(watch, object) == Outcome::Raised => Outcome::Raised,
            ATTRIBUTE | PRIMITIVE | WAITS if registry::get().bindings.is_mine(here.slot, object as usize) => Outcome::Continue,
            ATTRIBUTE | ATTRIBUTE_ONLY => check_attribute(here, watch, object),
            FIELD => match loop_field::loop_of(watch, object) {
                loop_ if loop_.is_null() => judge::touch_primitive(watch, object, object),
                loop_ => check_loop(here, watch, object, loop_),
            },
            WAITS => judge::touch_primitive(watch, object, object),
            PRIMITIVE if watch.attribute.0.is_null() => judge::touch_primitive(watch, object, object),
            PRIMITIVE => check_part(here, watch, object),
            THREAD | HUB if registry::get().bindings.is_my_threads(here.slot, object as usize) => Outcome::Continue,
            ONE_AT_A_TIME if registry::get().bindings.is_my_threads(here.slot, object as usize + watch.way_offset) => {
                Outcome::Continue
            }
            THREAD | HUB => check_thread(here, watch, object),
            ONE_AT_A_TIME => judge::take_over(watch, object),
            COROUTINE if !coroutines::is_executing(object) && !may_wait_elsewhere(here, object) => Outcome::Continue,
            COROUTINE | ASYNC_GENERATOR if coroutines::is_executing(object) => judge::driven(watch, object),
            ASYNC_GENERATOR => check_finalizer(here, watch, object),
            COROUTINE => judge::driven(watch, object),
            ASYNC_STEP => match coroutines::generator_of_step(object) {
                Some(generator) if coroutines::is_executing(generator) => judge::driven(watch, generator),
                _ => Outcome::Continue,
            },
            LOOP_STARTS => {
                let handle = ffi::PyThreadState_GetUnchecked() as usize;
                registry::get().loops.started(here.slot, watch.realm, object as usize, handle);
                timeline::begins_to_run(here.slot, watch.realm, &Bound::from_borrowed_ptr(Python::assume_attached(), object));
                Outcome::Continue
            }
            LOOP_STOPS => {
                if here.slot.running(watch.realm) == object as usize {
                    registry::get().loops.stopped(here.slot, watch.realm);
                    timeline::ends_to_run(here.slot, watch.realm);
                }
                Outcome::Continue
            }
            ASKS_CLOSED => {
                judge::asks_whether_closed(here, watch, object);
                Outcome::Continue
            }
            HANDS_OVER if here.asked.get().loop_ == object as usize => judge::handed_over(here, watch, object),
            HANDS_OVER => Outcome::Continue,
            PORTAL => {
                here.has_portal.set(true);
                Outcome::Continue
            }
            _ => {
                born(here, watch, object as usize);
                Outcome::Continue
            }
        }
    }
}

/// Whether this coroutine may wait for the future of a loop in another thread.  A thread that runs a loop of its own drives its own coroutines.
///
/// # Safety
/// A live coroutine or generator.
#[inline(always)]
unsafe fn may_wait_elsewhere(here: &'static ThreadContext, generator: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    let waits = unsafe { coroutines::is_waiting(generator) };
    waits && here.slot.running(Realm::Any) == 0 && registry::get().loops.others_run(here.slot) && here.looks_worth_it()
}

/// # Safety
/// Attached.
unsafe fn born(here: &'static ThreadContext, watch: &'static Watch, object: usize) {
    match watch.kind {
        OwnerKind::LoopBorn => {
            registry::get().loops.born(object);
            gone::born(object);
        }
        OwnerKind::PrimitiveBorn if watch.realm == Realm::Any => watch.bindings.made(here.slot, watch.realm, object),
        OwnerKind::PrimitiveBorn => watch.bindings.born(here.slot, watch.realm, object),
        OwnerKind::ThreadBorn => watch.bindings.give_to_thread(here.slot, object),
        // The kinds that check do not come here.
        OwnerKind::Born
        | OwnerKind::Loop
        | OwnerKind::Attribute
        | OwnerKind::AttributeOnly
        | OwnerKind::Field
        | OwnerKind::Future
        | OwnerKind::Primitive
        | OwnerKind::Waits
        | OwnerKind::Thread
        | OwnerKind::Hub
        | OwnerKind::OneAtATime
        | OwnerKind::Coroutine
        | OwnerKind::CoroutineStep
        | OwnerKind::AsyncGenerator
        | OwnerKind::AsyncStep
        | OwnerKind::Context
        | OwnerKind::LoopStarts
        | OwnerKind::LoopStops
        | OwnerKind::Portal
        | OwnerKind::FutureArgument
        | OwnerKind::AsksClosed
        | OwnerKind::HandsOver => watch.bindings.forget(object),
    }
    // SAFETY: passed on.
    unsafe { origins::record(object, watch.frames) };
    if watch.realm == Realm::Any {
        given::something_begins();
    }
}

#[inline(always)]
fn check_asyncio_loop(
    here: &'static ThreadContext,
    watch: &'static Watch,
    object: *mut ffi::PyObject,
    loop_: *mut ffi::PyObject,
) -> Outcome {
    if here.slot.running_asyncio() == loop_ as usize {
        return Outcome::Continue;
    }
    elsewhere(here, watch, object, loop_)
}

#[inline(always)]
fn check_loop(
    here: &'static ThreadContext,
    watch: &'static Watch,
    object: *mut ffi::PyObject,
    loop_: *mut ffi::PyObject,
) -> Outcome {
    // Most are asyncio's, and a loop that the caller runs is its own whatever its kind.
    if here.slot.running_asyncio() == loop_ as usize || here.slot.running(watch.realm) == loop_ as usize {
        return Outcome::Continue;
    }
    elsewhere(here, watch, object, loop_)
}

/// # Safety
/// As [`before`].
#[cold]
unsafe fn check_attribute(here: &'static ThreadContext, watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: attached, and both objects are alive.
    let value = unsafe { ffi::PyObject_GenericGetAttr(object, watch.attribute.0) };
    if value.is_null() {
        // SAFETY: attached.  Not yet or no longer initialized: nobody's.
        unsafe { ffi::PyErr_Clear() };
        return Outcome::Continue;
    }
    // SAFETY: alive, we hold a reference.  A bound method of the loop leads to it as well.
    let loop_ = unsafe { attributes::of_method(value).map_or(value, |(of, _)| of) };
    if watch.kind == OwnerKind::Attribute && here.slot.running(watch.realm) == loop_ as usize {
        watch.bindings.remember(here.slot, watch.realm, object as usize);
    }
    let verdict = check_loop(here, watch, object, loop_);
    // SAFETY: GenericGetAttr gave us a reference.
    unsafe { ffi::Py_DECREF(value) };
    verdict
}

/// An asynchronous generator belongs to the loop that iterates it first: that one is asked to finalize it.
///
/// # Safety
/// As [`before`]; an asynchronous generator.
#[inline(always)]
unsafe fn check_finalizer(here: &'static ThreadContext, watch: &'static Watch, generator: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on; the generator keeps its finalizer alive, and that its loop.
    unsafe {
        let finalizer = coroutines::finalizer(generator);
        if finalizer.is_null() {
            origins::record(generator as usize, watch.frames);
            return Outcome::Continue;
        }
        let Some((loop_, _)) = attributes::of_method(finalizer) else { return Outcome::Continue };
        check_asyncio_loop(here, watch, generator, loop_)
    }
}

/// For objects that share what belongs to a loop: the two ends of a memory stream.
///
/// # Safety
/// As [`before`].
unsafe fn check_part(here: &'static ThreadContext, watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: attached, and both objects are alive.
    let part = unsafe { ffi::PyObject_GenericGetAttr(object, watch.attribute.0) };
    if part.is_null() {
        // SAFETY: attached.  Not yet initialized: nobody's.
        unsafe { ffi::PyErr_Clear() };
        return Outcome::Continue;
    }
    let verdict = if watch.bindings.is_mine(here.slot, part as usize) {
        Outcome::Continue
    } else {
        // SAFETY: passed on.
        unsafe { judge::touch_primitive(watch, object, part) }
    };
    // SAFETY: GenericGetAttr gave us a reference.
    unsafe { ffi::Py_DECREF(part) };
    verdict
}

/// # Safety
/// As [`before`].
#[cold]
unsafe fn check_thread(here: &'static ThreadContext, watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    guard::catch_panic(Outcome::Continue, || match watch.bindings.thread_of(&registry::get().loops, here.slot, object as usize) {
        // SAFETY: passed on.
        Some(Affinity::Elsewhere(thread)) => unsafe { judge::foreign(watch, object, thread) },
        Some(Affinity::Fine) => Outcome::Continue,
        None => {
            // SAFETY: passed on.
            if watch.kind == OwnerKind::Hub && unsafe { judge::is_programs_call(watch) } {
                watch.bindings.give_to_thread(here.slot, object as usize);
            }
            Outcome::Continue
        }
    })
}

#[cold]
fn elsewhere(
    here: &'static ThreadContext,
    watch: &'static Watch,
    object: *mut ffi::PyObject,
    loop_: *mut ffi::PyObject,
) -> Outcome {
    if loop_.is_null() {
        return Outcome::Continue;
    }
    guard::catch_panic(Outcome::Continue, || match registry::get().loops.affinity(here.slot, watch.realm, loop_ as usize) {
        // SAFETY: attached, and both objects are alive.
        Affinity::Fine => unsafe { judge::of_nobodys_loop(watch, object, loop_) },
        // SAFETY: attached, and the object is alive while its method runs.
        Affinity::Elsewhere(runner) => unsafe { judge::misuse(watch, object, runner) },
    })
}
