//! Comparisons with the calling thread: `if self.owner == get_ident()`.
//!
//! Only the thread itself writes what makes the two equal, so acts of others meanwhile do not matter to the answer.  Whether a
//! local variable holds an identity of the thread is seen when the code runs.

use super::code::Code;
use super::instructions::Instructions;
use super::opcodes::Opcodes;
use super::stack::{self, UNKNOWN};

/// Functions that say which thread, or task of it, is running.
const SAYING: &[&str] = &["currentThread", "current_task", "current_thread", "get_ident", "get_native_id", "getcurrent"];

/// Numbers of what these give.
const NUMBERS: &[&str] = &["ident", "name", "native_id"];

/// What a value is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// What a function says of the calling thread.
    Called,
    /// A local variable.
    Local(u16),
}

/// By the instructions that push what is compared.
pub(super) fn comparisons(opcodes: &Opcodes, code: &Code<'_>, instructions: &Instructions) -> Vec<(u32, Own)> {
    let all = &instructions.all;
    let is_comparison = |opcode: u8| [opcodes.compare_op, opcodes.is_op].contains(&opcode);
    if !all.iter().any(|instruction| is_comparison(instruction.opcode)) {
        return Vec::new();
    }
    let name = |index: u32| {
        let instruction = all.get(index as usize)?;
        let is_name = [opcodes.load_global, opcodes.load_attr].contains(&instruction.opcode);
        is_name.then(|| code.names.get((instruction.argument >> 1) as usize).copied())?
    };
    // Calls that say which thread is running, and what is read from their results.
    let mut said: Vec<u32> = Vec::new();
    let mut found = Vec::new();
    stack::run(opcodes, code, instructions, |index, stack| {
        let instruction = &all[index as usize];
        let is_said = if instruction.opcode == opcodes.call && instruction.argument == 0 {
            name(stack.at(2)).is_some_and(|name| SAYING.contains(&name))
        } else {
            let is_read = instruction.opcode == opcodes.load_attr && said.contains(&stack.at(1));
            is_read && name(index).is_some_and(|name| NUMBERS.contains(&name))
        };
        if is_said {
            said.push(index);
        } else if is_comparison(instruction.opcode) {
            for (one, other) in [(stack.at(1), stack.at(2)), (stack.at(2), stack.at(1))] {
                if one == UNKNOWN || one == other {
                    continue;
                }
                if said.contains(&other) {
                    found.push((one, Own::Called));
                } else if let Some(local) = local(opcodes, all.get(other as usize)) {
                    found.push((one, Own::Local(local)));
                }
            }
        }
    });
    found
}

/// The variable that an instruction loads; of two, the first one, because something was done to the second one.
fn local(opcodes: &Opcodes, instruction: Option<&super::instructions::Instruction>) -> Option<u16> {
    let instruction = instruction?;
    let number = if opcodes.load_fasts.contains(&instruction.opcode) {
        instruction.argument
    } else if opcodes.load_fast_pairs.contains(&instruction.opcode) {
        instruction.argument >> 4
    } else {
        return None;
    };
    u16::try_from(number).ok()
}
