//! The type of rules: each is one value of it in a file of its own.

use super::family::calls::{Call, Calls, Crash};
use super::family::descriptors::{Descriptors, SystemCall};
use super::family::locks::{LockUse, Locks};
use super::family::races::{Races, Unordered};
use super::family::runtime::{Event, Runtime};
use super::severity::Severity;

/// One rule, whole.
#[derive(Debug)]
pub struct Rule {
    /// `FT` and three digits; a contract.
    pub id: &'static str,
    /// Short name in words; a contract, and the name of its file.
    pub name: &'static str,
    /// Severity of its findings, unless the evidence says otherwise.
    pub severity: Severity,
    /// What kind of evidence it judges, when it applies, and its titles.
    pub finds: Finds,
    /// The advice: the first fix whose operations have that of the call.  The last one is for all others.
    pub fixes: &'static [Fix],
    /// Manual page in Markdown, shown by `ftsan explain`.
    pub manual: &'static str,
}

/// The families of rules, by what detection hands to them.
#[derive(Debug)]
pub enum Finds {
    /// A watched call in the wrong thread.
    Calls(Calls),
    /// System calls on one descriptor.
    Descriptors(Descriptors),
    /// Accesses of one location with no order between them.
    Races(Races),
    /// A lock.
    Locks(Locks),
    /// The GIL, an extension module, a fork.
    Runtime(Runtime),
}

/// The advice on what to do instead.
#[derive(Debug)]
pub struct Fix {
    /// Names the program that follows it: `tests/programs/<id>/fixed_<name>.py`.
    pub name: &'static str,
    /// Operations that it is for, of any class or as `Part.method` of classes with that in their name; empty for any.
    pub operations: &'static [&'static str],
    /// One line; `{method}` and `{class}` stand for those of the call, `{receiver|transport}` for a name that an object of the class may have,
    /// which is this one where there is none.
    pub advice: &'static str,
}

/// What a rule says of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// One sentence with the object and both threads in it.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// What to do.
    pub fix: String,
}

/// A part of the name of a class, and how programs call an object of it.
const NAMES: &[(&str, &str)] = &[
    ("Loop", "loop"),
    ("Callback", "callback"),
    // Before what transports are for: `_SelectorSocketTransport`, `UVProcessTransport`.
    ("Transport", "transport"),
    ("Selector", "selector"),
    ("DeferredQueue", "queue"),
    ("Deferred", "deferred"),
    ("Server", "server"),
    ("Writer", "writer"),
    ("Reader", "reader"),
    ("Process", "process"),
];

/// Advice with the name of the object in it.
fn receiver(advice: &str, name: Option<&str>) -> String {
    let Some((before, rest)) = advice.split_once("{receiver|") else { return advice.to_owned() };
    let (usual, after) = rest.split_once('}').unwrap_or((rest, ""));
    [before, name.unwrap_or(usual), &receiver(after, name)].concat()
}

impl Rule {
    /// The fix for an operation of a class; any other name gets the general one.
    pub fn fix_for(&self, class: &str, operation: &str) -> &'static Fix {
        let is_it = |known: &&str| match known.split_once('.') {
            Some((of, method)) => method == operation && class.contains(of),
            None => *known == operation,
        };
        let is_for = |fix: &&Fix| fix.operations.is_empty() || fix.operations.iter().any(is_it);
        self.fixes.iter().find(is_for).expect("the last fix is for all operations")
    }

    /// The advice where the operation is not known.
    pub fn general_advice(&self) -> String {
        self.fix_for("", "").in_general()
    }

    fn told(&self, title: String, severity: Severity, operation: &str, class: &str) -> Told {
        let named = NAMES.iter().find(|(part, _)| class.contains(part)).map(|(_, name)| *name);
        let advice = receiver(self.fix_for(class, operation).advice, named);
        let fix = advice.replace("{method}", operation).replace("{class}", class);
        Told { title, severity, fix }
    }

    /// What it says of a call.
    pub fn tell_call(&self, call: &Call<'_>) -> Told {
        let what = match (call.outer, self.calls()) {
            (Some(outer), _) => format!("{}() called", outer.name),
            (None, Some(calls)) => (calls.what)(call),
            (None, None) => call.called(),
        };
        let title = format!("{what} in {} {}", call.thread, call.relation);
        let advice = call.outer.and_then(|outer| self.calls()?.hand_over.advice(outer));
        let told = self.told(title, self.severity, call.method, call.class);
        let advice = advice.unwrap_or(told.fix);
        Told { fix: self.calls().map_or(advice.clone(), |calls| calls.hand_over.for_loops(advice, call.loops)), ..told }
    }

    /// What it says of system calls.
    pub fn tell_system_call(&self, call: &SystemCall<'_>) -> Told {
        let title = self.descriptors().map_or_else(|| self.name.to_owned(), |descriptors| (descriptors.title)(call));
        self.told(title, self.severity, call.operation, "")
    }

    /// What it says of a race.
    pub fn tell_race(&self, race: &Unordered<'_>) -> Told {
        let title = match &self.finds {
            Finds::Races(races) => (races.title)(race),
            Finds::Calls(_) | Finds::Descriptors(_) | Finds::Locks(_) | Finds::Runtime(_) => self.name.to_owned(),
        };
        // The matrix knows which pairs of accesses are how bad.
        self.told(title, race.race.severity, "", "")
    }

    /// What it says of a use of locks.
    pub fn tell_lock(&self, lock: &LockUse<'_>) -> Told {
        let (title, severity) = match &self.finds {
            Finds::Locks(locks) => ((locks.title)(lock), (locks.severity)(lock).unwrap_or(self.severity)),
            Finds::Calls(_) | Finds::Descriptors(_) | Finds::Races(_) | Finds::Runtime(_) => (self.name.to_owned(), self.severity),
        };
        self.told(title, severity, "", "")
    }

    /// What it says of the runtime.
    pub fn tell_event(&self, event: &Event<'_>) -> Told {
        let (title, severity) = match &self.finds {
            Finds::Runtime(runtime) => ((runtime.title)(event), (runtime.severity)(event).unwrap_or(self.severity)),
            Finds::Calls(_) | Finds::Descriptors(_) | Finds::Races(_) | Finds::Locks(_) => (self.name.to_owned(), self.severity),
        };
        self.told(title, severity, "", "")
    }

    /// What it says of calls; `None` if it is of another family.
    pub fn calls(&self) -> Option<&Calls> {
        match &self.finds {
            Finds::Calls(calls) => Some(calls),
            Finds::Descriptors(_) | Finds::Races(_) | Finds::Locks(_) | Finds::Runtime(_) => None,
        }
    }

    /// The look of a crash that is caused by what it finds.
    pub fn crash(&self) -> Crash {
        self.calls().map_or(Crash::UNKNOWN, |calls| calls.crash)
    }

    /// What it says of system calls; `None` if nothing.
    pub fn descriptors(&self) -> Option<&Descriptors> {
        match &self.finds {
            Finds::Descriptors(descriptors) => Some(descriptors),
            Finds::Calls(calls) => calls.system_calls.as_ref(),
            Finds::Races(_) | Finds::Locks(_) | Finds::Runtime(_) => None,
        }
    }

    /// Whether its calls are not looked at again for the system calls, and the other watched objects, that they end in.
    pub fn covers_what_it_calls(&self) -> bool {
        self.calls().is_some_and(|calls| calls.covers_what_it_calls)
    }

    /// Whether the harm of its findings can be seen to happen, so that `--confirm` tries to.
    pub fn can_be_witnessed(&self) -> bool {
        matches!(&self.finds, Finds::Races(races) if races.can_be_witnessed)
    }

    /// The whole page for `ftsan explain`.
    pub fn page(&self) -> String {
        let fixes: Vec<String> = self.fixes.iter().map(Fix::line).collect();
        format!("{} {} ({})\n\n{}\n\n{}\n", self.id, self.name, self.severity.name(), self.manual.trim(), fixes.join("\n"))
    }
}

impl Fix {
    fn in_general(&self) -> String {
        let method = if let [operation] = self.operations { operation } else { "method" };
        receiver(self.advice, None).replace("{class}.{method}", "it").replace("{method}", method).replace("{class}", "object")
    }

    fn line(&self) -> String {
        let advice = self.in_general();
        if self.operations.is_empty() {
            format!("Fix: {advice}")
        } else {
            format!("Fix ({}): {advice}", self.operations.join(", "))
        }
    }
}
