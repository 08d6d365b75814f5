//! What the code calls the object that holds what it accesses: of `self.n += 1` and of `self.jobs[key] = job` it is `self`.
//!
//! Only the code is asked, so that the answer is the same whichever thread comes first, and whatever objects there are.

use super::code::Code;
use super::instructions::{Instruction, Instructions};
use super::opcodes::Opcodes;
use super::point::Action;
use super::stack::{self, Producers};
use std::collections::HashMap;

/// What holds global variables.
pub const GLOBALS: &str = "<globals>";

/// What holds variables that functions share.
pub const CLOSURE: &str = "<closure>";

/// Methods that give an element of a container, and those that give another view of it.
const ELEMENTS: [&str; 5] = ["get", "pop", "popitem", "popleft", "setdefault"];
const VIEWS: [&str; 4] = ["__iter__", "items", "keys", "values"];

/// Instructions of a probe.
const PARTS: usize = 3;

/// The probe at this unit of patched code: what the code calls the object whose attribute is accessed if `is_attribute`, else what holds the
/// container.  `depth` says how deep the object lies below the probe whose constant has this number.
pub fn holder(
    opcodes: &Opcodes,
    code: &Code<'_>,
    unit: u32,
    is_attribute: bool,
    depth: impl FnOnce(u32) -> Option<u16>,
) -> Option<String> {
    let instructions = Instructions::read(opcodes, code.bytes)?;
    let last = *instructions.at.get(unit as usize)? as usize;
    let first = instructions.all.get(last.checked_sub(PARTS - 1)?)?;
    if first.opcode != opcodes.load_const || instructions.all[last].opcode != opcodes.delete_subscr {
        return None;
    }
    // The probe has pushed its own two operands.
    let depth = u32::from(depth(first.argument).filter(|depth| *depth > 0)?) + 2;
    let mut names =
        Names { opcodes, code, all: &instructions.all, operands: vec![None; instructions.all.len()], bound: HashMap::new() };
    let mut accessed = None;
    stack::run(opcodes, code, &instructions, |index, producers| {
        names.note(index, producers);
        if index as usize == last {
            accessed = Some(Source::at(producers, depth));
        }
    });
    let mut looked_up = Vec::new();
    if is_attribute { names.spelled(accessed?, &mut looked_up) } else { names.holder(accessed?, &mut looked_up) }
}

/// Where a value on the stack comes from.
#[derive(Clone, Copy)]
struct Source {
    producer: u32,
    /// It is the deeper one of two that one instruction has pushed.
    is_deeper: bool,
}

impl Source {
    fn at(producers: &Producers, depth: u32) -> Self {
        let producer = producers.at(depth);
        Source { producer, is_deeper: depth > 1 && producers.at(depth - 1) == producer }
    }
}

/// What becomes of the values of a function, as far as it matters to their names.
struct Names<'a, 'b> {
    opcodes: &'b Opcodes,
    code: &'b Code<'a>,
    all: &'b [Instruction],
    /// Of each instruction what it takes an attribute or an element of, or calls.
    operands: Vec<Option<Source>>,
    /// Of each local variable what it is bound to; nothing if that happens twice.
    bound: HashMap<u32, Option<Source>>,
}

impl<'a> Names<'a, '_> {
    fn note(&mut self, index: u32, producers: &Producers) {
        let Instruction { opcode, argument, .. } = self.all[index as usize];
        let opcodes = self.opcodes;
        let is_subscript = opcode == opcodes.binary_op && argument == opcodes.subscript;
        let depth = match opcode {
            opcode if opcode == opcodes.load_attr || self.makes_an_iterator(opcode) => Some(1),
            _ if is_subscript => Some(2),
            opcode if opcode == opcodes.call => Some(argument + 2),
            _ => None,
        };
        self.operands[index as usize] = depth.map(|depth| Source::at(producers, depth));
        if let Some(variable) = opcodes.stores(opcode, argument) {
            let value = Source::at(producers, 1);
            self.bound.entry(variable).and_modify(|known| *known = None).or_insert(Some(value));
        }
    }

    fn makes_an_iterator(&self, opcode: u8) -> bool {
        self.opcodes.info(opcode).access.is_some_and(|access| access.action == Action::Iterate)
    }

    fn operand(&self, source: Source) -> Option<Source> {
        *self.operands.get(source.producer as usize)?
    }

    /// The local variable that was loaded.
    fn variable(&self, source: Source) -> Option<u32> {
        let Instruction { opcode, argument, .. } = *self.all.get(source.producer as usize)?;
        if self.opcodes.load_fast_pairs.contains(&opcode) {
            // Of a pair, the deeper one is in the upper bits.
            return Some(if source.is_deeper { argument >> 4 } else { argument & 15 });
        }
        if opcode == self.opcodes.store_fast_load_fast {
            return Some(argument & 15);
        }
        self.opcodes.load_fasts.contains(&opcode).then_some(argument)
    }

    /// What a local variable is bound to, if that is known and not the variable itself; it is looked up once.
    fn binding(&self, variable: u32, looked_up: &mut Vec<u32>) -> Option<Source> {
        if looked_up.contains(&variable) {
            return None;
        }
        looked_up.push(variable);
        *self.bound.get(&variable)?
    }

    fn name(&self, instruction: &Instruction) -> Option<&'a str> {
        let shift = if instruction.opcode == self.opcodes.load_name { 0 } else { 1 };
        self.code.names.get((instruction.argument >> shift) as usize).copied()
    }

    /// The method that is looked up to be called.
    fn method(&self, source: Source) -> Option<&'a str> {
        let instruction = self.all.get(source.producer as usize)?;
        let is_method = instruction.opcode == self.opcodes.load_attr && instruction.argument & 1 == 1;
        is_method.then(|| self.name(instruction))?
    }

    fn spelled(&self, source: Source, looked_up: &mut Vec<u32>) -> Option<String> {
        let opcodes = self.opcodes;
        let instruction = self.all.get(source.producer as usize)?;
        if let Some(variable) = self.variable(source) {
            let bound = self.binding(variable, looked_up).and_then(|bound| self.spelled(bound, looked_up));
            return bound.or_else(|| self.code.locals.get(variable as usize).map(|name| (*name).to_owned()));
        }
        match instruction.opcode {
            opcode if opcode == opcodes.load_deref => {
                self.code.locals.get(instruction.argument as usize).map(|name| (*name).to_owned())
            }
            opcode if opcode == opcodes.load_global || opcode == opcodes.load_name => self.name(instruction).map(str::to_owned),
            opcode if self.makes_an_iterator(opcode) => self.spelled(self.operand(source)?, looked_up),
            opcode if opcode == opcodes.load_attr => {
                let of = self.spelled(self.operand(source)?, looked_up)?;
                // A method that is looked up leaves its object on the stack.
                Some(if self.method(source).is_some() { of } else { format!("{of}.{}", self.name(instruction)?) })
            }
            opcode if opcode == opcodes.binary_op => Some(format!("{}[]", self.spelled(self.operand(source)?, looked_up)?)),
            opcode if opcode == opcodes.call => {
                let called = self.operand(source)?;
                let of = self.spelled(called, looked_up)?;
                Some(match self.method(called) {
                    Some(method) if ELEMENTS.contains(&method) => format!("{of}[]"),
                    Some(method) if VIEWS.contains(&method) => of,
                    Some(method) => format!("{of}.{method}()"),
                    None => format!("{of}()"),
                })
            }
            _ => None,
        }
    }

    /// What holds a container.
    fn holder(&self, source: Source, looked_up: &mut Vec<u32>) -> Option<String> {
        let opcodes = self.opcodes;
        let instruction = self.all.get(source.producer as usize)?;
        if let Some(variable) = self.variable(source) {
            let bound = self.binding(variable, looked_up).and_then(|bound| self.holder(bound, looked_up));
            return bound.or_else(|| self.code.locals.get(variable as usize).map(|name| (*name).to_owned()));
        }
        match instruction.opcode {
            opcode if opcode == opcodes.load_deref => Some(CLOSURE.to_owned()),
            opcode if opcode == opcodes.load_global || opcode == opcodes.load_name => Some(GLOBALS.to_owned()),
            opcode if opcode == opcodes.load_attr && self.method(source).is_none() => {
                self.spelled(self.operand(source)?, looked_up)
            }
            opcode if opcode == opcodes.call => {
                let called = self.operand(source)?;
                let is_part = self.method(called).is_some_and(|method| ELEMENTS.contains(&method) || VIEWS.contains(&method));
                if is_part { self.holder(called, looked_up) } else { self.spelled(source, looked_up) }
            }
            // An element, an iterator, the object of a method.
            _ => self.holder(self.operand(source)?, looked_up),
        }
    }
}
