//! What `minidump_dump` of Breakpad and the module `minidump` of Python show of a minidump that nobody walked: the exception and the
//! modules.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found, MOST};
use super::frames::{self, Stacks, pattern};
use super::said;

/// The form.
pub(super) const FORM: Form = Form {
    name: "minidump_dump",
    looks_like: "\"MDException\" with `exception_record.exception_code = 0xb`, `0x2320 | ExceptionCode.EXCEPTION_ACCESS_VIOLATION | ...`",
    signs: &["exception_record.", "ExceptionCode."],
    read,
};

pattern!(FIELD, r"^\s*(thread_id|exception_record\.\w+(?:\[ ?\d+\])?|base_of_image|size_of_image|\(code_file\))\s+=\s+(.+)$");
pattern!(ROW, r"(0x[0-9a-f]+) +\| ExceptionCode\.(\w+) +\| \S+ +\| \S+ +\| (0x[0-9a-f]+) +\|(?: \[\d+, (\d+)\])?");

/// The signal of a code: of Linux its number, of macOS the number of Mach's exception, of Windows a status.
fn signal(code: u64) -> &'static str {
    match code {
        1 | 11 => "SIGSEGV",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 | 10 => "SIGBUS",
        8 => "SIGFPE",
        status => said::windows_signal(&format!("{status:#x}")),
    }
}

fn read(pasted: &[String]) -> Vec<Found> {
    let mut out: Vec<Found> = Vec::new();
    let mut open: Option<Report> = None;
    let (mut base, mut size) = (0, 0);
    // `minidump_dump` lists the modules before the exception.
    let mut modules: Vec<(u64, u64, String)> = Vec::new();
    for (at, line) in pasted.iter().enumerate() {
        if let Some(row) = ROW.captures(line) {
            let crash = Crash { signal: said::windows_signal(&row[2]).to_owned(), ..Crash::default() };
            let address = row.get(4).and_then(|address| address.as_str().parse().ok());
            let report = Report { at, thread: frames::hex(&row[1]), pc: frames::hex(&row[3]), crash: Crash { address, ..crash } };
            out.extend(open.replace(report).map(|report| report.finish(&modules)));
            continue;
        }
        let Some(field) = FIELD.captures(line) else { continue };
        let (name, value) = (&field[1], field[2].trim());
        let number = frames::hex(value);
        match name {
            "base_of_image" => base = number,
            "size_of_image" => size = number,
            "(code_file)" => modules.push((base, size, value.trim_matches('"').to_owned())),
            "thread_id" | "exception_record.exception_code" => {
                let begins = name == "thread_id" || open.as_ref().is_none_or(|report| report.pc != 0);
                // Each thread of the list has an id of its own; only that of an exception counts.
                if name == "thread_id" && !pasted.get(at + 1).is_some_and(|next| next.contains("exception_record.")) {
                    continue;
                }
                if begins {
                    let report = Report { at, thread: if name == "thread_id" { number } else { 0 }, ..Report::default() };
                    out.extend(open.replace(report).map(|report| report.finish(&modules)));
                }
                if let Some(report) = open.as_mut().filter(|_| name != "thread_id") {
                    signal(number).clone_into(&mut report.crash.signal);
                }
            }
            "exception_record.exception_address" => {
                if let Some(report) = &mut open {
                    report.pc = number;
                }
            }
            name if name.ends_with("[ 1]") => {
                if let Some(report) = &mut open {
                    report.crash.address = Some(number);
                }
            }
            _ => {}
        }
    }
    out.extend(open.map(|report| report.finish(&modules)));
    out.truncate(MOST);
    out
}

#[derive(Default)]
struct Report {
    at: usize,
    thread: u64,
    /// Address of the instruction.
    pc: u64,
    crash: Crash,
}

impl Report {
    fn finish(mut self, modules: &[(u64, u64, String)]) -> Found {
        let mut stacks = Stacks::default();
        let found = modules.iter().find(|(base, size, _)| (*base..base.saturating_add(*size)).contains(&self.pc));
        if let Some((base, _, file)) = found {
            stacks.begin(Thread { native_id: self.thread, cut: true, ..Thread::default() });
            stacks.push(0, frames::native(file, "", self.pc - base, ""));
        }
        stacks.finish(&mut self.crash);
        Found { at: self.at, crash: self.crash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exception_lies_in_a_module() {
        let crash = FORM.one(
            "MDRawModule\n  base_of_image                   = 0x7f0000001000\n  size_of_image                   = 0x2000\n\
             \x20 (code_file)                     = \"/v/site-packages/fastlog/_core.so\"\nMDRawThread\n  thread_id                   = 0x9\n  suspend_count = 0\n\n\
             MDException\n  thread_id                                  = 0x7\n  exception_record.exception_code            = 0xb\n\
             \x20 exception_record.exception_address         = 0x7f0000001234\n  exception_record.exception_information[ 0] = 0x1\n\
             \x20 exception_record.exception_information[ 1] = 0x8\n",
        );
        assert_eq!((crash.signal.as_str(), crash.address, crash.threads[0].native_id), ("SIGSEGV", Some(8), 7));
        let frame = &crash.threads[0].native[0];
        assert_eq!((frame.module.as_str(), frame.offset), ("/v/site-packages/fastlog/_core.so", 0x234));
    }

    #[test]
    fn an_exception_alone_tells_the_signal() {
        let table = FORM.one("0x00002320 | ExceptionCode.EXCEPTION_ACCESS_VIOLATION | 0x00000000     | 0x00000000      | 0x00164d14       | [0, 16]\n");
        assert_eq!((table.signal.as_str(), table.address, table.threads.len()), ("SIGSEGV", Some(16), 0));
        let unknown = FORM.one("  exception_record.exception_code            = 0x879\n");
        assert_eq!((unknown.signal.as_str(), unknown.threads.len()), ("", 0));
        assert!(read(&["thread_id = 0x7".to_owned(), "ExceptionCode.X".to_owned()]).is_empty());
    }

    #[test]
    fn codes_are_signals_of_linux_exceptions_of_macos_and_statuses_of_windows() {
        let codes = [1, 4, 5, 6, 7, 8, 10, 11, 0xc000_0005, 3];
        let names = ["SIGSEGV", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGBUS", "SIGSEGV", "SIGSEGV", ""];
        assert_eq!(codes.map(signal), names);
    }

    #[test]
    fn the_second_parameter_is_the_address() {
        let crash = FORM.one(
            "  exception_record.exception_code            = 0xb\n  exception_record.exception_information[ 1] = 0x8\n\
             \x20 exception_record.exception_information[ 2] = 0x9\n  exception_record.number_parameters         = 0x7\n",
        );
        assert_eq!(crash.address, Some(8));
    }

    #[test]
    fn each_exception_is_a_crash_of_its_own_and_frames_are_missing() {
        let module = "  base_of_image = 0x1000\n  size_of_image = 0x2000\n  (code_file) = \"/v/_core.so\"\n";
        let exception = |thread: u64, code: &str| {
            format!(
                "  thread_id = {thread:#x}\n  exception_record.exception_code = {code}\n  exception_record.exception_address = 0x1010\n"
            )
        };
        let text = format!("{module}{}{}", exception(7, "0xb"), exception(8, "0x6"));
        let found = read(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        let told: Vec<(usize, &str, u64, bool)> = (found.iter())
            .map(|found| (found.at, found.crash.signal.as_str(), found.crash.threads[0].native_id, found.crash.threads[0].cut))
            .collect();
        assert_eq!(told, [(3, "SIGSEGV", 7, true), (6, "SIGABRT", 8, true)]);
        let rows = "0x00002320 | ExceptionCode.EXCEPTION_ACCESS_VIOLATION | 0x0 | 0x0 | 0x00001010 | [0, 16]\n".repeat(2);
        let rows = read(&rows.lines().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(rows.iter().map(|found| found.at).collect::<Vec<_>>(), [0, 1]);
    }
}
