//! Which of two branches the function acts in, if it only goes on with its loop in the other one: there it waits for its turn.

use super::code::Code;
use super::instructions::Instruction;
use super::opcodes::{Jump, Opcodes};
use super::point::ActsAt;

/// How far it is from a test back to the loop: nothing, or a short wait.
const SHORT: usize = 24;

/// In which case the function acts on what it has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acts {
    /// If it is set, or if it is not.
    If(bool),
    /// If it is this, which is not 0.
    At(ActsAt),
}

/// Whether the function comes to the instructions `acts` if what is read at `check` is set, or if it is not, while in the other case it goes
/// straight back to the loop: nothing but loads and perhaps calls (`time.sleep`) comes between.  `None` if it may come to one of them in
/// another way.
pub(super) fn acts_if(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize, acts: &[usize]) -> Option<Acts> {
    let compared = compared(opcodes, code, all, check);
    let jump = compared.as_ref().map_or(check + 2, |compared| compared.end);
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
        Some(Compared { with: ActsAt::Number(0), is_equal, .. }) => Some(Acts::If(is_equal != if_true)),
        Some(Compared { with, is_equal, .. }) => (is_equal == if_true).then_some(Acts::At(with)),
    }
}

fn is_truth(opcodes: &Opcodes, instruction: &Instruction) -> bool {
    let info = opcodes.info(instruction.opcode);
    info.is_predicate && info.access.is_some_and(|access| access.action == super::point::Action::Truth)
}

/// A comparison of what is read.
struct Compared {
    with: ActsAt,
    /// Whether it is to be that.
    is_equal: bool,
    /// The instruction after it.
    end: usize,
}

/// The comparison of the read at `check`: `if self.turn == 1`, `while self.turn != "ping"`, `while self.turn is not Turn.MINE`.
fn compared(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize) -> Option<Compared> {
    /// Numbers that are told apart.
    const MOST: u32 = 60;
    let Instruction { opcode, argument, .. } = *all.get(check + 1)?;
    let mut end = check + 2;
    let with = if opcode == opcodes.load_small_int {
        (argument <= MOST).then_some(ActsAt::Number(argument as u8))?
    } else if opcode == opcodes.load_const {
        ActsAt::Key(code.text(opcodes, &all[check + 1])?)
    } else if opcodes.load_fasts.contains(&opcode) {
        ActsAt::Local
    } else {
        let name = named_constant(opcodes, code, &all[check + 1..])?;
        end += name.instructions - 1;
        ActsAt::Key(key(name.text))
    };
    let compare = all.get(end)?;
    let is_equal = super::tested::is_equality(opcodes, compare)
        .or_else(|| (compare.opcode == opcodes.is_op).then_some(compare.argument == 0))?;
    Some(Compared { with, is_equal, end: end + 1 })
}

/// The state that what is read at `check` is compared with, as [`state`] numbers it.
pub(super) fn compared_state(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize) -> Option<u64> {
    match compared(opcodes, code, all, check)?.with {
        ActsAt::Key(key) => Some(key),
        ActsAt::Number(_) | ActsAt::Local => None,
    }
}

/// A number for the state that the instruction at `load` loads last: a text, or a constant by its name.
pub(super) fn state(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], load: usize) -> Option<u64> {
    let Instruction { opcode, .. } = *all.get(load)?;
    if opcode == opcodes.load_const {
        return code.text(opcodes, &all[load]);
    }
    let start = if opcode == opcodes.load_attr { load.checked_sub(1)? } else { load };
    let name = named_constant(opcodes, code, &all[start..]).filter(|name| start + name.instructions == load + 1)?;
    Some(key(name.text))
}

/// Whether what is read at `check` is compared with a local variable.
pub(super) fn is_compared_with_a_local(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize) -> bool {
    compared(opcodes, code, all, check).is_some_and(|compared| compared.with == ActsAt::Local)
}

/// Whether the loop whose condition is what is read at `check` goes on as long as that is one certain word, and `act` stores another one there.  `is_left_if_true`:
/// the loop ends if the comparison says so.
pub(super) fn goes_on_while_equal(
    opcodes: &Opcodes,
    code: &Code<'_>,
    all: &[Instruction],
    [check, act]: [usize; 2],
    is_left_if_true: bool,
) -> bool {
    /// A member of a class, the object, and what stores.
    const BEFORE: usize = 4;
    let Some(Compared { with: ActsAt::Key(word), is_equal, .. }) = compared(opcodes, code, all, check) else { return false };
    let is_same = |at: usize| {
        code.text(opcodes, &all[at]) == Some(word)
            || named_constant(opcodes, code, &all[at..]).is_some_and(|named| key(named.text) == word)
    };
    is_equal != is_left_if_true && !(act.saturating_sub(BEFORE)..act).any(is_same)
}

/// Whether the function goes on without a jump if what is read at `check` is a certain text.
pub(super) fn is_asked_for_a_text(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize) -> bool {
    let is_text = all.get(check + 1).is_some_and(|with| with.opcode == opcodes.load_const);
    let compared = compared(opcodes, code, all, check).filter(|compared| is_text && compared.is_equal);
    let jump = compared.and_then(|compared| all.get(compared.end)).map(|jump| opcodes.info(jump.opcode));
    jump.is_some_and(|info| info.tests && !info.tests_for_set)
}

/// A constant of a module, or a member of an enumeration, by its name.
pub(super) struct NamedConstant<'a> {
    text: &'a str,
    pub(super) instructions: usize,
}

/// The name that the instructions load first, if it is written like that of a constant: `READY`, `State.READY`.
pub(super) fn named_constant<'a>(opcodes: &Opcodes, code: &Code<'a>, loads: &[Instruction]) -> Option<NamedConstant<'a>> {
    let name = |instruction: &Instruction| code.names.get((instruction.argument >> 1) as usize).copied();
    let first = loads.first().filter(|first| first.opcode == opcodes.load_global)?;
    let member = loads.get(1).filter(|next| next.opcode == opcodes.load_attr && next.argument & 1 == 0);
    let (text, instructions) = match member {
        Some(member) => (name(member)?, 2),
        None => (name(first)?, 1),
    };
    let is_constant = (instructions > 1 || text.len() > 1) && text.starts_with(|first: char| first.is_ascii_uppercase());
    let is_constant = is_constant && !text.contains(|letter: char| letter.is_ascii_lowercase());
    is_constant.then_some(NamedConstant { text, instructions })
}

/// A number for a name, other than those of strings.
fn key(name: &str) -> u64 {
    name.bytes().fold(1 << 63, |key, byte| (key ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Whether what begins at `from` does nothing until a jump leads back to before `check`.
pub(super) fn goes_straight_back(opcodes: &Opcodes, all: &[Instruction], from: usize, check: usize) -> bool {
    let is_something = |instruction: &&Instruction| {
        let info = opcodes.info(instruction.opcode);
        let is_read = info.access.is_none_or(|access| access.value == 0);
        info.jump != Jump::None || info.is_end || info.effect.is_none() || !is_read
    };
    let end = all[from.min(all.len())..].iter().take(SHORT).find(is_something);
    let leads_back = |last: &Instruction| last.target.is_some_and(|target| target as usize <= check);
    end.is_some_and(|last| opcodes.info(last.opcode).jump == Jump::Backward && leads_back(last))
}

/// Whether `act` is run only if the look at `check` finds that there is nothing: `if not o`, `if len(o) == 0`.
pub(super) fn is_run_if_empty(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize, act: usize) -> bool {
    let compared = compared(opcodes, code, all, check);
    let is_truth = |at: usize| all.get(at).is_some_and(|instruction| is_truth(opcodes, instruction));
    let (jump, is_empty_if) = match compared {
        Some(Compared { with: ActsAt::Number(0), is_equal, end }) => (end, is_equal),
        Some(_) => return false,
        None if is_truth(check) => (check + 1, false),
        None if super::tested::is_equality(opcodes, &all[check]) == Some(true) => (check + 1, true),
        None if super::tested::is_equality(opcodes, &all[check]) == Some(false) => (check + 1, false),
        None if is_truth(check + 1) => (check + 2, false),
        None => return false,
    };
    let Some(test) = all.get(jump) else { return false };
    let (info, Some(target)) = (opcodes.info(test.opcode), test.target) else { return false };
    if !info.tests || info.tests_for_none {
        return false;
    }
    let (empty, other) = if info.tests_for_set == is_empty_if { (target as usize, jump + 1) } else { (jump + 1, target as usize) };
    comes_to(opcodes, all, empty, check, act) && !comes_to(opcodes, all, other, check, act)
}

/// Whether the test of what is read at `check` decides that the function comes to `act`, one way only.
pub(super) fn decides(opcodes: &Opcodes, all: &[Instruction], [check, act]: [usize; 2]) -> bool {
    /// How soon after it was read a value decides a jump.
    const SOON: usize = 6;
    let jump = all[check + 1..].iter().take(SOON).position(|instruction| opcodes.info(instruction.opcode).tests);
    let Some(jump) = jump.map(|jump| check + 1 + jump).filter(|jump| *jump < act) else { return false };
    let leads_to = |from: usize| comes_to(opcodes, all, from, check, act);
    all[jump].target.is_some_and(|target| leads_to(target as usize) != leads_to(jump + 1))
}

/// Whether `act` may be run after `from` without passing `check` again.
pub(super) fn comes_to(opcodes: &Opcodes, all: &[Instruction], from: usize, check: usize, act: usize) -> bool {
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
