//! Checks whose function leaves it to others to act: `if not self.is_loaded: self.load()`.  As long as it runs, what is written there is written
//! because of the check, whatever else was handed over meanwhile.

use crate::engine::races::callers;
use crate::thread::context::ThreadContext;

/// The calling thread has checked a location in the function with this number.
pub(super) fn make(here: &ThreadContext, location: u64, code: u32) {
    let demands = &here.races.demands;
    let place = demands.iter().position(|demand| demand.get().0 == location).unwrap_or_else(|| {
        let next = here.races.next_demand.get();
        here.races.next_demand.set(next.wrapping_add(1));
        usize::from(next) % demands.len()
    });
    demands[place].set((location, code));
}

/// Whether a function that has checked the location, and called what runs now, is still running.
pub(super) fn is_met(here: &ThreadContext, location: u64) -> bool {
    // The first one goes to the first place.
    if here.races.demands[0].get().0 == 0 {
        return false;
    }
    let demand = here.races.demands.iter().map(std::cell::Cell::get).find(|demand| demand.0 == location);
    // SAFETY: the calling thread is attached, as at every access.
    demand.is_some_and(|(_, code)| unsafe { callers::is_running(code) })
}
