//! What was found: one misuse, with the stacks of both sides.  Field names are the JSON contract of the report.

use super::access::{Access, Frame, Role, programs_line};
use super::fingerprint;
use super::location::{Location, Mistake};
use super::timeline::Made;
use crate::rules::rule::{Rule, Told};
use crate::rules::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The object that was misused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Qualified name of its type.
    pub r#type: String,
    /// A description made without running code of the program.
    pub repr: String,
    /// `id()` in hexadecimal.
    pub id: String,
}

/// The event loop that the object belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopInfo {
    /// Qualified name of its type.
    pub r#type: String,
    /// `id()` in hexadecimal.
    pub id: String,
    /// Name of the thread that runs it.
    pub thread: String,
}

/// Why a finding is accepted: it changes no exit status and is printed nowhere, but stays in the report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Accepted {
    /// By which means.
    pub by: Means,
    /// The reason that was given.
    pub reason: String,
}

/// How a finding is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    /// An entry of the suppressions.
    Suppression,
    /// A policy that switches the rule off.
    Policy,
    /// It was there when the baseline was written.
    Baseline,
}

/// One misuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// Name of the rule.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence with the object, its owner thread and the offending thread in it.
    pub title: String,
    /// What was misused.
    pub object: ObjectInfo,
    /// Its loop, where there is one.
    pub r#loop: Option<LoopInfo>,
    /// Both sides, the offending one first.
    pub accesses: Vec<Access>,
    /// What it shares with other findings that are the same mistake; not in a report, where they are one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistake: Option<Mistake>,
    /// Of a mistake, the locations at which it shows; title and first accesses are of the first one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// The installed package, with its version, that it lies wholly inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// When the accesses that it names were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    /// Process ids of those that made it, each as its own machine numbers it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pids: BTreeSet<u32>,
    /// Ids of the tests of pytest during which it happened.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tests: BTreeSet<String>,
    /// Why it is accepted; only in [`Report::accepted`](super::tree::Report::accepted).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// Whether harm was seen to happen rather than made possible.
    pub witnessed: bool,
    /// How often it happened.
    pub count: u64,
    /// Names the finding across runs: independent of order, line numbers and addresses.
    pub fingerprint: String,
    /// What to do.
    pub fix: String,
    /// Where to read on.
    pub help: String,
}

impl Finding {
    /// A finding of `rule` that happened once, and what the rule says of it.
    pub fn new(rule: &Rule, told: Told, object: ObjectInfo, r#loop: Option<LoopInfo>, accesses: Vec<Access>) -> Self {
        let fingerprint = fingerprint::of(rule.id, &object.r#type, &accesses);
        Finding {
            rule: rule.id.to_owned(),
            name: rule.name.to_owned(),
            severity: told.severity,
            title: told.title,
            object,
            r#loop,
            accesses,
            mistake: None,
            locations: Vec::new(),
            package: None,
            made: None,
            pids: BTreeSet::new(),
            tests: BTreeSet::new(),
            accepted: None,
            witnessed: false,
            count: 1,
            fingerprint,
            fix: told.fix,
            help: format!("ftsan explain {}", rule.id),
        }
    }

    /// Says that it is the same mistake as others of the same rule, by the same functions on what these call the same: on each side the frame, and
    /// the name in its function.  `what` is the location.
    pub fn set_mistake(&mut self, what: &str, sides: [(&Frame, &str); 2]) {
        self.mistake = Some(Mistake { fingerprint: fingerprint::of_mistake(&self.rule, sides), what: what.to_owned() });
    }

    /// The access that must not be made.
    pub fn offending(&self) -> Option<&Access> {
        self.accesses.iter().find(|access| access.role == Role::Offending)
    }

    /// Two findings with the same key are the same finding, seen again: the same fingerprint at the same line.
    pub fn key(&self) -> (&str, u32) {
        let line = self.offending().and_then(|access| access.stack.first()).map_or(0, |frame| frame.line);
        (&self.fingerprint, line)
    }

    /// Adds another record of the same finding.
    pub fn add(&mut self, other: Finding) {
        self.count += other.count;
        self.witnessed |= other.witnessed;
        self.pids.extend(other.pids);
        self.tests.extend(other.tests);
        for (index, access) in other.accesses.into_iter().enumerate() {
            match access.role {
                Role::Owner => self.add_owner_access(access),
                Role::Offending if index > 0 => self.add_inner_access(access),
                Role::Offending | Role::Earlier | Role::Created => {}
            }
        }
    }

    /// Adds what else the call of the program leads to that must not be done, up to a dozen of it.
    pub fn add_inner_access(&mut self, access: Access) {
        const MOST: usize = 12;
        let is_known = |known: &Access| known.operation == access.operation && known.stack.first() == access.stack.first();
        let offending = self.accesses.iter().filter(|known| known.role == Role::Offending);
        if offending.clone().count() < MOST && !offending.clone().any(is_known) {
            let end = self.accesses.iter().rposition(|known| known.role == Role::Offending).map_or(0, |last| last + 1);
            self.accesses.insert(end, access);
        }
    }

    /// Adds the ways in which the owner was seen, up to a handful of different ones: of other lines of the program.
    pub fn add_owner_access(&mut self, access: Access) {
        const MOST: usize = 4;
        let owners = self.accesses.iter().filter(|known| known.role == Role::Owner);
        let line = |access: &Access| programs_line(&access.stack).map(|frame| (frame.file.clone(), frame.line));
        let is_known = |known: &Access| known.operation == access.operation && line(known) == line(&access);
        if owners.clone().count() < MOST && !owners.clone().any(is_known) {
            let end = self.accesses.iter().rposition(|known| known.role == Role::Owner).map_or(self.accesses.len(), |i| i + 1);
            self.accesses.insert(end, access);
        }
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::super::access::{Frame, ThreadInfo};
    use super::*;
    use crate::rules;
    use crate::rules::family::calls::{Call, Loops};

    pub(crate) fn frame(file: &str, line: u32, function: &str) -> Frame {
        Frame { file: file.to_owned(), line, function: function.to_owned(), ..Frame::default() }
    }

    fn thread(name: &str, ident: u64, started_at: Vec<Frame>) -> Option<ThreadInfo> {
        Some(ThreadInfo { name: name.to_owned(), ident, native_id: ident + 100, started_at })
    }

    pub(crate) fn call_soon() -> Finding {
        let object = ObjectInfo {
            r#type: "asyncio.unix_events._UnixSelectorEventLoop".to_owned(),
            repr: "<_UnixSelectorEventLoop at 0x10>".to_owned(),
            id: "0x10".to_owned(),
        };
        let running = LoopInfo { r#type: object.r#type.clone(), id: object.id.clone(), thread: "MainThread".to_owned() };
        let accesses = vec![
            Access {
                role: Role::Offending,
                operation: "call_soon".to_owned(),
                thread: thread("worker", 7, vec![frame("app.py", 30, "main")]),
                stack: vec![frame("app.py", 12, "worker"), frame("/lib/threading.py", 1024, "Thread.run")],
            },
            Access {
                role: Role::Owner,
                operation: "run".to_owned(),
                thread: thread("MainThread", 1, Vec::new()),
                stack: vec![
                    frame("/lib/selectors.py", 452, "EpollSelector.select"),
                    Frame { via: Some("meanwhile suspended at".to_owned()), ..frame("app.py", 32, "main") },
                ],
            },
        ];
        let rule = &rules::loop_call_off_thread::RULE;
        let call = Call {
            class: "_UnixSelectorEventLoop",
            method: "call_soon",
            operation: "call_soon",
            thread: "thread 'worker'",
            relation: "while thread 'MainThread' runs the loop",
            outer: None,
            loops: Loops::default(),
        };
        Finding::new(rule, rule.tell_call(&call), object, Some(running), accesses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_remembered_in_a_few_different_states() {
        let mut finding = samples::call_soon();
        let seen = |line| Access { stack: vec![samples::frame("app.py", line, "main")], ..finding.accesses[1].clone() };
        let states: Vec<Access> = [40, 40, 41, 42, 43, 44].into_iter().map(seen).collect();
        for state in states {
            finding.add_owner_access(state);
        }
        let lines: Vec<u32> =
            finding.accesses.iter().filter(|access| access.role == Role::Owner).map(|access| access.stack[0].line).collect();
        assert_eq!(lines, [452, 40, 41, 42]);
    }

    #[test]
    fn what_a_call_leads_to_is_told_once_and_after_it() {
        let mut finding = samples::call_soon();
        let inner = |line| Access { stack: vec![samples::frame("redis.py", line, "send")], ..finding.accesses[0].clone() };
        let [known, new] = [7, 8].map(inner);
        finding.add_inner_access(known.clone());
        let again = Finding { accesses: vec![finding.accesses[0].clone(), known, new], ..samples::call_soon() };
        finding.add(again);
        let told: Vec<(Role, u32)> = finding.accesses.iter().map(|access| (access.role, access.stack[0].line)).take(4).collect();
        let first = samples::call_soon().accesses[0].stack[0].line;
        assert_eq!(told[..3], [(Role::Offending, first), (Role::Offending, 7), (Role::Offending, 8)]);
        assert_eq!(told[3].0, Role::Owner);
    }

    #[test]
    fn harm_that_was_seen_once_was_seen() {
        let seen = |witnessed| Finding { witnessed, ..samples::call_soon() };
        for (one, other) in [(true, false), (false, true)] {
            let mut finding = seen(one);
            finding.add(seen(other));
            assert!(finding.witnessed);
        }
    }

    #[test]
    fn the_call_itself_is_not_what_it_leads_to() {
        let mut again = samples::call_soon();
        again.accesses[0].operation = "call_later".to_owned();
        let mut finding = samples::call_soon();
        finding.add(again);
        assert_eq!(finding.accesses.iter().filter(|access| access.role == Role::Offending).count(), 1);
    }

    #[test]
    fn what_a_call_leads_to_is_a_dozen_lines_at_most() {
        let mut finding = samples::call_soon();
        let inner =
            |line| Access { stack: vec![samples::frame("redis.py", line, "send")], ..samples::call_soon().accesses[0].clone() };
        (0..20).for_each(|line| finding.add_inner_access(inner(line)));
        assert_eq!(finding.accesses.iter().filter(|access| access.role == Role::Offending).count(), 12);
    }
}
