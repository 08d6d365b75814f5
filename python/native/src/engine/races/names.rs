//! Names in probes: each kept once, with the hash that dictionaries know it by.

use pyo3::prelude::*;
use pyo3::types::PyString;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

static NAMES: Mutex<Option<HashMap<&'static str, u64>>> = Mutex::new(None);

/// The name, for good, and its hash.
pub(crate) fn intern(py: Python<'_>, name: &str) -> PyResult<(&'static str, u64)> {
    let known = |names: &HashMap<&'static str, u64>| names.get_key_value(name).map(|(name, hash)| (*name, *hash));
    let lock = || NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = lock().get_or_insert_default().get_key_value(name).map(|(name, hash)| (*name, *hash)) {
        return Ok(found);
    }
    let hash = PyString::new(py, name).hash()? as u64;
    let mut guard = lock();
    let names = guard.get_or_insert_default();
    if let Some(found) = known(names) {
        return Ok(found);
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name, hash);
    Ok((name, hash))
}
