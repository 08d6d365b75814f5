//! Prefixes of logs and marks of quotes, taken off the lines of a dump.

use std::collections::BTreeMap;

/// Shape of a prefix: digits and spaces in any number, everything else as it is.
fn shape(prefix: &str) -> Vec<char> {
    let mut shape: Vec<char> = prefix.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape.dedup_by(|a, b| a == b && (*a == '0' || *a == ' '));
    shape
}

/// What follows a prefix of that shape, if the line has one.
fn after_shape<'a>(line: &'a str, shape: &[char]) -> Option<&'a str> {
    let mut rest = line;
    for expected in shape {
        let of_kind = |c: char| if *expected == '0' { c.is_ascii_digit() } else { c == *expected };
        let after = rest.strip_prefix(of_kind)?;
        rest = if matches!(*expected, '0' | ' ') { after.trim_start_matches(of_kind) } else { after };
    }
    Some(rest)
}

/// Lines without what a log or a quote put in front of each.  `at_left` says where an entry begins that is printed at the left, so that all
/// before it is a prefix; `is_entry` whether there is any entry in a line.
pub(super) fn without_prefix(
    lines: &[String],
    at_left: impl Fn(&str) -> Option<usize>,
    is_entry: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut counted: BTreeMap<(Vec<char>, usize), usize> = BTreeMap::new();
    for line in lines {
        let Some(at) = at_left(line) else { continue };
        let before = line.get(..at).unwrap_or("");
        let prefix = before.trim_end();
        if !prefix.is_empty() && !prefix.contains('"') {
            *counted.entry((shape(prefix), before.len() - prefix.len())).or_default() += 1;
        }
    }
    let Some(((shape, gap), _)) = counted.into_iter().max_by_key(|(_, count)| *count) else { return lines.to_vec() };
    let having = lines.iter().filter(|line| after_shape(line, &shape).is_some()).count();
    // One line that something else was printed in front of is no prefix.
    if having < 2 || having * 3 < lines.iter().filter(|line| is_entry(line)).count() {
        return lines.to_vec();
    }
    let cut = |line: &String| {
        let Some(mut rest) = after_shape(line, &shape) else { return line.clone() };
        for _ in 0..gap {
            rest = rest.strip_prefix(' ').unwrap_or(rest);
        }
        rest.to_owned()
    };
    lines.iter().map(cut).collect()
}

/// Lines without the prefix that stands before an entry, found by the text with which entries begin.
pub(super) fn before_entries(lines: &[String], entry: &regex_lite::Regex) -> Vec<String> {
    let at = |line: &str| entry.find(line).map(|found| found.start());
    without_prefix(lines, at, |line| entry.is_match(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(lines: &[&str]) -> Vec<String> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        without_prefix(&lines, |line| line.find("ENTRY"), |line| line.contains("ENTRY"))
    }

    #[test]
    fn a_prefix_may_differ_in_its_digits_and_spaces() {
        let log = ["9 app[1]: ENTRY", "10 app[22]: ENTRY", "11  app[3]:   ENTRY", "12 app[4]:", "text"];
        assert_eq!(cut(&log), ["ENTRY", "ENTRY", "  ENTRY", "", "text"]);
        assert_eq!(cut(&["ENTRY", "ENTRY"]), ["ENTRY", "ENTRY"]);
    }

    #[test]
    fn the_prefix_of_most_entries_is_taken_off() {
        assert_eq!(cut(&["a: ENTRY", "z: ENTRY", "a: ENTRY"]), ["ENTRY", "z: ENTRY", "ENTRY"]);
        assert_eq!(cut(&["z: ENTRY", "a: ENTRY", "z: ENTRY"]), ["ENTRY", "a: ENTRY", "ENTRY"]);
    }

    #[test]
    fn what_stands_before_few_entries_is_no_prefix() {
        let alone = ["a: ENTRY", "text", "text"];
        assert_eq!(cut(&alone), alone);
        let of = |entries: usize| [vec!["a: ENTRY"; 2], vec!["ENTRY"; entries - 2]].concat();
        assert_eq!(cut(&of(6))[0], "ENTRY", "a third of them");
        assert_eq!(cut(&of(7))[0], "a: ENTRY", "fewer");
        let quoted = ["say \"ENTRY", "say \"ENTRY"];
        assert_eq!(cut(&quoted), quoted, "a string that begins is no prefix");
    }
}
