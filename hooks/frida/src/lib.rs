//! Diverts calls by rewriting a function's first instructions, with frida-gum: whoever calls it, and however.
//!
//! | module | what it is |
//! |---|---|
//! | [`permission`] | whether the process may do that at all: gum crashes where it may not |
//!
//! Found by measurement:
//!
//! - `replace_fast` crashes threads that call the function meanwhile (5 of 10 runs of the suite's load test), and so does undoing a
//!   diversion: neither is used.
//! - `replace` does too, but rarely: once in 8,700 diversions under load (29 runs of 300 rounds, 3 threads on 2 cores).  Gum stops nobody
//!   while it overwrites the first instructions; a thread that is between them goes on in the middle of another one.  Divert before
//!   threads start.
//! - A call returns through gum, which keeps the address to return to: a frame that is left in another way (an exception, a
//!   cancelled thread, `longjmp`) does not find it.  `tests/frida.rs` declares what follows from that, and what else gum cannot do.

pub mod permission;

use frida_gum::interceptor::Interceptor;
use frida_gum::{Error, Gum, NativePointer};
use ftsan_backend::{Backend, Refused, Target};
use libc::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fmt, fs};

/// The backend.
pub struct Frida {
    /// Never dropped, and gum with it: there is no way back from a diversion.
    interceptor: ManuallyDrop<Interceptor>,
}

impl fmt::Debug for Frida {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frida").finish_non_exhaustive()
    }
}

impl Frida {
    /// Initialises gum.
    ///
    /// # Errors
    /// The process does not allow what gum needs; gum was not touched.
    pub fn new() -> Result<Frida, Refused> {
        let _errno = Errno::save();
        permission::check()?;
        let gum = ManuallyDrop::new(Gum::obtain());
        Ok(Frida { interceptor: ManuallyDrop::new(Interceptor::obtain(&gum)) })
    }
}

impl Backend for Frida {
    unsafe fn replace(&mut self, target: Target<'_>, detour: *const c_void, original: &AtomicUsize) -> Result<(), Refused> {
        let _errno = Errno::save();
        if !is_code(target.address as usize) {
            return Err(Refused::Unsuitable("there is no code at its address"));
        }
        // Without a transaction the function would be rewritten before anybody knows how to call the original.
        self.interceptor.begin_transaction();
        let pointer = |address: *const c_void| NativePointer(address.cast_mut());
        let result = self.interceptor.replace(pointer(target.address), pointer(detour), pointer(std::ptr::null()));
        if let Ok(address) = &result {
            original.store(address.0 as usize, Ordering::Release);
        }
        self.interceptor.end_transaction();
        result.map(|_| ()).map_err(|error| refused(&error))
    }
}

fn refused(error: &Error) -> Refused {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are not of replace")]
    match error {
        Error::InterceptorBadSignature => Refused::Unsuitable("its first instructions cannot be moved"),
        Error::InterceptorAlreadyReplaced => Refused::Unsuitable("it is diverted already"),
        Error::PolicyViolation => Refused::Forbidden("changing code"),
        _ => Refused::Unsuitable("gum says no more"),
    }
}

/// Gum reads what it is given, and writes to it.
fn is_code(address: usize) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().any(|line| {
        let mut words = line.split(' ');
        let range = words.next().and_then(|range| range.split_once('-'));
        let bounds =
            range.and_then(|(start, end)| Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?));
        bounds.is_some_and(|bounds| bounds.contains(&address)) && words.next().is_some_and(|how| how.contains('x'))
    })
}

/// Puts errno back: the program does not expect it to change.
struct Errno(c_int);

impl Errno {
    fn save() -> Errno {
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
