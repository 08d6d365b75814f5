//! The instructions that pushed what is on the stack: the code is run once, in its order, on a stack of instructions instead of
//! objects.

use super::code::Code;
use super::instructions::Instructions;
use super::opcodes::{Jump, Opcodes};
use super::tables;

/// Not known, or one of several.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// The instructions that pushed the values, from the bottom of what is known to the top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Producers(Vec<u32>);

impl Producers {
    /// The instruction that pushed the value at this depth; 1 is the top.
    pub(super) fn at(&self, depth: u32) -> u32 {
        self.0.len().checked_sub(depth as usize).map_or(UNKNOWN, |place| self.0[place])
    }

    fn apply(&mut self, opcodes: &Opcodes, opcode: u8, argument: u32, index: u32) {
        let Some(effect) = opcodes.info(opcode).effect else { return self.0.clear() };
        if opcode == opcodes.swap {
            let top = self.0.len();
            match top.checked_sub(argument as usize) {
                Some(other) if argument > 0 => self.0.swap(other, top - 1),
                Some(_) | None => self.0.clear(),
            }
            return;
        }
        let left = self.0.len().saturating_sub(effect.pops(argument) as usize);
        let copied = if opcode == opcodes.copy { self.at(argument) } else { index };
        self.0.truncate(left);
        self.0.extend(std::iter::repeat_n(copied, effect.pushes(argument) as usize));
    }

    /// What is true after either of both.
    fn join(&mut self, other: &Producers) {
        let known = self.0.len().min(other.0.len());
        self.0.drain(..self.0.len() - known);
        for (mine, theirs) in self.0.iter_mut().zip(&other.0[other.0.len() - known..]) {
            if mine != theirs {
                *mine = UNKNOWN;
            }
        }
    }
}

/// Tells `visit` the stack before each instruction.
///
/// Jumps back are not followed: a loop leaves alone what was on the stack before it.
pub(super) fn run(opcodes: &Opcodes, code: &Code<'_>, instructions: &Instructions, mut visit: impl FnMut(u32, &Producers)) {
    let mut arriving: Vec<Option<Producers>> = vec![None; instructions.all.len()];
    for [_, _, target, _] in tables::exception_entries(code.exceptions).unwrap_or_default() {
        // Nothing is known of the values that are there.
        if let Some(handler) = instructions.at.get(target as usize).and_then(|index| arriving.get_mut(*index as usize)) {
            *handler = Some(Producers::default());
        }
    }
    let mut stack = Producers::default();
    let mut follows = true;
    for (index, instruction) in (0..).zip(&instructions.all) {
        match arriving[index as usize].take() {
            Some(other) if follows => stack.join(&other),
            Some(other) => stack = other,
            None if !follows => stack = Producers::default(),
            None => {}
        }
        visit(index, &stack);
        stack.apply(opcodes, instruction.opcode, instruction.argument, index);
        let info = opcodes.info(instruction.opcode);
        if info.jump == Jump::Forward
            && let Some(place) = instruction.target.and_then(|target| arriving.get_mut(target as usize))
        {
            match place {
                Some(known) => known.join(&stack),
                None => *place = Some(stack.clone()),
            }
        }
        follows = !info.is_end;
    }
}
