//! `--perturb`: threads are held up before their steps, as [`ftsan::perturb`] decides.
//!
//! A delay is bounded, keeps errno, and is made where nothing of ours is held: a thread that is in a slow path of ours is not held up, nor
//! the child of a fork before it is made anew, nor a signal handler of C code (the injected library sees to that).  Decisions are
//! counted all the same.  As long as one thread lives there is nobody to get ahead of it.

use crate::interpreter::{code_text, frames, thread_state};
use crate::thread::context::{ThreadContext, current_thread, known_thread, native_id};
use crate::thread::{clock, code_class, guard};
use ftsan::perturb::{self, Decision, Step};
use ftsan::report::Perturbed;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

static SEED: OnceLock<u64> = OnceLock::new();
/// The process that may be held up: not one that was just forked.
static PROCESS: AtomicU32 = AtomicU32::new(0);
/// Whether it is known that there is a second thread.
static HEARS_OF_THREADS: AtomicBool = AtomicBool::new(false);
/// How many threads began that nobody of ours has started.
static FOREIGN: AtomicU64 = AtomicU64::new(0);
static DELAYS: AtomicU64 = AtomicU64::new(0);
static DECISIONS: AtomicU64 = AtomicU64::new(0);

/// Begins, if there is a seed.  Before anything is hooked.  `hears_of_threads`: the order of threads is kept.
pub(crate) fn start(seed: Option<u64>, hears_of_threads: bool) {
    if let Some(seed) = seed {
        let _ = SEED.set(seed);
        HEARS_OF_THREADS.store(hears_of_threads, Ordering::Relaxed);
        PROCESS.store(std::process::id(), Ordering::Relaxed);
    }
}

/// Whether threads are held up: asked when something is hooked, so that it costs nothing where they are not.
pub(crate) fn is_on() -> bool {
    SEED.get().is_some()
}

/// What was decided so far.
pub(crate) fn so_far() -> Option<Perturbed> {
    let count =
        Perturbed { seed: *SEED.get()?, delays: DELAYS.load(Ordering::Relaxed), decisions: DECISIONS.load(Ordering::Relaxed) };
    Some(count.since(None))
}

/// The calling thread, attached, is about to take a step, which the innermost of its frames but this many took.
pub(crate) fn before(step: Step, frames: usize) {
    let here = current_thread();
    if is_alone() || here.busy.get() || here.order.holds_ignored() || step == Step::Call && is_in_library(frames) {
        return;
    }
    let decision = decide(here, step);
    if decision != Decision::GoOn && may_wait() && thread_state::is_of_main_interpreter() {
        // SAFETY: by the caller's guarantee.
        guard::catch_panic((), || unsafe { Python::assume_attached() }.detach(|| wait(decision)));
    }
}

/// For the injected library: what becomes of the system call that the calling thread, attached or not, is about to make: nanoseconds, 0 to
/// go on and 1 to let others go first.
pub(crate) unsafe extern "C" fn before_system_call() -> u32 {
    let Some(here) = known_thread() else { return 0 };
    if is_alone() || here.busy.get() || is_in_library(0) {
        return 0;
    }
    match decide(here, Step::SystemCall) {
        Decision::Yield if may_wait() => 1,
        Decision::Wait(length) if may_wait() => u32::try_from(length.as_nanos()).unwrap_or(1),
        Decision::GoOn | Decision::Yield | Decision::Wait(_) => 0,
    }
}

fn decide(here: &ThreadContext, step: Step) -> Decision {
    if here.strand.thread() == 0 {
        here.strand.begin(unknown_thread());
    }
    if here.strand.thread() == perturb::NOBODY {
        return Decision::GoOn;
    }
    let (decision, sum) = here.strand.next(step);
    if decision != Decision::GoOn {
        DELAYS.fetch_add(1, Ordering::Relaxed);
        DECISIONS.fetch_add(sum, Ordering::Relaxed);
    }
    decision
}

/// The main thread, or one that C code has started.
fn unknown_thread() -> u64 {
    let first = perturb::first(SEED.get().copied().unwrap_or(0));
    if native_id() == u64::from(std::process::id()) {
        return first;
    }
    first.wrapping_add(1 + FOREIGN.fetch_add(1, Ordering::Relaxed))
}

/// Whether the calling thread is in code of the standard library that waits for others; without its innermost frames, this many.
fn is_in_library(skip: usize) -> bool {
    let mut buffer = [0; 512];
    // SAFETY: the calling thread's own frames are at rest while it is in a call of ours, attached or not.
    let file = unsafe {
        let state = ffi::PyGILState_GetThisThreadState();
        if state.is_null() {
            return false;
        }
        let codes = frames::of_thread(state).filter(|frame| !frame.is_entry()).map(|frame| frame.position().code);
        let Some(code) = codes.filter(|code| *code != 0).nth(skip) else { return false };
        code_text::read(code_text::filename(code), &mut buffer)
    };
    str::from_utf8(file).ok().and_then(code_class::in_standard_library).is_some_and(perturb::waits)
}

fn is_alone() -> bool {
    clock::is_at_rest() && HEARS_OF_THREADS.load(Ordering::Relaxed)
}

fn may_wait() -> bool {
    std::process::id() == PROCESS.load(Ordering::Relaxed)
}

fn wait(decision: Decision) {
    match decision {
        Decision::GoOn => {}
        Decision::Yield => std::thread::yield_now(),
        Decision::Wait(length) => std::thread::sleep(length),
    }
}

/// The number of the thread that the calling one is about to start; 0 if nobody asks.
pub(crate) fn next_child() -> u64 {
    if !is_on() {
        return 0;
    }
    let here = current_thread();
    if here.strand.thread() == 0 {
        here.strand.begin(unknown_thread());
    }
    here.strand.next_child()
}

/// The calling thread begins, and has this number.
pub(crate) fn begin(thread: u64) {
    if is_on() {
        current_thread().strand.begin(thread);
        before(Step::Start, 0);
    }
}

/// What the calling thread does from now on is done in this name, whatever was done before: whether there were other threads already is
/// not to matter.  Without a name, in none: it is not held up.  Attached.
pub(crate) fn begin_named(name: &str) {
    if let Some(seed) = SEED.get() {
        clock::share();
        current_thread().strand.begin(perturb::named(*seed, name));
    }
}

/// In the child of a fork, before which [`next_child`] was called.
pub(crate) fn after_fork() {
    if is_on() {
        let strand = &current_thread().strand;
        strand.begin(strand.last_child());
        DELAYS.store(0, Ordering::Relaxed);
        DECISIONS.store(0, Ordering::Relaxed);
        PROCESS.store(std::process::id(), Ordering::Relaxed);
    }
}
