//! A damaged heap: an allocator found it, by a message or by dying in it.  The code that did it is gone by then.

use super::super::forms::said::HEAP;
use super::super::names::lists::ALLOCATORS;
use super::super::names::owner::{self, Owner};
use super::super::names::symbols::clean;
use super::facts::Facts;
use super::nearest::{or_undeclared, suspects};
use super::racing;
use super::verdict::{Confidence, CrashCause, RECORD, Verdict, verdict};

/// What finds the next one earlier.
const FIND: &str = "PYTHONMALLOC=debug checks every block, a build with AddressSanitizer names who frees twice";

/// Words of the allocator of `PYTHONMALLOC=debug`.
const BY_PYTHON: [&str; 2] = ["Debug memory block at address", "Because memory is corrupted"];

pub(super) fn damaged(facts: &Facts<'_>) -> Option<Verdict> {
    let line = facts.crash.message.lines().find(|line| HEAP.iter().any(|words| line.contains(words)));
    let sanitizer = facts.crash.message.lines().find(|line| {
        ["heap-use-after-free", "heap-buffer-overflow", "double-free", "attempting free on", "data race"]
            .iter()
            .any(|found| line.contains(found))
    });
    let allocator = allocator_on_top(facts);
    let first = match (line, sanitizer, allocator) {
        // The tool shows the access itself: the stacks are better than this verdict.
        (None, Some(_), _) | (None, None, None) => return None,
        (Some(line), _, _) => {
            let by = match line {
                line if line.starts_with("Windows") => "Windows' heap found it and ended the process",
                line if BY_PYTHON.iter().any(|words| line.contains(words)) => "the interpreter's allocator for debugging found it",
                line if line.contains("mimalloc: error") => "mimalloc found it",
                _ => "libc found it and aborted",
            };
            format!("memory had been damaged earlier, by whom is not known: {by} ({line})")
        }
        (None, None, Some(name)) => format!(
            "memory had been damaged earlier, by whom is not known: an allocator died on it ({name}); an object released twice, or used by \
             another thread without a lock, does that"
        ),
    };
    let mut evidence = vec![first];
    let finding = facts.crash.findings.last();
    evidence
        .extend(finding.map(|finding| format!("it may well be the misuse of {} that was found before the crash", finding.rule)));
    evidence.push(suspects(facts));
    evidence.extend(last_writers(facts));
    let next = match finding {
        Some(finding) => format!("repair what was found before the crash first (ftsan explain {})", finding.rule),
        None => format!("{RECORD}; if it names nobody: {FIND}, MALLOC_CHECK_=3 for libc's heap"),
    };
    Some(or_undeclared(facts, verdict(CrashCause::Unknown, Confidence::Low, evidence, &next)))
}

/// The allocator's function, if it is one of the innermost and the allocator is the interpreter's or libc's: one inside a library is that
/// library's matter.
fn allocator_on_top(facts: &Facts<'_>) -> Option<String> {
    const DEPTH: usize = 3;
    if facts.top_is_cut() {
        return None;
    }
    let raw = facts.native.iter().filter(|frame| !frame.symbol.is_empty()).take(DEPTH);
    let mut found = raw.filter(|frame| {
        ALLOCATORS.has(clean(&frame.symbol)) && matches!(owner::of(frame), Owner::Interpreter | Owner::C | Owner::Unknown)
    });
    found.next().map(|frame| clean(&frame.symbol).to_owned())
}

/// The last operations of other threads, where there is a recording.
fn last_writers(facts: &Facts<'_>) -> Vec<String> {
    let last = facts.others().filter_map(|thread| thread.recent.first().map(|event| (thread, event)));
    last.take(3)
        .map(|(thread, event)| format!("{} did {} last{}", racing::called(thread), event.operation, racing::at(event.at.as_ref())))
        .collect()
}
