//! The report of a process tree, and how what several processes say is made one.

use super::finding::Finding;
use super::mistake;
use super::suppress::Suppression;
use super::timeline::{Growing, Timeline};
use crate::rules;
use crate::rules::rule::Rule;
use crate::rules::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Version of the report's format.
const SCHEMA: u32 = 1;

/// What was looked at.  Counts add up over the processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Functions and methods that are watched, in the process that watches most.
    pub hooks: u64,
    /// How many calls were checked.
    pub checks: u64,
    /// Threads seen.
    pub threads: u64,
    /// Loops seen running.
    pub loops: u64,
    /// Processes that took part.
    pub processes: u64,
    /// How often data races were looked for for a while, by `--sample`; 0: all the time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slices: u64,
    /// How long that was in all, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sliced_ms: u64,
    /// How many accesses of what threads share were looked at for data races.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub accesses: u64,
    /// Packages watched for data races.
    pub packages: BTreeSet<String>,
    /// What could not be watched, and why: "affinity: the layout of ... is not as expected".
    pub off: BTreeSet<String>,
    /// How threads were held up, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perturbed: Option<Perturbed>,
}

/// How `--perturb` held up threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Perturbed {
    /// What decided that.
    pub seed: u64,
    /// How often a thread was to be held up.
    pub delays: u64,
    /// Sum of the decisions, in whatever order they were made: of two runs that decided the same, the same.
    pub decisions: u64,
}

/// Sums of decisions have as many bits as a JSON reader keeps of a number.
const DECISION_BITS: u64 = (1 << 48) - 1;

impl Perturbed {
    /// What is new since `before`.
    pub fn since(self, before: Option<Perturbed>) -> Self {
        let before = before.unwrap_or_default();
        Perturbed {
            seed: self.seed,
            delays: self.delays.saturating_sub(before.delays),
            decisions: self.decisions.wrapping_sub(before.decisions) & DECISION_BITS,
        }
    }

    fn add(&mut self, news: Perturbed) {
        self.seed = news.seed;
        self.delays += news.delays;
        self.decisions = self.decisions.wrapping_add(news.decisions) & DECISION_BITS;
    }
}

/// A suppression and how often it applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionUse {
    /// The suppression as written.
    #[serde(flatten)]
    pub suppression: Suppression,
    /// How many occurrences it accepted.
    pub used: u64,
}

/// The report of a process tree, and equally what one process adds to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the format.
    pub schema: u32,
    /// Version of ftsan.
    pub ftsan: String,
    /// Facts about the interpreter: version, executable, platform.
    pub python: BTreeMap<String, String>,
    /// "disabled", "enabled" or "re-enabled by MODULE".
    pub gil: String,
    /// What was looked at.
    pub watched: Watched,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What was found and is accepted, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Finding>,
    /// The file of the findings that were known before, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// When threads lived and ran loops; empty if nothing was found.
    #[serde(default, skip_serializing_if = "Timeline::is_empty")]
    pub timeline: Timeline,
    /// The suppressions, and how often each applied.
    pub suppressions: Vec<SuppressionUse>,
}

impl Default for Report {
    fn default() -> Self {
        Report {
            schema: SCHEMA,
            ftsan: crate::VERSION.to_owned(),
            python: BTreeMap::new(),
            gil: "unknown".to_owned(),
            watched: Watched::default(),
            findings: Vec::new(),
            accepted: Vec::new(),
            baseline: None,
            timeline: Timeline::default(),
            suppressions: Vec::new(),
        }
    }
}

/// What one process adds to the report: a part of a report, and what it takes back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// What is new: counts are those since the last time.
    #[serde(flatten)]
    pub report: Report,
    /// Findings that were reported and are none any more, because another one says it better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Withdrawn>,
}

/// A finding that is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The finding's.
    pub fingerprint: String,
    /// Line of its offending call.
    pub line: u32,
    /// How many of its occurrences were reported.
    pub count: u64,
}

/// A report that others are added to.
#[derive(Debug)]
pub struct Merging {
    /// Without findings: they are in the piles, each location of a mistake by itself.
    report: Report,
    found: Pile,
    accepted: Pile,
    timeline: Growing,
}

/// Findings, each once.
#[derive(Debug)]
struct Pile {
    findings: Vec<Finding>,
    /// Where each finding is, by fingerprint and line.
    places: HashMap<(String, u32), usize>,
}

/// How much is known of the GIL: that it was on tells more than that it was off, and most of all, by what.
fn certainty(gil: &str) -> u8 {
    match gil {
        "unknown" => 0,
        "disabled" => 1,
        "enabled" => 2,
        _ => 3,
    }
}

fn place(finding: &Finding) -> (String, u32) {
    let (fingerprint, line) = finding.key();
    (fingerprint.to_owned(), line)
}

impl Pile {
    fn new(findings: Vec<Finding>) -> Self {
        let findings: Vec<Finding> = findings.into_iter().flat_map(mistake::unfold).collect();
        let places = findings.iter().enumerate().map(|(at, finding)| (place(finding), at)).collect();
        Pile { findings, places }
    }

    fn add(&mut self, finding: Finding) {
        let next = self.findings.len();
        match *self.places.entry(place(&finding)).or_insert(next) {
            at if at == next => self.findings.push(finding),
            at => self.findings[at].add(finding),
        }
    }

    fn take_back(&mut self, Withdrawn { fingerprint, line, count }: Withdrawn) {
        if let Some(&at) = self.places.get(&(fingerprint, line)) {
            let known = &mut self.findings[at];
            known.count = known.count.saturating_sub(count);
        }
    }

    /// Those that were not taken back, each mistake once.
    fn finish(self) -> Vec<Finding> {
        mistake::fold(self.findings.into_iter().filter(|finding| finding.count > 0))
    }
}

impl Merging {
    /// Begins with `report`.
    pub fn new(mut report: Report) -> Self {
        let found = Pile::new(std::mem::take(&mut report.findings));
        let accepted = Pile::new(std::mem::take(&mut report.accepted));
        let timeline = Growing::new(std::mem::take(&mut report.timeline));
        Merging { report, found, accepted, timeline }
    }

    /// Adds what a process has to say.
    pub fn add(&mut self, news: News) {
        let News { report: news, withdrawn } = news;
        let ours = &mut self.report;
        if !news.python.is_empty() && ours.python.is_empty() {
            ours.python = news.python;
        }
        // The run had it if one process did.
        if certainty(&news.gil) > certainty(&ours.gil) {
            ours.gil = news.gil;
        }
        ours.baseline = ours.baseline.take().or(news.baseline);
        ours.watched.add(news.watched);
        for entry in news.suppressions {
            match ours.suppressions.iter_mut().find(|known| known.suppression == entry.suppression) {
                Some(known) => known.used += entry.used,
                None => ours.suppressions.push(entry),
            }
        }
        self.timeline.add(news.timeline);
        news.findings.into_iter().flat_map(mistake::unfold).for_each(|finding| self.found.add(finding));
        news.accepted.into_iter().flat_map(mistake::unfold).for_each(|finding| self.accepted.add(finding));
        withdrawn.into_iter().for_each(|withdrawn| self.found.take_back(withdrawn));
    }

    /// The report, without what was taken back.
    pub fn finish(self) -> Report {
        let (findings, accepted, timeline) = (self.found.finish(), self.accepted.finish(), self.timeline.finish());
        Report { findings, accepted, timeline, ..self.report }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Watched {
    fn add(&mut self, news: Watched) {
        self.hooks = self.hooks.max(news.hooks);
        self.checks += news.checks;
        self.threads += news.threads;
        self.loops += news.loops;
        self.processes += news.processes;
        self.slices += news.slices;
        self.sliced_ms += news.sliced_ms;
        self.accesses += news.accesses;
        self.packages.extend(news.packages);
        self.off.extend(news.off);
        if let Some(perturbed) = news.perturbed {
            self.perturbed.get_or_insert_default().add(perturbed);
        }
    }
}

/// How many of the races that lose something were seen to do so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// Seen to happen.
    pub witnessed: usize,
    /// Found.
    pub found: usize,
    /// `FILE:LINE` of the writes of those that were not seen to happen.
    pub lines: Vec<String>,
}

impl Report {
    /// What is left for `--confirm`.
    pub fn confirmation(&self) -> Confirmation {
        let is_one = |finding: &&Finding| rules::find(&finding.rule).is_some_and(Rule::can_be_witnessed);
        let can_be = |finding: &&Finding| is_one(finding) && finding.severity == Severity::Error;
        let mut confirmation = Confirmation::default();
        let all: Vec<Finding> = self.findings.iter().cloned().flat_map(mistake::unfold).collect();
        for finding in all.iter().filter(can_be) {
            confirmation.found += 1;
            if finding.witnessed {
                confirmation.witnessed += 1;
                continue;
            }
            let innermost = finding.accesses.iter().filter_map(|access| access.stack.first());
            confirmation.lines.extend(innermost.map(|frame| format!("{}:{}", frame.file, frame.line)));
        }
        confirmation.lines.sort_unstable();
        confirmation.lines.dedup();
        confirmation
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::super::finding::samples;
    use super::*;

    pub(crate) fn news() -> News {
        let report = Report {
            gil: "disabled".to_owned(),
            watched: Watched { hooks: 5, checks: 10, threads: 2, processes: 1, ..Watched::default() },
            findings: vec![samples::call_soon()],
            ..Report::default()
        };
        News { report, withdrawn: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mistake::samples::race;
    use super::super::timeline::{Made, RunLoop, Span};
    use super::*;

    fn merged(all: impl IntoIterator<Item = News>) -> Report {
        let mut merging = Merging::new(Report::default());
        all.into_iter().for_each(|news| merging.add(news));
        merging.finish()
    }

    #[test]
    fn processes_add_up() {
        let report = merged([samples::news(), samples::news()]);
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].count, 2);
        assert_eq!((report.watched.hooks, report.watched.checks, report.watched.processes), (5, 20, 2));
        assert_eq!(report.gil, "disabled");
    }

    #[test]
    fn decisions_add_up_in_whatever_order_processes_say_them() {
        let said = |decisions: u64| {
            let perturbed = Some(Perturbed { seed: 7, delays: 2, decisions: decisions & DECISION_BITS });
            News { report: Report { watched: Watched { perturbed, ..Watched::default() }, ..Report::default() }, ..News::default() }
        };
        let sum = |all: [u64; 2]| merged(all.map(said)).watched.perturbed.unwrap();
        assert_eq!(sum([5, u64::MAX - 1]), sum([u64::MAX - 1, 5]));
        assert_eq!(sum([5, u64::MAX - 1]), Perturbed { seed: 7, delays: 4, decisions: 3 });
        let before = Perturbed { seed: 7, delays: 1, decisions: 9 };
        let mut after = before;
        after.add(Perturbed { seed: 7, delays: 3, decisions: DECISION_BITS });
        assert_eq!(after.since(Some(before)), Perturbed { seed: 7, delays: 3, decisions: DECISION_BITS });
    }

    #[test]
    fn a_finding_of_many_processes_names_them_and_their_tests() {
        let by = |pid: u32, test: &str| {
            let mut news = samples::news();
            news.report.findings[0].pids.insert(pid);
            news.report.findings[0].tests.insert(test.to_owned());
            news
        };
        let report = merged([by(7, "test_a"), by(8, "test_b"), by(7, "test_a")]);
        let [finding] = &report.findings[..] else { panic!("{report:?}") };
        assert_eq!((finding.count, finding.pids.len()), (3, 2));
        assert!(finding.tests.iter().eq(["test_a", "test_b"]));
    }

    #[test]
    fn what_is_accepted_by_one_process_and_not_by_another_is_both() {
        let mut other = samples::news();
        other.report.accepted = std::mem::take(&mut other.report.findings);
        let report = merged([samples::news(), other.clone(), other]);
        assert_eq!((report.findings[0].count, report.accepted[0].count), (1, 2));
    }

    #[test]
    fn the_gil_is_as_the_process_has_it_that_knows_most() {
        let said = |gil: &str| News { report: Report { gil: gil.to_owned(), ..Report::default() }, ..News::default() };
        let told = |all: &[&str]| merged(all.iter().map(|gil| said(gil))).gil;
        assert_eq!(told(&["disabled", "re-enabled by a", "disabled"]), "re-enabled by a");
        assert_eq!(told(&["re-enabled by a", "enabled", "re-enabled by b"]), "re-enabled by a");
        assert_eq!(told(&["disabled", "enabled", "disabled"]), "enabled");
        assert_eq!(told(&["enabled", "re-enabled by b"]), "re-enabled by b");
    }

    #[test]
    fn another_line_of_the_same_function_is_another_finding() {
        let mut other = samples::news();
        other.report.findings[0].accesses[0].stack[0].line += 1;
        assert_eq!(merged([samples::news(), other]).findings.len(), 2);
    }

    #[test]
    fn a_finding_is_taken_back_by_the_process_that_made_it() {
        let finding = &samples::news().report.findings[0];
        let (fingerprint, line) = place(finding);
        let back = News { withdrawn: vec![Withdrawn { fingerprint, line, count: 1 }], ..News::default() };
        assert_eq!(merged([samples::news(), back.clone()]).findings, []);
        assert_eq!(merged([samples::news(), samples::news(), back]).findings[0].count, 1, "the other process still says so");
    }

    #[test]
    fn a_location_is_taken_back_by_itself() {
        let said = |what: &str, line: u32| {
            let report = Report { findings: vec![race(what, [line, line + 10])], ..Report::default() };
            News { report, ..News::default() }
        };
        let report = merged([said("C.a", 1), said("C.b", 2), said("C.b", 2)]);
        let [finding] = &report.findings[..] else { panic!("{report:?}") };
        assert_eq!((finding.count, finding.locations[1].count), (3, 2));
        let (fingerprint, line) = place(&race("C.a", [1, 11]));
        let back = News { withdrawn: vec![Withdrawn { fingerprint, line, count: 1 }], ..News::default() };
        let report = merged([News { report, ..News::default() }, back, said("C.c", 3)]);
        let left: Vec<_> = report.findings[0].locations.iter().map(|location| location.what.as_str()).collect();
        assert_eq!((report.findings.len(), report.findings[0].title.as_str(), left), (1, "C.b: raced for", vec!["C.b", "C.c"]));
    }

    #[test]
    fn field_names_are_the_contract() {
        let value = serde_json::to_value(samples::news().report).unwrap();
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(keys(&value), "findings ftsan gil python schema suppressions watched");
        assert_eq!(keys(&value["watched"]), "checks hooks loops off packages processes threads");
        assert_eq!(
            keys(&value["findings"][0]),
            "accesses count fingerprint fix help loop name object rule severity title witnessed"
        );
        let mut timed = samples::news().report;
        timed.findings[0].made = Some(Made { at: 1, pid: 2 });
        let run = RunLoop { r#type: String::new(), id: String::new() };
        let span = Span { pid: 2, native_id: 3, thread: String::new(), r#loop: Some(run), began: 1, ended: Some(2) };
        timed.timeline = Timeline { spans: vec![span], left_out: 1 };
        let timed = serde_json::to_value(timed).unwrap();
        assert_eq!(keys(&timed["findings"][0]["made"]), "at pid");
        assert_eq!(keys(&timed["timeline"]), "left_out spans");
        assert_eq!(keys(&timed["timeline"]["spans"][0]), "began ended loop native_id pid thread");
        assert_eq!(keys(&timed["timeline"]["spans"][0]["loop"]), "id type");
        assert_eq!(keys(&value["findings"][0]["accesses"][0]), "operation role stack thread");
        assert_eq!(keys(&value["findings"][0]["accesses"][0]["thread"]), "ident name native_id started_at");
        assert_eq!(keys(&value["findings"][0]["accesses"][0]["stack"][0]), "file function line");
        let race = serde_json::to_value(mistake::fold([race("C.a", [1, 7])])).unwrap();
        assert!(keys(&race[0]).contains(" locations ") && !keys(&race[0]).contains("mistake"), "{race}");
        assert_eq!(keys(&race[0]["locations"][0]), "accesses count fingerprint severity title what witnessed");
    }

    #[test]
    fn every_count_of_what_was_watched_adds_up_but_for_hooks() {
        let said = |n: u64| {
            let watched = Watched {
                hooks: n,
                checks: n,
                threads: n,
                loops: n,
                processes: n,
                slices: n,
                sliced_ms: n,
                accesses: n,
                ..Watched::default()
            };
            News { report: Report { watched, ..Report::default() }, ..News::default() }
        };
        let all = merged([said(3), said(4)]).watched;
        assert_eq!((all.hooks, all.checks, all.threads, all.loops), (4, 7, 7, 7));
        assert_eq!((all.processes, all.slices, all.sliced_ms, all.accesses), (7, 7, 7, 7));
    }

    #[test]
    fn the_interpreter_is_that_of_the_first_process_that_says_it() {
        let said = |version: Option<&str>| {
            let python = version.map(|version| ("version".to_owned(), version.to_owned())).into_iter().collect();
            News { report: Report { python, ..Report::default() }, ..News::default() }
        };
        assert_eq!(merged([said(None), said(Some("3.14")), said(Some("3.15")), said(None)]).python["version"], "3.14");
    }

    #[test]
    fn uses_of_a_suppression_add_up_and_another_one_is_counted_by_itself() {
        let said = |reason: &str, used: u64| {
            let (rule, reason) = ("FT101".to_owned(), reason.to_owned());
            let suppression = Suppression { rule, function: None, file: None, object: None, fingerprint: None, reason };
            News {
                report: Report { suppressions: vec![SuppressionUse { suppression, used }], ..Report::default() },
                ..News::default()
            }
        };
        let all = merged([said("locked", 3), said("known", 1), said("locked", 4)]).suppressions;
        let used: Vec<(&str, u64)> = all.iter().map(|entry| (entry.suppression.reason.as_str(), entry.used)).collect();
        assert_eq!(used, [("locked", 7), ("known", 1)]);
    }

    #[test]
    fn a_report_has_the_spans_of_all_processes() {
        let said = |pid: u32| {
            let span = Span { pid, native_id: 3, thread: String::new(), r#loop: None, began: 1, ended: None };
            News {
                report: Report { timeline: Timeline { spans: vec![span], left_out: 1 }, ..Report::default() },
                ..News::default()
            }
        };
        let timeline = merged([said(1), said(2)]).timeline;
        assert_eq!((timeline.spans.len(), timeline.left_out), (2, 2));
    }

    #[test]
    fn what_is_left_to_confirm_are_lost_updates_that_were_not_seen_to_happen() {
        let race = |rule: &str, line: u32| Finding { rule: rule.to_owned(), ..race("C.a", [line, line + 10]) };
        let seen = Finding { witnessed: true, ..race("FT401", 1) };
        let mild = Finding { severity: Severity::Warning, ..race("FT401", 2) };
        let findings = vec![seen, mild, race("FT404", 3), race("FT402", 5), race("FT401", 4)];
        let lines = ["app.py:14", "app.py:15", "app.py:4", "app.py:5"].map(str::to_owned).to_vec();
        let expected = Confirmation { witnessed: 1, found: 3, lines };
        assert_eq!(Report { findings, ..Report::default() }.confirmation(), expected);
    }
}
