//! The cold path: a misuse happened; who, where, and what was the owner doing?
//!
//! Order of work: the own stack, whether this is a misuse of the program at all, whether it is known already; only a new one
//! (and now and then a known one) stops the world for a look at the owner.  No code of the program runs: no `repr`, no
//! properties.

use crate::check::Verdict;
use crate::interpreter::frames::{self, RawFrame, RawStack};
use crate::interpreter::world::Stopped;
use crate::session::{Place, Recorded};
use crate::threads::{Busy, here};
use crate::watch::Watch;
use crate::{boundary, codes, creations, session, stacks};
use codes::Class;
use ftsan::loops::{Affinity, Runner};
use ftsan::options::OnFinding;
use ftsan::report::{Access, Finding, Frame, LoopInfo, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::{self, Rule};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyType};
use std::ffi::CStr;

pyo3::import_exception!(ftsan, Misuse);

/// The slow half of the check of a primitive: bind it, or find that it is another loop's.
///
/// # Safety
/// As [`crate::check::before`].
#[cold]
pub(crate) unsafe fn touch_primitive(watch: &'static Watch, object: *mut ffi::PyObject) -> Verdict {
    boundary::guarded(Verdict::GoOn, || {
        let here = here();
        if here.busy.get() {
            return Verdict::GoOn;
        }
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        let session = session::get();
        // SAFETY: attached.
        let own = unsafe { frames::stack_of(ffi::PyThreadState_GetUnchecked()) };
        if matches!(caller(py, own.frames(), watch.frames), Caller::Nested) {
            session.bindings.touch_part(here.slot, object as usize);
            return Verdict::GoOn;
        }
        match session.bindings.touch(&session.loops, here.slot, object as usize) {
            Affinity::Fine => Verdict::GoOn,
            // SAFETY: passed on.
            Affinity::Elsewhere(runner) => unsafe { misuse(watch, object, runner) },
        }
    })
}

/// Reports that the calling thread uses `object`, whose loop `runner` is running.
///
/// # Safety
/// Attached; `object` is alive.
#[cold]
pub(crate) unsafe fn misuse(watch: &'static Watch, object: *mut ffi::PyObject, runner: Runner) -> Verdict {
    boundary::guarded(Verdict::GoOn, || {
        if here().finalizing.get() > 0 {
            return Verdict::GoOn;
        }
        let Some(_busy) = Busy::enter() else { return Verdict::GoOn };
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        // SAFETY: the caller keeps it alive.
        let object = unsafe { Bound::from_borrowed_ptr(py, object) };
        // SAFETY: both are live type objects.
        if watch.except != 0 && unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), watch.except as *mut _) } != 0 {
            return Verdict::GoOn;
        }
        Misused { py, watch, object, runner }.report()
    })
}

/// Who called a watched function.
enum Caller {
    /// Code of the program; the index of its frame.
    Program(usize),
    /// A watched function that has reported already, one that is documented as thread-safe, or a finalizer.
    Nested,
}

/// Finds the caller beyond the frames of asyncio itself.
fn caller(py: Python<'_>, own: &[RawFrame], skip: usize) -> Caller {
    for (index, frame) in own.iter().enumerate().skip(skip) {
        match codes::class(py, frame.code) {
            Class::Library => {}
            Class::Watched | Class::ThreadSafe => return Caller::Nested,
            Class::Boundary => break,
            Class::Program => return Caller::Program(index),
        }
    }
    // The loop itself made the call: of a callback that was scheduled in the wrong loop, say.
    Caller::Program(skip.min(own.len().saturating_sub(1)))
}

struct Misused<'py> {
    py: Python<'py>,
    watch: &'static Watch,
    object: Bound<'py, PyAny>,
    runner: Runner,
}

/// What the world looked like while it was stopped.
struct Snapshot<'py> {
    /// The owner's stack.
    stack: RawStack,
    /// Where its tasks are suspended, each with what to call it.
    suspended: Vec<(String, RawStack)>,
    loop_: Bound<'py, PyAny>,
}

impl<'py> Misused<'py> {
    fn report(&self) -> Verdict {
        let py = self.py;
        // SAFETY: attached, own thread.
        let own = unsafe { frames::stack_of(ffi::PyThreadState_GetUnchecked()) };
        let Caller::Program(start) = caller(py, own.frames(), self.watch.frames) else { return Verdict::GoOn };
        let (rule, operation) = self.what_was_called(own.frames(), start);
        // `shield` makes its own future before it touches the given one, which is what is reported.
        if self.watch.operation == "create_future" && operation == "shield" {
            return Verdict::GoOn;
        }
        let own = &own.frames()[start..];
        if rule.id == "FT104" && self.is_done() {
            return Verdict::GoOn;
        }
        let place: Place = (std::ptr::from_ref(self.watch) as usize, own.first().copied().unwrap_or_default());
        let session = session::get();
        let title = match session.seen_again(&place) {
            Some(again) => {
                if again.sample_owner
                    && let Some(snapshot) = self.snapshot()
                {
                    for access in self.owner_accesses(&snapshot) {
                        session.add_owner_access(&place, access);
                    }
                    py.detach(|| session.bring_report_up_to_date());
                }
                again.title
            }
            None => {
                // The owner may have stopped the loop in the meantime: then there is no misuse any more.
                let Some(snapshot) = self.snapshot() else { return Verdict::GoOn };
                let finding = self.finding(rule, &operation, own, &snapshot);
                let title = finding.title.clone();
                match session.record(place, finding) {
                    Recorded::New => {
                        py.detach(|| session.tell(&place));
                        Some(title)
                    }
                    Recorded::Known => Some(title),
                    Recorded::Suppressed => None,
                }
            }
        };
        match (session.options.on_finding, title) {
            (OnFinding::Log, _) | (_, None) => Verdict::Misused,
            (OnFinding::Raise, Some(title)) => {
                Misuse::new_err(format!("{}: {title}", rule.id)).restore(py);
                Verdict::Raised
            }
            (OnFinding::Abort, Some(_)) => std::process::abort(),
        }
    }

    /// Rule and operation in terms of what the program called, which may have called the watched function in turn:
    /// `gather` adds callbacks to futures, `Queue.get` waits in `_get_loop`.
    fn what_was_called(&self, own: &[RawFrame], start: usize) -> (&'static Rule, String) {
        if start <= self.watch.frames {
            return (self.watch.rule, self.watch.operation.clone());
        }
        let waits = matches!(self.watch.operation.as_str(), "add_done_callback" | "remove_done_callback");
        let rule = if waits { rules::find("FT104").unwrap_or(self.watch.rule) } else { self.watch.rule };
        let function = codes::resolve(self.py, own[start - 1]).function;
        (rule, function.rsplit('.').next().unwrap_or(&function).to_owned())
    }

    fn is_done(&self) -> bool {
        own_method(&self.object, "done").is_some_and(|done| done.is_truthy().unwrap_or(false))
    }

    /// Looks at the owner; `None` if it runs the loop no more.
    fn snapshot(&self) -> Option<Snapshot<'py>> {
        let py = self.py;
        let (loop_, root) = {
            let stopped = Stopped::stop(py);
            let thread = self.owner_thread(&stopped)?;
            // SAFETY: the registry says that the thread is running this loop, and the world is stopped: it keeps it alive.
            let loop_ = unsafe { Bound::from_borrowed_ptr(py, self.runner.running as *mut ffi::PyObject) };
            // SAFETY: stopped world, live thread.
            let root = unsafe { frames::of_thread(thread) }.find_map(|frame| {
                let raw = frame.raw()?;
                let future = if codes::is_run_until_complete(raw.code) { frame.local(1) } else { None }?;
                // SAFETY: a local variable of a frame on the stack of a stopped thread is alive.
                Some(unsafe { Bound::from_borrowed_ptr(py, future) })
            });
            (loop_, root)
        };
        let coroutines = self.coroutines(&loop_, root);
        let stopped = Stopped::stop(py);
        let thread = self.owner_thread(&stopped)?;
        // SAFETY: stopped world, live thread; the coroutines are kept alive by our references.
        let (stack, chains) = unsafe {
            let chains: [RawStack; TASKS] =
                std::array::from_fn(|i| coroutines.get(i).map_or_else(RawStack::default, |(_, c)| frames::await_chain(c.as_ptr())));
            let stack = frames::stack_of(thread);
            // The frames may be gone when the world goes on.
            for frame in stack.frames().iter().chain(chains.iter().flat_map(RawStack::frames)) {
                ffi::Py_INCREF(frame.code as *mut ffi::PyObject);
            }
            (stack, chains)
        };
        drop(stopped);
        let suspended = coroutines
            .into_iter()
            .zip(chains)
            .filter(|(_, chain)| !chain.frames().is_empty())
            .map(|((n, _), chain)| (n, chain))
            .collect();
        Some(Snapshot { stack, suspended, loop_ })
    }

    fn owner_thread(&self, stopped: &Stopped<'_>) -> Option<*mut ffi::PyThreadState> {
        let running = self.runner.running;
        match session::get().loops.affinity(here().slot, running) {
            Affinity::Elsewhere(now) if now.handle == self.runner.handle => stopped.thread(now.handle),
            Affinity::Elsewhere(_) | Affinity::Fine => None,
        }
    }

    /// The coroutine that the loop was started with, or else some of its tasks'.
    fn coroutines(&self, loop_: &Bound<'py, PyAny>, root: Option<Bound<'py, PyAny>>) -> Vec<(String, Bound<'py, PyAny>)> {
        let tasks: Vec<Bound<'py, PyAny>> = match root {
            Some(task) => vec![task],
            None => {
                let all = loaded(self.py, c"_asyncio").and_then(|module| module.call_method1("all_tasks", (loop_,)).ok());
                let all = all.and_then(|all| all.cast_into::<PySet>().ok());
                all.map_or_else(Vec::new, |all| all.iter().collect())
            }
        };
        let name = |task: &Bound<'py, PyAny>| own_method(task, "get_name")?.extract::<String>().ok();
        let mut named: Vec<(String, Bound<'py, PyAny>)> = tasks
            .iter()
            .filter_map(|task| Some((name(task)?, own_method(task, "get_coro").filter(|coro| !coro.is_none())?)))
            .collect();
        named.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
        named.truncate(TASKS);
        named
    }

    fn finding(&self, rule: &'static Rule, operation: &str, own: &[RawFrame], snapshot: &Snapshot<'py>) -> Finding {
        let slot = here().slot;
        let offender = self.thread(slot.ident(), slot.native_id());
        let owner = self.thread(self.runner.ident, self.runner.native_id);
        let class = type_name(&self.object);
        let short = class.rsplit('.').next().unwrap_or(&class).to_owned();
        let what = match (rule.id, operation) {
            ("FT104", "await" | "__await__") => format!("{short} awaited"),
            ("FT104", operation) => format!("{short} given to {operation}()"),
            (_, "__init__") => format!("{short} created for a foreign loop"),
            (_, operation) => format!("{short}.{operation}() called"),
        };
        let title = format!("{what} in thread '{}' while thread '{}' runs its loop", offender.name, owner.name);
        let id = format!("{:#x}", self.object.as_ptr() as usize);
        let repr = match own_method(&self.object, "get_name") {
            Some(name) => format!("<{short} {name} at {id}>"),
            None => format!("<{short} at {id}>"),
        };
        let loop_ = LoopInfo {
            r#type: type_name(&snapshot.loop_),
            id: format!("{:#x}", snapshot.loop_.as_ptr() as usize),
            thread: owner.name.clone(),
        };
        let mut accesses = vec![Access {
            role: Role::Offending,
            operation: operation.to_owned(),
            thread: Some(offender),
            stack: self.offending_stack(own),
        }];
        accesses.extend(self.owner_accesses(snapshot));
        let created = stacks::get(creations::of(self.object.as_ptr() as usize));
        if !created.is_empty() {
            let first = caller_of_creation(self.py, created).unwrap_or_default();
            accesses.push(Access {
                role: Role::Created,
                operation: "create".to_owned(),
                thread: None,
                stack: self.resolve(&created[first..]),
            });
        }
        Finding::new(rule, title, ObjectInfo { r#type: class, repr, id }, Some(loop_), accesses)
    }

    /// The stack of the call.  If asyncio made it in a task that runs no code of the program, where that task was created.
    fn offending_stack(&self, own: &[RawFrame]) -> Vec<Frame> {
        let mut stack = self.resolve(own);
        if own.first().is_some_and(|frame| codes::class(self.py, frame.code) != Class::Program) {
            let task = loaded(self.py, c"_asyncio").and_then(|module| module.call_method0("current_task").ok());
            let created = task.map_or(&[][..], |task| stacks::get(creations::of(task.as_ptr() as usize)));
            let mut frames = self.resolve(&created[caller_of_creation(self.py, created).unwrap_or_default()..]);
            via(&mut frames, "in a task created at");
            stack.append(&mut frames);
        }
        stack
    }

    /// What the owner's thread is doing, and where its tasks are waiting.
    fn owner_accesses(&self, snapshot: &Snapshot<'py>) -> Vec<Access> {
        let owner = self.thread(self.runner.ident, self.runner.native_id);
        let mut accesses = Vec::new();
        // What the program's own coroutine waits for comes first: that is what its author knows.
        let mut suspended = snapshot.suspended.iter();
        let mut stack = Vec::new();
        let mut thread = self.resolve(snapshot.stack.frames());
        if let Some((name, chain)) = suspended.next() {
            stack = self.resolve(chain.frames());
            via(&mut stack, &format!("{name} is suspended at"));
            via(&mut thread, "the thread itself is at");
        }
        stack.append(&mut thread);
        accesses.push(Access { role: Role::Owner, operation: "run".to_owned(), thread: Some(owner.clone()), stack });
        for (name, chain) in suspended {
            let stack = self.resolve(chain.frames());
            accesses.push(Access { role: Role::Owner, operation: name.clone(), thread: Some(owner.clone()), stack });
        }
        // SAFETY: references taken by `snapshot`, of frames that are resolved by now.
        unsafe {
            for frame in snapshot.stack.frames().iter().chain(snapshot.suspended.iter().flat_map(|(_, chain)| chain.frames())) {
                ffi::Py_DECREF(frame.code as *mut ffi::PyObject);
            }
        }
        accesses
    }

    fn resolve(&self, frames: &[RawFrame]) -> Vec<Frame> {
        frames.iter().map(|frame| codes::resolve(self.py, *frame)).collect()
    }

    /// Name and origin of a thread, from what `threading` knows; never makes a dummy thread and takes no lock of the host's.
    fn thread(&self, ident: u64, native_id: u64) -> ThreadInfo {
        let known = || -> PyResult<Option<(String, usize)>> {
            let Some(threading) = loaded(self.py, c"threading") else { return Ok(None) };
            let active = threading.getattr("_active")?.cast_into::<PyDict>()?;
            let Some(thread) = active.get_item(ident)? else { return Ok(None) };
            Ok(Some((thread.getattr("_name")?.extract()?, thread.as_ptr() as usize)))
        };
        let (name, object) = known().ok().flatten().unwrap_or_else(|| (format!("thread {ident}"), 0));
        let started_at = if object == 0 { &[][..] } else { stacks::get(creations::of(object)) };
        ThreadInfo { name, ident, native_id, started_at: self.resolve(started_at) }
    }
}

/// Says how the first of these frames is linked to what comes before them.
fn via(frames: &mut [Frame], how: &str) {
    if let Some(first) = frames.first_mut() {
        first.via = Some(how.to_owned());
    }
}

/// How many tasks of a loop are looked at.
const TASKS: usize = 3;

fn caller_of_creation(py: Python<'_>, created: &[RawFrame]) -> Option<usize> {
    created.iter().position(|frame| matches!(codes::class(py, frame.code), Class::Program))
}

/// A module that is imported already, without going through the program's import machinery.
fn loaded<'py>(py: Python<'py>, name: &CStr) -> Option<Bound<'py, PyAny>> {
    // SAFETY: attached; gives a new reference or null without an exception that matters here.
    unsafe {
        let name = ffi::PyUnicode_FromString(name.as_ptr());
        let module = ffi::PyImport_GetModule(name);
        ffi::Py_XDECREF(name);
        Bound::from_owned_ptr_or_opt(py, module)
    }
}

/// Calls a method of asyncio's Future or Task (C-accelerated or not) on an instance, whatever a subclass made of it.
fn own_method<'py>(object: &Bound<'py, PyAny>, name: &str) -> Option<Bound<'py, PyAny>> {
    let classes =
        [(c"_asyncio", "Task"), (c"_asyncio", "Future"), (c"asyncio.tasks", "_PyTask"), (c"asyncio.futures", "_PyFuture")];
    classes.into_iter().find_map(|(module, class)| {
        let class = loaded(object.py(), module)?.getattr(class).ok()?;
        let class = class.cast_into::<PyType>().ok()?;
        // Not isinstance, which asks the object for its `__class__`.
        // SAFETY: both are live type objects.
        let is_one = unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), class.as_type_ptr()) } != 0;
        if is_one { class.getattr(name).ok()?.call1((object,)).ok() } else { None }
    })
}

/// `module.qualname` of an object's type, without asking the object.
fn type_name(object: &Bound<'_, PyAny>) -> String {
    let class = object.get_type();
    class.fully_qualified_name().map_or_else(|_| "?".to_owned(), |name| name.to_string_lossy().into_owned())
}
