//! From what is done to an object that threads share to accesses of its parts.
//!
//! Attributes and keys are locations of their own: threads that fill different slots do not meet.  The structure of a container (which
//! keys there are) is another one.

use crate::engine::races::noted::{Details, Touch, Written};
use crate::engine::races::probe_site::{Probe, peek};
use crate::engine::races::reused::Reused;
use crate::engine::races::slices::Slice;
use crate::engine::races::{container_sync, containers, field, shared, values, waits};
use crate::evidence::race::Part;
use crate::interpreter::header::{self, ESCAPED};
use crate::thread::context::ThreadContext;
use crate::thread::outcome::Outcome;
use ftsan::patcher::Action;
use ftsan::patcher::known_calls::{self, CallEffect as Call, Container, Method};
use ftsan::races::access::Value;
use ftsan::races::clock::Epoch;
use ftsan::races::facts::AccessFacts;
use ftsan::races::matrix::AccessKind;
use ftsan::races::mix;
use pyo3::ffi;

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
pub(crate) unsafe fn escape(object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if header::bits(object) & ESCAPED == 0 {
            header::set(object, ESCAPED);
        }
    }
}

/// Names the place of an element that a sequence is looked through for before it is added.
///
/// # Safety
/// Attached; `element` is alive.
unsafe fn claimed(element: *mut ffi::PyObject) -> u64 {
    // SAFETY: passed on.
    mix(unsafe { values::key(element) } ^ field::ELEMENT)
}

/// Whether a key is the slice `[:]`.
///
/// # Safety
/// Attached; `key` is alive.
unsafe fn is_everything(key: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; a slice has its ends.
    unsafe {
        let none = ffi::Py_None();
        let slice = key.cast::<ffi::PySliceObject>();
        ffi::PySlice_Check(key) != 0 && (*slice).start == none && (*slice).stop == none
    }
}

fn is_sequence(container: Container) -> bool {
    matches!(container, Container::List | Container::Deque | Container::ByteArray | Container::Array)
}

/// A step of an iteration, which began `since`.
///
/// # Safety
/// Attached; `container` is alive.
pub(super) unsafe fn iterate(
    here: &'static ThreadContext,
    probe: &Probe,
    container: *mut ffi::PyObject,
    since: Option<u16>,
) -> Outcome {
    let details = Details { since, ..Details::default() };
    let touch = Touch { here, probe, object: container };
    // SAFETY: passed on.
    unsafe { touch.noted(container, field::STRUCTURE, AccessKind::Iterate, Value::UNKNOWN, details, Part::Structure) }
}

/// A step of an iterator that threads share.
///
/// # Safety
/// Attached; `iterator` is alive.
pub(super) unsafe fn advance(here: &'static ThreadContext, probe: &Probe, iterator: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        Touch { here, probe, object: iterator }.access(
            iterator,
            field::POSITION,
            AccessKind::Advance,
            Value::UNKNOWN,
            Part::Position,
        )
    }
}

impl Touch<'_> {
    /// `object[key]` in all its forms.
    pub(super) unsafe fn item(&self, key: *mut ffi::PyObject, call: Call, written: Written, container: Container) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe {
            if is_sequence(container) {
                if call == Call::Take && self.shrinks() == Outcome::Raised {
                    return Outcome::Raised;
                }
                // Whether a sequence has an element is a question about all of it.
                return if self.probe.action == Action::Contains {
                    let outcome = self.looks_for(key);
                    if outcome == Outcome::Raised { outcome } else { self.structure(AccessKind::Read, false) }
                } else if call == Call::Take
                    && let Outcome::Raised = self.moves(AccessKind::Write)
                {
                    Outcome::Raised
                } else if call == Call::Take && is_everything(key) {
                    let clear = known_calls::method("clear", container).map_or(0, |method| method.name.as_ptr() as u64);
                    self.change_all(Value::repeatable(mix(clear)))
                } else if call == Call::Take {
                    self.takes_away(!self.probe.is_handled)
                } else if call == Call::Read
                    && self.probe.is_taken
                    && let Outcome::Raised = self.structure(AccessKind::Read, false)
                {
                    // What is there is about to be taken away.
                    Outcome::Raised
                } else if ffi::PyLong_Check(key) != 0 {
                    let kind = if call == Call::Write { AccessKind::Write } else { AccessKind::Read };
                    self.indexed(key, container, kind, written)
                } else if call == Call::Write {
                    self.slice(&Slice::of(key, peek(self.probe.value)), container)
                } else {
                    Outcome::Continue
                };
            }
            if container == Container::DefaultDict && self.probe.action == Action::ReadItem && self.lacks(key, container) {
                // It will be made and put there.
                if let Outcome::Raised = self.element(key, AccessKind::Read, Value::UNKNOWN) {
                    return Outcome::Raised;
                }
                return self.keyed(key, Call::Atomic, false, Written::UNKNOWN, container);
            }
            if self.probe.is_first
                && call == Call::Write
                && let Outcome::Raised = self.first(written.value)
            {
                return Outcome::Raised;
            }
            if self.probe.is_placed
                && call == Call::Write
                && let Outcome::Raised = self.numbered()
            {
                return Outcome::Raised;
            }
            self.keyed(key, call, false, written, container)
        }
    }

    /// A call of a method of a container; `key` is its first argument, or null, and not the only one if `has_more`.
    pub(super) unsafe fn method(&self, method: &Method, key: *mut ffi::PyObject, has_more: bool, container: Container) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe {
            let shrinks = is_sequence(container) && (method.effect == Call::Take && !method.is_keyed || method.name == "clear");
            if shrinks && self.shrinks() == Outcome::Raised {
                return Outcome::Raised;
            }
            if container.is_generator() {
                self.access(self.object, field::POSITION, AccessKind::Advance, Value::UNKNOWN, Part::Position)
            } else if !method.is_keyed {
                // One look, or a copy, of whatever there is.
                if method.effect == Call::Read {
                    self.await_what_is_put();
                    if !key.is_null() && self.looks_for(key) == Outcome::Raised {
                        return Outcome::Raised;
                    }
                    let is_look = self.probe.is_placed || self.probe.is_taken;
                    if is_look { self.structure(AccessKind::Read, false) } else { Outcome::Continue }
                } else if self.probe.is_emptied {
                    self.empty(container)
                } else if method.is_repeatable && key.is_null() {
                    self.change_all(Value::repeatable(mix(method.name.as_ptr() as u64)))
                } else if self.probe.is_claim && !key.is_null() && is_sequence(container) {
                    let details = Details { facts: AccessFacts::CHECKABLE, ..Details::default() };
                    if let Outcome::Raised =
                        self.noted(self.object, claimed(key), AccessKind::Atomic, Value::UNKNOWN, details, Part::Item(key))
                    {
                        return Outcome::Raised;
                    }
                    if let Outcome::Raised = self.takes_room() {
                        return Outcome::Raised;
                    }
                    self.call(method.effect)
                } else if self.probe.is_placed && !key.is_null() && method.effect == Call::Insert && is_sequence(container) {
                    // The new element is made of how much there was.
                    let number = self.numbered();
                    if number == Outcome::Raised { number } else { self.adds(false) }
                } else if self.probe.is_first && method.effect == Call::Insert && is_sequence(container) {
                    let room = self.takes_room();
                    if room == Outcome::Raised { room } else { self.call(method.effect) }
                } else {
                    self.call(method.effect)
                }
            } else if key.is_null() {
                Outcome::Continue
            } else if is_sequence(container) {
                self.item(key, method.effect, Written::UNKNOWN, container)
            } else {
                if self.probe.is_first
                    && method.effect == Call::Insert
                    && let Outcome::Raised = self.first(values::value(key))
                {
                    return Outcome::Raised;
                }
                if self.probe.is_placed
                    && self.may_lack(key, container)
                    && let Outcome::Raised = self.numbered()
                {
                    return Outcome::Raised;
                }
                let is_sure = method.name == "discard" || method.name == "pop" && has_more;
                self.keyed(key, method.effect, is_sure, Written::UNKNOWN, container)
            }
        }
    }

    /// One element of a sequence.
    unsafe fn indexed(&self, index: *mut ffi::PyObject, container: Container, kind: AccessKind, written: Written) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
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
            let is_told = kind == AccessKind::Write && waits::is_waited_for(self.probe.field);
            if is_told {
                container_sync::put(self.object);
            }
            let epoch = written.epoch.or_else(|| is_told.then(|| self.here.order.clock().epoch()));
            self.write(self.object, mix(number as u64), kind, Written { epoch, ..written }, Part::Item(index))
        }
    }

    /// A call that concerns the container as a whole.
    pub(super) unsafe fn call(&self, call: Call) -> Outcome {
        if call == Call::Read && (self.probe.is_claim || self.probe.is_first || self.probe.is_placed) {
            // SAFETY: the object is alive, and so is what it is done with.
            let outcome = unsafe {
                self.noted(self.object, field::ROOM, AccessKind::Read, Value::UNKNOWN, Details::default(), Part::Structure)
            };
            if outcome == Outcome::Raised {
                return outcome;
            }
        }
        if call == Call::Read && self.probe.is_indexed {
            // SAFETY: as above.
            let outcome = unsafe { self.length(AccessKind::Iterate) };
            if outcome == Outcome::Raised {
                return outcome;
            }
        }
        let (kind, is_checkable) = match call {
            Call::Read => (AccessKind::Read, false),
            Call::Iterate | Call::Advance => (AccessKind::Iterate, false),
            // SAFETY: the object is alive, and so is what it is done with.
            Call::Insert => return unsafe { self.adds(self.probe.is_placed) },
            // SAFETY: as above.
            Call::Take => return unsafe { self.takes_away(!self.probe.is_handled) },
            Call::Atomic => (AccessKind::Atomic, false),
            Call::Update => (AccessKind::Update, false),
            Call::Write => (AccessKind::Write, false),
            Call::ReadAttribute | Call::WriteAttribute | Call::ReadState | Call::WriteState => return Outcome::Continue,
        };
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.structure(kind, is_checkable) }
    }

    /// Something is added: where a place was looked for, another one is wrong by then.
    unsafe fn adds(&self, is_placed: bool) -> Outcome {
        let kind = if is_placed { AccessKind::Atomic } else { AccessKind::Insert };
        let epoch = Some(self.here.order.clock().epoch());
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe {
            // Before it is noted, as with keys: whoever finds the note may have what was put there.
            container_sync::put(self.object);
            let details = Details { facts: AccessFacts::CHECKABLE.when(is_placed), epoch, ..Details::default() };
            self.noted(self.object, field::STRUCTURE, kind, Value::UNKNOWN, details, Part::Structure)
        }
    }

    /// What a call does to what is behind a key, and to which keys there are.  `is_sure`: with a default, nothing needs to be there.
    unsafe fn keyed(
        &self,
        key: *mut ffi::PyObject,
        call: Call,
        is_sure: bool,
        Written { value, epoch }: Written,
        container: Container,
    ) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe {
            let reused = Reused::of(key);
            let is_told = call == Call::Take && (reused.is_some() || waits::is_drained());
            let epoch = if is_told { Some(self.here.order.clock().epoch()) } else { epoch };
            if let Some(reused) = reused {
                if call == Call::Take {
                    reused.free(self.object, key);
                } else if self.may_lack(key, container) {
                    reused.reuse(self.here, self.object, key);
                }
            }
            let (kind, is_checkable) = match call {
                Call::Read | Call::Iterate | Call::Advance => {
                    // Before a loop, as if that had begun.
                    if self.probe.facts.is_guard() && !self.probe.facts.is_acting() {
                        return self.structure(AccessKind::Read, false);
                    }
                    self.await_what_is_put();
                    return self.element(key, AccessKind::Read, Value::UNKNOWN);
                }
                Call::Write => (AccessKind::Write, false),
                Call::ReadAttribute | Call::WriteAttribute | Call::ReadState | Call::WriteState => return Outcome::Continue,
                Call::Update => (AccessKind::Update, false),
                Call::Atomic => (AccessKind::Atomic, false),
                Call::Insert => (AccessKind::Atomic, true),
                Call::Take => (AccessKind::Atomic, !self.probe.is_handled && !is_sure),
            };
            let adds = call != Call::Take && self.may_lack(key, container);
            // A value that is replaced is handed over only if it may change: else all threads that count in a dictionary would be ordered.
            let is_put = adds || call == Call::Write && (value.is_object() || waits::is_waited_for(self.probe.field));
            let is_taken = matches!(call, Call::Take | Call::Atomic);
            let epoch = if is_put { epoch.or_else(|| Some(self.here.order.clock().epoch())) } else { epoch };
            if is_put {
                // Before it is noted: whoever finds the note may have what was put there.
                container_sync::put(self.object);
            }
            if is_taken {
                container_sync::take_now(self.here, self.object);
            }
            if call == Call::Take {
                container_sync::drain(self.object);
            }
            let is_deletion = call == Call::Take && self.probe.action == Action::DeleteItem;
            if is_deletion {
                container_sync::vacate(self.object);
            } else if call == Call::Atomic && adds {
                container_sync::occupy(self.object);
            }
            let facts = AccessFacts::CHECKABLE.when(is_checkable)
                | AccessFacts::SURE.when(is_sure && call == Call::Take)
                | AccessFacts::NAMED.when(is_deletion && ffi::PyUnicode_CheckExact(key) != 0)
                | AccessFacts::NEW.when(adds);
            let details = Details { facts, is_taken, epoch, ..Details::default() };
            let value = match (adds, call) {
                // A set says no more than what is in it, whichever thread has put it there first.
                (_, Call::Insert) if self.probe.is_answer => Value::of(values::key(key)),
                (true, _) => value.as_answer(),
                (false, _) => value,
            };
            if let Outcome::Raised = self.noted(self.object, values::key(key), kind, value, details, Part::Item(key)) {
                return Outcome::Raised;
            }
            if call == Call::Take {
                return self.takes(self.probe.is_drawn && is_checkable, epoch);
            }
            if !adds {
                return Outcome::Continue;
            }
            // An answer too many in a cache does not matter.
            if self.probe.is_bounded
                && (call == Call::Insert || value.is_object())
                && let Outcome::Raised = self.takes_room()
            {
                return Outcome::Raised;
            }
            let details = Details { epoch, ..Details::default() };
            self.noted(self.object, field::STRUCTURE, AccessKind::Insert, Value::UNKNOWN, details, Part::Structure)
        }
    }

    /// A sequence is looked through for something, which may be added if it is not there.
    unsafe fn looks_for(&self, key: *mut ffi::PyObject) -> Outcome {
        if !self.probe.facts.is_acting() {
            return Outcome::Continue;
        }
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.noted(self.object, claimed(key), AccessKind::Read, Value::UNKNOWN, Details::default(), Part::Item(key)) }
    }

    /// Another element is put where there may have been room for it.
    unsafe fn takes_room(&self) -> Outcome {
        let details = Details { facts: AccessFacts::CHECKABLE, ..Details::default() };
        // SAFETY: the object is alive.
        unsafe { self.noted(self.object, field::ROOM, AccessKind::Atomic, Value::UNKNOWN, details, Part::Structure) }
    }

    /// The merged values are written over values that this thread has read there: `d |= {"n": d["n"] + 1}`.  Other merges commute, as far as
    /// is known.
    ///
    /// # Safety
    /// Attached; what is passed is alive.
    pub(super) unsafe fn merged(&self, key: *mut ffi::PyObject, value: *mut ffi::PyObject, container: Container) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe {
            if !values::is_plain_key(key) || !self.has_read(values::key(key)) {
                return Outcome::Continue;
            }
            self.keyed(key, Call::Write, false, Written::now(values::value(value)), container)
        }
    }

    /// Something is put into a container because there was nothing in it.
    ///
    /// # Safety
    /// Attached; what is passed is alive.
    pub(super) unsafe fn first(&self, value: Value) -> Outcome {
        // SAFETY: passed on.
        unsafe { self.noted(self.object, field::ROOM, AccessKind::Write, value, Details::default(), Part::Structure) }
    }

    /// Something is put into a container under the number of how much there was in it: whatever it is, two threads may give it the same one.
    ///
    /// # Safety
    /// Attached; the object is alive.
    unsafe fn numbered(&self) -> Outcome {
        // SAFETY: passed on.
        unsafe { self.first(Value::UNKNOWN) }
    }

    /// Whether the key is certainly not there.
    unsafe fn lacks(&self, key: *mut ffi::PyObject, container: Container) -> bool {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { values::is_plain_key(key) && self.may_lack(key, container) }
    }

    /// Whether the key may not be there.
    unsafe fn may_lack(&self, key: *mut ffi::PyObject, container: Container) -> bool {
        // SAFETY: passed on by `note`; a plain key runs no code of the program.
        unsafe {
            if !values::is_plain_key(key) {
                return true;
            }
            if container == Container::WeakDict {
                let data = containers::data(self.object);
                let lacks = data.is_null() || ffi::PyDict_Contains(data, key) == 0;
                ffi::Py_XDECREF(data);
                return lacks;
            }
            // These functions take nothing else.
            if container == Container::Set {
                ffi::PySet_Contains(self.object, key) == 0
            } else {
                ffi::PyDict_Check(self.object) == 0 || ffi::PyDict_Contains(self.object, key) == 0
            }
        }
    }

    /// Whoever polls a container until something is there has waited for who put it there; a loop that goes on until nothing is there has not.
    ///
    /// # Safety
    /// Called from a probe, attached.
    unsafe fn await_what_is_put(&self) {
        let is_polled = self.probe.facts.is_polled() && (self.probe.facts.is_awaited() || self.probe.action != Action::Truth);
        // SAFETY: passed on.
        if is_polled || unsafe { self.is_waiting() } {
            container_sync::take(self.here, self.object);
        }
        if self.probe.is_drained {
            container_sync::wait_until_drained(self.here, self.object);
        }
    }

    pub(super) unsafe fn structure(&self, kind: AccessKind, is_checkable: bool) -> Outcome {
        if kind == AccessKind::Read {
            // SAFETY: called from the probe.
            unsafe { self.await_what_is_put() };
        }
        // SAFETY: as above.
        if kind == AccessKind::Iterate && unsafe { self.is_waiting() } {
            container_sync::take(self.here, self.object);
        }
        let details = Details { facts: AccessFacts::CHECKABLE.when(is_checkable), ..Details::default() };
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.noted(self.object, field::STRUCTURE, kind, Value::UNKNOWN, details, Part::Structure) }
    }

    /// Elements get other numbers, or (`Insert`) a slice of them is written where they are.
    pub(super) unsafe fn moves(&self, kind: AccessKind) -> Outcome {
        // Two that move elements do not spoil each other's work.
        let value = if kind == AccessKind::Write { Value::repeatable(field::MOVED) } else { Value::UNKNOWN };
        // SAFETY: the object is alive.
        unsafe { self.access(self.object, field::MOVED, kind, value, Part::Structure) }
    }

    /// All of a container is written, which leaves this.
    unsafe fn change_all(&self, value: Value) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe {
            if containers::family(ffi::Py_TYPE(self.object)).is_some_and(is_sequence)
                && let Outcome::Raised = self.moves(AccessKind::Write)
            {
                return Outcome::Raised;
            }
            let epoch = waits::is_drained().then(|| self.here.order.clock().epoch());
            container_sync::drain(self.object);
            let details = Details { epoch, ..Details::default() };
            self.noted(self.object, field::STRUCTURE, AccessKind::Write, value, details, Part::Structure)
        }
    }

    /// All there is is taken away in one step, as if it was taken one after the other.
    unsafe fn empty(&self, container: Container) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe {
            if is_sequence(container)
                && let Outcome::Raised = self.moves(AccessKind::Write)
            {
                return Outcome::Raised;
            }
            let epoch = self.here.order.clock().epoch();
            container_sync::drain(self.object);
            self.takes(false, Some(epoch))
        }
    }

    /// Something of a container is taken away.
    unsafe fn takes_away(&self, is_checkable: bool) -> Outcome {
        let epoch = self.here.order.clock().epoch();
        container_sync::drain(self.object);
        container_sync::take(self.here, self.object);
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.takes(is_checkable, Some(epoch)) }
    }

    /// The same, of which others may know since then.
    unsafe fn takes(&self, is_checkable: bool, epoch: Option<Epoch>) -> Outcome {
        let facts = AccessFacts::CHECKABLE.when(is_checkable);
        let details = Details { facts, epoch: epoch.filter(|_| waits::is_drained()), ..Details::default() };
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.noted(self.object, field::STRUCTURE, AccessKind::Atomic, Value::UNKNOWN, details, Part::Structure) }
    }

    unsafe fn element(&self, key: *mut ffi::PyObject, kind: AccessKind, value: Value) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.noted(self.object, values::key(key), kind, value, Details::default(), Part::Item(key)) }
    }

    pub(super) unsafe fn write(
        &self,
        home: *mut ffi::PyObject,
        field: u64,
        kind: AccessKind,
        Written { value, epoch }: Written,
        part: Part,
    ) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.noted(home, field, kind, value, Details { epoch, ..Details::default() }, part) }
    }

    pub(super) unsafe fn access(
        &self,
        home: *mut ffi::PyObject,
        field: u64,
        kind: AccessKind,
        value: Value,
        part: Part,
    ) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.noted(home, field, kind, value, Details::default(), part) }
    }

    /// Code that replaces a value for a while puts the old one back in the end: like a walk, such a read takes more than one step.
    #[cold]
    pub(super) unsafe fn until_put_back(&self, home: *mut ffi::PyObject, field: u64, part: Part) -> Outcome {
        // SAFETY: the object is alive, and so is what it is done with.
        unsafe { self.access(home, field, AccessKind::Iterate, Value::UNKNOWN, part) }
    }
}
