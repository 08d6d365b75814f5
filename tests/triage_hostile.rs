//! Hostile text: dumps with pieces of other dumps, repeated, cut and doubled lines.  No form panics, takes long, or passes on what a terminal
//! obeys.  The seeds are fixed; `make fuzz` looks further.

use ftsan::triage::{from_json, read, render, render_all};
use std::fs;
use std::path::Path;

/// A generator of numbers that are always the same (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit as u64).max(1)).unwrap()
    }
}

fn dumps() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crashes");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    paths.sort();
    paths.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Pieces that parsers look for, and what terminals obey.
const PIECES: [&str; 36] = [
    "\u{1b}[31m",
    "\u{1b}]0;x\u{7}",
    "\u{9b}2J",
    "\u{202e}",
    "\0",
    "#0  0x",
    "frame #1: 0x",
    "==1==    at 0x",
    "Thread 1 Crashed:",
    "{\"threads\":",
    "(",
    ")",
    "\"",
    "`",
    "File \"",
    "Binary file \"",
    " + 0x",
    "#012",
    "\\n",
    "Fatal Python error: ",
    "_ZN",
    "Exception Type: ",
    "18446744073709551616",
    "ä\u{1F600}",
    "*** backtrace of 1 ***\n",
    "a.so(f+0x1) [0x1]\n",
    "Crash reason:  SIGSEGV\nThread 0 (crashed)\n 0  a.dll!f + 0x1\n",
    "{\"imageOffset\":1,\"symbol\":\"",
    "\"},{\"imageOffset\":",
    "SUMMARY: AddressSanitizer: heap-use-after-free x.c:1 in ",
    "Segmentation fault (core dumped)",
    "exit code 139",
    "Assertion failed: (",
    "\u{9b}31m\u{85}\u{2028}",
    "libx.dylib   f\u{1b}]8;;http://x\u{7}",
    "Process 1 (\u{1b}[2J) of user 1 dumped core",
];

fn obeyed(text: &str) -> Option<char> {
    text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

fn try_all(text: &str) {
    if let Ok(crashes) = read(text) {
        for format in ["text", "markdown", "json"] {
            let out = render_all(&crashes, format);
            assert_eq!(obeyed(&out), None, "{format}:\n{text:?}");
        }
    } else {
        let error = read(text).unwrap_err();
        assert!(!error.contains('\n') && obeyed(&error).is_none());
    }
}

#[test]
fn mixed_cut_and_broken_dumps_are_read_without_harm() {
    let dumps = dumps();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..600 {
        let mut text = dumps[numbers.below(dumps.len())].clone();
        for _ in 0..=numbers.below(6) {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let at = places.get(numbers.below(places.len())).copied().unwrap_or(0);
            match numbers.below(5) {
                0 => text.insert_str(at, PIECES[numbers.below(PIECES.len())]),
                1 => text.truncate(at),
                2 => text.replace_range(..at, ""),
                3 => {
                    let other = &dumps[numbers.below(dumps.len())];
                    text.insert_str(at, other);
                }
                _ => {
                    let lines: Vec<&str> = text.lines().collect();
                    let line = lines.get(numbers.below(lines.len())).copied().unwrap_or("").to_owned();
                    text = format!("{text}\n{}", format!("{line}\n").repeat(numbers.below(9)));
                }
            }
        }
        try_all(&text);
    }
}

#[test]
fn a_folder_with_any_strings_is_rendered_without_harm() {
    let seed = include_str!("fuzz/seeds/crash_json/two_writers.json");
    for piece in PIECES {
        let text = seed.replace("heartbeat", serde_json::to_string(piece).unwrap().trim_matches('"'));
        let Ok(crash) = from_json(&text) else { continue };
        for format in ["text", "markdown", "json"] {
            assert_eq!(obeyed(&render(&crash, format)), None, "{piece:?}");
        }
    }
}

/// A line that is joined, or searched, again and again takes minutes with these.
#[test]
fn long_texts_are_read_in_one_go() {
    let long = |line: &str| line.repeat(4_000);
    let nested = format!("#0  0x1 in f{} () from a.so\n", "<".repeat(20_000));
    for text in [
        long("#0  0x1 in f (a=1,\n"),
        long("  File \"a.py\", li\n"),
        long("frame #0: 0x1 a`b\n"),
        long("==1==    at 0x1: f (in a)\n"),
        long("Thread 1 Crashed:\n0   a   0x100000000 f + 1\n"),
        long("*** backtrace of 1 ***\na.so(f+0x1) [0x1]\n"),
        long("Crash reason:  SIGSEGV\n 0  a.dll!f + 0x1\n"),
        long("{\"imageOffset\":1,\"imageIndex\":0},"),
        long("Segmentation fault (core dumped)\n"),
        "{\"imageOffset\"".repeat(5_000),
        "(".repeat(60_000),
        "{\"log\":".repeat(3_000),
        nested,
        format!("Binary file \"x\", at _Z{}+0x1 [0x2]\n", "N1a".repeat(3_000)),
        format!("Binary file \"x\", at _R{}+0x1 [0x2]\n", "INtC1aC1b".repeat(1_000)),
    ] {
        try_all(&text);
    }
}
