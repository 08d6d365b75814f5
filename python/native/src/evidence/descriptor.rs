//! The cold path of the descriptor rules: from a suspicion of the injected library to a finding.
//!
//! The caller may be detached, in the middle of a system call: it is attached while this lasts.  A suspicion that hangs on what another thread
//! is doing is looked at once more, with the world stopped.  A caller that has never been in Python leaves its suspicion to a thread that is
//! ([`deferred`]): what the other thread was doing must still be so by then.

use crate::evidence::deferred::{self, Deferred, NativeThread};
use crate::evidence::descriptor_truth::{has_just_polled, is_blocked, is_true_of, other_in_a_call, runs_a_loop, still_true};
use crate::evidence::outer::{GIVEN, LEADS, led_by};
use crate::evidence::owner_snapshot::{self, Held};
use crate::evidence::thread_names::thread_info;
use crate::evidence::{guarded_close, native_frames, thread_names};
use crate::findings::process;
use crate::findings::report::{Addition, Case, Raises, report};
use crate::findings::store::FindingKey;
use crate::interpreter::frames::{self, RawFrame};
use crate::thread::caller::{Caller, OwnLine, caller, own_line};
use crate::thread::code_class::{self, resolve_all};
use crate::thread::context::InSlowPath;
use crate::thread::{guard, hooks_link};
use ftsan::descriptors::{FdKind, Mark, Suspicion};
use ftsan::recording::operation::{CLOSE, EPOLL_WAIT, Operation};
use ftsan::recording::{Recording, ThreadId, ThreadRecord};
use ftsan::report::{Access, Finding, Frame, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::family::descriptors::SystemCall;
use ftsan::rules::{self, Rule, double_close};
use libc::{c_int, c_void};
use pyo3::ffi;
use pyo3::prelude::*;

/// Attached for as long as it lives, if the thread was not already.
enum Attached {
    Was,
    Detached,
}

/// Whether the interpreter of a process that is started is still there to tell anything of.  Not `Py_IsInitialized`: 3.15 says no until `site`
/// has been run.
fn has_interpreter() -> bool {
    // SAFETY: a plain question.
    unsafe { ffi::Py_IsFinalizing() == 0 }
}

impl Attached {
    /// Not a thread that C code has started and that is not in Python: it may be joined by a thread that is, which then would never stop for
    /// the one that it waits for.  granian does so at its end.
    fn attach() -> Option<Self> {
        // SAFETY: a plain question, then what C code does around a blocking call: the thread's own state is taken back.
        unsafe {
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
        if !process::is_started() || !has_interpreter() {
            return;
        }
        // SAFETY: may be asked in any thread.
        if unsafe { ffi::PyGILState_GetThisThreadState() }.is_null() {
            return defer(recording, suspicion, operation, fd, mark);
        }
        if !still_true(recording, suspicion, fd, &is_blocked) {
            return;
        }
        let Some(_attached) = Attached::attach() else { return };
        // SAFETY: just attached.
        let py = unsafe { Python::assume_attached() };
        let Some(_busy) = InSlowPath::enter() else { return };
        let (kind, opened) = (hooks_link::kind(fd), hooks_link::opened_by(fd));
        let suspected = Suspected { py, recording, operation, fd, mark, kind, opened, native: None };
        keeping_exceptions(py, || suspected.report(suspicion));
    });
}

/// An exception that is on its way is the program's.
fn keeping_exceptions(_: Python<'_>, body: impl FnOnce()) {
    // SAFETY: attached.
    let pending = unsafe { ffi::PyErr_GetRaisedException() };
    body();
    // SAFETY: attached; null clears what we may have left.
    unsafe { ffi::PyErr_SetRaisedException(pending) };
}

/// Leaves a suspicion of a thread without Python to one that has it.
fn defer(recording: &Recording, suspicion: &Suspicion, operation: Operation, fd: c_int, mark: Mark) {
    // Whether the other thread is blocked, is asked when it is judged.  Of two that write, that would be too late: the calling thread may have
    // written everything before the other one was.
    if matches!(suspicion, Suspicion::Interleaved { reading: false, .. }) {
        return;
    }
    let other = other_in_a_call(suspicion).and_then(|by| recording.thread(by));
    // First: if the thread goes on meanwhile, its next call has another number.
    let call = other.map_or(0, ThreadRecord::begun);
    if !still_true(recording, suspicion, fd, &|_| true) {
        return;
    }
    let was_polling = other.and_then(ThreadRecord::inside).is_some_and(|(operation, ..)| operation == EPOLL_WAIT);
    let times = deferred::times();
    let (thread, kind, opened) = (NativeThread::own(), hooks_link::kind(fd), hooks_link::opened_by(fd));
    let suspicion = *suspicion;
    deferred::keep(Deferred { thread, suspicion, operation, fd, mark, call, was_polling, times, kind, opened }, come_by);
}

/// Made by the interpreter, in a thread that it has interrupted between two instructions.
unsafe extern "C" fn come_by(_: *mut c_void) -> c_int {
    deferred::came_by();
    // SAFETY: a pending call is made attached.
    judge_deferred(unsafe { Python::assume_attached() });
    0
}

/// Judges what threads without Python have left.
pub(crate) fn judge_deferred(py: Python<'_>) {
    if !deferred::is_any() || !process::is_started() || !has_interpreter() {
        return;
    }
    guard::catch_panic((), || {
        let Some(recording) = hooks_link::recording() else { return };
        // Suspicions that are left now are judged at the end.
        let Some(_busy) = InSlowPath::enter() else { return };
        while let Some(deferred) = deferred::take() {
            let is_true = {
                let _paused = hooks_link::Paused::begin();
                is_true_of(recording, &deferred)
            };
            if !is_true {
                continue;
            }
            let Deferred { operation, fd, mark, kind, opened, .. } = deferred;
            let suspected = Suspected { py, recording, operation, fd, mark, kind, opened, native: Some(&deferred) };
            keeping_exceptions(py, || suspected.report(&deferred.suspicion));
        }
    });
}

struct Suspected<'py> {
    py: Python<'py>,
    recording: &'static Recording,
    operation: Operation,
    fd: c_int,
    /// The caller.
    mark: Mark,
    /// What the descriptor is, or was.
    kind: FdKind,
    /// Where it was opened.
    opened: Mark,
    /// If the caller was a thread without Python, which is another one than the calling thread: what it has left.
    native: Option<&'py Deferred>,
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
    /// Of two closes what made the first and the second one, if these are two.
    owners: Option<[&'static str; 2]>,
    accesses: Vec<Access>,
    /// Harm was seen, not only made possible.
    witnessed: bool,
}

/// Where the caller is.
struct Stacks {
    /// All its Python frames.
    all: Vec<Frame>,
    /// As it is shown.
    stack: Vec<Frame>,
    /// What tells the place from others.
    place: RawFrame,
}

impl Stacks {
    /// Of a thread without Python.  Where its native code has no address of its own, where the descriptor was opened tells them apart.
    fn of_native(deferred: &Deferred) -> Self {
        let native = &deferred.thread.stack;
        Stacks { all: Vec::new(), stack: native.frames(), place: RawFrame { code: native.place(), offset: deferred.opened.stack } }
    }
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
        let Stacks { all, stack, place: own_place } = self.native.map_or_else(|| self.own_stacks(), Stacks::of_native);
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
        let place: FindingKey = (std::ptr::from_ref(rule) as usize, past_place(suspicion).unwrap_or(own_place));
        let raises = if self.native.is_some() { Raises::Nowhere } else { Raises::Later };
        report(self.py, place, raises, Found { suspected: self, suspicion, rule, stack, method });
    }

    /// The calling thread's.
    fn own_stacks(&self) -> Stacks {
        // SAFETY: attached, own thread.
        let own = unsafe { frames::own_stack() };
        let all = resolve_all(self.py, own.frames());
        let skipped = library_frames(&all);
        let mut stack = native_frames::innermost();
        stack.extend_from_slice(&all[skipped..]);
        // SAFETY: attached.
        let (line, given) = match unsafe { own_line(self.py, skipped) } {
            OwnLine::At(line) => (line, None),
            OwnLine::Given(_, given) => (skipped, Some(given)),
            OwnLine::Nowhere if all.first().is_some_and(|frame| code_class::is_of_standard_library(&frame.file)) => {
                // SAFETY: attached.
                let caller = unsafe { caller(self.py, 0) };
                (skipped, if let Caller::Given(_, given) = caller { Some(given) } else { None })
            }
            OwnLine::Nowhere => (skipped, None),
        };
        if let Some(given) = given {
            // The program's own line gave the function away, which may be one of C, with no frame of its own.
            stack = led_by(resolve_all(self.py, given), stack, GIVEN);
        } else if line > skipped {
            // The program's own line first, then what it leads to in installed packages.
            let outer = stack.split_off(stack.len() - (all.len() - line));
            stack = led_by(outer, stack, LEADS);
        }
        let place = given.unwrap_or(own.frames()).get(if given.is_some() { 0 } else { line }).copied().unwrap_or_default();
        Stacks { all, stack, place }
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
            owners: story.owners,
        });
        let mut finding = Finding::new(rule, told, object, None, story.accesses);
        finding.witnessed = story.witnessed;
        finding
    }

    fn recorded_kind(&self) -> &'static str {
        self.kind.name()
    }

    fn tell(&self, suspicion: &Suspicion, stack: &[Frame], method: Option<String>) -> Option<Story> {
        let fd = self.fd;
        let native = |deferred: &Deferred| thread_names::native_thread(self.py, deferred.thread.native_id, deferred.thread.name());
        let me = self.native.map_or_else(|| self.thread_of(self.mark), native);
        let here =
            |role: Role| Access { role, operation: self.name(self.operation), thread: Some(me.clone()), stack: stack.to_vec() };
        let created = || self.past(Role::Created, "opened", self.opened);
        let story =
            Story { what: format!("{} {fd}", noun(self.kind)), thread: me.name.clone(), witnessed: true, ..Story::default() };
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
                let came =
                    || self.native.filter(|deferred| has_just_polled(self.recording, deferred, by)).and_then(|_| self.came(by));
                let mut told = with(polls.or_else(came).or_else(runs)?);
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
                let counts_through = || self.native.is_none() && counts_through();
                if !is_victim && (self.operation != CLOSE || !same_line() && counts_through()) {
                    return None;
                }
                // Nobody could tell which two.
                if self.native.is_some() && first.is_none() {
                    return None;
                }
                let other = if is_victim { name_of(&second) } else { first.as_ref().map_or("?", name_of) }.to_owned();
                let check = guarded_close::check_before(&second);
                let owners = match (is_victim, &first) {
                    // It meant what had the number before.
                    (true, Some(first)) if guarded_close::name_the_same(first, &second) => None,
                    (true, _) if self.operation == CLOSE => guarded_close::owners(&second, &here(Role::Owner)),
                    (false, Some(first)) => guarded_close::owners(first, &second),
                    (true, _) | (false, None) => None,
                };
                let mut accesses = vec![second];
                // A close before, of what had the number then, is of interest where the second one may have meant that.
                let is_meant =
                    |first: &Access| !is_victim || owners.is_none() && !code_class::is_of_standard_library(&first.stack[0].file);
                accesses.extend(first.filter(is_meant));
                accesses.extend(check);
                if is_victim {
                    accesses.push(here(Role::Owner));
                }
                let operation = owners.map_or_else(String::new, |_| double_close::TWO_OWNERS.to_owned());
                Story { other, operation, is_victim, owners, accesses, ..Story::default() }
            }
            Suspicion::Reaped { by, took_any } => {
                let reaper = self.past(if took_any { Role::Offending } else { Role::Earlier }, "wait", by)?;
                // How the standard library does it: asyncio's watcher of children, multiprocessing's processes that two threads join.
                let is_expected = |stack: &[Frame]| {
                    stack
                        .first()
                        .is_none_or(|frame| code_class::is_of_standard_library(&frame.file) && !calls_for_others(&frame.file))
                };
                let all = match self.native {
                    Some(_) => Vec::new(),
                    // SAFETY: attached, own thread.
                    None => resolve_all(self.py, unsafe { frames::own_stack() }.frames()),
                };
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
            Some(_) | None => thread_names::ended(self.py, native_id, &record.name()),
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
        // The thread's first frame, and beyond it what gave away what it did, if no frame of the program is its own.
        let outermost = stack.iter().position(|frame| frame.function == "Thread._bootstrap" && calls_for_others(&frame.file));
        let given = outermost.map_or_else(Vec::new, |outermost| stack.split_off(outermost + 1));
        stack.drain(..library_frames(&stack));
        if !given.is_empty() {
            stack = led_by(given, stack, GIVEN);
        }
        (!stack.is_empty()).then(|| Access { role, operation: operation.to_owned(), thread: Some(self.thread_of(mark)), stack })
    }

    /// Where a thread is now, as the owner.
    fn owner(&self, record: &ThreadRecord, operation: String) -> Option<Access> {
        let (ident, held): (u64, Held) = owner_snapshot::stack_by_native_id(self.py, record.native_id())?;
        let stack = resolve_all(self.py, held.frames());
        let thread = thread_info(self.py, ident, record.native_id());
        Some(Access { role: Role::Owner, operation, thread: Some(thread), stack })
    }

    /// What a thread is doing now that runs a loop.
    fn runs(&self, by: ThreadId) -> Option<Access> {
        let record = self.recording.thread(by).filter(|_| runs_a_loop(self.recording, by))?;
        self.owner(record, "run".to_owned())
    }

    /// What a thread is doing now.
    fn present(&self, by: ThreadId) -> Option<Access> {
        let record = self.recording.thread(by)?;
        let (operation, _, _) = record.inside()?;
        self.owner(record, self.name(operation))
    }

    /// Where the calling thread comes from, which has just polled.
    fn came(&self, by: ThreadId) -> Option<Access> {
        self.owner(self.recording.thread(by)?, self.name(EPOLL_WAIT))
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

/// Whether a file of the standard library calls what it was given: a function of C has no frame of its own there.
fn calls_for_others(file: &str) -> bool {
    file.ends_with("/threading.py") || file.ends_with("/concurrent/futures/thread.py")
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
