//! What Android logs of a process that died: the line of libc, and the tombstone of debuggerd.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found, MOST};
use super::frames::{self, Stacks, pattern};

/// The form.
pub(super) const FORM: Form = Form {
    name: "Android tombstone",
    looks_like: "\"Fatal signal 11 (SIGSEGV), code 1, fault addr 0x8 in tid 12 (SDLThread)\", `#00 pc 0001a2b4  /data/app/lib.so (f+12)`",
    signs: &["Fatal signal ", ">>> ", " pc "],
    read,
};

pattern!(FATAL, r"Fatal signal \d+ \((SIG[A-Z]+)\)(?:,? (?:fault addr|at) (?:0x[0-9a-f]+|-+))?");
pattern!(TID, r"\b(?:in tid|thread) (\d+) \(([^)]*)\)");
pattern!(FAULT, r"\b(?:fault addr|at) (?:0x)?([0-9a-f]{1,16})\b");
pattern!(SIGNAL, r"signal \d+ \((SIG[A-Z]+)\), code (-?\d+)");
pattern!(WHO, r"\bpid: (\d+), tid: (\d+), name: (.*?)\s+>>> (.*?) <<<");
pattern!(ABORT, r"Abort message: '(.*?)'?$");
pattern!(
    FRAME,
    r"#(\d{2,3})\s+pc (?:0x)?([0-9a-f]{8,16})\s+([/<\[]\S+(?: \(deleted\))?)(?: \(offset 0x[0-9a-f]+\))?(?: \(([A-Za-z_][^()]*?(?:\([^()]*\))?)(?:\+(\d+))?\))?"
);

fn read(pasted: &[String]) -> Vec<Found> {
    let mut out: Vec<Found> = Vec::new();
    let mut open: Option<(Found, Stacks, Thread)> = None;
    for (at, line) in pasted.iter().enumerate() {
        let fatal = FATAL.captures(line);
        if let Some(fatal) = &fatal {
            out.extend(open.take().and_then(finish));
            let crash = Crash { signal: fatal[1].to_owned(), address: address(line), ..Crash::default() };
            open = Some((Found { at, crash }, Stacks::default(), who(line)));
            continue;
        }
        let is_frame = line.contains(" pc ") && FRAME.is_match(line);
        if open.is_none() && (is_frame || WHO.is_match(line)) {
            open = Some((Found { at, crash: Crash::default() }, Stacks::default(), Thread::default()));
        }
        let Some((found, stacks, thread)) = &mut open else { continue };
        if let Some(who) = WHO.captures(line) {
            found.crash.pid = who[1].parse().unwrap_or(0);
            *thread = Thread { native_id: who[2].parse().unwrap_or(0), name: who[3].trim().to_owned(), ..Thread::default() };
        } else if let Some(signal) = SIGNAL.captures(line) {
            signal[1].clone_into(&mut found.crash.signal);
            found.crash.code = signal[2].parse().ok();
            found.crash.address = found.crash.address.or(address(line));
        } else if let Some(abort) = ABORT.captures(line) {
            abort[1].clone_into(&mut found.crash.message);
        } else if is_frame {
            // A tracker may have made one line of all.
            for frame in FRAME.captures_iter(line) {
                let number = frame[1].parse().unwrap_or(0);
                if stacks.threads.is_empty() {
                    stacks.begin(Thread { crashed: true, ..thread.clone() });
                } else if stacks.restarts(number) {
                    stacks.begin(Thread::default());
                }
                let offset = frames::hex(&frame[2]);
                stacks.push(number, frames::native(&frame[3], frame.get(4).map_or("", |name| name.as_str()), offset, ""));
            }
        }
    }
    out.extend(open.and_then(finish));
    out.truncate(MOST);
    out
}

fn who(line: &str) -> Thread {
    TID.captures(line).map_or_else(Thread::default, |found| Thread {
        native_id: found[1].parse().unwrap_or(0),
        name: found[2].to_owned(),
        ..Thread::default()
    })
}

fn address(line: &str) -> Option<u64> {
    FAULT.captures(line).map(|found| frames::hex(&found[1]))
}

fn finish((mut found, stacks, _): (Found, Stacks, Thread)) -> Option<Found> {
    stacks.finish(&mut found.crash);
    "Android".clone_into(&mut found.crash.python.platform);
    (!found.crash.threads.is_empty() || !found.crash.signal.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_is_read() {
        let crash = FORM.one(
            "F/libc    (12): Fatal signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x40 in tid 14 (SDLThread), pid 12 (org.app)\n\
             F DEBUG   : pid: 12, tid: 14, name: SDLThread  >>> org.app <<<\n\
             F DEBUG   : signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x40\n\
             F DEBUG   :     x0  0000000000000000  x1  0000007b\nF DEBUG   : backtrace:\n\
             F DEBUG   :       #00 pc 000000000015a564  /data/app/org.app/lib/arm64/libpython3.14.so (_PyEval_EvalFrameDefault+8728) (BuildId: 12ab)\n\
             F DEBUG   :       #01 pc 000000000022bd78  /data/app/org.app/lib/arm64/libpython3.14.so\n",
        );
        let thread = &crash.threads[0];
        assert_eq!((crash.signal.as_str(), crash.address, crash.code, crash.pid), ("SIGSEGV", Some(0x40), Some(1), 12));
        assert_eq!((thread.name.as_str(), thread.native_id, thread.native.len()), ("SDLThread", 14, 2));
        assert_eq!((thread.native[0].symbol.as_str(), thread.native[1].symbol.as_str()), ("_PyEval_EvalFrameDefault", ""));
    }

    #[test]
    fn the_line_of_libc_alone_and_frames_in_one_line_are_read() {
        let old = FORM.one("F/libc ( 45): Fatal signal 11 (SIGSEGV) at 0x00000000 (code=1), thread 47 (SDLThread)\n");
        assert_eq!((old.signal.as_str(), old.address, old.threads.len()), ("SIGSEGV", Some(0), 0));
        let piece = FORM.one(
            "lib.so 10-27 00:02:24.047 59 59 F DEBUG : #43 pc 0000000000228ee8 /data/app/~~x==/lib/arm64/libfoo.so (f(int)+72) 10-27 00:02:24.047 59 59 F \
             DEBUG : #44 pc 000000000015a564 /data/app/~~x==/lib/arm64/libpython3.14.so\n",
        );
        let thread = &piece.threads[0];
        assert_eq!((thread.top_cut, thread.native.len(), thread.native[0].symbol.as_str()), (true, 2, "f"));
    }

    #[test]
    fn a_prompt_of_python_is_none() {
        for line in [">>> import x", "the pc 0001 is down", "Fatal signal of the day", "#00 pc of f"] {
            assert!(read(&[line.to_owned()]).is_empty(), "{line}");
        }
    }

    #[test]
    fn the_line_of_libc_names_the_thread_if_nothing_else_does() {
        let frames = "#00 pc 000000000015a564  /data/app/libfoo.so (f+8)\n#00 pc 000000000015a564  /system/lib/libc.so (abort+8)\n";
        let of = |who: &str| {
            let crash =
                FORM.one(&format!("F/libc: Fatal signal 11 (SIGSEGV) at 0x00 (code=1), thread 47 (SDLThread)\n{who}{frames}"));
            crash.threads.into_iter().map(|thread| (thread.native_id, thread.name, thread.crashed)).collect::<Vec<_>>()
        };
        let other = || (0, String::new(), false);
        assert_eq!(of(""), [(47, "SDLThread".to_owned(), true), other()]);
        assert_eq!(of("pid: 12, tid: 14, name: main  >>> org.app <<<\n"), [(14, "main".to_owned(), true), other()]);
    }
}
