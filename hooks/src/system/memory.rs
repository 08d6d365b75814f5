//! Memory that may be gone or bad: read through the kernel, which answers "no" where a load would crash.

use libc::c_void;

/// Copies memory of another thread, which may be gone: then false.  Keeps errno.
pub(crate) fn read<T: Copy>(address: usize, into: &mut [T]) -> bool {
    let len = size_of_val(into);
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast::<c_void>(), iov_len: len };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: len };
    // SAFETY: the kernel checks the remote side; the local side is as large as said, of a type that may have any bits.
    unsafe {
        let errno = *libc::__errno_location();
        let read = libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0) == len as isize;
        *libc::__errno_location() = errno;
        read
    }
}
