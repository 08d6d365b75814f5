//! Files that several processes change: what they have in common.

use crate::report::render::json;
use crate::safe_file::Target;
use serde::Serialize;
use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

/// How long a process waits for others to finish theirs: on a busy machine, ten that end at once take seconds.  A stopped process (Ctrl-Z)
/// may hold a lock for ever.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A lock that is given back when this goes.
#[derive(Debug)]
pub(super) struct Lock<'a>(&'a File);

impl Drop for Lock<'_> {
    /// Closing the file would not do: a child that was forked meanwhile has it open as well, and would keep the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// How a file is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Beside others that do so.
    Shared,
    /// Alone.
    Exclusive,
    /// Alone, and at once or not at all.
    ExclusiveNow,
}

/// Locks `file`.
///
/// # Errors
/// Another process holds it (for too long), or the file system has no locks.
pub(super) fn lock(file: &File, mode: Mode) -> io::Result<Lock<'_>> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let locked = match mode {
            Mode::Shared => file.try_lock_shared(),
            Mode::Exclusive | Mode::ExclusiveNow => file.try_lock(),
        };
        match locked {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) if mode != Mode::ExclusiveNow && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(TryLockError::WouldBlock) => return Err(io::Error::new(io::ErrorKind::WouldBlock, "another process holds it")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// The largest report that is read, in bytes.
pub(super) const LARGEST: u64 = 1 << 30;

/// Whether this is how [`json::write`] begins a file.
fn is_ours(head: &[u8]) -> bool {
    let mut words = head.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.next() == Some(b"{") && words.next() == Some(b"\"schema\":")
}

/// Refuses a file that is neither empty nor one of ours.
///
/// # Errors
/// It is another file.
pub(super) fn check_ours(target: &Target) -> io::Result<()> {
    target.check_replaceable("report of ftsan", is_ours)
}

/// Starts with `content`, where there may be nothing yet, an empty file, or another one of ours.
///
/// # Errors
/// There is something else, or the file cannot be written there.
pub(super) fn start(target: &Target, content: &impl Serialize) -> io::Result<()> {
    check_ours(target)?;
    target.remove_unfinished()?;
    target.replace(|out| json::write(content, out))
}
