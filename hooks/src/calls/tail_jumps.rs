//! Hooks that may leave no frame of ours on the stack.
//!
//! `vfork` returns twice, the second time on a stack that the child has overwritten; `clone` may start on another stack; `dlopen` looks
//! up bare names as its *caller's* library says.  Each tells us first and then jumps.

use crate::calls::{install, shapes};
use crate::state::thread::{self, Paused};
use crate::system::original::{Hook, Original};
use ftsan::recording::operation as op;
use ftsan_backend::import_tables::Libraries;
use libc::{c_char, c_int, c_void};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

pub(crate) static VFORK: Original = Original::new(c"vfork");
pub(crate) static CLONE: Original = Original::new(c"clone");
pub(crate) static DLOPEN: Original = Original::new(c"dlopen");

/// What a thread keeps while the child of its vfork runs, which shares its memory and its thread pointer.
#[repr(C)]
struct Vfork {
    return_address: usize,
    rbx: usize,
    paused: MaybeUninit<Paused>,
}

thread_local! {
    static IN_VFORK: UnsafeCell<Vfork> =
        const { UnsafeCell::new(Vfork { return_address: 0, rbx: 0, paused: MaybeUninit::uninit() }) };
}

/// Before a vfork: the acts of the child are not ours to see.  Returns where to keep what the child may overwrite.
extern "C" fn before_vfork() -> *mut Vfork {
    if let Some(record) = thread::current() {
        shapes::happened(record, op::VFORK, -1, 0, 0);
    }
    IN_VFORK.with(|kept| {
        // SAFETY: the calling thread's, and it is not in a vfork.
        unsafe { (*kept.get()).paused.write(Paused::begin()) };
        kept.get()
    })
}

/// In the parent again.
extern "C" fn after_vfork() {
    // SAFETY: written by `before_vfork`; errno is the vfork's, not what it was before.
    IN_VFORK.with(|kept| unsafe {
        let errno = *libc::__errno_location();
        (*kept.get()).paused.assume_init_drop();
        *libc::__errno_location() = errno;
    });
}

extern "C" fn before_clone() {
    if let Some(record) = thread::current() {
        shapes::happened(record, op::CLONE, -1, 0, 0);
    }
}

extern "C" fn original_vfork() -> usize {
    VFORK.get()
}

extern "C" fn original_clone() -> usize {
    CLONE.get()
}

extern "C" fn original_dlopen() -> usize {
    DLOPEN.get()
}

/// Whether the import tables must be rewritten after this `dlopen`, and its caller does not matter.
///
/// # Safety
/// The name is null or a string.
unsafe extern "C" fn before_dlopen(name: *const c_char) -> c_int {
    if let Some(record) = thread::current() {
        shapes::happened(record, op::DLOPEN, -1, 0, 0);
    }
    // SAFETY: the host's string.
    let is_path = || !name.is_null() && unsafe { !libc::strchr(name, c_int::from(b'/')).is_null() };
    c_int::from(install::is_done() && is_path())
}

/// # Safety
/// As `dlopen`.
unsafe extern "C" fn dlopen_and_rewrite(name: *const c_char, flags: c_int) -> *mut c_void {
    type Function = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;
    let before = Libraries::now();
    // SAFETY: the original with the host's arguments.
    let library = unsafe { std::mem::transmute::<usize, Function>(DLOPEN.get())(name, flags) };
    if !library.is_null() {
        let _paused = Paused::begin();
        install::library_loaded(before);
    }
    library
}

/// Hook of `vfork`.
///
/// # Safety
/// As the original.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C-unwind" fn vfork() -> c_int {
    std::arch::naked_asm!(
        "sub rsp, 8",
        "call {before_vfork}",
        "mov [rax + 8], rbx",
        "mov rbx, rax",
        "call {original_vfork}",
        "add rsp, 8",
        // Nothing of ours is on the stack from here on: the child writes over it.
        "pop rcx",
        "mov [rbx], rcx",
        "call rax",
        "test eax, eax",
        "jz 2f",
        "sub rsp, 8",
        "push rax",
        "call {after_vfork}",
        "pop rax",
        "add rsp, 8",
        "2:",
        "mov rcx, [rbx]",
        "mov rbx, [rbx + 8]",
        "jmp rcx",
        before_vfork = sym before_vfork,
        after_vfork = sym after_vfork,
        original_vfork = sym original_vfork,
    )
}

/// Hook of `clone`.
///
/// # Safety
/// As the original.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C-unwind" fn clone() -> c_int {
    std::arch::naked_asm!(
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push r8",
        "push r9",
        "sub rsp, 8",
        "call {before_clone}",
        "call {original_clone}",
        "add rsp, 8",
        "mov r11, rax",
        "xor eax, eax",
        "pop r9",
        "pop r8",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "jmp r11",
        before_clone = sym before_clone,
        original_clone = sym original_clone,
    )
}

/// Hook of `dlopen`.
///
/// # Safety
/// As the original.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C-unwind" fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void {
    std::arch::naked_asm!(
        "push rdi",
        "push rsi",
        "sub rsp, 8",
        "call {before_dlopen}",
        "test eax, eax",
        "jnz 2f",
        "call {original_dlopen}",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        "jmp rax",
        "2:",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        "jmp {dlopen_and_rewrite}",
        before_dlopen = sym before_dlopen,
        original_dlopen = sym original_dlopen,
        dlopen_and_rewrite = sym dlopen_and_rewrite,
    )
}

/// They belong to the table of `table.rs`.
#[cfg(target_arch = "x86_64")]
pub(crate) static HOOKS: [Hook; 3] = [
    Hook { original: &VFORK, detour: vfork as *const c_void },
    Hook { original: &CLONE, detour: clone as *const c_void },
    Hook { original: &DLOPEN, detour: dlopen as *const c_void },
];
#[cfg(not(target_arch = "x86_64"))]
pub(crate) static HOOKS: [Hook; 0] = [];
