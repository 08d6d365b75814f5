//! The event loops of another process, and their tasks, read from outside.
//!
//! `_remote_debugging` of 3.14 shows those of the main thread and of threads that are older (`iterate_threads`), hence this.  Nothing is
//! stopped, so what is read may be changing: every length has a bound, and what does not look as expected is left out.

use crate::interpreter::{line_table, offsets};
use crate::launcher::door::{Interpreter, is_interpreter, section_of};
use ftsan::report::Frame;
use ftsan::triage::crash::Task;
use pyo3::ffi;
use std::io;
use std::mem::offset_of;

/// The section with the offsets of `_asyncio`, and the beginning of the name of the file that has it; it is built in since 3.15.
const SECTION: &str = ".AsyncioDebug";
const MODULE: &str = "_asyncio.";

/// `Py_AsyncioModuleDebugOffsets`, `Modules/_asynciomodule.c`: how many words, and which of them are used.
const WORDS: usize = 13;
const TASK_NAME: usize = 1;
const TASK_CORO: usize = 5;
const TASK_NODE: usize = 6;
const RUNNING_LOOP: usize = 10;
const RUNNING_TASK: usize = 11;
const TASKS_HEAD: usize = 12;
/// No structure that they are about is larger.
const LARGEST: usize = 1 << 20;

/// How many tasks of a thread are read, and how many frames of each.
const TASKS: usize = 10_000;
const FRAMES: usize = 32;
/// How long names and line tables may be.
const NAME: usize = 1024;
const TABLE: usize = 1 << 16;

/// A thread that runs a loop.
pub(crate) struct Running {
    /// The kernel's id of the thread.
    pub(crate) native_id: u64,
    /// Name of the loop's type.
    pub(crate) r#type: String,
    /// The tasks that were made in this thread and are not done.
    pub(crate) tasks: Vec<Task>,
}

/// The loops of asyncio of a process that runs the same build of the same interpreter.  Attached: the own interpreter is asked for its
/// layout.
///
/// # Errors
/// It does not, has no asyncio, or its memory cannot be read; or it was changing.
pub(crate) fn running_in(pid: u32) -> io::Result<Vec<Running>> {
    let process = interpreter_of(pid)?;
    let asyncio = match section_of(pid, SECTION, |name| name.starts_with(MODULE))? {
        Some(section) => section,
        None => section_of(pid, SECTION, is_interpreter)?.ok_or_else(|| other("no asyncio"))?,
    };
    let mut words = [0; WORDS];
    for (at, word) in words.iter_mut().enumerate() {
        *word = process.memory.word(asyncio + at * size_of::<usize>())?;
    }
    if words.iter().any(|word| *word > LARGEST) || words[RUNNING_TASK] != words[RUNNING_LOOP] + size_of::<usize>() {
        return Err(other("another asyncio"));
    }
    let mut all = Vec::new();
    for (native_id, state) in process.threads()? {
        let loop_ = process.memory.word(state + words[RUNNING_LOOP])?;
        if loop_ != 0 {
            all.push(Running { native_id, r#type: process.type_of(loop_)?, tasks: tasks(&process, state, &words)? });
        }
    }
    Ok(all)
}

fn other(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// The interpreter of a process.  Attached: the own one is asked for its layout.
///
/// # Errors
/// It is of another build, or its memory cannot be read.
pub(super) fn interpreter_of(pid: u32) -> io::Result<Interpreter> {
    offsets::load().map_err(|what| other(&what))?;
    let process = Interpreter::of(pid)?;
    if process.is_same_build()? { Ok(process) } else { Err(other("another build of the interpreter")) }
}

/// The tasks in the list of a thread.
fn tasks(process: &Interpreter, thread: usize, words: &[usize; WORDS]) -> io::Result<Vec<Task>> {
    let head = thread + words[TASKS_HEAD];
    let mut all = Vec::new();
    let mut node = process.memory.word(head)?;
    while node != 0 && node != head && all.len() < TASKS {
        let task = node - words[TASK_NODE];
        let name = name(process, process.memory.word(task + words[TASK_NAME])?)?;
        let mut at = stack(process, process.memory.word(task + words[TASK_CORO])?)?;
        at.reverse();
        all.push(Task { name, at });
        node = process.memory.word(node)?;
    }
    all.reverse();
    Ok(all)
}

/// The name of a task: a string, or the number of one that nobody has named.
fn name(process: &Interpreter, object: usize) -> io::Result<String> {
    let class = process.memory.word(object + offset_of!(ffi::PyObject, ob_type))?;
    let flags = process.memory.word(class + offset_of!(ffi::PyTypeObject, tp_flags))?;
    if flags & ffi::Py_TPFLAGS_LONG_SUBCLASS as usize != 0 {
        // `_PyLongValue`: the tag, and the first digit of 30 bits.
        let digit = process.memory.word(object + size_of::<ffi::PyObject>() + size_of::<usize>())?;
        return Ok(format!("Task-{}", digit as u32));
    }
    if flags & ffi::Py_TPFLAGS_UNICODE_SUBCLASS as usize == 0 {
        return Ok(String::new());
    }
    text(process, object)
}

/// A string if it is ASCII, as nearly all names are; `?` for each character if not.
pub(super) fn text(process: &Interpreter, object: usize) -> io::Result<String> {
    let offsets = offsets::get();
    let length = process.memory.word(object + offsets.unicode_length)?.min(NAME);
    let mut state = [0; size_of::<i32>()];
    process.memory.read_into(object + offsets.unicode_state, &mut state)?;
    let mut bytes = vec![b'?'; length];
    if i32::from_ne_bytes(state) & offsets.unicode_is_ascii != 0 {
        process.memory.read_into(object + offsets.unicode_ascii_data, &mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where a coroutine is, and what it awaits, outermost first.
fn stack(process: &Interpreter, coroutine: usize) -> io::Result<Vec<Frame>> {
    let offsets = offsets::get();
    let memory = &process.memory;
    let class_of = |object: usize| memory.word(object + offset_of!(ffi::PyObject, ob_type));
    let class = class_of(coroutine)?;
    let mut frames = Vec::new();
    let mut object = coroutine;
    while frames.len() < FRAMES {
        let mut state = [0];
        memory.read_into(object + offsets.gen_frame_state, &mut state)?;
        let (state, known) = (i8::from_ne_bytes(state), offsets.unpublished);
        if ![known.created, known.suspended, known.awaiting, known.executing].contains(&state) {
            break;
        }
        let frame = object + offsets.gen_iframe;
        frames.extend(place(process, frame)?);
        if state != known.awaiting {
            break;
        }
        let top = memory.word(frame + offsets.frame_stackpointer)?;
        object = memory.word(top.wrapping_sub(known.awaited_depth * size_of::<usize>()))? & !offsets::STACKREF_TAG;
        if object == 0 || class_of(object)? != class {
            break;
        }
    }
    Ok(frames)
}

/// File, line and function of a frame.
pub(super) fn place(process: &Interpreter, frame: usize) -> io::Result<Option<Frame>> {
    let offsets = offsets::get();
    let memory = &process.memory;
    let code = memory.word(frame + offsets.frame_executable)? & !offsets::STACKREF_TAG;
    let Some((unit, first_line, lines)) = instruction(process, frame, code)? else { return Ok(None) };
    Ok(Some(Frame {
        file: text(process, memory.word(code + offsets.code_filename)?)?,
        line: line_table::line(&lines, first_line, unit).unwrap_or(first_line).max(0) as u32,
        function: text(process, memory.word(code + offsets.code_qualname)?)?,
        ..Frame::default()
    }))
}

/// Where a frame is in its code, in code units, the first line of that and its line table; `None` if it is in no code.
pub(super) fn instruction(process: &Interpreter, frame: usize, code: usize) -> io::Result<Option<(usize, i32, Vec<u8>)>> {
    let offsets = offsets::get();
    let address = process.memory.word(frame + offsets.frame_instr_ptr)?;
    let Some(offset) = address.checked_sub(first_instruction(process, frame, code)?) else { return Ok(None) };
    let lines = bytes(process, process.memory.word(code + offsets.code_linetable)?)?;
    Ok(Some((offset / 2, int(process, code + offsets.code_firstlineno)?, lines)))
}

/// The beginning of a bytes object.
pub(super) fn bytes(process: &Interpreter, object: usize) -> io::Result<Vec<u8>> {
    let offsets = offsets::get();
    let mut bytes = vec![0; process.memory.word(object + offsets.bytes_size)?.min(TABLE)];
    process.memory.read_into(object + offsets.bytes_data, &mut bytes)?;
    Ok(bytes)
}

fn int(process: &Interpreter, address: usize) -> io::Result<i32> {
    let mut bytes = [0; size_of::<i32>()];
    process.memory.read_into(address, &mut bytes).map(|()| i32::from_ne_bytes(bytes))
}

/// Of the thread-local copy of the code that the frame runs.
#[cfg(Py_GIL_DISABLED)]
fn first_instruction(process: &Interpreter, frame: usize, code: usize) -> io::Result<usize> {
    let offsets = offsets::get();
    let copy = int(process, frame + offsets.frame_tlbc_index)?.max(0) as usize;
    let copies = process.memory.word(code + offsets.code_tlbc)?;
    process.memory.word(copies + (1 + copy) * size_of::<usize>())
}

#[cfg(not(Py_GIL_DISABLED))]
fn first_instruction(_: &Interpreter, _: usize, code: usize) -> io::Result<usize> {
    Ok(code + offsets::get().code_adaptive)
}
