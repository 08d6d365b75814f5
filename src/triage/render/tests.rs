//! Tests of the renderers.

use super::super::crash::{Extension, NativeFrame, Thread};
use super::super::judge::verdict::{Confidence, CrashCause};
use super::*;
use crate::report::Frame;

fn verdict_of(evidence: &[&str]) -> Verdict {
    Verdict {
        schema: 1,
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("fastlog".to_owned()),
        known_issue: None,
        signature: "SIGSEGV | f | g".to_owned(),
        evidence: evidence.iter().map(|line| (*line).to_owned()).collect(),
        next_step: "upgrade".to_owned(),
    }
}

fn native(module: &str, symbol: &str) -> NativeFrame {
    NativeFrame { offset: 16, ..NativeFrame::named(module, symbol) }
}

fn python(function: &str) -> Frame {
    Frame { file: "/app/a.py".to_owned(), line: 5, function: function.to_owned(), ..Frame::default() }
}

fn crash(threads: Vec<Thread>) -> Crash {
    Crash { signal: "SIGSEGV".to_owned(), threads, ..Crash::default() }
}

fn crashed() -> Thread {
    Thread { crashed: true, native: vec![native("/lib/a.so", "f")], python: vec![python("g")], ..Thread::default() }
}

/// The part of a text for a terminal that shows the threads.
fn stacks(crash: &Crash, evidence: &[&str]) -> String {
    let text = text::verdict(crash, &verdict_of(evidence), 1);
    let (_, threads) = text.split_once("culprit: fastlog\n").unwrap();
    threads.split("\n  Next: ").next().unwrap().to_owned()
}

#[test]
fn a_verdict_says_it_all_on_a_terminal() {
    let thread = Thread { name: "w".to_owned(), native_id: 7, ..crashed() };
    assert_eq!(
        text::verdict(&crash(vec![thread]), &verdict_of(&["first", "second"]), 1),
        "==================\nCRASH: ftsan: library-bug (medium confidence), SIGSEGV\n  first\n  culprit: fastlog\n\n  What shows it:\n    - second\n\n  \
         The crashing thread, thread 'w' (native id 7):\n    f in a.so\n    -- in Python:\n    /app/a.py:5 in g\n\n  \
         Next: upgrade\n  Signature: SIGSEGV | f | g\n==================\n"
    );
    let heading = |crash: &Crash, count| text::verdict(crash, &verdict_of(&["first"]), count).lines().nth(1).unwrap().to_owned();
    assert!(heading(&crash(vec![]), 2).ends_with("SIGSEGV, 2 times in this text"));
    assert!(heading(&crash(vec![]), 1).ends_with("SIGSEGV"));
    assert!(heading(&Crash::default(), 1).ends_with("unknown signal"));
    let hang = Crash { hang: true, ..crash(vec![]) };
    assert!(heading(&hang, 1).starts_with("HANG: ") && heading(&hang, 1).ends_with("the process lives"));
    assert!(!text::verdict(&crash(vec![]), &verdict_of(&["first"]), 1).contains("What shows it"));
}

#[test]
fn causes_and_confidences_are_written_as_in_json() {
    use Confidence::{High, Low, Medium};
    use CrashCause::{CrossThreadMisuse, ExtensionAssumesGil, InterpreterBug, LibraryBug, Unknown};
    for cause in [CrossThreadMisuse, ExtensionAssumesGil, InterpreterBug, LibraryBug, Unknown] {
        assert_eq!(serde_json::to_string(&cause).unwrap(), format!("\"{}\"", cause.as_str()));
    }
    for confidence in [High, Low, Medium] {
        assert_eq!(serde_json::to_string(&confidence).unwrap(), format!("\"{}\"", confidence.as_str()));
    }
}

#[test]
fn a_thread_is_called_by_all_that_is_known_of_it() {
    let heading = |name: &str, native_id| {
        let thread = Thread { name: name.to_owned(), native_id, ..crashed() };
        stacks(&crash(vec![thread]), &["first"]).lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(heading("", 0), "  The crashing thread:");
    assert_eq!(heading("w", 0), "  The crashing thread, thread 'w':");
    assert_eq!(heading("", 7), "  The crashing thread, thread 7:");
}

#[test]
fn a_stack_is_shown_as_far_as_it_is_known_and_not_too_long() {
    let shown = |native: Vec<NativeFrame>, python: Vec<Frame>, inside: &str| {
        let thread = Thread { native, python, inside: inside.to_owned(), ..crashed() };
        stacks(&crash(vec![thread]), &["first"]).replace("\n  The crashing thread:\n", "")
    };
    assert_eq!(shown(vec![native("", "")], vec![], ""), "    ? in ?\n");
    assert_eq!(shown(vec![], vec![python("g")], ""), "    /app/a.py:5 in g\n");
    assert_eq!(shown(vec![], vec![], "poll(fd 3)"), "    inside poll(fd 3)\n");
    let many = |count| shown(vec![], vec![python("g"); count], "");
    assert_eq!(many(8).lines().count(), 8);
    assert!(many(9).lines().count() == 9 && many(9).ends_with("    ... and 1 further out\n"), "{}", many(9));
    let many = shown(vec![native("a.so", "f"); 10], vec![], "");
    assert!(many.ends_with("    ... and 2 further out\n"), "{many}");
}

#[test]
fn other_threads_are_shown_where_they_were_asked_for_or_are_named() {
    let other = |native: Vec<NativeFrame>| Thread { name: "b".to_owned(), native, python: vec![python("h")], ..Thread::default() };
    let threads = || vec![crashed(), other(Vec::new())];
    let all = "\n  thread 'b':\n    /app/a.py:5 in h\n";
    let named = "\n  Meanwhile thread 'b':\n    /app/a.py:5 in h\n";
    assert!(stacks(&Crash { hang: true, ..crash(threads()) }, &["first"]).ends_with(all), "a process that hangs");
    assert!(stacks(&Crash { signal: "SIGQUIT".to_owned(), ..crash(threads()) }, &["first"]).ends_with(all), "one that was asked");
    let native = crash(vec![crashed(), other(vec![native("b.so", "i")])]);
    assert!(stacks(&native, &["first"]).ends_with("\n  thread 'b':\n    i in b.so\n    -- in Python:\n    /app/a.py:5 in h\n"));
    assert!(stacks(&crash(threads()), &["first", "thread 'b' was there"]).ends_with(named), "one that the evidence names");
    assert!(!stacks(&crash(threads()), &["first"]).contains("thread 'b'"));
}

/// Three crashes of two kinds.
fn three() -> [Crash; 3] {
    let of = |signal: &str| Crash { message: "one\ntwo".to_owned(), signal: signal.to_owned(), ..crash(vec![crashed()]) };
    [of("SIGSEGV"), of("SIGBUS"), of("SIGSEGV")]
}

#[test]
fn crashes_of_one_text_are_told_once_each() {
    let text = render_all(&three(), "text");
    assert!(text.starts_with("3 crashes in this text, 2 of them different\n=================="), "{text}");
    assert!(text.contains(", SIGSEGV, 2 times in this text\n") && text.contains(", SIGBUS\n"), "{text}");
    assert!(render(&three()[0], "text").starts_with("=================="), "one alone is not counted");
    assert!(render_all(&[three()[0].clone(), three()[0].clone()], "text").starts_with("=================="));
    let json: serde_json::Value = serde_json::from_str(&render_all(&three(), "json")).unwrap();
    assert_eq!(json["others"].as_array().map(Vec::len), Some(1));
    let markdown = render_all(&three(), "markdown");
    assert!(markdown.matches("## Crash\n").count() == 2 && markdown.contains("| said | `one; two` |"), "{markdown}");
}

#[test]
fn one_signature_of_two_causes_is_two_crashes() {
    let extension = Extension { name: "fastlog._core".to_owned(), ..Extension::default() };
    let module = native("/v/site-packages/fastlog/_core.cpython-314t-darwin.so", "f");
    let of = |gil: &str, declares| {
        let extension = Extension { declares_free_threading: Some(declares), ..extension.clone() };
        let mut crash = crash(vec![Thread { crashed: true, native: vec![module.clone()], ..Thread::default() }]);
        (crash.python.gil, crash.extensions) = (gil.to_owned(), vec![extension]);
        crash
    };
    assert!(render_all(&[of("disabled", false), of("disabled", true)], "text").starts_with("2 crashes in this text, 2 of them"));
    // Of a group, the verdict that is surest is told, whichever comes first.
    for pair in [[of("disabled", true), of("enabled", false)], [of("enabled", false), of("disabled", true)]] {
        let text = group(&pair.map(|crash| ("dump".to_owned(), crash)), "text");
        assert!(text.starts_with("2 crashes, 1 groups\n") && text.contains("library-bug (medium confidence)"), "{text}");
    }
}

#[test]
fn an_issue_shows_the_stacks_and_says_what_is_unknown() {
    let block = |thread: Thread| {
        let block = markdown::block(&crash(vec![thread]), &verdict_of(&["first"]));
        let (_, rest) = block.split_once("### Crashing thread").unwrap();
        rest.split("### Other threads").next().unwrap().to_owned()
    };
    let thread = Thread { name: "w|<`".to_owned(), inside: "poll(fd 3)".to_owned(), ..crashed() };
    assert_eq!(
        block(thread),
        ": thread 'w\\|\\<''\n\n```\nf+0x10 in /lib/a.so\n\ninside poll(fd 3)\nFile \"/app/a.py\", line 5 in g\n```\n\n"
    );
    let unknown = Thread { crashed: true, ..Thread::default() };
    assert_eq!(block(unknown), ": a thread without a name\n\n```\nnative stack: unknown\nPython stack: unknown\n```\n\n");
    let fence = Thread { native: vec![native("", "```")], python: vec![], ..crashed() };
    assert_eq!(block(fence), ": a thread without a name\n\n```\n'''+0x10 in unknown file\n\nPython stack: unknown\n```\n\n");
    let other = Thread { name: "b".to_owned(), python: vec![python("h")], ..Thread::default() };
    let block = markdown::block(&crash(vec![crashed(), other]), &verdict_of(&["first", "thread 'b' was there"]));
    assert!(block.contains("### Other thread: thread 'b'\n\n```\nFile \"/app/a.py\", line 5 in h\n```\n"), "{block}");
}

#[test]
fn the_command_in_an_issue_is_one_that_a_shell_takes() {
    let reproducer = |words: &[&str]| {
        let command = words.iter().map(|word| (*word).to_owned()).collect();
        let block = markdown::block(&Crash { command, ..crash(vec![]) }, &verdict_of(&["a<b|c"]));
        assert!(block.contains("\na\\<b\\|c\n"), "{block}");
        block.lines().find(|line| line.starts_with("| reproducer |")).unwrap().to_owned()
    };
    assert_eq!(reproducer(&["python3", "-X", "gil=0", "a.py"]), "| reproducer | `python3 -X gil=0 a.py` |");
    assert_eq!(reproducer(&["python3", "-c", "f(1)", "", "it's"]), "| reproducer | `python3 -c 'f(1)' '' 'it'\\''s'` |");
    assert_eq!(reproducer(&[]), "| reproducer | unknown |");
}

#[test]
fn modules_are_listed_with_what_is_known_of_them() {
    let of = |extension: Extension| {
        let block = markdown::block(&Crash { extensions: vec![extension], ..crash(vec![]) }, &verdict_of(&[]));
        block.lines().find(|line| line.starts_with("| fastlog._core")).unwrap().to_owned()
    };
    let extension = |version: &str, wheel: &str, declares| Extension {
        name: "fastlog._core".to_owned(),
        version: version.to_owned(),
        wheel: wheel.to_owned(),
        declares_free_threading: declares,
        ..Extension::default()
    };
    assert_eq!(of(extension("", "", None)), "| fastlog._core | unknown | unknown | unknown | unknown |");
    assert_eq!(of(extension("1", "cp314", Some(true))), "| fastlog._core | unknown | 1 | cp314 | yes |");
    let built = of(extension("1", "", Some(false)));
    assert_eq!(built, "| fastlog._core | unknown | 1 | no wheel: built from source, or unknown | no |");
}
