//! The bytecode patcher: where a code object reads and writes what threads may share, and the probes put before these places.
//!
//! Insert-only: every instruction stays, in its order and with its position in the source; what is relocated are jumps, the
//! exception table and the line table.  Bytes in, bytes out: the interpreter is described by [`Opcodes`], which are handed in.
//!
//! A probe is `LOAD_CONST site; COPY 1; DELETE_SUBSCR`, that is `del site[site]`, and finds the object on the stack: a copy would be one more
//! reference to count, and threads may share the count.  It is handed all that is not on the stack.  It belongs to the location and the
//! exception ranges of the instruction that it watches, and jumps to that instruction lead to its probes.
//!
//! | module | what it holds |
//! |---|---|
//! | [`patch`], [`code`] | the whole way, and what it begins with |
//! | [`point`] | what a probe is about: the contract with the probes |
//! | [`accesses`] | which instructions are accesses |
//! | [`folded`] | probes that another one stands for, as long as an object is private |
//! | [`found`], [`tested`] | a point and where it goes; what is tested |
//! | [`branches`] | in which of two branches the function acts, if it waits in the other one |
//! | [`checks`] | which reads are checks that the function acts on |
//! | [`asked`] | what a function decides by what another one returns |
//! | [`calls`], [`known_calls`] | calls of methods of containers, and of functions that take one |
//! | [`defaults`] | methods of containers that are default values of arguments |
//! | [`guards`] | looks right before a loop |
//! | [`handlers`] | what is handled if something is not there, or changes meanwhile |
//! | [`holders`] | what the code calls the object that holds what is accessed |
//! | [`names`] | what the objects that points are about are called |
//! | [`own_thread`] | what is compared with the calling thread |
//! | [`rebound`] | which globals and cells are variables |
//! | [`repeated`] | reads that another one stands for |
//! | [`stack`] | which instruction pushed what |
//! | [`states`] | what a process has once |
//! | [`switches`] | where probes can be switched off |
//! | [`waits`] | loops that wait, and functions that they ask |
//! | [`opcode_table`] | every instruction: stack effect, flow, meaning, access |
//! | [`opcodes`], [`instructions`] | the instructions of the running interpreter, and of a code object |
//! | [`relocate`], [`tables`], [`unit_map`] | the code that is made |

mod accesses;
mod asked;
mod branches;
mod calls;
mod checks;
mod code;
mod defaults;
mod folded;
mod found;
mod guards;
mod handlers;
mod holders;
mod instructions;
pub mod known_calls;
mod names;
mod opcode_table;
mod opcodes;
mod own_thread;
mod patch;
mod point;
mod rebound;
mod relocate;
#[cfg(test)]
mod relocate_properties;
mod repeated;
mod stack;
pub mod states;
mod switches;
mod tables;
mod tested;
#[cfg(test)]
mod tests;
mod unit_map;
mod waits;

pub use asked::decides_more;
pub use code::Code;
pub use defaults::Arguments;
pub use folded::FOLDED;
pub use handlers::{Lack, accepts_lack, begun_again, handle_raised, lacks_of, lacks_raised, taken_by, uses_result};
pub use holders::{CLOSURE, GLOBALS, holder};
pub use opcodes::{OpcodeRow, Opcodes};
pub use patch::{PROBE_STACK, Patched, patch};
pub use point::{Action, ActsAt, Operand, Point};
pub use rebound::Rebound;
pub use relocate::{Relocated, after_entry, before_returns, replacing};
pub use switches::{Switch, switches};
pub use tables::handler_of_with;
pub use tested::{awaits_here as awaits, decides_here as decides};
pub use unit_map::UnitMap;
pub use waits::{Called, Questions, questions, waits};
