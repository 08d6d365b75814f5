//! Injects a prologue into a Python function: `del site[self]` right after its first `RESUME`.  Or something else at another [`Place`].
//!
//! The function object, its signature, its line numbers and its specialisation stay as they are; only its `__code__` is
//! replaced by one that is a few instructions longer.

use crate::instrument::opcodes;
use crate::interpreter::functions::FunctionMaker;
use ftsan::patcher::{self, Handed, Opcodes};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

/// What the interpreter says about its bytecode.
#[derive(Debug)]
pub(crate) struct Bytecode {
    maker: Option<FunctionMaker>,
    opcodes: &'static Opcodes,
}

impl Bytecode {
    pub(crate) fn ask(py: Python<'_>) -> PyResult<Self> {
        Ok(Bytecode { maker: FunctionMaker::new(py)?, opcodes: opcodes::get(py)? })
    }
}

/// Where a site is called, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `del site[self]` at the beginning.
    Beginning,
    /// `site[self] = result` before each return, in a function that keeps its `self`.
    End,
    /// `argument = site[argument]` at the beginning, for the argument of this number, which no closure has.
    Argument(u16),
}

/// Gives `function` a prologue that calls `site` with its first argument.
pub(crate) fn inject(bytecode: &Bytecode, function: &Bound<'_, PyAny>, site: Py<PyAny>) -> PyResult<()> {
    inject_at(bytecode, function, site, Place::Beginning)
}

/// Makes `function` call `site`.
pub(crate) fn inject_at(bytecode: &Bytecode, function: &Bound<'_, PyAny>, site: Py<PyAny>, place: Place) -> PyResult<()> {
    let py = function.py();
    let code = function.getattr("__code__")?;
    let arguments: usize = code.getattr("co_argcount")?.extract()?;
    let constants = code.getattr("co_consts")?.cast_into::<PyTuple>()?;
    let (index, stack): (u32, u32) = (constants.len().try_into()?, code.getattr("co_stacksize")?.extract()?);
    let with_site: Vec<Bound<'_, PyAny>> = constants.iter().chain([site.into_bound(py)]).collect();

    let names: Vec<String> = code.getattr("co_varnames")?.extract()?;
    let cells: Vec<String> = code.getattr("co_cellvars")?.extract()?;
    let argument = if let Place::Argument(number) = place { number } else { 0 };
    // A cell variable that is an argument keeps the argument's index.
    let is_cell = names.get(usize::from(argument)).is_some_and(|name| cells.contains(name));
    let handed = if is_cell { Handed::Cell(argument) } else { Handed::Local(argument) };

    let part = |name: &str| -> PyResult<Bound<'_, PyBytes>> { Ok(code.getattr(name)?.cast_into()?) };
    let (text, exceptions, lines) = (part("co_code")?, part("co_exceptiontable")?, part("co_linetable")?);
    let parts = [text.as_bytes(), exceptions.as_bytes(), lines.as_bytes()];
    let patched = match place {
        _ if arguments <= usize::from(argument) => None,
        Place::Beginning => patcher::after_entry(bytecode.opcodes, parts, index, handed),
        Place::End => patcher::before_returns(bytecode.opcodes, parts, index, handed),
        Place::Argument(_) if is_cell => None,
        Place::Argument(number) => patcher::replacing(bytecode.opcodes, parts, index, number),
    };
    let Some(patched) = patched else {
        return Err(PyValueError::new_err("the function has too few arguments, or no RESUME, or is a closure's"));
    };

    let changes = PyDict::new(py);
    changes.set_item("co_code", PyBytes::new(py, &patched.bytes))?;
    changes.set_item("co_consts", PyTuple::new(py, with_site)?)?;
    changes.set_item("co_exceptiontable", PyBytes::new(py, &patched.exceptions))?;
    changes.set_item("co_linetable", PyBytes::new(py, &patched.lines))?;
    changes.set_item("co_stacksize", stack + patcher::PROBE_STACK + 1)?;
    function.setattr("__code__", code.call_method("replace", (), Some(&changes))?)?;
    bytecode.maker.as_ref().map_or(Ok(()), |maker| maker.renew_version(function))
}
