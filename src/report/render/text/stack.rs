//! Stacks as text: the program's frames with their source, and what lies between them in a word.

use super::style::{Style, Tone};
use super::words::{plural, put};
use crate::report::model::access::{Frame, library_of};
use crate::terminal::printable;
use std::collections::BTreeSet;

/// How many frames of the program are shown of each linked part of a stack.
const SHOWN: usize = 4;

/// How many libraries are named where their frames are left out.
const NAMED: usize = 3;

/// Gives a line of a file, if it can.
pub(super) type Source<'a> = &'a dyn Fn(&str, u32) -> Option<String>;

/// The writer of the stacks of one finding: it shows a line of source once, and the way to two accesses, too.
pub(super) struct Stacks<'a> {
    style: &'a Style,
    source: Source<'a>,
    shown: BTreeSet<(String, u32)>,
    /// Lines that were shown as neighbours of others.
    around: BTreeSet<(String, u32)>,
    /// The stack that was written last.
    last: Vec<Frame>,
}

impl<'a> Stacks<'a> {
    pub(super) fn new(style: &'a Style, source: Source<'a>) -> Self {
        Stacks { style, source, shown: BTreeSet::new(), around: BTreeSet::new(), last: Vec::new() }
    }

    /// Shows lines again that were shown: the next text does not stand below them.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
        self.around.clear();
        self.last.clear();
    }

    /// Writes a stack; the program's innermost line of it with its neighbours.
    pub(super) fn put(&mut self, out: &mut String, stack: &[Frame]) {
        self.put_access(out, stack, true);
    }

    /// Writes a stack in which nothing is singled out.
    pub(super) fn put_plain(&mut self, out: &mut String, stack: &[Frame]) {
        self.put_access(out, stack, false);
    }

    /// Writes the stack of an access: of the way to it, only what is not the way to the one that was written last.
    fn put_access(&mut self, out: &mut String, stack: &[Frame], is_first: bool) {
        let is_own = |frame: &Frame| library_of(&frame.file, &self.style.own).is_none();
        let inner = stack.get(1..).unwrap_or_default().iter().rev();
        let same = inner.zip(self.last.iter().rev()).take_while(|(one, other)| one == other).count();
        let (own, way) = stack.split_at(stack.len() - same);
        if self.style.is_full || same < 2 || !way.iter().any(is_own) {
            self.put_parts(out, stack, is_first);
        } else {
            self.put_parts(out, own, is_first);
            put(out, format_args!("{}\n", self.style.paint(Tone::Faint, &format!("    ... and the same {same} frames"))));
        }
        self.last = stack.to_vec();
    }

    fn put_parts(&mut self, out: &mut String, stack: &[Frame], mut is_first: bool) {
        if self.style.is_full {
            return stack.iter().for_each(|frame| self.put_frame(out, frame, true));
        }
        for part in stack.chunk_by(|_, next| next.via.is_none()) {
            self.put_part(out, part, &mut is_first);
        }
    }

    /// Writes a stack that is the way to another one: from the program's innermost frame to its outermost; without a line of the
    /// program, in a word.
    pub(super) fn put_outer(&mut self, out: &mut String, stack: &[Frame]) {
        let is_own = |frame: &Frame| library_of(&frame.file, &self.style.own).is_none();
        let (Some(first), Some(last)) = (stack.iter().position(is_own), stack.iter().rposition(is_own)) else {
            return self.put_folded(out, stack);
        };
        self.put_parts(out, &stack[first..=last], false);
    }

    /// Writes the innermost frame alone.
    pub(super) fn put_innermost(&mut self, out: &mut String, stack: &[Frame]) {
        stack.iter().take(1).for_each(|frame| self.put_frame(out, frame, true));
    }

    /// Writes a part whose frames called each other: the innermost one, which is where it happened, and the program's.  `is_first`: no
    /// line of the program was shown yet, so the next one is shown with its neighbours.
    fn put_part(&mut self, out: &mut String, part: &[Frame], is_first: &mut bool) {
        let is_own = |frame: &Frame| library_of(&frame.file, &self.style.own).is_none();
        let is_shown = |at: usize| at == 0 || is_own(&part[at]);
        let all: Vec<usize> = (0..part.len()).filter(|at| is_shown(*at)).collect();
        let last = all.get(SHOWN - 1).or(all.last()).map_or(0, |at| at + 1);
        let mut at = 0;
        while at < last {
            if is_shown(at) {
                let own = is_own(&part[at]);
                let principal = own && std::mem::take(is_first);
                if principal {
                    self.put_principal(out, &part[at])
                } else {
                    self.put_frame(out, &part[at], own)
                }
                at += 1;
            } else {
                let end = (at..last).find(|at| is_shown(*at)).unwrap_or(last);
                self.put_folded(out, &part[at..end]);
                at = end;
            }
        }
        let rest = &part[last..];
        if rest.iter().any(is_own) {
            let line = format!("    ... and {} further out\n", plural(rest.len(), "frame"));
            out.push_str(&self.style.paint(Tone::Faint, line.trim_end()));
            out.push('\n');
        } else {
            self.put_folded(out, rest);
        }
    }

    fn put_folded(&self, out: &mut String, frames: &[Frame]) {
        if frames.is_empty() {
            return;
        }
        let mut names: Vec<String> = Vec::new();
        for name in frames.iter().filter_map(|frame| library_of(&frame.file, &self.style.own)) {
            if !names.iter().any(|known| *known == name) {
                names.push(name.into_owned());
            }
        }
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let line = format!("    ... {} of {}{more}", plural(frames.len(), "frame"), names.join(", "));
        put(out, format_args!("{}\n", self.style.paint(Tone::Faint, &line)));
    }

    fn put_place(&self, out: &mut String, frame: &Frame, is_own: bool) {
        if let Some(via) = &frame.via {
            put(out, format_args!("    -- {via}:\n"));
        }
        let tone = if is_own { Tone::Place } else { Tone::Faint };
        let place = format!("{}:{}", frame.file, frame.line);
        put(out, format_args!("    {} in {}\n", self.style.paint(tone, &place), frame.function));
    }

    fn put_frame(&mut self, out: &mut String, frame: &Frame, is_own: bool) {
        self.put_place(out, frame, is_own);
        let is_news = self.style.is_full || is_own && self.shown.insert((frame.file.clone(), frame.line));
        if let Some(text) = is_news.then(|| (self.source)(&frame.file, frame.line)).flatten() {
            put(out, format_args!("      {}\n", printable(text.trim())));
        }
    }

    /// Writes a frame with its line, a mark below the part of it that is meant, and the lines around it.
    fn put_principal(&mut self, out: &mut String, frame: &Frame) {
        self.put_place(out, frame, true);
        if !self.shown.insert((frame.file.clone(), frame.line)) {
            return;
        }
        let Some(line) = (self.source)(&frame.file, frame.line) else { return };
        let neighbours = [frame.line.checked_sub(1), frame.line.checked_add(1)].map(|number| {
            let number = number.filter(|number| !self.shown.contains(&(frame.file.clone(), *number)))?;
            let is_news = self.around.insert((frame.file.clone(), number));
            is_news.then(|| Some((number, (self.source)(&frame.file, number)?))).flatten()
        });
        let [before, after] = neighbours;
        let lines = [before, Some((frame.line, line.clone())), after];
        let lines: Vec<(u32, String)> = lines.into_iter().flatten().collect();
        let indented = |line: &String| line.len() - line.trim_start().len();
        let common = lines.iter().map(|(_, line)| indented(line)).min().unwrap_or(0);
        // As long as they are indented alike: the part that is cut off is blank, and the same for all of them.
        let cut = if lines.iter().all(|(_, other)| other.get(..common) == line.get(..common)) { common } else { 0 };
        let width = lines.iter().map(|(number, _)| number.to_string().len()).max().unwrap_or(1);
        for (number, text) in &lines {
            let gutter = format!("      {number:width$} | ");
            let text = printable(text[cut..].trim_end()).into_owned();
            let text = if *number == frame.line { text } else { self.style.paint(Tone::Faint, &text).into_owned() };
            put(out, format_args!("{}{text}\n", self.style.paint(Tone::Faint, &gutter)));
            if let Some(mark) = frame.columns.filter(|_| *number == frame.line).and_then(|columns| mark(&line, cut, columns)) {
                let gutter = format!("      {:width$} | ", "");
                put(out, format_args!("{}{}\n", self.style.paint(Tone::Faint, &gutter), self.style.paint(Tone::Mark, &mark)));
            }
        }
    }
}

/// The carets below a part of a line, the first `cut` bytes of which are not shown; `None` if that is no part of it, or all of it.
fn mark(line: &str, cut: usize, (begin, end): (u32, u32)) -> Option<String> {
    let whole = line.trim_end();
    let begin = begin as usize;
    let end = if end == 0 { whole.len() } else { (end as usize).min(whole.len()) };
    let (before, marked) = (whole.get(cut..begin)?, whole.get(begin..end)?);
    if marked.is_empty() || marked == whole.trim_start() {
        return None;
    }
    // Below a tab stands a tab, whatever its width.
    let blank: String = printable(before).chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    Some(blank + &"^".repeat(printable(marked).chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(file: &str, line: u32) -> Frame {
        Frame { file: file.to_owned(), line, function: "f".to_owned(), ..Frame::default() }
    }

    fn shown(style: &Style, stack: &[Frame]) -> String {
        let source = |file: &str, line: u32| (file == "/app/a.py").then(|| format!("    line({line})"));
        let mut out = String::new();
        Stacks::new(style, &source).put(&mut out, stack);
        out
    }

    #[test]
    fn frames_of_libraries_are_folded_but_for_the_innermost() {
        let stack = [
            frame("/usr/lib/python3.14t/asyncio/streams.py", 1),
            frame("/usr/lib/python3.14t/asyncio/streams.py", 2),
            Frame { columns: Some((4, 8)), ..frame("/app/a.py", 7) },
            frame("/v/site-packages/six.py", 3),
            frame("/usr/lib/python3.14t/concurrent/futures/thread.py", 4),
            frame("/usr/lib/python3.14t/threading.py", 5),
        ];
        let expected = "    \
    /usr/lib/python3.14t/asyncio/streams.py:1 in f
    ... 1 frame of asyncio
    /app/a.py:7 in f
      6 | line(6)
      7 | line(7)
        | ^^^^
      8 | line(8)
    ... 3 frames of six, concurrent.futures, threading
";
        assert_eq!(shown(&Style::default(), &stack), expected);
        let own = Style { own: vec!["six".to_owned()], ..Style::default() };
        assert!(shown(&own, &stack).contains("/v/site-packages/six.py:3 in f\n    ... 2 frames of concurrent.futures"));
        let full = shown(&Style { is_full: true, ..Style::default() }, &stack);
        assert_eq!(full.matches(" in f\n").count(), 6, "{full}");
    }

    #[test]
    fn the_lines_around_are_faint_and_the_line_itself_is_not() {
        let coloured = shown(&Style { has_colours: true, ..Style::default() }, &[frame("/app/a.py", 7)]);
        let is_faint = |line: u32| coloured.contains(&format!("\u{1b}[2mline({line})\u{1b}[0m"));
        assert_eq!([6, 7, 8].map(is_faint), [true, false, true], "{coloured}");
        assert!(coloured.contains("line(7)"), "{coloured}");
    }

    #[test]
    fn the_way_to_a_stack_is_that_of_the_program() {
        let library = frame("/usr/lib/python3.14t/threading.py", 1);
        let stack = [library.clone(), frame("/app/b.py", 2), library.clone(), frame("/app/b.py", 3), library.clone()];
        let outer = |stack: &[Frame]| {
            let mut out = String::new();
            Stacks::new(&Style::default(), &|_, _| None).put_outer(&mut out, stack);
            out
        };
        assert_eq!(outer(&stack), "    /app/b.py:2 in f\n    ... 1 frame of threading\n    /app/b.py:3 in f\n");
        assert_eq!(outer(&[library.clone(), library]), "    ... 2 frames of threading\n");
    }

    #[test]
    fn many_frames_of_the_program_and_many_libraries_are_cut() {
        let recursion: Vec<Frame> = (0..30).map(|line| frame("/app/b.py", line)).collect();
        assert!(shown(&Style::default(), &recursion).ends_with("/app/b.py:3 in f\n    ... and 26 frames further out\n"));
        let libraries: Vec<Frame> = (0..5).map(|number| frame(&format!("/site-packages/lib{number}/x.py"), 1)).collect();
        assert!(shown(&Style::default(), &libraries).ends_with("    ... 4 frames of lib1, lib2, lib3 and 1 more\n"));
    }

    #[test]
    fn a_line_is_shown_once() {
        let text = shown(&Style::default(), &[frame("/app/a.py", 3), frame("/app/a.py", 9), frame("/app/a.py", 9)]);
        assert_eq!(text.matches("line(9)").count(), 1, "{text}");
    }

    #[test]
    fn the_way_to_two_accesses_is_shown_once() {
        let way = [frame("/app/b.py", 20), frame("/usr/lib/python3.14t/threading.py", 1)];
        let told = |inner: [u32; 2], ways: [&[Frame]; 2]| {
            let source = |file: &str, line: u32| (file == "/app/a.py").then(|| format!("line({line})"));
            let (mut out, style) = (String::new(), Style::default());
            let mut stacks = Stacks::new(&style, &source);
            for (line, way) in inner.into_iter().zip(ways) {
                stacks.put(&mut out, &[&[frame("/app/a.py", line)], way].concat());
            }
            out
        };
        let text = told([3, 4], [&way, &way]);
        assert!(
            text.ends_with("    /app/a.py:4 in f\n      4 | line(4)\n      5 | line(5)\n    ... and the same 2 frames\n"),
            "{text}"
        );
        assert_eq!(text.matches("line(3)").count(), 1, "shown above: {text}");
        // One line of the program is no longer than what would stand for it, and other frames are folded already.
        for way in [&way[..1], &way[1..]] {
            assert!(!told([3, 9], [way, way]).contains("the same"));
        }
        assert!(!told([3, 9], [&way, &[way[1].clone(), way[0].clone()]]).contains("the same"), "another order, another way");
    }

    #[test]
    fn marks_stand_below_what_is_meant() {
        assert_eq!(mark("    self.n += 1", 4, (4, 10)).as_deref(), Some("^^^^^^"));
        assert_eq!(mark("    é = x.y", 4, (9, 12)).as_deref(), Some("    ^^^"), "columns are bytes");
        assert_eq!(mark("\tx = y", 0, (5, 6)).as_deref(), Some("\t    ^"));
        assert_eq!(mark("f(a,", 0, (2, 0)).as_deref(), Some("  ^^"), "it goes on");
        for (line, columns) in [("f()", (0, 3)), ("é", (1, 2)), ("f()", (9, 12)), ("f()", (2, 1))] {
            assert_eq!(mark(line, 0, columns), None, "{line} {columns:?}");
        }
    }

    #[test]
    fn only_the_programs_innermost_line_has_neighbours() {
        let text = shown(&Style::default(), &[frame("/app/a.py", 3), frame("/app/a.py", 20)]);
        assert!(text.contains("2 | line(2)\n") && text.contains("\n      line(20)\n") && !text.contains("line(19)"), "{text}");
        let inner = frame("/usr/lib/python3.14t/threading.py", 1);
        let text = shown(&Style::default(), &[inner, frame("/app/a.py", 20)]);
        assert!(text.contains("19 | line(19)\n"), "{text}");
    }

    #[test]
    fn what_was_shown_is_shown_again_below_another_text() {
        let source = |_: &str, line: u32| Some(format!("line({line})"));
        let (style, stack) = (Style::default(), [frame("/app/a.py", 3), frame("/app/b.py", 4), frame("/app/b.py", 5)]);
        let mut stacks = Stacks::new(&style, &source);
        let mut told = || {
            let mut out = String::new();
            stacks.put(&mut out, &stack);
            stacks.forget();
            out
        };
        assert_eq!(told(), told());
    }
}
