//! The link to the injected library: finding it, what it gives, and what it asks of the calling thread's stack.
//!
//! What is asked may be asked of any thread, attached or not, in the middle of any system call: the functions here read the calling
//! thread's own frames and immutable parts of the code objects on them, and nothing else.

use crate::interpreter::{code_text, offsets};
use crate::thread::probe_switch;
use ftsan::descriptors::{Descriptors, FdKind, Mark, Suspicion};
use ftsan::recording::sites::{Position, Resolved, Sites};
use ftsan::recording::{Recording, ThreadRecord};
use ftsan_interface::api::{CONNECT, FrameOffsets, HooksApi, How, PythonApi, VERSION};
use libc::{c_int, c_void};
use pyo3::ffi;
use std::ffi::CString;
use std::sync::OnceLock;

/// Called where threads step on each other; see [`PythonApi::suspect`].
pub(crate) type Suspect = unsafe extern "C" fn(&Suspicion, u32, c_int, Mark);
/// Called when the process dies; see [`PythonApi::crashed`].
pub(crate) type Crashed = unsafe extern "C" fn(unsafe extern "C" fn(*const u8, usize));
/// Called before system calls; see [`PythonApi::hold_up`].
pub(crate) type HoldUp = unsafe extern "C" fn() -> u32;

/// Called in system calls that are remembered; see [`PythonApi::positions`].
pub(crate) type Positions = unsafe extern "C" fn(*mut Position, usize) -> usize;

type Connect = unsafe extern "C" fn(&PythonApi, How) -> HooksApi;

static HOOKS: OnceLock<HooksApi> = OnceLock::new();

/// The recording of this process, if the library is there.
pub(crate) fn recording() -> Option<&'static Recording> {
    // SAFETY: the library is never unloaded.
    HOOKS.get().and_then(|hooks| unsafe { (hooks.recording)() })
}

/// The calling thread's record.
pub(crate) fn thread_record() -> Option<&'static ThreadRecord> {
    // SAFETY: the library is never unloaded.
    HOOKS.get().and_then(|hooks| unsafe { (hooks.thread)() })
}

/// As long as it lives, what the calling thread does is ours and not the program's.
pub(crate) struct Paused(());

impl Paused {
    pub(crate) fn begin() -> Self {
        if let Some(hooks) = HOOKS.get() {
            // SAFETY: the library is never unloaded.
            unsafe { (hooks.pause)() };
        }
        Paused(())
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(hooks) = HOOKS.get() {
            // SAFETY: the library is never unloaded.
            unsafe { (hooks.resume)() };
        }
    }
}

/// What a descriptor is.
pub(crate) fn kind(fd: c_int) -> FdKind {
    HOOKS.get().and_then(|hooks| hooks.descriptors).map_or(FdKind::Unknown, |descriptors| descriptors.kind(fd))
}

/// A number that a descriptor has as long as it is open; `None` if that is not known.
pub(crate) fn incarnation(fd: c_int) -> Option<u64> {
    HOOKS.get()?.descriptors?.incarnation(fd)
}

/// Who opened a descriptor.
pub(crate) fn opened_by(fd: c_int) -> Mark {
    HOOKS.get().and_then(|hooks| hooks.descriptors).map_or(Mark::default(), |descriptors| descriptors.opened_by(fd))
}

/// Whether there is a connection.
pub(crate) fn is_connected() -> bool {
    HOOKS.get().is_some()
}

/// What is known of the descriptors.
pub(crate) fn descriptors() -> Option<&'static Descriptors> {
    HOOKS.get()?.descriptors
}

/// Calls are not diverted any more, or are again.
pub(crate) fn suspend(is_suspended: bool) {
    if let Some(hooks) = HOOKS.get() {
        // SAFETY: the library is never unloaded.
        unsafe { (hooks.suspend)(is_suspended) };
    }
}

/// Connects to the library: the preloaded one, or else the one at `path`, which then rewrites the import tables.  `is_attached`: by somebody who will leave the process.  Returns how many
/// functions are hooked, and whether it was preloaded.  `positions`, `suspect`, `crashed` and `hold_up` are what it calls.
///
/// # Errors
/// The library cannot be loaded or is of another version; one line.
pub(crate) fn connect(
    path: &str,
    is_attached: bool,
    positions: Positions,
    suspect: Suspect,
    crashed: Crashed,
    hold_up: Option<HoldUp>,
) -> Result<(u32, bool), String> {
    let (connect, preloaded) = find(path)?;
    let offsets = offsets::get();
    let module = PythonApi {
        version: VERSION,
        offsets: FrameOffsets {
            current_frame: offsets.thread_current_frame,
            executable: offsets.frame_executable,
            instruction: offsets.frame_instr_ptr,
            owner: offsets.frame_owner,
            owned_by_interpreter: offsets::OWNED_BY_INTERPRETER,
            tag: offsets::STACKREF_TAG,
            qualname: offsets.code_qualname,
        },
        thread_state,
        positions,
        resolve,
        suspect,
        crashed,
        attaching: probe_switch::attaching,
        hold_up,
    };
    let how = match (preloaded, is_attached) {
        (true, _) => How::PRELOADED,
        (false, true) => How::ATTACHED,
        (false, false) => How::LOADED,
    };
    // SAFETY: the library's function of that name has this signature, which `version` guards.
    let connected = unsafe { connect(&module, how) };
    if connected.version != VERSION || connected.hooks == 0 {
        return Err(format!("{path} is not of this ftsan"));
    }
    let hooks = connected.hooks;
    HOOKS.set(connected).map_err(|_| "connected already".to_owned())?;
    Ok((hooks, preloaded))
}

fn find(path: &str) -> Result<(Connect, bool), String> {
    let symbol = |library: *mut c_void| {
        // SAFETY: a handle and a string; what has that name has this signature.
        unsafe {
            let found = libc::dlsym(library, CONNECT.as_ptr());
            (!found.is_null()).then(|| std::mem::transmute::<*mut c_void, Connect>(found))
        }
    };
    if let Some(connect) = symbol(libc::RTLD_DEFAULT) {
        return Ok((connect, true));
    }
    let c_path = CString::new(path).map_err(|_| format!("{path} is no path"))?;
    // SAFETY: loads our own library; its constructor does nothing that could fail.
    let library = unsafe { libc::dlopen(c_path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL | libc::RTLD_NODELETE) };
    if library.is_null() {
        return Err(format!("cannot load {path}"));
    }
    symbol(library).map(|connect| (connect, false)).ok_or_else(|| format!("{path} is not of this ftsan"))
}

unsafe extern "C" fn thread_state() -> *mut u8 {
    // SAFETY: may be called in any thread.
    unsafe { ffi::PyGILState_GetThisThreadState() }.cast()
}

pub(crate) unsafe extern "C" fn resolve(position: Position, texts: &Sites) -> Resolved {
    // SAFETY: a code object of the calling thread's stack, or of a recorded one.
    unsafe {
        let mut buffer = [0; 1024];
        Resolved {
            file: texts.add_text(code_text::read(code_text::filename(position.code), &mut buffer)),
            function: texts.add_text(code_text::read(code_text::qualname(position.code), &mut buffer)),
            line: code_text::line(position.code, position.instruction),
        }
    }
}
