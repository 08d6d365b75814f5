//! Checks and what they decide: which reads the function acts on later, so that whoever comes between is in the way although the act may not
//! take place this time.

use super::branches::{self, Acts};
use super::code::Code;
use super::found::Found;
use super::handlers::Handlers;
use super::instructions::{Instruction, Instructions};
use super::known_calls::{self, CallEffect, INDEX};
use super::names::{INSERTION, Names};
use super::opcodes::{Jump, Opcodes};
use super::point::{Action, Point};
use super::tested::{Decision, Follow, loop_end};
use numbered::is_made_of;
pub(super) use repeatable::only_sets_flags;
use repeatable::{ADDITION, EMPTYING, SIZE, is_repeatable, only_clears, only_empties, only_keeps, only_says};
use subject::{Subject, acted, checked, looked_at};

mod numbered;
mod repeatable;
mod rounds;
mod subject;

/// Marks the checks that an action of the same function follows ([`Point::is_acting`]), and those that a loop follows ([`Point::is_guard`]).
/// Of several (`if x is None: with lock: if x is None: x = ...`) it is the last one before the action; an action whose failure is handled
/// (`is_tried`, of a code unit) needs none.  A check beside which something else decides is none.
pub(super) fn mark<'a>(
    opcodes: &Opcodes,
    code: &Code<'a>,
    instructions: &Instructions,
    handlers: &Handlers<'_, '_>,
    names: &Names<'a>,
    is_tried: impl Fn(u32) -> bool,
    found: &mut [Found<'a>],
) {
    for found in found.iter_mut().filter(|found| found.point.action == Action::Contains && found.point.is_polled) {
        if is_search(opcodes, &instructions.all, found.instruction as usize) {
            (found.point.is_polled, found.point.is_awaited) = (false, false);
            found.point.is_claim = true;
        }
    }
    for look in 0..found.len() {
        found[look].point.is_tested |= is_made_if_missing(opcodes, handlers, &instructions.all, names, found, look);
    }
    rounds::mark(opcodes, code, &instructions.all, names, found);
    for take in 0..found.len() {
        if let Some(look) = looks_at_what_is_taken(opcodes, code, &instructions.all, names, found, take) {
            (found[look].point.is_tested, found[look].point.is_taken) = (true, true);
        }
    }
    let mut decided_otherwise = Vec::new();
    let mut decisive = Vec::new();
    let mut firsts = Vec::new();
    for act in 0..found.len() {
        let is_full = |look: &usize| is_emptied(opcodes, code, &instructions.all, names, found, [*look, act]);
        if takes_all_out(&found[act].point)
            && let Some(look) = (0..act).rev().find(is_full)
        {
            found[act].point.is_emptied = true;
            decided_otherwise.push(look);
        }
        if let Some(subject) = acted(&found[act].point, names.containers[act]) {
            let is_it = |at: &usize| checked(&found[*at].point, names.containers[*at]).as_ref() == Some(&subject);
            if let Some(check) = otherwise_decided(handlers, found, act).and_then(|take| (0..take).rev().find(is_it)) {
                decided_otherwise.push(check);
                continue;
            }
            if let Some(check) = (0..act).rev().find(is_it)
                && (notes_failure(handlers, &found[check].point, &found[act].point)
                    || is_repeatable(opcodes, code, &instructions.all, &found[check], (&found[act], names.is_claimed[act]))
                    || found[act].point.name == Some(EMPTYING)
                        && only_clears(opcodes, code, &instructions.all, found[check].instruction as usize)
                    || is_trimmed(opcodes, &instructions.all, names, found, [check, act]))
            {
                decided_otherwise.push(check);
                continue;
            }
            if let Some(check) = (0..act).rev().find(is_it)
                && !found[act].point.is_handled
                && !is_tried(found[act].point.unit)
            {
                decisive.push(check);
                found[check].point.is_acting |=
                    !goes_on_until_stopped(opcodes, code, &instructions.all, &found[check], &found[act]);
                // What is read once more before the act.
                for again in check + 1..act {
                    let places = [check, again].map(|at| found[at].instruction as usize);
                    found[again].point.is_acting |= !found[check].point.is_polled
                        && !found[again].point.is_tested
                        && looked_at(&found[again].point, names.containers[again])
                            == acted(&found[act].point, names.containers[act])
                        && branches::decides(opcodes, &instructions.all, places);
                }
                found[check].point.would_store = names.arguments[act].map_or(0, |argument| argument as u16 + 1);
                found[check].point.text = names.texts[act];
                // Whether there is a key is asked by all that count: that goes the short way.
                let claims = !found[check].point.is_measured && found[check].point.action != Action::Contains;
                found[check].point.number = names.numbers[act].filter(|_| claims);
                let is_own_turn =
                    || branches::is_compared_with_a_local(opcodes, code, &instructions.all, found[check].instruction as usize);
                if waits_for(opcodes, &instructions.all, &found[check], &found[act])
                    && (found[act].point.is_constant || is_own_turn())
                {
                    found[act].point.is_turn = true;
                }
                let is_adding = found[act].point.name.is_some_and(is_adding);
                let is_looked_for = found[check].point.action == Action::Contains || found[check].point.name == Some(INDEX);
                let looked_up = is_looked_for && is_adding;
                // Whether there is room for what is added.
                let is_put = found[act].point.action == Action::WriteItem || found[act].point.name == Some(ADDITION);
                let looks_for_room = found[check].point.is_measured && is_size(&found[check].point);
                let places = [check, act].map(|at| found[at].instruction as usize);
                found[act].point.is_bounded = is_put
                    && looks_for_room
                    && branches::decides(opcodes, &instructions.all, places)
                    && !only_keeps(opcodes, code, &instructions.all, places[0]);
                found[check].point.is_claim |= looks_for_room && (is_adding || found[act].point.is_bounded);
                if fills(&found[act].point)
                    && asks_all(&found[check].point)
                    && branches::is_run_if_empty(
                        opcodes,
                        code,
                        &instructions.all,
                        found[check].instruction as usize,
                        found[act].instruction as usize,
                    )
                {
                    firsts.push((check, act));
                }
                let between = &instructions.all[found[check].instruction as usize + 1..=found[act].instruction as usize];
                found[act].point.is_drawn = asks_all(&found[check].point)
                    && takes(&found[act].point)
                    && names.containers[check].is_some_and(|container| is_drawn(opcodes, code, between, container));
                found[act].point.is_refused = is_refused(opcodes, &instructions.all, found[check].instruction as usize);
                let is_counted = |call: &Found<'_>| {
                    let is_next = call.point.action == Action::Function && call.point.name == Some("next");
                    let value = names.places[act].get(1).filter(|_| is_next);
                    value.is_some_and(|value| is_result(opcodes, &instructions.all, call.instruction, *value))
                };
                let is_numbered = found[act].point.action == Action::WriteItem && found.iter().any(is_counted);
                found[act].point.is_claim = looked_up
                    || is_numbered
                    || found[check].point.is_claim && !found[act].point.is_bounded
                    || found[act].point.is_refused
                    || is_chosen(opcodes, &instructions.all, found, check, act)
                        && !only_says(opcodes, code, &instructions.all, &found[check]);
            }
        }
        let is_insertion = found[act].point.name == Some(INSERTION);
        let looks_for_a_place = |look: &usize| {
            let Found { point, instruction, .. } = &found[*look];
            let is_placing = if is_insertion { point.name.is_some_and(known_calls::is_placing) } else { is_size(point) };
            let leads_to = |producer: &u32| {
                if is_insertion {
                    is_result(opcodes, &instructions.all, *instruction, *producer)
                } else {
                    is_made_of(opcodes, code, &instructions.all, *instruction as usize, *producer as usize)
                }
            };
            is_placing && names.containers[*look] == names.containers[act] && names.places[act].iter().any(leads_to)
        };
        if let Some(look) = (0..act).rev().find(looks_for_a_place) {
            (found[look].point.is_tested, found[look].point.is_placed, found[act].point.is_placed) = (true, true, true);
        }
    }
    for check in 0..found.len() {
        if let Some(end) = filled_until(opcodes, &instructions.all, &found[check]) {
            let is_used = |at: usize| found[at].instruction as usize >= end && names.containers[at] == names.containers[check];
            found[check].point.is_filled = names.containers[check].is_some() && (check + 1..found.len()).any(is_used);
        }
        found[check].point.is_filled |= is_left_to_others(opcodes, &instructions.all, &found[check]);
    }
    for (check, act) in firsts.iter().copied() {
        // If there are several, the container is seen half filled, and that is told.
        let is_alone = firsts.iter().filter(|(other, _)| *other == check).count() == 1;
        let places = [check, act].map(|at| found[at].instruction as usize);
        if is_alone && !is_repeated(opcodes, &instructions.all, places) {
            (found[check].point.is_first, found[act].point.is_first) = (true, true);
        }
    }
    decisive.dedup();
    for check in decisive.iter().copied() {
        if let Some(subject @ (Subject::Attribute(_) | Subject::Global(_) | Subject::Variable(_))) =
            checked(&found[check].point, None)
        {
            let acts = found.iter().filter(|found| acted(&found.point, None).as_ref() == Some(&subject));
            let acts: Vec<usize> = acts.map(|found| found.instruction as usize).collect();
            let case = branches::acts_if(opcodes, code, &instructions.all, found[check].instruction as usize, &acts);
            for act in found.iter_mut().filter(|found| case.is_some() && acts.contains(&(found.instruction as usize))) {
                act.point.is_turn |= act.point.value != 0;
            }
            match case {
                Some(Acts::If(is_set)) => found[check].point.acts_if = Some(is_set),
                Some(Acts::At(value)) => found[check].point.acts_at = Some(value),
                None => {}
            }
        }
    }
    let only_flags = (0..found.len()).filter(|check| decides_flags(opcodes, code, &instructions.all, &found[*check]));
    for check in only_flags.chain(decided_otherwise).filter(|check| !decisive.contains(check)).collect::<Vec<_>>() {
        found[check].point.is_tested = false;
    }
}

/// Whether an attribute, or what is behind a key, is asked for by a function or a method, and all that this decides is whether flags are set, under whatever name.
fn decides_flags(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: &Found<'_>) -> bool {
    let Point { action, name, is_tested, is_polled, is_asked, .. } = check.point;
    let looks = |function: &known_calls::Function| function.effect == CallEffect::ReadAttribute;
    let is_look = action == Action::Function && name.and_then(known_calls::function).is_some_and(looks)
        || action == Action::Method && name == Some("get");
    if !is_look || !is_tested || is_polled || is_asked {
        return false;
    }
    let decision = super::tested::decides(opcodes, all, check.instruction as usize, Follow::Checks);
    let Some(Decision::Jump(jump)) = decision else { return false };
    only_sets_flags(opcodes, (code.names, code.strings), all, jump)
}

/// Whether it empties a container in one step.
fn takes_all_out(point: &Point<'_>) -> bool {
    point.name == Some(EMPTYING) && point.action == Action::Method && point.key == 0
}

/// Whether a container is emptied by `act` if there is too much in it, and nothing else is done then: what others have put there meanwhile goes, as with a bound
/// that is passed by one.
fn is_emptied(
    opcodes: &Opcodes,
    code: &Code<'_>,
    all: &[Instruction],
    names: &Names<'_>,
    found: &[Found<'_>],
    [look, act]: [usize; 2],
) -> bool {
    let size = &found[look].point;
    let is_same = || names.containers[look].is_some() && names.containers[look] == names.containers[act];
    let places = [look, act].map(|at| found[at].instruction as usize);
    is_size(size) && size.is_measured && is_same() && only_empties(opcodes, code, all, places)
}

/// Whether a loop goes on as long as a variable says so by one word, after which the function stores another one there: others that end it act on that word
/// only, and so never when this function does.
fn goes_on_until_stopped(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], check: &Found<'_>, act: &Found<'_>) -> bool {
    let places = [check, act].map(|found| found.instruction as usize);
    act.point.is_constant
        && waits_for(opcodes, all, check, act)
        && branches::goes_on_while_equal(opcodes, code, all, places, check.point.is_awaited)
}

/// Whether what is stored only says that something has failed, after a look whether it had failed before: the exception decides, and it may fail
/// twice.
fn notes_failure(handlers: &Handlers<'_, '_>, check: &Point<'_>, act: &Point<'_>) -> bool {
    act.is_constant && handlers.is_in_one(act.unit) && !handlers.is_in_one(check.unit) && handlers.is_before(check.unit, act.unit)
}

/// Whether one of these instructions writes what is read at a point, a variable or what is in a container.
pub(super) fn is_written<'a>(found: &[Found<'a>], read: &Point<'a>, inside: std::ops::RangeInclusive<usize>) -> bool {
    let subject = looked_at(read, read.container);
    let writes =
        |act: &Found<'a>| inside.contains(&(act.instruction as usize)) && acted(&act.point, act.point.container) == subject;
    subject.is_some() && found.iter().any(writes)
}

/// Whether one of these points reads what is written at another one.
pub(super) fn is_read<'a>(found: &[Found<'a>], act: &Point<'a>) -> bool {
    let subject = acted(act, act.container);
    found.iter().any(|read| looked_at(&read.point, read.point.container) == subject)
}

/// Whether what is read is stored only if it is not there: `with suppress(KeyError): return d[k]`, and `d[k] = ...` after that.
fn is_made_if_missing(
    opcodes: &Opcodes,
    handlers: &Handlers<'_, '_>,
    all: &[Instruction],
    names: &Names<'_>,
    found: &[Found<'_>],
    look: usize,
) -> bool {
    let Found { point, instruction, .. } = &found[look];
    let is_attribute = point.action == Action::ReadAttribute;
    if !is_attribute && point.action != Action::ReadItem || !handlers.suppress_lack(point.unit, is_attribute) {
        return false;
    }
    let subject = looked_at(point, names.containers[look]);
    let is_act = |act: usize| {
        let next = *instruction as usize + 1;
        acted(&found[act].point, names.containers[act]) == subject
            && !branches::comes_to(opcodes, all, next, usize::MAX, found[act].instruction as usize)
    };
    subject.is_some() && (look + 1..found.len()).any(is_act)
}

/// The look at what is taken away at `take` right after that: `batch = queue[:n]; del queue[:n]`, `first = queue[0]; del queue[0]`, `batch = list(queue); queue.clear()`.
fn looks_at_what_is_taken(
    opcodes: &Opcodes,
    code: &Code<'_>,
    all: &[Instruction],
    names: &Names<'_>,
    found: &[Found<'_>],
    take: usize,
) -> Option<usize> {
    /// From the look to the act.
    const SOON: usize = 16;
    let act = &found[take];
    let key = |of: &Found<'_>| (of.instruction as usize).checked_sub(1).map(|key| &all[key]);
    let is_constant = |key: &Instruction| key.opcode == opcodes.load_const && code.text(opcodes, key).is_none();
    let is_deletion = act.point.action == Action::DeleteItem;
    let takes_all = act.point.name == Some(EMPTYING) || is_deletion && key(act).is_some_and(is_constant);
    let container = names.containers[take].filter(|_| is_deletion || takes_all)?;
    let is_part = |look: &Found<'_>| {
        let is_place = |key: &Instruction| key.opcode == opcodes.load_small_int || is_constant(key);
        let is_slice = look.point.action == Action::ReadSlice && (is_deletion && !look.point.is_copied || takes_all);
        let is_item = look.point.action == Action::ReadItem
            && key(look).is_some_and(|key| is_deletion && is_place(key) || takes_all && is_constant(key));
        is_slice || is_item || takes_all && look.point.action == Action::Method && look.point.name == Some("copy")
    };
    let is_look = |at: &usize| names.containers[*at] == Some(container) && is_part(&found[*at]);
    let look = (0..take).rev().find(is_look)?;
    let between = &all[found[look].instruction as usize..act.instruction as usize];
    let is_straight = between.iter().all(|instruction| opcodes.info(instruction.opcode).jump == Jump::None);
    (is_straight && between.len() <= SOON).then_some(look)
}

/// Whether what is taken away is one too many after the function has added one itself (`recent.append(x); if len(recent) > 9: recent.pop(0)`): as many
/// are taken as were added.  A loop takes all that are too many, if some may stay.
fn is_trimmed(opcodes: &Opcodes, all: &[Instruction], names: &Names<'_>, found: &[Found<'_>], [check, act]: [usize; 2]) -> bool {
    let is_it = |at: &usize| {
        let adds = |method: &known_calls::Method| method.effect == CallEffect::Insert;
        let point = &found[*at].point;
        let is_addition = point.action == Action::WriteItem
            || point.action == Action::Method && known_calls::methods(point.name.unwrap_or_default()).iter().any(adds);
        is_addition && names.containers[*at].is_some() && names.containers[*at] == names.containers[act]
    };
    let is_straight = |addition: usize| {
        let between = &all[found[addition].instruction as usize..found[check].instruction as usize];
        between.iter().all(|instruction| opcodes.info(instruction.opcode).jump == Jump::None)
    };
    takes(&found[act].point)
        && is_size(&found[check].point)
        && (!found[check].point.is_polled || leaves_some(opcodes, all, found[check].instruction as usize))
        && (0..check).rev().find(is_it).is_some_and(is_straight)
}

/// Whether the size that the instruction at `check` asks for is compared with something else than 0.
fn leaves_some(opcodes: &Opcodes, all: &[Instruction], check: usize) -> bool {
    let is_nothing = |bound: &Instruction| bound.opcode == opcodes.load_small_int && bound.argument == 0;
    all.get(check + 1).is_some_and(|bound| !is_nothing(bound) && !opcodes.info(bound.opcode).is_predicate)
}

/// What is taken away before `act` stores a constant, or something else if only one can take it away, if that decides whether it does ([`Handlers::decide`]): the look before it then only
/// saves trying.
fn otherwise_decided(handlers: &Handlers<'_, '_>, found: &[Found<'_>], act: usize) -> Option<usize> {
    let act = &found[act].point;
    let decides = |take: &Point<'_>| {
        let is_attribute = take.action == Action::DeleteAttribute;
        // One thread alone finds what is there once: then it may store anything.
        (act.is_constant || is_attribute) && takes(take) && handlers.decide(take.unit, is_attribute, act.unit)
    };
    found.iter().position(|take| decides(&take.point))
}

fn takes(point: &Point<'_>) -> bool {
    let is_taking = |name: &str| known_calls::methods(name).iter().any(|method| method.effect == CallEffect::Take);
    matches!(point.action, Action::DeleteAttribute | Action::DeleteItem)
        || point.action == Action::Method && point.name.is_some_and(is_taking)
}

/// Whether what is taken away by its key is one that was got from the container itself since that was asked: it is loaded before that, too, and
/// nothing else decides.
fn is_drawn(opcodes: &Opcodes, code: &Code<'_>, between: &[Instruction], container: &str) -> bool {
    let loads = |instruction: &Instruction| {
        let variable = |number: u32| code.locals.get(number as usize).copied() == Some(container);
        if opcodes.load_fast_pairs.contains(&instruction.opcode) {
            usize::from(variable(instruction.argument >> 4)) + usize::from(variable(instruction.argument & 15))
        } else {
            usize::from(code.loaded(opcodes, instruction).is_some_and(|(_, name)| name == container))
        }
    };
    // The jump of the check itself comes first.
    let mut decisions = between.iter().map(|instruction| opcodes.info(instruction.opcode)).filter(|info| info.tests).skip(1);
    decisions.all(|info| info.tests_for_none) && between.iter().map(loads).sum::<usize>() > 1
}

/// Whether it asks a container whether, or how much, there is in it.
fn asks_all(point: &Point<'_>) -> bool {
    point.action == Action::Truth || is_size(point)
}

/// Whether something is in a container after it.
fn fills(point: &Point<'_>) -> bool {
    let is_filling = |name: &str| known_calls::methods(name).iter().any(|method| method.effect == CallEffect::Insert);
    point.action == Action::WriteItem || point.action == Action::Method && point.name.is_some_and(is_filling)
}

/// Whether it asks a container how much there is in it.
pub(super) fn is_size(point: &Point<'_>) -> bool {
    point.action == Action::Function && point.name == Some(SIZE)
}

fn is_adding(name: &str) -> bool {
    known_calls::ADDING.contains(&name)
}

/// Whether a loop that does not write there waits until it is time for what is done at `act` after it.
fn waits_for(opcodes: &Opcodes, all: &[Instruction], check: &Found<'_>, act: &Found<'_>) -> bool {
    let check = check.point.is_polled.then_some(check.instruction as usize);
    let end = check.and_then(|check| loop_end(opcodes, all, check));
    end.is_some_and(|end| end < act.instruction as usize)
}

/// Whether `act` is in a loop that is begun after `check`.
fn is_repeated(opcodes: &Opcodes, all: &[Instruction], [check, act]: [usize; 2]) -> bool {
    let goes_back = |last: &Instruction| {
        let target = last.target.filter(|_| opcodes.info(last.opcode).jump == Jump::Backward);
        target.is_some_and(|target| (check + 1..=act).contains(&(target as usize)))
    };
    all[act..].iter().any(goes_back)
}

/// How soon after it was read a value decides a jump: `a.b == C.D` and the jump.
const SOON: usize = 6;

/// Whether an exception is raised if the check finds something: `if name in self.names: raise ValueError(name)`.
fn is_refused(opcodes: &Opcodes, all: &[Instruction], check: usize) -> bool {
    let jump = all[check + 1..].iter().take(SOON).position(|instruction| opcodes.info(instruction.opcode).tests);
    let Some(target) = jump.and_then(|jump| all[check + 1 + jump].target).map(|target| target as usize) else { return false };
    let Some(refusal) = all.get(check + 1..target) else { return false };
    refusal.last().is_some_and(|last| last.opcode == opcodes.raise_varargs)
}

/// Whether a variable decides something, and the function itself writes nothing there, but calls others that may.
fn is_left_to_others(opcodes: &Opcodes, all: &[Instruction], found: &Found<'_>) -> bool {
    let point = &found.point;
    matches!(point.action, Action::ReadAttribute | Action::ReadGlobal | Action::ReadCell)
        && point.is_tested
        && !(point.is_polled || point.is_asked || point.is_acting)
        && all[found.instruction as usize..].iter().any(|instruction| instruction.opcode == opcodes.call)
}

/// Where the code goes on, if all that it does when a container is found empty is to call something whose result it does not need.
fn filled_until(opcodes: &Opcodes, all: &[Instruction], found: &Found<'_>) -> Option<usize> {
    let point = &found.point;
    if point.action != Action::Truth || !point.is_tested || point.is_polled || point.is_asked {
        return None;
    }
    let jump = found.instruction as usize + 1;
    let info = opcodes.info(all.get(jump)?.opcode);
    let end = all[jump].target.filter(|_| info.tests && info.tests_for_set)? as usize;
    let branch = all.get(jump + 1..end)?;
    let is_plain = |instruction: &Instruction| {
        let info = opcodes.info(instruction.opcode);
        info.jump == Jump::None && !info.is_end && info.access.is_none_or(|access| access.value == 0)
    };
    let calls = branch.windows(2).any(|pair| pair[0].opcode == opcodes.call && pair[1].opcode == opcodes.pop_top);
    (calls && branch.iter().all(is_plain)).then_some(end)
}

/// Whether a loop looks for a key that is free (`while number in taken: number += 1`): it waits for nobody.
fn is_search(opcodes: &Opcodes, all: &[Instruction], check: usize) -> bool {
    /// The key and the container.
    const OPERANDS: usize = 3;
    let loops = all.iter().enumerate().skip(check).filter(|(_, last)| opcodes.info(last.opcode).jump == Jump::Backward);
    let around =
        loops.filter_map(|(last, instruction)| Some((instruction.target? as usize, last))).filter(|(top, _)| *top <= check);
    let Some((_, last)) = around.max() else { return false };
    let mut stored = all[check..last].iter().filter_map(|instruction| opcodes.stores(instruction.opcode, instruction.argument));
    let before = &all[check.saturating_sub(OPERANDS)..check];
    stored.any(|variable| before.iter().any(|load| opcodes.loads(load.opcode, load.argument, variable).is_some()))
}

/// Whether one of several states is chosen because another one was found: `if self.state == "new": self.state = "running"`.  Only filling in a
/// default may be done twice.
fn is_chosen(opcodes: &Opcodes, all: &[Instruction], found: &[Found<'_>], check: usize, act: usize) -> bool {
    let after = all[found[check].instruction as usize + 1..].iter().take(SOON);
    let decided = after.take_while(|instruction| !opcodes.info(instruction.opcode).tests);
    let compares = [opcodes.compare_op, opcodes.is_op, opcodes.contains_op];
    let is_compared = decided.clone().any(|instruction| compares.contains(&instruction.opcode));
    let before = all[..found[act].instruction as usize].iter().rev().take(3).map(|instruction| instruction.opcode);
    let [of, from] = [opcodes.load_attr, opcodes.load_global];
    // The member of an enumeration is an attribute of a global.
    let is_member = before.clone().zip(before.skip(1)).any(|pair| pair == (of, from));
    is_compared && (found[act].point.is_constant || is_member)
}

/// Whether the value that `producer` pushes is the result of the call at `call`, perhaps by way of a local variable.
fn is_result(opcodes: &Opcodes, all: &[Instruction], call: u32, producer: u32) -> bool {
    let (Some(stored), Some(load)) = (all.get(call as usize + 1), all.get(producer as usize)) else { return false };
    let variable = opcodes.stores(stored.opcode, stored.argument);
    let is_load = |variable: u32| opcodes.loads(load.opcode, load.argument, variable).is_some();
    producer == call || producer > call && variable.is_some_and(is_load)
}
