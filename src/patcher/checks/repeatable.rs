//! Acts that may be done twice, so that the look which decides them is no check: whoever comes between does the same.

use crate::patcher::branches;
use crate::patcher::code::{Code, text};
use crate::patcher::found::Found;
use crate::patcher::instructions::Instruction;
use crate::patcher::opcodes::{Jump, Opcodes};
use crate::patcher::point::Action;

/// What puts something into a set.
pub(super) const ADDITION: &str = "add";

/// Methods without arguments that leave after two calls what they leave after one: of events, conditions, timers, futures, tasks.
const REPEATABLE: [&str; 3] = ["cancel", "notify_all", "set"];

/// The same, of containers.
pub(super) const EMPTYING: &str = "clear";

/// What asks a container how much there is in it.
pub(super) const SIZE: &str = "len";

/// Methods and functions that say something to a log, where it may be said twice.
const LOGS: [&str; 8] = ["critical", "debug", "error", "exception", "info", "log", "warn", "warning"];

/// Methods and functions that wake somebody up, if all that they send is a constant that is no text.
const WAKES: [&str; 2] = ["send", "write"];

const SET_ATTRIBUTE: &str = "setattr";

/// How long a branch is at most.
const LONGEST: usize = 40;

/// A look and the jump that it decides.
struct Look<'a> {
    /// Where the code goes on without a jump, and by it.
    branches: [usize; 2],
    /// What it is compared with: the instructions that load that.
    with: &'a [Instruction],
    /// The attribute or variable that is asked, or the function that asks, if that is known: what is asked may be gone by then.
    of: Option<&'a str>,
    /// Whether something may be put into a set, which may be in it.
    is_looked_for: bool,
    stores: Stores,
    /// Whether a number that is stored is one of several, and no flag.
    is_claimed: bool,
}

/// Values that may be stored twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stores {
    /// Flags, or what the look compares with.
    Flags,
    /// Texts.
    Texts,
    /// Anything that was there before.
    Anything,
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

/// Whether it loads a global that is written like a constant, such as what is there unless something else is given.
fn is_default(opcodes: &Opcodes, names: &[&str], all: &[Instruction], at: usize) -> bool {
    let Some(load) = all.get(at).filter(|load| load.opcode == opcodes.load_global && load.argument & 1 == 0) else { return false };
    let is_constant = |name: &&str| name.len() > 1 && !name.contains(|letter: char| letter.is_ascii_lowercase());
    let is_whole = all.get(at + 1).is_some_and(|next| next.opcode != opcodes.load_attr);
    is_whole && names.get((load.argument >> 1) as usize).is_some_and(is_constant)
}

/// Whether an instruction does nothing.
fn is_nothing(opcodes: &Opcodes, instruction: &Instruction) -> bool {
    let info = opcodes.info(instruction.opcode);
    let does_nothing = info.effect.is_some_and(|effect| effect.pops(0) == 0 && effect.pushes(0) == 0);
    info.jump == Jump::None && !info.is_end && does_nothing && instruction.opcode != opcodes.swap
}

/// Whether it loads a constant that is a text.
fn is_text(opcodes: &Opcodes, strings: &[u64], load: &Instruction) -> bool {
    text(opcodes, strings, load).is_some()
}

/// Whether it loads a constant that is no text: one of several texts would be another thread's word.
fn is_flag(opcodes: &Opcodes, strings: &[u64], load: &Instruction) -> bool {
    opcodes.load_consts.contains(&load.opcode) && !is_text(opcodes, strings, load)
}

impl<'a> Look<'a> {
    fn of(opcodes: &Opcodes, code: &Code<'_>, all: &'a [Instruction], check: &Found<'a>) -> Option<Self> {
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
        let branches = [jump + 1, all[jump].target? as usize];
        Some(Look { branches, with, of: check.point.name, is_looked_for, stores: Stores::Flags, is_claimed: false })
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
        let stores = match self.stores {
            Stores::Anything => is_load(opcodes, all.get(start)?),
            Stores::Texts => is_text(opcodes, strings, all.get(start)?),
            Stores::Flags if self.with.is_empty() => {
                let load = all.get(start)?;
                let is_claim = self.is_claimed && load.opcode == opcodes.load_small_int;
                is_flag(opcodes, strings, load) && !is_claim || is_default(opcodes, names, all, start)
            }
            Stores::Flags => is_compared(),
        };
        let mut called = None;
        for (at, instruction) in all.iter().enumerate().skip(start).take(LONGEST) {
            if opcodes.info(instruction.opcode).access.is_some_and(|access| access.value > 0) {
                return stores.then_some(at + 1);
            }
            if [opcodes.call, opcodes.call_kw].contains(&instruction.opcode) {
                let way = (&all[start..at], instruction);
                let known = called.is_some_and(|name| self.may_be_called_twice(opcodes, (names, strings), name, way));
                let is_dropped = all.get(at + 1).is_some_and(|next| next.opcode == opcodes.pop_top);
                return (known && is_dropped).then_some(at + 2);
            }
            let is_formatted = [opcodes.format_simple, opcodes.build_string].contains(&instruction.opcode);
            let is_said = || is_formatted && called.is_some_and(|name| LOGS.contains(&name));
            if !(is_load(opcodes, instruction) || is_said()) {
                return None;
            }
            let is_name = [opcodes.load_attr, opcodes.load_global].contains(&instruction.opcode);
            let is_pushed = all.get(at + 1).is_some_and(|next| next.opcode == opcodes.push_null);
            if is_name && (instruction.argument & 1 == 1 || is_pushed) {
                called = names.get((instruction.argument >> 1) as usize).copied();
            }
        }
        None
    }

    /// Whether the function or method of this name may be called twice by this call, with what is loaded `before`.
    fn may_be_called_twice(
        &self,
        opcodes: &Opcodes,
        (names, strings): (&[&str], &[u64]),
        name: &str,
        (before, call): (&[Instruction], &Instruction),
    ) -> bool {
        if LOGS.contains(&name) {
            return true;
        }
        let is_constant = || before.last().is_some_and(|last| is_flag(opcodes, strings, last));
        let is_asked = |load: &Instruction| {
            let is_named = [opcodes.load_attr, opcodes.load_global, opcodes.load_name].contains(&load.opcode);
            let name = names.get((load.argument >> u32::from(load.opcode != opcodes.load_name)) as usize);
            is_named && name.copied() == self.of
        };
        match call.argument {
            _ if call.opcode == opcodes.call_kw => false,
            0 if name == EMPTYING => self.of.is_some() && !before.iter().any(is_asked),
            0 => REPEATABLE.contains(&name),
            1 if name == ADDITION => self.is_looked_for,
            3 if name == SET_ATTRIBUTE => is_constant(),
            _ => WAKES.contains(&name) && is_constant(),
        }
    }

    /// Whether all that it decides may be made twice, `act` among it.
    fn covers(&self, opcodes: &Opcodes, texts: (&[&str], &[u64]), all: &[Instruction], act: usize) -> bool {
        let [next, target] = self.branches;
        let ways = if act < target { [next, target] } else { [target, next] };
        self.end(opcodes, texts, all, ways).is_some_and(|end| act < end)
    }

    /// Whether all that it decides may be made twice.
    fn is_all(&self, opcodes: &Opcodes, texts: (&[&str], &[u64]), all: &[Instruction]) -> bool {
        let [next, target] = self.branches;
        [[next, target], [target, next]].into_iter().any(|ways| self.end(opcodes, texts, all, ways).is_some())
    }

    /// The one that the jump at `jump` follows, whatever is asked there.
    fn at(all: &[Instruction], jump: usize) -> Option<Self> {
        let branches = [jump + 1, all[jump].target? as usize];
        Some(Look { branches, with: &[], of: None, is_looked_for: false, stores: Stores::Flags, is_claimed: false })
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
    let look = Look::of(opcodes, code, all, check).map(|look| Look { is_claimed, ..look });
    look.is_some_and(|look| look.covers(opcodes, (code.names, code.strings), all, act.instruction as usize))
}

/// Whether all that a look at a variable decides is that a text is stored there because a certain other one was found.
pub(super) fn only_says(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: &Found<'_>) -> bool {
    let Some(look) = Look::of(opcodes, code, all, check) else { return false };
    let look = Look { stores: Stores::Texts, ..look };
    branches::is_asked_for_a_text(opcodes, code, all, check.instruction as usize)
        && look.end(opcodes, (code.names, code.strings), all, look.branches).is_some()
}

/// The jump that a look at the size of a container decides.
fn jump_after_size(opcodes: &Opcodes, all: &[Instruction], check: usize) -> Option<usize> {
    /// A number, the comparison and the jump.
    const SOON: usize = 6;
    (check + 1..check + SOON).find(|at| all.get(*at).is_some_and(|test| opcodes.info(test.opcode).tests))
}

/// Whether all that a look at the size of a container decides is whether something that was there before is put into it, as into a cache.
pub(super) fn only_keeps(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize) -> bool {
    let jump = jump_after_size(opcodes, all, check);
    let look = jump.and_then(|jump| Look::at(all, jump));
    let look = look.map(|look| Look { is_looked_for: true, stores: Stores::Anything, ..look });
    look.is_some_and(|look| look.is_all(opcodes, (code.names, code.strings), all))
}

/// Whether all that a look at the size of a container decides is whether it is emptied by `act`.
pub(super) fn only_empties(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], [check, act]: [usize; 2]) -> bool {
    let Some(look) = jump_after_size(opcodes, all, check).and_then(|jump| Look::at(all, jump)) else { return false };
    Look { of: Some(SIZE), ..look }.covers(opcodes, (code.names, code.strings), all, act)
}

/// Whether all that a look at a container decides is whether it is emptied, or more that may be done twice.
pub(super) fn only_clears(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: usize) -> bool {
    let look = jump_after_size(opcodes, all, check).and_then(|jump| Look::at(all, jump));
    look.is_some_and(|look| Look { of: Some(SIZE), ..look }.is_all(opcodes, (code.names, code.strings), all))
}

/// Whether all that the jump at `jump` decides is whether flags are set, whatever is asked there.
pub(in crate::patcher) fn only_sets_flags(opcodes: &Opcodes, texts: (&[&str], &[u64]), all: &[Instruction], jump: usize) -> bool {
    Look::at(all, jump).is_some_and(|look| look.is_all(opcodes, texts, all))
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
