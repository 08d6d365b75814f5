//! Several threads in methods of one object that is written in C, as the dying process noted it: where memory was damaged, that object's
//! methods may well have done it.  A verdict only where the crashing thread is in it and nothing else says whose it is.

use super::super::crash::{Called, Thread};
use super::super::names::lists::STDLIB_EXTENSIONS;
use super::conditions::like;
use super::facts::{Facts, Gil, party};
use super::racing;
use super::verdict::{Confidence, CrashCause, Verdict};

/// Classes that lock their objects, or that lock what others share.
const LOCKED: &[&str] = &[
    "_thread.*",
    "_queue.*",
    "_io.*",
    "_socket.*",
    "_ssl.*",
    "select.*",
    "_asyncio.*",
    "_contextvars.*",
    "_random.*",
    "_weakref.*",
    "_functools.*",
    "functools.*",
    "collections.*",
    "re.*",
    "ftsan.*",
];

/// Classes of the standard library whose methods change the object and have no lock: of these it is enough that a function has a name for
/// the object.  A thread that damaged memory in one may die where it is in no call.
const WITHOUT_LOCK: &[&str] = &[
    "_pickle.Pickler",
    "_pickle.Unpickler",
    "_elementtree.*",
    "xml.etree.ElementTree.*",
    "pyexpat.*",
    "_csv.*",
    "array.*iterator",
    "itertools.*",
    "sqlite3.*",
    "_multibytecodec.*",
    "_struct.unpack_iterator",
];

/// An object that several threads were in.
pub(super) struct Shared<'a> {
    called: &'a Called,
    threads: Vec<&'a Thread>,
    /// Of one of them it is known only that its function has a name for the object.
    by_name: bool,
}

/// The object that most threads were in, that of the crashing thread first.
pub(super) fn found<'a>(facts: &Facts<'a>) -> Option<Shared<'a>> {
    found_by(facts, |_| false)
}

/// The same; a name is enough for objects of classes `by_name` as well.
fn found_by<'a>(facts: &Facts<'a>, by_name: impl Fn(&str) -> bool) -> Option<Shared<'a>> {
    let mut all: Vec<Shared<'a>> = Vec::new();
    let mut add = |called: &'a Called, thread: &'a Thread, by_name: bool| match all.iter_mut().find(|known| known.called == called)
    {
        Some(known) if known.threads.iter().any(|of| std::ptr::eq(*of, thread)) => {}
        Some(known) => {
            known.threads.push(thread);
            known.by_name |= by_name;
        }
        None => all.push(Shared { called, threads: vec![thread], by_name }),
    };
    for thread in &facts.crash.threads {
        let is_in = |called: &&Called| called.class.contains('.') && !like(&called.class, LOCKED);
        if let Some(called) = thread.calls.as_ref().filter(is_in) {
            add(called, thread, false);
        }
        for used in thread.uses.iter().filter(|used| like(&used.class, WITHOUT_LOCK) || by_name(&used.class)) {
            add(used, thread, true);
        }
    }
    all.retain(|shared| shared.threads.len() > 1);
    all.into_iter().max_by_key(|shared| (shared.has_the_crashing_one(), shared.threads.len()))
}

impl Shared<'_> {
    /// As one line of evidence.
    pub(super) fn told(&self) -> String {
        let names: Vec<String> = self.threads.iter().map(|thread| racing::called(thread)).collect();
        let (last, others) = names.split_last().map_or((String::new(), &[][..]), |(last, others)| (last.clone(), others));
        let what = if self.by_name { "were in functions that use" } else { "were in methods of" };
        format!("{} and {last} {what} one {} at {:#x}", others.join(", "), self.called.class, self.called.object)
    }

    fn has_the_crashing_one(&self) -> bool {
        self.threads.iter().any(|thread| thread.crashed)
    }
}

/// The class of the object that several threads damaged memory in, where the verdict is of no more than that: no function of an extension
/// module is near, and no issue is known.
pub(super) fn decides<'a>(facts: &Facts<'a>, verdict: &Verdict) -> Option<&'a str> {
    const NEAR: usize = 4;
    let is_by_class =
        matches!(verdict.verdict, CrashCause::InterpreterBug | CrashCause::LibraryBug | CrashCause::ExtensionAssumesGil)
            && verdict.confidence == Confidence::Low
            && verdict.known_issue.is_none()
            && facts.gil() == Gil::Off;
    let is_of_culprit =
        |class: &str| verdict.culprit.as_ref().is_some_and(|culprit| culprit.split('.').next() == class.split('.').next());
    let shared = found_by(facts, is_of_culprit).filter(|shared| is_by_class && shared.has_the_crashing_one())?;
    let class = shared.called.class.as_str();
    let fits = match &verdict.culprit {
        Some(_) => class.contains('.') && is_of_culprit(class) && facts.extension_on_top(NEAR).is_none(),
        None => like(class, WITHOUT_LOCK),
    };
    fits.then_some(class)
}

/// Whose the class is, where a verdict knows nobody: of the object that the crashing thread shared with another one, or of the one that it was
/// in, where that extension module is the only one there is.  There, a name for the object is enough as well: what it has damaged is found
/// anywhere.
pub(super) fn or_the_class(facts: &Facts<'_>, verdict: Verdict) -> Verdict {
    let nobody = verdict.verdict == CrashCause::Unknown && verdict.confidence == Confidence::Low;
    if !nobody || facts.gil() != Gil::Off {
        return verdict;
    }
    let of_class = |class: &str| facts.crash.extensions.iter().find(|known| known.name == module_of(class));
    let only = |class: &str| of_class(class).is_some_and(|known| facts.third_parties() == [party(known)]);
    let by_name = || found_by(facts, only).filter(Shared::has_the_crashing_one);
    let shared = found(facts).filter(Shared::has_the_crashing_one).or_else(by_name);
    let own = || facts.crashed.and_then(|thread| thread.calls.as_ref()).filter(|called| !like(&called.class, LOCKED));
    let (class, with_another) = match (shared.as_ref(), own()) {
        (Some(shared), _) => (&shared.called.class, true),
        (None, Some(called)) => (&called.class, false),
        (None, None) => return verdict,
    };
    let module = module_of(class);
    let (cause, culprit, next) = match of_class(class) {
        _ if with_another && (STDLIB_EXTENSIONS.has(module) || STDLIB_EXTENSIONS.has(&format!("_{module}"))) => {
            let next =
                format!("give each thread its own {class}, or lock it; search CPython's issues for {class} and free threading");
            (CrashCause::InterpreterBug, None, next)
        }
        Some(known) => {
            let culprit = party(known);
            if !(with_another || only(class) && facts.others().next().is_some()) {
                return verdict;
            }
            let undeclared = known.declares_free_threading == Some(false);
            let cause = if undeclared { CrashCause::ExtensionAssumesGil } else { CrashCause::LibraryBug };
            let next = format!("guard each {class} that threads share with a lock; upgrade {culprit}, or report it there");
            (cause, Some(culprit.to_owned()), next)
        }
        None => return verdict,
    };
    let first = if let Some(shared) = &shared {
        let what = if shared.by_name { "in functions that use" } else { "in methods of" };
        format!("the crashing thread and another one were {what} one {class}, which is written in C: it seems to have no lock")
    } else {
        format!(
            "the crashing thread was at a method of a {class}, which is written in C, and no other extension module could have damaged memory"
        )
    };
    let evidence = std::iter::once(first).chain(verdict.evidence).collect();
    Verdict { verdict: cause, culprit, evidence, next_step: next, ..verdict }
}

/// The module of a class: `fastlog._core` of `fastlog._core.Log`.
fn module_of(class: &str) -> &str {
    class.rsplit_once('.').map_or("", |(module, _)| module)
}

#[cfg(test)]
mod tests {
    use super::super::super::crash::{Crash, Extension, NativeFrame, Python};
    use super::super::questions;
    use super::*;
    use crate::report::Frame;

    fn frame(function: &str) -> Frame {
        Frame { file: "/srv/app/app.py".to_owned(), line: 3, function: function.to_owned(), ..Frame::default() }
    }

    fn native(symbol: &str) -> NativeFrame {
        let module = "/usr/bin/python3.14t".to_owned();
        NativeFrame { module, symbol: symbol.to_owned(), ..NativeFrame::default() }
    }

    fn evidence(class: &str, objects: [u64; 3]) -> Vec<String> {
        let thread = |(at, object)| Thread {
            native_id: at,
            crashed: at == 1,
            calls: Some(Called { object, class: class.to_owned() }),
            ..Thread::default()
        };
        let threads = (1..).zip(objects).map(thread).collect();
        questions::of(&Crash { signal: "SIGSEGV".to_owned(), threads, ..Crash::default() }).evidence
    }

    #[test]
    fn threads_in_one_object_are_named() {
        let told = evidence("_pickle.Pickler", [64, 64, 128]);
        let expected = "thread 1 and thread 2 were in methods of one _pickle.Pickler at 0x40";
        assert!(told.iter().any(|line| line == expected), "{told:?}");
        let all = evidence("fastlog._core.Log", [64, 64, 64]);
        assert!(all.iter().any(|line| line.starts_with("thread 1, thread 2 and thread 3 were in methods of one")), "{all:?}");
    }

    #[test]
    fn one_that_a_function_only_has_a_name_for_counts_where_it_has_no_lock() {
        let judged = |class: &str, dies_at: &[&str]| {
            let object = Called { object: 64, class: class.to_owned() };
            let thread = |at: u64, called: bool| Thread {
                native_id: at,
                crashed: at == 1,
                calls: called.then(|| object.clone()),
                uses: if called { Vec::new() } else { vec![object.clone(), object.clone()] },
                python: ["dump", "worker", "run"].map(frame).into(),
                native: if at == 1 { dies_at.iter().map(|symbol| native(symbol)).collect() } else { Vec::new() },
                ..Thread::default()
            };
            let python = Python { gil: "disabled".to_owned(), ..Python::default() };
            let threads = vec![thread(1, false), thread(2, true)];
            questions::of(&Crash { signal: "SIGSEGV".to_owned(), python, threads, ..Crash::default() })
        };
        let heap = judged("_pickle.Pickler", &["_PyMem_MiMalloc", "_mi_malloc_generic", "PyList_New"]);
        assert_eq!((heap.verdict, heap.confidence), (CrashCause::InterpreterBug, Confidence::Low));
        assert!(heap.evidence[0].contains("in functions that use one _pickle.Pickler"), "{:?}", heap.evidence);
        assert_eq!(heap.signature, "[memory] | [shared _pickle.Pickler] | worker");
        // Wherever it dies, it is one crash.
        let elsewhere = judged("_pickle.Pickler", &["tb_dealloc", "_Py_Dealloc"]);
        assert_eq!((elsewhere.verdict, &elsewhere.signature), (heap.verdict, &heap.signature));
        for class in ["re.Pattern", "fastlog._core.Log", "_thread.lock", "datetime.datetime"] {
            let other = judged(class, &["_PyMem_MiMalloc", "_mi_malloc_generic", "PyList_New"]);
            assert_eq!(other.verdict, CrashCause::Unknown, "{class}");
            assert!(other.signature.starts_with("SIGSEGV | [heap]"), "{class}: {}", other.signature);
        }
    }

    #[test]
    fn a_name_is_enough_for_the_signature_where_the_class_is_the_culprits() {
        let judged = |class: &str| {
            let object = Called { object: 64, class: class.to_owned() };
            let dies = Thread {
                native_id: 1,
                crashed: true,
                calls: Some(object.clone()),
                python: vec![frame("worker")],
                native: vec![native("PyList_New")],
                ..Thread::default()
            };
            let other = Thread { native_id: 2, uses: vec![object], ..Thread::default() };
            let python = Python { gil: "disabled".to_owned(), ..Python::default() };
            let undeclared =
                Extension { name: "fastlog._core".to_owned(), declares_free_threading: Some(false), ..Extension::default() };
            let (threads, extensions) = (vec![dies, other], vec![undeclared]);
            questions::of(&Crash { signal: "SIGSEGV".to_owned(), python, threads, extensions, ..Crash::default() }).signature
        };
        assert_eq!(judged("fastlog._core.Log"), "[memory] | [shared fastlog._core.Log] | worker");
        assert_eq!(judged("slowlog._core.Log"), "SIGSEGV | PyList_New | worker");
    }

    #[test]
    fn a_name_is_enough_where_no_other_extension_module_is() {
        let judged = |others: &[&str], second: u64| {
            let thread = |at: u64, object: u64| Thread {
                native_id: at,
                crashed: at == 1,
                python: vec![frame("worker")],
                uses: vec![Called { object, class: "fastlog._core.Log".to_owned() }],
                native: vec![native("rangeiter_next")],
                ..Thread::default()
            };
            let extension = |name: &str| Extension { name: name.to_owned(), ..Extension::default() };
            let extensions = others.iter().chain(&["fastlog._core"]).map(|name| extension(name)).collect();
            let python = Python { gil: "disabled".to_owned(), ..Python::default() };
            let threads = vec![thread(1, 64), thread(2, second)];
            questions::of(&Crash { signal: "SIGSEGV".to_owned(), python, threads, extensions, ..Crash::default() })
        };
        let found = judged(&["_struct"], 64);
        assert_eq!((found.verdict, found.confidence), (CrashCause::LibraryBug, Confidence::Low));
        assert_eq!(found.signature, "[memory] | [shared fastlog._core.Log] | worker");
        // Another one may have done it, or each thread has its own.
        assert_ne!(judged(&["numpy._core._multiarray_umath"], 64).signature, found.signature);
        assert_ne!(judged(&[], 128).signature, found.signature);
        // CPython's own are not blamed, with nobody else there.
        let called = Called { object: 64, class: "_struct.Struct".to_owned() };
        let thread = |at| Thread { native_id: at, crashed: at == 1, calls: (at == 1).then(|| called.clone()), ..Thread::default() };
        let own = Extension { name: "_struct".to_owned(), ..Extension::default() };
        let python = Python { gil: "disabled".to_owned(), ..Python::default() };
        let crash = Crash {
            signal: "SIGSEGV".to_owned(),
            python,
            threads: vec![thread(1), thread(2)],
            extensions: vec![own],
            ..Crash::default()
        };
        assert_eq!(questions::of(&crash).verdict, CrashCause::Unknown);
    }

    #[test]
    fn those_in_different_ones_or_in_one_with_a_lock_are_not() {
        for (class, objects) in [("_pickle.Pickler", [64, 128, 192]), ("_thread.lock", [64; 3]), ("list", [64; 3])] {
            let told = evidence(class, objects);
            assert!(!told.iter().any(|line| line.contains("were in methods")), "{told:?}");
        }
    }

    #[test]
    fn the_class_is_whose_it_is_where_nobody_else_is() {
        let judged = |class: &str, gil: &str, in_it: [u64; 2]| {
            let thread = |at| Thread {
                native_id: at,
                crashed: at == 1,
                calls: in_it.contains(&at).then(|| Called { object: 64, class: class.to_owned() }),
                ..Thread::default()
            };
            let fastlog = Extension {
                name: "fastlog._core".to_owned(),
                distribution: "fastlog".to_owned(),
                declares_free_threading: Some(true),
                ..Extension::default()
            };
            let python = Python { gil: gil.to_owned(), ..Python::default() };
            let threads = (1..=3).map(thread).collect();
            let verdict = questions::of(&Crash {
                signal: "SIGSEGV".to_owned(),
                python,
                threads,
                extensions: vec![fastlog],
                ..Crash::default()
            });
            (verdict.verdict, verdict.confidence, verdict.culprit)
        };
        let low = |cause, culprit: Option<&str>| (cause, Confidence::Low, culprit.map(str::to_owned));
        assert_eq!(judged("_pickle.Pickler", "disabled", [1, 2]), low(CrashCause::InterpreterBug, None));
        assert_eq!(judged("fastlog._core.Log", "disabled", [1, 2]), low(CrashCause::LibraryBug, Some("fastlog")));
        // In it alone, where there is no other extension module; of the standard library that proves nothing.
        assert_eq!(judged("fastlog._core.Log", "disabled", [1, 1]), low(CrashCause::LibraryBug, Some("fastlog")));
        assert_eq!(judged("_pickle.Pickler", "disabled", [1, 1]), low(CrashCause::Unknown, None));
        // Not with the GIL, not where the crashing thread was elsewhere, not of a module that is not known.
        assert_eq!(judged("fastlog._core.Log", "enabled", [1, 2]), low(CrashCause::Unknown, None));
        assert_eq!(judged("fastlog._core.Log", "disabled", [2, 3]), low(CrashCause::Unknown, None));
        assert_eq!(judged("other._core.Log", "disabled", [1, 2]), low(CrashCause::Unknown, None));
    }

    #[test]
    fn a_thread_does_not_share_with_itself() {
        let object = Called { object: 64, class: "_pickle.Pickler".to_owned() };
        let thread = |calls: bool, uses: bool| Thread {
            crashed: true,
            calls: calls.then(|| object.clone()),
            uses: if uses { vec![object.clone()] } else { Vec::new() },
            ..Thread::default()
        };
        let count =
            |threads: Vec<Thread>| found(&Facts::new(&Crash { threads, ..Crash::default() })).map(|shared| shared.threads.len());
        assert_eq!(count(vec![thread(true, true)]), None);
        assert_eq!(count(vec![thread(true, true), thread(true, false)]), Some(2));
    }

    #[test]
    fn the_object_is_the_signature_only_where_nothing_else_is_known() {
        let shared = |class: &str, culprit: Option<&str>, change: &dyn Fn(&mut Verdict, &mut Crash)| {
            let called = Called { object: 64, class: class.to_owned() };
            let thread = |crashed| Thread { crashed, calls: Some(called.clone()), ..Thread::default() };
            let python = Python { gil: "disabled".to_owned(), ..Python::default() };
            let mut crash = Crash { python, threads: vec![thread(true), thread(false)], ..Crash::default() };
            let mut verdict = super::super::verdict::verdict(CrashCause::InterpreterBug, Confidence::Low, Vec::new(), "");
            verdict.culprit = culprit.map(str::to_owned);
            change(&mut verdict, &mut crash);
            decides(&Facts::new(&crash), &verdict).is_some()
        };
        assert!(shared("_pickle.Pickler", None, &|_, _| ()));
        assert!(shared("fastlog._core.Log", Some("fastlog"), &|_, _| ()));
        assert!(!shared("fastlog._core.Log", None, &|_, _| ()), "of no class that is known to have no lock");
        assert!(!shared("fastlog._core.Log", Some("other"), &|_, _| ()), "of another one than the culprit");
        assert!(!shared("_pickle.Pickler", None, &|verdict, _| verdict.verdict = CrashCause::Unknown));
        assert!(!shared("_pickle.Pickler", None, &|verdict, _| verdict.confidence = Confidence::Medium));
        assert!(!shared("_pickle.Pickler", None, &|verdict, _| verdict.known_issue = Some("gh-1".to_owned())));
        assert!(!shared("_pickle.Pickler", None, &|_, crash| crash.python.gil = "enabled".to_owned()));
        assert!(!shared("_pickle.Pickler", None, &|_, crash| crash.threads[0].crashed = false));
        let in_module = |_: &mut Verdict, crash: &mut Crash| {
            let module = "/v/site-packages/fastlog/_core.cpython-314t-darwin.so".to_owned();
            crash.threads[0].native = vec![NativeFrame { module, ..NativeFrame::default() }];
        };
        assert!(!shared("fastlog._core.Log", Some("fastlog"), &in_module), "its own function is near");
    }

    #[test]
    fn the_class_is_asked_only_where_a_verdict_knows_nobody() {
        let told = |cause, confidence| {
            let called = Called { object: 64, class: "fastlog._core.Log".to_owned() };
            let thread = |crashed| Thread { crashed, calls: Some(called.clone()), ..Thread::default() };
            let python = Python { gil: "disabled".to_owned(), ..Python::default() };
            let extensions = vec![Extension { name: "fastlog._core".to_owned(), ..Extension::default() }];
            let crash = Crash { python, threads: vec![thread(true), thread(false)], extensions, ..Crash::default() };
            let verdict = super::super::verdict::verdict(cause, confidence, Vec::new(), "look");
            or_the_class(&Facts::new(&crash), verdict).next_step
        };
        let expected = "guard each fastlog._core.Log that threads share with a lock; upgrade fastlog, or report it there";
        assert_eq!(told(CrashCause::Unknown, Confidence::Low), expected);
        assert_eq!(told(CrashCause::Unknown, Confidence::High), "look");
        assert_eq!(told(CrashCause::LibraryBug, Confidence::Low), "look");
    }
}
