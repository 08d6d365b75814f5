//! The bytecode patcher: where a code object reads and writes what threads may share, and the probes put before these places.
//!
//! Insert-only: every instruction stays, in its order and with its position in the source; what is relocated are jumps, the
//! exception table and the line table.  Bytes in, bytes out: the interpreter is described by [`Opcodes`], which are handed in.
//!
//! A probe is `LOAD_CONST site; COPY 1; DELETE_SUBSCR`, that is `del site[site]`, and finds the object on the stack: a copy would be one more
//! reference to count, and threads may share the count.  What is not on the stack it is handed.  It belongs to the location and the
//! exception ranges of the instruction that it watches, and jumps to that instruction lead to its probes.
//!
//! | module | what it holds |
//! |---|---|
//! | [`point`] | what a probe is about: the contract with the probes |
//! | [`accesses`] | which instructions are accesses |
//! | [`checks`] | which reads are checks that the function acts on |
//! | [`calls`], [`known_calls`] | calls of methods of containers, and of functions that take one |
//! | [`handlers`] | what is handled if something is not there |
//! | [`own_thread`] | what is compared with the calling thread |
//! | [`rebound`] | which globals and cells are variables |
//! | [`repeated`] | reads that another one stands for |
//! | [`stack`] | which instruction pushed what |
//! | [`opcode_table`] | every instruction: stack effect, flow, meaning, access |
//! | [`opcodes`], [`instructions`] | the instructions of the running interpreter, and of a code object |
//! | [`relocate`], [`tables`], [`unit_map`] | the code that is made |

mod accesses;
mod calls;
mod checks;
mod handlers;
mod instructions;
pub mod known_calls;
mod opcode_table;
mod opcodes;
mod own_thread;
mod point;
mod rebound;
mod relocate;
#[cfg(test)]
mod relocate_properties;
mod repeated;
mod stack;
mod tables;
#[cfg(test)]
mod tests;
mod unit_map;

pub use opcodes::{OpcodeRow, Opcodes};
pub use point::{Action, Handed, Point};
pub use rebound::Rebound;
pub use relocate::{Relocated, after_entry, before_returns, replacing};
pub use unit_map::UnitMap;

use instructions::Instructions;
use relocate::{Insertion, Insertions};

/// A code object.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// `co_code`: without specialised or instrumented instructions.
    pub bytes: &'a [u8],
    /// `co_exceptiontable`
    pub exceptions: &'a [u8],
    /// `co_linetable`
    pub lines: &'a [u8],
    /// Of each constant the length, if it is a tuple, else 0.
    pub tuples: &'a [u32],
    /// `co_names`
    pub names: &'a [&'a str],
    /// Names of arguments, variables, cells and free variables, as `LOAD_FAST` and `LOAD_DEREF` count them.
    pub locals: &'a [&'a str],
    /// `co_cellvars` has the first argument.
    pub is_self_a_cell: bool,
    /// `co_argcount`
    pub arguments: u32,
    /// `co_name`
    pub name: &'a str,
    /// Runs as a coroutine or asynchronous generator.
    pub is_coroutine: bool,
    /// `co_stacksize`
    pub stack_size: u32,
}

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
    let instructions = Instructions::read(opcodes, code.bytes)?;
    let mut points = accesses::find(opcodes, code, &instructions, rebound);
    repeated::take_out(opcodes, code, &instructions, rebound, &mut points);
    if points.is_empty() {
        return None;
    }
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
