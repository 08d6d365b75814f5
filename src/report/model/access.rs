//! One side of the story of a finding: which thread did what, with its stack.

use serde::{Deserialize, Serialize};

/// One line of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// File as the code object names it.
    pub file: String,
    /// Line number, from 1; 0 if unknown.
    pub line: u32,
    /// Qualified name of the function.
    pub function: String,
    /// How this frame is linked to the one before, where it is not a plain call: "awaited by", "thread started at".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

/// Which part of the story an access tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The call that must not be made here.
    Offending,
    /// The thread that runs the loop, and what it is doing.
    Owner,
    /// A previous access by another thread.
    Earlier,
    /// Where the object came to life.
    Created,
}

/// A thread of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadInfo {
    /// Name as `threading` knows it.
    pub name: String,
    /// `threading.get_ident()`.
    pub ident: u64,
    /// `threading.get_native_id()`.
    pub native_id: u64,
    /// Where the thread was started, innermost frame first; empty for the main thread or if unknown.
    pub started_at: Vec<Frame>,
}

/// One side of the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Which side.
    pub role: Role,
    /// What was done: the method's name, or `run` and `create`.
    pub operation: String,
    /// By whom.  `None` if it is no longer known (a creation).
    pub thread: Option<ThreadInfo>,
    /// Where, innermost frame first.
    pub stack: Vec<Frame>,
}

/// The innermost frame that is in no installed package and not in the standard library; the innermost of all if there is none.
pub fn programs_line(stack: &[Frame]) -> Option<&Frame> {
    let is_library = |file: &str| ["/site-packages/", "/dist-packages/", "/lib/python3"].iter().any(|part| file.contains(part));
    stack.iter().find(|frame| !is_library(&frame.file) && !frame.file.starts_with('<')).or_else(|| stack.first())
}
