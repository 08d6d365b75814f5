//! Whether memory may be writable and executable at once.  Gum takes it for granted and segfaults otherwise.

use ftsan_backend::Refused;
use libc::{c_int, c_void};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::ptr;

const ALL: c_int = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
const CODE: c_int = libc::PROT_READ | libc::PROT_EXEC;

/// Tries what gum will do: pages for its own code, and the pages of a library made writable.
///
/// # Errors
/// What is forbidden.
pub fn check() -> Result<(), Refused> {
    // SAFETY: asks; a kernel that does not know it says so.
    if unsafe { libc::prctl(libc::PR_GET_MDWE, 0, 0, 0, 0) } > 0 {
        return Err(Refused::Forbidden("memory that is writable and executable (PR_SET_MDWE)"));
    }
    let page = Page::map(ALL, None).ok_or(Refused::Forbidden("memory that is writable and executable"))?;
    drop(page);
    if let Ok(file) = File::open("/proc/self/exe")
        && let Some(page) = Page::map(CODE, Some(&file))
        && !page.rewrite()
    {
        return Err(Refused::Forbidden("code that is changed"));
    }
    Ok(())
}

/// A page of our own.
struct Page {
    address: *mut c_void,
    size: usize,
}

impl Page {
    /// Nobody's, or the first one of a file.
    fn map(protection: c_int, file: Option<&File>) -> Option<Page> {
        let flags = libc::MAP_PRIVATE | if file.is_none() { libc::MAP_ANONYMOUS } else { 0 };
        // SAFETY: a new mapping, anywhere.
        let (size, address) = unsafe {
            let size = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            (size, libc::mmap(ptr::null_mut(), size, protection, flags, file.map_or(-1, AsRawFd::as_raw_fd), 0))
        };
        (address != libc::MAP_FAILED).then_some(Page { address, size })
    }

    /// Writes to executable memory that comes from a file, and makes it executable again: SELinux may have something against either.
    fn rewrite(&self) -> bool {
        // SAFETY: a private page that nobody else knows of.
        unsafe {
            if libc::mprotect(self.address, self.size, ALL) != 0 {
                return false;
            }
            let first = self.address.cast::<u8>();
            first.write_volatile(first.read_volatile());
            libc::mprotect(self.address, self.size, CODE) == 0
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: mapped by us, and nobody uses it any more.
        unsafe { libc::munmap(self.address, self.size) };
    }
}
