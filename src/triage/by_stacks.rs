//! What the stacks say by themselves, where neither a recording nor the table of known crashes does: a stack overflow, a damaged
//! heap, a wanted abort, an extension module at the top, or nothing but the interpreter.

use super::facts::{Facts, clean, is_noise, unqualified};
use super::verdict::{Confidence, Kind, RECORD, Verdict, verdict};
use super::{paths, racing};
use crate::report::Frame;
use std::collections::BTreeMap;

/// The same few functions over and over, on a stack that is as long as it is shown.
pub(super) fn stack_overflow(facts: &Facts<'_>) -> Option<Verdict> {
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
            format!("stack overflow: endless or too deep recursion in {}{}", unqualified(function), place(frame))
        }
        (None, Some((module, symbol, _))) => {
            let name = if symbol.is_empty() { format!("a function of {}", paths::base(module)) } else { symbol.to_owned() };
            format!("stack overflow: endless or too deep recursion in {name}{}", place(Facts::programs_line(facts.python)))
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
pub(super) fn extension(facts: &Facts<'_>) -> Option<Verdict> {
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
            format!("run with the GIL (PYTHON_GIL=1, or leave out PYTHON_GIL=0 and -X gil=0) or upgrade {culprit}"),
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
                "run it under `ftsan run`, which looks whether {culprit} declares free-threading support: if not, run with the GIL; if so, upgrade it or report it"
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
pub(super) const HEAP: [&str; 10] = [
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

pub(super) fn damaged_heap(facts: &Facts<'_>) -> Option<Verdict> {
    let line = facts.crash.message.lines().find(|line| HEAP.iter().any(|words| line.contains(words)))?;
    let mut evidence = vec![format!("memory had been damaged earlier, by whom is not known: libc found it and aborted ({line})")];
    let finding = facts.crash.findings.last();
    evidence
        .extend(finding.map(|finding| format!("it may well be the misuse of {} that was found before the crash", finding.rule)));
    evidence.push(suspects(facts));
    let next = match finding {
        Some(finding) => format!("repair what was found before the crash first (ftsan explain {})", finding.rule),
        None => format!("{RECORD}; if it names nobody, look for the extension with PYTHONMALLOC=debug and MALLOC_CHECK_=3"),
    };
    Some(or_undeclared(facts, verdict(Kind::Unknown, Confidence::Low, evidence, &next)))
}

/// Without the GIL, an extension module that needs it is a better guess than the interpreter, wherever it shows.
fn or_undeclared(facts: &Facts<'_>, verdict: Verdict) -> Verdict {
    let undeclared = || facts.crash.extensions.iter().filter(|known| known.declares_free_threading == Some(false));
    let Some(first) = undeclared().next().filter(|_| facts.crash.python.gil == "disabled") else { return verdict };
    let name = if first.distribution.is_empty() { &first.name } else { &first.distribution };
    let next = format!(
        "run it with the GIL (PYTHON_GIL=1, or leave out PYTHON_GIL=0): if it lives, it was one of them; {}",
        verdict.next_step
    );
    let culprit = (undeclared().count() == 1).then(|| name.clone());
    Verdict { verdict: Kind::ExtensionAssumesGil, confidence: Confidence::Low, culprit, next_step: next, ..verdict }
}

/// SIGABRT without a word of the interpreter, libc or an assertion: somebody wanted it.
pub(super) fn asked_to_abort(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.crash.signal != "SIGABRT"
        || facts.native.is_empty()
        || facts.crash.message.lines().any(|line| line != "Fatal Python error: Aborted")
    {
        return None;
    }
    let place = racing::at(Facts::programs_line(facts.python));
    if !facts.native.iter().any(|frame| ["abort", "__GI_abort"].contains(&clean(&frame.symbol))) {
        let evidence =
            vec![format!("SIGABRT was sent to the process{place}: a watchdog or a timeout; nothing in it called abort()")];
        let next =
            "look for who sends it: systemd's watchdog, a supervisor, a test runner's timeout; the stacks show what did not go on";
        return Some(verdict(Kind::Unknown, Confidence::Medium, evidence, next));
    }
    // An interpreter or a libc that gives up says why.
    let silent = facts.failing().next().filter(|frame| paths::is_interpreter(&frame.module))?;
    let caller = if silent.symbol.is_empty() { "the interpreter, and it said nothing" } else { clean(&silent.symbol) };
    let evidence = vec![format!("abort() was called by {caller}{place}: so does os.abort()")];
    Some(verdict(Kind::Unknown, Confidence::Medium, evidence, "look for os.abort() at the innermost Python line"))
}

/// Nothing but the interpreter and libc is near the place where it died.
pub(super) fn interpreter(facts: &Facts<'_>) -> Verdict {
    let message = &facts.crash.message;
    const SIGNALS: [&str; 5] = ["Segmentation fault", "Bus error", "Aborted", "Illegal instruction", "Floating"];
    let fatal = message.lines().find_map(|line| line.strip_prefix("Fatal Python error: "));
    if let Some(fatal) = fatal.filter(|fatal| !SIGNALS.iter().any(|signal| fatal.contains(signal))) {
        let evidence = vec![format!("Py_FatalError was called, because what must not be is: {fatal}"), suspects(facts)];
        // The interpreter says in which of its functions; extension modules give a message only.
        let kind = if fatal.contains(": ") { Kind::InterpreterBug } else { Kind::Unknown };
        return verdict(
            kind,
            Confidence::Low,
            evidence,
            &format!("search the issues of CPython and of the extensions for the message; {RECORD}"),
        );
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
    let evidence = vec![
        format!("it died in the interpreter ({}), no extension module is near, and no known crash looks like it", innermost(facts)),
        suspects(facts),
    ];
    let next = format!("{RECORD}; if no thread shares anything, report it to CPython with the output of ftsan triage --markdown");
    or_undeclared(facts, verdict(Kind::InterpreterBug, Confidence::Low, evidence, &next))
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
