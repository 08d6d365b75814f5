//! The calling thread's slot: one pointer in thread-local storage.

use crate::{boundary, session};
use ftsan::loops::ThreadSlot;
use pyo3::ffi;
use std::cell::Cell;

/// What only the thread itself sees.
pub(crate) struct Here {
    pub(crate) slot: &'static ThreadSlot,
    /// Set while a slow path of ours runs: what it calls is not the program's doing.
    pub(crate) busy: Cell<bool>,
    /// How many finalizers of futures, tasks and asynchronous generators are running.
    finalizing: Cell<u32>,
    /// How often this thread had a reason to stop the world for a look.
    looks: Cell<u32>,
}

impl Here {
    /// A finalizer runs, as long as the result lives: what it calls is the garbage collector's doing, not the thread's.
    pub(crate) fn finalizing(&self) -> Finalizing<'_> {
        self.finalizing.set(self.finalizing.get() + 1);
        Finalizing(self)
    }

    pub(crate) fn is_finalizing(&self) -> bool {
        self.finalizing.get() > 0
    }

    /// Whether to stop the world for a look at who else uses something: a thread with a reason at each step would stop it at each step.
    #[cold]
    pub(crate) fn looks_worth_it(&self) -> bool {
        let count = self.looks.get();
        self.looks.set(count.wrapping_add(1));
        count < 64 || count.is_multiple_of(64)
    }
}

pub(crate) struct Finalizing<'a>(&'a Here);

impl Drop for Finalizing<'_> {
    fn drop(&mut self) {
        self.0.finalizing.set(self.0.finalizing.get() - 1);
    }
}

struct Leave(&'static Here);

impl Drop for Leave {
    fn drop(&mut self) {
        pointer::set(std::ptr::null());
        session::get().loops.leave(self.0.slot);
    }
}

thread_local! {
    static LEAVE: Cell<Option<Leave>> = const { Cell::new(None) };
}

/// Where the pointer is kept: on x86-64 Linux an initial-exec variable, one load away, where `thread_local!` in a shared
/// library calls `__tls_get_addr` (3 ns of the 10 that a check costs).  Eight bytes of static TLS are always left.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod pointer {
    use super::Here;
    use std::arch::{asm, global_asm};

    global_asm!(
        ".pushsection .tbss,\"awT\",@nobits",
        ".balign 8",
        ".hidden ftsan_here",
        ".globl ftsan_here",
        ".type ftsan_here, @object",
        ".size ftsan_here, 8",
        "ftsan_here: .zero 8",
        ".popsection",
    );

    #[inline(always)]
    pub(super) fn get() -> *const Here {
        let here;
        // SAFETY: reads the variable defined above.
        unsafe {
            asm!(
                "mov {0}, qword ptr [rip + ftsan_here@GOTTPOFF]",
                "mov {0}, qword ptr fs:[{0}]",
                out(reg) here,
                options(readonly, nostack, preserves_flags),
            );
        }
        here
    }

    pub(super) fn set(here: *const Here) {
        // SAFETY: writes the variable defined above.
        unsafe {
            asm!(
                "mov {0}, qword ptr [rip + ftsan_here@GOTTPOFF]",
                "mov qword ptr fs:[{0}], {1}",
                out(reg) _,
                in(reg) here,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod pointer {
    use super::Here;
    use std::cell::Cell;

    thread_local! {
        static HERE: Cell<*const Here> = const { Cell::new(std::ptr::null()) };
    }

    #[inline(always)]
    pub(super) fn get() -> *const Here {
        HERE.get()
    }

    pub(super) fn set(here: *const Here) {
        HERE.set(here);
    }
}

/// The calling thread.
#[inline(always)]
pub(crate) fn here() -> &'static Here {
    let here = pointer::get();
    if here.is_null() {
        return enter();
    }
    // SAFETY: points to a leaked box; null again before the thread's slot is given up.
    unsafe { &*here }
}

#[cold]
fn enter() -> &'static Here {
    boundary::guarded(None, || {
        // SAFETY: only called from hooks, which run attached.
        let (handle, ident) = unsafe { (ffi::PyThreadState_Get() as usize, ffi::PyThread_get_thread_ident()) };
        let slot = session::get().loops.enter(handle, ident, native_id());
        // Leaked: some tens of bytes per thread that ever ran Python code, and no dangling pointer in a late hook.
        let here: &'static Here =
            Box::leak(Box::new(Here { slot, busy: Cell::new(false), finalizing: Cell::new(0), looks: Cell::new(0) }));
        pointer::set(here);
        // A hook may run after this thread's destructors: then the slot stays taken.
        let _ = LEAVE.try_with(|leave| leave.set(Some(Leave(here))));
        Some(here)
    })
    .unwrap_or_else(|| std::process::abort())
}

/// The kernel's id of the calling thread.
pub(crate) fn native_id() -> u64 {
    // SAFETY: always succeeds.
    unsafe { libc::gettid() as u64 }
}

/// Marks the calling thread as being inside a slow path of ours.
pub(crate) struct Busy(&'static Here);

impl Busy {
    /// `None` if it already is.
    pub(crate) fn enter() -> Option<Self> {
        let here = here();
        // Lazily: a Busy that is made and dropped would mark the thread as idle.
        (!here.busy.replace(true)).then(|| Busy(here))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}
