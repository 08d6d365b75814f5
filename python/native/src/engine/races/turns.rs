//! Whose turn it is: what threads compare a variable with before they act, as small numbers.
//!
//! Strings and other immutable values get the next number that is free, in the order in which they are first met.  If none is left, threads
//! that take turns by what comes then may be reported.

use crate::engine::races::values;
use ftsan::patcher::ActsAt;
use pyo3::ffi;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many numbers there are, those of numbers themselves among them.
const NUMBERS: usize = 60;

/// The values of the numbers from 1; 0 for a number that is free.
static KEYS: [AtomicU64; NUMBERS] = [const { AtomicU64::new(0) }; NUMBERS];

/// The number for what a point says; 0 for none.
pub(super) fn number(value: Option<ActsAt>) -> u8 {
    match value {
        Some(ActsAt::Number(number)) => number,
        Some(ActsAt::Key(key)) => of_key(key),
        Some(ActsAt::Local) | None => 0,
    }
}

/// In which case a thread acts that compares with this value: if it is not set, or if it is the one with this number.
///
/// # Safety
/// Attached; `value` is alive, or null.
pub(super) unsafe fn of_value(value: *mut ffi::PyObject) -> (Option<bool>, u8) {
    // SAFETY: passed on; a number of the interpreter's own type runs no code of the program.
    unsafe {
        if value.is_null() || !values::is_plain_key(value) {
            return (None, 0);
        }
        if ffi::PyLong_CheckExact(value) == 0 {
            return (None, of_key(values::key(value)));
        }
        let mut overflow = 0;
        let number = ffi::PyLong_AsLongAndOverflow(value, &raw mut overflow);
        match usize::try_from(number) {
            Ok(0) => (Some(false), 0),
            Ok(number) if number <= NUMBERS => (None, number as u8),
            _ => (None, of_key(values::key(value))),
        }
    }
}

fn of_key(key: u64) -> u8 {
    let is_its = |place: &AtomicU64| {
        let known = place.load(Ordering::Relaxed);
        let taken = || place.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed);
        known == key || known == 0 && taken().map_or_else(|other| other == key, |_| true)
    };
    KEYS.iter().position(is_its).map_or(0, |place| place as u8 + 1)
}
