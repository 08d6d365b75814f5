//! Lines of the kernel's log: a segmentation fault, another trap, or the out-of-memory killer.

use super::super::crash::{Crash, NativeFrame, Thread};
use super::form::{Form, Found, MOST};
use super::frames::{self, pattern};

/// The form.
pub(super) const FORM: Form = Form {
    name: "kernel log",
    looks_like: "\"python3[123]: segfault at 0 ip 00007f sp 00007f error 6 in lib.so[7f+9f000]\", \"traps: python3[1] general protection fault\", \"Out of memory: Killed process\"",
    signs: &[
        "segfault at ",
        "traps: ",
        "ut of memory: Kill",
        "oom-kill:constraint=",
        "oom_kill event",
        "oom-kill event",
        "by the OOM killer",
    ],
    read,
};

pattern!(
    SEGFAULT,
    r"(\S+?)\[(\d+)\]:? segfault at ([0-9a-f]+) ip ([0-9a-f]+) sp [0-9a-f]+ error [0-9a-f]+(?: in ([^\[\s]+)\[([^\]]+)\])?"
);
pattern!(
    TRAP,
    r"traps: (\S+?)\[(\d+)\] (general protection|trap [a-z0-9 ]+?) (?:fault )?ip:([0-9a-f]+) sp:[0-9a-f]+ error:[0-9a-f]+(?: in ([^\[\s]+)\[([^\]]+)\])?"
);
pattern!(KILLED, r"(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process (\d+) \(([^)]+)\)");
// Words of the kernel before it names the process, and of systemd and Slurm.
pattern!(KILLS, r"oom-kill:constraint=|[Dd]etected \d+ oom[-_]kill event|A process of this unit has been killed by the OOM killer");

fn out_of_memory() -> Crash {
    Crash { signal: "SIGKILL".to_owned(), message: "Out of memory: the kernel killed the process".to_owned(), ..Crash::default() }
}

fn read(pasted: &[String]) -> Vec<Found> {
    let mut out: Vec<Found> = Vec::new();
    for (at, line) in pasted.iter().enumerate().filter(|(_, line)| line.len() < 4096) {
        let crash = if let Some(found) = SEGFAULT.captures(line) {
            let address = Some(frames::hex(&found[3]));
            died("SIGSEGV", address, &found)
        } else if let Some(found) = TRAP.captures(line) {
            let signal = match &found[3] {
                "trap invalid opcode" => "SIGILL",
                "trap divide error" => "SIGFPE",
                "trap int3" => "SIGTRAP",
                _ => "SIGSEGV",
            };
            died(signal, None, &found)
        } else if KILLED.is_match(line) {
            out_of_memory()
        } else {
            continue;
        };
        if out.len() < MOST {
            out.push(Found { at, crash });
        }
    }
    if out.is_empty() {
        let at = pasted.iter().position(|line| line.len() < 4096 && KILLS.is_match(line));
        out.extend(at.map(|at| Found { at, crash: out_of_memory() }));
    }
    out
}

fn died(signal: &str, address: Option<u64>, found: &regex_lite::Captures<'_>) -> Crash {
    let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
    let ip = frames::hex(part(4));
    // `7ff211e65000+9f000` or, newer, `26e35,7ff211e65000+9f000`.
    let base = part(6).rsplit(',').next().unwrap_or("").split('+').next().unwrap_or("");
    let offset = part(6).split_once(',').map_or_else(|| ip.wrapping_sub(frames::hex(base)), |(offset, _)| frames::hex(offset));
    let module = part(5);
    let mut native = Vec::new();
    if !module.is_empty() {
        native.push(NativeFrame { offset, ..frames::native(module, "", 0, "") });
    } else if ip == 0 {
        native.push(NativeFrame::default());
    }
    let thread = Thread { native_id: part(2).parse().unwrap_or(0), crashed: true, cut: true, native, ..Thread::default() };
    let mut crash = Crash { signal: signal.to_owned(), address, threads: vec![thread], ..Crash::default() };
    "Linux".clone_into(&mut crash.python.platform);
    crash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_read() {
        let of = |line: &str| read(&[line.to_owned()]).into_iter().next().map(|found| found.crash);
        let crash = of("May  9 host kernel: [5.2] python3[26]: segfault at 10 ip 00007ff211e8be35 sp 00007ffd error 6 in p.so[7ff211e65000+9f000]").unwrap();
        assert_eq!((crash.signal.as_str(), crash.address), ("SIGSEGV", Some(0x10)));
        assert_eq!((crash.threads[0].native[0].module.as_str(), crash.threads[0].native[0].offset), ("p.so", 0x26e35));
        let newer =
            of("python3[26]: segfault at 0 ip 0000000000000000 sp 1 error 14 in x[26e35,55555+1000] likely on CPU 3").unwrap();
        assert_eq!(newer.threads[0].native[0].offset, 0x26e35);
        let trap = of("traps: python[1] trap invalid opcode ip:55 sp:7f error:0 in libx.so.2[50+1000]").unwrap();
        assert_eq!((trap.signal.as_str(), trap.threads[0].native[0].offset), ("SIGILL", 5));
        let general = of("traps: python3[123] general protection fault ip:7f sp:7f error:0 in libx.so[70+10]").unwrap();
        assert_eq!(general.signal, "SIGSEGV");
        let killed = of("Out of memory: Killed process 123 (python3) total-vm:1kB").unwrap();
        assert_eq!((killed.signal.as_str(), killed.message.as_str()), ("SIGKILL", "Out of memory: the kernel killed the process"));
        assert!(of("python3[26]: all is well").is_none());
    }

    #[test]
    fn memory_that_ran_out_is_told_once() {
        let of = |lines: &[&str]| read(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        let before = "host kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task=python3,pid=7,uid=0";
        let named = "host kernel: Memory cgroup out of memory: Killed process 7 (python3) total-vm:1kB";
        for lines in [
            &[before][..],
            &[before, named],
            &["slurmstepd: error: Detected 1 oom_kill event in StepId=4.batch. Some of the step tasks have been OOM Killed."],
            &["systemd[1]: worker.service: A process of this unit has been killed by the OOM killer."],
        ] {
            let found = of(lines);
            assert_eq!((found.len(), found[0].crash.signal.as_str()), (1, "SIGKILL"), "{lines:?}");
            assert!(found[0].crash.message.starts_with("Out of memory"), "{lines:?}");
        }
    }

    #[test]
    fn each_trap_has_its_signal() {
        for (trap, signal) in [
            ("trap invalid opcode", "SIGILL"),
            ("trap divide error", "SIGFPE"),
            ("trap int3", "SIGTRAP"),
            ("trap stack segment", "SIGSEGV"),
            ("general protection fault", "SIGSEGV"),
        ] {
            assert_eq!(FORM.one(&format!("traps: python[1] {trap} ip:55 sp:7f error:0 in x.so[50+10]")).signal, signal, "{trap}");
        }
    }

    #[test]
    fn a_line_tells_the_thread_and_its_innermost_frame_alone() {
        let thread = |place: &str| FORM.one(&format!("python3[26]: segfault at 0 ip {place}")).threads.remove(0);
        let in_library = thread("55 sp 1 error 6 in x.so[50+10]");
        assert_eq!((in_library.native_id, in_library.crashed, in_library.cut), (26, true, true));
        assert_eq!(in_library.native, [NativeFrame { module: "x.so".to_owned(), offset: 5, ..NativeFrame::default() }]);
        assert_eq!(thread("0 sp 1 error 14").native, [NativeFrame::default()], "a null pointer was called");
        assert_eq!(thread("55 sp 1 error 14").native, [], "anywhere");
    }

    #[test]
    fn neither_endless_lines_nor_endless_logs_are_read() {
        let line = |length: usize| {
            let words = "Out of memory: Killed process 123 (python3)";
            vec![format!("{}{words}", " ".repeat(length - words.len()))]
        };
        assert_eq!((read(&line(4095)).len(), read(&line(4096)).len()), (1, 0));
        assert_eq!(read(&vec![line(100).remove(0); MOST + 2]).len(), MOST);
    }
}
