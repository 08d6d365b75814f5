//! `_thread.lock` and `_thread.RLock`, and what is known of each of them.
//!
//! `lockobject` and `rlockobject` are in `Modules/_threadmodule.c`: after the header a `PyMutex`, which is one byte, and in an RLock
//! two words more.  The seven bytes in between are padding.  They are zero in a new object, nobody reads or writes them, and so a lock
//! carries there what we know of it: its id and its marks are its own for as long as it lives, and cost no look-up.

use ftsan::locks::LockId;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// The beginning of both types of locks.
#[repr(C)]
pub(crate) struct Lock {
    header: UnsafeCell<ffi::PyObject>,
    mutex: AtomicU8,
    listed: AtomicU8,
    marks: AtomicU8,
    unused: AtomicU8,
    id: AtomicU32,
}

/// `_thread.RLock`.
#[repr(C)]
struct ReentrantLock {
    lock: Lock,
    thread: AtomicU64,
    level: AtomicUsize,
}

/// Where an object of either type has its mutex, and an RLock the identity of the thread that holds it.
pub(crate) const MUTEX: usize = std::mem::offset_of!(Lock, mutex);
pub(crate) const OWNER: usize = std::mem::offset_of!(ReentrantLock, thread);

/// `_Py_LOCKED`, `Include/internal/pycore_lock.h`.
pub(crate) const LOCKED: u8 = 1;

/// Whether locks are watched.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// The plain type, which so lives on.
static PLAIN: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// What is known of a lock beside its id and its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    /// It was released by another thread than the one that acquired it: it is a signal, and nobody's.
    Signal = 1,
    /// Something is known of its order to other locks.
    Ordered = 2,
    /// The thread that had acquired it has released it, or is bound to by a `with` statement: it is a lock, and no signal.
    Owned = 4,
}

/// Whether the thread that holds a lock knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Listed {
    /// Nobody holds it, or its holder is not to know.
    No,
    /// It does.
    Yes,
    /// It has no room for it.
    Beyond,
}

impl Lock {
    /// # Safety
    /// `object` is of a type that was given to [`verify`] or a subclass of it, and stays alive for as long as the result is used.
    #[inline(always)]
    pub(crate) unsafe fn of<'a>(object: *mut ffi::PyObject) -> &'a Lock {
        // SAFETY: the caller's guarantee; the fields behind the header are only accessed atomically.
        unsafe { &*object.cast::<Lock>() }
    }

    /// As [`of`](Self::of), if locks are watched.
    ///
    /// # Safety
    /// `object` is a lock of either type or a subclass, and stays alive for as long as the result is used.
    #[inline(always)]
    pub(crate) unsafe fn watched<'a>(object: *mut ffi::PyObject) -> Option<&'a Lock> {
        // SAFETY: passed on; both types were verified before.
        WATCHED.load(Ordering::Relaxed).then(|| unsafe { Self::of(object) })
    }

    /// As [`watched`](Self::watched), of any object: nothing unless it is a plain lock of the main interpreter.
    ///
    /// # Safety
    /// `object` is alive, and stays so for as long as the result is used.
    pub(crate) unsafe fn plain<'a>(object: *mut ffi::PyObject) -> Option<&'a Lock> {
        // SAFETY: a live object has a type; this one was verified.
        unsafe { std::ptr::eq(ffi::Py_TYPE(object).cast(), PLAIN.load(Ordering::Relaxed)).then(|| Self::of(object)) }
    }

    /// Whether it may be acquired again by the thread that holds it.
    #[inline(always)]
    pub(crate) fn is_reentrant(&self) -> bool {
        // The plain type has no subclasses, but there is one in each interpreter.
        // SAFETY: a live object has a live type.
        unsafe { (*ffi::Py_TYPE(self.header.get())).tp_basicsize as usize > size_of::<Lock>() }
    }

    /// Whether the thread that holds it, which must be the calling one, has acquired it more than once.
    #[inline(always)]
    pub(crate) fn is_nested(&self) -> bool {
        // SAFETY: not of the type that is smaller.
        self.is_reentrant() && unsafe { self.level() } != 0
    }

    /// # Safety
    /// It is an RLock.
    #[inline(always)]
    unsafe fn level(&self) -> usize {
        // SAFETY: the caller's guarantee.
        unsafe { (*std::ptr::from_ref(self).cast::<ReentrantLock>()).level.load(Ordering::Relaxed) }
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.mutex.load(Ordering::Relaxed) & LOCKED != 0
    }

    /// 0 if it was not asked for one yet.
    #[inline(always)]
    pub(crate) fn id(&self) -> LockId {
        self.id.load(Ordering::Relaxed)
    }

    /// Its id; 0 if there have been too many.
    #[inline]
    pub(crate) fn id_or_new(&self) -> LockId {
        match self.id() {
            0 => self.new_id(),
            id => id,
        }
    }

    #[cold]
    fn new_id(&self) -> LockId {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let next = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1));
        let Ok(id) = next.map(|last| last + 1) else { return 0 };
        self.id.compare_exchange(0, id, Ordering::Relaxed, Ordering::Relaxed).map_or_else(|known| known, |_| id)
    }

    #[inline(always)]
    pub(crate) fn is(&self, mark: Mark) -> bool {
        self.marks.load(Ordering::Relaxed) & mark as u8 != 0
    }

    pub(crate) fn mark(&self, mark: Mark) {
        self.marks.fetch_or(mark as u8, Ordering::Relaxed);
    }

    /// As its holder, or the thread that takes it from its holder, has said.
    #[inline(always)]
    pub(crate) fn listed(&self) -> Listed {
        [Listed::No, Listed::Yes, Listed::Beyond][usize::from(self.listed.load(Ordering::Relaxed)) % 3]
    }

    #[inline(always)]
    pub(crate) fn list(&self, listed: Listed) {
        self.listed.store(listed as u8, Ordering::Relaxed);
    }

    fn is_blank(&self) -> bool {
        let padding = [&self.listed, &self.marks, &self.unused];
        self.id() == 0 && padding.iter().all(|byte| byte.load(Ordering::Relaxed) == 0)
    }
}

/// The types of locks, plain and reentrant, after a look at one of each.
pub(crate) fn verify<'py>(module: &Bound<'py, PyModule>) -> PyResult<[Bound<'py, PyType>; 2]> {
    let wrong = |what: &str| PyRuntimeError::new_err(format!("_thread.{what} does not look as expected"));
    let class = |name: &str| -> PyResult<Bound<'py, PyType>> { Ok(module.getattr(name)?.cast_into::<PyType>()?) };
    let (plain, reentrant) = (class("lock")?, class("RLock")?);
    for (class, size) in [(&plain, size_of::<Lock>()), (&reentrant, size_of::<ReentrantLock>())] {
        let name = class.name()?.to_string();
        if class.getattr("__basicsize__")?.extract::<usize>()? != size {
            return Err(wrong(&name));
        }
        let object = class.call0()?;
        // SAFETY: an object of this size that nobody else knows.
        let lock = unsafe { Lock::of(object.as_ptr()) };
        let was_new = lock.is_blank() && !lock.is_locked();
        lock.mark(Mark::Signal);
        object.call_method0("acquire")?;
        let was_locked = lock.is_locked();
        object.call_method0("release")?;
        let is_kept = lock.is(Mark::Signal) && lock.id() == 0 && !lock.is_locked();
        if !was_new || !was_locked || !is_kept {
            return Err(wrong(&name));
        }
    }
    let object = reentrant.call0()?;
    let mut levels = Vec::new();
    for method in ["acquire", "acquire", "release", "release"] {
        object.call_method0(method)?;
        // SAFETY: as above, and an RLock.
        levels.push(unsafe { Lock::of(object.as_ptr()).level() });
    }
    if levels == [0, 1, 0, 0] { Ok([plain, reentrant]) } else { Err(wrong("RLock")) }
}

/// Whether objects of this type are locks as they are here: plain or reentrant ones of `_thread`.
pub(crate) fn is_of_python(class: &Bound<'_, PyAny>) -> PyResult<bool> {
    let module = class.py().import("_thread")?;
    Ok(class.is(&module.getattr("lock")?) || class.is(&module.getattr("RLock")?))
}

/// Locks are watched from now on; [`verify`] has given the plain type.
pub(crate) fn begin(plain: Bound<'_, PyType>) {
    PLAIN.store(plain.into_ptr(), Ordering::Relaxed);
    WATCHED.store(true, Ordering::Relaxed);
}
