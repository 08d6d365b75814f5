//! Where a descriptor was checked before it was closed: `if self.fd is not None: ... os.close(self.fd)`.  The thread that closes it a second
//! time passed that check before the first one's close took effect, and that is the line to change.

use crate::thread::hooks_link;
use ftsan::report::{Access, Role};

/// How many lines before the close are looked at.
const NEAR: usize = 40;

/// What closes a descriptor, by the line of the program that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// `os.close(fd)`
    Number,
    /// `sock.close()`
    Object,
}

impl Owner {
    fn name(self) -> &'static str {
        match self {
            Owner::Number => "its number",
            Owner::Object => "its object",
        }
    }
}

/// What made the first and the second of two closes, if their lines show that these are two: an object is closed once.
pub(crate) fn owners(first: &Access, second: &Access) -> Option<[&'static str; 2]> {
    let place = |close: &Access| close.stack.first().map(|frame| (frame.file.clone(), frame.line));
    match (closed(first)?.0, closed(second)?.0) {
        (Owner::Number, Owner::Number) => None,
        (Owner::Object, Owner::Object) => (place(first) != place(second)).then_some(["one object", "another object"]),
        (first, second) => Some([first.name(), second.name()]),
    }
}

/// Whether two closes are of one thing, by what their lines call it: `os.close(self.fd)` and `os.close(connection.fd)`.
pub(crate) fn name_the_same(first: &Access, second: &Access) -> bool {
    closed(first).is_some_and(|first| Some(first) == closed(second))
}

/// What is closed, and what it is called, in the line of the program that does.
fn closed(close: &Access) -> Option<(Owner, String)> {
    let line = (close.stack.first()?.line as usize).checked_sub(1)?;
    closed_by(source(close)?.lines().nth(line)?)
}

/// As the line has it; a function that is given away counts as called.
fn closed_by(line: &str) -> Option<(Owner, String)> {
    let code = line.split_once('#').map_or(line, |(code, _)| code);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let (at, _) = code.match_indices(".close").find(|(at, found)| !code[at + found.len()..].starts_with(is_part))?;
    let (before, after) = (&code[..at], &code[at + ".close".len()..]);
    let receiver = before.rsplit(|c| !is_part(c)).next().unwrap_or_default();
    if receiver != "os" {
        return Some((Owner::Object, receiver.to_owned()));
    }
    let argument = after.trim_start_matches(|c: char| !is_part(c) && c != ')');
    let whole = argument.split(|c| !is_part(c) && c != '.').next().unwrap_or_default();
    Some((Owner::Number, whole.rsplit('.').next().unwrap_or_default().to_owned()))
}

/// The text of the file that an access is in.
fn source(access: &Access) -> Option<String> {
    let _paused = hooks_link::Paused::begin();
    std::fs::read_to_string(&access.stack.first()?.file).ok()
}

/// The check that the thread of this close passed, if its source shows one.
pub(crate) fn check_before(close: &Access) -> Option<Access> {
    let frame = close.stack.first()?;
    let line = check_line(&source(close)?.lines().collect::<Vec<_>>(), frame.line as usize)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_what_is_closed() {
        let number = |name: &str| Some((Owner::Number, name.to_owned()));
        let object = |name: &str| Some((Owner::Object, name.to_owned()));
        for (line, expected) in [
            ("    os.close(self.fd)  # file.close()", number("fd")),
            ("os.close(fd)", number("fd")),
            ("pool.submit(os.close, connection.fd).result()", number("fd")),
            ("Thread(target=os.close, args=(fd,)).start()", number("args")),
            ("os.close()", number("")),
            ("self.sock.close()", object("sock")),
            ("pool.submit(file.close)", object("file")),
            ("sock.close_soon()", None),
            ("with sock:", None),
        ] {
            assert_eq!(closed_by(line), expected, "{line}");
        }
    }
}
