//! Injects a prologue into a Python function: `del site[self]` right after its first `RESUME`.  Or something else at another [`Insertion`].
//!
//! The function object, its signature, its line numbers and its specialisation stay as they are; only its `__code__` is
//! replaced by one that is a few instructions longer.

use crate::intercept::bytecode::code_data::Seen;
use crate::intercept::bytecode::opcodes;
use crate::intercept::masquerade::original_view;
use crate::interpreter::code_fields::{self, Code, Parts};
use crate::interpreter::functions::{self, code_of};
use crate::interpreter::replaced;
use ftsan::patcher::{self, Opcodes, Operand};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// What the interpreter says about its bytecode.
#[derive(Debug)]
pub(crate) struct Bytecode {
    has_versions: bool,
    opcodes: &'static Opcodes,
}

impl Bytecode {
    /// The one of this interpreter, made when it is first asked for.
    pub(crate) fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static BYTECODE: OnceLock<Bytecode> = OnceLock::new();
        if BYTECODE.get().is_none() {
            let _ = BYTECODE.set(Self::ask(py)?);
        }
        BYTECODE.get().ok_or_else(|| PyRuntimeError::new_err("no bytecode"))
    }

    fn ask(py: Python<'_>) -> PyResult<Self> {
        code_fields::load(py).map_err(PyRuntimeError::new_err)?;
        Ok(Bytecode { has_versions: functions::have_versions(py)?, opcodes: opcodes::get(py)? })
    }
}

/// Where a site is called, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Insertion {
    /// `del site[self]` at the beginning.
    Beginning,
    /// `site[self] = result` before each return, in a function that keeps its `self`; without arguments, `site[site] = result`.
    End,
    /// `argument = site[argument]` at the beginning, for the argument of this number, which no closure has.
    Argument(u16),
}

/// Gives `function` a prologue that calls `site` with its first argument.
pub(crate) fn inject(bytecode: &Bytecode, function: &Bound<'_, PyAny>, site: Py<PyAny>) -> PyResult<()> {
    inject_at(bytecode, function, site, Insertion::Beginning)
}

/// Makes `function` call `site`.
pub(crate) fn inject_at(bytecode: &Bytecode, function: &Bound<'_, PyAny>, site: Py<PyAny>, place: Insertion) -> PyResult<()> {
    let py = function.py();
    let wrong = || PyValueError::new_err("the function has too few arguments, or no RESUME, or is a closure's");
    let argument = if let Insertion::Argument(number) = place { number } else { 0 };
    let has_argument = |code: &Code<'_>| code.arguments() > i32::from(argument) || place == Insertion::End;
    let code = Code::of(&code_of(function)?).filter(has_argument).ok_or_else(wrong)?;
    let parts = original_view::parts(&code)?;
    // A cell variable that is an argument keeps the argument's index.
    let is_cell = code.arguments() > 0 && code.cells()?.contains(code.variables()?.get_item(usize::from(argument))?)?;
    let handed = match code.arguments() {
        0 => Operand::Site,
        _ if is_cell => Operand::Cell(argument),
        _ => Operand::Local(argument),
    };
    let old = [parts.bytes.as_bytes(), parts.exceptions.as_bytes(), parts.lines.as_bytes()];
    let index = u32::try_from(parts.constants.len())?;
    let new = match place {
        Insertion::Beginning => patcher::after_entry(bytecode.opcodes, old, index, handed),
        Insertion::End => patcher::before_returns(bytecode.opcodes, old, index, handed),
        Insertion::Argument(_) if is_cell => None,
        Insertion::Argument(number) => patcher::replacing(bytecode.opcodes, old, index, number),
    };
    let new = new.ok_or_else(wrong)?;
    let constants: Vec<Bound<'_, PyAny>> = parts.constants.iter().chain([site.into_bound(py)]).collect();
    let with_site = code.with(&Parts {
        bytes: PyBytes::new(py, &new.bytes),
        constants: PyTuple::new(py, constants)?,
        lines: PyBytes::new(py, &new.lines),
        exceptions: PyBytes::new(py, &new.exceptions),
        stack_size: parts.stack_size + patcher::PROBE_STACK as i32 + 1,
    })?;
    original_view::attach(&with_site, &code, new.map, Seen::Shown)?;
    if replaced::is_kept() {
        replace_for_now(bytecode, function, &code, &with_site);
        return Ok(());
    }
    function.setattr("__code__", with_site.object())?;
    if bytecode.has_versions {
        functions::renew_version(function, &with_site);
    }
    Ok(())
}

/// Gives `function`, which other threads may be calling, other code until it is put back.
fn replace_for_now(bytecode: &Bytecode, function: &Bound<'_, PyAny>, theirs: &Code<'_>, ours: &Code<'_>) {
    let version = if bytecode.has_versions { ours.version() } else { functions::CLEARED };
    let before = (theirs.object().clone().unbind(), functions::version(function).load(Ordering::Relaxed));
    replaced::code(function, before, (ours.object().clone().unbind(), version));
}
