//! Code with something inserted: jumps, prefixes and tables put right.

use super::instructions::{Instruction, Instructions};
use super::opcodes::{Jump, Opcodes};
use super::point::{Action, Operand};
use super::tables;
use super::unit_map::{Step, UnitMap};

/// Code and its tables.
#[derive(Debug)]
pub struct Relocated {
    /// `co_code`
    pub bytes: Vec<u8>,
    /// `co_exceptiontable`
    pub exceptions: Vec<u8>,
    /// `co_linetable`
    pub lines: Vec<u8>,
    /// What went where.
    pub map: UnitMap,
}

/// A probe and where it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Insertion {
    /// Index of its constant.
    pub(super) site: u32,
    /// After the instruction, where no jump leads, rather than before it, where all jumps to it lead.
    pub(super) is_after: bool,
}

#[derive(Debug, Clone, Copy)]
struct Inserted {
    instruction: u32,
    is_after: bool,
    end: u32,
}

/// What is inserted, in the order of the instructions.
#[derive(Debug, Default)]
pub(super) struct Insertions {
    all: Vec<Inserted>,
    bytes: Vec<u8>,
}

impl Insertions {
    /// `del site[object]`
    pub(super) fn probe(&mut self, opcodes: &Opcodes, instruction: u32, insertion: Insertion, handed: Operand) {
        self.load(opcodes, insertion.site, handed);
        put(opcodes, &mut self.bytes, opcodes.delete_subscr, 0, 0);
        self.end(instruction, insertion.is_after);
    }

    /// `site[object] = result`, before a return.
    fn result(&mut self, opcodes: &Opcodes, instruction: u32, site: u32, handed: Operand) {
        put(opcodes, &mut self.bytes, opcodes.copy, 1, 0);
        self.load(opcodes, site, handed);
        put(opcodes, &mut self.bytes, opcodes.store_subscr, 0, 0);
        self.end(instruction, false);
    }

    /// `local = site[local]`, after the entry.
    fn replacement(&mut self, opcodes: &Opcodes, instruction: u32, site: u32, local: u16) {
        self.load(opcodes, site, Operand::Local(local));
        put(opcodes, &mut self.bytes, opcodes.binary_op, opcodes.subscript, 0);
        put(opcodes, &mut self.bytes, opcodes.store_fast, u32::from(local), 0);
        self.end(instruction, true);
    }

    /// Pushes the site and what it is handed.
    fn load(&mut self, opcodes: &Opcodes, site: u32, handed: Operand) {
        let out = &mut self.bytes;
        put(opcodes, out, opcodes.load_const, site, 0);
        match handed {
            // The site is on top of what was there.
            Operand::Site => put(opcodes, out, opcodes.copy, 1, 0),
            Operand::Stack(depth) => put(opcodes, out, opcodes.copy, u32::from(depth) + 1, 0),
            Operand::Local(index) => put(opcodes, out, opcodes.load_fast, u32::from(index), 0),
            Operand::Cell(index) => put(opcodes, out, opcodes.load_deref, u32::from(index), 0),
        }
    }

    fn end(&mut self, instruction: u32, is_after: bool) {
        self.all.push(Inserted { instruction, is_after, end: self.bytes.len() as u32 });
    }
}

/// Appends an instruction that takes at least `units` units without its caches.
fn put(opcodes: &Opcodes, out: &mut Vec<u8>, opcode: u8, argument: u32, units: u32) {
    for prefix in (1..prefixed(argument).max(units)).rev() {
        out.extend([opcodes.extended_arg, argument.checked_shr(8 * prefix).unwrap_or(0) as u8]);
    }
    out.extend([opcode, argument as u8]);
    out.extend(std::iter::repeat_n(0, 2 * usize::from(opcodes.info(opcode).caches)));
}

/// Units of an instruction with this argument, prefixes included.
fn prefixed(argument: u32) -> u32 {
    match argument {
        0..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x100_0000 => 3,
        0x100_0000.. => 4,
    }
}

/// Where an instruction is in the new code.
#[derive(Debug, Clone, Copy, Default)]
struct At {
    /// What is inserted before it, or itself.
    start: u32,
    end: u32,
}

/// Where everything is in the new code.
struct Layout {
    at: Vec<At>,
    arguments: Vec<u32>,
    /// Units without caches.
    sizes: Vec<u32>,
    end: u32,
}

impl Layout {
    fn new(opcodes: &Opcodes, instructions: &[Instruction], insertions: &Insertions) -> Option<Self> {
        let mut layout = Layout {
            at: vec![At::default(); instructions.len()],
            arguments: instructions.iter().map(|instruction| instruction.argument).collect(),
            sizes: instructions.iter().map(|instruction| instruction.unit - instruction.start + 1).collect(),
            end: 0,
        };
        loop {
            layout.place(opcodes, instructions, insertions);
            if !layout.reach(opcodes, instructions)? {
                return Some(layout);
            }
        }
    }

    fn place(&mut self, opcodes: &Opcodes, instructions: &[Instruction], insertions: &Insertions) {
        let (mut position, mut pending, mut used) = (0, insertions.all.iter().peekable(), 0);
        for (index, instruction) in instructions.iter().enumerate() {
            let mut insert = |is_after: bool| {
                let mut units = 0;
                while let Some(next) = pending.next_if(|next| next.instruction as usize == index && next.is_after == is_after) {
                    units += (next.end - used) / 2;
                    used = next.end;
                }
                units
            };
            let start = position;
            let end = start + insert(false) + self.sizes[index] + u32::from(opcodes.info(instruction.opcode).caches);
            self.at[index] = At { start, end };
            position = end + insert(true);
        }
        self.end = position;
    }

    fn start(&self, index: u32) -> u32 {
        self.at.get(index as usize).map_or(self.end, |at| at.start)
    }

    /// Sets the distances; true if a jump needs more room than it has.
    fn reach(&mut self, opcodes: &Opcodes, instructions: &[Instruction]) -> Option<bool> {
        let mut has_grown = false;
        for (index, instruction) in instructions.iter().enumerate() {
            let Some(target) = instruction.target else { continue };
            let (from, to) = (self.at[index].end, self.start(target));
            let distance = match opcodes.info(instruction.opcode).jump {
                Jump::Backward => from.checked_sub(to)?,
                Jump::Forward | Jump::None => to.checked_sub(from)?,
            };
            self.arguments[index] = distance;
            if prefixed(distance) > self.sizes[index] {
                self.sizes[index] = prefixed(distance);
                has_grown = true;
            }
        }
        Some(has_grown)
    }
}

/// `None` if the tables do not belong to the code.
pub(super) fn relocate(
    opcodes: &Opcodes,
    instructions: &Instructions,
    insertions: &Insertions,
    exceptions: &[u8],
    lines: &[u8],
) -> Option<Relocated> {
    let all = &instructions.all;
    let layout = Layout::new(opcodes, all, insertions)?;
    let mut bytes = Vec::with_capacity(2 * layout.end as usize);
    let mut map = UnitMap::default();
    let (mut pending, mut used, mut shift) = (insertions.all.iter().peekable(), 0, 0);
    for (index, instruction) in all.iter().enumerate() {
        let mut insert = |bytes: &mut Vec<u8>, is_after: bool| {
            while let Some(next) = pending.next_if(|next| next.instruction as usize == index && next.is_after == is_after) {
                bytes.extend(&insertions.bytes[used..next.end as usize]);
                used = next.end as usize;
            }
        };
        insert(&mut bytes, false);
        put(opcodes, &mut bytes, instruction.opcode, layout.arguments[index], layout.sizes[index]);
        let (at, length) = (layout.at[index], instruction.end - instruction.start);
        let patched = at.end - length;
        if patched - instruction.start != shift {
            shift = patched - instruction.start;
            let owner = loop_ended_by(opcodes, all, index).unwrap_or(instruction).unit;
            map.steps.push(Step { original: instruction.start, patched, begin: at.start, owner });
        }
        insert(&mut bytes, true);
        let next = layout.start(index as u32 + 1);
        if next > at.end {
            shift = next - instruction.end;
            map.steps.push(Step { original: instruction.end, patched: next, begin: at.end, owner: instruction.unit });
        }
    }
    let start_of = |unit: u32| Some(layout.start(*instructions.at.get(unit as usize)?));
    let exceptions = tables::move_exceptions(exceptions, start_of)?;
    // A range of the line table may begin in the caches of an instruction: that keeps its distance from the end.
    let moved = |unit: u32| {
        let index = *instructions.at.get(unit as usize)?;
        let Some(instruction) = all.get(index as usize) else { return Some(layout.end) };
        let at = &layout.at[index as usize];
        Some(if unit == instruction.start { at.start } else { at.end - (instruction.end - unit) })
    };
    let lines = tables::stretch_lines(lines, moved)?;
    Some(Relocated { bytes, exceptions, lines, map })
}

/// The `FOR_ITER` of the loop whose iterator this instruction pops.  It leads to the instruction before that one, `END_FOR`, which is run only
/// after a generator.  `sys.monitoring` is told where the last instruction was before the loop's end: ours, which stands for the `FOR_ITER`.
fn loop_ended_by<'a>(opcodes: &Opcodes, all: &'a [Instruction], index: usize) -> Option<&'a Instruction> {
    let access = opcodes.info(all[index].opcode).access?;
    if access.action != Action::EndIteration {
        return None;
    }
    let end = index.checked_sub(1)?;
    all[..end].iter().rfind(|instruction| instruction.target == Some(end as u32))
}

/// One probe right after the first `RESUME`: the entry of a function, a generator or a coroutine.  `None` if there is no such place.
/// The parts are code, exception table and line table.
pub fn after_entry(opcodes: &Opcodes, [bytes, exceptions, lines]: [&[u8]; 3], site: u32, handed: Operand) -> Option<Relocated> {
    let instructions = Instructions::read(opcodes, bytes)?;
    let mut insertions = Insertions::default();
    insertions.probe(opcodes, instructions.entry(opcodes)?, Insertion { site, is_after: true }, handed);
    relocate(opcodes, &instructions, &insertions, exceptions, lines)
}

/// One probe before each return, which is handed the result too.
pub fn before_returns(opcodes: &Opcodes, [bytes, exceptions, lines]: [&[u8]; 3], site: u32, handed: Operand) -> Option<Relocated> {
    let instructions = Instructions::read(opcodes, bytes)?;
    let mut insertions = Insertions::default();
    let returns = instructions.all.iter().enumerate().filter(|(_, instruction)| instruction.opcode == opcodes.return_value);
    returns.for_each(|(index, _)| insertions.result(opcodes, index as u32, site, handed));
    relocate(opcodes, &instructions, &insertions, exceptions, lines)
}

/// As [`after_entry`], and a local variable becomes what the site makes of it.
pub fn replacing(opcodes: &Opcodes, [bytes, exceptions, lines]: [&[u8]; 3], site: u32, local: u16) -> Option<Relocated> {
    let instructions = Instructions::read(opcodes, bytes)?;
    let mut insertions = Insertions::default();
    insertions.replacement(opcodes, instructions.entry(opcodes)?, site, local);
    relocate(opcodes, &instructions, &insertions, exceptions, lines)
}
