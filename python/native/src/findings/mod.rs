//! Findings, and where they go.
//!
//! | module | holds |
//! |---|---|
//! | [`report`] | the one way of a finding: seen again or new, suppressed, recorded, told, and what `--on-finding` asks for |
//! | [`upstream`] | what lies wholly inside installed packages |
//! | [`conclusion`] | the last words of a run, and its exit status |
//! | [`ratchet`] | what the run makes of the baseline |
//! | [`current_test`] | the test of pytest that is running |
//! | [`process`] | the options of the watched process, and what it says of itself |
//! | [`store`] | the findings of the process |
//! | [`occurrences`] | which findings happened in whose name, for pytest |
//! | [`report_file`] | the report that they go to |
//! | [`tally`] | what the process tree has found, in numbers that cannot be lost |
//! | [`stderr`] | the program's stderr, whether somebody reads it or not |
//! | [`sources`] | lines of source files |

pub(crate) mod conclusion;
pub(crate) mod current_test;
pub(crate) mod occurrences;
pub(crate) mod process;
mod ratchet;
pub(crate) mod report;
mod report_file;
pub(crate) mod sources;
mod stderr;
pub(crate) mod store;
pub(crate) mod tally;
mod upstream;
