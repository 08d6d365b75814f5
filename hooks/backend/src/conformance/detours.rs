//! The functions that are called instead.  Each detour counts its calls and calls the original.

use crate::conformance::libraries::Library;
use libc::{c_char, c_int, c_long, c_ulong, c_void, off_t, pollfd, size_t, ssize_t};
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A detour, and what belongs to it.
#[derive(Debug)]
pub(super) struct Detour {
    /// The function that it is for.
    pub(super) name: &'static CStr,
    pub(super) address: *const c_void,
    /// How the function can be called as it was.
    pub(super) original: AtomicUsize,
    calls: AtomicUsize,
}

// SAFETY: the address of a function.
unsafe impl Sync for Detour {}

impl Detour {
    /// How often it was called.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The address of the function that it is for.
    pub(super) fn target(&self, library: Library) -> Result<*const c_void, String> {
        library.address(self.name)
    }
}

/// `struct record` of the C libraries.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Record {
    pub(super) number: c_long,
    pub(super) real: f64,
}

/// `fn NAME(ARGUMENTS) -> RESULT;` makes a static `NAME`, a [`Detour`] for the function of that name; `=> BODY` says what it does but
/// calling the original once.
macro_rules! detours {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $(=> |$original:ident| $body:expr)?;)*) => {$(
        #[allow(non_upper_case_globals)]
        pub(super) static $name: Detour = {
            type Function = unsafe extern "C-unwind" fn($($type),*) -> $result;
            unsafe extern "C-unwind" fn detour($($argument: $type),*) -> $result {
                $name.calls.fetch_add(1, Ordering::SeqCst);
                // SAFETY: set before the first call, to something of the original's type.
                let original = unsafe { std::mem::transmute::<usize, Function>($name.original.load(Ordering::Acquire)) };
                detours!(@body original ($($argument),*) $(|$original| $body)?)
            }
            Detour {
                // SAFETY: a name and a zero.
                name: unsafe { CStr::from_bytes_with_nul_unchecked(concat!(stringify!($name), "\0").as_bytes()) },
                address: detour as *const c_void,
                original: AtomicUsize::new(0),
                calls: AtomicUsize::new(0),
            }
        };
    )*};
    // SAFETY: called with what the caller passed.
    (@body $function:ident ($($argument:ident),*)) => { unsafe { $function($($argument),*) } };
    (@body $function:ident ($($argument:ident),*) |$original:ident| $body:expr) => {{
        let $original = $function;
        // SAFETY: as above.
        unsafe { $body }
    }};
}

/// Called while the detour of `conf_other` runs, after it was entered: a case sets it.
pub(super) static INSIDE: AtomicUsize = AtomicUsize::new(0);

detours! {
    fn conf_plain(x: c_int) -> c_int;
    fn conf_other(x: c_int) -> c_int => |original| {
        let inside = INSIDE.load(Ordering::SeqCst);
        if inside != 0 {
            std::mem::transmute::<usize, extern "C" fn()>(inside)();
        }
        original(x)
    };
    fn conf_nobody(x: c_int) -> c_int;
    fn conf_nowhere(x: c_int) -> c_int;
    fn conf_integers(a: c_long, b: c_long, c: c_long, d: c_long, e: c_long, f: c_long, g: c_long, h: c_long) -> c_long;
    fn conf_doubles(a: f64, b: f64, c: f64, d: f64, e: f64, f: f64, g: f64, h: f64, i: f64, j: f64) -> f64;
    fn conf_mixed(a: i8, b: f64, c: u16, d: f32, e: *const Record, out: *mut Record) -> Record;
    fn conf_errno(leave: c_int, seen: *mut c_int) -> c_int;
    // The original calls what it is given, which calls the original.
    fn conf_recursive(n: c_int, next: Next) -> c_int => |original| if n % 2 == 0 { original(n, next) } else { n + original(n - 1, next) };
    fn conf_jump(to: *mut c_void) -> c_int;
    fn conf_wait(waiting: *mut c_int) -> c_int;
    fn conf_short() -> c_int;
    fn conf_loop(x: c_int) -> c_int;
    fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int;
    fn read(fd: c_int, to: *mut c_void, len: size_t) -> ssize_t;
    fn write(fd: c_int, from: *const c_void, len: size_t) -> ssize_t;
    fn close(fd: c_int) -> c_int;
    fn dup(fd: c_int) -> c_int;
    fn poll(fds: *mut pollfd, count: c_ulong, timeout: c_int) -> c_int;
    fn lseek(fd: c_int, offset: off_t, whence: c_int) -> off_t;
    fn pipe2(ends: *mut c_int, flags: c_int) -> c_int;
}

/// The second argument of `conf_recursive`.
pub(super) type Next = unsafe extern "C-unwind" fn(c_int) -> c_int;

/// The function that `conf_recursive` is given: back into the original, as the detour itself may.
pub(super) unsafe extern "C-unwind" fn next(n: c_int) -> c_int {
    // SAFETY: the case diverted it before it called it.
    let original = unsafe {
        std::mem::transmute::<usize, unsafe extern "C-unwind" fn(c_int, Next) -> c_int>(
            conf_recursive.original.load(Ordering::Acquire),
        )
    };
    // SAFETY: as above.
    unsafe { original(n, next) }
}
