//! When threads and runs of loops begin and end, and what time it is: asked where one does and when a finding is made, never at an access.

use crate::interpreter::introspection::type_name;
use crate::thread::hooks_link;
use ftsan::loops::{Realm, ThreadSlot};
use ftsan::report::model::timeline::{RunLoop, Time, Timeline};
use ftsan::timeline::Spans;
use pyo3::prelude::*;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A leaked box; another one in the child of a fork, where a thread that is not there any more may hold the lock of this one.
static SPANS: AtomicPtr<Spans> = AtomicPtr::new(std::ptr::null_mut());

fn spans() -> &'static Spans {
    let known = SPANS.load(Ordering::Acquire);
    // SAFETY: null or a leaked box.
    if let Some(spans) = unsafe { known.as_ref() } {
        return spans;
    }
    let new = Box::into_raw(Box::new(Spans::default()));
    match SPANS.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: leaked above.
        Ok(_) => unsafe { &*new },
        // SAFETY: ours, which nobody has seen; the other one is leaked.
        Err(others) => unsafe {
            drop(Box::from_raw(new));
            &*others
        },
    }
}

/// Microseconds since 1970, by the clock of the wall as it was at first and a monotonic one since.
pub(crate) fn now() -> Time {
    static FIRST: OnceLock<(Time, Instant)> = OnceLock::new();
    let (first, since) = FIRST.get_or_init(|| {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (wall.as_micros() as Time, Instant::now())
    });
    first + since.elapsed().as_micros() as Time
}

/// The calling thread begins to be watched.
pub(super) fn thread_begins(slot: &ThreadSlot) {
    spans().thread_began(slot.native_id(), now());
}

/// The calling thread ends.
pub(super) fn thread_ends(slot: &ThreadSlot) {
    spans().thread_ended(slot.native_id(), &own_name(slot), now());
}

/// A thread runs a loop of this type from now on.
pub(crate) fn runs(slot: &ThreadSlot, realm: Realm, r#type: String, address: usize) {
    let run = RunLoop { r#type, id: format!("{address:#x}") };
    spans().run_began(slot.native_id(), realm, (address, 0), run, now());
}

/// The calling thread runs this loop from now on.
pub(crate) fn begins_to_run(slot: &ThreadSlot, realm: Realm, loop_: &Bound<'_, PyAny>) {
    let id = (loop_.as_ptr() as usize, loop_.get_type_ptr() as usize);
    let (native_id, now) = (slot.native_id(), now());
    if !spans().run_began_again(native_id, realm, id, now) {
        // Asked while no lock is held.
        let run = RunLoop { r#type: type_name(loop_), id: format!("{:#x}", id.0) };
        spans().run_began(native_id, realm, id, run, now);
    }
}

/// The calling thread runs no loop of this kind any more.
pub(crate) fn ends_to_run(slot: &ThreadSlot, realm: Realm) {
    spans().run_ended(slot.native_id(), realm, now());
}

/// Somebody attaches: threads that are known begin now as far as that is told.
pub(crate) fn begin_again(threads: impl Iterator<Item = &'static ThreadSlot>) {
    spans().clear();
    threads.for_each(thread_begins);
}

/// In the child of a fork, which has the calling thread left.
pub(crate) fn after_fork(slot: &ThreadSlot) {
    SPANS.store(Box::into_raw(Box::new(Spans::default())), Ordering::Release);
    thread_begins(slot);
}

/// What the report does not have yet.  To be called detached: it reads names of threads.
pub(crate) fn take_news() -> Timeline {
    let mut news = spans().take_news(std::process::id());
    let _paused = hooks_link::Paused::begin();
    for span in news.spans.iter_mut().filter(|span| span.thread.is_empty()) {
        span.thread = name_of(span.native_id);
    }
    news
}

const MAIN: &str = "MainThread";

/// The name that the kernel has of a thread of this process, unless it is the main one, whose name is the program's.
fn name_of(native_id: u64) -> String {
    if native_id == u64::from(std::process::id()) {
        return MAIN.to_owned();
    }
    let name = std::fs::read(format!("/proc/self/task/{native_id}/comm")).unwrap_or_default();
    String::from_utf8_lossy(name.trim_ascii_end()).into_owned()
}

/// The calling thread's.
fn own_name(slot: &ThreadSlot) -> String {
    if slot.native_id() == u64::from(std::process::id()) {
        return MAIN.to_owned();
    }
    let mut name = [0_u8; 16];
    // SAFETY: fills in 16 bytes at most, with a 0 among them.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}
