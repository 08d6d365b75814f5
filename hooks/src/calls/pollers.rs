//! Which threads are in `poll` or `select`, and whether one of them waits for a descriptor.
//!
//! A byte per thread, written by that thread; a thread that closes a descriptor looks at eight at a time.

use crate::state::process;
use crate::system::memory;
use ftsan::recording::operation::{POLL, SELECT};
use ftsan::recording::{THREADS, ThreadId, ThreadRecord};
use libc::c_int;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

#[repr(align(64))]
struct Flags([AtomicU8; THREADS]);

static POLLING: Flags = Flags([const { AtomicU8::new(0) }; THREADS]);

/// Places from here on have never polled.
static HIGHEST: AtomicUsize = AtomicUsize::new(0);

/// How many descriptors of a call are looked at.
const MOST: usize = 1024;

fn flag(record: &ThreadRecord) -> Option<&'static AtomicU8> {
    POLLING.0.get(record.id().place())
}

#[inline(always)]
pub(crate) fn begin(record: &ThreadRecord) {
    if let Some(flag) = flag(record) {
        flag.store(1, Ordering::Relaxed);
        let place = record.id().place();
        if place >= HIGHEST.load(Ordering::Relaxed) {
            HIGHEST.fetch_max(place + 1, Ordering::Relaxed);
        }
    }
}

#[inline(always)]
pub(crate) fn end(record: &ThreadRecord) {
    if let Some(flag) = flag(record) {
        flag.store(0, Ordering::Relaxed);
    }
}

/// Another thread that waits for `fd`.
pub(crate) fn other_that_polls(me: &ThreadRecord, fd: c_int) -> Option<ThreadId> {
    let mine = me.id().place();
    let words = POLLING.0.as_ptr().cast::<u64>();
    for word in 0..HIGHEST.load(Ordering::Relaxed).div_ceil(8) {
        // SAFETY: within the aligned array; a byte that changes meanwhile is seen before or after.
        if unsafe { words.add(word).read_volatile() } == 0 {
            continue;
        }
        for place in word * 8..word * 8 + 8 {
            let flag = &POLLING.0[place];
            if place != mine && flag.load(Ordering::Relaxed) != 0 {
                let other = process::recording()?.at(place)?;
                if is_so_during_one_call(other, flag, || waits_for(other, fd)) {
                    return Some(other.id());
                }
            }
        }
    }
    None
}

/// Whether `look` finds it, and the other thread was in one call all the while: once that has returned, something else is where its arrays
/// were.
fn is_so_during_one_call(other: &ThreadRecord, flag: &AtomicU8, look: impl FnOnce() -> bool) -> bool {
    let begun = other.begun();
    look() && flag.load(Ordering::Acquire) != 0 && other.begun() == begun
}

fn waits_for(other: &ThreadRecord, fd: c_int) -> bool {
    let Some((operation, count, object)) = other.inside() else { return false };
    if operation == POLL {
        // A few at a time: this may be a signal handler on a small stack.
        let mut some = [libc::pollfd { fd: -1, events: 0, revents: 0 }; 32];
        let count = (count.max(0) as usize).min(MOST);
        (0..count).step_by(some.len()).any(|first| {
            let known = some.len().min(count - first);
            let address = object as usize + first * size_of::<libc::pollfd>();
            memory::read(address, &mut some[..known]) && some[..known].iter().any(|one| one.fd == fd)
        })
    } else if operation == SELECT && fd < count && (fd as usize) < libc::FD_SETSIZE {
        let mut sets = [0_usize; 3];
        memory::read(object as usize, &mut sets)
            && sets.iter().any(|set| {
                let mut byte = [0_u8];
                *set != 0 && memory::read(set + fd as usize / 8, &mut byte) && byte[0] & 1 << (fd % 8) != 0
            })
    } else {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftsan::recording::{Begun, PENDING, Recording};

    #[test]
    fn what_is_read_of_another_thread_counts_if_it_was_in_one_call_all_the_while() {
        // SAFETY: zeroed memory is a valid recording, and it is never freed.
        let recording: &Recording = unsafe { &*std::alloc::alloc_zeroed(std::alloc::Layout::new::<Recording>()).cast() };
        let other = recording.enter(1, [0; 2]).unwrap();
        let flag = AtomicU8::new(0);
        let poll = || {
            let begun = other.begin(SELECT, 7, None, 0, PENDING, || 0);
            flag.store(1, Ordering::Relaxed);
            begun
        };
        let returns = |begun: Begun<'_>| {
            flag.store(0, Ordering::Relaxed);
            begun.end(0);
        };
        let first = poll();
        assert!(is_so_during_one_call(other, &flag, || true));
        assert!(!is_so_during_one_call(other, &flag, || false));
        assert!(!is_so_during_one_call(other, &flag, || {
            returns(first);
            true
        }));
        let second = poll();
        assert!(!is_so_during_one_call(other, &flag, || {
            returns(second);
            poll();
            true
        }));
        assert!(is_so_during_one_call(other, &flag, || true));
    }
}
