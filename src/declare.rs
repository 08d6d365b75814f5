//! Declarations: types of other libraries whose methods belong to one loop or one thread.
//!
//! ```toml
//! [[type]]
//! name = "aiohttp:ClientSession"      # module:Class, as the program imports it
//! owner = "attribute:_loop"           # how to find whose it is; see [`OWNERS`]
//! methods = ["_request", "close"]     # default: all public methods of the class
//! thread_safe = ["get_stats"]         # may be called from anywhere
//! hand_overs = ["submit"]             # the same; they make the owner call something
//! rule = "FT105"                      # what a misuse is reported as; default FT106
//! ```

use crate::{rules, safe_file};
use serde::Deserialize;
use std::path::Path;

/// How the owner of a declared type is found: (name, what it means).  A name that ends in a colon takes the name of an attribute.
pub static OWNERS: &[(&str, &str)] = &[
    ("loop", "the object is a loop"),
    ("attribute:", "the object has its loop in that attribute"),
    ("first-use", "it belongs to the first running loop that touches it"),
    ("thread", "it belongs to the thread that made it"),
    ("hub", "it belongs to the thread that uses it first"),
];

/// A declared type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// `module:Class`.
    pub name: String,
    /// One of [`OWNERS`].
    pub owner: String,
    /// Id or name of the rule that a misuse is reported as.
    #[serde(default = "default_rule")]
    pub rule: String,
    /// What only the owner may call; empty for all public methods of the class.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Functions that anybody may call.
    #[serde(default)]
    pub thread_safe: Vec<String>,
    /// Functions that anybody may call, and that make the owner call something.
    #[serde(default)]
    pub hand_overs: Vec<String>,
}

fn default_rule() -> String {
    rules::primitive_shared_across_loops::RULE.id.to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "type")]
    types: Vec<Declaration>,
}

impl Declaration {
    /// Checks what can be checked without the type.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let wrong = |what: String| Err(format!("{}: {what}", self.name));
        match self.name.split_once(':') {
            Some((module, class)) if !module.is_empty() && !class.is_empty() => {}
            Some(_) | None => return wrong("the name is not module:Class".to_owned()),
        }
        let is_known = |(name, _): &&(&str, &str)| match name.ends_with(':') {
            true => self.owner.strip_prefix(name).is_some_and(|attribute| !attribute.is_empty()),
            false => self.owner == *name,
        };
        if OWNERS.iter().find(is_known).is_none() {
            let names: Vec<&str> = OWNERS.iter().map(|(name, _)| *name).collect();
            return wrong(format!("unknown owner \"{}\"; there are {}", self.owner, names.join(", ")));
        }
        if rules::find(&self.rule).is_none() {
            return wrong(rules::no_such_rule(&self.rule));
        }
        Ok(())
    }
}

/// Reads a file of declarations.
///
/// # Errors
/// One line that names the file, the line where there is one, and what is wrong.
pub fn load(path: &Path) -> Result<Vec<Declaration>, String> {
    let shown = path.display();
    let text = safe_file::read_text_input(path, safe_file::HANDWRITTEN)
        .map_err(|error| format!("declarations: cannot read {shown}: {error}"))?;
    parse(&text).map_err(|error| format!("declarations: {shown}{error}"))
}

fn parse(text: &str) -> Result<Vec<Declaration>, String> {
    let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(String::new(), |span| format!(":{}", line_of(span.start)));
        format!("{line}: {}", error.message().replace('\n', " "))
    })?;
    for declaration in &file.types {
        declaration.check().map_err(|error| format!(": {error}"))?;
    }
    Ok(file.types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_needs_a_name_and_an_owner() {
        let parsed = parse("[[type]]\nname = \"a.b:C\"\nowner = \"attribute:_loop\"\n").unwrap();
        assert_eq!((parsed[0].rule.as_str(), parsed[0].methods.len()), ("FT106", 0));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (text, message) in [
            ("[[type]]\nname = \"a:C\"\n", ":1: missing field `owner`"),
            ("[[type]]\nname = \"C\"\nowner = \"loop\"\n", ": C: the name is not module:Class"),
            ("[[type]]\nname = \"a:C\"\nowner = \"attribute:\"\n", ": a:C: unknown owner \"attribute:\""),
            ("[[type]]\nname = \"a:C\"\nowner = \"loop\"\nrule = \"FT999\"\n", ": a:C: no rule \"FT999\""),
            ("[[type]]\nname = \"a:C\"\nowner = \"loop\"\nmethod = []\n", ":4: unknown field `method`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(message), "{error}");
            assert!(!error.contains('\n'));
        }
    }
}
