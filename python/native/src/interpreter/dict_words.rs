//! Dictionaries, read word by word through the kernel: for a process whose memory may be corrupt.
//!
//! The layout of keys is not published (`Include/internal/pycore_dict.h`).  [`verify`] reads dictionaries of its own; until it has
//! succeeded, every dictionary is empty.

use crate::interpreter::memory::{read_into, word};
use pyo3::ffi;
use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, Ordering};

/// `dk_log2_index_bytes`, `dk_kind`, `dk_nentries`, `dk_indices` of `struct _dictkeysobject`.
const INDEX_BYTES: usize = 9;
const KIND: usize = 10;
const ENTRIES: usize = 24;
const INDICES: usize = 32;
/// `DICT_KEYS_GENERAL`: entries begin with the hash.  `DICT_KEYS_UNICODE`: they do not.
const GENERAL: u8 = 0;
const UNICODE: u8 = 1;
/// Entries that are looked at, and bytes of them that are read at once.
const MOST: usize = 4096;
const CHUNK: usize = 64 * 24;

static IS_KNOWN: AtomicBool = AtomicBool::new(false);

/// Calls `found` with the value of each entry whose key is one of these very strings.
pub(crate) fn values(dict: usize, keys: &[usize], found: &mut dyn FnMut(usize)) {
    if IS_KNOWN.load(Ordering::Relaxed) {
        let _ = walk(dict, keys, found);
    }
}

fn walk(dict: usize, keys: &[usize], found: &mut dyn FnMut(usize)) -> Option<()> {
    const WORD: usize = size_of::<usize>();
    let table = word(dict + offset_of!(ffi::PyDictObject, ma_keys))?;
    let mut head = [0; INDICES];
    read_into(table, &mut head).then_some(())?;
    let before_key = match head[KIND] {
        GENERAL => 1,
        UNICODE => 0,
        _ => return None,
    };
    let size = (before_key + 2) * WORD;
    let count = usize::from_ne_bytes(head[ENTRIES..ENTRIES + WORD].try_into().ok()?).min(MOST);
    let first = table + INDICES + 1usize.checked_shl(u32::from(head[INDEX_BYTES]))?;
    let mut chunk = [0; CHUNK];
    let at_once = CHUNK / size;
    for begin in (0..count).step_by(at_once) {
        let bytes = chunk.get_mut(..at_once.min(count - begin) * size)?;
        read_into(first + begin * size, bytes).then_some(())?;
        for entry in bytes.chunks_exact(size) {
            let of =
                |at: usize| entry.get(at * WORD..(at + 1) * WORD).and_then(|word| word.try_into().ok()).map(usize::from_ne_bytes);
            let (key, value) = (of(before_key)?, of(before_key + 1)?);
            if key != 0 && value != 0 && keys.contains(&key) {
                found(value);
            }
        }
    }
    Some(())
}

/// Reads dictionaries of both kinds, which it makes; what it finds is not as expected, no dictionary is read from then on.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn verify() {
    /// More than one chunk of entries.
    const FILLED: i64 = 200;
    // SAFETY: passed on; new objects, of which each is checked before it is used, and which live until they are released here.
    unsafe {
        let dict = ffi::PyDict_New();
        let (key, value) = (ffi::PyUnicode_InternFromString(c"ftsan_key".as_ptr()), ffi::PyList_New(0));
        if !dict.is_null() && !key.is_null() && !value.is_null() {
            let reads = || {
                let mut read = Vec::new();
                let _ = walk(dict as usize, &[key as usize], &mut |value| read.push(value));
                read
            };
            let is_empty = reads().is_empty();
            let mut is_known = is_empty && ffi::PyDict_SetItem(dict, key, value) == 0 && reads() == [value as usize];
            for number in 0..FILLED {
                let other = ffi::PyLong_FromLongLong(number);
                is_known &= !other.is_null() && ffi::PyDict_SetItem(dict, other, other) == 0;
                ffi::Py_XDECREF(other);
            }
            is_known &= reads() == [value as usize];
            let other = (&raw mut ffi::PyList_Type).cast::<ffi::PyObject>();
            is_known &= ffi::PyDict_DelItem(dict, key) == 0 && reads().is_empty();
            is_known &= ffi::PyDict_SetItem(dict, key, other) == 0 && reads() == [other as usize];
            IS_KNOWN.store(is_known, Ordering::Relaxed);
        }
        ffi::PyErr_Clear();
        ffi::Py_XDECREF(value);
        ffi::Py_XDECREF(key);
        ffi::Py_XDECREF(dict);
    }
}
