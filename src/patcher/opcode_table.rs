//! The table of opcodes: of each instruction what it takes from the stack and puts there, how it goes on, what it means for what threads
//! share, and whether it is an access.
//!
//! A new instruction of the interpreter needs a row here, or a reason in [`EXCUSED`]; `tests/python/test_patcher.py` walks the running
//! interpreter's `opcode.opmap` and compares.

use super::point::Action;

/// The values that an instruction takes from the stack and puts there; one that it leaves alone is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    pops: u8,
    pops_each: u8,
    /// For odd arguments.
    pops_if_odd: u8,
    pushes: u8,
    /// For odd arguments.
    pushes_if_odd: u8,
    pushes_each: u8,
    /// The argument is two numbers of a byte each, and it pushes as many as both together.
    pushes_both_bytes: bool,
}

impl Effect {
    pub(super) const fn pops(&self, argument: u32) -> u32 {
        self.pops as u32 + self.pops_if_odd as u32 * (argument & 1) + self.pops_each as u32 * argument
    }

    pub(super) const fn pushes(&self, argument: u32) -> u32 {
        let both = if self.pushes_both_bytes { (argument & 0xff) + (argument >> 8) } else { 0 };
        self.pushes as u32 + self.pushes_if_odd as u32 * (argument & 1) + self.pushes_each as u32 * argument + both
    }

    pub(super) const fn net(&self, argument: u32) -> i32 {
        self.pushes(argument) as i32 - self.pops(argument) as i32
    }

    const fn pops_if_odd(self) -> Self {
        Effect { pops_if_odd: 1, ..self }
    }

    const fn pushes_each(self) -> Self {
        Effect { pushes_each: 1, ..self }
    }

    const fn pushes_both_bytes(self) -> Self {
        Effect { pushes_both_bytes: true, ..self }
    }
}

const fn fixed(pops: u8, pushes: u8) -> Effect {
    Effect { pops, pops_each: 0, pops_if_odd: 0, pushes, pushes_if_odd: 0, pushes_each: 0, pushes_both_bytes: false }
}

const fn each(pops: u8, pops_each: u8, pushes: u8) -> Effect {
    Effect { pops_each, ..fixed(pops, pushes) }
}

const fn odd(pops: u8, pushes: u8) -> Effect {
    Effect { pushes_if_odd: 1, ..fixed(pops, pushes) }
}

/// Whose name an argument is the number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    None,
    /// `co_names`, above this many bits.
    Name(u8),
    Local,
}

/// As a depth: the deepest of what the instruction takes, or puts there if the probe is after it.
pub(super) const DEEPEST: u16 = u16::MAX;

/// An instruction that is an access.  Depths are of the stack where the probe is; 0 is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) action: Action,
    /// 0 is the site itself, or a cell.
    pub(super) object: u16,
    pub(super) key: u16,
    pub(super) value: u16,
    pub(super) named: Named,
    /// The probe is after the instruction.
    pub(super) is_after: bool,
}

/// What instructions mean: bits of [`Row::traits`].
pub(super) mod traits {
    /// The next instruction is not the next one to run.
    pub(in crate::patcher) const ENDS: u8 = 1;
    /// The value on top is the operand of a conditional jump.
    pub(in crate::patcher) const TESTS: u8 = 1 << 1;
    /// And the jump is taken if that is set.
    pub(in crate::patcher) const FOR_SET: u8 = 1 << 2;
    /// Its result says what its operands are.
    pub(in crate::patcher) const PREDICATE: u8 = 1 << 3;
    /// Publishes what is on the stack, or runs other code: an object that was private may not be it any more.  `STORE_ATTR` is looked at
    /// by its owner.
    pub(in crate::patcher) const PUBLISHES: u8 = 1 << 4;
    /// Waits for nobody, binds no variable, and goes on with the next instruction or jumps: an attribute's value outlasts it.
    pub(in crate::patcher) const PASSES: u8 = 1 << 5;
    /// Its jump leads back.
    pub(in crate::patcher) const BACKWARD: u8 = 1 << 6;
}

use traits::{BACKWARD, ENDS, FOR_SET, PASSES, PREDICATE, PUBLISHES, TESTS};

/// An instruction.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// Of several, the first one holds that agrees with what the interpreter says (since 3.15, an iterator has a second place on the stack).
    /// If none does, nothing is known of the stack.  Values that an instruction changes in place, such as the list of `LIST_APPEND`, keep
    /// the instruction that pushed them.
    pub(super) effects: &'static [Effect],
    pub(super) traits: u8,
    pub(super) access: Option<Access>,
}

const fn row(name: &'static str, effects: &'static [Effect]) -> Row {
    Row { name, effects, traits: 0, access: None }
}

impl Row {
    const fn is(self, traits: u8) -> Self {
        Row { traits, ..self }
    }

    const fn accesses(self, action: Action, [object, key, value]: [u16; 3], named: Named) -> Self {
        Row { access: Some(Access { action, object, key, value, named, is_after: false }), ..self }
    }

    const fn after(self) -> Self {
        let Some(access) = self.access else { return self };
        Row { access: Some(Access { is_after: true, ..access }), ..self }
    }
}

/// All instructions that code objects have, by name.
pub(super) static ROWS: &[Row] = &[
    row("BINARY_OP", &[fixed(2, 1)]).is(PREDICATE | PUBLISHES | PASSES).accesses(Action::ReadItem, [2, 1, 0], Named::None),
    row("BINARY_SLICE", &[fixed(3, 1)]).is(PASSES).accesses(Action::ReadSlice, [3, 0, 0], Named::None),
    row("BUILD_INTERPOLATION", &[fixed(2, 1).pops_if_odd()]),
    row("BUILD_LIST", &[each(0, 1, 1)]).is(PASSES),
    row("BUILD_MAP", &[each(0, 2, 1)]).is(PASSES),
    row("BUILD_SET", &[each(0, 1, 1)]).is(PASSES),
    row("BUILD_SLICE", &[each(0, 1, 1)]).is(PASSES),
    row("BUILD_STRING", &[each(0, 1, 1)]).is(PASSES),
    row("BUILD_TEMPLATE", &[fixed(2, 1)]),
    row("BUILD_TUPLE", &[each(0, 1, 1)]).is(PASSES),
    row("CALL", &[each(2, 1, 1)]).is(PUBLISHES),
    row("CALL_FUNCTION_EX", &[fixed(4, 1)]).is(PUBLISHES),
    row("CALL_INTRINSIC_1", &[fixed(1, 1)]).is(PUBLISHES),
    row("CALL_INTRINSIC_2", &[fixed(2, 1)]).is(PUBLISHES),
    row("CALL_KW", &[each(3, 1, 1)]).is(PUBLISHES),
    row("CHECK_EG_MATCH", &[fixed(2, 2)]),
    row("CHECK_EXC_MATCH", &[fixed(1, 1)]),
    row("CLEANUP_THROW", &[fixed(3, 2)]),
    row("COMPARE_OP", &[fixed(2, 1)]).is(PREDICATE | PASSES),
    row("CONTAINS_OP", &[fixed(2, 1)]).is(PREDICATE | PASSES).accesses(Action::Contains, [1, 2, 0], Named::None),
    row("CONVERT_VALUE", &[fixed(1, 1)]).is(PASSES),
    row("COPY", &[fixed(0, 1)]).is(PASSES),
    row("COPY_FREE_VARS", &[fixed(0, 0)]),
    row("DELETE_ATTR", &[fixed(1, 0)]).accesses(Action::DeleteAttribute, [1, 0, 0], Named::Name(0)),
    row("DELETE_DEREF", &[fixed(0, 0)]).accesses(Action::DeleteCell, [0, 0, 0], Named::Local),
    row("DELETE_FAST", &[fixed(0, 0)]),
    row("DELETE_GLOBAL", &[fixed(0, 0)]).accesses(Action::DeleteGlobal, [0, 0, 0], Named::Name(0)),
    row("DELETE_NAME", &[fixed(0, 0)]),
    row("DELETE_SUBSCR", &[fixed(2, 0)]).accesses(Action::DeleteItem, [2, 1, 0], Named::None),
    row("DICT_MERGE", &[fixed(1, 0)]),
    row("DICT_UPDATE", &[fixed(1, 0)]),
    row("END_ASYNC_FOR", &[fixed(2, 0), fixed(3, 0)]).is(BACKWARD),
    row("END_FOR", &[fixed(1, 0)]),
    row("END_SEND", &[fixed(2, 1), fixed(3, 1)]),
    row("FORMAT_SIMPLE", &[fixed(1, 1)]).is(PASSES),
    row("FORMAT_WITH_SPEC", &[fixed(2, 1)]).is(PASSES),
    row("FOR_ITER", &[fixed(0, 1)]),
    row("GET_AITER", &[fixed(1, 1)]).accesses(Action::Iterate, [DEEPEST, 0, 0], Named::None).after(),
    row("GET_ANEXT", &[fixed(0, 1)]),
    row("GET_AWAITABLE", &[fixed(1, 1)]),
    row("GET_ITER", &[fixed(1, 1), fixed(1, 2)]).accesses(Action::Iterate, [DEEPEST, 0, 0], Named::None).after(),
    row("GET_LEN", &[fixed(0, 1)]),
    // `yield from`; since 3.15 it is `GET_ITER`.
    row("GET_YIELD_FROM_ITER", &[fixed(1, 1)]).accesses(Action::Iterate, [DEEPEST, 0, 0], Named::None).after(),
    row("IMPORT_FROM", &[fixed(0, 1)]),
    // Where its argument has the name differs between versions.
    row("IMPORT_NAME", &[fixed(2, 1)]).is(PUBLISHES).accesses(Action::Import, [1, 0, 0], Named::None).after(),
    row("IS_OP", &[fixed(2, 1)]).is(PREDICATE | PASSES),
    row("JUMP_BACKWARD", &[fixed(0, 0)]).is(ENDS | BACKWARD),
    row("JUMP_BACKWARD_NO_INTERRUPT", &[fixed(0, 0)]).is(ENDS | BACKWARD),
    row("JUMP_FORWARD", &[fixed(0, 0)]).is(ENDS),
    row("LIST_APPEND", &[fixed(1, 0)]).is(PUBLISHES | PASSES),
    row("LIST_EXTEND", &[fixed(1, 0)]),
    row("LOAD_ATTR", &[odd(1, 1)]).is(PASSES).accesses(Action::ReadAttribute, [1, 0, 0], Named::Name(1)),
    row("LOAD_BUILD_CLASS", &[fixed(0, 1)]),
    row("LOAD_COMMON_CONSTANT", &[fixed(0, 1)]).is(PASSES),
    row("LOAD_CONST", &[fixed(0, 1)]).is(PASSES),
    row("LOAD_DEREF", &[fixed(0, 1)]).is(PASSES).accesses(Action::ReadCell, [0, 0, 0], Named::Local),
    row("LOAD_FAST", &[fixed(0, 1)]).is(PASSES),
    row("LOAD_FAST_AND_CLEAR", &[fixed(0, 1)]),
    row("LOAD_FAST_BORROW", &[fixed(0, 1)]).is(PASSES),
    row("LOAD_FAST_BORROW_LOAD_FAST_BORROW", &[fixed(0, 2)]).is(PASSES),
    row("LOAD_FAST_CHECK", &[fixed(0, 1)]).is(PASSES),
    row("LOAD_FAST_LOAD_FAST", &[fixed(0, 2)]).is(PASSES),
    row("LOAD_FROM_DICT_OR_DEREF", &[fixed(1, 1)]),
    row("LOAD_FROM_DICT_OR_GLOBALS", &[fixed(1, 1)]),
    row("LOAD_GLOBAL", &[odd(0, 1)]).is(PASSES).accesses(Action::ReadGlobal, [0, 0, 0], Named::Name(1)),
    row("LOAD_LOCALS", &[fixed(0, 1)]),
    row("LOAD_NAME", &[fixed(0, 1)]).accesses(Action::ReadGlobal, [0, 0, 0], Named::Name(0)),
    row("LOAD_SMALL_INT", &[fixed(0, 1)]).is(PASSES),
    row("LOAD_SPECIAL", &[fixed(1, 2)]),
    row("LOAD_SUPER_ATTR", &[odd(3, 1)]),
    row("MAKE_CELL", &[fixed(0, 0)]),
    row("MAKE_FUNCTION", &[fixed(1, 1)]),
    row("MAP_ADD", &[fixed(2, 0)]),
    row("MATCH_CLASS", &[fixed(3, 1)]),
    row("MATCH_KEYS", &[fixed(0, 1)]),
    row("MATCH_MAPPING", &[fixed(0, 1)]),
    row("MATCH_SEQUENCE", &[fixed(0, 1)]),
    row("NOP", &[fixed(0, 0)]).is(PASSES),
    row("NOT_TAKEN", &[fixed(0, 0)]).is(PASSES),
    row("POP_EXCEPT", &[fixed(1, 0)]),
    row("POP_ITER", &[fixed(1, 0), fixed(2, 0)]).accesses(Action::EndIteration, [DEEPEST, 0, 0], Named::None),
    row("POP_JUMP_IF_FALSE", &[fixed(1, 0)]).is(TESTS | PASSES),
    row("POP_JUMP_IF_NONE", &[fixed(1, 0)]).is(TESTS | PASSES),
    row("POP_JUMP_IF_NOT_NONE", &[fixed(1, 0)]).is(TESTS | FOR_SET | PASSES),
    row("POP_JUMP_IF_TRUE", &[fixed(1, 0)]).is(TESTS | FOR_SET | PASSES),
    row("POP_TOP", &[fixed(1, 0)]).is(PASSES),
    row("PUSH_EXC_INFO", &[fixed(1, 2)]),
    row("PUSH_NULL", &[fixed(0, 1)]).is(PASSES),
    row("RAISE_VARARGS", &[each(0, 1, 0)]).is(ENDS),
    row("RERAISE", &[fixed(1, 0)]).is(ENDS),
    row("RESUME", &[fixed(0, 0)]),
    row("RETURN_GENERATOR", &[fixed(0, 1)]),
    row("RETURN_VALUE", &[fixed(1, 1)]).is(ENDS),
    row("SEND", &[fixed(1, 1)]).is(PUBLISHES),
    row("SETUP_ANNOTATIONS", &[fixed(0, 0)]),
    row("SET_ADD", &[fixed(1, 0)]),
    row("SET_FUNCTION_ATTRIBUTE", &[fixed(2, 1)]),
    row("SET_UPDATE", &[fixed(1, 0)]),
    row("STORE_ATTR", &[fixed(2, 0)]).is(PASSES).accesses(Action::WriteAttribute, [1, 0, 2], Named::Name(0)),
    row("STORE_DEREF", &[fixed(1, 0)]).is(PUBLISHES).accesses(Action::WriteCell, [0, 0, 1], Named::Local),
    row("STORE_FAST", &[fixed(1, 0)]),
    row("STORE_FAST_LOAD_FAST", &[fixed(1, 1)]),
    row("STORE_FAST_STORE_FAST", &[fixed(2, 0)]),
    row("STORE_GLOBAL", &[fixed(1, 0)]).is(PUBLISHES).accesses(Action::WriteGlobal, [0, 0, 1], Named::Name(0)),
    row("STORE_NAME", &[fixed(1, 0)]).accesses(Action::WriteGlobal, [0, 0, 1], Named::Name(0)),
    row("STORE_SLICE", &[fixed(4, 0)]).is(PUBLISHES).accesses(Action::WriteSlice, [3, 0, 4], Named::None),
    row("STORE_SUBSCR", &[fixed(3, 0)]).is(PUBLISHES | PASSES).accesses(Action::WriteItem, [2, 1, 3], Named::None),
    row("SWAP", &[fixed(0, 0)]).is(PASSES),
    row("TO_BOOL", &[fixed(1, 1)]).is(PREDICATE | PASSES).accesses(Action::Truth, [1, 0, 0], Named::None),
    row("UNARY_INVERT", &[fixed(1, 1)]).is(PASSES),
    row("UNARY_NEGATIVE", &[fixed(1, 1)]).is(PASSES),
    row("UNARY_NOT", &[fixed(1, 1)]).is(PREDICATE | PASSES),
    row("UNPACK_EX", &[fixed(1, 1).pushes_both_bytes()]),
    row("UNPACK_SEQUENCE", &[fixed(1, 0).pushes_each()]),
    row("WITH_EXCEPT_START", &[fixed(0, 1)]),
    row("YIELD_VALUE", &[fixed(1, 1)]).is(PUBLISHES),
];

/// Instructions without a row, and the reason.  A name that ends in `*` stands for all that begin so.  Pseudo instructions, which only the
/// compiler has, have numbers above 255 and are not asked for.
pub(super) static EXCUSED: &[(&str, &str)] = &[
    ("CACHE", "part of the instruction before it"),
    ("ENTER_EXECUTOR", INTERNAL),
    ("EXIT_INIT_CHECK", SHIM),
    ("EXTENDED_ARG", "part of the instruction after it"),
    ("INSTRUMENTED_*", INTERNAL),
    ("INTERPRETER_EXIT", SHIM),
    ("RESERVED", "no code has it"),
    ("TRACE_RECORD", INTERNAL),
];

const INTERNAL: &str = "stands in the interpreter's copy of the code, never in co_code";
const SHIM: &str = "only in code that the interpreter makes for itself, which is never patched";

/// The row of an instruction.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    ROWS.binary_search_by(|row| row.name.cmp(name)).ok().map(|at| &ROWS[at])
}

/// Whether there is a reason why an instruction has no row.
pub(super) fn is_excused(name: &str) -> bool {
    EXCUSED.iter().any(|(known, _)| known.strip_suffix('*').map_or(*known == name, |prefix| name.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_have_no_excuse() {
        assert!(ROWS.is_sorted_by(|one, other| one.name < other.name));
        assert!(EXCUSED.is_sorted_by(|one, other| one.0 < other.0));
        assert!(EXCUSED.iter().all(|(name, _)| find(name).is_none()));
    }

    #[test]
    fn effects_depend_on_the_argument() {
        let effect = |name: &str| find(name).expect("a row").effects[0];
        assert_eq!([effect("UNPACK_EX").pushes(1), effect("UNPACK_EX").pushes(0x0201)], [2, 4]);
        assert_eq!([effect("BUILD_INTERPOLATION").pops(2), effect("BUILD_INTERPOLATION").pops(3)], [2, 3]);
        assert_eq!([effect("LOAD_ATTR").net(0), effect("LOAD_ATTR").net(1)], [0, 1]);
    }
}
