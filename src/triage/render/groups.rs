//! Many crashes, grouped by signature: what a fleet needs.

use super::super::crash::Crash;
use super::super::judge::questions;
use super::super::judge::verdict::Verdict;
use crate::terminal::{printable, printable_json};
use serde::Serialize;
use std::fmt::Write as _;

/// Crashes that have the same signature and the same cause.
#[derive(Debug, Serialize)]
struct Group {
    count: usize,
    signature: String,
    /// The verdict of the crash of which most is known.
    verdict: Verdict,
    /// Where they were read from, the first ones.
    sources: Vec<String>,
}

/// More sources are counted and not listed.
const SOURCES: usize = 20;

/// Groups crashes, each with the name of what it was read from, as "json" or, for any other word, text.
pub fn group(crashes: &[(String, Crash)], format: &str) -> String {
    let mut groups: Vec<Group> = Vec::new();
    for (source, crash) in crashes {
        let verdict = questions::of(crash);
        let known =
            groups.iter_mut().find(|group| group.signature == verdict.signature && group.verdict.verdict == verdict.verdict);
        match known {
            Some(group) => {
                group.count += 1;
                if group.sources.len() < SOURCES && !group.sources.contains(source) {
                    group.sources.push(source.clone());
                }
                if verdict.confidence > group.verdict.confidence {
                    group.verdict = verdict;
                }
            }
            None => {
                groups.push(Group { count: 1, signature: verdict.signature.clone(), verdict, sources: vec![source.clone()] });
            }
        }
    }
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.signature.cmp(&b.signature)));
    if format == "json" {
        #[derive(Serialize)]
        struct Groups {
            schema: u32,
            crashes: usize,
            groups: Vec<Group>,
        }
        let all = Groups { schema: 1, crashes: crashes.len(), groups };
        let json = serde_json::to_string_pretty(&all).unwrap_or_else(|error| error.to_string());
        return printable_json(&json) + "\n";
    }
    let mut out = format!("{} crashes, {} groups\n", crashes.len(), groups.len());
    for group in &groups {
        let verdict = &group.verdict;
        let named = [&verdict.culprit, &verdict.known_issue]
            .into_iter()
            .flatten()
            .map(|name| format!(", {}", printable(name)))
            .collect::<String>();
        let line = format_args!(
            "\n{:5}  {}\n       {} ({} confidence){named}\n",
            group.count,
            printable(&group.signature),
            verdict.verdict.as_str(),
            verdict.confidence.as_str()
        );
        out.write_fmt(line).expect("writing to a String does not fail");
        let more = group.count.saturating_sub(group.sources.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.push_str(&format!(
            "       {}{more}\n",
            group.sources.iter().take(3).map(|source| printable(source)).collect::<Vec<_>>().join(", ")
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crashes_of_one_signature_are_one_group() {
        let crash = |signal: &str| Crash { signal: signal.to_owned(), ..Crash::default() };
        let crashes = [("a".to_owned(), crash("SIGSEGV")), ("b".to_owned(), crash("SIGBUS")), ("c".to_owned(), crash("SIGSEGV"))];
        let text = group(&crashes, "text");
        assert!(text.starts_with("3 crashes, 2 groups\n\n    2  SIGSEGV | ? | ?\n"), "{text}");
        assert!(text.contains("       a, c\n"));
        let json: serde_json::Value = serde_json::from_str(&group(&crashes, "json")).unwrap();
        assert_eq!((json["crashes"].as_u64(), json["groups"][0]["count"].as_u64()), (Some(3), Some(2)));
        assert_eq!(json["groups"][0]["sources"][1], "c");
    }

    #[test]
    fn so_many_sources_of_a_group_are_listed_each_once() {
        let crash = |number: usize| (format!("dump{number}"), Crash { signal: "SIGSEGV".to_owned(), ..Crash::default() });
        let crashes: Vec<_> = (0..SOURCES + 5).chain([0, 1]).map(crash).collect();
        let json: serde_json::Value = serde_json::from_str(&group(&crashes, "json")).unwrap();
        assert_eq!(json["groups"][0]["count"].as_u64(), Some(SOURCES as u64 + 7));
        assert_eq!(json["groups"][0]["sources"].as_array().map(Vec::len), Some(SOURCES));
        assert!(group(&crashes, "text").contains("       dump0, dump1, dump2 and 7 more\n"));
        let twice: Vec<_> = [0, 0].map(crash).into();
        assert!(group(&twice, "text").contains("       dump0 and 1 more\n"));
    }

    #[test]
    fn of_two_crashes_that_are_as_sure_the_first_one_is_told() {
        let crash = |number: usize| {
            (format!("dump{number}"), Crash { signal: "SIGSEGV".to_owned(), message: format!("said {number}"), ..Crash::default() })
        };
        let json: serde_json::Value = serde_json::from_str(&group(&[crash(1), crash(2)], "json")).unwrap();
        let evidence = json["groups"][0]["verdict"]["evidence"].to_string();
        assert!(json["groups"][0]["count"] == 2 && evidence.contains("said 1") && !evidence.contains("said 2"), "{evidence}");
    }
}
