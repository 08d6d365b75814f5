//! A code object, as it is handed in.

use super::instructions::Instruction;
use super::opcodes::Opcodes;

/// A code object.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// `co_code`: without specialised or instrumented instructions.
    pub bytes: &'a [u8],
    /// `co_exceptiontable`
    pub exceptions: &'a [u8],
    /// `co_linetable`
    pub lines: &'a [u8],
    /// Of each constant the length, if it is a tuple, else 0.
    pub tuples: &'a [u32],
    /// Of each constant a number that equal strings share, if it is a string, else 0.
    pub strings: &'a [u64],
    /// `co_names`
    pub names: &'a [&'a str],
    /// Names of arguments, variables, cells and free variables, as `LOAD_FAST` and `LOAD_DEREF` count them.
    pub locals: &'a [&'a str],
    /// `co_cellvars` has the first argument.
    pub is_self_a_cell: bool,
    /// `co_argcount`
    pub arguments: u32,
    /// `co_name`
    pub name: &'a str,
    /// Runs as a coroutine or asynchronous generator.
    pub is_coroutine: bool,
    /// `co_stacksize`
    pub stack_size: u32,
}

/// Where a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Of the module, or of the class whose body runs.
    Global,
    Attribute,
    /// Of the function, or of one around it.
    Variable,
}

/// The name that an instruction loads alone, and where that is; `names` and `locals` as in [`Code`].
pub(super) fn loaded<'a>(
    opcodes: &Opcodes,
    (opcode, argument): (u8, usize),
    names: &[&'a str],
    locals: &[&'a str],
) -> Option<(Place, &'a str)> {
    if opcode == opcodes.load_name {
        Some((Place::Global, *names.get(argument)?))
    } else if opcode == opcodes.load_global {
        Some((Place::Global, *names.get(argument >> 1)?))
    } else if opcode == opcodes.load_attr {
        Some((Place::Attribute, *names.get(argument >> 1)?))
    } else if opcode == opcodes.load_deref || opcodes.load_fasts.contains(&opcode) {
        Some((Place::Variable, *locals.get(argument)?))
    } else {
        None
    }
}

/// The text that an instruction loads, if it loads a constant that is one; `strings` as in [`Code`].
pub(super) fn text(opcodes: &Opcodes, strings: &[u64], load: &Instruction) -> Option<u64> {
    let text = strings.get(load.argument as usize).copied().filter(|text| *text != 0);
    text.filter(|_| load.opcode == opcodes.load_const)
}

impl<'a> Code<'a> {
    /// As [`text`].
    pub(super) fn text(&self, opcodes: &Opcodes, load: &Instruction) -> Option<u64> {
        text(opcodes, self.strings, load)
    }

    /// As [`loaded`].
    pub(super) fn loaded(&self, opcodes: &Opcodes, instruction: &Instruction) -> Option<(Place, &'a str)> {
        loaded(opcodes, (instruction.opcode, instruction.argument as usize), self.names, self.locals)
    }
}
