//! The machine's side of a signal: the registers that were interrupted, and the ways off a stack.

use libc::{c_void, siginfo_t, ucontext_t};

/// What the kernel gave to a signal handler.
#[derive(Clone, Copy)]
pub(crate) struct Interrupted {
    pub(crate) info: *const siginfo_t,
    pub(crate) context: *const ucontext_t,
}

/// Program counter, stack pointer, frame pointer and, where there is one, link register.
///
/// # Safety
/// The context is the kernel's.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn position(context: *const ucontext_t) -> [u64; 4] {
    // SAFETY: the kernel filled it in.
    let registers = unsafe { &(*context).uc_mcontext.gregs };
    let [pc, sp, fp] = [libc::REG_RIP, libc::REG_RSP, libc::REG_RBP].map(|at| registers[at as usize] as u64);
    [pc, sp, fp, 0]
}

/// All of them.
///
/// # Safety
/// The context is the kernel's.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn registers(context: *const ucontext_t) -> impl Iterator<Item = u64> {
    // SAFETY: the kernel filled it in.
    unsafe { (*context).uc_mcontext.gregs }.into_iter().map(|register| register as u64)
}

/// See the other one.
///
/// # Safety
/// The context is the kernel's.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn position(context: *const ucontext_t) -> [u64; 4] {
    // SAFETY: the kernel filled it in.
    let registers = unsafe { &(*context).uc_mcontext };
    [registers.pc, registers.sp, registers.regs[29], registers.regs[30]]
}

/// See the other one.
///
/// # Safety
/// The context is the kernel's.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn registers(context: *const ucontext_t) -> impl Iterator<Item = u64> {
    // SAFETY: the kernel filled it in.
    let registers = unsafe { (*context).uc_mcontext };
    registers.regs.into_iter().chain([registers.sp, registers.pc, registers.pstate])
}

/// Goes on in `function` on another stack, whose highest address is `top`.
///
/// # Safety
/// The stack is nobody else's.
pub(crate) unsafe fn on_stack(top: *mut c_void, function: extern "C" fn() -> !) -> ! {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the function never returns, so nothing of the old stack is needed; the new one is aligned as a call needs it.
    unsafe {
        std::arch::asm!("mov rsp, {top}", "and rsp, -16", "xor ebp, ebp", "call {function}", "ud2", top = in(reg) top, function = in(reg) function, options(noreturn))
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("and {top}, {top}, -16", "mov sp, {top}", "mov x29, xzr", "blr {function}", "brk 1", top = in(reg) top, function = in(reg) function, options(noreturn))
    }
}

/// Returns from the signal handler that got this, from however deep, and from another stack: registers, mask and signal stack are again as
/// they were.
///
/// # Safety
/// The handler has not returned, and its part of the stack was not overwritten.
pub(crate) unsafe fn go_back(to: Interrupted) -> ! {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel finds the context where it put it, right above the address that the handler would have returned to.
    unsafe {
        std::arch::asm!("mov rsp, {context}", "syscall", "ud2", context = in(reg) to.context, in("rax") libc::SYS_rt_sigreturn, options(noreturn))
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the kernel finds the signal's description where it put it, and the context behind it.
    unsafe {
        std::arch::asm!("mov sp, {info}", "svc 0", "brk 1", info = in(reg) to.info, in("x8") libc::SYS_rt_sigreturn, options(noreturn))
    }
}
