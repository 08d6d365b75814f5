//! The handler of fatal signals: what the process was doing goes into the recording, then whoever was there before us handles the signal.
//!
//! The other threads are stopped meanwhile, so that their stacks hold still.  Everything is bounded: what takes too long is left out,
//! and a second crash inside the handler ends it.  Nothing is allocated and no lock is taken; memory that may be bad is only read through
//! the kernel.

use crate::state::{process, python, thread};
use crate::system::{memory, signal_stack};
use ftsan::recording::{CrashNotes, Recording};
use libc::{c_int, c_void, pid_t, siginfo_t};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// What a process dies of, if nobody handles it.
const FATAL: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT, libc::SIGFPE, libc::SIGILL];

/// After so many seconds the process dies with what there is.
const PATIENCE: u32 = 10;
/// So many milliseconds are given to the other threads to stop.
const STOPPING_MS: u32 = 300;

struct Before(UnsafeCell<[std::mem::MaybeUninit<libc::sigaction>; FATAL.len()]>);

// SAFETY: written once, before any handler is installed.
unsafe impl Sync for Before {}

static BEFORE: Before = Before(UnsafeCell::new([const { std::mem::MaybeUninit::zeroed() }; FATAL.len()]));
/// The kernel's id of the thread that crashed first.
static CRASHING: AtomicU32 = AtomicU32::new(0);
static STOPPED: AtomicU32 = AtomicU32::new(0);
static GO_ON: AtomicBool = AtomicBool::new(false);

fn tid() -> u32 {
    // SAFETY: always succeeds.
    unsafe { libc::gettid() as u32 }
}

/// Called when Python code begins to be watched, or earlier where there is no Python.
pub(crate) fn install() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::AcqRel) {
        return;
    }
    signal_stack::give();
    for (at, signal) in FATAL.into_iter().enumerate() {
        // SAFETY: the handler is a function of this library, which is never unloaded; nobody reads BEFORE yet.
        unsafe {
            let before = (*BEFORE.0.get())[at].as_mut_ptr();
            if libc::sigaction(signal, std::ptr::null(), before) != 0 || (*before).sa_sigaction == libc::SIG_IGN {
                continue;
            }
            libc::sigaction(signal, &action(crashed as *const c_void, libc::SA_ONSTACK), std::ptr::null_mut());
        }
    }
}

fn action(handler: *const c_void, flags: c_int) -> libc::sigaction {
    // SAFETY: zeros are valid.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO | flags;
    action
}

unsafe extern "C" fn crashed(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let _paused = thread::Paused::begin();
    match CRASHING.compare_exchange(0, tid(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            // SAFETY: the kernel's.
            unsafe { take_notes(signal, info, context) };
        }
        Err(first) if first == tid() => {}
        // Another thread is at it, and the process dies of that.
        Err(_) => pause(PATIENCE * 1000, || false),
    }
    GO_ON.store(true, Ordering::Release);
    // SAFETY: the handler that was there, or the default.
    unsafe { chain_handler(signal, (*info).si_code) };
}

/// What was there before us gets the signal: by running into it again, or by raising it again if somebody sent it.
///
/// # Safety
/// In the handler of that signal.
unsafe fn chain_handler(signal: c_int, code: c_int) {
    // SAFETY: BEFORE was written by `install`.
    unsafe {
        let at = FATAL.iter().position(|fatal| *fatal == signal).unwrap_or(0);
        libc::sigaction(signal, (*BEFORE.0.get())[at].as_ptr(), std::ptr::null_mut());
        if code <= 0 {
            libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), signal);
        }
    }
}

/// # Safety
/// What the kernel gave to the handler.
unsafe fn take_notes(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(recording) = process::recording() else { return };
    let notes = &recording.crash;
    notes.state.store(1, Ordering::Release);
    notes.signal.store(signal, Ordering::Relaxed);
    notes.native_id.store(u64::from(tid()), Ordering::Relaxed);
    // SAFETY: the kernel's.
    unsafe {
        notes.code.store((*info).si_code, Ordering::Relaxed);
        if matches!(signal, libc::SIGSEGV | libc::SIGBUS) && (*info).si_code > 0 {
            notes.address.store((*info).si_addr() as u64, Ordering::Relaxed);
        }
        give_up_in_time();
    }
    stop_the_others(recording);
    // SAFETY: the kernel's.
    unsafe { native_stack(notes, context.cast::<libc::ucontext_t>()) };
    if let Some(module) = python::api() {
        // SAFETY: the module's functions stay callable for good.
        unsafe { (module.crashed)(note) };
    }
    note_maps(notes);
    notes.state.store(2, Ordering::Release);
    process::write_out();
    // SAFETY: plain call.
    unsafe { libc::alarm(0) };
}

unsafe extern "C" fn note(bytes: *const u8, len: usize) {
    if let Some(recording) = process::recording() {
        // SAFETY: the module's text.
        recording.crash.note(unsafe { std::slice::from_raw_parts(bytes, len) });
    }
}

/// # Safety
/// In a signal handler of a process that is about to die.
unsafe fn give_up_in_time() {
    // SAFETY: plain calls; the handler only ends the process.
    unsafe {
        let mut alarms: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut alarms);
        libc::sigaddset(&raw mut alarms, libc::SIGALRM);
        libc::sigaction(libc::SIGALRM, &action(too_late as *const c_void, 0), std::ptr::null_mut());
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const alarms, std::ptr::null_mut());
        libc::alarm(PATIENCE);
    }
}

/// Dies of what it was dying of.
unsafe extern "C" fn too_late(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    let signal = process::recording().map_or(libc::SIGKILL, |recording| recording.crash.signal.load(Ordering::Relaxed));
    // SAFETY: plain calls.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut all);
        libc::signal(signal, libc::SIG_DFL);
        libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), signal);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
        libc::syscall(libc::SYS_kill, libc::getpid(), libc::SIGKILL);
    }
}

/// Waits for `done`, at most so long.
fn pause(milliseconds: u32, done: impl Fn() -> bool) {
    for _ in 0..milliseconds {
        if done() {
            return;
        }
        let one = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        // SAFETY: plain call.
        unsafe { libc::nanosleep(&raw const one, std::ptr::null_mut()) };
    }
}

/// A real-time signal that hardly anybody uses.
fn stop_signal() -> c_int {
    libc::SIGRTMAX() - 5
}

fn stop_the_others(recording: &Recording) {
    let me = u64::from(tid());
    let mut asked = 0;
    // SAFETY: the handler waits and returns; the ids are of threads of this process or of nobody.
    unsafe {
        libc::sigaction(
            stop_signal(),
            &action(stopped as *const c_void, libc::SA_RESTART | libc::SA_ONSTACK),
            std::ptr::null_mut(),
        );
        for other in recording.live().filter(|other| other.native_id() != me) {
            let sent = libc::syscall(libc::SYS_tgkill, libc::getpid(), other.native_id() as pid_t, stop_signal());
            asked += u32::from(sent == 0);
        }
    }
    pause(STOPPING_MS, || STOPPED.load(Ordering::Acquire) >= asked);
}

unsafe extern "C" fn stopped(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    let _paused = thread::Paused::begin();
    STOPPED.fetch_add(1, Ordering::AcqRel);
    pause(PATIENCE * 1000, || GO_ON.load(Ordering::Acquire));
}

/// # Safety
/// The context is the kernel's.
unsafe fn native_stack(notes: &CrashNotes, context: *const libc::ucontext_t) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel filled it in.
    let (pc, sp) = unsafe {
        let registers = &(*context).uc_mcontext.gregs;
        (registers[libc::REG_RIP as usize] as u64, registers[libc::REG_RSP as usize] as usize)
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the kernel filled it in.
    let (pc, sp) = unsafe { ((*context).uc_mcontext.pc, (*context).uc_mcontext.sp as usize) };
    notes.add_native_frame(pc);
    let mut found = false;
    // SAFETY: the other threads are stopped, so nobody else traces.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            let address = frame.ip() as u64;
            if found {
                return notes.add_native_frame(address);
            }
            // The unwinder gives the address after a call, and the exact one of a frame that a signal interrupted.
            found = pc != 0 && (address == pc || address == pc + 1);
            true
        });
    }
    if notes.native_frames() == 1 {
        // A call of a bad address, from where the unwinder does not get on: whoever called it is on top of the stack.
        let mut caller = [0_u64];
        if memory::read(sp, &mut caller) {
            notes.add_native_frame(caller[0]);
        }
    }
}

/// Which file is where in memory, as `/proc/self/maps` has it.
fn note_maps(notes: &CrashNotes) {
    // SAFETY: system calls; the buffer is as large as said.
    unsafe {
        let fd = libc::syscall(libc::SYS_openat, libc::AT_FDCWD, c"/proc/self/maps".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC, 0);
        let mut buffer = [0_u8; 4096];
        notes.note(b"maps\n");
        loop {
            let count = libc::syscall(libc::SYS_read, fd, buffer.as_mut_ptr(), buffer.len());
            let Some(read) = usize::try_from(count).ok().filter(|count| *count > 0).and_then(|count| buffer.get(..count)) else {
                break;
            };
            notes.note(read);
        }
        libc::syscall(libc::SYS_close, fd);
    }
}
