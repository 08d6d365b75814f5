//! The interpreter's own tables of its instructions, in the form that the patcher takes.

use ftsan::patcher::{OpcodeRow, Opcodes};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The instructions of this interpreter, asked for once.
pub(crate) fn get(py: Python<'_>) -> PyResult<&'static Opcodes> {
    static OPCODES: OnceLock<Opcodes> = OnceLock::new();
    match OPCODES.get() {
        Some(known) => Ok(known),
        None => ask(py).map(|opcodes| OPCODES.get_or_init(|| opcodes)),
    }
}

/// Imports a module, and those that it needs, without the program finding them in `sys.modules`.
fn import_unnoticed<'py>(py: Python<'py>, names: [&str; 3]) -> PyResult<Bound<'py, PyModule>> {
    let modules = py.import("sys")?.getattr("modules")?;
    let mut new = Vec::new();
    for name in names {
        if !modules.contains(name)? {
            new.push(name);
        }
    }
    let module = py.import(names[0])?;
    for name in new {
        modules.call_method1("pop", (name, py.None()))?;
    }
    Ok(module)
}

/// Asks whether imports are lazy; nothing where they never are.
static LAZY_IMPORTS: OnceLock<Option<Py<PyAny>>> = OnceLock::new();

/// Whether a module's imports are lazy unless it says otherwise.
pub(crate) fn imports_are_lazy(py: Python<'_>) -> bool {
    let mode = LAZY_IMPORTS.get().and_then(Option::as_ref).and_then(|ask| ask.call0(py).ok());
    mode.is_some_and(|mode| mode.bind(py).eq("all").unwrap_or(false))
}

fn ask(py: Python<'_>) -> PyResult<Opcodes> {
    let module = import_unnoticed(py, ["opcode", "_opcode", "_opcode_metadata"])?;
    let numbers = mapping(&module.getattr("opmap")?)?;
    let caches = mapping(&module.getattr("_inline_cache_entries")?)?;
    let jumps: Vec<u16> = module.getattr("hasjump")?.extract()?;
    let operators: Vec<(String, String)> = module.getattr("_nb_ops")?.extract()?;
    let rows = numbers.iter().filter_map(|(name, number)| {
        // Pseudo instructions of the compiler have larger numbers.
        let caches = u8::try_from(caches.get(name).copied().unwrap_or(0)).ok()?;
        Some(OpcodeRow { name, number: u8::try_from(*number).ok()?, caches, is_jump: jumps.contains(number) })
    });
    let operators: Vec<&str> = operators.iter().map(|(name, _)| name.as_str()).collect();
    let stack_effect = module.getattr("stack_effect")?;
    let lazy_imports = py.import("sys")?.getattr_opt("get_lazy_imports")?.map(Bound::unbind);
    let has_lazy_imports = LAZY_IMPORTS.get_or_init(|| lazy_imports).is_some();
    let net_effect = |opcode: u8, argument: u32| stack_effect.call1((opcode, argument)).ok()?.extract().ok();
    Opcodes::new(rows, &operators, net_effect, has_lazy_imports).map_err(PyRuntimeError::new_err)
}

/// A dict, or since 3.15 a frozendict.
fn mapping(mapping: &Bound<'_, PyAny>) -> PyResult<HashMap<String, u16>> {
    mapping.call_method0("items")?.try_iter()?.map(|item| item?.extract()).collect()
}
