//! Which code objects of a module get probes, and how they get them.

use crate::engine::races::probe;
use crate::engine::races::waits::Function;
use crate::findings::process;
use crate::intercept::bytecode::code_data::{self, Fate, Seen};
use crate::intercept::bytecode::tree::Decide;
use crate::intercept::masquerade::original_view;
use crate::interpreter::code_fields::Code;
use crate::thread::code_class;
use ftsan::patcher::{Point, Questions, UnitMap};
use ftsan::scope::Scope;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// What is decided for the code of one module.
pub(crate) struct Decision<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) module: &'a str,
    pub(crate) seen: Seen,
}

impl<'py> Decide<'py> for Decision<'_> {
    fn fate(&mut self, code: &Code<'py>) -> PyResult<Fate<'py>> {
        let fate = code_data::fate(code.object());
        if matches!(fate, Fate::Open) && self.scope.excludes(self.module, text(&code.qualname())) {
            if let Some(excluded) = self.scope.function_seen_as(self.module, text(&code.qualname())) {
                process::get().count_package(excluded);
            }
            code_data::leave_alone(code.object())?;
            return Ok(Fate::Final);
        }
        Ok(fate)
    }

    fn site(&mut self, code: &Code<'py>, point: &Point<'_>) -> PyResult<Py<PyAny>> {
        let function = if point.is_answering { function(code)? } else { Function::unnamed() };
        probe::new(code.object(), &function, point, self.scope.trusts(self.module))
    }

    fn asks<'a>(
        &mut self,
        code: &Code<'py>,
        questions: &dyn Fn() -> Questions<'a>,
        made: &dyn Fn(u32) -> Option<String>,
    ) -> PyResult<()> {
        if is_of_standard_library(code) { Ok(()) } else { function(code)?.asks(code.object().py(), &questions(), made) }
    }

    fn has_nothing(&mut self, code: &Code<'py>) -> PyResult<()> {
        code_data::set_chosen(code.object())?;
        code_data::leave_alone(code.object())
    }

    fn made(&mut self, code: &Code<'py>, patched: Code<'py>, map: UnitMap) -> PyResult<Bound<'py, PyAny>> {
        let patched = original_view::publish(code, &patched, map, self.seen)?;
        code_data::set_chosen(code.object())?;
        code_data::set_chosen(&patched)?;
        Ok(patched)
    }
}

/// A function that loops may ask.  The names that the standard library has are those of many programs, and it waits under locks.
fn function(code: &Code<'_>) -> PyResult<Function> {
    if is_of_standard_library(code) {
        return Ok(Function::unnamed());
    }
    Function::of(code.object().py(), text(&code.name()), text(&code.qualname()), code.arguments())
}

fn is_of_standard_library(code: &Code<'_>) -> bool {
    code_class::is_of_standard_library(text(&code.filename()))
}

pub(crate) fn text<'a>(string: &'a Bound<'_, PyString>) -> &'a str {
    string.to_str().unwrap_or_default()
}
