//! The other threads hold still while one of them is dying.

use crate::crash::chain;
use crate::system::call;
use ftsan::recording::{LOOK_SIGNAL, Recording};
use libc::{c_int, c_void, siginfo_t};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// So many milliseconds are given to the other threads to stop.
pub(super) const STOPPING_MS: u32 = 300;
/// After so many they go on, whatever became of the thread that stopped them.
const PATIENCE_MS: u32 = 10_000;

static STOPPED: AtomicU32 = AtomicU32::new(0);
static GO_ON: AtomicBool = AtomicBool::new(false);
static ARE_KEPT: AtomicBool = AtomicBool::new(false);

/// A real-time signal that hardly anybody uses.  The timer of the crashing thread uses it, too, and the launcher if the process hangs.
pub(super) fn signal() -> c_int {
    libc::SIGRTMAX() - LOOK_SIGNAL
}

/// [`signal`] is handled by `handler` from now on.
pub(super) fn listen(handler: unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void)) {
    // SAFETY: the handler is a function of this library, which is never unloaded.
    unsafe {
        let flags = libc::SA_RESTART | libc::SA_ONSTACK;
        chain::sigaction(signal(), &chain::action(handler as *const c_void, flags), std::ptr::null_mut());
    }
}

/// Stops the threads that are known.
pub(super) fn stop(recording: &Recording) {
    let me = call::thread_id();
    let others = recording.live().map(|other| other.native_id() as u32).filter(|other| *other != me);
    let asked = others.filter(|other| call::signal_thread(*other, signal())).count() as u32;
    call::wait(STOPPING_MS, || STOPPED.load(Ordering::Acquire) >= asked);
}

/// In a thread that was stopped.
pub(super) fn hold() {
    STOPPED.fetch_add(1, Ordering::AcqRel);
    wait();
}

/// Until the process may go on.
pub(super) fn wait() {
    call::wait(PATIENCE_MS, || GO_ON.load(Ordering::Acquire));
}

/// Something of ours is destroyed: threads that go on would run into it, and the process would die of that at once, in the middle of
/// what the program's own handlers have to say.  They hold still as long as their patience lasts.
pub(super) fn keep() {
    ARE_KEPT.store(true, Ordering::Release);
}

/// The process may go on, if it can.
pub(super) fn release() {
    GO_ON.store(!ARE_KEPT.load(Ordering::Acquire), Ordering::Release);
}
