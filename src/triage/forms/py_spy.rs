//! `py-spy dump`, with `--native` or without.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, MOST_FRAMES, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "py-spy dump",
    looks_like: "`Thread 123 (idle): \"MainThread\"` with `wait (threading.py:359)` and, of native code, `f (lib.so)`",
    signs: &["(idle", "(active", "Python v3."],
    read,
};

pattern!(ENTRY, r#"(?:Thread (?:0x)?[0-9A-Fa-f]+ \((?:idle|active|active\+gil|idle\+gil)\)|Python v3\.)"#);
pattern!(THREAD, r#"^\s*Thread (0x[0-9A-Fa-f]+|\d+) \((idle|active|active\+gil|idle\+gil)\)(?:: "(.*)")?"#);
pattern!(FRAME, r"^\s+(\S.*?) \(([^()]+?)(?::(\d+))?\)$");
pattern!(VERSION, r"^\s*Python v(3\.\d+\S*)(?: \((\S+)\))?");

fn read(pasted: &[String]) -> Vec<Found> {
    if !pasted.iter().any(|line| THREAD.is_match(line) || ENTRY.is_match(line)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut crash = Crash::default();
    let mut stacks = Stacks::default();
    let mut at = None;
    for (number, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if let Some(thread) = THREAD.captures(line) {
            at.get_or_insert(number);
            let id = thread[1].strip_prefix("0x").map_or_else(|| thread[1].parse().unwrap_or(0), frames::hex);
            let name = thread.get(3).map_or("", |name| name.as_str()).to_owned();
            stacks.begin(Thread { name, native_id: id, ..Thread::default() });
        } else if let Some(version) = VERSION.captures(line) {
            // It stands before the stacks of each process.
            if let Some(at) = at.take() {
                found.push(finished(at, std::mem::take(&mut crash), std::mem::take(&mut stacks)));
            }
            version[1].clone_into(&mut crash.python.version);
            if let Some(path) = version.get(2) {
                path.as_str().clone_into(&mut crash.python.executable);
            }
        } else if let Some(frame) = FRAME.captures(line).filter(|_| at.is_some()) {
            let thread = stacks.current();
            let file = &frame[2];
            let line = frame.get(3).map_or("", |line| line.as_str());
            let is_python = file.ends_with(".py") || file.ends_with(".pyx") || file.starts_with('<');
            if is_python && thread.python.len() < MOST_FRAMES {
                thread.python.push(frames::python(file, line, &frame[1]));
            } else if !is_python && thread.native.len() < MOST_FRAMES {
                let (module, source) = if line.is_empty() { (file, "") } else { ("", file) };
                thread.native.push(frames::native(module, &frame[1], 0, source));
            }
        } else if line.trim().is_empty() || !line.starts_with(' ') {
            // Other text ends a stack; the lines that are indented behind it are none of it.
            if stacks.threads.last().is_some_and(|thread| !thread.python.is_empty() || !thread.native.is_empty()) {
                stacks.begin(Thread::default());
            }
        }
    }
    found.extend(at.map(|at| finished(at, crash, stacks)));
    found
}

fn finished(at: usize, mut crash: Crash, mut stacks: Stacks) -> Found {
    stacks.threads.retain(|thread| thread.native_id != 0);
    stacks.finish(&mut crash);
    Found { at, crash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_and_native_frames_are_told_apart() {
        let text = "Process 7: python app.py\nPython v3.14.2 (/usr/bin/python3.14)\n\nThread 7 (active+gil): \"MainThread\"\n\
                    \x20   boom (fastlog/_core.cpython-314t-x86_64-linux-gnu.so)\n    log (app/pool.py:12)\n    <module> (app/main.py:3)\n\
                    Thread 8 (idle): \"worker\"\n    wait (threading.py:359)\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.threads.len(), crash.python.version.as_str()), (2, "3.14.2"));
        assert_eq!((crash.threads[0].native.len(), crash.threads[0].python.len()), (1, 2));
        assert_eq!(crash.threads[0].python[0].line, 12);
    }

    #[test]
    fn what_is_between_the_stacks_is_none_of_them() {
        let threads = |text: &str| {
            let crash = FORM.one(text);
            let stack = |thread: &Thread| thread.python.iter().map(|frame| frame.function.clone()).collect::<Vec<_>>();
            crash.threads.iter().map(|thread| (thread.name.clone(), thread.native_id, stack(thread))).collect::<Vec<_>>()
        };
        let is = |name: &str, id, functions: &[&str]| {
            (name.to_owned(), id, functions.iter().map(|function| (*function).to_owned()).collect::<Vec<_>>())
        };
        let first = "Thread 0x1F (active): \"w\"\n    f (a.py:1)\n    g (b.pyx:2)\n    <module> (<string>:3)\n";
        let expected = is("w", 31, &["f", "g", "<module>"]);
        assert_eq!(threads(first), std::slice::from_ref(&expected));
        for text in ["\n", "other text\n"] {
            let all = threads(&format!("{first}{text}    h (c.py:4)\nThread 8 (idle)\n    i (d.py:5)\n"));
            assert_eq!(all, [expected.clone(), is("", 8, &["i"])], "{text}");
        }
        let deeper = threads(&format!("{first}      what is indented\n    h (c.py:4)\n"));
        assert_eq!(deeper, [is("w", 31, &["f", "g", "<module>", "h"])]);
        assert_eq!(threads("Thread 7 (idle)\n\n    f (a.py:1)\n"), [is("", 7, &["f"])], "a stack that has not begun");
        let native = FORM.one("Thread 7 (idle)\n    f (lib.so)\n\n    g (lib.so)\n").threads.remove(0).native;
        assert_eq!(native.len(), 1);
    }

    #[test]
    fn so_many_frames_are_kept() {
        let many = |line: &str| FORM.one(&format!("Thread 7 (idle)\n{}", line.repeat(MOST_FRAMES + 2))).threads.remove(0);
        assert_eq!(many("    f (a.py:1)\n").python.len(), MOST_FRAMES);
        let native = many("    f (lib.so)\n");
        assert_eq!((native.native.len(), native.python.len()), (MOST_FRAMES, 0));
        assert_eq!(many("    f (a.c:1)\n").native[0].source, "a.c");
    }
}
