//! Tests of `nearest.rs`.

use super::super::super::crash::{Crash, Extension, NativeFrame, Thread};
use super::*;

const OWN: &str = "/v/lib/python3.14t/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";
const PYTHON: &str = "/usr/bin/python3.14t";
const LIBC: &str = "/lib/x86_64-linux-gnu/libc.so.6";
const XML: &str = "/usr/lib/libxml2.so.2";

fn crash(frames: &[(&str, &str)], gil: &str) -> Crash {
    let native = frames.iter().map(|(module, symbol)| NativeFrame::named(module, symbol)).collect();
    let mut crash = Crash { threads: vec![Thread { crashed: true, native, ..Thread::default() }], ..Crash::default() };
    gil.clone_into(&mut crash.python.gil);
    crash
}

fn in_python(stack: &[(&str, &str)], gil: &str) -> Crash {
    let mut crash = crash(&[], gil);
    let frame = |(file, function): &(&str, &str)| Frame {
        file: (*file).to_owned(),
        function: (*function).to_owned(),
        line: 5,
        ..Frame::default()
    };
    crash.threads[0].python = stack.iter().map(frame).collect();
    crash
}

fn with(mut crash: Crash, name: &str, distribution: &str, declares_free_threading: Option<bool>) -> Crash {
    let (name, distribution) = (name.to_owned(), distribution.to_owned());
    crash.extensions.push(Extension { name, distribution, declares_free_threading, ..Extension::default() });
    crash
}

fn fastlog(frames: &[(&str, &str)], gil: &str, declares: Option<bool>) -> Crash {
    with(crash(frames, gil), "fastlog._core", "fastlog", declares)
}

fn judged(verdict: Option<Verdict>) -> Option<(CrashCause, Confidence)> {
    verdict.map(|verdict| (verdict.verdict, verdict.confidence))
}

fn of(crash: &Crash) -> Verdict {
    extension(&Facts::new(crash)).expect("an extension module is on top")
}

fn first(verdict: &Verdict) -> &str {
    &verdict.evidence[0]
}

#[test]
fn how_sure_it_is_of_an_extension_depends_on_what_that_declares_and_on_the_gil() {
    use Confidence::{High, Low, Medium};
    use CrashCause::{ExtensionAssumesGil, LibraryBug};
    let (top, one, two) = (vec![(OWN, "f")], vec![(PYTHON, "g"), (OWN, "f")], vec![(PYTHON, "h"), (PYTHON, "g"), (OWN, "f")]);
    for (stack, gil, declares, expected) in [
        (&top, "disabled", Some(false), (ExtensionAssumesGil, High)),
        (&one, "disabled", Some(false), (ExtensionAssumesGil, High)),
        (&two, "disabled", Some(false), (ExtensionAssumesGil, Medium)),
        (&top, "", Some(false), (ExtensionAssumesGil, Low)),
        (&top, "enabled", Some(false), (LibraryBug, Low)),
        (&top, "disabled", Some(true), (LibraryBug, Medium)),
        (&one, "enabled", Some(true), (LibraryBug, Medium)),
        (&two, "disabled", Some(true), (LibraryBug, Low)),
        (&top, "disabled", None, (LibraryBug, Medium)),
        (&two, "disabled", None, (LibraryBug, Low)),
        (&top, "", None, (LibraryBug, Low)),
        (&top, "enabled", None, (LibraryBug, Low)),
    ] {
        let verdict = of(&fastlog(stack, gil, declares));
        assert_eq!((verdict.verdict, verdict.confidence), expected, "{stack:?} {gil} {declares:?}");
        assert_eq!(verdict.culprit.as_deref(), Some("fastlog"));
        assert!(!verdict.evidence.iter().any(|line| line.contains("loaded")), "nobody else is suspected");
    }
    let said = |gil: &str, declares: Option<bool>| of(&fastlog(&top, gil, declares)).evidence[1].clone();
    assert!(said("enabled", None).starts_with("the process has the GIL"));
    assert!(said("disabled", None).starts_with("whether fastlog._core declares"));
    assert!(said("disabled", Some(true)).starts_with("fastlog._core declares free-threading support, version"));
}

#[test]
fn others_in_the_process_or_a_library_on_top_make_it_less_sure() {
    let top = [(OWN, "f")];
    let verdict = of(&with(fastlog(&top, "disabled", Some(true)), "yarl._quoting", "yarl", None));
    assert_eq!(verdict.confidence, Confidence::Low);
    assert_eq!(verdict.evidence.last().map(String::as_str), Some("extension modules of fastlog, yarl are loaded"));
    assert_eq!(of(&crash(&top, "disabled")).confidence, Confidence::Low, "nobody knows what is loaded");
    for below in ["/v/site-packages/yarl/_q.cpython-314t-x86_64-linux-gnu.so", XML] {
        let verdict = of(&fastlog(&[(OWN, "f"), (below, "g")], "disabled", Some(true)));
        assert_eq!(verdict.confidence, Confidence::Low, "{below} is on the stack");
    }
    assert_eq!(of(&fastlog(&[(XML, "g"), (OWN, "f")], "disabled", Some(true))).confidence, Confidence::Low);
}

#[test]
fn a_process_of_one_thread_does_not_need_the_gil() {
    let mut crash = fastlog(&[(OWN, "f")], "disabled", Some(false));
    (crash.code, crash.command) = (Some(1), vec!["python".to_owned()]);
    let verdict = of(&crash);
    assert_eq!((verdict.verdict, verdict.confidence), (CrashCause::LibraryBug, Confidence::Medium));
    crash.threads.push(Thread::default());
    assert_eq!(of(&crash).verdict, CrashCause::ExtensionAssumesGil, "there is another one");
}

#[test]
fn a_null_pointer_is_the_extensions_only_if_it_is_on_top() {
    let says = |frames: &[(&str, &str)], address: Option<u64>| {
        let crash = Crash { address, ..fastlog(frames, "disabled", None) };
        of(&crash).evidence.iter().any(|line| line == "a null pointer was used")
    };
    assert!(says(&[(OWN, "f")], Some(0)) && !says(&[(OWN, "f")], Some(8)) && !says(&[(OWN, "f")], None));
    assert!(!says(&[(PYTHON, "g"), (OWN, "f")], Some(0)));
}

#[test]
fn the_place_names_what_the_extension_called() {
    let by = ", called by the extension module fastlog._core (f)";
    for (top, place) in [
        ((XML, "xmlFree"), format!("it died in the library libxml2.so.2{by}")),
        ((XML, ""), format!("it died in the library libxml2.so.2{by}")),
        (("", "strange"), format!("it died in strange{by}")),
        ((PYTHON, "PyDict_Next"), format!("it died in the interpreter's PyDict_Next{by}")),
        ((LIBC, "memcpy"), "it died inside the extension module fastlog._core (f)".to_owned()),
        (("???", ""), "it died inside the extension module fastlog._core (f)".to_owned()),
    ] {
        assert_eq!(first(&of(&crash(&[top, (OWN, "f")], ""))), place);
    }
    assert_eq!(first(&of(&crash(&[(OWN, "")], ""))), "it died inside the extension module fastlog._core");
    let brought = of(&crash(&[("/v/site-packages/pyarrow/libarrow.so.2500", "f")], "disabled"));
    assert_eq!(first(&brought), "it died inside the library libarrow.so.2500 (f)");
    assert_eq!(brought.evidence[1], "pyarrow brings that library along");
    for file in ["libarrow.2500.dylib", "arrow.dll"] {
        assert!(is_library(file), "{file}");
    }
    assert!(!is_library("fastlog._core"));
}

#[test]
fn a_module_whose_distribution_nobody_names_is_no_package() {
    let next = |module: &str| of(&crash(&[(module, "f")], "enabled")).next_step;
    assert!(next("_strange.cpython-314t-x86_64-linux-gnu.so").starts_with("upgrade the package that has the module _strange;"));
    assert!(next("/home/u/build/_strange.cpython-314t-x86_64-linux-gnu.so").starts_with("upgrade _strange;"));
    assert!(next("C:\\build\\_strange.cp314t-win_amd64.pyd").starts_with("upgrade _strange;"));
    let listed = with(crash(&[("_strange.cpython-314t-x86_64-linux-gnu.so", "f")], "enabled"), "_strange", "", None);
    assert!(of(&listed).next_step.starts_with("upgrade _strange;"));
}

#[test]
fn a_module_of_cpython_is_its_bug_only_without_the_gil() {
    let json = [("/usr/lib/python3.14t/lib-dynload/_json.cpython-314t-x86_64-linux-gnu.so", "scan")];
    let cause = |gil: &str| of(&crash(&json, gil)).verdict;
    assert_eq!(["disabled", "enabled", ""].map(cause), [CrashCause::InterpreterBug, CrashCause::Unknown, CrashCause::Unknown]);
    let verdict = of(&crash(&json, ""));
    assert_eq!(verdict.evidence[..2], ["it died inside the extension module _json (scan)", "_json is part of CPython"]);
}

#[test]
fn an_extension_is_near_below_at_most_three_functions_of_the_interpreter() {
    let below = |count: usize| {
        let mut frames = vec![(PYTHON, "g"); count];
        frames.push((OWN, "f"));
        extension(&Facts::new(&crash(&frames, ""))).is_some()
    };
    assert!(below(3) && !below(4));
    let mut cut = crash(&[(OWN, "f")], "");
    cut.threads[0].top_cut = true;
    assert!(extension(&Facts::new(&cut)).is_none(), "the innermost frames are missing");
}

#[test]
fn a_library_on_top_is_told_with_its_caller() {
    let told = |frames: &[(&str, &str)]| library(&Facts::new(&crash(frames, ""))).map(|verdict| first(&verdict).to_owned());
    let expect = |text: &str| Some(format!("it died in the library libxml2.so.2{text}"));
    assert_eq!(told(&[(XML, "a"), (XML, "b"), (LIBC, "qsort"), (PYTHON, "cfun")]), expect(" (a), called by cfun"));
    assert_eq!(told(&[(LIBC, "memcpy"), ("", "strange"), (XML, "a")]), expect(" (a)"));
    assert_eq!(told(&[(XML, ""), (PYTHON, "")]), expect(""));
    assert_eq!(told(&[(PYTHON, "cfun"), (XML, "a")]), None);
    let mut cut = crash(&[(XML, "a")], "");
    cut.threads[0].top_cut = true;
    assert!(library(&Facts::new(&cut)).is_none());
}

#[test]
fn without_a_native_stack_a_package_that_is_alone_is_the_guess() {
    let stack = [("/v/site-packages/fastlog/api.py", "log"), ("/app.py", "main")];
    let guess = |crash: &Crash| package(&Facts::new(crash)).and_then(|verdict| verdict.culprit);
    let alone = with(in_python(&stack, ""), "fastlog._core", "fastlog", None);
    assert_eq!(guess(&alone).as_deref(), Some("fastlog"));
    assert_eq!(guess(&with(alone.clone(), "yarl._quoting", "yarl", None)), None);
    assert_eq!(guess(&with(in_python(&stack, ""), "yarl._quoting", "yarl", None)), None);
    assert_eq!(guess(&with(in_python(&stack[1..], ""), "fastlog._core", "fastlog", None)), None, "the program's own line");
    let mut known = alone;
    known.threads[0].native.push(NativeFrame::named(PYTHON, "f"));
    assert_eq!(guess(&known), None, "there is a native stack");
}

#[test]
fn a_package_that_is_being_imported_is_told_as_such() {
    const IMPORT: &str = "<frozen importlib._bootstrap>";
    let init = ("/v/site-packages/fastlog/__init__.py", "<module>");
    let told = |stack: &[(&str, &str)], gil: &str| judged(package(&Facts::new(&in_python(stack, gil))));
    let (off, other) = (Some((CrashCause::ExtensionAssumesGil, Confidence::Low)), Some((CrashCause::LibraryBug, Confidence::Low)));
    for loads in ["create_module", "exec_module"] {
        let stack = [("<frozen importlib._bootstrap_external>", loads), (IMPORT, "_load"), init, ("/app.py", "<module>")];
        assert_eq!([told(&stack, "disabled"), told(&stack, "enabled")], [off, other]);
    }
    assert_eq!(told(&[init, (IMPORT, "_call_with_frames_removed")], ""), other);
    assert_eq!(told(&[init, (IMPORT, "_load")], ""), other);
    assert_eq!(told(&[init, ("importlib", "_call_with_frames_removed")], ""), other);
    assert_eq!(told(&[init, ("/app.py", "main")], ""), None, "run, not imported");
    assert_eq!(told(&[(init.0, "log"), (IMPORT, "_load")], ""), None, "a function of it");
    assert_eq!(told(&[(IMPORT, "_load"), init], ""), None, "nothing loads an extension module");
}

#[test]
fn a_package_in_its_source_tree_is_the_folder_of_its_init() {
    let itself = |file: &str| {
        let crash = in_python(&[(file, "<module>")], "");
        imports_itself(&crash.threads[0].python).map(str::to_owned)
    };
    assert_eq!(itself("/home/u/fastlog/__init__.py").as_deref(), Some("fastlog"));
    assert_eq!(itself("C:\\src\\fastlog\\__init__.py").as_deref(), Some("fastlog"));
    for file in ["/usr/lib/python3.14t/json/__init__.py", "/__init__.py", "/home/u/fastlog/api.py"] {
        assert_eq!(itself(file), None, "{file}");
    }
}

#[test]
fn a_call_of_address_zero_is_told_with_its_caller() {
    let told = |frames: &[(&str, &str)], address: u64| {
        first(&interpreter(&Facts::new(&Crash { address: Some(address), ..crash(frames, "") }))).to_owned()
    };
    assert!(told(&[("", ""), (PYTHON, "tp_call")], 0).starts_with("a function at address 0 was called by tp_call: "));
    assert!(told(&[("", ""), (PYTHON, "")], 0).starts_with("a function at address 0 was called by python3.14t: "));
    assert!(told(&[("", "")], 0).starts_with("a function at address 0 was called: "));
    for (frames, address) in [([("", ""), (PYTHON, "f")], 8), ([(PYTHON, ""), (PYTHON, "f")], 0), ([("", "f"), (PYTHON, "g")], 0)] {
        assert!(told(&frames, address).starts_with("it died in the interpreter"), "{frames:?} {address}");
    }
}

#[test]
fn the_interpreter_is_named_if_it_is_on_the_stack_and_blamed_if_it_is_alone() {
    let whole = |frames: &[(&str, &str)], gil: &str| {
        let mut crash = crash(frames, gil);
        crash.threads[0].python = in_python(&[("/app.py", "main")], "").threads.remove(0).python;
        interpreter(&Facts::new(&crash))
    };
    let verdict = whole(&[(PYTHON, "dict_get")], "disabled");
    assert!(first(&verdict).starts_with("it died in the interpreter (dict_get), "));
    assert_eq!(verdict.verdict, CrashCause::InterpreterBug);
    assert_eq!(whole(&[(PYTHON, "dict_get")], "enabled").verdict, CrashCause::Unknown);
    let outer = whole(&[(PYTHON, "dict_get"), (OWN, "f")], "disabled");
    assert_eq!((outer.verdict, outer.evidence[1].as_str()), (CrashCause::Unknown, "further out on the native stack: fastlog"));
    assert!(first(&whole(&[("", "strange")], "")).starts_with("it died in strange, "));
    assert!(first(&whole(&[(PYTHON, "")], "")).starts_with("it died in the interpreter (native code), "));
}

#[test]
fn a_stack_without_its_innermost_frames_says_what_is_shown_first() {
    for (frame, name) in [((PYTHON, "f"), "f"), ((PYTHON, ""), "python3.14t")] {
        let mut cut = crash(&[frame, (PYTHON, "g")], "");
        cut.threads[0].top_cut = true;
        assert!(first(&interpreter(&Facts::new(&cut))).contains(&format!("the first one that is shown is {name}, ")));
    }
}

#[test]
fn without_a_stack_the_line_of_the_program_is_all_that_is_known() {
    let verdict = interpreter(&Facts::new(&in_python(&[("/app.py", "main")], "")));
    assert_eq!(verdict.evidence[2], "the innermost line of the program is /app.py:5 in main");
    assert!(first(&interpreter(&Facts::new(&Crash::default()))).starts_with("nothing but its end is known"));
}

#[test]
fn a_source_file_in_a_folder_that_nobody_owns_is_somebody_elses() {
    let told = |frames: &[(&str, &str, &str)]| {
        let mut crash = crash(&[], "");
        let frame = |(module, symbol, source): &(&str, &str, &str)| NativeFrame {
            source: (*source).to_owned(),
            ..NativeFrame::named(module, symbol)
        };
        crash.threads[0].native = frames.iter().map(frame).collect();
        foreign_source(&Facts::new(&crash)).map(|verdict| first(&verdict).to_owned())
    };
    let strange = ("", "strange", "/src/proj/x.c");
    assert!(told(&[strange]).is_some_and(|line| line.starts_with("it died in strange (/src/proj/x.c), ")));
    assert!(told(&[(LIBC, "memcpy", ""), ("", "", "/src/a.c"), strange]).is_some());
    assert!(told(&[("", "strange", "src\\x.c")]).is_some());
    for other in [("", "strange", "x.c"), ("", "strange", "/usr/include/x/y.h"), ("", "f", "Objects/dictobject.c")] {
        assert_eq!(told(&[other, strange]), None, "{other:?}");
    }
}

#[test]
fn undeclared_extensions_are_a_better_guess_without_the_gil() {
    let blamed = |crash: &Crash| {
        let verdict = or_undeclared(&Facts::new(crash), interpreter(&Facts::new(&Crash::default())));
        (verdict.verdict == CrashCause::ExtensionAssumesGil, verdict.culprit)
    };
    let one = fastlog(&[], "disabled", Some(false));
    assert_eq!(blamed(&one), (true, Some("fastlog".to_owned())));
    assert_eq!(blamed(&with(one.clone(), "yarl._quoting", "yarl", Some(false))), (true, None));
    assert_eq!(blamed(&with(crash(&[], "disabled"), "a.b", "", Some(false))), (true, Some("a.b".to_owned())));
    let verdict = or_undeclared(&Facts::new(&one), interpreter(&Facts::new(&Crash::default())));
    assert!(verdict.next_step.starts_with("run it with the GIL (PYTHON_GIL=1"), "{}", verdict.next_step);
    assert_eq!(blamed(&fastlog(&[], "", Some(false))), (false, None));
    assert_eq!(blamed(&fastlog(&[], "disabled", Some(true))), (false, None));
}

#[test]
fn suspects_are_those_that_declare_nothing_else_all() {
    let of = |count: usize, declares: Option<bool>| {
        let names: Vec<String> = (0..count).map(|at| format!("m{at}.x")).collect();
        let crash = names.iter().fold(crash(&[], ""), |crash, name| with(crash, name, "", declares));
        suspects(&Facts::new(&crash))
    };
    assert_eq!(of(0, None), "no extension module is listed");
    assert_eq!(of(8, None), "extension modules of m0, m1, m2, m3, m4, m5, m6, m7 are loaded");
    assert_eq!(of(10, Some(true)), "extension modules of m0, m1, m2, m3, m4, m5, m6, m7 and 2 more are loaded");
    assert_eq!(of(1, Some(false)), "extension modules that do not declare free-threading support are loaded: m0.x");
}

#[test]
fn at_most_six_others_on_the_stack_are_named_each_once() {
    let libraries: Vec<String> = (0..9)
        .map(|at| format!("/usr/lib/libz{}.so.1", at / 2 * 2))
        .chain((10..19).map(|at| format!("/usr/lib/liby{at}.so.1")))
        .collect();
    let frames: Vec<(&str, &str)> = libraries.iter().map(|module| (module.as_str(), "f")).collect();
    let names = others_on_the_stack_of(&crash(&frames, ""));
    assert_eq!(names, ["libz0.so.1", "libz2.so.1", "libz4.so.1", "libz6.so.1", "libz8.so.1", "liby10.so.1"]);
}

fn others_on_the_stack_of(crash: &Crash) -> Vec<String> {
    others_on_the_stack(&Facts::new(crash))
}
