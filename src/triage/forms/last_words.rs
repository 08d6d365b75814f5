//! The last words of libc, C++, Rust and the C library's checks, where nothing else is left of a process.

use super::super::crash::Crash;
use super::form::{Form, Found};
use super::frames::pattern;

/// The form.
pub(super) const FORM: Form = Form {
    name: "libc's, C++'s or Rust's last words",
    looks_like: "\"free(): double free detected in tcache 2\", \"malloc(): ...\", \"*** stack smashing detected ***\", \"terminate called ...\"",
    signs: &[
        "(): ",
        "double free",
        "***",
        "terminate called",
        "Incorrect checksum",
        "pointer being freed",
        "fatal runtime error",
        "memory allocation of",
        "mimalloc: error",
        "futex facility",
    ],
    read,
};

pattern!(
    WORDS,
    r"(?:^|[:\s])((?:(?:malloc|free|realloc|calloc|munmap_chunk|malloc_consolidate)\(\): (?:corrupt|invalid|double|unaligned|unsorted|mismatching|memory|too large)\S* .*|(?:double free or corruption|corrupted (?:size vs|double-linked|unsorted)) .*|\*\*\* (?:stack smashing|buffer overflow) detected \*\*\*.*|terminate called (?:after|without|recursively).*|pure virtual method called.*|fatal runtime error: .*|memory allocation of \d+ bytes failed.*|mimalloc: error: .*|The futex facility returned an unexpected error code\..*))$"
);
pattern!(APPLE, r"malloc: (?:\*\*\* error for object|Incorrect checksum for freed object|Heap corruption detected).*$");

fn read(pasted: &[String]) -> Vec<Found> {
    let said = pasted.iter().enumerate().filter(|(_, line)| line.len() < 2000).find_map(|(at, line)| {
        let words = WORDS.captures(line).map(|found| found[1].to_owned());
        words.or_else(|| APPLE.find(line).map(|found| found.as_str().to_owned())).map(|words| (at, words))
    });
    let found = said.map(|(at, message)| {
        // mimalloc only says it, and what comes of it comes later.
        let signal = if message.starts_with("mimalloc") { "" } else { "SIGABRT" };
        Found { at, crash: Crash { signal: signal.to_owned(), message, ..Crash::default() } }
    });
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_kept_as_an_abort() {
        let crash = FORM.one("all is well\npython3: malloc(): corrupted top size\nfree(): invalid pointer\n");
        assert_eq!((crash.signal.as_str(), crash.message.as_str()), ("SIGABRT", "malloc(): corrupted top size"));
        let line = |length: usize| vec![format!("{}free(): invalid pointer", " ".repeat(length - 23))];
        assert_eq!((read(&line(1999)).len(), read(&line(2000)).len()), (1, 0), "of lines that are not endless");
    }

    #[test]
    fn only_their_own_sentences_count() {
        let of = |line: &str| read(&[line.to_owned()]).len();
        for line in [
            "free(): double free detected in tcache 2",
            "double free or corruption (out)",
            "python3: malloc(): corrupted top size",
            "*** stack smashing detected ***: terminated",
            "fatal runtime error: Rust cannot catch foreign exceptions",
            "memory allocation of 4096 bytes failed",
            "mimalloc: error: corrupted thread-free list of size 1024b",
            "terminate called after throwing an instance of 'std::bad_alloc'",
            "python3.13(7926,0x171eff000) malloc: Incorrect checksum for freed object 0x15482d400: probably modified after being freed.",
        ] {
            assert_eq!(of(line), 1, "{line}");
        }
        for line in ["a program that calls free(): twice", "stack overflow", "    // double free", "the corrupted file"] {
            assert_eq!(of(line), 0, "{line}");
        }
    }
}
