//! `[tool.ftsan]` of a project's `pyproject.toml`: options, severities, suppressions.
//!
//! ```toml
//! [tool.ftsan]
//! races = ["app", "lib"]          # any option of `ftsan run`, with dashes or underscores; paths from this file's folder
//! [[tool.ftsan.policy]]           # report::model::severities
//! [[tool.ftsan.suppress]]         # report::model::suppress
//! ```

use crate::report::model::severities::{self, Severities};
use crate::report::model::suppress::{self, Suppression, toml_error};
use crate::safe_file;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILE: &str = "pyproject.toml";

/// What `[tool.ftsan]` says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Configuration {
    /// How bad which findings are.
    #[serde(default)]
    pub policy: Vec<Severities>,
    /// What is accepted.
    #[serde(default)]
    pub suppress: Vec<Suppression>,
    /// Options and their values, as they are written.
    #[serde(flatten)]
    options: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    tool: Tool,
}

#[derive(Debug, Default, Deserialize)]
struct Tool {
    ftsan: Option<Configuration>,
}

/// The `pyproject.toml` that a folder belongs to, if it has a `[tool.ftsan]`: its own, or that of the nearest folder above.
pub fn find(folder: &Path) -> Option<PathBuf> {
    let path = folder.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())?;
    // Others that parse it say what is wrong with it; here only ours matters.
    let text = safe_file::read_text_input(&path, safe_file::HANDWRITTEN).ok()?;
    text.lines().any(|line| line.trim_start().trim_start_matches('[').trim_start().starts_with("tool.ftsan")).then_some(path)
}

impl Configuration {
    /// Reads `[tool.ftsan]` of a file.
    ///
    /// # Errors
    /// One line that names the file, the line where there is one, and what is wrong: unreadable, no TOML, an entry that does not hold.
    pub fn load(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text =
            safe_file::read_text_input(path, safe_file::HANDWRITTEN).map_err(|error| format!("cannot read {shown}: {error}"))?;
        let parsed: Result<File, _> = toml::from_str(&text);
        let Some(ours) = parsed.map_err(|error| format!("{shown}{}", toml_error(&error, &text)))?.tool.ftsan else {
            return Err(format!("{shown}: no [tool.ftsan]"));
        };
        suppress::check(&ours.suppress)
            .and_then(|()| severities::check(&ours.policy))
            .map_err(|wrong| format!("{shown}{wrong}"))?;
        Ok(ours)
    }

    /// The options, each with its key as [`crate::options::OPTIONS`] has it and its value as a command line would.
    ///
    /// # Errors
    /// The key of one whose value is neither a text, a number, a boolean nor a list of those.
    pub fn options(&self) -> Result<Vec<(String, String)>, String> {
        let options = self.options.iter().map(|(key, value)| {
            let text = written(value).ok_or_else(|| format!("{key}: neither a text, a number, a boolean nor a list of those"))?;
            Ok((key.replace('-', "_"), text))
        });
        options.collect()
    }
}

fn written(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(true) => Some("yes".to_owned()),
        toml::Value::Boolean(false) => Some("no".to_owned()),
        toml::Value::Array(values) => values.iter().map(written).collect::<Option<Vec<_>>>().map(|texts| texts.join(",")),
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn written_as(name: &str, text: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ftsan-configuration-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("below/it")).unwrap();
        let path = folder.join(FILE);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn options_are_written_as_toml_has_them() {
        let path = written_as("options", "[tool.ftsan]\nraces = ['a', 'b']\nexit-code = 3\nstrict = true\non_hang = 1.5\n");
        let options = Configuration::load(&path).unwrap().options().unwrap();
        let options: Vec<_> = options.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(options, [("exit_code", "3"), ("on_hang", "1.5"), ("races", "a,b"), ("strict", "yes")]);
        assert_eq!(find(&path.parent().unwrap().join("below/it")), Some(path.clone()));
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let path = written_as("wrong", "");
        let refused = |text: &str| {
            fs::write(&path, text).unwrap();
            let told = Configuration::load(&path).and_then(|read| read.options().map(drop)).unwrap_err();
            told.strip_prefix(&path.display().to_string()).map(str::to_owned).unwrap_or(told)
        };
        assert_eq!(refused("[tool.other]\n"), ": no [tool.ftsan]");
        assert!(refused("[tool.ftsan]\nraces = \n").starts_with(":2: "));
        assert!(refused("[[tool.ftsan.policy]]\nrule = 'FT401'\nseverity = 'of'\n").contains("unknown variant `of`"));
        assert!(refused("[[tool.ftsan.policy]]\nrule = 'FT401'\nseverity = 'off'\n").contains("off needs a reason"));
        assert!(refused("[[tool.ftsan.suppress]]\nrule = 'FT9'\nreason = 'x'\n").contains("no rule \"FT9\""));
        assert!(refused("[tool.ftsan]\nraces = {a = 1}\n").starts_with("races: neither"));
        assert_eq!(find(path.parent().unwrap()), Some(path.clone()));
        fs::write(&path, "[project]\nname = 'x'\n").unwrap();
        assert_eq!(find(path.parent().unwrap()), None, "a project that does not speak of us");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
