//! Keys and values, summarised without running code of the program: no `__hash__`, no `__eq__` but those of built-in immutable types.

use crate::engine::races::lives;
use crate::interpreter::{attributes, types};
use ftsan::races::access::Value;
use ftsan::races::mix;
use pyo3::ffi;
use std::ffi::CStr;

/// How deep tuples are looked into.
const DEPTH: u32 = 4;

/// Whether it is of a built-in immutable type without parts.
///
/// # Safety
/// `object` is alive.
#[inline]
unsafe fn is_plain(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    let class = unsafe { ffi::Py_TYPE(object) };
    class == &raw mut ffi::PyUnicode_Type
        || class == &raw mut ffi::PyLong_Type
        || class == &raw mut ffi::PyBytes_Type
        || class == &raw mut ffi::PyFloat_Type
        || class == &raw mut ffi::PyBool_Type
}

/// A number that equal immutable objects of built-in types share; `None` for everything else.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
unsafe fn hash(object: *mut ffi::PyObject, depth: u32) -> Option<u64> {
    // SAFETY: passed on; these types' hash functions run no other code and do not fail.
    unsafe {
        if is_plain(object) {
            return Some(ffi::PyObject_Hash(object) as u64);
        }
        // Within a tuple; by itself it is more than an equal value.
        if object == ffi::Py_None() && depth < DEPTH {
            return Some(0x2545_f491_4f6c_dd1d);
        }
        if !is_tuple(object) || depth == 0 {
            return None;
        }
        let mut all = 0x517c_c1b7_2722_0a95;
        for index in 0..ffi::PyTuple_GET_SIZE(object) {
            all = mix(all ^ hash(ffi::PyTuple_GET_ITEM(object, index), depth - 1)?).rotate_left(17);
        }
        Some(all)
    }
}

/// Whether objects of one class are hashed and compared as those of the other are, by the same functions.
///
/// # Safety
/// Live types.
#[inline]
unsafe fn compares_as(one: *mut ffi::PyTypeObject, other: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on.
    let [one, other] = [one, other].map(|class| unsafe {
        [(*class).tp_hash.map_or(0, |slot| slot as usize), (*class).tp_richcompare.map_or(0, |slot| slot as usize)]
    });
    one == other
}

/// Whether it is a tuple that is compared as tuples are: a named one, too.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
unsafe fn is_tuple(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; the base type's slots are never replaced.
    unsafe {
        let (class, base) = (ffi::Py_TYPE(object), &raw mut ffi::PyTuple_Type);
        class == base || ffi::PyTuple_Check(object) != 0 && compares_as(class, base)
    }
}

/// Whether it is of an immutable type of the standard library, written in C, whose objects are compared without running code of the program.
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn is_of_c(object: *mut ffi::PyObject, class: &CStr) -> bool {
    match class.to_bytes() {
        b"complex" | b"range" | b"decimal.Decimal" | b"datetime.date" | b"datetime.timedelta" | b"datetime.timezone" => true,
        // A time zone that is written in Python is asked for the offset.
        b"datetime.datetime" | b"datetime.time" => {
            // SAFETY: passed on; the object keeps its zone alive, for which these types have a getter in C.
            unsafe {
                let zone = types::with_name(c"tzinfo", |name| ffi::PyObject_GenericGetAttr(object, name));
                ffi::Py_XDECREF(zone);
                !zone.is_null() && (zone == ffi::Py_None() || CStr::from_ptr((*ffi::Py_TYPE(zone)).tp_name) == c"datetime.timezone")
            }
        }
        _ => false,
    }
}

/// Classes of the standard library, written in Python, whose objects nobody changes and that are compared by these attributes.
const MADE_OF: [(&CStr, &CStr, &[&CStr]); 10] = [
    // CPython 3.15 has it in Python where libmpdec is not installed.
    (c"decimal", c"Decimal", &[c"_sign", c"_int", c"_exp", c"_is_special"]),
    (c"fractions", c"Fraction", &[c"_numerator", c"_denominator"]),
    (c"ipaddress", c"IPv4Address", &[c"_ip"]),
    (c"ipaddress", c"IPv4Network", &[c"network_address", c"_prefixlen"]),
    (c"ipaddress", c"IPv6Address", &[c"_ip", c"_scope_id"]),
    (c"ipaddress", c"IPv6Network", &[c"network_address", c"_prefixlen"]),
    (c"pathlib", c"PosixPath", &[c"_raw_paths"]),
    (c"pathlib", c"PurePosixPath", &[c"_raw_paths"]),
    (c"pathlib", c"PureWindowsPath", &[c"_raw_paths"]),
    (c"uuid", c"UUID", &[c"int"]),
];

/// A number that equal objects share that are compared by what they are made of and never change: of a frozen dataclass, and of [`MADE_OF`].
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn made_of(object: *mut ffi::PyObject, depth: u32) -> Option<u64> {
    // SAFETY: passed on; a live object has a live type, and what is looked up is a reference of our own.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let is_of_code = types::flags(class) & ffi::Py_TPFLAGS_HEAPTYPE != 0;
        if depth == 0 || !is_of_code || compares_as(class, &raw mut ffi::PyBaseObject_Type) {
            return None;
        }
        let mut all = mix(class as u64);
        let mut add = |part: *mut ffi::PyObject, number: unsafe fn(*mut ffi::PyObject, u32) -> Option<u64>| {
            let number = if part.is_null() { None } else { number(part, depth - 1) };
            ffi::Py_XDECREF(part);
            all = mix(all ^ number?).rotate_left(17);
            Some(())
        };
        let name = CStr::from_ptr((*class).tp_name);
        let is_it = |(module, known, _): &&(&CStr, &CStr, &[&CStr])| *known == name && types::is_of_module(class, module);
        if let Some((.., attributes)) = MADE_OF.iter().find(is_it) {
            for attribute in *attributes {
                add(types::with_name(attribute, |name| attributes::part(object, name)), list_of)?;
            }
            return Some(all);
        }
        let fields = frozen_fields(class)?;
        let (mut position, mut name, mut is_known) = (0, std::ptr::null_mut(), true);
        while is_known && ffi::PyDict_Next(fields, &raw mut position, &raw mut name, std::ptr::null_mut()) != 0 {
            is_known = add(attributes::part(object, name), part_of).is_some();
        }
        ffi::Py_DECREF(fields);
        is_known.then_some(all)
    }
}

/// # Safety
/// Attached; `part` is alive.
unsafe fn part_of(part: *mut ffi::PyObject, depth: u32) -> Option<u64> {
    // SAFETY: passed on.
    unsafe {
        if part == ffi::Py_None() {
            return Some(1);
        }
        hash(part, DEPTH).or_else(|| made_of(part, depth))
    }
}

/// As [`part_of`], of a list that nobody changes.
///
/// # Safety
/// As there.
unsafe fn list_of(part: *mut ffi::PyObject, depth: u32) -> Option<u64> {
    // SAFETY: passed on.
    unsafe {
        if ffi::PyList_CheckExact(part) == 0 {
            return part_of(part, depth);
        }
        let mut all = 2;
        for index in 0..ffi::PyList_GET_SIZE(part) {
            all = mix(all ^ hash(ffi::PyList_GET_ITEM(part, index), DEPTH)?).rotate_left(17);
        }
        Some(all)
    }
}

/// The fields of a dataclass that is frozen, by their names: a dictionary that nobody changes, a new reference.
///
/// # Safety
/// Attached; a live type.
unsafe fn frozen_fields(class: *mut ffi::PyTypeObject) -> Option<*mut ffi::PyObject> {
    // SAFETY: passed on; references of our own.
    unsafe {
        let parameters = types::look_up_named(class, c"__dataclass_params__");
        if parameters.is_null() {
            return None;
        }
        let frozen = attributes::member(parameters, c"frozen");
        let is_frozen = frozen == ffi::Py_True();
        ffi::Py_XDECREF(frozen);
        ffi::Py_DECREF(parameters);
        let fields = if is_frozen { types::look_up_named(class, c"__dataclass_fields__") } else { std::ptr::null_mut() };
        if fields.is_null() || ffi::PyDict_CheckExact(fields) == 0 {
            ffi::Py_XDECREF(fields);
            return None;
        }
        Some(fields)
    }
}

/// Names a key of a dictionary, an index, an element of a set: equal for equal keys that never change, and for the same object.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn key(object: *mut ffi::PyObject) -> u64 {
    // SAFETY: passed on.
    unsafe {
        let known = hash(object, DEPTH).or_else(|| made_of(object, DEPTH)).or_else(|| with_objects(object, DEPTH));
        known.unwrap_or_else(|| mix(lives::number(object)))
    }
}

/// Of a tuple in which there are objects that are equal to nothing else (`(cls, name)`), and of a frozen set, of which the elements keep the hashes they were put in with.
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn with_objects(object: *mut ffi::PyObject, depth: u32) -> Option<u64> {
    // SAFETY: passed on; a tuple keeps its items alive.
    unsafe {
        if ffi::Py_TYPE(object) == &raw mut ffi::PyFrozenSet_Type {
            return Some(mix(ffi::PyObject_Hash(object) as u64));
        }
        if !is_tuple(object) || depth == 0 {
            return None;
        }
        let mut all = 3;
        for index in 0..ffi::PyTuple_GET_SIZE(object) {
            let item = ffi::PyTuple_GET_ITEM(object, index);
            let known = part_of(item, depth - 1).or_else(|| with_objects(item, depth - 1));
            all = mix(all ^ known.or_else(|| is_identity(item).then(|| mix(lives::number(item))))?).rotate_left(17);
        }
        Some(all)
    }
}

/// Whether an object is equal to nothing but itself.
///
/// # Safety
/// `object` is alive.
unsafe fn is_identity(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; the base type's slots are never replaced.
    unsafe { compares_as(ffi::Py_TYPE(object), &raw mut ffi::PyBaseObject_Type) }
}

/// Whether a key is an object that is equal to nothing but itself, or may be the number of one (`id`): once it is gone, another one may get its address, and
/// with that the same key.
///
/// # Safety
/// Attached; `key` is alive.
#[inline]
pub(crate) unsafe fn is_address(key: *mut ffi::PyObject) -> bool {
    /// Of objects, and the least one that the heap has.
    const ALIGNMENT: u64 = 16;
    const LEAST: u64 = 1 << 32;
    // SAFETY: passed on; an exact number is asked without running code.
    unsafe {
        if ffi::PyUnicode_CheckExact(key) != 0 {
            return false;
        }
        if ffi::PyLong_CheckExact(key) != 0 {
            let number = ffi::PyLong_AsUnsignedLongLongMask(key);
            return number >= LEAST && number.is_multiple_of(ALIGNMENT);
        }
        is_identity(key) || with_objects(key, DEPTH).is_some() && hash(key, DEPTH).is_none() && made_of(key, DEPTH).is_none()
    }
}

/// An exact number from 0 on that fits.
///
/// # Safety
/// Attached; `key` is alive.
#[inline]
pub(crate) unsafe fn small_number(key: *mut ffi::PyObject) -> Option<i32> {
    // SAFETY: passed on; an exact number is asked without running code.
    unsafe {
        let is_number = ffi::PyLong_CheckExact(key) != 0;
        let number = if is_number { ffi::PyLong_AsUnsignedLongLongMask(key) } else { u64::MAX };
        i32::try_from(number).ok()
    }
}

/// Whether a container can compare this key without running code of the program.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn is_plain_key(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; the base type's slots are never replaced.
    unsafe {
        if is_plain(object) {
            return true;
        }
        is_identity(object) || hash(object, DEPTH).is_some() || with_objects(object, DEPTH).is_some()
    }
}

/// What there is under a name before something is written there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Certainly nothing: to read it raises an exception.
    Nothing,
    /// `None`.
    None,
    /// `False`, 0, an empty text or container; or it is not known.
    Empty,
    /// Anything else.
    Whole,
}

/// What a module has, given its global variables, under this name.
///
/// # Safety
/// Attached; `globals` is alive.
pub(crate) unsafe fn variable(globals: *mut ffi::PyObject, name: &str) -> Before {
    // SAFETY: passed on; a reference of our own.
    unsafe {
        let name = string(name);
        if name.is_null() {
            return Before::Empty;
        }
        let mut value = std::ptr::null_mut();
        let is_there = ffi::PyDict_Check(globals) != 0 && ffi::PyDict_GetItemRef(globals, name, &raw mut value) == 1;
        let lacks = !is_there && attributes::lacks_global(globals, name);
        ffi::Py_DECREF(name);
        ffi::Py_XDECREF(value);
        match value == ffi::Py_None() {
            _ if lacks => Before::Nothing,
            true => Before::None,
            false => Before::Empty,
        }
    }
}

/// A string; null without an exception if there is no memory.
unsafe fn string(name: &str) -> *mut ffi::PyObject {
    // SAFETY: attached, as the callers are; the bytes are those of a string.
    unsafe {
        let string = ffi::PyUnicode_FromStringAndSize(name.as_ptr().cast(), name.len() as ffi::Py_ssize_t);
        if string.is_null() {
            ffi::PyErr_Clear();
        }
        string
    }
}

/// Whether an object has no attribute of this name.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn lacks(object: *mut ffi::PyObject, name: &str) -> bool {
    // SAFETY: passed on; references of our own.
    unsafe {
        let name = string(name);
        let value = if name.is_null() { return false } else { attributes::part(object, name) };
        ffi::Py_DECREF(name);
        ffi::Py_XDECREF(value);
        value.is_null()
    }
}

/// What an object has under this name.  0 is something if it may be a `number`, as a time is.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn attribute(object: *mut ffi::PyObject, name: &str, number: bool) -> Before {
    // SAFETY: passed on; references of our own, and built-in objects are asked without running code of the program.
    unsafe {
        let name = string(name);
        if name.is_null() {
            return Before::Empty;
        }
        let value = attributes::part(object, name);
        let lacks = value.is_null() && attributes::lacks(object, name);
        ffi::Py_DECREF(name);
        if lacks {
            return Before::Nothing;
        }
        let known = [&raw mut ffi::PyList_Type, &raw mut ffi::PyDict_Type, &raw mut ffi::PySet_Type, &raw mut ffi::PyTuple_Type];
        let is_known = |value| is_plain(value) || known.contains(&ffi::Py_TYPE(value));
        let is_number = |value| number && (ffi::PyFloat_CheckExact(value) != 0 || ffi::PyLong_CheckExact(value) != 0);
        let is_set = |value| !is_known(value) || is_number(value) || ffi::PyObject_IsTrue(value) == 1;
        let is_whole = !value.is_null() && value != ffi::Py_None() && is_set(value);
        ffi::Py_XDECREF(value);
        match value == ffi::Py_None() {
            _ if is_whole => Before::Whole,
            true => Before::None,
            false => Before::Empty,
        }
    }
}

/// What is written: equal for equal immutable values.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(crate) unsafe fn value(object: *mut ffi::PyObject) -> Value {
    // SAFETY: passed on.
    unsafe {
        let class = ffi::Py_TYPE(object);
        if class == &raw mut ffi::PyBool_Type {
            return Value::truth(object == ffi::Py_True());
        }
        if object == ffi::Py_None() {
            return Value::flag(object as u64);
        }
        if let Some(hash) = hash(object, DEPTH) {
            return Value::of(mix(hash ^ class as u64));
        }
        // Functions, classes and modules stay where they are; writing the same one again changes nothing.
        let lasting = [&raw mut ffi::PyFunction_Type, &raw mut ffi::PyCFunction_Type, &raw mut ffi::PyModule_Type];
        if lasting.contains(&class) || ffi::PyType_Check(object) != 0 {
            return Value::fixed(mix(object as u64));
        }
        // Their elements keep the hashes they were put in with.
        if class == &raw mut ffi::PyFrozenSet_Type {
            return Value::of(mix(ffi::PyObject_Hash(object) as u64 ^ class as u64));
        }
        if CStr::from_ptr((*ffi::Py_TYPE(class.cast())).tp_name) == c"EnumType" {
            return Value::of(mix(object as u64));
        }
        let name = CStr::from_ptr((*class).tp_name);
        if name == c"re.Pattern" {
            return pattern(object);
        }
        if is_of_c(object, name) {
            let hash = ffi::PyObject_Hash(object);
            // A signalling NaN has none.
            if hash != -1 {
                return Value::of(mix(hash as u64 ^ class as u64));
            }
            ffi::PyErr_Clear();
        }
        made_of(object, DEPTH).map_or_else(|| Value::identity(object as u64), Value::of)
    }
}

/// A compiled regular expression: as good as another one of the same text.
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn pattern(object: *mut ffi::PyObject) -> Value {
    // SAFETY: passed on; the type is not derived from.
    unsafe {
        let text = attributes::member(object, c"pattern");
        let is_plain = !text.is_null() && hash(text, DEPTH).is_some();
        ffi::Py_XDECREF(text);
        if is_plain { Value::fixed(mix(ffi::PyObject_Hash(object) as u64)) } else { Value::identity(object as u64) }
    }
}
