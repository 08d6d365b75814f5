//! The cold path of the lock rules: from a misuse of a lock to a finding.  No code of the program runs.

use crate::evidence::acquirers::{self, Acquirer};
use crate::evidence::lock_names;
use crate::evidence::thread_names::thread_info;
use crate::findings::report::{Found, Raises, report};
use crate::findings::store::FindingKey;
use crate::interpreter::frames::{self, RawFrame, RawStack};
use crate::interpreter::introspection::type_name;
use crate::thread::code_class::{self, resolve_all};
use crate::thread::context::current_thread;
use crate::thread::outcome::Outcome;
use crate::thread::registry;
use crate::thread::stacks::{self, StackId};
use ftsan::locks::cycle::Step;
use ftsan::locks::held::{Held, How};
use ftsan::loops::ThreadSlot;
use ftsan::races::mix;
use ftsan::report::{Access, Finding, Frame, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::family::locks::LockUse;
use ftsan::rules::{lock_held_across_await, lock_order_inversion, lock_released_by_other_thread};
use pyo3::ffi;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a report says of a lock that was wanted while another one was held.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) thread: Arc<ThreadInfo>,
    pub(crate) held: Held,
    /// Where the other one was wanted.
    pub(crate) wanted: StackId,
}

/// How many threads are remembered before those are dropped that nobody speaks of.
const THREADS: usize = 256;

/// The calling thread, as reports show it when it may have ended.
pub(crate) fn own_thread(py: Python<'_>) -> Arc<ThreadInfo> {
    // A thread that forks has another native id in the child.
    type Threads = HashMap<(u64, u64), Arc<ThreadInfo>>;
    static KNOWN: Mutex<Option<Threads>> = Mutex::new(None);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = current_thread().slot;
    let key = (slot.id(), slot.native_id());
    if let Some(thread) = known().get_or_insert_default().get(&key) {
        return thread.clone();
    }
    let thread = Arc::new(info_of(py, slot));
    let mut guard = known();
    let all = guard.get_or_insert_default();
    if all.len() >= THREADS {
        all.retain(|_, thread| Arc::strong_count(thread) > 1);
    }
    all.insert(key, thread.clone());
    thread
}

fn info_of(py: Python<'_>, slot: &ThreadSlot) -> ThreadInfo {
    thread_info(py, slot.ident(), slot.native_id())
}

fn own_stack() -> RawStack {
    // SAFETY: attached, as whoever has a `Python`; the own thread.
    unsafe { frames::own_stack() }
}

/// From the innermost frame of the program on.
fn programs(py: Python<'_>, stack: &[RawFrame]) -> (Vec<Frame>, RawFrame) {
    let mut all = resolve_all(py, stack);
    let skipped = all.iter().position(|frame| !code_class::is_of_standard_library(&frame.file)).unwrap_or(0);
    all.drain(..skipped);
    (all, stack.get(skipped).copied().unwrap_or_default())
}

fn access(role: Role, operation: String, thread: &ThreadInfo, stack: Vec<Frame>) -> Access {
    Access { role, operation, thread: Some(thread.clone()), stack }
}

fn object_info(py: Python<'_>, object: *mut ffi::PyObject, name: &str) -> ObjectInfo {
    // SAFETY: alive, as its method is running, or its memory still is.
    let class = type_name(&unsafe { Bound::from_borrowed_ptr(py, object) });
    let id = format!("{:#x}", object as usize);
    ObjectInfo { repr: format!("<{}{name} at {id}>", class.rsplit('.').next().unwrap_or(&class)), r#type: class, id }
}

/// Letters for the locks of a cycle.
fn letter(index: usize) -> char {
    char::from(b'A' + (index % 26) as u8)
}

/// The calling thread wants a lock and so closes this cycle, of which its own step is the first.
pub(crate) fn inversion(py: Python<'_>, object: *mut ffi::PyObject, cycle: &[Step<Evidence>]) -> Outcome {
    let own = own_stack();
    let wanted: Vec<(Vec<Frame>, RawFrame)> = cycle
        .iter()
        .enumerate()
        .map(|(index, step)| programs(py, if index == 0 { own.frames() } else { stacks::get(step.evidence.wanted) }))
        .collect();
    // Whichever thread closes it: the same lines are the same cycle, and its locks have the same names.
    let place =
        wanted.iter().fold(0, |sum: u64, (_, frame)| sum.wrapping_add(mix(mix(frame.code as u64) ^ u64::from(frame.offset))));
    let place: FindingKey = (std::ptr::from_ref(&lock_order_inversion::RULE) as usize ^ place as usize, RawFrame::default());
    report(
        py,
        place,
        Raises::Now,
        Found(|| {
            let by_name = |(stack, _): &(Vec<Frame>, RawFrame)| {
                stack.iter().map(|frame| (frame.file.clone(), frame.line)).collect::<Vec<_>>()
            };
            let count = cycle.len();
            let first = (0..count).min_by_key(|index| by_name(&wanted[*index])).unwrap_or(0);
            let name = |index: usize| letter((index + count - first) % count);
            let steps = |index: usize| {
                let (step, role) = (&cycle[index], if index == 0 { Role::Offending } else { Role::Earlier });
                let thread = &step.evidence.thread;
                let operation = format!("acquired {} while holding {}", name(index + 1), name(index));
                let (held, _) = programs(py, stacks::get(step.evidence.held.stack));
                [
                    access(role, operation, thread, wanted[index].0.clone()),
                    access(Role::Earlier, format!("acquired {}", name(index)), thread, held),
                ]
            };
            let (me, other) = (&cycle[0].evidence, &cycle[1].evidence);
            let (wanted, held) = (lock_names::of(py, object as usize), lock_names::of(py, me.held.address));
            let lock = LockUse::Inverted {
                wanted: (name(1), &wanted),
                held: (name(0), &held),
                thread: &me.thread.name,
                other: &other.thread.name,
                other_wants: name(2),
                locks: count,
            };
            let told = lock_order_inversion::RULE.tell_lock(&lock);
            let accesses = (0..count).flat_map(steps).collect();
            let mut finding =
                Finding::new(&lock_order_inversion::RULE, told, object_info(py, object, &format!(" {}", name(1))), None, accesses);
            finding.witnessed = cycle[1..].iter().all(|step| {
                let mut others = registry::get().loops.others(current_thread().slot);
                others.any(|other| other.ident() == step.evidence.thread.ident && other.locks.waits(step.from, step.to))
            });
            finding
        }),
    )
}

/// The calling thread suspends the coroutine that has acquired a lock.
pub(crate) fn held_across_await(py: Python<'_>, held: Held) -> Outcome {
    let (own, acquired) = (own_stack(), stacks::get(held.stack));
    let start = where_acquired(own.frames(), acquired);
    let place = own.frames().get(start).copied().unwrap_or_default();
    report(
        py,
        (std::ptr::from_ref(&lock_held_across_await::RULE) as usize, place),
        Raises::Now,
        Found(|| {
            let me = own_thread(py);
            let lock = lock_names::of(py, held.address);
            let told = lock_held_across_await::RULE.tell_lock(&LockUse::HeldAcrossAwait { lock: &lock, thread: &me.name });
            let (stack, _) = programs(py, acquired);
            let accesses = vec![
                access(Role::Offending, "await".to_owned(), &me, resolve_all(py, &own.frames()[start..])),
                access(Role::Earlier, method(held.by_with, "__enter__", "acquire"), &me, stack),
            ];
            // Not to be looked at: another thread may drop it.
            let id = format!("{:#x}", held.address);
            let name = if held.is_reentrant { "RLock" } else { "lock" };
            let object = ObjectInfo { r#type: format!("_thread.{name}"), repr: format!("<{name} at {id}>"), id };
            Finding::new(&lock_held_across_await::RULE, told, object, None, accesses)
        }),
    )
}

/// Where on the own stack the function is that has acquired a lock, or called who did.
fn where_acquired(own: &[RawFrame], acquired: &[RawFrame]) -> usize {
    let same =
        |outer: &[RawFrame], part: &[RawFrame]| outer.len() >= part.len() && outer.iter().zip(part).all(|(a, b)| a.code == b.code);
    let find = |part: &[RawFrame]| (0..own.len()).find(|start| same(&own[*start..], part));
    (0..acquired.len()).find_map(|inner| find(&acquired[inner..])).unwrap_or(0)
}

fn method(is_with: bool, with: &str, call: &str) -> String {
    if is_with { with.to_owned() } else { call.to_owned() }
}

/// The calling thread is about to release a lock that the thread of `holder` has acquired.
pub(crate) fn released_by_another(
    py: Python<'_>,
    object: *mut ffi::PyObject,
    how: How,
    holder: &'static ThreadSlot,
    held: Held,
) -> Outcome {
    // SAFETY: attached.
    let released = unsafe { stacks::record(0) };
    if held.stack == 0 || [held.stack, released].into_iter().any(|stack| acquirers::of(py, stack) != Acquirer::Program) {
        return Outcome::Continue;
    }
    let (stack, place) = programs(py, own_stack().frames());
    let place: FindingKey = (std::ptr::from_ref(&lock_released_by_other_thread::RULE) as usize ^ held.stack as usize, place);
    report(
        py,
        place,
        Raises::Now,
        Found(|| {
            let (me, other) = (own_thread(py), info_of(py, holder));
            let by_call = how == How::Call;
            let lock = lock_names::of(py, object as usize);
            let (by_with, thread, holder) = (held.by_with, me.name.as_str(), other.name.as_str());
            let lock = LockUse::ReleasedElsewhere { lock: &lock, by_with, by_call, thread, holder };
            let told = lock_released_by_other_thread::RULE.tell_lock(&lock);
            let accesses = vec![
                access(Role::Offending, method(how == How::With, "__exit__", "release"), &me, stack),
                access(
                    Role::Earlier,
                    method(held.by_with, "__enter__", "acquire"),
                    &other,
                    programs(py, stacks::get(held.stack)).0,
                ),
            ];
            Finding::new(&lock_released_by_other_thread::RULE, told, object_info(py, object, ""), None, accesses)
        }),
    )
}
