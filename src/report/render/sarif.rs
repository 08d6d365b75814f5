//! SARIF 2.1.0, as GitHub's code scanning reads it.
//!
//! A finding is a result of its rule, at the program's own line; the stacks of all sides are code flows, so that they can be walked
//! through.  Frames are relative to nothing: files are named as the program names them.

use crate::report::model::access::{Access, Frame, programs_line};
use crate::report::model::finding::Finding;
use crate::report::model::tree::Report;
use crate::rules::ALL;
use crate::rules::rule::Rule;
use crate::rules::severity::Severity;
use serde_json::{Value, json};
use std::io::{self, Write};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes a report.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let rules: Vec<Value> = ALL.iter().map(|rule| descriptor(rule)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "ftsan", "version": report.ftsan, "semanticVersion": report.ftsan, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.name.replace('-', " ")},
        "help": {"text": rule.page(), "markdown": rule.page()},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn result(finding: &Finding) -> Value {
    let here = finding.offending().and_then(|access| programs_line(&access.stack));
    let index = ALL.iter().position(|rule| rule.id == finding.rule);
    let flows: Vec<Value> = finding.accesses.iter().filter(|access| !access.stack.is_empty()).map(flow).collect();
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": {"text": format!("{}\n{}", finding.title, finding.fix)},
        "locations": here.map(|frame| location(frame, None)).into_iter().collect::<Vec<_>>(),
        "partialFingerprints": {"ftsan/v1": finding.fingerprint},
        "occurrenceCount": finding.count.max(1),
        "codeFlows": [{"threadFlows": flows}],
    });
    if let Some(index) = index {
        result["ruleIndex"] = json!(index);
    }
    result
}

/// One side: outermost frame first, as it was called.
fn flow(access: &Access) -> Value {
    let thread = access.thread.as_ref().map_or("", |thread| thread.name.as_str());
    let what = format!("{} in thread '{thread}'", access.operation);
    let step =
        |(at, frame): (usize, &Frame)| json!({"location": location(frame, Some(if at == 0 { &what } else { &frame.function }))});
    let locations: Vec<Value> = access.stack.iter().enumerate().rev().map(step).collect();
    json!({"id": what, "message": {"text": what}, "locations": locations})
}

fn location(frame: &Frame, message: Option<&String>) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(&frame.file)}});
    if frame.line > 0 {
        physical["region"] = json!({"startLine": frame.line});
    }
    let mut location = json!({"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": frame.function}]});
    if let Some(message) = message {
        location["message"] = json!({"text": message});
    }
    location
}

/// A path as a URI: what is not unreserved is in percent, and an absolute path has its scheme.
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::tree::samples;

    #[test]
    fn a_result_has_its_rule_its_line_both_stacks_and_the_fingerprint() {
        let mut out = Vec::new();
        write(&samples::news().report, &mut out).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        let result = &log["runs"][0]["results"][0];
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], "FT101");
        assert_eq!((result["ruleId"].as_str(), result["level"].as_str()), (Some("FT101"), Some("error")));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!((place["artifactLocation"]["uri"].as_str(), place["region"]["startLine"].as_u64()), (Some("app.py"), Some(12)));
        assert_eq!(result["partialFingerprints"]["ftsan/v1"], samples::news().report.findings[0].fingerprint.as_str());
        let flows = result["codeFlows"][0]["threadFlows"].as_array().unwrap();
        assert_eq!(flows.len(), 2);
        let last = flows[0]["locations"].as_array().unwrap().last().unwrap();
        assert_eq!(last["location"]["physicalLocation"]["region"]["startLine"], 12, "the innermost frame comes last");
        assert_eq!(last["location"]["message"]["text"], "call_soon in thread 'worker'");
    }

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("/srv/my app/ü.py"), "file:///srv/my%20app/%C3%BC.py");
        assert_eq!(uri("<string>"), "%3Cstring%3E");
    }
}
