//! What becomes of a value that is read: is it tested, and does the test leave a loop?

use super::instructions::{Instruction, Instructions};
use super::opcode_table::Effect;
use super::opcodes::{Jump, Opcodes};
use super::point::Action;

/// What becomes of a value that is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tested {
    /// It decides a jump soon after.
    pub(super) is_tested: bool,
    /// That leaves a loop.
    pub(super) is_polled: bool,
    /// If the value is set.
    pub(super) is_awaited: bool,
    /// The function gives the answer to its caller, who may act on it.
    pub(super) is_asked: bool,
    /// It may tell that something is done: a loop that waits until it is taken back waits for its turn instead.
    pub(super) is_heeded: bool,
    /// Whether there is something at all is what is tested.
    pub(super) is_lazy: bool,
    /// It is compared by its order.
    pub(super) is_measured: bool,
}

/// Whether the result of the call at this code unit decides something soon after, in the same function.
pub fn decides_here(opcodes: &Opcodes, bytes: &[u8], unit: u32) -> bool {
    let Some(Instructions { all, at }) = Instructions::read(opcodes, bytes) else { return false };
    let call = at.get(unit as usize).map(|call| *call as usize).filter(|call| *call < all.len());
    call.is_some_and(|call| matches!(decides(opcodes, &all, call, Follow::Checks), Some(Decision::Jump(_))))
}

/// Whether a coroutine awaits at once what the call at this code unit returns, or is inside of what it awaits there.
pub fn awaits_here(opcodes: &Opcodes, bytes: &[u8], unit: u32) -> bool {
    let Some(Instructions { all, at }) = Instructions::read(opcodes, bytes) else { return false };
    let is = |at: usize, opcode| all.get(at).is_some_and(|instruction| instruction.opcode == opcode);
    at.get(unit as usize).is_some_and(|at| is(*at as usize, opcodes.send) || is(*at as usize + 1, opcodes.get_awaitable))
}

/// What becomes of what the instruction pushes.
pub(super) fn tested(opcodes: &Opcodes, instructions: &[Instruction], index: usize) -> Tested {
    match decides(opcodes, instructions, index, Follow::Checks) {
        None => Tested::default(),
        Some(Decision::Answer(end)) => {
            let is_measured = is_measured(opcodes, &instructions[index..end]);
            Tested { is_tested: true, is_asked: true, is_heeded: true, is_measured, ..Tested::default() }
        }
        Some(Decision::Jump(jump)) => {
            let left = leaves_a_loop(opcodes, instructions, jump);
            let is_polled = left.is_some();
            let is_awaited = left.is_some_and(|by_jumping| by_jumping == opcodes.info(instructions[jump].opcode).tests_for_set);
            let is_lazy = !is_polled && opcodes.info(instructions[jump].opcode).tests_for_none;
            let compares = [opcodes.compare_op, opcodes.is_op, opcodes.contains_op];
            let is_compared = instructions[index + 1..jump].iter().any(|instruction| compares.contains(&instruction.opcode));
            let is_heeded = !is_polled || is_awaited || is_compared;
            let is_measured = is_measured(opcodes, &instructions[index..jump]);
            Tested { is_tested: true, is_polled, is_awaited, is_asked: false, is_heeded, is_lazy, is_measured }
        }
    }
}

/// Whether one of these compares values by their order.
pub(super) fn is_measured(opcodes: &Opcodes, instructions: &[Instruction]) -> bool {
    let is_order =
        |instruction: &Instruction| instruction.opcode == opcodes.compare_op && is_equality(opcodes, instruction).is_none();
    instructions.iter().any(is_order)
}

/// Whether an instruction compares by `==` (true) or by `!=` (false).
pub(super) fn is_equality(opcodes: &Opcodes, instruction: &Instruction) -> Option<bool> {
    /// Below the operator, `COMPARE_OP` has the mask of its specialised forms; of the operators, these two are `==` and `!=`.
    const OPERATOR: u32 = 5;
    const EQUALITY: [u32; 2] = [2, 3];
    let is_it = |operator: &u32| instruction.opcode == opcodes.compare_op && *operator == instruction.argument >> OPERATOR;
    EQUALITY.iter().position(is_it).map(|place| place == 0)
}

/// The last instruction of the innermost loop that `jump` is in.
pub(super) fn loop_end(opcodes: &Opcodes, instructions: &[Instruction], jump: usize) -> Option<usize> {
    let around = |end: usize| {
        let back = |(_, instruction): &(usize, &Instruction)| opcodes.info(instruction.opcode).jump == Jump::Backward;
        let loops = instructions[..end].iter().enumerate().skip(jump).filter(back);
        // The innermost loop begins last; every `continue` jumps there, and the last one ends it.
        loops.filter_map(|(end, instruction)| Some((instruction.target?, end))).filter(|(top, _)| *top as usize <= jump).max()
    };
    // Handlers, those of a `with` in the loop as well, are behind all the rest, and go back to the loop from there.
    let handlers = instructions.iter().skip(jump).position(|instruction| instruction.opcode == opcodes.push_exc_info);
    handlers.and_then(|handlers| around(jump + handlers)).or_else(|| around(instructions.len())).map(|(_, end)| end)
}

/// Whether the conditional jump at `jump` leaves the innermost loop that it is in: by jumping (true), or by not doing so.
pub(super) fn leaves_a_loop(opcodes: &Opcodes, instructions: &[Instruction], jump: usize) -> Option<bool> {
    /// `return`, `break`, with what is popped before.
    const SHORT: usize = 4;
    let end = loop_end(opcodes, instructions, jump)?;
    let inside = instructions[end].target? as usize..=end;
    let is_outside = |target: Option<u32>| target.is_none_or(|target| !inside.contains(&(target as usize)));
    if is_outside(instructions[jump].target) {
        return Some(true);
    }
    let not_taken = instructions[jump + 1..].iter().take(SHORT);
    let stops = |instruction: &&Instruction| {
        let info = opcodes.info(instruction.opcode);
        info.is_end || info.jump != Jump::None || info.access.is_some()
    };
    let first = not_taken.clone().find(stops)?;
    (opcodes.info(first.opcode).is_end && is_outside(first.target)).then_some(false)
}

/// What a value decides.
pub(super) enum Decision {
    /// The conditional jump with this index.
    Jump(usize),
    /// What the function says of it, by the instruction with this index.
    Answer(usize),
}

/// Where the value that is followed is.
#[derive(Clone, Copy)]
enum Whereabouts {
    /// At this depth of the stack.
    Stack(u32),
    /// In the local variable with this number.
    Local(u32),
}

/// How a value is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// As far as an act may follow from it: only whether there is something is asked of a local variable, and what is computed from it is another matter; and
    /// what is returned as it is, is no answer.
    Checks,
    /// Wherever it goes, but for what is called with it.
    Anything,
    /// And there, in the result: an iterator, a container.
    Calls,
}

/// What the value that the instruction pushes decides soon after.
pub(super) fn decides(opcodes: &Opcodes, instructions: &[Instruction], index: usize, follow: Follow) -> Option<Decision> {
    use Whereabouts::{Local, Stack};
    /// `if a.b[c] is not None and ...` and the like.
    const SOON: usize = 8;
    let mut at = Stack(1);
    let mut was_local = false;
    let mut is_answer = follow != Follow::Checks || instructions[index].opcode == opcodes.contains_op;
    for (here, instruction) in instructions.iter().enumerate().skip(index + 1).take(SOON) {
        let Instruction { opcode, argument, .. } = *instruction;
        let info = opcodes.info(opcode);
        let depth = match at {
            Stack(depth) => depth,
            Local(variable) => {
                at = opcodes.loads(opcode, argument, variable).map_or(at, Stack);
                // Another test may come before it.
                let goes_on = info.jump == Jump::None || info.jump == Jump::Forward && info.tests;
                if !goes_on || info.is_end || opcodes.binds(opcode, argument, variable) {
                    return None;
                }
                continue;
            }
        };
        if info.tests {
            return (depth == 1).then_some(Decision::Jump(here));
        }
        if opcode == opcodes.return_value || opcode == opcodes.yield_value && follow != Follow::Checks {
            return (depth == 1 && is_answer).then_some(Decision::Answer(here));
        }
        let effect = info.effect.filter(|_| info.jump == Jump::None && !info.is_end)?;
        let (pops, pushes) = (effect.pops(argument), effect.pushes(argument));
        if opcode == opcodes.copy && argument == depth {
            // A copy that is stored right away (`:=`) leaves it where it was.
            let is_stored = |next: &Instruction| {
                let info = opcodes.info(next.opcode);
                let is_one = |effect: Effect| effect.pops(next.argument) == 1 && effect.pushes(next.argument) == 0;
                // `case None` tests a copy.
                !info.tests && info.effect.is_some_and(is_one)
            };
            if instructions.get(here + 1).is_some_and(is_stored) {
                at = Stack(depth + 1);
            } else {
                at = Stack(1);
            }
        } else if opcode == opcodes.swap {
            return None;
        } else if pops < depth {
            at = Stack(depth - pops + pushes);
        } else if let Some(variable) = opcodes.stores_at(opcode, argument, depth) {
            was_local = true;
            at = opcodes.loads(opcode, argument, variable).map_or(Local(variable), Stack);
        } else if instruction.is_question && depth == 2 {
            is_answer = true;
            at = Stack(1);
        } else if info.is_predicate && !is_looked_into(opcodes, instruction, depth) {
            let is_computed = opcode == opcodes.binary_op;
            if was_local && is_computed && follow == Follow::Checks {
                return None;
            }
            is_answer |= opcode != opcodes.binary_op;
            at = Stack(1);
        } else if follow == Follow::Calls && is_taken_further(opcodes, instruction) {
            at = Stack(1);
        } else {
            return None;
        }
    }
    None
}

/// Whether what comes of an object that it has on the stack is on top after it: a call, a method that is looked up, an iterator.
fn is_taken_further(opcodes: &Opcodes, instruction: &Instruction) -> bool {
    let is_iterated = || opcodes.info(instruction.opcode).access.is_some_and(|access| access.action == Action::Iterate);
    let is_method = || instruction.opcode == opcodes.load_attr && instruction.argument & 1 == 1;
    instruction.opcode == opcodes.call || is_method() || is_iterated()
}

/// Of a container that is looked into, something else decides.
fn is_looked_into(opcodes: &Opcodes, instruction: &Instruction, depth: u32) -> bool {
    let is_subscript = instruction.opcode == opcodes.binary_op && instruction.argument == opcodes.subscript;
    is_subscript || (instruction.opcode == opcodes.contains_op && depth == 1)
}
