//! Probes are off while one thread lives: code jumps over them until there is about to be a second one.
//!
//! A thread that is alone has nothing to tell.  In the place of the first code unit of each probe is a jump over it
//! ([`ftsan::patcher::switches`]), which is changed back by one store of two bytes while the thread runs: the interpreter reads a code unit
//! as a whole, and any mix of probes that are on and off is sound.  So nothing has to be stopped, and the second thread itself may do it
//! before it is attached.
//!
//! Python's ways to start threads say so before ([`crate::thread::clock::share`]).  Any other thread that begins to run Python code
//! attaches a thread state for the first time, for which CPython asks where the thread's stack ends (`_PyThreadState_Attach`,
//! `Python/pystate.c`): the injected library hooks `pthread_getattr_np`, and [`begin`] tries whether it is called so here.
//!
//! While probes are off there is one copy of all code, which is part of the code object and which the main thread runs; copies for other
//! threads are made of that one when they run it.
//!
//! With `--sample` they are switched again and again ([`set`]), by then with the world stopped and in all copies.
//!
//! Folded probes are another matter: code jumps over those for which another one stands as long as the object is private
//! ([`ftsan::patcher::Point::behind`]), whether others are on or off, until that one puts them into their places
//! ([`crate::engine::races::folds`]), in the copy that its thread runs.
//!
//! Tracing and monitoring overwrite instructions and keep what was there: probes are switched on before they begin
//! (`crate::intercept::tracers`).  Should one have begun all the same, [`is_traced`] sees that code was made anew for it, and the report says
//! which probes are not watched.

use crate::interpreter::code_fields::Code;
use crate::interpreter::world::Stopped;
use crate::interpreter::{code_text, frames, offsets, thread_state};
use crate::thread::faults;
use ftsan::patcher::Switch;
use pyo3::ffi;
use pyo3::prelude::*;
use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Probes that are made now are switched off, and so are those that were made.
static IS_OFF: AtomicBool = AtomicBool::new(false);

/// Code is remembered for as long as it lives, to be switched off again.
static IS_KEPT: AtomicBool = AtomicBool::new(false);

/// It was switched in all copies, and is from now on.
static HAS_COPIES: AtomicBool = AtomicBool::new(false);

/// Probes that are made now may be folded.
static IS_FOLDING: AtomicBool = AtomicBool::new(false);

/// The function to be called, attached, when probes are to be on for good.
static FOR_GOOD: OnceLock<fn()> = OnceLock::new();

/// The state of the main thread, which is part of its interpreter and lives as long.
static MAIN: AtomicPtr<ffi::PyThreadState> = AtomicPtr::new(std::ptr::null_mut());

/// Probes of code objects, by the address of the first unit.
type Codes = BTreeMap<usize, Arc<[Switch]>>;

/// Code that is to be switched, and code with folded probes.
struct Tables {
    switched: Codes,
    folded: Codes,
}

/// A lock that is held for as long as some stores take, so a thread that waits for it may be attached or not.  The child of a fork
/// opens it.
struct Locked {
    is_taken: AtomicBool,
    tables: UnsafeCell<Tables>,
}
// SAFETY: the tables are only reached through a `Guard`, of which there is one at a time.
unsafe impl Sync for Locked {}

static CODES: Locked = Locked {
    is_taken: AtomicBool::new(false),
    tables: UnsafeCell::new(Tables { switched: BTreeMap::new(), folded: BTreeMap::new() }),
};

struct Guard(());

impl Guard {
    fn take() -> Self {
        while CODES.is_taken.swap(true, Ordering::Acquire) {
            std::thread::yield_now();
        }
        Guard(())
    }

    fn tables(&mut self) -> &mut Tables {
        // SAFETY: the lock is taken as long as the guard lives.
        unsafe { &mut *CODES.tables.get() }
    }

    fn codes(&mut self) -> &mut Codes {
        &mut self.tables().switched
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        CODES.is_taken.store(false, Ordering::Release);
    }
}

/// In the child of a fork: the thread that was switching may be gone.  It changes nothing of the table, and the code may be left as it is.
pub(crate) fn after_fork_in_child() {
    HAS_COPIES.store(false, Ordering::Release);
    SLICES.store(0, Ordering::Relaxed);
    SLICED_MS.store(0, Ordering::Relaxed);
    CODES.is_taken.store(false, Ordering::Release);
}

/// The switches of a code object.
#[derive(Debug)]
pub(crate) struct Switches {
    units: usize,
    all: Arc<[Switch]>,
    folded: Arc<[Switch]>,
}

impl Switches {
    /// Puts into the code's bytes what is there when the probes are on.
    pub(crate) fn set_on(&self, bytes: &mut [u8]) {
        for switch in self.all.iter().chain(self.folded.iter()) {
            let at = 2 * switch.unit as usize;
            bytes[at..at + 2].copy_from_slice(&switch.on);
        }
    }
}

impl Drop for Switches {
    fn drop(&mut self) {
        // The code object is about to be freed: the lock is waited for even if nothing is left to be taken out.
        let mut guard = Guard::take();
        let removed = (guard.codes().remove(&self.units), guard.tables().folded.remove(&self.units));
        drop(guard);
        drop(removed);
    }
}

/// Whether probes are off.
#[inline]
pub(crate) fn is_off() -> bool {
    IS_OFF.load(Ordering::Acquire)
}

/// Whether probes of the code that is made now are to be switched, now or later, or folded.
pub(crate) fn concerns_new_code() -> bool {
    is_switching() || is_folding()
}

fn is_switching() -> bool {
    is_off() || IS_KEPT.load(Ordering::Acquire)
}

/// Whether probes may be folded.
pub(crate) fn is_folding() -> bool {
    IS_FOLDING.load(Ordering::Acquire)
}

/// From now on code is remembered; `for_good` is called before anything that probes must not be switched off again for.
pub(crate) fn keep(for_good: fn()) {
    let _ = FOR_GOOD.set(for_good);
    IS_KEPT.store(true, Ordering::Release);
}

/// How often probes were on for a while, and for how long in all, in milliseconds: what the report says of `--sample`.
pub(crate) static SLICES: AtomicU64 = AtomicU64::new(0);
pub(crate) static SLICED_MS: AtomicU64 = AtomicU64::new(0);

/// Puts `to` in the place of `from`; whether that was there.
///
/// # Safety
/// The units of a live code object, which has that many.
unsafe fn change(units: usize, switch: &Switch, from: [u8; 2], to: [u8; 2]) -> bool {
    // SAFETY: passed on; the interpreter reads and writes units of running code atomically.
    let unit = unsafe { AtomicU16::from_ptr((units as *mut u16).add(switch.unit as usize)) };
    let (from, to) = (u16::from_ne_bytes(from), u16::from_ne_bytes(to));
    unit.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// Takes up a code object that nobody has run yet: folds those probes that another one stands for, and switches the others off if probes are.
/// `None` if all stay on.
pub(crate) fn take_up(code: &Code<'_>, mut switches: Vec<Switch>, mut folded: Vec<Switch>) -> Option<Switches> {
    let units = code.units();
    let mut guard = Guard::take();
    let (is_off, is_switching) = (is_off(), is_switching());
    if !is_switching {
        switches.clear();
    }
    if !is_folding() {
        folded.clear();
    }
    // SAFETY: a live code object, whose instructions were just read.
    switches.retain(|switch| unsafe { change(units, switch, switch.on, if is_off { switch.off } else { switch.on }) });
    // SAFETY: as above.
    folded.retain(|switch| unsafe { change(units, switch, switch.on, switch.off) });
    let (all, folded): (Arc<[Switch]>, Arc<[Switch]>) = (switches.into(), folded.into());
    if is_switching {
        guard.codes().insert(units, all.clone());
    }
    if !folded.is_empty() {
        guard.tables().folded.insert(units, folded.clone());
    }
    // Not made to be dropped: that takes the lock.
    (is_switching || !folded.is_empty()).then(|| Switches { units, all, folded })
}

/// From now on no probe is folded, as somebody is about to look at instructions.  Attached.
pub(crate) fn unfold_all() {
    if !IS_FOLDING.swap(false, Ordering::AcqRel) {
        return;
    }
    // SAFETY: attached.
    let stopped = Stopped::stop(unsafe { Python::assume_attached() });
    let mut guard = Guard::take();
    let folded = std::mem::take(&mut guard.tables().folded);
    let mut left = 0;
    for (units, all) in &folded {
        // SAFETY: code is taken out before it is freed, and gets no copies while the world is stopped.
        for start in unsafe { code_text::copies(units - offsets::get().code_adaptive) } {
            // SAFETY: as above.
            left += all.iter().filter(|switch| unsafe { !put(start, switch, true) }).count();
        }
    }
    drop(guard);
    drop(stopped);
    drop(folded);
    if left > 0 {
        faults::fail(&format!("races: a tracer that is written in C keeps {left} probes folded: some accesses are passed over"));
    }
}

/// Before anything traces, profiles or monitors.  Attached.
pub(crate) fn before_tracing() {
    on();
    unfold_all();
}

/// Switches all probes on or off, in all copies; how many could not be.  To be called only after [`keep`].
pub(crate) fn set(_: &Stopped<'_>, is_on: bool) -> usize {
    HAS_COPIES.store(true, Ordering::Release);
    let mut left = 0;
    let mut guard = Guard::take();
    for (units, all) in guard.codes().iter() {
        // SAFETY: code is taken out before it is freed, and gets no copies while the world is stopped.
        for start in unsafe { code_text::copies(units - offsets::get().code_adaptive) } {
            // SAFETY: as above.
            left += all.iter().filter(|switch| unsafe { !put(start, switch, is_on) }).count();
        }
    }
    IS_OFF.store(!is_on, Ordering::Release);
    left
}

/// Puts the probe or the jump into its place; whether one of them was there.  A probe that was run may be there in a specialised form, with
/// the same argument.
///
/// # Safety
/// The units of a live code object that nobody runs, which has that many.
unsafe fn put(units: usize, switch: &Switch, is_on: bool) -> bool {
    // SAFETY: passed on.
    let unit = unsafe { AtomicU16::from_ptr((units as *mut u16).add(switch.unit as usize)) };
    let there = unit.load(Ordering::Relaxed).to_ne_bytes();
    let (was_off, was_on) = (there == switch.off, there != switch.off && there[1] == switch.on[1]);
    if is_on && was_off {
        unit.store(u16::from_ne_bytes(switch.on), Ordering::Relaxed);
    } else if !is_on && was_on {
        unit.store(u16::from_ne_bytes(switch.off), Ordering::Relaxed);
    }
    was_off || was_on
}

/// Switches all probes on; how many could not be.
fn sweep(codes: &Codes) -> usize {
    // SAFETY: code is taken out before it is freed.
    let left = |units: usize, switch: &Switch| unsafe { !change(units, switch, switch.off, switch.on) };
    codes.iter().map(|(units, all)| all.iter().filter(|switch| left(*units, switch)).count()).sum()
}

/// There is about to be another thread, or a tracer.  Returns when all probes are on, for good.  Attached.
pub(crate) fn on() {
    if IS_KEPT.swap(false, Ordering::AcqRel)
        && let Some(for_good) = FOR_GOOD.get()
    {
        for_good();
    }
    if !is_off() {
        return;
    }
    // SAFETY: attached.
    let stopped = is_traced().then(|| Stopped::stop(unsafe { Python::assume_attached() }));
    let mut guard = Guard::take();
    let left = sweep(guard.codes());
    let done = std::mem::take(guard.codes());
    IS_OFF.store(false, Ordering::Release);
    drop(guard);
    drop(stopped);
    drop(done);
    if left > 0 {
        faults::fail(&format!("races: a tracer that is written in C keeps {left} probes off, as it was there before the threads"));
    }
}

/// As [`on`], in a thread that is not attached yet.  Allocates nothing.
fn on_detached() {
    if !is_off() || HAS_COPIES.load(Ordering::Acquire) {
        return;
    }
    if is_traced() {
        // It may be changing the code at this moment.
        faults::fail("races: a tracer that is written in C keeps probes off until Python starts a thread");
        return;
    }
    let mut guard = Guard::take();
    if is_off() {
        sweep(guard.codes());
        IS_OFF.store(false, Ordering::Release);
    }
}

/// How often a thread was asked for the end of its stack since [`begin`] began to count.
static ASKED: AtomicU32 = AtomicU32::new(0);
static IS_TRIED: AtomicBool = AtomicBool::new(false);

/// The calling thread asks where its stack ends, as it does before it is attached for the first time.
pub(crate) unsafe extern "C" fn attaching() {
    if IS_TRIED.load(Ordering::Relaxed) {
        ASKED.fetch_add(1, Ordering::Relaxed);
    } else {
        on_detached();
    }
}

/// Whether a new thread state is noticed when it is attached.
fn notices_threads() -> bool {
    ASKED.store(0, Ordering::Relaxed);
    IS_TRIED.store(true, Ordering::Relaxed);
    // SAFETY: attached; the new state is this thread's for a moment, runs nothing, and is cleared before it is deleted.
    unsafe {
        let new = ffi::PyThreadState_New(ffi::PyInterpreterState_Get());
        if !new.is_null() {
            let own = ffi::PyThreadState_Swap(new);
            ffi::PyThreadState_Clear(new);
            ffi::PyThreadState_Swap(own);
            ffi::PyThreadState_Delete(new);
        }
    }
    IS_TRIED.store(false, Ordering::Relaxed);
    ASKED.load(Ordering::Relaxed) > 0
}

/// Whether code was ever made anew for a tracer or a tool, which must not be switched any more: the version that new code is compared with
/// (`_PY_EVAL_EVENTS_BITS`, `Include/internal/pycore_ceval.h`).
pub(crate) fn is_traced() -> bool {
    // SAFETY: the state of the main thread, which is never freed.
    unsafe { thread_state::instrumentation_version(MAIN.load(Ordering::Acquire)) != 0 }
}

/// Notes if a tracer has come unnoticed, which keeps folded probes as they are.
pub(crate) fn check_folded() {
    if is_folding() && is_traced() && !Guard::take().tables().folded.is_empty() {
        faults::fail("races: a tracer that is written in C came unnoticed: some accesses are passed over");
    }
}

/// Whether the calling thread is the main one, of the main interpreter.
fn is_main() -> bool {
    // SAFETY: these always succeed.
    let is_first_thread = unsafe { libc::getpid() == libc::gettid() };
    is_first_thread && thread_state::is_of_main_interpreter()
}

/// Whether the calling thread is the only one, runs code that is in code objects, and is not traced.
fn is_alone(py: Python<'_>) -> bool {
    let own = thread_state::own();
    MAIN.store(own, Ordering::Release);
    // SAFETY: attached; its own frames.
    let runs_originals = unsafe { frames::own().all(|frame| frame.is_entry() || frame.copy() == 0) };
    is_main()
        && runs_originals
        && Stopped::stop(py).threads().count() == 1
        && !thread_state::are_there_sub_interpreters()
        && !is_traced()
}

/// Whether the interpreter compiles what it runs: machine code knows nothing of changes of the code that it was made of.
pub(crate) fn may_compile(py: Python<'_>) -> bool {
    let jit = py.import("sys").and_then(|sys| sys.getattr_opt("_jit"));
    let is_enabled = |jit: Bound<'_, PyAny>| jit.call_method0("is_enabled")?.extract();
    jit.and_then(|jit| jit.map_or(Ok(false), is_enabled)).unwrap_or(true)
}

/// From now on probes may be folded.  Not if they are to be switched off again: one that was put into its place would stay on.
pub(crate) fn begin_folding(py: Python<'_>) {
    let is_for_good = !IS_KEPT.load(Ordering::Acquire);
    IS_FOLDING.store(is_main() && is_for_good && !is_traced() && !may_compile(py), Ordering::Release);
}

/// From now on probes are off, if it is certain that the second thread will be noticed.
pub(crate) fn begin(py: Python<'_>) {
    if is_alone(py) && !may_compile(py) && notices_threads() {
        IS_OFF.store(true, Ordering::Release);
    }
}
