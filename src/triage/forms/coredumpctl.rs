//! `coredumpctl info`, and what systemd-coredump writes to the journal.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "coredumpctl",
    looks_like: "\"Stack trace of thread 123:\", `#0  0x00007f f (lib.so + 0x1)`",
    signs: &["Stack trace of thread", " + 0x", "dumped core", "Signal: "],
    read,
};

pattern!(ENTRY, r"(?:#\d+ +0x[0-9a-f]+ \S+ \([^()\s=]+(?: \+ 0x[0-9a-f]+)?\)$|Stack trace of thread \d+|Signal: \d+ \()");
pattern!(FRAME, r"^\s*#(\d+)\s+0x[0-9a-f]+\s+(\S+)\s+\(([^()\s=]+)(?: \+ 0x([0-9a-f]+))?\)$");
pattern!(THREAD, r"Stack trace of thread (\d+)");
pattern!(SIGNAL, r"^\s*Signal: \d+ \((?:SIG)?([A-Z]+)\)");
pattern!(PROCESS, r"Process (\d+) \(\S+\) of user \d+ (?:dumped core|terminated abnormally)");
pattern!(EXECUTABLE, r"^\s*Executable: (\S+)");

fn read(pasted: &[String]) -> Vec<Found> {
    // Without the head, only the offset tells it from a line of gdb without symbols.
    if !pasted.iter().any(|line| {
        THREAD.is_match(line) || PROCESS.is_match(line) || SIGNAL.is_match(line) || (line.contains(" + 0x") && FRAME.is_match(line))
    }) {
        return Vec::new();
    }
    let mut out: Vec<Found> = Vec::new();
    let mut core = Core::default();
    for (at, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        let process = PROCESS.captures(line);
        let begins = process.is_some() || SIGNAL.is_match(line);
        if begins && core.stacks.threads.iter().any(|thread| !thread.native.is_empty()) {
            out.extend(std::mem::take(&mut core).finish());
        }
        if let Some(process) = process {
            core.at.get_or_insert(at);
            core.crash.message = format!("systemd-coredump: process {} dumped core", &process[1]);
        }
        if let Some(signal) = SIGNAL.captures(line) {
            core.at.get_or_insert(at);
            core.crash.signal = format!("SIG{}", &signal[1]);
        } else if let Some(executable) = EXECUTABLE.captures(line) {
            executable[1].clone_into(&mut core.crash.python.executable);
        } else if let Some(thread) = THREAD.captures(line) {
            core.at.get_or_insert(at);
            // The first one is the one that got the signal.
            let crashed = core.stacks.threads.is_empty();
            core.stacks.begin(Thread { native_id: thread[1].parse().unwrap_or(0), crashed, ..Thread::default() });
        } else if let Some(frame) = FRAME.captures(line) {
            core.at.get_or_insert(at);
            core.stacks.push(
                frame[1].parse().unwrap_or(0),
                frames::native(&frame[3], &frame[2], frame.get(4).map_or(0, |offset| frames::hex(offset.as_str())), ""),
            );
        }
    }
    out.extend(core.finish());
    out
}

#[derive(Default)]
struct Core {
    at: Option<usize>,
    crash: Crash,
    stacks: Stacks,
}

impl Core {
    fn finish(mut self) -> Option<Found> {
        self.stacks.finish(&mut self.crash);
        "Linux".clone_into(&mut self.crash.python.platform);
        // The head alone says that there is a core.
        if !self.crash.threads.is_empty() || !self.crash.signal.is_empty() {
            self.crash.message.clear();
        }
        Some(Found { at: self.at?, crash: self.crash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stack_is_of_the_thread_that_crashed() {
        let text = "        Signal: 11 (SEGV)\n    Executable: /usr/bin/python3.14t\n                Stack trace of thread 12:\n\
                    \x20               #0  0x00007fa878142129 f (libx.so.1 + 0x142129)\n                #1  0x00007fa87818a366 n/a (liby.so + 0x1)\n\
                    \x20               Stack trace of thread 11:\n                #0  0x00007fa878142129 poll (libc.so.6 + 0x1)\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.threads.len()), ("SIGSEGV", 2));
        assert_eq!((crash.threads[0].native_id, crash.threads[0].native.len()), (12, 2));
        assert_eq!(crash.threads[0].native[1].symbol, "");
    }

    #[test]
    fn the_head_alone_says_that_there_is_a_core() {
        let process = "Process 7 (python3) of user 1000 dumped core.\n";
        let head = FORM.one(process);
        assert_eq!((head.message.as_str(), head.threads.len()), ("systemd-coredump: process 7 dumped core", 0));
        let stack = "Stack trace of thread 12:\n#0  0x00007fa878142129 f (libx.so.1 + 0x142129)\n\
                     Stack trace of thread 11:\n#0  0x00007fa878142129 abort (libc.so.6 + 0x1)\n";
        let whole = FORM.one(&format!("{process}Signal: 11 (SEGV)\n{stack}"));
        assert_eq!((whole.message.as_str(), whole.threads[0].native_id, whole.threads[0].crashed), ("", 12, true));
        assert_eq!(FORM.one(&format!("{process}{stack}")).message, "");
        assert_eq!(FORM.one(&format!("{process}Signal: 11 (SEGV)\n")).message, "");
    }

    #[test]
    fn each_process_and_each_signal_begins_a_core() {
        let core = |head: &str| format!("{head}Stack trace of thread 12:\n#0  0x00007fa878142129 f (libx.so.1 + 0x142129)\n");
        let count = |text: &str| read(&text.lines().map(str::to_owned).collect::<Vec<_>>()).len();
        let (process, signal) = ("Process 7 (python3) of user 1000 dumped core.\n", "Signal: 11 (SEGV)\n");
        assert_eq!(count(&core(process).repeat(2)), 2);
        assert_eq!(count(&core(signal).repeat(2)), 2);
        assert_eq!(count(&core(&format!("{process}{signal}"))), 1);
        assert_eq!(count("#0  0x00007fa878142129 f (libx.so.1 + 0x142129)\n"), 1, "the offset tells it from gdb");
        assert_eq!(count("#0  0x00007fa878142129 f (libx.so.1)\n"), 0);
        assert_eq!(count("it is + 0x12\n"), 0);
    }
}
