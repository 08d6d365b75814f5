//! Text of the program on its way to a terminal.
//!
//! Names of threads, keys, files and functions are whatever the program made them.  Before they are printed, characters that a terminal
//! obeys (escape sequences, line breaks) or that change the order of what is read are written as Python would write them in a string.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is obeyed rather than shown.
pub(crate) fn is_obeyed(c: char) -> bool {
    // Marks, embeddings, overrides and isolates of the bidirectional algorithm; separators of lines and paragraphs; tags.
    let reorders = matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\t') || reorders || matches!(c, '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

/// One line of text in which nothing is obeyed.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        let written = match c {
            '\n' => shown.write_str("\\n"),
            '\r' => shown.write_str("\\r"),
            c if !is_obeyed(c) => shown.write_char(c),
            c if u32::from(c) < 0x100 => write!(shown, "\\x{:02x}", u32::from(c)),
            c if u32::from(c) < 0x1_0000 => write!(shown, "\\u{:04x}", u32::from(c)),
            c => write!(shown, "\\U{:08x}", u32::from(c)),
        };
        written.expect("writing to a String does not fail");
    }
    Cow::Owned(shown)
}

/// A copy in which every string is [`printable`].
///
/// # Panics
/// The type does not survive its own serialisation.
#[must_use]
pub fn printable_copy<T: Serialize + DeserializeOwned>(original: &T) -> T {
    let mut value = serde_json::to_value(original).expect("plain data");
    escape_strings(&mut value);
    serde_json::from_value(value).expect("strings stay strings")
}

fn escape_strings(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(shown) = printable(text) {
                *text = shown;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(escape_strings),
        Value::Object(fields) => fields.values_mut().for_each(escape_strings),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// JSON in which nothing is obeyed: the line breaks between its values stay, and other characters that would be are escaped as
/// JSON does it.
#[must_use]
pub fn printable_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_obeyed(c) && c != '\n' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(shown, "\\u{unit:04x}").expect("writing to a String does not fail");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_as_python_would() {
        assert_eq!(printable("\x1b[2J\u{9b}31m\x07\nERROR: fake\r"), "\\x1b[2J\\x9b31m\\x07\\nERROR: fake\\r");
        assert_eq!(printable("a\u{202e}b\u{e0041}"), "a\\u202eb\\U000e0041");
        assert_eq!(printable("größer \t 日本 \\x1b 'q'"), "größer \t 日本 \\x1b 'q'");
    }

    #[test]
    fn every_string_of_a_value_is_escaped_and_nothing_else() {
        let original = vec![("\x1b".to_owned(), 7_u8), ("b".to_owned(), 8)];
        assert_eq!(printable_copy(&original), [("\\x1b".to_owned(), 7), ("b".to_owned(), 8)]);
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = Value::from("\u{9b}\u{202e}\u{e0041}\x1b\n");
        let shown = printable_json(&serde_json::to_string_pretty(&vec![&value]).unwrap());
        assert!(shown.chars().all(|c| c == '\n' || !is_obeyed(c)));
        assert_eq!(serde_json::from_str::<Vec<Value>>(&shown).unwrap(), [value]);
    }
}
