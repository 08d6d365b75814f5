//! The arguments of a call of a C function, in each of the calling conventions (`METH_*`, Include/methodobject.h).

use pyo3::ffi;
use std::ffi::CStr;

/// The arguments of a call.
#[derive(Clone, Copy)]
pub(crate) struct Arguments {
    pub(crate) at: *const *mut ffi::PyObject,
    /// How many are given by their place.
    pub(crate) count: usize,
    /// A dictionary; or a tuple of names, of the arguments that follow; or null.
    pub(crate) by_name: *mut ffi::PyObject,
}

impl Arguments {
    #[inline]
    pub(crate) fn of_many(at: *const *mut ffi::PyObject, count: usize) -> Self {
        Arguments { at, count, by_name: std::ptr::null_mut() }
    }

    /// # Safety
    /// A tuple, one argument, or null for none.
    #[inline]
    pub(crate) unsafe fn of_one(argument: &*mut ffi::PyObject, takes_many: bool) -> Self {
        // SAFETY: passed on.
        unsafe {
            if takes_many {
                // The items of a tuple are an array.
                let at = (&raw const (*argument.cast::<ffi::PyTupleObject>()).ob_item).cast();
                Arguments::of_many(at, ffi::PyTuple_GET_SIZE(*argument) as usize)
            } else {
                Arguments::of_many(argument, usize::from(!argument.is_null()))
            }
        }
    }

    /// # Safety
    /// The call is going on.
    pub(crate) unsafe fn first(self) -> *mut ffi::PyObject {
        // A keyword argument is as good as any: where this is asked, the functions take one.
        // SAFETY: passed on.
        unsafe { if self.count == 0 && self.names() == 0 { std::ptr::null_mut() } else { *self.at } }
    }

    /// What is given at this place; null for nothing.
    ///
    /// # Safety
    /// As [`first`](Self::first).
    pub(crate) unsafe fn place(self, place: usize) -> *mut ffi::PyObject {
        // SAFETY: passed on.
        if place < self.count { unsafe { *self.at.add(place) } } else { std::ptr::null_mut() }
    }

    /// # Safety
    /// As [`first`](Self::first).
    pub(crate) unsafe fn last(self) -> *mut ffi::PyObject {
        // SAFETY: passed on.
        if self.count == 0 { std::ptr::null_mut() } else { unsafe { *self.at.add(self.count - 1) } }
    }

    /// How many arguments follow those that are given by their place.
    ///
    /// # Safety
    /// As [`first`](Self::first).
    pub(crate) unsafe fn names(self) -> isize {
        // SAFETY: passed on.
        unsafe {
            if self.by_name.is_null() || ffi::PyTuple_Check(self.by_name) == 0 { 0 } else { ffi::PyTuple_GET_SIZE(self.by_name) }
        }
    }

    /// Whether there are none.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.count == 0 && self.by_name.is_null()
    }

    /// What is given at this place or by this name; null for nothing.
    ///
    /// # Safety
    /// As [`first`](Self::first).
    pub(crate) unsafe fn get(self, place: usize, name: &CStr) -> *mut ffi::PyObject {
        // SAFETY: passed on; names of arguments are strings.
        unsafe {
            if place < self.count {
                return *self.at.add(place);
            }
            if !self.by_name.is_null() && ffi::PyDict_Check(self.by_name) != 0 {
                return ffi::PyDict_GetItemString(self.by_name, name.as_ptr());
            }
            let is_it = |place: &isize| {
                ffi::PyUnicode_CompareWithASCIIString(ffi::PyTuple_GET_ITEM(self.by_name, *place), name.as_ptr()) == 0
            };
            let found = (0..self.names()).find(is_it);
            found.map_or(std::ptr::null_mut(), |place| *self.at.add(self.count + place as usize))
        }
    }
}
