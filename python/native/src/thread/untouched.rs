//! Memory for tables that live as long as the process: zeros, and no page of it is there before it is used.
//!
//! A `Box` would not do: for what is aligned to cache lines the allocator of Rust's library writes the zeros itself, all of them
//! (`alloc_zeroed`, `library/std/src/sys/alloc/unix.rs`).

use zerocopy::FromZeros;

/// So many of them; `None` if there is not that much memory.
pub(crate) fn zeros<T: FromZeros + Sync>(count: usize) -> Option<&'static [T]> {
    /// The smallest page of Linux.
    const PAGE: usize = 4096;
    const { assert!(align_of::<T>() <= PAGE) };
    let len = count.checked_mul(size_of::<T>()).filter(|len| *len > 0)?;
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: new memory, at a place that the kernel chooses.
    let memory = unsafe { libc::mmap(std::ptr::null_mut(), len, access, flags, -1, 0) };
    // SAFETY: zeros, which are a value of the type, so many of them and aligned to a page; never unmapped, and nobody else has it.
    (memory != libc::MAP_FAILED).then(|| unsafe { std::slice::from_raw_parts(memory.cast(), count) })
}
