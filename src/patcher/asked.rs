//! What a function decides by what another one returns.

use super::checks::only_sets_flags;
use super::instructions::read_at;
use super::opcodes::Opcodes;
use super::tested::{Decision, Follow, decides};

/// Whether the result of the call at this code unit decides more than whether a flag is set that may be set already (`if not self.closed: self._closed = True`).
/// The code may have probes.
pub fn decides_more(opcodes: &Opcodes, bytes: &[u8], names: &[&str], unit: u32) -> bool {
    let Some((all, call)) = read_at(opcodes, bytes, unit) else { return false };
    match decides(opcodes, &all, call, Follow::Checks) {
        Some(Decision::Jump(jump)) => !only_sets_flags(opcodes, (names, &[]), &all, jump),
        Some(Decision::Answer(_)) | None => false,
    }
}
