//! The tools of a case, and what it must find.

use crate::conformance::detours::{self, Detour};
use crate::conformance::libraries::{CALLERS, Library};
use crate::{Backend, Refused, Target};
use libc::{c_int, c_void};
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

macro_rules! must {
    ($condition:expr, $($what:tt)*) => {
        if !$condition {
            return Err(format!($($what)*));
        }
    };
}

macro_rules! must_be {
    ($value:expr, $expected:expr, $what:expr) => {
        let (value, expected) = ($value, $expected);
        must!(value == expected, "{}: {value:?} instead of {expected:?}", $what);
    };
}

pub(super) use {must, must_be};

pub(super) type Outcome = Result<(), String>;
pub(super) type Unary = unsafe extern "C" fn(c_int) -> c_int;
pub(super) type Nullary = unsafe extern "C" fn() -> c_int;
pub(super) type Errno = unsafe extern "C" fn(c_int, c_int, *mut c_int, *mut c_int) -> c_int;

/// The tools of a case.
pub(super) struct Bench {
    pub(super) backend: Box<dyn Backend>,
    pub(super) library_loaded: unsafe fn(&CStr, *const c_void),
    pub(super) directory: PathBuf,
    pub(super) targets: Library,
    pub(super) callers: Library,
}

impl Bench {
    pub(super) fn new(
        backend: Box<dyn Backend>,
        library_loaded: unsafe fn(&CStr, *const c_void),
        directory: &Path,
    ) -> Result<Bench, String> {
        let targets = Library::load(directory, "targets", libc::RTLD_NOW)?;
        let (name, _, how) = CALLERS[0];
        let callers = Library::load(directory, name, how)?;
        Ok(Bench { backend, library_loaded, directory: directory.to_owned(), targets, callers })
    }

    pub(super) fn divert(&mut self, detour: &'static Detour) -> Outcome {
        self.divert_in(self.targets, detour)
    }

    /// Diverts a function of libc.
    pub(super) fn divert_call(&mut self, detour: &'static Detour) -> Outcome {
        self.divert_in(Library::everything(), detour)
    }

    pub(super) fn divert_in(&mut self, library: Library, detour: &'static Detour) -> Outcome {
        self.replace(detour, detour.target(library)?).map_err(|refused| format!("{:?} was refused: {refused}", detour.name))?;
        must!(detour.original.load(Ordering::SeqCst) != 0, "no original of {:?}", detour.name);
        Ok(())
    }

    pub(super) fn replace(&mut self, detour: &'static Detour, address: *const c_void) -> Result<(), Refused> {
        // SAFETY: a detour has the signature of what it is for; nothing is unloaded.
        unsafe { self.backend.replace(Target { name: detour.name, address }, detour.address, &detour.original) }
    }

    pub(super) fn unary(&self, name: &CStr) -> Result<Unary, String> {
        // SAFETY: the type of all `call_*` with one argument.
        unsafe { self.callers.function(name) }
    }
}

/// Calls `function`, which must give what it gives undiverted, and be diverted.
pub(super) fn diverted(function: Unary, detour: &Detour, multiply: c_int, add: c_int) -> Outcome {
    for x in [0, 7, -3] {
        let before = detour.calls();
        // SAFETY: a caller.
        must_be!(unsafe { function(x) }, multiply * x + add, "result");
        must_be!(detour.calls(), before + 1, "calls of the detour");
    }
    Ok(())
}

pub(super) fn plain(function: Unary) -> Outcome {
    diverted(function, &detours::conf_plain, 3, 1)
}

pub(super) static CALL_OTHER: AtomicUsize = AtomicUsize::new(0);

pub(super) fn errno_is_kept(call: Errno, before_it: bool, after_it: bool) -> Outcome {
    for (before, leave) in [(0, libc::EAGAIN), (libc::EINTR, 0), (libc::EBADF, libc::EBADF)] {
        let (mut seen, mut after) = (-1, -1);
        // SAFETY: a caller, and two integers.
        unsafe { call(before, leave, &raw mut seen, &raw mut after) };
        must!(!before_it || seen == before, "errno in the original: {seen} instead of {before}");
        must!(!after_it || after == leave, "errno after it: {after} instead of {leave}");
    }
    Ok(())
}

/// Diverts it; returns what calls it.
pub(super) fn divert_errno(bench: &mut Bench) -> Result<Errno, String> {
    bench.divert(&detours::conf_errno)?;
    // SAFETY: its type.
    unsafe { bench.callers.function(c"call_errno") }
}

pub(super) fn in_a_thread(what: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
    std::thread::spawn(what).join().map_err(|_| "the thread panicked".to_owned())?
}
