//! Threads that stand still for each other below the level of Python's locks, as native stacks show it: one that keeps its thread state while it
//! waits in C, and one that needs it to give that up.

use super::super::crash::{NativeFrame, Thread};
use super::super::names::owner::{self, Owner};
use super::super::names::symbols::clean;
use super::facts::Facts;
use super::racing;
use super::verdict::{Confidence, CrashCause, RECORD, Verdict, verdict};

/// How far below the call that waits the function is looked for that wanted it.
const NEAR: usize = 14;

/// Calls that wait for a lock of C or C++.
const LOCKS_OF_C: [&str; 10] = [
    "__lll_lock_wait",
    "lll_mutex_lock",
    "pthread_mutex_lock",
    "___pthread_mutex_lock",
    "__pthread_mutex_lock",
    "__GI___pthread_mutex_lock",
    "__psynch_mutexwait",
    "_pthread_mutex_firstfit_lock",
    "std::mutex::lock",
    "pthread_rwlock_",
];
/// Functions in which a thread waits until it may run Python code, or until no other thread does.
const NEEDS_THE_OTHERS: [&str; 9] = [
    "stop_the_world",
    "_PyEval_StopTheWorld",
    "tstate_wait_attach",
    "_PyThreadState_Attach",
    "take_gil",
    "PyEval_RestoreThread",
    "PyEval_AcquireThread",
    "PyGILState_Ensure",
    "_PyThreadState_Suspend",
];
const STOPS: [&str; 2] = ["stop_the_world", "_PyEval_StopTheWorld"];
/// Functions that wait for a lock of the interpreter.
const LOCKS_OF_PYTHON: [&str; 6] = [
    "_PyMutex_Lock",
    "PyMutex_Lock",
    "_PyRecursiveMutex_Lock",
    "_PyRWMutex_",
    "_PyCriticalSection_Resume",
    "_PyCriticalSection_Begin",
];

fn position(thread: &Thread, names: &[&str]) -> Option<usize> {
    thread.native.iter().take(NEAR).position(|frame| names.iter().any(|name| clean(&frame.symbol).starts_with(name)))
}

/// The extension module that waits for a lock of its own, if the thread does that.
fn waits_in(thread: &Thread) -> Option<(&NativeFrame, String)> {
    let at = position(thread, &LOCKS_OF_C)?;
    let mut callers = thread.native.get(at..)?.iter().map(|frame| (frame, owner::of(frame)));
    match callers.find(|(_, owner)| !matches!(owner, Owner::C | Owner::Unknown))? {
        (frame, Owner::Extension(name, distribution)) => Some((frame, distribution.unwrap_or(name))),
        _ => None,
    }
}

/// What the stacks of a process that does not go on show of it.
pub(super) fn found(facts: &Facts<'_>) -> Option<Verdict> {
    let threads = &facts.crash.threads;
    if !facts.crash.signal.is_empty() || threads.len() < 2 {
        return None;
    }
    let needs = |but: usize| {
        threads.iter().enumerate().find_map(|(at, thread)| {
            let function = thread.native.get(position(thread, &NEEDS_THE_OTHERS)?)?;
            (at != but).then(|| (thread, clean(&function.symbol)))
        })
    };
    let blocked = threads.iter().enumerate().find_map(|(at, thread)| Some((at, thread, waits_in(thread)?)));
    if let Some((at, thread, (frame, culprit))) = blocked
        && let Some((other, function)) = needs(at)
    {
        let symbol = clean(&frame.symbol);
        let evidence = vec![
            format!(
                "a deadlock of two levels: {} waits for a lock in C, in {culprit}{}, and {} cannot go on before it gives up its thread state (or the GIL), in {function}",
                racing::called(thread),
                if symbol.is_empty() { String::new() } else { format!(" ({symbol})") },
                racing::called(other),
            ),
            "whether it had given that up before it waited, the stacks do not show".to_owned(),
        ];
        let next = format!(
            "have {culprit} release the thread state around its locks (Py_BEGIN_ALLOW_THREADS), or use PyMutex, and not call Python while it holds one; report it there"
        );
        return Some(Verdict { culprit: Some(culprit), ..verdict(CrashCause::LibraryBug, Confidence::Low, evidence, &next) });
    }
    // The one that stops all others waits for a lock, which one of them may hold.
    let (stopper, lock) = threads.iter().find_map(|thread| {
        let stops = position(thread, &STOPS)?;
        let lock = position(thread, &LOCKS_OF_PYTHON).filter(|lock| *lock < stops)?;
        Some((thread, clean(&thread.native.get(lock)?.symbol)))
    })?;
    let evidence = vec![
        format!(
            "{} stops all other threads, and waits for a lock of the interpreter meanwhile ({lock}): a thread that stands still for it may hold that",
            racing::called(stopper)
        ),
        "locks and pauses of all threads are the interpreter's own: gh-118332, gh-137433, gh-144513 and gh-151593 were such"
            .to_owned(),
    ];
    let next = format!("search CPython's issues for the functions, upgrade CPython; {RECORD}");
    Some(verdict(CrashCause::InterpreterBug, Confidence::Low, evidence, &next))
}

#[cfg(test)]
mod tests {
    use super::super::super::crash::Crash;
    use super::*;

    const PYTHON: &str = "/usr/bin/python3.14t";
    const OWN: &str = "/v/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";
    const C: &str = "/lib/x86_64-linux-gnu/libc.so.6";

    fn of(stacks: &[&[(&str, &str)]], signal: &str) -> Option<(CrashCause, Option<String>)> {
        let thread = |frames: &&[(&str, &str)]| Thread {
            native: frames.iter().map(|(module, symbol)| NativeFrame::named(module, symbol)).collect(),
            ..Thread::default()
        };
        let crash = Crash { signal: signal.to_owned(), threads: stacks.iter().map(thread).collect(), ..Crash::default() };
        found(&Facts::new(&crash)).map(|verdict| (verdict.verdict, verdict.culprit))
    }

    #[test]
    fn a_module_that_waits_with_its_thread_state_is_named() {
        let waits: &[(&str, &str)] = &[(C, "__lll_lock_wait"), (C, "pthread_mutex_lock"), (OWN, "put")];
        let stops: &[(&str, &str)] = &[(C, "futex_wait"), (PYTHON, "stop_the_world"), (PYTHON, "gc_collect_main")];
        let attaches: &[(&str, &str)] = &[(C, "futex_wait"), (PYTHON, "PyEval_RestoreThread"), (OWN, "get")];
        for other in [stops, attaches] {
            assert_eq!(of(&[other, waits], ""), Some((CrashCause::LibraryBug, Some("fastlog".to_owned()))));
        }
        assert_eq!(of(&[waits, &[(C, "poll")]], ""), None, "nobody needs it");
        assert_eq!(of(&[waits, stops], "SIGSEGV"), None, "it crashed");
        assert_eq!(of(&[waits], ""), None);
        assert_eq!(of(&[&[(C, "pthread_mutex_lock"), (PYTHON, "f")], attaches], ""), None, "a lock of the interpreter");
    }

    #[test]
    fn a_lock_that_is_waited_for_in_a_pause_of_all_threads_is_the_interpreters() {
        let stopper: &[(&str, &str)] = &[(C, "futex_wait"), (PYTHON, "_PyMutex_LockTimed"), (PYTHON, "stop_the_world")];
        let waits: &[(&str, &str)] = &[(C, "futex_wait"), (PYTHON, "tstate_wait_attach")];
        assert_eq!(of(&[stopper, waits], ""), Some((CrashCause::InterpreterBug, None)));
        let before: &[(&str, &str)] = &[(C, "futex_wait"), (PYTHON, "stop_the_world"), (PYTHON, "_PyMutex_LockTimed")];
        assert_eq!(of(&[before, waits], ""), None, "it has the lock already");
    }
}
