//! Options, the command line and the rules, as tables.

use crate::launcher::command_line::{self, Parsed};
use ftsan::options::{self as table, OPTIONS, Options};
use ftsan::report::model::policy::Policy;
use ftsan::{configuration, declare};
use ftsan::{rules, statuses as table_of_statuses, terminal};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// One row of the table of options: (key, value, default, help, public).
type OptionRow = (&'static str, &'static str, &'static str, &'static str, bool);

#[pyfunction]
pub(crate) fn options() -> Vec<OptionRow> {
    OPTIONS.iter().map(|spec| (spec.key, spec.value, spec.default, spec.help, spec.public)).collect()
}

/// (status of a run with findings, where the report goes, whether there is nobody yet who has the last word on the run)
#[pyfunction]
pub(crate) fn check_options(options: OsString) -> PyResult<(u8, Option<OsString>, bool)> {
    let options = Options::parse(&options).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Policy::load(options.config.as_deref(), options.suppressions.as_deref(), options.baseline.as_deref())
        .map_err(PyValueError::new_err)?;
    if options.update_baseline && options.baseline.is_none() {
        return Err(PyValueError::new_err("update_baseline: needs a baseline"));
    }
    if let Some(path) = &options.declarations {
        declare::load(path).map_err(PyValueError::new_err)?;
    }
    let needs_tally = options.text && options.tally.is_none();
    Ok((options.exit_code, options.report_json.map(PathBuf::into_os_string), needs_tally))
}

/// Options, their paths made absolute, with those of the project's configuration before them: that of `config`, else of the current folder
/// or the nearest above.
#[pyfunction]
pub(crate) fn configured(mut given: BTreeMap<String, OsString>) -> PyResult<BTreeMap<String, OsString>> {
    for (key, value) in &mut given {
        if table::is_path(key, value) {
            *value = std::path::absolute(&*value)?.into_os_string();
        }
    }
    let found = || std::env::current_dir().ok().and_then(|folder| configuration::find(&folder)).map(PathBuf::into_os_string);
    let Some(path) = given.remove("config").or_else(found).filter(|path| path != table::NO_CONFIG) else { return Ok(given) };
    let path = PathBuf::from(path);
    let of_file = table::configured(&path).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let mut all: BTreeMap<String, OsString> = of_file.into_iter().collect();
    all.extend(given);
    all.insert("config".to_owned(), path.into_os_string());
    Ok(all)
}

/// A command, its options, words for the interpreter, and its words.
type CommandLine = (String, BTreeMap<String, OsString>, Vec<OsString>, Vec<OsString>);

/// The command line, parsed; ("", {}, [], [text]) to show a text; ValueError for what is wrong.
#[pyfunction]
pub(crate) fn parse_command_line(words: Vec<OsString>) -> PyResult<CommandLine> {
    match command_line::parse(words) {
        Parsed::Do { command, options, interpreter, words } => Ok((command, options, interpreter, words)),
        Parsed::Show(text) => Ok((String::new(), BTreeMap::new(), Vec::new(), vec![text.into()])),
        Parsed::Wrong(line) => Err(PyValueError::new_err(line)),
    }
}

#[pyfunction]
pub(crate) fn encode_options(pairs: BTreeMap<String, OsString>) -> String {
    Options::encode(pairs.iter().map(|(key, value)| (key.as_str(), value.as_os_str())))
}

#[pyfunction]
pub(crate) fn rules_table() -> Vec<(&'static str, &'static str, String)> {
    rules::ALL.iter().map(|rule| (rule.id, rule.name, rule.page())).collect()
}

#[pyfunction]
pub(crate) fn find_rule(id_or_name: &str) -> Option<&'static str> {
    rules::find(id_or_name).map(|rule| rule.id)
}

/// One line that says that there is no such rule, and which may be meant.
#[pyfunction]
pub(crate) fn no_such_rule(word: &str) -> String {
    rules::no_such_rule(word)
}

/// (status, when a run has it)
#[pyfunction]
pub(crate) fn statuses() -> Vec<(&'static str, &'static str)> {
    table_of_statuses::STATUSES.to_vec()
}

/// The exit status of a run that could not watch what it was asked to.
#[pyfunction]
pub(crate) fn not_watched() -> u8 {
    table_of_statuses::NOT_WATCHED
}

/// One line of text as a terminal may show it.
#[pyfunction]
pub(crate) fn printable(text: OsString) -> String {
    terminal::printable(&text.to_string_lossy()).into_owned()
}
