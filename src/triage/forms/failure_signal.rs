//! Handlers of failure signals that C++ libraries bring along: glog, abseil (jax, tensorflow, ray) and PyTorch's stacks.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "glog or abseil failure signal",
    looks_like: "\"*** SIGSEGV received ... ***\" with `@  0x7f  f`, or `frame #0: f + 0x1 (0x7f in lib.so)`",
    signs: &["*** ", "frame #"],
    read,
};

pattern!(ENTRY, r"(?:@ +0x[0-9a-f]+ |\*\*\* SIG[A-Z]+|frame #\d+: .* \(0x[0-9a-f]+ in )");
pattern!(HEADER, r"\*\*\* (?:Process crashed with )?(SIG[A-Z]+)(?:.*?\(@(0x[0-9a-f]+)\))?(.*)$");
pattern!(SENDER, r"from PID (\d+)");
pattern!(FRAME, r"^\s*(PC: )?@\s+(0x[0-9a-f]+)\s+(?:\(?(?:0x[0-9a-f]+|\d+|unknown)\)?\s+)?(.+)$");
pattern!(TORCH, r"^\s*frame #(\d+): (.+?) \+ (0x[0-9a-f]+|\d+) \((0x[0-9a-f]+) in ([^)]+)\)");

fn read(pasted: &[String]) -> Vec<Found> {
    if !pasted.iter().any(|line| ENTRY.is_match(line)) {
        return Vec::new();
    }
    // An exception of torch has a stack, too; it is a crash only where something says so.
    let fatal = pasted.iter().any(|line| {
        ["terminate called", "Fatal Python error", "Segmentation fault", "*** SIG", "dumped core", "core dumped"]
            .iter()
            .any(|sign| line.contains(sign))
    });
    let mut out: Vec<Found> = Vec::new();
    let mut open: Option<(Found, Stacks)> = None;
    for (at, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if let Some(header) = HEADER.captures(line) {
            out.extend(open.take().and_then(finish));
            let mut crash = Crash { signal: header[1].to_owned(), ..Crash::default() };
            crash.address = header.get(2).map(|address| frames::hex(address.as_str()));
            let sender = SENDER.captures(&header[3]).and_then(|sender| sender[1].parse::<u32>().ok());
            // For a fault this number is the low half of the address; for an abort it is the process itself.
            if let Some(sender) = sender.filter(|_| !matches!(&header[1], "SIGSEGV" | "SIGBUS" | "SIGFPE" | "SIGILL" | "SIGABRT")) {
                crash.sender = sender;
            }
            open = Some((Found { at, crash }, Stacks::default()));
        } else if let Some(frame) = FRAME.captures(line) {
            let Some((_, stacks)) = &mut open else { continue };
            if frame.get(1).is_some() {
                continue;
            }
            let number = stacks.current().native.len() as u64;
            stacks.push(number, frames::native("", &frame[3], frames::hex(&frame[2]), ""));
        } else if let Some(frame) = TORCH.captures(line).filter(|_| fatal) {
            let (_, stacks) = open.get_or_insert_with(|| (Found { at, crash: Crash::default() }, Stacks::default()));
            let number = frame[1].parse().unwrap_or(0);
            if stacks.restarts(number) {
                stacks.begin(Thread::default());
            }
            stacks.push(number, frames::native(&frame[5], &frame[2], frames::hex(&frame[3]), ""));
        }
    }
    out.extend(open.and_then(finish));
    out
}

fn finish((mut found, stacks): (Found, Stacks)) -> Option<Found> {
    stacks.finish(&mut found.crash);
    (!found.crash.threads.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_signal_is_read() {
        let text = "*** SIGSEGV received at time=1700000000 on cpu 3 ***\nPC: @     0x7f01  (unknown)  xla::run()\n\
                    \x20   @     0x7f01        128  xla::run()\n    @     0x7f02  (unknown)  (unknown)\n    @ ... and at least 3 more frames\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.threads[0].native.len()), ("SIGSEGV", 2));
        assert_eq!((crash.threads[0].native[0].symbol.as_str(), crash.threads[0].native[1].symbol.as_str()), ("xla::run", ""));
    }

    #[test]
    fn an_exception_of_torch_is_no_crash() {
        let frame =
            "frame #0: c10::Error::Error(c10::SourceLocation, std::string) + 0x57 (0x7f01 in /v/site-packages/torch/lib/libc10.so)"
                .to_owned();
        assert!(read(std::slice::from_ref(&frame)).is_empty());
        let crash = read(&["terminate called after throwing an instance of 'c10::Error'".to_owned(), frame]).remove(0).crash;
        assert_eq!(crash.threads[0].native[0].symbol, "c10::Error::Error");
    }

    #[test]
    fn who_sent_a_signal_is_told_where_the_number_is_one_of_a_process() {
        let crash = |head: &str| FORM.one(&format!("{head}\n    @     0x7f01        128  xla::run()\n"));
        let of = |signal: &str| crash(&format!("*** {signal} (@0x2a) received by PID 9 (TID 0x7f) from PID 42; stack trace: ***"));
        assert_eq!((of("SIGTERM").sender, of("SIGTERM").address), (42, Some(42)));
        assert_eq!(["SIGSEGV", "SIGABRT"].map(|signal| of(signal).sender), [0, 0]);
        assert!(read(&["*** SIGSEGV received ***".to_owned()]).is_empty(), "no stack");
    }
}
