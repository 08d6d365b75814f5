//! Fatal errors: what the interpreter says before it gives up, and which of these only an extension module can bring about.

use super::super::crash::NativeFrame;
use super::super::forms::said::FINALIZING;
use super::super::names::lists::SYMBOL_OWNERS;
use super::super::names::owner::{self, Owner};
use super::super::names::{paths, symbols::clean};
use super::facts::{Facts, Gil, unqualified};
use super::nearest::suspects;
use super::verdict::{Confidence, CrashCause, RECORD, Verdict, verdict};

/// Sentences that mean a mistake of code in C, with what the mistake is and the cure.  Correct Python code cannot make the interpreter say them.
const OF_EXTENSIONS: [(&[&str], &str, &str); 6] = [
    (
        &[
            "the function must be called with the GIL held",
            "the function must be called with an active thread state",
            "without holding the GIL",
            "but the GIL is released",
            "PyThreadState_Get: no current thread",
            "PyThreadState_Get: the function must be called",
            "NULL tstate",
            "is being called while the GIL is either not held or invalid",
            "PyGILState_Check() failure",
        ],
        "native code called the interpreter without holding a thread state: between Py_BEGIN_ALLOW_THREADS and Py_END_ALLOW_THREADS, or from a thread of \
         its own without PyGILState_Ensure()",
        "have it call PyGILState_Ensure() before it calls the interpreter; PYTHONDEVMODE=1 finds the call",
    ),
    (
        &[
            "non-NULL old thread state",
            "PyEval_RestoreThread: ",
            "PyGILState_Release",
            "This thread state must be current",
            "wrong thread state",
            "tstate mix-up",
            "orphan tstate",
            "Invalid thread state for this thread",
            "thread state already initialized",
            "is_tstate_valid: Assertion",
            "tstate_is_alive",
        ],
        "native code took or gave back a thread state that was not the current one",
        "look for unpaired PyEval_SaveThread and PyGILState_Ensure, and for callbacks that outlive the interpreter",
    ),
    (
        &[
            "likely caused by a refcount error",
            "negative refcount",
            "_Py_NegativeRefcount",
            "deallocating None",
            "object has negative ref count",
        ],
        "an object was released once too often",
        "PYTHONMALLOC=debug, and a debug build of CPython (python3.14td), which names the type of the object",
    ),
    (
        &[
            "_Py_CheckFunctionResult",
            "_Py_CheckSlotResult",
            "returned NULL without setting an exception",
            "returned a result with an exception set",
        ],
        "a function written in C broke the rule that it returns NULL with an exception, or a result without one",
        "the sentence names the function: report it to the extension module that has it",
    ),
    (
        &["bad ID: Allocated using API"],
        "a block of memory of one allocator was given back to another one (PyMem_Malloc and PyObject_Free, or malloc and PyMem_Free)",
        "PYTHONTRACEMALLOC=10 shows where the block was taken: report it to the extension module that did",
    ),
    (
        &[
            "PyImport_GetMagicNumber",
            "Interpreter not initialized (version mismatch?)",
            "module_api_version",
            "PyInterpreterState_Get: ",
        ],
        "an extension module was built for another interpreter, or loaded before this one was ready",
        "reinstall it with a wheel of this interpreter's ABI",
    ),
];

/// Those rows of them that no interpreter can bring about by itself: of thread states, and of modules of another interpreter.
const ONLY_OF_EXTENSIONS: [usize; 3] = [0, 1, 5];
/// The row of counts of references: with threads that the interpreter lets at one object, its own code may drop one too many.
const OF_REFERENCES: usize = 2;

/// Functions that look for an interpreter, and fail where there is none.
const NEED_AN_INTERPRETER: [&str; 5] =
    ["new_threadstate", "alloc_threadstate", "_PyThreadState_New", "PyThreadState_New", "PyGILState_Ensure"];

/// Sentences of a collector that counts again in a debug build: the object was released too often, or a lock was missing.
const COLLECTOR: [&str; 5] = [
    "validate_refcounts",
    "tracked objects must have a reference count",
    "refcount is too small",
    "gc_refs",
    "should not be marked as unreachable",
];

/// Functions of the interpreter that fail where there is no thread state.
const NEED_A_THREAD_STATE: [&str; 4] =
    ["_PyInterpreterState_GET", "_PyThreadState_GET", "_Py_EnsureFuncTstateNotNULL", "_PyEval_EnsureTstateNotNULL"];

/// A mistake that only code in C can make.
pub(super) fn of_an_extension(facts: &Facts<'_>) -> Option<Verdict> {
    let innermost = facts.failing().next().map_or("", |frame| clean(&frame.symbol));
    if NEED_A_THREAD_STATE.contains(&innermost) && !facts.top_is_cut() {
        let (_, mistake, cure) = OF_EXTENSIONS[0];
        let evidence = vec![
            format!("{mistake}: it died in {innermost}"),
            "only an extension module, or a program that embeds the interpreter, can do that".to_owned(),
        ];
        return Some(blamed(facts, evidence, cure));
    }
    if NEED_AN_INTERPRETER.contains(&innermost) && !facts.top_is_cut() {
        let evidence = vec![format!(
            "native code asked for a thread state ({innermost}) while there was no interpreter: before it had started, or when it had ended"
        )];
        let next =
            "stop what calls Python from native threads before the interpreter ends (atexit), or start the interpreter first";
        return Some(blamed(facts, evidence, next));
    }
    // Whatever looks at all threads, as tracing does, meets states of threads that have ended.
    let of_others = |line: &str| line.contains("legacy_tracing.c") || line.contains("instrumentation.c");
    let (line, number, mistake, cure) = facts.crash.message.lines().filter(|line| !of_others(line)).find_map(|line| {
        let number = OF_EXTENSIONS.iter().position(|(words, _, _)| words.iter().any(|word| line.contains(word)))?;
        let (_, mistake, cure) = OF_EXTENSIONS.get(number)?;
        Some((line, number, *mistake, *cure))
    })?;
    let mut evidence = vec![format!("{mistake} ({line})")];
    // A thread that was still at work when the main thread ended: the same sentence, and another mistake.
    let finalizing = number < 2 && facts.crash.message.lines().any(|line| line == FINALIZING);
    if finalizing {
        evidence.insert(
            0,
            "native code of a thread came back to the interpreter while that was ending: a daemon thread, or one of the extension module's own, \
             outlived the main thread"
                .to_owned(),
        );
        let next = "join the threads before the program ends, or stop what starts them (atexit); from CPython 3.14 on such a thread hangs instead";
        return Some(blamed(facts, evidence, next));
    }
    if number == OF_REFERENCES && is_interpreters_source(line) && nobody_else(facts) {
        evidence.push(
            "it was the interpreter's own code that dropped the reference, and no extension module is known to be loaded"
                .to_owned(),
        );
        let next = format!("search CPython's issues for the sentence; {RECORD}");
        return Some(verdict(CrashCause::InterpreterBug, Confidence::Low, evidence, &next));
    }
    let threads = number == OF_REFERENCES && facts.gil() != Gil::On && !facts.crash.one_thread;
    evidence.push(if threads {
        "as a rule an extension module does that; without the GIL, so may threads that share what the interpreter does not lock"
            .to_owned()
    } else {
        "only an extension module, or a program that embeds the interpreter, can do that".to_owned()
    });
    let mut verdict = blamed(facts, evidence, cure);
    // With no more than the sentence, which one it is, is not known.
    if verdict.culprit.is_none() && facts.crash.threads.is_empty() && ONLY_OF_EXTENSIONS.contains(&number) {
        verdict.verdict = CrashCause::LibraryBug;
    }
    Some(verdict)
}

/// Nobody but CPython is known to be in the process, and nothing on the stack is of somebody who is not known.
fn nobody_else(facts: &Facts<'_>) -> bool {
    let foreign = |frame: &&NativeFrame| owner::of(frame).is_third_party() || owner::is_foreign(frame);
    facts.third_parties().is_empty()
        && !facts.native.iter().any(foreign)
        && !facts.meaning().take(3).any(|(_, owner)| owner == Owner::Unknown)
}

/// A line names a source file of CPython that no extension module is made with: public headers are in all of them.
fn is_interpreters_source(line: &str) -> bool {
    let own = |word: &str| {
        let file = word.trim_start_matches('(').split_once(':').map_or("", |(file, _)| file);
        let source = NativeFrame { source: file.to_owned(), ..NativeFrame::default() };
        (!file.contains("Include/") || file.contains("Include/internal/"))
            && matches!(owner::of(&source), Owner::Interpreter | Owner::Stdlib(_))
    };
    line.split_whitespace().any(own)
}

/// The interpreter says it as it begins or ends, and nothing is wrong with its memory.
pub(super) fn at_the_edges(facts: &Facts<'_>) -> Option<Verdict> {
    const EDGES: [(&[&str], &str, &str); 3] = [
        (
            &["Disabling the GIL is not supported by this build"],
            "the interpreter did not start: PYTHON_GIL=0 or -X gil=0 asks for what this build, which always has the GIL, cannot do",
            "run it with a free-threaded build (python3.14t), or leave that out",
        ),
        (
            &[
                "init_fs_encoding",
                "initfsencoding",
                "init_sys_streams",
                "init_import_site",
                "No module named 'encodings'",
                "unable to load the file system codec",
            ],
            "the interpreter did not start: it did not find its standard library, or found that of another version",
            "look at PYTHONHOME, PYTHONPATH and the paths that it prints before; make the virtual environment anew",
        ),
        (
            &["at interpreter shutdown, possibly due to daemon threads"],
            "the interpreter ended while a daemon thread held the lock of a file that it had to write out",
            "join the threads before the program ends, or let daemon threads not print",
        ),
    ];
    let line = facts.crash.message.lines().find(|line| line.starts_with("Fatal Python error: "))?;
    let (_, what, next) = EDGES.iter().find(|(words, _, _)| words.iter().any(|word| line.contains(word)))?;
    let evidence = vec![(*what).to_owned(), format!("it said: {line}")];
    Some(verdict(CrashCause::Unknown, Confidence::Medium, evidence, next))
}

/// The collector of a debug build counted again and found an object that was released too often.
pub(super) fn of_the_collector(facts: &Facts<'_>) -> Option<Verdict> {
    let line = facts.crash.message.lines().find(|line| COLLECTOR.iter().any(|words| line.contains(words)))?;
    let mut evidence = vec![format!("the collector found an object whose references do not add up ({line})")];
    evidence.extend(facts.crash.message.lines().find(|line| line.starts_with("object type name:")).map(str::to_owned));
    if facts.third_parties().is_empty()
        && facts.extension_on_top(usize::MAX).is_none_or(|(_, _, owner)| matches!(owner, Owner::Stdlib(_)))
    {
        evidence.push("no extension module is known to be loaded".to_owned());
        let next = format!("search CPython's issues for the sentence; {RECORD}");
        return Some(verdict(CrashCause::Unknown, Confidence::Low, evidence, &next));
    }
    evidence.push("as a rule it is an extension module that releases an object once too often".to_owned());
    Some(blamed(facts, evidence, "look for the extension module that has the type; PYTHONMALLOC=debug"))
}

/// The extension module that is nearest, if any is.
fn blamed(facts: &Facts<'_>, mut evidence: Vec<String>, cure: &str) -> Verdict {
    let on_stack = facts.extension_on_top(usize::MAX).and_then(|(_, frame, owner)| match owner {
        Owner::Extension(name, distribution) => {
            let known =
                facts.extension_of(frame).filter(|known| !known.distribution.is_empty()).map(|known| known.distribution.clone());
            let name = facts.extension_of(frame).map_or(name, |known| known.name.clone());
            evidence.push(format!("the innermost extension module on the native stack is {name}"));
            Some(known.or(distribution).unwrap_or_else(|| name.split('.').next().unwrap_or(&name).to_owned()))
        }
        Owner::Interpreter | Owner::Stdlib(_) | Owner::Library(_) | Owner::C | Owner::Ours | Owner::Unknown => None,
    });
    // Without a caller in Python, what runs is native code of its own thread, whatever it calls.
    let called_by_python = facts.python.last().is_some_and(|outermost| {
        ["<module>", "_bootstrap", "_run_code", "_run_module_as_main"].contains(&unqualified(&outermost.function))
    });
    let listed = || {
        let others = facts.third_parties();
        match &others[..] {
            [only] => Some((*only).to_owned()),
            _ if !called_by_python => None,
            _ => facts
                .python
                .iter()
                .take(3)
                .find_map(|frame| paths::distribution(&frame.file))
                .filter(|name| others.contains(name))
                .map(str::to_owned),
        }
    };
    let by_list = if on_stack.is_none() { listed() } else { None };
    if let Some(name) = &by_list
        && facts.third_parties().len() == 1
    {
        evidence.push(format!("no other extension modules than {name}'s are known to be loaded"));
    }
    let culprit = on_stack.or(by_list);
    if culprit.is_none() {
        evidence.push(suspects(facts));
    }
    let cause = if culprit.is_some() { CrashCause::LibraryBug } else { CrashCause::Unknown };
    Verdict { culprit, ..verdict(cause, Confidence::Low, evidence, cure) }
}

/// A thread that had let go of the interpreter came back to it when that was gone.
pub(super) fn came_back(facts: &Facts<'_>) -> Option<Verdict> {
    const COMES_BACK: [&str; 7] = [
        "take_gil",
        "PyEval_RestoreThread",
        "PyEval_AcquireThread",
        "_PyThreadState_Attach",
        "tstate_try_attach",
        "tstate_must_exit",
        "_PyThreadState_MustExit",
    ];
    let innermost = facts.failing().next().map(|frame| clean(&frame.symbol))?;
    if !COMES_BACK.contains(&innermost) || facts.top_is_cut() || !["SIGSEGV", "SIGBUS"].contains(&facts.crash.signal.as_str()) {
        return None;
    }
    let evidence = vec![format!(
        "a thread came back to the interpreter ({innermost}) when its thread state was gone: a daemon thread, or one of native code, outlived the main \
         thread, or another one has freed its state"
    )];
    let next = "join the threads before the program ends, or stop what starts them (atexit); from CPython 3.14 on such a thread hangs instead";
    Some(blamed(facts, evidence, next))
}

/// An assertion that failed, by whose source it is in.
pub(super) fn assertion(facts: &Facts<'_>) -> Option<Verdict> {
    let line = facts
        .crash
        .message
        .lines()
        .find(|line| line.contains("Assertion `") || line.contains(": Assertion \"") || line.contains("Assertion failed:"))?;
    // macOS names the function, and the file without its folder.
    let by_function = line
        .split_once("), function ")
        .and_then(|(_, rest)| rest.split_once(", file "))
        .is_some_and(|(function, file)| SYMBOL_OWNERS.find(function) == Some("interpreter") && !file.contains('/'));
    let in_interpreter = by_function
        || is_interpreters_source(line)
        || line.split_whitespace().any(|word| {
            let source = word.trim_start_matches('(').split_once(':').map_or("", |(file, _)| file).to_owned();
            matches!(owner::of(&NativeFrame { source, ..NativeFrame::default() }), Owner::Interpreter | Owner::Stdlib(_))
        });
    let (_, owner) = facts.extension_on_top(3).map_or((None, Owner::Unknown), |(_, frame, owner)| (Some(frame), owner));
    if !in_interpreter || matches!(owner, Owner::Extension(..)) {
        return None;
    }
    let evidence = vec![format!("an assertion of the interpreter failed: {line}"), suspects(facts)];
    let alone = facts.is_alone() || ((by_function || is_interpreters_source(line)) && nobody_else(facts));
    let cause = if alone { CrashCause::InterpreterBug } else { CrashCause::Unknown };
    let next = format!("search CPython's issues for the assertion; if threads share the object, lock it; {RECORD}");
    Some(verdict(cause, Confidence::Low, evidence, &next))
}

/// Functions that give back a lock, and give up if it is not held.
const UNLOCKS: [&str; 5] =
    ["PyMutex_Unlock", "_PyMutex_Unlock", "_PyRecursiveMutex_Unlock", "_PyRWMutex_Unlock", "_PyRWMutex_RUnlock"];

/// Any other fatal error of the interpreter.
pub(super) fn other(facts: &Facts<'_>) -> Option<Verdict> {
    const SIGNALS: [&str; 5] = ["Segmentation fault", "Bus error", "Aborted", "Illegal instruction", "Floating"];
    let fatal = facts.crash.message.lines().find_map(|line| line.strip_prefix("Fatal Python error: "))?;
    if SIGNALS.iter().any(|signal| fatal.contains(signal)) {
        return None;
    }
    let mut evidence = vec![format!("Py_FatalError was called, because what must not be is: {fatal}")];
    // The sentence begins with the function that calls; extension modules call it, too.
    let function = fatal.split(':').next().unwrap_or_default();
    let of_cpython = SYMBOL_OWNERS.find(function) == Some("interpreter");
    let cause = if of_cpython && facts.is_alone() { CrashCause::InterpreterBug } else { CrashCause::Unknown };
    let next = format!("search the issues of CPython and of the extensions for the message; {RECORD}");
    if cause == CrashCause::Unknown && UNLOCKS.contains(&function) {
        evidence.push(
            "a thread gave back a lock of the interpreter that it does not hold: so it is after a fork or a switch of stacks in native code, \
             or where memory was overwritten"
                .to_owned(),
        );
        return Some(blamed(facts, evidence, &next));
    }
    evidence.push(suspects(facts));
    Some(verdict(cause, Confidence::Low, evidence, &next))
}

#[cfg(test)]
mod tests {
    use super::super::super::crash::{Crash, Extension, NativeFrame, Thread};
    use super::*;
    use crate::report::Frame;

    const PYTHON: &str = "/usr/bin/python3.14t";
    const OWN: &str = "/v/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";

    fn crash(message: &str, frames: &[(&str, &str)], extensions: &[&str]) -> Crash {
        let native = |(module, symbol): &(&str, &str)| NativeFrame::named(module, symbol);
        let thread = Thread { crashed: true, native: frames.iter().map(native).collect(), ..Thread::default() };
        let extension = |name: &&str| Extension { name: (*name).to_owned(), ..Extension::default() };
        Crash {
            message: message.to_owned(),
            threads: vec![thread],
            extensions: extensions.iter().map(extension).collect(),
            ..Crash::default()
        }
    }

    fn python(mut crash: Crash, stack: &[(&str, &str)]) -> Crash {
        let frame = |(file, function): &(&str, &str)| Frame {
            file: (*file).to_owned(),
            function: (*function).to_owned(),
            line: 5,
            ..Frame::default()
        };
        crash.threads[0].python = stack.iter().map(frame).collect();
        crash
    }

    const NO_GIL: &str = "Fatal Python error: f: the function must be called with the GIL held";

    #[test]
    fn a_thread_state_that_is_missing_is_known_by_the_function_or_by_the_words() {
        let is = |crash: &Crash| of_an_extension(&Facts::new(crash)).is_some();
        let silent = crash("", &[(PYTHON, "_PyThreadState_GET")], &[]);
        assert!(is(&silent) && !is(&crash("", &[(PYTHON, "f"), (PYTHON, "_PyThreadState_GET")], &[])));
        let mut cut = silent;
        cut.threads[0].top_cut = true;
        assert!(!is(&cut), "the innermost frames are missing");
        assert!(is(&crash(NO_GIL, &[], &[])) && !is(&crash("Fatal Python error: f: strange", &[], &[])));
    }

    #[test]
    fn a_thread_that_outlives_the_main_one_is_another_mistake() {
        let told = |message: &str| of_an_extension(&Facts::new(&crash(message, &[], &[]))).unwrap().evidence[0].clone();
        assert!(told(&format!("{NO_GIL}\n{FINALIZING}")).contains("outlived the main thread"));
        assert!(told(NO_GIL).starts_with("native code called the interpreter without"));
        assert!(told(&format!("x: negative refcount\n{FINALIZING}")).starts_with("an object was released once too often"));
    }

    #[test]
    fn the_extension_on_the_stack_is_blamed_else_the_only_one_else_the_one_that_python_called() {
        let blamed = |crash: &Crash| of_an_extension(&Facts::new(crash)).unwrap().culprit;
        assert_eq!(blamed(&crash(NO_GIL, &[(PYTHON, "f"), (OWN, "g")], &["yarl._q"])).as_deref(), Some("fastlog"));
        assert_eq!(blamed(&crash(NO_GIL, &[], &["yarl._q"])).as_deref(), Some("yarl"));
        let two = || crash(NO_GIL, &[], &["yarl._q", "fastlog._core"]);
        assert_eq!(blamed(&two()), None);
        let (api, main) = (("/v/site-packages/fastlog/api.py", "log"), ("/app.py", "<module>"));
        assert_eq!(blamed(&python(two(), &[api, main])).as_deref(), Some("fastlog"));
        assert_eq!(blamed(&python(two(), &[api, ("/app.py", "callback")])), None, "a thread of native code");
        assert_eq!(blamed(&python(two(), &[("/v/site-packages/other/api.py", "f"), main])), None, "it has no extension module");
        let verdict = of_an_extension(&Facts::new(&two())).unwrap();
        assert_eq!(verdict.verdict, CrashCause::Unknown);
        assert_eq!(verdict.evidence.last().map(String::as_str), Some("extension modules of yarl, fastlog are loaded"));
    }

    #[test]
    fn what_the_collector_finds_is_nobodys_if_no_extension_is_loaded() {
        let told = |frames: &[(&str, &str)], extensions: &[&str]| {
            let message = "Assertion failed: gc_refs\nobject type name: dict";
            of_the_collector(&Facts::new(&crash(message, frames, extensions))).unwrap().evidence
        };
        let alone = told(&[], &[]);
        assert_eq!(alone[1..], ["object type name: dict", "no extension module is known to be loaded"]);
        let json = "/usr/lib/python3.14t/lib-dynload/_json.cpython-314t-darwin.so";
        assert_eq!(told(&[(json, "f")], &[]), alone);
        for other in [told(&[], &["fastlog._core"]), told(&[(OWN, "f")], &[])] {
            assert_eq!(other[2], "as a rule it is an extension module that releases an object once too often");
        }
        assert!(of_the_collector(&Facts::new(&crash("strange", &[], &[]))).is_none());
    }

    #[test]
    fn an_assertion_is_the_interpreters_by_its_source() {
        let of = |line: &str, frames: &[(&str, &str)]| {
            let crash = python(crash(line, frames, &[]), &[("/app.py", "main")]);
            assertion(&Facts::new(&crash)).map(|verdict| verdict.verdict)
        };
        let own = "python: Objects/dictobject.c:12: f: Assertion `x' failed.";
        assert_eq!(of(own, &[(PYTHON, "f")]), Some(CrashCause::InterpreterBug));
        assert_eq!(of("python: /src/cpython/Objects/d.c:12: f: Assertion `x' failed.", &[]), Some(CrashCause::InterpreterBug));
        assert_eq!(of("python: /src/mine/Objects/d.c:12: f: Assertion `x' failed.", &[]), None);
        assert_eq!(of("Assertion failed: (x), function f, file Objects/d.c", &[]), None, "no line of a file");
        assert_eq!(of(own, &[(OWN, "f")]), None);
        assert_eq!(of(own, &[("", "strange")]), Some(CrashCause::Unknown), "whose code it is, is not known");
        assert_eq!(of("python: Objects/dictobject.c:12", &[]), None);
    }

    #[test]
    fn other_fatal_errors_are_the_interpreters_if_it_is_alone() {
        let of = |message: &str, extensions: &[&str]| {
            let crash = python(crash(message, &[], extensions), &[("/app.py", "main")]);
            other(&Facts::new(&crash)).map(|verdict| verdict.verdict)
        };
        assert_eq!(of("Fatal Python error: _PyEval_Vector: strange", &[]), Some(CrashCause::InterpreterBug));
        assert_eq!(of("Fatal Python error: _PyEval_Vector: strange", &["a.b"]), Some(CrashCause::Unknown));
        assert_eq!(of("Fatal Python error: my_function: strange", &[]), Some(CrashCause::Unknown));
        assert_eq!(of("Fatal Python error: Segmentation fault", &[]), None);
        assert_eq!(of("strange", &[]), None);
    }

    #[test]
    fn the_sentence_alone_is_an_extensions_or_the_interpreters_by_what_can_make_it() {
        let of = |message: &str| {
            let facts = Crash { message: message.to_owned(), ..Crash::default() };
            of_an_extension(&Facts::new(&facts)).map(|verdict| verdict.verdict)
        };
        let refs = |file: &str| format!("{file}:593: _Py_NegativeRefcount: Assertion failed: object has negative ref count");
        assert_eq!(of(NO_GIL), Some(CrashCause::LibraryBug));
        assert_eq!(of("pybind11::handle::dec_ref() PyGILState_Check() failure."), Some(CrashCause::LibraryBug));
        assert_eq!(of(&format!("{NO_GIL}\n{FINALIZING}")), Some(CrashCause::Unknown));
        assert_eq!(of(&refs("./Include/internal/pycore_object.h")), Some(CrashCause::InterpreterBug));
        assert_eq!(of(&refs("./Include/object.h")), Some(CrashCause::Unknown), "that header is in every module");
        assert_eq!(of("python: Python/legacy_tracing.c:431: is_tstate_valid: Assertion `x' failed."), None);
    }

    #[test]
    fn an_assertion_alone_is_the_interpreters_where_no_module_is_made_with_its_source() {
        let of = |message: &str, extensions: &[&str]| {
            let mut crash = crash(message, &[], extensions);
            crash.threads.clear();
            assertion(&Facts::new(&crash)).map(|verdict| verdict.verdict)
        };
        let own = "python: Objects/dictobject.c:12: f: Assertion `x' failed.";
        assert_eq!(of(own, &[]), Some(CrashCause::InterpreterBug));
        assert_eq!(of(own, &["fastlog._core"]), Some(CrashCause::Unknown));
        let apple = "Assertion failed: (x == NULL), function _PyFrame_GetBack, file frame.c, line 48.";
        assert_eq!(of(apple, &[]), Some(CrashCause::InterpreterBug));
        assert_eq!(of(&apple.replace("_PyFrame_GetBack", "ring_pop"), &[]), None);
        assert_eq!(of("python: ./Include/cpython/tupleobject.h:12: f: Assertion `x' failed.", &[]), Some(CrashCause::Unknown));
    }

    #[test]
    fn a_thread_that_comes_back_too_late_is_told_and_its_module_named() {
        let of = |frames: &[(&str, &str)], signal: &str| {
            let crash = Crash { signal: signal.to_owned(), ..crash("", frames, &[]) };
            came_back(&Facts::new(&crash)).map(|verdict| verdict.culprit)
        };
        let late = [(PYTHON, "take_gil"), (PYTHON, "PyEval_RestoreThread"), (PYTHON, "pysleep")];
        assert_eq!(of(&late, "SIGSEGV"), Some(None));
        assert_eq!(of(&[late[0], late[1], (OWN, "get")], "SIGSEGV"), Some(Some("fastlog".to_owned())));
        assert_eq!(of(&late, "SIGABRT"), None, "it said why");
        assert_eq!(of(&late[2..], "SIGSEGV"), None);
    }

    #[test]
    fn an_interpreter_that_is_not_there_is_asked_for_by_native_code() {
        let culprit =
            |frames: &[(&str, &str)]| of_an_extension(&Facts::new(&crash("", frames, &[]))).map(|verdict| verdict.culprit);
        assert_eq!(
            culprit(&[(PYTHON, "new_threadstate"), (PYTHON, "PyGILState_Ensure"), (OWN, "cb")]),
            Some(Some("fastlog".to_owned()))
        );
        assert_eq!(culprit(&[(PYTHON, "f"), (PYTHON, "PyGILState_Ensure"), (OWN, "cb")]), None);
    }

    #[test]
    fn an_interpreter_that_does_not_start_or_ends_too_early_is_nobodys_bug() {
        let of = |message: &str| at_the_edges(&Facts::new(&crash(message, &[], &[]))).map(|verdict| verdict.confidence);
        for words in [
            "config_read_gil: Disabling the GIL is not supported by this build",
            "init_fs_encoding: failed to get the Python codec of the filesystem encoding",
            "_enter_buffered_busy: could not acquire lock for <x> at interpreter shutdown, possibly due to daemon threads",
        ] {
            assert_eq!(of(&format!("Fatal Python error: {words}")), Some(Confidence::Medium), "{words}");
            assert_eq!(of(words), None);
        }
        assert_eq!(of("Fatal Python error: f: strange"), None);
    }

    #[test]
    fn a_lock_that_is_not_held_is_given_back_by_the_only_extension() {
        let of = |extensions: &[&str]| {
            let message = "Fatal Python error: PyMutex_Unlock: unlocking mutex that is not locked";
            other(&Facts::new(&python(crash(message, &[], extensions), &[("/app.py", "<module>")]))).unwrap()
        };
        assert_eq!(of(&[]).verdict, CrashCause::InterpreterBug);
        assert_eq!((of(&["_lxc"]).verdict, of(&["_lxc"]).culprit.as_deref()), (CrashCause::LibraryBug, Some("_lxc")));
        assert_eq!(of(&["a.b", "c.d"]).verdict, CrashCause::Unknown);
    }

    #[test]
    fn the_module_on_the_stack_is_blamed_by_its_distribution() {
        let culprit = |distribution: &str| {
            let mut crash = crash("", &[(OWN, "f")], &["fastlog._core"]);
            distribution.clone_into(&mut crash.extensions[0].distribution);
            blamed(&Facts::new(&crash), Vec::new(), "").culprit
        };
        assert_eq!(culprit("fast-log").as_deref(), Some("fast-log"));
        assert_eq!(culprit("").as_deref(), Some("fastlog"));
    }
}
