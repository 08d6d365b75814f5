//! The fate of the process as a whole: killed, signalled, aborted on purpose, forked with threads, or hanging.

use super::super::crash::Thread;
use super::super::forms::said::{TIMEOUT, TIMEOUT_OF_PYTEST};
use super::super::names::owner::{self, Owner};
use super::super::names::{paths, symbols::clean};
use super::facts::{Facts, unqualified};
use super::racing;
use super::verdict::{Confidence, CrashCause, RECORD, Verdict, verdict};

/// A tool lists blocks that were never freed, at the end of a process that did not crash.
pub(super) fn leaked(facts: &Facts<'_>) -> Option<Verdict> {
    let line = facts.crash.message.lines().find(|line| line.starts_with("LeakSanitizer: "))?;
    if !facts.crash.signal.is_empty() {
        return None;
    }
    let evidence = vec![format!("it did not crash: memory that was still in use when the process ended is listed ({line})")];
    let next = "the interpreter keeps some memory for good: ASAN_OPTIONS=detect_leaks=0, or look for blocks whose stacks are of your extension module, more of \
                them the longer it runs";
    Some(verdict(CrashCause::Unknown, Confidence::High, evidence, next))
}

/// systemd ends a service that has not reported in time.
pub(super) fn watched(facts: &Facts<'_>) -> Option<Verdict> {
    let line = facts.crash.message.lines().find(|line| line.contains("Watchdog timeout (limit"))?;
    if !facts.crash.threads.is_empty() {
        return None;
    }
    let evidence =
        vec![format!("systemd's watchdog ended the process, which had not reported in time: the program did not crash ({line})")];
    let next = "look what it waited for: the core that systemd has kept (coredumpctl gdb, then thread apply all bt), or py-spy dump before the limit";
    Some(verdict(CrashCause::Unknown, Confidence::High, evidence, next))
}

/// SIGKILL cannot be the program's own doing.
pub(super) fn killed(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.crash.signal != "SIGKILL" {
        return None;
    }
    if ["Out of memory", "OOMKilled", "Memory quota", "due to memory usage"].iter().any(|words| facts.crash.message.contains(words))
    {
        let evidence = vec!["the process was killed because memory had run out: the program did not crash".to_owned()];
        return Some(verdict(
            CrashCause::Unknown,
            Confidence::High,
            evidence,
            "look what the process keeps (memray), or give it more memory",
        ));
    }
    if let Some(line) = facts.crash.message.lines().find(|line| line.contains("WORKER TIMEOUT")) {
        let evidence =
            vec![format!("the server killed its worker, which had not answered in time: the program did not crash ({line})")];
        let next = "look what the worker waits for (py-spy dump, PYTHONFAULTHANDLER=1 and SIGABRT), or give it more time (gunicorn --timeout)";
        return Some(verdict(CrashCause::Unknown, Confidence::High, evidence, next));
    }
    let mut evidence = vec![
        "SIGKILL is sent from outside, by the kernel when memory runs out or by somebody: the program did not crash".to_owned(),
    ];
    for thread in &facts.crash.threads {
        let Some(last) = thread.recent.first() else { continue };
        evidence.push(format!(
            "the last event of {} was {}{}",
            racing::called(thread),
            last.operation,
            racing::at(last.at.as_ref())
        ));
    }
    evidence.truncate(9);
    let next =
        "look for the out-of-memory killer (journalctl -k -g oom, the container's memory.events), then for a supervisor's timeout";
    Some(verdict(CrashCause::Unknown, Confidence::High, evidence, next))
}

/// Calls by which a process signals itself or another one.
const SENDS: [&str; 8] = ["kill", "killpg", "raise", "gsignal", "pthread_kill", "tgkill", "sigqueue", "__GI_raise"];
/// Functions of Python's modules that do so.
const PYTHON_SENDS: [&str; 10] = [
    "os_kill",
    "os_killpg",
    "os_kill_impl",
    "signal_raise_signal",
    "signal_raise_signal_impl",
    "signal_pthread_kill",
    "signal_pthread_kill_impl",
    "faulthandler_sigsegv",
    "faulthandler_sigabrt_py",
    "faulthandler_raise_sigsegv",
];

/// The signal was sent, by somebody or by the program itself; no instruction caused it, so no frame on the stack is at fault.
pub(super) fn sent(facts: &Facts<'_>) -> Option<Verdict> {
    let place = racing::at(Facts::programs_line(facts.python));
    let signal = if facts.crash.signal.is_empty() { "the signal" } else { &facts.crash.signal };
    if let Some(name) = facts.native.iter().take(6).map(|frame| clean(&frame.symbol)).find(|name| PYTHON_SENDS.contains(name)) {
        let evidence = vec![format!("{signal} was sent by the program itself, with {name}{place}: nothing failed there")];
        return Some(verdict(
            CrashCause::Unknown,
            Confidence::High,
            evidence,
            "look for os.kill, signal.raise_signal or a test of faulthandler at that line",
        ));
    }
    // SI_USER, SI_QUEUE, SI_TKILL; abort() signals its own thread.
    let was_sent = matches!(facts.crash.code, Some(..=0));
    let aborts = facts.native.iter().take(8).any(|frame| {
        let name = clean(&frame.symbol);
        name.contains("abort") || name.contains("assert") || name.contains("Fatal")
    });
    if was_sent && !aborts && facts.crash.message.lines().all(is_the_signal) {
        let by = if facts.crash.sender == 0 { String::new() } else { format!(" by process {}", facts.crash.sender) };
        let evidence = vec![
            format!("{signal} was sent to the process{by}{place}: no instruction of it caused the signal"),
            "what is on the stack was interrupted, and is not at fault".to_owned(),
        ];
        let next = "look for who sends it: a watchdog, a supervisor, a test runner's timeout; the stacks show what did not go on";
        return Some(verdict(CrashCause::Unknown, Confidence::High, evidence, next));
    }
    None
}

fn is_the_signal(line: &str) -> bool {
    const SIGNALS: [&str; 5] = ["Segmentation fault", "Bus error", "Aborted", "Illegal instruction", "Floating"];
    line.strip_prefix("Fatal Python error: ").is_some_and(|name| SIGNALS.iter().any(|signal| name.starts_with(signal)))
}

/// SIGABRT without a word of the interpreter, libc or an assertion: somebody wanted it.
pub(super) fn asked_to_abort(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.crash.signal != "SIGABRT"
        || facts.native.is_empty()
        || facts.top_is_cut()
        || !facts.crash.message.lines().all(is_the_signal)
    {
        return None;
    }
    let place = racing::at(Facts::programs_line(facts.python));
    let calls = |frame: &&super::super::crash::NativeFrame| {
        let name = clean(&frame.symbol);
        ["abort", "__GI_abort"].contains(&name) || name.starts_with("__assert") || name.starts_with("__GI___assert")
    };
    // The interpreter gives up, and the text leaves out what it said.
    let gives_up = |frame: &super::super::crash::NativeFrame| {
        let name = clean(&frame.symbol);
        name.starts_with("fatal_error") || name.starts_with("_Py_Fatal") || name.starts_with("Py_Fatal")
    };
    if facts.crashed.is_some_and(|thread| thread.native.iter().take(12).any(gives_up)) {
        return None;
    }
    if !facts.native.iter().any(calls) {
        let itself = facts.native.iter().take(4).any(|frame| SENDS.contains(&clean(&frame.symbol)));
        // A stack without its innermost frames would show no call of abort(), either.
        let named = facts.native.iter().take(4).any(|frame| !frame.symbol.is_empty() || owner::of(frame) == Owner::Interpreter);
        let waits = itself || facts.crashed.is_some_and(waits);
        // Where the call that signals itself is all that is shown, what called it was left out.
        let raised = |frame: &super::super::crash::NativeFrame| {
            let name = clean(&frame.symbol);
            name.contains("pthread_kill") || name.contains("raise") || name.starts_with('<')
        };
        if !named || (!waits && facts.is_cut()) || facts.native.iter().all(|frame| raised(frame)) {
            return None;
        }
        let evidence =
            vec![format!("SIGABRT was sent to the process{place}: a watchdog or a timeout; nothing in it called abort()")];
        let next =
            "look for who sends it: systemd's watchdog, a supervisor, a test runner's timeout; the stacks show what did not go on";
        return Some(verdict(CrashCause::Unknown, Confidence::Medium, evidence, next));
    }
    // An interpreter or a libc that gives up says why.
    let silent = facts.failing().next().filter(|frame| paths::is_interpreter(&frame.module))?;
    let caller = if silent.symbol.is_empty() { "the interpreter, and it said nothing" } else { clean(&silent.symbol) };
    let evidence = vec![format!("abort() was called by {caller}{place}: so does os.abort()")];
    Some(verdict(CrashCause::Unknown, Confidence::Medium, evidence, "look for os.abort() at the innermost Python line"))
}

/// Linux sends SIGBUS where a file that is mapped has no such page any more: no code on the stack is at fault.
pub(super) fn mapped_file(facts: &Facts<'_>) -> Option<Verdict> {
    // On macOS it is the signal of other wrong pointers, too.
    if facts.crash.signal != "SIGBUS" || facts.crash.python.platform == "macOS" {
        return None;
    }
    let mapped = facts.python.iter().take(3).find(|frame| frame.file.replace('\\', "/").ends_with("/memmap.py"));
    let by_module = || {
        let owner = facts.extension_on_top(3).map(|(_, _, owner)| owner);
        matches!(owner, Some(Owner::Stdlib(name)) if name == "mmap")
    };
    let shown = match mapped {
        Some(frame) => format!("memory of a mapped file was used{}", racing::at(Some(frame))),
        None if by_module() => "memory of a mapped file was used, through the module mmap".to_owned(),
        None => return None,
    };
    let evidence = vec![
        "SIGBUS: the file had become shorter than what is mapped of it, or its disk (for shared memory, /dev/shm) had no room or failed"
            .to_owned(),
        shown,
    ];
    let next = "look who truncates or writes that file while it is mapped, and whether its disk is full (df, dmesg)";
    Some(verdict(CrashCause::Unknown, Confidence::Medium, evidence, next))
}

/// Qt ends the process on purpose where a thread outlives the object that stands for it.
pub(super) fn thread_of_qt_outlived(facts: &Facts<'_>) -> Option<Verdict> {
    let line = facts.crash.message.lines().find(|line| line.contains("QThread: Destroyed while thread"))?;
    if !["", "SIGABRT"].contains(&facts.crash.signal.as_str()) {
        return None;
    }
    let evidence = vec![format!(
        "a QThread object was destroyed while its thread still ran, and Qt aborts then: neither Qt nor the interpreter failed ({line})"
    )];
    let next = "keep a reference to the QThread, and call quit() and wait() before it goes, also when the application ends";
    Some(verdict(CrashCause::Unknown, Confidence::Medium, evidence, next))
}

/// Calls that wait, in C.
const WAITING: [&str; 29] = [
    "__futex_abstimed_wait*",
    "futex_wait*",
    "__lll_lock_wait*",
    "pthread_cond_*",
    "__pthread_cond_wait*",
    "___pthread_cond_wait*",
    "__psynch_*",
    "sem_wait*",
    "sem_clockwait*",
    "__new_sem_wait*",
    "do_futex_wait*",
    "epoll_wait*",
    "epoll_pwait*",
    "poll",
    "__poll*",
    "ppoll",
    "select",
    "__select*",
    "kevent",
    "wait4*",
    "__wait4*",
    "nanosleep",
    "clock_nanosleep*",
    "_PySemaphore_Wait*",
    "sem_timedwait*",
    "PyThread_acquire_lock*",
    "_PyMutex_Lock*",
    "_PyParkingLot_Park*",
    "__GI___futex_abstimed_wait*",
];

/// A thread waits for something, as its innermost frames show.
fn waits(thread: &Thread) -> bool {
    let like = |name: &str| {
        WAITING.iter().any(|pattern| pattern.strip_suffix('*').map_or(*pattern == name, |start| name.starts_with(start)))
    };
    thread.native.iter().take(4).any(|frame| like(clean(&frame.symbol)))
        || thread.python.first().is_some_and(|frame| {
            ["wait", "join", "acquire", "select", "_wait_for_tstate_lock", "poll", "sleep"].contains(&unqualified(&frame.function))
        })
}

/// The stacks of a program that did not go on: a timeout of faulthandler, or a dump of a living process.
pub(super) fn hanging(facts: &Facts<'_>) -> Option<Verdict> {
    let timeout = facts.crash.message.lines().find(|line| [TIMEOUT, TIMEOUT_OF_PYTEST].contains(line));
    if timeout.is_none() && (!facts.crash.signal.is_empty() || !facts.crash.message.is_empty() || facts.crash.threads.is_empty()) {
        return None;
    }
    // A thread that is in a handler got a signal, whatever all the others wait for.
    let is_handled = |thread: &Thread| thread.native.iter().any(|frame| clean(&frame.symbol) == "<signal handler called>");
    if timeout.is_none() && facts.crashed.is_some_and(is_handled) {
        return None;
    }
    let waiting: Vec<&Thread> = facts.crash.threads.iter().filter(|thread| waits(thread)).collect();
    if timeout.is_none() && waiting.len() * 2 < facts.crash.threads.len() {
        return None;
    }
    let mut evidence = vec![match timeout {
        Some(_) => "it did not crash: the stacks were printed because it did not go on in time".to_owned(),
        None => "it did not crash, as far as the text says: these are the stacks of a process, and no signal is named".to_owned(),
    }];
    for thread in waiting.iter().take(6) {
        evidence.push(format!("{} waits{}", racing::called(thread), racing::at(thread.python.first())));
    }
    let next = "look for the thread that holds what the others wait for; ftsan run names locks that are taken in orders that can end in a deadlock (FT501)";
    Some(verdict(CrashCause::Unknown, if timeout.is_some() { Confidence::Medium } else { Confidence::Low }, evidence, next))
}

/// The child of a fork of a process with threads: the locks that those held are locked for ever, and the data that they were
/// writing is half written.
pub(super) fn forked(facts: &Facts<'_>) -> Option<Verdict> {
    const SAYS: [&str; 3] =
        ["crashed on child side of fork", "in progress in another thread when fork() was called", "multi-threaded process forked"];
    // The parent is warned at each fork, and whatever dies later may be the parent: a guess, where no native stack says more.
    const WARNED: &str = "use of fork() may lead to deadlocks";
    let by_child = facts.crash.message.lines().find(|line| SAYS.iter().any(|words| line.contains(words)));
    let warned = facts.crash.message.lines().find(|line| facts.native.is_empty() && line.contains(WARNED));
    let said = by_child.or(warned);
    let native =
        facts.native.iter().map(|frame| clean(&frame.symbol)).find(|name| {
            ["PyOS_AfterFork_Child", "os_fork", "os_fork_impl", "run_at_forkers", "_PyImport_ReInitLock"].contains(name)
        });
    // Below these, the child runs the program's function.
    let python = facts.python.iter().find(|frame| {
        let file = frame.file.replace('\\', "/");
        file.ends_with("multiprocessing/popen_fork.py") && ["_launch", "__init__"].contains(&unqualified(&frame.function))
    });
    let shown = match (said, native, python) {
        (Some(said), _, _) => format!("it said: {said}"),
        (None, Some(native), _) => format!("{native} is on the native stack"),
        (None, None, Some(frame)) => {
            format!("{} of multiprocessing is on the Python stack: this is the child of a fork", frame.function)
        }
        (None, None, None) => return None,
    };
    let evidence = vec![
        "it died in the child of a fork: locks that other threads of the parent held are never released there, and memory that they were \
         changing is half changed"
            .to_owned(),
        shown,
    ];
    let next = format!(
        "use multiprocessing with the start method spawn or forkserver, or fork before the first thread is started (FT603: libraries start threads \
         when they are imported); {RECORD}"
    );
    let is_guess = by_child.is_none() && native.is_none() && python.is_none();
    Some(verdict(CrashCause::Unknown, if is_guess { Confidence::Low } else { Confidence::Medium }, evidence, &next))
}

/// A worker of pytest-xdist is gone, and no dump of it is in the text.
pub(super) fn worker_gone(facts: &Facts<'_>) -> Option<Verdict> {
    let line = facts.crash.message.lines().find(|line| line.starts_with("pytest's worker "))?;
    if !facts.crash.threads.is_empty() {
        return None;
    }
    let evidence =
        vec![line.to_owned(), "its dump is not in this text: xdist's workers write it to the standard error of the run".to_owned()];
    let next = "run that test alone, with -p no:xdist -p faulthandler and PYTHONFAULTHANDLER=1, or under pytest --ftsan";
    Some(verdict(CrashCause::Unknown, Confidence::Low, evidence, next))
}

#[cfg(test)]
mod tests {
    use super::super::super::crash::{Crash, Event, NativeFrame};
    use super::*;
    use crate::report::Frame;

    const PYTHON: &str = "/usr/bin/python3.14t";
    const LIBC: &str = "/lib/x86_64-linux-gnu/libc.so.6";

    fn thread(native: &[(&str, &str)], python: &[(&str, &str)]) -> Thread {
        let frame = |(module, symbol): &(&str, &str)| NativeFrame::named(module, symbol);
        let line = |(file, function): &(&str, &str)| Frame {
            file: (*file).to_owned(),
            function: (*function).to_owned(),
            line: 5,
            ..Frame::default()
        };
        Thread {
            crashed: true,
            native: native.iter().map(frame).collect(),
            python: python.iter().map(line).collect(),
            ..Thread::default()
        }
    }

    fn crash(signal: &str, native: &[(&str, &str)]) -> Crash {
        Crash { signal: signal.to_owned(), threads: vec![thread(native, &[])], ..Crash::default() }
    }

    fn told(question: fn(&Facts<'_>) -> Option<Verdict>, crash: &Crash) -> Option<String> {
        question(&Facts::new(crash)).map(|verdict| verdict.evidence.join("; "))
    }

    fn saying(message: &str, crash: Crash) -> Crash {
        Crash { message: message.to_owned(), ..crash }
    }

    #[test]
    fn sigkill_is_from_outside_and_the_kernel_says_if_memory_ran_out() {
        let mut killed_one = crash("SIGKILL", &[]);
        let event = Event { operation: "send".to_owned(), ..Event::default() };
        killed_one.threads[0].recent = vec![event];
        killed_one.threads.push(Thread::default());
        let text = told(killed, &killed_one).unwrap();
        assert!(
            text.starts_with("SIGKILL is sent from outside")
                && text.ends_with("; the last event of a thread without a name was send")
        );
        assert!(told(killed, &saying("Out of memory: Killed process 7", killed_one)).unwrap().contains("memory had run out"));
        assert_eq!(told(killed, &crash("SIGSEGV", &[])), None);
    }

    #[test]
    fn a_worker_that_did_not_answer_was_killed_for_that() {
        let line = "[1] [CRITICAL] WORKER TIMEOUT (pid:27)";
        assert!(told(killed, &saying(line, crash("SIGKILL", &[]))).unwrap().ends_with(&format!("did not crash ({line})")));
    }

    #[test]
    fn a_page_that_a_mapped_file_has_no_more_is_nobodys_fault_on_the_stack() {
        let umath = "/v/site-packages/numpy/_core/_multiarray_umath.cpython-314t-x86_64-linux-gnu.so";
        let by_numpy = |signal: &str, file: &str, platform: &str| {
            let mut crash = Crash { threads: vec![thread(&[(umath, "copy")], &[(file, "__getitem__")])], ..crash(signal, &[]) };
            platform.clone_into(&mut crash.python.platform);
            told(mapped_file, &crash).is_some()
        };
        let memmap = "/v/site-packages/numpy/_core/memmap.py";
        assert!(by_numpy("SIGBUS", memmap, "Linux") && by_numpy("SIGBUS", memmap, ""));
        assert!(!by_numpy("SIGBUS", memmap, "macOS") && !by_numpy("SIGSEGV", memmap, "Linux"));
        assert!(!by_numpy("SIGBUS", "/v/site-packages/numpy/_core/numeric.py", "Linux"));
        let mmap = ("/usr/lib/python3.14t/lib-dynload/mmap.cpython-314t-x86_64-linux-gnu.so", "mmap_subscript");
        assert!(told(mapped_file, &crash("SIGBUS", &[(PYTHON, "PyBytes_FromStringAndSize"), mmap])).is_some());
        assert_eq!(told(mapped_file, &crash("SIGBUS", &[(PYTHON, "f")])), None);
    }

    #[test]
    fn a_signal_that_was_sent_is_nobodys_fault_on_the_stack() {
        let coded = |code: Option<i32>, frames: &[(&str, &str)]| Crash { code, ..crash("SIGSEGV", frames) };
        let is_sent = |crash: &Crash| told(sent, crash).is_some();
        assert!(is_sent(&coded(Some(0), &[(PYTHON, "f")])) && is_sent(&coded(Some(-6), &[(PYTHON, "f")])));
        assert!(!is_sent(&coded(Some(1), &[(PYTHON, "f")])) && !is_sent(&coded(None, &[(PYTHON, "f")])));
        for aborts in ["abort", "__assert_fail", "LogMessageFatal"] {
            assert!(!is_sent(&coded(Some(-6), &[(PYTHON, aborts)])), "{aborts}");
        }
        assert!(is_sent(&saying("Fatal Python error: Segmentation fault", coded(Some(0), &[]))));
        assert!(!is_sent(&saying("Fatal Python error: gc failed", coded(Some(0), &[]))));
        assert!(!is_sent(&saying("terminate called", coded(Some(0), &[]))));
        let by = |sender: u32| told(sent, &Crash { sender, ..coded(Some(0), &[]) }).unwrap();
        assert!(by(7).starts_with("SIGSEGV was sent to the process by process 7: "));
        assert!(by(0).starts_with("SIGSEGV was sent to the process: "));
        let nameless = Crash { code: Some(0), ..Crash::default() };
        assert!(told(sent, &nameless).unwrap().starts_with("the signal was sent"));
    }

    #[test]
    fn a_program_that_signals_itself_is_known_by_the_function() {
        let by = |name: &str| told(sent, &crash("SIGUSR1", &[(LIBC, "kill"), (PYTHON, name)]));
        for name in PYTHON_SENDS.iter().filter(|name| !name.starts_with("faulthandler")) {
            assert_eq!(by(name), Some(format!("SIGUSR1 was sent by the program itself, with {name}: nothing failed there")));
        }
        assert_eq!(by("os_getpid"), None);
    }

    #[test]
    fn sigabrt_without_a_call_of_abort_was_sent() {
        let is = |crash: &Crash| told(asked_to_abort, crash).is_some_and(|text| text.starts_with("SIGABRT was sent"));
        let stack = [(LIBC, "clock_nanosleep"), (PYTHON, "time_sleep")];
        assert!(is(&crash("SIGABRT", &stack)) && !is(&crash("SIGSEGV", &stack)) && !is(&crash("SIGABRT", &[])));
        assert!(is(&crash("SIGABRT", &[(PYTHON, "")])), "the interpreter is known by its file");
        assert!(!is(&crash("SIGABRT", &[("/usr/lib/libz.so.1", "")])), "nothing has a name");
        assert!(!is(&saying("malloc(): corrupted", crash("SIGABRT", &stack))), "somebody said why");
        assert!(is(&saying("Fatal Python error: Aborted", crash("SIGABRT", &stack))));
        let cut = |frames: &[(&str, &str)], top_cut: bool| {
            let mut crash = crash("SIGABRT", frames);
            (crash.threads[0].cut, crash.threads[0].top_cut) = (true, top_cut);
            crash
        };
        assert!(is(&cut(&stack, false)) && !is(&cut(&stack, true)));
        assert!(!is(&cut(&[(PYTHON, "f"), (PYTHON, "g")], false)), "the call of abort() may be among what is missing");
        assert!(is(&cut(&[(LIBC, "kill"), (PYTHON, "g")], false)) && is(&crash("SIGABRT", &[(PYTHON, "f"), (PYTHON, "g")])));
        for call in ["__pthread_kill_implementation", "raise", "<signal handler called>"] {
            assert!(!is(&crash("SIGABRT", &[(LIBC, call)])), "what called {call} is not shown");
            assert!(is(&crash("SIGABRT", &[(LIBC, call), (PYTHON, "f")])), "{call}");
        }
        for call in ["abort", "__GI_abort", "__assert_fail", "__GI___assert_fail"] {
            assert!(!is(&crash("SIGABRT", &[(LIBC, call), ("/v/site-packages/x/y.cpython-314t-darwin.so", "f")])), "{call}");
        }
    }

    #[test]
    fn an_abort_that_the_interpreter_called_in_silence_was_asked_for() {
        let by = |frame: (&str, &str)| told(asked_to_abort, &crash("SIGABRT", &[(LIBC, "raise"), (LIBC, "abort"), frame]));
        assert_eq!(by((PYTHON, "os_abort")).as_deref(), Some("abort() was called by os_abort: so does os.abort()"));
        assert!(by((PYTHON, "")).unwrap().starts_with("abort() was called by the interpreter, and it said nothing"));
        assert_eq!(by(("/usr/lib/libz.so.1", "inflate")), None);
    }

    #[test]
    fn a_thread_of_qt_that_outlives_its_object_ends_the_process() {
        let qt = |signal: &str, message: &str| told(thread_of_qt_outlived, &saying(message, crash(signal, &[]))).is_some();
        let line = "QThread: Destroyed while thread '' is still running";
        assert!(qt("SIGABRT", line) && qt("", line) && !qt("SIGSEGV", line) && !qt("SIGABRT", "QThread: started"));
    }

    #[test]
    fn a_thread_waits_if_one_of_its_four_innermost_functions_does() {
        let native = |name: &str| waits(&thread(&[(LIBC, name)], &[]));
        assert!(native("__futex_abstimed_wait_common64") && native("poll") && native("nanosleep") && native("kevent"));
        assert!(!native("pollute") && !native("wait") && !native("my_epoll_wait"));
        let at = |depth: usize| {
            let mut frames = vec![(PYTHON, "f"); depth];
            frames.push((LIBC, "poll"));
            waits(&thread(&frames, &[]))
        };
        assert!(at(3) && !at(4));
        let python = |stack: &[(&str, &str)]| waits(&thread(&[], stack));
        for name in ["Condition.wait", "join", "acquire", "select", "_wait_for_tstate_lock", "poll", "sleep"] {
            assert!(python(&[("/x.py", name)]), "{name}");
        }
        assert!(!python(&[("/x.py", "work"), ("/x.py", "wait")]) && !python(&[]));
    }

    #[test]
    fn stacks_without_a_signal_are_of_a_hang_if_half_of_the_threads_wait() {
        let threads = |waiting: usize, working: usize| {
            let mut threads = vec![thread(&[(LIBC, "poll")], &[("/x.py", "get")]); waiting];
            threads.extend(vec![thread(&[(PYTHON, "f")], &[]); working]);
            Crash { threads, ..Crash::default() }
        };
        let text = told(hanging, &threads(2, 2)).unwrap();
        assert!(text.starts_with("it did not crash, as far as the text says"));
        assert_eq!(text.matches("a thread without a name waits at /x.py:5 in get").count(), 2);
        assert_eq!(told(hanging, &threads(1, 2)), None);
        let mut handled = threads(2, 0);
        handled.threads[0].native.push(NativeFrame::named("", "<signal handler called>"));
        assert_eq!(told(hanging, &handled), None, "it got a signal");
        assert_eq!(told(hanging, &threads(0, 0)), None);
        assert_eq!(told(hanging, &Crash { signal: "SIGSEGV".to_owned(), ..threads(2, 0) }), None);
        assert_eq!(told(hanging, &saying("Aborted", threads(2, 0))), None);
        let timeout = hanging(&Facts::new(&saying(TIMEOUT, threads(0, 2)))).unwrap();
        assert_eq!(timeout.confidence, Confidence::Medium);
        assert!(timeout.evidence[0].contains("did not go on in time"));
    }

    #[test]
    fn the_child_of_a_fork_is_known_by_words_by_functions_or_by_multiprocessing() {
        let said = |line: &str| told(forked, &saying(line, crash("SIGSEGV", &[])));
        assert!(
            said("*** multi-threaded process forked ***").unwrap().ends_with("; it said: *** multi-threaded process forked ***")
        );
        assert_eq!(said("forked"), None);
        let warning = "DeprecationWarning: This process is multi-threaded, use of fork() may lead to deadlocks in the child.";
        let guess = forked(&Facts::new(&saying(warning, crash("SIGSEGV", &[])))).unwrap();
        assert_eq!(guess.confidence, Confidence::Low, "it may be the parent");
        assert_eq!(told(forked, &saying(warning, crash("SIGSEGV", &[(PYTHON, "f")]))), None, "the stack says more");
        let text = told(forked, &crash("SIGSEGV", &[(PYTHON, "f"), (PYTHON, "PyOS_AfterFork_Child")])).unwrap();
        assert!(text.ends_with("; PyOS_AfterFork_Child is on the native stack"));
        let python = |file: &str, function: &str| {
            let threads = vec![thread(&[], &[("/app.py", "work"), (file, function)])];
            told(forked, &Crash { threads, ..Crash::default() }).is_some()
        };
        let fork = "/usr/lib/python3.14/multiprocessing/popen_fork.py";
        assert!(
            python(fork, "_launch") && python(fork, "Popen.__init__") && python("C:\\multiprocessing\\popen_fork.py", "_launch")
        );
        assert!(!python(fork, "poll") && !python("/app.py", "_launch"));
    }

    #[test]
    fn a_worker_that_is_gone_is_told_only_without_its_dump() {
        let gone = |message: &str, threads: Vec<Thread>| told(worker_gone, &saying(message, Crash { threads, ..Crash::default() }));
        let line = "pytest's worker gw0 crashed";
        assert!(gone(line, Vec::new()).unwrap().starts_with(line));
        assert_eq!(gone(line, vec![Thread::default()]), None);
        assert_eq!(gone("a worker", Vec::new()), None);
    }
}
