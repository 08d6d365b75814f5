//! The instructions of an interpreter, by name: what is handed in, and the tables made of it.

use super::accesses::{ACCESSES, Access};
use super::stack::{EFFECTS, Effect};

/// One instruction as the interpreter describes it.
#[derive(Debug, Clone, Copy)]
pub struct OpcodeRow<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number.
    pub number: u8,
    /// Inline cache entries, in code units.
    pub caches: u8,
    /// Its argument is a distance.
    pub is_jump: bool,
}

/// Whether, and where to, an instruction may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Jump {
    #[default]
    None,
    Forward,
    Backward,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Info {
    pub(super) caches: u8,
    pub(super) jump: Jump,
    /// The next instruction is not the next one to run.
    pub(super) is_end: bool,
    pub(super) effect: Option<Effect>,
    pub(super) access: Option<&'static Access>,
    /// The value on top is the operand of a conditional jump.
    pub(super) tests: bool,
    /// And the jump is taken if that is set.
    pub(super) tests_for_set: bool,
    /// Its result says what its operands are.
    pub(super) is_predicate: bool,
    /// Publishes what is on the stack, or runs other code.
    pub(super) lets_go: bool,
    /// Waits for nobody, binds no variable, and goes on with the next instruction or jumps.
    pub(super) passes_by: bool,
}

/// The instructions of an interpreter.
#[derive(Debug)]
pub struct Opcodes {
    info: [Info; 256],
    pub(super) binary_op: u8,
    pub(super) call: u8,
    pub(super) call_kw: u8,
    pub(super) check_exc_match: u8,
    pub(super) contains_op: u8,
    pub(super) copy: u8,
    pub(super) delete_subscr: u8,
    pub(super) extended_arg: u8,
    pub(super) import_from: u8,
    pub(super) import_name: u8,
    pub(super) load_attr: u8,
    pub(super) load_const: u8,
    pub(super) load_consts: [u8; 3],
    pub(super) load_deref: u8,
    /// Of locals that are certainly bound; a borrowed reference spares two operations on a count that threads may share.
    pub(super) load_fast: u8,
    /// Two at once, four bits each: (first, second) is (high, low).
    pub(super) load_fast_pairs: [u8; 2],
    pub(super) load_fasts: [u8; 3],
    pub(super) load_global: u8,
    pub(super) load_name: u8,
    pub(super) load_small_int: u8,
    pub(super) pop_top: u8,
    pub(super) push_null: u8,
    pub(super) resume: u8,
    pub(super) return_value: u8,
    pub(super) store_fast: u8,
    pub(super) store_name: u8,
    pub(super) store_subscr: u8,
    pub(super) swap: u8,
    pub(super) yield_value: u8,
    pub(super) subscript: u32,
    /// In-place operators that change their left operand if it is a container.
    pub(super) updates: [u32; 6],
    pub(super) multiply: u32,
    /// Since 3.15.
    pub(super) has_lazy_imports: bool,
}

/// No instruction of a program has this number.
const ABSENT: u8 = 0;

impl Opcodes {
    /// From the instructions, the names of the operators of `BINARY_OP` (such as `NB_SUBSCR`) in their order, and the net effect on the
    /// stack of an instruction with an argument, where it does not jump; and whether `import` may wait until a name is needed.
    pub fn new<'a>(
        rows: impl IntoIterator<Item = OpcodeRow<'a>>,
        operators: &[&str],
        mut net_effect: impl FnMut(u8, u32) -> Option<i32>,
        has_lazy_imports: bool,
    ) -> Result<Self, String> {
        let mut info = [Info::default(); 256];
        let mut numbers: Vec<(&str, u8)> = Vec::new();
        for row in rows {
            let mut agrees = |effect: &Effect| {
                (0..4).all(|argument| net_effect(row.number, argument).is_none_or(|net| net == effect.net(argument)))
            };
            let mut named = EFFECTS.iter().filter(|(name, _)| *name == row.name).map(|(_, effect)| *effect);
            let backward = row.name.contains("BACKWARD") || row.name == "END_ASYNC_FOR";
            info[usize::from(row.number)] = Info {
                caches: row.caches,
                jump: match (row.is_jump, backward) {
                    (false, _) => Jump::None,
                    (true, false) => Jump::Forward,
                    (true, true) => Jump::Backward,
                },
                is_end: ENDS.contains(&row.name),
                effect: named.find(|effect| agrees(effect)),
                access: ACCESSES.iter().find(|access| access.opcode == row.name),
                tests: row.name.starts_with("POP_JUMP_IF"),
                tests_for_set: matches!(row.name, "POP_JUMP_IF_TRUE" | "POP_JUMP_IF_NOT_NONE"),
                is_predicate: PREDICATES.contains(&row.name),
                lets_go: LETTING_GO.contains(&row.name) || row.name.starts_with("CALL"),
                passes_by: PASSING_BY.contains(&row.name),
            };
            numbers.push((row.name, row.number));
        }
        let find = |name: &str| numbers.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        let number = |name: &str| find(name).ok_or_else(|| format!("no instruction {name}"));
        let operator = |name: &str| {
            let at = operators.iter().position(|known| *known == name).ok_or_else(|| format!("no operator {name}"))?;
            u32::try_from(at).map_err(|error| error.to_string())
        };
        Ok(Opcodes {
            info,
            binary_op: number("BINARY_OP")?,
            call: number("CALL")?,
            call_kw: number("CALL_KW")?,
            check_exc_match: number("CHECK_EXC_MATCH")?,
            contains_op: number("CONTAINS_OP")?,
            copy: number("COPY")?,
            delete_subscr: number("DELETE_SUBSCR")?,
            extended_arg: number("EXTENDED_ARG")?,
            import_from: number("IMPORT_FROM")?,
            import_name: number("IMPORT_NAME")?,
            load_attr: number("LOAD_ATTR")?,
            load_const: number("LOAD_CONST")?,
            // Since 3.15, the last one loads `None`, `True` and `False`.
            load_consts: ["LOAD_CONST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT"].map(|name| find(name).unwrap_or(ABSENT)),
            load_deref: number("LOAD_DEREF")?,
            load_fast: find("LOAD_FAST_BORROW").map_or_else(|| number("LOAD_FAST"), Ok)?,
            load_fast_pairs: ["LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"].map(|name| find(name).unwrap_or(ABSENT)),
            load_fasts: ["LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK"].map(|name| find(name).unwrap_or(ABSENT)),
            load_global: number("LOAD_GLOBAL")?,
            load_name: number("LOAD_NAME")?,
            load_small_int: find("LOAD_SMALL_INT").unwrap_or(ABSENT),
            pop_top: number("POP_TOP")?,
            push_null: number("PUSH_NULL")?,
            resume: number("RESUME")?,
            return_value: number("RETURN_VALUE")?,
            store_fast: number("STORE_FAST")?,
            store_name: number("STORE_NAME")?,
            store_subscr: number("STORE_SUBSCR")?,
            swap: number("SWAP")?,
            yield_value: number("YIELD_VALUE")?,
            subscript: operator("NB_SUBSCR")?,
            updates: [
                operator("NB_INPLACE_ADD")?,
                operator("NB_INPLACE_AND")?,
                operator("NB_INPLACE_MULTIPLY")?,
                operator("NB_INPLACE_OR")?,
                operator("NB_INPLACE_SUBTRACT")?,
                operator("NB_INPLACE_XOR")?,
            ],
            multiply: operator("NB_INPLACE_MULTIPLY")?,
            has_lazy_imports,
        })
    }

    pub(super) fn info(&self, opcode: u8) -> &Info {
        &self.info[usize::from(opcode)]
    }
}

/// What is after these does not follow from them.
const ENDS: &[&str] = &["JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_FORWARD", "RAISE_VARARGS", "RERAISE", "RETURN_VALUE"];

/// Through these a value decides a jump that is after them.
const PREDICATES: &[&str] = &["BINARY_OP", "COMPARE_OP", "CONTAINS_OP", "IS_OP", "TO_BOOL", "UNARY_NOT"];

/// What an attribute's value outlasts.
const PASSING_BY: &[&str] = &[
    "BINARY_OP",
    "BINARY_SLICE",
    "BUILD_LIST",
    "BUILD_MAP",
    "BUILD_SET",
    "BUILD_SLICE",
    "BUILD_STRING",
    "BUILD_TUPLE",
    "COMPARE_OP",
    "CONTAINS_OP",
    "CONVERT_VALUE",
    "COPY",
    "FORMAT_SIMPLE",
    "FORMAT_WITH_SPEC",
    "IS_OP",
    "LIST_APPEND",
    "LOAD_ATTR",
    "LOAD_COMMON_CONSTANT",
    "LOAD_CONST",
    "LOAD_DEREF",
    "LOAD_FAST",
    "LOAD_FAST_BORROW",
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW",
    "LOAD_FAST_CHECK",
    "LOAD_FAST_LOAD_FAST",
    "LOAD_GLOBAL",
    "LOAD_SMALL_INT",
    "NOP",
    "NOT_TAKEN",
    "POP_JUMP_IF_FALSE",
    "POP_JUMP_IF_NONE",
    "POP_JUMP_IF_NOT_NONE",
    "POP_JUMP_IF_TRUE",
    "POP_TOP",
    "PUSH_NULL",
    "STORE_ATTR",
    "STORE_SUBSCR",
    "SWAP",
    "TO_BOOL",
    "UNARY_INVERT",
    "UNARY_NEGATIVE",
    "UNARY_NOT",
];

/// After one of these, an object that was private may not be it any more.  `STORE_ATTR` is looked at by its owner.
const LETTING_GO: &[&str] = &[
    "BINARY_OP",
    "IMPORT_NAME",
    "LIST_APPEND",
    "SEND",
    "STORE_DEREF",
    "STORE_GLOBAL",
    "STORE_SLICE",
    "STORE_SUBSCR",
    "YIELD_VALUE",
];
