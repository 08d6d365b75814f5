//! Which of two branches the function acts in, if it only goes on with its loop in the other one: there it waits for its turn.

use super::instructions::Instruction;
use super::opcodes::{Jump, Opcodes};

/// How far it is from a test back to the loop: nothing, or a short wait.
const SHORT: usize = 24;

/// In which case the function acts on what it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acts {
    /// If it is set, or if it is not.
    If(bool),
    /// If it is this number, which is not 0.
    At(u8),
}

/// Whether the function comes to the instructions `acts` if what is read at `check` is set, or if it is not, while in the other case it goes
/// straight back to the loop: nothing but loads and perhaps calls (`time.sleep`) comes between.  `None` if it may come to one of them in
/// another way.
pub(super) fn acts_if(opcodes: &Opcodes, all: &[Instruction], check: usize, acts: &[usize]) -> Option<Acts> {
    let compared = compared(opcodes, all, check);
    let jump = check + if compared.is_some() { 3 } else { 2 };
    let test = all.get(jump)?;
    let info = opcodes.info(test.opcode);
    if compared.is_none() && !is_truth(opcodes, &all[check + 1]) || !info.tests || info.tests_for_none {
        return None;
    }
    let [taken, next] = [test.target? as usize, jump + 1];
    let waits = |from: usize| goes_straight_back(opcodes, all, from, check);
    let (acting, waiting, if_taken) = match (waits(taken), waits(next)) {
        (true, false) => (next, taken, false),
        (false, true) => (taken, next, true),
        (true, true) | (false, false) => return None,
    };
    let is_between = |act: &usize| comes_to(opcodes, all, acting, check, *act) && !comes_to(opcodes, all, waiting, check, *act);
    if acts.is_empty() || !acts.iter().all(is_between) {
        return None;
    }
    let if_true = if_taken == info.tests_for_set;
    match compared {
        None => Some(Acts::If(if_true)),
        Some((0, is_equal)) => Some(Acts::If(is_equal != if_true)),
        Some((number, is_equal)) => (is_equal == if_true).then_some(Acts::At(number)),
    }
}

fn is_truth(opcodes: &Opcodes, instruction: &Instruction) -> bool {
    let info = opcodes.info(instruction.opcode);
    info.is_predicate && info.access.is_some_and(|access| access.action == super::point::Action::Truth)
}

/// The small number that what is read is compared with, and whether it is to be that one: `if self.turn == 1`.
fn compared(opcodes: &Opcodes, all: &[Instruction], check: usize) -> Option<(u8, bool)> {
    /// Numbers that are told apart.
    const MOST: u32 = 60;
    let [number, compare] = all.get(check + 1..check + 3)? else { return None };
    let is_number = number.opcode == opcodes.load_small_int && number.argument <= MOST;
    let is_equal = super::tested::is_equality(opcodes, compare)?;
    is_number.then_some((number.argument as u8, is_equal))
}

/// Whether what begins at `from` does nothing until a jump leads back to before `check`.
fn goes_straight_back(opcodes: &Opcodes, all: &[Instruction], from: usize, check: usize) -> bool {
    let is_something = |instruction: &&Instruction| {
        let info = opcodes.info(instruction.opcode);
        let is_read = info.access.is_none_or(|access| access.value == 0);
        info.jump != Jump::None || info.is_end || info.effect.is_none() || !is_read
    };
    let end = all[from.min(all.len())..].iter().take(SHORT).find(is_something);
    let leads_back = |last: &Instruction| last.target.is_some_and(|target| target as usize <= check);
    end.is_some_and(|last| opcodes.info(last.opcode).jump == Jump::Backward && leads_back(last))
}

/// Whether `act` may be run after `from` without passing `check` again.
fn comes_to(opcodes: &Opcodes, all: &[Instruction], from: usize, check: usize, act: usize) -> bool {
    let mut is_seen = vec![false; all.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at >= all.len() || at == check || std::mem::replace(&mut is_seen[at], true) {
            continue;
        }
        if at == act {
            return true;
        }
        open.extend(all[at].target.map(|target| target as usize));
        open.extend((!opcodes.info(all[at].opcode).is_end).then_some(at + 1));
    }
    false
}
