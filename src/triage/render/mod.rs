//! A verdict as text for a terminal, as a block for an upstream issue, as JSON; and groups of crashes.
//!
//! | module | what it holds |
//! |---|---|
//! | [`text`] | a verdict for a terminal |
//! | [`markdown`] | a verdict for an upstream issue |
//! | [`groups`] | crashes by signature, with counts |

pub mod groups;
pub mod markdown;
pub mod text;

use super::crash::Crash;
use super::judge::questions;
use super::judge::verdict::Verdict;
use crate::terminal::{printable_copy, printable_json};
pub use groups::group;
use serde::Serialize;

/// The verdict on a crash as "json", "markdown" or, for any other word, text; nothing in it is obeyed by a terminal.
pub fn render(crash: &Crash, format: &str) -> String {
    render_all(std::slice::from_ref(crash), format)
}

/// The verdicts on the crashes of one text, those of the same signature once.  As JSON it is the object of the first one, with the others,
/// if there are any, in "others".
pub fn render_all(crashes: &[Crash], format: &str) -> String {
    let mut distinct: Vec<(&Crash, Verdict, usize)> = Vec::new();
    for crash in crashes {
        let verdict = questions::of(crash);
        match distinct.iter_mut().find(|(_, known, _)| known.signature == verdict.signature && known.verdict == verdict.verdict) {
            Some((_, _, count)) => *count += 1,
            None => distinct.push((crash, verdict, 1)),
        }
    }
    match format {
        "json" => json(distinct),
        "markdown" => {
            let blocks = distinct.iter().map(|(crash, verdict, _)| markdown::block(&printable(crash), &printable_copy(verdict)));
            blocks.collect::<Vec<_>>().join("\n")
        }
        _ => {
            let mut out = String::new();
            if distinct.len() > 1 {
                out = format!("{} crashes in this text, {} of them different\n", crashes.len(), distinct.len());
            }
            for (crash, verdict, count) in &distinct {
                out.push_str(&text::verdict(&printable(crash), &printable_copy(verdict), *count));
            }
            out
        }
    }
}

/// A copy that a terminal shows and does not obey.
fn printable(crash: &Crash) -> Crash {
    let message = crash.message.replace('\n', "; ");
    printable_copy(&Crash { message, ..crash.clone() })
}

#[derive(Serialize)]
struct Several {
    #[serde(flatten)]
    first: Verdict,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<Verdict>,
}

fn json(distinct: Vec<(&Crash, Verdict, usize)>) -> String {
    let mut verdicts = distinct.into_iter().map(|(_, verdict, _)| verdict);
    let Some(first) = verdicts.next() else { return String::new() };
    let several = Several { first, others: verdicts.collect() };
    let json = serde_json::to_string_pretty(&several).unwrap_or_else(|error| error.to_string());
    printable_json(&json) + "\n"
}

#[cfg(test)]
mod tests;
