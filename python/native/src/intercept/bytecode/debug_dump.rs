//! Patched code as it is, beside its original: what the tests of the patcher look at.

use crate::intercept::bytecode::code_data::Fate;
use crate::intercept::bytecode::tree::{self, Decide};
use crate::interpreter::code_fields::{self, Code};
use ftsan::patcher::{Point, Questions, UnitMap};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyCode;

/// Original, patched, and the original code unit of each patched one.
pub(crate) type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Vec<u32>);

struct Pairs<'py> {
    make_site: Bound<'py, PyAny>,
    made: Vec<Pair<'py>>,
}

impl<'py> Decide<'py> for Pairs<'py> {
    fn fate(&mut self, _: &Code<'py>) -> PyResult<Fate<'py>> {
        Ok(Fate::Open)
    }

    fn site(&mut self, code: &Code<'py>, point: &Point<'_>) -> PyResult<Py<PyAny>> {
        let (action, unit) = (format!("{:?}", point.action), point.unit);
        let depths = (point.object, point.callable, point.key, point.value);
        let point = (action, unit, point.name, depths.0, depths.1, depths.2, depths.3, point.is_tested);
        Ok(self.make_site.call1((code.object(), point))?.unbind())
    }

    fn asks<'a>(&mut self, _: &Code<'py>, _: &dyn Fn() -> Questions<'a>, _: &dyn Fn(u32) -> Option<String>) -> PyResult<()> {
        Ok(())
    }

    fn has_nothing(&mut self, _: &Code<'py>) -> PyResult<()> {
        Ok(())
    }

    fn made(&mut self, code: &Code<'py>, patched: Code<'py>, map: UnitMap) -> PyResult<Bound<'py, PyAny>> {
        let units = patched.bytes()?.as_bytes().len() as u32 / 2;
        let originals = (0..units).map(|unit| map.to_original(unit)).collect();
        self.made.push((code.object().clone(), patched.object().clone(), originals));
        Ok(patched.object().clone())
    }
}

/// Patches a code object and those in it, without the program seeing the one for the other; its own pair is the last.
pub(crate) fn of<'py>(code: &Bound<'py, PyCode>, make_site: Bound<'py, PyAny>) -> PyResult<Vec<Pair<'py>>> {
    code_fields::load(code.py()).map_err(PyRuntimeError::new_err)?;
    let code = Code::of(code).ok_or_else(|| PyTypeError::new_err("no code object"))?;
    let mut pairs = Pairs { make_site, made: Vec::new() };
    tree::patch(&code, &mut pairs)?;
    Ok(pairs.made)
}
