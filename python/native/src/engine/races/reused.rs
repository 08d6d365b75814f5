//! Keys that are given to one thread after the other: addresses of objects that are gone, and numbers of descriptors that are closed.  The work
//! with the entry of one is over once the key is given away again, if the entry was taken away before.

use crate::engine::order::{self, Space};
use crate::engine::races::values;
use crate::thread::context::ThreadContext;
use crate::thread::hooks_link;
use ftsan::descriptors::FdKind;
use ftsan::races::mix;
use pyo3::ffi;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keys that are told from each other: two that share a number are ordered more than they are.
const FOLDED: usize = 1 << 12;

/// Of descriptors: which one had the number when the entry was taken away.
static FREED: [AtomicU64; FOLDED] = [const { AtomicU64::new(0) }; FOLDED];

/// What a key may be, and an earlier key may have been.
pub(super) enum Reused {
    /// An object that is equal to nothing else, or the number of one.
    Address,
    /// An open descriptor.
    Descriptor {
        number: i32,
        /// See `Descriptors::incarnation`.
        incarnation: u64,
    },
}

impl Reused {
    /// What a key may be, if a later one can be the same.
    ///
    /// # Safety
    /// Attached; `key` is alive.
    #[inline]
    pub(super) unsafe fn of(key: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: passed on.
        unsafe {
            if values::is_address(key) {
                return Some(Reused::Address);
            }
            let number = values::small_number(key)?;
            Some(Reused::Descriptor { number, incarnation: hooks_link::incarnation(number)? })
        }
    }

    /// The entry with this key is about to be taken away.
    ///
    /// # Safety
    /// Attached; `key` is alive.
    pub(super) unsafe fn free(&self, container: *mut ffi::PyObject, key: *mut ffi::PyObject) {
        // SAFETY: passed on.
        let place = unsafe { place(container, key) };
        if let Reused::Descriptor { incarnation, .. } = self {
            FREED[place].store(*incarnation, Ordering::Relaxed);
        }
        order::release_key(order::key(Space::Freed, place as u64));
    }

    /// There is no entry with this key: an earlier one is gone, and what was done with it is done.
    ///
    /// # Safety
    /// As [`free`](Self::free).
    pub(super) unsafe fn reuse(&self, here: &ThreadContext, container: *mut ffi::PyObject, key: *mut ffi::PyObject) {
        // SAFETY: passed on.
        let place = unsafe { place(container, key) };
        let is_another = match self {
            Reused::Address => true,
            Reused::Descriptor { number, incarnation } => {
                let before = FREED[place].load(Ordering::Relaxed);
                before != 0 && before != *incarnation && is_given_to(here, *number)
            }
        };
        if is_another {
            order::acquire_key(order::key(Space::Freed, place as u64));
        }
    }
}

/// Whether a thread has opened a descriptor, or may have been given it by the one that accepts connections.  Of any other thread's, the key is more likely
/// some other number.
fn is_given_to(here: &ThreadContext, number: i32) -> bool {
    let is_own = here.record().is_some_and(|record| hooks_link::opened_by(number).thread == record.id());
    is_own || matches!(hooks_link::kind(number), FdKind::StreamSocket | FdKind::Socket)
}

/// # Safety
/// As [`Reused::free`].
unsafe fn place(container: *mut ffi::PyObject, key: *mut ffi::PyObject) -> usize {
    // SAFETY: passed on.
    mix(container as u64 ^ unsafe { values::key(key) }) as usize % FOLDED
}
