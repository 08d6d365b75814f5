//! Backtraces of gdb: `bt`, `bt full`, `thread apply all bt`, `py-bt`, with and without symbols, wrapped or not.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;
use super::said;

/// The form.
pub(super) const FORM: Form = Form {
    name: "gdb",
    looks_like: "`#0  0x00007f in f (a=1) from lib.so`, or `at file.c:5` (bt, thread apply all bt, with py-bt or without)",
    signs: &["#", "received signal", "terminated with S", "terminated with signal", "(most recent call first)"],
    read,
};

pattern!(ENTRY, r"#\d+ +(?:0x[0-9a-f]+ |[A-Za-z_<?])");
pattern!(FRAME, r"^\s*#(\d+)\s+(?:(0x[0-9a-fA-F]+)\s+(?:\[PAC\]\s+)?in\s+)?(\S.*)$");
pattern!(SIGNAL, r"(?:received signal|terminated with signal|terminated with SI_\w+) \(?(SIG[A-Z]+)");
pattern!(STOPPED, r#"Thread (\d+)(?:\.\d+)? "([^"]*)" (?:received|hit)"#);
pattern!(THREAD, r#"^\s*Thread (\d+)(?:\.\d+)? \((?:Thread 0x[0-9a-f]+ )?\(?(?:LWP|process) (\d+)\)?(?: "([^"]*)")?"#);
pattern!(CURRENT, r"\[Current thread is (\d+)");
pattern!(STOP, r"^\s*(?:(0x[0-9a-fA-F]+) in )?([A-Za-z_<?][^=]* \(.*)$");
pattern!(PYTHON, r#"^\s*(?:#\d+ )?(?:Frame 0x\S+, for file (\S+), line (\d+), in (\S+)|File "([^"]+)", line (\d+), in (\S+))"#);
// Where Markdown took the numbers for headings and kept the rest.
pattern!(WITHOUT_MARK, r"^\s*\d{1,3} +(?:0x[0-9a-f]{8,16} in )?[A-Za-z_*?][\w:*~<>?]* \(");
// The words that a process died with, where they are an argument: of Py_FatalError, of an assertion, of libc's allocator.
pattern!(WORDS, r#"\b([a-z]+)=(?:[a-z_]+@entry=)?0x[0-9a-f]+ (?:<[^>]*> )?"((?:[^"\\]|\\.)*)""#);
// Debug builds of the interpreter fill memory so.
pattern!(FILLED, r"0x((?:cd){8}|(?:dd){8}|(?:fd){8})\b");

// A function cannot read its own arguments: they would be below the end of its thread's stack.
pattern!(UNREADABLE, r"<error reading variable: Cannot access memory at address 0x[0-9a-f]+>");

/// How `py-bt` begins.
const PY_BT: &str = "Traceback (most recent call first)";
/// A frame is not wrapped into more lines.
const MOST_LINES: usize = 40;

fn read(pasted: &[String]) -> Vec<Found> {
    if !pasted.iter().any(|line| line.contains(PY_BT) || ENTRY.is_match(line) || SIGNAL.is_match(line)) {
        return Vec::new();
    }
    let lines = marked(before_entries(pasted, &ENTRY));
    let mut out = Vec::new();
    let mut session = Session::default();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let first = at;
        at += 1;
        if let Some(signal) = SIGNAL.captures(line) {
            if session.has_frames() {
                out.extend(std::mem::take(&mut session).finish());
            }
            session.signal = signal[1].to_owned();
            session.stop_at = Some(at);
            if let Some(stopped) = STOPPED.captures(line) {
                session.number = stopped[1].parse().ok();
                session.name = stopped[2].to_owned();
            }
        } else if let Some(current) = CURRENT.captures(line) {
            session.number = current[1].parse().ok();
        } else if let Some(thread) = THREAD.captures(line) {
            let number: Option<u64> = thread[1].parse().ok();
            session.header = number;
            session.stacks.begin(Thread {
                name: thread.get(3).map_or("", |name| name.as_str()).to_owned(),
                native_id: thread[2].parse().unwrap_or(0),
                crashed: number.is_some() && number == session.number,
                ..Thread::default()
            });
        } else if line.contains(PY_BT) {
            session.python = true;
        } else if let Some(found) = FRAME.captures(line).filter(|found| ENTRY.is_match(line) && !is_of_android(&found[3])) {
            let mut body = found[3].to_owned();
            while let Some(next) = lines.get(at).filter(|next| at - first < MOST_LINES && continues(&body, next)) {
                body.push(' ');
                body.push_str(next.trim());
                at += 1;
            }
            session.frame(first, found[1].parse().unwrap_or(0), found.get(2).map_or("", |address| address.as_str()), &body);
        } else if session.python
            && let Some(found) = PYTHON.captures(line)
        {
            let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
            let frame = if part(1).is_empty() {
                frames::python(part(4), part(5), part(6))
            } else {
                frames::python(part(1), part(2), part(3))
            };
            session.at.get_or_insert(first);
            let thread = session.stacks.current();
            if thread.python.len() < frames::MOST_FRAMES {
                thread.python.push(frame);
            }
        } else if line.starts_with("(gdb)") || line.starts_with("Thread ") {
            session.python = false;
        }
    }
    if !session.has_frames() {
        session.stop(&lines);
    }
    out.extend(session.finish());
    out
}

/// Lines whose frames have their mark, if none has.
fn marked(mut lines: Vec<String>) -> Vec<String> {
    let is_of_gdb = lines.iter().any(|line| line.starts_with("(gdb)")) && lines.iter().any(|line| SIGNAL.is_match(line));
    if is_of_gdb && !lines.iter().any(|line| FRAME.is_match(line)) {
        for line in lines.iter_mut().filter(|line| WITHOUT_MARK.is_match(line)) {
            *line = format!("#{}", line.trim_start()).replace("**", "__");
        }
    }
    lines
}

/// `#00 pc 0001a2b4  /data/app/lib.so`
fn is_of_android(body: &str) -> bool {
    body.strip_prefix("pc ").is_some_and(|rest| rest.trim_start_matches("0x").starts_with(|c: char| c.is_ascii_hexdigit()))
}

/// Whether a line goes on with a frame that was wrapped.
fn continues(body: &str, next: &str) -> bool {
    let begun = next.trim_start();
    if begun.is_empty()
        || ENTRY.find(begun).is_some_and(|entry| entry.start() == 0)
        || begun.starts_with("(gdb)")
        || THREAD.is_match(next)
    {
        return false;
    }
    let placed = [") at ", ") from "].iter().any(|place| body.contains(place));
    open_parentheses(body) > 0 || (!placed && ["at ", "from "].iter().any(|place| begun.starts_with(place)))
}

/// Parentheses that are open, outside of strings.
fn open_parentheses(text: &str) -> i32 {
    let mut depth = 0;
    let mut quoted = false;
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        before = c;
    }
    depth
}

#[derive(Default)]
struct Session {
    at: Option<usize>,
    signal: String,
    /// Number and name of the thread that got the signal.
    number: Option<u64>,
    name: String,
    /// The line behind the one that names the signal: gdb shows there where it stopped.
    stop_at: Option<usize>,
    /// Number in the last header.
    header: Option<u64>,
    stacks: Stacks,
    /// Lines of `py-bt` are being read.
    python: bool,
    filled: Option<String>,
    /// What the process said as it died.
    said: String,
}

impl Session {
    fn has_frames(&self) -> bool {
        self.stacks.threads.iter().any(|thread| !thread.native.is_empty())
    }

    fn frame(&mut self, at: usize, number: u64, address: &str, body: &str) {
        let Some((name, module, source)) = parsed(body, !address.is_empty()) else { return };
        self.python = false;
        self.at.get_or_insert(at);
        if self.stacks.restarts(number) || self.stacks.threads.is_empty() {
            // The first one without a header is the current thread's.
            let first = self.stacks.threads.is_empty();
            self.stacks.begin(Thread {
                name: if first { self.name.clone() } else { String::new() },
                crashed: first,
                ..Thread::default()
            });
        }
        if let Some(filled) = FILLED.find(body) {
            self.filled.get_or_insert_with(|| filled.as_str().to_owned());
        }
        if number == 0 && self.said.is_empty() && UNREADABLE.is_match(body) {
            said::STACK_UNREADABLE.clone_into(&mut self.said);
        }
        if self.said.is_empty() && body.contains('"') {
            self.said = last_words(name, body);
        }
        self.stacks.push(number, frames::native(module, name, frames::hex(address), source));
    }

    /// Without a backtrace, the place where gdb stopped is the innermost frame.
    fn stop(&mut self, lines: &[String]) {
        let Some(at) = self.stop_at else { return };
        let switching = usize::from(lines.get(at).is_some_and(|line| line.starts_with("[Switching to")));
        let mut rest = lines.iter().skip(at + switching).take(MOST_LINES);
        let Some(found) = rest.next().and_then(|line| STOP.captures(line)) else { return };
        let mut body = found[2].to_owned();
        for next in rest {
            if !continues(&body, next) {
                break;
            }
            body.push(' ');
            body.push_str(next.trim());
        }
        self.frame(at, 0, found.get(1).map_or("", |address| address.as_str()), &body);
        self.stacks.current().cut = true;
    }

    fn finish(mut self) -> Option<Found> {
        let at = self.at?;
        let mut crash = Crash { signal: self.signal, message: self.said, ..Crash::default() };
        if let Some(filled) = self.filled {
            let filled =
                format!("{filled} was used as a pointer: Python's debug allocator fills memory so that is new, freed or forbidden");
            crash.message = if crash.message.is_empty() { filled } else { format!("{}\n{filled}", crash.message) };
        }
        // `bt`, then `thread apply all bt`: the thread that crashed comes twice.
        let threads = &mut self.stacks.threads;
        if let [first, rest @ ..] = &threads[..]
            && first.crashed
            && first.native_id == 0
            && let Some(again) = rest.iter().position(|thread| {
                !first.native.is_empty()
                    && thread.native.iter().zip(&first.native).take(4).all(|(a, b)| a.symbol == b.symbol)
                    && thread.native.len() >= first.native.len().min(4)
            })
        {
            let name = first.name.clone();
            let mut thread = threads.remove(again + 1);
            thread.crashed = true;
            if thread.name.is_empty() {
                thread.name = name;
            }
            if let Some(first) = threads.first_mut() {
                *first = thread;
            }
        }
        self.stacks.finish(&mut crash);
        Some(Found { at, crash })
    }
}

/// Function, library and source file of `f (a=1) at x.c:5`; `None` if it is of another form.
fn parsed(body: &str, with_address: bool) -> Option<(&str, &str, &str)> {
    let body = body.trim();
    if body.starts_with("<signal handler called>") {
        return Some(("<signal handler called>", "", ""));
    }
    if !with_address && (body.starts_with("0x") || body.starts_with("in ")) {
        return crash_tracker(body);
    }
    // ThreadSanitizer and coredumpctl: `f /x.c:5 (lib.so+0x1)`, `f (lib.so + 0x1)`.
    if body.contains("(BuildId:")
        || (body.contains("+0x") && !body.contains(['=', '<']) && !body.contains(" () "))
        || body.ends_with(')') && body.rsplit_once('(').is_some_and(|(_, end)| end.contains("+0x") || end.contains(" + 0x"))
    {
        return None;
    }
    let (call, module, source) = match (body.rfind(") at "), body.rfind(") from ")) {
        (_, Some(from)) if body.rfind(") at ").is_none_or(|at| at < from) => {
            (body.get(..=from)?, body.get(from + ") from ".len()..)?, "")
        }
        (Some(at), _) => {
            let place = body.get(at + ") at ".len()..)?.split_whitespace().next().unwrap_or("");
            (body.get(..=at)?, "", place.rsplit_once(':').map_or(place, |(file, _)| file))
        }
        // The library behind the call, as people tidy it up.
        (None, _) => match body.rsplit_once(')') {
            Some((_, rest)) if rest.starts_with("  ") && [".so", ".dylib"].iter().any(|end| rest.contains(end)) => {
                (body.get(..body.len() - rest.len())?, rest.trim(), "")
            }
            _ => (body, "", ""),
        },
    };
    let name = call.get(..arguments(call)?)?.trim();
    (!name.is_empty() && !name.contains('=') && name.len() < 1000).then_some((name, module, source))
}

/// The sentence that functions which end the process are called with, as the process prints it; empty for other functions.
fn last_words(function: &str, body: &str) -> String {
    let arguments: Vec<(String, String)> =
        WORDS.captures_iter(body).map(|found| (found[1].to_owned(), found[2].replace("\\n", "").replace("\\\"", "\""))).collect();
    let of = |names: &[&str]| {
        let found = arguments.iter().find(|(name, value)| names.contains(&name.as_str()) && !value.is_empty());
        found.map_or("", |(_, value)| value.as_str())
    };
    let number = |name: &str| {
        let rest = body.split_once(name).map_or("", |(_, rest)| rest);
        let digits = rest.strip_prefix("line@entry=").unwrap_or(rest);
        digits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().to_owned()
    };
    let (message, file) = (of(&["msg", "message"]), of(&["file"]));
    match function {
        "fatal_error" | "_Py_FatalErrorFunc" | "Py_FatalError" if !message.is_empty() => match of(&["func", "prefix"]) {
            "" => format!("Fatal Python error: {message}"),
            caller => format!("Fatal Python error: {caller}: {message}"),
        },
        "__assert_fail_base" | "__assert_fail" | "__GI___assert_fail" if !of(&["assertion"]).is_empty() && !file.is_empty() => {
            format!("{file}:{}: {}: Assertion `{}' failed.", number(" line="), of(&["function"]), of(&["assertion"]))
        }
        "_PyObject_AssertFailed" if !of(&["expr"]).is_empty() && !file.is_empty() => {
            format!("{file}:{}: {}: Assertion \"{}\" failed: {message}", number(" line="), of(&["function"]), of(&["expr"]))
        }
        "malloc_printerr" => of(&["str"]).to_owned(),
        "__fortify_fail" if !message.is_empty() => format!("*** {message} ***: terminated"),
        _ => String::new(),
    }
}

/// `0x7f01 f (/x/y.c:5:20)`, as reporters of crashes to a service write it (Datadog).
fn crash_tracker(body: &str) -> Option<(&str, &str, &str)> {
    let (address, rest) = body.split_once(' ')?;
    let (name, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let hex = address.strip_prefix("0x")?.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut parts = place.rsplitn(3, ':');
    let numbers = parts.by_ref().take(2).all(|number| number.parse::<u32>().is_ok());
    let source = parts.next()?;
    (hex && numbers && !name.trim().is_empty()).then_some((name.trim(), "", source))
}

/// Where the arguments of a call begin: at the parenthesis that the last one closes, or that stays open.
fn arguments(call: &str) -> Option<usize> {
    let mut depth = 0;
    if call.ends_with(')') {
        for (at, c) in call.char_indices().rev() {
            match c {
                ')' => depth += 1,
                '(' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                // `operator()` is a name; arguments stand behind a space.
                return (at > 0).then_some(at);
            }
        }
    }
    call.find(" (")
}

#[cfg(test)]
mod tests;
