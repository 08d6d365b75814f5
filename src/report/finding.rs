//! What was found: one misuse, with the stacks of both sides.  Field names are the JSON contract of the report.

use super::fingerprint;
use crate::rules::{Rule, Severity};
use serde::{Deserialize, Serialize};

/// One line of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// File as the code object names it.
    pub file: String,
    /// Line number, from 1; 0 if unknown.
    pub line: u32,
    /// Qualified name of the function.
    pub function: String,
    /// How this frame is linked to the one before, where it is not a plain call: "awaited by", "thread started at".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

/// Which part of the story an access tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The call that must not be made here.
    Offending,
    /// The thread that runs the loop, and what it is doing.
    Owner,
    /// A previous access by another thread.
    Earlier,
    /// Where the object came to life.
    Created,
}

/// A thread of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadInfo {
    /// Name as `threading` knows it.
    pub name: String,
    /// `threading.get_ident()`.
    pub ident: u64,
    /// `threading.get_native_id()`.
    pub native_id: u64,
    /// Where the thread was started, innermost frame first; empty for the main thread or if unknown.
    pub started_at: Vec<Frame>,
}

/// One side of the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Which side.
    pub role: Role,
    /// What was done: the method's name, or `run` and `create`.
    pub operation: String,
    /// By whom.  `None` if it is no longer known (a creation).
    pub thread: Option<ThreadInfo>,
    /// Where, innermost frame first.
    pub stack: Vec<Frame>,
}

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
    /// A finding of `rule` that happened once.
    pub fn new(rule: &Rule, title: String, object: ObjectInfo, r#loop: Option<LoopInfo>, accesses: Vec<Access>) -> Self {
        let fingerprint = fingerprint::of(rule.id, &object.r#type, &accesses);
        Finding {
            rule: rule.id.to_owned(),
            name: rule.name.to_owned(),
            severity: rule.severity,
            title,
            object,
            r#loop,
            accesses,
            witnessed: false,
            count: 1,
            fingerprint,
            fix: rule.fix.to_owned(),
            help: format!("ftsan explain {}", rule.id),
        }
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

/// The innermost frame that is in no installed package and not in the standard library; the innermost of all if there is none.
pub fn programs_line(stack: &[Frame]) -> Option<&Frame> {
    let is_library = |file: &str| ["/site-packages/", "/dist-packages/", "/lib/python3"].iter().any(|part| file.contains(part));
    stack.iter().find(|frame| !is_library(&frame.file) && !frame.file.starts_with('<')).or_else(|| stack.first())
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::rules;

    pub(in super::super) fn frame(file: &str, line: u32, function: &str) -> Frame {
        Frame { file: file.to_owned(), line, function: function.to_owned(), via: None }
    }

    fn thread(name: &str, ident: u64, started_at: Vec<Frame>) -> Option<ThreadInfo> {
        Some(ThreadInfo { name: name.to_owned(), ident, native_id: ident + 100, started_at })
    }

    pub(in super::super) fn call_soon() -> Finding {
        let object = ObjectInfo {
            r#type: "asyncio.unix_events._UnixSelectorEventLoop".to_owned(),
            repr: "<_UnixSelectorEventLoop at 0x10>".to_owned(),
            id: "0x10".to_owned(),
        };
        let running = LoopInfo { r#type: object.r#type.clone(), id: object.id.clone(), thread: "MainThread".to_owned() };
        let title = "_UnixSelectorEventLoop.call_soon() called in thread 'worker' while thread 'MainThread' runs the loop";
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
        Finding::new(rules::find("FT101").unwrap(), title.to_owned(), object, Some(running), accesses)
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
}
