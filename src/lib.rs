//! The core of ftsan: what is wrong, and how it is said.
//!
//! Nothing here links Python, an interpreter or libc; there are no mutable statics and no unsafe code.  Threads, loops and objects are
//! numbers and names that are handed in (`python/native`).  Knowledge of Python is here as data: opcodes, names of methods, frames of
//! crashes.
//!
//! | module | what it holds |
//! |---|---|
//! | [`options`] | the one table of options; parser, `--help`, pytest options and the reference come from it |
//! | [`configuration`] | `[tool.ftsan]` of a project's `pyproject.toml` |
//! | [`scope`] | which code is watched for data races |
//! | [`loops`] | which thread runs which event loop: the affinity verdict |
//! | [`bindings`] | which loop or thread an object that carries neither belongs to |
//! | [`descriptors`] | who opened, uses and closed which descriptor, and when that is a misuse |
//! | [`recording`] | the flight recorder's memory |
//! | [`locks`] | which locks threads hold, and when they take them in orders that can end in a deadlock |
//! | [`races`] | which accesses of different threads have no order between them |
//! | [`rules`] | one file per rule: its manual page, severity, title and fix |
//! | [`perturb`] | which steps of a thread `--perturb` holds up, and how long |
//! | [`patcher`] | which places of a code object get probes, and the code with them |
//! | [`declare`] | types of other libraries that a user declares |
//! | [`triage`] | crashes: what is known of one, and the verdict |
//! | [`safe_file`] | opening files at paths that somebody else may have prepared |
//! | [`similar`] | "did you mean" |
//! | [`statuses`] | the exit statuses of a run |
//! | [`timeline`] | when threads and runs of loops began and ended |
//! | [`terminal`] | text of the program on its way to a terminal |
//! | [`report`] | findings as data; fingerprints, suppressions, the JSON report and the text on stderr |
#![forbid(unsafe_code)]

pub mod bindings;
pub mod configuration;
pub mod declare;
pub mod descriptors;
pub mod locks;
pub mod loops;
pub mod options;
pub mod patcher;
pub mod perturb;
pub mod races;
pub mod recording;
pub mod report;
pub mod rules;
pub mod safe_file;
pub mod scope;
pub mod similar;
pub mod statuses;
pub mod terminal;
pub mod timeline;
pub mod triage;

/// Version of ftsan, as it appears in reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
