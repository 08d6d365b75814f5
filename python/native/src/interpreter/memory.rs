//! Memory of this process, and what the kernel allows to be done with it.

use std::sync::{Mutex, PoisonError};

/// Reads memory that may not be there, through the kernel.
pub(crate) fn read_into(address: usize, into: &mut [u8]) -> bool {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: into.len() };
    // SAFETY: the kernel checks the remote side; the local side is as large as said.
    unsafe { libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0) == into.len() as isize }
}

/// The word at an address that may not be there.
pub(crate) fn word(address: usize) -> Option<usize> {
    let mut bytes = [0; size_of::<usize>()];
    read_into(address, &mut bytes).then(|| usize::from_ne_bytes(bytes))
}

/// A mapping: from, to, and whether it can be written to.
type Mapping = (usize, usize, bool);

static KNOWN: Mutex<Vec<Mapping>> = Mutex::new(Vec::new());

/// Whether the word at this address can be written to.  Asked where something is hooked, never when it is called.
pub(crate) fn is_writable(address: usize) -> bool {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let find = |known: &[Mapping]| known.iter().find(|(from, to, _)| (*from..*to).contains(&address)).map(|mapping| mapping.2);
    // Memory that was mapped since, or is not any more: the heap grows in place.
    find(&known).unwrap_or_else(|| {
        if is_page_writable(address) {
            return true;
        }
        *known = std::fs::read_to_string("/proc/self/maps").unwrap_or_default().lines().filter_map(parse).collect();
        find(&known).unwrap_or(true)
    })
}

/// Whether the kernel says so of the page; one before 5.14 never does.
fn is_page_writable(address: usize) -> bool {
    const POPULATE_WRITE: libc::c_int = 23; // MADV_POPULATE_WRITE, <linux/mman.h>
    // SAFETY: at most, the page is brought in, as the write that is to come would bring it in.
    unsafe {
        let size = libc::sysconf(libc::_SC_PAGESIZE) as usize;
        libc::madvise((address & !(size - 1)) as *mut libc::c_void, size, POPULATE_WRITE) == 0
    }
}

fn parse(line: &str) -> Option<Mapping> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    Some((number(from)?, number(to)?, rest.as_bytes().get(1) == Some(&b'w')))
}
