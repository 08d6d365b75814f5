//! What a function decides by what another one returns.

use super::checks::only_sets_flags;
use super::instructions::{Instructions, without_probes};
use super::opcodes::Opcodes;
use super::tested::{Decision, Follow, decides};

/// Whether the result of the call at this code unit decides more than whether a flag is set that may be set already (`if not self.closed: self._closed = True`).
/// The code may have probes.
pub fn decides_more(opcodes: &Opcodes, bytes: &[u8], names: &[&str], unit: u32) -> bool {
    let Some(Instructions { all, at }) = Instructions::read(opcodes, bytes) else { return false };
    let Some(call) = at.get(unit as usize).map(|call| *call as usize).filter(|call| *call < all.len()) else { return false };
    let (all, places) = without_probes(opcodes, &all);
    let call = places[call];
    match decides(opcodes, &all, call, Follow::Checks) {
        Some(Decision::Jump(jump)) => !only_sets_flags(opcodes, names, &all, jump),
        Some(Decision::Answer(_)) | None => false,
    }
}
