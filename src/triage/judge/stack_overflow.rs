//! A stack overflow: the same few functions over and over, on a stack that is as long as it is shown.

use super::super::names::{paths, symbols::clean};
use super::facts::{Facts, is_noise, unqualified};
use super::racing;
use super::verdict::{Confidence, CrashCause, Verdict, verdict};
use crate::report::Frame;
use std::collections::BTreeMap;

/// The same few functions over and over, on a stack that is as long as it is shown.
pub(super) fn found(facts: &Facts<'_>) -> Option<Verdict> {
    const DEEP: usize = 90;
    const DEEP_NATIVE: usize = 24;
    let said = facts.crash.message.contains("stack overflow") && !facts.crash.message.contains("stack smashing");
    if !said && !["SIGSEGV", "SIGBUS", "SIGABRT", ""].contains(&facts.crash.signal.as_str()) {
        return None;
    }
    let python = repeated(facts.python.iter().map(|frame| (frame.file.as_str(), frame.function.as_str(), 0)), DEEP);
    let native = facts.native.iter().filter(|frame| !is_noise(frame));
    let native = repeated(
        native.map(|frame| (frame.module.as_str(), clean(&frame.symbol), if frame.symbol.is_empty() { frame.offset } else { 0 })),
        DEEP_NATIVE,
    );
    let place = |frame: Option<&Frame>| racing::at(frame);
    let what = match (python, native) {
        (Some((file, function, _)), _) => {
            let frame = facts.python.iter().find(|frame| frame.file == file && frame.function == function);
            format!("stack overflow: endless or too deep recursion in {}{}", unqualified(function), place(frame))
        }
        (None, Some((module, symbol, _))) => {
            let name = if symbol.is_empty() { format!("a function of {}", paths::base(module)) } else { symbol.to_owned() };
            format!("stack overflow: endless or too deep recursion in {name}{}", place(Facts::programs_line(facts.python)))
        }
        (None, None) if said => format!("stack overflow, says the interpreter{}", place(Facts::programs_line(facts.python))),
        (None, None) => return None,
    };
    let depth =
        format!("{} Python and {} native frames are shown, the same ones again and again", facts.python.len(), facts.native.len());
    let next = "end the recursion, or make the stack larger (threading.stack_size(), ulimit -s); threads are not involved";
    Some(verdict(CrashCause::Unknown, Confidence::High, vec![what, depth], next))
}

/// The most frequent frame of a stack that is at least so deep, if a few make up most of it.
fn repeated<'k>(frames: impl Iterator<Item = (&'k str, &'k str, u64)>, deep: usize) -> Option<(&'k str, &'k str, u64)> {
    let mut counts: BTreeMap<(&str, &str, u64), usize> = BTreeMap::new();
    let mut total = 0;
    for frame in frames {
        *counts.entry(frame).or_default() += 1;
        total += 1;
    }
    // Mutual recursion of a few functions: together they make up the stack.
    let mut often: Vec<(usize, (&str, &str, u64))> = counts.into_iter().map(|(frame, count)| (count, frame)).collect();
    often.sort_by_key(|(count, _)| usize::MAX - count);
    let cycle: usize = often.iter().take(3).map(|(count, _)| count).sum();
    (total >= deep && cycle * 4 >= total * 3).then(|| often.first().map(|(_, frame)| *frame)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_functions_that_make_up_a_deep_stack_are_named_by_the_most_frequent() {
        let stack = |counts: &[(&'static str, usize)], deep: usize| {
            let frames = counts.iter().flat_map(|(name, count)| std::iter::repeat_n(("m", *name, 0), *count));
            repeated(frames, deep).map(|(_, name, _)| name)
        };
        assert_eq!(stack(&[("f", 8), ("g", 9), ("h", 7)], 24), Some("g"), "three functions");
        assert_eq!(stack(&[("f", 8), ("g", 9), ("h", 7)], 25), None, "not deep enough");
        assert_eq!(stack(&[("f", 18), ("a", 1), ("b", 1), ("c", 4)], 24), Some("f"));
        assert_eq!(stack(&[("f", 6), ("g", 6), ("h", 6), ("i", 6)], 24), Some("f"), "three quarters of it");
        assert_eq!(stack(&[("f", 6), ("g", 6), ("h", 6), ("i", 4), ("j", 3)], 24), None, "less than that");
    }
}
