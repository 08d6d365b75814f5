//! The cases that the suite tries.

use super::bench::{
    Bench, CALL_OTHER, Nullary, Outcome, Unary, divert_errno, diverted, errno_is_kept, in_a_thread, must, must_be, plain,
};
use super::detours::{self, Detour, INSIDE, Next, Record};
use super::libraries::{CALLERS, LATER, Library};
use libc::{c_char, c_int, c_long, c_void};
use std::ffi::CString;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Barrier};
use std::{ptr, thread};

use super::disturbed::{
    fork, fork_under_load, signal_handler, signal_handler_inside_a_detour, signal_handler_on_first_call, system_calls_under_load,
    under_load,
};

/// A case.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: fn(&mut Bench) -> Outcome,
}

macro_rules! cases {
    ($($name:ident)*) => {
        /// All of them.
        pub(super) const CASES: &[Case] = &[$(Case { name: stringify!($name), run: $name }),*];
    };
}

cases! {
    instead two_functions integers doubles structs open_is_variadic recursion called_inside_its_detour
    errno errno_after_first_call errno_in_first_call errno_of_replace
    threads later_thread later_library every_kind_of_slot by_address inside_its_library
    unknown not_imported short_function jumps_to_its_start
    longjmp cancellation
    signal_handler signal_handler_inside_a_detour signal_handler_on_first_call fork fork_under_load under_load system_calls_under_load
}

fn instead(bench: &mut Bench) -> Outcome {
    let call = bench.unary(c"call_plain")?;
    // SAFETY: a caller.
    must_be!(unsafe { call(5) }, 16, "result before");
    bench.divert(&detours::conf_plain)?;
    plain(call)?;
    let before = detours::conf_plain.calls();
    // SAFETY: has the type of what it stands for.
    let original: Unary = unsafe { std::mem::transmute(detours::conf_plain.original.load(Ordering::SeqCst)) };
    // SAFETY: as above.
    must_be!(unsafe { original(5) }, 16, "result of the original");
    must_be!(detours::conf_plain.calls(), before, "calls of the detour when the original is called");
    Ok(())
}

fn two_functions(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    plain(bench.unary(c"call_plain")?)?;
    // SAFETY: a caller.
    must_be!(unsafe { bench.unary(c"call_other")?(1) }, 7, "result of the one that is not diverted");
    must_be!(detours::conf_other.calls(), 0, "calls of its detour");
    bench.divert(&detours::conf_other)?;
    diverted(bench.unary(c"call_other")?, &detours::conf_other, 5, 2)?;
    plain(bench.unary(c"call_plain")?)
}

fn integers(bench: &mut Bench) -> Outcome {
    type Function = unsafe extern "C" fn(c_long, c_long, c_long, c_long, c_long, c_long, c_long, c_long) -> c_long;
    // SAFETY: its type.
    let call: Function = unsafe { bench.callers.function(c"call_integers")? };
    let wide = c_long::MAX / 100;
    // SAFETY: a caller.
    let both =
        || unsafe { (call(1, -2, 3, -4, 5, -6, 7, -8), call(wide, wide - 1, -wide, 5, c_long::from(i32::MAX), 1 << 40, -1, 0)) };
    let before = both();
    bench.divert(&detours::conf_integers)?;
    must_be!(both(), before, "results");
    must_be!(detours::conf_integers.calls(), 2, "calls of the detour");
    Ok(())
}

fn doubles(bench: &mut Bench) -> Outcome {
    type Function = unsafe extern "C" fn(f64, f64, f64, f64, f64, f64, f64, f64, f64, f64) -> f64;
    // SAFETY: its type.
    let call: Function = unsafe { bench.callers.function(c"call_doubles")? };
    // SAFETY: a caller.
    let both = || unsafe {
        (call(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0), call(1e300, -1e300, 1e-300, 0.0, -0.0, 1.0, 2.0, 3.0, 4.0, 5.0))
    };
    let before = both();
    bench.divert(&detours::conf_doubles)?;
    must_be!(both(), before, "results");
    must_be!(detours::conf_doubles.calls(), 2, "calls of the detour");
    Ok(())
}

fn structs(bench: &mut Bench) -> Outcome {
    type Function = unsafe extern "C" fn(i8, f64, u16, f32, *const Record, *mut Record) -> Record;
    // SAFETY: its type.
    let call: Function = unsafe { bench.callers.function(c"call_mixed")? };
    let both = || {
        let mut out = Record::default();
        // SAFETY: a caller, and records.
        let result = unsafe { call(-5, 0.25, 65535, -1.5, &Record { number: 1 << 40, real: 0.125 }, &raw mut out) };
        (result, out)
    };
    let before = both();
    bench.divert(&detours::conf_mixed)?;
    must_be!(both(), before, "results");
    must_be!(detours::conf_mixed.calls(), 1, "calls of the detour");
    Ok(())
}

fn open_is_variadic(bench: &mut Bench) -> Outcome {
    type Function = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
    // SAFETY: its type.
    let call: Function = unsafe { bench.callers.function(c"call_open")? };
    bench.divert_call(&detours::open)?;
    let path = CString::new(format!("{}/opened", bench.directory.display())).map_err(|error| error.to_string())?;
    // SAFETY: a path, and a descriptor of ours.
    unsafe {
        libc::umask(0);
        let before = detours::open.calls();
        let fd = call(path.as_ptr(), libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY | libc::O_CLOEXEC, 0o612);
        must!(fd >= 0, "cannot open");
        must_be!(detours::open.calls(), before + 1, "calls of the detour");
        let mut stat: libc::stat = std::mem::zeroed();
        libc::fstat(fd, &raw mut stat);
        must_be!(stat.st_mode & 0o777, 0o612, "mode");
        libc::close(fd);
        must_be!(call(c"/nowhere/at/all".as_ptr(), libc::O_RDONLY, 0), -1, "result of a failure");
        must_be!(*libc::__errno_location(), libc::ENOENT, "errno of a failure");
    }
    Ok(())
}

fn recursion(bench: &mut Bench) -> Outcome {
    // SAFETY: its type.
    let call: unsafe extern "C" fn(c_int, Next) -> c_int = unsafe { bench.callers.function(c"call_recursive")? };
    bench.divert(&detours::conf_recursive)?;
    for n in [0, 1, 2, 1000, 1001] {
        // SAFETY: a caller.
        must_be!(unsafe { call(n, detours::next) }, n * (n + 1) / 2, "result");
    }
    must_be!(detours::conf_recursive.calls(), 5, "calls of the detour");
    Ok(())
}

/// Calls `call_other` once more.
extern "C" fn other_again() {
    INSIDE.store(0, Ordering::SeqCst);
    // SAFETY: `call_other`.
    unsafe { std::mem::transmute::<usize, Unary>(CALL_OTHER.load(Ordering::SeqCst))(1) };
}

fn called_inside_its_detour(bench: &mut Bench) -> Outcome {
    let call = bench.unary(c"call_other")?;
    CALL_OTHER.store(call as usize, Ordering::SeqCst);
    bench.divert(&detours::conf_other)?;
    INSIDE.store(other_again as *const () as usize, Ordering::SeqCst);
    // SAFETY: a caller.
    must_be!(unsafe { call(1) }, 7, "result");
    must_be!(detours::conf_other.calls(), 2, "calls of the detour");
    diverted(call, &detours::conf_other, 5, 2)
}

fn errno(bench: &mut Bench) -> Outcome {
    let call = divert_errno(bench)?;
    errno_is_kept(call, false, true)?;
    errno_is_kept(call, true, true)?;
    must_be!(detours::conf_errno.calls(), 6, "calls of the detour");
    Ok(())
}

fn errno_after_first_call(bench: &mut Bench) -> Outcome {
    let call = divert_errno(bench)?;
    (0..200).try_for_each(|_| in_a_thread(move || errno_is_kept(call, false, true)))
}

fn errno_in_first_call(bench: &mut Bench) -> Outcome {
    let call = divert_errno(bench)?;
    (0..200).try_for_each(|_| in_a_thread(move || errno_is_kept(call, true, false)))
}

fn errno_of_replace(bench: &mut Bench) -> Outcome {
    let target = detours::conf_plain.target(bench.targets)?;
    let nobody = detours::conf_nobody.target(bench.targets)?;
    // SAFETY: errno of this thread.
    let errno = unsafe { libc::__errno_location() };
    for (detour, address) in
        [(&detours::conf_plain, target), (&detours::conf_nobody, nobody), (&detours::conf_nowhere, ptr::null())]
    {
        // SAFETY: as above.
        unsafe { *errno = 4321 };
        // Whether it is refused is looked at elsewhere.
        let _ = bench.replace(detour, address);
        // SAFETY: as above.
        must_be!(unsafe { *errno }, 4321, "errno after replace");
    }
    Ok(())
}

fn threads(bench: &mut Bench) -> Outcome {
    let call = bench.unary(c"call_other")?;
    let barrier = Arc::new(Barrier::new(5));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                // SAFETY: a caller.
                let before = unsafe { call(1) };
                barrier.wait();
                barrier.wait();
                // SAFETY: as above.
                (0..1000).all(|x| unsafe { call(x) } == 5 * x + 2) && before == 7
            })
        })
        .collect();
    barrier.wait();
    bench.divert(&detours::conf_other)?;
    barrier.wait();
    for thread in threads {
        must!(thread.join().unwrap_or(false), "wrong result in a thread");
    }
    must_be!(detours::conf_other.calls(), 4000, "calls of the detour");
    Ok(())
}

fn later_thread(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    let call = bench.unary(c"call_plain")?;
    (0..50).try_for_each(|_| in_a_thread(move || plain(call)))
}

fn later_library(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    let later = Library::load(&bench.directory, LATER, libc::RTLD_LAZY)?;
    // SAFETY: what was diverted, as it was.
    unsafe { (bench.library_loaded)(detours::conf_plain.name, detours::conf_plain.address) };
    // SAFETY: its type.
    plain(unsafe { later.function(c"call_plain")? })?;
    plain(bench.unary(c"call_plain")?)
}

fn every_kind_of_slot(bench: &mut Bench) -> Outcome {
    let calls: Vec<Unary> = CALLERS
        .iter()
        // SAFETY: its type.
        .map(|(name, _, how)| unsafe { Library::load(&bench.directory, name, *how)?.function(c"call_plain") })
        .collect::<Result<_, _>>()?;
    bench.divert(&detours::conf_plain)?;
    calls.into_iter().try_for_each(plain)
}

fn by_address(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    plain(bench.unary(c"call_held")?)?;
    // SAFETY: its type.
    plain(unsafe { bench.targets.function(c"conf_plain")? })
}

fn inside_its_library(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    // SAFETY: its type.
    plain(unsafe { bench.targets.function(c"conf_inside")? })
}

/// Refused, and nothing changed.
fn refused(bench: &mut Bench, detour: &'static Detour, address: *const c_void) -> Outcome {
    must!(bench.replace(detour, address).is_err(), "{:?} was not refused", detour.name);
    must_be!(detour.original.load(Ordering::SeqCst), 0, "the original");
    Ok(())
}

fn unknown(bench: &mut Bench) -> Outcome {
    refused(bench, &detours::conf_nowhere, ptr::null())?;
    // Data, and nothing at all.
    static DATA: [u64; 16] = [0; 16];
    refused(bench, &detours::conf_nowhere, (&raw const DATA).cast())?;
    refused(bench, &detours::conf_nowhere, ptr::without_provenance(64))?;
    bench.divert(&detours::conf_plain)?;
    plain(bench.unary(c"call_plain")?)
}

fn not_imported(bench: &mut Bench) -> Outcome {
    let address = detours::conf_nobody.target(bench.targets)?;
    refused(bench, &detours::conf_nobody, address)?;
    // SAFETY: its type.
    let function: Unary = unsafe { bench.targets.function(c"conf_nobody")? };
    // SAFETY: its type.
    must_be!(unsafe { function(3) }, 21, "result");
    must_be!(detours::conf_nobody.calls(), 0, "calls of the detour");
    Ok(())
}

/// Diverts a function that may be refused; returns how often the detour must have been called.
fn divert_or_refuse(bench: &mut Bench, detour: &'static Detour) -> Result<usize, String> {
    match bench.replace(detour, detour.target(bench.targets)?) {
        Ok(()) => Ok(1),
        Err(_) => {
            must_be!(detour.original.load(Ordering::SeqCst), 0, "the original");
            Ok(0)
        }
    }
}

fn short_function(bench: &mut Bench) -> Outcome {
    let calls = divert_or_refuse(bench, &detours::conf_short)?;
    // SAFETY: their types.
    let (short, neighbour): (Nullary, Nullary) =
        unsafe { (bench.callers.function(c"call_short")?, bench.callers.function(c"call_neighbour")?) };
    // SAFETY: callers.
    must_be!(unsafe { (short(), neighbour()) }, (0, 11), "results of it and of the function behind it");
    must_be!(detours::conf_short.calls(), calls, "calls of the detour");
    Ok(())
}

fn jumps_to_its_start(bench: &mut Bench) -> Outcome {
    let calls = divert_or_refuse(bench, &detours::conf_loop)?;
    // SAFETY: a caller.
    must_be!(unsafe { bench.unary(c"call_loop")?(5) }, 13, "result");
    must_be!(detours::conf_loop.calls(), calls, "calls of the detour");
    Ok(())
}

fn longjmp(bench: &mut Bench) -> Outcome {
    // SAFETY: its type.
    let jump: Nullary = unsafe { bench.callers.function(c"call_jump")? };
    bench.divert(&detours::conf_jump)?;
    bench.divert(&detours::conf_plain)?;
    for round in 1..=300 {
        // SAFETY: a caller.
        must_be!(unsafe { jump() }, 42, "result");
        must_be!(detours::conf_jump.calls(), round, "calls of the detour that was left");
        plain(bench.unary(c"call_plain")?)?;
    }
    Ok(())
}

fn cancellation(bench: &mut Bench) -> Outcome {
    struct Wait {
        call: unsafe extern "C-unwind" fn(*mut c_int, *mut c_int) -> c_int,
        waiting: AtomicI32,
        cleaned: AtomicI32,
    }
    extern "C-unwind" fn body(argument: *mut c_void) -> *mut c_void {
        // SAFETY: a `Wait`, never freed.
        let wait = unsafe { &*argument.cast::<Wait>() };
        // SAFETY: a caller, and two integers.
        unsafe { (wait.call)(wait.waiting.as_ptr(), wait.cleaned.as_ptr()) };
        ptr::null_mut()
    }
    unsafe extern "C" {
        fn pthread_create(
            thread: *mut libc::pthread_t,
            attributes: *const c_void,
            body: extern "C-unwind" fn(*mut c_void) -> *mut c_void,
            argument: *mut c_void,
        ) -> c_int;
        fn pthread_cancel(thread: libc::pthread_t) -> c_int;
    }
    // SAFETY: its type.
    let call = unsafe { bench.callers.function(c"call_wait")? };
    bench.divert(&detours::conf_wait)?;
    for round in 1..=20 {
        let wait: &'static Wait = Box::leak(Box::new(Wait { call, waiting: AtomicI32::new(0), cleaned: AtomicI32::new(0) }));
        // SAFETY: a thread of this function's, which it joins.
        let result = unsafe {
            let mut thread = 0;
            must_be!(
                pthread_create(&raw mut thread, ptr::null(), body, ptr::from_ref(wait).cast_mut().cast()),
                0,
                "pthread_create"
            );
            while wait.waiting.load(Ordering::Acquire) == 0 {
                thread::yield_now();
            }
            pthread_cancel(thread);
            let mut result = ptr::null_mut();
            libc::pthread_join(thread, &raw mut result);
            result
        };
        must_be!(result.addr(), usize::MAX, "result of a cancelled thread");
        must_be!(wait.cleaned.load(Ordering::SeqCst), 1, "what its caller cleans up");
        must_be!(detours::conf_wait.calls(), round, "calls of the detour");
    }
    Ok(())
}
