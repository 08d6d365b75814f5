//! Which thread runs which loop, and which loop or thread an object belongs to: the registries of this process.

use ftsan::bindings::Bindings;
use ftsan::loops::Loops;
use std::sync::OnceLock;

/// The registries of the process.
#[derive(Default)]
pub(crate) struct Registry {
    pub(crate) loops: Loops,
    pub(crate) bindings: Bindings,
}

static REGISTRY: OnceLock<Registry> = OnceLock::new();

/// The registries.  Hooks are only installed once there are any.
#[inline]
pub(crate) fn get() -> &'static Registry {
    REGISTRY.get().expect("started before anything is hooked")
}

/// Starts with empty ones.
pub(crate) fn start() {
    REGISTRY.get_or_init(Registry::default);
}
