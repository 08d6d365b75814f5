//! Whose turn it is: what threads compare a variable with before they act, as small numbers.
//!
//! Strings and other immutable values get the next number that is free, in the order in which they are first met.  If none is left, threads
//! that take turns by what comes then may be reported.

use crate::engine::races::values;
use ftsan::patcher::{ActsAt, Point};
use ftsan::races::facts::Turn;
use pyo3::ffi;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many numbers there are, those of numbers themselves among them.
const NUMBERS: usize = 60;

/// The values of the numbers from 1; 0 for a number that is free.
static KEYS: [AtomicU64; NUMBERS] = [const { AtomicU64::new(0) }; NUMBERS];

/// In which case a thread acts that is at this point, as far as the code says it.
pub(super) fn of_point(point: &Point<'_>) -> Turn {
    match (point.acts_if, point.acts_at) {
        (Some(true), _) => Turn::SET,
        (Some(false), _) => Turn::UNSET,
        (None, Some(ActsAt::Number(number))) => at(number),
        (None, Some(ActsAt::Key(key))) => at(of_key(key)),
        (None, Some(ActsAt::Local) | None) => Turn::NONE,
    }
}

/// If it is the value with this number; 0 for none.
fn at(number: u8) -> Turn {
    if number == 0 { Turn::NONE } else { Turn::at(number) }
}

/// In which case a thread acts that compares with this value: if it is not set, or if it is this one.
///
/// # Safety
/// Attached; `value` is alive, or null.
pub(super) unsafe fn of_value(value: *mut ffi::PyObject) -> Turn {
    // SAFETY: passed on; a number of the interpreter's own type runs no code of the program.
    unsafe {
        if value.is_null() || !values::is_plain_key(value) {
            return Turn::NONE;
        }
        if ffi::PyLong_CheckExact(value) == 0 {
            return at(of_key(values::key(value)));
        }
        let mut overflow = 0;
        let number = ffi::PyLong_AsLongAndOverflow(value, &raw mut overflow);
        match usize::try_from(number) {
            Ok(0) => Turn::UNSET,
            Ok(number) if number <= NUMBERS => at(number as u8),
            _ => at(of_key(values::key(value))),
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
