//! Loops that have been closed, and what is told of their use.

use crate::evidence::affinity::Call;
use crate::evidence::outer::{GIVEN, LEADS, Led, last, led_by, via, whole_line};
use crate::evidence::thread_names::{self, told_apart};
use crate::findings::report::{self as findings, Addition, Case, Raises};
use crate::findings::store::FindingKey;
use crate::interpreter::exception_table::has_handler;
use crate::interpreter::frames::{self, RawFrame};
use crate::interpreter::introspection::{names_of_bases, own_method, stacks_of_outer_greenlets, type_name};
use crate::thread::caller::{OwnLine, caller_of_all, first_of_own, own_line};
use crate::thread::code_class::{self, Class, resolve_all};
use crate::thread::origins;
use crate::thread::outcome::Outcome;
use crate::thread::stacks::{self, StackId};
use ftsan::report::{Access, Finding, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::family::calls;
use ftsan::rules::{Rule, loop_gone, loop_lifecycle};
use pyo3::ffi;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

struct Closed {
    by: ThreadInfo,
    at: StackId,
}

/// By address.  An object that is bound to a loop keeps it alive, so an address that is asked for means the loop that was closed;
/// one that is born there later is taken out.
static CLOSED: Mutex<Option<HashMap<usize, Closed>>> = Mutex::new(None);
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The methods that end the use of something: a left-over object may be closed, if its refusal is expected.
const ENDS: &[&str] = &["close", "aclose", "abort", "disconnect", "dispose", "shutdown", "terminate", "__aexit__", "stop"];

fn lock() -> std::sync::MutexGuard<'static, Option<HashMap<usize, Closed>>> {
    CLOSED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calling thread closes a loop.
pub(crate) fn closes(py: Python<'_>, loop_: usize) {
    if is_closed(loop_) {
        return;
    }
    // SAFETY: attached.
    let closed = Closed { by: thread_names::me(py), at: unsafe { stacks::record(1) } };
    let mut all = lock();
    let all = all.get_or_insert_default();
    all.insert(loop_, closed);
    COUNT.store(all.len(), Ordering::Relaxed);
}

/// Another loop comes to life at this address.
pub(crate) fn born(loop_: usize) {
    if is_any_closed()
        && let Some(all) = lock().as_mut()
    {
        all.remove(&loop_);
        COUNT.store(all.len(), Ordering::Relaxed);
    }
}

/// Forgets all of them.
pub(crate) fn clear() {
    COUNT.store(0, Ordering::Relaxed);
    *lock() = None;
}

/// Whether any loop that may still be used has been.
#[inline(always)]
pub(crate) fn is_any_closed() -> bool {
    COUNT.load(Ordering::Relaxed) > 0
}

/// Whether this loop has been closed.
pub(crate) fn is_closed(loop_: usize) -> bool {
    is_any_closed() && lock().as_ref().is_some_and(|all| all.contains_key(&loop_))
}

/// Reports that the calling thread, which runs a loop, uses `object`, which is bound to `loop_`, which has been closed.
pub(crate) fn report(py: Python<'_>, call: &Call, object: &Bound<'_, PyAny>, loop_: *mut ffi::PyObject) -> Outcome {
    // SAFETY: attached, own thread.
    let (own, start) = unsafe { (frames::own_stack(), caller_of_all(py, call.frames)) };
    let is_asked = std::ptr::eq(call.rule, &loop_lifecycle::RULE);
    // A call that hands over is thread-safe, but a finalizer's caller did not mean it.
    let first = || own.frames().iter().skip(call.frames).position(|frame| code_class::class(py, frame.code) == Class::Program);
    let Some(start) = start.or_else(|| first().filter(|_| is_asked).map(|at| at + call.frames)) else { return Outcome::Continue };
    let own = own.frames();
    if call.operation != "create_future" && own_method(object, "done").is_some_and(|done| done.is_truthy().unwrap_or(false)) {
        return Outcome::Continue;
    }
    // SAFETY: attached, own thread.
    let (line, given) = match unsafe { own_line(py, start) } {
        OwnLine::At(line) => (line, None),
        // A task of a package that the program made.
        OwnLine::Given(end, given) => (end, Some(given)),
        OwnLine::Nowhere => (start, None),
    };
    let led =
        Led { frames: &own[call.frames.saturating_sub(1)..line.max(call.frames.saturating_sub(1))], is_given: given.is_some() };
    // A function that hands over is no method of the loop, and that is what was asked.
    let is_method = |name: &str| name.rsplit("<locals>.").next().is_some_and(|name| name.contains('.'));
    let public = led.public(py).filter(|name| !is_asked || is_method(name));
    let operation = public.as_deref().map_or(call.operation, last).to_owned();
    // A left-over object may be closed, if its refusal is expected; and a loop handed a call, whatever it said before.
    let expects_refusal = || own.get(line).is_some_and(|frame| has_handler(py, *frame));
    if (is_asked || ENDS.contains(&operation.as_str())) && expects_refusal() {
        return Outcome::Continue;
    }
    let rule = if is_asked { &loop_lifecycle::RULE } else { &loop_gone::RULE };
    // All calls on the way from one line of the program are one mistake.
    let first = given.unwrap_or(&own[line.min(own.len())..]).first().copied().unwrap_or_default();
    let place: FindingKey = (std::ptr::from_ref(rule) as usize, whole_line(py, first));
    let (own, inner) = if given.is_some() { (&own[start..], &own[..0]) } else { (&own[line.min(own.len())..], &own[start..line]) };
    let called = public.map(|name| name.rsplit("<locals>.").next().unwrap_or(&name).to_owned());
    findings::report(py, place, Raises::Now, Found { rule, object, loop_, operation: &operation, called, given, own, inner })
}

/// A use of what is bound to a closed loop.
struct Found<'a, 'py> {
    rule: &'static Rule,
    object: &'a Bound<'py, PyAny>,
    loop_: *mut ffi::PyObject,
    operation: &'a str,
    /// The qualified name of what the program called, if the watched call was made on the way from there.
    called: Option<String>,
    /// Where the program made the task that makes the call, if that is a package's.
    given: Option<&'static [RawFrame]>,
    /// The calling thread's stack, from the program's own line on.
    own: &'a [RawFrame],
    /// What that line leads to.
    inner: &'a [RawFrame],
}

impl Case for Found<'_, '_> {
    fn again(self, _: bool) -> Addition {
        Addition::default()
    }

    fn finding(self) -> Option<Finding> {
        let Found { rule, object, loop_, operation, called, given, own, inner } = self;
        let py = object.py();
        let me = thread_names::me(py);
        let (by, at) = lock().as_ref()?.get(&(loop_ as usize)).map(|closed| (closed.by.clone(), closed.at))?;
        let class = type_name(object);
        let short = class.rsplit('.').next().unwrap_or(&class).to_owned();
        let id = format!("{:#x}", object.as_ptr() as usize);
        let (mine, closers) = (told_apart(&me, &by), told_apart(&by, &me));
        let is_loop = object.as_ptr() == loop_;
        // The object that the program knows: the one whose method it called, if that is another one.
        let known = called.as_deref().and_then(|name| Some(last(name.rsplit_once('.')?.0)));
        let known = known.filter(|known| !names_of_bases(object).iter().any(|base| base == known));
        let is_function = called.as_deref().is_some_and(|name| !name.contains('.'));
        let (class_called, method) = if is_function { (&short[..], "") } else { (known.unwrap_or(&short), operation) };
        let relation = if std::ptr::eq(rule, &loop_lifecycle::RULE) {
            format!("after is_closed() said no, but the loop was closed in {closers}")
        } else if is_loop && known.is_none() && !is_function {
            format!("after the loop had been closed in {closers}")
        } else if is_loop {
            format!("although its loop was closed in {closers}")
        } else if known.is_none() && !is_function {
            format!("although it is bound to a loop that was closed in {closers}")
        } else {
            format!("although its {short} is bound to a loop that was closed in {closers}")
        };
        let loops = calls::Loops::default();
        let call = calls::Call { class: class_called, method, operation, thread: &mine, relation: &relation, outer: None, loops };
        let told = rule.tell_call(&call);
        let mut stack = resolve_all(py, own);
        if let Some(given) = given {
            stack = led_by(resolve_all(py, given), stack, GIVEN);
        }
        let mut called = resolve_all(py, inner);
        via(&mut called, LEADS);
        for outer in stacks_of_outer_greenlets(py) {
            let mut frames = resolve_all(py, &outer);
            via(&mut frames, "in a greenlet that was switched to from");
            stack.append(&mut frames);
        }
        stack.append(&mut called);
        let past = |role: Role, operation: &str, thread: Option<ThreadInfo>, at: StackId| {
            let frames = stacks::get(at);
            let first = first_of_own(py, frames).unwrap_or_default();
            (!frames.is_empty()).then(|| Access {
                role,
                operation: operation.to_owned(),
                thread,
                stack: resolve_all(py, &frames[first..]),
            })
        };
        let mut accesses = vec![Access { role: Role::Offending, operation: operation.to_owned(), thread: Some(me), stack }];
        accesses.extend(past(Role::Earlier, "close", Some(by), at));
        let made = if is_loop { "made" } else { "bound to a loop that was made" };
        accesses.extend(past(Role::Created, made, None, origins::of(loop_ as usize)));
        if !is_loop {
            accesses.extend(past(Role::Created, "created", None, origins::of(object.as_ptr() as usize)));
        }
        let repr = format!("<{short} at {id}>");
        Some(Finding::new(rule, told, ObjectInfo { r#type: class, repr, id }, None, accesses))
    }
}
