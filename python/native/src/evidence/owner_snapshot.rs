//! A look at the owner: what the thread is doing that runs the loop of an object, has the object, or is inside it.
//!
//! The world is stopped while stacks of other threads are read.  No code of the program runs.

use crate::interpreter::frames::{self, RawStack};
use crate::interpreter::introspection::{loaded, own_method};
use crate::interpreter::world::Stopped;
use crate::interpreter::{await_chain, contexts, coroutines, fork_gate, futures};
use crate::thread::code_class::{self, Class};
use crate::thread::context::current_thread;
use crate::thread::{origins, registry, stacks};
use ftsan::loops::{Affinity, Realm, Runner};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PySet;

/// The operation of a thread on an object that it is inside, for [`ftsan::report::Access::operation`].
pub(crate) const INSIDE: &str = "inside";

/// How many tasks of a loop are shown.
const TASKS: usize = 3;
/// How many are asked whether they wait in the object.
const MANY: usize = 256;

/// Whose an object is, and why.
pub(crate) struct Owner {
    pub(crate) thread: Runner,
    pub(crate) relation: Relation,
}

/// Why an object is a thread's.
pub(crate) enum Relation {
    /// The thread runs its loop.
    RunsItsLoop,
    /// It belongs to the thread.
    HasIt,
    /// The thread was inside the object when it was looked at, with this stack.
    IsInside(Held),
}

impl Owner {
    /// The relation in words, for a title.
    pub(crate) fn relation(&self, thread: &str) -> String {
        match self.relation {
            Relation::RunsItsLoop => format!("while {thread} {}", self.thread.realm.runs()),
            Relation::HasIt => format!("but it belongs to {thread}"),
            Relation::IsInside(_) => format!("while {thread} is inside it"),
        }
    }
}

/// A stack of another thread whose code objects are kept alive.
pub(crate) struct Held(Box<RawStack>);

impl Held {
    /// # Safety
    /// The world is stopped, and the stack was read since.
    unsafe fn new(stack: RawStack) -> Self {
        for frame in stack.frames() {
            // SAFETY: every object on a stack of the stopped world is alive.
            unsafe { ffi::Py_INCREF(frame.code as *mut ffi::PyObject) };
        }
        Held(Box::new(stack))
    }

    pub(crate) fn frames(&self) -> &[frames::RawFrame] {
        self.0.frames()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for frame in self.0.frames() {
            // SAFETY: attached, as everything that handles a `Held`; the reference was taken by `new`.
            unsafe { ffi::Py_DECREF(frame.code as *mut ffi::PyObject) };
        }
    }
}

/// The present state of the owner.
pub(crate) struct Snapshot<'py> {
    /// What makes it the owner, for [`ftsan::report::Access::operation`].
    pub(crate) operation: &'static str,
    /// The owner's stack.
    pub(crate) stack: Held,
    /// Its tasks that are suspended: the one that the loop was started with, and those that wait in the object; else some.
    pub(crate) suspended: Vec<Suspended>,
    pub(crate) loop_: Option<Bound<'py, PyAny>>,
}

/// A task that waits.
pub(crate) struct Suspended {
    /// What to call it.
    pub(crate) name: String,
    /// Where it waits.
    pub(crate) stack: Held,
    /// Where it was created.
    pub(crate) created: &'static [frames::RawFrame],
    /// It waits in the object.
    pub(crate) waits_in_it: bool,
}

/// Looks at the owner of `object`; `None` if the object is its no more.
pub(crate) fn look<'py>(py: Python<'py>, owner: Owner, object: *mut ffi::PyObject) -> Option<Snapshot<'py>> {
    let thread = owner.thread;
    let operation = if matches!(owner.relation, Relation::HasIt) { "has" } else { "run" };
    let (loop_, root) = match owner.relation {
        Relation::IsInside(stack) => return Some(Snapshot { operation: INSIDE, stack, suspended: Vec::new(), loop_: None }),
        Relation::HasIt => (None, None),
        Relation::RunsItsLoop => {
            let stopped = Stopped::stop(py);
            let state = state_of(&stopped, thread)?;
            // SAFETY: the registry says that the thread is running this loop, and the world is stopped: it keeps it alive.
            let loop_ = unsafe { Bound::from_borrowed_ptr(py, thread.running as *mut ffi::PyObject) };
            // SAFETY: stopped world, live thread.
            let root = unsafe { frames::of_thread(state) }.find_map(|frame| {
                let raw = frame.raw()?;
                let future = if code_class::is_run_until_complete(raw.code) { frame.local(1) } else { None }?;
                // SAFETY: a local variable of a frame on the stack of a stopped thread is alive.
                Some(unsafe { Bound::from_borrowed_ptr(py, future) })
            });
            (Some(loop_), root)
        }
    };
    let tasks = loop_.as_ref().filter(|_| thread.realm == Realm::Asyncio);
    let has_root = root.is_some();
    let tasks = tasks.map_or_else(Vec::new, |loop_| tasks_of(loop_, root));
    let stopped = Stopped::stop(py);
    let state = state_of(&stopped, thread)?;
    // SAFETY: stopped world, live thread; the coroutines are kept alive by our references.
    let (stack, chains, order) = unsafe {
        let mut chosen = [(usize::MAX, false); TASKS];
        let waits = |(_, _, coroutine): &Task<'py>| await_chain::leads_to(coroutine.as_ptr(), object);
        let roots = usize::from(has_root);
        let others = || tasks.iter().enumerate().skip(roots);
        // One that the loop was started with says where the program is.
        let strangers = others().filter(|(_, task)| !has_root && !waits(task)).map(|(at, _)| (at, false));
        let waiting = others().filter(|(_, task)| waits(task)).map(|(at, _)| (at, true));
        for (place, task) in chosen.iter_mut().zip((0..roots).map(|root| (root, false)).chain(waiting).chain(strangers)) {
            *place = task;
        }
        let chains: [Option<Held>; TASKS] = std::array::from_fn(|i| {
            tasks.get(chosen[i].0).map(|(_, _, coroutine)| Held::new(await_chain::await_chain(coroutine.as_ptr())))
        });
        (Held::new(frames::stack_of(state)), chains, chosen)
    };
    drop(stopped);
    let suspended = order.into_iter().zip(chains).filter_map(|((at, waits_in_it), chain)| {
        let (name, task, _) = tasks.get(at)?;
        let stack = chain.filter(|chain| !chain.frames().is_empty())?;
        Some(Suspended { name: name.clone(), stack, created: stacks::get(origins::of(task.as_ptr() as usize)), waits_in_it })
    });
    Some(Snapshot { operation, stack, suspended: suspended.collect(), loop_ })
}

fn state_of(stopped: &Stopped<'_>, thread: Runner) -> Option<*mut ffi::PyThreadState> {
    let (loops, slot) = (&registry::get().loops, current_thread().slot);
    let now = match thread.running {
        0 => loops.thread(slot, thread.handle),
        running => loops.affinity(slot, thread.realm, running),
    };
    match now {
        Affinity::Elsewhere(now) if now.handle == thread.handle => stopped.thread(now.handle),
        Affinity::Elsewhere(_) | Affinity::Fine => None,
    }
}

/// Name, task and coroutine.
type Task<'py> = (String, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The tasks of a loop, in the order of their names after the one that it was started with.
fn tasks_of<'py>(loop_: &Bound<'py, PyAny>, root: Option<Bound<'py, PyAny>>) -> Vec<Task<'py>> {
    let all = loaded(loop_.py(), c"_asyncio")
        .and_then(|module| fork_gate::without_forks(loop_.py(), || module.call_method1("all_tasks", (loop_,)).ok()).flatten());
    let all = all.and_then(|all| all.cast_into::<PySet>().ok());
    let named = |task: Bound<'py, PyAny>| {
        let name = own_method(&task, "get_name")?.extract::<String>().ok()?;
        let coroutine = own_method(&task, "get_coro").filter(|coroutine| !coroutine.is_none())?;
        Some((name, task, coroutine))
    };
    let is_root = |task: &Bound<'py, PyAny>| root.as_ref().is_some_and(|root| root.is(task));
    let others = all.iter().flat_map(|all| all.iter()).filter(|task| !is_root(task)).take(MANY);
    let mut tasks: Vec<Task<'py>> = others.filter_map(named).collect();
    tasks.sort_by(|(a, ..), (b, ..)| (a.len(), a).cmp(&(b.len(), b)));
    root.and_then(named).into_iter().chain(tasks).collect()
}

/// Another thread that is inside an object, as `holds` says of the state of each thread while the world is stopped; `None` if the
/// calling thread itself is, or nobody.
fn inside(py: Python<'_>, holds: impl Fn(*mut ffi::PyThreadState) -> bool) -> Option<Owner> {
    let stopped = Stopped::stop(py);
    // SAFETY: attached.
    let own = unsafe { ffi::PyThreadState_GetUnchecked() };
    if holds(own) {
        return None;
    }
    let state = stopped.threads().find(|state| holds(*state))?;
    // SAFETY: a live thread of the stopped world.
    let (stack, (ident, native_id)) = unsafe { (Held::new(frames::stack_of(state)), frames::identity_of(state)) };
    let thread = Runner { handle: state as usize, ident, native_id, running: 0, realm: Realm::Any };
    Some(Owner { thread, relation: Relation::IsInside(stack) })
}

/// `threading.get_ident()` of the thread with this kernel id, if it has run Python code.
pub(crate) fn ident_of(py: Python<'_>, native_id: u64) -> Option<u64> {
    // SAFETY: the states are of live threads of the stopped world.
    Stopped::stop(py)
        .threads()
        .map(|state| unsafe { frames::identity_of(state) })
        .find(|(_, native)| *native == native_id)
        .map(|found| found.0)
}

/// The kernel's ids of the other threads.
pub(crate) fn others(py: Python<'_>) -> Vec<u64> {
    let stopped = Stopped::stop(py);
    // SAFETY: the states are of live threads of the stopped world.
    let all = stopped.threads().map(|state| unsafe { frames::identity_of(state) }.1);
    all.filter(|native_id| *native_id != current_thread().slot.native_id()).collect()
}

/// Identity and stack of the thread with this kernel id.
pub(crate) fn stack_by_native_id(py: Python<'_>, native_id: u64) -> Option<(u64, Held)> {
    let stopped = Stopped::stop(py);
    // SAFETY: the states are of live threads of the stopped world.
    let state = stopped.threads().find(|state| unsafe { frames::identity_of(*state) }.1 == native_id)?;
    // SAFETY: as above.
    unsafe { Some((frames::identity_of(state).0, Held::new(frames::stack_of(state)))) }
}

/// The other driver of this coroutine or generator: the thread that executes its frame, or the one that runs the loop of the future
/// that it waits for.
///
/// # Safety
/// `generator` is alive and of a type that [`coroutines`] knows.
pub(crate) unsafe fn driver(py: Python<'_>, generator: *mut ffi::PyObject) -> Option<Owner> {
    // SAFETY: passed on.
    if unsafe { coroutines::is_executing(generator) } {
        // SAFETY: the states are of live threads of the stopped world.
        return inside(py, |state| unsafe { frames::of_thread(state) }.any(|frame| frame.is_of_generator(generator)));
    }
    let loop_ = {
        let _stopped = Stopped::stop(py);
        // SAFETY: stopped world; the object that a suspended frame awaits is alive.
        unsafe {
            let future = await_chain::awaited(generator).and_then(|awaited| futures::future_of_iterator(awaited));
            future.map_or(0, |future| futures::loop_of(future) as usize)
        }
    };
    match registry::get().loops.affinity(current_thread().slot, Realm::Asyncio, loop_) {
        Affinity::Elsewhere(thread) if loop_ != 0 => Some(Owner { thread, relation: Relation::RunsItsLoop }),
        Affinity::Elsewhere(_) | Affinity::Fine => None,
    }
}

/// The other thread that is in this `contextvars.Context`.
pub(crate) fn enterer(py: Python<'_>, context: *mut ffi::PyObject) -> Option<Owner> {
    // SAFETY: the states are of live threads of the stopped world, or the own one.
    inside(py, |state| unsafe { contexts::is_in(state, context) })
}

/// Whether the thread is inside a method of `object` right now: in a function of a library whose first argument it is, or in one that is
/// written in C.  If there are `names`, inside one of these.
pub(crate) fn user(py: Python<'_>, object: *mut ffi::PyObject, thread: Runner, names: &[String]) -> Option<Owner> {
    let (stack, inside, is_in_c) = {
        let stopped = Stopped::stop(py);
        let state = stopped.thread(thread.handle)?;
        // SAFETY: a live thread of the stopped world.
        unsafe {
            let inside = frames::of_thread(state).filter(|frame| frame.first_argument_is(object)).filter_map(|frame| frame.raw());
            let inside = inside.fold(RawStack::default(), |mut all, frame| {
                all.push(frame);
                all
            });
            let is_in_c = registry::get().loops.is_inside(thread.handle, object as usize);
            (Held::new(frames::stack_of(state)), Held::new(inside), is_in_c)
        }
    };
    let is_named = |frame: &frames::RawFrame| {
        let function = code_class::resolve(py, *frame).function;
        names.is_empty() || names.iter().any(|name| function.rsplit('.').next() == Some(name))
    };
    let is_method = |frame: &frames::RawFrame| matches!(code_class::class(py, frame.code), Class::Library | Class::Watched);
    let is_inside = is_in_c || inside.frames().iter().any(|frame| is_method(frame) && is_named(frame));
    is_inside.then(|| Owner { thread, relation: Relation::IsInside(stack) })
}
