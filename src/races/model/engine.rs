//! The engine on a trace, and engines with a fault.

use super::{Event, Step, Trace};
use crate::races::access::{Access, AccessSite, Race, Value};
use crate::races::clock::{Clocks, Epoch, ThreadClock};
use crate::races::facts::AccessFacts;
use crate::races::matrix::AccessKind;
use crate::races::memory::ThreadHistory;
use crate::races::shadow::Shadow;
use crate::races::stacks::Stacks;
use crate::races::sync::SyncTable;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering::Relaxed;

/// A fault that an engine may be given, so that it is seen that the properties find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// It does not know when values are equal.
    NoValues,
    /// Of the releases into key 0 it takes no notice.
    NoEdge,
    /// Acquiring anything acquires everything.
    EdgesTooMany,
    /// Reads are not noted.
    NoReads,
    /// It does not know which reads decide what a thread does.
    NoChecks,
}

/// A race that the engine reports: which events may be the earlier one, and the number of the later one.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) earlier: Vec<usize>,
    pub(super) later: usize,
    pub(super) race: Race,
}

/// A stack stands for all that one call does.
const STACKS: Stacks = Stacks {
    decide_the_same: |one, other| one == other,
    act_for: |check, act| check == act,
    is_in_caller: |asked, here| asked == here,
};

/// More threads than a location remembers readers of.
pub(super) const THREADS: usize = 6;

/// The engine's reports on what threads did, and the locations of which its tables did not hold everything.
pub(super) fn run(events: &[Event], fault: Fault) -> (Vec<Report>, BTreeSet<u64>) {
    let Outcome { reports, forgotten, .. } = run_by(events, fault, true);
    (reports, forgotten)
}

/// What comes of a trace.
pub(super) struct Outcome {
    pub(super) reports: Vec<Report>,
    pub(super) forgotten: BTreeSet<u64>,
    /// Of each location that is accessed.
    pub(super) remembered: BTreeMap<u64, Vec<[u64; 12]>>,
}

/// The same, with plain accesses noted by the short way or not.
pub(super) fn run_by(events: &[Event], fault: Fault, is_short: bool) -> Outcome {
    let (clocks, sync, shadow) = (Clocks::default(), SyncTable::default(), Shadow::of_bytes(1 << 14).comparing_by(STACKS));
    let threads: [(&ThreadClock, ThreadHistory); THREADS] = std::array::from_fn(|_| (clocks.enter(), ThreadHistory::default()));
    let trace = Trace::new(events.to_vec());
    // Where each iteration is, by thread and location.
    let mut walks = HashMap::new();
    let mut made: Vec<Option<(u64, AccessSite, Epoch)>> = Vec::new();
    let (mut reports, mut forgotten) = (Vec::new(), BTreeSet::new());
    for (number, Event { thread, step }) in events.iter().enumerate() {
        let (clock, memory) = &threads[*thread];
        made.push(match *step {
            Step::Access(access, stack) => Some((access.location, AccessSite { site: access.site, stack }, clock.epoch())),
            Step::Release(_) | Step::Acquire(_) => None,
        });
        match *step {
            Step::Release(0) if fault == Fault::NoEdge => clock.advance(&clocks),
            Step::Release(key) => sync.release(&clocks, clock, key + 1),
            Step::Acquire(_) if fault == Fault::EdgesTooMany => clock.acquire_all(&clocks),
            Step::Acquire(key) => sync.acquire(&clocks, clock, key + 1),
            Step::Access(access, _) if fault == Fault::NoReads && access.kind.is_read() => {}
            Step::Access(access, stack) => {
                let walk = walks.entry((*thread, access.location)).or_default();
                let access = Access { since: access.since.and(*walk), ..access };
                let access = match fault {
                    Fault::NoValues => Access { value: Value::UNKNOWN, ..access },
                    Fault::NoChecks => Access { facts: access.facts.without(AccessFacts::TESTED), ..access },
                    Fault::None | Fault::NoEdge | Fault::EdgesTooMany | Fault::NoReads => access,
                };
                let is_it = |race: &Race, event: usize| {
                    // Of what is read once more, the look before it is remembered, if it is: of several by the same instruction the first one.
                    let look = Some(trace.look_before(event)).filter(|look| *look != event);
                    let look = look.and_then(|look| made[look]).map(|(_, place, _)| place.site);
                    made[event].is_some_and(|(location, place, epoch)| {
                        let is_there = place == race.earlier || look == Some(race.earlier.site);
                        (location, epoch) == (access.location, race.earlier_thread) && is_there
                    })
                };
                let spot = shadow.spot(access.location);
                if is_short && spot.note_plainly(&access, clock, memory, stack) {
                    continue;
                }
                for race in shadow.access_at(spot, &access, clock, memory, || stack).1 {
                    let earlier = (0..number).filter(|event| is_it(&race, *event)).collect();
                    reports.push(Report { earlier, later: number, race });
                }
                if shadow.forgotten.swap(0, Relaxed) > 0 {
                    forgotten.insert(access.location);
                }
                if access.kind == AccessKind::Iterate {
                    *walk = Some(memory.version());
                }
            }
        }
    }
    let locations = made.iter().flatten().map(|(location, ..)| *location);
    let remembered = locations.map(|location| (location, shadow.remembered(location))).collect();
    Outcome { reports, forgotten, remembered }
}
