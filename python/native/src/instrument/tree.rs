//! A code object and those among its constants, patched: what the core computes, made into code objects.

use super::opcodes;
use ftsan::patcher::{self, Code, Opcodes, Point, Rebound, UnitMap};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCode, PyDict, PyString, PyTuple};

/// A code object and what it became.
#[derive(Debug)]
pub(crate) struct Pair<'py> {
    pub(crate) original: Bound<'py, PyCode>,
    pub(crate) patched: Bound<'py, PyCode>,
    /// Of code units; the identity if only a constant of it was patched.
    pub(crate) map: UnitMap,
}

/// Patches a code object and all that are in it; the last pair is its own.  `None` if there is nothing to watch.
///
/// `make_site` is asked for the site of each point, and told the original code object.
pub(crate) fn patch<'py>(
    code: &Bound<'py, PyCode>,
    mut make_site: impl FnMut(&Bound<'py, PyCode>, &Point<'_>) -> PyResult<Py<PyAny>>,
) -> PyResult<Option<Vec<Pair<'py>>>> {
    let opcodes = opcodes::get(code.py())?;
    let tree = Parts::read(code)?;
    let mut rebound = Rebound::default();
    tree.collect(opcodes, &mut rebound);
    let mut pairs = Vec::new();
    let patched = tree.patch(opcodes, &rebound, &mut make_site, &mut pairs)?;
    Ok(patched.map(|_| pairs))
}

/// A code object's parts, kept alive while the core borrows them.
struct Parts<'py> {
    code: Bound<'py, PyCode>,
    bytes: Bound<'py, PyBytes>,
    constants: Bound<'py, PyTuple>,
    names: Bound<'py, PyTuple>,
    variables: Bound<'py, PyTuple>,
    cells: Bound<'py, PyTuple>,
    free: Bound<'py, PyTuple>,
    /// Code objects among the constants.
    nested: Vec<(usize, Parts<'py>)>,
}

impl<'py> Parts<'py> {
    fn read(code: &Bound<'py, PyCode>) -> PyResult<Self> {
        let py = code.py();
        let tuple = |name: &Bound<'py, PyString>| -> PyResult<Bound<'py, PyTuple>> { Ok(code.getattr(name)?.cast_into()?) };
        let constants = tuple(intern!(py, "co_consts"))?;
        let mut nested = Vec::new();
        for (index, constant) in constants.as_slice().iter().enumerate() {
            if let Ok(code) = constant.cast_exact::<PyCode>() {
                nested.push((index, Parts::read(code)?));
            }
        }
        Ok(Parts {
            bytes: code.getattr(intern!(py, "co_code"))?.cast_into()?,
            names: tuple(intern!(py, "co_names"))?,
            variables: tuple(intern!(py, "co_varnames"))?,
            cells: tuple(intern!(py, "co_cellvars"))?,
            free: tuple(intern!(py, "co_freevars"))?,
            code: code.clone(),
            constants,
            nested,
        })
    }

    fn collect(&self, opcodes: &Opcodes, rebound: &mut Rebound) {
        let (names, locals) = (strings(&self.names).collect::<Vec<_>>(), self.locals());
        rebound.collect(opcodes, self.bytes.as_bytes(), &names, &locals, self.free.len());
        for (_, parts) in &self.nested {
            parts.collect(opcodes, rebound);
        }
    }

    /// Names of what `LOAD_FAST` and `LOAD_DEREF` count: an argument that is a cell is counted once.
    fn locals(&self) -> Vec<&str> {
        if self.cells.is_empty() && self.free.is_empty() {
            return Vec::new();
        }
        let mut locals: Vec<&str> = strings(&self.variables).collect();
        let variables = locals.len();
        for cell in strings(&self.cells) {
            if !locals[..variables].contains(&cell) {
                locals.push(cell);
            }
        }
        locals.extend(strings(&self.free));
        locals
    }

    /// The new code object, if it is one.
    fn patch(
        &self,
        opcodes: &Opcodes,
        rebound: &Rebound,
        make_site: &mut impl FnMut(&Bound<'py, PyCode>, &Point<'_>) -> PyResult<Py<PyAny>>,
        pairs: &mut Vec<Pair<'py>>,
    ) -> PyResult<Option<Bound<'py, PyCode>>> {
        let (code, py) = (&self.code, self.code.py());
        let mut constants: Vec<Bound<'py, PyAny>> = Vec::new();
        for (index, parts) in &self.nested {
            if let Some(patched) = parts.patch(opcodes, rebound, make_site, pairs)? {
                if constants.is_empty() {
                    constants.extend_from_slice(self.constants.as_slice());
                }
                constants[*index] = patched.into_any();
            }
        }
        let exceptions = code.getattr(intern!(py, "co_exceptiontable"))?.cast_into::<PyBytes>()?;
        let lines = code.getattr(intern!(py, "co_linetable"))?.cast_into::<PyBytes>()?;
        let name = code.getattr(intern!(py, "co_name"))?.cast_into::<PyString>()?;
        let number = |name: &Bound<'py, PyString>| -> PyResult<u32> { code.getattr(name)?.extract() };
        let tuples: Vec<u32> = self.constants.as_slice().iter().map(length).collect();
        let (names, locals) = (strings(&self.names).collect::<Vec<_>>(), self.locals());
        let (first_variable, first_cell) = (strings(&self.variables).next(), strings(&self.cells).next());
        let view = Code {
            bytes: self.bytes.as_bytes(),
            exceptions: exceptions.as_bytes(),
            lines: lines.as_bytes(),
            tuples: &tuples,
            names: &names,
            locals: &locals,
            // Cells that are arguments come first, in the order of the arguments.
            is_self_a_cell: first_cell.is_some() && first_cell == first_variable,
            arguments: number(intern!(py, "co_argcount"))?,
            name: text(&name),
            is_coroutine: number(intern!(py, "co_flags"))? & COROUTINE != 0,
            stack_size: number(intern!(py, "co_stacksize"))?,
        };
        let patched = patcher::patch(opcodes, &view, rebound);
        if patched.is_none() && constants.is_empty() {
            return Ok(None);
        }
        let changes = PyDict::new(py);
        let mut map = UnitMap::default();
        if let Some(patched) = patched {
            if constants.is_empty() {
                constants.extend_from_slice(self.constants.as_slice());
            }
            for point in &patched.points {
                constants.push(make_site(code, point)?.into_bound(py));
            }
            changes.set_item(intern!(py, "co_code"), PyBytes::new(py, &patched.code.bytes))?;
            changes.set_item(intern!(py, "co_exceptiontable"), PyBytes::new(py, &patched.code.exceptions))?;
            changes.set_item(intern!(py, "co_linetable"), PyBytes::new(py, &patched.code.lines))?;
            changes.set_item(intern!(py, "co_stacksize"), patched.stack_size)?;
            map = patched.code.map;
        }
        changes.set_item(intern!(py, "co_consts"), PyTuple::new(py, constants)?)?;
        let patched = code.call_method(intern!(py, "replace"), (), Some(&changes))?.cast_into::<PyCode>()?;
        pairs.push(Pair { original: code.clone(), patched: patched.clone(), map });
        Ok(Some(patched))
    }
}

const COROUTINE: u32 = (ffi::CO_COROUTINE | ffi::CO_ASYNC_GENERATOR) as u32;

/// Of a tuple; what is none has 0.
fn length(constant: &Bound<'_, PyAny>) -> u32 {
    constant.cast_exact::<PyTuple>().map_or(0, |tuple| tuple.len() as u32)
}

fn strings<'a>(tuple: &'a Bound<'_, PyTuple>) -> impl Iterator<Item = &'a str> {
    tuple.as_slice().iter().map(|item| item.cast::<PyString>().map_or("", |string| text(string)))
}

/// No name that a program writes has surrogates; one that has them is not known by it.
fn text<'a>(string: &'a Bound<'_, PyString>) -> &'a str {
    string.to_str().unwrap_or_default()
}
