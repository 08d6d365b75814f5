//! Lists of names that others extend: one name a line, `#` begins a comment.  They stand in `src/triage/names/lists/`.
//!
//! A `*` in a name stands for anything.  In lists of two columns the second one is what the name belongs to.

use std::sync::LazyLock;

/// A list.
pub(crate) struct List(LazyLock<Vec<(&'static str, &'static str)>>);

macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        pub(crate) static $name: List = List(LazyLock::new(|| rows(include_str!(concat!("lists/", $file)))));
    };
}

list!(
    /// Frames of those who report a crash: above the frame of the signal.
    HANDLERS,
    "crash_handlers.txt"
);
list!(
    /// Frames through which the kernel enters a handler.
    SIGNAL_FRAMES,
    "signal_frames.txt"
);
list!(
    /// The interpreter's loop and its calls: between two functions that mean something.
    INTERPRETER_LOOP,
    "interpreter_loop.txt"
);
list!(
    /// How libc, C++ and Rust go from an error to the signal.
    ABORTING,
    "aborting.txt"
);
list!(
    /// Functions of allocators: on top, they say that the heap was damaged before.
    ALLOCATORS,
    "allocators.txt"
);
list!(
    /// Libraries of the C and C++ language and of the loader, by the beginning of their file's name.
    C_LIBRARIES,
    "c_libraries.txt"
);
list!(
    /// Libraries inside wheels, by the beginning of their file's name, and the distribution that they are of.
    BUNDLED,
    "bundled_libraries.txt"
);
list!(
    /// Extension modules whose files have names that tell little, where a form gives no folder.
    LONE_MODULES,
    "lone_modules.txt"
);
list!(
    /// Import names of packages that are installed by another name.
    DISTRIBUTIONS,
    "distributions.txt"
);
list!(
    /// Functions whose names say what they belong to, where the file of a frame is not known.
    SYMBOL_OWNERS,
    "symbol_owners.txt"
);
list!(
    /// Extension modules of the standard library.
    STDLIB_EXTENSIONS,
    "stdlib_extensions.txt"
);

fn rows(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let lines = text.lines().map(|line| line.split_once('#').map_or(line, |(before, _)| before).trim());
    lines
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(char::is_whitespace).map_or((line, ""), |(a, b)| (a, b.trim())))
        .collect()
}

impl List {
    /// Whether a name is on it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// What a name belongs to.
    pub(crate) fn find(&self, name: &str) -> Option<&'static str> {
        let like = |pattern: &str| match pattern.split_once('*') {
            None => pattern == name,
            Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        };
        if name.is_empty() {
            return None;
        }
        self.0.iter().find(|(pattern, _)| like(pattern)).map(|(_, owner)| *owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!(rows("# head\na*\tb # why\n\nc\n"), [("a*", "b"), ("c", "")]);
        assert!(HANDLERS.has("faulthandler_fatal_error") && !HANDLERS.has("f") && !HANDLERS.has(""));
        assert_eq!(BUNDLED.find("libarrow.so.2500"), Some("pyarrow"));
        assert!(
            HANDLERS.has("absl::lts_20230802::AbslFailureSignalHandler") && !HANDLERS.has("absl::lts_20230802::Mutex::ReaderLock")
        );
    }
}
