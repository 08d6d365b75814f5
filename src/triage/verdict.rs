//! The verdict on a crash: whose it is, how sure that is, what shows it, and what to do next.
//!
//! What a recording shows comes first (a second thread on the object that the crashing one used, a misuse found before the crash),
//! then the table of known crashes, then what the stacks say by themselves.

use super::crash::{Crash, FoundBefore};
use super::facts::{Facts, clean, is_noise, unqualified};
use super::known_crashes::{KNOWN, Known};
use super::{paths, racing, signature};
use crate::report::Frame;
use crate::rules;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose a crash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The program lets two threads use what belongs to one.
    CrossThreadMisuse,
    /// A library fails below correct use.
    LibraryBug,
    /// An extension module relies on the GIL.
    ExtensionAssumesGil,
    /// The interpreter fails.
    InterpreterBug,
    /// Not enough evidence.
    Unknown,
}

impl Kind {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::CrossThreadMisuse => "cross-thread-misuse",
            Kind::LibraryBug => "library-bug",
            Kind::ExtensionAssumesGil => "extension-assumes-gil",
            Kind::InterpreterBug => "interpreter-bug",
            Kind::Unknown => "unknown",
        }
    }
}

/// How sure a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One thing fits.
    Low,
    /// It is the usual cause.
    Medium,
    /// Nothing else is known to look like it.
    High,
}

impl Confidence {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// A verdict; what is serialised of it is a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Version of the format: 1.
    pub schema: u32,
    /// Whose it is.
    pub verdict: Kind,
    /// How sure that is.
    pub confidence: Confidence,
    /// The distribution at fault, or the extension module if it is not known which it is of.
    pub culprit: Option<String>,
    /// Issue of a known crash: "gh-NNN" is CPython's, "name#NNN" the library's.
    pub known_issue: Option<String>,
    /// Names the crash across runs and machines.
    pub signature: String,
    /// What shows it, the sentence that explains it first.
    pub evidence: Vec<String>,
    /// What to do.
    pub next_step: String,
}

const RECORD: &str = "run it again under `ftsan run`: it records what every thread touches, and triages the crash with that";

/// Rules, and what is on the stack of a crash that such a misuse causes: ends of Python files, native functions, extension modules.
const CAUSES: &[(&str, &[&str], &[&str])] = &[
    (
        "FT105",
        &["selector_events.py", "sslproto.py", "streams.py", "unix_events.py"],
        &["sock_", "send", "__send", "uv_", "_ssl", "SSL_"],
    ),
    ("FT101", &["base_events.py", "selector_events.py"], &["uv_", "uv__", "heap_", "heapq", "_heapq"]),
    ("FT107", &["events.py"], &["uv_", "uv__", "heap_"]),
    ("FT109", &["base_events.py"], &["uv_", "uv__"]),
    ("FT102", &["futures.py", "tasks.py"], &["future_", "task_", "_asyncio_"]),
    ("FT103", &["tasks.py"], &["task_", "_asyncio_"]),
    ("FT104", &["tasks.py", "futures.py"], &["task_", "future_"]),
    ("FT106", &["locks.py", "queues.py"], &["deque_"]),
    ("FT108", &[], &["gen_", "_gen_", "async_gen_", "coro_", "_PyEval_EvalFrame", "_PyFrame_", "_TAIL_CALL_", "context_", "hamt_"]),
    ("FT304", &["greenlet", "gevent", "eventlet"], &["g_switch", "slp_", "_PyCriticalSection"]),
];

/// Says whose a crash is.
pub fn of(crash: &Crash) -> Verdict {
    let facts = Facts::new(crash);
    let mut verdict = by_signal(&facts)
        .or_else(|| by_recording(&facts))
        .or_else(|| stack_overflow(&facts))
        .or_else(|| known(&facts))
        .or_else(|| extension(&facts))
        .unwrap_or_else(|| interpreter(&facts));
    let already = verdict.evidence.join("\n");
    let also = racing::by_their_stacks(&facts).into_iter().chain(crash.findings.iter().map(found)).chain(said(&facts));
    verdict.evidence.extend(also.filter(|line| !already.contains(line.as_str())));
    verdict.signature = signature::of(crash);
    verdict
}

fn verdict(verdict: Kind, confidence: Confidence, evidence: Vec<String>, next_step: &str) -> Verdict {
    Verdict {
        schema: 1,
        verdict,
        confidence,
        culprit: None,
        known_issue: None,
        signature: String::new(),
        evidence,
        next_step: next_step.to_owned(),
    }
}

/// SIGKILL cannot be the program's own doing.
fn by_signal(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.crash.signal != "SIGKILL" {
        return None;
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
    Some(verdict(Kind::Unknown, Confidence::High, evidence, next))
}

/// What the recording and the findings before the crash show of a second thread.
fn by_recording(facts: &Facts<'_>) -> Option<Verdict> {
    let race = racing::on_the_same_object(facts);
    let finding = facts.crash.findings.iter().rev().find(|finding| is_cause(facts, finding));
    if race.is_none() && finding.is_none() {
        return None;
    }
    let transport = facts.python.iter().take(3).any(racing::is_transport) && race.as_ref().is_some_and(|race| race.own.fd >= 0);
    let by_race = race.as_ref().and_then(|race| race.rule).or(if transport { Some("FT105") } else { None });
    let rule = finding.map(|finding| finding.rule.as_str()).or(by_race);
    let mut evidence = vec![match rule.and_then(rules::find) {
        Some(rule) => format!("two threads used what belongs to one: {} {}", rule.id, rule.name),
        None => "two threads used what belongs to one".to_owned(),
    }];
    evidence.extend(race.as_ref().map(racing::Race::told));
    evidence.extend(finding.map(found));
    let row = known_row(facts);
    let next = match rule.and_then(rules::find) {
        Some(rule) => format!("{} (ftsan explain {})", rule.fix, rule.id),
        None => "let one thread use it, or guard every use with one lock".to_owned(),
    };
    let confidence = if race.is_some() || finding.is_some_and(|finding| finding.rule != "FT108") {
        Confidence::High
    } else {
        Confidence::Medium
    };
    let mut verdict = verdict(Kind::CrossThreadMisuse, confidence, evidence, &next);
    // An interpreter that lets a misuse crash it has an issue of its own; a library's other bug is not shown by this.
    let issue = row.filter(|(row, _)| row.verdict == Kind::InterpreterBug || row.verdict == Kind::CrossThreadMisuse);
    verdict.known_issue = issue.and_then(|(row, _)| row.issue).map(str::to_owned);
    Some(verdict)
}

/// A finding before the crash is of what the crashing thread was doing.
fn is_cause(facts: &Facts<'_>, finding: &FoundBefore) -> bool {
    let same_line =
        finding.at.as_ref().is_some_and(|at| facts.python.iter().any(|frame| frame.file == at.file && frame.line == at.line));
    let row = CAUSES.iter().find(|(rule, _, _)| *rule == finding.rule);
    same_line
        || row.is_some_and(|(_, files, symbols)| {
            let inner = facts.python.iter().take(4);
            inner.filter(|frame| !frame.file.is_empty()).any(|frame| files.iter().any(|file| frame.file.contains(file)))
                || facts.failing().take(4).any(|frame| symbols.iter().any(|symbol| clean(&frame.symbol).starts_with(symbol)))
        })
}

fn found(finding: &FoundBefore) -> String {
    let thread = if finding.thread.is_empty() { String::new() } else { format!(" in thread '{}'", finding.thread) };
    format!("found before the crash: {} {}{}{thread}", finding.rule, finding.title, racing::at(finding.at.as_ref()))
}

/// What the program said that no condition has quoted.
fn said(facts: &Facts<'_>) -> Option<String> {
    let message = facts.crash.message.lines().find(|line| !line.starts_with("Fatal Python error"))?;
    Some(format!("before it died, it said: {message}"))
}

fn known_row(facts: &Facts<'_>) -> Option<(&'static Known, Vec<String>)> {
    KNOWN.iter().find_map(|row| row.matches(facts).map(|evidence| (row, evidence)))
}

fn known(facts: &Facts<'_>) -> Option<Verdict> {
    let (row, conditions) = known_row(facts)?;
    let mut evidence = vec![format!("{}: {}", row.name, row.explanation)];
    evidence.extend(conditions);
    Some(Verdict {
        culprit: row.culprit.map(str::to_owned),
        known_issue: row.issue.map(str::to_owned),
        ..verdict(row.verdict, row.confidence, evidence, row.next_step)
    })
}

/// The same few functions over and over, on a stack that is as long as it is shown.
fn stack_overflow(facts: &Facts<'_>) -> Option<Verdict> {
    const DEEP: usize = 90;
    const DEEP_NATIVE: usize = 24;
    let said = facts.crash.message.contains("stack overflow") && !facts.crash.message.contains("stack smashing");
    if !said && !["SIGSEGV", "SIGBUS", "SIGABRT", ""].contains(&facts.crash.signal.as_str()) {
        return None;
    }
    let python = repeated(facts.python.iter().map(|frame| (frame.file.as_str(), frame.function.as_str(), 0)), DEEP);
    let native = facts.native.iter().filter(|frame| !is_noise(frame));
    let native = repeated(
        native.map(|frame| (frame.module.as_str(), clean(&frame.symbol), if frame.symbol.is_empty() { frame.offset } else { 0 })),
        DEEP_NATIVE,
    );
    let place = |frame: Option<&Frame>| racing::at(frame);
    let what = match (python, native) {
        (Some((file, function, _)), _) => {
            let frame = facts.python.iter().find(|frame| frame.file == file && frame.function == function);
            format!("stack overflow: infinite recursion in {}{}", unqualified(function), place(frame))
        }
        (None, Some((module, symbol, _))) => {
            let name = if symbol.is_empty() { format!("a function of {}", paths::base(module)) } else { symbol.to_owned() };
            format!("stack overflow: infinite recursion in {name}{}", place(Facts::programs_line(facts.python)))
        }
        (None, None) if said => format!("stack overflow, says the interpreter{}", place(Facts::programs_line(facts.python))),
        (None, None) => return None,
    };
    let depth =
        format!("{} Python and {} native frames are shown, the same ones again and again", facts.python.len(), facts.native.len());
    let next = "end the recursion, or make the stack larger (threading.stack_size(), ulimit -s); threads are not involved";
    Some(verdict(Kind::Unknown, Confidence::High, vec![what, depth], next))
}

/// What makes up half of a stack that is at least so deep.
fn repeated<'k>(frames: impl Iterator<Item = (&'k str, &'k str, u64)>, deep: usize) -> Option<(&'k str, &'k str, u64)> {
    let mut counts: BTreeMap<(&str, &str, u64), usize> = BTreeMap::new();
    let mut total = 0;
    for frame in frames {
        *counts.entry(frame).or_default() += 1;
        total += 1;
    }
    // Mutual recursion of a few functions: together they make up the stack.
    let mut often: Vec<(usize, (&str, &str, u64))> = counts.into_iter().map(|(frame, count)| (count, frame)).collect();
    often.sort_by_key(|(count, _)| usize::MAX - count);
    let cycle: usize = often.iter().take(3).map(|(count, _)| count).sum();
    (total >= deep && cycle * 4 >= total * 3).then(|| often.first().map(|(_, frame)| *frame)).flatten()
}

/// An extension module directly below the interpreter's innermost functions.
fn extension(facts: &Facts<'_>) -> Option<Verdict> {
    const DEPTH: usize = 4;
    let frame = facts.extension_on_top(DEPTH)?;
    let depth = facts.failing().position(|other| std::ptr::eq(other, frame)).unwrap_or(DEPTH);
    let known = facts.extension_of(frame);
    let name = paths::import_name(&frame.module);
    let stdlib = frame.module.contains("/lib-dynload/");
    let distribution = known.map(|known| known.distribution.as_str()).filter(|name| !name.is_empty());
    let culprit = distribution.or_else(|| paths::distribution(&frame.module)).unwrap_or(&name).to_owned();
    let symbol = clean(&frame.symbol);
    let function = if symbol.is_empty() { String::new() } else { format!(" ({symbol})") };
    let mut evidence = vec![match depth {
        0 => format!("it died inside the extension module {name}{function}"),
        _ => format!("it died in the interpreter's {}, called by the extension module {name}{function}", innermost(facts)),
    }];
    if depth == 0 && is_null_call(facts) {
        evidence.push("a null pointer was used".to_owned());
    }
    let declares = known.and_then(|known| known.declares_free_threading);
    let version = known.filter(|known| !known.version.is_empty()).map_or("unknown", |known| known.version.as_str());
    let (kind, confidence, declared, next) = match (declares, stdlib) {
        (_, true) => (
            Kind::InterpreterBug,
            Confidence::Medium,
            format!("{name} is part of CPython"),
            format!("search CPython's issues for the signature; if two threads share the object, lock it; {RECORD}"),
        ),
        (Some(false), false) => (
            Kind::ExtensionAssumesGil,
            if depth <= 1 { Confidence::High } else { Confidence::Medium },
            format!("{name} does not declare free-threading support, so nothing in it is safe without the GIL"),
            format!(
                "run with the GIL (PYTHON_GIL=1, or leave out PYTHON_GIL=0 and -X gil=0) or upgrade {culprit}; `ftsan audit` lists such extensions"
            ),
        ),
        (Some(true), false) => (
            Kind::LibraryBug,
            Confidence::Medium,
            format!("{name} declares free-threading support, version {version}"),
            format!("upgrade {culprit}; if it still crashes, report it there with the output of ftsan triage --markdown"),
        ),
        (None, false) => (
            Kind::LibraryBug,
            if depth <= 1 { Confidence::Medium } else { Confidence::Low },
            format!("whether {name} declares free-threading support is unknown: a dump does not say"),
            format!(
                "`ftsan audit` says whether {culprit} declares free-threading support: if not, run with the GIL; if so, upgrade it or report it"
            ),
        ),
    };
    evidence.push(declared);
    Some(Verdict { culprit: (!stdlib).then_some(culprit), ..verdict(kind, confidence, evidence, &next) })
}

/// Address 0 was called or read, as far as the dump tells.
fn is_null_call(facts: &Facts<'_>) -> bool {
    facts.crash.address == Some(0)
}

fn innermost(facts: &Facts<'_>) -> String {
    let named = facts.failing().find(|frame| !frame.symbol.is_empty()).map(|frame| clean(&frame.symbol).to_owned());
    named.unwrap_or_else(|| "native code".to_owned())
}

/// libc says so when it finds its heap damaged; whoever did it is gone by then.
const HEAP: [&str; 10] = [
    "malloc(): ",
    "free(): ",
    "realloc(): ",
    "munmap_chunk(): ",
    "malloc_consolidate",
    "double free or corruption",
    "corrupted ",
    "malloc: *** error",
    "pointer being freed",
    "futex facility",
];

/// Nothing but the interpreter and libc is near the place where it died.
fn interpreter(facts: &Facts<'_>) -> Verdict {
    let message = &facts.crash.message;
    if let Some(line) = message.lines().find(|line| HEAP.iter().any(|words| line.contains(words))) {
        let evidence = vec![
            format!("memory had been damaged earlier, by whom is not known: libc found it and aborted ({line})"),
            suspects(facts),
        ];
        let next = format!("{RECORD}; if it names nobody, look for the extension with PYTHONMALLOC=debug and MALLOC_CHECK_=3");
        return verdict(Kind::Unknown, Confidence::Low, evidence, &next);
    }
    let Some(_) = facts.native.first() else {
        let evidence = vec!["there is no native stack: only where the Python code was is known".to_owned(), suspects(facts)];
        let place = Facts::programs_line(facts.python)
            .map(|frame| format!("the innermost line of the program is {}", racing::at(Some(frame)).trim_start_matches(" at ")));
        let evidence = evidence.into_iter().chain(place).collect();
        return verdict(
            Kind::Unknown,
            Confidence::Low,
            evidence,
            &format!("{RECORD} (CPython 3.14 and later print the native stack too)"),
        );
    };
    if is_null_call(facts) && facts.failing().next().is_none_or(|frame| frame.module.is_empty()) {
        let caller = facts.failing().find(|frame| !frame.module.is_empty());
        let by = caller.map_or_else(String::new, |frame| {
            format!(" by {}", if frame.symbol.is_empty() { paths::base(&frame.module) } else { clean(&frame.symbol) })
        });
        let evidence = vec![
            format!("a function at address 0 was called{by}: a pointer was cleared before or while it was used"),
            suspects(facts),
        ];
        return verdict(Kind::Unknown, Confidence::Low, evidence, RECORD);
    }
    let fatal = message.lines().find_map(|line| line.strip_prefix("Fatal Python error: ")).filter(|line| line.contains(": "));
    if let Some(fatal) = fatal {
        let evidence = vec![format!("the interpreter found its own state wrong: {fatal}"), suspects(facts)];
        return verdict(
            Kind::InterpreterBug,
            Confidence::Low,
            evidence,
            &format!("search CPython's issues for the message; {RECORD}"),
        );
    }
    let evidence = vec![
        format!("it died in the interpreter ({}), no extension module is near, and no known crash looks like it", innermost(facts)),
        suspects(facts),
    ];
    let next = format!("{RECORD}; if no thread shares anything, report it to CPython with the output of ftsan triage --markdown");
    verdict(Kind::InterpreterBug, Confidence::Low, evidence, &next)
}

/// Extensions that are known not to support free threading, else how many are loaded.
fn suspects(facts: &Facts<'_>) -> String {
    let undeclared: Vec<&str> = facts
        .crash
        .extensions
        .iter()
        .filter(|known| known.declares_free_threading == Some(false))
        .map(|known| known.name.as_str())
        .collect();
    match (undeclared.first(), facts.crash.extensions.len()) {
        (Some(_), _) => {
            format!("extension modules that do not declare free-threading support are loaded: {}", undeclared.join(", "))
        }
        (None, 0) => "no extension module is listed".to_owned(),
        (None, 1) => "one extension module is loaded".to_owned(),
        (None, count) => format!("{count} extension modules are loaded"),
    }
}
