//! A panic of Rust: a check in an extension module written in Rust failed.

use super::super::names::owner::{self, Owner};
use super::facts::Facts;
use super::nearest::suspects;
use super::verdict::{Confidence, CrashCause, Verdict, verdict};

/// Words of `PyO3` where an object is used by a thread that it does not belong to.
const OF_ANOTHER_THREAD: [&str; 2] = ["is unsendable, but", "unsendable pyclass"];

/// A panic before the process ended by SIGABRT, or without any signal.
pub(super) fn found(facts: &Facts<'_>) -> Option<Verdict> {
    if !["", "SIGABRT"].contains(&facts.crash.signal.as_str()) {
        return None;
    }
    // faulthandler's form keeps the head alone.
    let line = facts.crash.message.lines().filter(|line| line.contains("panicked at ")).max_by_key(|line| line.contains(": "))?;
    let (_, told) = line.split_once("panicked at ")?;
    if OF_ANOTHER_THREAD.iter().any(|words| line.contains(words)) {
        let evidence = vec![
            format!("an object that one thread must keep to itself was used or dropped by another one: Rust panicked at {told}"),
            suspects(facts),
        ];
        let next =
            "create, use and drop it in one thread, or ask the extension module for a class that may be sent between threads";
        return Some(verdict(CrashCause::CrossThreadMisuse, Confidence::Medium, evidence, next));
    }
    let file = told.split(": ").next().unwrap_or(told);
    let called = crate_of(file);
    const GONE: [&str; 3] = ["interpreter is finalizing", "interpreter is not initialized", "interpreter has been finalized"];
    if GONE.iter().any(|words| told.contains(words)) {
        let evidence = vec![
            format!("Rust code called the interpreter before it had started or when it was ending, and panicked at {told}"),
            "a thread of its own, or an object that is dropped there, outlived the main thread".to_owned(),
            suspects(facts),
        ];
        let culprit = culprit(facts, called);
        let next = "stop or join the threads of that module before the program ends (atexit), or report it there";
        return Some(Verdict { culprit, ..verdict(CrashCause::LibraryBug, Confidence::Low, evidence, next) });
    }
    let end = if facts.crash.signal.is_empty() {
        "a panic ends its thread, or PyO3 makes a PanicException of it: the interpreter did not crash"
    } else {
        "a panic that cannot go on ends the process: nothing of the interpreter failed"
    };
    let mut evidence = vec![format!("a check in Rust code failed: it panicked at {told}"), end.to_owned()];
    evidence.extend(called.map(|name| format!("the source file is of the crate {name}")));
    evidence.push(suspects(facts));
    let culprit = culprit(facts, called);
    let whose = culprit.clone().unwrap_or_else(|| "the extension module that has that code".to_owned());
    let next = format!("report it to {whose} with RUST_BACKTRACE=1; if two threads share the object, lock it");
    Some(Verdict { culprit, ..verdict(CrashCause::LibraryBug, Confidence::Low, evidence, &next) })
}

/// The crate that a source file is of: the folder in cargo's registry, else the one that `src` is in.
fn crate_of(file: &str) -> Option<&str> {
    let mut folders: Vec<&str> = file.split(['/', '\\']).collect();
    folders.pop();
    let at = folders.iter().rposition(|folder| *folder == "src")?;
    folders.get(at.checked_sub(1)?).copied().filter(|name| !name.is_empty() && !["library", "std", "core", "alloc"].contains(name))
}

/// A distribution that is loaded and has the crate's name, or the extension module that is on the stack.
fn culprit(facts: &Facts<'_>, called: Option<&str>) -> Option<String> {
    let normal = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let by_crate = called.and_then(|called| {
        // `polars-core-0.46.0`
        let called = normal(called);
        let fits = |name: &&&str| called == normal(name) || called.starts_with(&format!("{}_", normal(name)));
        facts.third_parties().iter().find(fits).map(|name| (*name).to_owned())
    });
    let on_stack = || {
        facts.native.iter().find_map(|frame| match owner::of(frame) {
            Owner::Extension(name, distribution) => Some(distribution.unwrap_or(name)),
            Owner::Interpreter | Owner::Stdlib(_) | Owner::Library(_) | Owner::C | Owner::Ours | Owner::Unknown => None,
        })
    };
    by_crate.or_else(on_stack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_that_is_gone_is_no_failed_check() {
        let of = |words: &str| {
            let message = format!("thread 'tokio' panicked at /r/src/state.rs:190:13: {words}");
            let crash = super::super::super::crash::Crash { message, signal: "SIGABRT".to_owned(), ..Default::default() };
            found(&Facts::new(&crash)).map(|verdict| verdict.evidence[0].clone())
        };
        let told = of("Cannot attach to the Python interpreter: the interpreter is finalizing").unwrap();
        assert!(told.starts_with("Rust code called the interpreter"), "{told}");
        assert!(of("strange").unwrap().starts_with("a check in Rust code failed"));
    }

    #[test]
    fn a_source_file_tells_its_crate() {
        for (file, called) in [
            ("/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/fastlog-0.22.0/src/gil.rs:7", Some("fastlog-0.22.0")),
            ("/home/u/fast-log/src/borrow/shared.rs:7", Some("fast-log")),
            ("C:\\b\\fastlog\\src\\lib.rs:7", Some("fastlog")),
            ("src/lib.rs:7", None),
            ("library/std/src/thread/mod.rs:7", None),
            ("/rustc/90b35a623/library/core/src/option.rs:7", None),
        ] {
            assert_eq!(crate_of(file), called, "{file}");
        }
    }

    use super::super::super::crash::{Crash, Extension, NativeFrame, Thread};

    fn judged(signal: &str, message: &str, extensions: &[&str], module: &str) -> Option<Verdict> {
        let native = vec![NativeFrame { module: module.to_owned(), ..NativeFrame::default() }];
        let extension = |name: &&str| Extension { name: (*name).to_owned(), ..Extension::default() };
        let crash = Crash {
            signal: signal.to_owned(),
            message: message.to_owned(),
            threads: vec![Thread { crashed: true, native, ..Thread::default() }],
            extensions: extensions.iter().map(extension).collect(),
            ..Crash::default()
        };
        found(&Facts::new(&crash))
    }

    #[test]
    fn a_panic_is_of_the_crate_that_is_loaded_or_else_of_the_module_on_the_stack() {
        let at = "panicked at /b/fast-log-0.22.0/src/lib.rs:7: no such key";
        let module = "/v/site-packages/slowlog/_core.cpython-314t-darwin.so";
        let culprit = |extensions: &[&str], module: &str| judged("SIGABRT", at, extensions, module).unwrap().culprit;
        assert_eq!(culprit(&["other", "Fast_Log._core"], module).as_deref(), Some("Fast_Log"));
        assert_eq!(culprit(&["other", "fast"], module).as_deref(), Some("fast"), "a crate of its own for a part");
        assert_eq!(culprit(&["other", "fas"], module).as_deref(), Some("slowlog"));
        assert_eq!(culprit(&["other"], "/lib/a.so"), None);
        let verdict = judged("SIGABRT", at, &[], module).unwrap();
        assert_eq!((verdict.verdict, verdict.confidence), (CrashCause::LibraryBug, Confidence::Low));
        assert!(verdict.evidence[1].contains("a panic that cannot go on"), "{:?}", verdict.evidence);
        assert!(verdict.next_step.starts_with("report it to slowlog "), "{}", verdict.next_step);
        assert!(judged("", at, &[], module).unwrap().evidence[1].contains("a panic ends its thread"));
        assert!(judged("SIGSEGV", at, &[], module).is_none() && judged("SIGABRT", "no", &[], module).is_none());
    }

    #[test]
    fn what_one_thread_must_keep_to_itself_is_misused_by_another_one() {
        let message = "panicked at src/lib.rs:7: fastlog::Log is unsendable, but sent to another thread";
        assert_eq!(judged("", message, &[], "").unwrap().verdict, CrashCause::CrossThreadMisuse);
    }
}
