//! One side of the story of a finding: which thread did what, with its stack.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One line of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// File as the code object names it.
    pub file: String,
    /// Line number, from 1; 0 if unknown.
    pub line: u32,
    /// Where in the line, in bytes of its UTF-8: begin and end, which is 0 if it lies on another line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<(u32, u32)>,
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

/// How the operation of an access ends that the one before goes back to: the read of an update, the check before an act.
pub const GOES_BACK: &str = ", which it goes back to,";

/// The library that a file belongs to which is not the program's: an installed package, or a module of the standard library, by its
/// package where it has one (`concurrent.futures`).  `own` names installed packages that are the program's nevertheless.
pub fn library_of<'a>(file: &'a str, own: &[String]) -> Option<Cow<'a, str>> {
    if let Some(name) = file.strip_prefix("<frozen ") {
        return Some(name.trim_end_matches('>').split('.').next().unwrap_or(name).into());
    }
    let installed = ["/site-packages/", "/dist-packages/"].iter().find_map(|folder| Some(file.rsplit_once(folder)?.1));
    if let Some(inside) = installed {
        let package = inside.split('/').next().unwrap_or(inside);
        let package = package.strip_suffix(".py").unwrap_or(package);
        return (!own.iter().any(|own| own == package)).then_some(package.into());
    }
    let inside = file.split_once("/lib/python3")?.1.split_once('/')?.1;
    Some(match inside.rsplit_once('/') {
        Some((package, _)) => package.replace('/', ".").into(),
        None => inside.strip_suffix(".py").unwrap_or(inside).into(),
    })
}

/// The innermost frame that is in no installed package and not in the standard library; the innermost of all if there is none.
pub fn programs_line(stack: &[Frame]) -> Option<&Frame> {
    programs_line_with(stack, &[])
}

/// The same, where these installed packages are the program's own.
pub fn programs_line_with<'a>(stack: &'a [Frame], own: &[String]) -> Option<&'a Frame> {
    let is_own = |frame: &&Frame| library_of(&frame.file, own).is_none() && !frame.file.starts_with('<');
    stack.iter().find(is_own).or_else(|| stack.first())
}

#[cfg(test)]
mod tests {
    use super::library_of;

    #[test]
    fn files_belong_to_packages_and_modules() {
        let of = |file: &'static str| library_of(file, &["mine".to_owned()]).unwrap_or_default().into_owned();
        assert_eq!(of("/usr/lib/python3.14t/threading.py"), "threading");
        assert_eq!(of("/usr/lib/python3.14t/concurrent/futures/thread.py"), "concurrent.futures");
        assert_eq!(of("/v/lib/python3.14t/site-packages/aiohttp/web/app.py"), "aiohttp");
        assert_eq!(of("/v/lib/python3.14t/site-packages/six.py"), "six");
        assert_eq!(of("<frozen importlib._bootstrap>"), "importlib");
        for own in ["/v/lib/python3.14t/site-packages/mine/app.py", "/app/main.py", "<string>", "app.py"] {
            assert_eq!(of(own), "", "{own}");
        }
    }
}
