//! Beside the objects, in a table by address: builds with the GIL have no bits to spare.
//!
//! `ob_flags` is a part of the reference count there: code that compares all 64 bits of it with 0, as PyO3 does, would never free
//! an object with a bit set.  An entry of 16 bits stands for 16 bytes of memory.  The tracer of references
//! (`PyRefTracer_SetTracer`) hears of each birth and writes the number of the thread there, without bits.  The interpreter has one
//! place for a tracer; one that was there, or comes later, is called by ours ([`keep`]).
//!
//! An object that was made before has no maker: it is nobody's own.

use super::common::{CREATE, ESCAPED, PyRefTracer_GetTracer, PyRefTracer_SetTracer, Tracer, thread_id};
use ftsan::races;
use pyo3::ffi;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU16, AtomicUsize, Ordering};

/// The lower bits of an entry; those above are the bits of the object.
const MAKER: u16 = 0x0FFF;
/// Objects are at multiples of this: `ALIGNMENT`, Objects/obmalloc.c.
const ALIGNMENT: usize = 16;
/// A chunk of the table stands for so much memory.
const CHUNK: usize = 1 << 26;
/// As far as the kernel gives addresses to programs that do not ask for more.
const CHUNKS: usize = (1 << 48) / CHUNK;

static TABLE: [AtomicPtr<AtomicU16>; CHUNKS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS];
/// By number, the threads (as [`thread_id`] names them) that have made objects.  Number 0 is none.
static THREADS: [AtomicUsize; MAKER as usize + 1] = [const { AtomicUsize::new(0) }; MAKER as usize + 1];
/// How many places of it a thread looks at before it goes without a number.
const PROBES: usize = 32;
static IS_BEGUN: AtomicBool = AtomicBool::new(false);
/// An object has no entry, for lack of memory.
static IS_INCOMPLETE: AtomicBool = AtomicBool::new(false);

#[inline(always)]
fn entry<'a>(object: *mut ffi::PyObject) -> Option<&'a AtomicU16> {
    let chunk = TABLE.get(object as usize / CHUNK)?.load(Ordering::Acquire);
    // SAFETY: a chunk has an entry for each place in it, and is never freed.
    (!chunk.is_null()).then(|| unsafe { &*chunk.add(object as usize % CHUNK / ALIGNMENT) })
}

#[inline(always)]
fn entry_or_new<'a>(object: *mut ffi::PyObject) -> Option<&'a AtomicU16> {
    entry(object).or_else(|| {
        make_chunk(object as usize / CHUNK);
        entry(object)
    })
}

#[cold]
fn make_chunk(number: usize) {
    let len = CHUNK / ALIGNMENT * size_of::<AtomicU16>();
    // SAFETY: new memory, zero, most of which is never touched; given back if another interpreter's thread was faster.
    unsafe {
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
        let chunk = libc::mmap(std::ptr::null_mut(), len, access, flags, -1, 0);
        if chunk == libc::MAP_FAILED || number >= CHUNKS {
            IS_INCOMPLETE.store(true, Ordering::Relaxed);
        } else if TABLE[number].compare_exchange(std::ptr::null_mut(), chunk.cast(), Ordering::AcqRel, Ordering::Acquire).is_err() {
            libc::munmap(chunk, len);
        }
    }
}

/// All the bits of an object.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn bits(object: *mut ffi::PyObject) -> u16 {
    entry(object).map_or(0, |entry| entry.load(Ordering::Acquire) & !MAKER)
}

/// Sets bits; gives all the bits there were.
///
/// # Safety
/// `object` is alive.
#[inline]
pub(crate) unsafe fn set(object: *mut ffi::PyObject, bits: u16) -> u16 {
    entry_or_new(object).map_or(0, |entry| entry.fetch_or(bits, Ordering::AcqRel) & !MAKER)
}

/// Whether only the calling thread has touched the object, which it made.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn is_private(object: *mut ffi::PyObject) -> bool {
    entry(object).is_some_and(|entry| {
        let entry = entry.load(Ordering::Relaxed);
        entry & ESCAPED == 0 && THREADS[usize::from(entry & MAKER)].load(Ordering::Relaxed) == thread_id()
    })
}

/// Whether it is, as far as one look tells, which is all that there is here.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn is_plainly_private(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { is_private(object) }
}

/// The thread that made the object, as [`thread_id`] names it; 0 if that is not known.
///
/// # Safety
/// `object` is alive.
pub(crate) unsafe fn maker(object: *mut ffi::PyObject) -> usize {
    entry(object).map_or(0, |entry| THREADS[usize::from(entry.load(Ordering::Relaxed) & MAKER)].load(Ordering::Relaxed))
}

/// `_Py_IsImmortal`, `Include/refcount.h`: nobody counts the references of what lives for ever, and nobody can change it but for classes
/// and modules, which are not among it if they are Python code's.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn is_immortal(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; the lower half of the reference count, which the attached thread alone changes.
    unsafe { AtomicI32::from_ptr(object.cast()).load(Ordering::Relaxed) < 0 }
}

/// The number of the calling thread; that of the one before it, if it is at the same address.
#[inline(always)]
fn own_number() -> u16 {
    let own = thread_id();
    let first = races::place(own as u64, 1 << 12);
    for at in first..first + PROBES {
        let number = at % usize::from(MAKER) + 1;
        let known = THREADS[number].load(Ordering::Relaxed);
        if known == own || known == 0 && take_number(number, own) {
            return number as u16;
        }
    }
    0
}

#[cold]
fn take_number(number: usize, own: usize) -> bool {
    THREADS[number].compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

/// What else traces references.  Changed attached, before and while ours is called: both words are read by the same thread.
static NEXT: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static NEXT_DATA: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

unsafe extern "C" fn traced(object: *mut ffi::PyObject, event: c_int, _: *mut c_void) -> c_int {
    if event == CREATE
        && let Some(entry) = entry_or_new(object)
    {
        entry.store(own_number(), Ordering::Release);
    }
    let next = NEXT.load(Ordering::Relaxed);
    if next.is_null() {
        return 0;
    }
    // SAFETY: a tracer that the interpreter had, or was given, with its data.
    unsafe { std::mem::transmute::<*mut c_void, Tracer>(next)(object, event, NEXT_DATA.load(Ordering::Relaxed)) }
}

fn current() -> (*mut c_void, *mut c_void) {
    let mut data = std::ptr::null_mut();
    // SAFETY: reads two words that are there for as long as the process.
    let tracer = unsafe { PyRefTracer_GetTracer(&raw mut data) };
    (tracer.map_or(std::ptr::null_mut(), |tracer| tracer as *mut c_void), data)
}

fn is_ours(tracer: *mut c_void) -> bool {
    std::ptr::eq(tracer, traced as *mut c_void)
}

/// Hears of births from now on, besides whoever does so by now.  Attached.
///
/// # Errors
/// The interpreter refused.
pub(crate) fn keep() -> Result<(), String> {
    let (tracer, data) = current();
    if is_ours(tracer) {
        return Ok(());
    }
    IS_BEGUN.store(true, Ordering::Relaxed);
    NEXT_DATA.store(data, Ordering::Relaxed);
    NEXT.store(tracer, Ordering::Relaxed);
    // SAFETY: attached.
    if unsafe { PyRefTracer_SetTracer(Some(traced), std::ptr::null_mut()) } == 0 {
        Ok(())
    } else {
        Err("births are not traced".to_owned())
    }
}

/// Whether births are still heard of, if they ever were; if not, old bits may be taken for those of a new object.
pub(crate) fn is_kept() -> bool {
    !IS_BEGUN.load(Ordering::Relaxed) || is_ours(current().0) && !IS_INCOMPLETE.load(Ordering::Relaxed)
}

/// Calls `tracer` at each birth from now on, unless somebody else traces them.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn follow_births(tracer: Tracer) {
    if NEXT.load(Ordering::Relaxed).is_null() {
        NEXT.store(tracer as *mut c_void, Ordering::Relaxed);
    }
}
