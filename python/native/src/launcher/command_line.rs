//! The command line, made from the table of options: in Rust because importing `argparse` would cost a run half of its
//! start-up budget.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use clap_complete::Shell;
use ftsan::options::{FLAG, OF_ATTACH, OPTIONS, OptionSpec};
use ftsan::report::render::FORMATS;
use ftsan::rules;
use ftsan::statuses::STATUSES;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A command with its options, what of the words is for the interpreter (of `run`), and the others: the program of `run`, the rule
    /// of `explain`.
    Do { command: String, options: BTreeMap<String, OsString>, interpreter: Vec<OsString>, words: Vec<OsString> },
    /// Help or version: print this and be done.
    Show(String),
    /// One line that says what is wrong.
    Wrong(String),
}

/// The format that is sent rather than printed, by `python/ftsan/cli/otlp.py`.
const OTLP: &str = "otlp";

const RUN_USAGE: &str = "ftsan run [OPTIONS] [PYTHON'S OPTIONS]
                 [-m MODULE | -c COMMAND | SCRIPT | - | PROGRAM] [ARGS...]";

fn command() -> Command {
    let mut run = Command::new("run")
        .about("Run a program, unmodified, and report on stderr what its threads do wrong")
        .override_usage(RUN_USAGE)
        .after_help(format!(
            "The program is given as to python: a script, - for standard input, -m MODULE or -c COMMAND, after options like -W, -X or -O; \
             or as to a shell: python and its words, or a command that is written in Python (uvicorn app:app).  Everything after it is \
             its own; -- ends ftsan's options.\n\nExit status:\n{}",
            STATUSES.iter().map(|(status, when)| format!("  {status}: {when}")).collect::<Vec<_>>().join("\n")
        ));
    for spec in OPTIONS.iter().filter(|spec| spec.public) {
        run = run.arg(option(spec));
    }
    let mut attach = Command::new("attach")
        .about("Watch a process that runs already, for a time, and leave it as it was")
        .arg(Arg::new("pid").value_name("PID").value_parser(clap::value_parser!(u32)).required(true).help("Number of the process"))
        .arg(
            Arg::new("for")
                .long("for")
                .value_name("TIME")
                .value_parser(parse_time)
                .default_value("30s")
                .help("How long: 30s, 0.5s, 200ms, 5m; Ctrl-C ends it before"),
        )
        .after_help(
            "The process runs CPython 3.14 or 3.15 of the build that ftsan is installed for, and is yours; it needs nothing of ftsan.  It is \
             entered through the interpreter's own door for debuggers (PEP 768), which opens when its code runs.\n\nExit status: as of ftsan run; \
             67 also if it could not be entered in time, 2 if it cannot be entered.",
        );
    for spec in OPTIONS.iter().filter(|spec| OF_ATTACH.contains(&spec.key)) {
        attach = attach.arg(option(spec));
    }
    let top = Command::new("top")
        .about("Show what a running process does: threads, loops, tasks, locks, descriptors, findings as they come")
        .arg(Arg::new("pid").value_name("PID").value_parser(clap::value_parser!(u32)).required(true).help("Number of the process"))
        .arg(Arg::new("once").long("once").action(ArgAction::SetTrue).help("Print it once, as text"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print it once, as JSON"))
        .arg(
            Arg::new("every")
                .long("every")
                .value_name("TIME")
                .value_parser(parse_time)
                .default_value("1s")
                .help("How often to look: 1s, 500ms, 1m"),
        )
        .arg(
            Arg::new("outside")
                .long("outside")
                .action(ArgAction::SetTrue)
                .help("Do not attach to a process that is not watched, as --once and --json do not: no findings, and nothing of it is touched"),
        )
        .after_help(
            "On a terminal it goes on until q, Ctrl-C or the end of the process (pip install ftsan[top]).  A process that ftsan run has started \
             tells what its threads hold and wait for, and what was found; another one is attached to, as by ftsan attach, and left as it was.\n\n\
             Exit status: 0; 67 if the process did not let ftsan in in time, 2 if it cannot be looked at.",
        );
    Command::new("ftsan")
        .about("The sanitizer for free-threaded Python: says, with both stacks, where threads step on each other")
        .version(ftsan::VERSION)
        .subcommand_required(true)
        .subcommand(run)
        .subcommand(attach)
        .subcommand(top)
        .subcommand(
            Command::new("explain")
                .about("List the rules, or explain one")
                .arg(Arg::new("rule").value_name("RULE|all").help("Id or name of a rule, or all; none lists them")),
        )
        .subcommand(
            Command::new("triage")
                .about("Say why a process died, or what a living one waits for: whose fault, how sure that is, what to do next")
                .arg(
                    Arg::new("crash").value_name("FILE|DIR|CORE|PID").value_parser(clap::value_parser!(OsString)).num_args(1..).required(true).help(
                        "A dump, or a text with dumps in it (- for standard input), a crash folder of ftsan run, a core file, or the number of a \
                         process that hangs; several with --group",
                    ),
                )
                .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("The verdict as JSON"))
                .arg(
                    Arg::new("markdown")
                        .long("markdown")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("json")
                        .help("A block for an upstream issue"),
                )
                .arg(
                    Arg::new("group")
                        .long("group")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("markdown")
                        .help("Crashes of many files, of crash folders and of folders with both, by signature, with counts"),
                )
                .after_help(format!("What is read: {}.", ftsan::triage::forms::names())),
        )
        .subcommand(
            Command::new("report")
                .about("Show a report of ftsan run in another format")
                .arg(
                    Arg::new("file")
                        .value_name("FILE")
                        .value_parser(clap::value_parser!(OsString))
                        .required(true)
                        .help("A report, as --report-json writes it; what its journal has more is shown as well"),
                )
                .arg(
                    Arg::new("to")
                        .long("to")
                        .value_name("FORMAT")
                        .value_parser(FORMATS.iter().map(|format| format.name).chain([OTLP]).collect::<Vec<_>>())
                        .default_value("text")
                        .help(format!(
                            "{}; {OTLP}: log records of OpenTelemetry, sent to --endpoint (pip install ftsan[otel])",
                            FORMATS.iter().map(|format| format!("{}: {}", format.name, format.what)).collect::<Vec<_>>().join("; ")
                        )),
                )
                .arg(
                    Arg::new("endpoint")
                        .long("endpoint")
                        .value_name("URL")
                        .help("Where --to otlp sends to, by HTTP: http://collector:4318; else $OTEL_EXPORTER_OTLP_ENDPOINT"),
                ),
        )
        .subcommand(
            Command::new("merge")
                .about("Make one report of many: of the shards of a test suite, or of many machines")
                .arg(
                    Arg::new("files")
                        .value_name("FILE")
                        .value_parser(clap::value_parser!(OsString))
                        .num_args(1..)
                        .required(true)
                        .help("Reports, as --report-json writes them; the status is 67 if one cannot be read and is left out"),
                )
                .arg(
                    Arg::new("output")
                        .short('o')
                        .long("output")
                        .value_name("OUT")
                        .value_parser(clap::value_parser!(OsString))
                        .required(true)
                        .help("Where the merged report goes"),
                ),
        )
        .subcommand(
            Command::new("audit")
                .about("Say of installed distributions what to expect of them without the GIL")
                .arg(Arg::new("distribution").value_name("DIST").num_args(0..).help("Distributions; all that are installed if none is named"))
                .arg(
                    Arg::new("requirements")
                        .short('r')
                        .long("requirements")
                        .value_name("FILE")
                        .action(ArgAction::Append)
                        .value_parser(clap::value_parser!(OsString))
                        .help("Those that a file of requirements names"),
                )
                .arg(
                    Arg::new("venv")
                        .long("venv")
                        .value_name("DIR")
                        .value_parser(clap::value_parser!(OsString))
                        .help("Of this virtual environment, or this interpreter, instead of the one that ftsan is installed for"),
                )
                .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON, with everything that was looked at"))
                .arg(
                    Arg::new("markdown").long("markdown").action(ArgAction::SetTrue).conflicts_with("json").help("As Markdown, for an issue"),
                )
                .arg(
                    Arg::new("sarif")
                        .long("sarif")
                        .action(ArgAction::SetTrue)
                        .conflicts_with_all(["json", "markdown"])
                        .help("As SARIF, for code scanning; with -r at the lines of the requirements"),
                )
                .arg(
                    Arg::new("no-import").long("no-import").action(ArgAction::SetTrue).help(
                        "Load nothing: what a module's file does not show is not known then; else it is imported in a process of its own",
                    ),
                )
                .after_help(
                    "Exit status: 0 if nothing switches the GIL on and no version is known to crash, 66 if something does, 67 if of something it \
                     is not known.",
                ),
        )
        .subcommand(
            Command::new("issue")
                .about("Print what maintainers ask for, as Markdown: interpreter, GIL, extension modules, the finding, how to see it again")
                .arg(
                    Arg::new("report")
                        .value_name("REPORT")
                        .value_parser(clap::value_parser!(OsString))
                        .help("A report, as --report-json writes it; none: only the interpreter and what is installed"),
                )
                .arg(
                    Arg::new("finding")
                        .long("finding")
                        .value_name("N|FINGERPRINT")
                        .default_value("1")
                        .help("Which of its findings"),
                )
                .arg(
                    Arg::new("command")
                        .long("command")
                        .value_name("COMMAND")
                        .default_value("")
                        .help("What was run, as one would type it, for those who want to see it again"),
                ),
        )
        .subcommand(
            Command::new("env")
                .about("Print what switches ftsan on in a host that is not started by ftsan run")
                .arg(
                    Arg::new("host")
                        .value_name("HOST")
                        .value_parser(["shell", "apache", "systemd", "docker"])
                        .default_value("shell")
                        .help("For a shell, Apache's envvars, a systemd unit, a Dockerfile"),
                )
                .arg(
                    Arg::new("reports")
                        .long("reports")
                        .value_name("DIR")
                        .value_parser(clap::value_parser!(OsString))
                        .default_value("")
                        .help("Where each process writes its report, as ftsan-PID.json"),
                ),
        )
        .subcommand(Command::new("doctor").about("Check that everything works here, with a canary of every rule"))
        .subcommand(
            Command::new("completion")
                .about("Print what has a shell complete the words of ftsan")
                .arg(
                    Arg::new("shell")
                        .value_name("SHELL")
                        .required(true)
                        .value_parser(SHELLS.map(|(name, _)| name))
                        .help("bash, zsh or fish"),
                )
                .after_help(
                    "eval \"$(ftsan completion bash)\" in ~/.bashrc, eval \"$(ftsan completion zsh)\" in ~/.zshrc, or \
                     ftsan completion fish > ~/.config/fish/completions/ftsan.fish",
                ),
        )
}

const SHELLS: [(&str, Shell); 3] = [("bash", Shell::Bash), ("zsh", Shell::Zsh), ("fish", Shell::Fish)];

/// What a shell reads to complete our words.  Values that the parser takes as they are have choices here, and files, folders and rules.
fn completion(shell: Shell) -> String {
    let choices =
        |value: &'static str| value.split('|').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()));
    let of_run = |arg: Arg| match OPTIONS.iter().find(|spec| arg.get_id() == spec.key).map(|spec| spec.value) {
        // The program follows.
        Some(FLAG) => {
            arg.value_parser(clap::value_parser!(bool)).action(ArgAction::SetTrue).num_args(0).default_missing_value("true")
        }
        Some(value) if value.starts_with("FILE") => arg.value_hint(ValueHint::FilePath),
        Some("DIR") => arg.value_hint(ValueHint::DirPath),
        Some(value) if choices(value) => arg.value_parser(PossibleValuesParser::new(value.split('|'))),
        Some(_) | None => arg,
    };
    let rules: Vec<&str> = rules::ALL.iter().map(|rule| rule.id).chain(["all"]).collect();
    let mut completed = command()
        .mut_subcommand("run", |run| run.mut_args(of_run))
        .mut_subcommand("attach", |attach| attach.mut_args(of_run))
        .mut_subcommand("explain", |explain| explain.mut_arg("rule", |arg| arg.value_parser(rules)));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut completed, "ftsan", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// An option of the table.
fn option(spec: &OptionSpec) -> Arg {
    let default = if spec.default.is_empty() { String::new() } else { format!(" (default {})", spec.default) };
    let help = format!("{}{default}", spec.help);
    let arg = Arg::new(spec.key).long(spec.key.replace('_', "-")).value_name(spec.value).help(help);
    let arg = arg.value_parser(clap::value_parser!(OsString));
    if spec.value == FLAG { arg.num_args(0..=1).require_equals(true).default_missing_value("yes") } else { arg }
}

/// A time, in seconds: a number with its unit, seconds if it has none.
fn parse_time(text: &str) -> Result<f64, String> {
    const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))).unwrap_or((text, 1.0));
    let seconds = number.parse::<f64>().ok().map(|number| number * unit);
    let fits = |seconds: &f64| *seconds > 0.0 && *seconds <= 1e9;
    seconds.filter(fits).ok_or_else(|| "not a time, as 30s, 200ms or 5m are".to_owned())
}

/// The words after `run`: ours, the interpreter's, and the program with its own.
#[derive(Debug, Default, PartialEq, Eq)]
struct Words {
    ours: Vec<OsString>,
    interpreter: Vec<OsString>,
    program: Vec<OsString>,
}

/// Options of the interpreter that take a value; `-m` and `-c` do, too, and begin the program.
const INTERPRETER_VALUES: [&str; 1] = ["check-hash-based-pycs"];

/// Sorts the words after `run`.  Long options are ours, short ones the interpreter's but for `-h`.
fn sort(words: &[OsString]) -> Words {
    let mut sorted = Words::default();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.to_string_lossy();
        let mut take = |into: fn(&mut Words) -> &mut Vec<OsString>, count: usize| {
            let end = words.len().min(at + count);
            into(&mut sorted).extend_from_slice(&words[at..end]);
            at = end;
        };
        match &*text {
            "--" => {
                at += 1;
                break;
            }
            "-" => break,
            "-h" | "--help" => take(|words| &mut words.ours, 1),
            long if long.starts_with("--") => {
                let name = &long[2..];
                // `--key value` or `--key=value`; a flag stands alone.
                let count = if name.contains('=') || is_flag(name) { 1 } else { 2 };
                if INTERPRETER_VALUES.contains(&name) || name.starts_with("help-") {
                    take(|words| &mut words.interpreter, if name.starts_with("help-") { 1 } else { 2 });
                } else {
                    take(|words| &mut words.ours, count);
                }
            }
            short if short.starts_with('-') => match short_options(short) {
                ShortOptions::Flags => take(|words| &mut words.interpreter, 1),
                ShortOptions::NeedsValue => take(|words| &mut words.interpreter, 2),
                ShortOptions::Program => break,
            },
            _ => break,
        }
    }
    sorted.program = words[at..].to_vec();
    sorted
}

/// What a word like `-Wd`, `-X`, `-uOc` asks for.
enum ShortOptions {
    Flags,
    /// The next word belongs to it.
    NeedsValue,
    /// There is a `-c` or `-m` in it.
    Program,
}

fn short_options(word: &str) -> ShortOptions {
    match word[1..].find(['c', 'm', 'W', 'X']).map(|at| (word.as_bytes()[at + 1], at + 2 == word.len())) {
        Some((b'c' | b'm', _)) => ShortOptions::Program,
        Some((_, true)) => ShortOptions::NeedsValue,
        Some((_, false)) | None => ShortOptions::Flags,
    }
}

fn is_flag(name: &str) -> bool {
    OPTIONS.iter().any(|spec| spec.value == FLAG && spec.key.replace('_', "-") == name)
}

/// Parses the words after the program's name.
pub(crate) fn parse(mut words: Vec<OsString>) -> Parsed {
    if let [help, command] = &*words
        && help == "help"
    {
        // clap's own does not say which command may have been meant.
        words = vec![command.clone(), "--help".into()];
    }
    let Words { ours, interpreter, program } = match words.split_first() {
        Some((run, words)) if run == "run" => sort(words),
        _ => Words { ours: words.get(1..).unwrap_or_default().to_vec(), ..Words::default() },
    };
    let ours = words.into_iter().take(1).chain(ours);
    let matches = match command().try_get_matches_from(std::iter::once(OsString::from("ftsan")).chain(ours)) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Parsed::Wrong(one_line(&error)),
        Err(help) => return Parsed::Show(help.to_string()),
    };
    let Some((name, matches)) = matches.subcommand() else { return Parsed::Wrong("no command".to_owned()) };
    if let Some(shell) = matches.try_get_one::<String>("shell").ok().flatten() {
        let known = SHELLS.iter().find(|(name, _)| name == shell);
        return known
            .map_or_else(|| Parsed::Wrong(format!("no such shell: {shell}")), |(_, shell)| Parsed::Show(completion(*shell)));
    }
    let options = match name {
        "run" => given(matches, |_| true),
        "attach" => given(matches, |key| OF_ATTACH.contains(&key)),
        _ => BTreeMap::new(),
    };
    let words = match name {
        "run" => program,
        "attach" => {
            let pid = matches.get_one::<u32>("pid").map(u32::to_string);
            let seconds = matches.get_one::<f64>("for").map(f64::to_string);
            pid.into_iter().chain(seconds).map(OsString::from).collect()
        }
        "top" => {
            let how = ["json", "once", "outside"].into_iter().find(|how| matches.get_flag(how)).unwrap_or("attach");
            let pid = matches.get_one::<u32>("pid").map(u32::to_string);
            let seconds = matches.get_one::<f64>("every").map(f64::to_string);
            pid.into_iter().chain([how.to_owned()]).chain(seconds).map(OsString::from).collect()
        }
        "explain" => matches.get_one::<String>("rule").map(OsString::from).into_iter().collect(),
        "triage" => {
            let format = ["json", "markdown"].into_iter().find(|format| matches.get_flag(format)).unwrap_or("text");
            let group = if matches.get_flag("group") { "group" } else { "" };
            let crashes = matches.get_many::<OsString>("crash").into_iter().flatten().cloned();
            [format.into(), group.into()].into_iter().chain(crashes).collect()
        }
        "report" => {
            let format = matches.get_one::<String>("to").map(OsString::from);
            let endpoint = matches.get_one::<String>("endpoint").map(OsString::from).unwrap_or_default();
            matches.get_one::<OsString>("file").cloned().into_iter().chain(format).chain([endpoint]).collect()
        }
        "merge" => {
            let files = matches.get_many::<OsString>("files").into_iter().flatten().cloned();
            matches.get_one::<OsString>("output").cloned().into_iter().chain(files).collect()
        }
        "audit" => {
            let format = ["json", "markdown", "sarif"].into_iter().find(|format| matches.get_flag(format)).unwrap_or("text");
            let how = if matches.get_flag("no-import") { "static" } else { "import" };
            let venv = matches.get_one::<OsString>("venv").cloned().unwrap_or_default();
            let files = matches.get_many::<OsString>("requirements").into_iter().flatten().map(|file| {
                let mut word = OsString::from("-r");
                word.push(file);
                word
            });
            let named = matches.get_many::<String>("distribution").into_iter().flatten().map(OsString::from);
            [format.into(), how.into(), venv].into_iter().chain(files).chain(named).collect()
        }
        "issue" => {
            let text = |name: &str| matches.get_one::<String>(name).map(OsString::from).unwrap_or_default();
            [text("finding"), text("command")].into_iter().chain(matches.get_one::<OsString>("report").cloned()).collect()
        }
        "env" => {
            let host = matches.get_one::<String>("host").map(OsString::from);
            host.into_iter().chain(matches.get_one::<OsString>("reports").cloned()).collect()
        }
        _ => Vec::new(),
    };
    Parsed::Do { command: name.to_owned(), options, interpreter, words }
}

fn given(matches: &ArgMatches, has: impl Fn(&str) -> bool) -> BTreeMap<String, OsString> {
    let public = OPTIONS.iter().filter(|spec| spec.public && has(spec.key));
    public.filter_map(|spec| Some((spec.key.to_owned(), matches.get_one::<OsString>(spec.key)?.clone()))).collect()
}

/// clap explains over several lines; the first one says what is wrong.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("wrong command line");
    let listed: Vec<&str> = text.lines().skip(1).take_while(|line| line.starts_with("  ")).map(str::trim).collect();
    let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: ")).map(|tip| format!(" ({tip})")).unwrap_or_default();
    format!(
        "{}{}{tip}; see ftsan --help",
        first.trim_start_matches("error: "),
        listed.iter().map(|word| format!(" {word}")).collect::<String>()
    )
}
