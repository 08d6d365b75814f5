//! Which instruction pushed what is on the stack: the code is run once, in its order, on a stack of instructions instead of objects.

use super::Code;
use super::instructions::Instructions;
use super::opcodes::{Jump, Opcodes};
use super::tables;

/// What an instruction takes from the stack and puts there; what it leaves alone is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    pops: u8,
    pops_each: u8,
    pushes: u8,
    /// For odd arguments.
    pushes_if_odd: u8,
    pushes_each: u8,
}

impl Effect {
    pub(super) fn pops(&self, argument: u32) -> u32 {
        u32::from(self.pops) + u32::from(self.pops_each) * argument
    }

    pub(super) fn pushes(&self, argument: u32) -> u32 {
        u32::from(self.pushes) + u32::from(self.pushes_if_odd) * (argument & 1) + u32::from(self.pushes_each) * argument
    }

    pub(super) fn net(&self, argument: u32) -> i32 {
        self.pushes(argument) as i32 - self.pops(argument) as i32
    }
}

const fn fixed(pops: u8, pushes: u8) -> Effect {
    Effect { pops, pops_each: 0, pushes, pushes_if_odd: 0, pushes_each: 0 }
}

const fn each(pops: u8, pops_each: u8, pushes: u8) -> Effect {
    Effect { pops, pops_each, pushes, pushes_if_odd: 0, pushes_each: 0 }
}

const fn odd(pops: u8, pushes: u8) -> Effect {
    Effect { pops, pops_each: 0, pushes, pushes_if_odd: 1, pushes_each: 0 }
}

/// Of several with one name, the first one is taken that agrees with what the interpreter says (since 3.15, an iterator has a second place on the
/// stack); if none does, or for other instructions, nothing is known of the stack.
/// Values that an instruction changes in place, such as the list of `LIST_APPEND`, keep who pushed them.
pub(super) static EFFECTS: &[(&str, Effect)] = &[
    ("BINARY_OP", fixed(2, 1)),
    ("BINARY_SLICE", fixed(3, 1)),
    ("BUILD_LIST", each(0, 1, 1)),
    ("BUILD_MAP", each(0, 2, 1)),
    ("BUILD_SET", each(0, 1, 1)),
    ("BUILD_SLICE", each(0, 1, 1)),
    ("BUILD_STRING", each(0, 1, 1)),
    ("BUILD_TEMPLATE", fixed(2, 1)),
    ("BUILD_TUPLE", each(0, 1, 1)),
    ("CALL", each(2, 1, 1)),
    ("CALL_FUNCTION_EX", fixed(4, 1)),
    ("CALL_INTRINSIC_1", fixed(1, 1)),
    ("CALL_INTRINSIC_2", fixed(2, 1)),
    ("CALL_KW", each(3, 1, 1)),
    ("CHECK_EXC_MATCH", fixed(1, 1)),
    ("COMPARE_OP", fixed(2, 1)),
    ("CONTAINS_OP", fixed(2, 1)),
    ("CONVERT_VALUE", fixed(1, 1)),
    ("COPY", fixed(0, 1)),
    ("COPY_FREE_VARS", fixed(0, 0)),
    ("DELETE_ATTR", fixed(1, 0)),
    ("DELETE_DEREF", fixed(0, 0)),
    ("DELETE_FAST", fixed(0, 0)),
    ("DELETE_GLOBAL", fixed(0, 0)),
    ("DELETE_NAME", fixed(0, 0)),
    ("DELETE_SUBSCR", fixed(2, 0)),
    ("DICT_MERGE", fixed(1, 0)),
    ("DICT_UPDATE", fixed(1, 0)),
    ("END_FOR", fixed(1, 0)),
    ("END_SEND", fixed(2, 1)),
    ("END_SEND", fixed(3, 1)),
    ("FORMAT_SIMPLE", fixed(1, 1)),
    ("FORMAT_WITH_SPEC", fixed(2, 1)),
    ("FOR_ITER", fixed(0, 1)),
    ("GET_AITER", fixed(1, 1)),
    ("GET_ANEXT", fixed(0, 1)),
    ("GET_AWAITABLE", fixed(1, 1)),
    ("GET_ITER", fixed(1, 1)),
    ("GET_ITER", fixed(1, 2)),
    ("GET_LEN", fixed(0, 1)),
    ("GET_YIELD_FROM_ITER", fixed(1, 1)),
    ("IMPORT_FROM", fixed(0, 1)),
    ("IMPORT_NAME", fixed(2, 1)),
    ("IS_OP", fixed(2, 1)),
    ("JUMP_BACKWARD", fixed(0, 0)),
    ("JUMP_BACKWARD_NO_INTERRUPT", fixed(0, 0)),
    ("JUMP_FORWARD", fixed(0, 0)),
    ("LIST_APPEND", fixed(1, 0)),
    ("LIST_EXTEND", fixed(1, 0)),
    ("LOAD_ATTR", odd(1, 1)),
    ("LOAD_BUILD_CLASS", fixed(0, 1)),
    ("LOAD_COMMON_CONSTANT", fixed(0, 1)),
    ("LOAD_CONST", fixed(0, 1)),
    ("LOAD_DEREF", fixed(0, 1)),
    ("LOAD_FAST", fixed(0, 1)),
    ("LOAD_FAST_AND_CLEAR", fixed(0, 1)),
    ("LOAD_FAST_BORROW", fixed(0, 1)),
    ("LOAD_FAST_BORROW_LOAD_FAST_BORROW", fixed(0, 2)),
    ("LOAD_FAST_CHECK", fixed(0, 1)),
    ("LOAD_FAST_LOAD_FAST", fixed(0, 2)),
    ("LOAD_FROM_DICT_OR_DEREF", fixed(1, 1)),
    ("LOAD_FROM_DICT_OR_GLOBALS", fixed(1, 1)),
    ("LOAD_GLOBAL", odd(0, 1)),
    ("LOAD_LOCALS", fixed(0, 1)),
    ("LOAD_NAME", fixed(0, 1)),
    ("LOAD_SMALL_INT", fixed(0, 1)),
    ("LOAD_SPECIAL", fixed(1, 2)),
    ("LOAD_SUPER_ATTR", odd(3, 1)),
    ("MAKE_CELL", fixed(0, 0)),
    ("MAKE_FUNCTION", fixed(1, 1)),
    ("MAP_ADD", fixed(2, 0)),
    ("MATCH_CLASS", fixed(3, 1)),
    ("MATCH_KEYS", fixed(0, 1)),
    ("MATCH_MAPPING", fixed(0, 1)),
    ("MATCH_SEQUENCE", fixed(0, 1)),
    ("NOP", fixed(0, 0)),
    ("NOT_TAKEN", fixed(0, 0)),
    ("POP_EXCEPT", fixed(1, 0)),
    ("POP_ITER", fixed(1, 0)),
    ("POP_ITER", fixed(2, 0)),
    ("POP_JUMP_IF_FALSE", fixed(1, 0)),
    ("POP_JUMP_IF_NONE", fixed(1, 0)),
    ("POP_JUMP_IF_NOT_NONE", fixed(1, 0)),
    ("POP_JUMP_IF_TRUE", fixed(1, 0)),
    ("POP_TOP", fixed(1, 0)),
    ("PUSH_EXC_INFO", fixed(1, 2)),
    ("PUSH_NULL", fixed(0, 1)),
    ("RESUME", fixed(0, 0)),
    ("SEND", fixed(1, 1)),
    ("SETUP_ANNOTATIONS", fixed(0, 0)),
    ("SET_ADD", fixed(1, 0)),
    ("SET_FUNCTION_ATTRIBUTE", fixed(2, 1)),
    ("SET_UPDATE", fixed(1, 0)),
    ("STORE_ATTR", fixed(2, 0)),
    ("STORE_DEREF", fixed(1, 0)),
    ("STORE_FAST", fixed(1, 0)),
    ("STORE_FAST_LOAD_FAST", fixed(1, 1)),
    ("STORE_FAST_STORE_FAST", fixed(2, 0)),
    ("STORE_GLOBAL", fixed(1, 0)),
    ("STORE_NAME", fixed(1, 0)),
    ("STORE_SLICE", fixed(4, 0)),
    ("STORE_SUBSCR", fixed(3, 0)),
    ("SWAP", fixed(0, 0)),
    ("TO_BOOL", fixed(1, 1)),
    ("UNARY_INVERT", fixed(1, 1)),
    ("UNARY_NEGATIVE", fixed(1, 1)),
    ("UNARY_NOT", fixed(1, 1)),
    ("UNPACK_SEQUENCE", Effect { pops: 1, pops_each: 0, pushes: 0, pushes_if_odd: 0, pushes_each: 1 }),
    ("WITH_EXCEPT_START", fixed(0, 1)),
    ("YIELD_VALUE", fixed(1, 1)),
];

/// Not known, or one of several.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Who pushed what, from the bottom of what is known to the top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Producers(Vec<u32>);

impl Producers {
    /// Who pushed what is at this depth; 1 is the top.
    pub(super) fn at(&self, depth: u32) -> u32 {
        self.0.len().checked_sub(depth as usize).map_or(UNKNOWN, |place| self.0[place])
    }

    fn apply(&mut self, opcodes: &Opcodes, opcode: u8, argument: u32, index: u32) {
        let Some(effect) = opcodes.info(opcode).effect else { return self.0.clear() };
        if opcode == opcodes.swap {
            let top = self.0.len();
            match top.checked_sub(argument as usize) {
                Some(other) if argument > 0 => self.0.swap(other, top - 1),
                Some(_) | None => self.0.clear(),
            }
            return;
        }
        let left = self.0.len().saturating_sub(effect.pops(argument) as usize);
        let copied = if opcode == opcodes.copy { self.at(argument) } else { index };
        self.0.truncate(left);
        self.0.extend(std::iter::repeat_n(copied, effect.pushes(argument) as usize));
    }

    /// What is true after either of both.
    fn join(&mut self, other: &Producers) {
        let known = self.0.len().min(other.0.len());
        self.0.drain(..self.0.len() - known);
        for (mine, theirs) in self.0.iter_mut().zip(&other.0[other.0.len() - known..]) {
            if mine != theirs {
                *mine = UNKNOWN;
            }
        }
    }
}

/// Tells `visit` the stack before each instruction.
///
/// Jumps back are not followed: a loop leaves alone what was on the stack before it.
pub(super) fn run(opcodes: &Opcodes, code: &Code<'_>, instructions: &Instructions, mut visit: impl FnMut(u32, &Producers)) {
    let mut arriving: Vec<Option<Producers>> = vec![None; instructions.all.len()];
    for [_, _, target, _] in tables::exception_entries(code.exceptions).unwrap_or_default() {
        // Whatever is there, nothing is known of it.
        if let Some(handler) = instructions.at.get(target as usize).and_then(|index| arriving.get_mut(*index as usize)) {
            *handler = Some(Producers::default());
        }
    }
    let mut stack = Producers::default();
    let mut follows = true;
    for (index, instruction) in (0..).zip(&instructions.all) {
        match arriving[index as usize].take() {
            Some(other) if follows => stack.join(&other),
            Some(other) => stack = other,
            None if !follows => stack = Producers::default(),
            None => {}
        }
        visit(index, &stack);
        stack.apply(opcodes, instruction.opcode, instruction.argument, index);
        let info = opcodes.info(instruction.opcode);
        if info.jump == Jump::Forward
            && let Some(place) = instruction.target.and_then(|target| arriving.get_mut(target as usize))
        {
            match place {
                Some(known) => known.join(&stack),
                None => *place = Some(stack.clone()),
            }
        }
        follows = !info.is_end;
    }
}
