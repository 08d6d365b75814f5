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
    // SAFETY: passed on; an exact string runs no code of the program.
    let hash = unsafe {
        let is_text = !database.is_null() && ffi::PyUnicode_CheckExact(database) != 0;
        is_text.then(|| ffi::PyObject_Hash(database) as u64)
    };
    let is_private = hash.is_some_and(|_| {
        // SAFETY: as above; compared with a C string.
        unsafe { ffi::PyUnicode_CompareWithASCIIString(database, c":memory:".as_ptr()) == 0 }
    });
    let number = if is_private { connection as u64 } else { hash.unwrap_or_default() };
    opened().insert(connection as usize, mix(number) % FOLDED);
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
