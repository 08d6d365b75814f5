//! Whose a crash is: the questions, in their order.
//!
//! The evidence of a recording comes first (a second thread on the object that the crashing one used, a misuse found before the
//! crash), then the table of known crashes, then what the stacks say by themselves.

use super::super::crash::{Crash, FoundBefore};
use super::super::forms::said::FINALIZING;
use super::super::signature;
use super::facts::Facts;
use super::known::{self, Known};
use super::verdict::{Confidence, CrashCause, RECORD, RECORD_MORE, Verdict, verdict};
use super::{fatal_errors, hang, heap, in_one_object, nearest, panic, process, racing, stack_overflow, standstill};
use crate::rules;

/// Says whose a crash is.
pub fn of(crash: &Crash) -> Verdict {
    let facts = Facts::new(crash);
    if let Some(mut hang) = hang::verdict_of(crash) {
        hang.evidence.extend(crash.findings.iter().filter(|finding| rules::is_of_locks(&finding.rule)).map(found));
        return hang;
    }
    // A crash that only an extension can bring about belongs to no row whose stack just looks so.
    let of_an_extension = fatal_errors::of_an_extension(&facts);
    let rows = || known::reported().filter(|row| of_an_extension.is_none() || row.asks_for_words());
    let mut verdict = process::killed(&facts)
        .or_else(|| process::watched(&facts))
        .or_else(|| process::leaked(&facts))
        .or_else(|| process::sent(&facts))
        .or_else(|| by_recording(&facts))
        .or_else(|| stack_overflow::found(&facts))
        .or_else(|| known(&facts, rows()))
        .or_else(|| panic::found(&facts))
        .or_else(|| process::mapped_file(&facts))
        .or_else(|| process::thread_of_qt_outlived(&facts))
        .or_else(|| fatal_errors::at_the_edges(&facts))
        .or_else(|| of_an_extension.clone())
        .or_else(|| fatal_errors::of_the_collector(&facts))
        .or_else(|| known(&facts, known::before_the_heap()))
        .or_else(|| heap::damaged(&facts))
        .or_else(|| known(&facts, known::kinds()))
        .or_else(|| process::worker_gone(&facts))
        .or_else(|| standstill::found(&facts))
        .or_else(|| process::hanging(&facts))
        .or_else(|| process::forked(&facts))
        .or_else(|| process::asked_to_abort(&facts))
        .or_else(|| fatal_errors::assertion(&facts))
        .or_else(|| fatal_errors::came_back(&facts))
        .or_else(|| by_what_is_near(&facts))
        .unwrap_or_else(|| nearest::interpreter(&facts));
    verdict = in_one_object::or_the_class(&facts, verdict);
    let already = verdict.evidence.join("\n");
    let race = racing::on_the_same_object(&facts).map(|race| race.told());
    let shared = in_one_object::found(&facts).map(|shared| shared.told());
    let of_threads = race.into_iter().chain(shared).chain(racing::by_their_stacks(&facts));
    let also = of_threads.chain(crash.findings.iter().map(found)).chain(said(&facts, &already));
    verdict.evidence.extend(also.filter(|line| !already.contains(line.as_str())));
    // A tool that checks memory goes on, or ends a process that had not crashed.
    if facts.is_found_by_a_tool() {
        for line in &mut verdict.evidence {
            if let Some(rest) = line.strip_prefix("it died ") {
                *line = format!("it was found {rest}");
            }
        }
    }
    if facts.is_by_the_handler() {
        verdict.next_step = verdict.next_step.replace(RECORD, RECORD_MORE);
    }
    verdict.signature = match in_one_object::decides(&facts, &verdict) {
        Some(class) => signature::of_shared_object(crash, class),
        None => signature::of(crash),
    };
    verdict
}

fn by_what_is_near(facts: &Facts<'_>) -> Option<Verdict> {
    let mut verdict = nearest::plugin(facts)
        .or_else(|| nearest::extension(facts))
        .or_else(|| nearest::library(facts))
        .or_else(|| nearest::foreign_source(facts))
        .or_else(|| fatal_errors::other(facts))
        .or_else(|| nearest::package(facts))?;
    if verdict.confidence != Confidence::Low
        && let Some(issue) = nearest::is_near_miss(facts)
    {
        verdict.confidence = Confidence::Low;
        verdict.evidence.push(format!("it looks like {issue}, but version, build or module are not those of that crash"));
    }
    Some(verdict)
}

/// What the recording and the findings before the crash show of a second thread.
fn by_recording(facts: &Facts<'_>) -> Option<Verdict> {
    let is_on_transport = |race: &racing::Race<'_>| race.own.fd >= 0 && facts.python.iter().take(3).any(racing::is_transport);
    // Descriptors are shared by threads in correct programs, too, and no descriptor crashes of it.
    let race = racing::on_the_same_object(facts).filter(|race| race.rule.is_some() || is_on_transport(race));
    let finding = facts.crash.findings.iter().rev().find(|finding| is_cause(facts, finding));
    if race.is_none() && finding.is_none() {
        return None;
    }
    let transport = race.as_ref().is_some_and(is_on_transport);
    let by_race =
        race.as_ref().and_then(|race| race.rule).or(if transport { Some(rules::transport_used_off_thread::RULE.id) } else { None });
    let rule = finding.map(|finding| finding.rule.as_str()).or(by_race);
    let row = known_row(facts, known::reported());
    // A race on what the interpreter should have locked is its bug, whether or not this run has seen both threads at it.
    let is_interpreters = row.as_ref().is_some_and(|(row, _)| row.verdict == CrashCause::InterpreterBug);
    if is_interpreters && rule.is_some_and(rules::is_of_races) {
        return None;
    }
    let mut evidence = vec![match rule.and_then(rules::find) {
        Some(rule) => format!("two threads used what belongs to one: {} {}", rule.id, rule.name),
        None => "two threads used what belongs to one".to_owned(),
    }];
    evidence.extend(race.as_ref().map(racing::Race::told));
    evidence.extend(finding.map(found));
    let next = match rule.and_then(rules::find) {
        Some(rule) => format!("{} (ftsan explain {})", rule.general_advice(), rule.id),
        None => "let one thread use it, or guard every use with one lock".to_owned(),
    };
    let confidence = if race.is_some()
        || finding.is_some_and(|finding| rules::find(&finding.rule).is_none_or(|rule| !rule.crash().is_only_likely))
    {
        Confidence::High
    } else {
        Confidence::Medium
    };
    let mut verdict = verdict(CrashCause::CrossThreadMisuse, confidence, evidence, &next);
    // An interpreter that lets a misuse crash it has an issue of its own; a library's other bug is not shown by this.
    let issue = row.filter(|(row, _)| row.verdict == CrashCause::InterpreterBug || row.verdict == CrashCause::CrossThreadMisuse);
    verdict.known_issue = issue.and_then(|(row, _)| row.issue).map(str::to_owned);
    Some(verdict)
}

/// A finding before the crash is of what the crashing thread was doing.
fn is_cause(facts: &Facts<'_>, finding: &FoundBefore) -> bool {
    let innermost = Facts::programs_line(facts.python);
    let mut lines = finding.at.iter().chain(&finding.lines);
    let same_line = lines.any(|at| innermost.is_some_and(|frame| frame.file == at.file && frame.line == at.line));
    // An extension that the line calls as well is another matter.
    (same_line && facts.is_by_itself()) || facts.is_where_it_crashes(&finding.rule)
}

fn found(finding: &FoundBefore) -> String {
    let thread = if finding.thread.is_empty() { String::new() } else { format!(" in thread '{}'", finding.thread) };
    format!("found before the crash: {} {}{}{thread}", finding.rule, finding.title, racing::at(finding.at.as_ref()))
}

/// What the program said that no condition has quoted.
fn said(facts: &Facts<'_>, already: &str) -> Option<String> {
    let message = facts
        .crash
        .message
        .lines()
        .find(|line| !line.starts_with("Fatal Python error") && *line != FINALIZING && !line.starts_with("Windows fatal exception"))
        .filter(|line| !already.contains(*line))?;
    let by_a_tool = Facts::is_of_a_tool(message);
    Some(if by_a_tool { format!("the tool said: {message}") } else { format!("before it died, it said: {message}") })
}

fn known_row(facts: &Facts<'_>, rows: impl IntoIterator<Item = &'static Known>) -> Option<(&'static Known, Vec<String>)> {
    rows.into_iter().find_map(|row| row.matches(facts).map(|evidence| (row, evidence)))
}

fn known(facts: &Facts<'_>, rows: impl IntoIterator<Item = &'static Known>) -> Option<Verdict> {
    let (row, conditions) = known_row(facts, rows)?;
    let mut evidence = vec![format!("{}: {}", row.name, row.explanation)];
    evidence.extend(conditions);
    // An extension that was built for another interpreter is no row's: it is the one that is being loaded.
    let loading = || {
        let owner = facts.extension_on_top(8).map(|(_, _, owner)| owner);
        match owner {
            Some(super::super::names::owner::Owner::Extension(name, distribution)) => Some(distribution.unwrap_or(name)),
            _ => None,
        }
    };
    let culprit = row.culprit.map(str::to_owned);
    let culprit = if row.verdict == CrashCause::ExtensionAssumesGil { culprit.or_else(loading) } else { culprit };
    Some(Verdict {
        culprit,
        known_issue: row.issue.map(str::to_owned),
        ..verdict(row.verdict, row.confidence(facts), evidence, row.next_step)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::crash::{Event, Extension, NativeFrame, Python, Thread};
    use super::super::super::{from_json, render};
    use super::*;
    use crate::report::Frame;

    /// Two threads on one transport of asyncio, as the recorder and the crash handler have it.
    fn recorded() -> Crash {
        from_json(include_str!("../../../tests/fuzz/seeds/crash_json/two_writers.json")).unwrap()
    }

    fn frame(file: &str, function: &str) -> Frame {
        Frame { file: file.to_owned(), line: 5, function: function.to_owned(), ..Frame::default() }
    }

    fn native(module: &str, symbol: &str) -> NativeFrame {
        NativeFrame { offset: 1, ..NativeFrame::named(module, symbol) }
    }

    #[test]
    fn a_second_thread_on_the_transport_is_the_cause_and_not_greenlet() {
        let verdict = of(&recorded());
        assert_eq!((verdict.verdict, verdict.confidence), (CrashCause::CrossThreadMisuse, Confidence::High));
        assert_eq!((verdict.culprit, verdict.known_issue), (None, None));
        assert!(verdict.evidence[0].contains("FT105") && verdict.evidence[1].contains("'heartbeat'"), "{:?}", verdict.evidence);
        assert!(verdict.next_step.contains("ftsan explain FT105"));
        // Without what the second thread did, it is greenlet.
        let alone = Crash { threads: recorded().threads.into_iter().take(1).collect(), findings: Vec::new(), ..recorded() };
        let alone = of(&alone);
        assert_eq!((alone.culprit.as_deref(), alone.known_issue.as_deref()), (Some("greenlet"), Some("greenlet#513")));
        // A version with the fix is not to blame.
        let mut fixed = Crash { threads: recorded().threads.into_iter().take(1).collect(), findings: Vec::new(), ..recorded() };
        fixed.extensions[0].version = "3.5.6".to_owned();
        assert_eq!(of(&fixed).culprit, None);
    }

    #[test]
    fn the_descriptor_alone_or_the_finding_alone_is_enough() {
        let by_descriptor = Crash { findings: Vec::new(), ..recorded() };
        assert_eq!(of(&by_descriptor).verdict, CrashCause::CrossThreadMisuse);
        let by_finding = Crash { threads: recorded().threads.into_iter().take(1).collect(), ..recorded() };
        assert_eq!(of(&by_finding).verdict, CrashCause::CrossThreadMisuse);
    }

    #[test]
    fn an_extension_is_judged_by_what_it_declares() {
        let module = "/v/lib/python3.14t/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";
        let judged = |declares| {
            let extension =
                Extension { name: "fastlog._core".to_owned(), declares_free_threading: declares, ..Extension::default() };
            let threads = ["a", "b"].map(|name| Thread {
                name: name.to_owned(),
                crashed: name == "a",
                python: vec![frame("/app/log.py", "log")],
                native: if name == "a" { vec![native(module, "append_line")] } else { Vec::new() },
                ..Thread::default()
            });
            let python = Python { gil: "disabled".to_owned(), ..Python::default() };
            of(&Crash {
                signal: "SIGSEGV".to_owned(),
                python,
                threads: threads.into(),
                extensions: vec![extension],
                ..Crash::default()
            })
        };
        let undeclared = judged(Some(false));
        assert_eq!((undeclared.verdict, undeclared.confidence), (CrashCause::ExtensionAssumesGil, Confidence::High));
        assert_eq!(undeclared.culprit.as_deref(), Some("fastlog"));
        assert!(
            undeclared.evidence.iter().any(|line| line.contains("thread 'b' was in the same function")),
            "{:?}",
            undeclared.evidence
        );
        assert_eq!(judged(Some(true)).verdict, CrashCause::LibraryBug);
        // The handler saw all threads, and there was one: the GIL would have changed nothing.
        let alone = |missing: &[&str]| {
            let module = native(module, "append_line");
            let extension =
                Extension { name: "fastlog._core".to_owned(), declares_free_threading: Some(false), ..Extension::default() };
            of(&Crash {
                signal: "SIGSEGV".to_owned(),
                code: Some(1),
                command: vec!["app.py".to_owned()],
                missing: missing.iter().map(|step| (*step).to_owned()).collect(),
                python: Python { gil: "disabled".to_owned(), ..Python::default() },
                threads: vec![Thread { crashed: true, native: vec![module], ..Thread::default() }],
                extensions: vec![extension],
                ..Crash::default()
            })
        };
        assert_eq!((alone(&[]).verdict, alone(&[]).confidence), (CrashCause::LibraryBug, Confidence::Medium));
        assert_eq!(alone(&["other threads"]).verdict, CrashCause::ExtensionAssumesGil);
        assert_eq!(judged(None).verdict, CrashCause::LibraryBug);
    }

    #[test]
    fn a_run_that_was_watched_is_to_watch_more() {
        let died = |code| {
            let thread = Thread { crashed: true, native: vec![native("/usr/bin/python3.14t", "PyList_New")], ..Thread::default() };
            let command = vec!["app.py".to_owned()];
            of(&Crash { signal: "SIGSEGV".to_owned(), code, command, threads: vec![thread], ..Crash::default() }).next_step
        };
        assert!(died(None).contains("under `ftsan run`") && !died(None).contains("--races all"));
        assert!(died(Some(1)).contains("--races all") && !died(Some(1)).contains("under `ftsan run`"));
    }

    #[test]
    fn without_the_gil_an_undeclared_extension_is_the_better_guess() {
        let crashed = Thread { crashed: true, native: vec![native("/usr/bin/python3.14t", "_Py_Dealloc")], ..Thread::default() };
        let extension = Extension { name: "old._c".to_owned(), declares_free_threading: Some(false), ..Extension::default() };
        let mut crash =
            Crash { signal: "SIGSEGV".to_owned(), threads: vec![crashed], extensions: vec![extension], ..Crash::default() };
        assert_eq!(of(&crash).verdict, CrashCause::Unknown);
        crash.python.gil = "disabled".to_owned();
        assert_eq!((of(&crash).verdict, of(&crash).culprit.as_deref()), (CrashCause::ExtensionAssumesGil, Some("old._c")));
    }

    #[test]
    fn a_foreign_timer_names_the_thread_that_runs_the_loop() {
        let module = "/v/site-packages/uvloop/loop.cpython-314t-x86_64-linux-gnu.so";
        let crashed = Thread {
            name: "worker".to_owned(),
            crashed: true,
            python: vec![frame("/app/w.py", "tick")],
            native: vec![native(module, "uv_timer_start")],
            ..Thread::default()
        };
        let runner = Thread {
            name: "MainThread".to_owned(),
            native_id: 10,
            runs_loop: "uvloop.Loop".to_owned(),
            inside: "epoll_wait(fd 5)".to_owned(),
            python: vec![frame("/app/main.py", "main")],
            ..Thread::default()
        };
        let verdict = of(&Crash { signal: "SIGSEGV".to_owned(), threads: vec![crashed, runner], ..Crash::default() });
        assert_eq!((verdict.verdict, verdict.confidence), (CrashCause::CrossThreadMisuse, Confidence::High));
        let named = "thread 'MainThread' (native id 10) runs uvloop.Loop at /app/main.py:5 in main, inside epoll_wait(fd 5)";
        assert!(verdict.evidence.iter().any(|line| line == named), "{:?}", verdict.evidence);
    }

    #[test]
    fn a_generator_that_ftsan_saw_shared_is_misuse_with_the_interpreters_issue() {
        let found =
            |rule: &str| FoundBefore { rule: rule.to_owned(), title: "items() resumed".to_owned(), ..FoundBefore::default() };
        let crashed = Thread {
            crashed: true,
            python: vec![frame("", "<no Python frame>")],
            native: vec![native("/usr/bin/python3.14t", "_PyEval_EvalFrameDefault"), native("/usr/bin/python3.14t", "")],
            ..Thread::default()
        };
        let crash = Crash { signal: "SIGSEGV".to_owned(), threads: vec![crashed], ..Crash::default() };
        assert_eq!((of(&crash).verdict, of(&crash).known_issue.as_deref()), (CrashCause::InterpreterBug, Some("gh-120321")));
        let seen = of(&Crash { findings: vec![found("FT108")], ..crash.clone() });
        assert_eq!((seen.verdict, seen.known_issue.as_deref()), (CrashCause::CrossThreadMisuse, Some("gh-120321")));
        // A finding that has nothing to do with the frame is told and not blamed.
        let other = of(&Crash { findings: vec![found("FT106")], ..crash });
        assert_eq!(other.verdict, CrashCause::InterpreterBug);
        assert!(other.evidence.iter().any(|line| line.contains("FT106")));
    }

    #[test]
    fn a_race_on_an_array_is_the_interpreters_bug_whichever_thread_died() {
        let array = native("/usr/lib/python3.14t/lib-dynload/array.cpython-314t-x86_64-linux-gnu.so", "array_item");
        let line = |line| Frame { line, ..frame("/app/a.py", "use") };
        let crashed = |at| Thread { crashed: true, python: vec![line(at)], native: vec![array.clone()], ..Thread::default() };
        let found =
            FoundBefore { rule: "FT410".to_owned(), at: Some(line(5)), lines: vec![line(5), line(9)], ..FoundBefore::default() };
        let python = Python { gil: "disabled".to_owned(), version: "3.14.7 free-threading build".to_owned(), ..Python::default() };
        let verdicts = [(5, true), (9, true), (5, false), (9, false)].map(|(at, seen)| {
            let findings = if seen { vec![found.clone()] } else { Vec::new() };
            let crash = Crash {
                signal: "SIGSEGV".to_owned(),
                python: python.clone(),
                threads: vec![crashed(at)],
                findings,
                ..Crash::default()
            };
            let verdict = of(&crash);
            (verdict.verdict, verdict.confidence, verdict.known_issue, verdict.signature)
        });
        assert_eq!(verdicts[0].2.as_deref(), Some("gh-128942"));
        assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{verdicts:?}");
        // Misuse of what one thread may use at a time is the program's, whichever of the two died.
        let transport =
            FoundBefore { rule: "FT105".to_owned(), at: Some(line(5)), lines: vec![line(5), line(9)], ..FoundBefore::default() };
        for at in [5, 9] {
            let crash = Crash {
                threads: vec![Thread { native: Vec::new(), ..crashed(at) }],
                findings: vec![transport.clone()],
                ..Crash::default()
            };
            assert_eq!(of(&crash).verdict, CrashCause::CrossThreadMisuse);
        }
    }

    #[test]
    fn sigkill_is_not_a_crash_and_a_damaged_heap_has_no_known_culprit() {
        let event = Event { operation: "recv".to_owned(), fd: 4, ..Event::default() };
        let thread = Thread { name: "w".to_owned(), recent: vec![event], ..Thread::default() };
        let killed = of(&Crash { signal: "SIGKILL".to_owned(), threads: vec![thread], ..Crash::default() });
        assert_eq!((killed.verdict, killed.confidence), (CrashCause::Unknown, Confidence::High));
        assert!(killed.evidence[1].contains("the last event of thread 'w' was recv"));
        let heap = Crash { signal: "SIGABRT".to_owned(), message: "malloc(): corrupted top size".to_owned(), ..Crash::default() };
        assert_eq!((of(&heap).verdict, of(&heap).confidence), (CrashCause::Unknown, Confidence::Low));
        let found = FoundBefore { rule: "FT105".to_owned(), ..FoundBefore::default() };
        assert!(of(&Crash { findings: vec![found], ..heap }).evidence[1].contains("may well be the misuse of FT105"));
    }

    #[test]
    fn a_finding_of_the_loop_is_no_cause_of_what_the_loop_runs() {
        let found = FoundBefore { rule: "FT107".to_owned(), title: "cancel() called".to_owned(), ..FoundBefore::default() };
        let crashed = |native_frame, inner: Option<Frame>| Thread {
            crashed: true,
            python: inner
                .into_iter()
                .chain([
                    frame("/app/main.py", "main"),
                    frame("/usr/lib/python3.14t/asyncio/events.py", "Handle._run"),
                    frame("/usr/lib/python3.14t/asyncio/base_events.py", "BaseEventLoop._run_once"),
                ])
                .collect(),
            native: vec![native_frame],
            ..Thread::default()
        };
        let judged = |thread| {
            let crash =
                Crash { signal: "SIGSEGV".to_owned(), threads: vec![thread], findings: vec![found.clone()], ..Crash::default() };
            of(&crash).verdict
        };
        let own = || native("/usr/lib/libpython3.14t.so", "list_dealloc");
        assert_eq!(judged(crashed(own(), None)), CrashCause::Unknown);
        let numpy = native("/v/site-packages/numpy/_core/_multiarray_umath.cpython-314t-x86_64-linux-gnu.so", "array_dealloc");
        assert_eq!(judged(crashed(numpy, None)), CrashCause::LibraryBug);
        let inner = frame("/usr/lib/python3.14t/asyncio/events.py", "Handle.cancel");
        assert_eq!(judged(crashed(own(), Some(inner))), CrashCause::CrossThreadMisuse);
    }

    #[test]
    fn nothing_known_is_said_to_be_unknown() {
        let crash = Crash::default();
        let verdict = of(&crash);
        assert_eq!((verdict.verdict, verdict.confidence), (CrashCause::Unknown, Confidence::Low));
        let markdown = render(&crash, "markdown");
        for row in
            ["| `python -VV` | unknown |", "| GIL | unknown |", "| reproducer | unknown |", "### Extension modules\n\nunknown"]
        {
            assert!(markdown.contains(row), "{markdown}");
        }
        let json: serde_json::Value = serde_json::from_str(&render(&crash, "json")).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut contract = ["schema", "verdict", "confidence", "culprit", "known_issue", "signature", "evidence", "next_step"];
        contract.sort_unstable();
        assert_eq!(keys, contract);
    }

    /// Two threads did it to one thing, and the crashing one is still at it, in a file of these.
    fn both(operation: &str, fd: i32, object: u64, files: &[&str]) -> Verdict {
        let at = |file: &&str| frame(file, "beat");
        let event = Event { operation: operation.to_owned(), fd, object, at: files.last().map(at), ..Event::default() };
        let thread = |crashed| Thread {
            crashed,
            python: if crashed { files.iter().map(at).collect() } else { Vec::new() },
            recent: vec![event.clone()],
            ..Thread::default()
        };
        of(&Crash { signal: "SIGSEGV".to_owned(), threads: vec![thread(true), thread(false)], ..Crash::default() })
    }

    #[test]
    fn two_threads_at_one_descriptor_are_the_cause_where_a_rule_or_a_transport_says_so() {
        let transport = ["/lib/python3.14t/asyncio/selector_events.py", "/app/w.py"];
        let is_cause = |verdict: Verdict| verdict.verdict == CrashCause::CrossThreadMisuse;
        assert!(!is_cause(both("send", 5, 0, &["/app/w.py"])), "correct programs share descriptors");
        assert!(is_cause(both("send", 5, 0, &transport)));
        assert!(is_cause(both("FT105 write", 5, 0, &["/app/w.py"])));
        assert!(!is_cause(both("strange", -1, 0x10, &transport)), "an object is no descriptor");
        assert_eq!(both("send", 5, 0, &transport).confidence, Confidence::High);
        let far = ["/app/a.py", "/app/b.py", "/app/c.py", transport[0], "/app/w.py"];
        assert!(!is_cause(both("send", 5, 0, &far)), "a transport far out is not where it died");
    }

    #[test]
    fn a_finding_at_the_very_line_is_as_sure_as_its_rule_is() {
        let judged = |rule: &str, file: &str, line| {
            let at = Frame { line, ..frame(file, "f") };
            let finding = FoundBefore { rule: rule.to_owned(), at: Some(at), ..FoundBefore::default() };
            let thread = Thread { crashed: true, python: vec![frame("/app/a.py", "f")], ..Thread::default() };
            let crash = Crash { signal: "SIGSEGV".to_owned(), threads: vec![thread], findings: vec![finding], ..Crash::default() };
            let verdict = of(&crash);
            (verdict.verdict, verdict.confidence)
        };
        assert_eq!(judged("FT105", "/app/a.py", 5), (CrashCause::CrossThreadMisuse, Confidence::High));
        assert_eq!(judged("FT108", "/app/a.py", 5), (CrashCause::CrossThreadMisuse, Confidence::Medium));
        assert_eq!(judged("FT105", "/app/a.py", 6).0, CrashCause::Unknown);
        assert_eq!(judged("FT105", "/app/b.py", 5).0, CrashCause::Unknown);
    }

    #[test]
    fn a_row_that_names_nobody_blames_the_module_that_is_being_loaded() {
        let module = "/v/lib/python3.14t/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";
        let native = vec![native("/usr/bin/python3.14t", "PyModule_Create2"), native(module, "PyInit__core")];
        let thread = Thread { crashed: true, native, ..Thread::default() };
        let python = Python { gil: "disabled".to_owned(), ..Python::default() };
        let verdict = of(&Crash { signal: "SIGSEGV".to_owned(), python, threads: vec![thread], ..Crash::default() });
        assert_eq!((verdict.verdict, verdict.culprit.as_deref()), (CrashCause::ExtensionAssumesGil, Some("fastlog")));
    }
}
