//! Tests of `facts.rs`.

use super::*;

fn frame(module: &str, symbol: &str) -> NativeFrame {
    NativeFrame { offset: 1, ..NativeFrame::named(module, symbol) }
}

fn below(frames: &[(&str, &str)]) -> Vec<String> {
    let frames: Vec<NativeFrame> = frames.iter().map(|(module, symbol)| frame(module, symbol)).collect();
    below_signal(&frames).iter().map(|frame| frame.symbol.clone()).collect()
}

#[test]
fn frames_of_the_handler_are_not_of_the_crash() {
    let python = "/usr/bin/python3.14t";
    assert_eq!(below(&[(python, "_Py_DumpStack"), (python, ""), ("/lib/libc.so.6", ""), (python, "f")]), ["f"]);
    let mac = "/x/libpython3.14t.dylib";
    assert_eq!(
        below(&[
            (mac, "_Py_DumpStack"),
            (mac, "faulthandler_fatal_error"),
            ("/usr/lib/system/libsystem_platform.dylib", "_sigtramp"),
            (mac, "g")
        ]),
        ["g"]
    );
    assert_eq!(below(&[(python, "f"), (python, "g")]), ["f", "g"]);
    assert_eq!(below(&[("/lib/libc.so.6", "__restore_rt"), (python, "g")]), ["g"]);
    let entry = "<signal handler called>";
    assert_eq!(below(&[(python, "_Py_DumpStack"), (python, "helper"), ("", entry), (python, "f")]), ["f"], "the entry is sure");
    assert!(below(&[]).is_empty());
}

#[test]
fn frames_of_ftsan_are_nobodys() {
    let hooks = "/v/site-packages/ftsan/libftsan_hooks.so";
    let thread = Thread {
        crashed: true,
        native: vec![
            frame(hooks, "ftsan_hooks::send"),
            frame("/usr/bin/python3.14t", "sock_send"),
            frame(hooks, "_R123"),
            frame("/usr/bin/python3.14t", "f"),
        ],
        ..Thread::default()
    };
    let crash = Crash { threads: vec![thread], ..Crash::default() };
    let symbols: Vec<&str> = Facts::new(&crash).native.iter().map(|frame| frame.symbol.as_str()).collect();
    assert_eq!(symbols, ["sock_send", "f"]);
}

#[test]
fn the_loop_of_the_interpreter_is_noise() {
    assert!(is_noise(&frame("", "method_vectorcall_VARARGS.llvm.1")) && !is_noise(&frame("", "mainloop")));
}

const PYTHON: &str = "/usr/bin/python3.14t";
const LIBC: &str = "/lib/x86_64-linux-gnu/libc.so.6";
const OWN: &str = "/v/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";

fn crash(frames: &[(&str, &str)]) -> Crash {
    let native = frames.iter().map(|(module, symbol)| frame(module, symbol)).collect();
    Crash { threads: vec![Thread { crashed: true, native, ..Thread::default() }], ..Crash::default() }
}

fn line(file: &str, function: &str) -> Frame {
    Frame { file: file.to_owned(), function: function.to_owned(), line: 5, ..Frame::default() }
}

fn listed(name: &str, distribution: &str, version: &str) -> Extension {
    let (name, distribution, version) = (name.to_owned(), distribution.to_owned(), version.to_owned());
    Extension { name, distribution, version, ..Extension::default() }
}

#[test]
fn the_way_to_an_abort_is_not_where_it_failed() {
    let failing = |frames: &[(&str, &str)]| -> Vec<String> {
        Facts::new(&crash(frames)).failing().map(|frame| frame.symbol.clone()).collect()
    };
    assert_eq!(failing(&[(LIBC, "raise"), (LIBC, ""), (LIBC, "abort"), (PYTHON, "f"), (LIBC, "raise")]), ["f", "raise"]);
    assert_eq!(failing(&[(PYTHON, ""), (PYTHON, "f")]), ["", "f"]);
    assert_eq!(failing(&[(LIBC, "raise"), (LIBC, "abort")]), ["raise", "abort"], "nothing else is there");
}

#[test]
fn the_loop_means_something_only_on_top_and_libc_only_with_a_name() {
    let meaning = |frames: &[(&str, &str)]| -> Vec<String> {
        Facts::new(&crash(frames)).meaning().map(|(frame, _)| frame.symbol.clone()).collect()
    };
    let eval = (PYTHON, "_PyEval_EvalFrameDefault");
    assert_eq!(meaning(&[eval, (PYTHON, "f"), eval, (PYTHON, "g")]), ["_PyEval_EvalFrameDefault", "f", "g"]);
    assert_eq!(meaning(&[(PYTHON, "f"), (LIBC, ""), (LIBC, "qsort"), (PYTHON, "")]), ["f", "qsort", ""]);
}

#[test]
fn libraries_and_allocators_are_not_counted_above_an_extension() {
    let above = |frames: &[(&str, &str)], depth: usize| {
        Facts::new(&crash(frames)).extension_on_top(depth).map(|(above, frame, _)| (above, frame.symbol.clone()))
    };
    let own = (OWN, "log");
    assert_eq!(above(&[own], 1), Some((0, "log".to_owned())));
    assert_eq!(above(&[(PYTHON, "f"), ("", "strange"), own], 3), Some((2, "log".to_owned())));
    assert_eq!(above(&[(PYTHON, "f"), ("", "strange"), own], 2), None);
    let through = [(LIBC, "qsort"), ("/usr/lib/libz.so.1", "inflate"), (PYTHON, "PyObject_Free"), ("", "je_free"), own];
    assert_eq!(above(&through, 1), Some((0, "log".to_owned())));
    let json = ("/usr/lib/python3.14t/lib-dynload/_json.cpython-314t-darwin.so", "scan");
    assert_eq!(above(&[json, own], 1), Some((0, "scan".to_owned())));
}

#[test]
fn allocators_are_the_interpreters_and_libcs_and_no_extensions() {
    for (module, symbol) in [(PYTHON, "_PyObject_GC_New"), (LIBC, "malloc"), ("", "PyMem_Free")] {
        assert!(is_allocator(&frame(module, symbol)), "{symbol}");
    }
    assert!(!is_allocator(&frame(OWN, "malloc")) && !is_allocator(&frame(PYTHON, "dict_get")));
}

#[test]
fn an_extension_is_known_by_its_path_else_by_its_name() {
    let mut crash = crash(&[]);
    crash.extensions = vec![listed("fastlog._core", "a", ""), Extension { path: OWN.to_owned(), ..listed("x", "b", "") }];
    let of =
        |crash: &Crash, module: &str| Facts::new(crash).extension_of(&frame(module, "f")).map(|known| known.distribution.clone());
    assert_eq!(of(&crash, OWN).as_deref(), Some("b"));
    crash.extensions.pop();
    assert_eq!(of(&crash, OWN).as_deref(), Some("a"));
    assert_eq!(of(&crash, "/v/site-packages/yarl/_q.cpython-314t-darwin.so"), None);
    crash.extensions = vec![listed("yarl", "yarl", "")];
    assert_eq!(of(&crash, ""), None, "no path is not the same path");
}

#[test]
fn a_version_is_of_the_modules_of_a_distribution_else_of_the_list_of_packages() {
    let mut crash = crash(&[]);
    crash.extensions = vec![listed("fastlog._core", "", ""), listed("fastlog_ext", "", "2.0"), listed("other", "dist", "3.0")];
    crash.packages = vec![("fast-log".to_owned(), "9.0".to_owned()), ("Zope_Interface".to_owned(), "7.0".to_owned())];
    let facts = Facts::new(&crash);
    let names = |name: &str| facts.loaded(name).map(|known| known.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names("fastlog"), ["fastlog._core", "fastlog_ext"]);
    assert_eq!((names("fast"), names("dist"), names("other")), (vec![], vec!["other"], vec!["other"]));
    let versions = ["fastlog", "dist", "fast.log", "zope.interface", "none"].map(|name| facts.version_of(name));
    assert_eq!(versions, [Some("2.0"), Some("3.0"), Some("9.0"), Some("7.0"), None]);
}

#[test]
fn third_parties_are_neither_cpythons_nor_ours_and_named_once() {
    let mut crash = crash(&[]);
    let extensions = [("_json", ""), ("ftsan._native", ""), ("a.x", ""), ("a.y", ""), ("z.x", "dist"), ("pkg._json", ""), ("", "")];
    crash.extensions = extensions.iter().map(|(name, distribution)| listed(name, distribution, "")).collect();
    assert_eq!(Facts::new(&crash).third_parties(), ["a", "dist", "pkg"]);
}

#[test]
fn cpython_is_alone_only_if_enough_is_known_and_nobody_else_is_there() {
    let alone = |frames: &[(&str, &str)]| Facts::new(&crash(frames)).is_alone();
    let start = (LIBC, "__libc_start_main");
    assert!(
        alone(&[(PYTHON, "f"), start]) && alone(&[(PYTHON, "f"), (LIBC, "clone3")]) && alone(&[(PYTHON, "f"), (LIBC, "__clone3")])
    );
    assert!(!alone(&[(PYTHON, "f")]), "where the stack begins is not shown");
    assert!(!alone(&[(PYTHON, "f"), start, (PYTHON, "a"), (PYTHON, "b"), (PYTHON, "c"), (PYTHON, "d")]));
    assert!(!alone(&[(PYTHON, "f"), (OWN, "g"), start]) && !alone(&[("", "strange"), start]));
    let mut dump = crash(&[]);
    assert!(!Facts::new(&dump).is_alone());
    dump.threads[0].python = vec![line("/app.py", "main")];
    assert!(Facts::new(&dump).is_alone());
    dump.extensions = vec![listed("fastlog._core", "", "")];
    assert!(!Facts::new(&dump).is_alone());
}

#[test]
fn the_handler_saw_one_thread_only_if_it_saw_everything() {
    let mut crash = crash(&[]);
    assert!(!Facts::new(&crash).is_by_the_handler());
    crash.code = Some(1);
    assert!(!Facts::new(&crash).is_by_the_handler() && !Facts::new(&crash).is_of_one_thread());
    crash.command = vec!["python".to_owned()];
    assert!(Facts::new(&crash).is_by_the_handler() && Facts::new(&crash).is_of_one_thread());
    let more = Crash { threads: vec![crash.threads[0].clone(), Thread::default()], ..crash.clone() };
    assert!(!Facts::new(&more).is_of_one_thread());
    let unknown = Crash { threads: Vec::new(), ..crash.clone() };
    assert!(!Facts::new(&unknown).is_of_one_thread());
    crash.missing = vec!["threads".to_owned()];
    assert!(!Facts::new(&crash).is_of_one_thread());
}

#[test]
fn the_line_of_the_program_is_its_own_else_the_innermost_that_has_a_file() {
    let of = |files: &[&str]| {
        let stack: Vec<Frame> = files.iter().map(|file| line(file, "f")).collect();
        Facts::programs_line(&stack).map(|frame| frame.file.clone())
    };
    assert_eq!(of(&["", "/usr/lib/python3.14/queue.py", "/app.py", "/main.py"]).as_deref(), Some("/app.py"));
    assert_eq!(of(&["", "/usr/lib/python3.14/queue.py"]).as_deref(), Some("/usr/lib/python3.14/queue.py"));
    assert_eq!(of(&[""]), None);
}

#[test]
fn the_gil_is_known_by_the_build_and_by_what_the_process_says() {
    for (version, gil, expected) in [
        ("3.14.0 free-threading build", "", Gil::Off),
        ("3.14.0 free-threading build", "enabled", Gil::On),
        ("Python 3.14.0", "disabled", Gil::Off),
        ("Python 3.14.0", "", Gil::Unknown),
        ("", "", Gil::Unknown),
        ("3.12.1", "", Gil::On),
        ("3.13.0", "", Gil::Unknown),
        ("", "enabled", Gil::On),
    ] {
        let mut crash = crash(&[]);
        (crash.python.version, crash.python.gil) = (version.to_owned(), gil.to_owned());
        assert_eq!(Facts::new(&crash).gil(), expected, "{version} {gil}");
    }
    let mut crash = crash(&[]);
    "Python built here".clone_into(&mut crash.python.version);
    assert_eq!(Facts::new(&crash).python_version(), "");
}

#[test]
fn a_thread_runs_a_loop_by_its_functions_or_by_the_recording() {
    let python = |file: &str, function: &str| {
        runs_loop(&Thread { python: vec![line("/app.py", "f"), line(file, function)], ..Thread::default() })
    };
    assert!(python("/x.py", "BaseEventLoop.run_forever") && python("/lib/asyncio/runners.py", "Runner.run"));
    assert!(!python("/x.py", "run") && !python("/lib/asyncio/runners.py", "close"));
    assert!(runs_loop(&Thread { runs_loop: "uvloop.Loop".to_owned(), ..Thread::default() }) && !runs_loop(&Thread::default()));
}

#[test]
fn a_race_is_the_interpreters_if_both_stacks_are() {
    let race = |message: &str, stacks: &[&[(&str, &str)]]| {
        let threads = stacks.iter().map(|frames| crash(frames).threads.remove(0)).collect();
        Facts::new(&Crash { message: message.to_owned(), threads, ..Crash::default() }).is_shown_of_the_interpreter()
    };
    let own: &[(&str, &str)] = &[(PYTHON, "f"), (LIBC, "memcpy")];
    let other: &[(&str, &str)] = &[(PYTHON, "f"), (OWN, "g")];
    const SAYS: &str = "ThreadSanitizer: data race";
    assert!(race(SAYS, &[own, own]) && race(SAYS, &[own, own, other]));
    assert!(!race(SAYS, &[own]) && !race(SAYS, &[own, other]) && !race(SAYS, &[own, &[]]) && !race("data race", &[own, own]));
    let tool = |signal: &str, message: &str| {
        Facts::new(&Crash { signal: signal.to_owned(), message: message.to_owned(), ..Crash::default() }).is_found_by_a_tool()
    };
    assert!(tool("", "valgrind: Invalid read") && !tool("SIGSEGV", "valgrind: Invalid read") && !tool("", "an Invalid read"));
}

#[test]
fn a_crash_is_by_itself_without_an_extension_among_the_innermost() {
    let by_itself = |frames: &[(&str, &str)]| Facts::new(&crash(frames)).is_by_itself();
    assert!(!by_itself(&[(PYTHON, "f"), (PYTHON, "g"), (OWN, "h")]));
    assert!(by_itself(&[(PYTHON, "f"), (PYTHON, "g"), (PYTHON, "i"), (OWN, "h")]));
}

#[test]
fn a_handler_ends_at_the_entry_of_the_signal_among_the_ten_innermost() {
    let (dump, entry) = ((PYTHON, "_Py_DumpStack"), (LIBC, "__restore_rt"));
    let far = |above: usize| {
        let mut frames = vec![(PYTHON, "a"); above];
        frames.extend([entry, (PYTHON, "f")]);
        below(&frames).len()
    };
    assert_eq!((far(9), far(10)), (1, 12));
    assert_eq!(below(&[dump, (PYTHON, "f"), (PYTHON, "g")]), ["f", "g"]);
    assert_eq!(below(&[dump, (PYTHON, ""), (PYTHON, ""), (LIBC, ""), (PYTHON, "f")]), ["f"]);
    assert_eq!(below(&[dump, (PYTHON, ""), (PYTHON, ""), (PYTHON, ""), (LIBC, ""), (PYTHON, "f")]), ["f"]);
    assert_eq!(below(&[dump, (PYTHON, ""), (PYTHON, "f"), (LIBC, "x")]), ["", "f", "x"], "no signal came in");
    assert_eq!(below(&[entry, dump, (PYTHON, "f")]), ["f"], "the handler is below");
    assert_eq!(below(&[(PYTHON, "faulthandler_user"), entry, (PYTHON, "f")]).len(), 3, "printed on request");
}
