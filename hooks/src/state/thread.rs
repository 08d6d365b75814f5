//! The calling thread's record, and its end.
//!
//! The pointer is null until the first hooked call of a thread, and while the thread must not be looked at: before the process is
//! switched on, inside a slow path of ours, in the child of a vfork, and after its end.

use crate::state::process;
use crate::system::{call, signal_stack};
use ftsan::recording::ThreadRecord;
use libc::{c_int, c_void};
use std::sync::atomic::{AtomicU32, Ordering};

ftsan_interface::thread_pointer!(pointer: ThreadRecord, "ftsan_thread_record");

/// What a null pointer means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    New,
    InSlowPath,
    Ended,
}

// As an address, which is null for a new thread: `thread_local!` is looked up by libc in a table that a crash may have destroyed.
ftsan_interface::thread_pointer!(absent: u8, "ftsan_thread_absent");

fn absent() -> Absent {
    match absent::get().addr() {
        0 => Absent::New,
        1 => Absent::InSlowPath,
        _ => Absent::Ended,
    }
}

fn set_absent(why: Absent) {
    absent::set(std::ptr::without_provenance(why as usize));
}

/// Key plus one whose destructor tells the end of a thread.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Called once, when the process is switched on.
pub(crate) fn prepare() {
    let mut key = 0;
    // SAFETY: the destructor is a function of this library, which is never unloaded.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(leave)) } == 0 {
        KEY.store(key + 1, Ordering::Release);
    }
}

/// The calling thread's record.
#[inline(always)]
pub(crate) fn current() -> Option<&'static ThreadRecord> {
    let record = pointer::get();
    if record.is_null() {
        return if process::recording().is_none() { None } else { enter() };
    }
    // SAFETY: null or a record, which are never unmapped but in the child of a fork, where `forget` is called.
    Some(unsafe { &*record })
}

#[cold]
#[inline(never)]
fn enter() -> Option<&'static ThreadRecord> {
    let recording = process::recording()?;
    if absent() != Absent::New {
        return None;
    }
    let key = KEY.load(Ordering::Acquire).checked_sub(1)?;
    let record = recording.enter(u64::from(call::thread_id()), name())?;
    // SAFETY: the key exists; keys this early need no allocation, and without it the record stays taken.
    unsafe { libc::pthread_setspecific(key, std::ptr::from_ref(record).cast::<c_void>()) };
    pointer::set(record);
    Some(record)
}

/// What the kernel calls the thread: 15 bytes and a zero.
fn name() -> [u64; 2] {
    let mut name = [0_u64; 2];
    // SAFETY: the name has sixteen bytes.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name
}

/// The calling thread got another name.
pub(crate) fn renamed() {
    if let Some(record) = current() {
        record.set_name(name());
    }
}

unsafe extern "C" fn leave(record: *mut c_void) {
    pointer::set(std::ptr::null());
    set_absent(Absent::Ended);
    signal_stack::free();
    // SAFETY: the record that `enter` gave to the key.
    unsafe { &*record.cast::<ThreadRecord>() }.leave();
}

/// Everything that the calling thread does from now on is the end of the process.
pub(crate) fn dies() {
    pointer::set(std::ptr::null());
    set_absent(Absent::Ended);
}

/// In the child of a fork: the record was the parent's.
pub(crate) fn forget() {
    pointer::set(std::ptr::null());
    set_absent(Absent::New);
    if let Some(key) = KEY.load(Ordering::Acquire).checked_sub(1) {
        // SAFETY: the key exists.
        unsafe { libc::pthread_setspecific(key, std::ptr::null()) };
    }
}

/// Nothing that the calling thread does meanwhile is looked at.  Keeps errno.
pub(crate) struct Paused {
    record: *const ThreadRecord,
    before: Absent,
    errno: c_int,
}

impl Paused {
    pub(crate) fn begin() -> Self {
        // SAFETY: errno is always readable.
        let paused = Paused { record: pointer::get(), before: absent(), errno: unsafe { *libc::__errno_location() } };
        pointer::set(std::ptr::null());
        set_absent(Absent::InSlowPath);
        paused
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        pointer::set(self.record);
        set_absent(self.before);
        // SAFETY: errno is always writable.
        unsafe { *libc::__errno_location() = self.errno };
    }
}
