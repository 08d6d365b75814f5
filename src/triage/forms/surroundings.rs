//! Facts from the text around a crash: version of the interpreter, the GIL, the signal, versions of packages.

use super::super::crash::{Crash, Extension};
use super::frames::pattern;
use super::said::Said;

pattern!(
    VERSION,
    r"\b(?:Python |platform (?:linux|darwin|win32) -- Python |Python v|python3\.\d+/)(3\.\d+(?:\.\d+)?(?:~?(?:a|b|rc)\d+)?\+?)([^\n]{0,60})"
);
pattern!(GIL_ENABLED, r"The global interpreter lock \(GIL\) has been enabled to load module '([^']+)'");
pattern!(FROZEN, r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)==(\d[0-9A-Za-z.+!-]*)\s*$");
pattern!(LISTED, r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*) +(\d+\.[0-9A-Za-z.+!-]*)\s*$");

// The build behind a version, as `sys.version` has it, and in names of folders and source files.
pattern!(
    FREE_THREADED,
    r"\d[0-9abrc+]* (?:experimental )?free-threading build|[-+_/0-9]freethread|gc_free_threading|--disable-gil"
);
// All of `sys.version`, without a word of a build.
pattern!(BANNER, r"^ \([^()]+, [A-Z][a-z]{2} [ \d]\d \d{4}[^()]*\) ?\[");

/// Somebody writes of a build.
const SPOKEN_OF: [&str; 2] = ["free-threading build", "freethread"];
/// Somebody writes of where it does not crash.
const ELSEWHERE: [&str; 10] =
    ["works", "Works", "ine on", "ine with", "Not with", "Not on", "not happen", "not reproduce", "without any crash", "no crash"];
/// How shells, test runners and supervisors name the signal that a process died of.
const DIED_OF: [(&str, &str); 24] = [
    ("SIGSEGV", "SIGSEGV"),
    ("Segmentation fault", "SIGSEGV"),
    ("segmentation fault", "SIGSEGV"),
    ("exit code 139", "SIGSEGV"),
    ("exit code -11", "SIGSEGV"),
    ("returncode -11", "SIGSEGV"),
    ("signal 11", "SIGSEGV"),
    ("Signal 11", "SIGSEGV"),
    ("0xC0000005", "SIGSEGV"),
    ("3221225477", "SIGSEGV"),
    ("SIGBUS", "SIGBUS"),
    ("Bus error", "SIGBUS"),
    ("exit code 135", "SIGBUS"),
    ("Aborted (core dumped)", "SIGABRT"),
    ("SIGABRT", "SIGABRT"),
    ("exit code 134", "SIGABRT"),
    ("exit code -6", "SIGABRT"),
    ("signal 6", "SIGABRT"),
    ("Illegal instruction", "SIGILL"),
    ("SIGILL", "SIGILL"),
    ("exit code 132", "SIGILL"),
    ("Floating point exception", "SIGFPE"),
    ("exit code 137", "SIGKILL"),
    ("SIGKILL", "SIGKILL"),
];
// gdb's `info threads`: its head, and a thread of it.
pattern!(THREADS, r"^\s*Id +Target Id +Frame");
pattern!(LISTED_THREAD, r"^\s*\*?\s*\d+ +(?:Thread|LWP|process) ");
const MOST_PACKAGES: usize = 2000;

/// What was told.
#[derive(Default)]
pub(super) struct Surroundings {
    version: String,
    /// A version in the middle of a sentence: of this process, or of another one.
    mentioned: String,
    free_threading: bool,
    /// It is in a sentence only.
    mentions_free_threading: bool,
    /// All of `sys.version` is there, and is of a build with the GIL.
    gil_build: bool,
    /// The module that switched the GIL on.
    gil_enabled_by: String,
    signal: &'static str,
    said: Said,
    /// Extension modules, where faulthandler lists them and another form has the stacks.
    extensions: Vec<String>,
    packages: Vec<(String, String)>,
    /// Threads that a list of all of them has.
    threads: usize,
}

/// Reads it from all lines of a text.
pub(super) fn read(lines: &[String]) -> Surroundings {
    let mut told = Surroundings::default();
    let mut in_list = false;
    let mut in_threads = false;
    for line in lines {
        in_threads = THREADS.is_match(line) || (in_threads && LISTED_THREAD.is_match(line));
        told.threads += usize::from(in_threads && !THREADS.is_match(line));
        // A frame's path and a function's name are no statement about the process.
        let is_frame = ["File \"", "Binary file", " in ", "#"].iter().any(|part| line.trim_start().starts_with(part));
        if !is_frame {
            told.hear_version(line);
            // A shell says it before the command, which may have any words.
            let said = line.split("core dumped").next().unwrap_or(line);
            if told.signal.is_empty() && lower_case_words(said) < PROSE {
                told.signal = DIED_OF.iter().find(|(name, _)| line.contains(name)).map_or("", |(_, signal)| signal);
            }
            told.said.hear(line);
        }
        told.free_threading |= line.contains("free") && FREE_THREADED.is_match(line) || line.contains("--disable-gil");
        told.mentions_free_threading |= SPOKEN_OF.iter().any(|sign| line.contains(sign)) && !is_elsewhere(line);
        if told.gil_enabled_by.is_empty()
            && line.contains("global interpreter lock")
            && let Some(found) = GIL_ENABLED.captures(line)
        {
            found[1].clone_into(&mut told.gil_enabled_by);
        }
        if let Some((_, list)) = line.split_once("Extension modules: ") {
            let list = list.split(" (total").next().unwrap_or(list);
            told.extensions.extend(list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
            told.extensions.truncate(MOST_PACKAGES);
        }
        // `pip list` has a head, `pip freeze` has signs of its own.
        in_list = (line.starts_with("Package ") && line.contains("Version")) || (in_list && !line.trim().is_empty());
        let frozen = if line.contains("==") { FROZEN.captures(line) } else { None };
        let package = frozen.or_else(|| if in_list { LISTED.captures(line) } else { None });
        if let Some(package) = package
            && told.packages.len() < MOST_PACKAGES
        {
            told.packages.push((normal(&package[1]), package[2].to_owned()));
        }
    }
    told
}

/// So many words of a line, or more, are a sentence that somebody wrote.
const PROSE: usize = 8;

fn lower_case_words(text: &str) -> usize {
    let is_word = |word: &&str| word.len() > 1 && word.trim_matches([',', '.', '(', ')']).chars().all(|c| c.is_ascii_lowercase());
    text.split_whitespace().filter(is_word).count()
}

fn add_free_threading(crash: &mut Crash) {
    if !crash.python.version.contains("free-threading") {
        let known = std::mem::take(&mut crash.python.version);
        crash.python.version = format!("{known} free-threading build").trim_start().to_owned();
    }
}

fn is_elsewhere(line: &str) -> bool {
    ELSEWHERE.iter().any(|words| line.contains(words))
}

/// The name of a distribution, as `pip` compares it.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '.'], "_")
}

impl Surroundings {
    fn hear_version(&mut self, line: &str) {
        if !self.version.is_empty() || !line.contains("ython") {
            return;
        }
        let Some(found) = VERSION.captures(line) else { return };
        let before = found.get(0).and_then(|whole| line.get(..whole.start())).unwrap_or_default();
        let version = found[1].replace('~', "");
        if lower_case_words(before) == 0 {
            self.version = version;
            self.gil_build = BANNER.is_match(&found[2]);
        } else if self.mentioned.is_empty() && !is_elsewhere(line) {
            self.mentioned = version;
        }
    }

    /// Adds what may be of another interpreter, where nothing else has told of this one.
    pub(super) fn guess(&self, crash: &mut Crash) {
        if self.gil_build && crash.python.gil.is_empty() && !crash.python.version.contains("free-threading") {
            "enabled".clone_into(&mut crash.python.gil);
        }
        if crash.python.version.is_empty() {
            self.mentioned.clone_into(&mut crash.python.version);
        }
        if self.mentions_free_threading && crash.python.gil.is_empty() {
            add_free_threading(crash);
        }
    }

    /// Adds it to a crash; the signal only where the text is of a `single` one.
    pub(super) fn tell(&self, crash: &mut Crash, single: bool) {
        if crash.python.version.is_empty() {
            self.version.clone_into(&mut crash.python.version);
        }
        if self.free_threading {
            add_free_threading(crash);
        }
        // A process that is killed leaves no stack.
        let may_be = self.signal != "SIGKILL" || crash.threads.iter().all(|thread| thread.native.is_empty());
        if single && may_be && crash.signal.is_empty() && !crash.message.contains("Sanitizer") && !crash.message.contains("Timeout")
        {
            self.signal.clone_into(&mut crash.signal);
        }
        if !self.gil_enabled_by.is_empty() {
            "enabled".clone_into(&mut crash.python.gil);
            let name = &self.gil_enabled_by;
            match crash.extensions.iter_mut().find(|known| known.name == *name) {
                Some(known) => known.declares_free_threading = Some(false),
                None => crash.extensions.push(Extension {
                    name: name.clone(),
                    declares_free_threading: Some(false),
                    ..Extension::default()
                }),
            }
        }
        crash.one_thread |= single && self.threads == 1;
        if single && crash.extensions.is_empty() {
            let list = self.extensions.iter().map(|name| Extension { name: name.clone(), ..Extension::default() });
            crash.extensions.extend(list);
        }
        if single {
            for line in self.said.lines() {
                if !crash.message.lines().any(|known| known.contains(line) || line.contains(known) && !known.is_empty()) {
                    if !crash.message.is_empty() {
                        crash.message.push('\n');
                    }
                    crash.message.push_str(line);
                }
            }
        }
        for extension in &mut crash.extensions {
            let top = extension.name.split('.').next().unwrap_or_default();
            let of = |name: &str| normal(name) == normal(top) || normal(name) == normal(&extension.distribution);
            if extension.version.is_empty()
                && let Some((_, version)) = self.packages.iter().find(|(name, _)| of(name))
            {
                extension.version.clone_from(version);
            }
        }
        // A package that is listed and not loaded is of no interest, but where the stack has no list of modules.
        crash.packages.clone_from(&self.packages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Crash {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut crash = Crash::default();
        let around = read(&lines);
        around.tell(&mut crash, true);
        around.guess(&mut crash);
        crash
    }

    #[test]
    fn banners_and_warnings_tell() {
        let crash =
            told("Python 3.13.0 experimental free-threading build | packaged by conda-forge\nSegmentation fault (core dumped)");
        assert_eq!((crash.python.version.as_str(), crash.signal.as_str()), ("3.13.0 free-threading build", "SIGSEGV"));
        let crash = told(
            "RuntimeWarning: The global interpreter lock (GIL) has been enabled to load module 'gi._gi', which has not declared",
        );
        assert_eq!((crash.python.gil.as_str(), crash.extensions[0].declares_free_threading), ("enabled", Some(false)));
        assert_eq!(told("platform linux -- Python 3.14.2, pytest-8.3.4").python.version, "3.14.2");
        assert_eq!(told("Package: python3.14/3.14.0~b2-1.fc43").python.version, "3.14.0b2");
        assert_eq!(told("  File \"SIGSEGV.py\", line 1 in f").signal, "");
    }

    /// What a text adds to a crash.
    fn added(text: &str, mut crash: Crash, single: bool) -> Crash {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        read(&lines).tell(&mut crash, single);
        crash
    }

    fn extension(name: &str) -> Extension {
        Extension { name: name.to_owned(), ..Extension::default() }
    }

    #[test]
    fn the_first_banner_counts_and_so_does_the_first_module() {
        assert_eq!(told("Python 3.13.0\nPython 3.14.0").python.version, "3.13.0");
        assert_eq!(told("Monty 3.13.0\nPython 3.14.0").python.version, "3.14.0");
        let enabled =
            |module: &str| format!("The global interpreter lock (GIL) has been enabled to load module '{module}', which\n");
        let crash = told(&format!("a global interpreter lock is one\n{}{}", enabled("first"), enabled("second")));
        assert_eq!(crash.extensions, [Extension { declares_free_threading: Some(false), ..extension("first") }]);
        let known = Crash { extensions: vec![extension("other"), extension("first")], ..Crash::default() };
        let crash = added(&enabled("first"), known, true);
        assert_eq!(crash.extensions[0], extension("other"));
        assert_eq!(crash.extensions[1..], [Extension { declares_free_threading: Some(false), ..extension("first") }]);
    }

    #[test]
    fn a_banner_tells_more_than_a_sentence() {
        let of = |text: &str| {
            let Crash { python, .. } = told(text);
            (python.version, python.gil)
        };
        let pair = |version: &str, gil: &str| (version.to_owned(), gil.to_owned());
        let full = "Python 3.14.0 (main, Oct  7 2025, 15:35:21) [GCC 13.3.0] on linux";
        assert_eq!(of(full), pair("3.14.0", "enabled"));
        assert_eq!(of("Python 3.14.0 (main, Oct  7 2025)"), pair("3.14.0", ""), "it may be shortened");
        let free = "Python 3.14.0 free-threading build (main, Oct  7 2025, 15:35:21) [GCC 13.3.0]";
        assert_eq!(of(free), pair("3.14.0 free-threading build", ""));
        assert_eq!(of(&format!("I have tried the freethreaded build\n{full}")), pair("3.14.0", "enabled"));
        assert_eq!(of("we run the freethreaded build"), pair("free-threading build", ""));
        assert_eq!(of("Not with the freethreaded one."), pair("", ""));
        assert_eq!(of("/opt/hosted/3.14.2/x64-freethreaded/lib").0, "free-threading build");
        assert_eq!(of("we run Python 3.13.1\nPython 3.14.0"), pair("3.14.0", ""));
        assert_eq!(of("we run Python 3.13.1"), pair("3.13.1", ""));
        assert_eq!(of("Fine on Python 3.13.1."), pair("", ""));
    }

    #[test]
    fn a_sentence_names_no_signal_and_a_killed_process_leaves_no_stack() {
        assert_eq!(told("(Last year it died with SIGSEGV once, that was another bug and has been mended.)").signal, "");
        let shell = "run.sh: line 3: 28 Segmentation fault (core dumped) app serve all jobs of one queue and then end with them";
        assert_eq!(told(shell).signal, "SIGSEGV");
        let stack = super::super::super::crash::Thread { native: vec![Default::default()], ..Default::default() };
        let crash = || Crash { threads: vec![stack.clone()], ..Crash::default() };
        assert_eq!(added("exit code 137", crash(), true).signal, "");
        assert_eq!(added("exit code 139", crash(), true).signal, "SIGSEGV");
        assert_eq!(told("exit code 137").signal, "SIGKILL");
    }

    #[test]
    fn a_signal_in_the_text_is_of_the_only_crash_that_has_none() {
        let of = |signal: &str, message: &str, single| {
            let crash = Crash { signal: signal.to_owned(), message: message.to_owned(), ..Crash::default() };
            added("Bus error", crash, single).signal
        };
        assert_eq!(of("", "", true), "SIGBUS");
        assert_eq!(of("SIGSEGV", "", true), "SIGSEGV");
        assert_eq!(of("", "", false), "", "one of several");
        assert_eq!(of("", "AddressSanitizer: heap-use-after-free", true), "", "a tool ended it");
        assert_eq!(of("", "Timeout: it did not go on", true), "", "nothing ended it");
        assert_eq!(added("Bus error\nIllegal instruction", Crash::default(), true).signal, "SIGBUS", "the first one");
    }

    #[test]
    fn a_list_of_modules_is_of_the_only_crash_that_has_none() {
        let list = "Extension modules: a.b, c,, (total: 2)";
        let names = |known: Vec<Extension>, single| -> Vec<String> {
            let crash = added(list, Crash { extensions: known, ..Crash::default() }, single);
            crash.extensions.into_iter().map(|known| known.name).collect()
        };
        assert_eq!(names(Vec::new(), true), ["a.b", "c"]);
        assert_eq!(names(Vec::new(), false), [] as [&str; 0]);
        assert_eq!(names(vec![extension("d")], true), ["d"]);
    }

    #[test]
    fn what_was_said_is_told_once() {
        let of = |message: &str, single| {
            let crash = Crash { message: message.to_owned(), ..Crash::default() };
            added("*** stack smashing detected ***: terminated", crash, single).message
        };
        let line = "*** stack smashing detected ***: terminated";
        assert_eq!(of("", true), line);
        assert_eq!(of("", false), "");
        assert_eq!(of("other", true), format!("other\n{line}"));
        assert_eq!(of("other\n\nmore", true), format!("other\n\nmore\n{line}"), "nothing is in every line");
        assert_eq!(of("stack smashing detected", true), "stack smashing detected");
        assert_eq!(of(&format!("it said: {line}"), true), format!("it said: {line}"));
    }

    #[test]
    fn a_version_is_that_of_the_package_or_of_the_distribution() {
        let version = |name: &str, distribution: &str, version: &str| {
            let known = Extension { distribution: distribution.to_owned(), version: version.to_owned(), ..extension(name) };
            let crash = Crash { extensions: vec![known], ..Crash::default() };
            added("other==9\nFast-Log==1.2\nPyYAML==6.0", crash, true).extensions.remove(0).version
        };
        assert_eq!(version("fast_log._core", "", ""), "1.2");
        assert_eq!(version("_yaml", "PyYAML", ""), "6.0");
        assert_eq!(version("fast_log._core", "", "1.0"), "1.0");
        assert_eq!(version("unlisted", "", ""), "");
    }

    #[test]
    fn a_list_has_a_head_of_two_words_and_ends_with_an_empty_line() {
        assert_eq!(told("Package manager\nseen 1.5\n").packages, []);
        assert_eq!(told("Version of Package\nseen 1.5\n").packages, []);
        let many: String = (0..MOST_PACKAGES + 2).map(|number| format!("p{number}==1\n")).collect();
        assert_eq!(told(&many).packages.len(), MOST_PACKAGES);
    }

    #[test]
    fn a_list_of_one_thread_is_of_a_process_that_has_no_other() {
        let list = "  Id   Target Id                                   Frame\n";
        let first = "* 1    Thread 0x7f6a0f7fd740 (LWP 70121) \"python3.13t\" 0x00007f6a in f ()\n";
        let second = "  2    Thread 0x7f6a0e3fd6c0 (LWP 70122) \"worker\" 0x00007f6a in g ()\n";
        assert!(told(&format!("{list}{first}")).one_thread);
        assert!(!told(&format!("{list}{first}{second}")).one_thread);
        assert!(!told(first).one_thread && !told(list).one_thread);
    }

    #[test]
    fn versions_of_packages_are_read_from_lists_only() {
        let crash = told("numpy==2.2.0\nseen 1.5\nPackage Version\n------- -------\ngreenlet  3.2.1\n\nother 1.0\n");
        assert_eq!(crash.packages, [("numpy".to_owned(), "2.2.0".to_owned()), ("greenlet".to_owned(), "3.2.1".to_owned())]);
    }
}
