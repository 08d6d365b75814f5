//! A patched code object looks like its original to the program: the view that it carries, and what is shown of it.
//!
//! Only the interpreter sees the patched one: the code that runs it, prints tracebacks or finds a handler reads its tables, which
//! agree with each other.  The original itself is not kept, because it is part of a code object that usually dies when its module
//! was executed: the view has what differs, and makes an equal one when somebody asks for what only a code object can answer.
//!
//! Nested code objects that are shown in `co_consts` are the patched ones, so that they are identical to what functions have.
//!
//! Code that the program may have seen before it was patched is another matter: programs key by code objects (trio by those of
//! functions that are protected from Ctrl-C).  That original is kept, with all that is nested in it, and shown in the place of the
//! patched one.  The two hold each other for good, so this is for functions that were there when the watching began, and code that
//! is assigned to functions.
//!
//! Of code that the program itself executes or makes a function of, the original is shown as long as somebody has it who may compare it.  It is not kept: it keeps the
//! patched one, and code that is made at run time goes with its functions.

use crate::engine::races::probe::{self, Probes};
use crate::intercept::bytecode::code_data::{self, Extra, Seen, View};
use crate::intercept::bytecode::opcodes;
use crate::interpreter::code_fields::{Code, Parts};
use crate::interpreter::py_ref::{Lazy, Owned, Weak};
use crate::thread::probe_switch;
use ftsan::patcher::{self, UnitMap};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::ffi::c_int;
use std::sync::Arc;

impl View {
    /// The view of what is made of `code` with this map; if `code` is a patched one itself, of its original.
    pub(crate) fn new(code: &Code<'_>, map: UnitMap, seen: Seen) -> PyResult<Self> {
        // SAFETY: alive.
        if let Some(inner) = unsafe { code_data::view(code.object().as_ptr()) } {
            let py = code.object().py();
            return Ok(View {
                bytes: Owned::of(&inner.bytes::<PyBytes>(py)),
                lines: Owned::of(&inner.lines::<PyBytes>(py)),
                exceptions: Owned::of(&inner.exceptions::<PyBytes>(py)),
                stack_size: inner.stack_size,
                constants: inner.constants,
                shown_constants: Lazy::default(),
                original: inner.known(py).map_or_else(Lazy::default, |original| Lazy::of(&original)),
                is_known: inner.is_known,
                source: inner.source.get(py).as_ref().map_or_else(Weak::default, Weak::of),
                maps: inner.maps.iter().cloned().chain([map]).collect(),
                probes: inner.probes.clone(),
                switches: None,
            });
        }
        let parts = code.parts()?;
        Ok(View {
            bytes: Owned::of(&parts.bytes),
            lines: Owned::of(&parts.lines),
            exceptions: Owned::of(&parts.exceptions),
            stack_size: parts.stack_size,
            constants: parts.constants.len(),
            shown_constants: Lazy::default(),
            original: if seen == Seen::Shown { Lazy::of(code.object()) } else { Lazy::default() },
            is_known: seen == Seen::Shown,
            source: if seen == Seen::Perhaps { Weak::of(code.object()) } else { Weak::default() },
            maps: vec![map],
            probes: Vec::new(),
            switches: None,
        })
    }

    pub(crate) fn bytes<'py, T>(&self, py: Python<'py>) -> Bound<'py, T> {
        self.bytes.bound(py)
    }

    pub(crate) fn lines<'py, T>(&self, py: Python<'py>) -> Bound<'py, T> {
        self.lines.bound(py)
    }

    pub(crate) fn exceptions<'py, T>(&self, py: Python<'py>) -> Bound<'py, T> {
        self.exceptions.bound(py)
    }

    pub(crate) fn stack_size(&self) -> c_int {
        self.stack_size
    }

    /// The original, if it is to be shown in the place of the code object that has this view.
    pub(crate) fn known<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        if self.is_known { self.original.get(py) } else { self.source.get(py) }
    }

    /// `co_consts` as it is shown of the code object that has this view.
    pub(crate) fn constants<'py>(&self, code: &Code<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = code.constants();
        if let Some(original) = self.known(all.py()).as_ref().and_then(Code::of) {
            return Ok(original.constants().into_any());
        }
        self.shown_constants.get_or_make(all.py(), || Ok(shown(&all.get_slice(0, self.constants))?.into_any()))
    }

    /// A code object that is equal to the original of the code object that has this view, down to nested ones.
    pub(crate) fn original<'py>(&self, code: &Code<'py>) -> PyResult<Bound<'py, PyAny>> {
        let py = code.object().py();
        self.original.get_or_make(py, || {
            let constants = code.constants().get_slice(0, self.constants);
            let parts = Parts {
                bytes: self.bytes(py),
                constants: originals(&constants)?.unwrap_or(constants),
                lines: self.lines(py),
                exceptions: self.exceptions(py),
                stack_size: self.stack_size,
            };
            Ok(code.with(&parts)?.object().clone())
        })
    }

    /// What the program sees of a byte offset into the patched code.
    pub(crate) fn shown_offset(&self, offset: c_int) -> c_int {
        let shown = |unit| self.maps.iter().rev().fold(unit, |unit, map| map.to_original(unit));
        u32::try_from(offset).map_or(offset, |offset| (shown(offset / 2) * 2) as c_int)
    }

    /// As [`View::shown_offset`], of where a jump leads.
    pub(crate) fn shown_target(&self, offset: c_int) -> c_int {
        let shown = |unit| self.maps.iter().rev().fold(unit, |unit, map| map.target_to_original(unit));
        u32::try_from(offset).map_or(offset, |offset| (shown(offset / 2) * 2) as c_int)
    }

    /// Whether the instruction at this byte offset is one of ours.
    pub(crate) fn is_inserted(&self, offset: c_int) -> bool {
        let Ok(offset) = u32::try_from(offset) else { return false };
        let mut unit = offset / 2;
        self.maps.iter().rev().any(|map| {
            let is_inserted = map.is_inserted(unit);
            unit = map.to_original(unit);
            is_inserted
        })
    }

    /// Where in the patched code a byte offset is that the program was shown.
    pub(crate) fn real_offset(&self, offset: c_int) -> c_int {
        let real = |unit| self.maps.iter().fold(unit, |unit, map| map.to_patched(unit));
        u32::try_from(offset).map_or(offset, |offset| (real(offset / 2) * 2) as c_int)
    }
}

/// The stand-in for a code object where only its original will do: a copy of the original, or the object itself if neither it nor
/// what is nested in it is patched.
pub(crate) fn original<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let Some(code) = Code::of(object) else { return Ok(object.clone()) };
    // SAFETY: alive.
    if let Some(view) = unsafe { code_data::view(object.as_ptr()) } {
        return view.original(&code);
    }
    match originals(&code.constants())? {
        Some(constants) => Ok(code.with(&Parts { constants, ..code.parts()? })?.object().clone()),
        None => Ok(object.clone()),
    }
}

/// As [`original`], without an extra of ours, so that the interpreter calls it basic and its size is the original's; `None` if this one
/// has none.
pub(crate) fn basic<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    // SAFETY: alive.
    if unsafe { code_data::known(object.as_ptr()) }.is_none() {
        return Ok(None);
    }
    let original = original(object)?;
    // SAFETY: alive.
    if unsafe { code_data::known(original.as_ptr()) }.is_none() {
        return Ok(Some(original));
    }
    let Some(code) = Code::of(&original) else { return Ok(None) };
    Ok(Some(code.with(&code.parts()?)?.object().clone()))
}

/// The constants with originals in the place of patched code; `None` if there is none among them.
fn originals<'py>(constants: &Bound<'py, PyTuple>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let mut replaced: Option<Vec<Bound<'py, PyAny>>> = None;
    for (at, constant) in constants.iter().enumerate() {
        if Code::of(&constant).is_none() {
            continue;
        }
        let original = original(&constant)?;
        if !original.is(&constant) {
            replaced.get_or_insert_with(|| constants.iter().collect())[at] = original;
        }
    }
    replaced.map(|constants_| PyTuple::new(constants.py(), constants_)).transpose()
}

/// The constants as they are shown: of patched code whose original is known, that.
fn shown<'py>(constants: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyTuple>> {
    let py = constants.py();
    let known = |constant: &Bound<'py, PyAny>| {
        // SAFETY: a live code object.
        let view = Code::of(constant).and_then(|_| unsafe { code_data::view(constant.as_ptr()) });
        view.and_then(|view| view.known(py))
    };
    if !constants.iter().any(|constant| known(&constant).is_some()) {
        return Ok(constants.clone());
    }
    PyTuple::new(py, constants.iter().map(|constant| known(&constant).unwrap_or(constant)))
}

/// The parts of a code object, patched or not, with all its probes on.
pub(crate) fn parts<'py>(code: &Code<'py>) -> PyResult<Parts<'py>> {
    let parts = code.parts()?;
    // SAFETY: alive.
    let Some(switches) = unsafe { code_data::view(code.object().as_ptr()) }.and_then(|view| view.switches.as_ref()) else {
        return Ok(parts);
    };
    let mut bytes = parts.bytes.as_bytes().to_vec();
    switches.set_on(&mut bytes);
    Ok(Parts { bytes: PyBytes::new(code.object().py(), &bytes), ..parts })
}

/// Lets `patched` look like `code`, of which it was made, or like what that looks like; if nobody asks for views, there are none.
pub(crate) fn attach(patched: &Code<'_>, code: &Code<'_>, map: UnitMap, seen: Seen) -> PyResult<()> {
    if !code_data::is_loaded() {
        return Ok(());
    }
    let mut view = View::new(code, map, seen)?;
    view.probes.push(Arc::new(Probes::among(patched.constants().iter().skip(code.constants().len()))));
    if probe_switch::concerns_new_code() {
        let constants = patched.constants();
        let is_switched = |constant: u32| constants.get_item(constant as usize).is_ok_and(|site| probe::is_switched(&site));
        let switches = patcher::switches(opcodes::get(constants.py())?, patched.bytes()?.as_bytes(), is_switched);
        let (folded, switched) =
            if probe_switch::is_folding() { probe::fold(&constants, switches) } else { (Vec::new(), switches) };
        view.switches = probe_switch::take_up(patched, switched, folded);
    }
    // SAFETY: alive.
    let is_chosen = unsafe { code_data::is_chosen(code.object().as_ptr()) }.into();
    code_data::of(patched.object(), Extra { view: Some(view), is_chosen, ..Extra::default() }).map(|_| ())
}

/// As [`attach`], and makes it what `code` is replaced by from now on; returns what that is, if another thread was faster.
pub(crate) fn publish<'py>(code: &Code<'py>, patched: &Code<'py>, map: UnitMap, seen: Seen) -> PyResult<Bound<'py, PyAny>> {
    attach(patched, code, map, seen)?;
    Ok(code_data::of(code.object(), Extra::default())?.patched.set(patched.object()))
}
