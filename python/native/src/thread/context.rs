//! The calling thread's slot: one pointer in thread-local storage.

use crate::interpreter::frames::RawFrame;
use crate::interpreter::thread_state;
use crate::thread::clock::ThreadOrder;
use crate::thread::{guard, hooks_link, registry, stacks, timeline};
use ftsan::loops::ThreadSlot;
use ftsan::perturb::Strand;
use ftsan::races::lookaside::Lookaside;
use ftsan::races::memory::ThreadHistory;
use ftsan::recording::ThreadRecord;
use pyo3::ffi;
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What the search for races remembers of a thread's accesses.
#[derive(Default)]
pub(crate) struct AccessHistory {
    pub(crate) memory: ThreadHistory,
    /// The cells that it has at hand.
    pub(crate) lookaside: Lookaside,
    /// Its name is kept.
    pub(crate) is_introduced: Cell<bool>,
    /// A container from which it has just taken something, or the key of a flag that it has just seen.
    pub(crate) taken_from: Cell<usize>,
    /// A flag that it has seen as well.
    pub(crate) also_seen: Cell<u64>,
    /// The flag of a container in which there may be nothing left.
    pub(crate) drained: Cell<u64>,
    /// The probe of the last access if that polled for something; 0 if it did not.
    pub(crate) polled_at: Cell<u64>,
    /// The object that a probe has just noted a call about.
    pub(crate) probed: Cell<usize>,
    /// Locations that its functions have checked and left to others to write, with the numbers of the functions.
    pub(crate) demands: [Cell<(u64, u32)>; 8],
    /// Which of these is to go next.
    pub(crate) next_demand: Cell<u8>,
    /// A location whose value was compared with a state last, for an answer that a function gives, at which stack, and a number for that state.
    pub(crate) compared: Cell<(u64, u32, u64)>,
    /// The slice of `--sample` that all this is from.
    pub(crate) slice: Cell<u64>,
}

/// A loop that said that it is not closed, and the call of a function of the program that asked.
#[derive(Clone, Copy, Default)]
pub(crate) struct Asked {
    pub(crate) loop_: usize,
    /// Address of the frame, and its code object: another function may be called where that one has returned.
    pub(crate) by: (usize, usize),
    /// The place in its caller, as the function may be called again there; none of a coroutine, whose frame is its own.
    pub(crate) from: RawFrame,
}

/// What only the thread itself sees.
pub(crate) struct ThreadContext {
    pub(crate) slot: &'static ThreadSlot,
    /// Where the flight recorder keeps what this thread does; another one after a fork.
    record: Cell<Option<&'static ThreadRecord>>,
    /// Set while a slow path of ours runs: what it calls is not the program's doing.
    pub(crate) busy: Cell<bool>,
    /// How many finalizers of futures, tasks and asynchronous generators are running.
    finalizing: Cell<u32>,
    /// The frame (address) in which an asynchronous generator is being finalized, 0 for none.
    pub(crate) generator_finalized_at: Cell<usize>,
    /// The loop that the program asked last in this thread whether it is closed, and that was not.
    pub(crate) asked: Cell<Asked>,
    /// It has called into a loop through a portal.
    pub(crate) has_portal: Cell<bool>,
    /// How often this thread had a reason to stop the world for a look.
    looks: Cell<u32>,
    /// Where it was lately.
    pub(crate) stacks: stacks::Recent,
    /// What it has seen of the others.
    pub(crate) order: ThreadOrder,
    /// What the search for races remembers of this thread.
    pub(crate) races: AccessHistory,
    /// Its steps, if threads are held up.
    pub(crate) strand: Strand,
    /// In whose name the thread was started, for findings in it: kept alive by what it calls, null once that has returned.
    pub(crate) started_for: Cell<*mut ffi::PyObject>,
}

impl ThreadContext {
    /// This thread's part of the flight recording.
    #[inline(always)]
    pub(crate) fn record(&self) -> Option<&'static ThreadRecord> {
        self.record.get()
    }

    /// In the child of a fork: the recording is another one.
    pub(crate) fn after_fork(&self) {
        self.record.set(hooks_link::thread_record());
        BUSY.store(u32::from(self.busy.get()), Ordering::Relaxed);
    }

    /// A finalizer runs, as long as the result lives: what it calls is the garbage collector's doing, not the thread's.
    pub(crate) fn finalizing(&self) -> Finalizing<'_> {
        self.finalizing.set(self.finalizing.get() + 1);
        Finalizing(self)
    }

    pub(crate) fn is_finalizing(&self) -> bool {
        self.finalizing.get() > 0
    }

    /// Whether to stop the world for a look at who else uses something: a thread with a reason at each step would stop it at each step.
    #[cold]
    pub(crate) fn looks_worth_it(&self) -> bool {
        let count = self.looks.get();
        self.looks.set(count.wrapping_add(1));
        count < 512 || count.is_multiple_of(16)
    }
}

pub(crate) struct Finalizing<'a>(&'a ThreadContext);

impl Drop for Finalizing<'_> {
    fn drop(&mut self) {
        self.0.finalizing.set(self.0.finalizing.get() - 1);
    }
}

struct Leave(&'static ThreadContext);

impl Drop for Leave {
    fn drop(&mut self) {
        pointer::set(std::ptr::null());
        timeline::thread_ends(self.0.slot);
        registry::get().loops.leave(self.0.slot);
        self.0.order.leave();
        // SAFETY: `enter` leaked the box for this; the pointer to it is null, and no hook of this thread is running.
        drop(unsafe { Box::from_raw(std::ptr::from_ref(self.0).cast_mut()) });
    }
}

thread_local! {
    static LEAVE: Cell<Option<Leave>> = const { Cell::new(None) };
}

ftsan_interface::thread_pointer!(pointer: ThreadContext, "ftsan_here");

/// The calling thread.
#[inline(always)]
pub(crate) fn current_thread() -> &'static ThreadContext {
    let here = pointer::get();
    if here.is_null() {
        return enter();
    }
    // SAFETY: points to a leaked box; null again before the thread's slot is given up.
    unsafe { &*here }
}

/// The calling thread, attached or not, if a hook has run in it before.
pub(crate) fn known_thread() -> Option<&'static ThreadContext> {
    // SAFETY: null, or as in `current_thread`.
    unsafe { pointer::get().as_ref() }
}

#[cold]
fn enter() -> &'static ThreadContext {
    guard::catch_panic(None, || {
        thread_state::check();
        // SAFETY: only called from hooks, which run attached.
        let (handle, ident) = unsafe { (ffi::PyThreadState_Get() as usize, ffi::PyThread_get_thread_ident()) };
        let slot = registry::get().loops.enter(handle, ident, native_id());
        timeline::thread_begins(slot);
        // `Leave` frees it.  A hook that runs still later finds no pointer and makes another one, which is leaked.
        let here: &'static ThreadContext = Box::leak(Box::new(ThreadContext {
            slot,
            record: Cell::new(hooks_link::thread_record()),
            busy: Cell::new(false),
            finalizing: Cell::new(0),
            generator_finalized_at: Cell::new(0),
            asked: Cell::default(),
            has_portal: Cell::new(false),
            looks: Cell::new(0),
            stacks: stacks::Recent::default(),
            order: ThreadOrder::default(),
            races: AccessHistory::default(),
            strand: Strand::default(),
            started_for: Cell::new(std::ptr::null_mut()),
        }));
        pointer::set(here);
        // A hook may run after this thread's destructors: then the slot stays taken.
        let _ = LEAVE.try_with(|leave| leave.set(Some(Leave(here))));
        Some(here)
    })
    .unwrap_or_else(|| std::process::abort())
}

/// The kernel's id of the calling thread.
pub(crate) fn native_id() -> u64 {
    // SAFETY: always succeeds; glibc has a function for it from 2.30 on.
    unsafe { libc::syscall(libc::SYS_gettid) as u64 }
}

/// What the kernel says of a thread of this process.
pub(crate) struct Scheduled {
    /// `R`: runs or is ready to; `S` and `D`: waits.
    pub(crate) state: u8,
    /// How long it has been running.
    pub(crate) ran: Duration,
}

/// The kernel's view of a thread, if there still is one.
pub(crate) fn scheduled(native_id: u64) -> Option<Scheduled> {
    let stat = std::fs::read(format!("/proc/self/task/{native_id}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name before the state is in parentheses, and may contain any.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.bytes().next()?;
    let ticks: u64 = fields.skip(10).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    // A tick is 10 ms on every Linux: `USER_HZ`.
    Some(Scheduled { state, ran: Duration::from_millis(ticks * 10) })
}

/// Marks the calling thread as being inside a slow path of ours.
pub(crate) struct InSlowPath(&'static ThreadContext);

/// How many threads are.
static BUSY: AtomicU32 = AtomicU32::new(0);

impl InSlowPath {
    /// `None` if it already is.
    pub(crate) fn enter() -> Option<Self> {
        let here = current_thread();
        if !thread_state::is_of_main_interpreter() {
            return None;
        }
        // Lazily: an InSlowPath that is made and dropped would mark the thread as idle.
        (!here.busy.replace(true)).then(|| {
            BUSY.fetch_add(1, Ordering::Relaxed);
            InSlowPath(here)
        })
    }

    /// Whether any thread is.
    pub(crate) fn is_anybody() -> bool {
        BUSY.load(Ordering::Relaxed) > 0
    }
}

impl Drop for InSlowPath {
    fn drop(&mut self) {
        self.0.busy.set(false);
        BUSY.fetch_sub(1, Ordering::Relaxed);
    }
}
