//! What the Python module tells us and is told: where the calling thread is in Python code, and that threads step on each other.

use crate::thread::Unseen;
use crate::{crash, import_tables, process, thread};
use ftsan::descriptors::{Mark, Suspicion};
use ftsan::listener::{Heard, Listener, VERSION};
use ftsan::recording::operation::Operation;
use ftsan::recording::sites::{DEPTH, Position, SiteId};
use ftsan::recording::{Recording, ThreadRecord};
use libc::{c_int, c_void};
use std::cell::Cell;
use std::sync::OnceLock;

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// The Python module is here.  `preloaded` is 0 if it loaded us itself: then the import tables are rewritten.
///
/// # Safety
/// The listener's functions stay callable for good.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ftsan_hooks_listen(listener: &Listener, preloaded: c_int) -> Heard {
    let refused = Heard { version: VERSION, hooks: 0, recording, descriptors: None, look, thread: thread_record };
    if listener.version != VERSION {
        return refused;
    }
    process::switch_on();
    if process::recording().is_none() {
        return refused;
    }
    process::keep();
    crash::install();
    if preloaded == 0 {
        import_tables::rewrite();
    }
    let _ = LISTENER.set(*listener);
    Heard { hooks: import_tables::all().count() as u32, descriptors: Some(&process::DESCRIPTORS), ..refused }
}

thread_local! {
    static AWAY: Cell<Option<Unseen>> = const { Cell::new(None) };
}

unsafe extern "C" fn look(again: c_int) {
    // A thread whose destructors have run is not looked at anyway.
    let _ = AWAY.try_with(|away| away.set((again == 0).then(Unseen::begin)));
}

unsafe extern "C" fn recording() -> Option<&'static Recording> {
    process::recording()
}

unsafe extern "C" fn thread_record() -> Option<&'static ThreadRecord> {
    thread::here()
}

/// The crash handler's question.
pub(crate) fn listener() -> Option<&'static Listener> {
    LISTENER.get()
}

/// Where the calling thread is in Python code: its innermost frame.
#[inline(always)]
pub(crate) fn site(record: &ThreadRecord) -> SiteId {
    LISTENER.get().map_or(0, |listener| site_in(listener, record))
}

#[inline(never)] // the registers that it needs are not saved where there is no Python
fn site_in(listener: &Listener, record: &ThreadRecord) -> SiteId {
    let offsets = &listener.offsets;
    // SAFETY: the calling thread is in a call that its innermost frame made, so that frame and its code are alive and at rest.
    unsafe {
        let state = (listener.thread_state)();
        if state.is_null() {
            return 0;
        }
        let frame = state.add(offsets.current_frame).cast::<*const u8>().read();
        if frame.is_null() || frame.add(offsets.owner).read() == offsets.owned_by_interpreter {
            return 0;
        }
        let code = frame.add(offsets.executable).cast::<usize>().read() & !offsets.tag;
        if code == 0 {
            return 0;
        }
        let instruction = frame.add(offsets.instruction).cast::<usize>().read();
        let position = Position { code, instruction, check: 0 };
        record.known_site(position).unwrap_or_else(|| {
            let check = ((code + offsets.qualname) as *const usize).read();
            find_site(listener, record, Position { check, ..position })
        })
    }
}

#[cold]
#[inline(never)]
fn find_site(listener: &Listener, record: &ThreadRecord, position: Position) -> SiteId {
    let _unseen = Unseen::begin();
    let Some(recording) = process::recording() else { return 0 };
    let site = resolve(listener, recording, position);
    record.remember_site(position, site);
    site
}

fn resolve(listener: &Listener, recording: &Recording, position: Position) -> SiteId {
    // SAFETY: the position is on the calling thread's stack.
    recording.sites.site(position, |texts| Some(unsafe { (listener.resolve)(position, texts) }))
}

/// Who the calling thread is and where it is, with its whole stack.
#[cold]
#[inline(never)]
pub(crate) fn mark(record: &ThreadRecord) -> Mark {
    let thread = record.id();
    let (Some(listener), Some(recording)) = (LISTENER.get(), process::recording()) else { return Mark { thread, stack: 0 } };
    let _unseen = Unseen::begin();
    let mut positions = [Position::default(); DEPTH];
    // SAFETY: the places are as many as said.
    let count = unsafe { (listener.positions)(positions.as_mut_ptr(), DEPTH) };
    let mut sites = [0; DEPTH];
    for (site, position) in sites.iter_mut().zip(positions.iter().take(count)) {
        *site = resolve(listener, recording, *position);
    }
    Mark { thread, stack: recording.sites.stack(sites.get(..count).unwrap_or(&[])) }
}

/// Tells the Python module that threads step on each other.
#[cold]
#[inline(never)]
pub(crate) fn suspect(suspicion: &Suspicion, operation: Operation, fd: c_int, mark: Mark) {
    let Some(listener) = LISTENER.get() else { return };
    let _unseen = Unseen::begin();
    if in_signal_handler() {
        return; // what was interrupted may hold any lock: nothing can be told
    }
    // SAFETY: the listener's functions stay callable for good.
    unsafe { (listener.suspect)(suspicion, operation.0, fd, mark) };
}

/// Whether a signal handler is on the stack of the calling thread.
fn in_signal_handler() -> bool {
    unsafe extern "C" {
        fn _Unwind_Backtrace(each: extern "C" fn(*mut c_void, *mut c_void) -> c_int, found: *mut c_void) -> c_int;
        fn _Unwind_GetIPInfo(frame: *mut c_void, interrupted: *mut c_int) -> usize;
    }
    extern "C" fn each(frame: *mut c_void, found: *mut c_void) -> c_int {
        const GO_ON: c_int = 0;
        const END_OF_STACK: c_int = 5;
        let mut interrupted = 0;
        // SAFETY: the unwinder's frame; the place that was passed below.
        unsafe {
            _Unwind_GetIPInfo(frame, &raw mut interrupted);
            if interrupted != 0 {
                found.cast::<bool>().write(true);
                return END_OF_STACK;
            }
        }
        GO_ON
    }
    let mut found = false;
    // SAFETY: walks the calling thread's stack.
    unsafe { _Unwind_Backtrace(each, (&raw mut found).cast::<c_void>()) };
    found
}
