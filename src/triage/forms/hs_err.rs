//! Reports of the Java virtual machine (`hs_err_pid*.log`), where Python runs in one process with it: `JPype`, `PyJNIus`, Spark, Jep.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found, MOST};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;
use super::said;

/// The form.
pub(super) const FORM: Form = Form {
    name: "hs_err of a Java virtual machine",
    looks_like: "\"A fatal error has been detected by the Java Runtime Environment\", `C  [lib.so+0x1a2b]  f+0x2a`",
    signs: &["Java Runtime Environment", "Native frames:"],
    read,
};

pattern!(
    ENTRY,
    r"(?:A fatal error has been detected by the Java|Native frames: \(|Problematic frame:|\b[CV]  \[[^\]]+\+0x[0-9a-f]+\])"
);
pattern!(SIGNAL, r"\b(SIG[A-Z]+|EXCEPTION_[A-Z_]+) \(0x[0-9a-f]+\) at pc=0x[0-9a-f]+, pid=(\d+), tid=(\d+)");
pattern!(ADDRESS, r"si_addr: (0x[0-9a-f]+)|(?:reading|writing) address (0x[0-9a-f]+)");
pattern!(FRAME, r"^[\s#]*[CV]  \[([^\]]+?)\+(0x[0-9a-f]+)\](?:  (.+?)(?:\+0x[0-9a-f]+)?)?$");
pattern!(JAVA, r"^[\s#]*[jJAv]  (?:\d+ )?(?:c[12] )?(\S.*)$");

fn signal(name: &str) -> &'static str {
    const SIGNALS: [&str; 5] = ["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"];
    SIGNALS.into_iter().find(|signal| *signal == name).unwrap_or_else(|| said::windows_signal(name))
}

fn read(pasted: &[String]) -> Vec<Found> {
    let mut out: Vec<Found> = Vec::new();
    let mut open: Option<Report> = None;
    for (at, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if line.contains("A fatal error has been detected by the Java") {
            out.extend(open.take().and_then(Report::finish));
            open = Some(Report { at, ..Report::default() });
        } else if line.contains("Native frames: (") {
            let report = open.get_or_insert_with(|| Report { at, ..Report::default() });
            // The frame that the head shows is the first one of these.
            report.stacks = Stacks::default();
            report.is_whole = true;
        } else if line.trim().is_empty() && open.as_ref().is_some_and(|report| report.is_whole && !report.stacks.threads.is_empty())
        {
            out.extend(open.take().and_then(Report::finish));
        }
        let Some(report) = &mut open else { continue };
        if let Some(found) = SIGNAL.captures(line) {
            signal(&found[1]).clone_into(&mut report.crash.signal);
            report.crash.pid = found[2].parse().unwrap_or(0);
            report.native_id = found[3].parse().unwrap_or(0);
        } else if let Some(found) = ADDRESS.captures(line) {
            report.crash.address = found.get(1).or_else(|| found.get(2)).map(|address| frames::hex(address.as_str()));
        } else if let Some(frame) = FRAME.captures(line) {
            report.push(frames::native(&frame[1], frame.get(3).map_or("", |name| name.as_str()), frames::hex(&frame[2]), ""));
        } else if let Some(frame) = JAVA.captures(line).filter(|_| report.is_whole) {
            report.push(frames::native("", frame[1].split(['(', '+']).next().unwrap_or(""), 0, ""));
        }
    }
    out.extend(open.and_then(Report::finish));
    out.truncate(MOST);
    out
}

#[derive(Default)]
struct Report {
    at: usize,
    crash: Crash,
    native_id: u64,
    stacks: Stacks,
    /// The list of frames is there, not only the first one.
    is_whole: bool,
}

impl Report {
    fn push(&mut self, frame: super::super::crash::NativeFrame) {
        if self.stacks.threads.is_empty() {
            self.stacks.begin(Thread { cut: !self.is_whole, native_id: self.native_id, ..Thread::default() });
        }
        let number = self.stacks.current().native.len() as u64;
        self.stacks.push(number, frame);
    }

    fn finish(mut self) -> Option<Found> {
        self.stacks.finish(&mut self.crash);
        let told = !self.crash.threads.is_empty() || !self.crash.signal.is_empty();
        told.then_some(Found { at: self.at, crash: self.crash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb) at pc=0x00007f89, pid=12, tid=14\n#\n\
                        # JRE version: OpenJDK\n# Problematic frame:\n# C  [_bridge.cpython-314t-x86_64-linux-gnu.so+0x3e1]  Env::call(_jobject*)+0x26\n#\n";

    #[test]
    fn the_frame_of_the_head_is_enough() {
        let crash = FORM.one(HEAD);
        assert_eq!((crash.signal.as_str(), crash.pid, crash.threads[0].native_id), ("SIGSEGV", 12, 14));
        let frame = &crash.threads[0].native[0];
        assert_eq!((frame.symbol.as_str(), frame.offset, crash.threads[0].cut), ("Env::call", 0x3e1, true));
        assert!(crash.threads[0].crashed);
        let crash = FORM.one(&HEAD.replace("SIGSEGV (0xb)", "EXCEPTION_ACCESS_VIOLATION (0xc0000005)"));
        assert_eq!(crash.signal, "SIGSEGV");
    }

    #[test]
    fn the_list_of_frames_takes_its_place() {
        let text = format!(
            "{HEAD}\nsiginfo: si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x0000000000000010\n\n\
             Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)\n\
             C  [_bridge.cpython-314t-x86_64-linux-gnu.so+0x3e1]  _ZN3Env4callEv+0x26\nj  org.example.Job.run()V+4\nC  [libpython3.14t.so.1.0+0xb714]\n\n\
             Java frames: (J=compiled Java code)\nj  org.example.Job.run()V+4\n"
        );
        let crash = FORM.one(&text);
        let names: Vec<&str> = crash.threads[0].native.iter().map(|frame| frame.symbol.as_str()).collect();
        assert_eq!((names, crash.address, crash.threads[0].cut), (vec!["Env::call", "org.example.Job.run", ""], Some(16), false));
    }

    #[test]
    fn talk_of_java_is_no_crash() {
        for line in ["install a Java Runtime Environment first", "Native frames: none", "C  [x+0x1]"] {
            assert!(read(&[line.to_owned()]).is_empty(), "{line}");
        }
    }

    #[test]
    fn each_report_is_a_crash_in_its_place() {
        let found = read(&format!("text\n{HEAD}{HEAD}").lines().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(found.iter().map(|found| found.at).collect::<Vec<_>>(), [2, 2 + HEAD.lines().count()]);
        let piece = "text\nNative frames: (J=compiled Java code)\nC  [libx.so+0x1]  f+0x2\n\nC  [libx.so+0x1]  g+0x2\n";
        let found = read(&piece.lines().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!((found.len(), found[0].at, found[0].crash.threads[0].native.len()), (1, 1, 1));
        let head = "# A fatal error has been detected by the Java Runtime Environment:\n";
        assert!(read(&[head.to_owned()]).is_empty(), "nothing is told");
        assert_eq!(FORM.one(&format!("{head}#  SIGSEGV (0xb) at pc=0x00007f89, pid=12, tid=14\n")).threads.len(), 0);
        assert_eq!(FORM.one(&format!("{head}# C  [libx.so+0x1]  f+0x2\n")).signal, "");
    }
}
