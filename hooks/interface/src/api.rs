//! What the injected library and the Python module call of each other: two tables of functions, exchanged by [`CONNECT`].
//!
//! The library never links Python, and the module never links the library: it finds that function at run time.

use ftsan::descriptors::{Descriptors, Mark, Suspicion};
use ftsan::recording::sites::{Position, Resolved, Sites};
use ftsan::recording::{Recording, ThreadRecord};

/// Changes with every change of what is here, of [`Suspicion`] or of [`Recording`].
pub const VERSION: u32 = 6;

/// Name of the function of the injected library that takes a [`PythonApi`] and gives a [`HooksApi`].
pub const CONNECT: &std::ffi::CStr = c"ftsan_hooks_connect";

/// Where the innermost frame of a thread is, and what is in it: offsets in bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct FrameOffsets {
    /// In the thread's state: pointer to the frame.
    pub current_frame: usize,
    /// In the frame: the code object, tagged.
    pub executable: usize,
    /// In the frame: address of the instruction.
    pub instruction: usize,
    /// In the frame: one byte that says what made it.
    pub owner: usize,
    /// That byte of a frame that has no code.
    pub owned_by_interpreter: u8,
    /// Bits of `executable` that are not of the address.
    pub tag: usize,
    /// In the code object: its qualified name.
    pub qualname: usize,
}

/// What the module does for the library.  All of it may be called in any thread, attached or not; nothing may allocate except
/// `suspect`, and nothing may unwind.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct PythonApi {
    /// [`VERSION`] of the module.
    pub version: u32,
    /// Where frames are.
    pub offsets: FrameOffsets,
    /// The calling thread's state, null if it has none.
    pub thread_state: unsafe extern "C" fn() -> *mut u8,
    /// Fills in the calling thread's positions, innermost first; returns how many.
    pub positions: unsafe extern "C" fn(into: *mut Position, most: usize) -> usize,
    /// Resolves a position on the calling thread's stack.
    pub resolve: unsafe extern "C" fn(position: Position, texts: &Sites) -> Resolved,
    /// Threads step on each other: report it, if it is true.  `operation` is what the caller is about to do, `mark` where.
    pub suspect: unsafe extern "C" fn(suspicion: &Suspicion, operation: u32, fd: i32, mark: Mark),
    /// The process is dying: say what its threads are doing, by `note`.  Other threads are stopped.
    pub crashed: unsafe extern "C" fn(note: unsafe extern "C" fn(bytes: *const u8, len: usize)),
    /// The calling thread asks where its stack ends, as CPython does for each thread that is to run Python code.
    pub attaching: unsafe extern "C" fn(),
    /// How long the calling thread is to be held up before its next system call: nanoseconds, 0 to go on and 1 to let others go first.
    /// `None` if threads are not held up.
    pub hold_up: Option<unsafe extern "C" fn() -> u32>,
}

/// How the module comes to know the library.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How(pub i32);

impl How {
    /// It was loaded before everything else, so calls are its own already.
    pub const PRELOADED: How = How(0);
    /// The module has loaded it: calls must be diverted.
    pub const LOADED: How = How(1);
    /// As `LOADED`, by somebody who attached to the process and will leave it.
    pub const ATTACHED: How = How(2);
}

/// What the library gives in return.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct HooksApi {
    /// [`VERSION`] of the library: a module of another one was not taken.
    pub version: u32,
    /// How many functions are hooked.
    pub hooks: u32,
    /// The recording; another one in the child of a fork.
    pub recording: unsafe extern "C" fn() -> Option<&'static Recording>,
    /// What is known of the descriptors.
    pub descriptors: Option<&'static Descriptors>,
    /// What the calling thread does from now on is not the host's and is not looked at.
    pub pause: unsafe extern "C" fn(),
    /// Ends [`HooksApi::pause`].
    pub resume: unsafe extern "C" fn(),
    /// The record of the calling thread.
    pub thread: unsafe extern "C" fn() -> Option<&'static ThreadRecord>,
    /// The process is left: calls are not diverted any more and nothing is told; or, with `false`, again.
    pub suspend: unsafe extern "C" fn(bool),
}
