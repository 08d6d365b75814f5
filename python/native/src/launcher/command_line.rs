//! The command line, made from the table of options: in Rust because importing `argparse` would cost a run half of its
//! start-up budget.

use clap::{Arg, ArgAction, ArgMatches, Command};
use ftsan::options::{FLAG, OPTIONS};
use std::collections::BTreeMap;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A command with its options and words: the program of `run`, the rule of `explain`.
    Do { command: String, options: BTreeMap<String, String>, words: Vec<String> },
    /// Help or version: print this and be done.
    Show(String),
    /// One line that says what is wrong.
    Wrong(String),
}

const RUN_USAGE: &str = "ftsan run [OPTIONS] [-m MODULE | -c COMMAND | SCRIPT] [ARGS...]";

fn command() -> Command {
    let mut run = Command::new("run")
        .about("Run a program, unmodified, and report on stderr what its threads do wrong")
        .override_usage(RUN_USAGE)
        .after_help("The program is given as to python: a script, -m MODULE or -c COMMAND; everything after it is its own.");
    for spec in OPTIONS.iter().filter(|spec| spec.public) {
        let default = if spec.default.is_empty() { String::new() } else { format!(" (default {})", spec.default) };
        let help = format!("{}{default}", spec.help);
        let arg = Arg::new(spec.key).long(spec.key.replace('_', "-")).value_name(spec.value).help(help);
        let is_flag = spec.value == FLAG;
        run = run.arg(if is_flag { arg.num_args(0..=1).require_equals(true).default_missing_value("yes") } else { arg });
    }
    Command::new("ftsan")
        .about("The sanitizer for free-threaded Python: says, with both stacks, where threads step on each other")
        .version(ftsan::VERSION)
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(run)
        .subcommand(
            Command::new("explain")
                .about("Explain a rule")
                .arg(Arg::new("rule").value_name("RULE|all").required(true).help("Id or name of a rule, or all")),
        )
        .subcommand(
            Command::new("triage")
                .about("Say why a process died: whose fault, how sure that is, what to do next")
                .arg(
                    Arg::new("crash").value_name("FILE|DIR").required(true).help(
                        "A dump of faulthandler or a text with one in it (- for standard input), or a crash folder of ftsan run",
                    ),
                )
                .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("The verdict as JSON"))
                .arg(
                    Arg::new("markdown")
                        .long("markdown")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("json")
                        .help("A block for an upstream issue"),
                ),
        )
        .subcommand(Command::new("doctor").about("Check that everything works here, with a canary of every rule"))
}

/// Where the program begins in the words after `run`: all before it is ours, all from it on is not looked at.
fn program_start(words: &[String]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match word.as_str() {
            short if short.starts_with("-m") || short.starts_with("-c") => return at,
            "--help" => at += 1,
            // `--key value` or `--key=value`; a flag stands alone.
            long if long.starts_with("--") => at += if long.contains('=') || is_flag(&long[2..]) { 1 } else { 2 },
            short if short.starts_with('-') => at += 1,
            _ => return at,
        }
    }
    words.len()
}

fn is_flag(name: &str) -> bool {
    OPTIONS.iter().any(|spec| spec.value == FLAG && spec.key.replace('_', "-") == name)
}

/// Parses the words after the program's name.
pub(crate) fn parse(words: Vec<String>) -> Parsed {
    let (ours, program) = match words.first().map(String::as_str) {
        Some("run") => {
            let start = 1 + program_start(&words[1..]);
            words.split_at(start.min(words.len()))
        }
        _ => (&words[..], &[][..]),
    };
    let matches = match command().try_get_matches_from(std::iter::once("ftsan").chain(ours.iter().map(String::as_str))) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Parsed::Wrong(one_line(&error)),
        Err(help) => return Parsed::Show(help.to_string()),
    };
    let Some((name, matches)) = matches.subcommand() else { return Parsed::Wrong("no command".to_owned()) };
    let options = if name == "run" { given(matches) } else { BTreeMap::new() };
    let words = match name {
        "run" => program.to_vec(),
        "explain" => matches.get_one::<String>("rule").cloned().into_iter().collect(),
        "triage" => {
            let format = ["json", "markdown"].into_iter().find(|format| matches.get_flag(format)).unwrap_or("text");
            matches.get_one::<String>("crash").cloned().into_iter().chain([format.to_owned()]).collect()
        }
        _ => Vec::new(),
    };
    Parsed::Do { command: name.to_owned(), options, words }
}

fn given(matches: &ArgMatches) -> BTreeMap<String, String> {
    let public = OPTIONS.iter().filter(|spec| spec.public);
    public.filter_map(|spec| Some((spec.key.to_owned(), matches.get_one::<String>(spec.key)?.clone()))).collect()
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
