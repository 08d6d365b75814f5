//! One mistake, reported once: races of the same two functions for what the same object holds are one finding with its locations listed.
//!
//! Each location is found, counted, accepted and taken back as a finding of its own; which of them are one mistake matters where they are
//! shown.  So accepting one hides no other one, and a report that is folded can be unfolded, added to, and folded again.

use super::access::{Access, Role};
use super::finding::{Accepted, Finding};
use super::location::{Location, Mistake};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// What findings have in common that are shown as one.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    fingerprint: String,
    /// Fingerprints know no folders.
    files: BTreeSet<String>,
    package: Option<String>,
    accepted: Option<Accepted>,
}

impl Key {
    fn of(finding: &Finding) -> Option<Self> {
        let mistake = finding.mistake.as_ref()?;
        let sides = finding.accesses.iter().filter(|access| matches!(access.role, Role::Offending | Role::Earlier));
        Some(Key {
            fingerprint: mistake.fingerprint.clone(),
            files: sides.filter_map(|access| Some(access.stack.first()?.file.clone())).collect(),
            package: finding.package.clone(),
            accepted: finding.accepted.clone(),
        })
    }
}

/// Makes one finding of those that are one mistake, where the first of them is.  The worst of its locations comes first, then the one
/// that stands first in the file, whichever was found first: two runs tell of a mistake in the same words.
pub fn fold(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut mistakes: Vec<Vec<Finding>> = Vec::new();
    for finding in findings.into_iter().flat_map(unfold) {
        let next = mistakes.len();
        match Key::of(&finding).map_or(next, |key| *places.entry(key).or_insert(next)) {
            at if at == next => mistakes.push(vec![finding]),
            at => mistakes[at].push(finding),
        }
    }
    mistakes.into_iter().filter_map(one).collect()
}

fn one(mut all: Vec<Finding>) -> Option<Finding> {
    all.sort_by_key(|finding| {
        let line = finding.accesses.first().and_then(|access| access.stack.first()).map(|frame| frame.line);
        (Reverse(finding.severity), line, finding.mistake.as_ref().map(|mistake| mistake.what.clone()))
    });
    let mut all = all.into_iter();
    let mut whole = all.next()?;
    let Some(mistake) = whole.mistake.take() else { return Some(whole) };
    whole.locations = vec![location(&whole, mistake.what)];
    whole.fingerprint = mistake.fingerprint;
    for more in all {
        let what = more.mistake.as_ref().map_or_else(String::new, |mistake| mistake.what.clone());
        whole.locations.push(location(&more, what));
        whole.witnessed |= more.witnessed;
        whole.count += more.count;
        whole.pids.extend(more.pids);
        whole.tests.extend(more.tests);
        whole.accesses.extend(more.accesses);
    }
    Some(whole)
}

/// Makes a finding of each location again.  Which process and which test had which of them is not known any more.
pub fn unfold(mut whole: Finding) -> Vec<Finding> {
    let locations = std::mem::take(&mut whole.locations);
    if locations.is_empty() {
        return vec![whole];
    }
    let mut accesses = std::mem::take(&mut whole.accesses).into_iter();
    let part = |location: Location| Finding {
        title: location.title,
        severity: location.severity,
        witnessed: location.witnessed,
        count: location.count,
        mistake: Some(Mistake { fingerprint: whole.fingerprint.clone(), what: location.what }),
        fingerprint: location.fingerprint,
        accesses: accesses.by_ref().take(location.accesses).collect(),
        ..whole.clone()
    };
    locations.into_iter().map(part).collect()
}

fn location(finding: &Finding, what: String) -> Location {
    Location {
        what,
        title: finding.title.clone(),
        severity: finding.severity,
        witnessed: finding.witnessed,
        count: finding.count,
        fingerprint: finding.fingerprint.clone(),
        accesses: finding.accesses.len(),
    }
}

impl Finding {
    /// The accesses that tell of the first location: all, if there are no others.
    pub fn first_accesses(&self) -> &[Access] {
        let first = self.locations.first().map_or(usize::MAX, |location| location.accesses);
        &self.accesses[..first.min(self.accesses.len())]
    }

    /// The names of the other locations, as many as there is room for, to be said after the title.
    pub fn likewise(&self) -> String {
        const MOST: usize = 4;
        let names: Vec<&str> = self.locations.iter().skip(1).map(|location| location.what.as_str()).collect();
        match names.len() {
            0 => String::new(),
            all if all <= MOST => format!("; likewise {}", names.join(", ")),
            all => format!("; likewise {} and {} more", names[..MOST].join(", "), all - MOST),
        }
    }

    /// The other locations, each with its accesses.
    pub fn further_locations(&self) -> impl Iterator<Item = (&Location, &[Access])> {
        let mut left = &self.accesses[..];
        let with_accesses = self.locations.iter().map(move |location| {
            let (mine, others) = left.split_at(location.accesses.min(left.len()));
            left = others;
            (location, mine)
        });
        with_accesses.skip(1)
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::super::finding::samples::{call_soon, frame};
    use super::*;

    /// As if a call were a race: of `what`, at these lines of two functions.
    pub(crate) fn race(what: &str, lines: [u32; 2]) -> Finding {
        let mut finding = call_soon();
        finding.title = format!("{what}: raced for");
        finding.accesses[1].role = Role::Earlier;
        for (access, (line, function)) in finding.accesses.iter_mut().zip(lines.into_iter().zip(["add", "reset"])) {
            access.operation = format!("update of {what}");
            access.stack = vec![frame("app.py", line, function)];
        }
        finding.fingerprint = format!("fingerprint of {what}");
        let (one, other) = (finding.accesses[0].stack[0].clone(), finding.accesses[1].stack[0].clone());
        finding.set_mistake(what, [(&one, "self"), (&other, "self")]);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Means;
    use super::samples::race;
    use super::*;
    use crate::rules::severity::Severity;

    #[test]
    fn locations_of_one_mistake_are_one_finding_and_can_be_told_apart_again() {
        let mut second = race("C.b", [2, 8]);
        (second.count, second.witnessed, second.severity) = (3, true, Severity::Warning);
        let parts = vec![race("C.a", [1, 7]), second];
        let [whole] = &fold(parts.clone())[..] else { panic!("one mistake") };
        assert_eq!((whole.title.as_str(), whole.count, whole.witnessed, whole.accesses.len()), ("C.a: raced for", 4, true, 4));
        let [first, second] = &whole.locations[..] else { panic!("two locations") };
        assert_eq!((first.what.as_str(), first.count, second.what.as_str(), second.count), ("C.a", 1, "C.b", 3));
        assert_eq!(whole.first_accesses().len(), 2);
        let further: Vec<_> =
            whole.further_locations().map(|(location, accesses)| (&location.what, accesses[0].stack[0].line)).collect();
        assert_eq!(further, [(&"C.b".to_owned(), 2)]);
        assert_eq!(unfold(whole.clone()), parts);
        assert_eq!(fold([whole.clone(), race("C.c", [3, 9])])[0].locations.len(), 3, "a report is added to");
        assert_eq!(fold([whole.clone()]), std::slice::from_ref(whole));
    }

    #[test]
    fn the_fingerprint_knows_neither_lines_nor_locations_nor_who_came_first() {
        let original = fold([race("C.a", [1, 7])]).remove(0).fingerprint;
        let mut turned = race("C.b", [40, 50]);
        turned.accesses.reverse();
        let frames = [turned.accesses[0].stack[0].clone(), turned.accesses[1].stack[0].clone()];
        turned.set_mistake("C.b", [(&frames[0], "self"), (&frames[1], "self")]);
        assert_eq!(turned.mistake.unwrap().fingerprint, original);
        let mut other = race("C.a", [1, 7]);
        other.set_mistake("C.a", [(&frames[0], "self"), (&frames[1], "self.other")]);
        assert_ne!(other.mistake.as_ref().unwrap().fingerprint, original, "another object");
        other.set_mistake("C.a", [(&frames[0], "self"), (&frames[0], "self")]);
        assert_ne!(other.mistake.unwrap().fingerprint, original, "another function");
    }

    #[test]
    fn what_is_accepted_hides_nothing_else_and_folders_are_told_apart() {
        let accepted = Some(Accepted { by: Means::Suppression, reason: "locked".to_owned() });
        let elsewhere = || {
            let mut finding = race("C.c", [3, 9]);
            finding.accesses.iter_mut().for_each(|access| access.stack[0].file = "other/app.py".to_owned());
            finding
        };
        let all = fold([race("C.a", [1, 7]), Finding { accepted, ..race("C.b", [2, 8]) }, elsewhere(), race("C.d", [4, 9])]);
        let counts: Vec<_> = all.iter().map(|finding| (finding.locations.len(), finding.accepted.is_some())).collect();
        assert_eq!(counts, [(2, false), (1, true), (1, false)]);
    }

    #[test]
    fn the_worst_location_comes_first() {
        let mild = Finding { severity: Severity::Warning, ..race("C.a", [1, 7]) };
        let [whole] = &fold([mild, race("C.b", [2, 8])])[..] else { panic!("one mistake") };
        assert_eq!((whole.severity, whole.title.as_str()), (Severity::Error, "C.b: raced for"));
    }

    #[test]
    fn the_order_of_locations_does_not_hang_on_which_was_found_first() {
        let parts = [race("C.b", [1, 7]), race("C.c", [2, 8]), race("C.a", [1, 7])];
        let names = |findings: Vec<Finding>| -> Vec<String> {
            fold(findings)[0].locations.iter().map(|location| location.what.clone()).collect()
        };
        assert_eq!(names(parts.to_vec()), ["C.a", "C.b", "C.c"]);
        assert_eq!(names(parts.into_iter().rev().collect()), ["C.a", "C.b", "C.c"]);
    }

    #[test]
    fn a_report_that_was_changed_by_hand_is_no_panic() {
        let mut whole = fold([race("C.a", [1, 7]), race("C.b", [2, 8])]).remove(0);
        whole.locations[1].accesses = 9;
        whole.accesses.truncate(1);
        assert_eq!(whole.first_accesses().len(), 1);
        assert_eq!(whole.further_locations().count(), 1);
        assert_eq!(unfold(whole).len(), 2);
    }
}
