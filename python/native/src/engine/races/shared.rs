//! The tables that all probes share: lives of objects, and the shadow memory.

use crate::engine::races::callers;
use crate::thread::{faults, tables};
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
#[inline]
pub(crate) fn is_strict() -> bool {
    STRICT.load(Ordering::Relaxed)
}

/// The tables; code is only patched once they are there.
#[inline]
pub(crate) fn get() -> &'static Races {
    RACES.get().expect("started before code is patched")
}

/// Makes the tables, of the sizes that the options ask for, or of what memory there is.
pub(crate) fn start(options: &Options) {
    STRICT.store(options.strict, Ordering::Relaxed);
    RACES.get_or_init(|| {
        let mut megabytes = options.shadow_mb;
        let races = loop {
            if let Some(races) = of_size(megabytes << 20) {
                break races;
            }
            megabytes /= 2;
        };
        if megabytes < options.shadow_mb {
            let wanted = options.shadow_mb;
            faults::fail(&format!(
                "races: {wanted} MB of shadow memory cannot be had: {megabytes} MB remember less, and miss more"
            ));
        }
        races
    });
}

fn of_size(bytes: usize) -> Option<Races> {
    // An object has at least one location; with twice the entries, few objects find theirs taken.
    let count = bytes / (shadow::BYTES + 2 * lifetimes::BYTES);
    let shadow = Shadow::new(tables::zeros(shadow::groups(count * shadow::BYTES))?).comparing_by(callers::STACKS);
    Some(Races { lifetimes: Lifetimes::new(tables::zeros(lifetimes::groups(2 * shadow.locations()))?), shadow })
}
