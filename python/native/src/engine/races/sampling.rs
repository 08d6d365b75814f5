//! `--sample`: data races are looked for in slices of time, between which the probes are off and nothing is noted.
//!
//! A slice is all or nothing: were some functions watched and others not, the order that those others make, through a list that serves as a
//! queue or a flag, would be missing, and accesses that are no race would look like one.  It begins and ends with the world
//! stopped, and has histories of its own ([`order::slice`]): both accesses of a race are of one slice, and so is everything that
//! lies between them and would order them.  Hence a race that is found is one.
//!
//! A thread of ours keeps the time.  It is never attached; it asks the interpreter to run [`turn`] in whatever thread comes by
//! ([`pending_calls`]).  As long as none does, nothing runs that could be watched.  It is not there while the
//! process forks: the interpreter counts threads then, and warns of them.

use crate::engine::order;
use crate::findings::process;
use crate::interpreter::pending_calls;
use crate::interpreter::world::Stopped;
use crate::thread::{clock, faults, guard, probe_switch};
use ftsan::races::mix;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long probes are on.
const SLICE: Duration = Duration::from_millis(10);

/// How often the thread that keeps the time looks whether what it has asked for is done: first and last.
const PATIENCE: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];

/// [`Options::sample`](ftsan::options::Options::sample) of all the time.
pub(crate) const ALWAYS: u32 = 1000;

/// There was a second thread, since when there are slices.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
/// Probes stay on: something traces.
static IS_OVER: AtomicBool = AtomicBool::new(false);
/// The time is over that the probes are to be as they are, and they still are.
static IS_DUE: AtomicBool = AtomicBool::new(false);
/// For how long threads were stopped for the last slice, in nanoseconds.
static STOPPED_NS: AtomicU64 = AtomicU64::new(0);

/// The thread that keeps the time.
struct Timer {
    is_wanted: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

static TIMER: Mutex<Option<Timer>> = Mutex::new(None);

fn timer() -> MutexGuard<'static, Option<Timer>> {
    TIMER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on there are slices, if the options ask for it and code can be switched.
pub(crate) fn start(py: Python<'_>) {
    if process::get().options.sample == ALWAYS {
        return;
    }
    if probe_switch::may_compile(py) {
        faults::fail(
            "races: --sample does not go with an interpreter that compiles at run time: data races are looked for all the time",
        );
        return;
    }
    probe_switch::keep(keep_on);
    clock::on_second_thread(begin);
}

/// There is about to be another thread.  Attached.
fn begin() {
    if HAS_BEGUN.swap(true, Ordering::AcqRel) {
        return;
    }
    // SAFETY: attached.
    let py = unsafe { Python::assume_attached() };
    set(py, true);
    if !IS_OVER.load(Ordering::Acquire) {
        keep_time();
    }
}

/// Begins or ends a slice.
fn set(py: Python<'_>, is_on: bool) {
    let began = Instant::now();
    let stopped = Stopped::stop(py);
    if is_on {
        order::begin_slice();
        clock::set_watched(true);
    } else {
        clock::set_watched(false);
    }
    let left = probe_switch::set(&stopped, is_on);
    drop(stopped);
    STOPPED_NS.store(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
    if is_on && !IS_OVER.load(Ordering::Acquire) {
        probe_switch::SLICES.fetch_add(1, Ordering::Relaxed);
    }
    if left > 0 && !IS_OVER.swap(true, Ordering::AcqRel) {
        faults::fail(&format!("races: a tracer that is written in C keeps {left} probes off, as it was there before the slice"));
    }
}

/// Probes are to be on from now on.  Attached.
fn keep_on() {
    probe_switch::SLICES.store(0, Ordering::Relaxed);
    if !IS_OVER.swap(true, Ordering::AcqRel) && HAS_BEGUN.load(Ordering::Acquire) && probe_switch::is_off() {
        // SAFETY: attached.
        set(unsafe { Python::assume_attached() }, true);
    }
}

/// The switch that is due is made, in a thread of the program that the interpreter has interrupted between two instructions.
unsafe extern "C" fn turn(_: *mut c_void) -> c_int {
    guard::catch_panic((), || {
        if !IS_DUE.load(Ordering::Acquire) {
            return;
        }
        if probe_switch::is_traced() {
            keep_on();
        } else if !IS_OVER.load(Ordering::Acquire) {
            // SAFETY: a pending call is made attached.
            set(unsafe { Python::assume_attached() }, probe_switch::is_off());
        }
        // Last: the thread that keeps the time looks then whether a slice has begun.
        IS_DUE.store(false, Ordering::Release);
    });
    0
}

/// Begins to keep the time, in a thread.
fn keep_time() {
    let is_wanted = Arc::new(AtomicBool::new(true));
    let sample = process::get().options.sample;
    let mut seed = process::get().options.seed ^ u64::from(std::process::id());
    let keeper = {
        let is_wanted = is_wanted.clone();
        move || {
            let mut cost = SLICE;
            while is_wanted.load(Ordering::Acquire) && !IS_OVER.load(Ordering::Acquire) {
                let (began, is_slice) = (Instant::now(), !probe_switch::is_off());
                seed = mix(seed.wrapping_add(1));
                rest(&is_wanted, if is_slice { SLICE } else { pause(cost, sample, seed) });
                turn_when_possible(&is_wanted);
                if is_slice {
                    probe_switch::SLICED_MS.fetch_add(began.elapsed().as_millis() as u64, Ordering::Relaxed);
                    cost = began.elapsed() + 2 * Duration::from_nanos(STOPPED_NS.load(Ordering::Relaxed));
                }
            }
        }
    };
    match without_signals(|| std::thread::Builder::new().name("ftsan".to_owned()).spawn(keeper)) {
        Ok(thread) => *timer() = Some(Timer { is_wanted, thread }),
        Err(error) => faults::fail(&format!("races: --sample has no thread ({error}): data races are looked for all the time")),
    }
}

/// Starts a thread that no signal to the process finds: the program waits for it in a thread of its own, and the others block it.
fn without_signals<T>(spawn: impl FnOnce() -> T) -> T {
    // SAFETY: plain data, which `sigfillset` fills in; the calling thread gets its mask back.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before = all;
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let result = spawn();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        result
    }
}

/// How long nothing is looked for after something that took `cost`, in `permille` of the time: on average, as programs have a rhythm of their
/// own.
fn pause(cost: Duration, permille: u32, seed: u64) -> Duration {
    let average = cost * (ALWAYS - permille) / permille;
    average / 2 + average.mul_f64((seed >> 11) as f64 / (1u64 << 53) as f64)
}

fn rest(is_wanted: &AtomicBool, how_long: Duration) {
    let end = Instant::now() + how_long;
    while is_wanted.load(Ordering::Acquire)
        && let Some(left) = end.checked_duration_since(Instant::now())
    {
        std::thread::park_timeout(left);
    }
}

/// Has a slice begin or end as soon as a thread comes by.
fn turn_when_possible(is_wanted: &AtomicBool) {
    IS_DUE.store(true, Ordering::Release);
    let [mut patience, longest] = PATIENCE;
    while !pending_calls::ask(turn) {
        rest(is_wanted, longest);
        if !is_wanted.load(Ordering::Acquire) {
            return;
        }
    }
    while IS_DUE.load(Ordering::Acquire) && is_wanted.load(Ordering::Acquire) {
        rest(is_wanted, patience);
        patience = (patience * 2).min(longest);
    }
}

/// The program ends, or forks: nobody keeps the time any more.
pub(crate) fn stop() {
    let timer = timer().take();
    if let Some(Timer { is_wanted, thread }) = timer {
        is_wanted.store(false, Ordering::Release);
        thread.thread().unpark();
        let _ = thread.join();
        IS_DUE.store(false, Ordering::Release);
    }
}

/// Runs `fork` while nobody keeps the time.
pub(crate) fn without_timer<R>(fork: impl FnOnce() -> R) -> R {
    let is_kept = timer().is_some();
    stop();
    let result = fork();
    // Not in the child, which has not begun.
    if is_kept && HAS_BEGUN.load(Ordering::Acquire) {
        keep_time();
    }
    result
}

/// In the child of a fork there is one thread again.
pub(crate) fn after_fork_in_child(py: Python<'_>) {
    if HAS_BEGUN.swap(false, Ordering::AcqRel) && !IS_OVER.load(Ordering::Acquire) && !probe_switch::is_off() {
        set(py, false);
    }
}
