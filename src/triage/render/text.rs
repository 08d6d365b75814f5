//! A verdict for a terminal.

use super::super::crash::{Crash, NativeFrame, Thread};
use super::super::judge::facts::Facts;
use super::super::judge::racing;
use super::super::judge::verdict::Verdict;
use super::super::names::paths;
use super::super::names::symbols::clean;
use std::fmt::Write as _;

const RULER: &str = "==================\n";
/// How many frames of a stack are shown.
const SHOWN: usize = 8;

/// The text of a verdict on a crash that was found so many times in one text.
pub fn verdict(crash: &Crash, verdict: &Verdict, count: usize) -> String {
    let facts = Facts::new(crash);
    let mut out = String::from(RULER);
    let (heading, signal) = match crash.signal.as_str() {
        _ if crash.hang => ("HANG", "the process lives"),
        "" => ("CRASH", "unknown signal"),
        signal => ("CRASH", signal),
    };
    let times = if count > 1 { format!(", {count} times in this text") } else { String::new() };
    put(
        &mut out,
        format_args!(
            "{heading}: ftsan: {} ({} confidence), {signal}{times}\n",
            verdict.verdict.as_str(),
            verdict.confidence.as_str()
        ),
    );
    let mut evidence = verdict.evidence.iter();
    if let Some(first) = evidence.next() {
        put(&mut out, format_args!("  {first}\n"));
    }
    for (name, value) in [("culprit", &verdict.culprit), ("known issue", &verdict.known_issue)] {
        if let Some(value) = value {
            put(&mut out, format_args!("  {name}: {value}\n"));
        }
    }
    if verdict.evidence.len() > 1 {
        out.push_str("\n  What shows it:\n");
    }
    for line in evidence {
        put(&mut out, format_args!("    - {line}\n"));
    }
    if let Some(thread) = facts.crashed {
        put(&mut out, format_args!("\n  The crashing thread{}:\n", name_of(thread)));
        put_native(&mut out, &facts.native, thread);
        put_python(&mut out, thread);
    }
    // Of a core file, or of a process that hangs, all of them are asked for.
    let others = || crash.threads.iter().filter(|thread| !thread.crashed);
    if crash.hang || crash.signal == "SIGQUIT" || others().any(|thread| !thread.native.is_empty()) {
        for thread in others() {
            put(&mut out, format_args!("\n  {}:\n", racing::called(thread)));
            put_native(&mut out, &thread.native.iter().collect::<Vec<_>>(), thread);
            put_python(&mut out, thread);
        }
    } else {
        for thread in racing::named(&facts, &verdict.evidence) {
            put(&mut out, format_args!("\n  Meanwhile {}:\n", racing::called(thread)));
            put_python(&mut out, thread);
        }
    }
    put(&mut out, format_args!("\n  Next: {}\n  Signature: {}\n", verdict.next_step, verdict.signature));
    out.push_str(RULER);
    out
}

fn name_of(thread: &Thread) -> String {
    let unnamed = thread.name.is_empty() && thread.native_id == 0;
    if unnamed { String::new() } else { format!(", {}", racing::called(thread)) }
}

fn put_native(out: &mut String, native: &[&NativeFrame], thread: &Thread) {
    for frame in native.iter().take(SHOWN) {
        let name = if frame.symbol.is_empty() { "?" } else { clean(&frame.symbol) };
        put(out, format_args!("    {name} in {}\n", if frame.module.is_empty() { "?" } else { paths::base(&frame.module) }));
    }
    put_rest(out, native.len());
    if !native.is_empty() && !thread.python.is_empty() {
        out.push_str("    -- in Python:\n");
    }
}

fn put_python(out: &mut String, thread: &Thread) {
    if !thread.inside.is_empty() {
        put(out, format_args!("    inside {}\n", thread.inside));
    }
    for frame in thread.python.iter().take(SHOWN) {
        put(out, format_args!("   {}\n", racing::at(Some(frame)).trim_start_matches(" at")));
    }
    put_rest(out, thread.python.len());
}

fn put_rest(out: &mut String, count: usize) {
    if count > SHOWN {
        put(out, format_args!("    ... and {} further out\n", count - SHOWN));
    }
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a String does not fail");
}
