//! Memory for tables that live as long as the process: zeros, of which no page is there before it is used or a second thread starts.
//!
//! A `Box` would not do: for what is aligned to cache lines the allocator of Rust's library writes the zeros itself, all of them
//! (`alloc_zeroed`, `library/std/src/sys/alloc/unix.rs`).

use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use zerocopy::FromZeros;

/// The smallest page of Linux.
const PAGE: usize = 4096;

/// Of larger tables a program may need a part only.
const AT_ONCE: usize = 64 << 20;

/// Where tables are, and how large: few, since each is made once.
static TABLES: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// So many of them; `None` if there is not that much memory.
pub(crate) fn zeros<T: FromZeros + Sync>(count: usize) -> Option<&'static [T]> {
    const { assert!(align_of::<T>() <= PAGE) };
    let len = count.checked_mul(size_of::<T>()).filter(|len| *len > 0)?;
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: new memory, at a place that the kernel chooses.
    let memory = unsafe { libc::mmap(null_mut(), len, access, flags, -1, 0) };
    if memory == libc::MAP_FAILED {
        return None;
    }
    TABLES.lock().unwrap_or_else(PoisonError::into_inner).push((memory as usize, len));
    // SAFETY: zeros, which are a value of the type, so many of them and aligned to a page; never unmapped, and nobody else has it.
    Some(unsafe { std::slice::from_raw_parts(memory.cast(), count) })
}

/// Has the kernel get all pages of all tables, large ones where it has them: accesses go all over a table, which in pages of 4 KB is more
/// than a processor remembers the places of, and more than a thousand faults.  Before there is a second thread: the first access of a page of
/// 2 MB would take so long that it changes what two threads do.
pub(crate) fn page_in() {
    static IS_DONE: AtomicBool = AtomicBool::new(false);
    if IS_DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    for (memory, len) in TABLES.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|(_, len)| *len <= AT_ONCE) {
        let advise = |advice| {
            // SAFETY: memory of ours; neither changes what is in it, and a kernel that does not know them (5.14 has both) refuses.
            unsafe { libc::madvise(*memory as *mut libc::c_void, *len, advice) }
        };
        advise(libc::MADV_HUGEPAGE);
        if advise(libc::MADV_POPULATE_WRITE) != 0 {
            advise(libc::MADV_NOHUGEPAGE);
        }
    }
}
