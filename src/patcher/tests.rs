//! The patcher on hand-made code: an interpreter with few instructions and simple numbers.

use super::instructions::Instructions;
use super::*;
use known_calls::Container;

mod checks;
mod waits;

/// Name, number, caches, is a jump.
const ROWS: &[(&str, u8, u8, bool)] = &[
    ("BINARY_OP", 1, 2, false),
    ("CALL", 2, 3, false),
    ("CALL_KW", 3, 3, false),
    ("CHECK_EXC_MATCH", 200, 0, false),
    ("CONTAINS_OP", 4, 1, false),
    ("COPY", 5, 0, false),
    ("DELETE_SUBSCR", 6, 0, false),
    ("EXTENDED_ARG", 7, 0, false),
    ("IMPORT_NAME", 8, 0, false),
    ("JUMP_BACKWARD", 9, 1, true),
    ("JUMP_FORWARD", 10, 0, true),
    ("LOAD_ATTR", 11, 3, false),
    ("LOAD_CONST", 12, 0, false),
    ("LOAD_DEREF", 13, 0, false),
    ("LOAD_FAST", 14, 0, false),
    ("LOAD_GLOBAL", 15, 4, false),
    ("LOAD_NAME", 16, 0, false),
    ("LOAD_SMALL_INT", 17, 0, false),
    ("LOAD_SUPER_ATTR", 32, 1, false),
    ("POP_JUMP_IF_FALSE", 18, 1, true),
    ("POP_TOP", 19, 0, false),
    ("PUSH_EXC_INFO", 33, 0, false),
    ("PUSH_NULL", 20, 0, false),
    ("RESUME", 21, 0, false),
    ("RETURN_VALUE", 22, 0, false),
    ("STORE_ATTR", 23, 1, false),
    ("STORE_GLOBAL", 24, 0, false),
    ("STORE_NAME", 25, 0, false),
    ("SWAP", 26, 0, false),
    ("TO_BOOL", 27, 3, false),
    ("WITH_EXCEPT_START", 34, 0, false),
    ("YIELD_VALUE", 28, 0, false),
    ("STORE_FAST", 29, 0, false),
    ("STORE_SUBSCR", 30, 1, false),
    ("IMPORT_FROM", 31, 0, false),
    ("BUILD_MAP", 35, 0, false),
    ("BUILD_TUPLE", 36, 0, false),
    ("COMPARE_OP", 37, 1, false),
    ("MAKE_FUNCTION", 38, 0, false),
    ("POP_JUMP_IF_TRUE", 39, 1, true),
    ("SET_FUNCTION_ATTRIBUTE", 40, 0, false),
    ("BUILD_LIST", 41, 0, false),
    ("END_FOR", 42, 0, false),
    ("FOR_ITER", 43, 1, true),
    ("GET_ITER", 44, 0, false),
    ("LIST_APPEND", 45, 0, false),
    ("POP_ITER", 46, 0, false),
];

const OPERATORS: &[&str] = &[
    "NB_ADD",
    "NB_INPLACE_ADD",
    "NB_INPLACE_AND",
    "NB_INPLACE_MULTIPLY",
    "NB_INPLACE_OR",
    "NB_INPLACE_SUBTRACT",
    "NB_INPLACE_XOR",
    "NB_SUBSCR",
];
/// In place.
const ADD: u32 = 1;
const ADD_TO: u32 = 0;
const SUBSCRIPT: u32 = 7;

fn rows() -> impl Iterator<Item = OpcodeRow<'static>> {
    ROWS.iter().map(|&(name, number, caches, is_jump)| OpcodeRow { name, number, caches, is_jump })
}

pub(super) fn opcodes() -> Opcodes {
    Opcodes::new(rows(), OPERATORS, |_, _| None, true).expect("all are there")
}

/// Instructions without prefixes for arguments that need them, and without caches.
fn assemble(source: &[(&str, u32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, argument) in source {
        let (_, number, caches, _) = ROWS.iter().find(|row| row.0 == *name).expect("a known instruction");
        if *argument > 0xff {
            bytes.extend([7, (argument >> 8) as u8]);
        }
        bytes.extend([*number, *argument as u8]);
        bytes.extend(vec![0; 2 * usize::from(*caches)]);
    }
    bytes
}

fn disassemble(bytes: &[u8]) -> Vec<(&'static str, u32)> {
    let name = |number: u8| ROWS.iter().find(|row| row.1 == number).expect("a known instruction").0;
    let instructions = Instructions::read(&opcodes(), bytes).expect("sound");
    instructions.all.iter().map(|instruction| (name(instruction.opcode), instruction.argument)).collect()
}

const NAMES: &[&str] = &["a", "append", "len", "heapq", "heappush", "get"];

fn code(bytes: &[u8]) -> Code<'_> {
    Code {
        bytes,
        exceptions: &[],
        lines: &[],
        tuples: &[0, 1],
        strings: &[],
        names: NAMES,
        locals: &[],
        is_self_a_cell: false,
        arguments: 1,
        name: "f",
        is_coroutine: false,
        stack_size: 3,
    }
}

/// The code without the first RESUME and its tables, with probes.
fn patched(source: &[(&str, u32)]) -> (Vec<(&'static str, u32)>, Vec<Point<'static>>) {
    let bytes = assemble(&[&[("RESUME", 0)], source].concat());
    let lines = vec![0xf8; bytes.len() / 2];
    let result = patch(&opcodes(), &Code { lines: &lines, ..code(&bytes) }, &Rebound::default());
    let Some(Patched { code, points, .. }) = result else { return (source.iter().copied().map(known).collect(), Vec::new()) };
    let points = points
        .into_iter()
        .map(|point| Point { name: point.name.map(|name| known((name, 0)).0), container: None, ..point })
        .collect();
    (disassemble(&code.bytes)[1..].to_vec(), points)
}

/// With a name that lives as long as the test.
fn known((name, argument): (&str, u32)) -> (&'static str, u32) {
    let all = ROWS.iter().map(|row| row.0).chain(NAMES.iter().copied());
    (all.into_iter().find(|known| *known == name).expect("a known name"), argument)
}

#[test]
fn a_probe_is_before_its_instruction() {
    let (code, points) = patched(&[("LOAD_FAST", 0), ("LOAD_FAST", 1), ("STORE_ATTR", 0)]);
    let probe = [("LOAD_CONST", 2), ("COPY", 1), ("DELETE_SUBSCR", 0)];
    assert_eq!(code, [&[("LOAD_FAST", 0), ("LOAD_FAST", 1)][..], &probe, &[("STORE_ATTR", 0)]].concat());
    let [point] = points[..] else { panic!("{points:?}") };
    assert_eq!((point.action, point.unit, point.name), (Action::WriteAttribute, 3, Some("a")));
    assert_eq!((point.handed, point.object, point.key, point.value), (Operand::Site, 1, 0, 2));
}

#[test]
fn an_attribute_that_is_read_again_soon_has_one_probe() {
    let twice = |between: &[(&'static str, u32)], last: &[(&'static str, u32)]| {
        let read = [("LOAD_FAST", 0), ("LOAD_ATTR", 0)];
        patched(&[&read[..], between, &read, last].concat()).1.len()
    };
    assert_eq!(twice(&[("POP_TOP", 0)], &[]), 1);
    assert_eq!(twice(&[("LOAD_SMALL_INT", 0), ("CALL", 0)], &[]), 2, "others may have had their turn");
    assert_eq!(twice(&[("POP_TOP", 0), ("LOAD_SMALL_INT", 0), ("STORE_FAST", 0)], &[]), 2, "another object");
    assert_eq!(twice(&[("POP_JUMP_IF_FALSE", 1), ("POP_TOP", 0)], &[]), 2, "jumped to");
    assert_eq!(twice(&[("POP_TOP", 0)], &[("POP_JUMP_IF_FALSE", 0)]), 2, "decides a jump");
    assert_eq!(twice(&[], &[("LOAD_FAST", 0), ("STORE_ATTR", 0)]), 3, "an update goes back to it");
}

#[test]
fn jumps_lead_to_the_probes_of_where_they_led() {
    let source = [("LOAD_FAST", 0), ("LOAD_ATTR", 0), ("POP_JUMP_IF_FALSE", 1), ("POP_TOP", 0), ("JUMP_BACKWARD", 9)];
    // From its end, the last jump reaches the attribute; and the first one what follows the POP_TOP.
    let (code, points) = patched(&source);
    assert_eq!(points.len(), 1);
    let probe = [("LOAD_CONST", 2), ("COPY", 1), ("DELETE_SUBSCR", 0)];
    let rest = [("LOAD_ATTR", 0), ("POP_JUMP_IF_FALSE", 1), ("POP_TOP", 0), ("JUMP_BACKWARD", 12)];
    assert_eq!(code, [&[("LOAD_FAST", 0)][..], &probe, &rest].concat());
}

#[test]
fn a_jump_that_gets_too_long_gets_a_prefix_and_so_may_others() {
    for length in 40..52 {
        // A jump over `length` attributes, which are seven units each when they have probes, and one over it.
        let mut source = vec![("LOAD_FAST", 0), ("POP_JUMP_IF_FALSE", 4 * length + 3), ("LOAD_FAST", 0)];
        source.push(("POP_JUMP_IF_FALSE", 4 * length));
        source.extend(vec![("LOAD_ATTR", 0); length as usize]);
        source.push(("RETURN_VALUE", 0));
        let (code, points) = patched(&source);
        assert_eq!(points.len(), length as usize);
        let distances: Vec<u32> = code.iter().filter(|(name, _)| *name == "POP_JUMP_IF_FALSE").map(|(_, to)| *to).collect();
        let inner = 7 * length;
        let prefix = u32::from(inner > 0xff);
        assert_eq!(distances, [inner + 3 + prefix, inner]);
    }
}

#[test]
fn the_map_leads_there_and_back() {
    let bytes =
        assemble(&[("RESUME", 0), ("LOAD_FAST", 0), ("LOAD_ATTR", 0), ("LOAD_ATTR", 0), ("IMPORT_NAME", 0), ("POP_TOP", 0)]);
    let result = patch(&opcodes(), &Code { lines: &[0xff, 0xfb], ..code(&bytes) }, &Rebound::default()).expect("patched");
    let map = &result.code.map;
    assert_eq!((result.points.len(), result.stack_size), (3, 5));
    for unit in 0..bytes.len() as u32 / 2 {
        let there = map.to_patched(unit);
        assert_eq!(map.to_original(there), unit);
        assert_eq!(result.code.bytes[2 * there as usize], bytes[2 * unit as usize]);
    }
    let back: Vec<u32> = (0..result.code.bytes.len() as u32 / 2).map(|unit| map.to_original(unit)).collect();
    assert_eq!(back, [0, 1, 2, 2, 2, 2, 3, 4, 5, 6, 6, 6, 6, 7, 8, 9, 10, 10, 10, 10, 11]);
}

/// Bytes with these switches set off, or on again.
fn switched(bytes: &[u8], switches: &[Switch], is_on: bool) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for switch in switches {
        let at = 2 * switch.unit as usize;
        bytes[at..at + 2].copy_from_slice(if is_on { &switch.on } else { &switch.off });
    }
    bytes
}

/// Of each point of patched code how far before it the one is that stands for it.
fn behind(source: &[(&str, u32)]) -> Vec<u32> {
    let bytes = assemble(source);
    let view = Code { lines: &[0xfd], names: &["a", "b", "c", "d", "e", "f"], locals: &["self", "other"], ..code(&bytes) };
    let patched = patch(&opcodes(), &view, &Rebound::default()).expect("patched");
    patched.points.iter().map(|point| point.behind).collect()
}

#[test]
fn of_one_object_the_first_probe_stands_for_those_that_follow_soon() {
    let read = |local: u32, name: u32| [("LOAD_FAST", local), ("LOAD_ATTR", 2 * name)];
    let code = |parts: &[&[(&'static str, u32)]]| [&[("RESUME", 0)], &parts.concat()[..], &[("RETURN_VALUE", 0)]].concat();
    assert_eq!(behind(&code(&[&read(0, 0), &read(0, 1), &read(0, 2)])), [0, 1, 2]);
    assert_eq!(behind(&code(&[&read(0, 0), &read(1, 0), &read(0, 1), &read(1, 1)])), [0, 0, 2, 2], "of two objects");
    let all: Vec<_> = (0..6).flat_map(|name| read(0, name)).collect();
    assert_eq!(behind(&code(&[&all])), [0, 1, 2, 3, 4, 0], "for four at most");
    let attribute_of = [("LOAD_FAST", 0), ("LOAD_ATTR", 0), ("LOAD_ATTR", 2)];
    assert_eq!(behind(&code(&[&attribute_of, &read(0, 2)])), [0, 0, 2], "what is read is another object");
    let update =
        [("LOAD_FAST", 0), ("COPY", 1), ("LOAD_ATTR", 0), ("LOAD_CONST", 0), ("BINARY_OP", ADD), ("SWAP", 2), ("STORE_ATTR", 0)];
    assert_eq!(behind(&code(&[&update])), [0, 0, 2], "what was copied is the same");
    assert_eq!(behind(&code(&[&read(0, 0), &[("LOAD_CONST", 0)], &[("LOAD_FAST", 0)], &[("STORE_ATTR", 1)]])), [0, 1]);
}

#[test]
fn nothing_stands_for_what_follows_later() {
    let read = |local: u32, name: u32| [("LOAD_FAST", local), ("LOAD_ATTR", 2 * name)];
    for (between, why) in [
        (&[("LOAD_CONST", 0), ("PUSH_NULL", 0), ("CALL", 0)][..], "a call may hand it to another thread"),
        (&[("LOAD_CONST", 0), ("STORE_FAST", 0)], "another object"),
        (&[("YIELD_VALUE", 0)], "waits"),
    ] {
        let code = [&[("RESUME", 0)], &read(0, 0)[..], between, &read(0, 1), &[("RETURN_VALUE", 0)]].concat();
        assert_eq!(behind(&code), [0, 0], "{why}");
    }
    let other_bound = [&[("RESUME", 0)], &read(0, 0)[..], &[("LOAD_CONST", 0), ("STORE_FAST", 1)], &read(0, 1)].concat();
    assert_eq!(behind(&other_bound), [0, 1], "another variable");
    // The read before is jumped over.
    let jumped =
        [&[("RESUME", 0), ("LOAD_CONST", 0), ("POP_JUMP_IF_FALSE", 6)], &read(0, 0)[..], &[("POP_TOP", 0)], &read(0, 1)].concat();
    assert_eq!(behind(&jumped), [0, 0]);
    // An object that was loaded before the variable was bound anew is not the variable's any more.
    let old = [
        ("RESUME", 0),
        ("LOAD_FAST", 0),
        ("LOAD_CONST", 0),
        ("STORE_FAST", 0),
        ("LOAD_ATTR", 0),
        ("LOAD_FAST", 0),
        ("LOAD_ATTR", 2),
    ];
    assert_eq!(behind(&old), [0, 0]);
}

#[test]
fn what_is_switched_off_is_jumped_over() {
    let bytes = assemble(&[("RESUME", 0), ("LOAD_FAST", 0), ("LOAD_ATTR", 0)]);
    for constants in [2, 254, 255, 256, 300] {
        let (tuples, lines) = (vec![0; constants], [0xfd]);
        let view = Code { tuples: &tuples, lines: &lines[..], ..code(&bytes) };
        let on = patch(&opcodes(), &view, &Rebound::default()).expect("patched").code.bytes;
        let switches = switches(&opcodes(), &on, |constant| constant as usize >= constants);
        let off = switched(&on, &switches, false);
        let probe_of = |bytes: &[u8]| disassemble(bytes)[2];
        let jump = if constants > 255 { 3 } else { 2 };
        assert_eq!((switches.len(), probe_of(&on), probe_of(&off)), (1, ("LOAD_CONST", constants as u32), ("JUMP_FORWARD", jump)));
        // It leads to what was watched.
        assert_eq!(on[2 * (switches[0].unit + 1 + jump) as usize..][..2], [11, 0]);
        assert_eq!(switched(&off, &switches, true), on);
    }
    let similar = assemble(&[("RESUME", 0), ("LOAD_CONST", 0), ("COPY", 1), ("DELETE_SUBSCR", 0)]);
    assert_eq!(switches(&opcodes(), &similar, |constant| constant > 0), [], "the program's own");
}

#[test]
fn tables_are_moved() {
    let bytes = assemble(&[("RESUME", 0), ("LOAD_FAST", 0), ("LOAD_ATTR", 0), ("POP_TOP", 0)]);
    // Units 2 to 6 are covered, 6 is the handler; depth 1.  The attribute has a long location of its own, with a step of two lines.
    let exceptions = [0x80 | 2, 4, 6, 2];
    let lines = [0x80 | 10 << 3 | 1, 1, 2, 0x80 | 14 << 3 | 3, 4, 0, 3, 9, 0x80 | 15 << 3];
    let view = Code { exceptions: &exceptions, lines: &lines, ..code(&bytes) };
    let moved = patch(&opcodes(), &view, &Rebound::default()).expect("patched").code;
    assert_eq!(moved.exceptions, [0x80 | 2, 7, 9, 2]);
    assert_eq!(moved.lines, [0x80 | 10 << 3 | 1, 1, 2, 0x80 | 14 << 3 | 6, 4, 0, 3, 9, 0x80 | 15 << 3]);
}

#[test]
fn a_location_of_more_than_eight_units_is_repeated_without_its_step() {
    let bytes = assemble(&[("RESUME", 0), ("LOAD_ATTR", 0), ("LOAD_ATTR", 0)]);
    for (head, payload, again, same) in
        [(14, &[4, 0, 3, 9][..], 14, &[0, 0, 3, 9][..]), (13, &[7], 13, &[0]), (12, &[1, 2], 10, &[1, 2]), (3, &[0x35], 3, &[0x35])]
    {
        let lines = [&[0xf8, 0x80 | head << 3 | 7], payload].concat();
        let moved = patch(&opcodes(), &Code { lines: &lines, ..code(&bytes) }, &Rebound::default()).expect("patched").code;
        assert_eq!(moved.lines, [&[0xf8, 0x80 | head << 3 | 7], payload, &[0x80 | again << 3 | 5], same].concat());
    }
}

#[test]
fn what_does_not_fit_together_is_left_alone() {
    let opcodes = opcodes();
    let rebound = Rebound::default();
    let sound = assemble(&[("RESUME", 0), ("LOAD_ATTR", 0)]);
    let lines = [0xfc];
    assert!(patch(&opcodes, &Code { lines: &lines, ..code(&sound) }, &rebound).is_some());
    for length in 0..sound.len() {
        assert!(patch(&opcodes, &Code { lines: &lines, ..code(&sound[..length]) }, &rebound).is_none(), "{length}");
    }
    for (exceptions, lines) in [(&[0x80, 4][..], &lines[..]), (&[0x80, 9, 0, 0], &lines), (&[], &[0xfd]), (&[0x80, 2, 64], &lines)]
    {
        assert!(patch(&opcodes, &Code { exceptions, lines, ..code(&sound) }, &rebound).is_none());
    }
    for astray in [("JUMP_FORWARD", 1), ("JUMP_FORWARD", 200), ("JUMP_BACKWARD", 200), ("JUMP_BACKWARD", 1)] {
        let bytes = assemble(&[("RESUME", 0), astray, ("LOAD_ATTR", 0)]);
        assert!(patch(&opcodes, &Code { lines: &[0xfe], ..code(&bytes) }, &rebound).is_none(), "{astray:?}");
    }
    assert!(Opcodes::new(rows().skip(1), OPERATORS, |_, _| None, true).is_err());
    assert!(Opcodes::new(rows(), &OPERATORS[1..], |_, _| None, true).is_err());
}

/// Action, name, object, callable, key of each point.
fn about(source: &[(&str, u32)]) -> Vec<(Action, Option<&'static str>, u16, u16, u16)> {
    patched(source).1.iter().map(|point| (point.action, point.name, point.object, point.callable, point.key)).collect()
}

#[test]
fn methods_are_found_through_their_arguments() {
    // a.append(b if c else d), where both ends of the condition meet.
    let lookup = [("LOAD_FAST", 0), ("LOAD_ATTR", 1 << 1 | 1)];
    let condition = [("LOAD_FAST", 1), ("POP_JUMP_IF_FALSE", 2), ("LOAD_FAST", 2), ("JUMP_FORWARD", 1), ("LOAD_FAST", 3)];
    let source = [&lookup[..], &condition, &[("CALL", 1)]].concat();
    assert_eq!(about(&source), [(Action::Method, Some("append"), 2, 3, 1)]);
    // Of what is imported, the bound method is looked up.
    let bound = [("LOAD_GLOBAL", 0), ("LOAD_ATTR", 5 << 1), ("PUSH_NULL", 0), ("LOAD_FAST", 0), ("LOAD_FAST", 0), ("CALL", 2)];
    assert_eq!(about(&bound), [(Action::Method, Some("get"), 3, 4, 2)]);
    // Whether it is called is not known: it has no stack effect here.
    assert_eq!(
        about(&[&lookup[..], &[("IMPORT_NAME", 0), ("YIELD_VALUE", 0)]].concat())[0],
        (Action::Method, Some("append"), 1, 0, 0)
    );
}

#[test]
fn functions_are_handed_their_containers() {
    let len = [("LOAD_GLOBAL", 2 << 1 | 1), ("LOAD_FAST", 0), ("CALL", 1)];
    assert_eq!(about(&len), [(Action::Function, Some("len"), 1, 3, 0)]);
    let push = [("LOAD_GLOBAL", 3 << 1), ("LOAD_ATTR", 4 << 1 | 1), ("LOAD_FAST", 0), ("LOAD_FAST", 1), ("CALL", 2)];
    assert_eq!(about(&push), [(Action::Function, Some("heappush"), 2, 4, 0)]);
    // The second constant is the tuple of the one keyword.
    let keyword = [("LOAD_NAME", 2), ("PUSH_NULL", 0), ("LOAD_FAST", 0), ("LOAD_CONST", 1), ("CALL_KW", 1)];
    assert_eq!(about(&keyword), []);
}

#[test]
fn numbers_are_no_containers() {
    assert_eq!(about(&[("LOAD_FAST", 0), ("LOAD_SMALL_INT", 1), ("BINARY_OP", ADD)]), []);
    assert_eq!(about(&[("LOAD_FAST", 0), ("LOAD_FAST", 1), ("BINARY_OP", ADD)]), [(Action::Update, None, 2, 0, 0)]);
    assert_eq!(about(&[("LOAD_FAST", 0), ("LOAD_FAST", 1), ("BINARY_OP", SUBSCRIPT)]), [(Action::ReadItem, None, 2, 0, 1)]);
}

#[test]
fn only_what_is_bound_again_is_a_variable() {
    let (opcodes, mut rebound) = (opcodes(), Rebound::default());
    let bytes = assemble(&[("RESUME", 0), ("LOAD_GLOBAL", 0), ("STORE_GLOBAL", 0)]);
    let lines = [0xfe];
    assert!(patch(&opcodes, &Code { lines: &lines, ..code(&bytes) }, &rebound).is_none());
    rebound.collect(&opcodes, &bytes, NAMES, &[], 0);
    let found = patch(&opcodes, &Code { lines: &lines, ..code(&bytes) }, &rebound).expect("patched").points;
    let actions: Vec<_> = found.iter().map(|point| (point.action, point.name, point.handed)).collect();
    let both = [Action::ReadGlobal, Action::WriteGlobal].map(|action| (action, Some("a"), Operand::Site));
    assert_eq!(actions, both);
}

/// What of `source` is about imports, as (instruction, handed), where a module's imports are lazy or not unless it says otherwise.
fn imports(source: &[(&str, u32)], all_are_lazy: bool) -> Vec<(u32, Operand)> {
    let (opcodes, mut rebound) = (opcodes(), Rebound::new(all_are_lazy));
    let bytes = assemble(&[&[("RESUME", 0)], source].concat());
    rebound.collect(&opcodes, &bytes, NAMES, &[], 0);
    let lines = vec![0xf8; bytes.len() / 2];
    let patched = patch(&opcodes, &Code { lines: &lines, ..code(&bytes) }, &rebound).expect("patched");
    patched.points.iter().filter(|point| point.action == Action::Import).map(|point| (point.unit, point.handed)).collect()
}

#[test]
fn what_is_imported_lazily_is_imported_where_it_is_read() {
    let reads = [("LOAD_GLOBAL", 0), ("LOAD_GLOBAL", 3 << 1 | 1), ("LOAD_NAME", 5)];
    let import = |how| [&[("IMPORT_NAME", how), ("STORE_NAME", 0)], &reads[..]].concat();
    let from = [("IMPORT_NAME", 1), ("IMPORT_FROM", 3), ("STORE_NAME", 3), ("IMPORT_FROM", 4), ("STORE_NAME", 5), ("POP_TOP", 0)];
    let itself = (1, Operand::Site);
    assert_eq!(imports(&import(1), false), [itself, (3, Operand::Stack(1))]);
    assert_eq!(imports(&import(0), false), [itself]);
    assert_eq!(imports(&import(0), true), [itself, (3, Operand::Stack(1))]);
    assert_eq!(imports(&import(2), true), [itself]);
    assert_eq!(imports(&[&from, &reads[..]].concat(), false), [itself, (12, Operand::Stack(2)), (17, Operand::Stack(1))]);
    // A later store is no import.
    let later = [("IMPORT_NAME", 1), ("POP_TOP", 0), ("LOAD_CONST", 0), ("STORE_NAME", 0), ("LOAD_GLOBAL", 0)];
    assert_eq!(imports(&later, false), [itself]);
}

#[test]
fn an_effect_that_the_interpreter_denies_is_not_believed() {
    let jump = |number| if number == 10 { Some(7) } else { None };
    let strange = Opcodes::new(rows(), OPERATORS, |number, _| jump(number), true).expect("all are there");
    assert!(strange.info(10).effect.is_none());
    assert!(opcodes().info(10).effect.is_some());
}

#[test]
fn entries_are_after_the_first_resume() {
    let bytes = assemble(&[("YIELD_VALUE", 0), ("POP_TOP", 0), ("RESUME", 0), ("LOAD_FAST", 0), ("RESUME", 1)]);
    let moved = after_entry(&opcodes(), [&bytes, &[0x80 | 3, 1, 3, 0], &[0xfc]], 300, Operand::Cell(0)).expect("moved");
    let probe = [("LOAD_CONST", 300), ("LOAD_DEREF", 0), ("DELETE_SUBSCR", 0)];
    assert_eq!(disassemble(&moved.bytes)[3..6], probe);
    // It is not in the range that began after it.
    assert_eq!(moved.exceptions[..3], [0x80 | 7, 1, 7]);
    assert!(after_entry(&opcodes(), [&bytes[..4], &[], &[0xf9]], 0, Operand::Local(0)).is_none());
}

#[test]
fn sites_are_handed_results_and_replace_arguments() {
    let source =
        [("RESUME", 0), ("LOAD_FAST", 1), ("POP_JUMP_IF_FALSE", 2), ("LOAD_FAST", 0), ("RETURN_VALUE", 0), ("RETURN_VALUE", 0)];
    let bytes = assemble(&source);
    let parts = [&bytes[..], &[], &[0xfe]];
    let moved = before_returns(&opcodes(), parts, 2, Operand::Local(0)).expect("moved");
    let site = [("COPY", 1), ("LOAD_CONST", 2), ("LOAD_FAST", 0), ("STORE_SUBSCR", 0)];
    let [first, second] = [&source[3..5], &source[5..]];
    let result = [&source[..2], &[("POP_JUMP_IF_FALSE", 7)], &first[..1], &site, &first[1..], &site, second].concat();
    assert_eq!(disassemble(&moved.bytes), result);
    let moved = replacing(&opcodes(), parts, 2, 1).expect("moved");
    let site = [("LOAD_CONST", 2), ("LOAD_FAST", 1), ("BINARY_OP", SUBSCRIPT), ("STORE_FAST", 1)];
    assert_eq!(disassemble(&moved.bytes), [&source[..1], &site, &source[1..]].concat());
}

/// What the last probe's code calls the holder of what is accessed.
fn held_by(source: &[(&str, u32)], is_attribute: bool, depth: u16) -> Option<String> {
    let bytes = assemble(&[&[("RESUME", 0)], source].concat());
    let instructions = Instructions::read(&opcodes(), &bytes).expect("sound");
    let probe = instructions.all.iter().rfind(|instruction| instruction.opcode == opcodes().delete_subscr).expect("a probe");
    let code = Code { locals: &["self", "jobs"], ..code(&bytes) };
    holder(&opcodes(), &code, probe.unit, is_attribute, |constant| (constant == 9).then_some(depth))
}

#[test]
fn the_holder_of_a_container_has_its_attribute() {
    let probe = [("LOAD_CONST", 9), ("COPY", 1), ("DELETE_SUBSCR", 0)];
    let [own, jobs] = [("LOAD_FAST", 0), ("LOAD_FAST", 1)];
    let attribute = ("LOAD_ATTR", 0);
    let item = [("LOAD_CONST", 0), ("BINARY_OP", SUBSCRIPT)];
    let of = |source: &[&[(&'static str, u32)]], is_attribute, depth| {
        held_by(&[source, &[&probe[..]]].concat().concat(), is_attribute, depth)
    };
    let said = |name: &str| Some(name.to_owned());
    assert_eq!(of(&[&[own]], true, 1), said("self"), "self.a");
    assert_eq!(of(&[&[own, attribute]], true, 1), said("self.a"), "self.a.a");
    assert_eq!(of(&[&[own, attribute, ("LOAD_CONST", 0)]], false, 2), said("self"), "self.a[0]");
    assert_eq!(of(&[&[own, attribute], &item, &[("LOAD_CONST", 0)]], false, 2), said("self"), "self.a[0][0]");
    assert_eq!(of(&[&[own, attribute], &item], true, 1), said("self.a[]"), "self.a[0].a");
    assert_eq!(of(&[&[own, attribute, ("STORE_FAST", 1), jobs]], false, 1), said("self"), "jobs = self.a; len(jobs)");
    assert_eq!(of(&[&[jobs]], false, 1), said("jobs"));
    assert_eq!(of(&[&[("LOAD_GLOBAL", 0)]], false, 1), said(GLOBALS));
    assert_eq!(of(&[&[("LOAD_DEREF", 1)]], false, 1), said(CLOSURE));
    // `self.a.append(0)`, and an element that `self.a.get(0)` has given.
    assert_eq!(of(&[&[own, attribute, ("LOAD_ATTR", 1 << 1 | 1), ("LOAD_CONST", 0)]], false, 2), said("self"));
    let get = [own, attribute, ("LOAD_ATTR", 5 << 1 | 1), ("LOAD_CONST", 0), ("CALL", 1)];
    assert_eq!(of(&[&get], true, 1), said("self.a[]"));
    // A variable that is bound twice, or to what it was, is only itself.
    let again = [own, attribute, ("STORE_FAST", 1), own, ("STORE_FAST", 1), jobs];
    assert_eq!(of(&[&again], false, 1), said("jobs"));
    assert_eq!(of(&[&[jobs, attribute, ("STORE_FAST", 1), jobs]], true, 1), said("jobs.a"));
    assert_eq!(held_by(&[own, ("LOAD_CONST", 8), ("COPY", 1), ("DELETE_SUBSCR", 0)], true, 1), None, "no probe");
}

#[test]
fn every_container_has_methods() {
    for (container, _, name) in Container::NAMES.iter().filter(|(container, ..)| !container.is_generator()) {
        assert!(known_calls::method("clear", *container).is_some(), "{name}");
    }
}

#[test]
fn a_handler_that_goes_back_to_a_loop_is_not_its_end() {
    let check = [("LOAD_FAST", 0), ("LOAD_ATTR", 0), ("TO_BOOL", 0), ("POP_JUMP_IF_FALSE", 2)];
    let rest = [("JUMP_BACKWARD", 13), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)];
    let handler = [("PUSH_EXC_INFO", 0), ("WITH_EXCEPT_START", 0), ("POP_TOP", 0), ("JUMP_BACKWARD", 20)];
    for source in [[&check[..], &rest].concat(), [&check[..], &rest, &handler].concat()] {
        let (_, points) = patched(&source);
        let read = points.iter().find(|point| point.action == Action::ReadAttribute).expect("it is read");
        assert!(read.is_tested && read.is_polled, "{source:?}");
    }
}

#[test]
fn a_thread_waits_for_its_turn_if_the_other_branch_goes_straight_back() {
    let check = [("LOAD_FAST", 0), ("LOAD_ATTR", 0), ("TO_BOOL", 0)];
    let act = [("LOAD_CONST", 0), ("LOAD_FAST", 0), ("STORE_ATTR", 0)];
    let back = |distance| [("JUMP_BACKWARD", distance)];
    let acts_if = |rest: &[&[(&str, u32)]]| {
        let (_, points) = patched(&[&check[..], &rest.concat()].concat());
        points.iter().find(|point| point.action == Action::ReadAttribute).expect("it is read").acts_if
    };
    let [if_set, if_not] = [6, 2].map(|distance| [("POP_JUMP_IF_FALSE", distance)]);
    let end = [("LOAD_CONST", 0), ("RETURN_VALUE", 0)];
    assert_eq!(acts_if(&[&if_set, &act, &back(17), &back(19)]), Some(true));
    assert_eq!(acts_if(&[&if_not, &back(13), &act, &back(19)]), Some(false));
    assert_eq!(acts_if(&[&if_set, &act, &back(17), &end]), None, "it goes on with something else");
    assert_eq!(acts_if(&[&if_set, &act, &back(17), &act, &back(23)]), None, "it acts in any case");
    assert_eq!(acts_if(&[&if_set, &act, &back(17), &back(19), &act, &end]), None, "it acts where it is not known to come from");
}
