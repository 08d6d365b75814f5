//! The instructions of an interpreter, by name: what is handed in, and the tables made of it.

use super::opcode_table::{self, Access, Effect, traits};

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
    /// And what is asked is whether it is `None`.
    pub(super) tests_for_none: bool,
    /// Its result says what its operands are.
    pub(super) is_predicate: bool,
    /// [`traits::PUBLISHES`]
    pub(super) publishes: bool,
    /// [`traits::PASSES`]
    pub(super) passes: bool,
}

/// The instructions of an interpreter.
#[derive(Debug)]
pub struct Opcodes {
    info: [Info; 256],
    unknown: Vec<String>,
    pub(super) binary_op: u8,
    pub(super) build_list: u8,
    pub(super) build_map: u8,
    pub(super) build_string: u8,
    pub(super) build_tuple: u8,
    pub(super) call: u8,
    pub(super) call_kw: u8,
    /// Of `except*`.
    pub(super) check_eg_match: u8,
    pub(super) check_exc_match: u8,
    pub(super) compare_op: u8,
    pub(super) is_op: u8,
    pub(super) contains_op: u8,
    pub(super) copy: u8,
    pub(super) delete_subscr: u8,
    pub(super) extended_arg: u8,
    pub(super) format_simple: u8,
    pub(super) import_from: u8,
    pub(super) import_name: u8,
    pub(super) jump_forward: u8,
    /// What comprehensions put their elements into a container by.
    pub(super) gathers: [u8; 3],
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
    pub(super) load_super_attr: u8,
    pub(super) load_special: u8,
    pub(super) make_function: u8,
    pub(super) pop_except: u8,
    pub(super) pop_top: u8,
    pub(super) push_exc_info: u8,
    pub(super) push_null: u8,
    pub(super) raise_varargs: u8,
    pub(super) resume: u8,
    pub(super) return_value: u8,
    pub(super) set_function_attribute: u8,
    pub(super) store_fast: u8,
    /// Store the upper half of the argument, then load or store the lower one.
    pub(super) store_fast_load_fast: u8,
    /// Store what is on top into the upper half of the argument, and what is below into the lower one.
    pub(super) store_fast_store_fast: u8,
    pub(super) store_name: u8,
    pub(super) store_subscr: u8,
    pub(super) swap: u8,
    pub(super) with_except_start: u8,
    pub(super) yield_value: u8,
    pub(super) for_iter: u8,
    pub(super) get_awaitable: u8,
    pub(super) get_iter: u8,
    pub(super) send: u8,
    pub(super) add: u32,
    pub(super) subscript: u32,
    /// In-place operators that change their left operand if it is a container.
    pub(super) updates: [u32; 6],
    pub(super) multiply: u32,
    /// Since 3.15.
    pub(super) has_lazy_imports: bool,
}

/// Tells variables that are known by their names from local ones.
const NAME: u32 = 1 << 31;

/// No instruction of a program has this number.
const ABSENT: u8 = 0;

impl Opcodes {
    /// From the instructions, the names of the operators of `BINARY_OP` (such as `NB_SUBSCR`) in their order, and the net effect on the
    /// stack of an instruction with an argument, where it does not jump; and whether `import` may wait until a name is needed.
    pub fn new<'a>(
        rows: impl IntoIterator<Item = OpcodeRow<'a>>,
        operators: &[&str],
        net_effect: impl Fn(u8, u32) -> Option<i32>,
        has_lazy_imports: bool,
    ) -> Result<Self, String> {
        let mut info = [Info::default(); 256];
        let mut numbers: Vec<(&str, u8)> = Vec::new();
        let mut unknown = Vec::new();
        for row in rows {
            let agrees = |effect: &&Effect| {
                (0..4).all(|argument| net_effect(row.number, argument).is_none_or(|net| net == effect.net(argument)))
            };
            let known = opcode_table::find(row.name);
            let is = |bits: u8| known.is_some_and(|known| known.traits & bits != 0);
            info[usize::from(row.number)] = Info {
                caches: row.caches,
                jump: match (row.is_jump, is(traits::BACKWARD)) {
                    (false, _) => Jump::None,
                    (true, false) => Jump::Forward,
                    (true, true) => Jump::Backward,
                },
                is_end: is(traits::ENDS),
                effect: known.and_then(|known| known.effects.iter().find(agrees)).copied(),
                access: known.and_then(|known| known.access.as_ref()),
                tests: is(traits::TESTS),
                tests_for_set: is(traits::FOR_SET),
                tests_for_none: is(traits::TESTS) && row.name.ends_with("NONE"),
                is_predicate: is(traits::PREDICATE),
                publishes: is(traits::PUBLISHES),
                passes: is(traits::PASSES),
            };
            numbers.push((row.name, row.number));
            if !opcode_table::is_excused(row.name) && info[usize::from(row.number)].effect.is_none() {
                unknown.push(row.name.to_owned());
            }
        }
        let find = |name: &str| numbers.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        let number = |name: &str| find(name).ok_or_else(|| format!("no instruction {name}"));
        let operator = |name: &str| {
            let at = operators.iter().position(|known| *known == name).ok_or_else(|| format!("no operator {name}"))?;
            u32::try_from(at).map_err(|error| error.to_string())
        };
        Ok(Opcodes {
            info,
            unknown,
            binary_op: number("BINARY_OP")?,
            build_list: find("BUILD_LIST").unwrap_or(ABSENT),
            build_map: find("BUILD_MAP").unwrap_or(ABSENT),
            build_tuple: find("BUILD_TUPLE").unwrap_or(ABSENT),
            build_string: find("BUILD_STRING").unwrap_or(ABSENT),
            call: number("CALL")?,
            call_kw: number("CALL_KW")?,
            check_eg_match: find("CHECK_EG_MATCH").unwrap_or(ABSENT),
            check_exc_match: number("CHECK_EXC_MATCH")?,
            compare_op: find("COMPARE_OP").unwrap_or(ABSENT),
            is_op: find("IS_OP").unwrap_or(ABSENT),
            contains_op: number("CONTAINS_OP")?,
            copy: number("COPY")?,
            delete_subscr: number("DELETE_SUBSCR")?,
            extended_arg: number("EXTENDED_ARG")?,
            format_simple: find("FORMAT_SIMPLE").unwrap_or(ABSENT),
            import_from: number("IMPORT_FROM")?,
            import_name: number("IMPORT_NAME")?,
            jump_forward: number("JUMP_FORWARD")?,
            gathers: ["LIST_APPEND", "MAP_ADD", "SET_ADD"].map(|name| find(name).unwrap_or(ABSENT)),
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
            load_super_attr: number("LOAD_SUPER_ATTR")?,
            load_special: find("LOAD_SPECIAL").unwrap_or(ABSENT),
            load_small_int: find("LOAD_SMALL_INT").unwrap_or(ABSENT),
            make_function: find("MAKE_FUNCTION").unwrap_or(ABSENT),
            pop_except: find("POP_EXCEPT").unwrap_or(ABSENT),
            pop_top: number("POP_TOP")?,
            push_exc_info: number("PUSH_EXC_INFO")?,
            push_null: number("PUSH_NULL")?,
            raise_varargs: find("RAISE_VARARGS").unwrap_or(ABSENT),
            resume: number("RESUME")?,
            return_value: number("RETURN_VALUE")?,
            set_function_attribute: find("SET_FUNCTION_ATTRIBUTE").unwrap_or(ABSENT),
            store_fast: number("STORE_FAST")?,
            store_fast_load_fast: find("STORE_FAST_LOAD_FAST").unwrap_or(ABSENT),
            store_fast_store_fast: find("STORE_FAST_STORE_FAST").unwrap_or(ABSENT),
            store_name: number("STORE_NAME")?,
            store_subscr: number("STORE_SUBSCR")?,
            swap: number("SWAP")?,
            with_except_start: number("WITH_EXCEPT_START")?,
            yield_value: number("YIELD_VALUE")?,
            for_iter: find("FOR_ITER").unwrap_or(ABSENT),
            get_iter: find("GET_ITER").unwrap_or(ABSENT),
            get_awaitable: find("GET_AWAITABLE").unwrap_or(ABSENT),
            send: find("SEND").unwrap_or(ABSENT),
            add: operator("NB_ADD")?,
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

    /// Instructions without a row or an excuse in the table of opcodes, and those of which no row agrees with the interpreter.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The code unit with which a probe ends.
    pub fn end_of_probe(&self) -> [u8; 2] {
        [self.delete_subscr, 0]
    }

    /// The variable that takes what is on top of the stack: a local one, or by [`NAME`] one of the module or class whose body runs.
    pub(super) fn stores(&self, opcode: u8, argument: u32) -> Option<u32> {
        if opcode == self.store_name {
            return Some(NAME | argument);
        }
        if opcode == self.store_fast { Some(argument) } else { (opcode == self.store_fast_load_fast).then_some(argument >> 4) }
    }

    /// The variable that takes what is at this depth of the stack, as [`stores`](Self::stores) numbers it.
    pub(super) fn stores_at(&self, opcode: u8, argument: u32, depth: u32) -> Option<u32> {
        if opcode != self.store_fast_store_fast {
            return self.stores(opcode, argument).filter(|_| depth == 1);
        }
        [(1, argument >> 4), (2, argument & 15)].iter().find(|(at, _)| *at == depth).map(|(_, variable)| *variable)
    }

    /// Whether the instruction binds this variable, as [`stores`](Self::stores) numbers it.
    pub(super) fn binds(&self, opcode: u8, argument: u32, variable: u32) -> bool {
        [1, 2].into_iter().any(|depth| self.stores_at(opcode, argument, depth) == Some(variable))
    }

    /// Where on the stack the instruction leaves this variable, as [`stores`](Self::stores) numbers it.
    pub(super) fn loads(&self, opcode: u8, argument: u32, variable: u32) -> Option<u32> {
        let (upper, lower) = (argument >> 4, argument & 15);
        if self.load_fasts.contains(&opcode) {
            (argument == variable).then_some(1)
        } else if self.load_fast_pairs.contains(&opcode) {
            if lower == variable { Some(1) } else { (upper == variable).then_some(2) }
        } else if opcode == self.load_name {
            (NAME | argument == variable).then_some(1)
        } else {
            (opcode == self.store_fast_load_fast && lower == variable).then_some(1)
        }
    }

    pub(super) fn info(&self, opcode: u8) -> &Info {
        &self.info[usize::from(opcode)]
    }
}
