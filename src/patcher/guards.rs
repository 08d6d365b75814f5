//! Looks whether there is something in a container, right before a loop over that container: in the same function, or in one that it calls.

use super::code::Code;
use super::found::Found;
use super::instructions::Instruction;
use super::known_calls::{self, CallEffect};
use super::names::Names;
use super::opcodes::{Jump, Opcodes};
use super::point::{Action, Point};
use super::rebound::Rebound;

/// Marks the looks that a loop follows ([`Point::is_guard`]).
pub(super) fn mark(
    opcodes: &Opcodes,
    code: &Code<'_>,
    all: &[Instruction],
    names: &Names<'_>,
    rebound: &Rebound,
    found: &mut [Found<'_>],
) {
    for check in 0..found.len() {
        let (Found { point, instruction, .. }, Some(container)) = (&found[check], names.containers[check]) else { continue };
        if !asks(point) || !point.is_tested || point.is_polled {
            continue;
        }
        let start = *instruction as usize;
        let is_soon = |at: usize| at >= start && all.get(start..at).is_some_and(|between| is_straight(opcodes, between));
        let is_walked =
            (check + 1..found.len()).any(|act| names.walked[act].contains(&container) && is_soon(found[act].instruction as usize));
        let calls = |at: &usize| {
            let called = called(opcodes, code, all, *at);
            called.is_some_and(|called| rebound.walks(called, container)) && is_soon(*at)
        };
        found[check].point.is_guard = is_walked || (start + 1..all.len().min(start + SOON)).any(|at| calls(&at));
    }
}

/// Marks the looks how long a sequence is of which a loop then goes through the elements by their numbers ([`Point::is_indexed`]):
/// `for i in range(len(xs)): use(xs[i])`, unless it is handled that there is no such element.
pub(super) fn mark_indexed(
    opcodes: &Opcodes,
    code: &Code<'_>,
    all: &[Instruction],
    names: &Names<'_>,
    is_handled: impl Fn(u32) -> bool,
    found: &mut [Found<'_>],
) {
    /// The end, a step, and what is made of them.
    const NEAR: usize = 8;
    let is_range = |load: &Instruction| {
        let is_global = load.opcode == opcodes.load_global || load.opcode == opcodes.load_name;
        is_global && code.loaded(opcodes, load).is_some_and(|(_, name)| name == "range")
    };
    for look in 0..found.len() {
        let size = found[look].instruction as usize;
        if found[look].point.name != Some("len") || names.containers[look].is_none() {
            continue;
        }
        let is_within = all[size.saturating_sub(NEAR)..size].iter().any(is_range);
        let begins = |at: &usize| all.get(*at).is_some_and(|next| next.opcode == opcodes.for_iter);
        let Some(begin) = (size + 1..size + NEAR).find(begins).filter(|_| is_within) else { continue };
        let number = all.get(begin + 1).and_then(|store| opcodes.stores(store.opcode, store.argument));
        let (Some(number), Some(end)) = (number, all[begin].target) else { continue };
        let is_element = |at: usize| {
            let Found { point, instruction, .. } = &found[at];
            let key = (*instruction as usize).checked_sub(1).map(|key| &all[key]);
            matches!(point.action, Action::ReadItem | Action::WriteItem)
                && (begin..end as usize).contains(&(*instruction as usize))
                && names.containers[at] == names.containers[look]
                && key.is_some_and(|key| opcodes.loads(key.opcode, key.argument, number) == Some(1))
                && !is_handled(point.unit)
        };
        // Not if it looks again how many there are by then.
        let is_size = |at: usize| {
            let is_inside = (begin..end as usize).contains(&(found[at].instruction as usize));
            is_inside && found[at].point.name == Some("len") && names.containers[at] == names.containers[look]
        };
        let mut later = look + 1..found.len();
        found[look].point.is_indexed = later.clone().any(is_element) && !later.any(is_size);
    }
}

/// The name of the function or method that an instruction loads to be called.
fn called<'a>(opcodes: &Opcodes, code: &Code<'a>, all: &[Instruction], at: usize) -> Option<&'a str> {
    let load = all.get(at)?;
    let is_callee = [opcodes.load_attr, opcodes.load_global].contains(&load.opcode) && load.argument & 1 == 1;
    let is_pushed = all.get(at + 1).is_some_and(|next| next.opcode == opcodes.push_null);
    code.loaded(opcodes, load).map(|(_, name)| name).filter(|_| is_callee || is_pushed)
}

/// Whether it asks a container whether, or how much, there is in it, or for something that is in it.
fn asks(point: &Point<'_>) -> bool {
    let reads = |method: &known_calls::Method| method.is_keyed && method.effect == CallEffect::Read;
    let is_look = |name: &str| known_calls::methods(name).iter().any(reads);
    matches!(point.action, Action::Truth | Action::Contains)
        || point.action == Action::Function && point.name.is_some_and(|name| SIZES.contains(&name))
        || point.action == Action::Method && point.name.is_some_and(is_look)
}

/// Functions that ask a container how much there is in it, or whether there is anything.
const SIZES: [&str; 2] = ["bool", "len"];

/// From the look to the loop.
const SOON: usize = 24;

/// Whether a check and the loop after it belong together: the loop follows soon, and there is no room for a lock between them.
fn is_straight(opcodes: &Opcodes, between: &[Instruction]) -> bool {
    /// `len(o)`, and `o.items()` or a function that is given `o`.
    const CALLS: usize = 2;
    let calls = between.iter().filter(|instruction| opcodes.info(instruction.opcode).publishes).count();
    let goes_back = between.iter().any(|instruction| opcodes.info(instruction.opcode).jump == Jump::Backward);
    between.len() <= SOON
        && calls <= CALLS
        && !goes_back
        && between.iter().all(|instruction| instruction.opcode != opcodes.load_special)
}
