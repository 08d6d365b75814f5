//! The findings of the process: which are new, how often each happened, which are suppressed or taken back.

use crate::interpreter::frames::RawFrame;
use ftsan::report::model::tree::Withdrawn;
use ftsan::report::suppress::Suppression;
use ftsan::report::{Access, Finding, Frame, Role, SuppressionUse};
use ftsan::rules::{self, Rule, Severity};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What makes a misuse the same as another one: the same call from the same place.
pub(crate) type FindingKey = (usize, RawFrame);

/// A finding that was recorded before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Known(usize);

struct Entry {
    finding: Finding,
    rule: Option<&'static Rule>,
    /// Which suppression accepts it; other means are only in the finding.
    accepted_by: Option<usize>,
    /// How many of its occurrences the report has.
    reported: u64,
    /// Another finding tells more.
    is_withdrawn: bool,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Store {
    places: HashMap<FindingKey, Known>,
    entries: Vec<Entry>,
    /// Of these suppressions the first are the process's, the others lines of the program.
    suppressed: Vec<u64>,
    /// Lines of the program that accept something.
    ignored: Vec<Suppression>,
    suppressed_reported: Vec<u64>,
    /// Not in the report yet.
    new: Vec<Known>,
    /// In the report with another count.
    changed: BTreeSet<Known>,
    /// In the report, and to be taken back.
    withdrawn: Vec<Known>,
    /// Mistakes of which a location was printed, by fingerprint and package.
    told: HashSet<(String, Option<String>)>,
    /// The rule of a finding that has given way, if it was told, and what led to it, for the one that takes its place.
    inherited: HashMap<FindingKey, (Option<String>, Vec<Access>)>,
}

/// What is said of a case that was recorded.
pub(super) struct Recorded {
    pub(super) known: Known,
    pub(super) is_new: bool,
    /// How often it happened in all.
    pub(super) count: u64,
    /// It is accepted: by a suppression, a policy or the baseline.
    pub(super) is_suppressed: bool,
    /// It takes the place of what this rule has found, which was told.
    pub(super) in_place_of: Option<String>,
}

/// What the report does not have yet.
#[derive(Default)]
pub(super) struct Unreported {
    pub(super) findings: Vec<Finding>,
    pub(super) accepted: Vec<Finding>,
    pub(super) withdrawn: Vec<Withdrawn>,
    pub(super) suppressions: Vec<SuppressionUse>,
}

impl Store {
    pub(super) fn new(suppressions: usize) -> Self {
        Store { suppressed: vec![0; suppressions], suppressed_reported: vec![0; suppressions], ..Store::default() }
    }

    /// Counts another occurrence at a known place; `None` if the place is new.
    pub(super) fn seen_again(&mut self, place: &FindingKey, test: Option<&str>) -> Option<Recorded> {
        let known = *self.places.get(place)?;
        let finding = &self.entries[known.0].finding;
        // Now and then another look is worth its cost: it may be the program's doing this time.
        if finding.package.is_some() && (finding.count + 1).is_power_of_two() {
            return None;
        }
        Some(self.count(known, test))
    }

    fn count(&mut self, known: Known, test: Option<&str>) -> Recorded {
        let entry = &mut self.entries[known.0];
        entry.finding.count += 1;
        if let Some(test) = test.filter(|test| !entry.finding.tests.contains(*test)) {
            entry.finding.tests.insert(test.to_owned());
        }
        if let Some(suppression) = entry.accepted_by {
            self.suppressed[suppression] += 1;
        }
        if entry.reported > 0 {
            self.changed.insert(known);
        }
        Recorded {
            known,
            is_new: false,
            count: entry.finding.count,
            is_suppressed: entry.finding.accepted.is_some(),
            in_place_of: None,
        }
    }

    /// Records a new finding, or another occurrence if another thread was faster.
    /// `accepted_by`: which of so many suppressions accepts it; `ignored`: which line of the program does.
    pub(super) fn record(
        &mut self,
        place: FindingKey,
        mut finding: Finding,
        accepted_by: Option<usize>,
        ignored: Option<Suppression>,
        suppressions: usize,
    ) -> Recorded {
        if let Some(&known) = self.places.get(&place) {
            if self.entries[known.0].finding.package.is_none() || finding.package.is_some() {
                return self.count(known, finding.tests.first().map(String::as_str));
            }
            // The program does what so far only a package did: then it is the program's.
            self.withdraw(&place);
        }
        let accepted_by = accepted_by.or_else(|| Some(suppressions + self.ignore(ignored?)));
        let known = Known(self.entries.len());
        if let Some(suppression) = accepted_by {
            self.suppressed[suppression] += 1;
        }
        let (in_place_of, inner) = self.inherited.remove(&place).unzip();
        let in_place_of = in_place_of.flatten();
        inner.into_iter().flatten().for_each(|access| finding.add_inner_access(access));
        self.new.push(known);
        self.places.insert(place, known);
        let (rule, is_suppressed) = (rules::find(&finding.rule), finding.accepted.is_some());
        self.entries.push(Entry { finding, rule, accepted_by, reported: 0, is_withdrawn: false });
        Recorded { known, is_new: true, count: 1, is_suppressed, in_place_of }
    }

    /// Where a line of the program that accepts something stands among its like.
    fn ignore(&mut self, line: Suppression) -> usize {
        self.ignored.iter().position(|known| *known == line).unwrap_or_else(|| {
            self.suppressed.push(0);
            self.suppressed_reported.push(0);
            self.ignored.push(line);
            self.ignored.len() - 1
        })
    }

    /// A finding, if it is still one.
    pub(super) fn told(&self, known: Known) -> Option<&Finding> {
        self.entries.get(known.0).filter(|entry| !entry.is_withdrawn).map(|entry| &entry.finding)
    }

    pub(super) fn finding(&self, known: Known) -> &Finding {
        &self.entries[known.0].finding
    }

    /// A finding that is to be told, and whether another location of the same mistake was.
    pub(super) fn begin_telling(&mut self, known: Known) -> (Finding, bool) {
        let finding = self.entries[known.0].finding.clone();
        let is_first = finding
            .mistake
            .as_ref()
            .filter(|_| finding.severity.is_serious())
            .is_none_or(|mistake| self.told.insert((mistake.fingerprint.clone(), finding.package.clone())));
        (finding, !is_first)
    }

    /// The finding of one of these rules at this line, if it is a thread other than `but` that makes the call there.
    pub(super) fn at_line(&self, line: &Frame, is_rule: impl Fn(&Rule) -> bool, but: Option<u64>) -> Option<Known> {
        let is_it = |entry: &Entry| {
            let Some(access) = entry.finding.accesses.first() else { return false };
            let is_line = access.stack.first().is_some_and(|known| known.file == line.file && known.line == line.line);
            is_line && (but.is_none() || access.thread.as_ref().map(|thread| thread.ident) != but)
        };
        self.entries.iter().position(|entry| entry.rule.is_some_and(&is_rule) && is_it(entry)).map(Known)
    }

    /// Adds what the owner was doing another time.
    pub(super) fn add_owner_access(&mut self, known: Known, access: Access) {
        let entry = &mut self.entries[known.0];
        entry.finding.add_owner_access(access);
        if entry.reported > 0 {
            self.changed.insert(known);
        }
    }

    /// Adds what else the call of the program leads to.
    pub(super) fn add_inner_access(&mut self, known: Known, access: Access) {
        let entry = &mut self.entries[known.0];
        entry.finding.add_inner_access(access);
        if entry.reported > 0 {
            self.changed.insert(known);
        }
    }

    /// The harm that a finding speaks of was seen to happen.
    pub(super) fn witness(&mut self, known: Known) {
        let entry = &mut self.entries[known.0];
        entry.finding.witnessed = true;
        if entry.reported > 0 {
            self.changed.insert(known);
        }
    }

    /// Another finding tells more than the one at this place.
    pub(super) fn withdraw(&mut self, place: &FindingKey) {
        let Some(&known) = self.places.get(place) else { return };
        let entry = &mut self.entries[known.0];
        if !entry.is_withdrawn && entry.reported > 0 && entry.finding.accepted.is_none() {
            self.withdrawn.push(known);
        }
        entry.is_withdrawn = true;
    }

    /// What another rule has found at this place gives way to what this rule finds there next.
    pub(super) fn give_way(&mut self, place: &FindingKey, rule: &str) {
        let Some(&known) = self.places.get(place) else { return };
        let finding = &self.entries[known.0].finding;
        if finding.rule == rule || finding.accepted.is_some() {
            return;
        }
        let inner = finding.accesses.iter().skip(1).filter(|access| access.role == Role::Offending).cloned().collect();
        let rule = (finding.severity > Severity::Info).then(|| finding.rule.clone());
        self.withdraw(place);
        self.places.remove(place);
        self.inherited.insert(*place, (rule, inner));
    }

    /// Takes what the report does not have yet: what is new, what is taken back, and how often else it happened; of all that is in the report
    /// already if `everything`, else of `one`.
    pub(super) fn take_unreported(&mut self, one: Option<Known>, everything: bool, suppressions: &[Suppression]) -> Unreported {
        let mut which = std::mem::take(&mut self.new);
        if everything {
            which.extend(std::mem::take(&mut self.changed));
        } else if let Some(one) = one.filter(|one| self.changed.remove(one)) {
            which.push(one);
        }
        let mut unreported = Unreported::default();
        for Known(index) in which {
            let entry = &mut self.entries[index];
            if !entry.is_withdrawn {
                let news = Finding { count: entry.finding.count - entry.reported, ..entry.finding.clone() };
                let list = if news.accepted.is_some() { &mut unreported.accepted } else { &mut unreported.findings };
                list.push(news);
                entry.reported = entry.finding.count;
            }
        }
        for known in std::mem::take(&mut self.withdrawn) {
            let entry = &self.entries[known.0];
            let (fingerprint, line) = entry.finding.key();
            unreported.withdrawn.push(Withdrawn { fingerprint: fingerprint.to_owned(), line, count: entry.reported });
        }
        // Unused ones are in the report, too.
        if everything {
            let used = self.suppressed.iter().zip(&mut self.suppressed_reported);
            let news = used.map(|(used, reported)| used - std::mem::replace(reported, *used));
            let uses = suppressions.iter().chain(&self.ignored).zip(news);
            unreported.suppressions =
                uses.map(|(suppression, used)| SuppressionUse { suppression: suppression.clone(), used }).collect();
        }
        unreported
    }

    /// Everything, whether the report has it or not.
    pub(super) fn all(&self, suppressions: &[Suppression]) -> Unreported {
        let all = self.entries.iter().filter(|entry| !entry.is_withdrawn).map(|entry| entry.finding.clone());
        let (accepted, findings) = all.partition(|finding| finding.accepted.is_some());
        let uses = suppressions.iter().chain(&self.ignored).zip(&self.suppressed);
        Unreported {
            findings,
            accepted,
            withdrawn: Vec::new(),
            suppressions: uses
                .map(|(suppression, used)| SuppressionUse { suppression: suppression.clone(), used: *used })
                .collect(),
        }
    }
}
