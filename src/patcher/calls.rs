//! Calls of methods and functions that are known by name: their probes are right before the call, where the arguments are.

use super::code::{Code, Place};
use super::found::Found;
use super::handlers::Handlers;
use super::instructions::{Instruction, Instructions};
use super::known_calls::{self, Arguments, CallEffect, Function};
use super::opcodes::Opcodes;
use super::point::{Action, Operand, Point};
use super::rebound::{Bound, Rebound};
use super::stack;
use super::tested::tested;
use super::waits;

/// May a method of this name, or a function of a module, be a known one?
pub(super) fn is_attribute(name: &str) -> bool {
    known_calls::is_probed(name) || of_module(name).is_some()
}

/// `heapq.heappush` is one, `array.sum` is none.
fn of_module(name: &str) -> Option<&'static Function> {
    known_calls::function(name).filter(|function| function.module != "builtins")
}

/// Is this the lookup of an attribute that is called?  Of what is imported, the compiler does not look up a method.
pub(super) fn is_lookup(opcodes: &Opcodes, all: &[Instruction], index: usize) -> bool {
    let instruction = &all[index];
    instruction.opcode == opcodes.load_attr
        && (instruction.argument & 1 == 1 || all.get(index + 1).is_some_and(|next| next.opcode == opcodes.push_null))
}

/// The method that writes what another container has.
const MERGING: &str = "update";

/// Methods that read what is behind a key, which may be a flag.
const LOOKS: &[&str] = &["__getitem__", "get"];

/// Functions that make another container of all that is in one.
const COPIES: &[&str] = &["deque", "dict", "frozenset", "list", "set", "sorted", "tuple"];

/// Where the parts of a call are on the stack.
struct Call {
    callable: u32,
    /// Depth of the first positional argument.
    first: u32,
    positional: u32,
    keywords: u16,
}

impl Call {
    fn read(opcodes: &Opcodes, code: &Code<'_>, before: Option<&Instruction>, instruction: &Instruction) -> Option<Self> {
        let arguments = instruction.argument;
        if instruction.opcode == opcodes.call {
            return Some(Call { callable: arguments + 2, first: arguments, positional: arguments, keywords: 0 });
        }
        if instruction.opcode != opcodes.call_kw {
            return None;
        }
        // The names of the keywords are on top.
        let names = before.filter(|before| before.opcode == opcodes.load_const)?;
        let keywords = *code.tuples.get(names.argument as usize)?;
        let positional = arguments.checked_sub(keywords)?;
        Some(Call { callable: arguments + 3, first: arguments + 1, positional, keywords: u16::try_from(keywords).ok()? })
    }
}

/// Points of all known calls, in no order.
pub(super) fn find<'a>(
    opcodes: &Opcodes,
    code: &Code<'a>,
    instructions: &Instructions,
    handlers: &Handlers<'_, '_>,
    rebound: &Rebound,
) -> Vec<Found<'a>> {
    let all = &instructions.all;
    let mut found = Vec::new();
    let (mut called, mut copies) = (Vec::new(), Vec::new());
    stack::run(opcodes, code, instructions, |index, stack| {
        let instruction = &all[index as usize];
        let before = index.checked_sub(1).map(|before| &all[before as usize]);
        let Some(call) = Call::read(opcodes, code, before, instruction) else { return };
        let producer = stack.at(call.callable);
        let Some(source) = all.get(producer as usize) else { return };
        let by_name = |shift: u32| code.names.get((source.argument >> shift) as usize).copied();
        let (Ok(callable), Ok(first)) = (u16::try_from(call.callable), u16::try_from(call.first)) else { return };
        let tested = tested(opcodes, all, index as usize);
        // Of a method the key, of a function the name of the attribute.
        let item = |action: Action, key: u16| {
            let depth = if action == Action::Function { call.first.saturating_sub(1) } else { u32::from(key) };
            let loaded = Some(depth).filter(|depth| *depth > 0).and_then(|depth| all.get(stack.at(depth) as usize));
            loaded.and_then(|key| waits::item(opcodes, code, key))
        };
        let mut add = |action, name, handed, object, key| {
            let iterates = |function: &Function| function.effect == CallEffect::Iterate;
            let looks = |function: &Function| function.effect == CallEffect::ReadAttribute;
            let is_look =
                if action == Action::Function { known_calls::function(name).is_some_and(looks) } else { LOOKS.contains(&name) };
            let is_handled = if action == Action::Function && known_calls::function(name).is_some_and(iterates) {
                handlers.begin_again(instruction.unit)
            } else {
                handlers.handle_lack(instruction.unit, name)
            };
            let point = Point {
                unit: instruction.unit,
                name: Some(name),
                handed,
                object,
                callable,
                key,
                // `try: return names.index(name)` with `except ValueError`.
                is_tested: tested.is_tested || name == known_calls::INDEX && is_handled,
                is_polled: tested.is_polled,
                is_awaited: tested.is_awaited,
                is_asked: tested.is_asked,
                is_given: is_look && all.get(index as usize + 1).is_some_and(|next| next.opcode == opcodes.return_value),
                is_heeded: tested.is_heeded && is_look,
                item: if is_look { item(action, key) } else { None },
                keywords: call.keywords,
                is_measured: tested.is_measured,
                is_answer: action == Action::Method && is_answer(opcodes, &all[..producer as usize]),
                is_handled,
                ..Point::bare(action)
            };
            found.push(Found { instruction: index, is_after: false, point });
        };
        let has_key = |name: &str| {
            let methods = known_calls::methods(name);
            // A keyword will do where it only matters that there is an argument.
            call.positional > 0
                && (methods.iter().any(|method| method.is_keyed)
                    || known_calls::ADDING.contains(&name)
                    || [MERGING, known_calls::INDEX].contains(&name))
                || instruction.argument > 0 && methods.iter().any(|method| method.is_repeatable)
        };
        if source.opcode != opcodes.load_attr
            && let Some(bound) = bound(opcodes, code, rebound, source)
        {
            let name = bound.method;
            add(Action::Method, name, Operand::Stack(callable), callable - 1, if has_key(name) { first } else { 0 });
            return;
        }
        let function = if source.opcode == opcodes.load_attr {
            let Some(name) = by_name(1).filter(|_| is_lookup(opcodes, all, producer as usize)) else { return };
            let name = if !known_calls::is_probed(name) {
                bound(opcodes, code, rebound, source).map_or(name, |bound| bound.method)
            } else {
                name
            };
            if known_calls::is_probed(name) {
                add(Action::Method, name, Operand::Stack(callable), callable - 1, if has_key(name) { first } else { 0 });
                called.push(producer);
            }
            of_module(name)
        } else if source.opcode == opcodes.load_super_attr {
            // `super().__setattr__(name, value)`: the object is where `self` goes.
            let Some(name) = by_name(2) else { return };
            if let Some(function) = of_module(name).filter(|function| function.module == known_calls::OF_OBJECT) {
                add(Action::Function, function.name, Operand::Site, callable - 1, 0);
            } else if known_calls::is_probed(name) {
                add(Action::Method, name, Operand::Stack(callable), callable - 1, if has_key(name) { first } else { 0 });
            }
            None
        } else if source.opcode == opcodes.load_global {
            by_name(1).and_then(known_calls::function)
        } else if source.opcode == opcodes.load_name {
            by_name(0).and_then(known_calls::function)
        } else {
            None
        };
        // A copy matters only if the container is cleared.
        let is_copy = source.opcode == opcodes.load_global && by_name(1).is_some_and(|name| COPIES.contains(&name));
        if is_copy && [call.positional, instruction.argument] == [1, 1] && code.names.contains(&"clear") {
            let point = Point { unit: instruction.unit, object: first, is_copied: true, ..Point::bare(Action::ReadSlice) };
            copies.push(Found { instruction: index, is_after: false, point });
        }
        let Some(function) = function else { return };
        if function.arguments == Arguments::Callable {
            add(Action::Function, function.name, Operand::Stack(callable), callable, 0);
        }
        for argument in arguments(function.arguments, call.positional) {
            let Some(depth) = u16::try_from(argument).ok().and_then(|argument| first.checked_sub(argument)) else { return };
            add(Action::Function, function.name, Operand::Stack(depth), depth, 0);
        }
    });
    found.append(&mut copies);
    found.extend(looked_up(opcodes, code, all, &called));
    found
}

/// Whether what is on top of the stack at this instruction is what `keys()` has returned: a view, of which the dictionary is asked.
pub(super) fn views_keys(opcodes: &Opcodes, code: &Code<'_>, all: &[Instruction], index: usize) -> bool {
    let Some([look_up, call]) = index.checked_sub(2).map(|start| [&all[start], &all[start + 1]]) else { return false };
    let is_method = look_up.opcode == opcodes.load_attr && look_up.argument & 1 == 1;
    let name = code.names.get((look_up.argument >> 1) as usize);
    call.opcode == opcodes.call && call.argument == 0 && is_method && name == Some(&"keys")
}

/// The method of a container that is bound to the name that an instruction loads last.
pub(super) fn bound<'a>(opcodes: &Opcodes, code: &Code<'_>, rebound: &'a Rebound, load: &Instruction) -> Option<&'a Bound> {
    if opcodes.load_fast_pairs.contains(&load.opcode) {
        // The second one is on top, where what is called is; its place of `self` comes from the next instruction.
        return rebound.bound(Place::Variable, code.locals.get(load.argument as usize & 15)?);
    }
    let (place, name) = code.loaded(opcodes, load)?;
    rebound.bound(place, name)
}

/// Whether something was run since it was last asked what is in a container.
fn is_answer(opcodes: &Opcodes, before: &[Instruction]) -> bool {
    let mut before = before.iter().rev().map(|instruction| instruction.opcode);
    let last = before.find(|opcode| *opcode == opcodes.contains_op || opcodes.info(*opcode).publishes);
    last.is_some_and(|opcode| opcode != opcodes.contains_op)
}

fn arguments(which: Arguments, positional: u32) -> std::ops::Range<u32> {
    match which {
        Arguments::First => 0..positional.min(1),
        Arguments::Only => 0..u32::from(positional == 1),
        Arguments::Each => 0..positional,
        Arguments::Rest => 1..positional.max(1),
        Arguments::Callable => 0..0,
    }
}

/// Methods that are looked up to be called, but it is not known where.
fn looked_up<'a>(opcodes: &Opcodes, code: &Code<'a>, all: &[Instruction], called: &[u32]) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (index, instruction) in (0..).zip(all) {
        if !is_lookup(opcodes, all, index as usize) || called.contains(&index) {
            continue;
        }
        let Some(name) = code.names.get((instruction.argument >> 1) as usize) else { continue };
        if !known_calls::is_probed(name) {
            continue;
        }
        let (unit, handed) = (instruction.unit, Operand::Stack(1));
        let point = Point { unit, name: Some(name), handed, object: 1, ..Point::bare(Action::Method) };
        found.push(Found { instruction: index, is_after: false, point });
    }
    found
}
