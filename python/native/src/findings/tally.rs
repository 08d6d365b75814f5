//! The number of findings of a process tree, in counters that no full disk, lost privilege or sudden death can take away.
//!
//! The process whose exit status speaks for the tree (the launcher, or the first process that is watched) makes a file of one page;
//! every process maps it when it begins to be watched, and counts there by an atomic addition.  The report says what was found; the tally
//! says that something was, and how often, also where the report could not be written.

use ftsan::report::Finding;
use libc::c_int;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The first bytes of a tally; they change with the layout.
const MAGIC: u64 = u64::from_le_bytes(*b"FTSANT01");
const SLOTS: usize = 252;
const SIZE: usize = size_of::<Tally>();

#[repr(C)]
#[derive(Debug)]
pub(crate) struct Tally {
    magic: AtomicU64,
    /// Whose exit status speaks for the tree.
    root: AtomicU32,
    /// Nobody reads the report in the scratch folder any more.
    closed: AtomicU32,
    /// How many processes were watched.
    pub(crate) processes: AtomicU64,
    /// How many findings that change the exit status, each counted in every process that made it.
    pub(crate) serious: AtomicU64,
    /// How many of them are not in the report.
    pub(crate) lost: AtomicU64,
    /// How many things could not be watched.
    pub(crate) off: AtomicU64,
    spare: [AtomicU64; 2],
    slots: [Slot; SLOTS],
}

#[repr(C)]
#[derive(Debug)]
struct Slot {
    /// Of a finding; 0 for a free slot.
    key: AtomicU64,
    count: AtomicU64,
}

const _: () = assert!(SIZE == 4096, "a page, which is written as a whole when the file is made");

/// Makes the tally of a tree whose exit status is this process's.
///
/// # Errors
/// There is a file of that name, or it cannot be written.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    let mut page = [0_u8; SIZE];
    page[..8].copy_from_slice(&MAGIC.to_ne_bytes());
    page[8..12].copy_from_slice(&std::process::id().to_ne_bytes());
    let flags = libc::O_NOFOLLOW | libc::O_CLOEXEC;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(flags).open(path)?;
    file.write_all(&page)
}

/// Maps a tally, for good; `None` if there is none that can be used.
pub(crate) fn open(path: &Path) -> Option<&'static Tally> {
    let flags = libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).ok()?;
    let facts = file.metadata().ok()?;
    let is_one = facts.is_file() && facts.size() == SIZE as u64 && facts.nlink() == 1;
    let tally = map(&file).filter(|_| is_one)?;
    (tally.magic.load(Ordering::Relaxed) == MAGIC).then_some(tally)
}

fn map(file: &File) -> Option<&'static Tally> {
    // SAFETY: a new mapping that is never undone; any bytes are a valid `Tally`, which consists of atomics.  The file was written whole,
    // so its page exists.
    unsafe {
        let protection: c_int = libc::PROT_READ | libc::PROT_WRITE;
        let memory = libc::mmap(std::ptr::null_mut(), SIZE, protection, libc::MAP_SHARED, file.as_raw_fd(), 0);
        if memory == libc::MAP_FAILED { None } else { Some(&*memory.cast::<Tally>()) }
    }
}

impl Tally {
    /// Whether the exit status of this process speaks for the tree: also after it has executed another program.
    pub(crate) fn is_root(&self) -> bool {
        self.root.load(Ordering::Relaxed) == std::process::id()
    }

    /// Nobody reads what is said from now on.
    pub(crate) fn close(&self) {
        self.closed.store(1, Ordering::Relaxed);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed) != 0
    }

    /// Counts an occurrence.  Beyond [`SLOTS`] findings only the report counts.
    pub(crate) fn count(&self, finding: &Finding) {
        if let Some(slot) = self.slot(finding, true) {
            slot.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often a finding was made in the tree, as far as it was counted here.
    pub(crate) fn counted(&self, finding: &Finding) -> u64 {
        self.slot(finding, false).map_or(0, |slot| slot.count.load(Ordering::Relaxed))
    }

    /// Whether there may be findings that are not counted here.
    pub(crate) fn is_full(&self) -> bool {
        self.slots.iter().all(|slot| slot.key.load(Ordering::Relaxed) != 0)
    }

    fn slot(&self, finding: &Finding, take_free: bool) -> Option<&Slot> {
        let (fingerprint, line) = finding.key();
        // The fingerprint is a hash in hexadecimal already.
        let key = u64::from_str_radix(fingerprint, 16).unwrap_or(1).wrapping_add(u64::from(line) << 1 | 1).max(1);
        let first = (key % SLOTS as u64) as usize;
        for slot in self.slots[first..].iter().chain(&self.slots[..first]) {
            match slot.key.load(Ordering::Relaxed) {
                0 if !take_free => return None,
                0 => match slot.key.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => return Some(slot),
                    Err(taken) if taken == key => return Some(slot),
                    Err(_) => {}
                },
                known if known == key => return Some(slot),
                _ => {}
            }
        }
        None
    }
}
