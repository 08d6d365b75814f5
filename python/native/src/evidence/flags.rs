//! Names of what is tested, by the site of the probe: a flag that was set too early is told by its name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// By site, the names of what is tested there.
static TESTED: Mutex<BTreeMap<u32, &'static str>> = Mutex::new(BTreeMap::new());

/// The variable that is tested at this site has this name.
pub(crate) fn remember(site: u32, name: &'static str) {
    TESTED.lock().unwrap_or_else(PoisonError::into_inner).insert(site, name);
}

/// The name of what is tested at this site.
pub(crate) fn of_tested(site: u32) -> Option<&'static str> {
    TESTED.lock().unwrap_or_else(PoisonError::into_inner).get(&site).copied().filter(|name| !name.is_empty())
}
