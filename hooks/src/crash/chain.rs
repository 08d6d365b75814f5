//! The handlers that come after ours, and the way back to what crashed, which then crashes into them.
//!
//! A handler that the program installs later (faulthandler's, as pytest has it) comes after ours as well: it would be the first to touch
//! what was destroyed, and we would see its crash instead of the program's.

use crate::crash::first;
use crate::system::call;
use crate::system::context::{self, Interrupted};
use crate::system::original::Original;
use libc::{c_int, c_void};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Signals that a process dies of, if nobody handles them.  SIGQUIT is what people send to a process that hangs.
pub(super) const FATAL: [c_int; 6] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT, libc::SIGFPE, libc::SIGILL, libc::SIGQUIT];

/// The handler of a fatal signal after us: the newest of two, so that a crash meanwhile finds a whole one.
struct After {
    actions: UnsafeCell<[MaybeUninit<libc::sigaction>; 2]>,
    newest: AtomicUsize,
}

// SAFETY: what is being written is not what is read; programs set the handler of a signal in one thread.
unsafe impl Sync for After {}

impl After {
    fn get(&self) -> *const libc::sigaction {
        // SAFETY: one of the two, each of which is valid as zeros.
        unsafe { (*self.actions.get())[self.newest.load(Ordering::Acquire)].as_ptr() }
    }

    /// # Safety
    /// The action is readable.
    unsafe fn set(&self, action: *const libc::sigaction) {
        let next = 1 - self.newest.load(Ordering::Acquire);
        // SAFETY: the caller's guarantee; nobody reads this one.
        unsafe { (*self.actions.get())[next].as_mut_ptr().write(action.read()) };
        self.newest.store(next, Ordering::Release);
    }
}

static AFTER: [After; FATAL.len()] =
    [const { After { actions: UnsafeCell::new([const { MaybeUninit::zeroed() }; 2]), newest: AtomicUsize::new(0) } }; FATAL.len()];

/// Our handler, null until it is installed.
static HANDLER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// libc's, not our hook of it.
static SIGACTION: Original = Original::new(c"sigaction");

/// # Safety
/// As `sigaction`.
pub(super) unsafe fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    type Function = unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int;
    // SAFETY: the original has this signature, and the caller vouches for the rest.
    unsafe { std::mem::transmute::<usize, Function>(SIGACTION.get())(signal, new, old) }
}

/// How a signal is handled by one of our functions.
pub(super) fn action(handler: *const c_void, flags: c_int) -> libc::sigaction {
    // SAFETY: zeros are valid.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO | flags;
    action
}

/// Puts `handler` before what handles fatal signals now.  A signal that is ignored stays so.
///
/// # Safety
/// Called once, with a signal handler that is never unloaded.
pub(super) unsafe fn install(handler: *const c_void) {
    for (signal, after) in FATAL.into_iter().zip(&AFTER) {
        // SAFETY: zeros are valid; reads what is there.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            if sigaction(signal, std::ptr::null(), &raw mut before) == 0 {
                after.set(&raw const before);
                handle(signal, &raw const before, handler);
            }
        }
    }
    HANDLER.store(handler.cast_mut(), Ordering::Release);
}

/// Installs our handler, or what was asked for if the process does not die of the signal then.
///
/// # Safety
/// The action is readable.
unsafe fn handle(signal: c_int, asked: *const libc::sigaction, handler: *const c_void) {
    // SAFETY: the caller's guarantee; our handler is never unloaded.
    unsafe {
        let ours = action(handler, libc::SA_ONSTACK);
        let handled = (*asked).sa_sigaction;
        // A handler of SIGQUIT does not mean that the process dies.
        let is_left = handled == libc::SIG_IGN || (signal == libc::SIGQUIT && handled != libc::SIG_DFL);
        sigaction(signal, if is_left { asked } else { &raw const ours }, std::ptr::null_mut());
    }
}

/// The program asks what handles a signal, or says what shall: after us, if it is fatal; false if that is not ours to answer.
///
/// # Safety
/// As `sigaction`.
pub(crate) unsafe fn ask(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> bool {
    let handler = HANDLER.load(Ordering::Acquire);
    let Some(after) = FATAL.iter().position(|fatal| *fatal == signal).map(|at| &AFTER[at]).filter(|_| !handler.is_null()) else {
        return false;
    };
    // SAFETY: the program's pointers, as it passed them to `sigaction`.
    unsafe {
        let before = after.get().read();
        if !new.is_null() {
            after.set(new);
            handle(signal, new, handler);
        }
        if !old.is_null() {
            old.write(before);
        }
    }
    true
}

/// Leaves fatal signals to the program.
pub(super) fn retire() {
    HANDLER.store(std::ptr::null_mut(), Ordering::Release);
    for (signal, after) in FATAL.into_iter().zip(&AFTER) {
        // SAFETY: an action that the program set, or zeros for the default.
        unsafe { sigaction(signal, after.get(), std::ptr::null_mut()) };
    }
}

/// Once the caller has returned, the program's handler gets the signal: the thread runs into it again, or it is sent again if it was sent.
///
/// # Safety
/// In the handler of `crash`, from which the caller returns next.
pub(super) unsafe fn prepare(signal: c_int, crash: Interrupted) {
    // SAFETY: the kernel filled it in.
    if unsafe { (*crash.info).si_code } <= 0 {
        // Blocked until the handler returns.
        call::unblock_only([]);
        call::signal_thread(call::thread_id(), signal);
    }
}

/// The same for the first crash, and goes back.
///
/// # Safety
/// In the handler of the first crash, however deep.
pub(super) unsafe fn go_back() -> ! {
    let crash = first::interrupted();
    // SAFETY: the handler of the first crash never returns by itself.
    unsafe {
        prepare((*crash.info).si_signo, crash);
        context::go_back(crash)
    }
}
