//! Crashes of CPython that its debug builds, or it itself as it gives up, name by their words.

use super::super::conditions::Condition;
use super::super::conditions::Condition::{Anywhere, Concurrent, NoExtension, PythonBelow, Says};
use super::super::verdict::{Confidence, CrashCause};
use super::row::Known;

const fn row(
    name: &'static str,
    when: &'static [Condition],
    issue: &'static str,
    explanation: &'static str,
    next_step: &'static str,
) -> Known {
    Known {
        name,
        when,
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some(issue),
        explanation,
        next_step,
    }
}

/// The rows.
pub(super) static ROWS: &[Known] = &[
    row(
        "an exception that several threads initialise",
        &[
            Says(&["unlocking mutex that is not locked"]),
            Concurrent,
            NoExtension,
            Anywhere(&[], &["BaseException_init*", "BaseException___init__*", "BaseException_repr*", "BaseException___*"]),
        ],
        "gh-127192",
        "methods of one exception replace its fields without a lock, so that another thread uses what was freed",
        "give each thread its own exception",
    ),
    row(
        "tracing or profiling of all threads switched while one of them ends",
        &[Says(&["legacy_tracing.c"])],
        "gh-127235",
        "threading.setprofile_all_threads() and settrace_all_threads() looked at the state of a thread that had ended (gh-118415 is of \
            the same kind)",
        "switch it on before the threads are started, and off when they are joined",
    ),
    row(
        "a frame looked at while another thread makes it",
        &[Says(&["!_PyFrame_IsIncomplete(frame->f_frame)"])],
        "gh-149110",
        "a debugger that several threads share (one Pdb) follows a frame that another thread has not finished",
        "give each thread its own Pdb, or guard set_trace() with a lock",
    ),
    row(
        "a function instrumented while another thread runs it",
        &[Says(&["debug_check_sanity(tstate->interp, code)"])],
        "gh-120158",
        "sys.monitoring, or tracing of all threads, changed the instructions of a function that another thread was running",
        "upgrade CPython; switch it on before the threads are started",
    ),
    row(
        "a sub-interpreter ended while threads of it run",
        &[Says(&["tstate->_status.cleared && !tstate->_status.finalized"])],
        "gh-143232",
        "the states of its threads were freed while they were in use (gh-113148 is of the same kind)",
        "join the threads of a sub-interpreter before it is closed",
    ),
    row(
        "frames of other threads looked at in 3.13t",
        &[Says(&["_PyFrame_MakeAndSetFrameObject"]), PythonBelow("3.14")],
        "gh-118680",
        "sys._current_frames() gives frames that their threads go on with; 3.14 stops them (gh-131479)",
        "upgrade to 3.14t, or use faulthandler.dump_traceback()",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::super::super::crash::{Crash, NativeFrame, Python, Thread};
    use super::super::super::questions;

    #[test]
    fn the_words_name_the_issue() {
        let issue = |message: &str, frames: &[&str]| {
            let native = frames.iter().map(|symbol| NativeFrame::named("/usr/bin/python3.14t", symbol)).collect::<Vec<_>>();
            let threads = if native.is_empty() { Vec::new() } else { vec![Thread { crashed: true, native, ..Thread::default() }] };
            let python = Python { gil: "disabled".to_owned(), ..Python::default() };
            let crash = Crash { signal: "SIGABRT".to_owned(), message: message.to_owned(), threads, python, ..Crash::default() };
            questions::of(&crash).known_issue
        };
        let line = |words: &str| format!("python: Python/x.c:5: f: Assertion `{words}' failed.");
        for (message, frames, expected) in [
            (
                "Fatal Python error: PyMutex_Unlock: unlocking mutex that is not locked".to_owned(),
                &["PyMutex_Unlock", "BaseException_init", "BaseException___init__"][..],
                Some("gh-127192"),
            ),
            ("Fatal Python error: PyMutex_Unlock: unlocking mutex that is not locked".to_owned(), &["PyMutex_Unlock"], None),
            ("python: Python/legacy_tracing.c:431: is_tstate_valid: Assertion `x' failed.".to_owned(), &[], Some("gh-127235")),
            ("python: Python/ceval_gil.c:431: is_tstate_valid: Assertion `x' failed.".to_owned(), &[], None),
            (line("!_PyFrame_IsIncomplete(frame->f_frame)"), &[], Some("gh-149110")),
            (line("debug_check_sanity(tstate->interp, code)"), &[], Some("gh-120158")),
            (line("tstate->_status.cleared && !tstate->_status.finalized"), &[], Some("gh-143232")),
            (
                "Assertion failed: (x == NULL), function _PyFrame_MakeAndSetFrameObject, file frame.c, line 4.".to_owned(),
                &[],
                Some("gh-118680"),
            ),
        ] {
            assert_eq!(issue(&message, frames).as_deref(), expected, "{message}");
        }
    }
}
