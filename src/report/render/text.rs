//! Findings as text, in the manner of Go's race detector and ThreadSanitizer.

use crate::report::model::access::{Access, GOES_BACK, Role, ThreadInfo, programs_line_with};
use crate::report::model::finding::Finding;
use crate::report::model::location::Location;
use crate::report::model::tree::{Perturbed, Report};
use crate::rules::severity::Severity;
use crate::terminal::printable_copy;
use stack::{Source, Stacks};
use std::io::{self, Write};
use style::{Style, Tone};
use words::{plural, put};

mod columns;
mod stack;
pub mod style;
mod words;

const RULER: &str = "==================";

/// One finding in short and without colours.  `source` gives a line of a file, if it can.
pub fn finding(finding: &Finding, pid: u32, source: &dyn Fn(&str, u32) -> Option<String>) -> String {
    finding_in(&Style::default(), finding, pid, source)
}

/// One finding, as it is printed when it happens: between rulers, as the output of the program stands around it.
pub fn finding_in(style: &Style, finding: &Finding, pid: u32, source: Source<'_>) -> String {
    let ruler = style.paint(Tone::Faint, RULER);
    format!("{ruler}\n{}{ruler}\n", finding_alone(style, finding, pid, source))
}

/// One finding for a place of its own.
pub fn finding_alone(style: &Style, finding: &Finding, pid: u32, source: Source<'_>) -> String {
    let finding = &printable_copy(finding);
    let mut out = String::new();
    let severity = finding.severity.name().to_uppercase();
    let tone = if finding.severity == Severity::Error { Tone::Error } else { Tone::Warning };
    let first = format!("{severity}: ftsan: {} {}", finding.rule, finding.name);
    put(&mut out, format_args!("{} (pid {pid})\n", style.paint(tone, &first)));
    put(&mut out, format_args!("  {}\n", style.paint(Tone::Strong, &finding.title)));
    let mut stacks = Stacks::new(style, source);
    // A block for each access, but for those that belong to the one before.
    let mut blocks: Vec<String> = Vec::new();
    let accesses = finding.first_accesses();
    for (at, access) in accesses.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| accesses.get(before)).filter(|_| !style.is_full);
        let kin = before.map_or(Kin::None, |before| Kin::of(access, before));
        if kin == Kin::None {
            blocks.push(String::new());
            if columns::has_room(style.columns) {
                stacks.forget();
            }
        }
        let Some(block) = blocks.last_mut() else { continue };
        match kin {
            Kin::Update => continue,
            Kin::Check => {
                put(block, format_args!("  {}:\n", heading(access, finding)));
                stacks.put_innermost(block, &access.stack);
                continue;
            }
            Kin::None => put(block, format_args!("  {}:\n", heading(access, finding))),
        }
        match access.role {
            Role::Offending if at > 0 => stacks.put_plain(block, &access.stack),
            Role::Offending | Role::Earlier => stacks.put(block, &access.stack),
            Role::Owner | Role::Created => stacks.put_plain(block, &access.stack),
        }
        let started = access.thread.as_ref().map_or(&[][..], |thread| &thread.started_at);
        if style.is_full && !started.is_empty() {
            block.push_str("  that thread was started at:\n");
            stacks.put(block, started);
        }
    }
    for pair in blocks.chunks(2) {
        let both = match pair {
            [left, right] if !style.is_full => columns::beside(left, right, style.columns),
            _ => None,
        };
        put(&mut out, format_args!("\n{}", both.unwrap_or_else(|| pair.join("\n"))));
    }
    if !style.is_full {
        put_starts(&mut out, finding, &mut stacks);
    }
    put_further_locations(&mut out, finding, style);
    put(&mut out, format_args!("\n  {} {}\n  Help: {}\n", style.paint(Tone::Remedy, "Fix:"), finding.fix, finding.help));
    out
}

/// A finding that tells more than one of another rule, which was printed when the same call of the program had come to that.
pub fn in_place_of(finding: &Finding, rule: &str) -> String {
    let Finding { rule: own, name, title, fix, help, .. } = &printable_copy(finding);
    format!("ftsan: {own} {name} takes the place of {rule} above: {title}\n  Fix: {fix}\n  Help: {help}\n")
}

/// How an access is related to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kin {
    /// It is not.
    None,
    /// It is the read of the same update, on the same line.
    Update,
    /// It is the check before the other one, in the same call.
    Check,
}

impl Kin {
    fn of(access: &Access, before: &Access) -> Self {
        let native_id = |access: &Access| access.thread.as_ref().map(|thread| thread.native_id);
        if !access.operation.ends_with(GOES_BACK) || native_id(access) != native_id(before) {
            return Kin::None;
        }
        match (access.stack.split_first(), before.stack.split_first()) {
            (Some((mine, outer)), Some((theirs, around))) if outer == around => {
                let is_same = (&mine.file, mine.line, &mine.function) == (&theirs.file, theirs.line, &theirs.function);
                if is_same { Kin::Update } else { Kin::Check }
            }
            _ => Kin::None,
        }
    }
}

/// Writes where the threads of a finding were started: each once, and those of one place together.
fn put_starts(out: &mut String, finding: &Finding, stacks: &mut Stacks<'_>) {
    let mut starts: Vec<Vec<&ThreadInfo>> = Vec::new();
    for thread in finding.first_accesses().iter().filter_map(|access| access.thread.as_ref()) {
        if thread.started_at.is_empty() || starts.iter().flatten().any(|known| known.native_id == thread.native_id) {
            continue;
        }
        match starts.iter_mut().find(|same| same[0].started_at == thread.started_at) {
            Some(same) => same.push(thread),
            None => starts.push(vec![thread]),
        }
    }
    for same in starts {
        let names: Vec<String> = same.iter().map(|thread| format!("'{}'", thread.name)).collect();
        let (threads, were) = if names.len() == 1 { ("thread", "was") } else { ("threads", "were") };
        put(out, format_args!("  {threads} {} {were} started at:\n", names.join(" and ")));
        stacks.put_outer(out, &same[0].started_at);
    }
}

/// Writes where else the mistake shows.
fn put_further_locations(out: &mut String, finding: &Finding, style: &Style) {
    if finding.locations.len() > 1 {
        out.push_str("  and of the same functions:\n");
    }
    for (location, accesses) in finding.further_locations() {
        let Location { what, count, witnessed, .. } = location;
        let harm = if *witnessed { ", witnessed" } else { "" };
        put(out, format_args!("    {what} at {}{}{harm}\n", lines_of(accesses, style), times(*count)));
    }
}

/// A further location of a mistake that was told, in one line, as it is printed when it is found.
pub fn location_in(style: &Style, finding: &Finding) -> String {
    let finding = &printable_copy(finding);
    let what = finding.mistake.as_ref().map_or("", |mistake| &mistake.what);
    let line = lines_of(&finding.accesses, style);
    format!("ftsan: {} {}, the same functions again: {what} at {line}\n", finding.rule, finding.name)
}

/// The program's lines in these accesses, each once.
fn lines_of(accesses: &[Access], style: &Style) -> String {
    let mut lines: Vec<String> = Vec::new();
    for frame in accesses.iter().filter_map(|access| programs_line_with(&access.stack, &style.own)) {
        let line = format!("{}:{}", frame.file, frame.line);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join(" and ")
}

fn times(count: u64) -> String {
    if count > 1 { format!(" ({count} times)") } else { String::new() }
}

fn heading(access: &Access, finding: &Finding) -> String {
    let thread = access.thread.as_ref().map_or_else(
        || "a thread no longer known".to_owned(),
        |thread| format!("thread '{}' (native id {})", thread.name, thread.native_id),
    );
    match access.role {
        Role::Offending if finding.offending().is_some_and(|first| !std::ptr::eq(first, access)) => {
            format!("which leads to {} as well", access.operation)
        }
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

/// Writes a report: each finding as it is printed when it happens, but without source lines and process, and the summary.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let style = Style { own: own(report), ..Style::default() };
    for found in &report.findings {
        out.write_all(finding_in(&style, found, 0, &|_, _| None).as_bytes())?;
    }
    out.write_all(summary(report).as_bytes())
}

/// Packages that were watched for data races: what is in them is the program's own.
fn own(report: &Report) -> Vec<String> {
    let names = report.watched.packages.iter().filter_map(|package| package.strip_suffix(" (races)"));
    names.map(|name| name.split('.').next().unwrap_or(name).to_owned()).collect()
}

/// The closing lines of a run.
pub fn summary(report: &Report) -> String {
    let report = &printable_copy(report);
    let own = own(report);
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
    if watched.slices > 0 {
        let seconds = watched.sliced_ms as f64 / 1000.0;
        put(
            &mut out,
            format_args!(
                "ftsan: data races were looked for in {}, {seconds:.2} s in all\n",
                plural(watched.slices as usize, "slice")
            ),
        );
    }
    for finding in &report.findings {
        let place = finding.offending().and_then(|access| programs_line_with(&access.stack, &own));
        let place = place.map_or_else(String::new, |frame| format!("{}:{}: ", frame.file, frame.line));
        let harm = if finding.witnessed { ", witnessed" } else { "" };
        let more = finding.likewise();
        put(&mut out, format_args!("ftsan:   {place}{} {}{}{harm}{more}\n", finding.rule, finding.title, times(finding.count)));
    }
    if let Some(perturbed) = watched.perturbed {
        let Perturbed { seed, delays, decisions } = perturbed;
        put(
            &mut out,
            format_args!("ftsan: perturbed by seed {seed}: {} (decisions {decisions:012x})\n", plural(delays as usize, "delay")),
        );
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::access::{Frame, programs_line};
    use crate::report::model::finding::samples;
    use crate::report::model::mistake::fold;
    use crate::report::model::mistake::samples::race;
    use crate::report::suppress::Suppression;
    use crate::report::{SuppressionUse, Watched};

    #[test]
    fn the_summary_names_the_programs_own_line() {
        let frame = |file: &str, line| Frame { file: file.to_owned(), line, ..Frame::default() };
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
      12 | loop.call_soon(cb)
    /lib/threading.py:1024 in Thread.run

  the loop is being run by thread 'MainThread' (native id 101):
    /lib/selectors.py:452 in EpollSelector.select
    -- meanwhile suspended at:
    app.py:32 in main
  thread 'worker' was started at:
    app.py:30 in main

  Fix: loop.call_soon_threadsafe(callback, *args), which also wakes the loop
  Help: ftsan explain FT101
==================
";
        assert_eq!(finding(&samples::call_soon(), 42, &source), expected);
    }

    #[test]
    fn an_update_is_told_once_and_a_start_of_two_threads_as_well() {
        let update = |role, name: &str, native_id, operation: &str, line| Access {
            role,
            operation: operation.to_owned(),
            thread: Some(ThreadInfo {
                name: name.to_owned(),
                ident: native_id,
                native_id,
                started_at: vec![samples::frame("app.py", 30, "main")],
            }),
            stack: vec![samples::frame("app.py", line, "add"), samples::frame("/usr/lib/python3.14t/threading.py", 1, "run")],
        };
        let read = format!("read of C.n{GOES_BACK}");
        let mut finding = samples::call_soon();
        finding.accesses = vec![
            update(Role::Offending, "a", 1, "update of C.n", 12),
            update(Role::Earlier, "a", 1, &read, 12),
            update(Role::Earlier, "b", 2, "update of C.n", 14),
            update(Role::Earlier, "b", 2, &read, 13),
        ];
        let source = |_: &str, line: u32| (line == 12).then(|| "\tself.n += 1".to_owned());
        let expected = "
  update of C.n by thread 'a' (native id 1):
    app.py:12 in add
      12 | self.n += 1
    ... 1 frame of threading

  earlier update of C.n by thread 'b' (native id 2):
    app.py:14 in add
    ... 1 frame of threading
  earlier read of C.n, which it goes back to, by thread 'b' (native id 2):
    app.py:13 in add
  threads 'a' and 'b' were started at:
    app.py:30 in main
";
        let text = super::finding(&finding, 1, &source);
        assert!(text.contains(expected), "{text}");
        let full = finding_in(&Style { is_full: true, ..Style::default() }, &finding, 1, &source);
        assert_eq!(full.matches("that thread was started at:\n").count(), 4, "{full}");
        let wide = finding_in(&Style { columns: 120, ..Style::default() }, &finding, 1, &source);
        let beside =
            "  update of C.n by thread 'a' (native id 1):                  earlier update of C.n by thread 'b' (native id 2):\n";
        assert!(wide.contains(beside), "{wide}");
        let both = finding_in(&Style { columns: 120, is_full: true, ..Style::default() }, &finding, 1, &source);
        assert!(!both.contains(beside), "{both}");
        let coloured = finding_in(&Style { has_colours: true, ..Style::default() }, &finding, 1, &source);
        let plain = coloured.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, text)| text)).collect::<String>();
        assert!(coloured.contains("\u{1b}[1;31mERROR: ftsan: ") && plain.contains(&expected[..60]), "{coloured}");
    }

    #[test]
    fn a_mistake_is_told_by_its_first_location_and_the_others_are_listed() {
        let mut second = race("C.b", [2, 8]);
        (second.count, second.witnessed) = (3, true);
        let whole = fold([race("C.a", [1, 7]), second.clone()]).remove(0);
        let text = finding(&whole, 1, &|_, _| None);
        assert_eq!((text.matches("update of C.a").count(), text.matches("update of C.b").count()), (2, 0), "{text}");
        let expected = "  and of the same functions:\n    C.b at app.py:2 and app.py:8 (3 times), witnessed\n\n  Fix:";
        assert!(text.contains(expected), "{text}");
        let told = location_in(&Style::default(), &second);
        assert_eq!(told, "ftsan: FT101 loop-call-off-thread, the same functions again: C.b at app.py:2 and app.py:8\n");
        let names = |count: u32| -> String {
            let all = (0..count).map(|number| race(&format!("C.n{number}"), [number, number]));
            summary(&Report { findings: fold(all), ..Report::default() })
        };
        assert!(names(3).contains("C.n0: raced for (3 times); likewise C.n1, C.n2\n"), "{}", names(3));
        assert!(names(7).contains("; likewise C.n1, C.n2, C.n3, C.n4 and 2 more\n"), "{}", names(7));
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
            object: None,
            fingerprint: None,
            reason: "locked".to_owned(),
        };
        let report = Report {
            watched: Watched {
                hooks: 3,
                checks: 4,
                threads: 1,
                loops: 2,
                processes: 1,
                slices: 2,
                sliced_ms: 34,
                ..Watched::default()
            },
            findings: vec![Finding { count: 3, ..samples::call_soon() }],
            suppressions: vec![SuppressionUse { suppression, used: 0 }],
            ..Report::default()
        };
        let expected = "\
ftsan: 1 finding; watched 3 hooks, 4 checks, 1 thread, 2 loops, 1 process
ftsan: data races were looked for in 2 slices, 0.03 s in all
ftsan:   app.py:12: FT101 _UnixSelectorEventLoop.call_soon() called in thread 'worker' while thread 'MainThread' runs the loop (3 times)
ftsan: unused suppression: FT105 Bus.* (locked)
";
        assert_eq!(summary(&report), expected);
    }

    #[test]
    fn what_a_call_leads_to_is_told_below_it_without_a_thread_of_its_own() {
        let mut found = samples::call_soon();
        let inner = Access {
            operation: "Redis.send".to_owned(),
            stack: vec![samples::frame("redis.py", 7, "send")],
            ..found.accesses[0].clone()
        };
        found.accesses.insert(1, inner);
        let source = |_: &str, line: u32| (5..9).contains(&line).then(|| format!("line {line}"));
        let text = finding(&found, 1, &source);
        assert!(
            text.contains("  call_soon by thread 'worker'") && text.contains("  which leads to Redis.send as well:\n"),
            "{text}"
        );
        assert!(text.contains("    redis.py:7 in send\n      line 7\n\n"), "a line without its neighbours: {text}");
    }

    #[test]
    fn a_finding_that_takes_the_place_of_another_names_it() {
        let said = in_place_of(&samples::call_soon(), "FT203");
        assert!(
            said.starts_with("ftsan: FT101 loop-call-off-thread takes the place of FT203 above: _UnixSelectorEventLoop"),
            "{said}"
        );
        assert!(
            said.contains("\n  Fix: loop.call_soon_threadsafe(") && said.ends_with("\n  Help: ftsan explain FT101\n"),
            "{said}"
        );
    }

    #[test]
    fn what_goes_back_to_a_read_belongs_to_it_only_in_its_thread_and_call() {
        let access = |native_id: u64, operation: &str, stack: &[(&str, u32)]| Access {
            role: Role::Earlier,
            operation: operation.to_owned(),
            thread: Some(ThreadInfo { name: String::new(), ident: 1, native_id, started_at: Vec::new() }),
            stack: stack.iter().map(|(function, line)| samples::frame("app.py", *line, function)).collect(),
        };
        let read = format!("read{GOES_BACK}");
        let write = access(1, "write", &[("f", 3), ("main", 9)]);
        let kin = |thread, operation: &str, stack: &[(&str, u32)]| Kin::of(&access(thread, operation, stack), &write);
        assert_eq!(kin(1, &read, &[("f", 3), ("main", 9)]), Kin::Update);
        assert_eq!(kin(1, &read, &[("f", 2), ("main", 9)]), Kin::Check);
        assert_eq!(kin(1, "read", &[("f", 3), ("main", 9)]), Kin::None, "the write does not go back to it");
        assert_eq!(kin(2, &read, &[("f", 3), ("main", 9)]), Kin::None, "another thread");
        assert_eq!(kin(1, &read, &[("f", 3), ("main", 8)]), Kin::None, "another call");
    }

    #[test]
    fn once_is_not_said_and_twice_is() {
        assert_eq!([1, 2].map(times), ["", " (2 times)"]);
        let alone = fold([race("C.a", [1, 7])]).remove(0);
        assert!(!finding(&alone, 1, &|_, _| None).contains("of the same functions"), "there is no other location");
        let summary = summary(&Report { watched: Watched { processes: 2, ..Watched::default() }, ..Report::default() });
        assert_eq!(summary, "ftsan: 0 findings; watched 0 hooks, 0 checks, 0 threads, 0 loops, 2 processes\n");
    }

    #[test]
    fn packages_that_are_watched_for_races_are_the_programs_own() {
        let packages = ["redis.client (races)", "aiohttp"].map(str::to_owned).into_iter().collect();
        let mut report = Report { watched: Watched { packages, ..Watched::default() }, ..Report::default() };
        assert_eq!(own(&report), ["redis"]);
        let mut found = samples::call_soon();
        found.accesses[0].stack = vec![
            samples::frame("/venv/lib/python3.14t/site-packages/aiohttp/client.py", 1, "get"),
            samples::frame("/venv/lib/python3.14t/site-packages/redis/client.py", 2, "get"),
            samples::frame("/app/main.py", 3, "main"),
        ];
        report.findings = vec![found];
        let mut out = Vec::new();
        write(&report, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("    /venv/lib/python3.14t/site-packages/redis/client.py:2 in get\n"), "{text}");
        assert!(text.contains("redis/client.py:2: FT101"), "{text}");
    }
}
