//! The one table of options.
//!
//! `ftsan run --help`, the pytest options, the reference in the README and the parser of `FTSAN_OPTIONS` are made from
//! [`OPTIONS`] or compared with it in a test.  An option is one row of the table, with the type that it is read as.

mod encoding;
mod values;

use crate::configuration::Configuration;
use crate::report::render::{self, Format};
use crate::scope::{Chosen, Excluded, Scope};
use crate::similar;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
pub use values::{NO_CONFIG, OnFinding};

/// Name of the environment variable that carries the options to the watched processes.
pub const ENVIRONMENT: &str = "FTSAN_OPTIONS";

/// One option, as help, parsers and reference present it.
#[derive(Debug)]
pub struct OptionSpec {
    /// Key in `FTSAN_OPTIONS`; the command line writes it with dashes, pytest with the prefix `--ftsan-`.
    pub key: &'static str,
    /// What stands for the value in help texts (`FILE`), or the choices separated by `|`.
    pub value: &'static str,
    /// The value if the option is not given; empty for "none".
    pub default: &'static str,
    /// One sentence for `--help`.
    pub help: &'static str,
    /// False for what only the launcher says to the processes it watches.
    pub public: bool,
}

/// [`OptionSpec::value`] of what is given as `--key` alone, too.
pub const FLAG: &str = "yes|no";

/// [`OptionSpec::value`] of files and folders.
const PATHS: [&str; 3] = ["FILE", "DIR", FILE_OR_NONE];

/// [`OptionSpec::value`] of a file that may be asked not to be read.
const FILE_OR_NONE: &str = "FILE|none";

/// The options that `ftsan attach` takes besides its own: those of a run that begins long after the program.
pub const OF_ATTACH: [&str; 14] = [
    "report_json",
    "report_sarif",
    "report_junit",
    "report_html",
    "report_style",
    "exit_code",
    "suppressions",
    "baseline",
    "write_baseline",
    "update_baseline",
    "config",
    "declarations",
    "races",
    "upstream",
];

/// Why options were refused: one line that says what and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionError(String);

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes of the table all that has something for each option.
macro_rules! options {
    ($(
        $(#[$doc:meta])*
        $key:ident: $type:ty { read: $read:path, value: $value:expr, default: $default:literal, public: $public:literal, help: $help:literal, }
    )*) => {
        /// Every option, in the order of the help text.
        pub static OPTIONS: &[OptionSpec] = &[$(
            OptionSpec { key: stringify!($key), value: $value, default: $default, help: $help, public: $public },
        )*];

        /// Parsed options of one process.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Options {
            $( $(#[$doc])* pub $key: $type, )*
        }

        impl Default for Options {
            fn default() -> Self {
                Options { $( $key: $read(OsStr::new($default)).expect("the table's defaults are valid"), )* }
            }
        }

        impl Options {
            fn set(&mut self, key: &str, given: &OsStr) -> Result<(), OptionError> {
                match key {
                    $( stringify!($key) => self.$key = $read(given).map_err(|wrong| OptionError(wrong.of(key, given, $value)))?, )*
                    _ => return Err(unknown(key)),
                }
                Ok(())
            }
        }
    };
}

options! {
    /// Where the JSON report of the process tree goes.
    report_json: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "write the findings of the whole process tree to FILE as JSON, as they are made; %p in its name is the number of its first process",
    }

    /// Where the launcher writes the report as SARIF.
    report_sarif: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "write the report to FILE as SARIF 2.1.0 at the end, for code scanning",
    }

    /// Where the launcher writes the report as JUnit XML.
    report_junit: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "write the report to FILE as JUnit XML at the end, a failed test case for each finding",
    }

    /// Where the launcher writes the report as HTML.
    report_html: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "write the report to FILE as one page of HTML at the end, to be opened in a browser",
    }

    /// Whether findings as text have every frame.
    report_style: bool {
        read: values::is_full, value: "short|full", default: "short", public: true,
        help: "findings as text: the program's own lines, with what is between them in a word, or every frame of every stack",
    }

    /// What happens in the offending thread.
    on_finding: OnFinding {
        read: values::on_finding, value: "log|raise|abort", default: "log", public: true,
        help: "log: report and go on; raise: ftsan.Misuse in the offending thread, before the state is touched; abort: end the process",
    }

    /// Exit status of `ftsan run` when there are findings.
    exit_code: u8 {
        read: values::exit_code, value: "N", default: "66", public: true,
        help: "exit status (1 to 255) that replaces 0 when something of severity error or warning was found",
    }

    /// File of accepted findings.
    suppressions: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "TOML file of findings that are accepted, each with its reason; unused ones are listed at the end",
    }

    /// File of the findings that were known before.
    baseline: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "findings that were known when FILE was written change no exit status; those that did not happen any more are listed at the end",
    }

    /// Where what was found becomes known.
    write_baseline: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "write what was found to FILE, to be known from then on; the exit status is 0 then",
    }

    /// Whether what is gone is taken out of the baseline.
    update_baseline: bool {
        read: values::flag, value: FLAG, default: "no", public: true,
        help: "take out of the --baseline what did not happen any more; adds nothing",
    }

    /// The project's configuration.
    config: Option<PathBuf> {
        read: values::path_or_none, value: FILE_OR_NONE, default: "", public: true,
        help: "pyproject.toml whose [tool.ftsan] has options, severities and suppressions; else that of the current folder or above",
    }

    /// File of declared types.
    declarations: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "TOML file of types whose methods belong to one loop or thread, for libraries that ftsan does not know",
    }

    /// Where crash folders are kept.
    crash_dir: Option<PathBuf> {
        read: values::path, value: "DIR", default: "", public: true,
        help: "where the ten newest crash folders are kept; none stands for $XDG_STATE_HOME/ftsan/crashes",
    }

    /// After how long without progress the launcher asks what the threads wait for.
    on_hang: Option<Duration> {
        read: values::seconds, value: "SECONDS", default: "", public: true,
        help: "once the program has done nothing for SECONDS, print which thread waits for which, and go on",
    }

    /// Whose code is watched for data races.
    races: Chosen {
        read: values::chosen, value: "first-party|all|none|PKG[,PKG...]", default: "first-party", public: true,
        help: "whose code is watched for data races; first-party: neither the standard library's nor an installed package's",
    }

    /// What of that code is not.
    races_exclude: Excluded {
        read: values::excluded, value: "PKG|MODULE|MODULE:FUNCTION[,...]", default: "", public: true,
        help: "what of that code is not watched",
    }

    /// Misuse inside installed packages counts.
    upstream: bool {
        read: values::flag, value: FLAG, default: "no", public: true,
        help: "count misuse that lies wholly inside installed packages as the program's own",
    }

    /// The GIL must be off.
    require_gil_disabled: bool {
        read: values::flag, value: FLAG, default: "no", public: true,
        help: "the GIL must be off from the beginning to the end: what switches it on is an error",
    }

    /// Whether an object's creator counts from the beginning.
    strict: bool {
        read: values::flag, value: FLAG, default: "no", public: true,
        help: "data races: count also what the creator of an object or iterator does before another thread has touched it; watches from the first instruction on, which is slower",
    }

    /// How much of the time data races are looked for, in tenths of a per cent.
    sample: u32 {
        read: values::permille, value: "PERCENT", default: "100", public: true,
        help: "data races, for production: watch in slices of 10 ms that are PERCENT (0.1 to 100) of the time; a finding is as true as without, fewer are made",
    }

    /// Whether locksets are looked at besides the order.
    potential: bool {
        read: values::flag, value: FLAG, default: "no", public: true,
        help: "data races, for review: report what no lock guards, even if it was ordered by something else this time",
    }

    /// Whether threads are paused before suspicious writes.
    confirm: bool {
        read: values::flag, value: FLAG, default: "no", public: true,
        help: "data races: pause threads shortly before suspicious writes, and run the program again, up to five times, to see the harm happen",
    }

    /// The seed of what is held up.
    perturb: Option<u64> {
        read: values::seed, value: "SEED", default: "", public: true,
        help: "hold up threads before accesses, watched calls and system calls, so that other schedules are seen; the same SEED, a number, holds up the same",
    }

    /// Varies the pauses.
    seed: u64 {
        read: values::number, value: "N", default: "0", public: true,
        help: "varies the pauses of --confirm, and of the threads of pytest's --ftsan-concurrent",
    }

    /// Where the inventory of shared state goes.
    inventory: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: true,
        help: "write to FILE, as JSON, what mutable state the threads share, where it was made, and which lock guards it",
    }

    /// Size of the shadow memory, in MB.
    shadow_mb: usize {
        read: values::megabytes, value: "N", default: "16", public: true,
        help: "data races: megabytes (1 to 65536) that remember accesses; with fewer, some races may be missed",
    }

    /// Installed packages that are the program's own.
    project: Vec<String> {
        read: values::names, value: "PKG[,PKG...]", default: "", public: false,
        help: "installed packages that are the program's own: the project under test",
    }

    /// Where threads are paused from the beginning: (file, line).
    confirm_at: Vec<(String, u32)> {
        read: values::lines, value: "FILE:LINE[,...]", default: "", public: false,
        help: "lines that the run before has found",
    }

    /// Process id of the launcher, 0 for none.
    supervisor: u32 {
        read: values::number, value: "PID", default: "0", public: false,
        help: "process id of the `ftsan run` whose direct child dies with it",
    }

    /// Where the processes of a tree count.
    tally: Option<PathBuf> {
        read: values::path, value: "FILE", default: "", public: false,
        help: "where the processes of a tree count what they find; in the folder of the run",
    }

    /// Whether findings are printed to stderr as they happen.
    text: bool {
        read: values::is_stderr, value: "stderr|none", default: "stderr", public: false,
        help: "where findings are printed as they happen",
    }
}

impl Options {
    /// Parses the value of `FTSAN_OPTIONS`: `key=value:key=value`.  A colon in a value is written `\\:` or `%3A`, a backslash before a
    /// colon `\\\\`, and any byte `%XX` (in capitals, so `%25` is a per cent sign where two such digits follow).
    ///
    /// # Errors
    /// An unknown key, a missing `=`, or a value that the option does not take.
    ///
    /// What the file of `config` says comes first.
    pub fn parse(text: &OsStr) -> Result<Self, OptionError> {
        let given = Options::decode(text)?;
        let mut options = Options::default();
        let config = given.iter().find(|(key, value)| key == "config" && !value.is_empty() && value != NO_CONFIG);
        if let Some((_, path)) = config {
            for (key, value) in configured(Path::new(path))? {
                options.set(&key, &value)?;
            }
        }
        for (key, value) in given {
            options.set(&key, &value)?;
        }
        Ok(options)
    }

    fn decode(text: &OsStr) -> Result<Vec<(String, OsString)>, OptionError> {
        let mut given = Vec::new();
        for item in encoding::split(text.as_bytes()).filter(|item| !item.is_empty()) {
            let Some(equals) = item.iter().position(|byte| *byte == b'=') else {
                return Err(OptionError(format!("{ENVIRONMENT}: \"{}\" is not key=value", String::from_utf8_lossy(item))));
            };
            let value = OsString::from_vec(encoding::unescape(&item[equals + 1..]));
            given.push((String::from_utf8_lossy(&item[..equals]).into_owned(), value));
        }
        Ok(given)
    }

    /// Whether the report lies in the folder of the run, where nobody looks for it afterwards.
    pub fn is_report_scratch(&self) -> bool {
        let folder = |path: &Option<PathBuf>| path.as_deref().and_then(std::path::Path::parent).map(PathBuf::from);
        folder(&self.tally).is_some_and(|scratch| folder(&self.report_json) == Some(scratch))
    }

    /// Which code is watched for data races.
    pub fn scope(&self) -> Scope {
        Scope::new(self.races.clone(), self.races_exclude.clone(), self.project.clone())
    }

    /// Installed packages that are not foreign: the project under test, and what is watched for data races by name.
    pub fn own_packages(&self) -> Vec<String> {
        let first = |name: &String| name.split('.').next().unwrap_or(name).to_owned();
        self.project.iter().chain(self.races.by_name().0).map(first).collect()
    }

    /// Where the report is written at the end, in other formats.
    pub fn formats(&self) -> impl Iterator<Item = (&Path, &'static Format)> {
        let paths = [("sarif", &self.report_sarif), ("junit", &self.report_junit), ("html", &self.report_html)];
        paths.into_iter().filter_map(|(name, path)| Some((path.as_deref()?, render::find(name)?)))
    }

    /// Encodes pairs for `FTSAN_OPTIONS`, the inverse of [`Options::parse`].  The result is ASCII, whatever bytes a path has.
    pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a OsStr)>) -> String {
        let encoded: Vec<String> =
            pairs.into_iter().map(|(key, value)| format!("{key}={}", encoding::escape(value.as_bytes()))).collect();
        encoded.join(":")
    }
}

/// Whether the value of an option is the path of something, which has to be absolute: processes of a tree run in different folders.
pub fn is_path(key: &str, value: &OsStr) -> bool {
    let spec = OPTIONS.iter().find(|spec| spec.key == key && PATHS.contains(&spec.value));
    spec.is_some_and(|spec| !(value.is_empty() || spec.value == FILE_OR_NONE && value == NO_CONFIG))
}

/// The options of a project's configuration, with absolute paths.
///
/// # Errors
/// The file cannot be read, or has what no option takes; names the file.
pub fn configured(path: &Path) -> Result<Vec<(String, OsString)>, OptionError> {
    let wrong = |what: String| OptionError(format!("{}: {what}", path.display()));
    let read = Configuration::load(path).map_err(OptionError)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut options = Vec::new();
    for (key, value) in read.options().map_err(wrong)? {
        let spec = OPTIONS.iter().find(|spec| spec.key == key && spec.public && key != "config");
        let value = match spec {
            Some(_) if is_path(&key, OsStr::new(&value)) => folder.join(value).into_os_string(),
            Some(_) | None => OsString::from(value),
        };
        let is_known = spec.ok_or_else(|| OptionError(format!("unknown option \"{key}\"")));
        is_known.and_then(|_| Options::default().set(&key, &value)).map_err(|error| wrong(error.0))?;
        options.push((key, value));
    }
    Ok(options)
}

fn unknown(key: &str) -> OptionError {
    let known: Vec<&str> = OPTIONS.iter().filter(|spec| spec.public).map(|spec| spec.key).collect();
    let meant = similar::did_you_mean(key, known.iter().copied());
    OptionError(format!("unknown option \"{key}\"{meant} (known: {})", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_every_option_is_one_of_its_values() {
        for spec in OPTIONS {
            let item = Options::encode([(spec.key, OsStr::new(spec.default))]);
            assert_eq!(Options::parse(OsStr::new(&item)), Ok(Options::default()), "{}", spec.key);
        }
    }

    /// Of each option a value that is not its default, and what says so in the options.
    const OTHERS: [(&str, &str, &str); 32] = [
        ("report_json", "/a", "report_json: Some(\"/a\")"),
        ("report_sarif", "/a", "report_sarif: Some(\"/a\")"),
        ("report_junit", "/a", "report_junit: Some(\"/a\")"),
        ("report_html", "/a", "report_html: Some(\"/a\")"),
        ("report_style", "full", "report_style: true"),
        ("on_finding", "abort", "on_finding: Abort"),
        ("exit_code", "7", "exit_code: 7,"),
        ("suppressions", "/b", "suppressions: Some(\"/b\")"),
        ("baseline", "/k", "baseline: Some(\"/k\")"),
        ("write_baseline", "/l", "write_baseline: Some(\"/l\")"),
        ("update_baseline", "yes", "update_baseline: true"),
        ("config", "FILE", "config: Some("),
        ("declarations", "/c", "declarations: Some(\"/c\")"),
        ("crash_dir", "/d", "crash_dir: Some(\"/d\")"),
        ("on_hang", "2.5", "on_hang: Some(2.5s)"),
        ("races", "flask", "packages: [\"flask\"]"),
        ("races_exclude", "numpy", "modules: [\"numpy\"]"),
        ("upstream", "yes", "upstream: true"),
        ("require_gil_disabled", "yes", "require_gil_disabled: true"),
        ("strict", "yes", "strict: true"),
        ("sample", "2.5%", "sample: 25,"),
        ("potential", "yes", "potential: true"),
        ("confirm", "yes", "confirm: true"),
        ("perturb", "5", "perturb: Some(5)"),
        ("seed", "12", "seed: 12,"),
        ("inventory", "/e", "inventory: Some(\"/e\")"),
        ("shadow_mb", "31", "shadow_mb: 31,"),
        ("project", "mine", "project: [\"mine\"]"),
        ("confirm_at", "f.py:3,g.py:4", "confirm_at: [(\"f.py\", 3), (\"g.py\", 4)]"),
        ("supervisor", "99", "supervisor: 99,"),
        ("tally", "/f", "tally: Some(\"/f\")"),
        ("text", "none", "text: false"),
    ];

    #[test]
    fn every_option_of_the_table_is_parsed_and_changes_nothing_else() {
        assert_eq!(OPTIONS.iter().map(|spec| spec.key).collect::<Vec<_>>(), OTHERS.map(|(key, ..)| key));
        let default = format!("{:?}", Options::default());
        let folder = std::env::temp_dir().join(format!("ftsan-options-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = folder.join("pyproject.toml");
        std::fs::write(&config, "[tool.ftsan]\n").unwrap();
        let value_of = |key: &str, value: &'static str| if key == "config" { config.as_os_str() } else { OsStr::new(value) };
        for (key, value, said) in OTHERS {
            let options = Options::parse(OsStr::new(&Options::encode([(key, value_of(key, value))]))).unwrap();
            assert!(format!("{options:?}").contains(said) && !default.contains(said), "{key}: {options:?}");
            let all = Options::encode(
                OTHERS.iter().filter(|(other, ..)| *other != key).map(|(key, value, _)| (*key, value_of(key, value))),
            );
            assert!(!format!("{:?}", Options::parse(OsStr::new(&all)).unwrap()).contains(said), "{key} is set by another option");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn files_and_folders_are_paths_and_nothing_else_is() {
        let paths: Vec<&str> = OPTIONS.iter().map(|spec| spec.key).filter(|key| is_path(key, OsStr::new("a"))).collect();
        let typed = format!("{:?}", Options::default());
        assert!(
            paths.contains(&"crash_dir") && paths.contains(&"config") && paths.contains(&"inventory") && !paths.contains(&"races")
        );
        assert!(paths.iter().all(|key| typed.contains(&format!("{key}: None"))), "{paths:?}");
        assert!(!is_path("config", OsStr::new(NO_CONFIG)) && is_path("report_json", OsStr::new(NO_CONFIG)));
        assert!(!is_path("report_json", OsStr::new("")));
    }

    #[test]
    fn attach_takes_options_that_there_are() {
        let is_public = |key: &&str| OPTIONS.iter().any(|spec| spec.key == *key && spec.public);
        assert_eq!(OF_ATTACH.iter().filter(|key| !is_public(key)).count(), 0);
    }

    fn report_of(text: &[u8]) -> PathBuf {
        Options::parse(OsStr::from_bytes(text)).unwrap().report_json.unwrap()
    }

    #[test]
    fn values_survive_the_environment() {
        for path in [&b"/tmp/50%3A: a.json"[..], b"/tmp/\\:\\", b"/tmp/\xff\n\xc3\xa4"] {
            let text = Options::encode([("report_json", OsStr::from_bytes(path)), ("on_finding", OsStr::new("raise"))]);
            assert!(text.is_ascii());
            let options = Options::parse(OsStr::new(&text)).unwrap();
            assert_eq!(options.report_json, Some(PathBuf::from(OsStr::from_bytes(path))));
            assert_eq!(options.on_finding, OnFinding::Raise);
        }
    }

    #[test]
    fn a_colon_can_be_written_by_hand() {
        assert_eq!(report_of(b"report_json=/tmp/a\\:b:strict=yes"), PathBuf::from("/tmp/a:b"));
        assert_eq!(report_of(b"report_json=/tmp/a%3Ab"), PathBuf::from("/tmp/a:b"));
        assert_eq!(report_of(b"report_json=a\\\\:strict=yes"), PathBuf::from("a\\"), "an escaped backslash escapes nothing");
        assert_eq!(report_of(b"report_json=a\\b%zz%"), PathBuf::from("a\\b%zz%"), "what is no escape stands for itself");
        assert_eq!(report_of(b"report_json=\xff"), PathBuf::from(OsStr::from_bytes(b"\xff")));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |text: &str| Options::parse(OsStr::new(text)).unwrap_err().to_string();
        assert!(message("reprot_json=x").starts_with("unknown option \"reprot_json\"; did you mean report_json"));
        assert_eq!(message("exit_code=300"), "exit_code: \"300\" is not a number from 1 to 255");
        assert_eq!(message("exit_code=0"), "exit_code: \"0\" is not a number from 1 to 255");
        assert_eq!(message("on_finding=stop"), "on_finding: \"stop\" is not log|raise|abort");
        assert_eq!(message("raise"), "FTSAN_OPTIONS: \"raise\" is not key=value");
    }
}
