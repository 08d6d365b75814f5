//! Every form of `src/triage/forms`: known crashes in it get the verdict and the signature of the plain dump.
//!
//! Forms without Python frames come as people paste them: behind the Python stack of faulthandler.

use ftsan::report::Frame;
use ftsan::triage::crash::{Crash, NativeFrame};
use ftsan::triage::forms::FORMS;
use ftsan::triage::{questions, read};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Dumps with three frames of the handler on top, which the other forms do not have.
const KNOWN: [&str; 4] =
    ["multidict_update.txt", "uvloop_timer_from_thread.txt", "greenlet_331_wheel.txt", "generator_frame_unlinked.txt"];
const HANDLER_FRAMES: usize = 3;

struct Dump {
    name: &'static str,
    text: String,
    crash: Crash,
}

impl Dump {
    fn native(&self) -> impl Iterator<Item = (usize, &NativeFrame)> {
        self.crash.threads[0].native.iter().skip(HANDLER_FRAMES).enumerate()
    }

    fn python(&self) -> &[Frame] {
        &self.crash.threads[0].python
    }

    /// The dump without its C stack.
    fn python_part(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.contains("Binary file") && !line.contains("C stack trace"));
        lines.map(|line| format!("{line}\n")).collect()
    }
}

fn dumps() -> Vec<Dump> {
    let read_one = |name: &'static str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crashes").join(name);
        let text = fs::read_to_string(path).unwrap();
        let crash = read(&text).unwrap().remove(0);
        Dump { name, text, crash }
    };
    KNOWN.map(read_one).into()
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn symbol<'f>(frame: &'f NativeFrame, unknown: &'f str) -> &'f str {
    if frame.symbol.is_empty() { unknown } else { &frame.symbol }
}

/// A text from the frames of a dump, one piece for each.
fn frames(dump: &Dump, head: &str, mut line: impl FnMut(usize, &NativeFrame) -> String) -> String {
    let mut out = format!("{}\n{head}\n", dump.python_part());
    for (at, frame) in dump.native() {
        writeln!(out, "{}", line(at, frame)).unwrap();
    }
    out
}

fn gdb(dump: &Dump) -> String {
    frames(dump, "Thread 2 \"python\" received signal SIGSEGV, Segmentation fault.\n(gdb) bt", |at, frame| {
        format!("#{at}  0x{:016x} in {} () from {}", 0x7f00 + at, symbol(frame, "??"), frame.module)
    })
}

fn gdb_all_threads(dump: &Dump) -> String {
    let all = frames(
        dump,
        "[New Thread 0x7f01 (LWP 7)]\n\nThread 3 \"python\" received signal SIGSEGV, Segmentation fault.\n(gdb) thread apply all bt\n\n\
         Thread 3 (Thread 0x7f01 (LWP 7) \"python\"):",
        |at, frame| format!("#{at}  0x{:016x} in {} ()\n    from {}", 0x7f00 + at, symbol(frame, "??"), frame.module),
    );
    all + "\nThread 1 (Thread 0x7f00 (LWP 1) \"python\"):\n#0  0x00007f in __futex_abstimed_wait_common () from /lib/libc.so.6\n"
}

fn lldb(dump: &Dump) -> String {
    frames(dump, "* thread #2, stop reason = EXC_BAD_ACCESS (code=1, address=0x8)", |at, frame| {
        let mark = if at == 0 { "  * " } else { "    " };
        format!(
            "{mark}frame #{at}: 0x{:016x} {}`{} + {}",
            0x1000 + at,
            base(&frame.module),
            symbol(frame, "___lldb_unnamed_symbol12"),
            at
        )
    })
}

fn apple_json(dump: &Dump) -> String {
    let images: Vec<_> = dump.native().map(|(_, frame)| json!({"path": frame.module, "name": base(&frame.module)})).collect();
    let list = dump.native().map(|(at, frame)| {
        let mut one = json!({"imageOffset": 16, "imageIndex": at});
        if !frame.symbol.is_empty() {
            one["symbol"] = json!(frame.symbol);
            one["symbolLocation"] = json!(12);
        }
        one
    });
    let report = json!({
        "exception": {"type": "EXC_BAD_ACCESS", "signal": "SIGSEGV"}, "faultingThread": 1, "usedImages": images,
        "threads": [{"id": 1, "frames": []}, {"id": 2, "triggered": true, "frames": list.collect::<Vec<_>>()}],
    });
    let head = json!({"app_name": "Python", "bug_type": "309"});
    format!("{}\n{head}\n{}\n", dump.python_part(), serde_json::to_string_pretty(&report).unwrap())
}

fn apple_text(dump: &Dump) -> String {
    let mut out = frames(
        dump,
        "Crashed Thread:        1\n\nException Type:        EXC_BAD_ACCESS (SIGSEGV)\n\nThread 1 Crashed:",
        |at, frame| {
            let place = if frame.symbol.is_empty() { "0x100000000 + 8192".to_owned() } else { format!("{} + 12", frame.symbol) };
            format!("{at:<3} {:<30} 0x{:016x} {place}", base(&frame.module), 0x1_0000_0000_u64 + at as u64)
        },
    );
    out.push_str("\nBinary Images:\n");
    for (_, frame) in dump.native() {
        writeln!(out, "       0x100000000 -        0x100ffffff +{} (0) <12AB> {}", base(&frame.module), frame.module).unwrap();
    }
    out
}

fn sanitizer(dump: &Dump, tool: &str) -> String {
    let head = format!("{tool}:DEADLYSIGNAL\n==7==ERROR: {tool}: SEGV on unknown address 0x000000000008 (pc 0x1 bp 0x2 sp 0x3 T2)");
    frames(dump, &head, |at, frame| match frame.symbol.as_str() {
        "" => format!("    #{at} 0x{:x}  ({}+0x12) (BuildId: 12ab)", 0x7f00 + at, frame.module),
        name => format!("    #{at} 0x{:x} in {name} ({}+0x12) (BuildId: 12ab)", 0x7f00 + at, frame.module),
    }) + &format!("\nSUMMARY: {tool}: SEGV\n")
}

fn valgrind(dump: &Dump) -> String {
    let head = "==7== \n==7== Process terminating with default action of signal 11 (SIGSEGV)\n==7==  Access not within mapped region at address 0x8";
    frames(dump, head, |at, frame| {
        format!(
            "==7==    {} 0x{:X}: {} (in {})",
            if at == 0 { "at" } else { "by" },
            0x7f00 + at,
            symbol(frame, "???"),
            frame.module
        )
    })
}

fn coredumpctl(dump: &Dump) -> String {
    let head = "           PID: 7 (python)\n        Signal: 11 (SEGV)\n       Message: Process 7 (python) of user 0 dumped core.\n\n\
                \x20               Stack trace of thread 8:";
    frames(dump, head, |at, frame| {
        format!(
            "                #{at}  0x{:016x} {} ({} + 0x{:x})",
            0x7f00 + at,
            symbol(frame, "n/a"),
            base(&frame.module),
            frame.offset
        )
    })
}

fn backtrace_symbols(dump: &Dump) -> String {
    frames(dump, "!!! uWSGI process 7 got Segmentation Fault !!!\n*** backtrace of 7 ***", |at, frame| {
        format!("{}({}+0x{:x}) [0x{:x}]", frame.module, frame.symbol, 16 + at, 0x7f00 + at)
    }) + "*** end of backtrace ***\n"
}

fn minidump(dump: &Dump) -> String {
    frames(dump, "Crash reason:  SIGSEGV /SEGV_MAPERR\nCrash address: 0x8\n\nThread 2 (crashed)", |at, frame| {
        let name = if frame.symbol.is_empty() { String::new() } else { format!("!{}", frame.symbol) };
        format!(
            "{at:>2}  {}{name} + 0x12\n    rip = 0x00007f01   rsp = 0x00007f02\n    Found by: call frame info",
            base(&frame.module)
        )
    })
}

fn hs_err(dump: &Dump) -> String {
    let head = "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb) at pc=0x00007f01, pid=7, tid=8\n#\n\n\
                Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)";
    frames(dump, head, |_, frame| {
        let name = if frame.symbol.is_empty() { String::new() } else { format!("  {}+0x12", frame.symbol) };
        format!("C  [{}+0x1a2b]{name}", base(&frame.module))
    })
}

fn tombstone(dump: &Dump) -> String {
    let head = "Fatal signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x8 in tid 8 (worker), pid 7 (org.app)\nbacktrace:";
    frames(dump, head, |at, frame| {
        let name = if frame.symbol.is_empty() { String::new() } else { format!(" ({}+12)", frame.symbol) };
        format!("      #{at:02} pc 00000000001a2b40  {}{name}", frame.module)
    })
}

fn llvm_windows(dump: &Dump) -> String {
    frames(dump, "Exception Code: 0xC0000005", |at, frame| {
        let name = if frame.symbol.is_empty() { String::new() } else { format!(", {}() + 0x12 byte(s)", frame.symbol) };
        format!("0x00007FF964B996{at:02X}, {}(0x00007FF9636F0000) + 0x14A96A4 byte(s){name}", frame.module)
    })
}

/// The journal's line, as syslog keeps it.
fn syslog(dump: &Dump) -> String {
    let text = coredumpctl(dump);
    let (python, core) = text.split_once("           PID: ").unwrap();
    format!("{python}\nFeb  3 04:05:06 host systemd-coredump[9]: PID: {}\n", core.replace('\n', "#012"))
}

fn pystack(dump: &Dump) -> String {
    let mut out = format!(
        "The process died due receiving signal SIGSEGV\nExtension modules: {}\nTraceback for thread 8 (python) [Has the GIL] (most recent call last):\n",
        listed(dump)
    );
    for (_, frame) in dump.native().collect::<Vec<_>>().into_iter().rev() {
        writeln!(out, "    (C) File \"???\", line 0, in {} ({})", symbol(frame, "???"), frame.module).unwrap();
    }
    for frame in dump.python().iter().rev() {
        writeln!(out, "    (Python) File \"{}\", line {}, in {}\n        f()", frame.file, frame.line, frame.function).unwrap();
    }
    out
}

fn py_spy(dump: &Dump) -> String {
    let mut out = format!(
        "Segmentation fault (core dumped)\nExtension modules: {}\nPython v3.14.2 (/usr/bin/python3.14t)\n\nThread 8 (active): \"MainThread\"\n",
        listed(dump)
    );
    for (_, frame) in dump.native() {
        writeln!(out, "    {} ({})", symbol(frame, "0x7f01"), frame.module).unwrap();
    }
    for frame in dump.python() {
        writeln!(out, "    {} ({}:{})", frame.function, frame.file, frame.line).unwrap();
    }
    out
}

fn listed(dump: &Dump) -> String {
    let names: Vec<&str> = dump.crash.extensions.iter().map(|extension| extension.name.as_str()).collect();
    format!("{} (total: {})", names.join(", "), names.len())
}

fn pytest(dump: &Dump) -> String {
    format!(
        "tests/test_a.py ..                     [ 50%]\n{}[gw0] node down: Not properly terminated\nF\nreplacing crashed worker gw0\n\
         E   worker 'gw0' crashed while running 'tests/test_a.py::test_b'\n",
        dump.text.replacen("Fatal", "tests/test_a.py::test_b Fatal", 1)
    )
}

fn docker(dump: &Dump) -> String {
    let lines = dump
        .text
        .lines()
        .map(|line| json!({"log": format!("{line}\n"), "stream": "stderr", "time": "2026-02-03T04:05:06Z"}).to_string());
    lines.map(|line| line + "\n").collect()
}

fn cloud_logging(dump: &Dump) -> String {
    serde_json::to_string_pretty(&json!([{"severity": "ERROR", "timestamp": "2026", "jsonPayload": {"message": dump.text}}]))
        .unwrap()
}

fn sentry(dump: &Dump) -> String {
    json!({"level": "fatal", "logentry": {"message": dump.text}}).to_string()
}

fn string_literal(dump: &Dump) -> String {
    format!("E   AssertionError: process died: {:?}\n", dump.text)
}

/// The whole dump, and what the kernel logged of the same process.
fn kernel_beside(dump: &Dump) -> String {
    format!("{}\n{}", dump.text, kernel_line(dump))
}

fn windows_faulthandler(dump: &Dump) -> String {
    let text = dump.text.replacen("Fatal Python error: Segmentation fault", "Windows fatal exception: access violation", 1);
    assert_ne!(text, dump.text);
    text
}

/// What the debugger shows below faulthandler's Python stack.
fn windbg(dump: &Dump) -> String {
    let windows = Dump { text: windows_faulthandler(dump), crash: dump.crash.clone(), ..*dump };
    frames(
        &windows,
        "ExceptionCode: c0000005 (Access violation)\n # Child-SP          RetAddr               Call Site",
        |at, frame| {
            let name = if frame.symbol.is_empty() { String::new() } else { format!("!{}", frame.symbol) };
            format!("{at:02x} 000000d1`9a7fe8b8 00007ffd`5d0f{at:04x}     {}{name}+0x12", base(&frame.module))
        },
    )
}

/// The same as `!analyze -v` has it.
fn stack_text(dump: &Dump) -> String {
    let windows = Dump { text: windows_faulthandler(dump), crash: dump.crash.clone(), ..*dump };
    frames(&windows, "   ExceptionCode: c0000005 (Access violation)\nSTACK_TEXT:  ", |at, frame| {
        let name = if frame.symbol.is_empty() { String::new() } else { format!("!{}", frame.symbol) };
        let numbers = "00000000`00000000 00000212`a36edc80 00000016`f1f7bbc0 00007ffa`367dff00";
        format!("000000d1`9a7fe8b8 00007ffd`5d0f{at:04x}     : {numbers} : {}{name}+0x12", base(&frame.module))
    })
}

fn kernel(dump: &Dump) -> String {
    format!("{}\n{}", dump.python_part(), kernel_line(dump))
}

fn kernel_line(dump: &Dump) -> String {
    let top = &dump.crash.threads[0].native[HANDLER_FRAMES].module;
    format!("[5.1] python[7]: segfault at 8 ip 00007f0000000010 sp 00007f error 4 in {}[7f0000000000+1000]\n", base(top))
}

type Writer = fn(&Dump) -> String;

fn forms() -> Vec<(&'static str, Writer)> {
    vec![
        ("gdb", gdb),
        ("gdb, all threads", gdb_all_threads),
        ("lldb", lldb),
        (".ips", apple_json),
        ("macOS text", apple_text),
        ("AddressSanitizer", |dump| sanitizer(dump, "AddressSanitizer")),
        ("ThreadSanitizer", |dump| sanitizer(dump, "ThreadSanitizer")),
        ("UndefinedBehaviorSanitizer", |dump| sanitizer(dump, "UndefinedBehaviorSanitizer")),
        ("valgrind", valgrind),
        ("coredumpctl", coredumpctl),
        ("uWSGI", backtrace_symbols),
        ("minidump", minidump),
        ("hs_err", hs_err),
        ("tombstone", tombstone),
        ("LLVM on Windows", llvm_windows),
        ("#012", syslog),
        ("pystack", pystack),
        ("py-spy", py_spy),
        ("pytest with xdist", pytest),
        ("docker", docker),
        ("cloud logging", cloud_logging),
        ("Sentry", sentry),
        ("string literal", string_literal),
        ("Windows faulthandler", windows_faulthandler),
        ("WinDbg", windbg),
        ("STACK_TEXT", stack_text),
        ("dump and kernel log", kernel_beside),
    ]
}

fn told(crash: &Crash) -> (String, String, Option<String>, Option<String>, String) {
    let told = questions::of(crash);
    (told.verdict.as_str().to_owned(), told.confidence.as_str().to_owned(), told.culprit, told.known_issue, told.signature)
}

#[test]
fn every_form_gives_the_verdict_and_signature_of_the_plain_dump() {
    for dump in dumps() {
        let expected = told(&dump.crash);
        for (name, write) in forms() {
            let text = write(&dump);
            let crashes = read(&text).unwrap_or_else(|error| panic!("{name}, {}: {error}\n{text}", dump.name));
            assert_eq!(crashes.len(), 1, "{name}, {}: {crashes:#?}\n{text}", dump.name);
            assert_eq!(told(&crashes[0]), expected, "{name}, {}:\n{text}", dump.name);
        }
    }
}

#[test]
fn several_crashes_in_one_text_are_told_each_in_every_form() {
    let all = dumps();
    let expected: Vec<_> = all.iter().map(|dump| told(&dump.crash)).collect();
    // Of these two, the list of modules and the signal stand in the text around, which belongs to no one of several.
    for (name, write) in forms().into_iter().filter(|(name, _)| !["pystack", "py-spy"].contains(name)) {
        // No process dies twice.
        let of_process = |(at, dump)| write(dump).replace("==7==", &format!("==7{at}==")) + "\nINFO restarting\n";
        let text: String = all.iter().enumerate().map(of_process).collect();
        let crashes = read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(crashes.iter().map(told).collect::<Vec<_>>(), expected, "{name}:\n{text}");
    }
}

#[test]
fn several_processes_of_pystack_and_py_spy_are_several() {
    let all = dumps();
    for (name, write) in forms().into_iter().filter(|(name, _)| ["pystack", "py-spy"].contains(name)) {
        let text: String = all.iter().map(write).collect();
        let functions = |crash: &Crash| crash.threads[0].python.iter().map(|frame| frame.function.clone()).collect::<Vec<_>>();
        let each: Vec<_> = read(&text).unwrap().iter().map(functions).collect();
        assert_eq!(each, all.iter().map(|dump| functions(&dump.crash)).collect::<Vec<_>>(), "{name}:\n{text}");
    }
}

#[test]
fn quotes_and_logs_around_any_form_change_nothing() {
    for dump in dumps() {
        for (name, write) in forms()
            .into_iter()
            .filter(|(name, _)| !["docker", "cloud logging", "Sentry", ".ips", "#012", "string literal"].contains(name))
        {
            let clean = told(&read(&write(&dump)).unwrap()[0]);
            let each = |make: &dyn Fn(usize, &str) -> String| {
                write(&dump).lines().enumerate().map(|(at, line)| make(at, line)).collect::<String>()
            };
            for (how, paste) in [
                ("quoted", each(&|_, line| format!("> {line}\n"))),
                ("compose", each(&|_, line| format!("worker-1  | {line}\n"))),
                ("stamped", each(&|at, line| format!("2026-02-03T04:05:{at:02}.{}Z {line}\n", at * 37))),
                ("coloured", each(&|_, line| format!("\u{1b}[31m{line}\u{1b}[0m\n"))),
                ("fenced", format!("It dies:\n\n```\n{}```\n", write(&dump))),
            ] {
                let crashes = read(&paste).unwrap_or_else(|error| panic!("{name}, {how}: {error}"));
                assert_eq!(told(&crashes[0]), clean, "{name}, {how}, {}:\n{paste}", dump.name);
            }
        }
    }
}

#[test]
fn a_line_of_the_kernel_names_the_module() {
    let dump = dumps().into_iter().find(|dump| dump.name == "multidict_update.txt").unwrap();
    assert_eq!(told(&read(&kernel(&dump)).unwrap()[0]), told(&dump.crash));
}

#[test]
fn windows_has_other_words_for_a_segmentation_fault() {
    let python = "  File \"C:\\\\app\\\\main.py\", line 3 in f\n";
    let text = format!(
        "Windows fatal exception: access violation\n\nThread 0x00001a2c (most recent call first):\n{python}\nCurrent thread 0x00002b3c (most recent call first):\n{python}"
    );
    let crash = read(&text).unwrap().remove(0);
    assert_eq!((crash.signal.as_str(), crash.threads.len(), crash.threads[0].crashed), ("SIGSEGV", 2, true));
    let heap =
        read("Windows fatal exception: code 0xc0000374\n\nThread 0x1 (most recent call first):\n  File \"a.py\", line 1 in f\n")
            .unwrap();
    assert!(questions::of(&heap[0]).evidence[0].contains("damaged"), "{:?}", questions::of(&heap[0]));
}

#[test]
fn several_crashes_in_one_log_are_several() {
    let all = dumps();
    let log: String = all.iter().map(|dump| format!("INFO starting\n{}INFO restarting\n", dump.text)).collect();
    let crashes = read(&log).unwrap();
    assert_eq!(crashes.iter().map(told).collect::<Vec<_>>(), all.iter().map(|dump| told(&dump.crash)).collect::<Vec<_>>());
    // The same in other forms, one after the other.
    let cores: String = all.iter().map(coredumpctl).collect::<Vec<_>>().join("\n\n");
    assert_eq!(read(&cores).unwrap().len(), all.len());
    let kernel = "python3[26]: segfault at 0 ip 00007ff211e8be35 sp 00007ffd error 6 in a.so[7ff211e65000+9f000]\n";
    assert_eq!(read(&kernel.repeat(3)).unwrap().len(), 3);
}

#[test]
fn every_form_of_the_table_is_tried_here() {
    let tried = [
        "faulthandler",
        "gdb",
        "lldb",
        "macOS .ips",
        "macOS crash report",
        "AddressSanitizer, ThreadSanitizer, UndefinedBehaviorSanitizer",
        "valgrind",
        "coredumpctl",
        "kernel log",
        "pystack",
        "py-spy dump",
        "pytest-timeout",
        "glog or abseil failure signal",
        "glibc's backtrace_symbols",
        "minidump_stackwalk",
        "minidump_dump",
        "Android tombstone",
        "hs_err of a Java virtual machine",
        "a panic of Rust",
        "a crash of Go's runtime",
        "LLVM's stack on Windows",
        "Windows event log, WinDbg or Visual Studio",
        "pytest-xdist",
        "libc's, C++'s or Rust's last words",
        "a shell's or a parent's line",
    ];
    assert_eq!(FORMS.iter().map(|form| form.name).collect::<Vec<_>>(), tried);
    for form in FORMS {
        assert!(!form.looks_like.is_empty());
        let error = read("INFO all is well").unwrap_err();
        assert!(error.contains(form.name), "{error}");
    }
}
