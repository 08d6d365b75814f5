//! Acts that may be done twice, so that the look which decides them is no check: whoever comes between does the same.

use crate::patcher::code::Code;
use crate::patcher::found::Found;
use crate::patcher::instructions::Instruction;
use crate::patcher::opcodes::{Jump, Opcodes};
use crate::patcher::point::Action;

/// What puts something into a set.
pub(super) const ADDITION: &str = "add";

/// Methods without arguments that leave after two calls what they leave after one: of events, conditions, timers, futures, tasks.
const REPEATABLE: [&str; 3] = ["cancel", "notify_all", "set"];

/// What takes all out of a container.
pub(super) const CLEARING: &str = "clear";

/// How long a branch is at most.
const LONGEST: usize = 40;

/// A look and the jump that it decides.
struct Look<'a> {
    /// Where the code goes on without a jump, and by it.
    branches: [usize; 2],
    /// What it is compared with: the instructions that load that.
    with: &'a [Instruction],
    /// Whether something may be put into a set, which may be in it.
    is_looked_for: bool,
    /// Whether a number that is stored is one of several, and no flag.
    is_claimed: bool,
    /// Whether something may be cleared.
    may_clear: bool,
    /// Whether anything that was there before may be stored.
    stores_anything: bool,
}

/// Where the code goes on with what is on the stack: after it was stored in a variable, if it is, and loaded from there again.
fn loaded_again(opcodes: &Opcodes, all: &[Instruction], start: usize) -> usize {
    /// From where it is stored to where it is asked.
    const SOON: usize = 8;
    let Some(variable) = all.get(start).and_then(|store| opcodes.stores(store.opcode, store.argument)) else { return start };
    let is_load = |at: &usize| all.get(*at).is_some_and(|load| opcodes.loads(load.opcode, load.argument, variable) == Some(1));
    (start..start + SOON).find(is_load).map_or(start, |load| load + 1)
}

/// Whether it loads a variable, a constant or an attribute, and makes nothing of them.
fn is_load(opcodes: &Opcodes, instruction: &Instruction) -> bool {
    let opcode = instruction.opcode;
    let of_names = [opcodes.load_attr, opcodes.load_deref, opcodes.load_global, opcodes.load_name, opcodes.push_null];
    let variables = opcodes.load_fasts.contains(&opcode) || opcodes.load_fast_pairs.contains(&opcode);
    of_names.contains(&opcode) || variables || opcodes.load_consts.contains(&opcode)
}

/// Whether an instruction does nothing.
fn is_nothing(opcodes: &Opcodes, instruction: &Instruction) -> bool {
    let info = opcodes.info(instruction.opcode);
    let does_nothing = info.effect.is_some_and(|effect| effect.pops(0) == 0 && effect.pushes(0) == 0);
    info.jump == Jump::None && !info.is_end && does_nothing && instruction.opcode != opcodes.swap
}

/// Whether it loads a constant that is no text: one of several texts would be another thread's word.
fn is_flag(opcodes: &Opcodes, strings: &[u64], load: &Instruction) -> bool {
    let is_text = || strings.get(load.argument as usize).is_some_and(|text| *text != 0);
    opcodes.load_consts.contains(&load.opcode) && !(load.opcode == opcodes.load_const && is_text())
}

impl<'a> Look<'a> {
    fn of(opcodes: &Opcodes, code: &Code<'_>, all: &'a [Instruction], check: &Found<'_>) -> Option<Self> {
        /// What something is compared with: a constant, or a member of a class.
        const OPERANDS: usize = 2;
        let start = loaded_again(opcodes, all, check.instruction as usize + 1);
        let tests = |at: usize| all.get(at).map(|test| opcodes.info(test.opcode)).filter(|info| info.tests);
        let is_looked_for = check.point.action == Action::Contains;
        let (jump, with) = if tests(start).is_some_and(|info| is_looked_for || info.tests_for_none) {
            (start, &[][..])
        } else if !is_looked_for && opcodes.info(all.get(start)?.opcode).is_predicate && tests(start + 1).is_some() {
            (start + 1, &[][..])
        } else {
            let compare = (start + 1..=start + OPERANDS).find(|at| {
                let is_equality =
                    |compare| crate::patcher::tested::is_equality(opcodes, compare).is_some() || compare.opcode == opcodes.is_op;
                all.get(*at).is_some_and(is_equality)
            })?;
            tests(compare + 1)?;
            let with = &all[start..compare];
            let is_constant = with[0].opcode == opcodes.load_global || opcodes.load_consts.contains(&with[0].opcode);
            if !is_constant || !with.iter().all(|load| is_load(opcodes, load)) {
                return None;
            }
            // `is False` asks no more than whether it is set.
            let is_plain = all[compare].opcode == opcodes.is_op && is_flag(opcodes, code.strings, &with[0]);
            (compare + 1, if is_plain { &[][..] } else { with })
        };
        Some(Look {
            branches: [jump + 1, all[jump].target? as usize],
            with,
            is_looked_for,
            is_claimed: false,
            may_clear: false,
            stores_anything: false,
        })
    }

    /// Where the statement that begins here ends, if it may be made twice.
    fn statement(
        &self,
        opcodes: &Opcodes,
        (names, strings): (&[&str], &[u64]),
        all: &[Instruction],
        start: usize,
    ) -> Option<usize> {
        let start = (start..).find(|at| !all.get(*at).is_some_and(|next| is_nothing(opcodes, next)))?;
        let is_same = |(one, other): (&Instruction, &Instruction)| one.opcode == other.opcode && one.argument == other.argument;
        let is_compared = || all.get(start..start + self.with.len()).is_some_and(|value| value.iter().zip(self.with).all(is_same));
        let stores = if self.stores_anything {
            is_load(opcodes, all.get(start)?)
        } else if self.with.is_empty() {
            let load = all.get(start)?;
            is_flag(opcodes, strings, load) && !(self.is_claimed && load.opcode == opcodes.load_small_int)
        } else {
            is_compared()
        };
        let mut called = None;
        for (at, instruction) in all.iter().enumerate().skip(start).take(LONGEST) {
            if opcodes.info(instruction.opcode).access.is_some_and(|access| access.value > 0) {
                return stores.then_some(at + 1);
            }
            if instruction.opcode == opcodes.call {
                let known = match instruction.argument {
                    0 => called.is_some_and(|name| REPEATABLE.contains(&name) || self.may_clear && name == CLEARING),
                    1 => self.is_looked_for && called == Some(ADDITION),
                    _ => false,
                };
                let is_dropped = all.get(at + 1).is_some_and(|next| next.opcode == opcodes.pop_top);
                return (known && is_dropped).then_some(at + 2);
            }
            if !is_load(opcodes, instruction) {
                return None;
            }
            if instruction.opcode == opcodes.load_attr && instruction.argument & 1 == 1 {
                called = names.get((instruction.argument >> 1) as usize).copied();
            }
        }
        None
    }

    /// Where the statements that begin at `from` end, if all may be made twice, and the code then goes on as from `other` on.
    fn end(&self, opcodes: &Opcodes, texts: (&[&str], &[u64]), all: &[Instruction], [from, other]: [usize; 2]) -> Option<usize> {
        let mut at = from;
        while at < from + LONGEST {
            at = self.statement(opcodes, texts, all, at)?;
            if goes_on_as(opcodes, all, at, other, self.is_looked_for) {
                return Some(at);
            }
        }
        None
    }
}

/// Whether all that a look decides may be done twice: a flag is set that may be set already (`if not self.dirty: self.dirty = True`), or to what it was compared
/// with (`if self.state != CLOSED: self.state = CLOSED`), something is put into a set (`if x not in seen: seen.add(x)`), an event is set.
pub(super) fn is_repeatable(
    opcodes: &Opcodes,
    code: &Code<'_>,
    all: &[Instruction],
    check: &Found<'_>,
    (act, is_claimed): (&Found<'_>, bool),
) -> bool {
    let Some(look) = Look::of(opcodes, code, all, check) else { return false };
    let look = Look { is_claimed, ..look };
    let act = act.instruction as usize;
    let [next, target] = look.branches;
    let (from, other) = if act < target { (next, target) } else { (target, next) };
    look.end(opcodes, (code.names, code.strings), all, [from, other]).is_some_and(|end| act < end)
}

/// Whether all that a look at the size of a container decides is whether something that was there before is put into it, as into a cache.
pub(super) fn only_keeps(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize) -> bool {
    /// A number, the comparison and the jump.
    const SOON: usize = 6;
    let tests = |at: &usize| all.get(*at).is_some_and(|test| opcodes.info(test.opcode).tests);
    let Some(jump) = (check + 1..check + SOON).find(tests) else { return false };
    let Some(target) = all[jump].target else { return false };
    let branches = [jump + 1, target as usize];
    let look = Look { branches, with: &[], is_looked_for: true, is_claimed: false, may_clear: false, stores_anything: true };
    let texts = (code.names, code.strings);
    [branches, [branches[1], branches[0]]].into_iter().any(|ways| look.end(opcodes, texts, all, ways).is_some())
}

/// Whether all that a look at a container decides is whether it is cleared, or more that may be done twice.
pub(super) fn only_clears(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize) -> bool {
    /// A number, the comparison and the jump.
    const SOON: usize = 6;
    let tests = |at: &usize| all.get(*at).is_some_and(|test| opcodes.info(test.opcode).tests);
    let Some(jump) = (check + 1..check + SOON).find(tests) else { return false };
    all[jump].target.is_some_and(|target| only_repeats(opcodes, code.names, all, [jump + 1, target as usize], true))
}

/// Whether all that the jump at `jump` decides is whether flags are set, whatever is asked there.
pub(in crate::patcher) fn only_sets_flags(opcodes: &Opcodes, names: &[&str], all: &[Instruction], jump: usize) -> bool {
    all[jump].target.is_some_and(|target| only_repeats(opcodes, names, all, [jump + 1, target as usize], false))
}

/// Whether all that is done in one of two branches, and not in the other one, may be done twice.
fn only_repeats(opcodes: &Opcodes, names: &[&str], all: &[Instruction], branches: [usize; 2], may_clear: bool) -> bool {
    let look = Look { branches, with: &[], is_looked_for: false, is_claimed: false, may_clear, stores_anything: false };
    [branches, [branches[1], branches[0]]].into_iter().any(|ways| look.end(opcodes, (names, &[]), all, ways).is_some())
}

/// Whether the code from `after` on does the same as that from `other` on: it comes there, or does as much until the function ends or a `for` goes on, or, if it
/// `may_repeat`, until the next round of whatever loop.
fn goes_on_as(opcodes: &Opcodes, all: &[Instruction], after: usize, other: usize, may_repeat: bool) -> bool {
    let other = (other..).find(|at| !all.get(*at).is_some_and(|next| is_nothing(opcodes, next))).unwrap_or(other);
    for (at, as_at) in (after..).zip(other..) {
        let (Some(one), Some(as_one)) = (all.get(at), all.get(as_at)) else { return false };
        let info = opcodes.info(one.opcode);
        let is_same =
            one.opcode == as_one.opcode && one.target == as_one.target && (one.argument == as_one.argument || one.target.is_some());
        let goes_through = || one.target.and_then(|top| all.get(top as usize)).is_some_and(|top| top.opcode == opcodes.for_iter);
        if at == as_at || is_same && info.is_end && (may_repeat || info.jump != Jump::Backward || goes_through()) {
            return true;
        }
        if !is_same || info.is_end {
            return false;
        }
    }
    false
}
