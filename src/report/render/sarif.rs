//! SARIF 2.1.0, as GitHub's code scanning reads it.
//!
//! A finding is a result of its rule, at the program's own line; the stacks of all sides are code flows, so that they can be walked
//! through, and the lines of the other sides related locations.  Files of the repository are named from its root, as code scanning wants
//! them.  An accepted finding is a suppressed result with its reason; one that a baseline knew is `unchanged`, the rest `new`.  One that is gone
//! from a baseline is no result: code scanning, which knows no `absent`, would show it as open.

use super::paths::{below, project_root};
use crate::report::model::access::{Access, Frame, programs_line};
use crate::report::model::finding::{Finding, Means};
use crate::report::model::tree::Report;
use crate::rules::ALL;
use crate::rules::rule::Rule;
use crate::rules::severity::Severity;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What files of the repository are relative to.
const ROOT: &str = "SRCROOT";

/// Writes a report.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let log = log(report, project_root().as_deref());
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn log(report: &Report, root: Option<&Path>) -> Value {
    let mut writer = Writer { root, has_baseline: report.baseline.is_some(), seen: HashMap::new() };
    let results: Vec<Value> = report.findings.iter().chain(&report.accepted).map(|finding| writer.result(finding)).collect();
    let notifications: Vec<Value> = report
        .watched
        .off
        .iter()
        .map(|off| json!({"level": "error", "message": {"text": format!("not watched: {off}")}}))
        .collect();
    let mut run = json!({
        "tool": {"driver": {
            "name": "ftsan",
            "version": report.ftsan,
            "semanticVersion": report.ftsan,
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": ALL.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
        }},
        "automationDetails": {"id": "ftsan/"},
        "invocations": [{"executionSuccessful": notifications.is_empty(), "toolExecutionNotifications": notifications}],
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    if let Some(root) = root.and_then(Path::to_str) {
        run["originalUriBaseIds"] = json!({ROOT: {"uri": format!("{}/", uri(root.trim_end_matches('/')))}});
    }
    json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn descriptor(rule: &Rule) -> Value {
    let what = rule.manual.split("\n\n").map(str::trim).find(|part| !part.is_empty() && !part.starts_with('#'));
    let what = what.map_or_else(|| rule.name.replace('-', " "), |part| part.replace('\n', " "));
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.name.replace('-', " ")},
        "fullDescription": {"text": what},
        "help": {"text": rule.page(), "markdown": rule.page()},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"tags": ["concurrency", "free-threading"], "precision": "very-high", "problem.severity": problem(rule.severity)},
    })
}

/// As code scanning sorts rules.
fn problem(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "recommendation",
    }
}

struct Writer<'a> {
    root: Option<&'a Path>,
    has_baseline: bool,
    /// How many results there are of each fingerprint.
    seen: HashMap<String, u32>,
}

impl Writer<'_> {
    fn result(&mut self, finding: &Finding) -> Value {
        let sides = finding.accesses.iter().filter(|access| !access.stack.is_empty());
        let flows: Vec<Value> = sides.clone().map(|access| self.flow(access)).collect();
        let number = self.seen.entry(finding.fingerprint.clone()).and_modify(|number| *number += 1).or_insert(1);
        let fingerprint = format!("{}:{number}", finding.fingerprint);
        let mut result = json!({
            "ruleId": finding.rule,
            "level": level(finding.severity),
            "message": {"text": format!("{}{}\n{}", finding.title, finding.likewise(), finding.fix)},
            "locations": [self.place(finding)],
            "partialFingerprints": {"ftsan/v1": finding.fingerprint, "primaryLocationLineHash": fingerprint},
            "occurrenceCount": finding.count.max(1),
        });
        if let Some(index) = ALL.iter().position(|rule| rule.id == finding.rule) {
            result["ruleIndex"] = json!(index);
        }
        if !flows.is_empty() {
            result["codeFlows"] = json!([{"threadFlows": flows}]);
        }
        let related: Vec<Value> = sides.skip(1).zip(1..).filter_map(|(access, id)| self.related(access, id)).collect();
        if !related.is_empty() {
            result["relatedLocations"] = json!(related);
        }
        if let Some(why) = &finding.accepted {
            result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": why.reason}]);
        }
        if self.has_baseline {
            let was_known = finding.accepted.as_ref().is_some_and(|why| why.by == Means::Baseline);
            result["baselineState"] = json!(if was_known { "unchanged" } else { "new" });
        }
        let more: serde_json::Map<String, Value> = [("pids", json!(finding.pids)), ("tests", json!(finding.tests))]
            .into_iter()
            .filter(|(_, all)| all.as_array().is_some_and(|all| !all.is_empty()))
            .map(|(name, all)| (name.to_owned(), all))
            .collect();
        if !more.is_empty() {
            result["properties"] = Value::Object(more);
        }
        result
    }

    /// Where a result is shown.  Code scanning refuses a file in which one has no place.
    fn place(&self, finding: &Finding) -> Value {
        let stacks = finding.offending().into_iter().chain(&finding.accesses);
        match stacks.filter_map(|access| programs_line(&access.stack)).next() {
            Some(frame) => self.location(frame, None),
            None => json!({"physicalLocation": {"artifactLocation": {"uri": "unknown"}}}),
        }
    }

    fn related(&self, access: &Access, id: u32) -> Option<Value> {
        let mut location = self.location(programs_line(&access.stack)?, Some(&told(access)));
        location["id"] = json!(id);
        Some(location)
    }

    /// One side: outermost frame first, as it was called.
    fn flow(&self, access: &Access) -> Value {
        let what = told(access);
        let step = |(at, frame): (usize, &Frame)| {
            let location = self.location(frame, Some(if at == 0 { &what } else { &frame.function }));
            json!({"location": location, "importance": if at == 0 { "essential" } else { "important" }})
        };
        let locations: Vec<Value> = access.stack.iter().enumerate().rev().map(step).collect();
        json!({"id": what, "message": {"text": what}, "locations": locations})
    }

    fn location(&self, frame: &Frame, message: Option<&String>) -> Value {
        let file = below(&frame.file, self.root);
        let mut artifact = json!({"uri": uri(file)});
        if file != frame.file {
            artifact["uriBaseId"] = json!(ROOT);
        }
        let mut physical = json!({"artifactLocation": artifact});
        if frame.line > 0 {
            physical["region"] = json!({"startLine": frame.line});
        }
        let mut location = json!({"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": frame.function}]});
        if let Some(message) = message {
            location["message"] = json!({"text": message});
        }
        location
    }
}

fn told(access: &Access) -> String {
    let thread = access.thread.as_ref().map_or("", |thread| thread.name.as_str());
    format!("{} in thread '{thread}'", access.operation)
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
    use crate::report::model::mistake::fold;
    use crate::report::model::mistake::samples::race;
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
    fn a_mistake_is_one_result_with_the_lines_of_all_its_locations() {
        let findings = fold([race("C.a", [1, 7]), race("C.b", [2, 8])]);
        let log = log(&Report { findings, ..Report::default() }, None);
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert!(results[0]["message"]["text"].as_str().unwrap().starts_with("C.a: raced for; likewise C.b\n"), "{log}");
        let lines: Vec<_> = results[0]["relatedLocations"].as_array().unwrap().iter().collect();
        let lines: Vec<_> =
            lines.iter().map(|related| related["physicalLocation"]["region"]["startLine"].as_u64().unwrap()).collect();
        assert_eq!((results.len(), lines), (1, vec![7, 2, 8]));
    }

    #[test]
    fn files_of_the_repository_are_named_from_its_root() {
        let mut report = samples::news().report;
        report.findings[0].accesses[0].stack[0].file = "/srv/my repo/app.py".to_owned();
        let log = log(&report, Some(Path::new("/srv/my repo")));
        let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(*place, json!({"uri": "app.py", "uriBaseId": "SRCROOT"}));
        assert_eq!(log["runs"][0]["originalUriBaseIds"]["SRCROOT"]["uri"], "file:///srv/my%20repo/");
    }

    #[test]
    fn what_is_accepted_says_why_and_a_baseline_tells_old_from_new() {
        let mut report = samples::news().report;
        let accept = |by, reason: &str| {
            let accepted = Some(crate::report::Accepted { by, reason: reason.to_owned() });
            Finding { accepted, ..report.findings[0].clone() }
        };
        report.accepted = vec![accept(Means::Suppression, "locked"), accept(Means::Baseline, "known")];
        let states = |report: &Report| -> Vec<String> {
            let results = log(report, None)["runs"][0]["results"].as_array().unwrap().clone();
            assert_eq!(results[1]["suppressions"][0]["justification"], "locked");
            assert_eq!(
                results[2]["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().split_once(':').unwrap().1,
                "3"
            );
            results.iter().filter_map(|result| result["baselineState"].as_str().map(str::to_owned)).collect()
        };
        assert_eq!(states(&report), [] as [&str; 0]);
        report.baseline = Some("known.toml".to_owned());
        assert_eq!(states(&report), ["new", "new", "unchanged"]);
    }

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("/srv/my app/ü.py"), "file:///srv/my%20app/%C3%BC.py");
        assert_eq!(uri("<string>"), "%3Cstring%3E");
    }

    #[test]
    fn a_rule_is_described_by_the_first_words_of_its_page() {
        let rule = crate::rules::find("FT101").unwrap();
        let told = descriptor(rule);
        let what = told["fullDescription"]["text"].as_str().unwrap();
        assert!(
            what.starts_with("A method of an event loop that is not documented as thread-safe, ") && !what.contains('\n'),
            "{what}"
        );
        assert_eq!(told["properties"]["problem.severity"], "error");
        assert_eq!([Severity::Error, Severity::Warning, Severity::Info].map(problem), ["error", "warning", "recommendation"]);
    }

    #[test]
    fn what_a_result_has_nothing_of_is_left_out() {
        let mut report = samples::news().report;
        let result = |report: &Report| log(report, None)["runs"][0]["results"][0].clone();
        assert_eq!(result(&report)["relatedLocations"].as_array().unwrap().len(), 1);
        assert!(result(&report).get("properties").is_none(), "neither pids nor tests");
        report.findings[0].pids.insert(7);
        assert_eq!(result(&report)["properties"], json!({"pids": [7]}));
        report.findings[0].accesses.truncate(1);
        report.findings[0].accesses[0].stack[0].line = 0;
        let alone = result(&report);
        assert!(alone.get("relatedLocations").is_none() && alone["codeFlows"][0]["threadFlows"].as_array().unwrap().len() == 1);
        assert!(alone["locations"][0]["physicalLocation"].get("region").is_none(), "the line is not known");
        report.findings[0].accesses.clear();
        assert!(result(&report).get("codeFlows").is_none());
    }
}
