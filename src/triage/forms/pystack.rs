//! Reports of pystack, of a core file or a process: the most recent call comes last.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, MOST_FRAMES, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "pystack",
    looks_like: "\"Traceback for thread 123 (python) [...] (most recent call last):\", `(Python) File \"x.py\", line 5, in f`, `(C) File \"x.c\", line 5, in f (lib.so)`",
    signs: &["Traceback for thread "],
    read,
};

pattern!(ENTRY, r"(?:Traceback for thread \d+|\((?:Python|C)\) File )");
pattern!(THREAD, r"Traceback for thread (\d+)(?: \(([^)]*)\))?(.*)$");
pattern!(FRAME, r#"^\s*\((Python|C)\) File "([^"]*)", line (\d+), in (.+?)(?: \(([^()]*)\))?$"#);
pattern!(SIGNAL, r"died due (?:to )?receiving signal (SIG[A-Z]+)");
pattern!(FAULT, r"died due (?:to )?a? ?segmentation fault accessing address:? (0x[0-9a-fA-F]+)");
pattern!(SENDER, r"signal (SIG[A-Z]+) sent by pid (\d+)");

fn read(pasted: &[String]) -> Vec<Found> {
    if !pasted.iter().any(|line| THREAD.is_match(line)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut crash = Crash::default();
    let mut stacks = Stacks::default();
    let mut at = None;
    for (number, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        // How the process died is said before its stacks.
        if [&*SENDER, &*SIGNAL, &*FAULT].iter().any(|ends| ends.is_match(line))
            && let Some(at) = at.take()
        {
            found.push(finished(at, std::mem::take(&mut crash), std::mem::take(&mut stacks)));
        }
        if let Some(thread) = THREAD.captures(line) {
            at.get_or_insert(number);
            stacks.begin(Thread {
                name: thread.get(2).map_or("", |name| name.as_str()).to_owned(),
                native_id: thread[1].parse().unwrap_or(0),
                ..Thread::default()
            });
        } else if let Some(frame) = FRAME.captures(line).filter(|_| at.is_some()) {
            let thread = stacks.current();
            if &frame[1] == "Python" {
                if thread.python.len() < MOST_FRAMES {
                    thread.python.push(frames::python(&frame[2], &frame[3], &frame[4]));
                }
            } else if thread.native.len() < MOST_FRAMES {
                let source = if &frame[2] == "???" { "" } else { &frame[2] };
                thread.native.push(frames::native(frame.get(5).map_or("", |module| module.as_str()), &frame[4], 0, source));
            }
        } else if let Some(signal) = SENDER.captures(line) {
            signal[1].clone_into(&mut crash.signal);
            crash.sender = signal[2].parse().unwrap_or(0);
            crash.code = Some(0);
        } else if let Some(signal) = SIGNAL.captures(line) {
            signal[1].clone_into(&mut crash.signal);
        } else if let Some(fault) = FAULT.captures(line) {
            "SIGSEGV".clone_into(&mut crash.signal);
            crash.address = Some(frames::hex(&fault[1]));
        }
    }
    found.extend(at.map(|at| finished(at, crash, stacks)));
    found
}

fn finished(at: usize, mut crash: Crash, mut stacks: Stacks) -> Found {
    for thread in &mut stacks.threads {
        thread.python.reverse();
        thread.native.reverse();
    }
    stacks.finish(&mut crash);
    Found { at, crash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_frame_comes_first() {
        let text = "The process died due receiving signal SIGSEGV\nTraceback for thread 12 (python) [Has the GIL] (most recent call last):\n\
                    \x20   (C) File \"???\", line 0, in main (python3.14t)\n    (Python) File \"a.py\", line 9, in <module>\n        f()\n\
                    \x20   (Python) File \"a.py\", line 3, in f\n    (C) File \"x.c\", line 5, in boom (/v/x.so)\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        let thread = &crash.threads[0];
        assert_eq!((crash.signal.as_str(), thread.crashed, thread.native_id), ("SIGSEGV", true, 12));
        assert_eq!((thread.native[0].symbol.as_str(), thread.native[0].module.as_str()), ("boom", "/v/x.so"));
        assert_eq!(thread.python[0].function, "f");
    }

    #[test]
    fn a_file_that_is_not_known_is_none_and_so_many_frames_are_kept() {
        let thread = |line: &str, count: usize| {
            let text =
                format!("Traceback for thread 12 (python) [] (most recent call last):\n{}", format!("{line}\n").repeat(count));
            FORM.one(&text).threads.remove(0)
        };
        let of = |file: &str| thread(&format!("    (C) File \"{file}\", line 5, in f (/v/x.so)"), 1);
        assert_eq!((of("???").native[0].source.as_str(), of("x.c").native[0].source.as_str()), ("", "x.c"));
        assert_eq!(of("x.c").name, "python");
        let native = thread("    (C) File \"x.c\", line 5, in f (/v/x.so)", MOST_FRAMES + 2);
        assert_eq!((native.native.len(), native.python.len()), (MOST_FRAMES, 0));
        assert_eq!(thread("    (Python) File \"a.py\", line 5, in f", MOST_FRAMES + 2).python.len(), MOST_FRAMES);
    }
}
