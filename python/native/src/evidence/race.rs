//! The cold path: two accesses are not ordered; who, where, and what was it?
//!
//! No code of the program runs: no `repr`, no properties.

use crate::evidence::{flags, naming, thread_names};
use crate::findings::process;
use crate::findings::report::{Addition, Case, Raises, report};
use crate::findings::store::FindingKey;
use crate::interpreter::attributes;
use crate::interpreter::frames::RawFrame;
#[cfg(not(Py_GIL_DISABLED))]
use crate::interpreter::header;
use crate::interpreter::introspection::type_name;
use crate::thread::code_class::{self, resolve, resolve_all};
use crate::thread::context::InSlowPath;
use crate::thread::outcome::Outcome;
use crate::thread::stacks;
use ftsan::patcher::{CLOSURE, GLOBALS};
use ftsan::races::access::{AccessSite, Race};
use ftsan::races::matrix::AccessKind;
use ftsan::report::model::access::GOES_BACK;
use ftsan::report::{Access, Finding, ObjectInfo, Role, ThreadInfo};
use ftsan::rules::family::races::{self, Unordered};
use ftsan::rules::{self, Rule};
use ftsan::scope::REFUSES_WHILE;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Which part of an object was raced for.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// An attribute.
    Attribute(&'static str),
    /// A global variable; the object is the dictionary of its module.
    Global(&'static str),
    /// A variable that functions share; the object is the cell.
    Variable(&'static str),
    /// What is behind a key, or whether something is an element; the key is borrowed.
    Item(*mut ffi::PyObject),
    /// An element of a sequence, by its number.
    Element(usize),
    /// What there is in a container as a whole.
    Structure,
    /// Where an iterator is.
    Position,
    /// Something that the process has once.
    State(&'static str),
}

/// Modules whose attributes are the process's, with the attributes; no name is any.
const PROCESS_STATE: [(&str, &[&str]); 2] =
    [("sys", &["stdout", "stderr", "stdin", "displayhook", "excepthook", "argv", "path"]), ("os", &["environ"])];

/// Reports a race on `part` of `object` that the calling thread has just completed.
///
/// # Safety
/// Attached; what is passed is alive.
#[cold]
pub(crate) unsafe fn found(object: *mut ffi::PyObject, part: Part, is_swapper: bool, race: &Race) -> Outcome {
    #[cfg(not(Py_GIL_DISABLED))]
    if !header::is_kept() {
        return Outcome::Continue;
    }
    let Some(_busy) = InSlowPath::enter() else { return Outcome::Continue };
    // SAFETY: passed on.
    let (py, object) = unsafe {
        let py = Python::assume_attached();
        (py, Bound::from_borrowed_ptr(py, object))
    };
    if is_swapper && is_own_affair(&object, part, race) {
        return Outcome::Continue;
    }
    let race = &if is_swapper { as_swapped(*race) } else { *race };
    let state = process_state(&object, part, is_swapper);
    let rule = rules::of_race(race, state.is_some());
    let place = if is_swapper { place_of_swap(&object, rule, part, race) } else { place(rule, part, race) };
    report(py, place, Raises::Now, Found { object: &object, part, state, rule, place, race })
}

/// Whether this is about what a swapper keeps of its own, and did not stop the thread that reads it.
fn is_own_affair(object: &Bound<'_, PyAny>, part: Part, race: &Race) -> bool {
    let Part::Attribute(REFUSES_WHILE) = part else { return false };
    if race.kind != AccessKind::Read {
        return true;
    }
    let name = PyString::intern(object.py(), REFUSES_WHILE);
    // SAFETY: both are alive; the value is a reference of this function's own.
    let value = unsafe { Bound::from_owned_ptr_or_opt(object.py(), attributes::own_by(object.as_ptr(), name.as_ptr())) };
    !value.is_some_and(|value| value.is(PyBool::new(object.py(), true)))
}

/// To the reader of a report, a value that is read to be put back later is read, not walked over.
fn as_swapped(race: Race) -> Race {
    let read = |kind| if kind == AccessKind::Iterate { AccessKind::Read } else { kind };
    Race { kind: read(race.kind), earlier_kind: read(race.earlier_kind), ..race }
}

/// A race that is to be reported.
struct Found<'a, 'py> {
    object: &'a Bound<'py, PyAny>,
    part: Part,
    /// What of the process is raced for.
    state: Option<String>,
    rule: &'static Rule,
    place: FindingKey,
    race: &'a Race,
}

impl Case for Found<'_, '_> {
    fn finding(self) -> Option<Finding> {
        let Found { object, part, state, rule, place, race } = self;
        let is_process_state = state.is_some();
        let what = state.clone().unwrap_or_else(|| describe(object, part));
        if !is_news(&what, race, place) {
            return None;
        }
        let shown = state.unwrap_or_else(|| describe_here(object, part));
        Some(finding(object, part, rule, [&shown, &what], race, is_process_state))
    }

    fn again(self, _: bool) -> Addition {
        Addition { witnessed: self.race.witnessed, ..Addition::default() }
    }
}

/// What code calls the object that holds what it accesses, where it is: of an attribute if that is asked for, else of a container.
type NameHolder = unsafe fn(RawFrame, bool) -> Option<String>;

static NAME_HOLDER: OnceLock<NameHolder> = OnceLock::new();

/// Says which function knows what watched code calls the holders of what it accesses.
pub(crate) fn name_holders_by(function: NameHolder) {
    let _ = NAME_HOLDER.set(function);
}

/// The two accesses, without regard to which came first.  The check that came too late is part of the update that it would have led to.
fn sides(race: &Race) -> [AccessSite; 2] {
    let is_check = |check: Option<AccessSite>, site: AccessSite| check.is_some_and(|check| check.site == site.site);
    match (race.here, race.earlier) {
        (here, earlier) if is_check(race.earlier_check, here) => [earlier, earlier],
        (here, earlier) if is_check(race.check, earlier) => [here, here],
        (here, earlier) => [here, earlier],
    }
}

/// The same two instructions under the same rule are the same finding, whichever came first, if it is the same name.
fn place(rule: &'static Rule, part: Part, race: &Race) -> FindingKey {
    let [a, b] = sides(race).map(|side| side.site);
    // Names are kept once each.
    let name = match part {
        Part::Attribute(name) | Part::Global(name) | Part::Variable(name) | Part::State(name) => name,
        Part::Item(_) | Part::Element(_) | Part::Structure | Part::Position => "",
    };
    (
        std::ptr::from_ref(rule) as usize ^ (name.as_ptr() as usize).rotate_left(24),
        RawFrame { code: a.max(b) as usize, offset: a.min(b) },
    )
}

/// Where the program has something replaced: its call of what does so.
fn swapping(_: Python<'_>, stack: stacks::StackId) -> Option<RawFrame> {
    // SAFETY: attached, as whoever has a token; the code objects of recorded stacks are kept alive.
    let is_library = |code| unsafe { code_class::file(code) }.is_some_and(code_class::is_of_standard_library);
    stacks::get(stack).iter().find(|frame| !is_library(frame.code)).copied()
}

/// The same two functions of the program that replace the same are the same finding, whichever steps of the two replacements meet.
fn place_of_swap(object: &Bound<'_, PyAny>, rule: &'static Rule, part: Part, race: &Race) -> FindingKey {
    let [a, b] = [race.here, race.earlier].map(|side| swapping(object.py(), side.stack).map_or(0, |frame| frame.code));
    let mut hasher = DefaultHasher::new();
    describe(object, part).hash(&mut hasher);
    (std::ptr::from_ref(rule) as usize ^ hasher.finish() as usize, RawFrame { code: a.max(b), offset: (a.min(b) >> 4) as u32 })
}

/// Something that was found, and where in the program.
struct Told {
    what: String,
    sites: Vec<u32>,
    place: FindingKey,
    is_info: bool,
}

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

/// Whether a race has something to say beside the others: a mere read at a place where an update was lost has not.
fn is_news(what: &str, race: &Race, place: FindingKey) -> bool {
    let checks = [race.check, race.earlier_check].into_iter().flatten().map(|check| check.site);
    let sites: Vec<u32> = checks.chain([race.here.site, race.earlier.site]).collect();
    let is_info = !race.severity.is_serious();
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |told: &Told| told.what == what && told.sites.iter().any(|site| sites.contains(site));
    if is_info && told.iter().any(|told| !told.is_info && same(told)) {
        return false;
    }
    // The same again under another rule: a reader's memory is short, and then an update looks like a blind write.
    let covers =
        |told: &Told| told.what == what && [race.here.site, race.earlier.site].iter().all(|site| told.sites.contains(site));
    if told.iter().any(|told| !told.is_info && covers(told)) {
        return false;
    }
    if !is_info {
        told.iter().filter(|told| told.is_info && same(told)).for_each(|told| process::get().withdraw(&told.place));
    }
    told.push(Told { what: what.to_owned(), sites, place, is_info });
    true
}

/// What was raced for is shown in the title and, without what depends on the function that came second, in the accesses.
fn finding(
    object: &Bound<'_, PyAny>,
    part: Part,
    rule: &'static Rule,
    [shown, what]: [&str; 2],
    race: &Race,
    is_process_state: bool,
) -> Finding {
    let py = object.py();
    let (mine, theirs) = (thread_names::me(py), thread_names::of(py, race.earlier_thread));
    let flag = race.flag.and_then(name_of_flag);
    let has_gil = process::get().has_gil();
    let unordered = Unordered {
        race,
        is_process_state,
        what: shown,
        thread: &mine.name,
        earlier: &theirs.name,
        flag: flag.as_deref(),
        has_gil,
    };
    let told = rule.tell_race(&unordered);
    let class = type_name(object);
    let id = format!("{:#x}", object.as_ptr() as usize);
    let short = class.rsplit('.').next().unwrap_or(&class);
    let info = ObjectInfo { repr: format!("<{short} at {id}>"), r#type: class.clone(), id };
    let access = |role, operation: &str, thread: &ThreadInfo, place: AccessSite| Access {
        role,
        operation: operation.to_owned(),
        thread: Some(thread.clone()),
        stack: resolve_all(py, stacks::get(place.stack)),
    };
    let noun = |kind: AccessKind| format!("{} of {what}", races::operation(kind));
    let checked = format!("{}{GOES_BACK}", noun(AccessKind::Read));
    let mut accesses = vec![access(Role::Offending, &noun(race.kind), &mine, race.here)];
    accesses.extend(race.check.map(|check| access(Role::Earlier, &checked, &mine, check)));
    accesses.push(access(Role::Earlier, &noun(race.earlier_kind), &theirs, race.earlier));
    accesses.extend(race.earlier_check.map(|check| access(Role::Earlier, &checked, &theirs, check)));
    if let Some(seen) = race.flag.filter(|flag| flag.stack != 0) {
        let noun = format!("read of '{}', which was set first,", flag.as_deref().unwrap_or("a flag"));
        accesses.push(access(Role::Earlier, &noun, &mine, seen));
    }
    let mut finding = Finding::new(rule, told, info, None, accesses);
    finding.witnessed = race.witnessed;
    let function = |stack| if is_process_state { swapping(py, stack) } else { stacks::get(stack).first().copied() };
    if let [Some(one), Some(other)] = sides(race).map(|side| function(side.stack)) {
        let [mine, theirs] = [one, other].map(|frame| (resolve(py, frame), holder(object, part, frame)));
        finding.set_mistake(shown, [(&mine.0, &mine.1), (&theirs.0, &theirs.1)]);
    }
    finding
}

/// The variable that said that something was there, or what the code that has read it calls the container in which that was found.
fn name_of_flag(flag: AccessSite) -> Option<String> {
    // SAFETY: attached, as the caller is; the code objects of recorded stacks are kept alive.
    let container = || unsafe { NAME_HOLDER.get()?(*stacks::get(flag.stack).first()?, true) };
    flags::of_tested(flag.site).map(str::to_owned).or_else(container)
}

/// What the code at this place calls the object that holds what was raced for; the object's class if it has no name for it.
fn holder(object: &Bound<'_, PyAny>, part: Part, frame: RawFrame) -> String {
    let is_attribute = matches!(part, Part::Attribute(_));
    let name = match part {
        Part::Global(_) | Part::State(_) => return GLOBALS.to_owned(),
        Part::Variable(_) => return CLOSURE.to_owned(),
        Part::Attribute(_) | Part::Item(_) | Part::Element(_) | Part::Structure | Part::Position => {
            // SAFETY: attached, as whoever has a Bound; the code objects of recorded stacks are kept alive.
            NAME_HOLDER.get().and_then(|name| unsafe { name(frame, is_attribute) })
        }
    };
    name.unwrap_or_else(|| format!("<{}>", type_name(object)))
}

/// `sys.stdout`, if it is something like that, or anything that is swapped like it.
fn process_state(object: &Bound<'_, PyAny>, part: Part, is_swapper: bool) -> Option<String> {
    if let Part::State(what) = part {
        return Some(what.to_owned());
    }
    if is_swapper {
        // SAFETY: alive while the access is noted.
        let key = |key: *mut ffi::PyObject| unsafe { Bound::from_borrowed_ptr_or_opt(object.py(), key) };
        // Of all that is swapped, only the environment has keys of bytes.
        let item = if let Part::Item(item) = part { key(item) } else { None };
        return Some(match item.and_then(|key| key.cast_into_exact::<PyBytes>().ok()) {
            Some(name) => format!("os.environ['{}']", String::from_utf8_lossy(name.as_bytes())),
            None => describe(object, part),
        });
    }
    let Part::Attribute(name) = part else { return None };
    let module = naming::module(object)?;
    let (_, names) = PROCESS_STATE.iter().find(|(known, _)| *known == module)?;
    names.contains(&name).then(|| format!("{module}.{name}"))
}

/// What was raced for, in the words of the program.
pub(crate) fn describe(object: &Bound<'_, PyAny>, part: Part) -> String {
    describe_as(object, part, None)
}

/// The same, in the words of the code that runs now.
pub(crate) fn describe_here(object: &Bound<'_, PyAny>, part: Part) -> String {
    describe_as(object, part, naming::expression(object))
}

/// The same, given what the code calls the object.
fn describe_as(object: &Bound<'_, PyAny>, part: Part, name: Option<String>) -> String {
    let class = naming::class(object);
    match (part, name) {
        (Part::Attribute(attribute), _) => format!("{}.{attribute}", naming::module(object).unwrap_or(class)),
        (Part::Global(name), _) => match naming::module(object) {
            Some(module) => format!("global {module}.{name}"),
            None => format!("global {name}"),
        },
        (Part::Variable(name), _) => format!("variable {name}"),
        (Part::Item(key), name) => {
            // SAFETY: alive while the access is noted.
            let key = unsafe { Bound::from_borrowed_ptr_or_opt(object.py(), key) };
            if let (Some(module), Some(Ok(name))) = (naming::module(object), key.as_ref().map(|key| key.extract::<String>())) {
                return format!("{module}.{name}");
            }
            format!("{}[{}]", name.unwrap_or(class), key.as_ref().map_or_else(|| "...".to_owned(), naming::shown))
        }
        (Part::Element(number), name) => format!("{}[{number}]", name.unwrap_or(class)),
        (Part::State(what), _) => what.to_owned(),
        (Part::Structure | Part::Position, Some(name)) => format!("{class} {name}"),
        (Part::Structure | Part::Position, None) => {
            let article = if class.starts_with(['A', 'E', 'I', 'O', 'a', 'e', 'i', 'o']) { "an" } else { "a" };
            format!("{article} {class}")
        }
    }
}
