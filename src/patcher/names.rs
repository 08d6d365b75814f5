//! What the objects that points are about are called where they were loaded.

use super::calls;
use super::code::Code;
use super::found::Found;
use super::instructions::{Instruction, Instructions};
use super::known_calls;
use super::opcodes::Opcodes;
use super::point::Action;
use super::rebound::Rebound;
use super::stack::{self, Producers};

/// What puts something at a place in a sequence.
pub(super) const INSERTION: &str = "insert";

/// What puts something under a key that is not there yet.
const DEFAULT: &str = "setdefault";

/// What is known of the objects that points are about, by their names where they were loaded: attributes, globals, variables.
#[derive(Default)]
pub(super) struct Names<'a> {
    /// For each point.
    pub(super) containers: Vec<Option<&'a str>>,
    /// For each point that begins a loop: what the loop may walk over.
    pub(super) walked: Vec<Vec<&'a str>>,
    /// For each point that stores something: the argument of the function that it is, as a local variable.
    pub(super) arguments: Vec<Option<u32>>,
    /// And the constant that it is, if that is a text.
    pub(super) texts: Vec<Option<u32>>,
    /// And the small number that it is.
    pub(super) numbers: Vec<Option<u32>>,
    /// And whether others store other numbers there: then it is no flag.
    pub(super) is_claimed: Vec<bool>,
    /// For each call of `insert`, the instruction that has made its place; for each item that is put under a key, those that have made the key
    /// and the value; for each call of `append`, the one that has made what is added.
    pub(super) places: Vec<Vec<u32>>,
}

/// Of the points of a function.
pub(super) fn names<'a>(
    opcodes: &Opcodes,
    code: &Code<'a>,
    instructions: &Instructions,
    rebound: &Rebound,
    found: &[Found<'a>],
) -> Names<'a> {
    let all = &instructions.all;
    let mut names = Names {
        containers: vec![None; found.len()],
        walked: vec![Vec::new(); found.len()],
        arguments: vec![None; found.len()],
        texts: vec![None; found.len()],
        numbers: vec![None; found.len()],
        is_claimed: vec![false; found.len()],
        places: vec![Vec::new(); found.len()],
    };
    // Of each look-up of a method the object, and of each call what it is given.
    let mut objects: Vec<Option<&'a str>> = vec![None; all.len()];
    let mut given: Vec<Vec<&'a str>> = vec![Vec::new(); all.len()];
    let mut pending = (0..).zip(found).peekable();
    stack::run(opcodes, code, instructions, |index, producers| {
        let at = index as usize;
        let name = |depth: u32, objects: &[Option<&'a str>]| name_of(opcodes, code, all, producers, objects, depth);
        if calls::is_lookup(opcodes, all, at) {
            objects[at] = name(1, &objects);
        }
        let callee = producers.at(all[at].argument + 2);
        if all[at].opcode == opcodes.call && !is_copied(code, opcodes, all.get(callee as usize)) {
            // Arguments, and the object of a method.
            given[at] = (1..=all[at].argument + 1).filter_map(|depth| name(depth, &objects)).collect();
        }
        while let Some((point, found)) = pending.next_if(|(_, found)| found.instruction == index) {
            if found.point.value > 0 && !found.is_after {
                names.arguments[point] = argument_of(opcodes, all, producers, u32::from(found.point.value));
                let load = all.get(producers.at(u32::from(found.point.value)) as usize);
                names.texts[point] = load.filter(|load| code.text(opcodes, load).is_some()).map(|load| load.argument);
                names.numbers[point] = load.filter(|load| load.opcode == opcodes.load_small_int).map(|load| load.argument);
                let has_others = || found.point.name.is_some_and(|name| rebound.has_numbers(name));
                names.is_claimed[point] = names.numbers[point].is_some() && has_others();
            }
            if found.point.action == Action::Iterate {
                names.walked[point] = match given.get(producers.at(1) as usize) {
                    Some(given) if !given.is_empty() => given.clone(),
                    _ => name(1, &objects).into_iter().collect(),
                };
            } else if !found.is_after && found.point.object > 0 {
                names.places[point] = if found.point.action == Action::WriteItem {
                    [found.point.key, found.point.value].map(|depth| producers.at(u32::from(depth))).to_vec()
                } else if all[at].opcode != opcodes.call {
                    Vec::new()
                } else if all[at].argument == 1 && found.point.name.is_some_and(|name| known_calls::ADDING.contains(&name)) {
                    vec![producers.at(1)]
                } else if all[at].argument != 2 {
                    Vec::new()
                } else if found.point.name == Some(INSERTION) {
                    vec![producers.at(2)]
                } else if found.point.name == Some(DEFAULT) {
                    vec![producers.at(1), producers.at(2)]
                } else {
                    Vec::new()
                };
                names.containers[point] = if found.point.is_viewed {
                    given.get(producers.at(u32::from(found.point.object)) as usize).and_then(|given| given.first().copied())
                } else {
                    name(u32::from(found.point.object), &objects)
                };
                if found.point.action == Action::Method && found.point.callable > 0 {
                    let callee = all.get(producers.at(u32::from(found.point.callable)) as usize);
                    let container = callee.and_then(|load| calls::bound(opcodes, code, rebound, load)?.container.as_deref());
                    let known = code.names.iter().chain(code.locals).find(|name| Some(**name) == container);
                    names.containers[point] = known.copied().or(names.containers[point]);
                }
            }
        }
    });
    names
}

/// Whether what is called copies a container, or makes something else of it: a loop does not walk over the container then.
fn is_copied(code: &Code<'_>, opcodes: &Opcodes, callee: Option<&Instruction>) -> bool {
    const COPIES: [&str; 16] = [
        "all",
        "any",
        "copy",
        "deepcopy",
        "dict",
        "frozenset",
        "len",
        "list",
        "max",
        "min",
        "range",
        "repr",
        "set",
        "sorted",
        "sum",
        "tuple",
    ];
    const VIEWS: [&str; 4] = ["__iter__", "items", "keys", "values"];
    let Some(callee) = callee else { return true };
    let name = |shift: u8| code.names.get((callee.argument >> shift) as usize);
    if callee.opcode == opcodes.load_attr && callee.argument & 1 == 1 {
        name(1).is_none_or(|name| !VIEWS.contains(name))
    } else if callee.opcode == opcodes.load_global || callee.opcode == opcodes.load_attr {
        name(1).is_none_or(|name| COPIES.contains(name))
    } else {
        callee.opcode == opcodes.load_name && name(0).is_none_or(|name| COPIES.contains(name))
    }
}

/// The local variable that the object at this depth was loaded from, if the function never stores it: an argument.
fn argument_of(opcodes: &Opcodes, all: &[Instruction], producers: &Producers, depth: u32) -> Option<u32> {
    let load = all.get(producers.at(depth) as usize)?;
    let variable = if opcodes.load_fast_pairs.contains(&load.opcode) {
        // Of a pair, the deeper one is in the upper bits.
        let is_upper = depth > 1 && producers.at(depth - 1) == producers.at(depth);
        if is_upper { load.argument >> 4 } else { load.argument & 15 }
    } else {
        Some(load.argument).filter(|_| opcodes.load_fasts.contains(&load.opcode))?
    };
    let is_stored = |instruction: &Instruction| opcodes.binds(instruction.opcode, instruction.argument, variable);
    (variable < u32::from(u16::MAX) && !all.iter().any(is_stored)).then_some(variable)
}

/// What the object at this depth was loaded as.
fn name_of<'a>(
    opcodes: &Opcodes,
    code: &Code<'a>,
    all: &[Instruction],
    producers: &Producers,
    objects: &[Option<&'a str>],
    depth: u32,
) -> Option<&'a str> {
    let producer = producers.at(depth);
    let Instruction { opcode, argument, .. } = *all.get(producer as usize)?;
    if opcodes.load_fast_pairs.contains(&opcode) {
        // Of a pair, the deeper one is in the upper bits.
        let is_upper = depth > 1 && producers.at(depth - 1) == producer;
        return code.locals.get((if is_upper { argument >> 4 } else { argument & 15 }) as usize).copied();
    }
    if opcode == opcodes.load_attr && argument & 1 == 1 {
        return objects[producer as usize];
    }
    code.loaded(opcodes, &all[producer as usize]).map(|(_, name)| name)
}
