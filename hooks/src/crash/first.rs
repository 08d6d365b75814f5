//! The first crash of the process: its thread, and what the kernel gave to the handler.

use crate::system::call;
use crate::system::context::Interrupted;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

/// The kernel's id of the thread, 0 for none.
static THREAD: AtomicU32 = AtomicU32::new(0);
static INFO: AtomicPtr<libc::siginfo_t> = AtomicPtr::new(std::ptr::null_mut());
static CONTEXT: AtomicPtr<libc::ucontext_t> = AtomicPtr::new(std::ptr::null_mut());
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// What a crash is.
pub(super) enum Crash {
    /// The first one.
    First,
    /// One in a step of the handler, which is at work on the first one in this thread.
    InStep,
    /// One of another thread, or a later one of this thread.
    Another,
}

/// Says what a crash of the calling thread is.
pub(super) fn claim(crash: Interrupted) -> Crash {
    match THREAD.compare_exchange(0, call::thread_id(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            INFO.store(crash.info.cast_mut(), Ordering::Relaxed);
            CONTEXT.store(crash.context.cast_mut(), Ordering::Release);
            Crash::First
        }
        Err(_) if is_handled_here() => Crash::InStep,
        Err(_) => Crash::Another,
    }
}

/// Whether the calling thread is the one that crashed, and its handler is at work.
pub(super) fn is_handled_here() -> bool {
    THREAD.load(Ordering::Acquire) == call::thread_id() && !IS_OVER.load(Ordering::Acquire)
}

/// Whether some thread has crashed.
pub(super) fn is_there() -> bool {
    THREAD.load(Ordering::Acquire) != 0
}

/// The handler has done what it could.
pub(super) fn finish() {
    IS_OVER.store(true, Ordering::Release);
}

/// What the kernel gave.
pub(super) fn interrupted() -> Interrupted {
    Interrupted { info: INFO.load(Ordering::Relaxed), context: CONTEXT.load(Ordering::Acquire) }
}
