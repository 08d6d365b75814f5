//! Dumps of faulthandler and of fatal errors, alone or in a larger text, as a [`Crash`].
//!
//! The forms are those of CPython 3.13 to 3.15 (`Modules/faulthandler.c`, `Python/traceback.c`, `Python/pylifecycle.c`).  Lines
//! that other threads print meanwhile are mixed into a dump, so it is read entry by entry, never by the order of its lines.

use super::super::crash::{Crash, Extension, NativeFrame, Thread};
use super::super::names::symbols;
use super::faulthandler_lines::{self as lines, BINARY, C_STACK, CURRENT, EXTENSIONS, FATAL, FILE, GIL, STACK, THREAD, WINDOWS};
use super::form::{Form, Found};
use super::said::{self, Said};
use crate::report::Frame;

/// Names that faulthandler gives to signals; every other fatal error aborts.
const SIGNALS: [(&str, &str); 5] = [
    ("Segmentation fault", "SIGSEGV"),
    ("Bus error", "SIGBUS"),
    ("Aborted", "SIGABRT"),
    ("Illegal instruction", "SIGILL"),
    ("Floating", "SIGFPE"),
];

const MOST_FRAMES: usize = 1000;
const MOST_THREADS: usize = 1000;
const MOST_EXTENSIONS: usize = 10_000;

/// The form.
pub(super) const FORM: Form = Form {
    name: "faulthandler",
    looks_like: "\"Fatal Python error: ...\" or \"Windows fatal exception: ...\" with `File \"x.py\", line 5 in f` and `Binary file \"lib.so\", at f+0x1 [0x2]`",
    signs: &[],
    read,
};

fn read(pasted: &[String]) -> Vec<Found> {
    let mut dumps = vec![(0, Dump::default())];
    for (at, line) in lines::printed(pasted) {
        let mut rest = line.as_str();
        while let Some((_, dump)) = dumps.last_mut() {
            match dump.line(rest) {
                Some(another) => {
                    rest = another;
                    dumps.push((at, Dump::default()));
                }
                None => break,
            }
        }
    }
    let found = dumps.into_iter().map(|(at, dump)| Found { at, crash: dump.finish() });
    // A sentence alone, such as "stack overflow", is no dump.
    let begun = |found: &Found| {
        let message = &found.crash.message;
        !found.crash.threads.is_empty()
            || ["Fatal Python error", "Windows fatal exception", "Timeout: "].iter().any(|start| message.contains(start))
    };
    found.filter(begun).collect()
}

/// A dump as it is being read.
#[derive(Default)]
struct Dump {
    crash: Crash,
    said: Said,
    /// A "Fatal Python error" was seen, so the next lines are of that dump.
    fatal: bool,
    gil_disabled: bool,
    all_threads: bool,
}

impl Dump {
    /// Takes what a line holds; returns the rest of it where another dump begins.
    fn line<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let mut rest = line;
        while let Some((at, start)) = lines::first_start(rest) {
            self.say(rest.get(..at).unwrap_or(""));
            let entry = rest.get(at + start.len()..).unwrap_or("");
            rest = match start {
                FATAL | WINDOWS => {
                    if self.fatal && self.crash.threads.iter().any(|thread| !thread.python.is_empty() || !thread.native.is_empty())
                    {
                        return rest.get(at..);
                    }
                    self.fatal_error(start, entry)
                }
                C_STACK => entry.trim_start_matches([':', ' ']),
                STACK => {
                    // Py_FatalError() shows one stack only where the GIL may be off (pylifecycle.c); faulthandler may be asked to.
                    if self.fatal
                        && self.crash.signal == "SIGABRT"
                        && !self.said.lines().any(|line| line.contains("error: Aborted"))
                    {
                        "free-threading build".clone_into(&mut self.crash.python.version);
                    }
                    self.thread(Thread { crashed: true, ..Thread::default() });
                    entry.trim_start_matches(':')
                }
                CURRENT => self.thread_header(entry, true),
                THREAD => self.thread_header(entry, false),
                FILE => self.python_frame(entry),
                BINARY => self.native_frame(entry),
                EXTENSIONS => self.extensions(entry),
                GIL => {
                    self.gil_disabled = true;
                    entry
                }
                "<no Python frame>" | "<invalid frame>" | "<freed frame>" | "<freed thread state>" | "<tstate is freed>" => {
                    self.push_python(Frame { function: start.to_owned(), ..Frame::default() });
                    entry
                }
                "File ???" => {
                    self.push_python(Frame { function: "<invalid frame>".to_owned(), ..Frame::default() });
                    entry
                }
                "Garbage-collecting" => {
                    self.said.keep(start);
                    entry
                }
                "Python runtime state:" if entry.trim_start().starts_with("finalizing") => {
                    self.said.keep(said::FINALIZING);
                    entry
                }
                "Timeout (" => {
                    if !self.fatal {
                        self.said.keep(said::TIMEOUT);
                    }
                    entry
                }
                "<truncated rest of calls>" => {
                    self.crash.threads.iter_mut().filter(|thread| thread.crashed).for_each(|thread| thread.cut = true);
                    entry
                }
                _ => entry,
            };
        }
        self.say(rest);
        None
    }

    /// Keeps other text if it tells something.
    fn say(&mut self, text: &str) {
        let text = text.trim();
        // The other half of a `File` that another thread printed into.
        if let Some(frame) = text.strip_prefix('"').filter(|rest| rest.contains("\", line ")) {
            self.python_frame(frame);
        }
        if said::LEFT_OUT.contains(&text)
            && let Some(thread) = self.crash.threads.last_mut()
        {
            thread.cut = true;
        }
        self.said.hear(text);
    }

    fn fatal_error<'a>(&mut self, start: &str, entry: &'a str) -> &'a str {
        // Stacks without a fatal error, printed before it, are not of the crash.
        if !self.fatal {
            self.crash.threads.clear();
        }
        self.fatal = true;
        let entry = entry.trim_start_matches([':', ' ']);
        let end = lines::first_start(entry).map_or(entry.len(), |(at, _)| at);
        let (message, rest) = entry.split_at_checked(end).unwrap_or((entry, ""));
        let message = message.split("   ").next().unwrap_or("").trim();
        if message.is_empty() {
            return rest;
        }
        self.said.keep(&format!("{}: {message}", start.trim_end_matches([':', ' '])));
        if start == WINDOWS {
            said::windows_signal(message).clone_into(&mut self.crash.signal);
            return rest;
        }
        // Anywhere in it: another thread may have printed into the line.
        let named = SIGNALS.iter().find(|(name, _)| message.contains(name)).map(|(_, signal)| *signal);
        if self.crash.signal.is_empty() || named.is_some() {
            named.unwrap_or("SIGABRT").clone_into(&mut self.crash.signal);
        }
        rest
    }

    fn thread(&mut self, thread: Thread) {
        if self.crash.threads.len() < MOST_THREADS {
            self.crash.threads.push(thread);
        }
    }

    fn thread_header<'a>(&mut self, entry: &'a str, crashed: bool) -> &'a str {
        // gdb has such words as well: "[New Thread 0x7ffff00010c0 (LWP 4712)]".
        let Some(end) = entry.find("first)") else { return entry };
        self.all_threads = true;
        let (header, rest) = entry.split_at_checked(end + "first)".len()).unwrap_or((entry, ""));
        let name = header.split_once('[').and_then(|(_, rest)| rest.rsplit_once(']')).map_or("", |(name, _)| name);
        self.thread(Thread { name: name.to_owned(), crashed, ..Thread::default() });
        rest.trim_start_matches(':')
    }

    /// The frame behind `File "`; the text behind it is returned.
    fn python_frame<'a>(&mut self, entry: &'a str) -> &'a str {
        let Some((file, rest)) = entry.split_once('"') else { return "" };
        let Some(after) = rest.trim_start_matches([',', ' ']).strip_prefix("line") else { return rest };
        let after = after.trim_start();
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at_checked(digits).unwrap_or((after, ""));
        // A traceback says `line 5, in f`: not a line of the dump.
        if after.starts_with(',') {
            return after;
        }
        let Some(after) = after.trim_start_matches([' ', '?']).strip_prefix("in") else { return after };
        let after = after.trim_start();
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (function, rest) = after.split_at_checked(end).unwrap_or((after, ""));
        if !function.is_empty() {
            self.push_python(Frame {
                file: file.to_owned(),
                line: number.parse().unwrap_or(0),
                function: function.to_owned(),
                ..Frame::default()
            });
        }
        rest
    }

    fn push_python(&mut self, frame: Frame) {
        if self.crash.threads.is_empty() {
            self.thread(Thread { crashed: true, ..Thread::default() });
        }
        if let Some(thread) = self.crash.threads.last_mut()
            && thread.python.len() < MOST_FRAMES
        {
            thread.python.push(frame);
        }
    }

    /// The frame behind `Binary file `.
    fn native_frame<'a>(&mut self, entry: &'a str) -> &'a str {
        let entry = entry.trim_start();
        let Some(quote) = entry.chars().next().filter(|c| matches!(c, '"' | '\'')) else { return entry };
        let Some((module, rest)) = entry.get(1..).unwrap_or("").split_once(quote) else { return "" };
        let next = lines::first_start(rest).map_or(rest.len(), |(at, _)| at);
        let end = rest.find(']').map_or(next, |at| (at + 1).min(next));
        let (place, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let place = place.trim_start_matches([',', ' ']);
        let (symbol, address) = place.split_once('[').unwrap_or((place, ""));
        let symbol = symbol.strip_prefix("at").unwrap_or("").trim();
        let (symbol, offset) = symbol.rsplit_once(['+', '-']).unwrap_or((symbol, ""));
        let number = |text: &str| u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok();
        let address = number(address.trim_end_matches(']'));
        // Without a symbol and an offset into the file only the address is left.
        let offset = if offset.is_empty() { address } else { number(offset) }.unwrap_or(0);
        let module = if module == "<unknown>" { "" } else { module };
        let symbol = symbols::readable(symbol);
        let frame = NativeFrame { module: module.to_owned(), symbol, offset, address, ..NativeFrame::default() };
        if !self.crash.threads.iter().any(|thread| thread.crashed) {
            self.thread(Thread { crashed: true, ..Thread::default() });
        }
        if let Some(thread) = self.crash.threads.iter_mut().find(|thread| thread.crashed)
            && thread.native.len() < MOST_FRAMES
        {
            thread.native.push(frame);
        }
        rest
    }

    fn extensions<'a>(&mut self, entry: &'a str) -> &'a str {
        let next = lines::first_start(entry).map_or(entry.len(), |(at, _)| at);
        let end = entry.find("(total").unwrap_or(next).min(next);
        let (list, rest) = entry.split_at_checked(end).unwrap_or((entry, ""));
        for name in list.split(',').map(str::trim) {
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.\\".contains(c));
            let is_new = self.crash.extensions.last().is_none_or(|known| known.name != name);
            if is_name && is_new && self.crash.extensions.len() < MOST_EXTENSIONS {
                self.crash.extensions.push(Extension { name: name.trim_end_matches('.').to_owned(), ..Extension::default() });
            }
        }
        rest
    }

    fn finish(self) -> Crash {
        let mut crash = self.crash;
        crash.message = self.said.text();
        crash.threads.sort_by_key(|thread| !thread.crashed);
        if self.gil_disabled {
            "disabled".clone_into(&mut crash.python.gil);
        } else if self.all_threads {
            // Only with the GIL does faulthandler show all threads; `describe` takes it back where the version does not tell so.
            "enabled".clone_into(&mut crash.python.gil);
        }
        crash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_could_not_be_read_keep_their_places() {
        let crash = FORM.one(
            "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f01 (most recent call first):\n  \
             File \"/app/a.py\", line 5 in f\n  File ???\n  <invalid frame>\n  File \"/app/b.py\", line 6 in g\n",
        );
        let functions: Vec<&str> = crash.threads[0].python.iter().map(|frame| frame.function.as_str()).collect();
        assert_eq!(functions, ["f", "<invalid frame>", "<invalid frame>", "g"]);
    }

    #[test]
    fn what_stands_between_the_stacks_is_kept() {
        let crash = FORM.one(
            "Fatal Python error: Segmentation fault\n\n<Cannot show all threads while the GIL is disabled>\n\
             Current thread 0x00007f01 (most recent call first):\n  Garbage-collecting\n  File \"/app/a.py\", line 5 in f\n",
        );
        assert_eq!((crash.python.gil.as_str(), crash.threads[0].python.len()), ("disabled", 1));
        assert!(crash.message.contains("Garbage-collecting"), "{}", crash.message);
    }

    fn found(text: &str) -> Vec<Crash> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        read(&lines).into_iter().map(|found| found.crash).collect()
    }

    #[test]
    fn stacks_a_fatal_error_or_a_timeout_make_a_dump() {
        let none = "it was a stack overflow\n";
        assert_eq!(found(none).len(), 0);
        assert_eq!(found("Fatal Python error: Aborted\n").len(), 1);
        assert_eq!(found("Timeout (0:00:05)!\n")[0].message, said::TIMEOUT);
        let stack = &found("  File \"/app/a.py\", line 5 in f\n")[0];
        assert!(stack.threads[0].crashed && stack.message.is_empty());
    }

    #[test]
    fn a_second_fatal_error_begins_a_dump_where_the_first_one_has_stacks() {
        let python = "  File \"/app/a.py\", line 5 in f\n";
        let native = "  Binary file \"/lib/a.so\", at f+0x10 [0x7f01]\n";
        let header = "Current thread 0x01 (most recent call first):\n";
        for (between, expected) in [("", 1), (header, 1), (python, 2), (native, 2)] {
            let text = format!("Fatal Python error: boom\n{between}Fatal Python error: Segmentation fault\n{python}");
            let signals: Vec<String> = found(&text).into_iter().map(|crash| crash.signal).collect();
            assert_eq!(signals.len(), expected, "{between}");
            assert_eq!(signals.last().map(String::as_str), Some("SIGSEGV"));
        }
        let earlier = found(&format!("{python}Fatal Python error: boom\n{header}  File \"/app/b.py\", line 6 in g\n"));
        assert_eq!((earlier.len(), earlier[0].threads.len()), (1, 1), "a stack before the error is not of the crash");
        let named = found("Fatal Python error: Segmentation fault\nFatal Python error: boom\n");
        assert_eq!(named[0].signal, "SIGSEGV", "an error that names no signal does not replace one that does");
        assert_eq!(found("Fatal Python error: boom\n")[0].signal, "SIGABRT");
    }

    #[test]
    fn one_stack_of_a_fatal_error_is_of_a_build_without_the_gil() {
        let version = |head: &str| {
            let crash = FORM.one(&format!("{head}Stack (most recent call first):\n  File \"/app/a.py\", line 5 in f\n"));
            crash.python.version
        };
        assert_eq!(version("Fatal Python error: boom\n"), "free-threading build");
        assert_eq!(version("Fatal Python error: Aborted\n"), "", "faulthandler may have been asked to");
        assert_eq!(version("Fatal Python error: Segmentation fault\n"), "");
        assert_eq!(version(""), "");
    }

    #[test]
    fn entries_that_run_into_one_line_are_told_apart() {
        let crash = FORM.one(
            "Fatal Python error: Segmentation faultThread 0x02 [w] (most recent call first):  File \"/app/b.py\", line 6 in g\n\
             Current thread 0x01 (most recent call first):  File \"/app/a.py\", line 5 in f\n\
             Current thread's C stack trace (most recent call first):  Binary file \"/lib/a.so\", at f+0x10 [0x7f01]*** stack smashing detected ***\n\
             \x20 Binary file \"<unknown>\" [0x7f02]\n",
        );
        assert_eq!(crash.message, "Fatal Python error: Segmentation fault\n*** stack smashing detected ***");
        let threads: Vec<(bool, &str, &str, u32)> = (crash.threads.iter())
            .map(|thread| (thread.crashed, thread.name.as_str(), thread.python[0].function.as_str(), thread.python[0].line))
            .collect();
        assert_eq!(threads, [(true, "", "f", 5), (false, "w", "g", 6)]);
        let frame = |module: &str, symbol: &str, offset, address| NativeFrame {
            module: module.to_owned(),
            symbol: symbol.to_owned(),
            offset,
            address: Some(address),
            ..NativeFrame::default()
        };
        assert_eq!(crash.threads[0].native, [frame("/lib/a.so", "f", 16, 0x7f01), frame("", "", 0x7f02, 0x7f02)]);
        assert_eq!(crash.threads[1].native, []);
    }

    #[test]
    fn frames_that_are_left_out_are_noticed() {
        let thread = |end: &str| {
            let head =
                "Fatal Python error: Aborted\n\nCurrent thread 0x01 (most recent call first):\n  File \"/app/a.py\", line 5 in f\n";
            FORM.one(&format!("{head}{end}\n")).threads.remove(0)
        };
        for end in ["  <truncated rest of calls>", "  ..."] {
            assert!(thread(end).cut, "{end}");
        }
        assert!(!thread("").cut);
    }

    #[test]
    fn an_interpreter_that_ends_is_told_from_one_that_begins() {
        let message = |state: &str| FORM.one(&format!("Fatal Python error: boom\nPython runtime state: {state}\n")).message;
        assert_eq!(message("finalizing (tstate=0x01)"), format!("Fatal Python error: boom\n{}", said::FINALIZING));
        assert_eq!(message("preinitialized"), "Fatal Python error: boom");
    }

    #[test]
    fn so_many_threads_frames_and_modules_are_kept() {
        let many = |line: &str, count: usize| format!("Fatal Python error: Aborted\n{}", line.repeat(count));
        let threads = FORM.one(&many("Thread 0x02 (most recent call first):\n", MOST_THREADS + 2)).threads;
        assert_eq!(threads.len(), MOST_THREADS);
        let python = FORM.one(&many("  File \"/app/a.py\", line 5 in f\n", MOST_FRAMES + 2)).threads.remove(0).python;
        assert_eq!(python.len(), MOST_FRAMES);
        let native = FORM.one(&many("  Binary file \"/lib/a.so\", at f+0x10 [0x7f01]\n", MOST_FRAMES + 2)).threads.remove(0).native;
        assert_eq!(native.len(), MOST_FRAMES);
        let names: Vec<String> = (0..MOST_EXTENSIONS + 2).map(|number| format!("m{number}")).collect();
        let extensions = FORM.one(&many(&format!("Extension modules: {}\n", names.join(", ")), 1)).extensions;
        assert_eq!(extensions.len(), MOST_EXTENSIONS);
    }

    #[test]
    fn extensions_are_named_once_and_only_names_are_taken() {
        let crash = FORM.one(
            "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f01 (most recent call first):\n  File \"/app/a.py\", line 5 in f\n\n\
             Extension modules: yarl._quoting, yarl._quoting, not a name, _cffi_backend (total: 3)\n",
        );
        let names: Vec<&str> = crash.extensions.iter().map(|extension| extension.name.as_str()).collect();
        assert_eq!(names, ["yarl._quoting", "_cffi_backend"]);
    }
}
