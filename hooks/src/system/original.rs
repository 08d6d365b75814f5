//! The functions that are hooked, and what is called in their place.
//!
//! Found by `dlsym(RTLD_NEXT)` when first needed: another library's constructor may call us before our own has run.

use libc::c_void;
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One of them.
pub(crate) struct Original {
    name: &'static CStr,
    address: AtomicUsize,
}

impl Original {
    pub(crate) const fn new(name: &'static CStr) -> Self {
        Original { name, address: AtomicUsize::new(0) }
    }

    pub(crate) fn name(&self) -> &'static CStr {
        self.name
    }

    /// Where its address is kept, 0 until it is needed.
    pub(crate) fn slot(&self) -> &AtomicUsize {
        &self.address
    }

    /// Its address.
    #[inline(always)]
    pub(crate) fn get(&self) -> usize {
        match self.address.load(Ordering::Relaxed) {
            0 => self.find(),
            known => known,
        }
    }

    #[cold]
    #[inline(never)]
    fn find(&self) -> usize {
        // SAFETY: the name is a C string.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) } as usize;
        // Nobody can have linked against a function that libc does not have: `missing` is never called.
        let address = if found == 0 { missing as *const c_void as usize } else { found };
        self.address.store(address, Ordering::Relaxed);
        address
    }
}

unsafe extern "C" fn missing() -> isize {
    // SAFETY: errno is always writable.
    unsafe { *libc::__errno_location() = libc::ENOSYS };
    -1
}

/// A hooked function.
pub(crate) struct Hook {
    pub(crate) original: &'static Original,
    /// Address of the function that is called instead.
    pub(crate) detour: *const c_void,
}

// SAFETY: the address of a function.
unsafe impl Sync for Hook {}
