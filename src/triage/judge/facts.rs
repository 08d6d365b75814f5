//! A crash as the questions of triage see it: the crashing thread without the frames of those who report the crash, and without ftsan's.

use super::super::crash::{Crash, Extension, NativeFrame, Thread};
use super::super::names::lists::{ABORTING, ALLOCATORS, HANDLERS, INTERPRETER_LOOP, SIGNAL_FRAMES};
use super::super::names::owner::{self, Owner};
use super::super::names::{paths, symbols::clean};
use crate::report::Frame;
use crate::rules::family::calls::Crash as Cause;
use crate::rules::{self, Rule};

/// Between the last named frame of a handler and the frame of the signal there are at most so many without a symbol.
const UNNAMED_HANDLERS: usize = 3;

/// The crashing thread and what belongs to it.
pub(crate) struct Facts<'a> {
    pub(crate) crash: &'a Crash,
    /// The thread that got the signal, if it is known.
    pub(crate) crashed: Option<&'a Thread>,
    /// Its native frames from the one that failed on.
    pub(crate) native: Vec<&'a NativeFrame>,
    /// Its Python frames, innermost first.
    pub(crate) python: &'a [Frame],
}

/// Whether the program runs without the GIL, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gil {
    Off,
    On,
    Unknown,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(crash: &'a Crash) -> Self {
        let crashed = crash.threads.iter().find(|thread| thread.crashed);
        let native = crashed.map_or(&[][..], |thread| below_signal(&thread.native));
        let native = native.iter().filter(|frame| owner::of(frame) != Owner::Ours).collect();
        let python = crashed.map_or(&[][..], |thread| &thread.python);
        Facts { crash, crashed, native, python }
    }

    /// All threads but the crashing one.
    pub(crate) fn others(&self) -> impl Iterator<Item = &'a Thread> {
        self.crash.threads.iter().filter(|thread| !thread.crashed)
    }

    /// ftsan watched the process, and saw it die.
    pub(crate) fn is_by_the_handler(&self) -> bool {
        self.crash.code.is_some() && !self.crash.command.is_empty()
    }

    /// The crash handler saw the whole process, and no other thread of Python was in it.
    pub(crate) fn is_of_one_thread(&self) -> bool {
        let is_whole = self.is_by_the_handler() && self.crash.missing.is_empty();
        is_whole && self.crashed.is_some() && self.others().next().is_none()
    }

    /// Native frames that say where it failed: the innermost whatever it is, then without libc's way to an abort.
    pub(crate) fn failing(&self) -> impl Iterator<Item = &'a NativeFrame> {
        let aborting = |frame: &&&NativeFrame| {
            let symbol = clean(&frame.symbol);
            ABORTING.has(symbol) || (symbol.is_empty() && paths::is_system(&frame.module))
        };
        let skipped = self.native.iter().take_while(aborting).count();
        let skipped = if skipped == self.native.len() { 0 } else { skipped };
        self.native.get(skipped..).unwrap_or(&[]).iter().copied()
    }

    /// The innermost frames that mean something, with their owners: neither libc's without a name, nor the interpreter's loop.
    pub(crate) fn meaning(&self) -> impl Iterator<Item = (&'a NativeFrame, Owner)> {
        let frames = self.failing().enumerate().filter(|(at, frame)| *at == 0 || !is_noise(frame)).map(|(_, frame)| frame);
        frames.filter(|frame| !paths::is_system(&frame.module) || !frame.symbol.is_empty()).map(|frame| (frame, owner::of(frame)))
    }

    /// The innermost frame of an extension module, of CPython or not, if less than `depth` of the interpreter's are above it; frames of
    /// libraries that it calls are not counted.
    pub(crate) fn extension_on_top(&self, depth: usize) -> Option<(usize, &'a NativeFrame, Owner)> {
        let mut above = 0;
        for frame in self.failing() {
            let owner = owner::of(frame);
            match owner {
                Owner::Stdlib(_) | Owner::Extension(..) => return Some((above, frame, owner)),
                Owner::C | Owner::Library(_) | Owner::Ours => {}
                // The caller that frees says more than the function that does it.
                Owner::Interpreter | Owner::Unknown if is_allocator(frame) => {}
                Owner::Interpreter | Owner::Unknown => above += 1,
            }
            if above >= depth {
                break;
            }
        }
        None
    }

    /// The innermost code, where that is a plugin which a library has loaded for itself, and the library: a module of SQLite, a
    /// provider of OpenSSL.  Neither the library nor who called it wrote it.
    pub(crate) fn plugin_on_top(&self) -> Option<(&'a NativeFrame, &'a NativeFrame)> {
        let ends = [".so", ".dylib"];
        let mut frames = self.meaning().skip_while(|(_, owner)| matches!(owner, Owner::C | Owner::Unknown));
        let is_plugin = |module: &str| {
            let name = paths::base(module);
            !name.starts_with("lib") && ends.iter().any(|end| name.ends_with(end))
        };
        let (plugin, owner) = frames.next()?;
        if !matches!(owner, Owner::Library(_)) || !is_plugin(&plugin.module) {
            return None;
        }
        // A program may load one by itself, through libffi.
        let of_library = |module: &str| !is_plugin(module) && !paths::base(module).starts_with("libffi");
        let (library, owner) =
            frames.find(|(frame, owner)| !matches!(owner, Owner::C | Owner::Unknown) && frame.module != plugin.module)?;
        (matches!(owner, Owner::Library(_)) && of_library(&library.module)).then_some((plugin, library))
    }

    /// The entry of the extension module that a native frame is in.
    pub(crate) fn extension_of(&self, frame: &NativeFrame) -> Option<&'a Extension> {
        let by_path = self.crash.extensions.iter().find(|known| !known.path.is_empty() && known.path == frame.module);
        by_path.or_else(|| self.crash.extensions.iter().find(|known| paths::is_module(frame, &known.name)))
    }

    /// Extension modules by the beginning of their import name.
    pub(crate) fn loaded<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a Extension> + use<'a, 'n> {
        self.crash.extensions.iter().filter(move |known| {
            known.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_']))
                || known.distribution == name
        })
    }

    /// Version of a distribution, from its extension modules or a list of packages.
    pub(crate) fn version_of(&self, distribution: &str) -> Option<&'a str> {
        let loaded = self.loaded(distribution).map(|known| known.version.as_str()).find(|version| !version.is_empty());
        let normal = |name: &str| name.to_ascii_lowercase().replace(['-', '.'], "_");
        let listed = || self.crash.packages.iter().find(|(name, _)| normal(name) == normal(distribution));
        loaded.or_else(|| listed().map(|(_, version)| version.as_str()))
    }

    /// Distributions, or top packages, of the extension modules that are known to be loaded and are not CPython's.
    pub(crate) fn third_parties(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = Vec::new();
        for known in &self.crash.extensions {
            let name = party(known);
            let of_cpython = !known.name.contains('.') && super::super::names::lists::STDLIB_EXTENSIONS.has(&known.name);
            if !of_cpython && !name.is_empty() && name != "ftsan" && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Nothing but CPython and libc is known to be in the process, and enough is known to say so: nobody else could have damaged
    /// what the interpreter met.
    pub(crate) fn is_alone(&self) -> bool {
        let foreign = |frame: &&NativeFrame| owner::of(frame).is_third_party() || owner::is_foreign(frame);
        let of_cpython = self.meaning().take(3).any(|(_, owner)| matches!(owner, Owner::Interpreter | Owner::Stdlib(_)));
        self.third_parties().is_empty()
            && !self.native.iter().any(foreign)
            && (of_cpython || self.native.is_empty())
            && (self.has_python_stack() || self.reaches_outermost())
    }

    /// The dump has the Python stack of the crashing thread: then it has the list of extension modules as well, if there are any.
    fn has_python_stack(&self) -> bool {
        !self.python.is_empty()
    }

    /// The native stack goes out to where a thread or the program began.
    pub(crate) fn reaches_outermost(&self) -> bool {
        const OUTERMOST: [&str; 14] = [
            "_start",
            "start",
            "main",
            "__libc_start_main",
            "__libc_start_main_impl",
            "__libc_start_call_main",
            "Py_BytesMain",
            "pymain_main",
            "Py_RunMain",
            "start_thread",
            "thread_start",
            "pythread_wrapper",
            "_pthread_start",
            "clone3",
        ];
        let outer = self.native.iter().rev().take(4).map(|frame| clean(&frame.symbol));
        outer.into_iter().any(|name| OUTERMOST.contains(&name) || name.starts_with("clone") || name.starts_with("__clone"))
    }

    /// The innermost line of the program's own code in a stack; the innermost of all if there is none.
    pub(crate) fn programs_line(stack: &[Frame]) -> Option<&Frame> {
        let real = |frame: &&Frame| !frame.file.is_empty();
        stack.iter().filter(real).find(|frame| paths::is_programs_own(&frame.file)).or_else(|| stack.iter().find(real))
    }

    /// No extension module of anybody else is among the innermost functions.
    pub(crate) fn is_by_itself(&self) -> bool {
        !self.meaning().take(3).any(|(_, owner)| matches!(owner, Owner::Extension(..)))
    }

    /// The innermost frames are where a misuse that the rule is about crashes.
    pub(crate) fn is_where_it_crashes(&self, rule: &str) -> bool {
        let Some(Cause { files, symbols, .. }) = rules::find(rule).map(Rule::crash) else { return false };
        // Only calls that the program makes, none that lead to it: a loop is below all that it runs.
        const RUNS: [&str; 8] =
            ["_run", "_run_once", "run_forever", "run_until_complete", "run", "__step", "__step_run_and_handle_result", "__wakeup"];
        let mut inner = self.python.iter().take(4).filter(|frame| !RUNS.contains(&unqualified(&frame.function)));
        let mut called = || inner.any(|frame| files.iter().any(|file| frame.file.contains(file)));
        (self.is_by_itself() && called())
            || self.failing().take(4).any(|frame| symbols.iter().any(|symbol| clean(&frame.symbol).starts_with(symbol)))
    }

    /// A line is what a sanitizer or valgrind says of an access.
    pub(crate) fn is_of_a_tool(line: &str) -> bool {
        ["AddressSanitizer: ", "ThreadSanitizer: ", "MemorySanitizer: ", "UndefinedBehaviorSanitizer: ", "valgrind: "]
            .iter()
            .any(|tool| line.starts_with(tool))
    }

    /// No signal: a tool that checks memory found an access.
    pub(crate) fn is_found_by_a_tool(&self) -> bool {
        self.crash.signal.is_empty() && self.crash.message.lines().any(Self::is_of_a_tool)
    }

    /// A sanitizer shows both ends, two accesses or what freed a block and what uses it, and the innermost functions of both
    /// are the interpreter's.
    pub(crate) fn is_shown_of_the_interpreter(&self) -> bool {
        let own = |thread: &Thread| {
            let mut owners = thread.native.iter().take(3).map(owner::of);
            !thread.native.is_empty() && owners.all(|owner| matches!(owner, Owner::Interpreter | Owner::Stdlib(_) | Owner::C))
        };
        if self.is_race_on_counts() {
            return true;
        }
        // Arithmetic is wrong where it stands; a pointer comes from elsewhere.
        let computes = |line: &str| {
            let said = line.strip_prefix("UndefinedBehaviorSanitizer: ");
            said.is_some_and(|said| {
                ["shift", "overflow", "outside the range", "out of bounds", "division by zero", "not a valid value"]
                    .iter()
                    .any(|what| said.contains(what))
            })
        };
        if self.crash.message.lines().any(computes) && self.crash.threads.first().is_some_and(own) {
            return true;
        }
        // With other threads about, what one of them did to the counts of references is not shown.
        let freed = |line: &str| self.crash.one_thread && line.starts_with("AddressSanitizer: heap-use-after-free");
        self.crash.message.lines().any(|line| line.starts_with("ThreadSanitizer: ") || freed(line))
            && self.crash.threads.iter().take(2).all(own)
            && self.crash.threads.len() > 1
    }

    /// ThreadSanitizer shows two accesses to the counts of references, which are the interpreter's to keep, whoever asks it to count.
    pub(crate) fn is_race_on_counts(&self) -> bool {
        const COUNTS: [&str; 9] = [
            "_Py_IncRef",
            "_Py_DecRef",
            "Py_IncRef",
            "Py_DecRef",
            "Py_INCREF",
            "Py_DECREF",
            "_Py_NewRef",
            "_Py_atomic_add_ssize",
            "_PyObject_SetDeferredRefcount",
        ];
        let counts = |thread: &Thread| {
            thread
                .native
                .first()
                .is_some_and(|frame| COUNTS.contains(&clean(&frame.symbol)) && owner::of(frame) == Owner::Interpreter)
        };
        self.crash.threads.len() > 1
            && self.crash.message.lines().any(|line| line.starts_with("ThreadSanitizer: data race"))
            && self.crash.threads.iter().take(2).all(counts)
    }

    /// The crashing thread runs an event loop, as its stack or the recording has it.
    pub(crate) fn runs_loop(&self) -> bool {
        self.crashed.is_some_and(runs_loop)
    }

    /// Frames of the crashing thread are missing.
    pub(crate) fn is_cut(&self) -> bool {
        self.crashed.is_some_and(|thread| thread.cut)
    }

    /// Its innermost native frames are among those that are missing.
    pub(crate) fn top_is_cut(&self) -> bool {
        self.crashed.is_some_and(|thread| thread.top_cut)
    }

    /// Whether it ran without the GIL.
    pub(crate) fn gil(&self) -> Gil {
        let python = &self.crash.python;
        let free_threaded = python.version.contains("free-threading");
        let version = self.python_version();
        if !version.is_empty() && paths::is_below(version, "3.13") {
            return Gil::On;
        }
        match python.gil.as_str() {
            "disabled" => Gil::Off,
            "" if free_threaded => Gil::Off,
            // A version without a word of the build may be a shortened one: only a dump that shows all threads proves a build with the GIL.
            "" => Gil::Unknown,
            _ => Gil::On,
        }
    }

    /// Version of the interpreter, empty if unknown.
    pub(crate) fn python_version(&self) -> &'a str {
        let version = self.crash.python.version.trim_start_matches("Python ");
        if version.starts_with(|c: char| c.is_ascii_digit()) { version } else { "" }
    }
}

/// A thread runs an event loop, as its stack or the recording has it.
pub(crate) fn runs_loop(thread: &Thread) -> bool {
    const RUNNERS: [&str; 5] = ["run_forever", "run_until_complete", "_run_once", "run_app", "_run_until_complete"];
    const FILES: [&str; 4] = ["asyncio/runners.py", "asyncio/base_events.py", "uvloop/__init__.py", "asyncio/unix_events.py"];
    let runs = |frame: &Frame| {
        RUNNERS.iter().any(|name| unqualified(&frame.function) == *name)
            || (unqualified(&frame.function) == "run" && FILES.iter().any(|file| frame.file.ends_with(file)))
    };
    !thread.runs_loop.is_empty() || thread.python.iter().any(runs)
}

/// Last part of a qualified name; faulthandler has only that.
pub(crate) fn unqualified(function: &str) -> &str {
    function.rsplit('.').next().unwrap_or(function)
}

/// Whether a frame belongs to the interpreter's loop and its calls.
pub(crate) fn is_noise(frame: &NativeFrame) -> bool {
    INTERPRETER_LOOP.has(clean(&frame.symbol))
}

/// A function of the interpreter's or libc's allocator, or one between it and whoever asked for memory.
pub(crate) fn is_allocator(frame: &NativeFrame) -> bool {
    const BETWEEN: [&str; 20] = [
        "__tls_get_addr",
        "_PyMem_MiMalloc",
        "_PyObject_MiMalloc",
        "_PyObject_MiFree",
        "_PyMem_MiFree",
        "_PyMem_MiCalloc",
        "_PyObject_MiRealloc",
        "_PyMem_MiRealloc",
        "PyObject_Free",
        "PyMem_Free",
        "PyMem_RawFree",
        "PyObject_Malloc",
        "PyMem_Malloc",
        "PyMem_RawMalloc",
        "PyObject_GC_Del",
        "gc_alloc",
        "_PyObject_GC_New",
        "_PyObject_GC_NewVar",
        "_PyObject_New",
        "_PyObject_NewVar",
    ];
    let symbol = clean(&frame.symbol);
    (ALLOCATORS.has(symbol) || BETWEEN.contains(&symbol))
        && matches!(owner::of(frame), Owner::Interpreter | Owner::C | Owner::Unknown)
        && !owner::is_foreign(frame)
}

fn below_signal(frames: &[NativeFrame]) -> &[NativeFrame] {
    let ours = |frame: &NativeFrame| owner::of(frame) == Owner::Ours;
    // A tool that prints stacks on request, not for a crash, may die itself.
    const ON_REQUEST: [&str; 3] = ["faulthandler_user", "faulthandler_thread", "faulthandler_dump_traceback_py"];
    if frames.iter().take(10).any(|frame| ON_REQUEST.contains(&clean(&frame.symbol))) {
        return frames;
    }
    let handles = |frame: &NativeFrame| HANDLERS.has(clean(&frame.symbol));
    let is_entry = |frame: &NativeFrame| SIGNAL_FRAMES.has(clean(&frame.symbol));
    let window = frames.get(..frames.len().min(10)).unwrap_or(frames);
    let handler = window.iter().rposition(handles);
    // The handler of ftsan, whose functions have names of Rust, is above the entry or there is none.
    let entry = window.iter().position(|frame| is_entry(frame) && clean(&frame.symbol) != "__sigaction");
    if let Some(entry) = entry.filter(|entry| handler.is_none_or(|handler| handler < *entry)) {
        return frames.get(entry + 1..).unwrap_or(&[]);
    }
    let Some(handler) = handler else {
        // Without a handler's frame only the kernel's own way in is beyond doubt.
        let own = window.iter().take_while(|frame| ours(frame)).count();
        return frames.get(own..).unwrap_or(&[]);
    };
    let after = frames.get(handler + 1..).unwrap_or(&[]);
    let enters = |frame: &NativeFrame| is_entry(frame) || paths::is_system(&frame.module);
    let unnamed = after.iter().take(UNNAMED_HANDLERS).take_while(|frame| frame.symbol.is_empty() && !enters(frame)).count();
    match after.get(unnamed) {
        Some(frame) if enters(frame) => after.get(unnamed + 1..).unwrap_or(&[]),
        _ => after,
    }
}

/// As [`Facts::third_parties`] calls an extension module: by its distribution, else by the beginning of its import name.
pub(super) fn party(known: &Extension) -> &str {
    if known.distribution.is_empty() { known.name.split('.').next().unwrap_or_default() } else { &known.distribution }
}

#[cfg(test)]
mod tests;
