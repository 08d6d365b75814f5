//! Python stacks, read without creating frame objects: what is on a thread's stack, and what a suspended coroutine awaits.
//!
//! Reading the own stack is safe at any time; another thread's only while the world is stopped ([`crate::interpreter::world`]).

use crate::interpreter::offsets::{self, OWNED_BY_GENERATOR, OWNED_BY_INTERPRETER, Offsets, STACKREF_NO_OBJECT, STACKREF_TAG};
use crate::interpreter::thread_state;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many frames of a stack are kept at most.
pub(crate) const DEEPEST: usize = 96;

/// One frame: a code object (borrowed) and the offset of the current instruction in code units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct RawFrame {
    pub(crate) code: usize,
    pub(crate) offset: u32,
}

/// Where a frame of a thread is: the code object, which is none for an entry frame, and the address of the instruction.  Much cheaper to
/// read than a [`RawFrame`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) code: usize,
    pub(crate) instruction: usize,
}

/// A stack in a fixed place: nothing is allocated while it is filled.
#[derive(Clone, Copy)]
pub(crate) struct RawStack {
    frames: [RawFrame; DEEPEST],
    len: usize,
}

impl Default for RawStack {
    fn default() -> Self {
        RawStack { frames: [RawFrame::default(); DEEPEST], len: 0 }
    }
}

impl RawStack {
    pub(crate) fn push(&mut self, frame: RawFrame) -> bool {
        let fits = self.len < DEEPEST;
        if fits {
            self.frames[self.len] = frame;
            self.len += 1;
        }
        fits
    }

    pub(crate) fn frames(&self) -> &[RawFrame] {
        &self.frames[..self.len]
    }
}

/// An `_PyInterpreterFrame` on the stack of a thread.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    address: *const u8,
    offsets: &'a Offsets,
}

impl Frame<'_> {
    #[inline]
    unsafe fn read<T: Copy>(self, offset: usize) -> T {
        // SAFETY: the caller guarantees a live frame; the offset is published or verified for a field of this type.
        unsafe { self.address.add(offset).cast::<T>().read() }
    }

    /// Whether C called Python here.
    #[inline]
    pub(crate) fn is_entry(self) -> bool {
        // SAFETY: see `read`; a Frame is only made of live frames.
        unsafe { self.read::<u8>(self.offsets.frame_owner) == OWNED_BY_INTERPRETER }
    }

    /// Whose it is, and the byte after that: see [`crate::interpreter::frame_marks`].
    #[inline(always)]
    pub(crate) fn owner_and_visited(self) -> [u8; 2] {
        // SAFETY: see `read`; `owner` is not the last byte.
        unsafe { self.read(self.offsets.frame_owner) }
    }

    /// Writes the byte after `owner`.
    ///
    /// # Safety
    /// A frame of the calling thread; the byte is [`crate::interpreter::frame_marks`]'s.
    pub(crate) unsafe fn set_visited(self, mark: u8) {
        // SAFETY: passed on.
        unsafe { self.address.cast_mut().add(self.offsets.frame_owner + 1).write(mark) };
    }

    /// What tells it from the other frames of its thread.
    pub(crate) fn address(self) -> usize {
        self.address as usize
    }

    /// Whether a local variable or a value on its stack is of this type: the iterator of a `for` is.
    pub(crate) fn has_a(self, class: *mut ffi::PyTypeObject) -> bool {
        // SAFETY: what a frame has is alive.
        self.has_such(|object| unsafe { ffi::Py_TYPE(object) == class })
    }

    /// Whether this is the frame of a coroutine or generator, which keeps it inside itself.
    pub(crate) fn is_of_any_generator(self) -> bool {
        self.owner_and_visited()[0] == OWNED_BY_GENERATOR
    }

    /// Whether it has the coroutine or generator that another frame is of: it awaits it.
    pub(crate) fn has_generator_of(self, inner: Frame<'_>) -> bool {
        self.has_such(|object| inner.is_of_generator(object))
    }

    fn has_such(self, is_such: impl Fn(*mut ffi::PyObject) -> bool) -> bool {
        if self.is_entry() {
            return false;
        }
        // SAFETY: see `read`; what is between the first local variable and the top of the stack are references, or null.
        unsafe {
            let first = self.address.add(self.offsets.frame_localsplus).cast::<usize>();
            let top: *const usize = self.read(self.offsets.frame_stackpointer);
            let count = usize::try_from(top.offset_from(first)).unwrap_or(0);
            (0..count).any(|at| object_of(first.add(at).read()).is_some_and(&is_such))
        }
    }

    /// Where it is.
    #[inline(always)]
    pub(crate) fn position(self) -> Position {
        // SAFETY: see `read`.
        unsafe {
            let code = self.read::<usize>(self.offsets.frame_executable) & !STACKREF_TAG;
            Position { code, instruction: self.read(self.offsets.frame_instr_ptr) }
        }
    }

    /// Which copy of its code runs: 0 is the one in the code object.
    #[cfg(Py_GIL_DISABLED)]
    pub(crate) fn copy(self) -> i32 {
        // SAFETY: see `read`.
        unsafe { self.read(self.offsets.frame_tlbc_index) }
    }

    /// There is only the one in the code object.
    #[cfg(not(Py_GIL_DISABLED))]
    pub(crate) fn copy(self) -> i32 {
        0
    }

    /// The code object and position, unless this is an entry frame, has none, or is one that tracebacks do not show either.
    pub(crate) fn raw(self) -> Option<RawFrame> {
        if self.is_entry() {
            return None;
        }
        // SAFETY: see `read`.
        let code = unsafe { object_of(self.read::<usize>(self.offsets.frame_executable)) }?;
        // SAFETY: `object_of` gives live objects.
        if unsafe { ffi::PyCode_Check(code) } == 0 || is_shim(code as usize) {
            return None;
        }
        // SAFETY: see `read`; a live code object.
        unsafe {
            let instruction: usize = self.read(self.offsets.frame_instr_ptr);
            let start = self.first_instruction(code);
            Some(RawFrame { code: code as usize, offset: (instruction.wrapping_sub(start) / 2) as u32 })
        }
    }

    /// Address of the first instruction of the copy of the code that this frame runs.
    ///
    /// # Safety
    /// The frame's code object.
    #[cfg(Py_GIL_DISABLED)]
    unsafe fn first_instruction(self, code: *mut ffi::PyObject) -> usize {
        // SAFETY: see `read`; every code object of a free-threaded build has the array of its thread-local copies.
        unsafe {
            let copies = code.cast::<u8>().add(self.offsets.code_tlbc).cast::<*const usize>().read();
            // struct _PyCodeArray { Py_ssize_t size; char *entries[]; }, Include/cpython/code.h
            copies.add(1 + self.copy() as usize).read()
        }
    }

    /// Address of the first instruction: builds with the GIL have no copies.
    ///
    /// # Safety
    /// The frame's code object.
    #[cfg(not(Py_GIL_DISABLED))]
    unsafe fn first_instruction(self, code: *mut ffi::PyObject) -> usize {
        code as usize + self.offsets.code_adaptive
    }

    /// The value of a local variable that is not a cell, borrowed.
    pub(crate) fn local(self, index: usize) -> Option<*mut ffi::PyObject> {
        // SAFETY: see `read`; the caller knows that the code object has this many locals.
        unsafe { object_of(self.read::<usize>(self.offsets.frame_localsplus + index * size_of::<usize>())) }
    }

    /// The global variables of the function, borrowed; null if it is not known where frames have them.
    pub(crate) fn globals(self) -> *mut ffi::PyObject {
        match GLOBALS.load(Ordering::Relaxed) {
            0 => std::ptr::null_mut(),
            // SAFETY: see `read`; found to be there.
            after => unsafe { self.read(self.offsets.frame_previous + after) },
        }
    }

    /// Whether this is the frame of that coroutine or generator, which keeps it inside itself.
    pub(crate) fn is_of_generator(self, generator: *mut ffi::PyObject) -> bool {
        self.address as usize == generator as usize + self.offsets.gen_iframe
    }

    /// Whether the first local variable, which is the first argument if there is one, is this object.  In a function without local
    /// variables this may be anything that lay there: ask what function it is.
    pub(crate) fn first_argument_is(self, object: *mut ffi::PyObject) -> bool {
        if self.is_entry() {
            return false;
        }
        match self.local(0) {
            // SAFETY: a local variable is null or alive.
            Some(cell) if unsafe { ffi::Py_TYPE(cell) == &raw mut ffi::PyCell_Type } => {
                // PyCellObject, Include/cpython/cellobject.h: the content follows the header.
                // SAFETY: just checked to be a cell.
                unsafe { cell.add(1).cast::<*mut ffi::PyObject>().read() == object }
            }
            first => first == Some(object),
        }
    }

    /// What the frame of a generator that is awaiting awaits, borrowed.
    ///
    /// # Safety
    /// It is awaiting, and stays so.
    pub(crate) unsafe fn awaited(self) -> Option<*mut ffi::PyObject> {
        // SAFETY: see `read`; a suspended frame has its stack pointer saved and the awaited object below it.
        unsafe {
            let top: *const usize = self.read(self.offsets.frame_stackpointer);
            object_of(top.sub(self.offsets.unpublished.awaited_depth).read())
        }
    }
}

unsafe extern "C" {
    // Include/internal/pycore_code.h
    static _Py_InitCleanup: ffi::PyObject;
}

/// Whether it is the code that runs below an inlined `__init__` to look at its result: no traceback shows it.
pub(crate) fn is_shim(code: usize) -> bool {
    code == (&raw const _Py_InitCleanup) as usize
}

/// What is on the evaluation stack of the calling thread's innermost frame, at this depth from 1, borrowed.
///
/// # Safety
/// Attached, and called from an instruction that has saved the stack pointer; the stack is that deep.
#[inline]
pub(crate) unsafe fn on_top_of_stack(depth: usize) -> Option<*mut ffi::PyObject> {
    // SAFETY: passed on.
    unsafe { stack_at(thread_state::own(), offsets::get(), depth) }
}

/// The same where it is quick to find; `None` also where it is not.  No call is made.
///
/// # Safety
/// As [`on_top_of_stack`].
#[inline(always)]
pub(crate) unsafe fn plainly_on_top_of_stack(depth: usize) -> Option<*mut ffi::PyObject> {
    // SAFETY: passed on.
    unsafe { stack_at(thread_state::own_at_place()?, offsets::loaded()?, depth) }
}

/// # Safety
/// As [`on_top_of_stack`], with the calling thread's state.
#[inline(always)]
unsafe fn stack_at(thread: *mut ffi::PyThreadState, offsets: &Offsets, depth: usize) -> Option<*mut ffi::PyObject> {
    // SAFETY: passed on; a running thread has a frame.
    unsafe {
        let frame = thread.cast::<u8>().add(offsets.thread_current_frame).cast::<*const u8>().read();
        let top = frame.add(offsets.frame_stackpointer).cast::<*const usize>().read();
        object_of(top.sub(depth).read())
    }
}

/// The instruction that the calling thread's innermost frame is at, in the copy of the code that it runs.
///
/// # Safety
/// Attached, and in Python code.
#[inline]
pub(crate) unsafe fn instruction() -> *mut u16 {
    let offsets = offsets::get();
    // SAFETY: passed on; a running thread has a frame.
    unsafe {
        let thread = thread_state::own().cast::<u8>();
        let frame = thread.add(offsets.thread_current_frame).cast::<*const u8>().read();
        frame.add(offsets.frame_instr_ptr).cast::<*mut u16>().read()
    }
}

/// What a local variable of the calling thread's innermost frame holds, borrowed.
///
/// # Safety
/// Attached, and in Python code that has so many variables.
pub(crate) unsafe fn local(index: usize) -> Option<*mut ffi::PyObject> {
    let offsets = offsets::get();
    // SAFETY: passed on; a running thread has a frame.
    unsafe {
        let thread = thread_state::own().cast::<u8>();
        let frame = thread.add(offsets.thread_current_frame).cast::<*const u8>().read();
        object_of(frame.add(offsets.frame_localsplus).cast::<usize>().add(index).read())
    }
}

/// Where a frame has its globals, in bytes after `previous`; 0 if that is not known.
static GLOBALS: AtomicUsize = AtomicUsize::new(0);

/// `previous` is followed by `f_funcobj` and `f_globals` (`Include/internal/pycore_interpframe_structs.h`), if it is so here.
///
/// # Safety
/// Attached, called by Python code.
unsafe fn find_globals() {
    const AFTER: usize = 2 * size_of::<usize>();
    // SAFETY: passed on; a frame has more fields than these.
    unsafe {
        if let Some(frame) = own().find(|frame| !frame.is_entry())
            && frame.read::<usize>(frame.offsets.frame_previous + AFTER) == ffi::PyEval_GetGlobals() as usize
        {
            GLOBALS.store(AFTER, Ordering::Relaxed);
        }
    }
}

/// Where a frame has its globals, in bytes, if that is known.
pub(crate) fn globals_offset() -> Option<usize> {
    let after = GLOBALS.load(Ordering::Relaxed);
    (after != 0).then(|| offsets::get().frame_previous + after)
}

/// The globals of the code that runs, borrowed; null if there is none.
///
/// # Safety
/// Attached, and in Python code.
#[inline]
pub(crate) unsafe fn globals() -> *mut ffi::PyObject {
    let (offsets, after) = (offsets::get(), GLOBALS.load(Ordering::Relaxed));
    // SAFETY: passed on; a running thread has a frame.
    unsafe {
        if after == 0 {
            return ffi::PyEval_GetGlobals();
        }
        let thread = thread_state::own().cast::<u8>();
        let frame = thread.add(offsets.thread_current_frame).cast::<*const u8>().read();
        frame.add(offsets.frame_previous + after).cast::<*mut ffi::PyObject>().read()
    }
}

/// The object that a reference on a frame refers to (`_PyStackRef`); `None` if it is null, or no object.
#[inline(always)]
pub(crate) fn object_of(stackref: usize) -> Option<*mut ffi::PyObject> {
    let is_object = stackref & STACKREF_NO_OBJECT == 0 && stackref > STACKREF_TAG;
    is_object.then_some((stackref & !STACKREF_TAG) as *mut ffi::PyObject)
}

/// The frame that a coroutine or generator keeps inside itself.
///
/// # Safety
/// One that is not finished, and stays so.
pub(crate) unsafe fn of_generator(generator: *mut ffi::PyObject) -> Frame<'static> {
    let offsets = offsets::get();
    // SAFETY: inside the object.
    Frame { address: unsafe { generator.cast::<u8>().add(offsets.gen_iframe) }, offsets }
}

/// The frames of a thread, innermost first, entry frames included.
///
/// # Safety
/// `thread` is the calling thread's state, or the world is stopped and it is a live thread's.
#[inline]
pub(crate) unsafe fn of_thread(thread: *mut ffi::PyThreadState) -> impl Iterator<Item = Frame<'static>> {
    let offsets = offsets::get();
    // SAFETY: a live thread state; its frames form a list that ends in null.
    let first = unsafe { thread.cast::<u8>().add(offsets.thread_current_frame).cast::<*const u8>().read() };
    let frame = move |address: *const u8| (!address.is_null()).then_some(Frame { address, offsets });
    std::iter::successors(frame(first), move |current| {
        // SAFETY: as above.
        frame(unsafe { current.read(offsets.frame_previous) })
    })
}

/// The frames of the calling thread, as [`of_thread`] has them.
///
/// # Safety
/// Attached.
#[inline(always)]
pub(crate) unsafe fn own() -> impl Iterator<Item = Frame<'static>> {
    // SAFETY: passed on.
    unsafe { of_thread(thread_state::own()) }
}

/// The stack of the calling thread.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn own_stack() -> RawStack {
    // SAFETY: passed on.
    unsafe { stack_of(thread_state::own()) }
}

/// The stack of a thread.
///
/// # Safety
/// As [`of_thread`].
pub(crate) unsafe fn stack_of(thread: *mut ffi::PyThreadState) -> RawStack {
    let mut stack = RawStack::default();
    // SAFETY: passed on.
    for raw in unsafe { of_thread(thread) }.filter_map(Frame::raw) {
        if !stack.push(raw) {
            break;
        }
    }
    stack
}

/// `threading.get_ident()` of a thread and the kernel's id of it.
///
/// # Safety
/// `thread` is a live thread's state.
pub(crate) unsafe fn identity_of(thread: *mut ffi::PyThreadState) -> (u64, u64) {
    let offsets = offsets::get();
    // SAFETY: both are unsigned longs, Include/cpython/pystate.h.
    unsafe {
        let field = |offset: usize| thread.cast::<u8>().add(offset).cast::<u64>().read();
        (field(offsets.thread_ident), field(offsets.thread_native_id))
    }
}

/// Compares the stack as read here with what the public API says of it.
pub(crate) fn verify(py: Python<'_>) -> Result<(), String> {
    // SAFETY: attached (there is a `py`), so there is a current thread state; frame objects are released below.
    unsafe {
        let stack = stack_of(ffi::PyThreadState_Get());
        let mut frame = ffi::PyEval_GetFrame();
        ffi::Py_XINCREF(frame.cast());
        let mut depth = 0;
        while !frame.is_null() {
            let code = ffi::PyFrame_GetCode(frame);
            let expected = RawFrame { code: code as usize, offset: (ffi::PyFrame_GetLasti(frame) / 2) as u32 };
            ffi::Py_DECREF(code.cast());
            if depth < DEEPEST && stack.frames().get(depth) != Some(&expected) {
                ffi::Py_DECREF(frame.cast());
                return Err(format!("frame {depth} of the stack is not where the debug offsets say"));
            }
            let back = ffi::PyFrame_GetBack(frame);
            ffi::Py_DECREF(frame.cast());
            frame = back;
            depth += 1;
        }
        let _ = py;
        find_globals();
        if depth == 0 { Err("there is no Python frame to verify the layout with".to_owned()) } else { Ok(()) }
    }
}
