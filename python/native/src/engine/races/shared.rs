//! The tables that all probes share: lives of objects, and the shadow memory.

use ftsan::options::Options;
use ftsan::races::lifetimes::{self, Lifetimes};
use ftsan::races::shadow::{self, Shadow};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct Races {
    pub(crate) lifetimes: Lifetimes,
    pub(crate) shadow: Shadow,
}

static RACES: OnceLock<Races> = OnceLock::new();
static STRICT: AtomicBool = AtomicBool::new(false);

/// Whether accesses of an object's creator count before others have touched it.
pub(crate) fn is_strict() -> bool {
    STRICT.load(Ordering::Relaxed)
}

/// The tables; code is only patched once they are there.
pub(crate) fn get() -> &'static Races {
    RACES.get().expect("started before code is patched")
}

/// Makes the tables, of the sizes that the options ask for.
pub(crate) fn start(options: &Options) {
    STRICT.store(options.strict, Ordering::Relaxed);
    RACES.get_or_init(|| {
        // An object has at least one location; with twice the entries, few objects find theirs taken.
        let count = (options.shadow_mb << 20) / (shadow::BYTES + 2 * lifetimes::BYTES);
        let shadow = Shadow::new(count * shadow::BYTES);
        Races { lifetimes: Lifetimes::new(2 * shadow.locations()), shadow }
    });
}
