//! The environment, before libc's constructors have run.

use libc::c_char;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// The value of `NAME=` in the environment, to its end and beyond.  Not `getenv`: this may run before libc's constructors.
///
/// # Safety
/// Nobody changes the environment meanwhile.
pub(crate) unsafe fn value(name: &[u8]) -> Option<&'static [u8]> {
    // SAFETY: `environ` is null or an array of strings that ends in null.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            let text = std::slice::from_raw_parts((*entry).cast::<u8>(), libc::strlen(*entry) + 1);
            if let Some(rest) = text.strip_prefix(name) {
                return Some(rest);
            }
            entry = entry.add(1);
        }
    }
    None
}
