//! Where a descriptor was checked before it was closed: `if self.fd is not None: ... os.close(self.fd)`.  The thread that closes it a second
//! time passed that check before the first one's close took effect, and that is the line to change.

use crate::thread::hooks_link;
use ftsan::report::{Access, Role};

/// How many lines before the close are looked at.
const NEAR: usize = 40;

/// The check that the thread of this close passed, if its source shows one.
pub(crate) fn check_before(close: &Access) -> Option<Access> {
    let frame = close.stack.first()?;
    let text = {
        let _paused = hooks_link::Paused::begin();
        std::fs::read_to_string(&frame.file).ok()?
    };
    let line = check_line(&text.lines().collect::<Vec<_>>(), frame.line as usize)?;
    let mut stack = close.stack.clone();
    stack.first_mut()?.line = line as u32;
    Some(Access { role: Role::Earlier, operation: "check".to_owned(), thread: close.thread.clone(), stack })
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Number of the nearest `if` before this line that guards it and asks about what it closes.
fn check_line(lines: &[&str], close: usize) -> Option<usize> {
    let closing = lines.get(close.checked_sub(1)?)?;
    let (_, argument) = closing.split_once("close(")?;
    let argument = argument.split_once(')')?.0.trim();
    let is_attribute = argument.contains('.') && argument.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    if !is_attribute {
        return None;
    }
    let before = lines.iter().enumerate().take(close - 1).rev().take(NEAR);
    let function =
        before.take_while(|(_, line)| !line.trim_start().starts_with("def ") && !line.trim_start().starts_with("async def "));
    let mut guards = function.filter(|(_, line)| indentation(line) <= indentation(closing) && line.trim_start().starts_with("if "));
    guards.find(|(_, line)| mentions(line, argument)).map(|(at, _)| at + 1)
}

fn mentions(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
        !is_part(line[..at].chars().next_back()) && !is_part(line[at + name.len()..].chars().next())
    })
}
