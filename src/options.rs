//! The one table of options.
//!
//! `ftsan run --help`, the pytest options, the reference in the README and the parser of `FTSAN_OPTIONS` are made from
//! [`OPTIONS`] or compared with it in a test.  An option that is not in the table does not exist.

use crate::choice::Choice;
use crate::report::render::{self, Format};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// Every option, in the order of the help text.
pub static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        key: "report_json",
        value: "FILE",
        default: "",
        help: "write the findings of the whole process tree to FILE as JSON, as they are made",
        public: true,
    },
    OptionSpec {
        key: "report_sarif",
        value: "FILE",
        default: "",
        help: "write the report to FILE as SARIF 2.1.0 at the end, for code scanning",
        public: true,
    },
    OptionSpec {
        key: "report_junit",
        value: "FILE",
        default: "",
        help: "write the report to FILE as JUnit XML at the end, a failed test case for each finding",
        public: true,
    },
    OptionSpec {
        key: "on_finding",
        value: "log|raise|abort",
        default: "log",
        help: "log: report and go on; raise: ftsan.Misuse in the offending thread, before the state is touched; abort: end the process",
        public: true,
    },
    OptionSpec {
        key: "exit_code",
        value: "N",
        default: "66",
        help: "exit status (1 to 255) that replaces 0 when something of severity error or warning was found",
        public: true,
    },
    OptionSpec {
        key: "suppressions",
        value: "FILE",
        default: "",
        help: "TOML file of findings that are accepted, each with its reason; unused ones are listed at the end",
        public: true,
    },
    OptionSpec {
        key: "declarations",
        value: "FILE",
        default: "",
        help: "TOML file of types whose methods belong to one loop or thread, for libraries that ftsan does not know",
        public: true,
    },
    OptionSpec {
        key: "crash_dir",
        value: "DIR",
        default: "",
        help: "where the ten newest crash folders are kept; none stands for $XDG_STATE_HOME/ftsan/crashes",
        public: true,
    },
    OptionSpec {
        key: "on_hang",
        value: "SECONDS",
        default: "",
        help: "once the program has done nothing for SECONDS, print which thread waits for which, and go on",
        public: true,
    },
    OptionSpec {
        key: "races",
        value: "first-party|all|none|PKG[,PKG...]",
        default: "first-party",
        help: "whose code is watched for data races; first-party: neither the standard library's nor an installed package's",
        public: true,
    },
    OptionSpec {
        key: "races_exclude",
        value: "PKG|MODULE|MODULE:FUNCTION[,...]",
        default: "",
        help: "what of that code is not watched",
        public: true,
    },
    OptionSpec {
        key: "upstream",
        value: FLAG,
        default: "no",
        help: "count misuse that lies wholly inside installed packages as the program's own",
        public: true,
    },
    OptionSpec {
        key: "strict",
        value: FLAG,
        default: "no",
        help: "data races: count what the creator of an object does before another thread has touched it",
        public: true,
    },
    OptionSpec {
        key: "potential",
        value: FLAG,
        default: "no",
        help: "data races, for review: report what no lock guards, even if it was ordered by something else this time",
        public: true,
    },
    OptionSpec {
        key: "confirm",
        value: FLAG,
        default: "no",
        help: "data races: pause threads shortly before suspicious writes, and run the program again, up to five times, to see the harm happen",
        public: true,
    },
    OptionSpec { key: "seed", value: "N", default: "0", help: "varies the pauses of --confirm", public: true },
    OptionSpec {
        key: "inventory",
        value: "FILE",
        default: "",
        help: "write to FILE, as JSON, what mutable state the threads share, where it was made, and which lock guards it",
        public: true,
    },
    OptionSpec {
        key: "shadow_mb",
        value: "N",
        default: "16",
        help: "data races: megabytes (1 to 65536) that remember accesses; with fewer, some races may be missed",
        public: true,
    },
    OptionSpec {
        key: "confirm_at",
        value: "FILE:LINE[,...]",
        default: "",
        help: "lines that the run before has found",
        public: false,
    },
    OptionSpec {
        key: "supervisor",
        value: "PID",
        default: "0",
        help: "process id of the `ftsan run` whose direct child dies with it",
        public: false,
    },
    OptionSpec {
        key: "tally",
        value: "FILE",
        default: "",
        help: "where the processes of a tree count what they find; in the folder of the run",
        public: false,
    },
    OptionSpec {
        key: "text",
        value: "stderr|none",
        default: "stderr",
        help: "where findings are printed as they happen",
        public: false,
    },
];

/// What happens in the offending thread once a finding is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFinding {
    /// Report and go on.
    Log,
    /// Raise `ftsan.Misuse` before the state is touched.
    Raise,
    /// Report and abort the process.
    Abort,
}

/// Parsed options of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where the JSON report of the process tree goes.
    pub report_json: Option<PathBuf>,
    /// Where the launcher writes the report as SARIF.
    pub report_sarif: Option<PathBuf>,
    /// Where the launcher writes the report as JUnit XML.
    pub report_junit: Option<PathBuf>,
    /// What happens in the offending thread.
    pub on_finding: OnFinding,
    /// Exit status of `ftsan run` when there are findings.
    pub exit_code: u8,
    /// File of accepted findings.
    pub suppressions: Option<PathBuf>,
    /// File of declared types.
    pub declarations: Option<PathBuf>,
    /// Where crash folders are kept.
    pub crash_dir: Option<PathBuf>,
    /// After how long without progress the launcher asks what the threads wait for.
    pub on_hang: Option<Duration>,
    /// Whose code is watched for data races.
    pub races: Choice,
    /// Whether an object's creator counts from the beginning.
    pub strict: bool,
    /// Misuse inside installed packages counts.
    pub upstream: bool,
    /// Whether locksets are looked at besides the order.
    pub potential: bool,
    /// Whether threads are paused before suspicious writes.
    pub confirm: bool,
    /// Varies the pauses.
    pub seed: u64,
    /// Where the inventory of shared state goes.
    pub inventory: Option<PathBuf>,
    /// Size of the shadow memory, in MB.
    pub shadow_mb: usize,
    /// Where threads are paused from the beginning: (file, line).
    pub confirm_at: Vec<(String, u32)>,
    /// Process id of the launcher, 0 for none.
    pub supervisor: u32,
    /// Where the processes of a tree count.
    pub tally: Option<PathBuf>,
    /// Whether findings are printed to stderr as they happen.
    pub text: bool,
}

/// Why options were refused: one line that says what and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionError(String);

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for Options {
    fn default() -> Self {
        let mut options = Options {
            report_json: None,
            report_sarif: None,
            report_junit: None,
            on_finding: OnFinding::Log,
            exit_code: 0,
            suppressions: None,
            declarations: None,
            crash_dir: None,
            on_hang: None,
            races: Choice::default(),
            strict: false,
            upstream: false,
            potential: false,
            confirm: false,
            seed: 0,
            inventory: None,
            shadow_mb: 0,
            confirm_at: Vec::new(),
            supervisor: 0,
            tally: None,
            text: true,
        };
        for spec in OPTIONS {
            options.set(spec.key, OsStr::new(spec.default)).expect("the table's defaults are valid");
        }
        options
    }
}

impl Options {
    /// Parses the value of `FTSAN_OPTIONS`: `key=value:key=value`.  A colon in a value is written `\\:` or `%3A`, a backslash before a
    /// colon `\\\\`, and any byte `%XX` (in capitals, so `%25` is a per cent sign where two such digits follow).
    ///
    /// # Errors
    /// An unknown key, a missing `=`, or a value that the option does not take.
    pub fn parse(text: &OsStr) -> Result<Self, OptionError> {
        let mut options = Options::default();
        for item in split(text.as_bytes()).filter(|item| !item.is_empty()) {
            let Some(equals) = item.iter().position(|byte| *byte == b'=') else {
                return Err(OptionError(format!("{ENVIRONMENT}: \"{}\" is not key=value", String::from_utf8_lossy(item))));
            };
            let (key, value) = (String::from_utf8_lossy(&item[..equals]), OsString::from_vec(unescape(&item[equals + 1..])));
            options.set(&key, &value)?;
        }
        Ok(options)
    }

    /// Whether the report lies in the folder of the run, where nobody looks for it afterwards.
    pub fn is_report_scratch(&self) -> bool {
        let folder = |path: &Option<PathBuf>| path.as_deref().and_then(std::path::Path::parent).map(PathBuf::from);
        folder(&self.tally).is_some_and(|scratch| folder(&self.report_json) == Some(scratch))
    }

    /// Where the report is written at the end, in other formats.
    pub fn formats(&self) -> impl Iterator<Item = (&Path, &'static Format)> {
        let paths = [("sarif", &self.report_sarif), ("junit", &self.report_junit)];
        paths.into_iter().filter_map(|(name, path)| Some((path.as_deref()?, render::find(name)?)))
    }

    /// Encodes pairs for `FTSAN_OPTIONS`, the inverse of [`Options::parse`].  The result is ASCII, whatever bytes a path has.
    pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a OsStr)>) -> String {
        let encoded: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}={}", escape(value.as_bytes()))).collect();
        encoded.join(":")
    }

    fn set(&mut self, key: &str, given: &OsStr) -> Result<(), OptionError> {
        let Some(spec) = OPTIONS.iter().find(|spec| spec.key == key) else {
            let known: Vec<&str> = OPTIONS.iter().filter(|spec| spec.public).map(|spec| spec.key).collect();
            return Err(OptionError(format!("unknown option \"{key}\" (known: {})", known.join(", "))));
        };
        // Only paths may be anything else.
        let value = &*given.to_string_lossy();
        let refuse = || OptionError(format!("{key}: \"{value}\" is not {}", spec.value));
        let path = || (!given.is_empty()).then(|| PathBuf::from(given));
        match spec.key {
            "report_json" => self.report_json = path(),
            "report_sarif" => self.report_sarif = path(),
            "report_junit" => self.report_junit = path(),
            "suppressions" => self.suppressions = path(),
            "crash_dir" => self.crash_dir = path(),
            "declarations" => self.declarations = path(),
            "on_finding" => {
                self.on_finding = match value {
                    "log" => OnFinding::Log,
                    "raise" => OnFinding::Raise,
                    "abort" => OnFinding::Abort,
                    _ => return Err(refuse()),
                }
            }
            "exit_code" => {
                self.exit_code = match value.parse() {
                    Ok(code) if code > 0 => code,
                    _ => return Err(OptionError(format!("{key}: \"{value}\" is not a number from 1 to 255"))),
                }
            }
            "races" => self.races.set_chosen(value).map_err(|wrong| OptionError(format!("{key}: {wrong}")))?,
            "races_exclude" => self.races.set_excluded(value).map_err(|wrong| OptionError(format!("{key}: {wrong}")))?,
            "on_hang" => {
                self.on_hang = match value.parse::<f64>() {
                    _ if value.is_empty() => None,
                    Ok(seconds) if seconds > 0.0 && seconds < 1e9 => Some(Duration::from_secs_f64(seconds)),
                    _ => return Err(OptionError(format!("{key}: \"{value}\" is not a number of seconds"))),
                }
            }
            "strict" => self.strict = flag(value).ok_or_else(refuse)?,
            "upstream" => self.upstream = flag(value).ok_or_else(refuse)?,
            "potential" => self.potential = flag(value).ok_or_else(refuse)?,
            "confirm" => self.confirm = flag(value).ok_or_else(refuse)?,
            "seed" => self.seed = value.parse().map_err(|_| refuse())?,
            "inventory" => self.inventory = path(),
            "shadow_mb" => {
                self.shadow_mb = match value.parse() {
                    Ok(megabytes @ 1..=65536) => megabytes,
                    _ => return Err(OptionError(format!("{key}: \"{value}\" is not a number from 1 to 65536"))),
                }
            }
            "confirm_at" => self.confirm_at = lines(value).ok_or_else(refuse)?,
            "supervisor" => self.supervisor = value.parse().map_err(|_| refuse())?,
            "tally" => self.tally = path(),
            "text" => {
                self.text = match value {
                    "stderr" => true,
                    "none" => false,
                    _ => return Err(refuse()),
                }
            }
            other => unreachable!("option {other} is in the table but not parsed"),
        }
        Ok(())
    }
}

/// The items of `key=value:key=value`: at colons that are not escaped.
fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_escaped = false;
    text.split(move |byte| {
        let is_end = *byte == b':' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    })
}

fn unescape(value: &[u8]) -> Vec<u8> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    let digit = |byte: u8| if byte <= b'9' { byte - b'0' } else { byte - b'A' + 10 };
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    loop {
        rest = match rest {
            [b'\\', escaped @ (b':' | b'\\'), rest @ ..] => {
                bytes.push(*escaped);
                rest
            }
            [b'%', high, low, rest @ ..] if is_digit(*high) && is_digit(*low) => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
            [] => return bytes,
        };
    }
}

fn escape(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value {
        match byte {
            b'%' | b':' | b'\\' | 0..=0x1F | 0x7F.. => text.push_str(&format!("%{byte:02X}")),
            _ => text.push(char::from(*byte)),
        }
    }
    text
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn lines(value: &str) -> Option<Vec<(String, u32)>> {
    let line = |place: &str| {
        let (file, line) = place.rsplit_once(':')?;
        Some((file.to_owned(), line.parse().ok()?))
    };
    value.split(',').filter(|place| !place.is_empty()).map(line).collect()
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
    const OTHERS: [(&str, &str, &str); 22] = [
        ("report_json", "/a", "report_json: Some(\"/a\")"),
        ("report_sarif", "/a", "report_sarif: Some(\"/a\")"),
        ("report_junit", "/a", "report_junit: Some(\"/a\")"),
        ("on_finding", "abort", "on_finding: Abort"),
        ("exit_code", "7", "exit_code: 7,"),
        ("suppressions", "/b", "suppressions: Some(\"/b\")"),
        ("declarations", "/c", "declarations: Some(\"/c\")"),
        ("crash_dir", "/d", "crash_dir: Some(\"/d\")"),
        ("on_hang", "2.5", "on_hang: Some(2.5s)"),
        ("races", "flask", "packages: [\"flask\"]"),
        ("races_exclude", "numpy", "excluded: [\"numpy\"]"),
        ("upstream", "yes", "upstream: true"),
        ("strict", "yes", "strict: true"),
        ("potential", "yes", "potential: true"),
        ("confirm", "yes", "confirm: true"),
        ("seed", "12", "seed: 12,"),
        ("inventory", "/e", "inventory: Some(\"/e\")"),
        ("shadow_mb", "31", "shadow_mb: 31,"),
        ("confirm_at", "f.py:3,g.py:4", "confirm_at: [(\"f.py\", 3), (\"g.py\", 4)]"),
        ("supervisor", "99", "supervisor: 99,"),
        ("tally", "/f", "tally: Some(\"/f\")"),
        ("text", "none", "text: false"),
    ];

    #[test]
    fn every_option_of_the_table_is_parsed_and_changes_nothing_else() {
        assert_eq!(OPTIONS.iter().map(|spec| spec.key).collect::<Vec<_>>(), OTHERS.map(|(key, ..)| key));
        let default = format!("{:?}", Options::default());
        for (key, value, said) in OTHERS {
            let options = Options::parse(OsStr::new(&Options::encode([(key, OsStr::new(value))]))).unwrap();
            assert!(format!("{options:?}").contains(said) && !default.contains(said), "{key}: {options:?}");
            let all =
                Options::encode(OTHERS.iter().filter(|(other, ..)| *other != key).map(|(key, value, _)| (*key, OsStr::new(value))));
            assert!(!format!("{:?}", Options::parse(OsStr::new(&all)).unwrap()).contains(said), "{key} is set by another option");
        }
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
        assert!(message("reprot_json=x").starts_with("unknown option \"reprot_json\" (known: report_json,"));
        assert_eq!(message("exit_code=300"), "exit_code: \"300\" is not a number from 1 to 255");
        assert_eq!(message("exit_code=0"), "exit_code: \"0\" is not a number from 1 to 255");
        assert_eq!(message("on_finding=stop"), "on_finding: \"stop\" is not log|raise|abort");
        assert_eq!(message("raise"), "FTSAN_OPTIONS: \"raise\" is not key=value");
    }
}
