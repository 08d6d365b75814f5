//! Findings as text, in the manner of Go's race detector and ThreadSanitizer.

use crate::report::model::access::{Access, Frame, Role, programs_line};
use crate::report::model::finding::Finding;
use crate::report::model::tree::Report;
use crate::terminal::{printable, printable_copy};
use std::fmt::Write as _;
use std::io::{self, Write};

const RULER: &str = "==================\n";

/// One finding, as it is printed when it happens.  `source` gives a line of a file, if it can.
pub fn finding(finding: &Finding, pid: u32, source: &dyn Fn(&str, u32) -> Option<String>) -> String {
    let finding = &printable_copy(finding);
    let severity = finding.severity.name().to_uppercase();
    let mut out = String::from(RULER);
    put(&mut out, format_args!("{severity}: ftsan: {} {} (pid {pid})\n", finding.rule, finding.name));
    put(&mut out, format_args!("  {}\n", finding.title));
    for access in &finding.accesses {
        put(&mut out, format_args!("\n  {}:\n", heading(access, finding)));
        put_stack(&mut out, &access.stack, source);
        let started = access.thread.as_ref().map_or(&[][..], |thread| &thread.started_at);
        if !started.is_empty() {
            out.push_str("  that thread was started at:\n");
            put_stack(&mut out, started, source);
        }
    }
    put(&mut out, format_args!("\n  Fix: {}\n  Help: {}\n", finding.fix, finding.help));
    out.push_str(RULER);
    out
}

fn heading(access: &Access, finding: &Finding) -> String {
    let thread = access.thread.as_ref().map_or_else(
        || "a thread no longer known".to_owned(),
        |thread| format!("thread '{}' (native id {})", thread.name, thread.native_id),
    );
    match access.role {
        Role::Offending => format!("{} by {thread}", access.operation),
        Role::Owner => match access.operation.as_str() {
            "inside" => format!("inside it at the same time was {thread}"),
            "has" => format!("it belongs to {thread}"),
            "run" => format!("the loop is being run by {thread}"),
            operation => format!("{operation} by {thread}"),
        },
        Role::Earlier => format!("earlier {} by {thread}", access.operation),
        Role::Created => format!("{} {}", finding.object.repr, access.operation),
    }
}

/// How many frames of a stack, or of each of its linked parts, are shown; the JSON report has all of them.
const SHOWN: usize = 8;

fn put_stack(out: &mut String, stack: &[Frame], source: &dyn Fn(&str, u32) -> Option<String>) {
    for part in stack.chunk_by(|_, next| next.via.is_none()) {
        put_part(out, &part[..part.len().min(SHOWN)], source);
        if part.len() > SHOWN {
            put(out, format_args!("    ... and {} further out\n", plural(part.len() - SHOWN, "frame")));
        }
    }
}

fn put_part(out: &mut String, part: &[Frame], source: &dyn Fn(&str, u32) -> Option<String>) {
    for frame in part {
        if let Some(via) = &frame.via {
            put(out, format_args!("    -- {via}:\n"));
        }
        put(out, format_args!("    {}:{} in {}\n", frame.file, frame.line, frame.function));
        if let Some(text) = source(&frame.file, frame.line) {
            put(out, format_args!("      {}\n", printable(text.trim())));
        }
    }
}

/// Writes a report: each finding as it is printed when it happens, but without source lines and process, and the summary.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for found in &report.findings {
        out.write_all(finding(found, 0, &|_, _| None).as_bytes())?;
    }
    out.write_all(summary(report).as_bytes())
}

/// The closing lines of a run.
pub fn summary(report: &Report) -> String {
    let report = &printable_copy(report);
    let mut out = String::new();
    let serious = report.findings.iter().filter(|finding| finding.severity.is_serious()).count();
    let watched = &report.watched;
    put(
        &mut out,
        format_args!(
            "ftsan: {}; watched {} hooks, {} checks, {}, {}, {}\n",
            plural(serious, "finding"),
            watched.hooks,
            watched.checks,
            plural(watched.threads as usize, "thread"),
            plural(watched.loops as usize, "loop"),
            match watched.processes {
                1 => "1 process".to_owned(),
                more => format!("{more} processes"),
            }
        ),
    );
    for finding in &report.findings {
        let place = finding.offending().and_then(|access| programs_line(&access.stack));
        let place = place.map_or_else(String::new, |frame| format!("{}:{}: ", frame.file, frame.line));
        let times = if finding.count > 1 { format!(" ({} times)", finding.count) } else { String::new() };
        let harm = if finding.witnessed { ", witnessed" } else { "" };
        put(&mut out, format_args!("ftsan:   {place}{} {}{times}{harm}\n", finding.rule, finding.title));
    }
    for entry in report.suppressions.iter().filter(|entry| entry.used == 0) {
        let suppression = &entry.suppression;
        let patterns = [&suppression.function, &suppression.file, &suppression.fingerprint];
        let patterns: Vec<&str> = patterns.into_iter().flatten().map(String::as_str).collect();
        put(
            &mut out,
            format_args!("ftsan: unused suppression: {} {} ({})\n", suppression.rule, patterns.join(" "), suppression.reason),
        );
    }
    for off in &watched.off {
        put(&mut out, format_args!("ftsan: not watched: {off}\n"));
    }
    out
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::finding::samples;
    use crate::report::suppress::Suppression;
    use crate::report::{SuppressionUse, Watched};

    #[test]
    fn the_summary_names_the_programs_own_line() {
        let frame = |file: &str, line| Frame { file: file.to_owned(), line, function: String::new(), via: None };
        let stack =
            [frame("/venv/lib/python3.14t/site-packages/aiohttp/client.py", 1), frame("/app/main.py", 2), frame("/app/run.py", 3)];
        assert_eq!(programs_line(&stack).map(|frame| frame.line), Some(2));
        assert_eq!(programs_line(&stack[..1]).map(|frame| frame.line), Some(1));
    }

    #[test]
    fn both_sides_are_told_with_their_threads() {
        let source = |file: &str, line: u32| (file == "app.py" && line == 12).then(|| "    loop.call_soon(cb)\n".to_owned());
        let expected = "\
==================
ERROR: ftsan: FT101 loop-call-off-thread (pid 42)
  _UnixSelectorEventLoop.call_soon() called in thread 'worker' while thread 'MainThread' runs the loop

  call_soon by thread 'worker' (native id 107):
    app.py:12 in worker
      loop.call_soon(cb)
    /lib/threading.py:1024 in Thread.run
  that thread was started at:
    app.py:30 in main

  the loop is being run by thread 'MainThread' (native id 101):
    /lib/selectors.py:452 in EpollSelector.select
    -- meanwhile suspended at:
    app.py:32 in main

  Fix: loop.call_soon_threadsafe(callback, *args), which also wakes the loop
  Help: ftsan explain FT101
==================
";
        assert_eq!(finding(&samples::call_soon(), 42, &source), expected);
    }

    #[test]
    fn nothing_that_the_program_named_is_obeyed_by_a_terminal() {
        let mut hostile = samples::call_soon();
        let evil = "\u{1b}[2J\nERROR: ftsan: fake\u{202e}".to_owned();
        hostile.title.clone_from(&evil);
        hostile.object.repr.clone_from(&evil);
        for access in &mut hostile.accesses {
            access.operation.clone_from(&evil);
            let thread = access.thread.as_mut().unwrap();
            thread.name.clone_from(&evil);
            for frame in access.stack.iter_mut().chain(&mut thread.started_at) {
                frame.function.clone_from(&evil);
                frame.file.clone_from(&evil);
                frame.via = Some(evil.clone());
            }
        }
        let source = |_: &str, _| Some(evil.clone());
        let report = Report { findings: vec![hostile.clone()], gil: evil.clone(), ..Report::default() };
        for text in [finding(&hostile, 1, &source), summary(&report)] {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
            assert!(!text.lines().any(|line| line.starts_with("ERROR: ftsan: fake")), "{text}");
            assert!(text.contains("\\x1b[2J\\nERROR: ftsan: fake\\u202e"), "{text}");
        }
    }

    #[test]
    fn the_summary_says_what_was_watched_found_and_left_over() {
        let suppression = Suppression {
            rule: "FT105".to_owned(),
            function: Some("Bus.*".to_owned()),
            file: None,
            fingerprint: None,
            reason: "locked".to_owned(),
        };
        let report = Report {
            watched: Watched { hooks: 3, checks: 4, threads: 1, loops: 2, processes: 1, ..Watched::default() },
            findings: vec![Finding { count: 3, ..samples::call_soon() }],
            suppressions: vec![SuppressionUse { suppression, used: 0 }],
            ..Report::default()
        };
        let expected = "\
ftsan: 1 finding; watched 3 hooks, 4 checks, 1 thread, 2 loops, 1 process
ftsan:   app.py:12: FT101 _UnixSelectorEventLoop.call_soon() called in thread 'worker' while thread 'MainThread' runs the loop (3 times)
ftsan: unused suppression: FT105 Bus.* (locked)
";
        assert_eq!(summary(&report), expected);
    }
}
