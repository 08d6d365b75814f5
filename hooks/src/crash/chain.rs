//! The handlers that were there before ours, and the way back to what crashed, which then crashes into them.

use crate::crash::first;
use crate::system::call;
use crate::system::context::{self, Interrupted};
use libc::{c_int, c_void};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

/// What a process dies of, if nobody handles it.
pub(super) const FATAL: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT, libc::SIGFPE, libc::SIGILL];

struct Before(UnsafeCell<[MaybeUninit<libc::sigaction>; FATAL.len()]>);

// SAFETY: written once, before any handler is installed.
unsafe impl Sync for Before {}

static BEFORE: Before = Before(UnsafeCell::new([const { MaybeUninit::zeroed() }; FATAL.len()]));

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
    for (at, signal) in FATAL.into_iter().enumerate() {
        // SAFETY: nobody reads BEFORE yet.
        unsafe {
            let before = (*BEFORE.0.get())[at].as_mut_ptr();
            if libc::sigaction(signal, std::ptr::null(), before) != 0 || (*before).sa_sigaction == libc::SIG_IGN {
                continue;
            }
            libc::sigaction(signal, &action(handler, libc::SA_ONSTACK), std::ptr::null_mut());
        }
    }
}

/// The handler that was there before gets the signal: the thread goes back and runs into it again, or it is sent again if it was sent.
///
/// # Safety
/// In the handler of `crash`, from which the caller returns next.
pub(super) unsafe fn prepare(signal: c_int, crash: Interrupted) {
    // SAFETY: BEFORE was written by `install`; the kernel filled in the rest.
    unsafe {
        let at = FATAL.iter().position(|fatal| *fatal == signal).unwrap_or(0);
        libc::sigaction(signal, (*BEFORE.0.get())[at].as_ptr(), std::ptr::null_mut());
        if (*crash.info).si_code <= 0 {
            // Blocked until the handler returns.
            call::unblock_only([]);
            call::signal_thread(call::thread_id(), signal);
        }
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
