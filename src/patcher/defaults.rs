//! Methods of containers that are default values of arguments: `def note(item, put=ITEMS.append)`.

use super::code;
use super::instructions::Instructions;
use super::known_calls;
use super::opcodes::Opcodes;

/// The arguments of a function that is made.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    /// Their names, in their order.
    pub names: &'a [&'a str],
    /// How many of them, the last ones, are given by name only.
    pub by_name: usize,
}

/// An argument, the method that is its default value, and the name of the method's container.
pub(super) type Default<'a> = (&'a str, &'static str, Option<&'a str>);

/// A value on the stack, as far as it matters.
#[derive(Clone)]
enum Item<'a> {
    Other,
    Constant(u32),
    Method(&'static str, Option<&'a str>),
    Many(Vec<Item<'a>>),
}

/// All of a code object; `functions` are those that it makes, by the number of the constant that has their code.
pub(super) fn find<'a>(
    opcodes: &Opcodes,
    bytes: &[u8],
    names: &[&'a str],
    locals: &[&'a str],
    functions: &[(u32, Arguments<'a>)],
) -> Vec<Default<'a>> {
    let mut found = Vec::new();
    let is_method = |name: &&str| !known_calls::methods(name).is_empty();
    if functions.is_empty() || !names.iter().any(is_method) {
        return found;
    }
    let Some(instructions) = Instructions::read(opcodes, bytes) else { return found };
    let mut stack: Vec<Item<'a>> = Vec::new();
    let mut last = None;
    for instruction in &instructions.all {
        let (opcode, argument) = (instruction.opcode, instruction.argument);
        let loaded = code::loaded(opcodes, (opcode, argument as usize), names, locals).map(|(_, name)| name);
        let info = opcodes.info(opcode);
        let Some(effect) = info.effect.filter(|_| !info.is_end) else {
            stack.clear();
            last = None;
            continue;
        };
        let left = stack.len().saturating_sub(effect.pops(argument) as usize);
        let mut taken = stack.split_off(left);
        let pushed = if opcode == opcodes.load_const {
            Item::Constant(argument)
        } else if opcode == opcodes.load_attr && argument & 1 == 0 {
            let method = loaded.and_then(|name| known_calls::methods(name).first());
            method.map_or(Item::Other, |method| Item::Method(method.name, last))
        } else if opcode == opcodes.build_tuple {
            Item::Many(taken)
        } else if opcode == opcodes.build_map {
            Item::Many(taken.into_iter().skip(1).step_by(2).collect())
        } else if opcode == opcodes.make_function {
            taken.pop().unwrap_or(Item::Other)
        } else if opcode == opcodes.set_function_attribute {
            let function = taken.pop().unwrap_or(Item::Other);
            if let (Item::Constant(function), Some(Item::Many(values))) = (&function, taken.pop()) {
                let arguments = functions.iter().find(|(constant, _)| constant == function).map(|(_, arguments)| arguments);
                found.extend(arguments.into_iter().flat_map(|arguments| arguments.with(argument, &values)));
            }
            function
        } else {
            Item::Other
        };
        stack.resize(left + (effect.pushes(argument) as usize).saturating_sub(1), Item::Other);
        if effect.pushes(argument) > 0 {
            stack.push(pushed);
        }
        last = loaded;
    }
    found
}

impl<'a> Arguments<'a> {
    /// Those that have methods as default values, by what `SET_FUNCTION_ATTRIBUTE` says of the values.
    fn with(&self, attribute: u32, values: &[Item<'a>]) -> Vec<Default<'a>> {
        const BY_POSITION: u32 = 1;
        const BY_NAME: u32 = 2;
        let positional = self.names.len().saturating_sub(self.by_name);
        let names = match attribute {
            BY_POSITION => positional.checked_sub(values.len()).map(|first| &self.names[first..positional]),
            // Which ones, if not all of them have a value, only the constants say.
            BY_NAME if values.len() == self.by_name => Some(&self.names[positional..]),
            _ => None,
        };
        let method = |(name, value): (&&'a str, &Item<'a>)| match value {
            Item::Method(method, container) => Some((*name, *method, *container)),
            Item::Other | Item::Constant(_) | Item::Many(_) => None,
        };
        names.unwrap_or_default().iter().zip(values).filter_map(method).collect()
    }
}
