//! The Python stacks of the threads of a dying process.
//!
//! Runs in a signal handler of a process whose memory may be corrupt: nothing is allocated, nothing of the interpreter is called, and
//! every word is read through the kernel, which answers "no" where a load would crash.

use crate::evidence::deferred;
use crate::interpreter::memory::{read_into, word};
use crate::interpreter::{code_fields, dict_words, frames, line_table, offsets};
use crate::thread::{registry, stacks};
use ftsan::loops::ThreadSlot;
use offsets::{OWNED_BY_INTERPRETER, Offsets, STACKREF_TAG};
use pyo3::ffi;
use std::mem::offset_of;
use std::sync::atomic::Ordering;

/// Threads and frames that are looked at, at most.
const THREADS: usize = 512;
const FRAMES: usize = 64;
/// Bytes of a line table, and of a name.
const TABLE: usize = 32 << 10;
const NAME: usize = 1024;

type Note = unsafe extern "C" fn(bytes: *const u8, len: usize);

fn int(address: usize) -> Option<i32> {
    let mut bytes = [0; 4];
    read_into(address, &mut bytes).then(|| i32::from_le_bytes(bytes))
}

fn byte(address: usize) -> Option<u8> {
    let mut bytes = [0];
    read_into(address, &mut bytes).then_some(bytes[0])
}

/// How far down the evaluation stack a callable is looked for, and letters of a class's name.
const OPERANDS: usize = 8;
const CLASS_NAME: usize = 100;
/// How many frames of a thread, and how many names and variables of each, are looked up.
const LOOKED_UP: usize = 2;
const NAMES: usize = 64;
/// Frames of the place where a lock was acquired.
const ACQUIRED: usize = 4;

/// Notes the stacks of all threads of the main interpreter, those of others left out, and what they hold and wait for.
pub(crate) unsafe extern "C" fn crashed(note: Note) {
    let say = |text: &[u8]| {
        // SAFETY: takes any bytes.
        unsafe { note(text.as_ptr(), text.len()) }
    };
    deferred::retire();
    all_stacks(&say);
    waits(&say);
    calls(&say);
    uses(&say);
}

/// Says of which object each thread calls a method that is written in C, by its innermost frame: `calls THREAD ADDRESS CLASS`.
fn calls(say: &dyn Fn(&[u8])) {
    let offsets = offsets::get();
    say(b"[calls]\n");
    each_thread(offsets, &mut |thread, native_id| {
        if let Some(object) = innermost(thread, offsets).and_then(|frame| called_on(frame, offsets))
            && let Some(name) = class_name_of(object)
        {
            say_of(b"calls ", native_id, object, name, say);
        }
    });
}

/// Says which objects of classes that are written in C the innermost functions of each thread have names for, in the form of [`calls`]:
/// `uses THREAD ADDRESS CLASS`.  A thread whose memory was damaged may die between two calls.
fn uses(say: &dyn Fn(&[u8])) {
    let offsets = offsets::get();
    each_thread(offsets, &mut |thread, native_id| {
        for frame in of_the_program(thread, offsets).take(LOOKED_UP) {
            let _ = in_globals(frame, offsets, &mut |object| say_use(native_id, object, say));
            // A function that it has from outside, as wrappers do, may be what it has just called or is about to call.
            let _ = in_variables(frame, offsets, &mut |object| {
                say_use(native_id, object, say);
                let _ = in_function(object, &mut |object| say_use(native_id, object, say));
            });
        }
    });
}

/// The globals whose names the code of a frame has.
fn in_globals(frame: usize, offsets: &Offsets, found: &mut dyn FnMut(usize)) -> Option<()> {
    named_by(word(frame + offsets.frame_executable)? & !STACKREF_TAG, word(frame + frames::globals_offset()?)?, found)
}

/// The globals whose names the code of an object has, if that is a function.
fn in_function(object: usize, found: &mut dyn FnMut(usize)) -> Option<()> {
    let class = word(object + offset_of!(ffi::PyObject, ob_type)).filter(|_| object != 0)?;
    if class != (&raw const ffi::PyFunction_Type) as usize {
        return None;
    }
    let code = word(object + offset_of!(ffi::PyFunctionObject, func_code))?;
    named_by(code, word(object + offset_of!(ffi::PyFunctionObject, func_globals))?, found)
}

fn named_by(code: usize, globals: usize, found: &mut dyn FnMut(usize)) -> Option<()> {
    let mut names = [0; NAMES];
    let names = items(word(code + code_fields::names()?)?, &mut names)?;
    dict_words::values(globals, names, found);
    Some(())
}

/// The local variables of a frame, and what cells among them hold.
fn in_variables(frame: usize, offsets: &Offsets, found: &mut dyn FnMut(usize)) -> Option<()> {
    let code = word(frame + offsets.frame_executable)? & !STACKREF_TAG;
    let count = word(word(code + offsets.code_localsplusnames)? + offset_of!(ffi::PyVarObject, ob_size))?;
    for at in 0..count.min(NAMES) {
        let reference = word(frame + offsets.frame_localsplus + at * size_of::<usize>())?;
        let Some(object) = frames::object_of(reference) else { continue };
        let object = object as usize;
        let is_cell = word(object + offset_of!(ffi::PyObject, ob_type)) == Some((&raw const ffi::PyCell_Type) as usize);
        // `ob_ref` is the only field of a cell.
        found(if is_cell { word(object + size_of::<ffi::PyObject>()).unwrap_or(0) } else { object });
    }
    Some(())
}

/// The items of a tuple, as many as there is room for.
fn items(tuple: usize, into: &mut [usize; NAMES]) -> Option<&[usize]> {
    let count = word(tuple + offset_of!(ffi::PyVarObject, ob_size))?.min(NAMES);
    for (at, item) in into.iter_mut().take(count).enumerate() {
        *item = word(tuple + offset_of!(ffi::PyTupleObject, ob_item) + at * size_of::<usize>())?;
    }
    into.get(..count)
}

fn say_use(native_id: usize, object: usize, say: &dyn Fn(&[u8])) {
    let Some(name) = class_name_of(object) else { return };
    // Only classes that are written in C have the module in that name.
    if (0..CLASS_NAME).map_while(|at| byte(name + at).filter(|letter| *letter != 0)).any(|letter| letter == b'.') {
        say_of(b"uses ", native_id, object, name, say);
    }
}

/// Where the name of an object's class is.
fn class_name_of(object: usize) -> Option<usize> {
    let class = word(object + offset_of!(ffi::PyObject, ob_type)).filter(|_| object != 0)?;
    word(class + offset_of!(ffi::PyTypeObject, tp_name))
}

fn say_of(what: &[u8], native_id: usize, object: usize, name: usize, say: &dyn Fn(&[u8])) {
    say(what);
    decimal(native_id, say);
    say(b" ");
    decimal(object, say);
    say(b" ");
    class_name(name, say);
    say(b"\n");
}

fn innermost(thread: usize, offsets: &Offsets) -> Option<usize> {
    of_the_program(thread, offsets).next()
}

/// The frames of a thread that are code of the program, innermost first.
fn of_the_program(thread: usize, offsets: &Offsets) -> impl Iterator<Item = usize> {
    let outer = |frame: &usize| word(frame + offsets.frame_previous).filter(|frame| *frame != 0);
    let all = std::iter::successors(word(thread + offsets.thread_current_frame).filter(|frame| *frame != 0), outer);
    all.take(FRAMES).filter(|frame| is_of_the_program(*frame, offsets))
}

/// The object that stands above a method of C on the evaluation stack, or that such a method is bound to.  A frame that is in no call has no
/// stack pointer.
fn called_on(frame: usize, offsets: &Offsets) -> Option<usize> {
    /// All bits that may be set in a reference and are none of the address.
    const TAGS: usize = 7;
    let top = word(frame + offsets.frame_stackpointer)?;
    let object = |at: usize| word(at).map(|word| word & !TAGS).filter(|object| *object != 0);
    for depth in 1..=OPERANDS {
        let at = top.checked_sub(depth * size_of::<usize>()).filter(|at| *at >= frame + offsets.frame_localsplus)?;
        let Some(callable) = object(at) else { continue };
        let Some(class) = word(callable + offset_of!(ffi::PyObject, ob_type)) else { continue };
        if class == (&raw const ffi::PyMethodDescr_Type) as usize {
            return object(at + size_of::<usize>()).filter(|_| depth > 1);
        }
        if class == (&raw const ffi::PyCFunction_Type) as usize {
            return word(callable + offset_of!(ffi::PyCFunctionObject, m_self)).filter(|owner| *owner != 0);
        }
    }
    None
}

/// Says a name of C as far as it is one of a class.
fn class_name(address: usize, say: &dyn Fn(&[u8])) {
    for at in 0..CLASS_NAME {
        match byte(address + at) {
            Some(letter) if letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'.') => say(&[letter]),
            _ => return,
        }
    }
}

/// Says which locks threads wait for and hold: `waits THREAD ADDRESS`, `handle THREAD ADDRESS`, `holds THREAD ADDRESS` and the
/// frames where the lock was acquired.
fn waits(say: &dyn Fn(&[u8])) {
    let one = |what: &[u8], thread: &ThreadSlot, address: usize| {
        if address != 0 {
            say(what);
            decimal(thread.native_id() as usize, say);
            say(b" ");
            decimal(address, say);
            say(b"\n");
        }
    };
    say(b"[locks]\n");
    for thread in registry::get().loops.threads().take(THREADS) {
        one(b"waits ", thread, thread.waits_for());
        one(b"handle ", thread, thread.waited_by.load(Ordering::Relaxed));
        for held in thread.locks.iter() {
            one(b"holds ", thread, held.address);
            for frame in stacks::get(held.stack).iter().take(ACQUIRED) {
                match place(frame.code, frame.offset as usize * 2, offsets::get(), say) {
                    Some(()) => say(b"\n"),
                    None => say(b"\t0\t<invalid frame>\n"),
                }
            }
        }
    }
}

fn all_stacks(say: &dyn Fn(&[u8])) {
    let offsets = offsets::get();
    each_thread(offsets, &mut |thread, native_id| {
        say(b"thread ");
        decimal(native_id, say);
        say(b"\n");
        frames(thread, offsets, say);
    });
}

/// The states of all threads of the main interpreter, and the kernel's ids of the threads.
fn each_thread(offsets: &Offsets, with: &mut dyn FnMut(usize, usize)) {
    let mut thread = word(offsets::runtime() + offsets.runtime_interpreters_head)
        .and_then(|interpreter| word(interpreter + offsets.interpreter_threads_head))
        .unwrap_or(0);
    for _ in 0..THREADS {
        if thread == 0 {
            return;
        }
        let Some(native_id) = word(thread + offsets.thread_native_id) else { return };
        with(thread, native_id);
        thread = word(thread + offsets.thread_next).unwrap_or(0);
    }
}

/// Compares what is read here of the calling thread with what the interpreter says.
///
/// # Errors
/// The field that is not where it was expected.
pub(crate) fn verify() -> Result<(), String> {
    let offsets = offsets::get();
    let interpreter = word(offsets::runtime() + offsets.runtime_interpreters_head).unwrap_or(0);
    let mut thread = word(interpreter + offsets.interpreter_threads_head).unwrap_or(0);
    // SAFETY: attached.
    let own = unsafe {
        dict_words::verify();
        ffi::PyThreadState_Get()
    };
    while thread != 0 && thread != own as usize {
        thread = word(thread + offsets.thread_next).unwrap_or(0);
    }
    // SAFETY: attached, own thread.
    let Some(raw) = unsafe { frames::of_thread(own) }.find_map(|frame| frame.raw()) else { return Ok(()) };
    let said = std::cell::RefCell::new(Vec::new());
    if thread != 0 {
        self::frames(thread, offsets, &|bytes| said.borrow_mut().extend_from_slice(bytes));
    }
    // SAFETY: a live code object of the own stack.
    let line = unsafe { ffi::PyCode_Addr2Line(raw.code as *mut ffi::PyCodeObject, raw.offset as i32 * 2) };
    let text = String::from_utf8_lossy(&said.borrow()).into_owned();
    match text.lines().next().and_then(|first| first.split('\t').nth(1)?.parse::<i32>().ok()) {
        Some(read) if read == line => Ok(()),
        read => Err(format!("crash stacks: line {line} is read as {read:?}")),
    }
}

fn frames(thread: usize, offsets: &Offsets, say: &dyn Fn(&[u8])) {
    let mut frame = word(thread + offsets.thread_current_frame).unwrap_or(0);
    for _ in 0..FRAMES {
        if frame == 0 {
            return;
        }
        if is_of_the_program(frame, offsets) {
            match one_frame(frame, offsets, say) {
                Some(()) => say(b"\n"),
                None => say(b"\t0\t<invalid frame>\n"),
            }
        }
        frame = word(frame + offsets.frame_previous).unwrap_or(0);
    }
}

/// A frame that tracebacks show.
fn is_of_the_program(frame: usize, offsets: &Offsets) -> bool {
    let is_shim = word(frame + offsets.frame_executable).is_some_and(|code| frames::is_shim(code & !STACKREF_TAG));
    byte(frame + offsets.frame_owner) != Some(OWNED_BY_INTERPRETER) && !is_shim
}

fn one_frame(frame: usize, offsets: &Offsets, say: &dyn Fn(&[u8])) -> Option<()> {
    let code = word(frame + offsets.frame_executable)? & !STACKREF_TAG;
    let instruction = word(frame + offsets.frame_instr_ptr)?;
    let start = first_instruction(frame, code, offsets)?;
    place(code, instruction.checked_sub(start)?, offsets, say)
}

/// Of the thread-local copy of the code that the frame runs.
#[cfg(Py_GIL_DISABLED)]
fn first_instruction(frame: usize, code: usize, offsets: &Offsets) -> Option<usize> {
    let copy = usize::try_from(int(frame + offsets.frame_tlbc_index)?).ok()?;
    let copies = word(code + offsets.code_tlbc)?;
    word(copies + (1 + copy) * size_of::<usize>())
}

#[cfg(not(Py_GIL_DISABLED))]
fn first_instruction(_: usize, code: usize, offsets: &Offsets) -> Option<usize> {
    Some(code + offsets.code_adaptive)
}

/// File, line and function of an offset into the bytecode.
fn place(code: usize, offset: usize, offsets: &Offsets, say: &dyn Fn(&[u8])) -> Option<()> {
    let table = word(code + offsets.code_linetable)?;
    let first_line = int(code + offsets.code_firstlineno)?;
    let (file, function) = (word(code + offsets.code_filename)?, word(code + offsets.code_qualname)?);
    name(file, offsets, say)?;
    say(b"\t");
    decimal(line(table, offset, first_line, offsets).unwrap_or(first_line) as usize, say);
    say(b"\t");
    name(function, offsets, say)
}

fn line(table: usize, offset: usize, first_line: i32, offsets: &Offsets) -> Option<i32> {
    let len = word(table + offsets.bytes_size)?;
    let mut bytes = [0; TABLE];
    let bytes = bytes.get_mut(..len)?;
    read_into(table + offsets.bytes_data, bytes).then_some(())?;
    line_table::line(bytes, first_line, offset / 2)
}

/// Says a string if it is ASCII, as nearly all names are; `?` for each character if not.
fn name(string: usize, offsets: &Offsets, say: &dyn Fn(&[u8])) -> Option<()> {
    let len = word(string + offsets.unicode_length)?.min(NAME);
    let mut bytes = [b'?'; NAME];
    if int(string + offsets.unicode_state)? & offsets.unicode_is_ascii != 0 {
        read_into(string + offsets.unicode_ascii_data, &mut bytes[..len]).then_some(())?;
    }
    say(&bytes[..len]);
    Some(())
}

fn decimal(mut number: usize, say: &dyn Fn(&[u8])) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return say(&digits[at..]);
        }
    }
}
