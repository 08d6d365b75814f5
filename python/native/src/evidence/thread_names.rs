//! Who a thread was: names and origins of threads, kept beyond their end.

use crate::interpreter::code_fields::Code;
use crate::interpreter::frames;
use crate::interpreter::introspection::loaded;
use crate::thread::code_class::resolve_all;
use crate::thread::context::{self, current_thread};
use crate::thread::hooks_link;
use crate::thread::origins;
use crate::thread::registry;
use crate::thread::stacks::{self, StackId};
use ftsan::races::clock::Epoch;
use ftsan::report::ThreadInfo;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Name and origin of a thread, from what `threading` knows; never makes a dummy thread and takes no lock of the host's.
pub(crate) fn thread_info(py: Python<'_>, ident: u64, native_id: u64) -> ThreadInfo {
    KnownThread::of(py, ident, native_id).told(py)
}

/// A thread, in a few bytes.
#[derive(Clone)]
struct KnownThread {
    name: Box<str>,
    ident: u64,
    native_id: u64,
    started_at: StackId,
}

impl KnownThread {
    fn of(py: Python<'_>, ident: u64, native_id: u64) -> Self {
        let (name, object) = known_object(py, ident).ok().flatten().unwrap_or_else(|| (String::new(), 0));
        // Threads that C code has started are "Dummy-3" to `threading`, if it was asked for them at all.
        let is_foreign = name.is_empty() || name.starts_with("Dummy-");
        let name = if is_foreign { kernels_name(py, native_id).unwrap_or(name) } else { name };
        // What `threading` would call the first thread, where nobody has imported it.
        let name = if name.is_empty() && native_id == u64::from(std::process::id()) { "MainThread".to_owned() } else { name };
        let name = if name.is_empty() { format!("native {native_id}") } else { name };
        // A thread may be started without `threading`.
        let in_slot = || registry::get().loops.threads().find(|slot| slot.native_id() == native_id);
        let started_at = match if object == 0 { 0 } else { origins::of(object) } {
            0 => in_slot().map_or(0, |slot| slot.started_at.load(Ordering::Relaxed)),
            known => known,
        };
        KnownThread { name: name.into(), ident, native_id, started_at }
    }

    fn told(self, py: Python<'_>) -> ThreadInfo {
        let KnownThread { name, ident, native_id, started_at } = self;
        ThreadInfo { name: name.into(), ident, native_id, started_at: resolve_all(py, stacks::get(started_at)) }
    }
}

/// What the kernel calls a thread of this process; `None` if nobody has named it: then it has the name of the thread that started it, which
/// is the first one or has that name from Python.
fn kernels_name(py: Python<'_>, native_id: u64) -> Option<String> {
    let read = |path: &str| fs::read(path).map(|name| name.trim_ascii_end().to_owned()).ok();
    let (name, first) = {
        let _paused = hooks_link::Paused::begin();
        (read(&format!("/proc/self/task/{native_id}/comm"))?, read("/proc/self/comm"))
    };
    own_name(py, &name, first.as_deref())
}

/// In bytes.
const KERNELS_LONGEST: usize = 15;

/// A name that the kernel has for a thread, unless it is the first thread's or one that Python gave.
fn own_name(py: Python<'_>, name: &[u8], first: Option<&[u8]>) -> Option<String> {
    // A program with one thread of Python need not have imported `threading`: then no name is one that Python gave.
    let active = match loaded(py, c"threading") {
        Some(threading) => Some(threading.getattr("_active").ok()?.cast_into::<PyDict>().ok()?),
        None => None,
    };
    let is_of = |thread: Bound<'_, PyAny>| {
        let known: String = thread.getattr("_name").and_then(|name| name.extract()).unwrap_or_default();
        known.as_bytes().get(..known.len().min(KERNELS_LONGEST)) == Some(name)
    };
    let is_own = !name.is_empty() && Some(name) != first && !active.is_some_and(|active| active.values().iter().any(is_of));
    is_own.then(|| String::from_utf8_lossy(name).into_owned())
}

/// A thread without Python, which may have ended: by the kernel's id, and the name that it had.
pub(crate) fn native_thread(py: Python<'_>, native_id: u64, name: &[u8]) -> ThreadInfo {
    let first = {
        let _paused = hooks_link::Paused::begin();
        fs::read("/proc/self/comm").map(|name| name.trim_ascii_end().to_owned()).ok()
    };
    let name = own_name(py, name, first.as_deref()).unwrap_or_else(|| format!("native {native_id}"));
    ThreadInfo { name, ident: 0, native_id, started_at: Vec::new() }
}

/// A thread that has ended: by the kernel's id, and what the kernel called it, which is the beginning of its name.
pub(crate) fn ended(py: Python<'_>, native_id: u64, name: &str) -> ThreadInfo {
    let is_it = |known: &KnownThread| known.native_id == native_id && known.name.starts_with(name);
    let known = lock().iter().rev().map(|(_, thread)| thread).find(|known| is_it(known)).cloned();
    let is_cut_off = name.len() == KERNELS_LONGEST && !name.ends_with(')');
    known.map_or_else(
        || ThreadInfo {
            name: if is_cut_off { format!("{name}...") } else { name.to_owned() },
            ident: 0,
            native_id,
            started_at: Vec::new(),
        },
        |known| ThreadInfo { ident: 0, ..known.told(py) },
    )
}

/// A thread in a title, beside another one: with the kernel's id if they have one name.
pub(crate) fn told_apart(thread: &ThreadInfo, other: &ThreadInfo) -> String {
    if thread.name == other.name && thread.native_id != other.native_id {
        format!("thread '{}' (native id {})", thread.name, thread.native_id)
    } else {
        format!("thread '{}'", thread.name)
    }
}

/// Name and address of the thread object, if there is one.
fn known_object(py: Python<'_>, ident: u64) -> PyResult<Option<(String, usize)>> {
    let Some(threading) = loaded(py, c"threading") else { return Ok(None) };
    let active = threading.getattr("_active")?.cast_into::<PyDict>()?;
    let starting =
        || threading.getattr("Thread").ok().filter(|_| ident == current_thread().slot.ident()).and_then(|class| beginner(&class));
    let Some(thread) = active.get_item(ident)?.or_else(starting) else { return Ok(None) };
    Ok(Some((thread.getattr("_name")?.extract()?, thread.as_ptr() as usize)))
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

/// Threads that are known by name at most: those that came first are forgotten first.
const MOST: usize = 1 << 13;

/// Threads, each with the first epoch of its slot that is its own.
static THREADS: Mutex<VecDeque<(Epoch, KnownThread)>> = Mutex::new(VecDeque::new());

fn lock() -> MutexGuard<'static, VecDeque<(Epoch, KnownThread)>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calling thread.
pub(crate) fn me(py: Python<'_>) -> ThreadInfo {
    let slot = context::current_thread().slot;
    thread_info(py, slot.ident(), slot.native_id())
}

/// Introduces the calling thread, which is in `epoch`: before its first access that others may race with.
#[cold]
pub(crate) fn introduce(py: Python<'_>, epoch: Epoch) {
    let slot = context::current_thread().slot;
    let me = KnownThread::of(py, slot.ident(), slot.native_id());
    let mut threads = lock();
    if threads.len() == MOST {
        threads.pop_front();
    }
    threads.push_back((epoch, me));
}

fn known(epoch: Epoch) -> Option<KnownThread> {
    let threads = lock();
    let of_slot = threads.iter().filter(|(since, _)| since.slot() == epoch.slot() && since.clock() <= epoch.clock());
    of_slot.max_by_key(|(since, _)| since.clock()).map(|(_, thread)| thread.clone())
}

/// The thread of an epoch.
pub(crate) fn of(py: Python<'_>, epoch: Epoch) -> ThreadInfo {
    let unknown = || ThreadInfo { name: "?".to_owned(), ident: 0, native_id: 0, started_at: Vec::new() };
    known(epoch).map_or_else(unknown, |known| known.told(py))
}

/// The name of the thread of an epoch.
pub(crate) fn name_of(epoch: Epoch) -> String {
    known(epoch).map_or_else(|| "?".to_owned(), |known| known.name.into())
}
