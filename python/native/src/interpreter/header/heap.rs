//! The thread whose heap an object lies in.
//!
//! The interpreter gives up counting an object's references for the thread that made it (`ob_tid` becomes 0) once another thread has let go of
//! one, and the collector is such another thread: it frees the garbage of all threads, and what that referred to is often the own thread's alone.
//! The heap still tells the maker, and the collector restores `ob_tid` from it where it can (`gc_restore_tid`, `Python/gc_free_threading.c`).
//!
//! mimalloc keeps what threads allocate in segments, each at a multiple of its size and of one thread, which its head names
//! (`mi_segment_t.thread_id`, `Include/internal/mimalloc/mimalloc/types.h`; 0 once the thread has ended, until another one takes the segment over).

use super::common::thread_id;
use crate::interpreter::{memory, types};
use pyo3::ffi;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `MI_SEGMENT_SIZE` of 64-bit machines.
const SEGMENT: usize = 32 << 20;

/// The number of the thread is among so many words at a segment's head.
const HEAD: usize = 64;

/// Which of these words it is; 0 as long as that is not known, and then nobody's heap is.
static PLACE: AtomicUsize = AtomicUsize::new(0);

/// Finds out where segments name their thread: in the only word that names the calling one, and the same in the segments of all these objects, which
/// it has made.
///
/// # Safety
/// Attached; the objects are alive.
pub(super) unsafe fn learn(made: &[*mut ffi::PyObject]) {
    let places = |object: &*mut ffi::PyObject| {
        let mut head = [0; HEAD * size_of::<usize>()];
        // SAFETY: passed on.
        let segment = unsafe { segment(*object) }?;
        // Through the kernel: a mimalloc of another kind may have nothing there.
        if !memory::read_into(segment as usize, &mut head) {
            return None;
        }
        let me = thread_id().to_ne_bytes();
        let mut places = head.chunks(me.len()).enumerate().filter(|(_, word)| *word == me).map(|(place, _)| place);
        places.next().filter(|_| places.next().is_none())
    };
    let mut found = made.iter().map(places);
    let place = found.next().flatten().filter(|place| found.all(|other| other == Some(*place)));
    PLACE.store(place.unwrap_or(0), Ordering::Relaxed);
}

/// The segment that an object lies in; `None` if it may have been allocated by something else.
///
/// # Safety
/// `object` is alive.
unsafe fn segment(object: *mut ffi::PyObject) -> Option<*const AtomicUsize> {
    // SAFETY: passed on; a live object has a live type.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let frees = (*class).tp_free.map_or(0, |frees| frees as usize);
        // An object that is freed so was allocated by `gc_alloc` (`Python/gc_free_threading.c`), which has a heap of mimalloc in each thread.
        let is_its = types::flags(class) & ffi::Py_TPFLAGS_HAVE_GC != 0
            && frees == ffi::PyObject_GC_Del as unsafe extern "C" fn(*mut c_void) as usize;
        is_its.then(|| ((object as usize - 1) & !(SEGMENT - 1)) as *const AtomicUsize)
    }
}

/// The thread whose heap the object lies in, as [`thread_id`] names it; 0 if that is not known.
///
/// # Safety
/// `object` is alive.
#[cold]
pub(super) unsafe fn thread_of(object: *mut ffi::PyObject) -> usize {
    let place = PLACE.load(Ordering::Relaxed);
    if place == 0 {
        return 0;
    }
    // SAFETY: passed on; `learn` has found the word there, and a segment is mapped as long as there are objects in it.
    unsafe { segment(object).map_or(0, |segment| (*segment.add(place)).load(Ordering::Relaxed)) }
}
