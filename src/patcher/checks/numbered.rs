//! What is made of a number: `len(d) + 1`, `f"#{len(d)}"`, `{"id": len(d)}`, `User(len(d), name)`.

use crate::patcher::code::Code;
use crate::patcher::instructions::Instruction;
use crate::patcher::opcodes::{Jump, Opcodes};

/// What is known of a value on the stack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is made of the number.
    Made,
    /// It is a class, which keeps what it is given.
    Class,
    Nothing,
}

/// Whether the value that `producer` pushes is made of the result of the call at `call`, perhaps by way of local variables.
pub(super) fn is_made_of(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], call: usize, producer: usize) -> bool {
    /// From the number to what is made of it.
    const LONGEST: usize = 400;
    /// From what is called with the number to the number.
    const BEFORE: usize = 32;
    if producer < call || producer - call > LONGEST {
        return false;
    }
    // Nothing below the first of these is made of it, and nothing that lies there after a jump.
    let (mut stack, mut variables) = (Vec::new(), Vec::new());
    for (index, instruction) in all.iter().enumerate().take(producer + 1).skip(call.saturating_sub(BEFORE)) {
        let Instruction { opcode, argument, .. } = *instruction;
        let info = opcodes.info(opcode);
        let Some(effect) = info.effect else { return false };
        if let Some(variable) = opcodes.stores(opcode, argument) {
            let is_made = stack.last() == Some(&Known::Made);
            variables.retain(|known| *known != variable);
            variables.extend(is_made.then_some(variable));
        } else if opcode == opcodes.store_fast_store_fast {
            for depth in [1, 2] {
                let Some(variable) = opcodes.stores_at(opcode, argument, depth) else { continue };
                variables.retain(|known| *known != variable);
                variables.extend((at(&stack, depth) == Known::Made).then_some(variable));
            }
        }
        if opcode == opcodes.swap {
            swap(&mut stack, argument as usize);
            continue;
        }
        let copied = if opcode == opcodes.copy { at(&stack, argument) } else { Known::Nothing };
        let (pops, pushes) = (effect.pops(argument) as usize, effect.pushes(argument) as usize);
        while stack.len() < pops {
            stack.insert(0, Known::Nothing);
        }
        let taken = stack.split_off(stack.len() - pops);
        let first = stack.len();
        stack.resize(first + pushes, Known::Nothing);
        if index == call {
            stack[first] = Known::Made;
        } else if opcode == opcodes.copy {
            stack[first] = copied;
        } else if is_class(opcodes, code, instruction) {
            stack[first] = Known::Class;
        } else if taken.contains(&Known::Made) && keeps(opcodes, instruction, &taken) && pushes == 1 {
            stack[first] = Known::Made;
        }
        for variable in &variables {
            if let Some(depth) = opcodes.loads(opcode, argument, *variable) {
                let top = stack.len();
                stack[top - depth as usize] = Known::Made;
            }
        }
        if info.is_end || info.jump == Jump::Backward {
            stack.clear();
        }
    }
    let pushes = opcodes.info(all[producer].opcode).effect.map_or(1, |effect| effect.pushes(all[producer].argument) as usize);
    stack.iter().rev().take(pushes.max(1)).any(|known| *known == Known::Made)
}

fn at(stack: &[Known], depth: u32) -> Known {
    stack.len().checked_sub(depth as usize).map_or(Known::Nothing, |at| stack[at])
}

fn swap(stack: &mut Vec<Known>, depth: usize) {
    while stack.len() < depth {
        stack.insert(0, Known::Nothing);
    }
    if let (Some(other), Some(top)) = (stack.len().checked_sub(depth), stack.len().checked_sub(1)) {
        stack.swap(other, top);
    }
}

/// Whether the result of an instruction has what it takes in it.
fn keeps(opcodes: &Opcodes, instruction: &Instruction, taken: &[Known]) -> bool {
    let Instruction { opcode, argument, .. } = *instruction;
    let builds = [opcodes.build_list, opcodes.build_map, opcodes.build_string, opcodes.build_tuple, opcodes.format_simple];
    let is_call = [opcodes.call, opcodes.call_kw].contains(&opcode);
    let is_sum = opcode == opcodes.binary_op && [opcodes.add, opcodes.updates[0]].contains(&argument);
    is_sum || builds.contains(&opcode) || is_call && taken[0] == Known::Class
}

/// Whether an instruction loads what is called like a class first of all.
fn is_class(opcodes: &Opcodes, code: &Code<'_>, load: &Instruction) -> bool {
    code.loaded(opcodes, load).is_some_and(|(_, name)| {
        let is_name = [opcodes.load_global, opcodes.load_name, opcodes.load_attr].contains(&load.opcode);
        is_name && (name.starts_with(|first: char| first.is_uppercase()) || BUILT_IN.contains(&name))
    })
}

/// Classes that are not called so.
const BUILT_IN: [&str; 3] = ["dict", "str", "tuple"];
