//! The work for a process that is dying, step by step.
//!
//! A step may crash itself, because it looks at what the crash has destroyed, or never end, because a stopped thread has the lock that it
//! wants.  Either sends a signal to this thread, whose handler never returns: it begins the next step, further down the stack.

use crate::crash::{chain, first, notes, others};
use crate::state::{process, python};
use crate::system::call;
use crate::system::signal_stack::Reserved;
use ftsan::recording::{CRASH_STEPS, LOOK, Recording};
use libc::{c_int, c_void, siginfo_t};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

struct Step {
    run: fn(&'static Recording),
    /// What it may take; together less than a second, but for the file of a slow disk.
    milliseconds: u32,
}

/// In the order of [`CRASH_STEPS`].
static STEPS: [Step; CRASH_STEPS.len()] = [
    Step { run: map_of_memory, milliseconds: 500 },
    Step { run: others::stop, milliseconds: others::STOPPING_MS + 100 },
    Step { run: python_stacks, milliseconds: 300 },
    Step { run: |_| process::write_out(), milliseconds: 1000 },
];

/// Signals are handled there while a step runs: it may have used up the stack that it runs on.
static EMERGENCY: Reserved = Reserved::new();
/// How many steps have begun.
static BEGUN: AtomicUsize = AtomicUsize::new(0);
/// The kernel's number of the timer that limits steps.
static TIMER: AtomicI32 = AtomicI32::new(-1);

pub(super) fn prepare() {
    EMERGENCY.reserve();
    others::listen(interrupted);
    if let Some(recording) = process::recording() {
        recording.crash.looks.store(1, Ordering::Release);
    }
}

/// The first crash of the process is written down; nothing else was done yet.
pub(super) extern "C" fn begin() -> ! {
    EMERGENCY.use_for_signals();
    others::listen(interrupted); // again, if the program has other uses for the signal
    make_timer();
    go_on()
}

/// Begins the next step, and those after it.
pub(super) fn go_on() -> ! {
    let (Some(recording), first) = (process::recording(), BEGUN.load(Ordering::Relaxed)) else { end() };
    if let Some(failed) = first.checked_sub(1) {
        recording.crash.failed_steps.fetch_or(1 << failed, Ordering::Relaxed);
    }
    loop {
        let next = BEGUN.fetch_add(1, Ordering::Relaxed);
        let Some(step) = STEPS.get(next) else { break };
        set_timer(step.milliseconds);
        call::unblock_only(chain::FATAL.into_iter().chain([others::signal()]));
        (step.run)(recording);
    }
    recording.crash.state.store(2, Ordering::Release);
    end()
}

fn end() -> ! {
    call::unblock_only([]);
    set_timer(0);
    chain::retire();
    python::retire();
    first::finish();
    others::release();
    // SAFETY: in the handler of the first crash, or in one that interrupted it.
    unsafe { chain::go_back() }
}

fn map_of_memory(recording: &'static Recording) {
    notes::maps(&recording.crash);
    // The next steps are less certain.
    process::write_out();
}

fn python_stacks(recording: &'static Recording) {
    if let Some(module) = python::api() {
        recording.crash.note(b"[python]\n");
        // SAFETY: the module's functions stay callable for good.
        unsafe { (module.crashed)(note) };
    }
}

unsafe extern "C" fn note(bytes: *const u8, len: usize) {
    if let Some(recording) = process::recording() {
        // SAFETY: the module's text.
        recording.crash.note(unsafe { std::slice::from_raw_parts(bytes, len) });
    }
}

/// In another thread than the dying one: hold still.  In that one: the time is up.  From the launcher: say what the process is doing.
unsafe extern "C" fn interrupted(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    if first::is_handled_here() {
        go_on();
    }
    // SAFETY: the kernel filled it in.
    if unsafe { (*info).si_code == libc::SI_QUEUE && (*info).si_value().sival_ptr.addr() == LOOK } {
        look();
    } else if first::is_there() {
        others::hold();
    }
}

/// The process lives, and says what it is doing: no thread is stopped, as those that hang hold still by themselves.
fn look() {
    let Some(recording) = process::recording().filter(|_| !first::is_there()) else { return };
    recording.crash.clear();
    python_stacks(recording);
    recording.crash.state.store(3, Ordering::Release);
    recording.crash.looks.fetch_add(1, Ordering::AcqRel);
}

/// A timer that signals this thread.
fn make_timer() {
    // SAFETY: zeros are valid.
    let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
    event.sigev_notify = libc::SIGEV_THREAD_ID;
    event.sigev_signo = others::signal();
    event.sigev_notify_thread_id = call::thread_id() as c_int;
    let mut timer: c_int = -1;
    let arguments = [libc::CLOCK_MONOTONIC as usize, &raw const event as usize, &raw mut timer as usize];
    // SAFETY: reads the event, writes the timer's number.
    if unsafe { call::raw(libc::SYS_timer_create, arguments) } == 0 {
        TIMER.store(timer, Ordering::Relaxed);
    }
}

/// Signals this thread after so long; never for 0.
fn set_timer(milliseconds: u32) {
    let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let value = libc::timespec { tv_sec: i64::from(milliseconds / 1000), tv_nsec: i64::from(milliseconds % 1000) * 1_000_000 };
    let setting = libc::itimerspec { it_interval: never, it_value: value };
    let arguments = [TIMER.load(Ordering::Relaxed) as usize, 0, &raw const setting as usize, 0];
    // SAFETY: reads the setting; a timer that could not be made is refused.
    unsafe { call::raw(libc::SYS_timer_settime, arguments) };
}
