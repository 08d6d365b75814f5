//! Injects a prologue into a Python function: `del site[self]` right after its first `RESUME`.
//!
//! The function object, its signature, its line numbers and its specialisation stay as they are; only its `__code__` is
//! replaced by one that is three instructions longer.  Nothing jumps to or across that place from before it, so jumps keep
//! their distances; the exception table and the line table are shifted.
//!
//! Formats: `Objects/exception_handling_notes.txt` and `InternalDocs/code_objects.md` in CPython.

use crate::interpreter::functions::FunctionMaker;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

/// What the interpreter says about its bytecode.
#[derive(Debug)]
pub(crate) struct Bytecode {
    maker: Option<FunctionMaker>,
    resume: u8,
    extended_arg: u8,
    load_const: u8,
    load_argument: u8,
    load_deref: u8,
    delete_subscr: u8,
    caches: [u8; 256],
}

impl Bytecode {
    pub(crate) fn ask(py: Python<'_>) -> PyResult<Self> {
        let module = py.import("opcode")?;
        let map = module.getattr("opmap")?;
        let number = |name: &str| map.get_item(name).and_then(|n| n.extract::<u8>());
        let entries = module.getattr("_inline_cache_entries")?;
        let mut caches = [0; 256];
        for item in map.call_method0("items")?.try_iter()? {
            let (name, opcode): (String, usize) = item?.extract()?;
            if let Some(place) = caches.get_mut(opcode) {
                *place = entries.call_method1("get", (name, 0))?.extract()?;
            }
        }
        Ok(Bytecode {
            maker: FunctionMaker::new(py)?,
            resume: number("RESUME")?,
            extended_arg: number("EXTENDED_ARG")?,
            load_const: number("LOAD_CONST")?,
            // A borrowed reference spares two operations on a count that other threads may share.
            load_argument: number("LOAD_FAST_BORROW").or_else(|_| number("LOAD_FAST"))?,
            load_deref: number("LOAD_DEREF")?,
            delete_subscr: number("DELETE_SUBSCR")?,
            caches,
        })
    }

    /// Index of the code unit after the first `RESUME`.
    fn entry(&self, code: &[u8]) -> Option<usize> {
        let mut unit = 0;
        while let Some(opcode) = code.get(unit * 2) {
            let next = unit + 1 + usize::from(self.caches[usize::from(*opcode)]);
            if *opcode == self.resume {
                return Some(next);
            }
            unit = next;
        }
        None
    }
}

/// Gives `function` a prologue that calls `site` with its first argument.
pub(crate) fn inject(bytecode: &Bytecode, function: &Bound<'_, PyAny>, site: Py<PyAny>) -> PyResult<()> {
    let py = function.py();
    let code = function.getattr("__code__")?;
    let bytes: Vec<u8> = code.getattr("co_code")?.extract()?;
    let arguments: usize = code.getattr("co_argcount")?.extract()?;
    let Some(entry) = bytecode.entry(&bytes).filter(|_| arguments > 0) else {
        return Err(PyValueError::new_err("the function has no self or no RESUME"));
    };

    let constants = code.getattr("co_consts")?.cast_into::<PyTuple>()?;
    let index = constants.len();
    let with_site: Vec<Bound<'_, PyAny>> = constants.iter().chain([site.into_bound(py)]).collect();

    let names: Vec<String> = code.getattr("co_varnames")?.extract()?;
    let cells: Vec<String> = code.getattr("co_cellvars")?.extract()?;
    let load_self = if cells.contains(&names[0]) { bytecode.load_deref } else { bytecode.load_argument };
    let mut prologue = Vec::new();
    if index > 255 {
        prologue.extend([bytecode.extended_arg, u8::try_from(index >> 8)?]);
    }
    // A cell variable that is an argument keeps the argument's index.
    prologue.extend([bytecode.load_const, index as u8, load_self, 0, bytecode.delete_subscr, 0]);
    prologue.extend(std::iter::repeat_n(0, 2 * usize::from(bytecode.caches[usize::from(bytecode.delete_subscr)])));
    let added = prologue.len() / 2;

    let mut patched = bytes;
    patched.splice(entry * 2..entry * 2, prologue);
    let exceptions: Vec<u8> = code.getattr("co_exceptiontable")?.extract()?;
    let lines: Vec<u8> = code.getattr("co_linetable")?.extract()?;
    let stack: usize = code.getattr("co_stacksize")?.extract()?;

    let changes = PyDict::new(py);
    changes.set_item("co_code", PyBytes::new(py, &patched))?;
    changes.set_item("co_consts", PyTuple::new(py, with_site)?)?;
    changes.set_item("co_exceptiontable", PyBytes::new(py, &shift_exceptions(&exceptions, entry, added)))?;
    changes.set_item("co_linetable", PyBytes::new(py, &shift_lines(&lines, entry, added)))?;
    changes.set_item("co_stacksize", stack + 2)?;
    function.setattr("__code__", code.call_method("replace", (), Some(&changes))?)?;
    bytecode.maker.as_ref().map_or(Ok(()), |maker| maker.renew_version(function))
}

/// Entries are (start, length, target, depth and lasti), big-endian groups of six bits; bit 7 marks a start.
fn shift_exceptions(table: &[u8], entry: usize, added: usize) -> Vec<u8> {
    let mut numbers = Vec::new();
    let mut bytes = table.iter();
    while let Some(byte) = bytes.next() {
        let mut value = usize::from(byte & 63);
        let mut more = byte & 64 != 0;
        while more {
            let Some(next) = bytes.next() else { break };
            value = value << 6 | usize::from(next & 63);
            more = next & 64 != 0;
        }
        numbers.push(value);
    }
    let moved = |position: usize| if position >= entry { position + added } else { position };
    let mut out = Vec::new();
    for range in numbers.chunks_exact(4) {
        let (start, end) = (moved(range[0]), moved(range[0] + range[1]));
        put_number(&mut out, start, true);
        put_number(&mut out, end - start, false);
        put_number(&mut out, moved(range[2]), false);
        put_number(&mut out, range[3], false);
    }
    out
}

fn put_number(out: &mut Vec<u8>, value: usize, first: bool) {
    let groups = (1..).find(|groups| value >> (6 * groups) == 0).unwrap_or(1);
    for group in (0..groups).rev() {
        let more = if group > 0 { 64 } else { 0 };
        let mark = if first && group == groups - 1 { 128 } else { 0 };
        out.push((value >> (6 * group)) as u8 & 63 | more | mark);
    }
}

/// Entries are a head (bit 7, four bits of kind, length minus one) and their payload (bit 7 clear).  Line numbers are
/// relative, so what comes after an entry without a line (kind 15) is not disturbed by it.
fn shift_lines(table: &[u8], entry: usize, added: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut position = 0;
    let mut inserted = false;
    let mut rest = table;
    while let Some((&head, after)) = rest.split_first() {
        let payload_len = after.iter().take_while(|byte| **byte & 128 == 0).count();
        let (payload, next) = after.split_at(payload_len);
        let length = usize::from(head & 7) + 1;
        if !inserted && position + length > entry {
            let before = entry - position;
            if before > 0 {
                out.push(head & 0xf8 | (before - 1) as u8);
                out.extend(payload);
            }
            put_no_location(&mut out, added);
            let again = if before > 0 { same_place(head >> 3 & 15, payload) } else { (head >> 3 & 15, payload.to_vec()) };
            out.push(0x80 | again.0 << 3 | (length - before - 1) as u8);
            out.extend(again.1);
            inserted = true;
        } else {
            out.push(head);
            out.extend(payload);
        }
        position += length;
        rest = next;
    }
    out
}

fn put_no_location(out: &mut Vec<u8>, mut units: usize) {
    while units > 0 {
        let now = units.min(8);
        out.push(0x80 | 15 << 3 | (now - 1) as u8);
        units -= now;
    }
}

/// The second half of an entry that was cut in two: the same location, with no step from the first half's line.
fn same_place(kind: u8, payload: &[u8]) -> (u8, Vec<u8>) {
    match kind {
        10..=12 => (10, payload.to_vec()),
        13 => (13, vec![0]),
        14 => {
            // A signed line step, then end line, column and end column; continuation is bit 6.
            let step = payload.iter().position(|byte| byte & 64 == 0).map_or(payload.len(), |last| last + 1);
            (14, std::iter::once(0).chain(payload[step..].iter().copied()).collect())
        }
        other => (other, payload.to_vec()),
    }
}
