//! A stack of its own for the crash handler in each thread: otherwise a stack overflow kills without a word.

use libc::size_t;
use std::cell::Cell;
use std::ffi::c_void;

/// Bytes of a signal stack: the unwinder needs some twenty thousand.
const STACK: size_t = 128 << 10;
/// Bytes below it that stay inaccessible.
const GUARD: size_t = 4096;

thread_local! {
    static SIGNAL_STACK: Cell<*mut c_void> = const { Cell::new(std::ptr::null_mut()) };
}

/// Not by the function of that name: AddressSanitizer's looks at the stack of a thread that it has not been told of yet.
///
/// # Safety
/// `new` is null or names memory that stays mapped until another stack is set, `old` is null or writable.
unsafe fn sigaltstack(new: *const libc::stack_t, old: *mut libc::stack_t) -> bool {
    // SAFETY: the kernel checks both pointers itself; that the stack stays mapped is the caller's guarantee.
    unsafe { libc::syscall(libc::SYS_sigaltstack, new, old) == 0 }
}

/// Gives the calling thread a signal stack, unless it has one.
pub(crate) fn give() {
    // SAFETY: a new mapping whose lowest page stays inaccessible, given to the kernel until `free`.
    unsafe {
        let mut current: libc::stack_t = std::mem::zeroed();
        if !sigaltstack(std::ptr::null(), &raw mut current) || current.ss_flags & libc::SS_DISABLE == 0 {
            return;
        }
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        let memory = libc::mmap(std::ptr::null_mut(), GUARD + STACK, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if memory == libc::MAP_FAILED {
            return;
        }
        libc::mprotect(memory, GUARD, libc::PROT_NONE);
        let stack = libc::stack_t { ss_sp: memory.byte_add(GUARD), ss_flags: 0, ss_size: STACK };
        sigaltstack(&raw const stack, std::ptr::null_mut());
        SIGNAL_STACK.set(memory);
    }
}

/// The thread ends.
pub(crate) fn free() {
    let memory = SIGNAL_STACK.replace(std::ptr::null_mut());
    if memory.is_null() {
        return;
    }
    // SAFETY: the mapping of `give`; if somebody has put another stack there, ours is not in use.
    unsafe {
        let mut current: libc::stack_t = std::mem::zeroed();
        sigaltstack(std::ptr::null(), &raw mut current);
        if current.ss_sp == memory.byte_add(GUARD) {
            let none = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            sigaltstack(&raw const none, std::ptr::null_mut());
        }
        libc::munmap(memory, GUARD + STACK);
    }
}
