//! From a probe that was hit to accesses of locations: which object, which part of it, what is done to it.
//!
//! Attributes and keys are locations of their own: threads that fill different slots do not meet.  The structure of a container (which
//! keys there are) is another one.  An object's life and a hash of the part name a location.

use crate::engine::order;
use crate::engine::races::probe_site::{Probe, peek};
use crate::engine::races::{confirm, container_sync, containers, locations, review, shared, values, walks};
use crate::evidence::race::{self, Part};
use crate::evidence::thread_names;
use crate::interpreter::attributes;
use crate::interpreter::header::{self, ESCAPED, SEEN};
use crate::thread::context::Here;
use crate::thread::outcome::Outcome;
use ftsan::patcher::Action;
use ftsan::patcher::known_calls::{self, CallEffect as Call, Container};
use ftsan::races::access::{Access, Place, Value};
use ftsan::races::clock::Epoch;
use ftsan::races::lifetimes::Mark;
use ftsan::races::matrix::Kind;
use ftsan::races::{location, mix};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_char};

/// Fields of locations that are no names or keys.
mod field {
    pub(crate) const STRUCTURE: u64 = 0x5354_5255;
    pub(crate) const POSITION: u64 = 0x504f_5349;
    pub(crate) const CONTENT: u64 = 0x434f_4e54;
}

/// What is known of an access beside its kind.
#[derive(Clone, Copy, Default)]
struct Flags {
    is_checkable: bool,
    is_new: bool,
    /// What was put there may have been handed over in the meantime.
    is_taken: bool,
    /// When it was handed over, if it was.
    epoch: Option<Epoch>,
    /// Of a step of an iteration: where it was at the last one.
    since: Option<u16>,
}

/// One access of a part of an object that more than one thread has touched.
struct Touch<'a> {
    here: &'static Here,
    probe: &'a Probe,
    object: *mut ffi::PyObject,
}

/// The object that a probe is about, given what it was handed; null if there is none that matters.
///
/// # Safety
/// Called from a probe, attached; `handed` is alive.
#[inline]
pub(crate) unsafe fn object_of(probe: &Probe, handed: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe {
        let action = probe.action;
        let is_on_the_stack = std::ptr::eq(handed.cast(), probe) && probe.object != 0;
        let handed = if is_on_the_stack { peek(probe.object) } else { handed };
        if matches!(probe.call, Some(Call::ReadState | Call::WriteState)) {
            state_of(handed)
        } else if matches!(action, Action::Iterate | Action::EndIteration) {
            walks::subject(handed)
        } else if action == Action::Function && !handed.is_null() {
            // A view is private; what it is of may not be.
            containers::viewed(handed)
        } else if action == Action::Method && ffi::Py_TYPE(handed) == &raw mut ffi::PyMethodDescr_Type {
            peek(probe.object)
        } else if action == Action::Method && probe.callable != 0 {
            // The place of `self` is empty if what is called is no method of a type.
            std::ptr::null_mut()
        } else if matches!(action, Action::ReadGlobal | Action::WriteGlobal | Action::DeleteGlobal) {
            ffi::PyEval_GetGlobals()
        } else {
            handed
        }
    }
}

/// What the calling thread is about to do to `object`.
///
/// # Safety
/// Called from a probe, attached; `object` is alive.
pub(crate) unsafe fn note(here: &'static Here, probe: &'static Probe, object: *mut ffi::PyObject) -> Outcome {
    if here.order.holds_ignored() {
        return Outcome::Continue;
    }
    container_sync::settle(here);
    order::heed_announcements(here);
    // What a context manager keeps of its own is not what it swaps.
    if probe.is_swapper && matches!(probe.action, Action::ReadAttribute | Action::WriteAttribute | Action::DeleteAttribute) {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    unsafe {
        match probe.action {
            Action::Import => order::imported(),
            Action::Suspend => return crate::engine::locks::suspends(),
            Action::Finalize => order::acquire_all(),
            Action::ReadAttribute => return attribute(here, probe, object, Kind::Read),
            Action::WriteAttribute | Action::DeleteAttribute => return attribute(here, probe, object, Kind::Write),
            Action::ReadGlobal => return global(here, probe, object, Kind::Read),
            Action::WriteGlobal | Action::DeleteGlobal => return global(here, probe, object, Kind::Write),
            Action::ReadCell => return cell(here, probe, object, Kind::Read),
            Action::WriteCell | Action::DeleteCell => return cell(here, probe, object, Kind::Write),
            Action::ReadItem | Action::WriteItem | Action::DeleteItem | Action::Contains => return item(here, probe, object),
            Action::ReadSlice => {}
            Action::WriteSlice => return whole(here, probe, object, Call::Write),
            Action::Update => return whole(here, probe, object, Call::Insert),
            Action::Truth => return whole(here, probe, object, Call::Read),
            Action::Iterate => return walks::begin(here, probe, peek(probe.object)),
            Action::EndIteration => return walks::end(here, peek(probe.object)),
            Action::Method => return method(here, probe, object),
            Action::Function => return function(here, probe, object),
        }
    }
    Outcome::Continue
}

/// Whether nobody but its creator has touched it yet; from now on it counts as shared if not.
///
/// # Safety
/// Attached; `object` is alive.
pub(super) unsafe fn is_private(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe {
        if header::is_immortal(object) || (header::is_private(object) && !shared::is_strict()) {
            return true;
        }
        escape(object);
        false
    }
}

/// Others than its creator have touched it.
///
/// # Safety
/// As [`is_private`].
unsafe fn escape(object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if header::bits(object) & ESCAPED == 0 {
            header::set(object, ESCAPED);
        }
    }
}

/// Whether an access of an object was noted since it was born.
struct Seen(*mut ffi::PyObject);

impl Mark for Seen {
    #[inline(always)]
    fn is_set(&self) -> bool {
        // SAFETY: made by `Touch::noted` for an object that is alive as long as that runs.
        unsafe { header::bits(self.0) & SEEN != 0 }
    }

    fn set(&self) {
        // SAFETY: as in `is_set`.
        unsafe { header::set(self.0, SEEN) };
    }
}

unsafe fn attribute(here: &'static Here, probe: &Probe, object: *mut ffi::PyObject, kind: Kind) -> Outcome {
    // SAFETY: passed on by `note`, here and below.
    unsafe {
        if kind == Kind::Read && probe.is_polled {
            // Something that is counted down by others, as the unfinished tasks of a queue are.
            container_sync::take(here, object);
        }
        let is_part = |writes| locations::is_location(object, probe.name, probe.field, writes);
        if is_private(object) || !is_part(kind == Kind::Write) || is_thread_local(object) {
            return Outcome::Continue;
        }
        let value = if kind == Kind::Write { value(probe) } else { Value::UNKNOWN };
        let home = home(object);
        Touch { here, probe, object }.access(home, probe.field, kind, value, Part::Attribute(probe.name))
    }
}

/// The object that stands for an object's attributes.  A dictionary among them may be reached as such, so it is no secret of its creator.
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn home(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a live object keeps its dictionary alive.
    unsafe {
        let home = attributes::home(object);
        if !std::ptr::eq(home, object) {
            escape(home);
        }
        home
    }
}

unsafe fn global(here: &'static Here, probe: &Probe, globals: *mut ffi::PyObject, kind: Kind) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        if is_private(globals) {
            return Outcome::Continue;
        }
        let value = if kind == Kind::Write { value(probe) } else { Value::UNKNOWN };
        Touch { here, probe, object: globals }.access(globals, probe.field, kind, value, Part::Global(probe.name))
    }
}

unsafe fn cell(here: &'static Here, probe: &Probe, cell: *mut ffi::PyObject, kind: Kind) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        if is_private(cell) {
            return Outcome::Continue;
        }
        let value = if kind == Kind::Write { value(probe) } else { Value::UNKNOWN };
        Touch { here, probe, object: cell }.access(cell, field::CONTENT, kind, value, Part::Variable(probe.name))
    }
}

/// Whether each thread sees attributes of its own.
unsafe fn is_thread_local(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on by `note`; a type keeps its bases and its name alive.
    unsafe {
        // By its name: a module that is made anew has another type.
        let is_local = |class: *mut ffi::PyTypeObject| {
            let name = (*class).tp_name;
            *name == b'_' as c_char && CStr::from_ptr(name) == c"_thread._local"
        };
        let base = |class: &*mut ffi::PyTypeObject| Some((**class).tp_base).filter(|base| !base.is_null());
        let mut classes = std::iter::successors(Some(ffi::Py_TYPE(object)), base);
        classes.any(is_local)
    }
}

unsafe fn value(probe: &Probe) -> Value {
    // SAFETY: passed on by `note`; what is on the stack is alive.
    unsafe {
        let value = peek(probe.value);
        if value.is_null() { Value::UNKNOWN } else { values::value(value) }
    }
}

/// What the forms of `object[key]` are called, and what they do.
const ITEMS: [(Action, &CStr, Call); 3] = [
    (Action::ReadItem, c"__getitem__", Call::Read),
    (Action::WriteItem, c"__setitem__", Call::Write),
    (Action::DeleteItem, c"__delitem__", Call::Take),
];

/// `object[key]` in all its forms, and `key in object`.
unsafe fn item(here: &'static Here, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let Some(container) = containers::family(class) else { return Outcome::Continue };
        let (method, call) = ITEMS
            .iter()
            .find(|(action, ..)| *action == probe.action)
            .map_or((c"__contains__", Call::Read), |(_, method, call)| (*method, *call));
        if call == Call::Take {
            container_sync::meet(object);
        }
        if is_private(object) || containers::is_overridden(class, method) {
            return Outcome::Continue;
        }
        let touch = Touch { here, probe, object };
        let key = peek(probe.key);
        if key.is_null() {
            return Outcome::Continue;
        }
        if is_sequence(container) {
            let is_index = ffi::PyLong_Check(key) != 0;
            // Whether a sequence has an element is a question about all of it.
            return if probe.action == Action::Contains {
                touch.structure(Kind::Read, false)
            } else if call == Call::Take {
                container_sync::take(here, object);
                touch.structure(Kind::Atomic, !probe.is_handled)
            } else if is_index {
                let kind = if call == Call::Write { Kind::Write } else { Kind::Read };
                touch.indexed(key, container, kind, value(probe))
            } else if call == Call::Write {
                touch.structure(Kind::Write, false)
            } else {
                Outcome::Continue
            };
        }
        if container == Container::DefaultDict && probe.action == Action::ReadItem && touch.lacks(key, container) {
            // It will be made and put there.
            if let Outcome::Raised = touch.element(key, Kind::Read, Value::UNKNOWN) {
                return Outcome::Raised;
            }
            return touch.keyed(key, Call::Atomic, Value::UNKNOWN, container);
        }
        touch.keyed(key, call, value(probe), container)
    }
}

fn is_sequence(container: Container) -> bool {
    matches!(container, Container::List | Container::Deque | Container::ByteArray | Container::Array)
}

/// A method that is known by its name.
unsafe fn method(here: &'static Here, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let Some(container) = containers::family(class) else { return Outcome::Continue };
        let Some(method) = known_calls::method(probe.name, container) else { return Outcome::Continue };
        if let Call::Take | Call::Atomic = method.effect {
            container_sync::meet(object);
        }
        if is_private(object) {
            return Outcome::Continue;
        }
        let touch = Touch { here, probe, object };
        let key = peek(probe.key);
        if container == Container::Generator {
            return touch.access(object, field::POSITION, Kind::Advance, Value::UNKNOWN, Part::Position);
        }
        if !method.is_keyed {
            // One look, or a copy, of whatever there is.
            return if method.effect == Call::Read { Outcome::Continue } else { touch.call(method.effect) };
        }
        if key.is_null() {
            return Outcome::Continue;
        }
        touch.keyed(key, method.effect, Value::UNKNOWN, container)
    }
}

/// A function that is known by its name, of one of its arguments.
unsafe fn function(here: &'static Here, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    let Some(function) = known_calls::function(probe.name) else { return Outcome::Continue };
    // SAFETY: passed on by `note`.
    unsafe {
        if let Call::ReadAttribute | Call::WriteAttribute = function.effect {
            return named(here, probe, object, function.effect == Call::WriteAttribute);
        }
        if let Call::ReadState | Call::WriteState = function.effect {
            let kind = if function.effect == Call::WriteState { Kind::Write } else { Kind::Read };
            let touch = Touch { here, probe, object };
            return touch.access(object, field::CONTENT, kind, Value::UNKNOWN, Part::State("the current directory"));
        }
        let container = containers::family(ffi::Py_TYPE(object));
        let is_snapshot = container.is_some_and(|container| function.snapshots.contains(&container));
        // A copy is made in one step, of whatever there is.
        if is_snapshot {
            return Outcome::Continue;
        }
        whole(here, probe, object, function.effect)
    }
}

/// What stands for the state that a built-in function is about: its module; null if it is another function.
unsafe fn state_of(callable: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on by `note`.
    unsafe {
        if ffi::Py_TYPE(callable) == &raw mut ffi::PyCFunction_Type {
            ffi::PyCFunction_GetSelf(callable)
        } else {
            std::ptr::null_mut()
        }
    }
}

/// `getattr`, `setattr` and the like, of an attribute whose name is the second argument.
unsafe fn named(here: &'static Here, probe: &Probe, object: *mut ffi::PyObject, writes: bool) -> Outcome {
    // SAFETY: passed on by `note`; the arguments lie above the first one.
    unsafe {
        if probe.object < 2 || is_private(object) || is_thread_local(object) {
            return Outcome::Continue;
        }
        let py = Python::assume_attached();
        let Ok(name) = Bound::from_borrowed_ptr(py, peek(probe.object - 1)).cast_into_exact::<pyo3::types::PyString>() else {
            return Outcome::Continue;
        };
        let Ok((name, hash)) = crate::engine::races::names::intern(py, &name.to_string_lossy()) else { return Outcome::Continue };
        // `object.__setattr__` and the like go round what the class says.
        let is_part = if probe.name.starts_with("__") {
            locations::is_generic(peek(probe.callable))
        } else {
            locations::is_location(object, name, hash, writes)
        };
        if !is_part {
            return Outcome::Continue;
        }
        let value = if writes && probe.object > 2 { values::value(peek(probe.object - 2)) } else { Value::UNKNOWN };
        let kind = if writes { Kind::Write } else { Kind::Read };
        Touch { here, probe, object }.access(home(object), hash, kind, value, Part::Attribute(name))
    }
}

/// Something done to an object as a whole.
unsafe fn whole(here: &'static Here, probe: &Probe, object: *mut ffi::PyObject, call: Call) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        let is_step = matches!(call, Call::Iterate | Call::Advance);
        let family = containers::family(ffi::Py_TYPE(object));
        let is_container = family.is_some_and(|family| family != Container::Generator);
        if !(is_container || is_step && containers::is_iterator(object)) || is_private(object) {
            return Outcome::Continue;
        }
        let touch = Touch { here, probe, object };
        if is_container {
            return touch.call(call);
        }
        touch.access(object, field::POSITION, Kind::Advance, Value::UNKNOWN, Part::Position)
    }
}

/// A step of an iteration, which began `since`.
///
/// # Safety
/// Attached; `container` is alive.
pub(super) unsafe fn iterate(here: &'static Here, probe: &Probe, container: *mut ffi::PyObject, since: Option<u16>) -> Outcome {
    let flags = Flags { since, ..Flags::default() };
    let touch = Touch { here, probe, object: container };
    // SAFETY: passed on.
    unsafe { touch.noted(container, field::STRUCTURE, Kind::Iterate, Value::UNKNOWN, flags, Part::Structure) }
}

/// A step of an iterator that threads share.
///
/// # Safety
/// Attached; `iterator` is alive.
pub(super) unsafe fn advance(here: &'static Here, probe: &Probe, iterator: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        Touch { here, probe, object: iterator }.access(iterator, field::POSITION, Kind::Advance, Value::UNKNOWN, Part::Position)
    }
}

impl Touch<'_> {
    /// One element of a sequence.
    unsafe fn indexed(&self, index: *mut ffi::PyObject, container: Container, kind: Kind, value: Value) -> Outcome {
        // SAFETY: passed on by `note`.
        unsafe {
            let mut number = ffi::PyLong_AsLongLong(index);
            if number == -1 && !ffi::PyErr_Occurred().is_null() {
                ffi::PyErr_Clear();
                return Outcome::Continue;
            }
            if number < 0 {
                let is_list = container == Container::List;
                // Of other sequences the size comes first, as in every object of variable size.
                number += if is_list { ffi::PyList_GET_SIZE(self.object) as i64 } else { ffi::Py_SIZE(self.object) as i64 };
            }
            self.noted(self.object, mix(number as u64), kind, value, Flags::default(), Part::Item(index))
        }
    }

    /// A call that concerns the container as a whole.
    unsafe fn call(&self, call: Call) -> Outcome {
        let (kind, is_checkable) = match call {
            Call::Read => (Kind::Read, false),
            Call::Iterate | Call::Advance => (Kind::Iterate, false),
            Call::Insert => {
                // SAFETY: passed on by `note`.
                return unsafe {
                    let verdict = self.structure(Kind::Insert, false);
                    container_sync::put(self.object);
                    verdict
                };
            }
            Call::Take => {
                container_sync::take(self.here, self.object);
                (Kind::Atomic, !self.probe.is_handled)
            }
            Call::Atomic => (Kind::Atomic, false),
            Call::Update => (Kind::Update, false),
            Call::Write => (Kind::Write, false),
            Call::ReadAttribute | Call::WriteAttribute | Call::ReadState | Call::WriteState => return Outcome::Continue,
        };
        // SAFETY: passed on by `note`.
        unsafe { self.structure(kind, is_checkable) }
    }

    /// What a call does to what is behind a key, and to which keys there are.
    unsafe fn keyed(&self, key: *mut ffi::PyObject, call: Call, value: Value, container: Container) -> Outcome {
        // SAFETY: passed on by `note`.
        unsafe {
            let (kind, is_checkable) = match call {
                Call::Read | Call::Iterate | Call::Advance => {
                    self.await_what_is_put();
                    return self.element(key, Kind::Read, Value::UNKNOWN);
                }
                Call::Write => (Kind::Write, false),
                Call::ReadAttribute | Call::WriteAttribute | Call::ReadState | Call::WriteState => return Outcome::Continue,
                Call::Update => (Kind::Update, false),
                Call::Atomic => (Kind::Atomic, false),
                Call::Insert => (Kind::Atomic, true),
                // With a default, nothing needs to be there.
                Call::Take => (Kind::Atomic, !self.probe.is_handled && !(self.probe.name == "pop" && self.probe.key > 1)),
            };
            let adds = call != Call::Take && self.may_lack(key, container);
            // What is replaced is not handed over unless it may change, or it would order whoever counts in a dictionary.
            let is_put = adds || call == Call::Write && value.is_object();
            let is_taken = matches!(call, Call::Take | Call::Atomic);
            let epoch = is_put.then(|| self.here.order.clock().epoch());
            if is_put {
                // Before it is noted: whoever finds the note may have what was put there.
                container_sync::put(self.object);
            }
            if is_taken {
                container_sync::take_now(self.here, self.object);
            }
            let flags = Flags { is_checkable, is_new: adds, is_taken, epoch, since: None };
            let value = match (adds, call) {
                // What is in a set is all that it says, whoever has put it there first.
                (_, Call::Insert) if self.probe.is_answer => Value::of(values::key(key)),
                (true, _) => value.as_answer(),
                (false, _) => value,
            };
            if let Outcome::Raised = self.noted(self.object, values::key(key), kind, value, flags, Part::Item(key)) {
                return Outcome::Raised;
            }
            if call == Call::Take {
                return self.structure(Kind::Atomic, false);
            }
            if !adds {
                return Outcome::Continue;
            }
            let flags = Flags { epoch, ..Flags::default() };
            self.noted(self.object, field::STRUCTURE, Kind::Insert, Value::UNKNOWN, flags, Part::Structure)
        }
    }

    /// Whether the key is certainly not there.
    unsafe fn lacks(&self, key: *mut ffi::PyObject, container: Container) -> bool {
        // SAFETY: passed on by `note`.
        unsafe { values::is_plain_key(key) && self.may_lack(key, container) }
    }

    /// Whether the key may not be there.
    unsafe fn may_lack(&self, key: *mut ffi::PyObject, container: Container) -> bool {
        // SAFETY: passed on by `note`; a plain key runs no code of the program.
        unsafe {
            if !values::is_plain_key(key) {
                return true;
            }
            let contains = if container == Container::Set { ffi::PySet_Contains } else { ffi::PyDict_Contains };
            contains(self.object, key) == 0
        }
    }

    /// Whoever polls a container until something is there has waited for who put it there.
    fn await_what_is_put(&self) {
        if self.probe.is_polled {
            container_sync::take(self.here, self.object);
        }
    }

    unsafe fn structure(&self, kind: Kind, is_checkable: bool) -> Outcome {
        if kind == Kind::Read {
            self.await_what_is_put();
        }
        let flags = Flags { is_checkable, ..Flags::default() };
        // SAFETY: passed on by `note`.
        unsafe { self.noted(self.object, field::STRUCTURE, kind, Value::UNKNOWN, flags, Part::Structure) }
    }

    unsafe fn element(&self, key: *mut ffi::PyObject, kind: Kind, value: Value) -> Outcome {
        // SAFETY: passed on by `note`.
        unsafe { self.noted(self.object, values::key(key), kind, value, Flags::default(), Part::Item(key)) }
    }

    unsafe fn access(&self, home: *mut ffi::PyObject, field: u64, kind: Kind, value: Value, part: Part) -> Outcome {
        // SAFETY: passed on by `note`.
        unsafe { self.noted(home, field, kind, value, Flags::default(), part) }
    }

    unsafe fn noted(
        &self,
        home: *mut ffi::PyObject,
        field: u64,
        kind: Kind,
        value: Value,
        Flags { is_checkable, is_new, is_taken, epoch, since }: Flags,
        part: Part,
    ) -> Outcome {
        let (probe, races) = (self.probe, shared::get());
        let life = races.lifetimes.of(home as u64, &Seen(home));
        let access = Access {
            location: location(life, field),
            kind,
            site: probe.site,
            code: probe.code,
            value,
            is_tested: probe.is_tested,
            is_polled: probe.is_polled,
            is_checkable,
            is_new,
            is_constant: probe.is_constant,
            is_awaited: probe.is_awaited,
            is_last: self.here.order.is_last(),
            epoch,
            is_asked: probe.is_asked,
            is_acting: probe.is_acting,
            is_guard: probe.is_guard,
            owner: Value::identity(self.object as u64),
            since,
        };
        let clock = self.here.order.clock();
        if !self.here.races.is_introduced.replace(true) {
            // SAFETY: passed on by `note`.
            thread_names::introduce(unsafe { Python::assume_attached() }, clock.epoch());
        }
        // SAFETY: passed on by `note`.
        unsafe { confirm::meet(probe, access.location) };
        let mut verdict = Outcome::Continue;
        // SAFETY: passed on by `note`.
        let stack = || unsafe { self.here.stacks.record() };
        let kind = races.shadow.access(&access, clock, &self.here.races.memory, stack, |race| {
            if is_taken {
                // Whoever put it there has released it before it was noted, but perhaps after this thread has asked.
                container_sync::take_now(self.here, self.object);
                if clock.has_seen(race.earlier_thread) {
                    return;
                }
            }
            confirm::suspect(&race);
            // SAFETY: passed on by `note`.
            if let Outcome::Raised = unsafe { race::found(self.object, part, probe.is_swapper, &race) } {
                verdict = Outcome::Raised;
            }
        });
        if review::is_on() {
            // SAFETY: passed on by `note`.
            unsafe {
                let place = Place { site: probe.site, stack: self.here.stacks.record() };
                review::note(self.object, part, access.location, clock.epoch(), kind, place);
            }
        }
        verdict
    }
}
