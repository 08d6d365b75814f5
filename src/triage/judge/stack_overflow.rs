//! A stack overflow: the same few functions over and over, on a stack that is as long as it is shown.

use super::super::forms::said::STACK_UNREADABLE;
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
    // A thread's stack has megabytes: so few frames do not fill it, however often they repeat.
    const FEW: usize = 300;
    let said = facts.crash.message.contains("stack overflow") && !facts.crash.message.contains("stack smashing");
    if !said && !["SIGSEGV", "SIGBUS", "SIGABRT", ""].contains(&facts.crash.signal.as_str()) {
        return None;
    }
    let endless = facts.crashed.map_or(0, |thread| thread.endless);
    // faulthandler leaves out Python frames of a deep stack.
    let is_whole = facts.reaches_outermost() && (!facts.is_cut() || facts.python.len() >= DEEP);
    // Python code that calls Python code takes no native stack.
    if !said && endless == 0 && facts.native.len() < FEW && is_whole {
        return None;
    }
    let python = repeated(facts.python.iter().map(|frame| (frame.file.as_str(), frame.function.as_str(), 0)), DEEP);
    let native = facts.native.iter().filter(|frame| !is_noise(frame));
    let native = repeated(
        native.map(|frame| (frame.module.as_str(), clean(&frame.symbol), if frame.symbol.is_empty() { frame.offset } else { 0 })),
        if endless > 0 { 1 } else { DEEP_NATIVE },
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
        (None, None) if endless > 0 => {
            format!("stack overflow: endless or too deep recursion{}", place(Facts::programs_line(facts.python)))
        }
        (None, None) if facts.crash.message.contains(STACK_UNREADABLE) => {
            let evidence = vec![format!("{STACK_UNREADABLE}{}", place(Facts::programs_line(facts.python)))];
            let next = "look at the outer frames (bt -30) for what recurs; end the recursion, or make the stack larger (threading.stack_size(), ulimit -s)";
            return Some(verdict(CrashCause::Unknown, Confidence::Medium, evidence, next));
        }
        (None, None) if said => format!("stack overflow, says the interpreter{}", place(Facts::programs_line(facts.python))),
        (None, None) => return None,
    };
    let depth = if endless > 0 {
        format!("its native stack has {endless} frames")
    } else {
        format!("{} Python and {} native frames are shown, the same ones again and again", facts.python.len(), facts.native.len())
    };
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
    often.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
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

    use super::super::super::crash::{Crash, NativeFrame, Thread};

    fn told(signal: &str, message: &str, python: Vec<Frame>, native: &[&str]) -> Option<String> {
        let native = native.iter().map(|symbol| NativeFrame::named("/lib/a.so", symbol));
        let thread = Thread { crashed: true, python, native: native.collect(), ..Thread::default() };
        let crash = Crash { signal: signal.to_owned(), message: message.to_owned(), threads: vec![thread], ..Crash::default() };
        found(&Facts::new(&crash)).map(|mut verdict| verdict.evidence.remove(0))
    }

    fn frame(file: &str, function: &str) -> Frame {
        Frame { file: file.to_owned(), line: 5, function: function.to_owned(), ..Frame::default() }
    }

    #[test]
    fn a_native_stack_that_is_whole_and_short_has_not_run_out() {
        let deep = || vec![frame("/app/a.py", "f"); 120];
        let stack = |repeated: usize, outermost: &[&'static str]| {
            let mut symbols = vec!["visit"; repeated];
            symbols.extend(outermost);
            symbols
        };
        let out = ["pymain_main", "__libc_start_main", "_start"];
        assert_eq!(told("SIGSEGV", "", deep(), &stack(27, &out)), None);
        assert!(told("SIGSEGV", "", deep(), &stack(27, &[])).is_some(), "nobody knows how long it was");
        assert!(told("SIGSEGV", "", deep(), &stack(400, &out)).is_some());
        assert!(told("SIGSEGV", "stack overflow", deep(), &stack(27, &out)).is_some(), "the interpreter says so");
    }

    #[test]
    fn a_stack_whose_numbers_go_into_the_thousands_has_run_out() {
        let native = ["save", "save_list", "pymain_main", "_start"].map(|symbol| NativeFrame::named("", symbol));
        let endless = Thread { crashed: true, native: native.to_vec(), endless: 87_214, cut: true, ..Thread::default() };
        let crash = Crash { signal: "SIGSEGV".to_owned(), threads: vec![endless], ..Crash::default() };
        let verdict = found(&Facts::new(&crash)).unwrap();
        assert!(verdict.evidence[0].starts_with("stack overflow: endless or too deep recursion in save"), "{:?}", verdict.evidence);
        assert_eq!(verdict.evidence[1], "its native stack has 87214 frames");
    }

    #[test]
    fn what_the_interpreter_says_is_enough_and_what_libc_says_of_its_own_stack_is_none() {
        let said = "Fatal Python error: _Py_CheckRecursiveCall: stack overflow";
        let expected = "stack overflow, says the interpreter at /app/a.py:5 in f";
        assert_eq!(told("SIGABRT", said, vec![frame("/app/a.py", "f")], &[]).as_deref(), Some(expected));
        assert_eq!(told("SIGABRT", "", vec![frame("/app/a.py", "f")], &[]), None);
        let smashed = "*** stack smashing detected ***: not a stack overflow";
        assert_eq!(told("SIGABRT", smashed, vec![frame("/app/a.py", "f")], &[]), None);
    }

    #[test]
    fn a_deep_stack_is_one_if_the_signal_may_be_of_one() {
        let deep = || {
            let mut stack = vec![frame("/app/other.py", "f"), frame("/app/a.py", "g")];
            stack.extend(vec![frame("/app/a.py", "f"); 90]);
            stack
        };
        let expected = "stack overflow: endless or too deep recursion in f at /app/a.py:5 in f";
        for signal in ["SIGSEGV", "SIGBUS", "SIGABRT", ""] {
            assert_eq!(told(signal, "", deep(), &[]).as_deref(), Some(expected), "{signal}");
        }
        assert_eq!(told("SIGILL", "", deep(), &[]), None);
        assert_eq!(told("SIGILL", "it was a stack overflow", deep(), &[]).as_deref(), Some(expected));
        let native = told("SIGSEGV", "", vec![frame("/app/a.py", "f")], &["visit"; 30]);
        assert_eq!(native.as_deref(), Some("stack overflow: endless or too deep recursion in visit at /app/a.py:5 in f"));
        assert_eq!(
            told("SIGSEGV", "", Vec::new(), &[""; 30]).as_deref(),
            Some("stack overflow: endless or too deep recursion in a function of a.so")
        );
    }
}
