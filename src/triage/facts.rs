//! A crash as the questions of triage see it: the crashing thread without the frames of those who report the crash.

use super::crash::{Crash, Extension, NativeFrame, Thread};
use super::paths;
use crate::report::Frame;

/// Frames of crash handlers: what is above the frame of the signal.
const HANDLERS: [&str; 10] = [
    "_Py_DumpStack",
    "_Py_backtrace_symbols_fd",
    "faulthandler_",
    "ftsan_",
    "__sanitizer",
    "fatal_error",
    "_Py_Fatal",
    "Py_Fatal",
    "backtrace",
    "_PyFaulthandler",
];
/// Frames through which the kernel enters a handler.
const SIGNAL_FRAMES: [&str; 4] = ["_sigtramp", "__restore_rt", "__kernel_rt_sigreturn", "__sigaction"];
/// Between the last named frame of a handler and the frame of the signal there are at most so many without a symbol.
const UNNAMED_HANDLERS: usize = 3;

/// What the interpreter's loop and its calls put between two functions that mean something.
const NOISE: [&str; 42] = [
    "_PyEval_EvalFrame",
    "_PyEval_Vector",
    "_PyEval_Frame",
    "PyEval_EvalCode",
    "_TAIL_CALL_",
    "PyObject_Vectorcall",
    "_PyObject_Vectorcall",
    "_PyObject_MakeTpCall",
    "_PyObject_Call",
    "PyObject_Call",
    "_PyFunction_Vectorcall",
    "PyVectorcall_Call",
    "_PyVectorcall_Call",
    "vectorcall_",
    "method_vectorcall",
    "cfunction_",
    "classmethoddescr_",
    "slot_tp_",
    "slot_",
    "wrapper_",
    "wrap_",
    "object_vacall",
    "partial_vectorcall",
    "context_run",
    "thread_run",
    "pythread_wrapper",
    "_pthread_start",
    "thread_start",
    "start_thread",
    "clone",
    "__clone",
    "__libc_start",
    "_start",
    "pymain_",
    "Py_RunMain",
    "Py_BytesMain",
    "main",
    "run_mod",
    "run_eval_code",
    "pyrun_",
    "_PyRun_",
    "builtin_exec",
];

/// How libc, C++ and Rust go from an error to the signal: the frames above the one that failed.
const ABORTING: [&str; 22] = [
    "raise",
    "gsignal",
    "abort",
    "__abort",
    "__GI_",
    "pthread_kill",
    "__pthread_kill",
    "tgkill",
    "__assert",
    "_assert",
    "__libc_message",
    "malloc_printerr",
    "_int_free",
    "_int_malloc",
    "__libc_free",
    "__libc_malloc",
    "__fortify_fail",
    "__stack_chk_fail",
    "_ZSt9terminate",
    "__cxa_",
    "rust_panic",
    "std::",
];

/// The crashing thread and what belongs to it.
pub(super) struct Facts<'a> {
    pub(super) crash: &'a Crash,
    /// The thread that got the signal, if it is known.
    pub(super) crashed: Option<&'a Thread>,
    /// Its native frames from the one that failed on.
    pub(super) native: &'a [NativeFrame],
    /// Its Python frames, innermost first.
    pub(super) python: &'a [Frame],
}

impl<'a> Facts<'a> {
    pub(super) fn new(crash: &'a Crash) -> Self {
        let crashed = crash.threads.iter().find(|thread| thread.crashed);
        let native = crashed.map_or(&[][..], |thread| below_signal(&thread.native));
        let python = crashed.map_or(&[][..], |thread| &thread.python);
        Facts { crash, crashed, native, python }
    }

    /// All threads but the crashing one.
    pub(super) fn others(&self) -> impl Iterator<Item = &'a Thread> {
        self.crash.threads.iter().filter(|thread| !thread.crashed)
    }

    /// Native frames that say where it failed: the innermost whatever it is, then without libc's way to an abort.
    pub(super) fn failing(&self) -> impl Iterator<Item = &'a NativeFrame> + use<'a> {
        let aborting = |frame: &&NativeFrame| {
            let symbol = clean(&frame.symbol);
            ABORTING.iter().any(|name| symbol.starts_with(name)) || (symbol.is_empty() && paths::is_system(&frame.module))
        };
        let skipped = self.native.iter().take_while(aborting).count();
        let skipped = if skipped == self.native.len() { 0 } else { skipped };
        self.native.get(skipped..).unwrap_or(&[]).iter()
    }

    /// The innermost frame that is neither libc's nor the interpreter's, if less than `depth` of the interpreter's are above it.
    pub(super) fn extension_on_top(&self, depth: usize) -> Option<&'a NativeFrame> {
        let above = self.failing().filter(|frame| !paths::is_system(&frame.module) || !frame.symbol.is_empty());
        above.take(depth).find(|frame| paths::is_extension(&frame.module))
    }

    /// What is known of the extension module that a native frame is in.
    pub(super) fn extension_of(&self, frame: &NativeFrame) -> Option<&'a Extension> {
        let by_path = self.crash.extensions.iter().find(|known| !known.path.is_empty() && known.path == frame.module);
        by_path.or_else(|| self.crash.extensions.iter().find(|known| paths::is_module(frame, &known.name)))
    }

    /// Extension modules by the beginning of their import name.
    pub(super) fn loaded<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a Extension> + use<'a, 'n> {
        self.crash.extensions.iter().filter(move |known| {
            known.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_']))
                || known.distribution == name
        })
    }

    /// The innermost line of the program's own code in a stack; the innermost of all if there is none.
    pub(super) fn programs_line(stack: &[Frame]) -> Option<&Frame> {
        let real = |frame: &&Frame| !frame.file.is_empty();
        stack.iter().filter(real).find(|frame| paths::is_programs_own(&frame.file)).or_else(|| stack.iter().find(real))
    }

    /// The crashing thread runs an event loop, as its stack or the recording has it.
    pub(super) fn runs_loop(&self) -> bool {
        self.crashed.is_some_and(runs_loop)
    }
}

/// A thread runs an event loop, as its stack or the recording has it.
pub(super) fn runs_loop(thread: &Thread) -> bool {
    const RUNNERS: [&str; 5] = ["run_forever", "run_until_complete", "_run_once", "run_app", "_run_until_complete"];
    const FILES: [&str; 4] = ["asyncio/runners.py", "asyncio/base_events.py", "uvloop/__init__.py", "asyncio/unix_events.py"];
    let runs = |frame: &Frame| {
        RUNNERS.iter().any(|name| unqualified(&frame.function) == *name)
            || (unqualified(&frame.function) == "run" && FILES.iter().any(|file| frame.file.ends_with(file)))
    };
    !thread.runs_loop.is_empty() || thread.python.iter().any(runs)
}

/// Last part of a qualified name; faulthandler has only that.
pub(super) fn unqualified(function: &str) -> &str {
    function.rsplit('.').next().unwrap_or(function)
}

/// Name of a symbol without what a compiler appends: `.llvm.123`, `.constprop.0`, `.part.1`, `.cold`.
pub(super) fn clean(symbol: &str) -> &str {
    match symbol.split_once('.') {
        Some((name, _)) if !name.is_empty() => name,
        _ => symbol,
    }
}

/// Whether a frame belongs to the interpreter's loop and its calls.
pub(super) fn is_noise(frame: &NativeFrame) -> bool {
    let symbol = clean(&frame.symbol);
    NOISE.iter().any(|noise| symbol.starts_with(noise) && (noise.len() > 6 || symbol == *noise || noise.ends_with('_')))
}

fn below_signal(frames: &[NativeFrame]) -> &[NativeFrame] {
    let is = |frame: &NativeFrame, names: &[&str]| {
        let symbol = clean(&frame.symbol);
        !symbol.is_empty() && names.iter().any(|name| symbol.starts_with(name))
    };
    let window = frames.get(..frames.len().min(10)).unwrap_or(frames);
    let Some(handler) = window.iter().rposition(|frame| is(frame, &HANDLERS)) else {
        // Without a handler's frame only the kernel's own way in is beyond doubt.
        let entry = window.iter().position(|frame| is(frame, SIGNAL_FRAMES.get(..3).unwrap_or(&[])));
        return frames.get(entry.map_or(0, |at| at + 1)..).unwrap_or(&[]);
    };
    let after = frames.get(handler + 1..).unwrap_or(&[]);
    let enters = |frame: &NativeFrame| is(frame, &SIGNAL_FRAMES) || paths::is_system(&frame.module);
    let unnamed = after.iter().take(UNNAMED_HANDLERS).take_while(|frame| frame.symbol.is_empty() && !enters(frame)).count();
    match after.get(unnamed) {
        Some(frame) if enters(frame) => after.get(unnamed + 1..).unwrap_or(&[]),
        _ => after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(module: &str, symbol: &str) -> NativeFrame {
        NativeFrame { module: module.to_owned(), symbol: symbol.to_owned(), offset: 1 }
    }

    fn below(frames: &[(&str, &str)]) -> Vec<String> {
        let frames: Vec<NativeFrame> = frames.iter().map(|(module, symbol)| frame(module, symbol)).collect();
        below_signal(&frames).iter().map(|frame| frame.symbol.clone()).collect()
    }

    #[test]
    fn frames_of_the_handler_are_not_of_the_crash() {
        let python = "/usr/bin/python3.14t";
        assert_eq!(below(&[(python, "_Py_DumpStack"), (python, ""), ("/lib/libc.so.6", ""), (python, "f")]), ["f"]);
        let mac = "/x/libpython3.14t.dylib";
        assert_eq!(
            below(&[
                (mac, "_Py_DumpStack"),
                (mac, "faulthandler_fatal_error"),
                ("/usr/lib/system/libsystem_platform.dylib", "_sigtramp"),
                (mac, "g")
            ]),
            ["g"]
        );
        assert_eq!(below(&[(python, "f"), (python, "g")]), ["f", "g"]);
        assert_eq!(below(&[("/lib/libc.so.6", "__restore_rt"), (python, "g")]), ["g"]);
        assert!(below(&[]).is_empty());
    }

    #[test]
    fn symbols_lose_what_compilers_append() {
        assert_eq!(clean("method_vectorcall.llvm.2242813384965064185"), "method_vectorcall");
        assert_eq!(clean("gen_send_ex2.constprop.0"), "gen_send_ex2");
        assert_eq!(clean(".hidden"), ".hidden");
        assert!(is_noise(&frame("", "method_vectorcall_VARARGS.llvm.1")) && !is_noise(&frame("", "mainloop")));
    }
}
