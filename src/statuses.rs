//! The exit statuses of a run, as `ftsan run --help` and the README present them.

/// Something could not be watched that should have been.
pub const NOT_WATCHED: u8 = 67;

/// (status, when a run has it)
pub static STATUSES: &[(&str, &str)] = &[
    ("the program's own", "nothing of the following, or it was not 0; 128+N if signal N killed it, after the triage"),
    ("66 (--exit-code)", "something of severity error or warning was found, also where the report could not be written"),
    (
        "67",
        "something could not be watched that should have been: a package of --races that never came or was compiled, an interpreter that did \
         not load ftsan",
    ),
    ("2", "ftsan was called wrongly: the program did not run"),
];
