//! The calling thread and what is remembered of it.
//!
//! | module | holds |
//! |---|---|
//! | [`context`] | the calling thread's slot, one pointer in thread-local storage |
//! | [`guard`], [`outcome`] | the boundary to the host: panics and errno; how a check ends |
//! | [`stacks`], [`origins`], [`code_class`] | recorded stacks; where objects were made; what code objects are |
//! | [`caller`], [`installed`] | the frame that called a watched function; whether that is of an installed package |
//! | [`carriers`], [`positions`] | functions of libraries that call what the program gave away before; where the thread is, in a system call |
//! | [`clock`], [`registry`] | what the thread has seen of the others; which thread runs which loop |
//! | [`perturb`] | delays before steps of threads |
//! | [`probe_switch`] | probes that are off while one thread lives |
//! | [`tables`] | memory for tables |
//! | [`faults`] | what of ours does not work |
//! | [`hooks_link`] | the injected library |
//! | [`timeline`] | when threads and runs of loops begin and end |
//! | [`recorder`] | what the flight recorder is told of watched calls |

pub(crate) mod caller;
pub(crate) mod carriers;
pub(crate) mod clock;
pub(crate) mod code_class;
pub(crate) mod context;
pub(crate) mod faults;
pub(crate) mod guard;
pub(crate) mod hooks_link;
pub(crate) mod installed;
pub(crate) mod origins;
pub(crate) mod outcome;
pub(crate) mod perturb;
pub(crate) mod positions;
pub(crate) mod probe_switch;
pub(crate) mod recorder;
pub(crate) mod registry;
pub(crate) mod stacks;
pub(crate) mod tables;
pub(crate) mod timeline;
