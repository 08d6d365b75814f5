//! The facts of a crash, wherever they come from: a recording with the crash handler's notes, or a pasted dump.
//!
//! Everything may be missing: a dump that was cut has no native stack, a SIGKILL leaves no crashing thread.  Field names are the
//! format of `crash.json` in a crash folder.

use crate::report::Frame;
use serde::{Deserialize, Serialize};

/// How a process died, and what its threads were doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Crash {
    /// Name of the signal ("SIGSEGV"), empty if unknown.
    pub signal: String,
    /// Address that was accessed, for SIGSEGV and SIGBUS; 0 may be unknown or a null pointer.
    pub address: Option<u64>,
    /// `si_code`, if known: above 0 if the kernel found something wrong, else somebody sent the signal.
    pub code: Option<i32>,
    /// Process id of whoever sent the signal, 0 for nobody.
    pub sender: u32,
    /// What the crash handler could not find out ([`crate::recording::CRASH_STEPS`]).
    pub missing: Vec<String>,
    /// What the program or the interpreter said as it died: "Fatal Python error: ...", an assertion, a panic.
    pub message: String,
    /// The interpreter.
    pub python: Python,
    /// The words that rerun the program.
    pub command: Vec<String>,
    /// The crashing thread first, if there is one.
    pub threads: Vec<Thread>,
    /// Extension modules that were loaded.
    pub extensions: Vec<Extension>,
    /// What was found before the crash: rule, title and the offending line.
    pub findings: Vec<FoundBefore>,
    /// The process itself, 0 if unknown.
    pub pid: u64,
    /// It did not die: it was looked at because it hung.
    pub hang: bool,
    /// One thread did it: the process has no other, or the thread that freed a block is the one that used it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub one_thread: bool,
    /// Distributions that the text around lists, normalised names with versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<(String, String)>,
}

/// The interpreter that crashed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Python {
    /// `python -VV`; of a dump, what its paths tell ("3.14").
    pub version: String,
    /// "disabled", "enabled" or empty if unknown.
    pub gil: String,
    /// Path of the executable.
    pub executable: String,
    /// Operating system and architecture, as `platform.platform()` has it; of a dump, "Linux" or "macOS".
    pub platform: String,
}

/// A thread at the moment of the crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thread {
    /// Name, empty if unknown.
    pub name: String,
    /// The kernel's id, 0 if unknown.
    pub native_id: u64,
    /// It got the signal.
    pub crashed: bool,
    /// Type of the event loop that it runs, empty for none.
    pub runs_loop: String,
    /// The system call that it is in ("epoll_wait(fd 5)"), empty for none.
    pub inside: String,
    /// Python frames, innermost first.
    pub python: Vec<Frame>,
    /// Native frames, innermost first.
    pub native: Vec<NativeFrame>,
    /// Frames are missing: the dump ends early, or whoever pasted it left some out.
    pub cut: bool,
    /// The innermost native frames are among those that are missing.
    pub top_cut: bool,
    /// It has so many native frames, as their numbers say, where that is more than any program needs; else 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub endless: u64,
    /// What it did last, newest first.
    pub recent: Vec<Event>,
    /// The line of source at its innermost frame that is not of the standard library, empty if unknown.
    pub source: String,
    /// Address of the lock or of the thread's handle that it waits for, if known.
    pub waits_for: Option<u64>,
    /// Address of the handle by which others wait for its end, if known.
    pub handle: Option<u64>,
    /// The tasks of the event loop that it runs, if known.
    pub tasks: Vec<Task>,
    /// The locks that it holds, as far as they are known.
    pub holds: Vec<HeldLock>,
    /// The object of whose class it calls a method that is written in C, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Called>,
    /// Objects of classes that are written in C for which its innermost functions have names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Called>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// An object whose method is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Called {
    /// Its address.
    pub object: u64,
    /// Its class, with the module if that is written in C.
    pub class: String,
}

/// A task of an event loop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Where it is suspended, innermost frame first.
    pub at: Vec<Frame>,
}

/// A lock that a thread holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldLock {
    /// Its address.
    pub address: u64,
    /// Where it was acquired, innermost frame first.
    pub at: Vec<Frame>,
    /// The line of source there, empty if unknown.
    pub source: String,
}

/// A frame of native code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NativeFrame {
    /// Path of the executable or library; only its last part if the form has no more; empty if unknown.
    pub module: String,
    /// Import name of the extension module that it is, where its path does not tell: the file has no tag (`fastlog.so`), but the interpreter has
    /// loaded it as a module.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub import: String,
    /// Nearest symbol before the address, demangled, empty if there is none.
    pub symbol: String,
    /// Source file of the function, if known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Distance from the symbol, or from the start of the module if there is no symbol.
    pub offset: u64,
    /// Where it was in memory, as far as a dump tells: by it the file that a dump names is known to be the one that crashed.
    #[serde(skip)]
    pub address: Option<u64>,
}

/// Something that a thread did, as the flight recorder has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The system call or the watched operation: "send", "close", "FT105 write".
    pub operation: String,
    /// The descriptor, -1 for none.
    pub fd: i32,
    /// Address of the object, 0 for none.
    pub object: u64,
    /// What a system call returned: negative is `-errno`.
    pub result: i64,
    /// Microseconds before the newest event of the recording.
    pub age_us: u64,
    /// The innermost Python frame, if known.
    pub at: Option<Frame>,
}

/// An extension module of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extension {
    /// Import name: "greenlet._greenlet".
    pub name: String,
    /// Path of the file, if known.
    pub path: String,
    /// The distribution that it comes from, if known: "greenlet".
    pub distribution: String,
    /// Version of the distribution, if known.
    pub version: String,
    /// Tags of the wheel that was installed ("cp314-cp314t-manylinux_2_28_x86_64"), empty if built here or unknown.
    pub wheel: String,
    /// Whether it declares that it works without the GIL (`Py_MOD_GIL_NOT_USED`), if known.
    pub declares_free_threading: Option<bool>,
}

/// A finding that was reported before the crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FoundBefore {
    /// Id of the rule.
    pub rule: String,
    /// One sentence.
    pub title: String,
    /// The offending call of the program.
    pub at: Option<Frame>,
    /// Name of the offending thread.
    pub thread: String,
    /// The innermost lines of all accesses, whichever came first in this run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Frame>,
}

#[cfg(test)]
impl NativeFrame {
    /// For tests: a function of a module, and nothing else is known.
    pub fn named(module: &str, symbol: &str) -> Self {
        NativeFrame { module: module.to_owned(), symbol: symbol.to_owned(), ..NativeFrame::default() }
    }
}
