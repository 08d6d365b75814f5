//! The cold path: a misuse happened; who, where, and what was the owner doing?
//!
//! Order of work: the own stack, whether this is a misuse of the program at all, whether it is known already; only a new one
//! (and now and then a known one) stops the world for a look at the owner.  No code of the program runs: no `repr`, no
//! properties.

use crate::engine::affinity::contend;
use crate::engine::affinity::watch::{Kind, Watch};
use crate::evidence::owner_snapshot::{self, INSIDE, Owner, Relation, Snapshot};
use crate::findings::session::{self, Known, Place, Recorded};
use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::{self, RawFrame};
use crate::interpreter::introspection::{is_greenlet_of_this_thread, loaded, own_method, stacks_of_outer_greenlets, type_name};
use crate::thread::code_class::{self, Class};
use crate::thread::context::{Busy, here};
use crate::thread::outcome::Outcome;
use crate::thread::{guard, origins, recorder, registry, stacks};
use ftsan::bindings::Touch;
use ftsan::loops::{Affinity, Runner};
use ftsan::options::OnFinding;
use ftsan::report::{Access, Finding, Frame, LoopInfo, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::{self, Rule};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

pyo3::import_exception!(ftsan, Misuse);

/// The slow half of the check of a primitive: bind it, or find that it is another loop's.  `part` is what belongs to a loop, the
/// object itself mostly.
///
/// # Safety
/// As [`crate::engine::affinity::check::before`].
#[cold]
pub(crate) unsafe fn touch_primitive(watch: &'static Watch, object: *mut ffi::PyObject, part: *mut ffi::PyObject) -> Outcome {
    guard::guarded(Outcome::Continue, || {
        let here = here();
        if here.busy.get() {
            return Outcome::Continue;
        }
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        let registry = registry::get();
        // SAFETY: passed on.
        if !unsafe { is_programs_call(watch) } {
            registry.bindings.touch_part(here.slot, watch.realm, part as usize);
            return Outcome::Continue;
        }
        let owner = match registry.bindings.touch(&registry.loops, here.slot, watch.realm, part as usize) {
            Touch::Fine => None,
            Touch::Elsewhere(thread) => Some(Owner { thread, relation: Relation::RunsItsLoop }),
            Touch::TakenOver(thread) => owner_snapshot::user(py, object, thread),
        };
        // SAFETY: passed on.
        owner.map_or(Outcome::Continue, |owner| unsafe { judge(watch, object, owner) })
    })
}

/// What a call is reported as before the sockets, descriptors and selectors are looked at that it touches in turn.
pub(crate) const COVERS: &[&str] = &["FT101", "FT105", "FT109", "FT204", "FT208", "FT301", "FT303", "FT306"];

/// The calling thread uses an object that another thread used last: fine, unless that one is still inside.
///
/// # Safety
/// As [`crate::engine::affinity::check::before`].
#[cold]
pub(crate) unsafe fn take_over(watch: &'static Watch, object: *mut ffi::PyObject) -> Outcome {
    guard::guarded(Outcome::Continue, || {
        let here = here();
        if here.busy.get() {
            return Outcome::Continue;
        }
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        let (session, registry) = (session::get(), registry::get());
        let owner = loop {
            let last = registry.bindings.last_user(object as usize);
            let thread = match last.thread(&registry.loops, here.slot) {
                Some(Affinity::Elsewhere(thread)) if here.looks_worth_it() => Some(thread),
                Some(_) | None => None,
            };
            if let Some(owner) = thread.and_then(|thread| owner_snapshot::user(py, object, thread)) {
                break owner;
            }
            // Who was faster is inside now.
            if registry.bindings.take(here.slot, object as usize, last) {
                if thread.is_some() {
                    contend::give(py);
                }
                return Outcome::Continue;
            }
        };
        // What the other thread should not be doing is a finding already, and this thread the victim: unless it did the same there.
        let known = |rules: &[&str]| {
            let Relation::IsInside(stack) = &owner.relation else { return None };
            let mut lines = stack.frames().iter().map(|frame| code_class::resolve(py, *frame));
            lines.find_map(|line| session.known_misuse(&line, rules, Some(here.slot.ident())))
        };
        if let Some(known) = known(&[watch.rule.id]) {
            // SAFETY: passed on.
            unsafe { add_victim(watch, known) };
            return Outcome::Continue;
        }
        if known(COVERS).is_some() {
            return Outcome::Continue;
        }
        // SAFETY: passed on.
        unsafe { judge(watch, object, owner) }
    })
}

/// Adds where the calling thread is to a finding that it is the victim of.
///
/// # Safety
/// Attached.
unsafe fn add_victim(watch: &'static Watch, known: Known) {
    // SAFETY: passed on; the own stack.
    let (py, own) = unsafe { (Python::assume_attached(), frames::own_stack()) };
    if let Caller::Program(start) = caller(py, own.frames().iter().copied(), watch.frames) {
        let (thread, stack) = (own_thread_info(py), resolve_all(py, &own.frames()[start..]));
        let access = Access { role: Role::Owner, operation: INSIDE.to_owned(), thread: Some(thread), stack };
        session::get().add_owner_access(known, access);
    }
}

/// Whether the program made this call, and not another watched function (`__init__`, say) on its way.
///
/// # Safety
/// Attached.
#[cold]
pub(crate) unsafe fn is_programs_call(watch: &'static Watch) -> bool {
    guard::guarded(true, || {
        // SAFETY: passed on; the own stack.
        let (py, own) = unsafe { (Python::assume_attached(), frames::own()) };
        matches!(caller(py, own.filter_map(frames::Frame::raw), watch.frames), Caller::Program(_))
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
        watch.bindings.give_to_thread(here().slot, object as usize);
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
    guard::guarded(Outcome::Continue, || {
        if here().busy.get() {
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
    guard::guarded(Outcome::Continue, || {
        if here().is_finalizing() {
            return Outcome::Continue;
        }
        let Some(_busy) = Busy::enter() else { return Outcome::Continue };
        recorder::note_misuse(here(), watch.recorded_as, object);
        // SAFETY: passed on.
        let py = unsafe { Python::assume_attached() };
        // SAFETY: the caller keeps it alive.
        let object = unsafe { Bound::from_borrowed_ptr(py, object) };
        // SAFETY: both are live type objects.
        if watch.except != 0 && unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), watch.except as *mut _) } != 0 {
            return Outcome::Continue;
        }
        Misused { py, watch, object, thread: owner.thread }.report(owner)
    })
}

/// Who called a watched function.
enum Caller {
    /// Code of the program; the index of its frame.
    Program(usize),
    /// A watched function that has reported already, one that is documented as thread-safe, or a finalizer.
    Nested,
}

/// Finds the caller beyond the frames of the library itself.
fn caller(py: Python<'_>, own: impl Iterator<Item = RawFrame>, skip: usize) -> Caller {
    let mut last = 0;
    for (index, frame) in own.enumerate() {
        last = index;
        if index < skip {
            continue;
        }
        match code_class::class(py, frame.code) {
            Class::Library => {}
            Class::Watched | Class::ThreadSafe => return Caller::Nested,
            Class::Boundary => break,
            Class::Program => return Caller::Program(index),
        }
    }
    // The loop itself made the call: of a callback that was scheduled in the wrong loop, say.
    Caller::Program(skip.min(last))
}

struct Misused<'py> {
    py: Python<'py>,
    watch: &'static Watch,
    object: Bound<'py, PyAny>,
    /// The owner.
    thread: Runner,
}

impl<'py> Misused<'py> {
    fn report(&self, owner: Owner) -> Outcome {
        let py = self.py;
        // SAFETY: attached, own thread.
        let own = unsafe { frames::own_stack() };
        let Caller::Program(start) = caller(py, own.frames().iter().copied(), self.watch.frames) else { return Outcome::Continue };
        let (rule, operation) = self.what_was_called(own.frames(), start);
        // `shield` makes its own future before it touches the given one, which is what is reported.
        if self.watch.operation == "create_future" && operation == "shield" {
            return Outcome::Continue;
        }
        let own = &own.frames()[start..];
        // Cython's coroutines have no frames: the future that `await loop.create_connection()` waits for inside belongs to that call.
        if rule.id == "FT104"
            && own
                .first()
                .is_some_and(|frame| session::get().is_known_misuse(&code_class::resolve(py, *frame), &["FT101", "FT105"]))
        {
            return Outcome::Continue;
        }
        if rule.id == "FT204"
            && let Some(known) =
                own.first().and_then(|frame| session::get().known_misuse(&code_class::resolve(py, *frame), &["FT203"], None))
        {
            if let Some(snapshot) = owner_snapshot::look(py, owner) {
                self.add_owner_accesses(known, &snapshot);
            }
            return Outcome::Continue;
        }
        if rule.id == "FT104" && self.is_done() {
            return Outcome::Continue;
        }
        let place: Place = (std::ptr::from_ref(self.watch) as usize, own.first().copied().unwrap_or_default());
        let session = session::get();
        let title = match session.seen_again(&place) {
            Some(again) => {
                // Whose stack is at hand already costs no look.
                let is_at_hand = matches!(owner.relation, Relation::IsInside(_)) && again.title.is_some();
                if (again.sample_owner || is_at_hand)
                    && let Some(snapshot) = owner_snapshot::look(py, owner)
                {
                    self.add_owner_accesses(again.known, &snapshot);
                    if again.sample_owner {
                        py.detach(|| session.bring_report_up_to_date());
                    }
                }
                again.title
            }
            None => {
                // The owner may have stopped the loop in the meantime: then there is no misuse any more.
                let relation = owner.relation(&self.thread_info(&owner.thread).name);
                let Some(snapshot) = owner_snapshot::look(py, owner) else { return Outcome::Continue };
                let finding = self.finding(rule, &operation, own, &relation, &snapshot);
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
            (OnFinding::Log, _) | (_, None) => Outcome::Misuse,
            (OnFinding::Raise, Some(title)) => {
                Misuse::new_err(format!("{}: {title}", rule.id)).restore(py);
                Outcome::Raised
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
        // What the program wrote is `async with`, not `__aenter__`: that says less than what is called in turn.
        let called = own[self.watch.frames.saturating_sub(1)..start].iter().rev();
        let names = called.map(|frame| code_class::resolve(self.py, *frame).function);
        let name = names.map(|name| name.rsplit('.').next().unwrap_or(&name).to_owned()).find(|name| !name.starts_with("__"));
        (rule, name.unwrap_or_else(|| self.watch.operation.clone()))
    }

    fn is_done(&self) -> bool {
        own_method(&self.object, "done").is_some_and(|done| done.is_truthy().unwrap_or(false))
    }

    fn finding(&self, rule: &'static Rule, operation: &str, own: &[RawFrame], relation: &str, snapshot: &Snapshot<'py>) -> Finding {
        let offender = own_thread_info(self.py);
        let owner = self.thread_info(&self.thread);
        let class = type_name(&self.object);
        let short = class.rsplit('.').next().unwrap_or(&class).to_owned();
        let what = match (rule.id, operation) {
            ("FT104", "await" | "__await__") => format!("{short} awaited"),
            ("FT104", operation) => format!("{short} given to {operation}()"),
            (_, "__init__") => format!("{short} created for a foreign loop"),
            (_, operation) => format!("{short}.{operation}() called"),
        };
        let title = format!("{what} in thread '{}' {relation}", offender.name);
        let id = format!("{:#x}", self.object.as_ptr() as usize);
        let repr = match own_method(&self.object, "get_name") {
            Some(name) => format!("<{short} {name} at {id}>"),
            None => format!("<{short} at {id}>"),
        };
        let loop_ = snapshot.loop_.as_ref().map(|loop_| LoopInfo {
            r#type: type_name(loop_),
            id: format!("{:#x}", loop_.as_ptr() as usize),
            thread: owner.name.clone(),
        });
        let mut accesses = vec![Access {
            role: Role::Offending,
            operation: operation.to_owned(),
            thread: Some(offender),
            stack: self.offending_stack(own),
        }];
        accesses.extend(self.owner_accesses(snapshot));
        let created = stacks::get(origins::of(self.object.as_ptr() as usize));
        if !created.is_empty() {
            let first = caller_of_creation(self.py, created).unwrap_or_default();
            accesses.push(Access {
                role: Role::Created,
                operation: if self.watch.kind == Kind::AsyncGenerator { "iterated first" } else { "created" }.to_owned(),
                thread: None,
                stack: self.resolve(&created[first..]),
            });
        }
        Finding::new(rule, title, ObjectInfo { r#type: class, repr, id }, loop_, accesses)
    }

    /// The stack of the call.  If asyncio made it in a task that runs no code of the program, where that task was created.
    fn offending_stack(&self, own: &[RawFrame]) -> Vec<Frame> {
        let mut stack = self.resolve(own);
        for outer in stacks_of_outer_greenlets(self.py) {
            let mut frames = self.resolve(&outer);
            via(&mut frames, "in a greenlet that was switched to from");
            stack.append(&mut frames);
        }
        if own.first().is_some_and(|frame| code_class::class(self.py, frame.code) != Class::Program) {
            let task = loaded(self.py, c"_asyncio").and_then(|module| module.call_method0("current_task").ok());
            let created = task.map_or(&[][..], |task| stacks::get(origins::of(task.as_ptr() as usize)));
            let mut frames = self.resolve(&created[caller_of_creation(self.py, created).unwrap_or_default()..]);
            via(&mut frames, "in a task created at");
            stack.append(&mut frames);
        }
        stack
    }

    fn add_owner_accesses(&self, known: Known, snapshot: &Snapshot<'py>) {
        for access in self.owner_accesses(snapshot) {
            session::get().add_owner_access(known, access);
        }
    }

    /// What the owner's thread is doing, and where its tasks are waiting.
    fn owner_accesses(&self, snapshot: &Snapshot<'py>) -> Vec<Access> {
        let owner = self.thread_info(&self.thread);
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
        accesses.push(Access { role: Role::Owner, operation: snapshot.operation.to_owned(), thread: Some(owner.clone()), stack });
        for (name, chain) in suspended {
            let stack = self.resolve(chain.frames());
            accesses.push(Access { role: Role::Owner, operation: name.clone(), thread: Some(owner.clone()), stack });
        }
        accesses
    }

    fn resolve(&self, frames: &[RawFrame]) -> Vec<Frame> {
        resolve_all(self.py, frames)
    }

    fn thread_info(&self, thread: &Runner) -> ThreadInfo {
        thread_info(self.py, thread.ident, thread.native_id)
    }
}

/// Name and origin of a thread, from what `threading` knows; never makes a dummy thread and takes no lock of the host's.
pub(crate) fn thread_info(py: Python<'_>, ident: u64, native_id: u64) -> ThreadInfo {
    let known = || -> PyResult<Option<(String, usize)>> {
        let Some(threading) = loaded(py, c"threading") else { return Ok(None) };
        let active = threading.getattr("_active")?.cast_into::<PyDict>()?;
        let starting =
            || threading.getattr("Thread").ok().filter(|_| ident == here().slot.ident()).and_then(|class| beginner(&class));
        let Some(thread) = active.get_item(ident)?.or_else(starting) else { return Ok(None) };
        Ok(Some((thread.getattr("_name")?.extract()?, thread.as_ptr() as usize)))
    };
    let (name, object) = known().ok().flatten().unwrap_or_else(|| (format!("thread {ident}"), 0));
    let started_at = if object == 0 { &[][..] } else { stacks::get(origins::of(object)) };
    ThreadInfo { name, ident, native_id, started_at: resolve_all(py, started_at) }
}

/// The thread object whose method the calling thread began with: `threading` does not know of it yet, or not any more.
fn beginner<'py>(class: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = class.py();
    // SAFETY: attached, and it is our own stack.
    let stack = unsafe { frames::own() };
    let (frame, raw) = stack.filter_map(|frame| Some((frame, frame.raw()?))).last()?;
    // SAFETY: the code object of a running frame is alive, and so are its local variables.
    let first = unsafe {
        let code = Code::of(&Bound::from_borrowed_ptr(py, raw.code as *mut ffi::PyObject))?;
        Bound::from_borrowed_ptr_or_opt(py, frame.local(0).filter(|_| code.arguments() > 0)?)?
    };
    // SAFETY: both are live type objects.
    let is_one = unsafe { ffi::PyType_IsSubtype(first.get_type_ptr(), class.cast::<PyType>().ok()?.as_type_ptr()) } != 0;
    is_one.then_some(first)
}

fn own_thread_info(py: Python<'_>) -> ThreadInfo {
    let slot = here().slot;
    thread_info(py, slot.ident(), slot.native_id())
}

pub(crate) fn resolve_all(py: Python<'_>, frames: &[RawFrame]) -> Vec<Frame> {
    frames.iter().map(|frame| code_class::resolve(py, *frame)).collect()
}

/// Says how the first of these frames is linked to what comes before them.
fn via(frames: &mut [Frame], how: &str) {
    if let Some(first) = frames.first_mut() {
        first.via = Some(how.to_owned());
    }
}

fn caller_of_creation(py: Python<'_>, created: &[RawFrame]) -> Option<usize> {
    created.iter().position(|frame| matches!(code_class::class(py, frame.code), Class::Program))
}
