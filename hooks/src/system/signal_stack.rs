//! Stacks for signal handlers: one in each thread, without which a stack overflow kills without a word, and two of the process for the
//! crash handler.

use crate::system::call;
use libc::{c_void, size_t};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Bytes of a signal stack: whatever handled the signal before us runs on it, and unwinders need some twenty thousand.
const STACK: size_t = 128 << 10;
/// Bytes below it that stay inaccessible.  The kernel counts them as part of it: a handler that has run into them is still on its signal stack,
/// and the process dies.  If they were none, the next signal would begin at the top again, and so on for ever.
const GUARD: size_t = 4096;

/// How many stacks of threads that have ended are kept for those that begin: to map one takes longer than all else that is done for a thread.
const KEPT: usize = 8;

thread_local! {
    static SIGNAL_STACK: Cell<*mut c_void> = const { Cell::new(null_mut()) };
}

/// Stacks that no thread has: whoever swaps one out has it.
static FREE: [AtomicPtr<c_void>; KEPT] = [const { AtomicPtr::new(null_mut()) }; KEPT];

/// One that an ended thread has left, or a new one; null if there is no memory.
fn take() -> *mut c_void {
    let left = FREE.iter().map(|place| place.swap(null_mut(), Ordering::Acquire)).find(|memory| !memory.is_null());
    left.unwrap_or_else(map)
}

/// Keeps it for the next thread, if there is a place.
fn leave(memory: *mut c_void) {
    let is_kept =
        |place: &AtomicPtr<c_void>| place.compare_exchange(null_mut(), memory, Ordering::Release, Ordering::Relaxed).is_ok();
    if !FREE.iter().any(is_kept) {
        // SAFETY: a mapping of `map` that no thread has.
        unsafe { libc::munmap(memory, GUARD + STACK) };
    }
}

/// Not by the function of that name: AddressSanitizer's looks at the stack of a thread that it has not been told of yet.
///
/// # Safety
/// `new` is null or names memory that stays mapped until another stack is set, `old` is null or writable.
unsafe fn sigaltstack(new: *const libc::stack_t, old: *mut libc::stack_t) -> bool {
    // SAFETY: the kernel checks both pointers itself; that the stack stays mapped is the caller's guarantee.
    unsafe { call::raw(libc::SYS_sigaltstack, [new as usize, old as usize]) == 0 }
}

/// A stack whose lowest page stays inaccessible; its lowest address, null if there is no memory.
fn map() -> *mut c_void {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    // SAFETY: a new mapping, of which the lowest page is protected.
    unsafe {
        let memory = libc::mmap(null_mut(), GUARD + STACK, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if memory == libc::MAP_FAILED {
            return null_mut();
        }
        libc::mprotect(memory, GUARD, libc::PROT_NONE);
        memory
    }
}

/// What the kernel is told of such a stack.
fn as_told(memory: *mut c_void) -> libc::stack_t {
    libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: GUARD + STACK }
}

/// A stack of the process, for one thread that needs it once.
pub(crate) struct Reserved(AtomicPtr<c_void>);

impl Reserved {
    pub(crate) const fn new() -> Self {
        Reserved(AtomicPtr::new(null_mut()))
    }

    /// Maps it.
    pub(crate) fn reserve(&self) {
        self.0.store(map(), Ordering::Release);
    }

    /// Its highest address; `None` if there was no memory.
    pub(crate) fn top(&self) -> Option<*mut c_void> {
        let memory = self.0.load(Ordering::Acquire);
        (!memory.is_null()).then(|| memory.wrapping_byte_add(GUARD + STACK))
    }

    /// Signals of the calling thread are handled on it from now on.  It must not be on its signal stack.
    pub(crate) fn use_for_signals(&self) {
        let memory = self.0.load(Ordering::Acquire);
        if !memory.is_null() {
            let stack = as_told(memory);
            // SAFETY: stays mapped for good.
            unsafe { sigaltstack(&raw const stack, null_mut()) };
        }
    }
}

/// Gives the calling thread a signal stack, unless it has one.
pub(crate) fn give() {
    // SAFETY: a mapping that no other thread has and whose lowest page stays inaccessible, given to the kernel until `free`.
    unsafe {
        let mut current: libc::stack_t = std::mem::zeroed();
        if !sigaltstack(std::ptr::null(), &raw mut current) || current.ss_flags & libc::SS_DISABLE == 0 {
            return;
        }
        let memory = take();
        if memory.is_null() {
            return;
        }
        let stack = as_told(memory);
        sigaltstack(&raw const stack, null_mut());
        SIGNAL_STACK.set(memory);
    }
}

/// The thread ends.
pub(crate) fn free() {
    let memory = SIGNAL_STACK.replace(null_mut());
    if memory.is_null() {
        return;
    }
    // SAFETY: the mapping of `give`; if somebody has put another stack there, ours is not in use.
    unsafe {
        let mut current: libc::stack_t = std::mem::zeroed();
        sigaltstack(std::ptr::null(), &raw mut current);
        if current.ss_sp == memory {
            let none = libc::stack_t { ss_sp: null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            sigaltstack(&raw const none, null_mut());
        }
    }
    leave(memory);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_mapped(memory: *mut c_void) -> bool {
        let mut pages = [0_u8; (GUARD + STACK) / GUARD];
        // SAFETY: the kernel looks at the mapping and writes a byte for each of its pages.
        unsafe { libc::mincore(memory, GUARD + STACK, pages.as_mut_ptr()) == 0 }
    }

    #[test]
    fn what_an_ended_thread_leaves_is_for_the_next_one_but_no_more_than_a_few_are_kept() {
        let stacks: Vec<_> = (0..=KEPT).map(|_| take()).collect();
        assert!(stacks.iter().all(|stack| is_mapped(*stack)));
        stacks.iter().for_each(|stack| leave(*stack));
        assert_eq!(stacks.iter().map(|stack| is_mapped(*stack)).collect::<Vec<_>>(), [vec![true; KEPT], vec![false]].concat());
        let again: Vec<_> = (0..=KEPT).map(|_| take()).collect();
        assert_eq!(again[..KEPT], stacks[..KEPT]);
    }
}
