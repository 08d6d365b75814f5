//! Triage: why a process died, how sure that is, and what to do next.
//!
//! ```text
//! pasted text --forms--> Crash --judge--> Verdict --render--> text, Markdown, JSON
//!                          ^      (names: whose frame is it)
//! crash folder ------------+
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`crash`] | what is known of a crash |
//! | [`forms`] | forms in which people paste a crash, one per file |
//! | [`names`] | functions, files, and to whom they belong |
//! | [`judge`] | the verdict, and the table of known crashes |
//! | [`signature`] | the name of a crash across runs and machines |
//! | [`render`](mod@render) | a verdict for a terminal, for an upstream issue, as JSON; groups of crashes |

pub mod crash;
pub mod forms;
pub mod judge;
pub mod names;
pub mod render;
pub mod signature;

pub use forms::read;
pub use judge::{hang, questions, verdict};
pub use render::{group, render, render_all};

use crash::Crash;

/// A crash from the `crash.json` of a crash folder; the error is one line for the user.
///
/// # Errors
/// It is not JSON, or its fields are of other types.
pub fn from_json(text: &str) -> Result<Crash, String> {
    let crash: Result<Crash, _> = serde_json::from_str(text);
    let mut crash = crash.map_err(|error| format!("not a crash as ftsan writes it: {error}"))?;
    for frame in crash.threads.iter_mut().flat_map(|thread| &mut thread.native) {
        frame.symbol = names::symbols::readable(&frame.symbol);
    }
    Ok(crash)
}

#[cfg(test)]
mod tests {
    use super::crash::{Event, FoundBefore, NativeFrame, Thread};
    use super::*;
    use crate::report::Frame;

    #[test]
    fn nothing_of_a_crash_is_obeyed_by_a_terminal() {
        let evil = || "x\u{1b}]0;pwn\u{7}\n\u{9b}2J".to_owned();
        let frame = || Frame { file: evil(), line: 1, function: evil(), ..Frame::default() };
        let thread = |crashed| Thread {
            name: evil(),
            native_id: if crashed { 1 } else { 2 },
            crashed,
            inside: evil(),
            python: vec![frame()],
            native: vec![NativeFrame { module: evil(), import: evil(), symbol: evil(), source: evil(), ..NativeFrame::default() }],
            recent: vec![Event { operation: evil(), at: Some(frame()), ..Event::default() }],
            ..Thread::default()
        };
        let crash = Crash {
            signal: evil(),
            message: evil(),
            command: vec![evil()],
            threads: vec![thread(true), thread(false)],
            findings: vec![FoundBefore {
                rule: "FT105".to_owned(),
                title: evil(),
                at: Some(frame()),
                thread: evil(),
                lines: vec![frame()],
            }],
            ..Crash::default()
        };
        for format in ["text", "markdown", "json"] {
            let shown = render(&crash, format);
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{format}: {shown}");
            assert!(shown.contains("1b]0;pwn"), "{format} does not show it at all: {shown}");
        }
    }
}
