//! Tests of `mod.rs`: how descriptions of one crash become one.

use super::super::crash::Python;
use super::*;
use crate::report::Frame;

const DUMP: &str = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f01 (most recent call first):\n  \
                    File \"/app/a.py\", line 5 in f\n";

fn stack(module: &str, symbols: &[&str]) -> Thread {
    Thread { crashed: true, native: symbols.iter().map(|symbol| NativeFrame::named(module, symbol)).collect(), ..Thread::default() }
}

fn python(function: &str) -> Frame {
    Frame { file: "/app/a.py".to_owned(), line: 5, function: function.to_owned(), ..Frame::default() }
}

fn died(signal: &str, threads: Vec<Thread>) -> Crash {
    Crash { signal: signal.to_owned(), threads, ..Crash::default() }
}

fn fatal(signal: &str) -> Crash {
    Crash { message: "Fatal Python error: Aborted".to_owned(), ..died(signal, Vec::new()) }
}

fn extension(name: &str) -> Extension {
    Extension { name: name.to_owned(), ..Extension::default() }
}

fn merged(mut into: Crash, other: Crash, believed: bool) -> Crash {
    merge(&mut into, other, believed);
    into
}

fn described(mut crash: Crash) -> Crash {
    describe(&mut crash);
    crash
}

#[test]
fn words_about_a_crash_are_none_of_their_own() {
    let signals = |text: &str| -> Vec<String> { read(text).unwrap().into_iter().map(|crash| crash.signal).collect() };
    assert_eq!(signals(&format!("{DUMP}free(): invalid pointer\nBus error (core dumped)\n")), ["SIGSEGV"], "beside a dump");
    assert_eq!(signals("free(): invalid pointer\nBus error (core dumped)\n"), ["SIGABRT"], "libc's words beside a status");
    assert_eq!(signals("Bus error (core dumped)\n"), ["SIGBUS"], "a status alone");
    let panicked = read(&format!("thread 'w' panicked at src/lib.rs:7:9:\nno\n{DUMP}")).unwrap();
    assert!(panicked.len() == 1 && panicked[0].message.contains("panicked at src/lib.rs:7: no"), "a panic is told with its dump");
    let kernel = "python3[26]: segfault at 0 ip 55 sp 1 error 6 in x.so[50+10]\nfree(): invalid pointer\n";
    assert_eq!(signals(kernel), ["SIGSEGV"], "beside a stack that no fatal error is said of");
    let alone = read("Fatal Python error: Aborted\nBus error (core dumped)\n").unwrap();
    assert_eq!(alone.len(), 1, "a fatal error without stacks is a dump");
}

#[test]
fn a_text_without_a_crash_says_which_forms_there_are() {
    assert!(read(" \n").unwrap_err().contains("it is empty; the forms are faulthandler, gdb, "));
    assert!(read("all is well").unwrap_err().contains("no form of one is recognised; the forms are faulthandler, gdb, "));
}

#[test]
fn the_form_that_stands_first_in_the_table_is_believed() {
    let of = |form: usize, module: &str| (0, form, died("SIGSEGV", vec![stack(module, &["f", "g"])]));
    for (first, second) in [(of(1, "good"), of(3, "bad")), (of(3, "bad"), of(1, "good"))] {
        let crashes = together(vec![first, second]);
        assert_eq!((crashes.len(), crashes[0].threads[0].native[0].module.as_str()), (1, "good"));
    }
    assert_eq!(together(vec![of(1, "a"), of(1, "a")]).len(), 2, "two of one form are two crashes");
    let other = (9, 3, died("SIGBUS", Vec::new()));
    assert_eq!(together(vec![of(1, "a"), other]).len(), 2, "and so are two that do not fit");
}

#[test]
fn two_descriptions_of_different_signals_are_of_two_crashes() {
    let stacks = |signal: &str| died(signal, vec![Thread { crashed: true, ..Thread::default() }]);
    for (a, b, expected) in [
        (stacks("SIGSEGV"), stacks("SIGSEGV"), true),
        (stacks("SIGSEGV"), stacks("SIGBUS"), false),
        (stacks(""), stacks("SIGBUS"), true),
        (stacks("SIGSEGV"), stacks(""), true),
        (fatal("SIGABRT"), stacks("SIGSEGV"), true),
        (stacks("SIGSEGV"), fatal("SIGABRT"), true),
        (died("SIGABRT", Vec::new()), stacks("SIGSEGV"), false),
        (Crash { message: "Fatal Python error: Aborted".to_owned(), ..stacks("SIGABRT") }, stacks("SIGSEGV"), false),
    ] {
        assert_eq!(may_be_one(&a, &b), expected, "{a:?} and {b:?}");
    }
}

#[test]
fn two_stacks_are_of_one_crash_if_they_share_functions() {
    let of = |module: &str, symbols: &[&str]| died("SIGSEGV", vec![stack(module, symbols)]);
    for (a, b, expected) in [
        (of("/lib/a.so", &["f", "g", "h"]), of("", &["g", "h"]), true),
        (of("/lib/a.so", &["f", "g", "h"]), of("/lib/a.so", &["h", "x"]), false),
        (of("/lib/a.so", &["f", "g"]), of("/lib/a.so", &["", ""]), true),
        (of("/lib/a.so", &["f", "g"]), of("/lib/b.so", &["", ""]), false),
        (of("/lib/a.so", &["", ""]), of("/lib/b.so", &["", ""]), false),
        (of("/lib/a.so", &["f", "g"]), of("/lib/b.so", &[]), true),
        (of("/lib/a.so", &[]), of("/lib/b.so", &["f", "g"]), true),
        (of("/lib/a.so", &["f", "g"]), died("SIGSEGV", Vec::new()), true),
    ] {
        assert_eq!(may_be_one(&a, &b), expected, "{a:?} and {b:?}");
    }
}

#[test]
fn the_signal_of_a_stack_replaces_that_of_words() {
    let stacks = || vec![stack("a.so", &["f"])];
    for (into, other, expected) in [
        (died("SIGABRT", vec![]), died("SIGSEGV", stacks()), "SIGSEGV"),
        (died("SIGABRT", stacks()), died("SIGSEGV", stacks()), "SIGABRT"),
        (died("SIGABRT", vec![]), died("SIGSEGV", vec![]), "SIGABRT"),
        (died("SIGABRT", vec![]), died("", stacks()), "SIGABRT"),
        (died("", stacks()), died("SIGSEGV", vec![]), "SIGSEGV"),
    ] {
        assert_eq!(merged(into, other, true).signal, expected);
    }
}

#[test]
fn facts_that_one_form_lacks_come_from_the_other() {
    let told = || Crash {
        address: Some(8),
        code: Some(1),
        sender: 7,
        message: "one\ntwo".to_owned(),
        python: Python {
            version: "3.14.2".to_owned(),
            gil: "enabled".to_owned(),
            executable: "/usr/bin/python3".to_owned(),
            platform: "Linux".to_owned(),
        },
        command: vec!["app.py".to_owned()],
        extensions: vec![extension("a"), extension("b")],
        ..Crash::default()
    };
    assert_eq!(merged(Crash::default(), told(), true), told());
    let known = || Crash {
        address: Some(16),
        code: Some(2),
        sender: 9,
        message: "two\nthree".to_owned(),
        python: Python {
            version: "3.13".to_owned(),
            gil: "disabled".to_owned(),
            executable: "/usr/bin/python3.13".to_owned(),
            platform: "macOS".to_owned(),
        },
        command: vec!["other.py".to_owned()],
        extensions: vec![extension("b"), extension("c")],
        ..Crash::default()
    };
    let both = merged(known(), told(), true);
    assert_eq!(both.message, "two\nthree\none");
    assert_eq!(both.extensions.iter().map(|known| known.name.as_str()).collect::<Vec<_>>(), ["b", "c", "a"]);
    assert_eq!(Crash { message: known().message, extensions: known().extensions, ..both }, known());
}

#[test]
fn threads_are_the_same_by_their_ids_or_by_having_crashed() {
    let thread = |native_id, crashed, name: &str| Thread { native_id, crashed, name: name.to_owned(), ..Thread::default() };
    let names = |into: Vec<Thread>, others: Vec<Thread>| -> Vec<String> {
        let both = merged(died("", into), died("", others), true).threads;
        both.into_iter()
            .map(|thread| format!("{}{}{}", thread.native_id, thread.name, if thread.crashed { "!" } else { "" }))
            .collect()
    };
    assert_eq!(names(vec![thread(0, true, "")], vec![thread(5, true, "w")]), ["5w!"], "the crashed one");
    assert_eq!(names(vec![thread(4, true, "v")], vec![thread(5, true, "w")]), ["4v!"], "which keeps its own facts");
    assert_eq!(names(vec![thread(5, false, "")], vec![thread(5, true, "w")]), ["5w!"], "one with an id");
    assert_eq!(names(vec![thread(5, true, "")], vec![thread(5, false, "w")]), ["5w!"], "whichever knows that it crashed");
    assert_eq!(names(vec![thread(0, false, "v")], vec![thread(0, false, "w")]), ["0v", "0w"], "no id is no id");
    assert_eq!(names(vec![thread(4, false, "v")], vec![thread(5, false, "w")]), ["4v", "5w"], "another id is another thread");
    assert_eq!(names(vec![thread(4, false, "v")], vec![thread(5, true, "w")]), ["5w!", "4v"], "the crashed one goes first");
    assert_eq!(names(vec![thread(4, true, "v")], vec![thread(5, false, "w")]), ["4v!", "5w"], "one alone has crashed");
}

#[test]
fn the_stack_that_is_believed_or_names_more_functions_is_kept() {
    let of = |symbols: &[&str]| died("SIGSEGV", vec![Thread { cut: true, top_cut: true, ..stack("b.so", symbols) }]);
    let own = |symbols: &[&str]| died("SIGSEGV", vec![stack("a.so", symbols)]);
    let kept = |into: Crash, other: Crash, believed| {
        let thread = merged(into, other, believed).threads.remove(0);
        (thread.native[0].module.clone(), thread.cut, thread.top_cut)
    };
    let is = |module: &str, cut: bool| (module.to_owned(), cut, cut);
    assert_eq!(kept(own(&["f"]), of(&["f", "g"]), true), is("a.so", false), "the one that is believed");
    assert_eq!(kept(own(&["f"]), of(&["f", "g"]), false), is("b.so", true), "the one that names more");
    assert_eq!(kept(own(&["f"]), of(&["f"]), false), is("b.so", true), "the other one where they name as many");
    assert_eq!(kept(own(&["f", "g"]), of(&["f", ""]), false), is("a.so", false), "the one that names more");
    assert_eq!(kept(own(&[]), of(&["f"]), true), is("b.so", true), "the only one");
    let was_cut = died("SIGSEGV", vec![Thread { cut: true, ..stack("a.so", &[]) }]);
    assert_eq!(kept(was_cut, own(&["f"]), true), ("a.so".to_owned(), true, false), "what was cut stays cut");
}

#[test]
fn a_python_stack_is_added_where_there_is_none() {
    let of = |functions: &[&str], cut| {
        let python = functions.iter().map(|function| python(function)).collect();
        died("SIGSEGV", vec![Thread { crashed: true, python, cut, ..Thread::default() }])
    };
    let kept = |into: Crash, other: Crash| {
        let thread = merged(into, other, true).threads.remove(0);
        (thread.python.first().map_or("", |frame| &frame.function).to_owned(), thread.cut)
    };
    assert_eq!(kept(of(&[], false), of(&["f"], true)), ("f".to_owned(), true));
    assert_eq!(kept(of(&[], true), of(&["f"], false)), ("f".to_owned(), true));
    assert_eq!(kept(of(&[], false), of(&["f"], false)), ("f".to_owned(), false));
    let with_native = |mut crash: Crash| {
        crash.threads[0].native = vec![NativeFrame::named("a.so", "f")];
        crash
    };
    assert_eq!(kept(with_native(of(&["g"], false)), of(&["f"], true)), ("g".to_owned(), false));
    assert_eq!(kept(with_native(of(&[], false)), of(&[], true)), (String::new(), false));
}

#[test]
fn a_library_without_a_tag_is_the_module_that_the_list_names() {
    let import = |module: &str, import: &str| {
        let frame = NativeFrame { import: import.to_owned(), ..NativeFrame::named(module, "f") };
        let mut crash = died("SIGSEGV", vec![Thread { native: vec![frame], ..Thread::default() }]);
        crash.extensions = vec![extension("other._core"), extension("fastlog._core"), extension("lone")];
        name_untagged(&mut crash);
        crash.threads[0].native[0].import.clone()
    };
    assert_eq!(import("/app/fastlog/_core.so", ""), "fastlog._core");
    assert_eq!(import("fastlog/_core.so", ""), "fastlog._core");
    assert_eq!(import("/app/lone.so", ""), "lone");
    assert_eq!(import("/app/alone.so", ""), "");
    assert_eq!(import("/app/fastlog/_core.so", "known"), "known");
    assert_eq!(import("/usr/lib/liblone.so", ""), "");
}

#[test]
fn a_stack_that_aborts_tells_the_signal() {
    let signal = |signal: &str, thread: Thread| described(died(signal, vec![thread])).signal;
    for name in ["abort", "__GI_abort"] {
        assert_eq!(signal("", stack("", &["raise", name])), "SIGABRT");
    }
    assert_eq!(signal("SIGSEGV", stack("", &["abort"])), "SIGSEGV");
    assert_eq!(signal("", stack("", &["f"])), "");
    assert_eq!(signal("", Thread { crashed: false, ..stack("", &["abort"]) }), "", "of another thread");
    assert_eq!(signal("", stack("", &["a", "b", "c", "d", "e", "f", "g", "h", "abort"])), "", "far below");
}

#[test]
fn paths_tell_platform_interpreter_and_build() {
    let of = |version: &str, gil: &str, paths: &[&str]| {
        let thread =
            Thread { crashed: true, native: paths.iter().map(|path| NativeFrame::named(path, "f")).collect(), ..Thread::default() };
        let python = Python { version: version.to_owned(), gil: gil.to_owned(), ..Python::default() };
        described(Crash { python, ..died("SIGSEGV", vec![thread]) }).python
    };
    let told = |version: &str, gil: &str, paths: &[&str]| of(version, gil, paths).version;
    assert_eq!(told("", "", &["/usr/bin/python3.14t"]), "3.14 free-threading build");
    assert_eq!(told("", "", &["/usr/bin/python3.14"]), "3.14");
    assert_eq!(told("", "disabled", &["/usr/bin/python3"]), "free-threading build");
    assert_eq!(told("free-threading build", "", &["/usr/bin/python3.14"]), "3.14 free-threading build");
    assert_eq!(told("3.14.2", "", &["/usr/bin/python3.14t"]), "3.14.2 free-threading build");
    assert_eq!(told("3.14.2 (main)", "", &["/usr/bin/python3.13"]), "3.14.2 (main)");
    assert_eq!(told("3.14.2 free-threading build", "", &["/usr/bin/python3.14t"]), "3.14.2 free-threading build");
    assert_eq!(told("by conda", "", &["/usr/bin/python3.14"]), "by conda", "words that are no version are kept");
    let gil = |gil: &str, paths: &[&str]| of("", gil, paths).gil;
    assert_eq!(gil("", &["/lib/libpython3.14.so.1.0"]), "enabled", "its library tells");
    assert_eq!(gil("", &["/lib/libpython3.14t.so.1.0", "/v/a.cpython-314-darwin.so"]), "", "but nothing is sure of two builds");
    assert_eq!(gil("", &["/usr/bin/python3.14"]), "");
    assert_eq!(gil("disabled", &["/lib/libpython3.14.so.1.0"]), "disabled");
    let python = of("", "", &["/v/bin/python3.14", "/lib/x86_64-linux-gnu/libm.so.6"]);
    assert_eq!((python.executable.as_str(), python.platform.as_str()), ("/v/bin/python3.14", "Linux"));
    assert_eq!(of("", "", &["/v/lib/python3.14", "/v/bin/tool"]).executable, "", "neither its library nor another program");
    let known = Python { executable: "/k/bin/python".to_owned(), platform: "macOS".to_owned(), ..Python::default() };
    let python = described(Crash { python: known.clone(), ..died("", vec![stack("/v/bin/python3.14-linux-gnu", &["f"])]) }).python;
    assert_eq!((python.executable, python.platform), (known.executable, known.platform));
}

#[test]
fn all_threads_shown_mean_a_gil_only_where_the_version_tells_so() {
    let gil = |version: &str, declares: Option<bool>| {
        let python = Python { version: version.to_owned(), gil: "enabled".to_owned(), ..Python::default() };
        let extension = Extension { declares_free_threading: declares, ..extension("fastlog._core") };
        described(Crash { python, extensions: vec![extension], ..Crash::default() }).python.gil
    };
    assert_eq!(gil("3.14.2", None), "enabled");
    assert_eq!(gil("3.14.2 free-threading build", None), "enabled");
    assert_eq!(gil("3.13.0", None), "enabled");
    assert_eq!(gil("3.13.0 free-threading build", None), "", "3.13 shows them without a GIL, too");
    assert_eq!(gil("", None), "", "an unknown version may be 3.13");
    assert_eq!(gil("", Some(true)), "");
    assert_eq!(gil("", Some(false)), "enabled", "a module switched it on");
}

#[test]
fn files_and_distributions_of_extensions_come_from_the_frames() {
    let module = "/v/lib/python3.14/site-packages/fastlog/_core.cpython-314-x86_64-linux-gnu.so";
    let of = |known: &[&str], path: &str| -> Vec<(String, String, String)> {
        let mut crash = died("SIGSEGV", vec![stack(path, &["f"])]);
        crash.extensions = known.iter().map(|name| extension(name)).collect();
        let extensions = described(crash).extensions;
        extensions.into_iter().map(|known| (known.name, known.path, known.distribution)).collect()
    };
    let is = |name: &str, path: &str, distribution: &str| (name.to_owned(), path.to_owned(), distribution.to_owned());
    assert_eq!(of(&[], module), [is("fastlog._core", module, "fastlog")]);
    let known = ["first", "fastlog._core", "last"];
    assert_eq!(of(&known, module), [is("first", "", ""), is("fastlog._core", module, "fastlog"), is("last", "", "")]);
    let built = "/home/u/fastlog/_core.cpython-314-x86_64-linux-gnu.so";
    assert_eq!(of(&known, built), [is("first", "", ""), is("fastlog._core", built, ""), is("last", "", "")], "by its folders");
    assert_eq!(of(&[], "_core.cpython-314-x86_64-linux-gnu.so"), [], "a name alone is no path");
    assert_eq!(of(&[], "/usr/lib/python3.14/lib-dynload/_json.cpython-314-x86_64-linux-gnu.so"), [], "CPython's own");
    let library = "/v/lib/python3.14/site-packages/fastlog/libfast.so.1";
    assert_eq!(of(&["fastlog._core", "other"], library), [is("fastlog._core", "", "fastlog"), is("other", "", "")]);
    let mut crash = died("SIGSEGV", vec![stack(module, &["f"])]);
    crash.extensions = vec![Extension { distribution: "fast-log".to_owned(), ..extension("fastlog._other") }];
    assert_eq!(described(crash).extensions[0].distribution, "fast-log", "a distribution that is known is kept");
}
