//! The kernel's own facts of a crash, as they are: signal, registers, the words on the stack; the map of the memory.

use crate::system::context::{self, Interrupted};
use crate::system::{call, memory};
use ftsan::recording::CrashNotes;
use std::sync::atomic::Ordering;

/// Words of a page of memory.
const PAGE: usize = 512;
/// How many pages of the stack are looked at.
const PAGES: usize = 64;

/// What the handler was given.
///
/// # Safety
/// The kernel's.
pub(super) unsafe fn crash(notes: &CrashNotes, crash: Interrupted) {
    notes.clear();
    notes.native_id.store(u64::from(call::thread_id()), Ordering::Relaxed);
    // SAFETY: the kernel filled it in.
    let stack = unsafe {
        let info = &*crash.info;
        notes.signal.store(info.si_signo, Ordering::Relaxed);
        notes.code.store(info.si_code, Ordering::Relaxed);
        if info.si_code <= 0 {
            notes.sender.store(info.si_pid() as u32, Ordering::Relaxed);
        } else if matches!(info.si_signo, libc::SIGSEGV | libc::SIGBUS) {
            notes.address.store(info.si_addr() as u64, Ordering::Relaxed);
        }
        for (slot, register) in notes.registers.iter().zip(context::registers(crash.context)) {
            slot.store(register, Ordering::Relaxed);
        }
        let at = context::position(crash.context);
        notes.at.iter().zip(at).for_each(|(slot, word)| slot.store(word, Ordering::Relaxed));
        at[1] as usize & !7
    };
    notes.state.store(1, Ordering::Release);
    self::stack(notes, stack);
}

/// The words from an address on, as far as there is memory.
fn stack(notes: &CrashNotes, mut from: usize) {
    let mut words = [0_u64; PAGE];
    let mut is_first = true;
    for _ in 0..PAGES {
        // To the end of the page: the next one may not be there.
        let count = PAGE - from / 8 % PAGE;
        let is_there = memory::read(from, &mut words[..count]);
        if is_there && is_first {
            notes.stack_start.store(from as u64, Ordering::Relaxed);
            is_first = false;
        }
        // After an overflow the innermost frame lies in pages that nobody may touch, at least in part.
        if !(is_there || is_first) || (is_there && !notes.add_stack(&words[..count])) {
            return;
        }
        from += count * 8;
    }
}

/// Which file is where in memory, as `/proc/self/maps` has it.
pub(super) fn maps(notes: &CrashNotes) {
    notes.note(b"[maps]\n");
    let mut buffer = [0_u8; 4096];
    // SAFETY: system calls; the buffer is as large as said.
    unsafe {
        let at = libc::AT_FDCWD as usize;
        let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
        let fd = call::raw(libc::SYS_openat, [at, c"/proc/self/maps".as_ptr() as usize, flags]) as usize;
        loop {
            let count = call::raw(libc::SYS_read, [fd, buffer.as_mut_ptr() as usize, buffer.len()]);
            let Some(read) = usize::try_from(count).ok().filter(|count| *count > 0).and_then(|count| buffer.get(..count)) else {
                break;
            };
            notes.note(read);
        }
        call::raw(libc::SYS_close, [fd]);
    }
}
