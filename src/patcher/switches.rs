//! Where code with probes can be made to jump over them: the first code unit of each probe, and the jump that takes its place.
//!
//! One unit stands for one unit, so everything stays where it is, and a thread that runs the code sees the probe or the jump and nothing
//! between them.

use super::instructions::Instructions;
use super::opcodes::Opcodes;

/// The first code unit of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// Which constant the probe is.
    pub site: u32,
    /// Where it is.
    pub unit: u32,
    /// The opcode and argument there with which the probe is run.
    pub on: [u8; 2],
    /// Those with which it is not.
    pub off: [u8; 2],
}

impl Switch {
    /// Where the probe's last code unit is, which does what it is for.
    pub fn last(&self) -> u32 {
        self.unit + u32::from(self.off[1])
    }
}

/// The probes in `bytes` whose constants are to be switched, all of them switched on, by their place.
pub fn switches(opcodes: &Opcodes, bytes: &[u8], is_switched: impl Fn(u32) -> bool) -> Vec<Switch> {
    let Some(instructions) = Instructions::read(opcodes, bytes) else { return Vec::new() };
    let probes = instructions.all.windows(PARTS).filter_map(|parts| {
        let (first, last) = (parts.first()?, parts.last()?);
        let is_probe = first.opcode == opcodes.load_const && last.opcode == opcodes.delete_subscr && is_switched(first.argument);
        let jump = u8::try_from(last.end - (first.start + 1)).ok().filter(|_| is_probe)?;
        let at = 2 * first.start as usize;
        Some(Switch { site: first.argument, unit: first.start, on: [bytes[at], bytes[at + 1]], off: [opcodes.jump_forward, jump] })
    });
    probes.collect()
}

/// Instructions of a probe.
const PARTS: usize = 3;
