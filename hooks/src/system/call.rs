//! System calls, by the instruction.
//!
//! libc's own functions read thread-local variables (where errno is, whether the thread is cancelled); in a crash these may be what was
//! overwritten: the heap of a free-threaded interpreter hands out a thread's control block after a double decref.

use libc::c_long;
use std::arch::asm;

/// Calls the kernel; returns what it says, `-errno` for a failure.
///
/// # Safety
/// As the call `number`; missing arguments are zeros.
pub(crate) unsafe fn raw<const N: usize>(number: c_long, arguments: [usize; N]) -> isize {
    let argument = |at: usize| arguments.get(at).copied().unwrap_or(0);
    let result: isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel's convention: it overwrites rcx and r11, and memory as the call says.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") argument(0), in("rsi") argument(1), in("rdx") argument(2),
            in("r10") argument(3), in("r8") argument(4), in("r9") argument(5),
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the kernel's convention: it overwrites x0 only, and memory as the call says.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") argument(0) => result,
            in("x1") argument(1), in("x2") argument(2), in("x3") argument(3), in("x4") argument(4), in("x5") argument(5),
            options(nostack),
        );
    }
    result
}

/// The kernel's id of the calling thread.
pub(crate) fn thread_id() -> u32 {
    // SAFETY: always succeeds.
    unsafe { raw(libc::SYS_gettid, []) as u32 }
}

/// The id of this process.
pub(crate) fn process_id() -> usize {
    // SAFETY: always succeeds.
    unsafe { raw(libc::SYS_getpid, []) as usize }
}

/// Sends a signal to a thread of this process; false if there is no such thread.
pub(crate) fn signal_thread(id: u32, signal: libc::c_int) -> bool {
    // SAFETY: an id of a thread of this process, or of nobody.
    unsafe { raw(libc::SYS_tgkill, [process_id(), id as usize, signal as usize]) == 0 }
}

/// Waits for `done`, looking once a millisecond and at most so often.
pub(crate) fn wait(milliseconds: u32, done: impl Fn() -> bool) {
    for _ in 0..milliseconds {
        if done() {
            return;
        }
        sleep(1_000_000);
    }
}

/// Sleeps so many nanoseconds, fewer than a second; less if a signal arrives.
pub(crate) fn sleep(nanoseconds: u32) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: c_long::from(nanoseconds) };
    // SAFETY: reads the time, writes nothing.
    unsafe { raw(libc::SYS_nanosleep, [&raw const time as usize, 0]) };
}

/// Lets threads run that are ready to.
pub(crate) fn give_way() {
    // SAFETY: always succeeds.
    unsafe { raw(libc::SYS_sched_yield, []) };
}

/// Whether the calling thread has blocked any signal, as it has in a handler.
pub(crate) fn is_a_signal_blocked() -> bool {
    let mut blocked = 0_u64;
    // SAFETY: writes eight bytes, which is the size of the kernel's mask.
    unsafe { raw(libc::SYS_rt_sigprocmask, [libc::SIG_BLOCK as usize, 0, &raw mut blocked as usize, size_of::<u64>()]) };
    blocked != 0
}

/// Leaves only these signals unblocked in the calling thread.
pub(crate) fn unblock_only(signals: impl IntoIterator<Item = libc::c_int>) {
    let blocked = signals.into_iter().fold(u64::MAX, |mask, signal| mask & !(1 << (signal - 1)));
    // SAFETY: reads eight bytes, which is the size of the kernel's mask.
    unsafe { raw(libc::SYS_rt_sigprocmask, [libc::SIG_SETMASK as usize, &raw const blocked as usize, 0, size_of::<u64>()]) };
}
