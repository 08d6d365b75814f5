//! The boundary to the host: what every slow path of ours is wrapped in.
//!
//! A panic never crosses it and errno is as the host left it.  After a panic the checks are off, and the report says so.

use std::panic::{AssertUnwindSafe, catch_unwind};

struct Errno(i32);

impl Errno {
    fn save() -> Self {
        // SAFETY: errno is always readable.
        Errno(unsafe { *libc::__errno_location() })
    }
}

impl Drop for Errno {
    fn drop(&mut self) {
        // SAFETY: errno is always writable.
        unsafe { *libc::__errno_location() = self.0 };
    }
}

/// Runs `body`; `default` if it panics.
pub(crate) fn guarded<R>(default: R, body: impl FnOnce() -> R) -> R {
    let _errno = Errno::save();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        crate::thread::faults::fail("ftsan itself: a check panicked; please report the lines above");
        default
    })
}
