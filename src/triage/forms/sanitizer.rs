//! Reports of AddressSanitizer, ThreadSanitizer, UndefinedBehaviorSanitizer and MemorySanitizer.

use super::super::crash::{Crash, NativeFrame, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "AddressSanitizer, ThreadSanitizer, UndefinedBehaviorSanitizer",
    looks_like: "\"ERROR: AddressSanitizer: ...\", \"WARNING: ThreadSanitizer: ...\", \"x.c:5:1: runtime error: ...\" with `#0 0x55 in f /x.c:5:1`",
    signs: &["Sanitizer", "runtime error: ", "#"],
    read,
};

pattern!(ENTRY, r"(?:==\d+==\s?ERROR: |WARNING: ThreadSanitizer|#\d+ (?:0x[0-9a-f]+ )?\S)");
pattern!(HEADER, r"(?:ERROR|WARNING): (Address|Thread|Memory|Leak|UndefinedBehavior|HWAddress)Sanitizer:? (.*)$");
pattern!(RUNTIME, r"^\s*(?:# )?(\S+:\d+:\d+): runtime error: (.*)$");
pattern!(FRAME, r"^\s*#(\d+)\s+(?:(0x[0-9a-fA-F]+)\s+)?(?:in\s+)?(.+)$");
// Frames that no other form has, so that a piece of a report without its head is one: with a source, or with a module and an offset.
pattern!(
    CERTAIN,
    r"^\s*#\d+\s+(?:\S.*\s\S+\.\w+:\d+(?::\d+)?\s+\(\S+\+0x[0-9a-f]+\)|0x[0-9a-fA-F]+\s+in \S.*\s\S+\.\w+:\d+(?::\d+)?|0x[0-9a-fA-F]+\s+(?:in )?.*\([^()]*\S\+0x[0-9a-fA-F]+\))(?: \(BuildId: [0-9a-f]+\))?$"
);
pattern!(SUMMARY, r"^\s*SUMMARY: (Address|Thread|Memory|UndefinedBehavior|HWAddress)Sanitizer: (\S+(?: race)?) (\S+) in (.+)$");
// Cut anywhere, where a text ends.
pattern!(BUILD, r"\s*\((?:BuildId: [0-9a-f]+\)?|B[a-zA-Z]{0,6}:? ?)?$");
pattern!(MODULE, r"\s*\(([^()]+)\+(0x[0-9a-fA-F]+)\)$");
// Heads of the other stacks of a report.
pattern!(
    SECTION,
    r"(?:freed by|previously allocated by|Previous (?:atomic )?(?:read|write)|created by|allocated by|Location is|Mutex |As if synchronized|by thread T\d+|by main thread).*:?$"
);
// The threads that use a block and have freed it.
pattern!(USED, r"^(?:READ|WRITE) of size \d+ at \S+ thread (T\d+)");
pattern!(FREED, r"^\s*freed by thread (T\d+)");
pattern!(ADDRESS, r"unknown address (0x[0-9a-fA-F]+)");

fn read(pasted: &[String]) -> Vec<Found> {
    let headed = pasted.iter().any(|line| {
        (line.contains("Sanitizer") && HEADER.is_match(line)) || (line.contains("runtime error: ") && RUNTIME.is_match(line))
    });
    if !headed {
        return piece(pasted).into_iter().collect();
    }
    let mut out: Vec<Found> = Vec::new();
    let mut report: Option<Report> = None;
    for (at, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if let Some(header) = HEADER.captures(line) {
            out.extend(report.take().and_then(Report::finish));
            report = Some(Report::new(at, &header[1], &header[2]));
        } else if let Some(error) = RUNTIME.captures(line) {
            out.extend(report.take().and_then(Report::finish));
            let mut next = Report::new(at, "UndefinedBehavior", &error[2]);
            without_line(&error[1]).clone_into(&mut next.place);
            report = Some(next);
        } else if line.starts_with("SUMMARY: ") {
            out.extend(report.take().and_then(Report::finish));
        } else if let Some(report) = &mut report {
            report.line(line);
        }
    }
    out.extend(report.and_then(Report::finish));
    // A program that goes on may repeat itself a thousand times.
    out.truncate(20);
    out
}

/// A piece out of the middle or of the end of a report: its summary names the innermost frame, else the frames themselves are all that is known.
fn piece(pasted: &[String]) -> Option<Found> {
    // Without this test every line of another text would be searched.
    if !pasted.iter().any(|line| line.contains("SUMMARY: ") || (line.contains('#') && line.contains("0x"))) {
        return None;
    }
    let lines = before_entries(pasted, &ENTRY);
    if let Some((at, told)) = lines.iter().enumerate().find_map(|(at, line)| Some((at, SUMMARY.captures(line)?))) {
        let mut report = Report::new(at, &told[1], &told[2]);
        report.stacks.begin(Thread { cut: true, ..Thread::default() });
        report.stacks.push(0, frames::native("", &told[4], 0, without_line(&told[3])));
        return report.finish();
    }
    // gdb's frames say `at` and `from`.
    let certain = |line: &&String| !line.contains(") at ") && !line.contains(") from ") && CERTAIN.is_match(line);
    let at = lines.iter().position(|line| certain(&line))?;
    let mut report = Report::new(at, "", "");
    for line in lines.iter().filter(certain) {
        report.line(line);
    }
    let frames = report.stacks.threads.iter().map(|thread| thread.native.len()).sum::<usize>();
    if frames < 2 {
        return None;
    }
    report.crash.message.clear();
    report.finish()
}

struct Report {
    at: usize,
    crash: Crash,
    stacks: Stacks,
    /// Source file of the error, if it is known without a stack.
    place: String,
    /// The thread that used a block that had been freed.
    used_by: String,
}

impl Report {
    fn new(at: usize, tool: &str, what: &str) -> Report {
        let signal = match what {
            what if what.starts_with("SEGV") => "SIGSEGV",
            what if what.starts_with("BUS") => "SIGBUS",
            what if what.starts_with("ABRT") => "SIGABRT",
            what if what.starts_with("FPE") => "SIGFPE",
            what if what.starts_with("ILL") => "SIGILL",
            what if what.starts_with("stack-overflow") => "SIGSEGV",
            _ => "",
        };
        let mut crash = Crash { signal: signal.to_owned(), ..Crash::default() };
        crash.address = ADDRESS.captures(what).map(|address| frames::hex(&address[1]));
        if signal.is_empty() {
            let what = what.split(" on address").next().unwrap_or(what).split(" (pid").next().unwrap_or("");
            crash.message = format!("{tool}Sanitizer: {what}");
        } else if what.starts_with("stack-overflow") {
            "stack overflow, found by AddressSanitizer".clone_into(&mut crash.message);
        }
        Report { at, crash, stacks: Stacks::default(), place: String::new(), used_by: String::new() }
    }

    fn line(&mut self, line: &str) {
        if let Some(used) = USED.captures(line) {
            used[1].clone_into(&mut self.used_by);
        } else if let Some(freed) = FREED.captures(line) {
            self.crash.one_thread = self.used_by == freed[1];
        }
        if let Some(frame) = FRAME.captures(line) {
            let number = frame[1].parse().unwrap_or(0);
            if self.stacks.threads.is_empty() {
                self.stacks.begin(Thread { crashed: true, ..Thread::default() });
            } else if self.stacks.restarts(number) {
                self.stacks.begin(Thread::default());
            }
            self.stacks.push(number, parsed(frame.get(2).map_or("", |address| address.as_str()), &frame[3]));
        } else if SECTION.is_match(line) && !self.stacks.threads.is_empty() {
            self.stacks.begin(Thread { name: line.trim().trim_end_matches(':').to_owned(), ..Thread::default() });
        }
    }

    fn finish(mut self) -> Option<Found> {
        // Without print_stacktrace=1 the place is all that UndefinedBehaviorSanitizer shows.
        if self.stacks.threads.is_empty() && !self.place.is_empty() {
            self.stacks.begin(Thread { cut: true, ..Thread::default() });
            self.stacks.push(0, frames::native("", "", 0, &self.place));
        }
        // A thread frees, when it gets round to it, what others released: the stack is not theirs.
        let later = |frame: &NativeFrame| {
            ["brc_merge", "merge_queued", "ProcessDelayed", "_Py_HandlePending"].iter().any(|name| frame.symbol.contains(name))
        };
        self.crash.one_thread &= !self.stacks.threads.iter().skip(1).flat_map(|thread| &thread.native).any(later);
        self.stacks.finish(&mut self.crash);
        let told = !self.crash.threads.is_empty() || !self.crash.signal.is_empty();
        told.then_some(Found { at: self.at, crash: self.crash })
    }
}

fn parsed(address: &str, body: &str) -> NativeFrame {
    let mut body = body.trim();
    if let Some(build) = BUILD.find(body) {
        body = body.get(..build.start()).unwrap_or(body);
    }
    let (mut module, mut offset) = ("", frames::hex(address));
    if let Some(found) = MODULE.captures(body) {
        let whole = found.get(0).map_or(body.len(), |whole| whole.start());
        module = found.get(1).map_or("", |module| module.as_str());
        // On macOS the architecture stands behind it.
        module = module.rsplit_once(':').filter(|(_, arch)| !arch.contains(['/', '\\'])).map_or(module, |(module, _)| module);
        offset = frames::hex(&found[2]);
        body = body.get(..whole).unwrap_or(body);
    }
    let mut source = "";
    if let Some((function, place)) = body.rsplit_once(' ').or(Some(("", body)))
        && is_source(place)
    {
        source = without_line(place);
        body = function;
    }
    // macOS: the distance from the symbol.
    let body = body.trim_end_matches(" <null>");
    let body =
        body.rsplit_once("+0x").filter(|(_, hex)| hex.bytes().all(|byte| byte.is_ascii_hexdigit())).map_or(body, |(name, _)| name);
    frames::native(module, body, offset, source.trim_start_matches("<null>"))
}

/// `/x/y.c:12:3`, `object.c`, `<null>`.
fn is_source(place: &str) -> bool {
    let path = without_line(place);
    let end = path.rsplit('.').next().unwrap_or("");
    path == "<null>"
        || path.starts_with('/')
        || path.starts_with("./")
        || path.starts_with("../")
        || (path.contains('.') && ["c", "cc", "cpp", "cxx", "h", "hpp", "rs", "pyx", "S", "inc", "y"].contains(&end))
}

fn without_line(place: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut path = place;
    for _ in 0..2 {
        path = path.rsplit_once(':').filter(|(_, line)| digits(line)).map_or(path, |(path, _)| path);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_was_freed_by_the_thread_that_uses_it_was_freed_by_no_other() {
        let of = |freed_by: &str, function: &str| {
            FORM.one(&format!(
                "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x50 at pc 0x7f bp 0x7f sp 0x7f\n\
                 READ of size 8 at 0x50 thread T0\n    #0 0x55d0 in Py_TYPE Include/object.h:333\n\
                 freed by thread {freed_by} here:\n    #0 0x7f1c in free asan.cpp:52\n    \
                 #1 0x55d0 in {function} Objects/listobject.c:80\n\
                 previously allocated by thread T0 here:\n    #0 0x7f1c in malloc asan.cpp:69\n"
            ))
            .one_thread
        };
        assert!(of("T0", "list_clear") && !of("T1", "list_clear"));
        assert!(!of("T0", "_Py_brc_merge_refcounts"), "another thread released it");
    }

    #[test]
    fn frames_are_taken_apart() {
        let parts = |body: &str| {
            let frame = parsed("0x1", body);
            (frame.symbol, frame.module, frame.source)
        };
        let is = |symbol: &str, module: &str, source: &str| (symbol.to_owned(), module.to_owned(), source.to_owned());
        assert_eq!(
            parts("gc_visit_heaps /home/u/cpython/Python/gc.c:400:14"),
            is("gc_visit_heaps", "", "/home/u/cpython/Python/gc.c")
        );
        assert_eq!(parts("f /x/y.c:5:1 (python+0x58fd3a) (BuildId: 99e5)"), is("f", "python", "/x/y.c"));
        assert_eq!(parts("f y.c (libx.so+0x12) (B"), is("f", "libx.so", "y.c"));
        assert_eq!(parts("f <null> (libx.so+0x12)"), is("f", "libx.so", ""));
        assert_eq!(parts("(/usr/lib/libx.so+0x12)"), is("", "/usr/lib/libx.so", ""));
        assert_eq!(
            parts("pthread_mutex_lock+0xc (libsystem_pthread.dylib:arm64e+0x18e0)"),
            is("pthread_mutex_lock", "libsystem_pthread.dylib", "")
        );
        assert_eq!(parts("ns::f(int, char const*) /x/y.cc:5"), is("ns::f", "", "/x/y.cc"));
    }

    #[test]
    fn a_place_without_a_stack_is_a_frame() {
        let of = |text: &str| {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            read(&lines).into_iter().next().map(|found| found.crash)
        };
        let crash = of("Modules/_io/stringio.c:350:24: runtime error: addition of unsigned offset to 0x7fd0 overflowed\n\
                        SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior Modules/_io/stringio.c:350:24 in\n")
        .unwrap();
        assert_eq!(crash.threads[0].native[0].source, "Modules/_io/stringio.c");
        let cut = of("==7==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000000 (pc 0x1 bp 0x2 sp 0x3 T0)\n").unwrap();
        assert_eq!((cut.signal.as_str(), cut.threads.len()), ("SIGSEGV", 0));
    }

    #[test]
    fn pieces_of_a_report_are_read() {
        let of = |text: &str| {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            read(&lines).into_iter().next().map(|found| found.crash)
        };
        let tail = "    #24 0x63fc in pymain_main Modules/main.c:802\n    #29 0x63fb in _start (/x/python+0x2e5)\n";
        let crash = of(tail).unwrap();
        assert!(crash.threads[0].top_cut && crash.message.is_empty(), "{crash:?}");
        assert_eq!(crash.threads[0].native[1].module, "/x/python");
        let told = of(&format!(
            "{tail}\nSUMMARY: AddressSanitizer: heap-use-after-free Objects/unicodeobject.c:3947 in PyUnicode_DecodeLocale\n"
        ))
        .unwrap();
        assert_eq!(told.message, "AddressSanitizer: heap-use-after-free");
        let frame = &told.threads[0].native[0];
        assert_eq!((frame.symbol.as_str(), frame.source.as_str()), ("PyUnicode_DecodeLocale", "Objects/unicodeobject.c"));
        let thread = "2025-04-21T05:51:28.02Z     #2 ns::f(int) /x/y.h:362:36 (libx.so+0x8092)\n2025-04-21T05:51:28.03Z     #3 ns::g(int) /x/y.h:2:6 (libx.so+0x80)\n";
        let crash = of(thread).unwrap();
        assert!(crash.threads[0].top_cut && crash.threads[0].native[0].symbol == "ns::f", "{crash:?}");
        assert!(of("#1 0x12 in f\n#2 0x13 in g (a=1) at x.c:5\n").is_none());
    }

    #[test]
    fn the_stack_of_the_error_is_the_crashed_one() {
        let text = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 bp 0x3 sp 0x4\nREAD of size 8 at 0x1 thread T2\n\
                    \x20   #0 0x1 in f /x.c:1:1\n    #1 0x1 in g /x.c:1:1\n\n0x1 is located 0 bytes inside of 8-byte region\nfreed by thread T1 here:\n\
                    \x20   #0 0x1 in free (/lib/libasan.so+0x1)\n    #1 0x1 in h /x.c:1:1\n\nSUMMARY: AddressSanitizer: heap-use-after-free\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.message.as_str()), ("", "AddressSanitizer: heap-use-after-free"));
        assert_eq!((crash.threads.len(), crash.threads[0].native[0].symbol.as_str()), (2, "f"));
        assert_eq!(crash.threads[1].name, "freed by thread T1 here");
    }

    #[test]
    fn the_stack_of_the_error_crashed_whichever_other_one_aborts() {
        let crash = FORM.one(
            "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n    #0 0x1 in f /x.c:1:1\nfreed by thread T1 here:\n\
             \x20   #0 0x1 in abort /x.c:1:1\n    #1 0x1 in h /x.c:1:1\n    #0 0x1 in other /x.c:1:1\n",
        );
        let threads: Vec<(bool, &str)> =
            crash.threads.iter().map(|thread| (thread.crashed, thread.native[0].symbol.as_str())).collect();
        assert_eq!(threads, [(true, "f"), (false, "abort"), (false, "other")]);
        let section = FORM.one("==1==ERROR: AddressSanitizer: SEGV\nfreed by thread T1 here:\n    #0 0x1 in f /x.c:1:1\n");
        assert_eq!((section.threads.len(), section.threads[0].name.as_str()), (1, ""), "of other memory before the stack");
    }

    #[test]
    fn a_piece_needs_a_summary_or_two_frames_that_are_certain() {
        let of =
            |text: &str| read(&text.lines().map(str::to_owned).collect::<Vec<_>>()).into_iter().next().map(|found| found.crash);
        let frame = |number: u32| format!("    #{number} 0x63fc in f{number} Modules/main.c:802\n");
        assert!(of(&frame(1)).is_none());
        assert_eq!(of(&(frame(1) + &frame(2))).unwrap().threads[0].native.len(), 2);
        for place in [") at x.c:5", ") from /a.so"] {
            let gdb = format!("#3 0x12 in g (a=1{place} (python+0x12)\n");
            assert_eq!(of(&format!("{}{gdb}{}", frame(1), frame(2))).unwrap().threads[0].native.len(), 2, "a frame of gdb is none");
        }
        let summary = of("SUMMARY: AddressSanitizer: heap-use-after-free Objects/a.c:3947:5 in f\n").unwrap();
        assert!(summary.threads[0].crashed && summary.threads[0].cut);
        let place = of("a.c:350:24: runtime error: overflow\n").unwrap();
        assert!(place.threads[0].crashed && place.threads[0].cut);
    }

    #[test]
    fn a_source_is_a_path_or_ends_as_sources_do() {
        for place in ["<null>", "/x/y:12", "./y", "../y", "y.c", "y.pyx:5", "dir/y.rs:5:1"] {
            assert!(is_source(place), "{place}");
        }
        for place in ["y", "c", "y.so", "f:5"] {
            assert!(!is_source(place), "{place}");
        }
        let cut = ["/x/y.c:12:3", "/x/y.c:12", "/x/y.c", "C:\\y.c", "y.c:", "y.c:a:5"].map(without_line);
        assert_eq!(cut, ["/x/y.c", "/x/y.c", "/x/y.c", "C:\\y.c", "y.c:", "y.c:a"]);
    }
}
