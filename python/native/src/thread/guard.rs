//! The boundary to the host: what every slow path of ours is wrapped in.
//!
//! A panic never crosses it and errno is as the host left it.  After a panic the checks are off, and the report says so.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where the thread's errno is, and what it was: asked for once, as every probe does this.
struct Errno(*mut i32, i32);

impl Errno {
    #[inline]
    fn save() -> Self {
        // SAFETY: errno is always readable.
        unsafe {
            let errno = libc::__errno_location();
            Errno(errno, *errno)
        }
    }
}

impl Drop for Errno {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: errno is always writable; it does not leave its thread, nor does this, which a pointer keeps from being sent.
        unsafe { *self.0 = self.1 };
    }
}

/// Runs `body`; `default` if it panics.
#[inline]
pub(crate) fn catch_panic<R>(default: R, body: impl FnOnce() -> R) -> R {
    let _errno = Errno::save();
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        crate::thread::faults::fail("ftsan itself: a check panicked; please report the lines above");
        default
    })
}
