//! The trace event format of Chrome, which <https://ui.perfetto.dev> opens: <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>.
//!
//! Threads are tracks with their runs of loops in them, a loop is a track with the threads that ran it, a finding is an instant, and an arrow
//! leads to it from the other side.  Of an earlier access only that it was before the finding is known, as accesses are not timed: it
//! stands where it was at the latest, and says so.

use super::paths::{below, project_root};
use crate::report::model::access::{Access, Frame, Role};
use crate::report::model::finding::Finding;
use crate::report::model::timeline::{Made, Span, Time};
use crate::report::model::tree::Report;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

/// How long the two sides of a finding are drawn, in microseconds: arrows lead from slices to slices.
const DRAWN: Time = 1;

/// Writes a report.
///
/// # Errors
/// As `out`'s.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let root = project_root();
    serde_json::to_writer(&mut *out, &trace(report, root.as_deref()))?;
    out.write_all(b"\n")
}

fn trace(report: &Report, root: Option<&Path>) -> Value {
    let trace = Trace::of(report, root);
    let mut events = trace.names();
    events.extend(report.timeline.spans.iter().flat_map(|span| trace.span(span)));
    let findings = report.findings.iter().filter_map(|finding| Some((finding, finding.made.as_ref()?)));
    events.extend(findings.enumerate().flat_map(|(number, (finding, made))| trace.finding(number, finding, made)));
    let untimed = report.findings.iter().filter(|finding| finding.made.is_none());
    let untimed: Vec<String> = untimed.map(|finding| format!("{}: {}", finding.rule, finding.title)).collect();
    json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "ftsan": report.ftsan,
            "began": trace.began,
            "without a time": untimed,
            "threads and runs left out": report.timeline.left_out,
        },
    })
}

struct Trace<'a> {
    report: &'a Report,
    root: Option<&'a Path>,
    /// The first time there is, from which the others are counted.
    began: Time,
    /// The last time of each process.
    last: BTreeMap<u32, Time>,
}

impl<'a> Trace<'a> {
    fn of(report: &'a Report, root: Option<&'a Path>) -> Self {
        let mut last: BTreeMap<u32, Time> = BTreeMap::new();
        let mut began = None;
        let made = report.findings.iter().filter_map(|finding| finding.made.as_ref()).map(|made| (made.pid, made.at));
        let spans = report.timeline.spans.iter().flat_map(|span| {
            let ends = [Some(span.began), span.ended];
            ends.into_iter().flatten().map(move |time| (span.pid, time))
        });
        for (pid, time) in made.chain(spans) {
            let known = last.entry(pid).or_default();
            *known = time.max(*known);
            began = Some(began.map_or(time, |began: Time| began.min(time)));
        }
        Trace { report, root, began: began.unwrap_or_default(), last }
    }

    fn at(&self, time: Time) -> Time {
        time - self.began
    }

    /// Names of processes and threads.
    fn names(&self) -> Vec<Value> {
        let name = |what: &str, pid: u32, tid: u64, name: &str| json!({"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}});
        let mut events: Vec<Value> = self.last.keys().map(|pid| name("process_name", *pid, 0, &format!("process {pid}"))).collect();
        let mut threads: BTreeMap<(u32, u64), &str> = BTreeMap::new();
        for span in &self.report.timeline.spans {
            threads.insert((span.pid, span.native_id), &span.thread);
        }
        // The names that the interpreter has for them are longer.
        for (finding, made) in self.report.findings.iter().filter_map(|finding| Some((finding, finding.made.as_ref()?))) {
            for thread in finding.accesses.iter().filter_map(|access| access.thread.as_ref()) {
                threads.insert((made.pid, thread.native_id), &thread.name);
            }
        }
        events.extend(threads.into_iter().map(|((pid, tid), thread)| name("thread_name", pid, tid, thread)));
        events
    }

    /// The life of a thread is a slice on its track; a run of a loop, another one in it, and one on the loop's own track.
    fn span(&self, span: &Span) -> Vec<Value> {
        let (pid, tid) = (span.pid, span.native_id);
        let end = span.ended.unwrap_or_else(|| self.last.get(&pid).copied().unwrap_or(span.began)).max(span.began);
        let (begin, duration) = (self.at(span.began), end - span.began);
        let mut args = Map::new();
        if span.ended.is_none() {
            args.insert("end".to_owned(), "not known".into());
        }
        let Some(run) = &span.r#loop else {
            return vec![
                json!({"ph": "X", "cat": "thread", "name": span.thread, "pid": pid, "tid": tid, "ts": begin, "dur": duration, "args": args}),
            ];
        };
        let own = |phase: &str, time: Time| {
            let id = format!("{pid}:{}", run.id);
            json!({"ph": phase, "cat": "loop", "name": run.r#type, "id": id, "pid": pid, "tid": tid, "ts": time, "args": {"thread": span.thread}})
        };
        args.insert("loop".to_owned(), run.id.clone().into());
        let name = format!("runs {}", run.r#type);
        vec![
            json!({"ph": "X", "cat": "loop", "name": name, "pid": pid, "tid": tid, "ts": begin, "dur": duration, "args": args}),
            own("b", begin),
            own("e", begin + duration),
        ]
    }

    /// An instant, both sides, and an arrow from the other side.
    fn finding(&self, number: usize, finding: &Finding, made: &Made) -> Vec<Value> {
        let thread = |access: &Access| access.thread.as_ref().map(|thread| thread.native_id);
        let offending = finding.offending();
        let tid = offending.and_then(thread).unwrap_or_default();
        let name = format!("{} {}", finding.rule, finding.name);
        let (pid, at) = (made.pid, self.at(made.at));
        let mut events = vec![json!({
            "ph": "i", "s": "t", "cat": "finding", "name": name, "pid": pid, "tid": tid, "ts": at,
            "args": {
                "title": finding.title, "severity": finding.severity, "count": finding.count, "fix": finding.fix,
                "fingerprint": finding.fingerprint, "object": finding.object.repr,
            },
        })];
        let side = |access: &Access, tid: u64, ts: Time, when: &str| {
            let stack: Vec<String> = access.stack.iter().map(|frame| self.line(frame)).collect();
            let args = json!({"role": access.role, "when": when, "stack": stack});
            json!({
                "ph": "X", "cat": "access", "name": access.operation, "pid": pid, "tid": tid, "ts": ts, "dur": DRAWN, "args": args,
            })
        };
        if let Some(access) = offending {
            events.push(side(access, tid, at, "as the finding was made"));
        }
        let others = |role: Role| finding.accesses.iter().find(move |access| access.role == role && thread(access) != Some(tid));
        let (other, when) = match (others(Role::Earlier), others(Role::Owner)) {
            (Some(access), _) => (Some(access), "before: accesses are not timed"),
            (None, owner) => (owner, "as the finding was made"),
        };
        if let Some((access, from)) = other.and_then(|access| Some((access, thread(access)?))) {
            let then = self.at(made.at.min(self.end_of(pid, from, made.at)));
            events.push(side(access, from, then, when));
            let arrow = |phase: &str, tid: u64, ts: Time| {
                let mut arrow =
                    json!({"ph": phase, "cat": "finding", "name": name, "id": number, "pid": pid, "tid": tid, "ts": ts});
                if phase == "f" {
                    arrow["bp"] = "e".into();
                }
                arrow
            };
            events.extend([arrow("s", from, then), arrow("f", tid, at)]);
        }
        events
    }

    /// When the thread of this number had ended that lived last before `at`; `at` if it lived then.
    fn end_of(&self, pid: u32, native_id: u64, at: Time) -> Time {
        let its = self.report.timeline.spans.iter().filter(|span| (span.pid, span.native_id) == (pid, native_id));
        let last = its.filter(|span| span.r#loop.is_none() && span.began <= at).max_by_key(|span| span.began);
        last.and_then(|span| Some(span.ended?.saturating_sub(DRAWN).max(span.began))).unwrap_or(at)
    }

    fn line(&self, frame: &Frame) -> String {
        format!("{}:{} {}", below(&frame.file, self.root), frame.line, frame.function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::timeline::{RunLoop, Timeline};
    use crate::report::model::tree::samples;

    fn report() -> Report {
        let mut report = samples::news().report;
        let span = |native_id: u64, r#loop: Option<RunLoop>, began: Time, ended: Option<Time>| Span {
            pid: 9,
            native_id,
            thread: format!("native {native_id}"),
            r#loop,
            began,
            ended,
        };
        let run = RunLoop { r#type: "Loop".to_owned(), id: "0x10".to_owned() };
        let spans = vec![span(101, None, 1000, None), span(101, Some(run), 1010, Some(1080)), span(107, None, 1020, Some(1060))];
        report.timeline = Timeline { spans, left_out: 0 };
        report.findings[0].made = Some(Made { at: 1050, pid: 9 });
        report
    }

    fn events(report: &Report) -> Vec<Value> {
        trace(report, None)["traceEvents"].as_array().unwrap().clone()
    }

    fn of<'a>(events: &'a [Value], phase: &str) -> Vec<&'a Value> {
        events.iter().filter(|event| event["ph"] == phase).collect()
    }

    #[test]
    fn threads_and_loops_are_tracks_and_a_finding_is_an_instant_with_an_arrow() {
        let events = events(&report());
        let slices: Vec<(&str, u64, u64, u64)> = of(&events, "X")
            .into_iter()
            .map(|event| {
                let number = |key: &str| event[key].as_u64().unwrap();
                (event["name"].as_str().unwrap(), number("tid"), number("ts"), number("dur"))
            })
            .collect();
        let expected = [
            ("native 101", 101, 0, 80),
            ("runs Loop", 101, 10, 70),
            ("native 107", 107, 20, 40),
            ("call_soon", 107, 50, 1),
            ("run", 101, 50, 1),
        ];
        assert_eq!(slices, expected);
        let [instant] = of(&events, "i")[..] else { panic!("{events:?}") };
        assert_eq!((&instant["tid"], &instant["ts"]), (&json!(107), &json!(50)));
        let ([from], [to]) = (&of(&events, "s")[..], &of(&events, "f")[..]) else { panic!("{events:?}") };
        assert_eq!((&from["tid"], &to["tid"], &from["id"]), (&json!(101), &json!(107), &to["id"]));
        assert_eq!((of(&events, "b").len(), of(&events, "e").len()), (1, 1));
        let names: Vec<&Value> = of(&events, "M").into_iter().map(|event| &event["args"]["name"]).collect();
        assert_eq!(names, ["process 9", "MainThread", "worker"]);
    }

    #[test]
    fn an_earlier_access_stands_before_the_end_of_its_thread() {
        let mut report = report();
        report.timeline.spans[0].ended = Some(1040);
        report.findings[0].accesses[1].role = Role::Earlier;
        let events = events(&report);
        let [from] = of(&events, "s")[..] else { panic!("{events:?}") };
        assert_eq!(from["ts"], 39);
        let side = events.iter().find(|event| event["cat"] == "access" && event["tid"] == 101).unwrap();
        assert_eq!(side["args"]["when"], "before: accesses are not timed");
    }

    #[test]
    fn a_side_has_its_stack_and_only_another_thread_has_an_arrow() {
        let mut report = report();
        let side = |events: &[Value]| events.iter().find(|event| event["cat"] == "access" && event["tid"] == 107).unwrap().clone();
        let stack = json!(["app.py:12 worker", "/lib/threading.py:1024 Thread.run"]);
        assert_eq!(side(&events(&report))["args"]["stack"], stack);
        let told = events(&report);
        let ([from], [to]) = (&of(&told, "s")[..], &of(&told, "f")[..]) else { panic!("one arrow") };
        assert_eq!((from.get("bp"), to.get("bp")), (None, Some(&json!("e"))), "the end is in the slice around it");
        report.findings[0].accesses[1].thread = report.findings[0].accesses[0].thread.clone();
        assert_eq!(of(&events(&report), "s").len(), 0);
    }

    #[test]
    fn what_has_no_time_is_named() {
        let report = samples::news().report;
        let named = format!("FT101: {}", report.findings[0].title);
        assert_eq!(trace(&report, None)["otherData"]["without a time"], json!([named]));
    }
}
