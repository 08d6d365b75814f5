//! Ways to divert calls of a function to another one, behind one trait.
//!
//! | module | what it does |
//! |---|---|
//! | [`import_tables`] | rewrites the import tables of all loaded libraries: every call by name |
//! | [`conformance`] | what every backend must do, as a function that its tests call |
//!
//! The third way, rewriting the function's first instructions, is `hooks/frida`.

pub mod conformance;
pub mod import_tables;

use libc::c_void;
use std::ffi::CStr;
use std::fmt;
use std::sync::atomic::AtomicUsize;

/// What is to be diverted.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its name, by which others import it.
    pub name: &'a CStr,
    /// Its address.
    pub address: *const c_void,
}

/// A call that is to be diverted, and to where.
#[derive(Debug, Clone, Copy)]
pub struct Diversion<'a> {
    /// The function.
    pub target: Target<'a>,
    /// Address of the function that is called instead.
    pub detour: *const c_void,
    /// Where the detour finds the original.
    pub original: &'a AtomicUsize,
}

// SAFETY: the pointers are addresses of functions, which every thread may call and none writes to.
unsafe impl Send for Diversion<'_> {}
// SAFETY: as above.
unsafe impl Sync for Diversion<'_> {}

/// Why a function was not diverted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nobody here can call it in a way that this backend sees.
    NoCaller,
    /// The process does not allow what the backend needs; says what.
    Forbidden(&'static str),
    /// The function cannot be rewritten; says why.
    Unsuitable(&'static str),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::NoCaller => f.write_str("nobody imports it"),
            Refused::Forbidden(what) => write!(f, "the process does not allow {what}"),
            Refused::Unsuitable(why) => write!(f, "it cannot be rewritten: {why}"),
        }
    }
}

/// A way to divert calls.
pub trait Backend {
    /// Diverts calls of `target` to `detour`.  `original` is set to an address at which the function can still be called as it was, before
    /// the first call is diverted.  There is no way back: a thread may be anywhere in a detour at any time.
    ///
    /// # Errors
    /// Nothing was changed.
    ///
    /// # Safety
    /// `detour` has the calling convention and signature of `target`, and neither is ever unloaded.
    unsafe fn replace(&mut self, target: Target<'_>, detour: *const c_void, original: &AtomicUsize) -> Result<(), Refused>;

    /// Diverts many; a function that this backend cannot divert is left as it is.
    ///
    /// # Safety
    /// As for [`Backend::replace`], for each of them.
    unsafe fn replace_all(&mut self, diversions: &[Diversion<'_>]) {
        for one in diversions {
            // SAFETY: the caller's guarantee.
            let _ = unsafe { self.replace(one.target, one.detour, one.original) };
        }
    }
}
