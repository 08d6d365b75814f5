//! Suspicions of threads that are not in Python, kept until a thread comes by that is.
//!
//! A thread that C code has started may be joined by one that is attached, and does not stop for it: were it to attach itself, each would wait
//! for the other.  So it leaves here what it suspects, and the interpreter is asked to have it judged ([`pending_calls`]).  Nothing is
//! allocated and no lock is taken: there are a few places, and a suspicion that finds none is a miss.

use crate::evidence::native_frames::NativeStack;
use crate::interpreter::pending_calls;
use crate::thread::context::native_id;
use ftsan::descriptors::{FdKind, Mark, Suspicion};
use ftsan::recording::operation::Operation;
use libc::{c_int, c_void};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

/// The thread that suspects something, which may have ended when that is judged.
#[derive(Clone, Copy)]
pub(crate) struct NativeThread {
    pub(crate) native_id: u64,
    /// What the kernel calls it, with zeros at its end.
    name: [u8; 16],
    pub(crate) stack: NativeStack,
}

impl NativeThread {
    /// The calling thread.
    pub(crate) fn own() -> Self {
        let mut name = [0; 16];
        // SAFETY: the name has sixteen bytes.
        unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
        NativeThread { native_id: native_id(), name, stack: NativeStack::own() }
    }

    /// What the kernel called it.
    pub(crate) fn name(&self) -> &[u8] {
        self.name.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

/// What a thread suspects, and what was so at that moment.
#[derive(Clone, Copy)]
pub(crate) struct Deferred {
    pub(crate) thread: NativeThread,
    pub(crate) suspicion: Suspicion,
    pub(crate) operation: Operation,
    pub(crate) fd: c_int,
    pub(crate) mark: Mark,
    /// Number of the call that the other thread was in.
    pub(crate) call: u64,
    /// The other thread was polling.
    pub(crate) was_polling: bool,
    /// How often threads had come by.
    pub(crate) times: u32,
    /// What the descriptor was, and the thread that had opened it: its number may be another file's by now.
    pub(crate) kind: FdKind,
    pub(crate) opened: Mark,
}

const FREE: u8 = 0;
const IN_USE: u8 = 1;
const FULL: u8 = 2;

struct Place {
    state: AtomicU8,
    deferred: UnsafeCell<MaybeUninit<Deferred>>,
}

// SAFETY: what is in it is plain data, touched only by the thread that has set the state to `IN_USE`.
unsafe impl Sync for Place {}

impl Place {
    fn claim(&self, from: u8) -> bool {
        self.state.compare_exchange(from, IN_USE, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

/// As many as are kept.
const MOST: usize = 32;

static PLACES: [Place; MOST] =
    [const { Place { state: AtomicU8::new(FREE), deferred: UnsafeCell::new(MaybeUninit::uninit()) } }; MOST];
/// Number of the process whose interpreter can be asked.  In the child of a fork that C code has made, its locks may be held for ever.
static PROCESS: AtomicU32 = AtomicU32::new(0);
/// How often a thread has come by.
static TIMES: AtomicU32 = AtomicU32::new(0);
/// The interpreter was asked, and nobody has come by yet.
static IS_ASKED: AtomicBool = AtomicBool::new(false);
/// The process is dying: its memory may be what was destroyed.
static IS_RETIRED: AtomicBool = AtomicBool::new(false);

/// Keeps a suspicion of the calling thread, which `come_by` is to judge.
pub(crate) fn keep(deferred: Deferred, come_by: unsafe extern "C" fn(*mut c_void) -> c_int) {
    if PROCESS.load(Ordering::Acquire) != std::process::id() {
        return;
    }
    let Some(place) = PLACES.iter().find(|place| place.claim(FREE)) else { return };
    // SAFETY: claimed.
    unsafe { (*place.deferred.get()).write(deferred) };
    place.state.store(FULL, Ordering::Release);
    if !IS_ASKED.swap(true, Ordering::AcqRel) && !pending_calls::ask(come_by) {
        IS_ASKED.store(false, Ordering::Release);
    }
}

/// The calling thread has come by, and is going to [`take`] what there is: the next one that is kept asks anew.
pub(crate) fn came_by() {
    TIMES.fetch_add(1, Ordering::AcqRel);
    IS_ASKED.store(false, Ordering::Release);
}

/// How often a thread has come by.
pub(crate) fn times() -> u32 {
    TIMES.load(Ordering::Acquire)
}

/// One that was kept.
pub(crate) fn take() -> Option<Deferred> {
    let place = PLACES.iter().find(|place| !IS_RETIRED.load(Ordering::Acquire) && place.claim(FULL))?;
    // SAFETY: claimed, and was full.
    let deferred = unsafe { (*place.deferred.get()).assume_init() };
    place.state.store(FREE, Ordering::Release);
    Some(deferred)
}

/// Whether there is one.
pub(crate) fn is_any() -> bool {
    PLACES.iter().any(|place| place.state.load(Ordering::Relaxed) == FULL)
}

/// From now on suspicions are kept in this process.  In the child of a fork: its parent judges what there is.
pub(crate) fn begin() {
    PLACES.iter().for_each(|place| place.state.store(FREE, Ordering::Relaxed));
    came_by();
    PROCESS.store(std::process::id(), Ordering::Release);
}

/// The process crashes: nothing is judged any more.  Called in a signal handler.
pub(crate) fn retire() {
    IS_RETIRED.store(true, Ordering::Release);
}
