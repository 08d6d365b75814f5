//! The last words of Go's runtime: an extension module written in Go, or a program in Go that embeds Python.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "a crash of Go's runtime",
    looks_like: "\"panic: ...\" or \"fatal error: ...\" with \"[signal SIGSEGV: segmentation violation code=0x1 ...]\" and \"goroutine 1 [running]:\"",
    signs: &["[signal ", "goroutine "],
    read,
};

pattern!(ENTRY, r"(?:\[signal (?:SIG|0x)|^panic: |^fatal error: |goroutine \d+ (?:.* )?\[[a-z][^\]]*\]:|^runtime stack:)");
pattern!(SIGNAL, r"^\s*\[signal (SIG[A-Z]+|0x[0-9a-f]+)(?::[^\]]*?)? code=-?(?:0x)?[0-9a-f]+ addr=(0x[0-9a-f]+) pc=0x[0-9a-f]+\]");
pattern!(ABORT, r"^\s*(SIG[A-Z]+): [a-z]");
pattern!(WORDS, r"^\s*(panic|fatal error): (.+)$");
pattern!(GOROUTINE, r"^\s*(?:goroutine (\d+) (?:.* )?\[([a-z][^\]]*)\]|runtime stack):$");
pattern!(CALL, r"^\s*([\w.~/@%-]+\.[\w.*()\[\]{}·-]+?)\((?:[^()]*|0x.*)\)$");

fn signal(name: &str) -> &str {
    match name {
        "0xb" => "SIGSEGV",
        "0x7" | "0xa" => "SIGBUS",
        "0x8" => "SIGFPE",
        "0x6" => "SIGABRT",
        name if name.starts_with("SIG") => name,
        _ => "",
    }
}

/// `py::Import` of `example.com/embed/py.Import`: behind a dot there are suffixes of compilers in other languages.
fn function(call: &str) -> String {
    let call = call.rsplit('/').next().unwrap_or(call);
    call.replace("(*", "").replace(')', "").replace('.', "::")
}

fn read(pasted: &[String]) -> Vec<Found> {
    let lines = before_entries(pasted, &ENTRY);
    let mut begins = None;
    let mut crash = Crash::default();
    let mut stacks = Stacks::default();
    let mut in_stack = false;
    for (at, line) in lines.iter().enumerate() {
        if let Some(found) = SIGNAL.captures(line) {
            begins = begins.or(Some(at));
            if crash.signal.is_empty() {
                signal(&found[1]).clone_into(&mut crash.signal);
                crash.address = Some(frames::hex(&found[2]));
            }
        } else if let Some(found) = ABORT.captures(line).filter(|_| lines.get(at + 1).is_some_and(|next| next.starts_with("PC=0x")))
        {
            begins = begins.or(Some(at));
            found[1].clone_into(&mut crash.signal);
        } else if let Some(words) = WORDS.captures(line).filter(|_| crash.message.is_empty()) {
            crash.message = format!("Go: {}: {}", &words[1], &words[2]).chars().take(300).collect();
        } else if let Some(goroutine) = GOROUTINE.captures(line) {
            begins = begins.or(Some(at));
            let name =
                goroutine.get(1).map_or_else(|| "Go's own stack".to_owned(), |number| format!("goroutine {}", number.as_str()));
            // What Go's runtime did on its own stack is how it found the signal.
            let dies = goroutine
                .get(2)
                .is_some_and(|state| state.as_str().starts_with("running") || state.as_str().starts_with("syscall"));
            stacks.begin(Thread { name, crashed: dies, ..Thread::default() });
            in_stack = true;
        } else if in_stack && let Some(call) = CALL.captures(line) {
            let number = stacks.current().native.len() as u64;
            stacks.push(number, frames::native("", &function(&call[1]), 0, ""));
        } else if line.trim().is_empty() {
            in_stack = false;
        }
    }
    let Some(at) = begins else { return Vec::new() };
    // Stacks alone are those of a program that somebody asked for them.
    if crash.signal.is_empty() && crash.message.is_empty() {
        return Vec::new();
    }
    if crash.signal.is_empty() {
        "SIGABRT".clone_into(&mut crash.signal);
    }
    stacks.finish(&mut crash);
    vec![Found { at, crash }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_and_the_goroutine_that_got_it_are_read() {
        let crash = FORM.one(
            "fatal error: unexpected signal during runtime execution\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x7f17]\n\n\
             runtime stack:\nruntime.throw(0x74c3c2, 0x2a)\n\t/usr/local/go/src/runtime/panic.go:616 +0x81\n\n\
             goroutine 50 [syscall]:\nruntime.cgocall(0x68bad0, 0xc420384e68)\n\t/usr/local/go/src/runtime/cgocall.go:128 +0x64 fp=0xc42\n\
             example.com/fast/log._Cfunc_append(0x7f17, 0x0)\n\t_cgo_gotypes.go:30 +0x4a\n\ngoroutine 1 [select]:\nmain.main()\n",
        );
        assert_eq!((crash.signal.as_str(), crash.address), ("SIGSEGV", Some(8)));
        let thread = &crash.threads[0];
        assert_eq!((thread.name.as_str(), thread.native.len()), ("goroutine 50", 2));
        assert_eq!(thread.native[1].symbol, "log::_Cfunc_append");
        assert_eq!(FORM.one("[signal 0xb code=0x1 addr=0x48 pc=0x7f46]\n").signal, "SIGSEGV");
    }

    #[test]
    fn a_panic_ends_the_process() {
        let crash = FORM.one("panic: assignment to entry in nil map\n\ngoroutine 17 [running, locked to thread]:\nmain.Append(0x1)\n\t/b/log.go:7 +0x1d\n");
        assert_eq!((crash.signal.as_str(), crash.message.as_str()), ("SIGABRT", "Go: panic: assignment to entry in nil map"));
        assert_eq!(crash.threads[0].native[0].symbol, "main::Append");
        assert_eq!(FORM.one("SIGABRT: abort\nPC=0x7fff m=0 sigcode=0\n\ngoroutine 0 [idle]:\n").signal, "SIGABRT");
    }

    #[test]
    fn talk_of_goroutines_is_none() {
        for text in ["goroutine 7 [running]:\nmain.main()\n", "panic: of the market\n", "a goroutine is cheap\n"] {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            assert!(read(&lines).is_empty(), "{text}");
        }
    }

    #[test]
    fn signals_are_called_by_their_names() {
        let numbers = ["0xb", "0x7", "0xa", "0x8", "0x6", "SIGQUIT", "0x1"];
        assert_eq!(numbers.map(signal), ["SIGSEGV", "SIGBUS", "SIGBUS", "SIGFPE", "SIGABRT", "SIGQUIT", ""]);
    }
}
