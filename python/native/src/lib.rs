//! `ftsan._native`: everything of ftsan that runs inside the watched interpreter.
//!
//! The law of this crate: a hook never allocates, locks or formats before it has found a misuse; a slow path never runs code
//! of the program, never panics into the host, never changes errno ([`boundary`]); what is known of interpreter layouts is
//! in [`interpreter`] and verified before anything is hooked.
//!
//! | module | what it holds |
//! |---|---|
//! | [`watch`], [`check`] | what is watched, and the hot path |
//! | [`prologue`], [`site`] | Python functions, by three injected instructions |
//! | [`instrument`] | code objects with probes, of which the program sees nothing |
//! | [`methods`], [`cython`] | C methods, and those that Cython makes, by swapped pointers |
//! | [`slots`], [`births`], [`future_slots`], [`driving`] | type slots, by swapped pointers: creation, `await`, steps of coroutines |
//! | [`fields`] | where objects of extension types have their loop |
//! | [`threads`], [`stacks`], [`creations`], [`codes`] | the calling thread, recorded stacks, births, what code objects are |
//! | [`evidence`], [`owner`], [`python`] | the cold path: from a misuse to a finding, and what the owner was doing |
//! | [`turns`] | where threads that share an object are made to meet |
//! | [`hooks`] | the injected library (`hooks/`): finding it, and what it asks |
//! | [`flight`] | what the flight recorder is told of watched calls |
//! | [`descriptor_evidence`], [`guarded_close`], [`native_frames`] | the cold path of the descriptor rules |
//! | [`crash_stacks`] | what threads were doing when the process died |
//! | [`crash_report`], [`symbols`] | in the launcher: what a recording tells of a crash |
//! | [`command_line`] | the command line of `ftsan`, made from the table of options |
//! | [`races`] | data races: the order between threads |
//! | [`session`] | options, findings and report of the process |

mod births;
mod boundary;
mod check;
mod codes;
mod command_line;
mod crash_report;
mod crash_stacks;
mod creations;
mod cython;
mod descriptor_evidence;
mod driving;
mod evidence;
mod fields;
mod flight;
mod future_slots;
mod guarded_close;
mod hooks;
mod instrument;
mod interpreter;
mod methods;
mod module;
mod native_frames;
mod own_types;
mod owner;
mod prologue;
mod python;
mod races;
mod session;
mod site;
mod slots;
mod stacks;
mod symbols;
mod threads;
mod turns;
mod watch;
