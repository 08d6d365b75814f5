//! Pasted text back into lines: strings of JSON logs and escapes of syslog unpacked, colours and control characters taken off.
//!
//! Nothing that a terminal would act on leaves this module.

use super::sentry_event;
use crate::terminal::is_obeyed;
use serde_json::Value;

/// Fields of a log record that hold what a program printed, the first that is there counts.
const TEXT_FIELDS: [&str; 12] = [
    "log",
    "message",
    "MESSAGE",
    "textPayload",
    "msg",
    "text",
    "line",
    "logmessage",
    "formatted",
    "event_message",
    "value",
    "body",
];
/// Fields around those: records of cloud logging and of Sentry, and lists of records.
const AROUND_TEXT: [&str; 10] =
    ["jsonPayload", "entries", "events", "records", "exception", "values", "logentry", "fields", "data", "hits"];
/// Fields that say when a record was made.
const TIMES: [&str; 4] = ["timestamp", "time", "@timestamp", "ts"];
/// No line of a dump is longer; the text behind is not looked at.
const LONGEST_LINE: usize = 1 << 16;

/// The lines that were printed, as far as they can be told.
pub(super) fn lines(text: &str) -> Vec<String> {
    unpacked(text).lines().map(|line| plain(cut(line))).collect()
}

fn cut(line: &str) -> &str {
    let mut end = line.len().min(LONGEST_LINE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or(line)
}

/// Text out of the strings that it was packed into.
fn unpacked(text: &str) -> String {
    if let Some(text) = whole_json(text) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = json_line(line).unwrap_or_else(|| line.to_owned());
        let line = unescaped(&line);
        out.push_str(&line);
        if !line.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// A document that is a log in JSON.
fn whole_json(text: &str) -> Option<String> {
    let start = text.trim_start();
    if !start.starts_with(['{', '[']) || text.len() > 64 << 20 {
        return None;
    }
    // Records one after the other, or one document.
    let mut records = Vec::new();
    for value in serde_json::Deserializer::from_str(start).into_iter::<Value>() {
        records.push(value.ok()?);
    }
    if records.len() == 1
        && let Some(Value::Array(list)) = records.first_mut()
    {
        records = std::mem::take(list);
    }
    oldest_first(&mut records);
    let mut out = String::new();
    for record in &records {
        match sentry_event::as_text(record) {
            Some(text) => out.push_str(&text),
            None => collect(record, &mut out, 0),
        }
    }
    (!out.trim().is_empty()).then_some(out)
}

/// Consoles of cloud logging export the newest record first.
fn oldest_first(records: &mut [Value]) {
    let time = |record: &Value| TIMES.iter().find_map(|name| record.get(name)?.as_str().map(str::to_owned));
    let times: Vec<Option<String>> = records.iter().map(time).collect();
    let descends = times.windows(2).all(|pair| matches!(pair, [Some(a), Some(b)] if a >= b));
    if descends && times.first() != times.last() {
        records.reverse();
    }
}

/// A record of a log that stands in a line, maybe behind a prefix.
fn json_line(line: &str) -> Option<String> {
    let at = line.find("{\"")?;
    let value: Value = serde_json::from_str(line.get(at..)?.trim_end()).ok()?;
    let mut out = String::new();
    collect(&value, &mut out, 0);
    (!out.is_empty()).then_some(out)
}

fn collect(value: &Value, out: &mut String, depth: usize) {
    const DEEPEST: usize = 8;
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            let text = TEXT_FIELDS.iter().find_map(|name| fields.get(*name)?.as_str());
            if let Some(text) = text {
                out.push_str(text);
                if !text.ends_with('\n') {
                    out.push('\n');
                }
            } else {
                for name in AROUND_TEXT {
                    if let Some(inner) = fields.get(name) {
                        collect(inner, out, depth + 1);
                    }
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, out, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The beginnings that follow a line's end in a dump, wherever the ends were written as escapes.
const AFTER_AN_END: [&str; 12] = [
    "  File ",
    "Thread 0x",
    "Current thread",
    "Stack (most",
    "  Binary file",
    "Extension modules",
    "#1 ",
    "#1\t",
    "    #",
    "<Cannot",
    "==",
    "Fatal",
];

/// Escapes of syslog (`#012`, `\012`) and of string literals (`\n`) back into what they stand for.
fn unescaped(line: &str) -> String {
    for (end, tab, escape) in [("#012", "#011", "#033"), ("\\012", "\\011", "\\033"), ("<0a>", "<09>", "<1b>")] {
        if line.matches(end).count() >= 2 {
            return line.replace(end, "\n").replace(tab, "\t").replace(escape, "\u{1b}");
        }
    }
    // `C:\new` is a path: only where what follows is a dump's.
    let ends = line.match_indices("\\n").filter(|(at, _)| {
        let rest = line.get(at + 2..).unwrap_or("");
        let rest = rest.strip_prefix("\\n").unwrap_or(rest).trim_start_matches(['\\', 't']);
        AFTER_AN_END.iter().any(|start| rest.starts_with(start))
    });
    if ends.count() >= 2 {
        let line = line.replace("\\\\", "\u{1}").replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\t", "\t");
        return line.replace("\\u001b", "\u{1b}").replace("\\x1b", "\u{1b}").replace("\\\"", "\"").replace('\u{1}', "\\");
    }
    line.to_owned()
}

/// A line without colours, control characters, typographic quotes and entities of HTML.
pub(super) fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' | '\u{9b}' => {
                if c == '\u{9b}' || chars.next_if_eq(&'[').is_some() {
                    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                    chars.next_if(char::is_ascii);
                } else if chars.next_if_eq(&']').is_some() {
                    // The title of a window, up to BEL or ST.
                    while chars.next_if(|c| !matches!(c, '\u{7}' | '\u{1b}')).is_some() {}
                    if chars.next_if_eq(&'\u{1b}').is_some() {
                        chars.next_if_eq(&'\\');
                    }
                }
            }
            '\u{201c}' | '\u{201d}' => out.push('"'),
            '\u{2018}' | '\u{2019}' => out.push('\''),
            '\u{a0}' | '\t' => out.push(' '),
            c if is_obeyed(c) => {}
            c => out.push(c),
        }
    }
    if out.contains('&') {
        for (entity, character) in [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&amp;", "&")] {
            out = out.replace(entity, character);
        }
    }
    out.truncate(out.trim_end().len());
    if out.trim_start_matches(['>', ' ']).starts_with("```") { String::new() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_in_strings_are_unpacked() {
        let expected = ["Fatal Python error: Aborted", "", "Stack (most recent call first):", "  File \"a.py\", line 1 in f"];
        let docker: String = expected
            .iter()
            .map(|line| serde_json::json!({"log": format!("{line}\n"), "stream": "stderr", "time": "2026"}).to_string() + "\n")
            .collect();
        assert_eq!(lines(&docker), expected);
        let whole = expected.join("\n");
        assert_eq!(lines(&serde_json::json!({"severity": "ERROR", "jsonPayload": {"message": whole}}).to_string()), expected);
        let pretty = serde_json::to_string_pretty(&serde_json::json!([{"textPayload": whole, "timestamp": "1"}])).unwrap();
        assert_eq!(lines(&pretty), expected);
        assert_eq!(lines(&format!("May 1 host app: {}", whole.replace('\n', "#012")))[1..], expected[1..]);
        assert_eq!(lines(&format!("'{}'", whole.replace('\n', "\\n")))[1..3], expected[1..3]);
        assert_eq!(lines("C:\\new\\numbers"), ["C:\\new\\numbers"]);
    }

    #[test]
    fn the_newest_record_may_come_first() {
        let records = serde_json::json!([{"timestamp": "2", "message": "b"}, {"timestamp": "1", "message": "a"}]);
        assert_eq!(lines(&records.to_string()), ["a", "b"]);
    }

    #[test]
    fn a_line_is_cut_between_two_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"x".repeat(LONGEST_LINE + 9)).len(), LONGEST_LINE);
        assert_eq!(cut(&format!("x{}", "\u{e9}".repeat(LONGEST_LINE))).len(), LONGEST_LINE - 1);
    }

    #[test]
    fn a_record_behind_a_prefix_is_unpacked_and_other_json_is_not() {
        assert_eq!(lines("May 1 app: {\"log\": \"Aborted (core dumped)\"}"), ["Aborted (core dumped)"]);
        for text in ["1 [{\"log\": \"x\"}]", "May 1 app: {\"a\": 1}", "May 1 app: {\"log\": }", "{\"a\": 1}", "[1, 2]"] {
            assert_eq!(lines(text), [text]);
        }
    }

    #[test]
    fn records_are_looked_for_to_a_certain_depth() {
        let inside = |open: &str, close: &str, count| format!("{}{{\"msg\": \"x\"}}{}", open.repeat(count), close.repeat(count));
        assert_eq!(lines(&inside("{\"data\": ", "}", 8)), ["x"]);
        assert_ne!(lines(&inside("{\"data\": ", "}", 9)), ["x"]);
        // The outermost list is the log.
        assert_eq!(lines(&inside("[", "]", 9)), ["x"]);
        assert_ne!(lines(&inside("[", "]", 10)), ["x"]);
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        for (text, expected) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}red", "red"),
            ("\u{1b}]0;title\u{1b}\\red", "red"),
            ("\u{9b}31mred", "red"),
            ("r\u{8}e\u{202e}d\u{0}", "red"),
            ("\u{1b}(Bred", "(Bred"),
            ("\u{201c}a\u{201d}\u{a0}\u{2018}b\u{2019}\tc", "\"a\" 'b' c"),
            ("&lt;a&gt; &amp;lt;", "<a> &lt;"),
            ("> ```text", ""),
            ("a ``` b", "a ``` b"),
        ] {
            let line = plain(text);
            assert!(line == expected && !line.chars().any(is_obeyed), "{text:?}: {line:?}");
        }
    }
}
