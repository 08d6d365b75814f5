//! The cold path: a misuse happened; who, where, and what was the owner doing?
//!
//! Order of work: the own stack, whether this is a misuse of the program at all, whether it is known already; only a new one
//! (and now and then a known one) stops the world for a look at the owner.  No code of the program runs: no `repr`, no
//! properties.

use crate::evidence::outer::{self, GIVEN, LEADS, Led, last, via};
use crate::evidence::owner_snapshot::{self, INSIDE, Owner, Relation, Snapshot, Suspended};
use crate::evidence::thread_names::{self, thread_info};
use crate::findings::process;
use crate::findings::report::{self, Addition, Case, Raises};
use crate::findings::store::{FindingKey, Known};
use crate::interpreter::frames::{self, RawFrame};
use crate::interpreter::introspection::{names_of_bases, own_method, stacks_of_outer_greenlets, type_name};
use crate::thread::caller::{Caller, OwnLine, caller, creation_of_task, first_of_own, first_of_program, is_own, own_line};
use crate::thread::code_class::{self, Class, resolve_all};
use crate::thread::context::current_thread;
use crate::thread::outcome::Outcome;
use crate::thread::{origins, stacks};
use ftsan::loops::{Realm, Runner};
use ftsan::report::{Access, Finding, Frame, LoopInfo, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::family::calls::{self, Attempt, RuleId};
use ftsan::rules::{self, Rule, transport_used_off_thread};
use pyo3::prelude::*;
use std::time::Duration;

/// A watched call, as far as a report speaks of it.
pub(crate) struct Call {
    /// The same number for the same watched function.
    pub(crate) id: usize,
    pub(crate) rule: &'static Rule,
    /// Name of the method.
    pub(crate) operation: &'static str,
    /// Frames of our own making between the hook and its caller.
    pub(crate) frames: usize,
    /// The object was not made where it was noted first, but iterated.
    pub(crate) is_iterated: bool,
}

/// Adds where the calling thread is to a finding that it is the victim of.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn add_victim(call: &Call, known: Known) {
    // SAFETY: passed on; the own stack.
    let (py, own) = unsafe { (Python::assume_attached(), frames::own_stack()) };
    // SAFETY: passed on.
    if let Caller::Program(start) | Caller::Given(start, _) = unsafe { caller(py, call.frames) } {
        let (thread, stack) = (thread_names::me(py), resolve_all(py, &own.frames()[start..]));
        let access = Access { role: Role::Owner, operation: INSIDE.to_owned(), thread: Some(thread), stack };
        process::get().add(known, vec![access], false);
    }
}

/// Reports that the calling thread uses `object`, which is the owner's.
pub(crate) fn report(py: Python<'_>, call: Call, object: Bound<'_, PyAny>, owner: Owner) -> Outcome {
    Misused { py, call, object, thread: owner.thread }.report(owner)
}

/// The calling thread's stack.
struct Own<'a> {
    /// From the caller of the watched function on, or from the program's own line on if that one is an installed package's.
    called: &'a [RawFrame],
    /// Where the program gave that one what it calls, if it is a library's.
    given: Option<&'static [RawFrame]>,
    /// What the program's own line leads to in installed packages.
    led: Option<Led<'a>>,
}

impl Own<'_> {
    /// The program's line that a finding is about.
    fn line(&self) -> Option<RawFrame> {
        self.given.unwrap_or(self.called).first().copied()
    }
}

struct Misused<'py> {
    py: Python<'py>,
    call: Call,
    object: Bound<'py, PyAny>,
    /// The owner.
    thread: Runner,
}

/// What the program called.
struct Called {
    /// Name of what the program called itself.
    operation: String,
    /// Name of the method of the object that this led to.
    method: String,
    /// The library called the watched function.
    is_nested: bool,
    /// The outermost function of that library, if it is not the object's own method.
    outermost: Option<RawFrame>,
}

/// So many more looks are taken at an owner of a loop, so much apart: longer than a step of its loop takes, shorter than anybody notices.
const LATER: usize = 3;
const BETWEEN: Duration = Duration::from_micros(100);

/// A misuse that is to be reported.
struct Found<'a, 'py> {
    misused: &'a Misused<'py>,
    rule: &'static Rule,
    called: Called,
    own: Own<'a>,
    owner: Owner,
}

impl Case for Found<'_, '_> {
    fn finding(self) -> Option<Finding> {
        let Found { misused, rule, called, own, owner } = self;
        let (owners, me) = (misused.thread_info(&owner.thread), thread_names::me(misused.py));
        let relation = owner.relation(&thread_names::told_apart(&owners, &me));
        // The owner may have stopped the loop in the meantime: then there is no misuse any more.
        let snapshot = owner_snapshot::look(misused.py, owner, misused.object.as_ptr())?;
        Some(misused.finding(rule, &called, &own, &relation, &snapshot))
    }

    fn again(self, is_sampled: bool) -> Addition {
        let py = self.misused.py;
        let inner = self.own.led.as_ref().filter(|led| led.is_new(py, self.own.line(), self.misused.call.id));
        let inner = inner.map(|led| Access {
            role: Role::Offending,
            operation: self.called.operation.clone(),
            thread: Some(thread_names::me(py)),
            stack: resolve_all(py, led.frames),
        });
        // An owner whose stack is at hand already costs no look.
        if !is_sampled && !matches!(self.owner.relation, Relation::IsInside(_)) {
            return Addition { inner, ..Addition::default() };
        }
        let thread = self.owner.thread;
        let later = if matches!(self.owner.relation, Relation::RunsItsLoop) { LATER } else { 0 };
        let mut owners = self.misused.owner_now(self.owner);
        // Beside the call, and between two calls: an owner that goes back and forth may be at the same place each time that it is called.
        for _ in 0..later {
            py.detach(|| std::thread::sleep(BETWEEN));
            owners.extend(self.misused.owner_now(Owner { thread, relation: Relation::RunsItsLoop }));
        }
        Addition { owners, inner, witnessed: false }
    }
}

impl<'py> Misused<'py> {
    fn report(&self, owner: Owner) -> Outcome {
        let py = self.py;
        // SAFETY: attached, own thread.
        let own = unsafe { frames::own_stack() };
        // SAFETY: attached.
        let (start, given) = match unsafe { caller(py, self.call.frames) } {
            Caller::Program(start) => (start, self.given_to_task(own.frames().get(start))),
            Caller::Given(start, given) => (start, Some(given)),
            Caller::Nested => return Outcome::Continue,
        };
        let called = self.what_was_called(own.frames(), start, given.is_some());
        let own = self.own(own.frames(), start, given);
        let attempt = Attempt {
            watched: self.call.operation,
            operation: &called.operation,
            is_nested: called.is_nested,
            is_done: &|| self.is_done(),
            is_task: &|| names_of_bases(&self.object).iter().any(|base| base == "Task"),
        };
        let Some(rule) = rules::of_call(self.call.rule, &attempt) else { return Outcome::Continue };
        let known = |rules: &[RuleId]| {
            let is_one = |rule: &Rule| rules.contains(&rule.id);
            own.line()
                .filter(|_| !rules.is_empty())
                .and_then(|frame| process::get().known_misuse(&code_class::resolve(py, frame), is_one, None))
        };
        if let Some(calls) = rule.calls() {
            if known(calls.said_by).is_some() {
                return Outcome::Continue;
            }
            if let Some(known) = known(calls.joins) {
                process::get().add(known, self.owner_now(owner), false);
                return Outcome::Continue;
            }
            if calls.beneath.contains(&type_name(&self.object).as_str()) && known(&[rule.id]).is_some() {
                return Outcome::Continue;
            }
        }
        let is_one_per_line = rule.calls().is_some_and(|calls| calls.is_one_per_line);
        let id = if is_one_per_line { std::ptr::from_ref(rule) as usize } else { self.call.id };
        let line = own.line().unwrap_or_default();
        let place: FindingKey = if own.led.is_some() { outer::place(py, line) } else { (id, line) };
        // A transport is the worst of what a client has inside.
        if own.led.is_some() && std::ptr::eq(rule, &transport_used_off_thread::RULE) {
            process::get().give_way(&place, rule);
        }
        report::report(py, place, Raises::Now, Found { misused: self, rule, called, own, owner })
    }

    /// The calling thread's stack.  `start`: the caller of the watched function; `given`: where that was given what it calls.
    fn own<'a>(&self, all: &'a [RawFrame], start: usize, given: Option<&'static [RawFrame]>) -> Own<'a> {
        let py = self.py;
        let plain = Own { called: &all[start..], given, led: None };
        if plain.line().is_none_or(|line| is_own(py, line)) {
            return plain;
        }
        // SAFETY: attached.
        let (end, given) = match unsafe { own_line(py, start) } {
            OwnLine::At(end) => (end, None),
            OwnLine::Given(end, given) => (end, Some(given)),
            OwnLine::Nowhere => return plain,
        };
        let Some(frames) = all.get(start..end) else { return plain };
        let is_program = |frame: &RawFrame| code_class::class(py, frame.code) == Class::Program;
        let frames = &frames[..frames.iter().rposition(is_program).map_or(0, |last| last + 1)];
        let called = if given.is_some() { &all[start..] } else { &all[end..] };
        Own { called, given, led: (!frames.is_empty()).then_some(Led { frames, is_given: given.is_some() }) }
    }

    /// The function that the program called, which may have called the watched one in turn: `gather` adds callbacks to futures,
    /// `Queue.get` waits in `_get_loop`.
    fn what_was_called(&self, own: &[RawFrame], start: usize, is_given: bool) -> Called {
        let watched = self.call.operation.to_owned();
        if start <= self.call.frames {
            return Called { operation: watched.clone(), method: watched, is_nested: false, outermost: None };
        }
        // The program wrote `async with`, not `__aenter__`: that says less than what is called in turn.  And a library that calls
        // something for the program does so in a few steps.
        let frames = own[self.call.frames.saturating_sub(1)..start].iter().rev();
        let called = frames.map(|frame| (*frame, code_class::resolve(self.py, *frame)));
        let carrier = own.get(start).filter(|_| is_given).map(|frame| code_class::resolve(self.py, *frame).file);
        let called = called.filter(|(_, frame)| carrier.as_ref() != Some(&frame.file) && !last(&frame.function).starts_with("__"));
        let called: Vec<(RawFrame, Frame)> = called.collect();
        let outermost = called.first().filter(|(_, frame)| !code_class::is_of_standard_library(&frame.file)).map(|(raw, _)| *raw);
        let names: Vec<String> = called.into_iter().map(|(_, frame)| frame.function).collect();
        let bases = names_of_bases(&self.object);
        // Of all that led there, the outermost method of the object itself: that is one which exists.
        let is_its_own =
            |name: &&String| name.rsplit_once('.').is_some_and(|(class, _)| bases.iter().any(|base| base == last(class)));
        let method = names.iter().find(is_its_own).map_or(&watched, |name| name);
        let outermost = outermost.filter(|_| !names.first().is_some_and(|name| is_its_own(&name)));
        Called {
            outermost,
            method: last(method).to_owned(),
            operation: names.first().map_or(watched.as_str(), |name| last(name)).to_owned(),
            is_nested: true,
        }
    }

    fn is_done(&self) -> bool {
        own_method(&self.object, "done").is_some_and(|done| done.is_truthy().unwrap_or(false))
    }

    fn finding(&self, rule: &'static Rule, called: &Called, own: &Own<'_>, relation: &str, snapshot: &Snapshot<'py>) -> Finding {
        let offender = thread_names::me(self.py);
        let owner = self.thread_info(&self.thread);
        let class = type_name(&self.object);
        let short = class.rsplit('.').next().unwrap_or(&class).to_owned();
        let thread = thread_names::told_apart(&offender, &owner);
        if let Some(led) = &own.led {
            // It is told here already.
            led.is_new(self.py, own.line(), self.call.id);
        }
        let is_for_asyncio = self.thread.realm == Realm::Asyncio;
        // The program has the objects of tornado and Twisted at hand that it calls, and not the stream or the transport below.
        let has_layers = self.thread.realm == Realm::Twisted || class.starts_with("tornado.");
        let nested = called.outermost.as_slice();
        let layered = (has_layers && !nested.is_empty()).then_some(Led { frames: nested, is_given: false });
        let outer = own.led.or(layered).map(|led| led.outer(self.py, is_for_asyncio));
        let outer = outer.as_ref();
        let operation = outer.map_or(&called.operation[..], |outer| last(&outer.name));
        let caller_is_in_asyncio = current_thread().slot.running_asyncio() != 0;
        let call = calls::Call {
            class: &short,
            method: &called.method,
            operation: &called.operation,
            thread: &thread,
            relation,
            outer,
            loops: calls::Loops { caller_is_in_asyncio, is_for_asyncio },
        };
        let told = rule.tell_call(&call);
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
            let first = first_of_own(self.py, created).unwrap_or_default();
            accesses.push(Access {
                role: Role::Created,
                operation: if self.call.is_iterated { "iterated first" } else { "created" }.to_owned(),
                thread: None,
                stack: self.resolve(&created[first..]),
            });
        }
        Finding::new(rule, told, ObjectInfo { r#type: class, repr, id }, loop_, accesses)
    }

    /// Where the task was created that asyncio itself runs without any code of the program in it.
    fn given_to_task(&self, caller: Option<&RawFrame>) -> Option<&'static [RawFrame]> {
        if caller.is_none_or(|frame| code_class::class(self.py, frame.code) == Class::Program) {
            return None;
        }
        creation_of_task(self.py)
    }

    /// The stack of the call: the program's own line first, where that is the one that gave it to a library.
    fn offending_stack(&self, own: &Own<'_>) -> Vec<Frame> {
        let mut stack = own.given.map_or_else(Vec::new, |given| self.resolve(given));
        let mut called = self.resolve(own.called);
        if own.given.is_some() {
            via(&mut called, GIVEN);
        }
        stack.append(&mut called);
        if let Some(led) = own.led.as_ref().filter(|led| !led.is_given) {
            let mut inner = self.resolve(led.frames);
            via(&mut inner, LEADS);
            stack.append(&mut inner);
        }
        for outer in stacks_of_outer_greenlets(self.py) {
            let mut frames = self.resolve(&outer);
            via(&mut frames, "in a greenlet that was switched to from");
            stack.append(&mut frames);
        }
        stack
    }

    /// The present calls of the owner's thread, and where its tasks are waiting.
    /// What the owner is doing now; nothing, if the object is its no more.
    fn owner_now(&self, owner: Owner) -> Vec<Access> {
        let snapshot = owner_snapshot::look(self.py, owner, self.object.as_ptr());
        snapshot.map_or_else(Vec::new, |snapshot| self.owner_accesses(&snapshot))
    }

    fn owner_accesses(&self, snapshot: &Snapshot<'py>) -> Vec<Access> {
        let owner = self.thread_info(&self.thread);
        let mut accesses = Vec::new();
        // The place where the program's own coroutine waits comes first: that is what its author knows.
        let (waiting, others): (Vec<_>, Vec<_>) =
            snapshot.suspended.iter().enumerate().partition(|(at, task)| *at == 0 || task.waits_in_it);
        let mut stack = Vec::new();
        let mut thread = self.resolve(snapshot.stack.frames());
        for (_, task) in waiting {
            let mut part = self.suspended(task);
            let what = if task.waits_in_it { ", which waits in it," } else { "" };
            via(&mut part, &format!("{}{what} is suspended at", task.name));
            via(&mut thread, "the thread itself is at");
            stack.append(&mut part);
        }
        stack.append(&mut thread);
        accesses.push(Access { role: Role::Owner, operation: snapshot.operation.to_owned(), thread: Some(owner.clone()), stack });
        for (_, other) in others {
            let (operation, stack) = (other.name.clone(), self.suspended(other));
            accesses.push(Access { role: Role::Owner, operation, thread: Some(owner.clone()), stack });
        }
        accesses
    }

    /// Where a task waits; if that is in a library, where the program created it, too.
    fn suspended(&self, task: &Suspended) -> Vec<Frame> {
        let mut stack = self.resolve(task.stack.frames());
        if first_of_program(self.py, task.stack.frames()).is_none()
            && let Some(first) = first_of_program(self.py, task.created)
        {
            let mut created = self.resolve(&task.created[first..]);
            via(&mut created, "in a task created at");
            stack.append(&mut created);
        }
        stack
    }

    fn resolve(&self, frames: &[RawFrame]) -> Vec<Frame> {
        resolve_all(self.py, frames)
    }

    fn thread_info(&self, thread: &Runner) -> ThreadInfo {
        thread_info(self.py, thread.ident, thread.native_id)
    }
}
