//! Dumps of `tests/crashes` and what triage must say of them, however they were pasted; seeds of the fuzzer.

use ftsan::triage::crash::{Crash, Thread};
use ftsan::triage::judge::verdict::Confidence;
use ftsan::triage::{from_json, questions, read, render, render_all};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The only crash of a text.
fn one(text: &str) -> Crash {
    let mut crashes = read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(crashes.len(), 1, "{text}");
    crashes.remove(0)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn dumps() -> Vec<(String, String)> {
    let texts = files(&root().join("tests/crashes")).into_iter().filter(|path| path.extension().is_some_and(|end| end == "txt"));
    texts.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())).collect()
}

/// The parts that must not depend on how a dump was pasted.
fn told(crash: &Crash) -> (String, Vec<Thread>, Vec<String>) {
    (crash.signal.clone(), crash.threads.clone(), crash.extensions.iter().map(|extension| extension.name.clone()).collect())
}

fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let characters: Vec<char> = line.chars().collect();
        for piece in characters.chunks(width) {
            out.extend(piece);
            out.push('\n');
        }
        if characters.is_empty() {
            out.push('\n');
        }
    }
    out
}

/// As a mail client does it: at spaces, which are lost.
fn wrapped_at_spaces(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut length = 0;
        for word in line.split_inclusive(' ') {
            if length > 2 && length + word.trim_end().len() > width {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                length = 0;
            }
            out.push_str(word);
            length += word.len();
        }
        out.push('\n');
    }
    out
}

/// Lines that other threads or the interpreter itself printed into, or that somebody shortened: the same text means something else when it is wrapped.
const MIXED: [&str; 3] = ["coroutine_lines_mixed.txt", "debug_allocator.txt", "stack_shortened.txt"];

/// Those of faulthandler alone: `tests/triage_forms.rs` has the other forms.
fn of_faulthandler() -> Vec<(String, String)> {
    let mut dumps = dumps();
    dumps.retain(|(_, text)| text.contains("\nStack (most recent") || text.contains("\nCurrent thread 0x"));
    dumps.retain(|(_, text)| !text.contains("stack backtrace:"));
    dumps
}

#[test]
fn every_dump_has_its_verdict() {
    let table = fs::read_to_string(root().join("tests/crashes/expected.tsv")).unwrap();
    let expected: Vec<Vec<&str>> = table.lines().skip(1).map(|row| row.split('\t').collect()).collect();
    let dumps = dumps();
    let listed: Vec<&str> = expected.iter().map(|row| row[0]).collect();
    assert_eq!(listed, dumps.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    for ((name, text), row) in dumps.iter().zip(&expected) {
        let verdict = questions::of(&read(text).unwrap()[0]);
        let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let culprit = or_none(&verdict.culprit);
        let issue = or_none(&verdict.known_issue);
        let got = [name, verdict.verdict.as_str(), verdict.confidence.as_str(), &culprit, &issue, &verdict.signature];
        assert_eq!(got[..], row[..], "{:#?}", verdict.evidence);
    }
}

/// Compared with `triage_told.txt` (`make bless` writes it): a word that changes is seen in a review.  As a block for an issue, the first of
/// each verdict.
#[test]
fn every_dump_is_told_as_it_was() {
    let path = root().join("tests/triage_told.txt");
    let mut verdicts = BTreeSet::new();
    let mut told = String::new();
    for (name, text) in dumps() {
        let crashes = read(&text).unwrap();
        told += &format!("\n{name}\n{}", render_all(&crashes, "text"));
        if verdicts.insert(questions::of(&crashes[0]).verdict.as_str()) {
            told += &render_all(&crashes, "markdown");
        }
    }
    let told = told.replace(&format!("Triaged by ftsan {}.", ftsan::VERSION), "Triaged by ftsan.");
    if std::env::var_os("FTSAN_BLESS").is_some() {
        fs::write(&path, &told).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    let differing = told.lines().zip(before.lines()).find(|(now, before)| now != before);
    assert_eq!(differing, None, "(now, before; make bless)");
    assert_eq!(told.len(), before.len(), "make bless");
}

/// Of verdicts that are the same whatever is said beside them.
#[test]
fn the_answer_says_whose_the_frames_are_and_what_happened() {
    for (name, part) in [
        ("apple_old_interpreter.txt", "it died in the interpreter (_PyEval_EvalFrameDefault)"),
        ("block_of_another_allocator.txt", "a block of memory of one allocator was given back to another one"),
        ("cython_without_module.txt", "called by the extension module fastlog.ring ("),
        ("dataloader_worker.txt", "nothing but its end is known"),
        ("debug_allocator.txt", "the interpreter's allocator for debugging found it"),
        ("faulthandler_itself.txt", "faulthandler died while it printed"),
        ("hang_in_a_lock.txt", "it did not crash, as far as the text says"),
        ("kernel_segfault.txt", "upgrade the package that has the module _core"),
        ("library_called_by_cython.txt", "it died in the library libuv, called by the extension module fastlog.pipe ("),
        ("library_of_a_wheel.txt", "fastlog brings that library along"),
        ("qthread_destroyed.txt", "a QThread object was destroyed while its thread still ran"),
        ("returned_while_finalizing.txt", "came back to the interpreter while that was ending"),
        ("rust_object_of_another_thread.txt", "an object that one thread must keep to itself"),
        ("rust_panic.txt", "it panicked at /home/u/fastlog/src/ring.rs:258: the writer is gone"),
        ("source_of_nobody.txt", "(./glue/fastlog.c), which is neither CPython's nor libc's"),
        ("tsan_freed_by_extension.txt", "it was found inside the extension module _core"),
    ] {
        let text = fs::read_to_string(root().join("tests/crashes").join(name)).unwrap();
        let crashes = read(&text).unwrap();
        let verdict = questions::of(&crashes[0]);
        let told = verdict.evidence.iter().chain([&verdict.next_step]);
        assert!(told.clone().any(|line| line.contains(part)), "{name}: {:#?}", told.collect::<Vec<_>>());
    }
}

#[test]
fn a_known_version_makes_sure_or_rules_out() {
    for (name, affected, repaired) in [
        ("greenlet_331_wheel.txt", "greenlet==3.3.1", "greenlet==3.5.6"),
        ("greenlet_critical_section_macos.txt", "greenlet==3.3.1", "greenlet==3.5.6"),
        ("multidict_update.txt", "multidict==6.7.0", "multidict==7.1.0"),
        ("apple_arrow.txt", "pyarrow==25.0.0", "pyarrow==26.0.0"),
        ("lldb_repeat.txt", "numpy==2.2.0", "numpy==2.2.3"),
    ] {
        let text = fs::read_to_string(root().join("tests/crashes").join(name)).unwrap();
        let of = |package: &str| questions::of(&one(&format!("{text}\n\n{package}\n")));
        let (unknown, known, other) = (questions::of(&one(&text)), of(affected), of(repaired));
        assert!(unknown.confidence < Confidence::High && known.confidence == Confidence::High, "{name}: {unknown:?} {known:?}");
        assert_eq!(unknown.known_issue, known.known_issue, "{name}");
        let blamed = other.culprit.is_some() && other.confidence > Confidence::Low;
        assert!(other.known_issue.is_none() && !blamed, "{name}: {other:?}");
    }
}

#[test]
fn the_corpus_gets_the_verdicts_of_its_ground_truth() {
    let folder = root().join("../shared/corpus/crashes");
    let folder = if folder.exists() { folder } else { PathBuf::from("/work/shared/corpus/crashes") };
    let Ok(table) = fs::read_to_string(folder.join("GROUND_TRUTH.tsv")) else {
        eprintln!("skipped: there is no corpus at {}", folder.display());
        return;
    };
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let (file, signal, owner) = (cells[0], cells[1], cells[5]);
        let crash = one(&fs::read_to_string(folder.join(file)).unwrap());
        let verdict = questions::of(&crash);
        assert_eq!(crash.signal, format!("SIG{signal}"), "{file}");
        let kinds: &[&str] = match owner {
            owner if owner.contains("CPython") => &["interpreter-bug", "cross-thread-misuse"],
            owner if owner.starts_with("user") => &["cross-thread-misuse"],
            owner if owner.starts_with("library") => &["library-bug"],
            other => panic!("{file}: {other}"),
        };
        assert!(kinds.contains(&verdict.verdict.as_str()), "{file}: {verdict:#?}");
        for issue in ["gh-120321", "greenlet#513"] {
            assert_eq!(owner.contains(issue), verdict.known_issue.as_deref() == Some(issue), "{file}");
        }
    }
}

#[test]
fn wrapping_changes_nothing() {
    for (name, text) in of_faulthandler().iter().filter(|(name, _)| !MIXED.contains(&name.as_str())) {
        let clean = told(&one(text));
        for width in [60, 79, 80, 100, 132] {
            let read = |text: &str| told(&one(text));
            assert_eq!(read(&wrapped(text, width)), clean, "{name}, {width} columns:\n{}", wrapped(text, width));
            assert_eq!(
                read(&wrapped_at_spaces(text, width)),
                clean,
                "{name}, words in {width}:\n{}",
                wrapped_at_spaces(text, width)
            );
            let quoted: String = wrapped(text, width).lines().map(|line| format!("> {line}\n")).collect();
            assert_eq!(read(&quoted), clean, "{name}, quoted, {width} columns");
        }
    }
}

#[test]
fn quotes_prefixes_fences_and_line_ends_change_nothing() {
    for (name, text) in &of_faulthandler() {
        let clean = told(&one(text));
        let each =
            |make: &dyn Fn(usize, &str) -> String| text.lines().enumerate().map(|(at, line)| make(at, line)).collect::<String>();
        let pastes = [
            ("quoted", each(&|_, line| format!("> {line}\n"))),
            ("quoted twice", each(&|_, line| format!("> > {line}\n"))),
            ("quoted, trimmed", each(&|_, line| format!("{}\n", format!("> {line}").trim_end()))),
            ("compose", each(&|_, line| format!("worker-1  | {line}\n"))),
            ("stamped", each(&|at, line| format!("2026-02-03T04:05:{at:02}.{}Z [stderr] {line}\n", at * 37))),
            ("journal", each(&|at, line| format!("Feb 03 04:05:06 host app[{}]: {line}\n", 1000 + at % 3))),
            ("carriage returns", each(&|_, line| format!("{line}\r\n"))),
            ("coloured", each(&|_, line| format!("\u{1b}[31m{line}\u{1b}[0m\n"))),
            ("fenced", format!("It crashes:\n\n```text\n{text}```\n\nAny idea?\n")),
            ("in a log", format!("INFO starting\nINFO 12 workers\n{text}INFO restarting\nAborted (core dumped)\n")),
            ("indented", each(&|_, line| format!("    {line}\n"))),
        ];
        for (how, paste) in pastes {
            assert_eq!(told(&one(&paste)), clean, "{name}, {how}");
        }
    }
}

#[test]
fn merged_lines_are_read_entry_by_entry() {
    for (name, text) in of_faulthandler().iter().filter(|(name, _)| !MIXED.contains(&name.as_str())) {
        let clean = told(&one(text));
        for glue in [" ", "        "] {
            let merged = text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(glue);
            assert_eq!(told(&one(&merged)), clean, "{name}");
        }
    }
}

#[test]
fn a_dump_that_is_cut_anywhere_gives_less_and_never_panics() {
    let cut_anywhere = |text: &str| {
        let step = if text.len() < 700 { 1 } else { text.len() / 120 };
        for at in (0..text.len()).step_by(step).filter(|at| text.is_char_boundary(*at)) {
            for part in [&text[..at], &text[at..]] {
                for crash in read(part).unwrap_or_default() {
                    questions::of(&crash);
                }
            }
        }
    };
    // A minute and a half of one core.
    let dumps = dumps();
    let parts = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in dumps.chunks(dumps.len().div_ceil(parts)) {
            scope.spawn(move || part.iter().for_each(|(_, text)| cut_anywhere(text)));
        }
    });
}

#[test]
fn a_text_without_a_dump_is_refused_in_one_line() {
    for text in
        ["", "\n \n", "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 1\n", "INFO all is well"]
    {
        let error = read(text).unwrap_err();
        assert!(error.starts_with("no crash dump found") && !error.contains('\n'), "{error}");
    }
    assert!(!from_json("{").unwrap_err().contains('\n'));
}

#[test]
fn seeds_of_the_fuzzer_are_read_and_rendered() {
    let mut seen = 0;
    for (folder, json) in [("dump", false), ("crash_json", true)] {
        for path in files(&root().join("tests/fuzz/seeds").join(folder)) {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let crashes = if json { from_json(&text).map(|crash| vec![crash]) } else { read(&text) };
            for crash in crashes.unwrap_or_default() {
                for format in ["text", "markdown", "json"] {
                    assert!(!render(&crash, format).is_empty());
                }
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "{seen}");
}
