//! Lines of source files, for reports: files that were read lately are kept, since many stacks pass through the same few.

use std::collections::VecDeque;
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How many files are kept, and how large each may be, in bytes.
const FILES: usize = 8;
const LARGEST: u64 = 4 << 20;

struct Source {
    file: String,
    /// Another one is another file, or the file was changed.
    stamp: (Option<SystemTime>, u64),
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

static SOURCES: Mutex<VecDeque<Source>> = Mutex::new(VecDeque::new());

/// A line of a file, from 1; `None` if there is no such line or it is blank.  Only by detached threads, which a fork does not stop: hence a
/// lock that is taken is no reason to wait.
pub(crate) fn line(file: &str, line: u32) -> Option<String> {
    let Ok(mut sources) = SOURCES.try_lock().or_else(|error| match error {
        std::sync::TryLockError::Poisoned(poisoned) => Ok(PoisonError::into_inner(poisoned)),
        std::sync::TryLockError::WouldBlock => Err(()),
    }) else {
        return read(file)?.line(line);
    };
    let data = fs::metadata(file).ok()?;
    let stamp = (data.modified().ok(), data.len());
    if let Some(at) = sources.iter().position(|source| source.file == file) {
        if sources[at].stamp == stamp {
            return sources[at].line(line);
        }
        sources.remove(at);
    }
    let source = read(file)?;
    let found = source.line(line);
    if sources.len() >= FILES {
        sources.pop_front();
    }
    sources.push_back(source);
    found
}

fn read(file: &str) -> Option<Source> {
    let data = fs::metadata(file).ok()?;
    if !data.is_file() || data.len() > LARGEST {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    Some(Source { file: file.to_owned(), stamp: (data.modified().ok(), data.len()), text, lines })
}

impl Source {
    fn line(&self, line: u32) -> Option<String> {
        let begin = *self.lines.get((line as usize).checked_sub(1)?)?;
        let text = self.text[begin..].lines().next()?;
        (!text.trim().is_empty()).then(|| text.to_owned())
    }
}
