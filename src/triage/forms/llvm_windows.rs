//! Stacks that LLVM prints on Windows, without names as a rule: compilers inside torch, triton, numba, llvmlite.

use super::super::crash::Crash;
use super::form::{Form, Found, MOST};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;
use super::said;

/// The form.
pub(super) const FORM: Form = Form {
    name: "LLVM's stack on Windows",
    looks_like: "`0x00007FF964B996A4, C:\\x\\lib.dll(0x00007FF9636F0000) + 0x14A96A4 byte(s), f() + 0x12 byte(s)`",
    signs: &[" byte(s)"],
    read,
};

pattern!(ENTRY, r"0x[0-9A-Fa-f]{8,16}(?: \(0x[^)]*\))?, [^,]+\(0x[0-9A-Fa-f]+\) \+ 0x[0-9A-Fa-f]+ byte\(s\)");
pattern!(
    FRAME,
    r"^\s*#?\d* ?0x[0-9A-Fa-f]{8,16}(?: \(0x[^)]*\))?, (.+?)\(0x[0-9A-Fa-f]+\) \+ 0x([0-9A-Fa-f]+) byte\(s\)(?:, (.+?)(?:\(\))? \+ 0x[0-9A-Fa-f]+ byte\(s\))?"
);
pattern!(CODE, r"^\s*(?:Exception Code: )0x([0-9A-Fa-f]{8})");

fn read(pasted: &[String]) -> Vec<Found> {
    let mut out = Vec::new();
    let mut begins = None;
    let mut crash = Crash::default();
    let mut stacks = Stacks::default();
    for (at, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if let Some(code) = CODE.captures(line) {
            out.extend(begins.take().map(|at| finish(at, std::mem::take(&mut crash), std::mem::take(&mut stacks))));
            // A breakpoint is how LLVM gives up.
            let signal = if &code[1] == "80000003" { "SIGABRT" } else { said::windows_signal(&format!("0x{}", &code[1])) };
            signal.clone_into(&mut crash.signal);
        } else if let Some(frame) = FRAME.captures(line) {
            begins.get_or_insert(at);
            let number = stacks.current().native.len() as u64;
            let offset = frames::hex(&frame[2]);
            stacks.push(number, frames::native(&frame[1], frame.get(3).map_or("", |name| name.as_str()), offset, ""));
        }
    }
    out.extend(begins.map(|at| finish(at, crash, stacks)));
    out.truncate(MOST);
    out
}

fn finish(at: usize, mut crash: Crash, stacks: Stacks) -> Found {
    stacks.finish(&mut crash);
    "Windows".clone_into(&mut crash.python.platform);
    Found { at, crash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_names_are_read() {
        let crash = FORM.one(
            "Exception Code: 0xC0000005\n0x00007FF964B996A4, C:\\v\\Lib\\site-packages\\fastlog\\_core.pyd(0x00007FF9636F0000) + 0x14A96A4 byte(s)\n\
             0x00007FFD5D0F1234 (0x1 0x2), C:\\v\\python314t.dll(0x00007FFD5D000000) + 0xF1234 byte(s), PyObject_Call() + 0x12 byte(s)\n",
        );
        let native = &crash.threads[0].native;
        assert_eq!((crash.signal.as_str(), native.len(), native[0].offset), ("SIGSEGV", 2, 0x14A_96A4));
        assert_eq!(native[1].symbol, "PyObject_Call");
        assert!(read(&["0x12345678, 5 byte(s)".to_owned()]).is_empty());
    }
}
