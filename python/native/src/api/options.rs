//! Options, the command line and the rules, as tables.

use crate::launcher::command_line::{self, Parsed};
use ftsan::options::{self as table, OPTIONS, Options};
use ftsan::report::model::policy::Policy;
use ftsan::{configuration, declare};
use ftsan::{rules, statuses as table_of_statuses, terminal};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// A word or a path on its way to Python, as `os.fsdecode` has it.  PyO3's own way takes for UTF-8 whatever looks like it, and where the names
/// of files have another encoding, no file is found by that.
pub(crate) struct Word(pub(crate) OsString);

impl<'py> IntoPyObject<'py> for Word {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = self.0.as_bytes();
        // SAFETY: attached; the bytes live for the call, which makes a new reference or sets an exception.
        unsafe {
            let text = ffi::PyUnicode_DecodeFSDefaultAndSize(bytes.as_ptr().cast(), bytes.len().cast_signed());
            Bound::from_owned_ptr_or_err(py, text)
        }
    }
}

fn words(words: Vec<OsString>) -> Vec<Word> {
    words.into_iter().map(Word).collect()
}

fn by_key(options: BTreeMap<String, OsString>) -> BTreeMap<String, Word> {
    options.into_iter().map(|(key, value)| (key, Word(value))).collect()
}

/// One row of the table of options: (key, value, default, help, public).
type OptionRow = (&'static str, &'static str, &'static str, &'static str, bool);

#[pyfunction]
pub(crate) fn options() -> Vec<OptionRow> {
    OPTIONS.iter().map(|spec| (spec.key, spec.value, spec.default, spec.help, spec.public)).collect()
}

/// (status of a run with findings, where the report goes, whether there is nobody yet who has the last word on the run)
#[pyfunction]
pub(crate) fn check_options(options: OsString) -> PyResult<(u8, Option<Word>, bool)> {
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
    Ok((options.exit_code, options.report_json.map(|path| Word(path.into_os_string())), needs_tally))
}

/// Options, their paths made absolute, with those of the project's configuration before them: that of `config`, else of the current folder
/// or the nearest above.
#[pyfunction]
pub(crate) fn configured(mut given: BTreeMap<String, OsString>) -> PyResult<BTreeMap<String, Word>> {
    for (key, value) in &mut given {
        if table::is_path(key, value) {
            *value = std::path::absolute(&*value)?.into_os_string();
        }
    }
    let found = || std::env::current_dir().ok().and_then(|folder| configuration::find(&folder)).map(PathBuf::into_os_string);
    let Some(path) = given.remove("config").or_else(found).filter(|path| path != table::NO_CONFIG) else {
        return Ok(by_key(given));
    };
    let path = PathBuf::from(path);
    let of_file = table::configured(&path).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let mut all: BTreeMap<String, OsString> = of_file.into_iter().collect();
    all.extend(given);
    all.insert("config".to_owned(), path.into_os_string());
    Ok(by_key(all))
}

/// A command, its options, words for the interpreter, and its words.
type CommandLine = (String, BTreeMap<String, Word>, Vec<Word>, Vec<Word>);

/// The command line, parsed; ("", {}, [], [text]) to show a text; ValueError for what is wrong.
#[pyfunction]
pub(crate) fn parse_command_line(given: Vec<OsString>) -> PyResult<CommandLine> {
    match command_line::parse(given) {
        Parsed::Do { command, options, interpreter, words: rest } => {
            Ok((command, by_key(options), words(interpreter), words(rest)))
        }
        Parsed::Show(text) => Ok((String::new(), BTreeMap::new(), Vec::new(), words(vec![text.into()]))),
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
pub(crate) fn printable(text: &Bound<'_, PyString>) -> String {
    // Not every text is made of what names of files can have.
    let text =
        text.extract::<OsString>().map_or_else(|_| text.to_string_lossy().into_owned(), |text| text.to_string_lossy().into_owned());
    terminal::printable(&text).into_owned()
}
