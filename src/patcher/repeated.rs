//! Attributes that are read again soon after, of the same object: the first read stands for both.
//!
//! Soon is: nothing came between that may wait for another thread, or bind the variable anew, or be jumped to.  Operators and attributes may
//! run code that does; then a race of the second read alone may be missed.

use super::code::Code;
use super::found::Found;
use super::instructions::{Instruction, Instructions};
use super::opcodes::Opcodes;
use super::point::Action;
use super::rebound::Rebound;
use std::collections::HashSet;

/// Takes out the points that others stand for; all are in the order of the instructions.
pub(super) fn take_out(
    opcodes: &Opcodes,
    code: &Code<'_>,
    instructions: &Instructions,
    rebound: &Rebound,
    found: &mut Vec<Found<'_>>,
) {
    let is_read = |found: &Found<'_>| found.point.action == Action::ReadAttribute && !found.is_after;
    if found.iter().filter(|found| is_read(found)).nth(1).is_none() {
        return;
    }
    let all = &instructions.all;
    let targets = targets(code, instructions);
    // An update is told with the read that it goes back to: which is the last one.
    let written: HashSet<&str> = found.iter().filter(|found| found.point.value != 0).filter_map(|found| found.point.name).collect();
    let mut known: HashSet<(u8, u32, &str)> = HashSet::new();
    let mut at = 0;
    found.retain(|found| {
        if !is_read(found) {
            return true;
        }
        let Some(name) = found.point.name.filter(|name| !written.contains(name)) else { return true };
        for index in at..=found.instruction {
            if targets.contains(&index) || !opcodes.info(all[index as usize].opcode).passes {
                known.clear();
            }
        }
        at = found.instruction + 1;
        let variable = found.instruction.checked_sub(1).and_then(|before| variable(opcodes, code, rebound, &all[before as usize]));
        let Some((kind, variable)) = variable else { return true };
        known.insert((kind, variable, name)) || found.point.is_tested
    });
}

/// Where jumps lead, and where exceptions are handled.
pub(super) fn targets(code: &Code<'_>, instructions: &Instructions) -> HashSet<u32> {
    let jumps = instructions.all.iter().filter_map(|instruction| instruction.target);
    jumps.chain(handlers(code, instructions)).collect()
}

/// Where exceptions are handled.
fn handlers(code: &Code<'_>, instructions: &Instructions) -> impl Iterator<Item = u32> {
    let entries = super::tables::exception_entries(code.exceptions).unwrap_or_default();
    entries.into_iter().filter_map(|[_, _, target, _]| instructions.at.get(target as usize).copied())
}

/// The variable that an instruction loads last, if nobody else binds it.
pub(super) fn variable(opcodes: &Opcodes, code: &Code<'_>, rebound: &Rebound, instruction: &Instruction) -> Option<(u8, u32)> {
    let Instruction { opcode, argument, .. } = *instruction;
    if opcodes.load_fasts.contains(&opcode) {
        Some((opcodes.load_fast, argument))
    } else if opcodes.load_fast_pairs.contains(&opcode) {
        Some((opcodes.load_fast, argument & 15))
    } else if opcode == opcodes.load_deref {
        let is_bound_once = code.locals.get(argument as usize).is_some_and(|name| !rebound.has_cell(name));
        is_bound_once.then_some((opcode, argument))
    } else {
        None
    }
}
