//! Accesses that no probe stands before: which code makes them, and whether that is watched.

use crate::engine::races::probe_site;
use crate::interpreter::frames::RawFrame;
use crate::interpreter::{code_fields, code_text, frames};
use crate::thread::code_class;
use crate::thread::stacks::{self, StackId};
use ftsan::races::access::Race;
use ftsan::races::matrix::AccessKind;
use ftsan::races::mix;
use ftsan::races::stacks::Stacks;
use pyo3::ffi;
use std::ffi::CStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering};

/// Questions about code, which is alive.
#[derive(Clone, Copy)]
pub(crate) struct Chosen {
    /// Whether a code object is chosen to be watched.
    pub(crate) is_chosen: unsafe fn(*mut ffi::PyObject) -> bool,
    /// Whether chosen code, where it is, goes through a container again if that changes meanwhile.
    pub(crate) begins_again: unsafe fn(RawFrame) -> bool,
    /// Whether the result of the call that code is in decides something there; otherwise it may be passed on.
    pub(crate) decides: unsafe fn(RawFrame) -> bool,
    /// The same, and more than whether flags are set that may be set already.
    pub(crate) decides_more: unsafe fn(RawFrame) -> bool,
    /// Whether a loop waits for the result of the call that code is in; `None` if it does not, and the code does not make its own answer of it.
    pub(crate) waits: unsafe fn(RawFrame) -> Option<bool>,
    /// Whether one of these frames, but the first, handles that there is nothing for this method or function, which the first one calls where it is;
    /// if it is not said which, for what is called there.
    pub(crate) handle_lack: unsafe fn(&[RawFrame], Option<&str>) -> bool,
    /// Whether the first of these frames reads an attribute or a variable where it is, and none of them is prepared for there being none; or, if that is
    /// said, for its being `None`.
    pub(crate) rely: unsafe fn(&[RawFrame], bool) -> bool,
}

static CHOSEN: OnceLock<Chosen> = OnceLock::new();
static INTERPRETER: AtomicPtr<ffi::PyInterpreterState> = AtomicPtr::new(std::ptr::null_mut());

/// To be called once, attached, before anything is hooked.
pub(crate) fn start(chosen: Chosen) {
    let _ = CHOSEN.set(chosen);
    // SAFETY: attached.
    INTERPRETER.store(unsafe { ffi::PyInterpreterState_Get() }, Ordering::Relaxed);
}

/// Whether the calling thread runs the interpreter that is watched.
pub(crate) fn is_main_interpreter() -> bool {
    // SAFETY: hooks run attached.
    std::ptr::eq(unsafe { ffi::PyInterpreterState_Get() }, INTERPRETER.load(Ordering::Relaxed))
}

/// Whether a code object is chosen to be watched.
///
/// # Safety
/// A live code object.
pub(crate) unsafe fn is_chosen(code: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    CHOSEN.get().is_some_and(|chosen| unsafe { (chosen.is_chosen)(code) })
}

/// Functions of the standard library that call what they are given, a thread's, a pool's, a loop's; and those that hand what they are given to
/// a C function.
const LAUNCHERS: [&CStr; 10] = [
    c"Thread.run",
    c"Timer.run",
    c"WorkerContext.run",
    c"_WorkItem.run",
    c"worker",
    c"mapstar",
    c"starmapstar",
    c"Handle._run",
    c"Counter.update",
    c"JSONEncoder.iterencode",
];

/// Where the program itself has called what runs, or has had it called by a thread, a pool or a loop; as [`site`].
///
/// # Safety
/// Attached.
pub(crate) unsafe fn program_site() -> Option<(u32, u32)> {
    let is_chosen = CHOSEN.get()?.is_chosen;
    // SAFETY: passed on; code on the own stack is alive, and so are its names.
    unsafe {
        let Some(frame) = frames::own().find_map(frames::Frame::raw) else { return Some((NO_PROBE, 0)) };
        let name = code_text::qualname(frame.code) as *mut ffi::PyObject;
        let is_launcher = || LAUNCHERS.iter().any(|known| ffi::PyUnicode_CompareWithASCIIString(name, known.as_ptr()) == 0);
        let is_program = is_chosen(frame.code as *mut ffi::PyObject) || is_launcher() && is_of_standard_library(frame.code);
        is_program.then(|| numbers(frame))
    }
}

const NO_PROBE: u32 = 1 << 31;

/// # Safety
/// Attached; the frame's code is alive.
unsafe fn numbers(frame: RawFrame) -> (u32, u32) {
    let number = mix(frame.code as u64 ^ u64::from(frame.offset) << 48);
    // The probes of a patched function know what it was made of.
    // SAFETY: passed on.
    let probe = unsafe { probe_site::of_object(code_fields::last_constant(frame.code as *mut ffi::PyObject)) };
    (number as u32 | NO_PROBE, probe.map_or((frame.code >> 4) as u32, |probe| probe.code))
}

/// Numbers for the instruction that runs, which no probe has, and for its function.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn site() -> (u32, u32) {
    // SAFETY: passed on; code on the own stack is alive.
    unsafe {
        let frame = frames::own().find_map(frames::Frame::raw);
        frame.map_or((NO_PROBE, 0), |frame| numbers(frame))
    }
}

/// Whether a function with this number has called what runs.
///
/// # Safety
/// Attached.
pub(super) unsafe fn is_running(code: u32) -> bool {
    /// Frames that are looked at.
    const MOST: usize = 16;
    // SAFETY: passed on; code on the own stack is alive.
    unsafe { frames::own().filter_map(frames::Frame::raw).skip(1).take(MOST).any(|frame| numbers(frame).1 == code) }
}

/// # Safety
/// A live code object.
pub(super) unsafe fn is_of_standard_library(code: usize) -> bool {
    // SAFETY: passed on.
    unsafe { code_class::file(code) }.is_some_and(code_class::is_of_standard_library)
}

/// Whether the interpreter imports something: the code that runs is that of importlib.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn is_import() -> bool {
    // SAFETY: passed on; code on the own stack is alive.
    let file = unsafe { frames::own().find_map(frames::Frame::raw).and_then(|frame| code_class::file(frame.code)) };
    file.is_some_and(|file| file.starts_with("<frozen importlib"))
}

/// Whether what runs is done for watched code: that has called it, perhaps through the standard library, or has started a thread with it.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn is_watched() -> bool {
    let Some(Chosen { is_chosen, .. }) = CHOSEN.get() else { return false };
    // SAFETY: passed on; code on the own stack is alive.
    unsafe {
        for frame in frames::own().filter_map(frames::Frame::raw) {
            if is_chosen(frame.code as *mut ffi::PyObject) {
                return true;
            }
            if !is_of_standard_library(frame.code) {
                return false;
            }
        }
    }
    true
}

/// For each stack in which a function was asked for an answer, a number for where that decides something and how it gets there; 0 if it is not known.
static DECISIONS: [AtomicU32; stacks::STACKS] = [const { AtomicU32::new(0) }; stacks::STACKS];

fn decision(stack: StackId) -> Option<&'static AtomicU32> {
    DECISIONS.get((stack as usize).wrapping_sub(1))
}

/// The innermost function of a stack is asked for an answer: notes, once, where that decides something.
///
/// # Safety
/// Attached.
pub(super) unsafe fn note_decision(stack: StackId) {
    let (Some(decision), Some(Chosen { decides, .. })) = (decision(stack), CHOSEN.get()) else { return };
    if decision.load(Ordering::Relaxed) != 0 {
        return;
    }
    let mut way = 0;
    for frame in stacks::get(stack).iter().skip(1) {
        way = mix(way ^ frame.code as u64 ^ u64::from(frame.offset) << 48);
        // SAFETY: passed on; the code of recorded stacks is kept alive.
        if unsafe { decides(*frame) } {
            break;
        }
    }
    decision.store((way >> 32) as u32 | 1, Ordering::Relaxed);
}

/// What is asked of stacks.
pub(super) const STACKS: Stacks = Stacks { decide_the_same, act_for, is_in_caller };

/// Whether what is done at the stack `act` is done by the call that has asked for an answer at the stack `check`: its caller is still running, and has come to a
/// later instruction.
pub(super) fn act_for(check: StackId, act: StackId) -> bool {
    /// How many calls deeper the act may be than the question.
    const DEEPER: usize = 3;
    (0..DEEPER).any(|depth| is_asker(check, act, depth))
}

/// The same of what that caller does itself.
fn is_in_caller(check: StackId, act: StackId) -> bool {
    is_asker(check, act, 0)
}

/// Whether the caller of the function at the stack `check` runs at this depth of the stack `act`, at a later instruction.
fn is_asker(check: StackId, act: StackId, depth: usize) -> bool {
    let ([_, asker, around @ ..], Some([own, outer @ ..])) = (stacks::get(check), stacks::get(act).get(depth..)) else {
        return false;
    };
    // Of the outermost ones not all are remembered.
    own.code == asker.code && own.offset > asker.offset && outer.iter().zip(around).all(|(one, other)| one == other)
}

/// For each stack the answer to one question about its functions, once it was asked.
struct Answers([AtomicU8; stacks::STACKS]);

/// For each stack in which a function returns what it reads, whether that decides something in its caller.
static GIVEN: Answers = Answers::new();

/// For each stack in which a function makes its answer of what it reads, whether a loop waits for that.
static WAITING: Answers = Answers::new();

/// For each stack in which something is read, whether the code relies on its being there, and on its not being `None`.
static RELYING: [Answers; 2] = [const { Answers::new() }; 2];

impl Answers {
    const UNKNOWN: u8 = 0;
    const YES: u8 = 1;
    const NO: u8 = 2;

    const fn new() -> Self {
        Answers([const { AtomicU8::new(Self::UNKNOWN) }; stacks::STACKS])
    }

    /// Asks only once for each stack; no where there is no such stack.
    fn of(&self, stack: StackId, ask: impl FnOnce() -> bool) -> bool {
        let Some(known) = self.0.get((stack as usize).wrapping_sub(1)) else { return false };
        if known.load(Ordering::Relaxed) == Self::UNKNOWN {
            known.store(if ask() { Self::YES } else { Self::NO }, Ordering::Relaxed);
        }
        known.load(Ordering::Relaxed) == Self::YES
    }
}

/// Whether what the innermost function of a stack returns decides something in its caller.
///
/// # Safety
/// Attached.
pub(super) unsafe fn decides_in_caller(stack: StackId) -> bool {
    let Some(Chosen { decides_more, .. }) = CHOSEN.get() else { return false };
    // SAFETY: passed on; the code of recorded stacks is kept alive.
    GIVEN.of(stack, || stacks::get(stack).get(1).is_some_and(|caller| unsafe { decides_more(*caller) }))
}

/// Whether a loop of watched code waits for the answer of the innermost function of a stack.
///
/// # Safety
/// Attached.
pub(super) unsafe fn wait(stack: StackId) -> bool {
    /// Functions that pass an answer on.
    const MOST: usize = 4;
    let Some(Chosen { waits, is_chosen, .. }) = CHOSEN.get() else { return false };
    WAITING.of(stack, || {
        let callers = stacks::get(stack).iter().skip(1).take(MOST);
        // SAFETY: passed on; the code of recorded stacks is kept alive.
        let mut answers =
            callers.map(|caller| unsafe { if is_chosen(caller.code as *mut ffi::PyObject) { waits(*caller) } else { None } });
        answers.find(|waits| *waits != Some(false)).flatten() == Some(true)
    })
}

/// Whether watched code that reads an attribute or a variable, by its stack, relies on its being there, or on its not being `None`.
///
/// # Safety
/// Attached.
pub(super) unsafe fn rely(stack: StackId, is_none: bool) -> bool {
    /// Frames that are looked at.
    const MOST: usize = 8;
    let Some(Chosen { rely, is_chosen, .. }) = CHOSEN.get() else { return false };
    RELYING[usize::from(is_none)].of(stack, || {
        // SAFETY: passed on; the code of recorded stacks is kept alive.
        let chosen = |frame: &RawFrame| unsafe { is_chosen(frame.code as *mut ffi::PyObject) };
        let frames: Vec<RawFrame> = stacks::get(stack).iter().copied().take(MOST).filter(chosen).collect();
        // SAFETY: as above.
        unsafe { rely(&frames, is_none) }
    })
}

/// Whether the answers that two stacks asked for decide the same, at the same place.
fn decide_the_same(one: StackId, other: StackId) -> bool {
    let of = |stack| decision(stack).map_or(0, |decision| decision.load(Ordering::Relaxed));
    one == other || of(one) != 0 && of(one) == of(other)
}

/// Whether each thread of a race that does something after a check expects that there may be nothing: its function is called by watched code that
/// handles that.  Then nothing is lost where the other one comes between.  `act` is what the calling thread does.
///
/// # Safety
/// Attached; the race has been found just now.
pub(super) unsafe fn handle_lack(race: &Race, act: &str) -> bool {
    /// Frames that are looked at.
    const MOST: usize = 8;
    let Some(Chosen { handle_lack, is_chosen, .. }) = CHOSEN.get() else { return false };
    let is_checked = [race.kind, race.earlier_kind].map(|kind| kind == AccessKind::Checked);
    // SAFETY: passed on; code on the own stack is alive, and that of recorded stacks is kept so.
    unsafe {
        let chosen = |frame: &RawFrame| is_chosen(frame.code as *mut ffi::PyObject);
        let here = || frames::own().filter_map(frames::Frame::raw).take(MOST).filter(chosen).collect::<Vec<_>>();
        let earlier = || stacks::get(race.earlier.stack).iter().copied().take(MOST).filter(chosen).collect::<Vec<_>>();
        let act = Some(act).filter(|act| !act.is_empty());
        match is_checked {
            [false, false] => false,
            [true, false] => handle_lack(&here(), act),
            // A function that looks and raises by itself acts in the same way.
            [false, true] => handle_lack(&here(), act) || handle_lack(&earlier(), None),
            [true, true] => handle_lack(&here(), act) && handle_lack(&earlier(), None),
        }
    }
}

/// Whether what runs, or the function that has called it, goes through a container again if that changes meanwhile: a generator, or a
/// function that copies, leaves that to its caller.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn begins_again() -> bool {
    let Some(Chosen { begins_again, .. }) = CHOSEN.get() else { return false };
    // SAFETY: passed on; code on the own stack is alive.
    unsafe { frames::own().filter_map(frames::Frame::raw).take(2).any(|frame| begins_again(frame)) }
}
