//! Panics of Rust, as its standard library prints them, with a backtrace or without.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "a panic of Rust",
    looks_like: "`thread '<unnamed>' panicked at src/lib.rs:5:9:` and what it says, with \"stack backtrace:\" or without",
    signs: &["panicked at"],
    read,
};

pattern!(ENTRY, r"(?:thread '[^']*'(?: \(\d+\))? panicked at |stack backtrace:|\d+: +(?:0x[0-9a-f]+ - )?\S)");
// Until Rust 1.73 what it says came first.
pattern!(HEAD, r"thread '([^']*)'(?: \((\d+)\))? panicked at (?:'(.*)', )?(\S+\.rs):(\d+):\d+:?$");
pattern!(FRAME, r"^\s*(\d+): +(?:(0x[0-9a-f]+) - )?(\S.*)$");
pattern!(PLACE, r"^\s+at (\S+\.\w+):\d+(?::\d+)?$");
/// Words of a panic that cannot go on, and so ends the process.
const ENDS: [&str; 4] = [
    "thread caused non-unwinding panic. aborting.",
    "panicked while processing panic",
    "fatal runtime error",
    "panic in a function that cannot unwind",
];

fn read(pasted: &[String]) -> Vec<Found> {
    let lines = joined(before_entries(pasted, &ENTRY));
    let Some((at, head)) = lines.iter().enumerate().find_map(|(at, line)| Some((at, HEAD.captures(line)?))) else {
        return Vec::new();
    };
    let told = head.get(3).map(|told| told.as_str()).or_else(|| lines.get(at + 1).map(|line| line.trim()));
    let told = told.filter(|told| !told.is_empty() && !told.starts_with("note: ")).unwrap_or("it says nothing");
    let mut crash = Crash { message: format!("panicked at {}:{}: {told}", &head[4], &head[5]), ..Crash::default() };
    crash.message = crash.message.chars().take(300).collect();
    let mut stacks = Stacks::default();
    let mut in_backtrace = false;
    for line in lines.iter().skip(at + 1) {
        if ENDS.iter().any(|end| line.contains(end)) {
            "SIGABRT".clone_into(&mut crash.signal);
        }
        if line.contains("stack backtrace:") {
            // A second one is of the panic that ends the process because of the first.
            if !stacks.threads.is_empty() {
                break;
            }
            in_backtrace = true;
        } else if let Some(frame) = FRAME.captures(line).filter(|_| in_backtrace) {
            let number = frame[1].parse().unwrap_or(0);
            if stacks.restarts(number) {
                break;
            }
            if stacks.threads.is_empty() {
                stacks.begin(Thread { name: head[1].to_owned(), ..Thread::default() });
            }
            let address = frame.get(2).map_or(0, |address| frames::hex(address.as_str()));
            stacks.push(number, frames::native("", &frame[3], address, ""));
        } else if let (Some(place), Some(thread)) = (PLACE.captures(line), stacks.threads.last_mut())
            && let Some(frame) = thread.native.last_mut()
        {
            place[1].clone_into(&mut frame.source);
        }
    }
    stacks.finish(&mut crash);
    vec![Found { at, crash }]
}

/// Lines, the words of an old panic in one of them: `assert_eq!` says three lines between its quotes.
fn joined(mut lines: Vec<String>) -> Vec<String> {
    const MOST: usize = 4;
    let open = |line: &String| line.contains("panicked at '") && !HEAD.is_match(line);
    let Some(at) = lines.iter().position(open) else { return lines };
    for more in 1..=MOST {
        let Some(head) = lines.get(at..=at + more).map(|part| part.join(" ")) else { break };
        if HEAD.is_match(&head) {
            lines.splice(at..=at + more, std::iter::once(head).chain(vec![String::new(); more]));
            break;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_and_the_words_are_kept() {
        let new = FORM.one(
            "thread 'w' (12) panicked at /b/fastlog/src/lib.rs:7:9:\nindex out of bounds\nnote: run with `RUST_BACKTRACE=1`\n",
        );
        assert_eq!((new.message.as_str(), new.signal.as_str()), ("panicked at /b/fastlog/src/lib.rs:7: index out of bounds", ""));
        let old = FORM.one("[2024] thread '<unnamed>' panicked at 'no such key', src/lib.rs:7:9\n");
        assert_eq!(old.message, "panicked at src/lib.rs:7: no such key");
        let three = FORM.one("thread '<unnamed>' panicked at 'assertion failed: `(left == right)`\n  left: `0`,\n right: `1`', /b/fastlog/src/lib.rs:7:9\n");
        assert!(three.message.contains("/b/fastlog/src/lib.rs:7: assertion failed") && three.message.contains("right: `1`"));
    }

    #[test]
    fn the_first_backtrace_is_that_of_the_cause() {
        let crash = FORM.one(
            "thread '<unnamed>' panicked at src/lib.rs:7:9:\nno\nstack backtrace:\n   0:        0x1047 - core::panicking::panic_fmt::h81a9aa16593d72f2\n   \
             1:        0x1048 - fastlog::append::h81a9aa16593d72f2\n                               at /b/fastlog/src/lib.rs:7:9\n\n\
             thread '<unnamed>' panicked at library/core/src/panicking.rs:218:5:\npanic in a function that cannot unwind\nstack backtrace:\n   0: x::y\n\
             thread caused non-unwinding panic. aborting.\n",
        );
        let frames = &crash.threads[0].native;
        assert_eq!(
            (frames.len(), frames[1].symbol.as_str(), frames[1].source.as_str()),
            (2, "fastlog::append", "/b/fastlog/src/lib.rs")
        );
        assert_eq!(crash.signal, "SIGABRT");
    }

    #[test]
    fn talk_of_a_panic_is_none() {
        for line in ["it panicked at the sight", "1: 0x12 - f", "thread 'main' panicked at noon"] {
            assert!(read(&[line.to_owned()]).is_empty(), "{line}");
        }
    }

    #[test]
    fn the_thread_and_what_it_said_are_told() {
        let said = |text: &str| FORM.one(&format!("thread 'w' panicked at src/lib.rs:7:9:\n{text}")).message;
        assert_eq!(said("note: run with `RUST_BACKTRACE=1`\n"), "panicked at src/lib.rs:7: it says nothing");
        assert_eq!(said("\n"), "panicked at src/lib.rs:7: it says nothing");
        assert_eq!(said("no\nmore\n"), "panicked at src/lib.rs:7: no");
        assert_eq!(FORM.one("thread 'w' panicked at '', src/lib.rs:7:9\n").message, "panicked at src/lib.rs:7: it says nothing");
        let crash = FORM.one("thread 'w' panicked at src/lib.rs:7:9:\nno\nstack backtrace:\n   0: f\n   1: g\n   0: h\n");
        let thread = &crash.threads[0];
        assert_eq!((thread.name.as_str(), thread.crashed, thread.native.len()), ("w", true, 2));
    }

    #[test]
    fn words_that_stand_on_so_many_lines_are_one_head() {
        let lines = |count: usize| format!("before\nthread 'w' panicked at '{}x', src/lib.rs:7:9\nafter", "x\n".repeat(count));
        let found = |count: usize| joined(lines(count).lines().map(str::to_owned).collect());
        for count in 1..=4 {
            let all = found(count);
            assert_eq!(all.len(), count + 3, "each line keeps its place");
            assert!(
                HEAD.is_match(&all[1]) && all[2..=count + 1].iter().all(String::is_empty) && all[count + 2] == "after",
                "{all:?}"
            );
        }
        assert!(!HEAD.is_match(&found(5)[1]));
    }
}
