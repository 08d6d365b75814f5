//! Probes that another one stands for as long as the object is private: of accesses of one object that soon follow each other, the first.
//!
//! Soon is as in [`super::repeated`].  Code jumps over such a probe; the first one, once it finds an object that is not private, puts it into its
//! place before it is come to.  So nothing of what threads share is left out, but for what is private and handed to another thread by code that
//! an operator or an attribute between the two runs.

use super::code::Code;
use super::found::Found;
use super::instructions::Instructions;
use super::opcodes::Opcodes;
use super::point::{Action, Operand};
use super::rebound::Rebound;
use super::repeated::{targets, variable};
use super::stack::{self, UNKNOWN};
use std::collections::HashMap;

/// For so many others a probe stands at most.
pub const FOLDED: usize = 4;

/// A variable of a function, by the instruction that loads it.
type Variable = (u8, u32);

/// The first probe of what a variable refers to, and for how many others it stands.
struct First {
    at: usize,
    stands_for: usize,
}

/// Marks the points that others stand for; all are in the order of the instructions.
pub(super) fn mark(opcodes: &Opcodes, code: &Code<'_>, instructions: &Instructions, rebound: &Rebound, found: &mut [Found<'_>]) {
    let all = &instructions.all;
    let targets = targets(code, instructions);
    let mut first: HashMap<Variable, First> = HashMap::new();
    // Where each variable was bound last, and where anything may have been.
    let (mut bound, mut unknown) = (HashMap::<Variable, u32>::new(), 0);
    let mut next = 0;
    stack::run(opcodes, code, instructions, |index, stack| {
        if targets.contains(&index) {
            first.clear();
        }
        while let Some(Found { instruction, is_after, point }) = found.get_mut(next).filter(|found| found.instruction <= index) {
            let is_attribute = matches!(point.action, Action::ReadAttribute | Action::WriteAttribute);
            if point.shares_attributes() {
                // The object may be private no more.
                first.clear();
            } else if *instruction == index && !*is_after && is_attribute && !point.is_polled && point.handed == Operand::Site {
                let last = index.checked_sub(1).filter(|_| point.object == 1);
                let pushed = Some(stack.at(u32::from(point.object)))
                    .filter(|by| *by != UNKNOWN && !opcodes.load_fast_pairs.contains(&all[*by as usize].opcode));
                let loaded = |by: Option<u32>| Some((by?, variable(opcodes, code, rebound, &all[by? as usize])?));
                let is_current = |(by, variable): &(u32, Variable)| *by >= unknown && bound.get(variable).is_none_or(|at| at < by);
                if let Some((_, variable)) = loaded(last).or_else(|| loaded(pushed)).filter(is_current) {
                    match first.get_mut(&variable) {
                        Some(other) if other.stands_for < FOLDED => {
                            other.stands_for += 1;
                            point.behind = (next - other.at) as u32;
                        }
                        _ => {
                            first.insert(variable, First { at: next, stands_for: 0 });
                        }
                    }
                }
            }
            next += 1;
        }
        let Some(instruction) = all.get(index as usize) else { return };
        if instruction.opcode == opcodes.store_fast {
            let variable = (opcodes.load_fast, instruction.argument);
            first.remove(&variable);
            bound.insert(variable, index);
        } else if !opcodes.info(instruction.opcode).passes {
            first.clear();
            unknown = index;
        }
    });
}
