//! What the interpreter says of its instructions, in the form that the patcher takes.

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

fn ask(py: Python<'_>) -> PyResult<Opcodes> {
    let module = py.import("opcode")?;
    let numbers: HashMap<String, u16> = module.getattr("opmap")?.extract()?;
    let caches: HashMap<String, u8> = module.getattr("_inline_cache_entries")?.extract()?;
    let jumps: Vec<u16> = module.getattr("hasjump")?.extract()?;
    let operators: Vec<(String, String)> = module.getattr("_nb_ops")?.extract()?;
    let rows = numbers.iter().filter_map(|(name, number)| {
        // Pseudo instructions of the compiler have larger numbers.
        let caches = caches.get(name).copied().unwrap_or(0);
        Some(OpcodeRow { name, number: u8::try_from(*number).ok()?, caches, is_jump: jumps.contains(number) })
    });
    let operators: Vec<&str> = operators.iter().map(|(name, _)| name.as_str()).collect();
    let stack_effect = module.getattr("stack_effect")?;
    let net_effect = |opcode: u8, argument: u32| stack_effect.call1((opcode, argument)).ok()?.extract().ok();
    Opcodes::new(rows, &operators, net_effect).map_err(PyRuntimeError::new_err)
}
