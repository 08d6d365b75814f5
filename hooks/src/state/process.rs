//! The process: its descriptors, its recording and where that is kept.

use crate::system::{decimal, environment};
use ftsan::descriptors::Descriptors;
use ftsan::descriptors::children::Children;
use ftsan::recording::{Recording, SIZE};
use libc::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// What is known of the descriptors of this process.
pub(crate) static DESCRIPTORS: Descriptors = Descriptors::new();

/// Which of its children were waited for.
pub(crate) static CHILDREN: Children = Children::new();

static RECORDING: AtomicPtr<Recording> = AtomicPtr::new(std::ptr::null_mut());
/// This process was forked: the file is its parent's.
static IS_FORK: AtomicBool = AtomicBool::new(false);

/// Names the file that a recording is mapped from; `ftsan run` sets it.  Without it a recording is kept in memory only.
const FILE: &[u8] = b"FTSAN_RECORDING=";

/// The recording; `None` in a process that is not watched.
#[inline(always)]
pub(crate) fn recording() -> Option<&'static Recording> {
    // SAFETY: null, or a mapping that is never undone.
    unsafe { RECORDING.load(Ordering::Acquire).as_ref() }
}

/// Begins a recording, in memory; false if there is no memory for it.
pub(crate) fn begin(ticks_per_us: u32) -> bool {
    let Some(recording) = map(-1, std::ptr::null_mut()) else { return false };
    // SAFETY: getpid has no preconditions.
    recording.begin(unsafe { libc::getpid() } as u32, ticks_per_us);
    RECORDING.store(std::ptr::from_ref(recording).cast_mut(), Ordering::Release);
    true
}

/// Removes the file of a process that exits by itself: its recording is not needed.
pub(crate) extern "C" fn remove() {
    let (Some(path), Some(recording)) = (PATH.get(), recording()) else { return };
    // SAFETY: getpid has no preconditions; the path ends in zero.
    unsafe {
        if !IS_FORK.load(Ordering::Relaxed) && recording.pid() == libc::getpid() as u32 {
            libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path.as_ptr(), 0);
        }
    }
}

/// In the child of a fork: the recording is the parent's.
pub(crate) fn abandon() -> Option<&'static Recording> {
    let old = recording()?;
    RECORDING.store(std::ptr::null_mut(), Ordering::Release);
    Some(old)
}

/// Then: a recording of its own in memory, with the names that its parent's had.  Without a file: a program that forks thousands of
/// children would fill the disk.  The crash handler writes it out if need be.
pub(crate) fn renew(old: &Recording) {
    let Some(new) = map(-1, std::ptr::null_mut()) else { return };
    // SAFETY: both are recordings, and nobody else knows the new one; only atomics are copied, valid whatever the parent writes.
    unsafe {
        let from = std::ptr::from_ref(&old.sites).cast::<u8>();
        let into = std::ptr::from_ref(&new.sites).cast_mut().cast::<u8>();
        std::ptr::copy_nonoverlapping(from, into, old.sites.used_bytes());
        new.begin(libc::getpid() as u32, old.ticks_per_us.load(Ordering::Relaxed));
    }
    RECORDING.store(std::ptr::from_ref(new).cast_mut(), Ordering::Release);
    IS_FORK.store(true, Ordering::Relaxed);
}

/// Where the file of this process is: what the environment names, a dot and the process id.
static PATH: OnceLock<[u8; 4096]> = OnceLock::new();

/// Where the file of this process would be.
fn path() -> Option<[u8; 4096]> {
    let mut path = [0_u8; 4096];
    // SAFETY: called as Python code begins to be watched, or in the crash handler: nobody is changing the environment then.
    let prefix = unsafe { environment::value(FILE) }?.split_last()?.1;
    path.get_mut(..prefix.len())?.copy_from_slice(prefix);
    path.get(prefix.len() + 12).filter(|_| !prefix.is_empty())?;
    path[prefix.len()] = b'.';
    // SAFETY: getpid has no preconditions.
    decimal::write(unsafe { libc::getpid() } as u32, &mut path[prefix.len() + 1..]);
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
        // SAFETY: a descriptor that `write_to` opened and nobody else knows.
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
