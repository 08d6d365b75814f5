//! Slices of sequences that are replaced: if as many elements take the place of as many, each of them is written and nothing else is, so threads that
//! work on parts of their own do not meet.

use crate::engine::races::noted::{Touch, Written};
use crate::engine::races::values;
use crate::evidence::race::Part;
use crate::thread::outcome::Outcome;
use ftsan::patcher::known_calls::Container;
use ftsan::races::access::Value;
use ftsan::races::matrix::AccessKind;
use ftsan::races::mix;
use pyo3::ffi;

/// Of longer slices only so many elements are noted, at equal distances: two that have more than that in common meet all the same.
const MOST: usize = 256;

/// What is replaced, and by what: objects of the program, or null.
pub(super) struct Slice {
    pub(super) start: *mut ffi::PyObject,
    pub(super) stop: *mut ffi::PyObject,
    pub(super) step: *mut ffi::PyObject,
    pub(super) value: *mut ffi::PyObject,
}

impl Slice {
    /// From `start` to `stop`.
    ///
    /// # Safety
    /// Attached; what is passed is alive, or null.
    pub(super) unsafe fn between([start, stop]: [*mut ffi::PyObject; 2], value: *mut ffi::PyObject) -> Self {
        // SAFETY: lives as long as the interpreter.
        Slice { start, stop, step: unsafe { ffi::Py_None() }, value }
    }

    /// Of a key; of one that is no slice nothing is known.
    ///
    /// # Safety
    /// As [`between`](Self::between).
    pub(super) unsafe fn of(key: *mut ffi::PyObject, value: *mut ffi::PyObject) -> Self {
        // SAFETY: passed on; a slice has its parts.
        unsafe {
            if ffi::PySlice_Check(key) == 0 {
                let nothing = std::ptr::null_mut();
                return Slice { start: nothing, stop: nothing, step: nothing, value };
            }
            let ffi::PySliceObject { start, stop, step, .. } = *key.cast::<ffi::PySliceObject>();
            Slice { start, stop, step, value }
        }
    }

    /// The numbers of the elements that are replaced, each by another one, and which of the new ones that is; `None` if there may be more or less of them afterwards, or if the numbers are not
    /// known without running code of the program.
    ///
    /// # Safety
    /// Attached; `object` is alive, and of such a container.
    unsafe fn elements(
        &self,
        object: *mut ffi::PyObject,
        container: Container,
    ) -> Option<impl Iterator<Item = (usize, isize)> + use<>> {
        // SAFETY: passed on; numbers and `None` run no code of the program.
        unsafe {
            let start = number(self.start)?;
            let stop = number(self.stop)?;
            let step = number(self.step)?.unwrap_or(1);
            // All that there is, whatever comes in its place.
            if start.is_none() && stop.is_none() && step == 1 || step == 0 {
                return None;
            }
            let [first, last] = if step < 0 { [isize::MAX, isize::MIN] } else { [0, isize::MAX] };
            let (mut start, mut stop) = (start.unwrap_or(first), stop.unwrap_or(last));
            let size = if container == Container::List { ffi::PyList_GET_SIZE(object) } else { ffi::Py_SIZE(object) };
            let count = ffi::PySlice_AdjustIndices(size, &raw mut start, &raw mut stop, step);
            let has_both_ends = self.start != ffi::Py_None() && self.stop != ffi::Py_None();
            let fits = || has_both_ends && count > 0 && is_iterator(self.value);
            if step == 1 && length(self.value) != Some(count) && !fits() {
                return None;
            }
            let count = usize::try_from(count).ok()?;
            let apart = count.div_ceil(MOST).next_power_of_two();
            // Of neighbours the same ones, wherever the slice begins.
            let skipped = if step == 1 { start.unsigned_abs().wrapping_neg() % apart } else { 0 };
            Some((skipped..count).step_by(apart).map(move |place| ((start + place as isize * step) as usize, place as isize)))
        }
    }
}

/// The number that an end of a slice is, or `None` for none; nothing if it is something else.
///
/// # Safety
/// Attached; `object` is alive, or null.
unsafe fn number(object: *mut ffi::PyObject) -> Option<Option<isize>> {
    // SAFETY: passed on.
    unsafe {
        if object == ffi::Py_None() {
            return Some(None);
        }
        if object.is_null() || ffi::PyLong_CheckExact(object) == 0 {
            return None;
        }
        let number = ffi::PyLong_AsSsize_t(object);
        if number == -1 && !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(Some(number))
    }
}

/// How many elements it has, if that is known without running code of the program.
///
/// # Safety
/// Attached; `object` is alive, or null.
unsafe fn length(object: *mut ffi::PyObject) -> Option<isize> {
    // SAFETY: passed on; these types count their elements themselves.
    unsafe {
        if object.is_null() {
            return None;
        }
        let known = [
            &raw mut ffi::PyList_Type,
            &raw mut ffi::PyTuple_Type,
            &raw mut ffi::PyRange_Type,
            &raw mut ffi::PyBytes_Type,
            &raw mut ffi::PyByteArray_Type,
        ];
        let class = ffi::Py_TYPE(object);
        let is_array = || std::ffi::CStr::from_ptr((*class).tp_name) == c"array.array";
        (known.contains(&class) || is_array()).then(|| ffi::PyObject_Size(object))
    }
}

/// Whether it gives as many elements as are asked of it, one after the other: how many those are cannot be known, but code that gives both ends of a slice
/// means to fill it.
///
/// # Safety
/// Attached; `object` is alive, or null.
unsafe fn is_iterator(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { !object.is_null() && ffi::PyIter_Check(object) != 0 }
}

/// The new element with this number as a value, if it is known without running code of the program.
///
/// # Safety
/// Attached; `values` is alive, or null.
unsafe fn element(values: *mut ffi::PyObject, number: isize) -> Value {
    // SAFETY: passed on; these types look it up themselves, and it is a reference of our own.
    unsafe {
        let is_known = !values.is_null() && length(values).is_some_and(|length| number < length);
        if !is_known {
            return Value::UNKNOWN;
        }
        let element = ffi::PySequence_GetItem(values, number);
        if element.is_null() {
            ffi::PyErr_Clear();
            return Value::UNKNOWN;
        }
        let value = values::value(element);
        ffi::Py_DECREF(element);
        if value.is_object() { Value::UNKNOWN } else { value }
    }
}

impl Touch<'_> {
    /// A slice of a sequence is about to be replaced.
    ///
    /// # Safety
    /// Called from a probe, attached; the object is alive, and so is what it is done with.
    pub(super) unsafe fn slice(&self, slice: &Slice, container: Container) -> Outcome {
        // SAFETY: passed on.
        unsafe {
            let Some(mut elements) = slice.elements(self.object, container) else {
                let moved = self.moves(AccessKind::Write);
                return if moved == Outcome::Raised { moved } else { self.structure(AccessKind::Write, false) };
            };
            if let Outcome::Raised = self.moves(AccessKind::Insert) {
                return Outcome::Raised;
            }
            let written = |(number, place)| {
                let value = Written::now(element(slice.value, place));
                self.write(self.object, mix(number as u64), AccessKind::Write, value, Part::Element(number)) == Outcome::Raised
            };
            if elements.any(written) { Outcome::Raised } else { Outcome::Continue }
        }
    }
}
