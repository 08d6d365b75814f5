//! Dumps of faulthandler and of fatal errors, alone or in a larger text, as a [`Crash`].
//!
//! The forms are those of CPython 3.13 to 3.15 (`Modules/faulthandler.c`, `Python/traceback.c`, `Python/pylifecycle.c`).  What
//! other threads print meanwhile is mixed into a dump, so it is read entry by entry, never by the order of its lines.

use super::by_stacks::HEAP;
use super::crash::{Crash, Extension, NativeFrame, Thread};
use super::lines::{self, BINARY, C_STACK, CURRENT, EXTENSIONS, FATAL, FILE, GIL, STACK, THREAD};
use super::paths;
use crate::report::Frame;

/// Names that faulthandler gives to signals; every other fatal error aborts.
const SIGNALS: [(&str, &str); 5] = [
    ("Segmentation fault", "SIGSEGV"),
    ("Bus error", "SIGBUS"),
    ("Aborted", "SIGABRT"),
    ("Illegal instruction", "SIGILL"),
    ("Floating", "SIGFPE"),
];

/// What is worth keeping of the text around a dump, beside [`HEAP`]: how C++, Rust and assertions die, and exceptions that correct use of
/// a generator cannot raise.
const TELLING: [&str; 17] = [
    "stack smashing detected",
    "Assertion failed:",
    "Assertion `",
    "terminate called",
    "pure virtual method called",
    "panicked at",
    "unlocking mutex",
    "object is not an iterator",
    "generator already executing",
    "generator is already running",
    "cannot reuse already awaited",
    "coroutine is being awaited already",
    "SystemError: ",
    "unknown opcode",
    "Executing a cache",
    "negative refcount",
    "stack overflow",
];

const MOST_SAID: usize = 12;
const LONGEST_SAID: usize = 300;
const MOST_FRAMES: usize = 1000;
const MOST_THREADS: usize = 1000;
const MOST_EXTENSIONS: usize = 10_000;

/// The first dump of a text; the error is one line for the user.
pub fn read(text: &str) -> Result<Crash, String> {
    let mut dump = Dump::default();
    for line in lines::printed(text) {
        if dump.line(&line).is_break() {
            break;
        }
    }
    let mut crash = dump.finish();
    if crash.threads.is_empty() && crash.message.is_empty() {
        return Err(missing(text));
    }
    describe(&mut crash);
    Ok(crash)
}

fn missing(text: &str) -> String {
    let what = if text.trim().is_empty() { "it is empty" } else { "no \"Fatal Python error\", no stack of faulthandler" };
    format!("no crash dump found: {what} (PYTHONFAULTHANDLER=1 makes the interpreter print one)")
}

/// A dump as it is being read.
#[derive(Default)]
struct Dump {
    crash: Crash,
    said: Vec<String>,
    /// A "Fatal Python error" was seen, so what comes is of that dump.
    fatal: bool,
    gil_disabled: bool,
    all_threads: bool,
}

impl Dump {
    /// Takes what a line holds; breaks where another dump begins.
    fn line(&mut self, line: &str) -> std::ops::ControlFlow<()> {
        let mut rest = line;
        while let Some((at, start)) = lines::first_start(rest) {
            self.say(rest.get(..at).unwrap_or(""));
            let entry = rest.get(at + start.len()..).unwrap_or("");
            rest = match start {
                FATAL => {
                    if self.fatal && self.crash.threads.iter().any(|thread| !thread.python.is_empty() || !thread.native.is_empty())
                    {
                        return std::ops::ControlFlow::Break(());
                    }
                    self.fatal_error(entry)
                }
                C_STACK => entry.trim_start_matches([':', ' ']),
                STACK => {
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
                    self.push_python(Frame { file: String::new(), line: 0, function: start.to_owned(), via: None });
                    entry
                }
                "File ???" => {
                    self.push_python(Frame { file: String::new(), line: 0, function: "<invalid frame>".to_owned(), via: None });
                    entry
                }
                "Garbage-collecting" => {
                    self.keep(start);
                    entry
                }
                "Timeout (" => {
                    if !self.fatal && self.said.is_empty() {
                        self.keep(
                            "Timeout: faulthandler.dump_traceback_later() printed the stacks of a program that did not go on",
                        );
                    }
                    entry
                }
                _ => entry,
            };
        }
        self.say(rest);
        std::ops::ControlFlow::Continue(())
    }

    /// Keeps other text if it tells something.
    fn say(&mut self, text: &str) {
        let text = text.trim();
        // The other half of a `File` that another thread printed into.
        if let Some(frame) = text.strip_prefix('"').filter(|rest| rest.contains("\", line ")) {
            self.python_frame(frame);
        }
        if TELLING.iter().chain(&HEAP).any(|telling| text.contains(telling)) {
            self.keep(text);
        }
    }

    fn keep(&mut self, text: &str) {
        let text: String = text.chars().take(LONGEST_SAID).collect();
        if self.said.len() < MOST_SAID && !self.said.contains(&text) {
            self.said.push(text);
        }
    }

    fn fatal_error<'a>(&mut self, entry: &'a str) -> &'a str {
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
        self.keep(&format!("{FATAL}: {message}"));
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
        self.all_threads = true;
        let end = entry.find("first)").map_or(entry.len(), |at| at + "first)".len());
        let (header, rest) = entry.split_at_checked(end).unwrap_or((entry, ""));
        let name = header.split_once('[').and_then(|(_, rest)| rest.rsplit_once(']')).map_or("", |(name, _)| name);
        self.thread(Thread { name: name.to_owned(), crashed, ..Thread::default() });
        rest.trim_start_matches(':')
    }

    /// The frame behind `File "`; what stands behind it is returned.
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
                via: None,
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
        // Without a symbol and an offset into the file only the address is left.
        let offset = if offset.is_empty() { address.trim_end_matches(']') } else { offset };
        let offset = u64::from_str_radix(offset.trim().trim_start_matches("0x"), 16).unwrap_or(0);
        let module = if module == "<unknown>" { "" } else { module };
        let frame = NativeFrame { module: module.to_owned(), symbol: symbol.to_owned(), offset };
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
        crash.message = self.said.join("\n");
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

/// What the paths of a dump tell: platform, interpreter, files and distributions of extension modules.
fn describe(crash: &mut Crash) {
    let frames = crash.threads.iter().flat_map(|thread| &thread.native);
    let sources = crash.threads.iter().flat_map(|thread| &thread.python).map(|frame| frame.file.as_str());
    let all: Vec<&str> = frames.clone().map(|frame| frame.module.as_str()).chain(sources.clone()).collect();
    let platform = all.iter().find_map(|path| paths::platform(path)).unwrap_or_default().to_owned();
    let told: Vec<(String, bool)> = all.iter().filter_map(|path| paths::python(path)).collect();
    let threaded = told.iter().any(|(_, threaded)| *threaded) || crash.python.gil == "disabled";
    let version = told.iter().map(|(version, _)| version).max_by_key(|version| version.len()).cloned().unwrap_or_default();
    let executable =
        all.iter().find(|path| paths::is_interpreter(path) && path.contains("/bin/")).copied().unwrap_or_default().to_owned();
    let in_stack: Vec<String> = all.iter().filter(|path| paths::is_extension(path)).map(|path| (*path).to_owned()).collect();
    let installed: Vec<String> = all.iter().filter_map(|path| paths::distribution(path)).map(str::to_owned).collect();

    // 3.13 shows all threads whatever the GIL does.
    if crash.python.gil == "enabled" && threaded && (version.is_empty() || paths::is_below(&version, "3.14")) {
        crash.python.gil.clear();
    }
    crash.python.platform = platform;
    crash.python.executable = executable;
    crash.python.version = match (version.is_empty(), threaded) {
        (true, true) => "free-threading build".to_owned(),
        (false, true) => format!("{version} free-threading build"),
        (_, false) => version,
    };
    for path in in_stack {
        let name = paths::import_name(&path);
        let known = crash.extensions.iter().position(|extension| extension.name == name);
        let at = known.unwrap_or_else(|| {
            crash.extensions.push(Extension { name, ..Extension::default() });
            crash.extensions.len() - 1
        });
        if let Some(extension) = crash.extensions.get_mut(at) {
            paths::distribution(&path).unwrap_or_default().clone_into(&mut extension.distribution);
            extension.path = path;
        }
    }
    for extension in &mut crash.extensions {
        let top = extension.name.split('.').next().unwrap_or_default();
        if extension.distribution.is_empty() && installed.iter().any(|name| name == top) {
            top.clone_into(&mut extension.distribution);
        }
    }
}
