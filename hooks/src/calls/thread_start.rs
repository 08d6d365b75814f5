//! Threads get their signal stack before their first instruction: `pthread_create` starts [`on_own_signal_stack`] instead.

use crate::state::thread;
use crate::system::signal_stack;
use libc::c_void;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// What a thread starts with.
pub(crate) type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

struct Pending {
    taken: AtomicBool,
    start: AtomicPtr<c_void>,
    argument: AtomicPtr<c_void>,
}

/// Threads between their creation and their first instruction.
static PENDING: [Pending; 256] = [const {
    Pending {
        taken: AtomicBool::new(false),
        start: AtomicPtr::new(std::ptr::null_mut()),
        argument: AtomicPtr::new(std::ptr::null_mut()),
    }
}; 256];

/// The argument to start a thread with so that it gets a signal stack; `None` if too many are being started.
pub(crate) fn wrap(start: Start, argument: *mut c_void) -> Option<*mut c_void> {
    let free = PENDING.iter().find(|pending| !pending.taken.swap(true, Ordering::Acquire))?;
    free.start.store(start as *mut c_void, Ordering::Relaxed);
    free.argument.store(argument, Ordering::Relaxed);
    Some(std::ptr::from_ref(free).cast_mut().cast::<c_void>())
}

/// The thread was not started.
pub(crate) fn unwrap(wrapped: *mut c_void) {
    // SAFETY: from `wrap`.
    unsafe { &*wrapped.cast::<Pending>() }.taken.store(false, Ordering::Release);
}

/// Starts a thread that has a signal stack.
pub(crate) unsafe extern "C-unwind" fn on_own_signal_stack(wrapped: *mut c_void) -> *mut c_void {
    // SAFETY: from `wrap`.
    let (start, argument) = unsafe {
        let pending = &*wrapped.cast::<Pending>();
        (std::mem::transmute::<*mut c_void, Start>(pending.start.load(Ordering::Relaxed)), pending.argument.load(Ordering::Relaxed))
    };
    unwrap(wrapped);
    // Its record has the destructor that frees the stack.
    if thread::current().is_some() {
        signal_stack::give();
    }
    // SAFETY: the host's start routine and its argument.
    unsafe { start(argument) }
}
