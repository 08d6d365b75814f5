//! `--potential` and `--inventory`: what threads share and which locks guard it, whether or not a race was possible this time.
//!
//! For review: everything here is behind one mutex, which is held for no call into Python, and objects are traced from their birth on.

use crate::engine::locks;
use crate::evidence::race::{self, Part};
use crate::evidence::thread_names;
use crate::findings::process;
use crate::interpreter::frames::RawFrame;
use crate::interpreter::header::{self, CREATE};
use crate::interpreter::introspection::type_name;
use crate::interpreter::types;
use crate::thread::context::InSlowPath;
use crate::thread::{code_class, guard, origins, stacks};
use ftsan::races::access::{AccessSite, Race};
use ftsan::races::clock::Epoch;
use ftsan::races::matrix::AccessKind;
use ftsan::races::review::{LockId, Outcome, Review, Shared, Use};
use ftsan::report::Frame;
use ftsan::report::store::inventory::{self, Inventory, Item};
use ftsan::rules::Severity;
use pyo3::ffi;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static IS_ON: AtomicBool = AtomicBool::new(false);
static REVIEWED: Mutex<Option<Reviewed>> = Mutex::new(None);

/// What is known so far.
#[derive(Default)]
struct Reviewed {
    review: Review,
    objects: HashMap<u64, Description>,
    /// Where locks were made, in words.
    locks: HashMap<LockId, String>,
}

/// A location in the words of the program.
struct Description {
    what: String,
    class: String,
    created: Vec<Frame>,
}

fn lock() -> MutexGuard<'static, Option<Reviewed>> {
    REVIEWED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Called for every object that is made: remembers where.  Only of types whose objects can change.
unsafe extern "C" fn born(object: *mut ffi::PyObject, event: c_int, _: *mut c_void) -> c_int {
    if event == CREATE {
        guard::catch_panic((), || {
            // SAFETY: attached, a new object with a type.
            unsafe {
                let class = ffi::Py_TYPE(object);
                let is_python = types::flags(class) & ffi::Py_TPFLAGS_HEAPTYPE != 0;
                let built_in = [
                    &raw mut ffi::PyDict_Type,
                    &raw mut ffi::PyList_Type,
                    &raw mut ffi::PySet_Type,
                    &raw mut ffi::PyByteArray_Type,
                    &raw mut ffi::PyCell_Type,
                ];
                if (is_python || built_in.contains(&class)) && !ffi::PyThreadState_GetUnchecked().is_null() {
                    origins::record(object as usize, 0);
                }
            }
        });
    }
    0
}

/// Begins, if the options ask for it.
pub(crate) fn start() {
    let options = &process::get().options;
    if !options.potential && options.inventory.is_none() {
        return;
    }
    *lock() = Some(Reviewed::default());
    // SAFETY: attached.
    unsafe { header::follow_births(born) };
    IS_ON.store(true, Ordering::Relaxed);
}

/// Whether uses are to be noted.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// Notes a use of a part of an object by the calling thread, which is in `epoch`.
///
/// # Safety
/// Attached; the objects that are passed are alive.
#[cold]
pub(crate) unsafe fn note(
    object: *mut ffi::PyObject,
    part: Part,
    location: u64,
    epoch: Epoch,
    kind: AccessKind,
    place: AccessSite,
) {
    let Some(busy) = InSlowPath::enter() else { return };
    let held = locks::guards();
    let guards: Vec<LockId> = held.iter().map(|(lock, _)| *lock).collect();
    let outcome = {
        let mut guard = lock();
        let Some(reviewed) = guard.as_mut() else { return };
        reviewed.review.note(&Use { location, epoch, kind, guards: &guards, place })
    };
    if outcome == Outcome::Nothing {
        return;
    }
    // SAFETY: passed on.
    let (py, bound) = unsafe {
        let py = Python::assume_attached();
        (py, Bound::from_borrowed_ptr(py, object))
    };
    let created = |address: usize| {
        let frames: &[RawFrame] = stacks::get(origins::of(address));
        frames.iter().map(|frame| code_class::resolve(py, *frame)).collect::<Vec<_>>()
    };
    let description =
        Description { what: race::describe_here(&bound, part), class: type_name(&bound), created: created(object as usize) };
    let locks: Vec<(LockId, String)> = held.iter().map(|(lock, address)| (*lock, named(&created(*address)))).collect();
    if let Some(reviewed) = lock().as_mut() {
        reviewed.objects.entry(location).or_insert(description);
        reviewed.locks.extend(locks);
    }
    drop(busy);
    if let Outcome::Unguarded(other) = outcome
        && process::get().options.potential
    {
        let race = Race {
            severity: other.severity.min(Severity::Warning),
            earlier_kind: other.kind,
            earlier: other.place,
            earlier_thread: other.epoch,
            earlier_check: None,
            kind,
            here: place,
            check: None,
            is_checked: false,
            witnessed: false,
            published_early: false,
            made_late: false,
            was_none: false,
            flag: None,
            is_potential: true,
            is_between: false,
        };
        // SAFETY: passed on.
        let _ = unsafe { race::found(object, part, false, &race) };
    }
}

fn named(created: &[Frame]) -> String {
    match ftsan::report::programs_line(created) {
        Some(frame) => format!("the lock made at {}:{}", frame.file, frame.line),
        None => "a lock".to_owned(),
    }
}

/// Writes the inventory, if it is asked for.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write() -> std::io::Result<()> {
    let Some(path) = &process::get().options.inventory else { return Ok(()) };
    let mut news = Inventory::default();
    if let Some(reviewed) = lock().as_ref() {
        for (location, shared) in reviewed.review.shared() {
            if let Some(description) = reviewed.objects.get(&location) {
                news.add(item(description, shared, &reviewed.locks));
            }
        }
    }
    inventory::merge_into(path, news)
}

fn item(description: &Description, shared: &Shared, locks: &HashMap<LockId, String>) -> Item {
    let guard = shared.guards.as_ref().and_then(|guards| guards.first());
    let mut threads: Vec<String> = shared.threads.iter().map(|epoch| thread_names::name_of(*epoch)).collect();
    threads.sort_unstable();
    Item {
        what: description.what.clone(),
        r#type: description.class.clone(),
        created: description.created.clone(),
        threads,
        guard: guard.map(|guard| locks.get(guard).cloned().unwrap_or_else(|| "a lock".to_owned())),
        reads: shared.reads,
        writes: shared.writes,
        objects: 1,
    }
}
