//! What the Python module tells us and is told: where the calling thread is in Python code, and that threads step on each other.

use crate::state::process;
use crate::state::thread::Paused;
use crate::system::call;
use ftsan::descriptors::{Mark, Suspicion};
use ftsan::recording::operation::Operation;
use ftsan::recording::sites::{DEPTH, Position, SiteId, StackId};
use ftsan::recording::{Recording, ThreadRecord};
use ftsan_interface::api::PythonApi;
use libc::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

static CONNECTED: OnceLock<PythonApi> = OnceLock::new();
/// What of it may be called: nothing any more once the crash handler has run, because its memory may be what was destroyed.
static API: AtomicPtr<PythonApi> = AtomicPtr::new(std::ptr::null_mut());

/// The Python module is here.
pub(crate) fn connected(api: &PythonApi) {
    let connected = CONNECTED.get_or_init(|| *api);
    API.store(std::ptr::from_ref(connected).cast_mut(), Ordering::Release);
}

/// The process is dying, and the handlers that come after ours are to be disturbed by nothing.
pub(crate) fn retire() {
    API.store(std::ptr::null_mut(), Ordering::Release);
}

/// The Python module is not to be called for now, or is again.
pub(crate) fn suspend(is_suspended: bool) {
    let connected = CONNECTED.get().filter(|_| !is_suspended).map_or(std::ptr::null(), std::ptr::from_ref);
    API.store(connected.cast_mut(), Ordering::Release);
}

/// What the Python module does for us, once it is here.
#[inline(always)]
pub(crate) fn api() -> Option<&'static PythonApi> {
    // SAFETY: null, or what `CONNECTED` holds for good.
    unsafe { API.load(Ordering::Acquire).as_ref() }
}

/// Where the calling thread is in Python code: its innermost frame.
#[inline(always)]
pub(crate) fn site(record: &ThreadRecord) -> SiteId {
    api().map_or(0, |api| site_in(api, record))
}

#[inline(never)] // the registers that it needs are not saved where there is no Python
fn site_in(api: &PythonApi, record: &ThreadRecord) -> SiteId {
    let offsets = &api.offsets;
    // SAFETY: the calling thread is in a call that its innermost frame made, so that frame and its code are alive and at rest.
    unsafe {
        let state = (api.thread_state)();
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
            find_site(api, record, Position { check, ..position })
        })
    }
}

#[cold]
#[inline(never)]
fn find_site(api: &PythonApi, record: &ThreadRecord, position: Position) -> SiteId {
    let _paused = Paused::begin();
    let Some(recording) = process::recording() else { return 0 };
    let site = resolve(api, recording, position);
    record.remember_site(position, site);
    site
}

fn resolve(api: &PythonApi, recording: &Recording, position: Position) -> SiteId {
    // SAFETY: the position is on the calling thread's stack.
    recording.sites.site(position, |texts| Some(unsafe { (api.resolve)(position, texts) }))
}

/// Who the calling thread is and where it is, with its whole stack.
#[cold]
#[inline(never)]
pub(crate) fn mark(record: &ThreadRecord) -> Mark {
    let thread = record.id();
    let (Some(api), Some(recording)) = (api(), process::recording()) else { return Mark { thread, stack: 0 } };
    let _paused = Paused::begin();
    let mut positions = [Position::default(); DEPTH];
    // SAFETY: the places are as many as said.
    let count = unsafe { (api.positions)(positions.as_mut_ptr(), DEPTH) };
    let positions = positions.get(..count).unwrap_or(&[]);
    Mark { thread, stack: record.stack(positions, || find_stack(api, recording, positions)) }
}

#[cold]
#[inline(never)]
fn find_stack(api: &PythonApi, recording: &Recording, positions: &[Position]) -> StackId {
    let mut sites = [0; DEPTH];
    for (site, position) in sites.iter_mut().zip(positions) {
        *site = resolve(api, recording, *position);
    }
    recording.sites.stack(sites.get(..positions.len()).unwrap_or(&[]))
}

/// Tells the Python module that threads step on each other.
#[cold]
#[inline(never)]
pub(crate) fn suspect(suspicion: &Suspicion, operation: Operation, fd: c_int, mark: Mark) {
    let Some(api) = api() else { return };
    let _paused = Paused::begin();
    if in_signal_handler() {
        return; // what was interrupted may hold any lock: nothing can be told
    }
    // SAFETY: the module's functions stay callable for good.
    unsafe { (api.suspect)(suspicion, operation.0, fd, mark) };
}

/// Tells the Python module that the calling thread may be about to run Python code for the first time.
pub(crate) fn attaching() {
    if let Some(api) = api() {
        // SAFETY: the module's functions stay callable for good.
        unsafe { (api.attaching)() };
    }
}

/// Holds up the calling thread, if the Python module says so.  Before anything is noted of a call: nothing is held then.
#[inline(always)]
pub(crate) fn hold_up() {
    if let Some(decide) = api().and_then(|api| api.hold_up) {
        really_hold_up(decide);
    }
}

#[cold]
#[inline(never)]
fn really_hold_up(decide: unsafe extern "C" fn() -> u32) {
    // SAFETY: the module's functions stay callable for good.
    let nanoseconds = unsafe { decide() };
    if nanoseconds == 0 {
        return;
    }
    let _paused = Paused::begin();
    // The code that a handler has interrupted would wait as well.  Its signal is blocked meanwhile; to unwind would be no way to learn of that here, as
    // the stacks of greenlets end anywhere.
    if call::is_a_signal_blocked() {
        return;
    }
    match nanoseconds {
        1 => call::give_way(),
        _ => call::sleep(nanoseconds),
    }
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
