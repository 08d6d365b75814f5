//! Files as locks: `flock` and the locks of an open file, and files, directories and links that exist while somebody holds what they stand for.
//!
//! `lockf` and `F_SETLK` are not among them: those locks are the process's, and a second thread gets what the first one has (fcntl(2)).
//!
//! Files are known by their inode, names by their last part.  Both are folded into a few thousand keys: two that share a key are ordered more than
//! they are, which hides and never invents.

use crate::engine::channels::FOLDED;
use crate::engine::order::{self, Space, key};
use crate::interpreter::attributes;
use crate::interpreter::call_arguments::Arguments;
use ftsan::races::mix;
use pyo3::ffi;
use std::ffi::{CStr, c_int, c_long};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

/// By key, whether files were locked: of these, closing one may release it.
static LOCKED: [AtomicU64; FOLDED as usize / 64] = [const { AtomicU64::new(0) }; FOLDED as usize / 64];

/// The key of a file that is open under this number.
fn of_descriptor(number: c_int) -> Option<u64> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: written by the call if it succeeds.
    let status = unsafe { (libc::fstat(number, status.as_mut_ptr()) == 0).then(|| status.assume_init()) }?;
    Some(mix(status.st_ino ^ status.st_dev.rotate_left(32)) % FOLDED)
}

/// A plain number, or the number of a file object of the interpreter's own; anything else would have to be asked with the program's code.
///
/// # Safety
/// Attached; `object` is alive, or null.
unsafe fn descriptor(object: *mut ffi::PyObject) -> Option<c_int> {
    // SAFETY: passed on.
    unsafe {
        if object.is_null() {
            return None;
        }
        if ffi::PyLong_CheckExact(object) == 0 && !is_plain_file(object) {
            return None;
        }
        let number = ffi::PyObject_AsFileDescriptor(object);
        if number < 0 {
            ffi::PyErr_Clear();
        }
        (number >= 0).then_some(number)
    }
}

/// # Safety
/// Attached; `object` is alive.
unsafe fn is_plain_file(object: *mut ffi::PyObject) -> bool {
    const FILES: [&CStr; 5] =
        [c"_io.TextIOWrapper", c"_io.BufferedWriter", c"_io.BufferedReader", c"_io.BufferedRandom", c"_io.FileIO"];
    // SAFETY: passed on; a live type has a name.
    unsafe { FILES.contains(&CStr::from_ptr((*ffi::Py_TYPE(object)).tp_name)) }
}

/// A plain number.
///
/// # Safety
/// Attached; `object` is alive, or null.
unsafe fn number(object: *mut ffi::PyObject) -> Option<c_long> {
    // SAFETY: passed on; an exact int runs no code of the program.
    unsafe {
        if object.is_null() || ffi::PyLong_Check(object) == 0 {
            return None;
        }
        let mut overflow = 0;
        let number = ffi::PyLong_AsLongAndOverflow(object, &raw mut overflow);
        (overflow == 0).then_some(number)
    }
}

fn file(number: u64) -> u64 {
    key(Space::File, number)
}

/// `flock(file, operation)` is about to be called, or was called with success.
///
/// # Safety
/// Attached, during the call.
pub(crate) unsafe fn flock(arguments: Arguments, is_done: bool) {
    // SAFETY: passed on.
    let (number, operation) = unsafe { (descriptor(arguments.get(0, c"fd")), number(arguments.get(1, c"operation"))) };
    let has = |bit: c_int| operation.is_some_and(|operation| operation & c_long::from(bit) != 0);
    // An exclusive lock may be taken down to a shared one.
    lock(number, has(libc::LOCK_UN | libc::LOCK_SH), Taken::of(has(libc::LOCK_EX), has(libc::LOCK_SH)), is_done);
}

/// `fcntl(file, command, lock)`, of a lock that belongs to the open file.
///
/// # Safety
/// As [`flock`].
pub(crate) unsafe fn control(arguments: Arguments, is_done: bool) {
    const SET: [c_int; 2] = [libc::F_OFD_SETLK, libc::F_OFD_SETLKW];
    // SAFETY: passed on; the lock is given as the bytes of a `struct flock`, which begins with its type.
    unsafe {
        let (command, given) = (number(arguments.get(1, c"cmd")), arguments.get(2, c"arg"));
        if !command.is_some_and(|command| SET.iter().any(|set| c_long::from(*set) == command)) || given.is_null() {
            return;
        }
        if ffi::PyBytes_CheckExact(given) == 0 || ffi::PyBytes_Size(given) < 2 {
            return;
        }
        let kind = ffi::PyBytes_AsString(given).cast::<libc::c_short>().read_unaligned();
        let [reads, writes, unlocks] =
            [libc::F_RDLCK, libc::F_WRLCK, libc::F_UNLCK].map(|known| c_int::from(kind) == known as c_int);
        lock(descriptor(arguments.get(0, c"fd")), unlocks || reads, Taken::of(writes, reads), is_done);
    }
}

/// How a lock is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Alone,
    /// With others that hold it so: they come after those who held it alone, and before those who will, but not after each other.
    Shared,
}

impl Taken {
    /// `None` if it is not taken at all.
    fn of(alone: bool, shared: bool) -> Option<Self> {
        if alone { Some(Taken::Alone) } else { shared.then_some(Taken::Shared) }
    }
}

/// By descriptor, whether what is held by it is shared.  A number that is too high, or another one of the same open file, counts as one that holds the
/// lock alone, which hides and never invents.
static SHARED: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];

fn shared(number: c_int) -> Option<(&'static AtomicU64, u64)> {
    let number = usize::try_from(number).ok()?;
    SHARED.get(number / 64).map(|word| (word, 1 << (number % 64)))
}

/// What is ordered by those who share a lock.
fn readers(number: u64) -> u64 {
    key(Space::File, number + FOLDED)
}

/// The lock that is held by a descriptor is about to be let go of.
fn release(number: c_int, key: u64) {
    let is_shared = shared(number).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0);
    order::release_key(if is_shared { readers(key) } else { file(key) });
}

fn lock(number: Option<c_int>, releases: bool, taken: Option<Taken>, is_done: bool) {
    let Some((number, key)) = number.and_then(|number| Some((number, of_descriptor(number)?))) else { return };
    if releases && !is_done {
        release(number, key);
    }
    let Some(taken) = taken.filter(|_| is_done) else { return };
    LOCKED[key as usize / 64].fetch_or(1 << (key % 64), Ordering::Relaxed);
    order::acquire_key(file(key));
    match (taken, shared(number)) {
        (Taken::Shared, Some((word, bit))) => {
            word.fetch_or(bit, Ordering::Relaxed);
        }
        (Taken::Alone, Some((word, bit))) => {
            word.fetch_and(!bit, Ordering::Relaxed);
            order::acquire_key(readers(key));
        }
        (Taken::Shared | Taken::Alone, None) => order::acquire_key(readers(key)),
    }
}

/// An open file is about to be closed, which releases its lock.
pub(crate) fn closing(number: c_int) {
    let Some(key) = of_descriptor(number) else { return };
    if LOCKED[key as usize / 64].load(Ordering::Relaxed) >> (key % 64) & 1 != 0 {
        release(number, key);
    }
}

/// The last part of a path: of a string, of bytes, or of what a `pathlib.Path` was made of.
///
/// # Safety
/// Attached; `path` is alive, or null.
unsafe fn name(path: *mut ffi::PyObject) -> Option<u64> {
    // SAFETY: passed on; exact types run no code of the program, and the parts of a path are in a slot of its own.
    unsafe {
        if path.is_null() {
            return None;
        }
        if ffi::PyBytes_CheckExact(path) != 0 {
            let bytes = ffi::PyBytes_AsString(path).cast::<u8>();
            return Some(last_part(std::slice::from_raw_parts(bytes, ffi::PyBytes_Size(path) as usize)));
        }
        if ffi::PyUnicode_CheckExact(path) != 0 {
            let mut length = 0;
            let text = ffi::PyUnicode_AsUTF8AndSize(path, &raw mut length).cast::<u8>();
            if text.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            return Some(last_part(std::slice::from_raw_parts(text, length as usize)));
        }
        let parts = attributes::member(path, c"_raw_paths");
        if parts.is_null() {
            return None;
        }
        let count = if ffi::PyList_CheckExact(parts) != 0 { ffi::PyList_GET_SIZE(parts) } else { 0 };
        let last = if count > 0 { ffi::PyList_GetItemRef(parts, count - 1) } else { std::ptr::null_mut() };
        ffi::Py_DECREF(parts);
        if last.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let found = if ffi::PyUnicode_CheckExact(last) != 0 { name(last) } else { None };
        ffi::Py_DECREF(last);
        found
    }
}

fn last_part(path: &[u8]) -> u64 {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    last.iter().fold(1, |hash: u64, byte| mix(hash << 8 ^ u64::from(*byte))) % FOLDED
}

/// Something that must not have been there was made under this path: the thread that took it away before has let it go.  Or a file was found there: the thread that
/// made it comes before.
///
/// # Safety
/// As [`name`].
pub(crate) unsafe fn made(path: *mut ffi::PyObject) {
    // SAFETY: passed on.
    if let Some(name) = unsafe { name(path) } {
        order::acquire_key(key(Space::FileName, name));
    }
}

/// The file under this path is about to be taken away.
///
/// # Safety
/// As [`name`].
pub(crate) unsafe fn removing(path: *mut ffi::PyObject) {
    // SAFETY: passed on.
    if let Some(name) = unsafe { name(path) } {
        order::release_key(key(Space::FileName, name));
    }
}

/// A file is about to be made under this path, unless it is there: whoever finds it there, perhaps after having waited for it, comes after that.
///
/// # Safety
/// As [`name`].
unsafe fn making(path: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if !is_there(path) {
            removing(path);
        }
    }
}

/// Whether something is known to be there: of a path that is not text, it is not.
///
/// # Safety
/// As [`name`].
unsafe fn is_there(path: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; a text in UTF-8 ends with a zero.
    unsafe {
        if path.is_null() || ffi::PyUnicode_CheckExact(path) == 0 {
            return false;
        }
        let text = ffi::PyUnicode_AsUTF8(path);
        if text.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        libc::access(text, libc::F_OK) == 0
    }
}

/// `os.open` is about to be called.
///
/// # Safety
/// As [`flock`].
pub(crate) unsafe fn opening(arguments: Arguments) {
    // SAFETY: passed on.
    unsafe {
        if number(arguments.get(1, c"flags")).is_some_and(|flags| flags & c_long::from(libc::O_CREAT) != 0) {
            making(arguments.get(0, c"path"));
        }
    }
}

/// `open` is about to be called.
///
/// # Safety
/// As [`flock`].
pub(crate) unsafe fn opening_by_mode(arguments: Arguments) {
    // SAFETY: passed on.
    unsafe {
        let mode = arguments.get(1, c"mode");
        if has_letter(mode, b'w') || has_letter(mode, b'a') || has_letter(mode, b'x') {
            making(arguments.get(0, c"file"));
        }
    }
}

/// Whether the mode of a file, which may be null, has this letter.
///
/// # Safety
/// Attached; `mode` is alive, or null.
unsafe fn has_letter(mode: *mut ffi::PyObject, letter: u8) -> bool {
    // SAFETY: passed on.
    unsafe {
        let is_text = !mode.is_null() && ffi::PyUnicode_CheckExact(mode) != 0;
        is_text && ffi::PyUnicode_FindChar(mode, u32::from(letter), 0, ffi::PyUnicode_GetLength(mode), 1) >= 0
    }
}

/// `os.open` has succeeded.
///
/// # Safety
/// As [`flock`].
pub(crate) unsafe fn opened(arguments: Arguments) {
    // SAFETY: passed on.
    unsafe {
        let flags = number(arguments.get(1, c"flags"));
        if flags.is_some_and(|flags| flags & c_long::from(libc::O_EXCL) != 0) {
            made(arguments.get(0, c"path"));
        }
    }
}

/// `open` has succeeded.
///
/// # Safety
/// As [`flock`].
pub(crate) unsafe fn opened_by_mode(arguments: Arguments) {
    // SAFETY: passed on.
    unsafe {
        if has_letter(arguments.get(1, c"mode"), b'x') {
            made(arguments.get(0, c"file"));
        }
    }
}
