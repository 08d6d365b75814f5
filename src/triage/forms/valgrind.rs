//! Reports of valgrind's memcheck, helgrind and drd.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found, MOST};
use super::frames::{self, Stacks, pattern};

/// The form.
pub(super) const FORM: Form = Form {
    name: "valgrind",
    looks_like: "`==123==    at 0x4C2E: f (file.c:5)`, `by 0x4C2F: g (in /usr/lib/lib.so)`",
    signs: &["=="],
    read,
};

pattern!(LINE, r"==(\d+)==( *)(.*)$");
pattern!(FRAME, r"^(at|by) 0x([0-9A-Fa-f]+): (.+?)(?: \((?:in )?([^()]+)\))?$");
pattern!(SIGNAL, r"action of signal \d+ \((SIG[A-Z]+)\)");
pattern!(ADDRESS, r"(?:at|to|from) address (0x[0-9A-Fa-f]+)");

fn read(pasted: &[String]) -> Vec<Found> {
    let mut processes: Vec<(String, Vec<(usize, &String)>)> = Vec::new();
    for (at, line) in pasted.iter().enumerate() {
        let Some(found) = LINE.captures(line) else { continue };
        if let Some((_, lines)) = processes.iter_mut().find(|(process, _)| *process == found[1]) {
            lines.push((at, line));
        } else if processes.len() < MOST {
            processes.push((found[1].to_owned(), vec![(at, line)]));
        }
    }
    let mut found: Vec<Found> = processes.iter().filter_map(|(_, lines)| of_process(lines)).collect();
    // Of a process that went on, something went wrong, and nothing died.
    if found.iter().any(|found| !found.crash.signal.is_empty()) {
        found.retain(|found| !found.crash.signal.is_empty());
    } else {
        found.truncate(1);
    }
    found
}

fn of_process(lines: &[(usize, &String)]) -> Option<Found> {
    let mut errors: Vec<Error> = Vec::new();
    for &(at, line) in lines {
        let Some(found) = LINE.captures(line) else { continue };
        let text = found[3].trim_end();
        if let Some(frame) = FRAME.captures(text) {
            if errors.is_empty() {
                // A piece out of the middle of a report.
                errors.push(Error { at, number: 1, ..Error::default() });
            }
            let Some(error) = errors.last_mut() else { continue };
            let place = frame.get(4).map_or("", |place| place.as_str());
            let (module, source) = match place.rsplit_once(':') {
                Some((file, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) => ("", file),
                _ => (place, ""),
            };
            if &frame[1] == "at" {
                let first = error.stacks.threads.is_empty();
                error.stacks.begin(Thread { name: error.section.clone(), crashed: first, ..Thread::default() });
                error.number = 0;
            } else if error.stacks.threads.is_empty() {
                error.stacks.begin(Thread { crashed: true, ..Thread::default() });
            }
            error.stacks.push(error.number, frames::native(module, &frame[3], frames::hex(&frame[2]), source));
            error.number += 1;
        } else if text.starts_with("Locks held") || text.starts_with("Required order") {
            continue;
        } else if text.starts_with("This conflicts with")
            && let Some(error) = errors.last_mut()
        {
            // The other access of a race.
            error.section = text.to_owned();
        } else if found[2].len() == 1 && !text.is_empty() {
            if !errors.last().is_some_and(|error| error.stacks.threads.is_empty()) || errors.is_empty() {
                errors.push(Error { at, ..Error::default() });
            }
            if let Some(error) = errors.last_mut() {
                error.what = text.to_owned();
            }
        } else if let Some(error) = errors.last_mut() {
            error.section = text.to_owned();
            error.address = error.address.or_else(|| ADDRESS.captures(text).map(|address| frames::hex(&address[1])));
        }
        if let (Some(signal), Some(error)) = (SIGNAL.captures(text), errors.last_mut()) {
            signal[1].clone_into(&mut error.signal);
        }
    }
    // Where threads began, which helgrind says first of all.
    errors.retain(|error| !(error.what.starts_with("Thread #") && error.what.ends_with("was created")));
    errors.retain(|error| error.stacks.threads.iter().any(|thread| !thread.native.is_empty()));
    // The end of the process, else the first thing that went wrong.
    let whole = || errors.iter().position(|error| !error.what.is_empty());
    let died = errors.iter().position(|error| !error.signal.is_empty()).or_else(whole).unwrap_or(0);
    if errors.is_empty() { None } else { Some(errors.swap_remove(died).finish()) }
}

#[derive(Default)]
struct Error {
    at: usize,
    what: String,
    section: String,
    signal: String,
    address: Option<u64>,
    number: u64,
    stacks: Stacks,
}

impl Error {
    fn finish(mut self) -> Found {
        let mut crash = Crash { address: self.address, ..Crash::default() };
        if self.signal.is_empty() && !self.what.is_empty() {
            crash.message = format!("valgrind: {}", self.what);
        }
        crash.signal = std::mem::take(&mut self.signal);
        self.stacks.threads.iter_mut().filter(|thread| thread.crashed).for_each(|thread| thread.name.clear());
        self.stacks.finish(&mut crash);
        Found { at: self.at, crash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_process_is_the_crash() {
        let text = "==7== Invalid read of size 8\n==7==    at 0x1: f (x.c:5)\n==7==  Address 0x8 is 0 bytes inside a block of size 8 free'd\n\
                    ==7==    at 0x2: free (in /usr/libexec/valgrind/vgpreload.so)\n==7== \n\
                    ==7== Process terminating with default action of signal 11 (SIGSEGV)\n==7==  Access not within mapped region at address 0x8\n\
                    ==7==    at 0x1: g (x.c:9)\n==7==    by 0x2: h (in /usr/lib/libpython3.14.so)\n";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.address), ("SIGSEGV", Some(8)));
        let native = &crash.threads[0].native;
        assert_eq!((native[0].symbol.as_str(), native[0].source.as_str()), ("g", "x.c"));
        assert_eq!((native[1].symbol.as_str(), native[1].module.as_str()), ("h", "/usr/lib/libpython3.14.so"));
    }

    fn found(text: &str) -> Vec<Found> {
        read(&text.lines().map(str::to_owned).collect::<Vec<String>>())
    }

    #[test]
    fn of_a_process_that_went_on_the_first_error_is_told() {
        let text = "pytest\n==7== Invalid read of size 8\n==7==    at 0x1: f (x.c:5)\n\
                    ==7== Invalid write of size 4\n==7==    at 0x2: g (x.c:6)\n\
                    ==8== Invalid free()\n==8==    at 0x3: h (x.c:7)\n";
        let found = found(text);
        assert_eq!(found.len(), 1);
        let Found { at, crash } = &found[0];
        assert_eq!((*at, crash.message.as_str(), crash.signal.as_str()), (1, "valgrind: Invalid read of size 8", ""));
    }

    #[test]
    fn processes_that_died_are_told_each_and_the_others_not() {
        let died = |process: usize| {
            format!(
                "=={process}== Process terminating with default action of signal 6 (SIGABRT)\n\
                 =={process}==    at 0x1: f{process} (x.c:5)\n"
            )
        };
        let text = format!("==7== Invalid read\n==7==    at 0x9: g (x.c:5)\n{}{}", died(8), died(9));
        let symbols: Vec<String> = found(&text).iter().map(|found| found.crash.threads[0].native[0].symbol.clone()).collect();
        assert_eq!(symbols, ["f8", "f9"]);
        let many: String = (1..MOST + 5).map(died).collect();
        assert_eq!(found(&many).len(), MOST);
    }

    #[test]
    fn a_piece_of_a_report_lacks_its_innermost_frames() {
        let crash = found("==7==    by 0x2: g (in /usr/lib/libz.so.1)\n==7==    by 0x3: h (x.c:9)\n").remove(0).crash;
        let thread = &crash.threads[0];
        assert!(thread.top_cut && !thread.cut && thread.crashed && crash.message.is_empty());
        let whole = found("==7==    at 0x1: f (x.c:1)\n==7==    by 0x2: g (x.c:2)\n==7==    by 0x3: h (x.c:3)\n").remove(0).crash;
        assert!(!whole.threads[0].top_cut && !whole.threads[0].cut && whole.threads[0].native.len() == 3);
        let second = found("==7== Invalid read\n==7==    by 0x2: g (x.c:2)\n==7==    by 0x3: h (x.c:3)\n").remove(0).crash;
        assert!(!second.threads[0].cut && second.threads[0].native.len() == 2);
    }

    #[test]
    fn the_second_stack_of_an_error_has_the_words_above_it_for_its_name() {
        let text = "==7== Invalid read of size 8\n==7==    at 0x1: f (x.c:5)\n==7==  Address 0x18 is inside a block free'd\n\
                    ==7==    at 0x2: free (x.c:6)\n==7== \n==7==    at 0x3: k (a:b)\n";
        let crash = found(text).remove(0).crash;
        let names: Vec<&str> = crash.threads.iter().map(|thread| thread.name.as_str()).collect();
        assert_eq!(
            (names, crash.threads[0].crashed, crash.threads[1].crashed),
            (vec!["", "Address 0x18 is inside a block free'd", ""], true, false)
        );
        assert_eq!(crash.threads[2].native[0].module, "a:b", "no number of a line");
        let of_a_thread = found("==7== Thread 3:\n==7== Invalid read\n==7==    at 0x1: f (x.c:5)\n").remove(0).crash;
        assert_eq!(of_a_thread.message, "valgrind: Invalid read");
        assert!(found("==7== Memcheck, a memory error detector\n==7== HEAP SUMMARY:\n").is_empty());
    }

    #[test]
    fn the_stack_of_the_error_crashed_and_not_that_of_the_block() {
        let block = "==7==  Address 0x8 is 0 bytes inside a block\n==7==    at 0x2: abort (in /lib/libc.so.6)\n";
        let named = |text: &str| {
            let crash = found(text).remove(0).crash;
            crash.threads.into_iter().map(|thread| (thread.crashed, thread.native[0].symbol.clone())).collect::<Vec<_>>()
        };
        let is = |names: [&str; 2]| [(true, names[0].to_owned()), (false, names[1].to_owned())];
        assert_eq!(named(&format!("==7== Invalid read\n==7==    at 0x1: f (x.c:5)\n{block}")), is(["f", "abort"]));
        assert_eq!(named(&format!("==7==    by 0x1: g (x.c:5)\n{block}")), is(["g", "abort"]), "of a piece as well");
    }

    #[test]
    fn a_crash_begins_where_its_error_does_and_frames_are_numbered() {
        let found = found("text\n==7==    by 0x1: f (x.c:5)\n==7==    by 0x2: g (x.c:6)\n==7==    by 0x3: h (x.c:7)\n");
        assert_eq!(found[0].at, 1);
        assert!(found[0].crash.threads[0].top_cut && !found[0].crash.threads[0].cut);
        let whole = "==7== Invalid read\n==7==    at 0x1: f (x.c:5)\n==7==    by 0x2: g (x.c:6)\n";
        let thread = super::read(&whole.lines().map(str::to_owned).collect::<Vec<_>>()).remove(0).crash.threads.remove(0);
        assert!(!thread.top_cut && !thread.cut);
    }

    #[test]
    fn of_an_error_the_last_head_is_its_name() {
        let message = |text: &str| found(text).remove(0).crash.message;
        assert_eq!(message("==7== Memcheck\n==7== Invalid read\n==7==    at 0x1: f (x.c:5)\n"), "valgrind: Invalid read");
        let piece = "==7==    by 0x1: f (x.c:5)\n==7== Invalid write\n==7==    at 0x2: g (x.c:6)\n";
        assert_eq!(message(piece), "valgrind: Invalid write", "a piece without a head is not the first error");
    }
}
