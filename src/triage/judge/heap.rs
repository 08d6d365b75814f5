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

#[cfg(test)]
mod tests {
    use super::super::super::crash::{Crash, Event, NativeFrame, Thread};
    use super::*;

    fn told(message: &str, native: &[(&str, &str)]) -> Option<Vec<String>> {
        let frame = |(module, symbol): &(&str, &str)| NativeFrame::named(module, symbol);
        let event = Event { operation: "send".to_owned(), ..Event::default() };
        let threads = vec![
            Thread { crashed: true, native: native.iter().map(frame).collect(), ..Thread::default() },
            Thread { name: "idle".to_owned(), ..Thread::default() },
            Thread { name: "b".to_owned(), recent: vec![event, Event::default()], ..Thread::default() },
        ];
        damaged(&Facts::new(&Crash { message: message.to_owned(), threads, ..Crash::default() })).map(|verdict| verdict.evidence)
    }

    #[test]
    fn whoever_found_it_is_named_and_so_is_what_others_did_last() {
        for (line, by) in [
            ("Windows fatal exception: code 0xc0000374", "Windows' heap found it and ended the process"),
            ("Debug memory block at address p=0x1", "the interpreter's allocator for debugging found it"),
            ("Because memory is corrupted at the start", "the interpreter's allocator for debugging found it"),
            ("mimalloc: error: buffer overflow", "mimalloc found it"),
            ("free(): invalid pointer", "libc found it and aborted"),
        ] {
            let evidence = told(line, &[]).unwrap();
            assert!(evidence[0].ends_with(&format!("by whom is not known: {by} ({line})")), "{evidence:?}");
            assert_eq!(evidence.last().map(String::as_str), Some("thread 'b' did send last"));
        }
        assert_eq!(told("AddressSanitizer: heap-use-after-free", &[("", "free")]), None, "a tool shows the access itself");
        assert_eq!(told("all is well", &[]), None);
    }

    #[test]
    fn an_allocator_dies_of_it_if_it_is_the_interpreters_or_libcs() {
        let dies =
            |native: &[(&str, &str)]| told("", native).is_some_and(|evidence| evidence[0].contains("died on it (_int_free)"));
        assert!(dies(&[("/lib/libc.so.6", "_int_free")]) && dies(&[("", ""), ("", "f"), ("", "g"), ("", "_int_free")]));
        assert!(!dies(&[("", "f"), ("", "g"), ("", "h"), ("", "_int_free")]), "too far below");
        assert!(!dies(&[("/v/site-packages/a/b.cpython-314-darwin.so", "_int_free")]), "a library's own");
        assert!(!dies(&[("/lib/libc.so.6", "read")]));
    }
}
