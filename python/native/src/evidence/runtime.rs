//! Changes of the runtime: extension modules that do not declare that they can do without the GIL, and the GIL that they switch on;
//! and what a fork leaves in the child of threads that are not there.

use crate::evidence::thread_names;
use crate::findings::process;
use crate::findings::report::{Found, Raises, report};
use crate::findings::store::FindingKey;
use crate::interpreter::extension_modules;
use crate::interpreter::frames::{self, RawFrame};
use crate::thread::code_class::{is_of_standard_library, resolve, resolve_all};
use crate::thread::installed;
use crate::thread::outcome::Outcome;
use crate::thread::stacks::{self, StackId};
use ftsan::locks::held::{Held, How};
use ftsan::report::{Access, Finding, Frame, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::family::runtime::{Event, Left};
use ftsan::rules::{Rule, extension_undeclared, fork_with_threads, gil_reenabled, interpreter_gil_mode};
use pyo3::ffi;
use pyo3::prelude::*;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// How many frames of a chain of imports are looked at: each import adds half a dozen.
const FRAMES: usize = 512;

/// The chain of imports that the calling thread is in, without the machinery of importing, and where it is.
fn imports(py: Python<'_>) -> (Vec<Frame>, RawFrame) {
    // SAFETY: attached, and it is our own stack.
    let stack: Vec<RawFrame> = unsafe { frames::own() }.filter_map(frames::Frame::raw).take(FRAMES).collect();
    let is_machinery = |frame: &Frame| {
        let is_one = |end: &&str| frame.file.ends_with(*end);
        frame.file.starts_with("<frozen importlib") || ["/importlib/__init__.py", "/ftsan/watch/on_import.py"].iter().any(is_one)
    };
    let mut chain = stack.into_iter().map(|raw| (resolve(py, raw), raw)).filter(|(frame, _)| !is_machinery(frame)).peekable();
    let place = chain.peek().map(|(_, raw)| *raw).unwrap_or_default();
    (chain.map(|(frame, _)| frame).collect(), place)
}

fn text(object: &Bound<'_, PyAny>, name: &str) -> Option<String> {
    object.getattr(name).ok()?.extract().ok()
}

fn hash(text: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish() as usize
}

/// `made` was loaded and does not declare anything.
pub(crate) fn undeclared(made: &Bound<'_, PyAny>, specification: &Bound<'_, PyAny>) -> Outcome {
    let (py, process) = (made.py(), process::get());
    let module = text(specification, "name").unwrap_or_else(|| "?".to_owned());
    // Only from the default does a module switch it on: then it is on for good before its loader returns.
    let enables = extension_modules::is_gil_enabled(py) && process.note_switch(&module);
    let rule: &'static Rule = if enables { &gil_reenabled::RULE } else { &extension_undeclared::RULE };
    let (stack, frame) = imports(py);
    let place: FindingKey = (std::ptr::from_ref(rule) as usize ^ hash(&module), frame);
    report(
        py,
        place,
        Raises::Now,
        Found(|| {
            let file = text(specification, "origin");
            let distribution = file.as_deref().and_then(installed::owner_of);
            let is_required = process.options.require_gil_disabled;
            let event = Event::Undeclared { module: &module, distribution: distribution.as_deref(), enables, is_required };
            let object = ObjectInfo {
                r#type: format!("extension module {module}"),
                repr: format!("<module {module} from {}>", file.as_deref().unwrap_or("?")),
                id: format!("{:#x}", made.as_ptr() as usize),
            };
            let access =
                Access { role: Role::Offending, operation: "import".to_owned(), thread: Some(thread_names::me(py)), stack };
            Finding::new(rule, rule.tell_event(&event), object, None, vec![access])
        }),
    )
}

/// The process begins with the GIL on, which it was asked not to.
pub(crate) fn begins_with_gil(py: Python<'_>, why: &str) -> Outcome {
    let rule = &interpreter_gil_mode::RULE;
    report(
        py,
        (std::ptr::from_ref(rule) as usize, RawFrame::default()),
        Raises::Later,
        Found(|| {
            let object = ObjectInfo { r#type: "sys".to_owned(), repr: "<the interpreter>".to_owned(), id: "0x0".to_owned() };
            let thread = Some(thread_names::me(py));
            let access = Access { role: Role::Offending, operation: "start".to_owned(), thread, stack: Vec::new() };
            Finding::new(rule, rule.tell_event(&Event::Interpreter { why }), object, None, vec![access])
        }),
    )
}

/// A thread that is not in the child of a fork.
#[derive(Clone)]
pub(crate) struct Gone(Arc<(ThreadInfo, StackId)>);

impl Gone {
    /// `threading.get_ident()` of it.
    pub(crate) fn ident(&self) -> u64 {
        self.0.0.ident
    }
}

/// A thread that is not in this process, which was forked here.
pub(crate) fn gone(py: Python<'_>, ident: u64, native_id: u64, forked: StackId) -> Gone {
    Gone(Arc::new((thread_names::thread_info(py, ident, native_id), forked)))
}

/// From the line of the program on.
fn programs(py: Python<'_>, stack: &[RawFrame]) -> (Vec<Frame>, RawFrame) {
    let all = resolve_all(py, stack);
    let skipped = all.iter().position(|frame| !is_of_standard_library(&frame.file)).unwrap_or(0);
    (all[skipped..].to_vec(), stack.get(skipped).copied().unwrap_or_default())
}

fn lock_info(held: Held) -> ObjectInfo {
    let (name, id) = (if held.is_reentrant { "RLock" } else { "lock" }, format!("{:#x}", held.address));
    ObjectInfo { r#type: format!("_thread.{name}"), repr: format!("<{name} at {id}>"), id }
}

fn acquisition(py: Python<'_>, gone: &Gone, held: Held) -> Access {
    let operation = if held.by_with { "__enter__" } else { "acquire" }.to_owned();
    let (stack, _) = programs(py, stacks::get(held.stack));
    Access { role: Role::Earlier, operation, thread: Some(gone.0.0.clone()), stack }
}

/// The calling thread, in the child of a fork, is about to wait for a lock that a thread holds which is not there.
pub(crate) fn wanted_in_child(py: Python<'_>, object: *mut ffi::PyObject, how: How, gone: &Gone, held: Held) -> Outcome {
    let rule = &fork_with_threads::RULE;
    // SAFETY: attached, and it is our own stack.
    let own = unsafe { frames::own_stack() };
    let (stack, frame) = programs(py, own.frames());
    report(
        py,
        (std::ptr::from_ref(rule) as usize ^ object as usize, frame),
        Raises::Now,
        Found(|| {
            let me = thread_names::me(py);
            let event = Event::Forked { thread: &me.name, other: &gone.0.0.name, left: Left::Wanted };
            let told = rule.tell_event(&event);
            let operation = if how == How::With { "__enter__" } else { "acquire" }.to_owned();
            let (forked, _) = programs(py, stacks::get(gone.0.1));
            let accesses = vec![
                Access { role: Role::Offending, operation, thread: Some(me.clone()), stack },
                acquisition(py, gone, held),
                Access { role: Role::Earlier, operation: "fork".to_owned(), thread: Some(me), stack: forked },
            ];
            let mut finding = Finding::new(rule, told, lock_info(held), None, accesses);
            finding.witnessed = true;
            finding
        }),
    )
}

/// The child of a fork ends, to which a thread has left a lock, or the loop that it ran.
pub(crate) fn left_in_child(py: Python<'_>, gone: &Gone, held: Option<Held>) {
    let rule = &fork_with_threads::RULE;
    let (stack, frame) = programs(py, stacks::get(gone.0.1));
    let place: FindingKey = (std::ptr::from_ref(rule) as usize ^ gone.ident() as usize, frame);
    let found = Found(|| {
        let me = thread_names::me(py);
        let left = if held.is_some() { Left::Lock } else { Left::Loop };
        let told = rule.tell_event(&Event::Forked { thread: &me.name, other: &gone.0.0.name, left });
        let offending = Access { role: Role::Offending, operation: "fork".to_owned(), thread: Some(me), stack };
        let (object, other) = match held {
            Some(held) => (lock_info(held), acquisition(py, gone, held)),
            None => {
                let object = ObjectInfo { r#type: "event loop".to_owned(), repr: "<event loop>".to_owned(), id: "0x0".to_owned() };
                let thread = Some(gone.0.0.clone());
                (object, Access { role: Role::Owner, operation: "run".to_owned(), thread, stack: Vec::new() })
            }
        };
        Finding::new(rule, told, object, None, vec![offending, other])
    });
    report(py, place, Raises::Later, found);
}
