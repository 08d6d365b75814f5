//! SQLite: a thread that holds a transaction has waited for the one before it.
//!
//! A connection is known by the file that it was opened with, or stands for itself.  Statements are told apart by their first word: those that
//! change something or end a transaction release, all acquire.

use crate::engine::channels::FOLDED;
use crate::engine::order::{self, Space, key};
use crate::interpreter::attributes;
use crate::thread::clock;
use ftsan::races::mix;
use pyo3::ffi;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// By the address of a connection, the key of its database.  Used attached only, and nothing else is done meanwhile.
static OPENED: LazyLock<Mutex<HashMap<usize, u64>>> = LazyLock::new(Mutex::default);

fn opened() -> MutexGuard<'static, HashMap<usize, u64>> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `connect(database, ...)` has succeeded.
///
/// # Safety
/// Attached; both are alive, the first one perhaps null.
#[cold]
pub(crate) unsafe fn connected(database: *mut ffi::PyObject, connection: *mut ffi::PyObject) {
    // SAFETY: passed on.
    let number = match unsafe { name(database) } {
        Some(name) if name == b":memory:" => connection as u64,
        Some(name) => file_of(name),
        None => 0,
    };
    opened().insert(connection as usize, mix(number) % FOLDED);
}

/// The text of an exact string, which runs no code of the program; `None` of anything else.
///
/// # Safety
/// Attached; alive for `'a`, or null.
unsafe fn text<'a>(object: *mut ffi::PyObject) -> Option<&'a [u8]> {
    // SAFETY: passed on; a string keeps its text.
    unsafe {
        if object.is_null() || ffi::PyUnicode_CheckExact(object) == 0 {
            return None;
        }
        let mut length = 0;
        let text = ffi::PyUnicode_AsUTF8AndSize(object, &raw mut length).cast::<u8>();
        if text.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(std::slice::from_raw_parts(text, length as usize))
    }
}

/// The name of a database; `None` if only code of the program knows it.
///
/// # Safety
/// Attached; alive for `'a`, or null.
unsafe fn name<'a>(database: *mut ffi::PyObject) -> Option<&'a [u8]> {
    // SAFETY: passed on; bytes never change.
    unsafe {
        if database.is_null() || ffi::PyBytes_CheckExact(database) == 0 {
            return text(database);
        }
        Some(std::slice::from_raw_parts(ffi::PyBytes_AsString(database).cast::<u8>(), ffi::PyBytes_Size(database) as usize))
    }
}

/// A number for the file, under whatever name; for the name, if there is no such file (`file:name?mode=memory`).
fn file_of(name: &[u8]) -> u64 {
    let path = name.strip_prefix(b"file:").map_or(name, |rest| {
        let path = rest.split(|byte| *byte == b'?').next().unwrap_or_default();
        path.strip_prefix(b"//").unwrap_or(path)
    });
    let hash = |bytes: &[u8]| bytes.iter().fold(0, |all: u64, byte| mix(all ^ u64::from(*byte)));
    std::fs::metadata(OsStr::from_bytes(path)).map_or_else(|_| hash(name), |file| mix(file.dev()) ^ file.ino())
}

/// # Safety
/// Attached; a live connection or cursor.
unsafe fn database(object: *mut ffi::PyObject) -> u64 {
    // SAFETY: passed on; the connection of a cursor is a member of it.
    unsafe {
        let connection = attributes::member(object, c"connection");
        let found = opened().get(&if connection.is_null() { object as usize } else { connection as usize }).copied();
        ffi::Py_XDECREF(connection);
        key(Space::Database, found.unwrap_or_default())
    }
}

/// Whether a statement neither changes anything nor ends a transaction.
///
/// # Safety
/// Attached; `statement` is alive, or null.
unsafe fn only_reads(statement: *mut ffi::PyObject) -> bool {
    const READING: [&str; 5] = ["BEGIN", "EXPLAIN", "PRAGMA", "SAVEPOINT", "SELECT"];
    // SAFETY: passed on.
    let Some(text) = (unsafe { text(statement) }) else { return false };
    let text = text.trim_ascii_start();
    READING.iter().any(|word| text.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word.as_bytes())))
}

/// A statement is about to be executed; none is the end of a transaction.
///
/// # Safety
/// Attached; a live connection or cursor, and the statement or null.
#[cold]
pub(crate) unsafe fn executing(object: *mut ffi::PyObject, statement: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if !clock::is_at_rest() && !only_reads(statement) {
            order::release_key(database(object));
        }
    }
}

/// It was.
///
/// # Safety
/// As [`executing`].
#[cold]
pub(crate) unsafe fn executed(object: *mut ffi::PyObject) {
    if !clock::is_at_rest() {
        // SAFETY: passed on.
        order::acquire_key(unsafe { database(object) });
    }
}
