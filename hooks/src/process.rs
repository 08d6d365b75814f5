//! The process: switched on or inert, its recording, its descriptors, its forks.

use crate::{crash, thread};
use ftsan::descriptors::Descriptors;
use ftsan::recording::{Recording, SIZE};
use libc::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// What is known of the descriptors of this process.
pub(crate) static DESCRIPTORS: Descriptors = Descriptors::new();

static RECORDING: AtomicPtr<Recording> = AtomicPtr::new(std::ptr::null_mut());
/// This process was forked: the file is its parent's.
static IS_FORK: AtomicBool = AtomicBool::new(false);
static DECIDED: AtomicBool = AtomicBool::new(false);

/// Names the file that a recording is mapped from; `ftsan run` sets it.  Without it a recording is kept in memory only.
const FILE: &[u8] = b"FTSAN_RECORDING=";
/// Switches a process on.
const SWITCH: &[u8] = b"FTSAN=1";

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// The recording; `None` in a process that is not watched.
#[inline(always)]
pub(crate) fn recording() -> Option<&'static Recording> {
    // SAFETY: null, or a mapping that is never undone.
    unsafe { RECORDING.load(Ordering::Acquire).as_ref() }
}

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end;

/// The process exits by itself: its recording is not needed.
extern "C" fn end() {
    let (Some(path), Some(recording)) = (PATH.get(), recording()) else { return };
    // SAFETY: plain calls on a string that ends in zero.
    unsafe {
        if !IS_FORK.load(Ordering::Relaxed) && recording.pid() == libc::getpid() as u32 {
            libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path.as_ptr(), 0);
        }
    }
}

/// The library is loaded.
extern "C" fn start() {
    // SAFETY: plain calls.
    if unsafe { environment(SWITCH) }.is_some_and(|rest| rest.first() == Some(&0)) {
        switch_on();
    }
}

/// Watches this process, unless it runs with more rights than whoever set its environment.
pub(crate) fn switch_on() {
    // SAFETY: plain call.
    let is_set_id = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    if is_set_id || DECIDED.swap(true, Ordering::AcqRel) {
        return;
    }
    let Some(recording) = map(-1, std::ptr::null_mut()) else { return };
    // SAFETY: plain call.
    recording.begin(unsafe { libc::getpid() } as u32, ticks_per_us());
    RECORDING.store(std::ptr::from_ref(recording).cast_mut(), Ordering::Release);
    thread::prepare();
    // The interpreter notes at its start which signals have a handler, and the program can ask: `keep` is called when it has.
    // SAFETY: a name and a zero.
    if unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"Py_Initialize".as_ptr()) }.is_null() {
        crash::install();
    }
    // SAFETY: the handler is a function of this library, which is never unloaded.
    unsafe { libc::pthread_atfork(None, None, Some(after_fork)) };
}

/// The value of `NAME=` in the environment, to its end and beyond.  Not `getenv`: this may run before libc's constructors.
///
/// # Safety
/// Nobody changes the environment meanwhile.
unsafe fn environment(name: &[u8]) -> Option<&'static [u8]> {
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

/// Where the file of this process is: what the environment names, a dot and the process id.
static PATH: OnceLock<[u8; 4096]> = OnceLock::new();

/// Where the file of this process would be.
fn path() -> Option<[u8; 4096]> {
    let mut path = [0_u8; 4096];
    // SAFETY: see there.
    let prefix = unsafe { environment(FILE) }?.split_last()?.1;
    path.get_mut(..prefix.len())?.copy_from_slice(prefix);
    path.get(prefix.len() + 12).filter(|_| !prefix.is_empty())?;
    path[prefix.len()] = b'.';
    // SAFETY: plain call.
    decimal(unsafe { libc::getpid() } as u32, &mut path[prefix.len() + 1..]);
    Some(path)
}

/// Maps a recording, of a file or (-1) of anonymous memory, anywhere or over what is at an address.
fn map(fd: c_int, over: *mut c_void) -> Option<&'static Recording> {
    let flags = if fd >= 0 { libc::MAP_SHARED } else { libc::MAP_PRIVATE | libc::MAP_ANONYMOUS };
    let fixed = if over.is_null() { 0 } else { libc::MAP_FIXED };
    // SAFETY: a new mapping, or one in the place of a recording that has the same content; zeroed memory is a valid recording.
    unsafe {
        let memory = libc::mmap(over, SIZE, libc::PROT_READ | libc::PROT_WRITE, flags | fixed, fd, 0);
        if memory == libc::MAP_FAILED { None } else { Some(&*memory.cast::<Recording>()) }
    }
}

/// From now on the recording survives any death of the process: it moves to its file.  Called when Python code is watched: a shell or a
/// compiler that was started on the way leaves no file.
pub(crate) fn keep() {
    let (Some(recording), Some(path)) = (recording(), path()) else { return };
    if PATH.get().is_some() {
        return;
    }
    let fd = write_to(&path, recording);
    if fd >= 0 {
        if map(fd, std::ptr::from_ref(recording).cast_mut().cast::<c_void>()).is_some() {
            let _ = PATH.set(path);
        }
        // SAFETY: ours.
        unsafe { libc::syscall(libc::SYS_close, fd) };
    }
}

/// Writes the recording of a crashed process to its file, if it was kept in memory.
pub(crate) fn write_out() {
    let is_in_memory = PATH.get().is_none() || IS_FORK.load(Ordering::Relaxed);
    if let (true, Some(recording), Some(path)) = (is_in_memory, recording(), path()) {
        write_to(&path, recording);
    }
}

/// A new file with a whole recording in it, or -1.  Not a sparse one: a full disk is an error here, not a SIGBUS later.
fn write_to(path: &[u8], recording: &Recording) -> c_int {
    let start = std::ptr::from_ref(recording).cast::<u8>();
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC | libc::O_NOFOLLOW;
    // SAFETY: system calls on a string that ends in zero, and on a recording, which has that many bytes.
    unsafe {
        let fd = libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0o600) as c_int;
        let mut written = 0;
        while fd >= 0 && written < SIZE {
            let count = libc::syscall(libc::SYS_write, fd, start.add(written), SIZE - written);
            if count <= 0 {
                libc::syscall(libc::SYS_close, fd);
                libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path.as_ptr(), 0);
                return -1;
            }
            written += count as usize;
        }
        fd
    }
}

/// Writes a number and a zero.
pub(crate) fn decimal(mut number: u32, into: &mut [u8]) {
    let mut digits = [0_u8; 10];
    let mut count = 0;
    loop {
        digits[count] = b'0' + (number % 10) as u8;
        number /= 10;
        count += 1;
        if number == 0 {
            break;
        }
    }
    for (slot, digit) in into.iter_mut().zip(digits[..count].iter().rev().chain(&[0])) {
        *slot = *digit;
    }
}

/// A counter that costs nothing to read.
#[inline(always)]
pub(crate) fn now() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has it.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    nanoseconds()
}

fn nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the given place.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// How much [`now`] advances in a microsecond: measured over the twentieth of a millisecond.
fn ticks_per_us() -> u32 {
    let (start, ticks) = (nanoseconds(), now());
    let mut end = start;
    while end - start < 50_000 {
        end = nanoseconds();
    }
    ((now() - ticks) * 1000 / (end - start)).max(1) as u32
}

/// In the child of a fork: a recording of its own in memory, with the names that its parent's had, and with this thread only.  Without
/// a file: who forks thousands of children would fill the disk.  [`crash`] writes it out if need be.
unsafe extern "C" fn after_fork() {
    let Some(old) = recording() else { return };
    DESCRIPTORS.after_fork();
    RECORDING.store(std::ptr::null_mut(), Ordering::Release);
    thread::forget();
    let Some(new) = map(-1, std::ptr::null_mut()) else { return };
    // SAFETY: both are recordings, and nobody else knows the new one; what is copied are atomics, valid whatever the parent writes.
    unsafe {
        let from = std::ptr::from_ref(&old.sites).cast::<u8>();
        let into = std::ptr::from_ref(&new.sites).cast_mut().cast::<u8>();
        std::ptr::copy_nonoverlapping(from, into, old.sites.used_bytes());
        new.begin(libc::getpid() as u32, old.ticks_per_us.load(Ordering::Relaxed));
    }
    RECORDING.store(std::ptr::from_ref(new).cast_mut(), Ordering::Release);
    IS_FORK.store(true, Ordering::Relaxed);
}
