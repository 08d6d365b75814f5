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
