//! Property tests of [`relocate`](super::relocate): random code with random tables and random probes.

use super::instructions::Instructions;
use super::opcodes::Opcodes;
use super::point::Operand;
use super::relocate::{Insertion, Insertions, relocate};
use super::tables::exception_entries;
use super::tests::opcodes;
use proptest::prelude::*;

/// An instruction before it is assembled.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// One of these, with this argument.
    Plain(usize, u32),
    /// To the instruction at this place, counted modulo their number; conditional if it leads forward and this says so.
    Jump(usize, bool),
}

const PLAIN: [u8; 5] = [COPY, LOAD_CONST, LOAD_ATTR, TO_BOOL, BINARY_OP];
/// Numbers of the hand-made interpreter of [`super::tests`].
const BINARY_OP: u8 = 1;
const COPY: u8 = 5;
const EXTENDED_ARG: u8 = 7;
const JUMP_BACKWARD: u8 = 9;
const JUMP_FORWARD: u8 = 10;
const LOAD_ATTR: u8 = 11;
const LOAD_CONST: u8 = 12;
const TEST: u8 = 18;
const RESUME: u8 = 21;
const TO_BOOL: u8 = 27;

/// Code and tables; of each instruction where it begins.
#[derive(Debug)]
struct Assembled {
    bytes: Vec<u8>,
    exceptions: Vec<u8>,
    lines: Vec<u8>,
    starts: Vec<u32>,
}

fn prefixes(argument: u32) -> u32 {
    (argument.max(1).ilog2() / 8).min(3)
}

fn assemble(opcodes: &Opcodes, plan: &[Plan], tries: &[[usize; 3]]) -> Assembled {
    let count = plan.len();
    let caches = |opcode: u8| u32::from(opcodes.info(opcode).caches);
    let jump = |index: usize, to: usize, is_test: bool| {
        let to = to % count;
        (
            if to <= index {
                JUMP_BACKWARD
            } else if is_test {
                TEST
            } else {
                JUMP_FORWARD
            },
            to,
        )
    };
    let mut sizes = vec![0; count];
    loop {
        let ends: Vec<u32> = sizes
            .iter()
            .zip(plan)
            .enumerate()
            .scan(1, |end, (index, (prefixes, plan))| {
                let opcode = match *plan {
                    Plan::Plain(which, _) => PLAIN[which],
                    Plan::Jump(to, is_test) => jump(index, to, is_test).0,
                };
                *end += prefixes + 1 + caches(opcode);
                Some(*end)
            })
            .collect();
        let start = |index: usize| if index == 0 { 1 } else { ends[index - 1] };
        let (mut bytes, mut has_grown) = (vec![RESUME, 0], false);
        for (index, plan) in plan.iter().enumerate() {
            let (opcode, argument) = match *plan {
                Plan::Plain(which, argument) => (PLAIN[which], argument),
                Plan::Jump(to, is_test) => {
                    let (opcode, to) = jump(index, to, is_test);
                    (opcode, start(to).abs_diff(ends[index]))
                }
            };
            if prefixes(argument) > sizes[index] {
                (sizes[index], has_grown) = (prefixes(argument), true);
            }
            bytes.extend((1..=sizes[index]).rev().flat_map(|prefix| [EXTENDED_ARG, (argument >> (8 * prefix)) as u8]));
            bytes.extend([opcode, argument as u8]);
            bytes.extend(vec![0; 2 * caches(opcode) as usize]);
        }
        if !has_grown {
            let starts: Vec<u32> = std::iter::once(0).chain((0..count).map(start)).chain([ends[count - 1]]).collect();
            let lines = (0..=count).flat_map(|index| line(starts[index + 1] - starts[index])).collect();
            let exceptions = tries.iter().flat_map(|range| exception(range, &starts)).collect();
            return Assembled { bytes, exceptions, lines, starts };
        }
    }
}

/// Entries for an instruction of this size, one line after the one before.
fn line(units: u32) -> Vec<u8> {
    let mut table = Vec::new();
    let (mut left, mut step) = (units, 2);
    while left > 0 {
        let now = left.min(8);
        table.extend([0x80 | 13 << 3 | (now as u8 - 1), step]);
        (left, step) = (left - now, 0);
    }
    table
}

/// The line of each code unit, counted from 0.
fn lines_of(table: &[u8]) -> Vec<u32> {
    let (mut lines, mut line) = (Vec::new(), 0);
    for entry in table.chunks(2) {
        assert_eq!(entry[0] >> 3, 0x10 | 13, "the kind of entry that was made");
        line += u32::from(entry[1] / 2);
        lines.extend(vec![line; usize::from(entry[0] & 7) + 1]);
    }
    lines
}

fn exception([from, to, target]: &[usize; 3], starts: &[u32]) -> Vec<u8> {
    let at = |index: usize| starts[index % (starts.len() - 1)];
    let (from, to) = (at(*from).min(at(*to)), at(*from).max(at(*to)));
    let mut table = Vec::new();
    for (index, number) in [from, to - from, at(*target), 3].into_iter().enumerate() {
        let groups = (1..6).find(|groups| number >> (6 * groups) == 0).unwrap_or(6);
        for group in (0..groups).rev() {
            let mark = if index == 0 && group == groups - 1 { 128 } else { 0 };
            table.push((number >> (6 * group)) as u8 & 63 | if group > 0 { 64 } else { 0 } | mark);
        }
    }
    table
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    // Some arguments need prefixes, and some jumps need one only once probes have made them longer.
    let argument = prop_oneof![4 => 0..256_u32, 1 => 256..70_000_u32, 1 => 0x0100_0000..u32::MAX];
    let plan = prop_oneof![
        4 => (0..PLAIN.len(), argument).prop_map(|(which, argument)| Plan::Plain(which, argument)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(to, is_test)| Plan::Jump(to, is_test)),
    ];
    prop::collection::vec(plan, 1..160)
}

fn handed() -> impl Strategy<Value = Operand> {
    prop_oneof![
        Just(Operand::Site),
        (1..300_u16).prop_map(Operand::Stack),
        (0..300_u16).prop_map(Operand::Local),
        (0..300_u16).prop_map(Operand::Cell),
    ]
}

/// Of a code unit the instruction that it belongs to.
fn instruction_of(starts: &[u32], unit: u32) -> usize {
    starts.partition_point(|start| *start <= unit) - 1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn code_with_probes_is_the_code_and_the_probes(
        plan in plans(),
        tries in prop::collection::vec(any::<[usize; 3]>(), 0..6),
        probes in prop::collection::vec((any::<usize>(), any::<bool>(), 0..70_000_u32, handed()), 0..120),
    ) {
        let opcodes = opcodes();
        let Assembled { bytes, exceptions, lines, starts } = assemble(&opcodes, &plan, &tries);
        let original = Instructions::read(&opcodes, &bytes).expect("sound");
        let count = original.all.len();
        let mut probes: Vec<(usize, bool, u32, Operand)> =
            probes.into_iter().map(|(at, is_after, site, handed)| (at % count, is_after, site, handed)).collect();
        probes.sort_by_key(|(at, is_after, ..)| (*at, *is_after));
        let mut insertions = Insertions::default();
        for (at, is_after, site, handed) in &probes {
            insertions.probe(&opcodes, *at as u32, Insertion { site: *site, is_after: *is_after }, *handed);
        }
        let made = relocate(&opcodes, &original, &insertions, &exceptions, &lines).expect("tables and code belong together");
        let new = Instructions::read(&opcodes, &made.bytes).expect("sound, and each jump leads to an instruction");

        // The instructions that have to be there: for each one its probes before it, itself, its probes after it.  Each probe is
        // three instructions.
        let probes_of = |at: usize, is_after: bool| probes.iter().filter(|probe| probe.0 == at && probe.1 == is_after).count();
        let mut expected = Vec::new();
        let mut first = Vec::new();
        for at in 0..count {
            first.push(expected.len());
            expected.extend(vec![None; 3 * probes_of(at, false)]);
            expected.push(Some(at));
            expected.extend(vec![None; 3 * probes_of(at, true)]);
        }
        first.push(expected.len());
        prop_assert_eq!(new.all.len(), expected.len());
        let starts_new: Vec<u32> = new.all.iter().map(|instruction| instruction.start).chain([made.bytes.len() as u32 / 2]).collect();
        for (instruction, expected) in new.all.iter().zip(&expected) {
            prop_assert_eq!(made.map.is_inserted(instruction.unit), expected.is_none());
            let Some(at) = *expected else { continue };
            let before = &original.all[at];
            prop_assert_eq!(instruction.opcode, before.opcode);
            prop_assert_eq!(instruction.target, before.target.map(|target| first[target as usize] as u32), "to its probes");
            if before.target.is_none() {
                prop_assert_eq!(instruction.argument, before.argument);
            }
            prop_assert_eq!(made.map.to_original(instruction.unit), before.unit);
            prop_assert_eq!(made.map.to_patched(before.unit), instruction.unit);
        }
        // Lines: a probe has that of its instruction.
        let (lines_before, lines_after) = (lines_of(&lines), lines_of(&made.lines));
        prop_assert_eq!(lines_after.len(), made.bytes.len() / 2);
        for (unit, line) in (0..).zip(&lines_after) {
            let owner = made.map.to_original(unit);
            prop_assert_eq!(*line, lines_before[owner as usize]);
        }
        // Exceptions: the same ranges, the probes of their instructions included.
        let moved = |unit: u32| starts_new[first[instruction_of(&starts, unit)]];
        let ranges = exception_entries(&exceptions).expect("sound");
        let expected: Vec<[u32; 4]> = ranges
            .into_iter()
            .map(|[start, length, target, depth]| [moved(start), moved(start + length) - moved(start), moved(target), depth])
            .collect();
        prop_assert_eq!(exception_entries(&made.exceptions).expect("sound"), expected);
    }
}
