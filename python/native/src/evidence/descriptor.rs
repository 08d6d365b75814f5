//! The cold path of the descriptor rules: from a suspicion of the injected library to a finding.
//!
//! The caller may be detached, in the middle of a system call: it is attached while this lasts.  What hangs on what another thread is
//! doing is looked at once more, with the world stopped.

use crate::evidence::owner_snapshot::{self, Held};
use crate::evidence::thread_names::thread_info;
use crate::evidence::{guarded_close, native_frames};
use crate::findings::process;
use crate::findings::report::{Addition, Case, Raises, report};
use crate::findings::store::FindingKey;
use crate::interpreter::frames::{self, RawFrame};
use crate::thread::caller::{OwnLine, own_line};
use crate::thread::code_class::{self, resolve_all};
use crate::thread::context::{InSlowPath, scheduled};
use crate::thread::{guard, hooks_link, registry};
use ftsan::descriptors::{FdKind, Mark, Suspicion};
use ftsan::recording::operation::{CLOSE, EPOLL_CTL, EPOLL_WAIT, Operation, POLL, SELECT};
use ftsan::recording::{Recording, ThreadId, ThreadRecord};
use ftsan::report::{Access, Finding, Frame, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::family::descriptors::SystemCall;
use ftsan::rules::{self, Rule};
use libc::c_int;
use pyo3::ffi;
use pyo3::prelude::*;
use std::time::Duration;

/// Attached for as long as it lives, if the thread was not already.
enum Attached {
    Was,
    Detached,
}

impl Attached {
    /// Not a thread that C code has started and that is not in Python: it may be joined by a thread that is, which then would never stop for
    /// the one that it waits for.  granian does so at its end.
    fn attach() -> Option<Self> {
        // SAFETY: plain questions, then what C code does around a blocking call: the thread's own state is taken back.
        unsafe {
            if ffi::Py_IsInitialized() == 0 || ffi::Py_IsFinalizing() != 0 {
                return None;
            }
            let state = ffi::PyGILState_GetThisThreadState();
            if state.is_null() {
                return None;
            }
            if !ffi::PyThreadState_GetUnchecked().is_null() {
                return Some(Attached::Was);
            }
            ffi::PyEval_RestoreThread(state);
            Some(Attached::Detached)
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: undoes `attach`.
        unsafe {
            match self {
                Attached::Was => {}
                Attached::Detached => {
                    ffi::PyEval_SaveThread();
                }
            }
        }
    }
}

/// Reports what is suspected, if it is true.
pub(crate) fn suspect(suspicion: &Suspicion, operation: Operation, fd: c_int, mark: Mark) {
    guard::catch_panic((), || {
        let Some(recording) = hooks_link::recording() else { return };
        if !process::is_started() || !still_true(recording, suspicion, fd) {
            return;
        }
        let Some(_attached) = Attached::attach() else { return };
        // SAFETY: just attached.
        let py = unsafe { Python::assume_attached() };
        let Some(_busy) = InSlowPath::enter() else { return };
        // An exception that is on its way is the program's.
        // SAFETY: attached.
        let pending = unsafe { ffi::PyErr_GetRaisedException() };
        Suspected { py, recording, operation, fd, mark }.report(suspicion);
        // SAFETY: attached; null clears what we may have left.
        unsafe { ffi::PyErr_SetRaisedException(pending) };
    });
}

/// Whether a thread is blocked in the call that it is in.  One that runs may be on its way out: whoever wakes another thread up with a byte is
/// often still in its `send` when the other one, which took its processor, goes on.  It gets the time to leave.
fn is_blocked(record: &ThreadRecord) -> bool {
    let call = record.begun();
    for _ in 0..20 {
        if record.begun() != call || record.inside().is_none() {
            return false;
        }
        if scheduled(record.native_id()).is_none_or(|thread| matches!(thread.state, b'S' | b'D')) {
            return true;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    // It wants to run all the time, and a busy machine does not let it.
    false
}

/// Whether the thread that is suspected to be in a call on this descriptor is there.
fn still_true(recording: &Recording, suspicion: &Suspicion, fd: c_int) -> bool {
    let inside = |by: ThreadId, holds: &dyn Fn(Operation, i32, u64) -> bool| {
        let record = recording.thread(by).filter(|record| record.is_live());
        record.and_then(|record| record.inside()).is_some_and(|(operation, on, object)| holds(operation, on, object))
    };
    let blocked = |by: ThreadId| recording.thread(by).is_some_and(is_blocked);
    match *suspicion {
        Suspicion::ClosedWhileUsed { by } => {
            inside(by, &|operation, on, _| on == fd && operation != CLOSE || operation == POLL || operation == SELECT)
                && blocked(by)
        }
        Suspicion::Shared { by, epoll } => inside(by, &|operation, on, _| operation == EPOLL_WAIT && on == epoll),
        Suspicion::ClosedWhilePolled { by, epoll, .. } => {
            inside(by, &|operation, on, _| operation == EPOLL_WAIT && on == epoll) || runs_a_loop(recording, by)
        }
        // What fits is sent as a whole: only who is blocked has sent a part, and is to send the rest.
        Suspicion::Interleaved { by, .. } => inside(by, &|operation, on, _| on == fd && operation != EPOLL_CTL) && blocked(by),
        Suspicion::RegisteredByTwo { by, mark } => {
            mark.stack != 0 || inside(by, &|operation, on, _| operation == EPOLL_CTL && on == fd)
        }
        // Who has ended will not restore it: it is the other's now.
        Suspicion::RedirectedByTwo { redirected } => recording.thread(redirected.thread).is_some_and(ThreadRecord::is_live),
        Suspicion::Reused { .. } | Suspicion::DoubleClose { .. } | Suspicion::Reaped { .. } => true,
    }
}

/// Whether a thread runs a loop of asyncio, which polls what it has registered whenever it has nothing else to do.
fn runs_a_loop(recording: &Recording, by: ThreadId) -> bool {
    recording.thread(by).is_some_and(|record| registry::get().loops.runs_asyncio(record.native_id()))
}

struct Suspected<'py> {
    py: Python<'py>,
    recording: &'static Recording,
    operation: Operation,
    fd: c_int,
    /// The caller.
    mark: Mark,
}

/// What happened between two threads.
#[derive(Default)]
struct Story {
    /// What the descriptor is, or was, with its number.
    what: String,
    /// Name of the thread that the finding is about.
    thread: String,
    /// Name of the other one.
    other: String,
    /// What the other one does, or of a selector the method that this one called.
    operation: String,
    /// The thread that the finding is about is the victim.
    is_victim: bool,
    accesses: Vec<Access>,
    /// Harm was seen, not only made possible.
    witnessed: bool,
}

/// What is suspected and true, and to be reported.
struct Found<'a, 'py> {
    suspected: &'a Suspected<'py>,
    suspicion: &'a Suspicion,
    rule: &'static Rule,
    stack: &'a [Frame],
    /// Qualified name of the method of a selector.
    method: Option<String>,
}

impl Case for Found<'_, '_> {
    fn finding(self) -> Option<Finding> {
        let story = self.suspected.tell(self.suspicion, self.stack, self.method)?;
        Some(self.suspected.finding(self.rule, self.suspicion, story))
    }

    fn again(self, is_sampled: bool) -> Addition {
        let story = if is_sampled { self.suspected.tell(self.suspicion, self.stack, self.method) } else { None };
        let accesses = story.into_iter().flat_map(|story| story.accesses);
        Addition { owners: accesses.filter(|access| access.role == Role::Owner).collect(), ..Addition::default() }
    }
}

impl Story {
    /// The same, of the thread and the descriptor of `whole`.
    fn of(self, whole: Story) -> Story {
        Story { what: whole.what, thread: whole.thread, witnessed: whole.witnessed, ..self }
    }
}

impl Suspected<'_> {
    fn report(&self, suspicion: &Suspicion) {
        let Some(rule) = rules::of_system_call(suspicion) else { return };
        // SAFETY: attached, own thread.
        let own = unsafe { frames::own_stack() };
        let all = resolve_all(self.py, own.frames());
        let skipped = library_frames(&all);
        let mut stack = native_frames::innermost();
        stack.extend_from_slice(&all[skipped..]);
        // SAFETY: attached.
        let line = match unsafe { own_line(self.py, skipped) } {
            OwnLine::At(line) if line > skipped => line,
            OwnLine::At(_) | OwnLine::Given(..) | OwnLine::Nowhere => skipped,
        };
        if line > skipped {
            // The program's own line first, then what it leads to in installed packages.
            let outer = stack.split_off(stack.len() - (all.len() - line));
            let mut inner = std::mem::replace(&mut stack, outer);
            if let Some(first) = inner.first_mut() {
                first.via = Some("which leads to".to_owned());
            }
            stack.append(&mut inner);
        }
        let stack = &stack[..];
        let in_selector = all.iter().find(|frame| frame.file.ends_with("/selectors.py"));
        if matches!(suspicion, Suspicion::Shared { .. }) && in_selector.is_none() {
            return;
        }
        let method = in_selector.map(|frame| frame.function.clone());
        // The call that led here is a finding already.
        let is_known = |line: &Frame| process::get().known_misuse(line, Rule::covers_what_it_calls, None).is_some();
        if stack.first().is_some_and(is_known) {
            return;
        }
        let own_place = own.frames().get(line).copied().unwrap_or_default();
        let place: FindingKey = (std::ptr::from_ref(rule) as usize, past_place(suspicion).unwrap_or(own_place));
        report(self.py, place, Raises::Later, Found { suspected: self, suspicion, rule, stack, method });
    }

    fn finding(&self, rule: &'static Rule, suspicion: &Suspicion, story: Story) -> Finding {
        let is_child = matches!(suspicion, Suspicion::Reaped { .. });
        let kind = if is_child { "child process" } else { self.recorded_kind() };
        let repr = if is_child { format!("child process {}", self.fd) } else { format!("descriptor {} ({kind})", self.fd) };
        let object = ObjectInfo { r#type: kind.to_owned(), repr, id: format!("{:#x}", self.fd) };
        let told = rule.tell_system_call(&SystemCall {
            suspicion,
            what: &story.what,
            now: kind,
            thread: &story.thread,
            other: &story.other,
            operation: &story.operation,
            is_victim: story.is_victim,
        });
        let mut finding = Finding::new(rule, told, object, None, story.accesses);
        finding.witnessed = story.witnessed;
        finding
    }

    fn recorded_kind(&self) -> &'static str {
        hooks_link::kind(self.fd).name()
    }

    fn tell(&self, suspicion: &Suspicion, stack: &[Frame], method: Option<String>) -> Option<Story> {
        let fd = self.fd;
        let me = self.thread_of(self.mark);
        let here =
            |role: Role| Access { role, operation: self.name(self.operation), thread: Some(me.clone()), stack: stack.to_vec() };
        let created = || self.past(Role::Created, "opened", hooks_link::opened_by(fd));
        let story = Story {
            what: format!("{} {fd}", noun(hooks_link::kind(fd))),
            thread: me.name.clone(),
            witnessed: true,
            ..Story::default()
        };
        let with = |other: Access| Story {
            other: name_of(&other).to_owned(),
            operation: other.operation.clone(),
            accesses: vec![here(Role::Offending), other],
            ..Story::default()
        };
        let mut told = match *suspicion {
            Suspicion::ClosedWhileUsed { by } | Suspicion::Interleaved { by, .. } => with(self.present(by)?),
            Suspicion::ClosedWhilePolled { by, registered, .. } => {
                let is_selectors = || self.stack_of(registered).iter().any(|frame| frame.file.ends_with("/selectors.py"));
                let polls = self.present(by).filter(|access| access.operation.starts_with("epoll"));
                let runs = || self.runs(by).filter(|_| is_selectors());
                let mut told = with(polls.or_else(runs)?);
                told.accesses.extend(self.past(Role::Earlier, "register", registered));
                told
            }
            Suspicion::RegisteredByTwo { by, mark } => {
                with(if mark.stack == 0 { self.present(by)? } else { self.past(Role::Owner, "epoll_ctl", mark)? })
            }
            Suspicion::Shared { by, .. } => {
                let mut told = with(self.present(by)?);
                let (class, operation) = method.as_deref().and_then(|method| method.rsplit_once('.')).unwrap_or(("selector", ""));
                operation.clone_into(&mut told.operation);
                operation.clone_into(&mut told.accesses[0].operation);
                return Some(Story { what: class.to_owned(), ..told.of(story) });
            }
            Suspicion::Reused { registered, closed, was, opened, is_certain, .. } => {
                let closing = self.past(Role::Offending, "close", closed)?;
                let registering = self.past(Role::Owner, "register", registered)?;
                // A bare epoll instance forgets what is closed; a selector of Python keeps it.
                if !is_certain && !self.stack_of(registered).iter().any(|frame| frame.file.ends_with("/selectors.py")) {
                    return None;
                }
                let (thread, other) = (name_of(&closing).to_owned(), name_of(&registering).to_owned());
                let mut accesses = vec![closing, registering];
                accesses.extend(self.past(Role::Earlier, "open", opened));
                return Some(Story {
                    what: format!("{} {fd}", noun(was)),
                    thread,
                    other,
                    accesses,
                    witnessed: is_certain,
                    ..story
                });
            }
            Suspicion::DoubleClose { closed, closed_before, opened } => {
                let is_victim = opened.thread == self.mark.thread;
                let second = if is_victim { self.past(Role::Offending, "close", closed)? } else { here(Role::Offending) };
                let first = self.past(Role::Earlier, "close", if is_victim { closed_before } else { closed });
                // A daemon that closes every descriptor is not aiming at this one.
                let same_line = || first.as_ref().is_some_and(|first| first.stack.first() == second.stack.first());
                if !is_victim && (self.operation != CLOSE || !same_line() && counts_through()) {
                    return None;
                }
                let other = if is_victim { name_of(&second) } else { first.as_ref().map_or("?", name_of) }.to_owned();
                let check = guarded_close::check_before(&second);
                let mut accesses = vec![second];
                accesses.extend(first);
                accesses.extend(check);
                if is_victim {
                    accesses.push(here(Role::Owner));
                }
                Story { other, is_victim, accesses, ..Story::default() }
            }
            Suspicion::Reaped { by, took_any } => {
                let reaper = self.past(if took_any { Role::Offending } else { Role::Earlier }, "wait", by)?;
                // How the standard library does it: asyncio's watcher of children, multiprocessing's processes that two threads join.
                let is_expected =
                    |stack: &[Frame]| stack.first().is_none_or(|frame| code_class::is_of_standard_library(&frame.file));
                // SAFETY: attached, own thread.
                let all = resolve_all(self.py, unsafe { frames::own_stack() }.frames());
                if is_expected(&reaper.stack) || all.iter().any(|frame| frame.file.contains("/multiprocessing/popen_")) {
                    return None;
                }
                let other = name_of(&reaper).to_owned();
                let accesses = if took_any { vec![reaper, here(Role::Owner)] } else { vec![here(Role::Offending), reaper] };
                return Some(Story {
                    what: format!("child process {fd}"),
                    other,
                    operation: "wait".to_owned(),
                    is_victim: took_any,
                    accesses,
                    ..story
                });
            }
            Suspicion::RedirectedByTwo { redirected } => {
                let told = with(self.past(Role::Owner, "dup2", redirected)?);
                return Some(Story { what: format!("descriptor {fd}"), ..told.of(story) });
            }
        };
        told.accesses.extend(created());
        Some(told.of(story))
    }

    fn name(&self, operation: Operation) -> String {
        self.recording.sites.operation_name(operation)
    }

    fn thread_of(&self, mark: Mark) -> ThreadInfo {
        let record = self.recording.thread(mark.thread);
        let Some(record) = record else {
            return ThreadInfo { name: "one that has ended".to_owned(), ident: 0, native_id: 0, started_at: Vec::new() };
        };
        let native_id = record.native_id();
        match owner_snapshot::ident_of(self.py, native_id) {
            Some(ident) if record.is_live() => thread_info(self.py, ident, native_id),
            Some(_) | None => ThreadInfo { name: record.name(), ident: 0, native_id, started_at: Vec::new() },
        }
    }

    fn stack_of(&self, mark: Mark) -> Vec<Frame> {
        let sites = &self.recording.sites;
        let resolved = sites.sites_of(mark.stack).filter_map(|site| sites.resolved(site));
        let frames = resolved.map(|(file, line, function)| Frame { file, line, function, ..Frame::default() });
        // The interpreter's own frame around `__init__`.
        frames.filter(|frame| frame.line > 0).collect()
    }

    /// What was done at a mark; `None` if that is not known.
    fn past(&self, role: Role, operation: &str, mark: Mark) -> Option<Access> {
        let mut stack = self.stack_of(mark);
        stack.drain(..library_frames(&stack));
        (!stack.is_empty()).then(|| Access { role, operation: operation.to_owned(), thread: Some(self.thread_of(mark)), stack })
    }

    /// What a thread is doing now that runs a loop.
    fn runs(&self, by: ThreadId) -> Option<Access> {
        let record = self.recording.thread(by).filter(|_| runs_a_loop(self.recording, by))?;
        let (ident, held): (u64, Held) = owner_snapshot::stack_by_native_id(self.py, record.native_id())?;
        let thread = thread_info(self.py, ident, record.native_id());
        Some(Access {
            role: Role::Owner,
            operation: "run".to_owned(),
            thread: Some(thread),
            stack: resolve_all(self.py, held.frames()),
        })
    }

    /// What a thread is doing now.
    fn present(&self, by: ThreadId) -> Option<Access> {
        let record = self.recording.thread(by)?;
        let (operation, _, _) = record.inside()?;
        let (ident, held): (u64, Held) = owner_snapshot::stack_by_native_id(self.py, record.native_id())?;
        let stack = resolve_all(self.py, held.frames());
        let thread = thread_info(self.py, ident, record.native_id());
        Some(Access { role: Role::Owner, operation: self.name(operation), thread: Some(thread), stack })
    }
}

/// Whether the calling thread is in a `for` over a range.
fn counts_through() -> bool {
    // SAFETY: attached, as everything here; the own stack.
    unsafe { frames::own() }.take(NEAR).any(|frame| frame.has_a(&raw mut ffi::PyRangeIter_Type))
}

/// In how many frames a loop over descriptors is looked for.
const NEAR: usize = 8;

fn name_of(access: &Access) -> &str {
    access.thread.as_ref().map_or("?", |thread| &thread.name)
}

/// What names a finding whose offending call was made before.
fn past_place(suspicion: &Suspicion) -> Option<RawFrame> {
    match suspicion {
        Suspicion::Reused { closed, .. } => Some(RawFrame { code: 0, offset: closed.stack }),
        Suspicion::Reaped { by, took_any: true } => Some(RawFrame { code: 0, offset: by.stack }),
        Suspicion::ClosedWhileUsed { .. }
        | Suspicion::ClosedWhilePolled { .. }
        | Suspicion::RegisteredByTwo { .. }
        | Suspicion::Shared { .. }
        | Suspicion::Interleaved { .. }
        | Suspicion::DoubleClose { .. }
        | Suspicion::Reaped { .. }
        | Suspicion::RedirectedByTwo { .. } => None,
    }
}

fn noun(kind: FdKind) -> &'static str {
    match kind {
        FdKind::StreamSocket | FdKind::Socket => "socket",
        FdKind::Pipe => "pipe",
        FdKind::Epoll => "epoll instance",
        FdKind::File => "file",
        FdKind::Event | FdKind::Unknown => "descriptor",
    }
}

/// How many of the innermost frames are of the standard library; none, if all are.
fn library_frames(stack: &[Frame]) -> usize {
    stack.iter().position(|frame| !code_class::is_of_standard_library(&frame.file)).unwrap_or(0)
}
