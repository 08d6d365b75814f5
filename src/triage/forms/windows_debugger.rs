//! Windows without faulthandler: the event log's "Faulting module", and stacks of WinDbg and Visual Studio.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;
use super::said;

pattern!(STUDIO, r"^\s*>?\s*(?:\[Inline Frame\] )?([\w.-]+\.(?:pyd|dll|exe))!([^(]+)(?:\(.*\))?(?: Line \d+)?(?:\s+\S+)?$");

/// The form.
pub(super) const FORM: Form = Form {
    name: "Windows event log, WinDbg or Visual Studio",
    looks_like: "\"Faulting module name: lib.pyd\" with \"Exception code: 0xc0000005\", or ``00 000000d1`9a7fe8b8 00007ffd`5d0f1234 python314t!f+0x1``, `python314t.dll!f(int a) Line 5`",
    signs: &["Faulting module", "xception", "`", "!"],
    read,
};

pattern!(MODULE, r"Faulting module name: ([^,\s]+)");
pattern!(MODULE_PATH, r"Faulting module path: (\S.*\S)");
pattern!(CODE, r"(?:Exception code|ExceptionCode): (?:0x)?([0-9a-fA-F]{8})");
pattern!(OFFSET, r"Fault offset: (0x[0-9a-fA-F]+)");
pattern!(ENTRY, r"[0-9a-f]{2,3} [0-9a-f]{8}`[0-9a-f]{8} ");
pattern!(
    FRAME,
    r"^\s*([0-9a-f]{2,3}) (?:[0-9a-f]{8}`?[0-9a-f]{8} +)+(?:: .*? : )?([A-Za-z_][\w.-]*)(?:!(.+?))?(?:\+(0x[0-9a-f]+))?(?: \[(.+?) @ \d+\])?$"
);

fn read(pasted: &[String]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut crash = Crash::default();
    let mut stacks = Stacks::default();
    let mut at = None;
    for (number, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        // The event log names the module first, a debugger the exception.
        let begins = MODULE.is_match(line) || (!crash.signal.is_empty() && CODE.is_match(line));
        if begins && let Some(at) = at.take() {
            found.push(finished(at, std::mem::take(&mut crash), std::mem::take(&mut stacks)));
        }
        if let Some(code) = CODE.captures(line) {
            said::windows_signal(&format!("0x{}", code[1].to_ascii_lowercase())).clone_into(&mut crash.signal);
            if code[1].eq_ignore_ascii_case("c0000374") {
                "Windows fatal exception: code 0xc0000374".clone_into(&mut crash.message);
            }
        }
        if let (Some(path), Some(frame)) =
            (MODULE_PATH.captures(line), stacks.threads.last_mut().and_then(|thread| thread.native.first_mut()))
        {
            path[1].clone_into(&mut frame.module);
        }
        if let Some(module) = MODULE.captures(line) {
            at.get_or_insert(number);
            stacks.begin(Thread { crashed: true, cut: true, ..Thread::default() });
            stacks.push(0, frames::native(&module[1], "", 0, ""));
        } else if let Some(frame) = FRAME.captures(line) {
            at.get_or_insert(number);
            let part = |at: usize| frame.get(at).map_or("", |part| part.as_str());
            let index = frames::hex(&frame[1]);
            if stacks.restarts(index) {
                stacks.begin(Thread::default());
            }
            // WinDbg leaves the end of the file's name out.
            let module = if part(2).contains('.') { part(2).to_owned() } else { format!("{}.dll", part(2)) };
            stacks.push(index, frames::native(&module, part(3), frames::hex(part(4)), part(5)));
        }
        if let Some(frame) = STUDIO.captures(line) {
            at.get_or_insert(number);
            // The line that is marked is the innermost one.
            if line.trim_start().starts_with('>') || stacks.threads.is_empty() {
                stacks.begin(Thread { crashed: true, ..Thread::default() });
            }
            let index = stacks.current().native.len() as u64;
            stacks.push(index, frames::native(&frame[1], &frame[2], 0, ""));
        }
        if let (Some(offset), Some(thread)) = (OFFSET.captures(line), stacks.threads.last_mut())
            && let Some(frame) = thread.native.first_mut()
        {
            frame.offset = frames::hex(&offset[1]);
        }
    }
    found.extend(at.map(|at| finished(at, crash, stacks)));
    found
}

fn finished(at: usize, mut crash: Crash, stacks: Stacks) -> Found {
    "Windows".clone_into(&mut crash.python.platform);
    stacks.finish(&mut crash);
    Found { at, crash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_read() {
        let event = "Faulting application name: python.exe, version: 3.14.2\nFaulting module name: _core.cp314t-win_amd64.pyd, version: 0\n\
                     Exception code: 0xc0000005\nFault offset: 0x00001234\n\
                     Faulting module path: C:\\v\\Lib\\site-packages\\fastlog\\_core.cp314t-win_amd64.pyd\n";
        let lines: Vec<String> = event.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.threads[0].native[0].offset), ("SIGSEGV", 0x1234));
        assert!(crash.threads[0].native[0].module.ends_with("fastlog\\_core.cp314t-win_amd64.pyd"), "{crash:?}");
        let frame = "00 000000d1`9a7fe8b8 00007ffd`5d0f1234 python314t!_PyEval_EvalFrameDefault+0x1b";
        let crash = read(&[frame.to_owned()]).remove(0).crash;
        assert_eq!(crash.threads[0].native[0].symbol, "_PyEval_EvalFrameDefault");
        assert_eq!(crash.threads[0].native[0].module, "python314t.dll");
        let studio = [
            ">   _c.cp314t-win_amd64.pyd!font_render(FontObject * self, _object * args) Line 947   C",
            "    python314t.dll!f() Line 3   C",
        ];
        let crash = read(&studio.map(str::to_owned)).remove(0).crash;
        assert_eq!((crash.threads[0].native[0].symbol.as_str(), crash.threads[0].native.len()), ("font_render", 2));
    }
}
