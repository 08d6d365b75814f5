//! Lines of faulthandler as they were printed: prefixes of logs and quotes taken off, wrapped lines joined.
//!
//! A terminal breaks lines anywhere, a mail client at spaces.  So a line is joined to the one before it if that one holds an entry
//! that has begun and is not complete, or if both together make a phrase of a dump; never if it begins an entry itself.

use super::prefixes::without_prefix;

/// The beginnings of an entry of a dump, wherever they stand in a line.
pub(super) const STARTS: [&str; 23] = [
    FATAL,
    WINDOWS,
    C_STACK,
    CURRENT,
    THREAD,
    STACK,
    FILE,
    BINARY,
    EXTENSIONS,
    GIL,
    "<no Python frame>",
    "<invalid frame>",
    "<freed frame>",
    "<freed thread state>",
    "<truncated rest of calls>",
    "<system returned no stack trace>",
    "<cannot get C stack on this system>",
    "<tstate is freed>",
    "Garbage-collecting",
    "Python runtime state:",
    "Timeout (",
    "Traceback (most recent call last)",
    "File ???",
];

pub(super) const FATAL: &str = "Fatal Python error";
/// An exception of Windows, as faulthandler has it.
pub(super) const WINDOWS: &str = "Windows fatal exception: ";
pub(super) const C_STACK: &str = "Current thread's C stack trace (most recent call first)";
pub(super) const CURRENT: &str = "Current thread 0x";
pub(super) const THREAD: &str = "Thread 0x";
pub(super) const STACK: &str = "Stack (most recent call first)";
pub(super) const FILE: &str = "File \"";
pub(super) const BINARY: &str = "Binary file";
pub(super) const EXTENSIONS: &str = "Extension modules:";
pub(super) const GIL: &str = "<Cannot show all threads while the GIL is disabled>";

/// Those that stand at the beginning of a line as it was printed: all before one is the prefix of a log.
const AT_THE_LEFT: [&str; 7] = [FATAL, WINDOWS, C_STACK, CURRENT, THREAD, STACK, EXTENSIONS];

/// First bytes of the entries.
const BEGINNINGS: &[u8] = b"FCTSBE<GPW";

/// How much is looked at around the entries of a dump in a long log.
const AROUND: usize = 200;
/// An entry is not longer than this; a list of modules may be.
const LONGEST_ENTRY: usize = 4096;
const LONGEST_LIST: usize = 1 << 15;

/// The lines that were printed, as far as they can be told, each with the number of the pasted one that it begins in.
pub(super) fn printed(lines: &[String]) -> Vec<(usize, String)> {
    let marked: Vec<usize> = lines.iter().enumerate().filter(|(_, line)| first_start(line).is_some()).map(|(at, _)| at).collect();
    // A break may be inside the only one that there is.
    let region = match (marked.first(), marked.last()) {
        (Some(first), Some(last)) => first.saturating_sub(AROUND)..(last + AROUND).min(lines.len()),
        _ => 0..lines.len().min(AROUND),
    };
    let at_left = |line: &str| first_start(line).filter(|(_, start)| AT_THE_LEFT.contains(start)).map(|(at, _)| at);
    let first = region.start;
    let lines = without_prefix(lines.get(region).unwrap_or(&[]), at_left, |line| first_start(line).is_some());
    joined(&lines).into_iter().map(|(at, line)| (at + first, line)).collect()
}

/// Where the first entry of a line begins.
pub(super) fn first_start(line: &str) -> Option<(usize, &'static str)> {
    (0..line.len()).find_map(|at| start_at(line, at).map(|start| (at, start)))
}

/// Where the last one begins.
fn last_start(line: &str) -> Option<(usize, &'static str)> {
    (0..line.len()).rev().find_map(|at| start_at(line, at).map(|start| (at, start)))
}

/// The entry that begins at that byte.
fn start_at(line: &str, at: usize) -> Option<&'static str> {
    let rest = line.as_bytes().get(at..)?;
    // Most bytes begin nothing; lines may be long.
    rest.first().filter(|byte| BEGINNINGS.contains(byte))?;
    STARTS.into_iter().find(|start| rest.starts_with(start.as_bytes()))
}

fn joined(lines: &[String]) -> Vec<(usize, String)> {
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut last_length = 0;
    for (at, line) in lines.iter().enumerate() {
        let length = line.chars().count();
        match out.last_mut().and_then(|(_, current)| glue(current, line, last_length + 1 >= width).map(|glue| (current, glue))) {
            Some((current, glue)) => {
                // Spaces that a terminal or a quote added; a single one may be part of a path.
                if current.ends_with("  ") {
                    current.truncate(current.trim_end().len());
                }
                current.push_str(glue);
                current.push_str(if line.starts_with("  ") { line.trim_start() } else { line });
            }
            None => out.push((at, line.clone())),
        }
        last_length = length;
    }
    out
}

/// The text that goes between two lines that are one; `None` if they are not.
fn glue(current: &str, next: &str, full: bool) -> Option<&'static str> {
    let begun = next.trim_start();
    if begun.is_empty() || STARTS.iter().any(|start| begun.starts_with(start)) {
        return None;
    }
    if let Some(glue) = spans(current, next) {
        return Some(glue);
    }
    let (at, start) = last_start(current)?;
    let entry = current.get(at..).unwrap_or("");
    let open = match start {
        FILE => !is_complete_frame(entry) || (full && continues_name(next)),
        BINARY => entry.len() < LONGEST_ENTRY && !entry.contains(']'),
        CURRENT | THREAD => entry.len() < LONGEST_ENTRY && !entry.contains("first)"),
        EXTENSIONS => !entry.ends_with(')') && (full || entry.ends_with(',') || next.contains("(total")),
        _ => false,
    };
    (open && entry.len() < LONGEST_LIST).then_some("")
}

/// `File "path", line 5 in name`, or a line of a traceback, has its name; or it is too long to be an entry at all.
fn is_complete_frame(entry: &str) -> bool {
    let Some(rest) = entry.get(FILE.len()..).and_then(|rest| rest.split_once('"')).map(|(_, rest)| rest) else {
        return entry.len() >= LONGEST_ENTRY;
    };
    let rest = rest.trim_start_matches([',', ' ']);
    let rest = rest.strip_prefix("line").unwrap_or("").trim_start();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '?');
    let name = rest.trim_start_matches([',', ' ']).strip_prefix("in").unwrap_or("").trim();
    !name.is_empty() || entry.len() >= LONGEST_ENTRY
}

/// The rest of a function's name, alone or with the next entry behind it.
fn continues_name(next: &str) -> bool {
    let (name, rest) = next.split_once(' ').unwrap_or((next, ""));
    let rest = rest.trim_start();
    !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || "_<>.\\".contains(c))
        && (rest.is_empty() || STARTS.iter().any(|start| rest.starts_with(start)))
}

/// The glue if `current` ends with the beginning of a phrase and `next` goes on with it.
fn spans(current: &str, next: &str) -> Option<&'static str> {
    const LONGEST_PHRASE: usize = 64;
    let bytes = current.as_bytes();
    let tail = bytes.get(bytes.len().saturating_sub(LONGEST_PHRASE)..).unwrap_or(&[]);
    let begins =
        (0..tail.len()).filter_map(|at| tail.get(at..)).filter(|head| head.first().is_some_and(|byte| BEGINNINGS.contains(byte)));
    begins.into_iter().find_map(|head| {
        STARTS.iter().find_map(|phrase| {
            let rest = phrase.as_bytes().strip_prefix(head).filter(|rest| !rest.is_empty())?;
            if next.as_bytes().starts_with(rest) {
                return Some("");
            }
            // Broken at a space, which is lost.
            rest.strip_prefix(b" ").filter(|rest| next.as_bytes().starts_with(rest)).map(|_| " ")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        printed(&super::super::pasted::lines(text)).into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn prefixes_of_logs_and_quotes_are_taken_off() {
        let expected = ["Fatal Python error: Aborted", "", "Stack (most recent call first):", "  File \"a.py\", line 1 in f"];
        for prefix in ["> ", "worker-1  | ", "2026-01-01T00:00:00.123Z app[12]: ", ">> "] {
            let text: String = expected.iter().map(|line| format!("{prefix}{line}\n")).collect();
            assert_eq!(lines(&text), expected, "{prefix}");
        }
        let text = "1.5 Fatal Python error: Aborted\n10.25\n6.8 Stack (most recent call first):\n6.81   File \"a.py\", line 1 in f";
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn entries_that_are_not_complete_go_on() {
        assert_eq!(lines("  File \"/a/lo\nng.py\", li\nne 5 in\n f")[..], ["  File \"/a/long.py\", line 5 in f"]);
        assert_eq!(lines("  File \"a.py\", line 5 in _boot\nstrap\n")[..], ["  File \"a.py\", line 5 in _bootstrap"]);
        assert_eq!(
            lines("  Bina\nry file \"/x\", at f+0x\n1 [0x2]\nAborted")[..],
            ["  Binary file \"/x\", at f+0x1 [0x2]", "Aborted"]
        );
        assert_eq!(lines("  Binary\nfile \"/x\" [0x2]")[..], ["  Binary file \"/x\" [0x2]"]);
        assert_eq!(lines("Extension modules: a.b,\nc (total: 2)\nAborted")[..], ["Extension modules: a.b,c (total: 2)", "Aborted"]);
    }

    #[test]
    fn a_dump_far_down_in_a_log_is_found_in_its_place() {
        let mut log = vec![String::from("all is well"); 1000];
        log.insert(700, "Fatal Python error: Aborted".to_owned());
        let found: Vec<usize> = printed(&log).into_iter().filter(|(_, line)| line.contains("Fatal")).map(|(at, _)| at).collect();
        assert_eq!(found, [700]);
        assert_eq!(printed(&log)[0].0, 700 - AROUND);
        assert_eq!(printed(&log).len(), 2 * AROUND);
    }

    #[test]
    fn a_line_that_is_shorter_than_another_one_is_whole() {
        let longer = |by: usize, text: &str| {
            let width = text.lines().next().unwrap().len() + by;
            let all = lines(&format!("{text}\n{}", "x".repeat(width)));
            all.into_iter().filter(|line| !line.starts_with('x')).collect::<Vec<_>>()
        };
        let name = "  File \"a.py\", line 5 in _boot\nstrap";
        assert_eq!(longer(1, name), ["  File \"a.py\", line 5 in _bootstrap"], "a terminal does not break a wide character");
        assert_eq!(longer(2, name).len(), 2);
        assert_eq!(longer(9, "Extension modules: a.b,\nc.d").len(), 1, "but not a list that ends with a comma");
        assert_eq!(longer(9, "Extension modules: a.b\n(total: 1)").len(), 1, "nor one whose end comes");
        assert_eq!(longer(9, "Extension modules: a.b\nAborted").len(), 2);
    }

    #[test]
    fn what_is_complete_does_not_go_on() {
        for text in [
            "Thread 0x00007f01 (most recent call first):\nall is well",
            "Extension modules: a.b (total: 1)\nall is well",
            "Extension modules: a.b (total: 1)\nall (total",
            "  Binary file \"/x\", at f+0x1 [0x2]\nall is well",
            "  File \"a.py\", line 5 in f\nall is well",
            "  File \"a.py\", line 5 in f\na-b",
        ] {
            assert_eq!(lines(text).len(), 2, "{text}");
        }
        assert_eq!(lines("Thread 0x0000\n7f01 (most recent call\n first):")[..], ["Thread 0x00007f01 (most recent call first):"]);
        assert_eq!(lines("Current thread 0x0\n1 (most recent call first):")[..], ["Current thread 0x01 (most recent call first):"]);
    }

    #[test]
    fn an_entry_that_never_ends_is_none() {
        for (start, longest) in [
            ("  Binary file \"/x\", at ", LONGEST_ENTRY),
            ("Thread 0x", LONGEST_ENTRY),
            ("  File \"", LONGEST_ENTRY),
            ("Extension modules: a,", LONGEST_LIST),
        ] {
            let entry = start.trim_start();
            let of = |length: usize| format!("{}{},", start, "x".repeat(length - entry.len() - 1));
            assert_eq!(glue(&of(longest - 1), "more text", true), Some(""), "{start}");
            assert_eq!(glue(&of(longest), "more text", true), None, "{start}");
        }
    }

    #[test]
    fn other_text_stays_apart() {
        let text = "  File \"a.py\", line 5 in f\nAborted (core dumped)\nThread-5 (work)";
        assert_eq!(lines(text).len(), 3);
        assert_eq!(lines("nothing here")[..], ["nothing here"]);
    }
}
