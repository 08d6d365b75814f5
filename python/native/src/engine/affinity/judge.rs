//! Is it really a misuse?  The second look, once the fast path of [`crate::engine::affinity::check`] could not settle it.
//!
//! Order of work: whether the program made this call at all, what else the object may be doing, whether another report says it already.
//! Only then is there a report, which stops the world for a look at the owner.

use crate::engine::affinity::contend;
use crate::engine::affinity::watch::{Attribute, OwnerKind, Watch};
use crate::evidence::affinity::{self, Call};
use crate::evidence::gone;
use crate::evidence::owner_snapshot::{self, Owner, Relation};
use crate::findings::process;
use crate::interpreter::frames::{self, Frame, RawFrame};
use crate::interpreter::introspection::is_greenlet_of_this_thread;
use crate::interpreter::offsets::OWNED_BY_THREAD;
use crate::interpreter::{code_text, thread_state};
use crate::thread::caller::{Caller, caller, is_own};
use crate::thread::code_class::{self, Class};
use crate::thread::context::{Asked, InSlowPath, ThreadContext, current_thread};
use crate::thread::outcome::Outcome;
use crate::thread::{guard, recorder, registry};
use ftsan::bindings::Touch;
use ftsan::loops::{Affinity, Realm, Runner};
use ftsan::rules::{Rule, handle_cancelled_off_thread};
use pyo3::ffi;
use pyo3::prelude::*;

fn call(watch: &'static Watch) -> Call {
    Call {
        id: std::ptr::from_ref(watch) as usize,
        rule: watch.rule,
        operation: &watch.operation,
        frames: watch.frames,
        is_iterated: watch.kind == OwnerKind::AsyncGenerator,
    }
}

/// Whether what the calling thread does is our own doing, or is done in an interpreter that is not watched.
fn is_out_of_sight(here: &ThreadContext) -> bool {
    here.busy.get() || !thread_state::is_of_main_interpreter()
}

/// Whether a finalizer does it: that of a future or task, or that of a coroutine or an asynchronous generator as far as it is a library's.  A
/// hook that the program has set for these (`sys.set_asyncgen_hooks`) is to hand over what it does.
fn is_finalizers_doing(here: &ThreadContext, watch: &Watch) -> bool {
    // SAFETY: called by hooks, which run attached.
    if here.is_finalizing() || unsafe { is_end_of_librarys_coroutine(watch) } {
        return true;
    }
    let begun = here.generator_finalized_at.get();
    if begun == 0 {
        return false;
    }
    // SAFETY: called by hooks, which run attached; the own stack.
    let (py, own) = unsafe { (Python::assume_attached(), frames::own()) };
    let hook = own.take_while(|frame| frame.address() != begun).filter_map(frames::Frame::raw);
    !hook.into_iter().any(|frame| code_class::class(py, frame.code) == Class::Program)
}

/// Whether a coroutine of a library cleans up after itself because it is closed where it waits, as is one that is forgotten: in whichever thread
/// that is noticed.
///
/// # Safety
/// Attached.
unsafe fn is_end_of_librarys_coroutine(watch: &Watch) -> bool {
    // SAFETY: passed on; the own stack.
    unsafe {
        let handled = ffi::PyErr_GetHandledException();
        let is_closed = !handled.is_null() && std::ptr::eq(ffi::Py_TYPE(handled).cast(), ffi::PyExc_GeneratorExit);
        ffi::Py_XDECREF(handled);
        if !is_closed {
            return false;
        }
        let py = Python::assume_attached();
        let mut ends = None;
        for (frame, raw) in frames::own().filter_map(|frame| Some((frame, frame.raw()?))).skip(watch.frames) {
            match ends {
                // The program awaits it while it is closed itself.
                Some(inner) if frame.has_generator_of(inner) && code_class::class(py, raw.code) == Class::Program => return false,
                _ if code_class::class(py, raw.code) != Class::Library => break,
                _ if frame.is_of_any_generator() => ends = Some(frame),
                _ => {}
            }
        }
        ends.is_some()
    }
}

/// The slow half of the check of a primitive: bind it, or find that it is another loop's.  `part` is what belongs to a loop, the
/// object itself mostly.
///
/// # Safety
/// As [`crate::engine::affinity::check::before`].
#[cold]
pub(crate) unsafe fn touch_primitive(watch: &'static Watch, object: *mut ffi::PyObject, part: *mut ffi::PyObject) -> Outcome {
    guard::catch_panic(Outcome::Continue, || {
        let here = current_thread();
        if is_out_of_sight(here) {
            return Outcome::Continue;
        }
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        let registry = registry::get();
        // SAFETY: passed on.
        if !unsafe { is_programs_call(watch) } {
            // A constructor that sets a property uses nothing: the first use is yet to come.
            // SAFETY: passed on.
            if !unsafe { is_by_its_constructor(watch, object) } {
                registry.bindings.touch_part(here.slot, watch.realm, part as usize);
            }
            return Outcome::Continue;
        }
        let owner = match registry.bindings.touch(&registry.loops, here.slot, watch.realm, part as usize) {
            Touch::Fine => None,
            // SAFETY: passed on.
            Touch::Elsewhere(_) if unsafe { may_because_empty(watch, part) } => None,
            Touch::Elsewhere(thread) => Some(Owner { thread, relation: Relation::RunsItsLoop }),
            Touch::TakenOver(thread) => owner_snapshot::user(py, object, thread, &[]),
        };
        // SAFETY: passed on.
        owner.map_or(Outcome::Continue, |owner| unsafe { judge(watch, object, owner) })
    })
}

/// Whether the caller of the watched function is the `__init__` of the object.
///
/// # Safety
/// As [`crate::engine::affinity::check::before`].
unsafe fn is_by_its_constructor(watch: &'static Watch, object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; the own stack, where code objects are alive.
    unsafe {
        let mut own = frames::own().filter_map(|frame| Some((frame, frame.raw()?)));
        own.nth(watch.frames).is_some_and(|(frame, raw)| {
            let mut buffer = [0; 256];
            frame.first_argument_is(object) && code_text::read(code_text::qualname(raw.code), &mut buffer).ends_with(b".__init__")
        })
    }
}

/// Whether the calling thread made `part`, or has a portal to loops, which makes a difference to this call, and nobody waits there.
///
/// # Safety
/// As [`crate::engine::affinity::check::before`].
unsafe fn may_because_empty(watch: &'static Watch, part: *mut ffi::PyObject) -> bool {
    let is_empty = |name: &Attribute| {
        // SAFETY: attached by the caller's guarantee, and alive; we hold a reference to the container while it is asked.
        unsafe {
            let container = ffi::PyObject_GenericGetAttr(part, name.0);
            if container.is_null() {
                ffi::PyErr_Clear();
                return false;
            }
            let is_empty = ffi::PyDict_Check(container) != 0 && ffi::PyDict_Size(container) == 0;
            ffi::Py_DECREF(container);
            is_empty
        }
    };
    let empty = &watch.may_while_empty;
    let here = current_thread();
    let may = || here.has_portal.get() || watch.bindings.is_maker(here.slot, part as usize);
    !empty.is_empty() && may() && empty.iter().all(is_empty)
}

/// The calling thread uses an object that another thread used last: fine, unless that one is still inside.
///
/// # Safety
/// As [`crate::engine::affinity::check::before`].
#[cold]
pub(crate) unsafe fn take_over(watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    guard::catch_panic(Outcome::Continue, || {
        let here = current_thread();
        if is_out_of_sight(here) {
            return Outcome::Continue;
        }
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        let (process, registry) = (process::get(), registry::get());
        let owner = loop {
            let last = registry.bindings.last_user(object as usize + watch.way_offset);
            let thread = match last.thread(&registry.loops, here.slot) {
                Some(Affinity::Elsewhere(thread)) if here.looks_worth_it() => Some(thread),
                Some(_) | None => None,
            };
            if let Some(owner) = thread.and_then(|thread| owner_snapshot::user(py, object, thread, &watch.way)) {
                break owner;
            }
            // A thread that was faster is inside now.
            if registry.bindings.take(here.slot, object as usize + watch.way_offset, last) {
                if thread.is_some() {
                    contend::give(py);
                }
                return Outcome::Continue;
            }
        };
        // A call that the other thread should not be making is a finding already, and this thread the victim: unless it did the
        // same there.
        let known = |is_rule: &dyn Fn(&Rule) -> bool| {
            let Relation::IsInside(stack) = &owner.relation else { return None };
            let mut lines = stack.frames().iter().map(|frame| code_class::resolve(py, *frame));
            lines.find_map(|line| process.known_misuse(&line, is_rule, Some(here.slot.ident())))
        };
        if let Some(known) = known(&|rule| std::ptr::eq(rule, watch.rule)) {
            // SAFETY: passed on.
            unsafe { affinity::add_victim(&call(watch), known) };
            return Outcome::Continue;
        }
        if known(&Rule::covers_what_it_calls).is_some() {
            return Outcome::Continue;
        }
        // SAFETY: passed on.
        unsafe { judge(watch, object, owner) }
    })
}

/// Nobody runs the loop that `object` is bound to: it may have been closed, or is closed now.
///
/// # Safety
/// As [`misuse`].
#[cold]
pub(crate) unsafe fn of_nobodys_loop(watch: &'static Watch, object: *mut ffi::PyObject, loop_: *mut ffi::PyObject) -> Outcome {
    if watch.realm != Realm::Asyncio {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    let py = unsafe { Python::assume_attached() };
    if watch.kind == OwnerKind::Loop && watch.operation == "close" {
        gone::closes(py, loop_ as usize);
        return Outcome::Continue;
    }
    if !gone::is_closed(loop_ as usize) || current_thread().slot.running_asyncio() == 0 || !needs_its_loop(watch) {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    unsafe { bound_to_a_closed_one(watch, object, loop_) }
}

/// Whether a call comes to nothing if the loop is closed.  A call that only notes something, or closes what is left over, does not.
fn needs_its_loop(watch: &Watch) -> bool {
    const HARMLESS: &[&str] = &[
        "stop",
        "close",
        "set_debug",
        "set_task_factory",
        "set_exception_handler",
        "set_default_executor",
        "call_exception_handler",
        "shutdown_asyncgens",
        "shutdown_default_executor",
        "remove_reader",
        "remove_writer",
        "set_protocol",
        "abort",
    ];
    match watch.kind {
        OwnerKind::Loop | OwnerKind::Field => {
            !HARMLESS.contains(&watch.operation.as_str()) && !std::ptr::eq(watch.rule, &handle_cancelled_off_thread::RULE)
        }
        OwnerKind::FutureArgument => true,
        OwnerKind::Future | OwnerKind::Attribute => matches!(watch.operation.as_str(), "await" | "__await__" | "add_done_callback"),
        OwnerKind::AttributeOnly
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
        | OwnerKind::LoopBorn
        | OwnerKind::PrimitiveBorn
        | OwnerKind::ThreadBorn
        | OwnerKind::Born
        | OwnerKind::Portal
        | OwnerKind::AsksClosed
        | OwnerKind::HandsOver => false,
    }
}

/// A loop is asked whether it is closed.  asyncio asks as well, where it settles futures or closes transports, and decides nothing by it
/// for the program.
///
/// # Safety
/// As [`misuse`].
#[cold]
pub(crate) unsafe fn asks_whether_closed(here: &ThreadContext, watch: &'static Watch, object: *mut ffi::PyObject) {
    let Some(_busy) = InSlowPath::enter() else { return };
    guard::catch_panic((), || {
        // SAFETY: passed on; the own stack.
        let mut own = unsafe { frames::own() }.filter_map(|frame| Some((frame, frame.raw()?)));
        // SAFETY: attached by the caller's guarantee.
        let py = unsafe { Python::assume_attached() };
        let is_programs = |code| {
            // SAFETY: attached, and on the stack.
            is_own(py, code) && !unsafe { code_class::file(code.code) }.is_some_and(code_class::is_of_standard_library)
        };
        if let Some((frame, raw)) = own.nth(watch.frames).filter(|(_, raw)| is_programs(*raw)) {
            let loop_ = if gone::is_closed(object as usize) { 0 } else { object as usize };
            let from = called_from(frame, own.next());
            here.asked.set(Asked { loop_, by: (frame.address(), raw.code), from });
        }
    });
}

/// Where a frame that is not a coroutine's or generator's was called; `caller` is the next one on the stack.
fn called_from(frame: Frame<'_>, caller: Option<(Frame<'_>, RawFrame)>) -> RawFrame {
    let is_plain = frame.owner_and_visited()[0] == OWNED_BY_THREAD;
    caller.filter(|_| is_plain).map_or_else(RawFrame::default, |(_, raw)| raw)
}

/// A loop that said that it is not closed is handed a call.  It counts if the function that asked has not returned yet.
///
/// # Safety
/// As [`misuse`].
#[cold]
pub(crate) unsafe fn handed_over(here: &ThreadContext, watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    let asked = here.asked.take();
    // SAFETY: passed on; the own stack.
    let mut own = unsafe { frames::own() }.filter_map(|frame| Some((frame, frame.raw()?)));
    let asker = own.find(|(frame, raw)| (frame.address(), raw.code) == asked.by);
    let is_running = asker.is_some_and(|(frame, _)| called_from(frame, own.next()) == asked.from);
    if !is_running || !gone::is_closed(object as usize) {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    unsafe { bound_to_a_closed_one(watch, object, object) }
}

/// A primitive of asyncio is waited for: it keeps the loop in which it was waited for first.
///
/// # Safety
/// As [`misuse`].
#[cold]
pub(crate) unsafe fn waited_for(watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: attached, alive; the object keeps its loop.
    unsafe {
        let loop_ = ffi::PyObject_GenericGetAttr(object, watch.loop_attribute.0);
        if loop_.is_null() {
            ffi::PyErr_Clear();
            return Outcome::Continue;
        }
        let running = current_thread().slot.running_asyncio();
        let is_gone = running != 0 && running != loop_ as usize && gone::is_closed(loop_ as usize);
        let outcome = if is_gone { bound_to_a_closed_one(watch, object, loop_) } else { Outcome::Continue };
        ffi::Py_DECREF(loop_);
        outcome
    }
}

/// # Safety
/// As [`misuse`].
unsafe fn bound_to_a_closed_one(watch: &'static Watch, object: *mut ffi::PyObject, loop_: *mut ffi::PyObject) -> Outcome {
    if is_finalizers_doing(current_thread(), watch) {
        return Outcome::Continue;
    }
    let Some(_busy) = InSlowPath::enter() else { return Outcome::Continue };
    // SAFETY: passed on; the caller keeps it alive.
    let object = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), object) };
    gone::report(object.py(), &call(watch), &object, loop_)
}

/// Whether the program made this call, and not another watched function (`__init__`, say) on its way.
///
/// # Safety
/// Attached.
#[cold]
pub(crate) unsafe fn is_programs_call(watch: &'static Watch) -> bool {
    guard::catch_panic(true, || {
        // SAFETY: passed on.
        !matches!(unsafe { caller(Python::assume_attached(), watch.frames) }, Caller::Nested)
    })
}

/// Reports that the calling thread uses `object`, whose loop `runner` is running.
///
/// # Safety
/// Attached; `object` is alive.
#[cold]
pub(crate) unsafe fn misuse(watch: &'static Watch, object: *mut ffi::PyObject, runner: Runner) -> Outcome {
    // SAFETY: passed on.
    unsafe { judge(watch, object, Owner { thread: runner, relation: Relation::RunsItsLoop }) }
}

/// Reports that the calling thread uses `object`, which belongs to `thread`.
///
/// # Safety
/// As [`misuse`].
#[cold]
pub(crate) unsafe fn foreign(watch: &'static Watch, object: *mut ffi::PyObject, thread: Runner) -> Outcome {
    // SAFETY: passed on.
    let greenlet = unsafe { Bound::from_borrowed_ptr(Python::assume_attached(), object) };
    if is_greenlet_of_this_thread(&greenlet) {
        watch.bindings.give_to_thread(current_thread().slot, object as usize);
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    unsafe { judge(watch, object, Owner { thread, relation: Relation::HasIt }) }
}

/// The calling thread is about to resume a coroutine or generator that may be another thread's.
///
/// # Safety
/// As [`misuse`]; `generator` is a coroutine, a generator or an asynchronous generator.
#[cold]
pub(crate) unsafe fn driven(watch: &'static Watch, generator: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe { if_owned(watch, generator, |py| owner_snapshot::driver(py, generator)) }
}

/// The calling thread is about to enter a context that is entered.
///
/// # Safety
/// As [`misuse`]; `context` is a `contextvars.Context`.
#[cold]
pub(crate) unsafe fn entered(watch: &'static Watch, context: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe { if_owned(watch, context, |py| owner_snapshot::enterer(py, context)) }
}

/// # Safety
/// As [`misuse`].
unsafe fn if_owned(watch: &'static Watch, object: *mut ffi::PyObject, find: impl FnOnce(Python<'_>) -> Option<Owner>) -> Outcome {
    guard::catch_panic(Outcome::Continue, || {
        if is_out_of_sight(current_thread()) {
            return Outcome::Continue;
        }
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        // SAFETY: passed on.
        find(py).map_or(Outcome::Continue, |owner| unsafe { judge(watch, object, owner) })
    })
}

/// # Safety
/// As [`misuse`].
unsafe fn judge(watch: &'static Watch, object: *mut ffi::PyObject, owner: Owner) -> Outcome {
    guard::catch_panic(Outcome::Continue, || {
        if is_finalizers_doing(current_thread(), watch) {
            return Outcome::Continue;
        }
        let Some(_busy) = InSlowPath::enter() else { return Outcome::Continue };
        recorder::note_misuse(current_thread(), watch.recorded_as, object);
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        // SAFETY: the caller keeps it alive.
        let object = unsafe { Bound::from_borrowed_ptr(py, object) };
        // SAFETY: both are live type objects.
        if watch.except != 0 && unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), watch.except as *mut _) } != 0 {
            return Outcome::Continue;
        }
        affinity::report(py, call(watch), object, owner)
    })
}
