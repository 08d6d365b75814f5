//! Two stacks beside each other, where a terminal is wide enough for both.

/// Terminals with fewer columns have the stacks below each other.
const NARROWEST: usize = 120;

/// What ends a colour.
const RESET: &str = "\u{1b}[0m";

/// How deep source stands in a stack.  It is not wrapped, since marks below it belong to its columns; the text beyond is cut off.
const SOURCE: usize = 6;

/// What stands for the rest of a line.
const CUT: Cell<'_> = ('\u{2026}', "");

/// A character, and the escape sequence that gives it its colour, if it has one.
type Cell<'a> = (char, &'a str);

/// Whether two blocks may stand beside each other in a terminal of this many columns.
pub(super) fn has_room(columns: usize) -> bool {
    columns >= NARROWEST
}

/// Two blocks of lines beside each other; `None` if they do not fit.
pub(super) fn beside(left: &str, right: &str, columns: usize) -> Option<String> {
    if !has_room(columns) {
        return None;
    }
    // The last column stays empty: some terminals begin a new line after it.
    let width = (columns - 2) / 2;
    let (left, right) = (fitted(left, width)?, fitted(right, width)?);
    let mut out = String::new();
    for at in 0..left.len().max(right.len()) {
        let of = |block: &[Vec<Cell<'_>>]| block.get(at).map_or((0, String::new()), |line| (line.len(), written(line)));
        let ((used, left), (_, right)) = (of(&left), of(&right));
        let blank = " ".repeat(if right.is_empty() { 0 } else { width - used + 1 });
        out.push_str(&left);
        out.push_str(&blank);
        out.push_str(&right);
        out.push('\n');
    }
    Some(out)
}

/// The lines of a block, wrapped; `None` if marks do not fit, or if it is not known how wide something is.
fn fitted(block: &str, width: usize) -> Option<Vec<Vec<Cell<'_>>>> {
    let mut lines = Vec::new();
    for mut line in block.lines().map(cells) {
        if line.iter().any(|(c, _)| *c == '\t' || *c > '\u{24f}') {
            return None;
        }
        let indent = line.iter().take_while(|(c, _)| *c == ' ').count();
        if line.len() > width && indent >= SOURCE {
            if line.iter().all(|(c, _)| " |^".contains(*c)) {
                return None;
            }
            line.truncate(width - 1);
            line.push(CUT);
        }
        wrap(&line, indent + 4, width, &mut lines);
    }
    Some(lines)
}

/// A line with its escape sequences taken apart.
fn cells(line: &str) -> Vec<Cell<'_>> {
    let mut cells = Vec::new();
    let (mut rest, mut colour) = (line, "");
    while let Some(c) = rest.chars().next() {
        let end = rest.find('m').filter(|_| c == '\u{1b}');
        let (sequence, after) = rest.split_at(end.map_or(c.len_utf8(), |end| end + 1));
        match end {
            Some(_) => colour = if sequence == RESET { "" } else { sequence },
            None => cells.push((c, colour)),
        }
        rest = after;
    }
    cells
}

/// Cuts a line at blanks and slashes where it is too long, not inside of parentheses if that can be helped; the rest is indented.
fn wrap<'a>(line: &[Cell<'a>], indent: usize, width: usize, lines: &mut Vec<Vec<Cell<'a>>>) {
    let mut rest = line.to_vec();
    while rest.len() > width {
        let breaks = |at: &usize| rest[*at].0 == ' ' || rest[at - 1].0 == '/';
        let count = |at: usize, of: char| rest[..at].iter().filter(|(c, _)| *c == of).count();
        let is_outside = |at: &usize| count(*at, '(') == count(*at, ')');
        let mut places = (indent + 1..=width).rev().filter(breaks);
        let at = places.clone().find(is_outside).or_else(|| places.next()).unwrap_or(width);
        let tail: Vec<Cell<'a>> = rest[at..].iter().copied().skip_while(|(c, _)| *c == ' ').collect();
        rest.truncate(at);
        lines.push(rest);
        rest = std::iter::repeat_n((' ', ""), indent).chain(tail).collect();
    }
    lines.push(rest);
}

/// The line again, each colour ended where it ends.
fn written(line: &[Cell<'_>]) -> String {
    line.chunk_by(|one, next| one.1 == next.1)
        .map(|same| {
            let text: String = same.iter().map(|(c, _)| c).collect();
            if same[0].1.is_empty() { text } else { format!("{}{text}{RESET}", same[0].1) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_beside_each_other_where_there_is_room() {
        let (left, right) = ("  write:\n    app.py:1 in f\n", "  read:\n    app.py:2 in g\n      2 | x\n");
        let shown = beside(left, right, 120).unwrap();
        let blank = |used: usize| " ".repeat(60 - used);
        assert_eq!(
            shown,
            format!("  write:{}  read:\n    app.py:1 in f{}    app.py:2 in g\n{}      2 | x\n", blank(8), blank(17), blank(0))
        );
        assert!(beside(left, right, 119).is_none() && !has_room(119) && has_room(120));
    }

    #[test]
    fn long_lines_are_wrapped_and_source_is_cut_but_not_what_is_marked() {
        let place = format!("    /{}/deep.py:1 in f\n", "folder/".repeat(9));
        let shown = beside(&place, "  read:\n", 120).unwrap();
        assert!(shown.lines().all(|line| line.chars().count() < 120), "{shown}");
        assert_eq!(shown.lines().count(), 2);
        assert_eq!(
            shown.replace("  read:", "").split_whitespace().collect::<String>(),
            place.split_whitespace().collect::<String>()
        );
        let heading = format!("  update by thread '{}' (native id 4712):\n", "x".repeat(30));
        assert!(beside(&heading, "", 120).unwrap().contains("\n      (native id 4712):"));
        let word = format!("    {}\n", "x".repeat(200));
        assert_eq!(beside("", &word, 120).unwrap().matches('x').count(), 200);
        let long = format!("      1 | {}\n        | ^^\n", "x".repeat(60));
        assert_eq!(beside(&long, "", 120).unwrap(), format!("      1 | {}\u{2026}\n        | ^^\n", "x".repeat(48)));
        for unfit in [format!("{long}        | {}^\n", " ".repeat(60)), "    a\tb\n".to_owned(), "    日本\n".to_owned()] {
            assert!(beside(&unfit, "", 120).is_none() && beside("", &unfit, 120).is_none(), "{unfit}");
        }
    }

    #[test]
    fn colours_take_no_room_and_end_in_their_column() {
        let red = format!("    \u{1b}[31m{}\u{1b}[0m end\n", "red ".repeat(20));
        let shown = beside(&red, "  right\n", 120).unwrap();
        let first = shown.lines().next().unwrap();
        assert!(first.starts_with("    \u{1b}[31mred ") && first.ends_with("  right"), "{first}");
        assert!(first.split("  right").next().unwrap().trim_end().ends_with(RESET), "{first}");
        assert!(shown.lines().nth(1).unwrap().starts_with("        \u{1b}[31mred "), "{shown}");
    }

    fn wrapped(line: &str, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        wrap(&cells(line), 2, width, &mut lines);
        lines.iter().map(|line| written(line)).collect()
    }

    #[test]
    fn a_line_is_cut_before_a_blank_after_a_slash_and_not_in_parentheses() {
        assert_eq!(wrapped("one two three", 9), ["one two", "  three"]);
        assert_eq!(wrapped("/srv/app/main.py", 9), ["/srv/app/", "  main.py"]);
        assert_eq!(wrapped("thread (native id 4)", 15), ["thread", "  (native id 4)"], "not after (native");
        assert_eq!(wrapped("f (native id 471)", 9), ["f (native", "  id 471)"], "there is no better place");
        assert_eq!(wrapped("abcdefghij", 9), ["abcdefghi", "  j"]);
        assert_eq!(wrapped("abcdefghi", 9), ["abcdefghi"]);
    }

    #[test]
    fn source_that_fills_its_column_is_not_cut() {
        let line = |length: usize| format!("      {}\n", "x".repeat(length - SOURCE));
        let width = (120 - 2) / 2;
        assert!(!beside(&line(width), "", 120).unwrap().contains(CUT.0));
        assert!(beside(&line(width + 1), "", 120).unwrap().contains(CUT.0));
        let latin = "  é\u{24f}\n";
        assert!(beside(latin, "", 120).is_some() && beside("  \u{250}\n", "", 120).is_none(), "letters of one column");
    }
}
