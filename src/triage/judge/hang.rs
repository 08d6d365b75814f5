//! A process that hangs, or that somebody ended because it hung: which thread waits for which, and whether they wait in a circle.

use super::super::crash::{Crash, HeldLock, Task, Thread};
use super::racing;
use super::verdict::{Confidence, CrashCause, Verdict, verdict};
use crate::report::Frame;

/// How a function of the standard library waits.
struct Waiting {
    /// End of its file, and the end of its qualified name.
    file: &'static str,
    function: &'static str,
    /// What a thread in it waits for; empty if it is idle: nobody expects anything of it.
    what: &'static str,
}

/// By the first row that fits one of the frames, innermost first.
const WAITS: &[Waiting] = &[
    Waiting { file: "/concurrent/futures/thread.py", function: "_worker", what: "" },
    Waiting { file: "/threading.py", function: "Barrier.wait", what: "the other threads of a barrier" },
    Waiting { file: "/threading.py", function: "Event.wait", what: "an event to be set" },
    Waiting { file: "/threading.py", function: "Semaphore.acquire", what: "a semaphore" },
    Waiting { file: "/threading.py", function: "Thread.join", what: "the end of a thread" },
    Waiting { file: "/threading.py", function: "_shutdown", what: "the end of all threads, as the interpreter ends" },
    Waiting { file: "/queue.py", function: "Queue.get", what: "an item of a queue" },
    Waiting { file: "/queue.py", function: "Queue.put", what: "room in a queue" },
    Waiting { file: "/queue.py", function: "Queue.join", what: "the items of a queue to be done" },
    Waiting { file: "/concurrent/futures/_base.py", function: "Future.result", what: "the result of a future" },
    Waiting { file: "/concurrent/futures/_base.py", function: "Future.exception", what: "the result of a future" },
    Waiting { file: "/concurrent/futures/_base.py", function: "wait", what: "the results of futures" },
    Waiting { file: "/concurrent/futures/_base.py", function: "as_completed", what: "the results of futures" },
    Waiting { file: "/concurrent/futures/_base.py", function: "result_iterator", what: "the results of futures" },
    Waiting { file: "/multiprocessing/popen_fork.py", function: "Popen.poll", what: "the end of a process" },
    Waiting { file: "/multiprocessing/pool.py", function: "ApplyResult.wait", what: "the result of a pool of processes" },
    Waiting { file: "/multiprocessing/queues.py", function: "Queue.get", what: "an item of a queue of processes" },
    Waiting { file: "/subprocess.py", function: "Popen._wait", what: "the end of a process" },
    Waiting { file: "/subprocess.py", function: "Popen._communicate", what: "the output of a process" },
    Waiting { file: "/asyncio/base_events.py", function: "BaseEventLoop._run_once", what: "something for its event loop to do" },
    // Any other use of a condition.
    Waiting { file: "/threading.py", function: "Condition.wait", what: "a condition to be notified" },
    Waiting { file: "/threading.py", function: "Condition.wait_for", what: "a condition to be notified" },
];

/// Native functions by which a program ends itself on purpose.
const ON_PURPOSE: [&str; 4] = ["os_abort", "os_kill", "signal_raise_signal", "signal_pthread_kill"];

/// So many tasks of event loops are told of.
const TASKS: usize = 20;

/// What a thread waits for.
struct Wait {
    what: String,
    /// Which thread has it, if that is known.
    whose: Option<usize>,
    /// The lock, if it is one, as that thread holds it.
    held: Option<HeldLock>,
}

/// What the threads of a living process wait for.
#[derive(Debug)]
pub struct Waits {
    /// Of each thread: what, which thread has it, and where that has acquired it, as far as these are known.
    pub threads: Vec<Option<(String, Option<usize>, String)>>,
    /// Threads each of which waits for the next one, and the last one for the first.
    pub circle: Vec<usize>,
}

/// What the threads of a living process wait for, by their places in it.
pub fn waits_of(crash: &Crash) -> Waits {
    let waits: Vec<Option<Wait>> = (0..crash.threads.len()).map(|at| wait(crash, at)).collect();
    let circle = circle(&waits).unwrap_or_default();
    let told = |wait: Wait| {
        let since = wait.held.as_ref().and_then(|held| own_frame(&held.at));
        (
            wait.what,
            wait.whose,
            since.map_or_else(String::new, |frame| format!("{}:{} in {}", frame.file, frame.line, frame.function)),
        )
    };
    Waits { threads: waits.into_iter().map(|wait| wait.map(told)).collect(), circle }
}

/// The verdict on a process that hangs; `None` if it does not.
pub(super) fn verdict_of(crash: &Crash) -> Option<Verdict> {
    if !(crash.hang || matches!(crash.signal.as_str(), "SIGQUIT" | "SIGABRT")) {
        return None;
    }
    let waits: Vec<Option<Wait>> = (0..crash.threads.len()).map(|at| wait(crash, at)).collect();
    let circle = circle(&waits);
    if crash.signal == "SIGABRT" && !was_ended_by_a_watchdog(crash, &waits, circle.is_some()) {
        return None;
    }
    let mut evidence = Vec::new();
    let told = |at: &usize| waits.get(*at)?.as_ref().map(|wait| line(crash, *at, wait));
    let result = if let Some(circle) = &circle {
        let names: Vec<String> = circle.iter().map(|at| racing::called(&crash.threads[*at])).collect();
        let who = match &names[..] {
            [one] => format!("{one} waits for itself"),
            names => format!("{} wait for each other", names.join(" and ")),
        };
        evidence.push(format!("deadlock: {who}"));
        evidence.extend(circle.iter().filter_map(told));
        let others = (0..crash.threads.len()).filter(|at| !circle.contains(at));
        evidence
            .extend(others.filter(|at| waits[*at].as_ref().is_some_and(|wait| wait.whose.is_some())).filter_map(|at| told(&at)));
        let next = "acquire the locks in the same order everywhere, and wait for no thread while holding a lock that it needs (ftsan explain FT501)";
        verdict(CrashCause::CrossThreadMisuse, Confidence::High, evidence, next)
    } else {
        let waiting = waits.iter().flatten().count();
        evidence.push(format!("it hung: {waiting} of {} threads wait, in no circle that is known", crash.threads.len()));
        evidence.extend((0..crash.threads.len()).filter_map(|at| told(&at)));
        evidence.extend(ends(crash, &waits));
        evidence.extend(crash.threads.iter().flat_map(|thread| &thread.tasks).take(TASKS).map(task));
        let next = "look at what the threads wait for, and which thread should have provided it";
        verdict(CrashCause::Unknown, Confidence::Low, evidence, next)
    };
    Some(Verdict { signature: signature(crash, circle.as_deref()), ..result })
}

/// Whether the process was aborted because it hung: on purpose or from outside, while others waited.
fn was_ended_by_a_watchdog(crash: &Crash, waits: &[Option<Wait>], in_a_circle: bool) -> bool {
    let Some(at) = crash.threads.iter().position(|thread| thread.crashed) else { return false };
    let ended = &crash.threads[at];
    let on_purpose = ended.native.iter().any(|frame| ON_PURPOSE.contains(&frame.symbol.as_str()));
    let from_outside = crash.sender != 0 && u64::from(crash.sender) != crash.pid;
    let by_timer = ended.python.iter().any(|frame| frame.file.ends_with("/threading.py") && frame.function.ends_with("Timer.run"));
    let main = crash.threads.iter().position(|thread| thread.name == "MainThread");
    let main_waits = main.is_some_and(|main| waits[main].is_some() && (main != at || from_outside));
    // A thread that aborts may find something wrong that has nothing to do with those that wait for it.
    (on_purpose && (in_a_circle || (by_timer && main_waits))) || (from_outside && (in_a_circle || main_waits))
}

fn wait(crash: &Crash, at: usize) -> Option<Wait> {
    let thread = &crash.threads[at];
    if let Some(address) = thread.waits_for {
        for (other, whose) in crash.threads.iter().zip(0..) {
            if let Some(held) = other.holds.iter().find(|held| held.address == address) {
                let named = lock_name(&thread.source).or_else(|| lock_name(&held.source));
                let what = format!("the lock {}", named.map_or_else(|| format!("at {address:#x}"), str::to_owned));
                return Some(Wait { what, whose: Some(whose), held: Some(held.clone()) });
            }
            if other.handle == Some(address) {
                let what = format!("the end of {}", racing::called(other));
                return Some(Wait { what, whose: Some(whose), held: None });
            }
        }
    }
    let unknown = |what: String| Some(Wait { what, whose: None, held: None });
    let of = |frame: &Frame| {
        let rows = || WAITS.iter().filter(|row| frame.file.ends_with(row.file));
        if frame.function.contains('.') {
            return rows().find(|row| frame.function.ends_with(row.function));
        }
        // Without its class: the last row is the most general one.
        rows().rev().find(|row| row.function.rsplit('.').next() == Some(&frame.function))
    };
    if let Some(row) = thread.python.iter().find_map(of) {
        return if row.what.is_empty() { None } else { unknown(row.what.to_owned()) };
    }
    if thread.waits_for.is_some() {
        return unknown(lock_name(&thread.source).map_or_else(|| "a lock".to_owned(), |name| format!("the lock {name}")));
    }
    None
}

/// What a line of source calls the lock that it acquires.
fn lock_name(source: &str) -> Option<&str> {
    let source = source.trim();
    let after_with = source.strip_prefix("with ").and_then(|rest| rest.split([':', ',']).next());
    let name = after_with.and_then(|item| item.split(" as ").next()).or_else(|| {
        let (before, _) = source.split_once(".acquire(")?;
        before.rsplit([' ', '(', '=', '!']).next()
    })?;
    let name = name.trim();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '\'' | '"');
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Threads each of which waits for the next one, and the last one for the first.
fn circle(waits: &[Option<Wait>]) -> Option<Vec<usize>> {
    let next = |at: usize| waits.get(at)?.as_ref()?.whose;
    for start in 0..waits.len() {
        let mut way = vec![start];
        while let Some(following) = next(way[way.len() - 1]) {
            if following == start {
                return Some(way);
            }
            if way.contains(&following) {
                break; // another one, which is found from there
            }
            way.push(following);
        }
    }
    None
}

fn line(crash: &Crash, at: usize, wait: &Wait) -> String {
    let thread = &crash.threads[at];
    let place = racing::at(own_frame(&thread.python));
    let name = racing::called(thread);
    match (&wait.held, wait.whose) {
        (Some(held), Some(whose)) => {
            let holder = if whose == at {
                "it holds that itself, acquired".to_owned()
            } else {
                format!("{} holds it, acquired", racing::called(&crash.threads[whose]))
            };
            // Of an RLock of a process that nobody watches, only the holder is known.
            let holder = if held.at.is_empty() { holder.trim_end_matches(", acquired") } else { &holder };
            format!("{name} waits for {}{place}: {holder}{}", wait.what, racing::at(own_frame(&held.at)))
        }
        (_, _) => format!("{name} waits for {}{place}", wait.what),
    }
}

fn task(task: &Task) -> String {
    let awaits = task.at.first().map_or_else(String::new, |frame| format!(" in {}", frame.function));
    format!("task '{}' waits{awaits}{}", task.name, racing::at(own_frame(&task.at)))
}

/// Threads that others wait for and that wait for no other: what they are doing.
fn ends(crash: &Crash, waits: &[Option<Wait>]) -> Vec<String> {
    let is_end = |at: &usize| {
        waits.iter().flatten().any(|wait| wait.whose == Some(*at)) && waits[*at].as_ref().is_none_or(|wait| wait.whose.is_none())
    };
    let all = (0..waits.len()).filter(is_end);
    all.map(|at| {
        let thread = &crash.threads[at];
        let doing = if thread.inside.is_empty() { "is".to_owned() } else { format!("is in {}", thread.inside) };
        format!("{}, for which others wait, {doing}{}", racing::called(thread), racing::at(own_frame(&thread.python)))
    })
    .collect()
}

/// The innermost frame that is not of the standard library.
fn own_frame(stack: &[Frame]) -> Option<&Frame> {
    let is_library = |frame: &Frame| frame.file.contains("/lib/python3") && !frame.file.contains("-packages/");
    stack.iter().find(|frame| !is_library(frame)).or(stack.first())
}

fn signature(crash: &Crash, circle: Option<&[usize]>) -> String {
    let function = |thread: &Thread| own_frame(&thread.python).map_or_else(|| "?".to_owned(), |frame| frame.function.clone());
    let mut functions: Vec<String> = match circle {
        Some(circle) => circle.iter().map(|at| function(&crash.threads[*at])).collect(),
        None => crash.threads.iter().filter(|thread| !thread.crashed || crash.hang).map(function).collect(),
    };
    functions.sort();
    functions.dedup();
    functions.truncate(4);
    format!("hang | {} | {}", if circle.is_some() { "deadlock" } else { "?" }, functions.join(" > "))
}

#[cfg(test)]
mod tests {
    use super::super::super::crash::NativeFrame;
    use super::*;

    fn frame(file: &str, function: &str) -> Frame {
        Frame { file: file.to_owned(), line: 7, function: function.to_owned(), ..Frame::default() }
    }

    fn thread(name: &str, waits_for: Option<u64>, holds: &[u64]) -> Thread {
        let held = |address: &u64| HeldLock { address: *address, at: vec![frame("/app.py", name)], source: String::new() };
        let source = "    with self._lock:".to_owned();
        Thread {
            name: name.to_owned(),
            waits_for,
            source,
            python: vec![frame("/app.py", name)],
            holds: holds.iter().map(held).collect(),
            ..Thread::default()
        }
    }

    fn hang(threads: Vec<Thread>) -> Crash {
        Crash { hang: true, threads, ..Crash::default() }
    }

    #[test]
    fn a_circle_is_a_deadlock_wherever_it_is_entered() {
        let crash = hang(vec![
            thread("out", Some(1), &[]),
            thread("a", Some(2), &[1]),
            thread("b", Some(3), &[2]),
            thread("c", Some(1), &[3]),
        ]);
        let verdict = verdict_of(&crash).unwrap();
        assert_eq!((verdict.verdict, verdict.confidence), (CrashCause::CrossThreadMisuse, Confidence::High));
        assert_eq!(verdict.evidence[0], "deadlock: thread 'a' and thread 'b' and thread 'c' wait for each other");
        assert!(verdict.evidence[1].contains("waits for the lock self._lock at /app.py:7 in a: thread 'b' holds it, acquired at"));
        assert!(verdict.evidence.iter().any(|line| line.starts_with("thread 'out' waits")));
        assert_eq!(verdict.signature, "hang | deadlock | a > b > c");
    }

    #[test]
    fn threads_of_a_living_process_are_told_one_by_one() {
        let crash = hang(vec![thread("a", Some(2), &[1]), thread("b", Some(1), &[2]), thread("busy", None, &[])]);
        let waits = waits_of(&crash);
        assert_eq!(waits.circle, [0, 1]);
        let of_a = ("the lock self._lock".to_owned(), Some(1), "/app.py:7 in b".to_owned());
        assert_eq!((waits.threads[0].as_ref(), &waits.threads[2]), (Some(&of_a), &None));
    }

    #[test]
    fn a_thread_that_is_joined_by_one_whose_lock_it_wants_is_in_a_circle() {
        let mut joined = thread("joined", Some(1), &[]);
        joined.handle = Some(9);
        let verdict = verdict_of(&hang(vec![thread("main", Some(9), &[1]), joined])).unwrap();
        assert_eq!(verdict.evidence[0], "deadlock: thread 'main' and thread 'joined' wait for each other");
    }

    #[test]
    fn waiting_alone_is_no_deadlock() {
        let mut event = thread("event", Some(5), &[]);
        event.python.insert(0, frame("/usr/lib/python3.14/threading.py", "Event.wait"));
        let mut idle = thread("idle", Some(6), &[]);
        idle.python = vec![frame("/usr/lib/python3.14/concurrent/futures/thread.py", "_worker")];
        let verdict = verdict_of(&hang(vec![event, idle, thread("busy", None, &[7])])).unwrap();
        assert_eq!((verdict.verdict, verdict.confidence), (CrashCause::Unknown, Confidence::Low));
        assert_eq!(verdict.evidence[0], "it hung: 1 of 3 threads wait, in no circle that is known");
        assert!(verdict.evidence[1].contains("an event to be set"));
    }

    #[test]
    fn an_abort_is_a_hang_only_if_it_was_on_purpose_and_somebody_waited() {
        let abort = |symbol: &str, threads: Vec<Thread>| {
            let native = vec![NativeFrame { symbol: symbol.to_owned(), ..NativeFrame::default() }];
            let ended = Thread { crashed: true, native, ..thread("watchdog", None, &[]) };
            let threads = std::iter::once(ended).chain(threads).collect();
            Crash { signal: "SIGABRT".to_owned(), threads, ..Crash::default() }
        };
        let stuck = || vec![thread("a", Some(2), &[1]), thread("b", Some(1), &[2])];
        assert!(verdict_of(&abort("os_abort", stuck())).is_some());
        assert!(verdict_of(&abort("__assert_fail", stuck())).is_none());
        assert!(verdict_of(&abort("os_abort", vec![thread("busy", None, &[])])).is_none());
    }

    #[test]
    fn locks_are_called_as_the_source_calls_them() {
        assert_eq!(lock_name("    with self._lock:"), Some("self._lock"));
        assert_eq!(lock_name("with locks[0] as held:"), Some("locks[0]"));
        assert_eq!(lock_name("if not a.b.acquire(timeout=3):"), Some("a.b"));
        assert_eq!(lock_name("with make():"), None);
        assert_eq!(lock_name("x = 1"), None);
    }

    #[test]
    fn who_was_killed_from_outside_hung_if_the_main_thread_waited() {
        let killed = |pid: u64, sender: u32| {
            let ended = Thread { crashed: true, ..thread("MainThread", Some(1), &[]) };
            Crash { pid, sender, threads: vec![ended, thread("holder", None, &[1])], ..Crash::default() }
        };
        let waits = |crash: &Crash| (0..2).map(|at| wait(crash, at)).collect::<Vec<_>>();
        let is_ended = |crash: &Crash| was_ended_by_a_watchdog(crash, &waits(crash), false);
        assert!(is_ended(&killed(9, 7)));
        assert!(!is_ended(&killed(9, 9)), "it killed itself");
        assert!(!is_ended(&killed(9, 0)), "who did is not known");
    }

    #[test]
    fn who_is_waited_for_and_waits_for_nobody_is_told_with_what_it_does() {
        let crash = hang(vec![thread("out", Some(1), &[]), thread("holder", None, &[1]), thread("busy", None, &[])]);
        let waits: Vec<Option<Wait>> = (0..3).map(|at| wait(&crash, at)).collect();
        assert_eq!(ends(&crash, &waits), ["thread 'holder', for which others wait, is at /app.py:7 in holder"]);
        let crash = hang(vec![thread("a", Some(2), &[1]), thread("b", Some(1), &[2])]);
        let waits: Vec<Option<Wait>> = (0..2).map(|at| wait(&crash, at)).collect();
        assert_eq!(ends(&crash, &waits), [] as [&str; 0], "each waits itself");
    }

    #[test]
    fn a_task_is_told_with_where_it_waits() {
        let told = |at: Vec<Frame>| task(&Task { name: "fetch".to_owned(), at });
        assert_eq!(told(Vec::new()), "task 'fetch' waits");
        let at = vec![frame("/usr/lib/python3.14t/asyncio/queues.py", "Queue.get"), frame("/app.py", "fetch")];
        assert_eq!(told(at), "task 'fetch' waits in Queue.get at /app.py:7 in fetch");
    }

    #[test]
    fn a_process_that_hung_was_ended_on_purpose_or_from_outside() {
        let crash = |timer: &str, symbol: &str, sender| {
            let main = Thread { name: "MainThread".to_owned(), ..Thread::default() };
            let native = vec![NativeFrame { symbol: symbol.to_owned(), ..NativeFrame::default() }];
            let (file, function) = timer.split_once(':').unwrap();
            let ended = Thread { crashed: true, python: vec![frame(file, function)], native, ..Thread::default() };
            Crash { threads: vec![main, ended], sender, pid: 9, ..Crash::default() }
        };
        let wait = || Some(Wait { what: String::new(), whose: None, held: None });
        let timer = "/usr/lib/python3.14/threading.py:Timer.run";
        for (timer, symbol, sender, main_waits, in_a_circle, expected) in [
            (timer, "os_abort", 0, true, false, true),
            ("/app/threading.x:Timer.run", "os_abort", 0, true, false, false),
            ("/usr/lib/python3.14/threading.py:Thread.run", "os_abort", 0, true, false, false),
            (timer, "os_abort", 0, false, false, false),
            (timer, "PyList_New", 0, true, false, false),
            ("/app/a.py:f", "os_abort", 0, false, true, true),
            (timer, "PyList_New", 0, true, true, false),
            ("/app/a.py:f", "PyList_New", 7, true, false, true),
            ("/app/a.py:f", "PyList_New", 7, false, true, true),
            ("/app/a.py:f", "PyList_New", 7, false, false, false),
            ("/app/a.py:f", "PyList_New", 9, true, true, false),
        ] {
            let waits = [if main_waits { wait() } else { None }, None];
            let ended = was_ended_by_a_watchdog(&crash(timer, symbol, sender), &waits, in_a_circle);
            assert_eq!(ended, expected, "{timer} {symbol} {sender} {main_waits} {in_a_circle}");
        }
        // The main thread itself: it does not wait while it aborts, but a signal from outside finds it waiting.
        let main = |symbol, sender| {
            let mut crash = crash(timer, symbol, sender);
            crash.threads.remove(0);
            crash.threads[0].name = "MainThread".to_owned();
            was_ended_by_a_watchdog(&crash, &[wait()], false)
        };
        assert!(!main("os_abort", 0) && main("PyList_New", 7));
        assert!(!was_ended_by_a_watchdog(&Crash { sender: 7, ..Crash::default() }, &[], true), "nothing crashed");
    }

    #[test]
    fn a_hang_is_named_by_the_threads_that_hung() {
        let threads =
            || vec![Thread { crashed: true, ..thread("watchdog", None, &[]) }, thread("b", None, &[]), thread("a", None, &[])];
        assert_eq!(signature(&Crash { threads: threads(), ..Crash::default() }, None), "hang | ? | a > b");
        assert_eq!(signature(&hang(threads()), None), "hang | ? | a > b > watchdog");
        assert_eq!(signature(&hang(threads()), Some(&[1])), "hang | deadlock | b");
    }
}
