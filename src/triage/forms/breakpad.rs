//! Stacks of Breakpad's and Crashpad's `minidump_stackwalk`, which programs that embed Python or Qt bring along.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found, MOST};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;
use super::said;

/// The form.
pub(super) const FORM: Form = Form {
    name: "minidump_stackwalk",
    looks_like: "\"Crash reason:  SIGSEGV\", \"Thread 0 (crashed)\", ` 1  lib.dll!f + 0x12` (Breakpad, Crashpad)",
    signs: &["Crash reason:"],
    read,
};

pattern!(ENTRY, r"(?:Crash (?:reason|address):|Thread \d+(?: \(crashed\))?$|\b\d{1,3}  [^\s!]+(?:!.+)? \+ 0x[0-9a-f]+\]?$)");
pattern!(REASON, r"^\s*Crash reason:\s+(.+)$");
pattern!(ADDRESS, r"^\s*Crash address:\s+(0x[0-9a-fA-F]+)");
pattern!(THREAD, r"^\s*Thread (\d+)(?: \(crashed\)|\s*$)");
pattern!(FRAME, r"^\s*(\d{1,3})  (?:([^\s!]+)(?:!(.+?))?(?: \[(\S+) : \d+ )?(?:\s?\+ ?(0x[0-9a-f]+)\]?)?|(0x[0-9a-f]+))$");

/// The signal of a reason.
fn signal(reason: &str) -> &'static str {
    const SIGNALS: [(&str, &str); 6] = [
        ("SIGSEGV", "SIGSEGV"),
        ("EXC_BAD_ACCESS", "SIGSEGV"),
        ("SIGBUS", "SIGBUS"),
        ("SIGABRT", "SIGABRT"),
        ("SIGILL", "SIGILL"),
        ("SIGTRAP", "SIGTRAP"),
    ];
    let of_windows = || if reason.contains("EXCEPTION_") { said::windows_signal(reason) } else { "" };
    SIGNALS.iter().find(|(name, _)| reason.contains(name)).map_or_else(of_windows, |(_, signal)| signal)
}

fn read(pasted: &[String]) -> Vec<Found> {
    if !pasted.iter().any(|line| line.contains("Crash reason:")) {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut open: Option<(Found, Stacks)> = None;
    for (at, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if let Some(reason) = REASON.captures(line) {
            out.extend(open.take().map(finish));
            let crash = Crash { signal: signal(&reason[1]).to_owned(), ..Crash::default() };
            open = Some((Found { at, crash }, Stacks::default()));
            continue;
        }
        let Some((found, stacks)) = &mut open else { continue };
        if let Some(address) = ADDRESS.captures(line) {
            found.crash.address = Some(frames::hex(&address[1]));
        } else if THREAD.is_match(line) {
            stacks.begin(Thread { crashed: line.contains("(crashed)"), ..Thread::default() });
        } else if let Some(frame) = FRAME.captures(line).filter(|_| !stacks.threads.is_empty()) {
            let part = |at: usize| frame.get(at).map_or("", |part| part.as_str());
            stacks.push(frame[1].parse().unwrap_or(0), frames::native(part(2), part(3), frames::hex(part(5)), part(4)));
        }
    }
    out.extend(open.map(finish));
    out.truncate(MOST);
    out
}

fn finish((mut found, stacks): (Found, Stacks)) -> Found {
    stacks.finish(&mut found.crash);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_that_crashed_is_the_first() {
        let text = "Crash reason:  EXCEPTION_ACCESS_VIOLATION_READ\nCrash address: 0xc\n\nThread 0\n 0  ntdll.dll + 0x1\n\nThread 3 (crashed)\n 0  0xc\n\
                    \x20   eip = 0x0000000c   esp = 0x0028d08c\n    Found by: given as instruction pointer in context\n 1  _c.pyd!ns::f(int) [f.cpp : 12 + 0x5]\n\
                    \x20 2  python314.dll + 0x70ed2\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.address, crash.threads.len()), ("SIGSEGV", Some(12), 2));
        let native = &crash.threads[0].native;
        assert_eq!((native.len(), native[1].symbol.as_str(), native[1].source.as_str()), (3, "ns::f", "f.cpp"));
        assert_eq!((native[2].module.as_str(), native[2].offset), ("python314.dll", 0x70ed2));
    }
}
