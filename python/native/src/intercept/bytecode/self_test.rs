//! Before any code of the program is patched: a function of our own is, and looks and runs as before.

use crate::intercept::bytecode::decision::Decision;
use crate::intercept::bytecode::{code_data, tree};
use crate::interpreter::code_fields::Code;
use crate::interpreter::functions;
use ftsan::scope::Scope;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::ffi::CStr;

const SOURCE: &CStr = c"def f(a):\n a.x = [a.y[0] for a in a.z]\n return a.x\n";

/// What of a code object is another one in the patched code.
const SHOWN: [&str; 5] = ["co_code", "co_consts", "co_linetable", "co_exceptiontable", "co_stacksize"];

/// Where `f(None)` fails: the offset that the program sees.
fn fails_at(code: &Bound<'_, PyAny>) -> PyResult<i32> {
    let py = code.py();
    // SAFETY: attached; a code object without free variables, and a dict.
    let function = unsafe { ffi::PyFunction_New(code.as_ptr(), PyDict::new(py).as_ptr()) };
    // SAFETY: a new reference, or null with an exception set.
    let function = unsafe { Bound::from_owned_ptr_or_err(py, function) }?;
    let Err(error) = function.call1((py.None(),)) else { return Ok(-1) };
    error.traceback(py).map_or(Ok(-1), |traceback| traceback.getattr("tb_lasti")?.extract())
}

/// Patches a function and compares it with its original.
pub(crate) fn run(py: Python<'_>, scope: &Scope) -> PyResult<()> {
    let wrong = |what: &str| Err(PyRuntimeError::new_err(format!("self-test: {what} of patched code")));
    let module = functions::compile(py, SOURCE)?;
    let constants = module.getattr("co_consts")?.cast_into::<PyTuple>()?;
    let Some(code) = constants.iter().find_map(|constant| Code::of(&constant)) else { return wrong("no constants") };
    let Some(patched) = tree::patch(&code, &mut Decision { scope, module: "ftsan", seen: code_data::Seen::No })? else {
        return wrong("no probes");
    };
    // SAFETY: alive.
    if unsafe { code_data::view(patched.as_ptr()) }.is_none() {
        return wrong("no view");
    }
    let Some(fields) = Code::of(&patched) else { return wrong("no fields") };
    if fields.bytes()?.as_bytes() == code.bytes()?.as_bytes() || fields.constants().len() <= code.constants().len() {
        return wrong("no difference");
    }
    let original = code.object();
    for name in SHOWN {
        if !patched.getattr(name)?.eq(original.getattr(name)?)? {
            return wrong(name);
        }
    }
    if !patched.eq(original)? || patched.hash()? != original.hash()? {
        return wrong("comparison");
    }
    let written = py.import("marshal")?.call_method1("dumps", (&patched,))?;
    if !py.import("marshal")?.call_method1("loads", (written,))?.eq(original)? {
        return wrong("marshal");
    }
    match (fails_at(&patched)?, fails_at(original)?) {
        (one, other) if one == other && one > 0 => Ok(()),
        _ => wrong("tb_lasti"),
    }
}
