//! Whether a suspicion about descriptors is true: what the other thread does now, or did when a thread without Python suspected it.

use crate::evidence::deferred::{self, Deferred};
use crate::thread::context::{native_id, scheduled};
use crate::thread::registry;
use ftsan::descriptors::Suspicion;
use ftsan::recording::operation::{CLOSE, EPOLL_CTL, EPOLL_WAIT, Operation, POLL, SELECT};
use ftsan::recording::{Recording, ThreadId, ThreadRecord};
use libc::c_int;
use std::time::Duration;

/// Whether a thread is blocked in the call that it is in.  One that runs may be on its way out: whoever wakes another thread up with a byte is
/// often still in its `send` when the other one, which took its processor, goes on.  It gets the time to leave.
pub(super) fn is_blocked(record: &ThreadRecord) -> bool {
    let call = record.begun();
    for _ in 0..20 {
        if record.begun() != call || record.inside().is_none() {
            return false;
        }
        if scheduled(record.native_id()).is_none_or(|thread| matches!(thread.state, b'S' | b'D')) {
            return true;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    // It wants to run all the time, and a busy machine does not let it.
    false
}

/// Whether the thread that is suspected to be in a call on this descriptor is there.
pub(super) fn still_true(
    recording: &Recording,
    suspicion: &Suspicion,
    fd: c_int,
    is_blocked: &dyn Fn(&ThreadRecord) -> bool,
) -> bool {
    let inside = |by: ThreadId, holds: &dyn Fn(Operation, i32, u64) -> bool| {
        let record = recording.thread(by).filter(|record| record.is_live());
        record.and_then(|record| record.inside()).is_some_and(|(operation, on, object)| holds(operation, on, object))
    };
    let blocked = |by: ThreadId| recording.thread(by).is_some_and(is_blocked);
    match *suspicion {
        Suspicion::ClosedWhileUsed { by } => {
            inside(by, &|operation, on, _| on == fd && operation != CLOSE || operation == POLL || operation == SELECT)
                && blocked(by)
        }
        Suspicion::Shared { by, epoll } => inside(by, &|operation, on, _| operation == EPOLL_WAIT && on == epoll),
        Suspicion::ClosedWhilePolled { by, epoll, .. } => {
            inside(by, &|operation, on, _| operation == EPOLL_WAIT && on == epoll) || runs_a_loop(recording, by)
        }
        // Data that fits is sent as a whole: only a thread that is blocked has sent a part, and is to send the rest.
        Suspicion::Interleaved { by, .. } => inside(by, &|operation, on, _| on == fd && operation != EPOLL_CTL) && blocked(by),
        Suspicion::RegisteredByTwo { by, mark } => {
            mark.stack != 0 || inside(by, &|operation, on, _| operation == EPOLL_CTL && on == fd)
        }
        // A thread that has ended will not restore it: it is the other's now.
        Suspicion::RedirectedByTwo { redirected } => recording.thread(redirected.thread).is_some_and(ThreadRecord::is_live),
        Suspicion::Reused { .. } | Suspicion::DoubleClose { .. } | Suspicion::Reaped { .. } => true,
    }
}

/// The thread whose present call makes a suspicion true.
pub(super) fn other_in_a_call(suspicion: &Suspicion) -> Option<ThreadId> {
    match *suspicion {
        Suspicion::ClosedWhileUsed { by }
        | Suspicion::ClosedWhilePolled { by, .. }
        | Suspicion::Shared { by, .. }
        | Suspicion::Interleaved { by, .. } => Some(by),
        Suspicion::RegisteredByTwo { by, mark } => (mark.stack == 0).then_some(by),
        Suspicion::Reused { .. } | Suspicion::DoubleClose { .. } | Suspicion::Reaped { .. } | Suspicion::RedirectedByTwo { .. } => {
            None
        }
    }
}

/// Whether what was suspected was so, and can still be shown.
pub(super) fn is_true_of(recording: &Recording, deferred: &Deferred) -> bool {
    let suspicion = &deferred.suspicion;
    let is_same_call = other_in_a_call(suspicion)
        .is_none_or(|by| recording.thread(by).is_some_and(|record| record.is_live() && record.begun() == deferred.call));
    match *suspicion {
        // A loop comes back to its poll.
        Suspicion::ClosedWhilePolled { by, .. } => {
            still_true(recording, suspicion, deferred.fd, &is_blocked) || has_just_polled(recording, deferred, by)
        }
        Suspicion::ClosedWhileUsed { .. }
        | Suspicion::Shared { .. }
        | Suspicion::Interleaved { .. }
        | Suspicion::RegisteredByTwo { .. }
        | Suspicion::Reused { .. }
        | Suspicion::DoubleClose { .. }
        | Suspicion::Reaped { .. }
        | Suspicion::RedirectedByTwo { .. } => is_same_call && still_true(recording, suspicion, deferred.fd, &is_blocked),
    }
}

/// Whether the calling thread was polling when the other one made its call, and has come from there: it has made no other call since, and is
/// the first that comes by, which is the first thing that it does.
pub(super) fn has_just_polled(recording: &Recording, deferred: &Deferred, by: ThreadId) -> bool {
    deferred.was_polling
        && deferred::times() == deferred.times.wrapping_add(1)
        && recording.thread(by).is_some_and(|record| record.native_id() == native_id() && record.begun() == deferred.call)
}

/// Whether a thread runs a loop of asyncio, which polls what it has registered whenever it has nothing else to do.
pub(super) fn runs_a_loop(recording: &Recording, by: ThreadId) -> bool {
    recording.thread(by).is_some_and(|record| registry::get().loops.runs_asyncio(record.native_id()))
}
