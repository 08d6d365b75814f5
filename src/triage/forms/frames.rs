//! Frames and stacks as the forms build them.

use super::super::crash::{Crash, NativeFrame, Thread};
use super::super::names::symbols;
use crate::report::Frame;

/// More of them are not kept.
pub(super) const MOST_FRAMES: usize = 1000;
/// A stack of so many frames is one that ran out.
const ENDLESS: u64 = 10_000;
const MOST_THREADS: usize = 1000;

/// A regular expression that is compiled when it is first used.
macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: std::sync::LazyLock<regex_lite::Regex> =
            std::sync::LazyLock::new(|| regex_lite::Regex::new($text).expect("a pattern of ours compiles"));
    };
}
pub(super) use pattern;

/// A native frame; a symbol that says nothing counts as none.
pub(super) fn native(module: &str, symbol: &str, offset: u64, source: &str) -> NativeFrame {
    const NO_SYMBOL: [&str; 9] = ["??", "n/a", "???", "<unknown>", "(unknown)", "<null>", "<unknown function>", "_", "null"];
    let symbol = symbol.trim();
    let unnamed = NO_SYMBOL.contains(&symbol) || symbol.starts_with("___lldb_unnamed_symbol") || symbol.starts_with("0x");
    let module = module.trim();
    let module = if ["???", "n/a", "<unknown module>", "<unknown>"].contains(&module) { "" } else { module };
    NativeFrame {
        module: module.to_owned(),
        symbol: if unnamed { String::new() } else { symbols::readable(symbol) },
        offset,
        source: source.trim().to_owned(),
        ..NativeFrame::default()
    }
}

/// A Python frame.
pub(super) fn python(file: &str, line: &str, function: &str) -> Frame {
    Frame { file: file.to_owned(), line: line.parse().unwrap_or(0), function: function.to_owned(), ..Frame::default() }
}

/// A number in hexadecimal, with or without `0x`.
pub(super) fn hex(text: &str) -> u64 {
    u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).unwrap_or(0)
}

/// Threads as they are read, with the numbers of their frames.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    pub(super) threads: Vec<Thread>,
    /// Number of the last native frame of the last thread.
    last: Option<u64>,
}

impl Stacks {
    /// Begins another thread.
    pub(super) fn begin(&mut self, thread: Thread) {
        if self.threads.len() < MOST_THREADS {
            self.threads.push(thread);
        }
        self.last = None;
    }

    /// The thread that is being read.
    pub(super) fn current(&mut self) -> &mut Thread {
        if self.threads.is_empty() {
            self.threads.push(Thread::default());
        }
        self.threads.last_mut().expect("one was just pushed")
    }

    /// Adds a native frame with its number; a number that does not follow the last one says that frames were left out.
    pub(super) fn push(&mut self, number: u64, frame: NativeFrame) {
        let last = self.last;
        self.last = Some(number);
        let thread = self.current();
        match last {
            None if number > 0 && thread.native.is_empty() => thread.top_cut = true,
            Some(last) if number > last + 1 => thread.cut = true,
            _ => {}
        }
        if number >= ENDLESS {
            thread.endless = number + 1;
        }
        if thread.native.len() < MOST_FRAMES {
            thread.native.push(frame);
        }
    }

    /// Whether a frame of that number begins another stack.
    pub(super) fn restarts(&self, number: u64) -> bool {
        self.last.is_some_and(|last| number <= last)
    }

    /// The threads that have frames, the crashed one first.  If none is known to have crashed, it is the one whose innermost frames are those
    /// of a signal or an abort, else the only one, else the first.
    pub(super) fn finish(self, crash: &mut Crash) {
        let mut threads: Vec<Thread> =
            self.threads.into_iter().filter(|thread| !thread.native.is_empty() || !thread.python.is_empty()).collect();
        let dies = |thread: &Thread| {
            let names = [
                "<signal handler called>",
                "abort",
                "raise",
                "__GI_raise",
                "__GI_abort",
                "__pthread_kill_implementation",
                "_sigtramp",
            ];
            thread.native.iter().take(12).any(|frame| names.contains(&symbols::clean(&frame.symbol)))
        };
        if !threads.iter().any(|thread| thread.crashed) {
            let at = threads.iter().position(dies).unwrap_or(0);
            if let Some(thread) = threads.get_mut(at) {
                thread.crashed = true;
            }
        }
        // Several may have been marked; the first one counts.
        let mut seen = false;
        for thread in threads.iter_mut().filter(|thread| thread.crashed) {
            thread.crashed = !std::mem::replace(&mut seen, true);
        }
        threads.sort_by_key(|thread| !thread.crashed);
        crash.threads = threads;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stacks(frames: &[(u64, &str)]) -> Stacks {
        let mut stacks = Stacks::default();
        for (number, symbol) in frames {
            stacks.push(*number, native("", symbol, 0, ""));
        }
        stacks
    }

    fn finished(threads: Vec<Thread>) -> Vec<(String, bool)> {
        let mut crash = Crash::default();
        let mut stacks = Stacks::default();
        threads.into_iter().for_each(|thread| stacks.begin(thread));
        stacks.finish(&mut crash);
        crash.threads.into_iter().map(|thread| (thread.name, thread.crashed)).collect()
    }

    #[test]
    fn names_that_say_nothing_are_none() {
        for symbol in ["??", " n/a ", "<unknown>", "___lldb_unnamed_symbol12", "0x12"] {
            assert_eq!(native("", symbol, 0, "").symbol, "", "{symbol}");
        }
        let frame = native(" /lib/a.so ", "f", 7, " a.c ");
        assert_eq!(
            (frame.module.as_str(), frame.symbol.as_str(), frame.offset, frame.source.as_str()),
            ("/lib/a.so", "f", 7, "a.c")
        );
        assert_eq!(native("???", "f", 0, "").module, "");
        let frame = python("/app/a.py", "5", "f");
        assert_eq!((frame.file.as_str(), frame.line, frame.function.as_str()), ("/app/a.py", 5, "f"));
        assert_eq!([" 0x1f ", "1f", "x"].map(hex), [31, 31, 0]);
    }

    #[test]
    fn numbers_tell_which_frames_were_left_out() {
        let cut = |frames: &[(u64, &str)]| {
            let thread = stacks(frames).threads.remove(0);
            (thread.top_cut, thread.cut)
        };
        assert_eq!(cut(&[(0, "f"), (1, "g")]), (false, false));
        assert_eq!(cut(&[(1, "f"), (2, "g")]), (true, false));
        assert_eq!(cut(&[(0, "f"), (2, "g")]), (false, true));
        let endless = |number: u64| stacks(&[(0, "f"), (number, "g")]).threads[0].endless;
        assert_eq!([endless(2), endless(ENDLESS - 1), endless(ENDLESS)], [0, 0, ENDLESS + 1]);
        let read = stacks(&[(0, "f"), (1, "g")]);
        assert_eq!([0, 1, 2].map(|number| read.restarts(number)), [true, true, false]);
        assert!(!stacks(&[]).restarts(0));
    }

    #[test]
    fn so_many_threads_and_frames_are_kept() {
        let many: Vec<(u64, &str)> = (0..MOST_FRAMES as u64 + 2).map(|number| (number, "f")).collect();
        assert_eq!(stacks(&many).threads[0].native.len(), MOST_FRAMES);
        let mut threads = Stacks::default();
        (0..MOST_THREADS + 2).for_each(|_| threads.begin(Thread::default()));
        assert_eq!(threads.threads.len(), MOST_THREADS);
    }

    #[test]
    fn one_thread_crashed_and_goes_first() {
        let thread = |name: &str, crashed, symbol: &str| Thread {
            name: name.to_owned(),
            crashed,
            native: vec![native("", symbol, 0, "")],
            ..Thread::default()
        };
        let is = |names: [&str; 2]| [(names[0].to_owned(), true), (names[1].to_owned(), false)];
        assert_eq!(finished(vec![thread("a", false, "f"), thread("b", true, "f")]), is(["b", "a"]), "the one that is marked");
        assert_eq!(finished(vec![thread("a", true, "f"), thread("b", true, "f")]), is(["a", "b"]), "the first of two");
        assert_eq!(finished(vec![thread("a", false, "f"), thread("b", false, "abort")]), is(["b", "a"]), "the one that aborts");
        assert_eq!(finished(vec![thread("a", false, "f"), thread("b", false, "g")]), is(["a", "b"]), "the first one");
        let empty = Thread { name: "c".to_owned(), crashed: true, ..Thread::default() };
        assert_eq!(finished(vec![empty, thread("a", false, "f"), thread("b", false, "g")]), is(["a", "b"]), "with frames");
    }
}
