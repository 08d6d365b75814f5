//! The whole way: from a code object to the one with probes.

use super::accesses;
use super::code::Code;
use super::folded;
use super::instructions::Instructions;
use super::opcodes::Opcodes;
use super::point::Point;
use super::rebound::Rebound;
use super::relocate::{self, Insertion, Insertions, Relocated};
use super::repeated;

/// What a code object becomes.
#[derive(Debug)]
pub struct Patched<'a> {
    /// Code and tables.
    pub code: Relocated,
    /// `co_stacksize`
    pub stack_size: u32,
    /// One for each site; the first one is the constant after the last.
    pub points: Vec<Point<'a>>,
}

/// Puts probes into `code`; `None` if there is nothing to watch in it, or if it is not understood.
pub fn patch<'a>(opcodes: &Opcodes, code: &Code<'a>, rebound: &Rebound) -> Option<Patched<'a>> {
    let mut instructions = Instructions::read(opcodes, code.bytes)?;
    instructions.find_questions(opcodes, code.names);
    let mut points = accesses::find(opcodes, code, &instructions, rebound);
    repeated::take_out(opcodes, code, &instructions, rebound, &mut points);
    if points.is_empty() {
        return None;
    }
    folded::mark(opcodes, code, &instructions, rebound, &mut points);
    let mut insertions = Insertions::default();
    for (site, point) in (code.tuples.len()..).zip(&points) {
        let insertion = Insertion { site: u32::try_from(site).ok()?, is_after: point.is_after };
        insertions.probe(opcodes, point.instruction, insertion, point.point.handed);
    }
    let relocated = relocate::relocate(opcodes, &instructions, &insertions, code.exceptions, code.lines)?;
    let points = points.into_iter().map(|found| found.point).collect();
    Some(Patched { code: relocated, stack_size: code.stack_size + PROBE_STACK, points })
}

/// What a probe has on the stack.
pub const PROBE_STACK: u32 = 2;
