//! What a function decides by what another one returns.

use super::checks::only_sets_flags;
use super::instructions::{Instruction, Instructions};
use super::opcodes::{Jump, Opcodes};
use super::tested::{Decision, decides};

/// Whether the result of the call at this code unit decides more than whether a flag is set that may be set already (`if not self.closed: self._closed = True`).
/// The code may have probes.
pub fn decides_more(opcodes: &Opcodes, bytes: &[u8], names: &[&str], unit: u32) -> bool {
    let Some(Instructions { all, at }) = Instructions::read(opcodes, bytes) else { return false };
    let Some(call) = at.get(unit as usize).map(|call| *call as usize).filter(|call| *call < all.len()) else { return false };
    let (all, places) = without_probes(opcodes, &all);
    let call = places[call];
    match decides(opcodes, &all, call) {
        Some(Decision::Jump(jump)) => !only_sets_flags(opcodes, names, &all, jump),
        Some(Decision::Answer(_)) | None => false,
    }
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
