//! The program's stderr, which somebody else reads, or nobody.
//!
//! A parent that starts a server with a pipe as its stderr and never reads it is common in tests.  The program by itself gets along with
//! that: it writes little.  Our text fills the pipe, and must not hang the program then.

use crate::thread::hooks_link;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long a pipe may take nothing, in milliseconds, before its reader counts as gone: a pager that somebody reads in is not.
const PATIENCE: libc::c_int = 10_000;

/// How many texts nobody has taken.
static UNREAD: AtomicU64 = AtomicU64::new(0);

/// Writes a text in one go, so that those of several threads do not interleave.  Not through `std::io::stderr`: a forked child could
/// inherit its lock.  Once a text was not taken in [`PATIENCE`], no other one waits until there is room again.
pub(super) fn write(text: &str) {
    let unread = UNREAD.load(Ordering::Relaxed);
    let patience = if unread == 0 { PATIENCE } else { 0 };
    let _paused = hooks_link::Paused::begin();
    let is_taken = if unread == 0 {
        write_all(text.as_bytes(), patience)
    } else {
        let texts = if unread == 1 { "1 text is" } else { &format!("{unread} texts are") };
        let told = format!("ftsan: {texts} missing here: nobody read stderr; the report has every finding\n{text}");
        write_all(told.as_bytes(), patience)
    };
    UNREAD.store(if is_taken { 0 } else { unread + 1 }, Ordering::Relaxed);
}

/// Whether all of it was taken.
fn write_all(mut left: &[u8], patience: libc::c_int) -> bool {
    let is_pipe = is_pipe();
    while !left.is_empty() {
        let written = if is_pipe { write_at_once(left) } else { write_some(left) };
        match usize::try_from(written) {
            Ok(count) => left = left.get(count..).unwrap_or_default(),
            Err(_) => match std::io::Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN) => {
                    if !has_room_within(patience) {
                        return false;
                    }
                }
                // Gone for good: there is nobody to tell.
                Some(_) | None => return true,
            },
        }
    }
    true
}

fn is_pipe() -> bool {
    // SAFETY: the kernel fills in the whole structure, or says that it did not; all zeros is a valid one.
    let mut facts: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the structure lives for the call.
    unsafe { libc::fstat(libc::STDERR_FILENO, &raw mut facts) == 0 && facts.st_mode & libc::S_IFMT == libc::S_IFIFO }
}

/// What a pipe has room for; it would block else.  Kernels before 6.4 know no such thing, and block.
fn write_at_once(left: &[u8]) -> isize {
    let part = libc::iovec { iov_base: left.as_ptr().cast_mut().cast(), iov_len: left.len() };
    // SAFETY: one part, which the kernel only reads and which lives for the call.  The offset -1 stands for the current one.
    let written = unsafe { libc::pwritev2(libc::STDERR_FILENO, &raw const part, 1, -1, libc::RWF_NOWAIT) };
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS) if written < 0 => write_some(left),
        Some(_) | None => written,
    }
}

fn write_some(left: &[u8]) -> isize {
    // SAFETY: the kernel only reads what it is given, which lives for the call.
    unsafe { libc::write(libc::STDERR_FILENO, left.as_ptr().cast(), left.len()) }
}

/// Also of a descriptor that the program has made non-blocking.
fn has_room_within(patience: libc::c_int) -> bool {
    let mut stderr = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    loop {
        // SAFETY: one structure, which lives for the call.
        match unsafe { libc::poll(&raw mut stderr, 1, patience) } {
            0 => return false,
            count if count > 0 => return true,
            _ => {
                if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
                    return false;
                }
            }
        }
    }
}
