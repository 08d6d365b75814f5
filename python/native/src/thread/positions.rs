//! Where the calling thread is in Python code, for acts that are told of later: its stack as positions, which need nothing of the process to be read.
//!
//! May be asked of any thread, attached or not, in the middle of any system call.

use crate::interpreter::frames::RawFrame;
use crate::interpreter::{code_text, frames};
use crate::thread::context::known_thread;
use crate::thread::{carriers, code_class, stacks};
use ftsan::recording::sites::Position;
use pyo3::ffi;
use std::sync::atomic::Ordering;

/// # Safety
/// A live code object.
unsafe fn is_of_standard_library(code: usize) -> bool {
    let mut buffer = [0; 1024];
    // SAFETY: passed on; a code object has its file's name.
    let file = unsafe { code_text::read(code_text::filename(code), &mut buffer) };
    std::str::from_utf8(file).is_ok_and(code_class::is_of_standard_library)
}

/// Where the calling thread is and, if that is in the standard library only, where the program gave away what it does, beyond the thread's
/// first frame.
pub(crate) unsafe extern "C" fn positions(into: *mut Position, most: usize) -> usize {
    // SAFETY: the calling thread's own frames are at rest while it is in a system call; the library has that many places.
    unsafe {
        let state = ffi::PyGILState_GetThisThreadState();
        if state.is_null() {
            return 0;
        }
        let frames = frames::of_thread(state).filter(|frame| !frame.is_entry());
        let mut count = 0;
        let mut given: &[RawFrame] = &[];
        for (frame, frames::Position { code, instruction }) in frames.map(|frame| (frame, frame.position())) {
            if count == most {
                break;
            }
            if code == 0 {
                continue;
            }
            into.add(count).write(Position { code, instruction, check: code_text::qualname(code) });
            count += 1;
            if given.is_empty() {
                given = carriers::given_at(frame, code);
                // The program is on the stack itself.
                if !given.is_empty() && (0..count).any(|at| !is_of_standard_library((*into.add(at)).code)) {
                    given = &[];
                }
            }
        }
        // It was started with a function that has no frame, or with one of the library.
        if given.is_empty()
            && let Some(here) = known_thread()
            && (0..count).all(|at| is_of_standard_library((*into.add(at)).code))
        {
            given = stacks::get(here.slot.started_at.load(Ordering::Relaxed));
        }
        let outer = given.iter().skip_while(|frame| is_of_standard_library(frame.code));
        for (frame, at) in outer.zip(count..most) {
            let start = code_text::copies(frame.code).next().unwrap_or_default();
            let instruction = start + 2 * frame.offset as usize;
            into.add(at).write(Position { code: frame.code, instruction, check: code_text::qualname(frame.code) });
            count = at + 1;
        }
        count
    }
}
