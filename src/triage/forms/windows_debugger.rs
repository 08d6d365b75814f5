//! Windows without faulthandler: the event log's "Faulting module", and stacks of WinDbg and Visual Studio.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;
use super::said;

pattern!(
    STUDIO,
    r"^\s*>?\s*(?:\[Inline Frame\] )?([\w.-]+\.(?:pyd|dll|exe))!([^(]+)(?:\(.*\))?(?:\s+\S+ \d+)?(?:\s+\+ 0x[0-9a-f]+(?: Bytes)?)?(?:\s+\S+)?$"
);

/// The form.
pub(super) const FORM: Form = Form {
    name: "Windows event log, WinDbg or Visual Studio",
    looks_like: "\"Faulting module name: lib.pyd\" with \"Exception code: 0xc0000005\", or ``00 000000d1`9a7fe8b8 00007ffd`5d0f1234 python314t!f+0x1``, `python314t.dll!f(int a) Line 5`",
    signs: &["Unhandled exception at 0x", "Faulting module", "Fault Module", "xception", "`", "!", " - code c"],
    read,
};

// Of the event log, and of the window that Windows shows.
pattern!(MODULE, r"Fault(?:ing module name| Module Name):\s*([^,\s]+)");
pattern!(UNHANDLED, r"(?:Unhandled exception|Exception thrown) at 0x[0-9A-Fa-f]+ \(([^()\s]+)\) in [^:]+: 0x([0-9A-Fa-f]{8}): ");
pattern!(MODULE_PATH, r"Faulting module path: (\S.*\S)");
pattern!(CODE, r"(?:(?:Exception [cC]ode:\s*|ExceptionCode: )(?:0x)?|\([0-9a-f]+\.[0-9a-f]+\): .* - code )([0-9a-fA-F]{8})");
pattern!(OFFSET, r"(?:Fault offset: 0x|Exception Offset:\s*)([0-9a-fA-F]+)");
pattern!(ENTRY, r"\b(?:[0-9a-f]{2,3} [0-9a-f]{8}`[0-9a-f]{8} |[0-9a-f]{8}`[0-9a-f]{8} [0-9a-f]{8}`[0-9a-f]{8} +: )");
pattern!(
    FRAME,
    r"^\s*([0-9a-f]{2,3}) (?:[0-9a-f]{8}`?[0-9a-f]{8} +)+(?:: .*? : )?([A-Za-z_][\w.-]*)(?:!(.+?))?(?:\+(0x[0-9a-f]+))?(?: \[(.+?) @ \d+\])?$"
);
// `k` without numbers, and the STACK_TEXT of `!analyze -v`; of programs with 32 bits too.
pattern!(
    TEXT_FRAME,
    r"^\s*[0-9a-f]{8}`?(?:[0-9a-f]{8})? [0-9a-f]{8}`?(?:[0-9a-f]{8})? +(?:: .*? : |(?:[0-9a-f]{8} ){0,4})([A-Za-z_][\w.-]*)(?:!(.+?)(?:\+(0x[0-9a-f]+))?|\+(0x[0-9a-f]+))(?: \[(.+?) @ \d+\])?$"
);

fn read(pasted: &[String]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut crash = Crash::default();
    let mut stacks = Stacks::default();
    let mut at = None;
    for (number, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        let may_be_window = line.contains("nhandled exception at 0x") || line.contains("xception thrown at 0x");
        // The event log names the module first, a debugger the exception.
        let begins = MODULE.is_match(line)
            || (may_be_window && UNHANDLED.is_match(line))
            || (!crash.signal.is_empty() && CODE.is_match(line));
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
        let unhandled = if may_be_window { UNHANDLED.captures(line) } else { None };
        if let Some(found) = &unhandled {
            said::windows_signal(&format!("0x{}", found[2].to_ascii_lowercase())).clone_into(&mut crash.signal);
        }
        if let Some(module) = unhandled.or_else(|| MODULE.captures(line)) {
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
            stacks.push(index, frames::native(&file_of(part(2)), part(3), frames::hex(part(4)), part(5)));
        }
        if let Some(frame) = TEXT_FRAME.captures(line) {
            at.get_or_insert(number);
            let part = |at: usize| frame.get(at).map_or("", |part| part.as_str());
            if stacks.threads.is_empty() {
                stacks.begin(Thread { crashed: true, ..Thread::default() });
            }
            let index = stacks.current().native.len() as u64;
            stacks
                .push(index, frames::native(&file_of(part(1)), part(2), frames::hex(&format!("{}{}", part(3), part(4))), part(5)));
        }
        if let Some(frame) = STUDIO.captures(line) {
            at.get_or_insert(number);
            // The line that is marked is the innermost one.
            if line.trim_start().starts_with('>') || stacks.threads.is_empty() {
                stacks.begin(Thread { crashed: true, ..Thread::default() });
            }
            let index = stacks.current().native.len() as u64;
            // Without symbols, the address stands in place of the name.
            let name = Some(&frame[2]).filter(|name| !(name.len() >= 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit())));
            stacks.push(index, frames::native(&frame[1], name.unwrap_or_default(), 0, ""));
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

/// The file that `WinDbg` leaves the end of the name of out: `_core_cp314t_win_amd64` is `_core.cp314t-win_amd64.pyd`.
fn file_of(name: &str) -> String {
    if name.contains('.') {
        return name.to_owned();
    }
    let tagged = ["_win_amd64", "_win32", "_win_arm64"].iter().find_map(|end| Some((name.strip_suffix(end)?, end.get(1..)?)));
    match tagged.and_then(|(rest, platform)| Some((rest.rsplit_once("_cp3")?, platform))) {
        Some(((module, version), platform)) => format!("{module}.cp3{version}-{platform}.pyd"),
        None => format!("{name}.dll"),
    }
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

    #[test]
    fn stacks_without_numbers_are_read() {
        let one = |text: &str| {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            read(&lines).remove(0).crash
        };
        let analysis = one("ExceptionCode: c0000005 (Access violation)\nSTACK_TEXT:  \n\
             000000d1`9a7fe8b8 00007ffd`5d0f1234     : 00000000`00000000 00000212`a36edc80 00000016`f1f7bbc0 00007ffa`367dff00 : _core_cp314t_win_amd64!append_line+0x2\n\
             000000d1`9a7fe8c0 00007ffd`5d0f1235     : 00000000`00000000 00000212`a36edc80 00000016`f1f7bbc0 00007ffa`367dff00 : python314t!_PyEval_EvalFrameDefault+0x1b\n");
        let frames = &analysis.threads[0].native;
        assert_eq!((analysis.signal.as_str(), frames.len()), ("SIGSEGV", 2));
        assert_eq!((frames[0].module.as_str(), frames[0].symbol.as_str()), ("_core.cp314t-win_amd64.pyd", "append_line"));
        let old = one("(ee8.8b8): Access violation - code c0000005 (!!! second chance !!!)\nChildEBP RetAddr  Args to Child\n\
             0013fd04 77387dc3 00a0180c 000080a2 00000000 win32ui!f+0x23\n0013fd3c 77387101 python27!g+0x6a\n");
        assert_eq!((old.signal.as_str(), old.threads[0].native.len()), ("SIGSEGV", 2));
    }

    #[test]
    fn addresses_are_no_names() {
        let studio = ["win32ui.pyd!1e2bfc70()".to_owned(), "\tlibxml2.dll!xmlRMutexLock(int a)  Zeile 234\tC".to_owned()];
        let frames = read(&studio).remove(0).crash.threads.remove(0).native;
        assert_eq!((frames[0].symbol.as_str(), frames[1].symbol.as_str()), ("", "xmlRMutexLock"));
    }

    #[test]
    fn each_entry_of_a_log_and_each_exception_is_a_crash() {
        let count = |text: &str| read(&text.lines().map(str::to_owned).collect::<Vec<_>>()).len();
        let entry = "Faulting module name: _core.pyd, version: 0\nException code: 0xc0000005\n";
        let exception = "ExceptionCode: c0000005 (Access violation)\n00 000000d1`9a7fe8b8 00007ffd`5d0f1234 python314t!f+0x1b\n";
        assert_eq!([count(&entry.repeat(2)), count(&exception.repeat(2))], [2, 2]);
        assert_eq!(count(&format!("{entry}{exception}")), 2);
    }

    #[test]
    fn the_first_stack_crashed_whichever_other_one_aborts() {
        let threads = |text: &str| {
            let crash = read(&text.lines().map(str::to_owned).collect::<Vec<_>>()).remove(0).crash;
            let told = |thread: &Thread| (thread.crashed, thread.cut, thread.native[0].module.clone());
            crash.threads.iter().map(told).collect::<Vec<_>>()
        };
        let is = |cut, modules: [&str; 2]| vec![(true, cut, modules[0].to_owned()), (false, false, modules[1].to_owned())];
        let abort = "00 000000d1`9a7fe8b8 00007ffd`5d0f1234 ucrtbase!abort+0x1b\n";
        let event = "Faulting module name: _core.pyd, version: 0\n";
        assert_eq!(threads(&format!("{event}{abort}")), is(true, ["_core.pyd", "ucrtbase.dll"]));
        let text = "000000d1`9a7fe8b8 00007ffd`5d0f1234     : 00000000`00000000 : win32ui!f+0x2\n";
        assert_eq!(threads(&format!("{text}{abort}")), is(false, ["win32ui.dll", "ucrtbase.dll"]));
        let studio = ">   a.pyd!f(int a) Line 947   C\n>   b.dll!abort() Line 3   C\n";
        assert_eq!(threads(studio), is(false, ["a.pyd", "b.dll"]));
    }
}
