//! What the page's script shows of a finding: each text, frame and thread once, findings by their numbers.

use super::source::Sources;
use crate::report::model::access::{Access, Frame, Role, library_of};
use crate::report::model::finding::Finding;
use crate::report::model::location::Location;
use crate::report::model::timeline::{Time, Timeline};
use crate::report::render::paths::below;
use crate::rules;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

#[derive(Serialize)]
struct Details<'a> {
    frames: Vec<Shown<'a>>,
    /// Lines of files, by file as [`Shown::file`] names it and number.
    sources: BTreeMap<&'a str, BTreeMap<usize, String>>,
    /// Manual pages, by id.
    rules: BTreeMap<&'a str, String>,
    findings: Vec<One<'a>>,
    /// Times are microseconds since the first one.
    spans: Vec<Lived<'a>>,
}

/// The life of a thread, or a run of a loop in it.
#[derive(Serialize)]
struct Lived<'a> {
    pid: u32,
    id: u64,
    thread: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    from: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Time>,
}

/// A frame.
#[derive(Serialize)]
struct Shown<'a> {
    file: &'a str,
    line: u32,
    function: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    library: bool,
}

#[derive(Serialize)]
struct One<'a> {
    rule: &'a str,
    title: &'a str,
    object: &'a str,
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    of_loop: Option<&'a str>,
    fix: &'a str,
    fingerprint: &'a str,
    pids: Vec<u32>,
    /// Process and time.
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<(u32, Time)>,
    tests: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    sides: Vec<Side<'a>>,
    /// Where else the mistake shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Further<'a>>,
}

/// A further location of a mistake.
#[derive(Serialize)]
struct Further<'a> {
    what: &'a str,
    count: u64,
    /// The innermost frames of its sides.
    stack: Vec<usize>,
}

#[derive(Serialize)]
struct Side<'a> {
    role: Role,
    heading: String,
    stack: Vec<usize>,
    started: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    /// The kernel's id of the thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
}

/// The details of these findings, so that they can stand in a `script` element.
pub(super) fn json(findings: &[&Finding], timeline: &Timeline, root: Option<&Path>, sources: &mut Sources) -> String {
    let first = timeline.spans.iter().map(|span| span.began);
    let first = first.chain(findings.iter().filter_map(|finding| Some(finding.made.as_ref()?.at))).min().unwrap_or_default();
    let mut frames = Frames { root, known: HashMap::new(), shown: Vec::new(), lines: BTreeMap::new(), sources };
    let mut pages = BTreeMap::new();
    let mut all = Vec::new();
    for finding in findings {
        if let Some(rule) = rules::find(&finding.rule) {
            pages.entry(rule.id).or_insert_with(|| rule.page());
        }
        all.push(One {
            rule: &finding.rule,
            title: &finding.title,
            object: &finding.object.repr,
            of_loop: finding.r#loop.as_ref().map(|of| of.thread.as_str()),
            fix: &finding.fix,
            fingerprint: &finding.fingerprint,
            pids: finding.pids.iter().copied().collect(),
            made: finding.made.as_ref().map(|made| (made.pid, made.at - first)),
            tests: finding.tests.iter().map(String::as_str).collect(),
            package: finding.package.as_deref(),
            sides: told_once(finding.first_accesses()).map(|access| frames.side(access)).collect(),
            locations: finding.further_locations().map(|(location, accesses)| frames.location(location, accesses)).collect(),
        });
    }
    let lived = timeline.spans.iter().map(|span| Lived {
        pid: span.pid,
        id: span.native_id,
        thread: &span.thread,
        run: span.r#loop.as_ref().map(|run| run.r#type.as_str()),
        from: span.began - first,
        to: span.ended.map(|ended| ended.saturating_sub(first)),
    });
    let spans = lived.collect();
    let details = Details { frames: frames.shown, sources: frames.lines, rules: pages, findings: all, spans };
    // "</script>" ends a script wherever it stands; "<!--" begins what is none.
    serde_json::to_string(&details).expect("plain data").replace('<', "\\u003c")
}

/// The sides without those that say again what the one before does: `+=` reads and writes, in one thread and on one line.
fn told_once(accesses: &[Access]) -> impl Iterator<Item = &Access> {
    accesses
        .iter()
        .enumerate()
        .filter(|(at, access)| !at.checked_sub(1).is_some_and(|before| is_same_line(&accesses[before], access)))
        .map(|(_, access)| access)
}

fn is_same_line(one: &Access, other: &Access) -> bool {
    let ident = |access: &Access| access.thread.as_ref().map(|thread| thread.ident);
    other.role == Role::Earlier && ident(one).is_some() && ident(one) == ident(other) && one.stack == other.stack
}

struct Frames<'a, 's> {
    root: Option<&'s Path>,
    known: HashMap<(&'a str, u32, &'a str, Option<&'a str>), usize>,
    shown: Vec<Shown<'a>>,
    lines: BTreeMap<&'a str, BTreeMap<usize, String>>,
    sources: &'s mut Sources,
}

impl<'a> Frames<'a, '_> {
    fn side(&mut self, access: &'a Access) -> Side<'a> {
        let started = access.thread.as_ref().map_or(&[][..], |thread| &thread.started_at);
        Side {
            role: access.role,
            heading: heading(access),
            stack: access.stack.iter().map(|frame| self.number(frame)).collect(),
            started: started.iter().map(|frame| self.number(frame)).collect(),
            thread: access.thread.as_ref().map(|thread| thread.name.as_str()),
            id: access.thread.as_ref().map(|thread| thread.native_id),
        }
    }

    fn location(&mut self, location: &'a Location, accesses: &'a [Access]) -> Further<'a> {
        let mut stack: Vec<usize> = Vec::new();
        for frame in accesses.iter().filter_map(|access| access.stack.first()) {
            let number = self.number(frame);
            if !stack.contains(&number) {
                stack.push(number);
            }
        }
        Further { what: &location.what, count: location.count, stack }
    }

    fn number(&mut self, frame: &'a Frame) -> usize {
        let via = frame.via.as_deref();
        let next = self.shown.len();
        let number = *self.known.entry((&frame.file, frame.line, &frame.function, via)).or_insert(next);
        if number == next {
            let file = below(&frame.file, self.root);
            let library = library_of(&frame.file, &[]).is_some();
            if !library {
                self.lines.entry(file).or_default().extend(self.sources.around(&frame.file, frame.line));
            }
            self.shown.push(Shown { file, line: frame.line, function: &frame.function, via, library });
        }
        number
    }
}

fn heading(access: &Access) -> String {
    let operation = access.operation.as_str();
    match (access.role, operation) {
        (Role::Offending, _) => operation.to_owned(),
        (Role::Owner, "run") => "meanwhile the loop is run".to_owned(),
        (Role::Owner, "inside") => "inside it at the same time".to_owned(),
        (Role::Owner, "has") => "it belongs".to_owned(),
        (Role::Owner, _) => format!("meanwhile {operation}"),
        (Role::Earlier, _) => format!("earlier {operation}"),
        (Role::Created, _) => format!("the object {operation}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::access::ThreadInfo;
    use crate::report::model::finding::samples::call_soon;
    use crate::report::model::mistake::fold;
    use crate::report::model::mistake::samples::race;
    use crate::report::model::timeline::{Made, Span};

    #[test]
    fn a_frame_is_told_once_and_named_by_its_number() {
        let mut finding = call_soon();
        let frame = |line| Frame { file: "/app/a.py".to_owned(), line, function: "f".to_owned(), ..Frame::default() };
        finding.accesses.truncate(2);
        finding.accesses[0].stack = vec![frame(1), frame(2)];
        finding.accesses[1].stack = vec![frame(3), frame(2)];
        finding.accesses.iter_mut().for_each(|access| access.thread = None);
        let told: serde_json::Value =
            serde_json::from_str(&json(&[&finding], &Timeline::default(), None, &mut Sources::default())).unwrap();
        let lines: Vec<_> = told["frames"].as_array().unwrap().iter().map(|frame| frame["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, [1, 2, 3]);
        let sides = told["findings"][0]["sides"].as_array().unwrap();
        assert_eq!([&sides[0]["stack"], &sides[1]["stack"]], [&serde_json::json!([0, 1]), &serde_json::json!([2, 1])]);
    }

    #[test]
    fn a_read_and_a_write_on_one_line_are_one_side() {
        let mut accesses = call_soon().accesses;
        let read = Access { role: Role::Earlier, operation: "read".to_owned(), ..accesses[0].clone() };
        accesses.insert(1, read.clone());
        assert_eq!(told_once(&accesses).map(|access| access.role).collect::<Vec<_>>(), [Role::Offending, Role::Owner]);
        accesses[1].stack[0].line += 1;
        assert_eq!(told_once(&accesses).count(), 3);
    }

    fn told(findings: &[&Finding], timeline: &Timeline) -> serde_json::Value {
        serde_json::from_str(&json(findings, timeline, None, &mut Sources::default())).unwrap()
    }

    #[test]
    fn times_count_from_the_first_one() {
        let span = |began| Span { pid: 9, native_id: 1, thread: String::new(), r#loop: None, began, ended: Some(began + 30) };
        let timeline = Timeline { spans: vec![span(1000), span(1010)], left_out: 0 };
        let finding = Finding { made: Some(Made { at: 1020, pid: 9 }), ..call_soon() };
        let told = told(&[&finding], &timeline);
        assert_eq!(told["findings"][0]["made"], serde_json::json!([9, 20]));
        let times: Vec<_> = [0, 1].map(|at| [&told["spans"][at]["from"], &told["spans"][at]["to"]]).into();
        assert_eq!(times, [[&serde_json::json!(0), &serde_json::json!(30)], [&serde_json::json!(10), &serde_json::json!(40)]]);
    }

    #[test]
    fn sides_are_headed_by_what_they_did() {
        let heading =
            |role, operation: &str| heading(&Access { role, operation: operation.to_owned(), ..call_soon().accesses[0].clone() });
        assert_eq!(heading(Role::Offending, "run"), "run");
        assert_eq!(
            ["run", "inside", "has", "get"].map(|operation| heading(Role::Owner, operation)),
            ["meanwhile the loop is run", "inside it at the same time", "it belongs", "meanwhile get"]
        );
        assert_eq!(heading(Role::Earlier, "write"), "earlier write");
        assert_eq!(heading(Role::Created, "was made"), "the object was made");
    }

    #[test]
    fn frames_of_libraries_have_no_source() {
        let folder = std::env::temp_dir().join(format!("ftsan-details-{}", std::process::id()));
        let library = folder.join("site-packages/redis");
        std::fs::create_dir_all(&library).unwrap();
        let paths = [folder.join("app.py"), library.join("client.py")].map(|path| path.to_str().unwrap().to_owned());
        let mut finding = call_soon();
        finding.accesses.truncate(1);
        finding.accesses[0].thread = None;
        finding.accesses[0].stack.truncate(2);
        for (frame, path) in finding.accesses[0].stack.iter_mut().zip(&paths) {
            std::fs::write(path, "the line\n").unwrap();
            (frame.file, frame.line) = (path.clone(), 1);
        }
        let told = told(&[&finding], &Timeline::default());
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!(told["sources"], serde_json::json!({ &paths[0]: {"1": "the line"} }));
        assert_eq!(
            [&told["frames"][0]["library"], &told["frames"][1]["library"]],
            [&serde_json::Value::Null, &serde_json::json!(true)]
        );
    }

    #[test]
    fn further_locations_have_the_innermost_frame_of_each_side_once() {
        let whole = fold([race("C.a", [1, 7]), race("C.b", [2, 8]), race("C.c", [3, 3])]).remove(0);
        let told = told(&[&whole], &Timeline::default());
        let lines = |at: usize| -> Vec<u64> {
            let stack = told["findings"][0]["locations"][at]["stack"].as_array().unwrap();
            stack.iter().map(|number| told["frames"][number.as_u64().unwrap() as usize]["line"].as_u64().unwrap()).collect()
        };
        assert_eq!([lines(0), lines(1)], [vec![2, 8], vec![3, 3]], "two functions, so two frames");
        let mut same = race("C.d", [4, 4]);
        same.accesses[1].stack = same.accesses[0].stack.clone();
        let both = fold([race("C.a", [1, 7]), Finding { mistake: race("C.a", [1, 7]).mistake, ..same }]).remove(0);
        let told = self::told(&[&both], &Timeline::default());
        assert_eq!(told["findings"][0]["locations"][0]["stack"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn two_threads_on_one_line_are_two_sides() {
        let one = Access { role: Role::Earlier, ..call_soon().accesses[0].clone() };
        let other = |thread: Option<u64>, stack: &[Frame]| {
            let thread = thread.map(|ident| ThreadInfo { ident, ..one.thread.clone().unwrap() });
            Access { thread, stack: stack.to_vec(), ..one.clone() }
        };
        assert!(is_same_line(&one, &other(Some(7), &one.stack)));
        assert!(!is_same_line(&one, &other(Some(8), &one.stack)), "another thread");
        assert!(!is_same_line(&one, &other(Some(7), &one.stack[..1])), "another stack");
        let unknown = other(None, &one.stack);
        assert!(!is_same_line(&unknown, &unknown.clone()), "of threads that are not known none can be told to be the same");
        assert!(!is_same_line(&one, &Access { role: Role::Owner, ..one.clone() }), "the owner is told by itself");
    }
}
