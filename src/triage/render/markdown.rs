//! A verdict as a block for an upstream issue.  It says of each unknown fact that it is unknown.

use super::super::crash::{Crash, Extension, Thread};
use super::super::judge::facts::Facts;
use super::super::judge::racing;
use super::super::judge::verdict::Verdict;
use std::fmt::Write as _;

/// The block for an issue.
pub fn block(crash: &Crash, verdict: &Verdict) -> String {
    let facts = Facts::new(crash);
    let mut out = String::from("## Crash\n\n");
    put(&mut out, format_args!("{}\n\n", line(verdict.evidence.first().map_or("", String::as_str))));
    out.push_str("| | |\n|---|---|\n");
    let command = crash.command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    let rows = [
        ("`python -VV`", crash.python.version.as_str()),
        ("GIL", &crash.python.gil),
        ("platform", &crash.python.platform),
        ("executable", &crash.python.executable),
        ("signal", &crash.signal),
        ("reproducer", &command),
    ];
    for (name, value) in rows {
        put(&mut out, format_args!("| {name} | {} |\n", code(value)));
    }
    let address = crash.address.map_or_else(String::new, |address| format!("{address:#x}"));
    put(&mut out, format_args!("| address | {} |\n", code(&address)));
    put(&mut out, format_args!("| said | {} |\n", code(&crash.message.replace('\n', "; "))));

    put(
        &mut out,
        format_args!("\n### ftsan's verdict: {}, {} confidence\n\n", verdict.verdict.as_str(), verdict.confidence.as_str()),
    );
    put(&mut out, format_args!("- culprit: {}\n", line(verdict.culprit.as_deref().unwrap_or("none named"))));
    put(&mut out, format_args!("- known issue: {}\n", line(verdict.known_issue.as_deref().unwrap_or("none"))));
    put(&mut out, format_args!("- signature: {}\n", code(&verdict.signature).replace("\\|", "|")));
    for evidence in &verdict.evidence {
        put(&mut out, format_args!("- {}\n", line(evidence)));
    }
    put(&mut out, format_args!("- next step: {}\n", line(&verdict.next_step)));

    out.push_str("\n### Extension modules\n\n");
    extensions(&mut out, &crash.extensions);

    match facts.crashed {
        Some(thread) => stack(&mut out, "Crashing thread", thread, Some(&facts)),
        None => out.push_str("\n### Crashing thread\n\nunknown\n"),
    }
    let others = racing::named(&facts, &verdict.evidence);
    if others.is_empty() {
        out.push_str("\n### Other threads\n\nunknown\n");
    }
    for thread in others {
        stack(&mut out, "Other thread", thread, None);
    }
    put(&mut out, format_args!("\nTriaged by ftsan {}.\n", crate::VERSION));
    out
}

fn extensions(out: &mut String, extensions: &[Extension]) {
    if extensions.is_empty() {
        out.push_str("unknown\n");
        return;
    }
    out.push_str("| module | distribution | version | installed from (wheel tags) | declares free-threading support |\n|---|---|---|---|---|\n");
    for extension in extensions {
        let declares = match extension.declares_free_threading {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        // Without a wheel it was built here, if anything else is known of how it was installed.
        let wheel = match (extension.wheel.as_str(), extension.version.as_str()) {
            ("", "") => "",
            ("", _) => "no wheel: built from source, or unknown",
            (tags, _) => tags,
        };
        let cells = [&extension.name, &extension.distribution, &extension.version, wheel].map(cell);
        put(out, format_args!("| {} | {declares} |\n", cells.join(" | ")));
    }
}

fn stack(out: &mut String, title: &str, thread: &Thread, facts: Option<&Facts<'_>>) {
    put(out, format_args!("\n### {title}: {}\n\n```\n", line(&racing::called(thread))));
    let native = facts.map_or_else(|| thread.native.iter().collect(), |facts| facts.native.clone());
    if native.is_empty() && facts.is_some() {
        out.push_str("native stack: unknown\n");
    }
    for frame in &native {
        let symbol = if frame.symbol.is_empty() { "?" } else { &frame.symbol };
        let module = if frame.module.is_empty() { "unknown file" } else { &frame.module };
        put(out, format_args!("{}+{:#x} in {}\n", fenced(symbol), frame.offset, fenced(module)));
    }
    if !native.is_empty() {
        out.push('\n');
    }
    if !thread.inside.is_empty() {
        put(out, format_args!("inside {}\n", fenced(&thread.inside)));
    }
    if thread.python.is_empty() {
        out.push_str("Python stack: unknown\n");
    }
    for frame in &thread.python {
        if frame.file.is_empty() {
            put(out, format_args!("{}\n", fenced(&frame.function)));
        } else {
            put(out, format_args!("File \"{}\", line {} in {}\n", fenced(&frame.file), frame.line, fenced(&frame.function)));
        }
    }
    out.push_str("```\n");
}

/// Text that cannot end a table's row or begin another construct.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('<', "\\<").replace('`', "'")
}

fn cell(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    if text.is_empty() { "unknown".to_owned() } else { line(text) }
}

fn code(text: &str) -> String {
    if text.is_empty() {
        "unknown".to_owned()
    } else {
        format!("`{}`", text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('`', "'"))
    }
}

/// A line inside a fence cannot end it.
fn fenced(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace("```", "'''")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a String does not fail");
}
