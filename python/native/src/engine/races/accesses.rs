//! From a probe that was hit to accesses of locations: which object, which part of it, what is done to it.

use crate::engine::order;
use crate::engine::races::field;
use crate::engine::races::noted::{Touch, Written};
use crate::engine::races::probe_site::{Probe, peek};
use crate::engine::races::slices::Slice;
use crate::engine::races::touch::is_private;
use crate::engine::races::{
    container_sync, containers, dictionaries, encoders, handed_over, locations, missing, names, states, taken_off, values, walks,
};
use crate::evidence::naming;
use crate::evidence::race::Part;
use crate::interpreter::{attributes, frames, header};
use crate::thread::context::ThreadContext;
use crate::thread::outcome::Outcome;
use ftsan::patcher::Action;
use ftsan::patcher::known_calls::{self, CallEffect as Call, Container, Method};
use ftsan::races::access::Value;
use ftsan::races::matrix::AccessKind;
use ftsan::scope::REFUSES_WHILE;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::CStr;

/// The object that a probe is about, given what it was handed; null if there is none that matters.
///
/// # Safety
/// Called from a probe, attached; `handed` is alive.
#[inline]
pub(crate) unsafe fn object_of(probe: &Probe, handed: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe {
        let is_on_the_stack = std::ptr::eq(handed.cast(), probe) && probe.object != 0;
        let handed = if is_on_the_stack { peek(probe.object) } else { handed };
        match probe.action {
            Action::ReadGlobal | Action::WriteGlobal | Action::DeleteGlobal => frames::globals(),
            Action::Iterate | Action::EndIteration => walks::subject(handed),
            Action::Function if matches!(probe.call, Some(Call::ReadState | Call::WriteState)) => states::home(handed),
            // A method that is bound already.
            Action::Function if handed.is_null() => attributes::bound_to(peek(probe.callable)),
            // A view is private; what it is of may not be.
            Action::Function | Action::Contains => containers::viewed(handed),
            Action::Method => {
                let class = ffi::Py_TYPE(handed);
                if [&raw mut ffi::PyMethodDescr_Type, &raw mut ffi::PyWrapperDescr_Type].contains(&class)
                    || probe.callable != 0 && containers::is_method_of_library(handed)
                {
                    peek(probe.object)
                } else if probe.callable == 0 {
                    handed
                } else if class == &raw mut ffi::PyCFunction_Type {
                    containers::bound_to(handed, probe.name)
                } else {
                    // A method of a slot (`super().__setitem__`).  Else the place of `self` is empty: what is called is no method of a type.
                    attributes::bound_to(handed)
                }
            }
            Action::ReadAttribute
            | Action::WriteAttribute
            | Action::DeleteAttribute
            | Action::ReadItem
            | Action::WriteItem
            | Action::DeleteItem
            | Action::ReadSlice
            | Action::WriteSlice
            | Action::Truth
            | Action::Await
            | Action::Update
            | Action::ReadCell
            | Action::WriteCell
            | Action::DeleteCell
            | Action::Import
            | Action::Suspend
            | Action::Finalize => handed,
        }
    }
}

/// What the calling thread is about to do to `object`.
///
/// # Safety
/// Called from a probe, attached; `object` is alive.
pub(crate) unsafe fn note(here: &'static ThreadContext, probe: &'static Probe, object: *mut ffi::PyObject) -> Outcome {
    if here.order.holds_ignored() {
        return Outcome::Continue;
    }
    // If a loop asks the same again, it had not found what it waits for: nothing was handed over by then.
    let polls = if probe.facts.is_polled() { (u64::from(probe.site) << 32) ^ object as u64 } else { 0 };
    if here.races.polled_at.replace(polls) != polls || polls == 0 {
        container_sync::settle(here);
    }
    order::heed_announcements(here);
    here.races.probed.set(0);
    // A context manager does not swap what it keeps of its own.
    let is_of_attribute = || matches!(probe.action, Action::ReadAttribute | Action::WriteAttribute | Action::DeleteAttribute);
    if probe.is_swapper && is_of_attribute() && probe.name != REFUSES_WHILE {
        return Outcome::Continue;
    }
    // SAFETY: passed on.
    unsafe {
        match probe.action {
            Action::Import => order::imported(),
            Action::Suspend => return crate::engine::locks::suspends(),
            Action::Finalize => order::acquire_all(),
            Action::ReadAttribute => return attribute(here, probe, object, AccessKind::Read),
            // Of several threads one finds it there, as with `pop`.
            Action::DeleteAttribute if probe.is_handled => return attribute(here, probe, object, AccessKind::Atomic),
            Action::WriteAttribute | Action::DeleteAttribute => return attribute(here, probe, object, AccessKind::Write),
            Action::ReadGlobal => return global(here, probe, object, AccessKind::Read),
            Action::WriteGlobal | Action::DeleteGlobal => return global(here, probe, object, AccessKind::Write),
            Action::ReadCell => return cell(here, probe, object, AccessKind::Read),
            Action::WriteCell | Action::DeleteCell => return cell(here, probe, object, AccessKind::Write),
            Action::ReadItem | Action::WriteItem | Action::DeleteItem | Action::Contains => return item(here, probe, object),
            Action::ReadSlice if probe.is_taken => return whole(here, probe, object, Call::Read),
            Action::ReadSlice => {}
            Action::WriteSlice => return slice(here, probe, object),
            Action::Update => return update(here, probe, object),
            Action::Truth => return whole(here, probe, object, Call::Read),
            Action::Await => wait_for_what_is_put(here, probe, object),
            Action::Iterate => return walks::begin(here, probe, peek(probe.object)),
            Action::EndIteration => return walks::end(here, peek(probe.object)),
            Action::Method => return method(here, probe, object),
            Action::Function => return function(here, probe, object),
        }
    }
    Outcome::Continue
}

/// A loop waits with an object; if that is a container, for what others put into it.
unsafe fn wait_for_what_is_put(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject) {
    // SAFETY: passed on by `note`.
    unsafe {
        let Some(inner) = containers::inner(object) else { return };
        if !is_private(inner.object) && (Touch { here, probe, object: inner.object }).is_waiting() {
            container_sync::take(here, inner.object);
        }
    }
}

unsafe fn attribute(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject, kind: AccessKind) -> Outcome {
    // SAFETY: passed on by `note`, here and below.
    unsafe {
        if kind == AccessKind::Read && probe.facts.is_polled() {
            // Something that is counted down by others, as the unfinished tasks of a queue are.
            container_sync::take(here, object);
        }
        if kind == AccessKind::Read && probe.name == "__dict__" {
            dictionaries::expose(object);
            return Outcome::Continue;
        }
        if probe.action == Action::WriteAttribute && probe.name == "__dict__" {
            dictionaries::share(object, peek(probe.value));
        }
        if kind == AccessKind::Read && taken_off::may_be(probe.field) {
            let outcome = taken_off::read(here, probe, object, probe.name, probe.field);
            if outcome == Outcome::Raised {
                return outcome;
            }
        }
        let is_part = |writes| locations::is_location(object, probe.name, probe.field, writes);
        if is_private(object) || !is_part(!kind.is_read()) {
            return Outcome::Continue;
        }
        if probe.action == Action::DeleteAttribute
            && let Outcome::Raised = taken_off::deleted(here, probe, object, probe.name, probe.field)
        {
            return Outcome::Raised;
        }
        let written = if kind == AccessKind::Write { value(here, probe) } else { Written::UNKNOWN };
        let home = dictionaries::home(object);
        Touch { here, probe, object }.write(home, probe.field, kind, written, Part::Attribute(probe.name))
    }
}

unsafe fn global(here: &'static ThreadContext, probe: &Probe, globals: *mut ffi::PyObject, kind: AccessKind) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        if is_private(globals) {
            return Outcome::Continue;
        }
        let written = if kind == AccessKind::Write { value(here, probe) } else { Written::UNKNOWN };
        Touch { here, probe, object: globals }.write(globals, probe.field, kind, written, Part::Global(probe.name))
    }
}

unsafe fn cell(here: &'static ThreadContext, probe: &Probe, cell: *mut ffi::PyObject, kind: AccessKind) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        if is_private(cell) {
            return Outcome::Continue;
        }
        let written = if kind == AccessKind::Write { value(here, probe) } else { Written::UNKNOWN };
        Touch { here, probe, object: cell }.write(cell, field::CONTENT, kind, written, Part::Variable(probe.name))
    }
}

/// An in-place operator; its right operand is above the left one.
unsafe fn update(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on by `note`; what is on the stack is alive.
    unsafe {
        if let Outcome::Raised = merge(here, probe, object, peek(probe.object.saturating_sub(1))) {
            return Outcome::Raised;
        }
        whole(here, probe, object, Call::Insert)
    }
}

/// A dictionary that nobody else has is merged into another one.
///
/// # Safety
/// Attached; `object` is alive, and so is the other one, which may be null.
unsafe fn merge(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject, other: *mut ffi::PyObject) -> Outcome {
    /// A few keys are named, and what is read of them before is remembered.
    const MOST: ffi::Py_ssize_t = 16;
    // SAFETY: passed on; a dictionary that is private to the calling thread is changed by nobody meanwhile.
    unsafe {
        if other.is_null()
            || ffi::Py_TYPE(other) != &raw mut ffi::PyDict_Type
            || !header::is_private(other)
            || ffi::PyDict_Size(other) > MOST
        {
            return Outcome::Continue;
        }
        let Some(inner) = containers::inner(object) else { return Outcome::Continue };
        let is_dictionary = matches!(inner.family, Container::Dict | Container::OrderedDict | Container::DefaultDict);
        if !is_dictionary || is_private(inner.object) {
            return Outcome::Continue;
        }
        let touch = Touch { here, probe, object: inner.object };
        let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        while ffi::PyDict_Next(other, &raw mut position, &raw mut key, &raw mut value) != 0 {
            if probe.is_first
                && let Outcome::Raised = touch.first(values::value(value))
            {
                return Outcome::Raised;
            }
            if let Outcome::Raised = touch.merged(key, value, inner.family) {
                return Outcome::Raised;
            }
        }
        Outcome::Continue
    }
}

/// What is about to be written to something that threads share.
unsafe fn value(here: &ThreadContext, probe: &Probe) -> Written {
    // SAFETY: passed on by `note`; what is on the stack is alive.
    unsafe {
        let object = peek(probe.value);
        if object.is_null() { Written::UNKNOWN } else { written(here, object) }
    }
}

/// What `object` is as a value, which is about to be written to something that threads share.
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn written(here: &ThreadContext, object: *mut ffi::PyObject) -> Written {
    // SAFETY: passed on.
    unsafe {
        let value = values::value(object);
        if !value.is_object() || !header::is_private(object) {
            return Written::now(value);
        }
        let epoch = Some(here.order.clock().epoch());
        // Others can reach it from now on: what its creator does to it next is no secret any more.
        handed_over::hand_over(object);
        Written { value, epoch }
    }
}

/// What the forms of `object[key]` are called, and what they do.
const ITEMS: [(Action, &CStr, Call); 3] = [
    (Action::ReadItem, c"__getitem__", Call::Read),
    (Action::WriteItem, c"__setitem__", Call::Write),
    (Action::DeleteItem, c"__delitem__", Call::Take),
];

/// `object[key]` in all its forms, and `key in object`.
unsafe fn item(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        let class = ffi::Py_TYPE(object);
        if class == &raw mut ffi::PyDictProxy_Type {
            return of_class(here, probe, object);
        }
        let Some(inner) = containers::inner(object) else { return Outcome::Continue };
        let (object, container) = (inner.object, inner.family);
        let (method, call) = ITEMS
            .iter()
            .find(|(action, ..)| *action == probe.action)
            .map_or((c"__contains__", Call::Read), |(_, method, call)| (*method, *call));
        if probe.action != Action::ReadItem && !header::is_private(object) {
            container_sync::meet(object);
        }
        if is_private(object) || containers::is_overridden(class, method) {
            return Outcome::Continue;
        }
        let key = peek(probe.key);
        if key.is_null() {
            return Outcome::Continue;
        }
        if probe.action == Action::ReadItem && missing::may_fill(class, container) {
            return Touch { here, probe: &missing::look(probe), object }.item(key, call, Written::UNKNOWN, container);
        }
        let touch = Touch { here, probe, object };
        let outcome = touch.item(key, call, value(here, probe), container);
        // The variables of a process's environment are bytes: code that replaces one for good reads it by the same function.
        if !probe.is_swapper || outcome == Outcome::Raised || call != Call::Read || ffi::PyUnicode_Check(key) == 0 {
            return outcome;
        }
        touch.until_put_back(object, values::key(key), Part::Item(key))
    }
}

/// `object[start:stop] = value`: the ends lie above the object, and the value below.
unsafe fn slice(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on by `note`; what is on the stack is alive.
    unsafe {
        let Some(inner) = containers::inner(object) else { return Outcome::Continue };
        if !header::is_private(inner.object) {
            container_sync::meet(inner.object);
        }
        if is_private(inner.object) {
            return Outcome::Continue;
        }
        let slice = Slice::between([peek(2), peek(1)], peek(probe.value));
        Touch { here, probe, object: inner.object }.slice(&slice, inner.family)
    }
}

/// `class.__dict__[name]`, which `namespace` is: a read of the class's attribute, if the class is a variable of the function.
#[cold]
unsafe fn of_class(here: &'static ThreadContext, probe: &Probe, namespace: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on by `note`; the function's variables are alive.
    unsafe {
        let py = Python::assume_attached();
        let Some(frame) = frames::own().next() else { return Outcome::Continue };
        let is_its = |value: &Bound<'_, PyAny>| attributes::is_namespace_of(namespace, value.as_ptr());
        match naming::locals_of(py, frame).iter().find(|(_, value)| is_its(value)) {
            Some((_, class)) => attribute_named(here, probe, class.as_ptr(), false, [peek(probe.key), std::ptr::null_mut()]),
            None => Outcome::Continue,
        }
    }
}

/// A method that is known by its name.
unsafe fn method(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        let Some(inner) = containers::inner(object) else { return Outcome::Continue };
        let (object, container) = (inner.object, inner.family);
        let Some(method) = known_calls::method(probe.name, container) else { return Outcome::Continue };
        if method.name == "update"
            && !is_private(object)
            && let Outcome::Raised = named_values(here, probe, object, container)
        {
            return Outcome::Raised;
        }
        let more = if probe.key > 1 { peek(probe.key - 1) } else { std::ptr::null_mut() };
        let outcome = perform(here, probe, object, method, [peek(probe.key), more], container);
        here.races.probed.set(object as usize);
        outcome
    }
}

/// `update(name=value)`: the names are on top of the stack, and the values below, the first one deepest.
unsafe fn named_values(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject, container: Container) -> Outcome {
    // SAFETY: passed on by `note`; the stack is that of the call.
    unsafe {
        let names = if probe.keywords > 0 { peek(1) } else { std::ptr::null_mut() };
        let is_dictionary = matches!(container, Container::Dict | Container::OrderedDict | Container::DefaultDict);
        if names.is_null() || ffi::PyTuple_Check(names) == 0 || !is_dictionary {
            return Outcome::Continue;
        }
        let touch = Touch { here, probe, object };
        let count = probe.keywords.min(u16::try_from(ffi::PyTuple_GET_SIZE(names)).unwrap_or(0));
        for place in 0..count {
            let (key, value) = (ffi::PyTuple_GET_ITEM(names, place as ffi::Py_ssize_t), peek(count + 1 - place));
            if !value.is_null()
                && let Outcome::Raised = touch.merged(key, value, container)
            {
                return Outcome::Raised;
            }
        }
        Outcome::Continue
    }
}

/// A method of a container is called; `arguments` are the first two, or null.
///
/// # Safety
/// Attached; what is passed is alive.
pub(super) unsafe fn perform(
    here: &'static ThreadContext,
    probe: &Probe,
    object: *mut ffi::PyObject,
    method: &Method,
    [key, more]: [*mut ffi::PyObject; 2],
    container: Container,
) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        if method.effect != Call::Read && !header::is_private(object) {
            container_sync::meet(object);
        }
        if is_private(object) {
            return Outcome::Continue;
        }
        if method.name == "update"
            && let Outcome::Raised = merge(here, probe, object, key)
        {
            return Outcome::Raised;
        }
        if method.effect == Call::Insert {
            handed_over::put_into(object, key);
        } else if method.name == "setdefault" {
            handed_over::put_into(object, more);
        }
        Touch { here, probe, object }.method(method, key, !more.is_null(), container)
    }
}

/// A function that is known by its name, of one of its arguments.
unsafe fn function(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject) -> Outcome {
    let Some(function) = known_calls::function(probe.name) else { return Outcome::Continue };
    // SAFETY: passed on by `note`.
    unsafe {
        if function.name == "vars" {
            dictionaries::expose(object);
            return Outcome::Continue;
        }
        if let Call::ReadAttribute | Call::WriteAttribute = function.effect {
            return named(here, probe, object, function.effect == Call::WriteAttribute);
        }
        if let Call::ReadState | Call::WriteState = function.effect {
            return states::access(here, probe, object, function);
        }
        let container = containers::family(ffi::Py_TYPE(object));
        let is_snapshot = container.is_some_and(|container| function.snapshots.contains(&container));
        let begins_again = probe.is_handled && container.is_some_and(Container::notices_changes);
        // A copy is made in one step, of whatever there is, or again until it was.
        if is_snapshot || begins_again {
            return Outcome::Continue;
        }
        if function.module == "copy" && encoders::is_copied_by_itself(Python::assume_attached(), ffi::Py_TYPE(object)) {
            return Outcome::Continue;
        }
        if function.module == "bisect" && !probe.is_placed {
            return Outcome::Continue;
        }
        let outcome = whole(here, probe, object, function.effect);
        here.races.probed.set(object as usize);
        outcome
    }
}

/// `getattr`, `setattr` and the like, of an attribute whose name is the second argument.
unsafe fn named(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject, writes: bool) -> Outcome {
    // SAFETY: passed on by `note`; the arguments lie above the first one.
    unsafe {
        if probe.object < 2 {
            return Outcome::Continue;
        }
        let value = if writes && probe.object > 2 { peek(probe.object - 2) } else { std::ptr::null_mut() };
        let outcome = attribute_named(here, probe, object, writes, [peek(probe.object - 1), value]);
        here.races.probed.set(object as usize);
        outcome
    }
}

/// An attribute of an object, by its name; the value may be null.
///
/// # Safety
/// Attached; what is passed is alive.
pub(super) unsafe fn attribute_named(
    here: &'static ThreadContext,
    probe: &Probe,
    object: *mut ffi::PyObject,
    writes: bool,
    [name, value]: [*mut ffi::PyObject; 2],
) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        if name.is_null() || is_private(object) {
            return Outcome::Continue;
        }
        let py = Python::assume_attached();
        let Ok(name) = Bound::from_borrowed_ptr(py, name).cast_into_exact::<pyo3::types::PyString>() else {
            return Outcome::Continue;
        };
        let Ok((name, hash)) = names::intern(py, &name.to_string_lossy()) else { return Outcome::Continue };
        if !writes
            && taken_off::may_be(hash)
            && let Outcome::Raised = taken_off::read(here, probe, object, name, hash)
        {
            return Outcome::Raised;
        }
        let is_part = if probe.name.starts_with("__") {
            locations::is_generic(peek(probe.callable)) && locations::is_reached_by_generic(object, name)
        } else {
            locations::is_location(object, name, hash, writes)
        };
        if !is_part {
            return Outcome::Continue;
        }
        if writes
            && value.is_null()
            && let Outcome::Raised = taken_off::deleted(here, probe, object, name, hash)
        {
            return Outcome::Raised;
        }
        let written = if writes && !value.is_null() { written(here, value) } else { Written::UNKNOWN };
        let kind = match (writes, value.is_null() && probe.is_handled) {
            (false, _) => AccessKind::Read,
            // Of several threads one finds it there, as with `del`.
            (true, true) => AccessKind::Atomic,
            (true, false) => AccessKind::Write,
        };
        let touch = Touch { here, probe, object };
        let outcome = touch.write(dictionaries::home(object), hash, kind, written, Part::Attribute(name));
        if !probe.is_swapper || writes || outcome == Outcome::Raised {
            outcome
        } else {
            touch.until_put_back(dictionaries::home(object), hash, Part::Attribute(name))
        }
    }
}

/// Something done to an object as a whole.
unsafe fn whole(here: &'static ThreadContext, probe: &Probe, object: *mut ffi::PyObject, call: Call) -> Outcome {
    // SAFETY: passed on by `note`.
    unsafe {
        let is_step = matches!(call, Call::Iterate | Call::Advance);
        let inner = containers::inner(object);
        let object = inner.as_ref().map_or(object, |inner| inner.object);
        let is_container = inner.as_ref().is_some_and(|inner| !inner.family.is_generator());
        if is_container && !is_step && !header::is_private(object) {
            // A look at whether there is something, before it is taken.
            container_sync::meet(object);
        }
        if !(is_container || is_step && containers::is_iterator(object)) || is_private(object) {
            return Outcome::Continue;
        }
        let touch = Touch { here, probe, object };
        if is_container {
            return touch.call(call);
        }
        touch.access(object, field::POSITION, AccessKind::Advance, Value::UNKNOWN, Part::Position)
    }
}
