//! A code object's instructions: prefixes joined, caches skipped, jumps resolved.

use super::opcodes::{Jump, Opcodes};

/// Positions are in code units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instruction {
    /// Of its first `EXTENDED_ARG`, if it has one.
    pub(super) start: u32,
    /// Of itself.
    pub(super) unit: u32,
    /// After its caches.
    pub(super) end: u32,
    pub(super) opcode: u8,
    pub(super) argument: u32,
    /// Index of the instruction that it jumps to; the number of instructions if that is the end of the code.
    pub(super) target: Option<u32>,
    /// It asks what its first argument is (`isinstance`), and does nothing else.
    pub(super) is_question: bool,
}

#[derive(Debug)]
pub(super) struct Instructions {
    pub(super) all: Vec<Instruction>,
    /// For each code unit the instruction that it belongs to; one more for the end.
    pub(super) at: Vec<u32>,
}

impl Instructions {
    /// `None` if the bytes are no such code.
    pub(super) fn read(opcodes: &Opcodes, bytes: &[u8]) -> Option<Self> {
        let units = bytes.len() / 2;
        let mut all = Vec::with_capacity(units / 2);
        let mut at = Vec::with_capacity(units + 1);
        let mut unit = 0;
        while unit < units {
            let start = unit;
            let mut argument = 0_u32;
            while bytes[2 * unit] == opcodes.extended_arg {
                argument = (argument | u32::from(bytes[2 * unit + 1])).checked_mul(256)?;
                unit += 1;
                if unit == units {
                    return None;
                }
            }
            let opcode = bytes[2 * unit];
            let end = unit + 1 + usize::from(opcodes.info(opcode).caches);
            at.resize(end, u32::try_from(all.len()).ok()?);
            all.push(Instruction {
                start: start as u32,
                unit: unit as u32,
                end: u32::try_from(end).ok()?,
                opcode,
                argument: argument | u32::from(bytes[2 * unit + 1]),
                target: None,
                is_question: false,
            });
            unit = end;
        }
        if unit != units {
            return None;
        }
        at.push(all.len() as u32);
        for instruction in &mut all {
            let to = match opcodes.info(instruction.opcode).jump {
                Jump::None => continue,
                Jump::Forward => instruction.end.checked_add(instruction.argument)?,
                Jump::Backward => instruction.end.checked_sub(instruction.argument)?,
            };
            instruction.target = Some(*at.get(to as usize)?);
        }
        let starts_there = |index: u32, instruction: &Instruction| {
            let to = all.get(index as usize).map_or(units as u32, |target| target.start);
            to.abs_diff(instruction.end) == instruction.argument
        };
        let exact = all.iter().all(|instruction| instruction.target.is_none_or(|target| starts_there(target, instruction)));
        exact.then_some(Instructions { all, at })
    }

    /// Finds out, by the names that the code loads, which calls are questions.
    pub(super) fn find_questions(&mut self, opcodes: &Opcodes, names: &[&str]) {
        /// Between the function and its call: an attribute, and a class of a module.
        const SOON: usize = 8;
        let is_question = |load: &Instruction| {
            let is_callee = load.opcode == opcodes.load_global && load.argument & 1 == 1;
            is_callee && names.get((load.argument >> 1) as usize) == Some(&"isinstance")
        };
        let loads: Vec<usize> = (0..self.all.len()).filter(|at| is_question(&self.all[*at])).collect();
        for load in loads {
            let call = self.all.iter_mut().skip(load + 1).take(SOON).find(|call| call.opcode == opcodes.call);
            if let Some(call) = call.filter(|call| call.argument == 2) {
                call.is_question = true;
            }
        }
    }

    /// Index of the first `RESUME`: nothing may be put before it.
    pub(super) fn entry(&self, opcodes: &Opcodes) -> Option<u32> {
        self.all.iter().position(|instruction| instruction.opcode == opcodes.resume).map(|index| index as u32)
    }
}

/// The instructions of code that may have probes, but for those, and the place of the one at a code unit.
pub(super) fn read_at(opcodes: &Opcodes, bytes: &[u8], unit: u32) -> Option<(Vec<Instruction>, usize)> {
    let Instructions { all, at } = Instructions::read(opcodes, bytes)?;
    let found = at.get(unit as usize).map(|found| *found as usize).filter(|found| *found < all.len())?;
    let (all, places) = without_probes(opcodes, &all);
    Some((all, places[found]))
}

/// The instructions but for those of probes, and of each instruction its place among them.
fn without_probes(opcodes: &Opcodes, all: &[Instruction]) -> (Vec<Instruction>, Vec<usize>) {
    /// What a probe is made of.
    const LENGTH: usize = 3;
    let is_probe = |at: usize| {
        let first = &all[at];
        let is_on = first.opcode == opcodes.load_const;
        let is_off = opcodes.info(first.opcode).jump == Jump::Forward && first.target == Some((at + LENGTH) as u32);
        (is_on || is_off) && all.get(at + LENGTH - 1).is_some_and(|last| last.opcode == opcodes.delete_subscr)
    };
    let (mut kept, mut places, mut at) = (Vec::new(), Vec::new(), 0);
    while at < all.len() {
        let length = if is_probe(at) { LENGTH } else { 1 };
        places.extend(std::iter::repeat_n(kept.len(), length.min(all.len() - at)));
        if length == 1 {
            kept.push(all[at]);
        }
        at += length;
    }
    for instruction in &mut kept {
        instruction.target = instruction.target.map(|target| places.get(target as usize).map_or(target, |place| *place as u32));
    }
    (kept, places)
}
