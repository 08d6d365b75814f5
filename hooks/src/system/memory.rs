//! Memory that may be gone or bad: read through the kernel, which answers "no" where a load would crash.

use crate::system::call;
use libc::{c_void, iovec};

/// Copies memory that may be gone: then false.  Keeps errno.
pub(crate) fn read<T: Copy>(address: usize, into: &mut [T]) -> bool {
    let len = size_of_val(into);
    let local = iovec { iov_base: into.as_mut_ptr().cast::<c_void>(), iov_len: len };
    let remote = iovec { iov_base: address as *mut c_void, iov_len: len };
    let arguments = [call::process_id(), &raw const local as usize, 1, &raw const remote as usize, 1];
    // SAFETY: the kernel checks the remote side; the local side is as large as said, of a type that may have any bits.
    unsafe { call::raw(libc::SYS_process_vm_readv, arguments) == len as isize }
}
