//! The last words of the interpreter, libc, C++, Rust and test runners as a process dies, of all the text around a dump.

/// Lines that hold one of these are kept: how C++, Rust and assertions die.
const TELLING: [&str; 32] = [
    "stack smashing detected",
    "Assertion failed:",
    "Assertion `",
    ": Assertion \"",
    "Assertion failed: (",
    "object type name:",
    "terminate called",
    "pure virtual method called",
    "panicked at",
    "unlocking mutex",
    "SystemError: ",
    "unknown opcode",
    "Executing a cache",
    "negative refcount",
    "use of fork() may lead to deadlocks",
    "crashed on child side of fork",
    "in progress in another thread when fork() was called",
    "multi-threaded process forked",
    "likely caused by a refcount error",
    "without holding the GIL",
    "symbol lookup error",
    "Sanitizer: heap-use-after-free",
    "Sanitizer: heap-buffer-overflow",
    "Sanitizer: data race",
    "Sanitizer: attempting double-free",
    "Sanitizer: attempting free on address",
    "faulthandler_timeout",
    "thread already started",
    "is being called while the GIL is either not held or invalid",
    "PyGILState_Check() failure",
    "del _limbo[self]",
    "QThread: Destroyed while thread",
];
/// Messages of exceptions that correct use of a generator cannot raise.
const RAISED: [&str; 5] = [
    "object is not an iterator",
    "generator already executing",
    "generator is already running",
    "cannot reuse already awaited",
    "coroutine is being awaited already",
];
/// Those who find a stack overflow; people write of it, too, where there is none.
const OVERFLOWS: [&str; 4] = ["Fatal Python error", "fatal exception", "fatal runtime error", "Unrecoverable"];
/// libc says so when it finds its heap damaged; the culprit is gone by then.
pub(crate) const HEAP: [&str; 17] = [
    "Debug memory block at address",
    "Because memory is corrupted at the ",
    "malloc(): ",
    "free(): ",
    "realloc(): ",
    "munmap_chunk(): ",
    "malloc_consolidate",
    "double free or corruption",
    "corrupted size vs",
    "corrupted double-linked",
    "malloc: *** error",
    "malloc: Incorrect checksum",
    "pointer being freed",
    "futex facility",
    "Heap corruption detected",
    "Windows fatal exception: code 0xc0000374",
    "mimalloc: error",
];
/// Marks for frames that were left out when the dump was pasted.
pub(super) const LEFT_OUT: [&str; 8] = ["...", "[...]", "(...)", "\u{2026}", "<snip>", "[snip]", "<...>", "--snip--"];
/// Said for a dump of `faulthandler.dump_traceback_later`.
pub(crate) const TIMEOUT: &str = "Timeout: faulthandler.dump_traceback_later() printed the stacks of a program that did not go on";

/// Said for the stacks of a test that was too slow.
pub(crate) const TIMEOUT_OF_PYTEST: &str = "Timeout: pytest-timeout printed the stacks of a test that did not go on";

/// Said for a function whose arguments a debugger cannot read.
pub(crate) const STACK_UNREADABLE: &str = "stack overflow: the innermost function's own variables are where no memory is";

/// Said for a fatal error while the interpreter ends.
pub(crate) const FINALIZING: &str = "Python runtime state: finalizing";

const MOST_SAID: usize = 12;
const LONGEST_SAID: usize = 300;

/// Lines worth keeping, each once.
#[derive(Debug, Default)]
pub(super) struct Said(Vec<String>);

impl Said {
    /// Keeps a line if it tells something.
    pub(super) fn hear(&mut self, text: &str) {
        let text = text.trim();
        let is_told = TELLING.iter().any(|telling| text.contains(telling))
            || HEAP.iter().filter_map(|words| text.split_once(words)).any(|(before, _)| !is_spoken_of(before))
            || RAISED.iter().filter_map(|words| text.split_once(words)).any(|(before, after)| is_raised(before, after))
            || (text.contains("stack overflow") && OVERFLOWS.iter().any(|finder| text.contains(finder)));
        if is_told {
            self.keep(text);
        }
    }

    /// Keeps a line.
    pub(super) fn keep(&mut self, text: &str) {
        let text: String = text.chars().take(LONGEST_SAID).collect();
        if self.0.len() < MOST_SAID && !self.0.contains(&text) {
            self.0.push(text);
        }
    }

    /// Each of them.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// All of them.
    pub(super) fn text(self) -> String {
        self.0.join("\n")
    }
}

/// Words that follow this are somebody's who writes of a crash: in quotes, or in the middle of a sentence.
fn is_spoken_of(before: &str) -> bool {
    let before = before.trim_end_matches(' ');
    let sentence = before.rsplit(':').next().unwrap_or(before).split_whitespace();
    let is_word = |word: &&str| word.trim_matches(',').chars().all(|c| c.is_ascii_lowercase()) && word.len() > 1;
    before.ends_with(['"', '`', '\u{201c}']) || sentence.filter(is_word).count() >= 3
}

/// An exception said it, as a traceback or a log shows one: by its name, and with nothing of a sentence around.
fn is_raised(before: &str, after: &str) -> bool {
    let named = ["Error: ", "Error('", "Error(\"", "Exception: "].iter().filter_map(|end| before.rfind(end)).max();
    let Some(named) = named else { return false };
    let name = before.get(..named).unwrap_or_default();
    let around = name.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || ['.', '_'].contains(&c));
    !is_spoken_of(around) && after.split_whitespace().count() <= 3
}

/// The signal that an exception of Windows would be elsewhere, by its name or its status; empty for none.
pub(super) fn windows_signal(exception: &str) -> &'static str {
    const SIGNALS: [(&str, &str); 16] = [
        ("access violation", "SIGSEGV"),
        ("0xc0000005", "SIGSEGV"),
        ("stack overflow", "SIGSEGV"),
        ("0xc00000fd", "SIGSEGV"),
        ("in page error", "SIGBUS"),
        ("0xc0000006", "SIGBUS"),
        ("illegal instruction", "SIGILL"),
        ("0xc000001d", "SIGILL"),
        ("divide by zero", "SIGFPE"),
        ("0xc0000094", "SIGFPE"),
        ("int overflow", "SIGFPE"),
        ("float", "SIGFPE"),
        ("0xc0000374", "SIGABRT"),
        ("0xc0000409", "SIGABRT"),
        ("breakpoint", "SIGTRAP"),
        ("0x80000003", "SIGTRAP"),
    ];
    let exception = exception.to_ascii_lowercase().replace('_', " ");
    SIGNALS.iter().find(|(name, _)| exception.contains(name)).map_or("", |(_, signal)| signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_crash_are_heard_and_words_about_one_are_not() {
        let heard = |line: &str| {
            let mut said = Said::default();
            said.hear(line);
            said.lines().count() == 1
        };
        for line in [
            "ValueError: generator already executing",
            "E   RuntimeError: anext(): asynchronous generator is already running",
            "2026-01-02 ERROR worker: RuntimeError: cannot reuse already awaited coroutine",
            "TypeError: 'NoneType' object is not an iterator",
            "failed with ValueError('generator already executing')",
            "python3: corrupted size vs. prev_size",
            "*** Error in `python': double free or corruption (out): 0x01 ***",
            "Fatal Python error: _Py_CheckRecursiveCall: Unrecoverable stack overflow (used 8312 kB)",
            "Windows fatal exception: stack overflow",
        ] {
            assert!(heard(line), "{line}");
        }
        for line in [
            "(The old workers log `ValueError: generator already executing` from time to time.)",
            "we see ValueError: generator already executing in the logs of the old workers",
            "it cannot be a generator already executing",
            "I had \"double free or corruption\" from numpy last year",
            "this may well be a double free or corruption",
            "WARNING skipping corrupted file a.jpg",
            "It is not a stack overflow.",
        ] {
            assert!(!heard(line), "{line}");
        }
    }

    #[test]
    fn telling_lines_are_kept_each_once_and_not_too_many() {
        let mut said = Said::default();
        for line in ["all is well", "  free(): invalid pointer ", "free(): invalid pointer", "terminate called"] {
            said.hear(line);
        }
        assert_eq!(said.lines().collect::<Vec<_>>(), ["free(): invalid pointer", "terminate called"]);
        (0..MOST_SAID + 2).for_each(|number| said.keep(&format!("line {number}")));
        assert_eq!(said.lines().count(), MOST_SAID);
        let mut long = Said::default();
        long.keep(&"x".repeat(LONGEST_SAID + 2));
        assert_eq!(long.text().len(), LONGEST_SAID);
    }
}
