//! The calling thread's view of the others: its vector clock, and what it knows of the order beside that.
//!
//! As long as there is one thread only, nothing is done: the start of the second one hands over everything.

use crate::interpreter::header;
use crate::thread::probe_switch;
use ftsan::races::clock::{Clock, Clocks, SLOTS, ThreadClock};
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static CLOCKS: OnceLock<Clocks> = OnceLock::new();
/// By slot, which thread has it, as objects name their makers.
static MAKERS: [AtomicUsize; SLOTS] = [const { AtomicUsize::new(0) }; SLOTS];
static IS_WATCHED: AtomicBool = AtomicBool::new(false);
static ON_SECOND_THREAD: OnceLock<fn()> = OnceLock::new();
static ON_FOREIGN_THREAD: OnceLock<unsafe fn()> = OnceLock::new();

/// The clocks of all threads.
#[inline(always)]
pub(crate) fn clocks() -> &'static Clocks {
    CLOCKS.get_or_init(Clocks::default)
}

/// Whether accesses and orders need not be noted: there was never more than one thread, or it is between two slices of `--sample`.
#[inline(always)]
pub(crate) fn is_at_rest() -> bool {
    !IS_WATCHED.load(Ordering::Relaxed)
}

/// From now on accesses and orders are to be noted, or are not.
pub(crate) fn set_watched(is_on: bool) {
    IS_WATCHED.store(is_on, Ordering::Release);
}

/// The function to be called, attached, each time that there is about to be another thread, instead of watching from then on.
pub(crate) fn on_second_thread(call: fn()) {
    let _ = ON_SECOND_THREAD.set(call);
}

/// The slot of the last thread that had this identity (`ob_tid`), if nobody else has it by now.
pub(crate) fn slot_of(maker: usize) -> Option<u16> {
    // 0 is nobody, and in the places that no thread has had.
    if maker == 0 {
        return None;
    }
    MAKERS.iter().position(|known| known.load(Ordering::Relaxed) == maker).and_then(|slot| u16::try_from(slot).ok())
}

/// There is about to be a second thread.  Attached.
pub(crate) fn share() {
    match ON_SECOND_THREAD.get() {
        Some(call) => call(),
        None => {
            set_watched(true);
            probe_switch::on();
        }
    }
}

/// The function to be called, attached, in a thread that comes from C code once it has a clock.
pub(crate) fn on_foreign_thread(call: unsafe fn()) {
    let _ = ON_FOREIGN_THREAD.set(call);
}

/// The order as one thread knows it.
#[derive(Default)]
pub(crate) struct ThreadOrder {
    clock: Cell<Option<&'static ThreadClock>>,
    /// How many ignored locks it holds.
    ignored: Cell<u32>,
    /// How many announcements it knows of.
    announcements: Cell<u64>,
    /// In how many callbacks it is that come after everything.
    last: Cell<u32>,
}

impl ThreadOrder {
    /// What this thread has seen of the others.
    #[inline(always)]
    pub(crate) fn clock(&self) -> &'static ThreadClock {
        self.clock.get().unwrap_or_else(|| self.enter(None))
    }

    /// The same, if this thread was asked for it before.
    pub(crate) fn known_clock(&self) -> Option<&'static ThreadClock> {
        self.clock.get()
    }

    /// Whether this thread holds a lock that orders nothing: the state that it guards is ordered all the same, and is not to be
    /// looked at.
    #[inline(always)]
    pub(crate) fn holds_ignored(&self) -> bool {
        self.ignored.get() > 0
    }

    pub(crate) fn enter_ignored(&self) {
        self.ignored.set(self.ignored.get() + 1);
    }

    /// It may have been entered before it was ignored.
    pub(crate) fn leave_ignored(&self) {
        self.ignored.set(self.ignored.get().saturating_sub(1));
    }

    /// It holds none, whatever was said.
    pub(crate) fn forget_ignored(&self) {
        self.ignored.set(0);
    }

    /// Whether what this thread does comes after what all others have done up to now.
    #[inline(always)]
    pub(crate) fn is_last(&self) -> bool {
        self.last.get() > 0
    }

    /// Does something that comes after everything, without having seen it: later acts do not.
    pub(crate) fn last<T>(&self, act: impl FnOnce() -> T) -> T {
        self.last.set(self.last.get() + 1);
        let result = act();
        self.last.set(self.last.get() - 1);
        result
    }

    /// Whether there were announcements that this thread does not know of; it knows of `count` now.
    #[inline]
    pub(crate) fn learns_of(&self, count: u64) -> bool {
        count != self.announcements.replace(count)
    }

    /// `before` happened before anything that this thread does; everything did if it was started by nobody we know.
    #[cold]
    pub(crate) fn enter(&self, before: Option<&Clock>) -> &'static ThreadClock {
        let clocks = clocks();
        let clock = clocks.enter();
        if clocks.has_two() {
            share();
        }
        match before {
            Some(before) => clock.acquire_from(clocks, before),
            None => clock.acquire_all(clocks),
        }
        self.clock.set(Some(clock));
        if clock.is_tracked() {
            // One that has ended keeps its place until another one has its slot, or its identity.
            let me = header::thread_id();
            MAKERS.iter().filter(|maker| maker.load(Ordering::Relaxed) == me).for_each(|maker| maker.store(0, Ordering::Relaxed));
            MAKERS[usize::from(clock.epoch().slot())].store(me, Ordering::Relaxed);
        }
        if before.is_none()
            && clocks.has_two()
            && let Some(call) = ON_FOREIGN_THREAD.get()
        {
            // SAFETY: attached, as a thread is that asks for its clock.
            unsafe { call() };
        }
        clock
    }

    /// The thread ends, or goes back to C code for now.  Takes no lock: it may be detached.
    pub(crate) fn leave(&self) {
        if let Some(clock) = self.clock.take() {
            clocks().leave(clock);
        }
    }
}
