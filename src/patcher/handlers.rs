//! Exception handlers: whether what an instruction may raise because something is not there is handled in the same function.
//!
//! `try: ... except KeyError` (or one of its bases, or several, or none by name) and `with suppress(KeyError)` count, whatever the handler does.

use super::code::Code;
use super::instructions::{Instruction, Instructions};
use super::opcodes::Opcodes;
use super::tables;

/// What containers raise for what they have not, and what these are derived from.
const LACKING: &[&str] = &["BaseException", "Exception", "IndexError", "KeyError", "LookupError", "ValueError"];

/// The handlers of a code object.
pub(super) struct Handlers<'a, 'b> {
    opcodes: &'b Opcodes,
    code: &'b Code<'a>,
    instructions: &'b Instructions,
    /// Start, length, target, depth.
    tries: Vec<[u32; 4]>,
}

impl<'a, 'b> Handlers<'a, 'b> {
    pub(super) fn of(opcodes: &'b Opcodes, code: &'b Code<'a>, instructions: &'b Instructions) -> Self {
        let tries = tables::exception_entries(code.exceptions).unwrap_or_default();
        Handlers { opcodes, code, instructions, tries }
    }

    /// Whether it is handled that something is not there, if the instruction at this unit says so.
    pub(super) fn handle_lack(&self, unit: u32) -> bool {
        /// A `with`, a `finally` and the like, in each other.
        const MOST: usize = 12;
        let mut unit = unit;
        for _ in 0..MOST {
            let covers = |&&[start, length, ..]: &&[u32; 4]| (start..start + length).contains(&unit);
            let Some(&[start, _, target, _]) = self.tries.iter().find(covers) else { return false };
            if self.catches(target) || self.is_suppressed(start, target) {
                return true;
            }
            // What the handler does not want is raised again in it.
            unit = target;
        }
        false
    }

    fn from(&self, unit: u32) -> &'b [Instruction] {
        let at = self.instructions.at.get(unit as usize).map_or(usize::MAX, |at| *at as usize);
        self.instructions.all.get(at..).unwrap_or_default()
    }

    fn name(&self, instruction: &Instruction) -> Option<&'a str> {
        let shift = if instruction.opcode == self.opcodes.load_name {
            0
        } else if [self.opcodes.load_global, self.opcodes.load_attr].contains(&instruction.opcode) {
            1
        } else {
            return None;
        };
        self.code.names.get((instruction.argument >> shift) as usize).copied()
    }

    fn says_lack(&self, instruction: &Instruction) -> bool {
        self.name(instruction).is_some_and(|name| LACKING.contains(&name))
    }

    /// One of the clauses of the handler that begins at `target`.
    fn catches(&self, target: u32) -> bool {
        let mut clause = self.from(target);
        let Some((first, rest)) = clause.split_first() else { return false };
        if first.opcode != self.opcodes.push_exc_info {
            return false;
        }
        if rest.first().is_some_and(|next| next.opcode == self.opcodes.pop_top) {
            return true;
        }
        clause = rest;
        // The classes of a clause, the match, and a jump to the next clause.
        while let Some(matched) = clause.iter().position(|instruction| instruction.opcode == self.opcodes.check_exc_match) {
            if clause[..matched].iter().any(|instruction| self.opcodes.info(instruction.opcode).is_end) {
                return false;
            }
            if clause[..matched].iter().any(|instruction| self.says_lack(instruction)) {
                return true;
            }
            let next = clause[matched..].iter().take(3).find_map(|instruction| instruction.target);
            let Some(next) = next.and_then(|next| self.instructions.all.get(next as usize..)) else { return false };
            if next.len() >= clause.len() {
                return false;
            }
            clause = next;
        }
        // After clauses for other classes, one for all.
        clause.first().is_some_and(|first| first.opcode == self.opcodes.pop_top)
    }

    /// The body of a `with suppress(...)` begins at `start`.
    fn is_suppressed(&self, start: u32, target: u32) -> bool {
        /// The context manager, its arguments, and how it is entered.
        const BEFORE: usize = 24;
        let is_with = self.from(target).iter().take(2).any(|instruction| instruction.opcode == self.opcodes.with_except_start);
        let Some(end) = self.instructions.at.get(start as usize).map(|at| *at as usize).filter(|_| is_with) else { return false };
        let before = &self.instructions.all[end.saturating_sub(BEFORE)..end];
        let called = before.iter().rposition(|instruction| self.name(instruction) == Some("suppress"));
        called.is_some_and(|called| before[called..].iter().any(|instruction| self.says_lack(instruction)))
    }
}
