//! Data races in Python code: what becomes of an access of what threads share.
//!
//! A probe runs attached, inside `DELETE_SUBSCR`, right before the access.  It takes no lock but that of a shadow cell or of a shard of the
//! synchronisation table, which are held for a few instructions; before a race is found it neither allocates nor calls Python code.
//!
//! | module | holds |
//! |---|---|
//! | [`probe`] | the native object that patched code calls, and the fast path |
//! | [`accesses`] | which object, which part of it, what is done to it |
//! | [`containers`], [`values`], [`names`] | built-in containers; keys and values as numbers; names |
//! | [`container_sync`] | containers as a means to hand objects over |
//! | [`confirm`] | pauses that make harm happen |
//! | [`review`] | locksets and the inventory of shared state |

pub(crate) mod accesses;
pub(crate) mod confirm;
pub(crate) mod container_sync;
pub(crate) mod containers;
pub(crate) mod names;
pub(crate) mod probe;
pub(crate) mod review;
pub(crate) mod values;

use ftsan::options::Options;
use ftsan::races::lifetimes::Lifetimes;
use ftsan::races::memory::Memory;
use ftsan::races::shadow::Shadow;
use pyo3::prelude::*;
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Entries of the table of lives, as a power of two; 16 bytes each.
const LIVES: u32 = 16;

struct Races {
    lifetimes: Lifetimes,
    shadow: Shadow,
}

static RACES: OnceLock<Races> = OnceLock::new();
static STRICT: AtomicBool = AtomicBool::new(false);

/// What a thread remembers of its accesses.
#[derive(Default)]
pub(crate) struct PerThread {
    memory: Memory,
    /// Its name is kept.
    is_introduced: Cell<bool>,
    /// A container from which it has just taken something.
    taken_from: Cell<usize>,
}

/// Whether accesses of an object's creator count before others have touched it.
pub(crate) fn is_strict() -> bool {
    STRICT.load(Ordering::Relaxed)
}

fn get() -> &'static Races {
    RACES.get().expect("started before code is patched")
}

/// Starts looking.
///
/// # Errors
/// The interpreter is not as it is known to be; one line.
pub(crate) fn start(py: Python<'_>, options: &Options) -> PyResult<()> {
    containers::learn(py)?;
    STRICT.store(options.strict, Ordering::Relaxed);
    RACES.get_or_init(|| Races { lifetimes: Lifetimes::new(LIVES), shadow: Shadow::new(options.shadow_mb << 20) });
    review::start();
    confirm::start();
    Ok(())
}
