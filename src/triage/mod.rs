//! Triage: why a process died, how sure that is, and what to do next.
//!
//! | module | what it holds |
//! |---|---|
//! | [`crash`] | what is known of a crash |
//! | [`faulthandler`] | a dump, pasted or in a log, as a crash |
//! | `lines` | pasted text back into the lines that were printed |
//! | [`paths`] | what the paths of a dump tell |
//! | `facts` | the crashing thread without the frames of those who report the crash |
//! | [`known_crashes`] | the table of known crashes |
//! | [`conditions`] | what may be asked of a crash |
//! | `racing` | who else was at it |
//! | [`signature`] | the name of a crash across runs and machines |
//! | [`verdict`] | whose it is |
//! | `by_stacks` | whose it is by the stacks alone |
//! | [`text`], [`markdown`] | a verdict for a terminal, and for an upstream issue |

mod by_stacks;
pub mod conditions;
pub mod crash;
mod facts;
pub mod faulthandler;
pub mod known_crashes;
mod lines;
pub mod markdown;
pub mod paths;
mod racing;
pub mod signature;
pub mod text;
pub mod verdict;

use crate::terminal::{printable_copy, printable_json};
use crash::Crash;

/// A crash from the `crash.json` of a crash folder; the error is one line for the user.
pub fn from_json(text: &str) -> Result<Crash, String> {
    serde_json::from_str(text).map_err(|error| format!("not a crash as ftsan writes it: {error}"))
}

/// The verdict on a crash as "json", "markdown" or, for any other word, text; nothing in it is obeyed by a terminal.
pub fn render(crash: &Crash, format: &str) -> String {
    let verdict = verdict::of(crash);
    if format == "json" {
        let json = serde_json::to_string_pretty(&verdict).unwrap_or_else(|error| error.to_string());
        return printable_json(&json) + "\n";
    }
    let message = crash.message.replace('\n', "; ");
    let (crash, verdict) = (printable_copy(&Crash { message, ..crash.clone() }), printable_copy(&verdict));
    match format {
        "markdown" => markdown::block(&crash, &verdict),
        _ => text::verdict(&crash, &verdict),
    }
}

#[cfg(test)]
mod tests {
    use super::crash::{Event, FoundBefore, NativeFrame, Thread};
    use super::*;
    use crate::report::Frame;

    #[test]
    fn nothing_of_a_crash_is_obeyed_by_a_terminal() {
        let evil = || "x\u{1b}]0;pwn\u{7}\n\u{9b}2J".to_owned();
        let frame = || Frame { file: evil(), line: 1, function: evil(), via: None };
        let thread = |crashed| Thread {
            name: evil(),
            native_id: if crashed { 1 } else { 2 },
            crashed,
            inside: evil(),
            python: vec![frame()],
            native: vec![NativeFrame { module: evil(), symbol: evil(), offset: 0 }],
            recent: vec![Event { operation: evil(), at: Some(frame()), ..Event::default() }],
            ..Thread::default()
        };
        let crash = Crash {
            signal: evil(),
            message: evil(),
            command: vec![evil()],
            threads: vec![thread(true), thread(false)],
            findings: vec![FoundBefore { rule: "FT105".to_owned(), title: evil(), at: Some(frame()), thread: evil() }],
            ..Crash::default()
        };
        for format in ["text", "markdown", "json"] {
            let shown = render(&crash, format);
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{format}: {shown}");
            assert!(shown.contains("1b]0;pwn"), "{format} does not show it at all: {shown}");
        }
    }
}
