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
        Some(name) => file_of(&name),
        None => 0,
    };
    opened().insert(connection as usize, mix(number) % FOLDED);
}

/// The name of a database; `None` if only code of the program knows it.
///
/// # Safety
/// Attached; alive, or null.
unsafe fn name(database: *mut ffi::PyObject) -> Option<Vec<u8>> {
    // SAFETY: passed on; exact strings run no code of the program, and keep their text.
    unsafe {
        let mut length = 0;
        let text = if database.is_null() {
            std::ptr::null()
        } else if ffi::PyUnicode_CheckExact(database) != 0 {
            ffi::PyUnicode_AsUTF8AndSize(database, &raw mut length).cast::<u8>()
        } else if ffi::PyBytes_CheckExact(database) != 0 {
            length = ffi::PyBytes_Size(database);
            ffi::PyBytes_AsString(database).cast_const().cast::<u8>()
        } else {
            std::ptr::null()
        };
        if text.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(std::slice::from_raw_parts(text, length as usize).to_vec())
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
    // SAFETY: passed on; an exact string runs no code of the program, and keeps its text.
    let text = unsafe {
        if statement.is_null() || ffi::PyUnicode_CheckExact(statement) == 0 {
            return false;
        }
        let mut length = 0;
        let text = ffi::PyUnicode_AsUTF8AndSize(statement, &raw mut length).cast::<u8>();
        if text.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        std::slice::from_raw_parts(text, length as usize)
    };
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
