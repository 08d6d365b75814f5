//! Stacks of glibc's `backtrace_symbols()`: what glibc before 2.26 prints when it finds the heap damaged, and what servers with a handler of their own
//! print (uWSGI).

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found, MOST};
use super::frames::{self, Stacks, pattern};
use super::prefixes::before_entries;

/// The form.
pub(super) const FORM: Form = Form {
    name: "glibc's backtrace_symbols",
    looks_like: "`lib.so(f+0x12) [0x7f01]` behind \"======= Backtrace: =========\" or \"*** backtrace of 123 ***\" (glibc, uWSGI)",
    signs: &["acktrace:", "Backtrace: =", "*** backtrace of ", "got Segmentation Fault"],
    read,
};

pattern!(
    ENTRY,
    r"(?:\S+\([^()\s]*\) ?\[0x[0-9a-f]+\]$|======= Backtrace: =+|\*\*\* backtrace of \d+ \*\*\*|!!! uWSGI process|\*\*\* Error in |\*\*\* glibc detected)"
);
pattern!(FRAME, r"^\s*(?:(\S.*?)\(([^()\s]*?)(?:\+(0x[0-9a-f]+))?\)|(\S+)) ?\[(0x[0-9a-f]+)\]$");
pattern!(BEGINS, r"(?:======= Backtrace: =+|\*\*\* backtrace of \d+ \*\*\*|^\s*[Bb]acktrace:\s*$)");

fn read(pasted: &[String]) -> Vec<Found> {
    if !pasted.iter().any(|line| BEGINS.is_match(line)) {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut open: Option<(Found, Stacks)> = None;
    for (at, line) in before_entries(pasted, &ENTRY).iter().enumerate() {
        if BEGINS.is_match(line) {
            out.extend(open.take().and_then(finish));
            // glibc aborts; a handler that prints a stack says which signal it got.
            let signal = match line {
                line if line.contains("Backtrace: =") => "SIGABRT",
                line if line.contains("***") => "SIGSEGV",
                _ => "",
            };
            let crash = Crash { signal: signal.to_owned(), ..Crash::default() };
            open = Some((Found { at, crash }, Stacks::default()));
            continue;
        }
        let Some((_, stacks)) = &mut open else { continue };
        if let Some(frame) = FRAME.captures(line) {
            let part = |at: usize| frame.get(at).map_or("", |part| part.as_str());
            let module = if part(1).is_empty() { part(4) } else { part(1) };
            let offset = if part(3).is_empty() { part(5) } else { part(3) };
            let number = stacks.current().native.len() as u64;
            stacks.push(number, frames::native(module, part(2), frames::hex(offset), ""));
            if let Some(thread) = stacks.threads.first_mut() {
                thread.crashed = true;
            }
        } else if !stacks.threads.is_empty() {
            out.extend(open.take().and_then(finish));
        }
    }
    out.extend(open.and_then(finish));
    out.truncate(MOST);
    out
}

fn finish((mut found, mut stacks): (Found, Stacks)) -> Option<Found> {
    stacks.threads.iter_mut().for_each(|thread: &mut Thread| thread.crashed = true);
    stacks.finish(&mut found.crash);
    "Linux".clone_into(&mut found.crash.python.platform);
    (!found.crash.threads.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibc_and_uwsgi_are_read() {
        let crash = FORM.one(
            "*** Error in `python': free(): invalid pointer: 0x01 ***\n======= Backtrace: =========\n/lib/libc.so.6(cfree+0x4c)[0x7f01]\n\
             /v/site-packages/PIL/_imaging.cpython-36m-x86_64-linux-gnu.so(+0x126de)[0x7f02]\npython[0x4eb166]\n======= Memory map: ========\n\
             00400000-00401000 r-xp 00000000 08:06 1 /usr/bin/python\n",
        );
        let native = &crash.threads[0].native;
        assert_eq!((crash.signal.as_str(), native.len()), ("SIGABRT", 3));
        assert_eq!((native[0].symbol.as_str(), native[1].offset, native[2].module.as_str()), ("cfree", 0x126de, "python"));
        let crash = FORM.one(
            "Oct  2 14:54:24 foo bar: *** backtrace of 7 ***\nuwsgi(uwsgi_backtrace+0x2e) [0x468]\n/lib64/libc.so.6(+0x35640) [0x7f03]\n\
             *** end of backtrace ***\n",
        );
        assert_eq!((crash.signal.as_str(), crash.threads[0].native.len()), ("SIGSEGV", 2));
        assert_eq!(crash.threads[0].native[0].symbol, "uwsgi_backtrace");
    }

    #[test]
    fn no_stack_is_no_crash() {
        assert!(read(&["======= Backtrace: =========".to_owned(), "nothing".to_owned()]).is_empty());
        assert!(read(&["f(x) [0x1]".to_owned()]).is_empty());
    }

    #[test]
    fn other_text_ends_a_stack_that_has_begun() {
        let crash = FORM.one("Backtrace:\ntext\n/lib/a.so(f+0x1) [0x2]\ntext\n/lib/a.so(g+0x1) [0x3]\n");
        assert_eq!(crash.threads[0].native.iter().map(|frame| frame.symbol.as_str()).collect::<Vec<_>>(), ["f"]);
    }
}
