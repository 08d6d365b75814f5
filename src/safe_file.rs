//! Opening files at paths that somebody else may have prepared: a report in a shared folder, an option from the environment.
//!
//! The rules, for every file that ftsan writes or reads by name:
//!
//! 1. Writing never follows a link in the last part of a path.  New content goes into a file made for it, under a name that cannot be
//!    guessed (`O_EXCL`), which then takes the name in one step; the folder is opened once, so that it cannot be exchanged in between.
//! 2. Only a regular file is replaced, and only one that the caller recognises as its own kind.
//! 3. A device, FIFO or socket is refused before it is opened: opening one can block for ever, or act.
//! 4. Reading stops at a limit.

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{self, BufWriter, Read as _, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The most that is read of a file that a user wrote by hand: suppressions, declarations.
pub const HANDWRITTEN: u64 = 4 << 20;

/// A file that is to be written: a name in a folder that is open.
#[derive(Debug)]
pub struct Target {
    folder: OwnedFd,
    folder_path: PathBuf,
    name: OsString,
}

/// Keeps other processes of ftsan from changing files in a folder.
#[derive(Debug)]
pub struct Lock(File);

fn open_flags() -> OFlags {
    OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY
}

/// Why a file that is there is not used; `None` for a regular file.
fn refusal(stat: &Stat) -> Option<&'static str> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => None,
        FileType::Symlink => Some("it is a symbolic link, which is not followed"),
        FileType::Directory => Some("it is a folder, not a regular file"),
        FileType::CharacterDevice | FileType::BlockDevice => Some("it is a device, not a regular file"),
        FileType::Fifo => Some("it is a FIFO, not a regular file"),
        FileType::Socket => Some("it is a socket, not a regular file"),
        FileType::Unknown => Some("not a regular file"),
    }
}

fn refuse_unless_regular(stat: &Stat) -> io::Result<()> {
    refusal(stat).map_or(Ok(()), |why| Err(io::Error::other(why)))
}

fn read_all(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Reads a file that the user named: links are followed, anything but a regular file is refused.
///
/// # Errors
/// It cannot be read, is no regular file, or has more than `limit` bytes.
pub fn read_input(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    refuse_unless_regular(&rustix::fs::stat(path)?)?;
    let file = rustix::fs::open(path, OFlags::RDONLY | open_flags().difference(OFlags::NOFOLLOW), Mode::empty())?;
    refuse_unless_regular(&rustix::fs::fstat(&file)?)?;
    read_all(File::from(file), limit)
}

/// As [`read_input`], as text.
///
/// # Errors
/// As [`read_input`], or it is not UTF-8.
pub fn read_text_input(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read_input(path, limit)?).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// A file that stays open in a program which expects its own files to have low numbers.
fn out_of_the_way(file: File) -> File {
    const HIGH: i32 = 512;
    rustix::io::fcntl_dupfd_cloexec(&file, HIGH).map_or(file, File::from)
}

/// Which file is open, whatever its name and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(u64, u64);

impl Identity {
    /// Of an open file; `None` if it is not open any more.
    pub fn of(file: &File) -> Option<Self> {
        file.metadata().ok().map(|data| Identity(data.dev(), data.ino()))
    }
}

impl Target {
    /// The file of this name, whether or not it is there yet.
    ///
    /// # Errors
    /// The path has no file name, or its folder cannot be opened.
    pub fn at(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::other("not a file name"))?.to_owned();
        let folder_path = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = rustix::fs::open(folder_path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Target { folder, folder_path: folder_path.to_owned(), name })
    }

    /// Refuses what must not be replaced.  `is_ours` is given the first bytes of a regular file that is not empty.
    ///
    /// # Errors
    /// There is something that is no regular file, or a file that is not `is_ours`.
    pub fn check_replaceable(&self, kind: &str, is_ours: impl FnOnce(&[u8]) -> bool) -> io::Result<()> {
        const HEAD: u64 = 512;
        let Some(file) = self.open_existing()? else { return Ok(()) };
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head)?;
        if head.is_empty() || is_ours(&head) { Ok(()) } else { Err(io::Error::other(format!("there is a file that is no {kind}"))) }
    }

    /// The contents of the file as it is now; `None` if it is not there.
    ///
    /// # Errors
    /// It cannot be read, is no regular file, or has more than `limit` bytes.
    pub fn read(&self, limit: u64) -> io::Result<Option<Vec<u8>>> {
        self.open_existing()?.map(|file| read_all(file, limit)).transpose()
    }

    fn open_existing(&self) -> io::Result<Option<File>> {
        match rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            stat => refuse_unless_regular(&stat?)?,
        }
        let file = match rustix::fs::openat(&self.folder, &self.name, OFlags::RDONLY | open_flags(), Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            file => file?,
        };
        refuse_unless_regular(&rustix::fs::fstat(&file)?)?;
        Ok(Some(File::from(file)))
    }

    /// Opens the file for lines that several processes append, and for reading them; `None` if it is not there and not to be made.
    ///
    /// # Errors
    /// It cannot be opened, or is no regular file.
    pub fn open_appending(&self, makes: bool) -> io::Result<Option<File>> {
        let making = if makes { OFlags::CREATE } else { OFlags::empty() };
        match rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {}
            stat => refuse_unless_regular(&stat?)?,
        }
        let flags = OFlags::RDWR | OFlags::APPEND | open_flags() | making;
        let file = match rustix::fs::openat(&self.folder, &self.name, flags, Mode::from_raw_mode(0o666)) {
            Err(Errno::NOENT) if !makes => return Ok(None),
            file => file?,
        };
        refuse_unless_regular(&rustix::fs::fstat(&file)?)?;
        Ok(Some(out_of_the_way(File::from(file))))
    }

    /// Refuses a path that [`Target::replace`] could not write to: found out now, not when all is over.
    ///
    /// # Errors
    /// No file can be made in the folder, or there is something that is no regular file.
    pub fn check_writable(&self) -> io::Result<()> {
        self.open_existing()?;
        let (name, _) = self.create_unfinished()?;
        Ok(rustix::fs::unlinkat(&self.folder, &name, AtFlags::empty())?)
    }

    /// Removes the file, if it is there.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Makes a new file here for what `write` writes, readable as the umask says, which takes the name when all of it is written.  If
    /// anything goes wrong, what was there stays.
    ///
    /// # Errors
    /// The new file cannot be made, written or renamed; the file that was there meanwhile is no regular one.
    pub fn replace(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let (name, file) = self.create_unfinished()?;
        let mut file = BufWriter::new(file);
        let written = write(&mut file).and_then(|()| file.flush()).and_then(|()| self.put_in_place(&name));
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&self.folder, &name, AtFlags::empty());
        }
        written
    }

    fn put_in_place(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {}
            stat => refuse_unless_regular(&stat?)?,
        }
        Ok(rustix::fs::renameat(&self.folder, name, &self.folder, &self.name)?)
    }

    /// A new file of a name that names its maker, so that [`Target::remove_unfinished`] knows whether it is still at work.
    fn create_unfinished(&self) -> io::Result<(OsString, File)> {
        let mut random = [0_u8; 8];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
        let mut name = self.unfinished_prefix();
        name.push(format!("{}.{:016x}.tmp", std::process::id(), u64::from_ne_bytes(random)));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | open_flags();
        let file = rustix::fs::openat(&self.folder, &name, flags, Mode::from_raw_mode(0o666))?;
        Ok((name, File::from(file)))
    }

    fn unfinished_prefix(&self) -> OsString {
        let mut prefix = OsString::from(".");
        prefix.push(&self.name);
        prefix.push(".");
        prefix
    }

    /// Removes what processes that are gone have left of [`Target::replace`].
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn remove_unfinished(&self) -> io::Result<()> {
        let prefix = self.unfinished_prefix();
        for entry in rustix::fs::Dir::read_from(&self.folder)? {
            let entry = entry?;
            let rest = entry.file_name().to_bytes().strip_prefix(prefix.as_encoded_bytes());
            let pid = rest.and_then(|rest| unfinished_by(std::str::from_utf8(rest).ok()?));
            if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                rustix::fs::unlinkat(&self.folder, entry.file_name(), AtFlags::empty())?;
            }
        }
        Ok(())
    }

    /// Locks the folder: the file itself is replaced, and a lock file would be left behind.  A stopped process (Ctrl-Z) may hold the lock
    /// for ever, so this gives up after `patience`.
    ///
    /// # Errors
    /// Another process holds it for too long, or the file system has no locks.
    pub fn lock(&self, patience: Duration) -> io::Result<Lock> {
        let folder = File::open(&self.folder_path)?;
        let give_up = Instant::now() + patience;
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(Lock(folder)),
                Err(TryLockError::WouldBlock) if Instant::now() < give_up => std::thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::WouldBlock) => return Err(io::Error::other("another process holds the report")),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

/// The process that made an unfinished file, from the part of its name that follows the prefix: `PID.RANDOM.tmp`.
fn unfinished_by(rest: &str) -> Option<u32> {
    let (pid, random) = rest.strip_suffix(".tmp")?.split_once('.')?;
    (random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| pid.parse().ok())?
}

impl Drop for Lock {
    /// Closing would not do: a child that was forked meanwhile has the same open folder, and would keep the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("ftsan-safe-file-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Scratch(folder)
        }

        fn target(&self) -> (PathBuf, Target) {
            let path = self.0.join("report");
            (path.clone(), Target::at(&path).unwrap())
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn put(target: &Target, text: &str) -> io::Result<()> {
        target.replace(|file| file.write_all(text.as_bytes()))
    }

    #[test]
    fn a_file_is_replaced_in_one_step_and_nothing_is_left() {
        let scratch = Scratch::new("replace");
        let (path, target) = scratch.target();
        put(&target, "one").unwrap();
        put(&target, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(target.read(3).unwrap().unwrap(), b"two");
        assert!(target.read(2).is_err(), "more than the limit");
        let failed = target.replace(|file| file.write_all(b"three").and(Err(io::Error::other("disk full"))));
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_neither_followed_nor_replaced() {
        let scratch = Scratch::new("link");
        let (path, target) = scratch.target();
        let victim = scratch.0.join("victim");
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, &path).unwrap();
        let refused = put(&target, "new").unwrap_err().to_string();
        assert_eq!(refused, "it is a symbolic link, which is not followed");
        assert!(target.read(100).is_err());
        assert!(target.check_replaceable("report", |_| true).is_err());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn a_fifo_is_refused_without_being_opened() {
        let scratch = Scratch::new("fifo");
        let (path, target) = scratch.target();
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert_eq!(put(&target, "new").unwrap_err().to_string(), "it is a FIFO, not a regular file");
        assert_eq!(read_input(&path, 10).unwrap_err().to_string(), "it is a FIFO, not a regular file");
        assert_eq!(read_input(Path::new("/dev/zero"), 10).unwrap_err().to_string(), "it is a device, not a regular file");
    }

    #[test]
    fn only_what_the_caller_recognises_is_replaced() {
        let scratch = Scratch::new("recognise");
        let (path, target) = scratch.target();
        let check = || target.check_replaceable("report", |head| head.starts_with(b"{")).map_err(|error| error.to_string());
        assert_eq!(check(), Ok(()), "nothing is there");
        fs::write(&path, "").unwrap();
        assert_eq!(check(), Ok(()), "as mktemp makes it");
        fs::write(&path, "{}").unwrap();
        assert_eq!(check(), Ok(()));
        fs::write(&path, "print(1)").unwrap();
        assert_eq!(check(), Err("there is a file that is no report".to_owned()));
    }

    #[test]
    fn only_files_of_processes_that_are_gone_are_removed() {
        let scratch = Scratch::new("unfinished");
        let (_, target) = scratch.target();
        let of = |pid: u32| format!(".report.{pid}.0123456789abcdef.tmp");
        // No process has this number: the kernel's limit is 2^22.
        let (own, gone, other) = (of(std::process::id()), of(1 << 23), ".report.8388608.tmp".to_owned());
        for name in [&own, &gone, &other] {
            fs::write(scratch.0.join(name), "").unwrap();
        }
        target.remove_unfinished().unwrap();
        let mut left: Vec<String> =
            fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        let mut expected = vec![other, own];
        expected.sort();
        assert_eq!(left, expected);
    }

    #[test]
    fn new_files_are_for_whom_the_umask_allows() {
        let scratch = Scratch::new("mode");
        let (path, target) = scratch.target();
        put(&target, "x").unwrap();
        fs::write(scratch.0.join("plain"), "x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&scratch.0.join("plain")));
    }
}
