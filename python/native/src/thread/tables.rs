//! Memory for tables that live as long as the process: zeros, of which no page is there before it is used.
//!
//! A `Box` would not do: for what is aligned to cache lines the allocator of Rust's library writes the zeros itself, all of them
//! (`alloc_zeroed`, `library/std/src/sys/alloc/unix.rs`).

use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use zerocopy::FromZeros;

/// The smallest page of Linux.
const PAGE: usize = 4096;

/// Of larger tables a program may need a part only: the kernel keeps those as it likes.
const AT_ONCE: usize = 64 << 20;

/// The page faults of so many accesses take half as long as it does to get all pages: a process that makes fewer is better off without.
const WORTH_IT: u64 = 500;

/// Where tables are, and how large, if they are not too large: few, since each is made once.
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
    if len <= AT_ONCE {
        // The first access of a page of 2 MB would take as long as several hundred accesses do.
        advise(memory as usize, len, libc::MADV_NOHUGEPAGE);
        TABLES.lock().unwrap_or_else(PoisonError::into_inner).push((memory as usize, len));
    }
    // SAFETY: zeros, which are a value of the type, so many of them and aligned to a page; never unmapped, and nobody else has it.
    Some(unsafe { std::slice::from_raw_parts(memory.cast(), count) })
}

/// A thread has made so many accesses by now.
#[inline]
pub(crate) fn are_used(accesses: u64) {
    static ARE_ALL_THERE: AtomicBool = AtomicBool::new(false);
    if accesses > WORTH_IT && !ARE_ALL_THERE.load(Ordering::Relaxed) && !ARE_ALL_THERE.swap(true, Ordering::Relaxed) {
        get_all_pages();
    }
}

/// Has the kernel get all pages of all tables, large ones where it has them: accesses go all over a table, which in pages of 4 KB is more
/// than a processor remembers the places of, and more than a thousand faults.
#[cold]
fn get_all_pages() {
    for (memory, len) in TABLES.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        for advice in [libc::MADV_HUGEPAGE, libc::MADV_COLLAPSE, libc::MADV_POPULATE_WRITE] {
            advise(*memory, *len, advice);
        }
    }
}

/// Tells the kernel how the memory of a table is to be kept; one that does not know of it (5.14 knows all but `MADV_COLLAPSE`, of 6.1) refuses.
fn advise(memory: usize, len: usize, advice: libc::c_int) {
    // SAFETY: memory of ours, and no advice that is given here changes what is in it.
    unsafe { libc::madvise(memory as *mut libc::c_void, len, advice) };
}
