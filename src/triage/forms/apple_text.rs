//! Crash reports of macOS as text, as Console and the dialogue show them.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;
use std::collections::BTreeMap;

/// The form.
pub(super) const FORM: Form = Form {
    name: "macOS crash report",
    looks_like: "\"Exception Type: EXC_BAD_ACCESS (SIGSEGV)\", \"Thread 0 Crashed:\", `0   lib.dylib   0x0000000100 f + 12`",
    signs: &["Exception Type: ", " Crashed:", "Crashed Thread:", " crashed with ", " 0x"],
    read,
};

pattern!(ENTRY, r"(?:\b\d{1,3} +[A-Za-z_?].* +0x[0-9a-f]{8,} |Thread \d+(?: Crashed)?:|Exception Type: |Crashed Thread: )");
// A frame that is one whatever stands around it.
pattern!(CERTAIN, r"^\s*\d{1,3}\s+[A-Za-z_?][^()`]*?\s+0x[0-9a-f]{8,16} .+ \+ \d+(?:\s+\([^()]*\))?(?: \[inlined\])?$");
pattern!(FRAME, r"^\s*(\d+)\s+(\S.*?)\s+(0x[0-9a-fA-F]+)\s+(.+?)(?:\s+\+\s+(\d+))?(?:\s+\(([^()]*)\))?(?: \[inlined\])?$");
// Tidied up by hand: file and function.
pattern!(BARE, r"^\s*([\w.+-]+\.(?:dylib|so(?:\.\d+)*|abi3\.so)|Python)\s{2,}([A-Za-z_(~].*)$");
pattern!(THREAD, r"^\s*Thread (\d+)( Crashed)?:{1,2}\s*(.*)$");
pattern!(NAMED, r"^\s*Thread (\d+)(?: Crashed)? name:\s*(.*)$");
pattern!(IMAGE, r"^\s*0x[0-9a-f]+ -\s+0x[0-9a-f]+ \+?(\S+) .*?(/\S.*)$");
pattern!(EXCEPTION, r"^\s*Exception Type:\s+(.*)$");
pattern!(CODES, r"KERN_[A-Z_]+ at (0x[0-9a-fA-F]+)");
pattern!(FAULTING, r"^\s*(?:Crashed Thread|Triggered by Thread):\s+(\d+)");
// The registers of the thread that died come behind all stacks.
pattern!(REGISTERS, r"^\s*Thread (\d+) crashed with (?:ARM|X86|PPC) Thread State");
pattern!(FAULT, r"^\s*far: (0x[0-9a-f]+)\s+esr: 0x[0-9a-f]+ \((?:Data|Instruction) Abort\)");
pattern!(TRAP, r"^\s*Trap Number:\s+(?:13|14)\s*$");

/// The signal of an exception of Mach.
pub(super) fn signal(exception: &str) -> &'static str {
    const SIGNALS: [(&str, &str); 12] = [
        ("SIGSEGV", "SIGSEGV"),
        ("SIGBUS", "SIGBUS"),
        ("SIGABRT", "SIGABRT"),
        ("SIGILL", "SIGILL"),
        ("SIGTRAP", "SIGTRAP"),
        ("SIGFPE", "SIGFPE"),
        ("SIGKILL", "SIGKILL"),
        ("EXC_BAD_ACCESS", "SIGSEGV"),
        ("EXC_BREAKPOINT", "SIGTRAP"),
        ("EXC_BAD_INSTRUCTION", "SIGILL"),
        ("EXC_ARITHMETIC", "SIGFPE"),
        ("EXC_CRASH", "SIGABRT"),
    ];
    SIGNALS.iter().find(|(name, _)| exception.contains(name)).map_or("", |(_, signal)| signal)
}

fn is_frame(line: &str) -> bool {
    line.contains(" 0x") && line.trim_start().starts_with(|c: char| c.is_ascii_digit()) && CERTAIN.is_match(line)
}

fn read(pasted: &[String]) -> Vec<Found> {
    let headed = |line: &String| {
        ["Exception Type: ", " Crashed:", "Crashed Thread:", " crashed with "].iter().any(|head| line.contains(head))
    };
    // A piece out of the middle of a report has no head.
    if !pasted.iter().any(headed) && pasted.iter().filter(|line| is_frame(line)).take(2).count() < 2 {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut report = Report::default();
    for (at, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if let Some(exception) = EXCEPTION.captures(line) {
            if report.stacks.threads.iter().any(|thread| !thread.native.is_empty()) {
                out.extend(std::mem::take(&mut report).finish());
            }
            report.at.get_or_insert(at);
            signal(&exception[1]).clone_into(&mut report.crash.signal);
        } else if let Some(faulting) = FAULTING.captures(line) {
            report.at.get_or_insert(at);
            report.faulting = faulting[1].parse().ok();
        } else if let Some(registers) = REGISTERS.captures(line) {
            report.at.get_or_insert(at);
            report.faulting = report.faulting.or(registers[1].parse().ok());
        } else if let Some(fault) = FAULT.captures(line).filter(|_| report.at.is_some()) {
            report.crash.address = report.crash.address.or(Some(frames::hex(&fault[1])));
            report.segfault();
        } else if TRAP.is_match(line) && report.at.is_some() {
            report.segfault();
        } else if let Some(codes) = CODES.captures(line) {
            report.crash.address = Some(frames::hex(&codes[1]));
        } else if let Some(named) = NAMED.captures(line) {
            report.name = Some((named[1].parse().unwrap_or(0), named[2].trim().to_owned()));
        } else if let Some(thread) = THREAD.captures(line) {
            report.at.get_or_insert(at);
            let number: u64 = thread[1].parse().unwrap_or(0);
            let name = report.name.take().filter(|(of, _)| *of == number).map(|(_, name)| name);
            report.numbers.push(number);
            report.headless |= report.stacks.threads.iter().any(|thread| !thread.native.is_empty()) && report.numbers.len() == 1;
            report.stacks.begin(Thread {
                name: name.unwrap_or_else(|| thread[3].split("Dispatch queue").next().unwrap_or("").trim().to_owned()),
                crashed: thread.get(2).is_some() || report.faulting == Some(number),
                ..Thread::default()
            });
        } else if let Some(image) = IMAGE.captures(line) {
            let path = image[2].trim();
            let base = path.rsplit('/').next().unwrap_or(path);
            report.images.insert(base.to_owned(), path.to_owned());
        } else if let Some(frame) = FRAME.captures(line).filter(|_| !report.stacks.threads.is_empty() || is_frame(line)) {
            report.at.get_or_insert(at);
            let offset = frame.get(5).and_then(|offset| offset.as_str().parse().ok()).unwrap_or(0);
            let source = frame.get(6).map_or("", |source| source.as_str().split(':').next().unwrap_or(""));
            report.stacks.push(frame[1].parse().unwrap_or(0), frames::native(&frame[2], &frame[4], offset, source));
        } else if let Some(frame) = BARE.captures(line).filter(|_| report.at.is_some()) {
            let thread = report.stacks.current();
            thread.crashed = true;
            let number = thread.native.len() as u64;
            report.stacks.push(number, frames::native(&frame[1], &frame[2], 0, ""));
        } else if ["crashed on child side of fork", "BUG IN CLIENT OF", "multi-threaded process forked"]
            .iter()
            .any(|told| line.contains(told))
        {
            report.said.push(line.trim().to_owned());
        }
    }
    out.extend(report.finish());
    out
}

#[derive(Default)]
struct Report {
    at: Option<usize>,
    crash: Crash,
    faulting: Option<u64>,
    name: Option<(u64, String)>,
    /// Of the threads that have a head.
    numbers: Vec<u64>,
    /// Frames stand before the first head.
    headless: bool,
    stacks: Stacks,
    /// Paths by the names that frames have.
    images: BTreeMap<String, String>,
    said: Vec<String>,
}

impl Report {
    fn segfault(&mut self) {
        if self.crash.signal.is_empty() {
            "SIGSEGV".clone_into(&mut self.crash.signal);
        }
    }

    fn finish(mut self) -> Option<Found> {
        let at = self.at?;
        // Frames without a head are of the thread before the first one that has one.
        let headless = match self.numbers.first() {
            Some(first) => self.headless.then(|| first.wrapping_sub(1)),
            None => self.faulting,
        };
        let shown = |number: u64| self.numbers.contains(&number) || headless == Some(number);
        let missing =
            self.faulting.is_some_and(|number| !shown(number) && !self.stacks.threads.iter().any(|thread| thread.crashed));
        self.stacks.finish(&mut self.crash);
        if missing {
            self.crash.threads.iter_mut().for_each(|thread| thread.crashed = false);
            self.crash.threads.insert(0, Thread { crashed: true, cut: true, top_cut: true, ..Thread::default() });
        }
        for frame in self.crash.threads.iter_mut().flat_map(|thread| &mut thread.native) {
            if let Some(path) = self.images.get(&frame.module) {
                frame.module.clone_from(path);
            }
        }
        "macOS".clone_into(&mut self.crash.python.platform);
        self.crash.message = self.said.join("\n");
        // A head without stacks tells the signal, and what the system said.
        let told = !self.crash.threads.is_empty() || !self.crash.signal.is_empty() || self.faulting.is_some();
        told.then_some(Found { at, crash: self.crash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_report_are_read() {
        let of = |text: &str| {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            read(&lines).into_iter().next().map(|found| found.crash)
        };
        let crash = of("11  Python                        0x10444ac06 _PyEval_Vector + 361 (ceval.c:5065)\n\
                        12  Python                        0x104384a2d method_vectorcall + 354 (x.h:1) [inlined]\n")
        .unwrap();
        assert!(crash.threads[0].top_cut && crash.threads[0].native.len() == 2, "{crash:?}");
        let tidy =
            of("Exception Type:  EXC_BAD_ACCESS (SIGSEGV)  KERN_INVALID_ADDRESS at 0x18\n\nlibarrow.2500.dylib   mi_heap_main\n\
                       libarrow.2500.dylib   arrow::Buffer::Reserve(long long)\n")
            .unwrap();
        assert_eq!((tidy.threads[0].native.len(), tidy.threads[0].native[1].symbol.as_str()), (2, "arrow::Buffer::Reserve"));
        let head = of("Exception Type:        EXC_CRASH (SIGABRT)\nApplication Specific Information:\ncrashed on child side of fork pre-exec\n").unwrap();
        assert_eq!((head.signal.as_str(), head.threads.len()), ("SIGABRT", 0));
        assert!(head.message.contains("fork"));
        assert!(of("3  apples 0x1 and + 5\n4 pears\n").is_none());
    }

    #[test]
    fn a_report_is_read() {
        let text = "Exception Type:        EXC_BAD_ACCESS (SIGBUS)\nException Codes:       KERN_PROTECTION_FAILURE at 0x0000000000000010\n\n\
                    Thread 0:: Dispatch queue: com.apple.main-thread\n0   libsystem_kernel.dylib        \t0x00000001876e1e4c __psynch_cvwait + 8\n\n\
                    Thread 1 Crashed:: worker\n0   libx.dylib                    \t0x0000000100001000 ns::f(int) + 12 (x.c:5)\n\
                    1   Python                        \t0x0000000100002000 0x100000000 + 8192\n\n\
                    Binary Images:\n       0x100000000 -        0x100ffffff org.python.python (3.14) <1234> /opt/Python.framework/Versions/3.14/Python\n";
        let lines: Vec<String> = text.lines().map(|line| line.replace('\t', " ")).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.address), ("SIGBUS", Some(0x10)));
        let thread = &crash.threads[0];
        assert!(thread.crashed && thread.name == "worker", "{thread:?}");
        assert_eq!((thread.native[0].symbol.as_str(), thread.native[0].source.as_str()), ("ns::f", "x.c"));
        assert_eq!(
            (thread.native[1].symbol.as_str(), thread.native[1].module.as_str()),
            ("", "/opt/Python.framework/Versions/3.14/Python")
        );
    }

    fn frame(number: u32, name: &str) -> String {
        format!("{number}   libx.dylib                    0x000000010000100{number} {name} + 12\n")
    }

    fn names(crash: &Crash) -> Vec<Vec<&str>> {
        crash.threads.iter().map(|thread| thread.native.iter().map(|frame| frame.symbol.as_str()).collect()).collect()
    }

    #[test]
    fn a_frame_has_a_number_an_address_and_a_distance() {
        assert!(is_frame(frame(3, "f").trim_end()));
        for line in ["text with 0x12 in it", "3  apples 0x1 and + 5", "3 pears", "libx.dylib  0x0000000100001000 f + 12"] {
            assert!(!is_frame(line), "{line}");
        }
        let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert!(read(&lines(frame(0, "f"))).is_empty(), "one alone may be anything");
        assert_eq!(read(&lines(frame(0, "f") + &frame(1, "g"))).len(), 1);
        // Below the head of a thread, the distance may be missing.
        let uncertain = "1   libx.dylib   0x0000000100001000 g\n";
        assert_eq!(names(&FORM.one(&format!("Thread 0 Crashed:\n{}{uncertain}", frame(0, "f")))), [["f", "g"]]);
        assert_eq!(names(&FORM.one(&format!("Crashed Thread: 0\n{uncertain}Thread 0:\n{}", frame(0, "f")))), [["f"]]);
    }

    #[test]
    fn two_reports_are_two_crashes() {
        let report = |signal: &str| format!("Exception Type:  EXC_CRASH ({signal})\nThread 0 Crashed:\n{}", frame(0, "f"));
        let text = report("SIGABRT") + &report("SIGILL");
        let found = read(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(found.iter().map(|found| found.crash.signal.as_str()).collect::<Vec<_>>(), ["SIGABRT", "SIGILL"]);
    }

    #[test]
    fn frames_before_the_first_head_are_of_the_thread_before() {
        let before = FORM.one(&format!("Crashed Thread:  2\n{}Thread 3:\n{}", frame(0, "f"), frame(0, "g")));
        assert_eq!(names(&before), [["f"], ["g"]]);
        assert!(before.threads[0].crashed && !before.threads[1].crashed);
        let missing = FORM.one(&format!("Crashed Thread:  2\nThread 3:\n{}Thread 4:\n{}", frame(0, "g"), frame(0, "h")));
        assert_eq!(names(&missing), [vec![], vec!["g"], vec!["h"]], "the one that crashed was not pasted");
        let crashed: Vec<(bool, bool, bool)> =
            missing.threads.iter().map(|thread| (thread.crashed, thread.cut, thread.top_cut)).collect();
        assert_eq!(crashed, [(true, true, true), (false, false, false), (false, false, false)]);
        let shown = FORM.one(&format!("Crashed Thread:  4\nThread 3:\n{}Thread 4:\n{}", frame(0, "g"), frame(0, "h")));
        assert_eq!(names(&shown), [["h"], ["g"]]);
    }

    #[test]
    fn a_name_is_of_the_thread_that_it_names() {
        let name = |number: u32| {
            let text = format!("Thread {number} name:  worker\nThread 1 Crashed:\n{}", frame(0, "f"));
            FORM.one(&text).threads.remove(0).name
        };
        assert_eq!((name(1).as_str(), name(0).as_str()), ("worker", ""));
    }

    #[test]
    fn registers_tell_a_segmentation_fault() {
        let of = |head: &str, end: &str| {
            let crash = FORM.one(&format!("{head}Thread 0 Crashed:\n{}{end}\n", frame(0, "f")));
            (crash.signal, crash.address)
        };
        let abort = "far: 0x0000000000000008  esr: 0x92000006 (Data Abort) byte read Translation fault";
        assert_eq!(of("", abort), ("SIGSEGV".to_owned(), Some(8)));
        assert_eq!(of("", "Trap Number:     14"), ("SIGSEGV".to_owned(), None));
        assert_eq!(of("Exception Type:  EXC_BAD_ACCESS (SIGBUS)\n", abort), ("SIGBUS".to_owned(), Some(8)));
        assert_eq!(of("", "Trap Number:     3"), (String::new(), None));
    }
}
