//! Backtraces of lldb: `bt`, `bt all`.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "lldb",
    looks_like: "``* frame #0: 0x0000000100 lib.dylib`f(a=1) + 12 at file.c:5:1`` (bt, bt all)",
    signs: &["frame #"],
    read,
};

pattern!(ENTRY, r"(?:\* *)?(?:frame #\d+: 0x[0-9a-f]+|thread #\d+)");
pattern!(FRAME, r"^\s*\*?\s*frame #(\d+): (0x[0-9a-fA-F]+)(?:\s+(.*))?$");
pattern!(THREAD, r"^\s*(\*?)\s*thread #(\d+)(.*)$");
pattern!(NAME, r"name = '([^']*)'");
pattern!(REASON, r"stop reason = (.*)$");
pattern!(ADDRESS, r"address=(0x[0-9a-fA-F]+)");
pattern!(OFFSET, r"\s\+\s(\d+)");

fn read(pasted: &[String]) -> Vec<Found> {
    if !pasted.iter().any(|line| FRAME.is_match(line) || ENTRY.is_match(line)) {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut crash = Crash::default();
    let mut stacks = Stacks::default();
    let mut at = None;
    let mut stop = String::new();
    for (number, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if let Some(thread) = THREAD.captures(line) {
            let rest = &thread[3];
            let reason = REASON.captures(rest).map(|reason| reason[1].trim().to_owned()).unwrap_or_default();
            let signal = signal(&reason);
            if !signal.is_empty() && at.is_some() && stacks.threads.iter().any(|known| known.crashed && !known.native.is_empty()) {
                let shown = std::mem::take(&mut stacks);
                // lldb shows the innermost frame where it stops, and `bt` shows it again.
                let same =
                    stop == reason && shown.threads.len() == 1 && shown.threads.iter().all(|thread| thread.native.len() == 1);
                if !same {
                    shown.finish(&mut crash);
                    out.push(Found { at: at.take().unwrap_or(0), crash: std::mem::take(&mut crash) });
                }
            }
            if !signal.is_empty() {
                stop.clone_from(&reason);
            }
            if !signal.is_empty() {
                signal.clone_into(&mut crash.signal);
                crash.address = ADDRESS.captures(&reason).map(|address| frames::hex(&address[1]));
            }
            let name = NAME.captures(rest).map(|name| name[1].to_owned()).unwrap_or_default();
            stacks.begin(Thread { name, crashed: !signal.is_empty() || &thread[1] == "*", ..Thread::default() });
        } else if let Some(frame) = FRAME.captures(line) {
            let index = frame[1].parse().unwrap_or(0);
            at.get_or_insert(number);
            if stacks.restarts(index) {
                stacks.begin(Thread::default());
            }
            let place = frame.get(3).map_or("", |place| place.as_str());
            stacks.push(index, parsed(place));
        }
    }
    if let Some(at) = at {
        stacks.finish(&mut crash);
        out.push(Found { at, crash });
    }
    out
}

fn signal(reason: &str) -> &'static str {
    const SIGNALS: [(&str, &str); 12] = [
        ("EXC_BAD_ACCESS (code=2", "SIGBUS"),
        ("EXC_BAD_ACCESS (code=257", "SIGBUS"),
        ("EXC_BAD_ACCESS", "SIGSEGV"),
        ("EXC_BREAKPOINT", "SIGTRAP"),
        ("EXC_BAD_INSTRUCTION", "SIGILL"),
        ("EXC_ARITHMETIC", "SIGFPE"),
        ("EXC_CRASH", "SIGABRT"),
        ("SIGABRT", "SIGABRT"),
        ("SIGSEGV", "SIGSEGV"),
        ("SIGBUS", "SIGBUS"),
        ("SIGILL", "SIGILL"),
        ("SIGFPE", "SIGFPE"),
    ];
    SIGNALS.iter().find(|(name, _)| reason.contains(name)).map_or("", |(_, signal)| signal)
}

/// The frame of ``lib.dylib`f(a=1) + 12 at file.c:5:1 [opt]``.
fn parsed(place: &str) -> super::super::crash::NativeFrame {
    let Some((module, rest)) = place.split_once('`') else { return frames::native("", "", 0, "") };
    let (rest, source) = match rest.rsplit_once(" at ") {
        Some((before, source)) => (before, source.split_whitespace().next().unwrap_or("").split(':').next().unwrap_or("")),
        None => (rest, ""),
    };
    let offset = OFFSET.captures_iter(rest).last().and_then(|offset| offset[1].parse().ok()).unwrap_or(0);
    let end = OFFSET.find_iter(rest).last().map_or(rest.len(), |offset| offset.start());
    let name = rest.get(..end).unwrap_or(rest).trim_end_matches(" [opt]");
    // `f [inlined] g`: the function that the compiler put in is where it is.
    let name = name.rsplit_once("[inlined] ").map_or(name, |(_, inlined)| inlined);
    frames::native(module, name, offset, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_and_the_backtrace_are_one_crash() {
        let stop = "* thread #2, stop reason = EXC_BAD_ACCESS (code=1, address=0x0)\n";
        let text = format!(
            "{stop}    frame #0: 0x00000001905c7610 libsystem_platform.dylib`_platform_strcmp + 64\n(lldb) bt\n{stop}\
             \x20 * frame #0: 0x00000001905c7610 libsystem_platform.dylib`_platform_strcmp + 64\n\
             \x20   frame #1: 0x00000001018e24cc libpython3.13t.dylib`_PyModule_CreateInitialized + 640\n"
        );
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let found = read(&lines);
        assert_eq!((found.len(), found[0].crash.threads[0].native.len()), (1, 2));
    }

    #[test]
    fn the_thread_with_a_stop_reason_crashed() {
        let text = "* thread #2, name = 'w', stop reason = EXC_BAD_ACCESS (code=1, address=0x8)\n\
                    \x20 * frame #0: 0x0000000100d91864 _c.cpython-313t-darwin.so`PyArray_Repeat(a=1) + 12 at item.c:796:21 [opt]\n\
                    \x20   frame #1: 0x0000000100d91810 libpython3.14t.dylib`_PyEval_EvalFrameDefault + 123\n\
                    \x20   frame #2: 0x0000000100d91810\n  thread #1, queue = 'main'\n    frame #0: 0x01 libsystem_kernel.dylib`__psynch_cvwait + 8\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.address, crash.threads.len()), ("SIGSEGV", Some(8), 2));
        let thread = &crash.threads[0];
        assert!(thread.crashed && thread.name == "w" && thread.native.len() == 3);
        assert_eq!((thread.native[0].symbol.as_str(), thread.native[0].source.as_str()), ("PyArray_Repeat", "item.c"));
        assert_eq!((thread.native[1].symbol.as_str(), thread.native[1].offset), ("_PyEval_EvalFrameDefault", 123));
    }

    #[test]
    fn a_stop_with_another_stack_begins_another_crash() {
        let stop = |reason: &str| format!("* thread #2, stop reason = {reason}\n");
        let frame = |number: u32, name: &str| format!("    frame #{number}: 0x0000000{number} libx.dylib`{name} + 64\n");
        let count = |text: String| read(&text.lines().map(str::to_owned).collect::<Vec<_>>()).len();
        let (bad, trap) = (stop("EXC_BAD_ACCESS (code=1, address=0x0)"), stop("EXC_BREAKPOINT (code=1)"));
        let (f, g) = (frame(0, "f"), frame(1, "g"));
        assert_eq!(count(format!("{bad}{f}{bad}{f}{g}")), 1, "shown again");
        assert_eq!(count(format!("{bad}{f}{trap}{f}{g}")), 2, "another reason");
        assert_eq!(count(format!("{bad}{f}{g}{bad}{f}{g}")), 2, "a whole stack was shown");
        assert_eq!(count(format!("{bad}{trap}{f}")), 1, "nothing was shown");
        assert_eq!(count(format!("  thread #1\n{f}{bad}{f}")), 1, "not of the one that stopped");
        assert_eq!(count(format!("{bad}{f}  thread #1\n{g}{bad}{f}")), 2, "of all threads");
        assert_eq!(count(f), 1, "a piece without a head");
        let marked = format!("  thread #1\n{}* thread #2\n{g}", frame(0, "abort"));
        assert_eq!(FORM.one(&marked).threads[0].native[0].symbol, "g", "the one that lldb marks");
    }
}
