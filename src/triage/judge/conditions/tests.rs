//! Tests of `conditions.rs`.

use super::super::super::crash::{Crash, Extension, Thread};
use super::*;
use crate::report::Frame;

const OWN: &str = "/v/lib/python3.14t/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";

fn crash(frames: &[(&str, &str)], extensions: &[&str]) -> Crash {
    let thread = Thread {
        crashed: true,
        native: frames.iter().map(|(module, symbol)| NativeFrame::named(module, symbol)).collect(),
        ..Thread::default()
    };
    let extension = |name: &&str| Extension { name: (*name).to_owned(), ..Extension::default() };
    Crash { threads: vec![thread], extensions: extensions.iter().map(extension).collect(), ..Crash::default() }
}

fn holds(condition: &Condition, crash: &Crash) -> bool {
    condition.holds(&Facts::new(crash)).is_some()
}

#[test]
fn a_star_is_any_text_and_nothing_is_like_nothing() {
    assert!(like("tp_clear", &["x", "tp_clear"]) && !like("tp_clear2", &["tp_clear"]));
    assert!(like("tp_clear2", &["tp_clear*"]) && !like("my_tp_clear", &["tp_clear*"]));
    assert!(like("g_switch_fast", &["g_*fast"]) && !like("g_switch_slow", &["g_*fast"]));
    assert!(!like("", &["*"]), "a function without a name");
}

#[test]
fn a_function_without_a_file_may_be_the_interpreters_and_a_librarys_is_not() {
    let may = |symbol: &str, owner: Owner, modules: &[&str]| may_be_in(&NativeFrame::named("", symbol), &owner, modules);
    for owner in [Owner::Interpreter, Owner::Unknown, Owner::C] {
        assert!(may("f", owner.clone(), &[]) && !may("", owner, &[]), "it needs a name");
    }
    let stdlib = || Owner::Stdlib("_json".to_owned());
    assert!(may("f", stdlib(), &["_json"]) && !may("f", stdlib(), &["_csv"]));
    let extension = || Owner::Extension("_core".to_owned(), Some("fastlog".to_owned()));
    assert!(may("f", extension(), &["_core"]) && may("f", extension(), &["fastlog"]) && !may("f", extension(), &["other"]));
    assert!(!may("f", Owner::Library("libuv".to_owned()), &["libuv"]));
    let source = |source: &str| NativeFrame { source: source.to_owned(), ..NativeFrame::named("", "tee_write_packet") };
    assert!(!may_be_in(&source("libavformat/tee.c"), &Owner::Unknown, &[]), "a source of somebody else");
    assert!(may_be_in(&source("tee.c"), &Owner::Unknown, &[]), "a name without a folder tells nothing");
}

#[test]
fn extensions_on_the_stack_count_as_those_that_are_listed_do() {
    let (alone, other, none) = (crash(&[(OWN, "f")], &[]), crash(&[(OWN, "f")], &["yarl._quoting"]), crash(&[], &[]));
    assert!(holds(&OnlyExtension(&["fastlog"]), &alone) && !holds(&OnlyExtension(&["yarl"]), &alone));
    assert!(!holds(&OnlyExtension(&["fastlog"]), &other));
    assert!(holds(&NoExtension, &none) && !holds(&NoExtension, &alone) && !holds(&NoExtension, &crash(&[], &["yarl._quoting"])));
}

#[test]
fn a_stack_is_whole_and_a_loop_is_known_only_if_the_dump_tells() {
    let of = |thread: Thread| Crash { threads: vec![Thread { crashed: true, ..thread }], ..Crash::default() };
    assert!(holds(&WholeStack, &of(Thread::default())));
    assert!(!holds(&WholeStack, &of(Thread { cut: true, ..Thread::default() })));
    assert!(!holds(&WholeStack, &of(Thread { top_cut: true, ..Thread::default() })));
    let frame = |file: &str| vec![Frame { file: file.to_owned(), function: "f".to_owned(), line: 1, ..Frame::default() }];
    assert!(holds(&NotLoopThread, &of(Thread { python: frame("/app.py"), ..Thread::default() })));
    assert!(!holds(&NotLoopThread, &of(Thread { python: frame(""), ..Thread::default() })), "nothing of the stack is known");
    let looping = Thread { python: frame("/app.py"), runs_loop: "a loop".to_owned(), ..Thread::default() };
    assert!(!holds(&NotLoopThread, &of(looping)));
}

#[test]
fn a_loop_runs_elsewhere_only_where_something_shows_it() {
    let stack = |functions: &[&str]| -> Vec<Frame> {
        let frame = |name: &&str| Frame { file: "/app.py".to_owned(), function: (*name).to_owned(), line: 1, ..Frame::default() };
        functions.iter().map(frame).collect()
    };
    let of = |functions: &[&str], symbol: &str, gil: &str, other: &[&str]| {
        let mut crash = crash(&[("/v/site-packages/uvloop/loop.cpython-314t-darwin.so", symbol)], &[]);
        crash.threads[0].python = stack(functions);
        crash.threads.push(Thread { python: stack(other), ..Thread::default() });
        gil.clone_into(&mut crash.python.gil);
        [NotLoopThread, LoopThread].map(|condition| holds(&condition, &crash))
    };
    let worker = ["work", "run", "_bootstrap"];
    assert_eq!(of(&worker, "uv_timer_start", "disabled", &[]), [true, false]);
    assert_eq!(of(&worker, "uv_timer_start", "enabled", &[]), [false, false], "with the GIL, all threads are shown");
    assert_eq!(of(&worker, "uv_timer_start", "enabled", &["run_forever", "<module>"]), [true, false]);
    assert_eq!(of(&["close", "<module>"], "uv_close", "disabled", &[]), [false, false], "the main thread");
    assert_eq!(of(&["work", "<module>"], "uv_timer_start", "disabled", &["run_forever"]), [true, false]);
    assert_eq!(of(&worker, "uv_loop_init", "disabled", &["run_forever"]), [false, false], "it makes a loop of its own");
    assert_eq!(of(&["new_event_loop", "work"], "", "disabled", &[]), [false, false]);
    assert_eq!(of(&["work", "run_forever"], "uv_timer_start", "disabled", &[]), [false, true]);
    assert_eq!(of(&[], "uv_timer_start", "disabled", &[]), [false, true], "nothing is known of the stack");
}

#[test]
fn a_version_that_is_known_roughly_is_guessed() {
    let version = |version: &str| {
        let mut crash = crash(&[], &[]);
        version.clone_into(&mut crash.python.version);
        crash
    };
    let guesses = |text: &str| PythonBelow("3.14.2").guesses_version(&Facts::new(&version(text)));
    assert!(guesses("") && guesses("3.14") && !guesses("3.14.1") && !guesses("3.15"));
    assert!(!Says(&["x"]).guesses_version(&Facts::new(&version(""))));
}

#[test]
fn what_a_condition_asks_for_is_known_through_any_of_several() {
    let any = Any(&[Says(&["x"]), Top(3, &["f", "g"])]);
    assert!(any.is_shape() && any.asks_for_words() && any.functions() == ["f", "g"]);
    assert!(!Any(&[WithoutGil]).is_shape() && !Also(&[Says(&["x"])]).is_shape() && !Top(3, &["f"]).asks_for_words());
}

#[test]
fn each_part_between_two_stars_is_in_the_text() {
    assert!(like("a_xx_b", &["a*x*b*"]) && !like("a_xx", &["a*x*b*"]) && !like("a_b", &["a*x*b*"]));
    assert!(like("ab", &["a**"]) && !like("b", &["a*b"]));
}

#[test]
fn a_module_is_known_by_its_file_by_its_name_or_by_its_distribution() {
    let owner = Owner::Extension("x".to_owned(), Some("y".to_owned()));
    let may = |module: &str, asked: &str| may_be_in(&NativeFrame::named(module, "f"), &owner, &[asked]);
    assert!(may(OWN, "fastlog._core") && may("", "x") && may("", "y") && !may("", "fastlog._core"));
}

#[test]
fn innermost_frames_are_of_whom_a_condition_asks_for() {
    let python = ("/usr/bin/python3.14t", "dict_get");
    let of = |frames: &[(&str, &str)]| crash(frames, &[]);
    assert!(holds(&Interpreter(1), &of(&[python, (OWN, "f")])) && !holds(&Interpreter(2), &of(&[python, (OWN, "f")])));
    assert!(holds(&OwnTop(1), &of(&[python, (OWN, "f")])) && !holds(&OwnTop(2), &of(&[python, (OWN, "f")])));
    assert!(holds(&Anywhere(&["*"], &["f"]), &of(&[(OWN, "f")])) && !holds(&Anywhere(&["*"], &["g"]), &of(&[(OWN, "f")])));
    assert!(holds(&Anywhere(&["fastlog"], &["f"]), &of(&[(OWN, "f")])));
    assert!(!holds(&Anywhere(&["yarl"], &["f"]), &of(&[(OWN, "f")])));
    assert!(holds(&Condition::Module(&["fastlog._core"]), &of(&[python, (OWN, "f")])));
    assert!(!holds(&Condition::Module(&["yarl"]), &of(&[python, (OWN, "f")])));
    let json = "/usr/lib/python3.14t/lib-dynload/_json.cpython-314t-darwin.so";
    assert!(holds(&TopModule(1, &["_json"]), &of(&[(json, "f")])) && !holds(&TopModule(1, &["_csv"]), &of(&[(json, "f")])));
    assert!(holds(&Top(1, &["dict_get"]), &of(&[python])) && !holds(&Top(1, &["f"]), &of(&[python])));
    assert!(holds(&Function(1, &["fastlog"], &["g"]), &of(&[(OWN, "")])), "a function without a name may be it");
    assert!(!holds(&Top(1, &["g"]), &of(&[(OWN, "")])));
}

#[test]
fn a_signal_that_is_not_known_may_be_any() {
    let signal = |signal: &str| holds(&Signal(&["SIGSEGV"]), &Crash { signal: signal.to_owned(), ..Crash::default() });
    assert!(signal("") && signal("SIGSEGV") && !signal("SIGBUS"));
}

#[test]
fn versions_that_are_not_known_fit_but_where_an_older_one_is_asked_for() {
    let of = |version: &str| {
        let mut crash = crash(&[], &["fastlog"]);
        version.clone_into(&mut crash.extensions[0].version);
        version.clone_into(&mut crash.python.version);
        crash
    };
    let (old, new, unknown) = (of("3.13.1"), of("3.15.0"), of(""));
    let told = |condition: Condition| [&old, &new, &unknown].map(|crash| holds(&condition, crash));
    assert_eq!(told(OlderThan("fastlog", "3.14")), [true, false, false]);
    assert_eq!(told(Below("fastlog", "3.14")), [true, false, true]);
    assert_eq!(told(From("fastlog", "3.14")), [false, true, true]);
    assert_eq!(told(PythonBelow("3.14")), [true, false, true]);
    assert_eq!(told(PythonFrom("3.14")), [false, true, true]);
}

#[test]
fn a_python_stack_is_cut_short_if_the_loop_runs_more_often_than_it_has_frames() {
    let eval = ("/usr/bin/python3.14t", "_PyEval_EvalFrameDefault");
    let short = |runs: usize, functions: &[&str], cut: bool| {
        let mut crash = crash(&vec![eval; runs], &[]);
        let frame = |function: &&str| Frame { function: (*function).to_owned(), file: "/app.py".to_owned(), ..Frame::default() };
        crash.threads[0].python = functions.iter().map(frame).collect();
        crash.threads[0].cut = cut;
        holds(&StackCutShort, &crash)
    };
    assert!(short(2, &["f"], false) && !short(1, &["f"], false) && !short(0, &[], false));
    let called = |by: &str| {
        let mut crash = crash(&[eval, ("/usr/bin/python3.14t", by), eval], &[]);
        crash.threads[0].python = vec![Frame { function: "f".to_owned(), file: "/app.py".to_owned(), ..Frame::default() }];
        holds(&StackCutShort, &crash)
    };
    assert!(called("") && called("gen_iternext") && !called("_PyEval_Vector"), "a function's caller is left out of the text");
    assert!(!short(2, &["f"], true) && !short(3, &["f", "<module>"], false) && !short(3, &["Thread._bootstrap"], false));
}

#[test]
fn a_library_is_in_use_if_it_is_listed_or_on_a_stack() {
    let python = |file: &str, function: &str| {
        let mut crash = crash(&[], &[]);
        let (file, function) = (file.to_owned(), function.to_owned());
        crash.threads[0].python = vec![Frame { file, function, ..Frame::default() }];
        crash
    };
    assert!(
        holds(&Loaded(&["fastlog"]), &crash(&[], &["fastlog._core"])) && holds(&Loaded(&["fastlog"]), &crash(&[(OWN, "f")], &[]))
    );
    assert!(holds(&Loaded(&["fastlog"]), &python("/v/site-packages/fastlog/api.py", "f")));
    assert!(holds(&Loaded(&["greenlet"]), &python("/x.py", "greenlet_spawn")));
    assert!(
        !holds(&Loaded(&["fastlog"]), &python("/x.py", "greenlet_spawn")) && !holds(&Loaded(&["greenlet"]), &python("/x.py", "f"))
    );
    assert!(holds(&NoPythonFrame, &python("", "<freed frame>")) && !holds(&NoPythonFrame, &python("/x.py", "f")));
}

#[test]
fn a_place_of_python_is_the_end_of_a_file_and_a_function() {
    let is = |place: &'static str, file: &str, function: &str| {
        let mut crash = crash(&[], &[]);
        crash.threads[0].python = vec![Frame { file: file.to_owned(), function: function.to_owned(), line: 1, ..Frame::default() }];
        python(&Facts::new(&crash), &[place]).is_some()
    };
    assert!(is("asyncio/events.py:_run", "C:\\Lib\\asyncio\\events.py", "Handle._run"));
    assert!(!is("asyncio/events.py:_run", "/asyncio/events.py", "run") && !is("asyncio/events.py:_run", "/events.py", "_run"));
    assert!(is("*:f", "/x.py", "f") && is("pool*:f", "/pool/x.py", "f") && !is("pool*:f", "/x.py", "f") && is("f", "/x.py", "f"));
}

#[test]
fn a_library_is_loaded_if_it_is_on_the_stack_under_either_of_its_names() {
    let by = |name: &str| loaded(&Facts::new(&crash(&[(OWN, "f")], &[])), name);
    assert_eq!(by("fastlog._core").as_deref(), Some("fastlog._core is on the native stack"), "as a module");
    assert_eq!(by("slowlog"), None);
    let brought = crash(&[("/v/site-packages/pyarrow/libarrow.so.2500", "f")], &[]);
    assert_eq!(loaded(&Facts::new(&brought), "pyarrow").as_deref(), Some("pyarrow is on the native stack"), "as a distribution");
}

#[test]
fn a_frame_is_unlinked_if_the_loop_runs_without_one_and_nothing_ends() {
    let of = |shown: &str, symbols: &[&str], message: &str| {
        let frames: Vec<(&str, &str)> = symbols.iter().map(|symbol| ("/usr/bin/python3.14t", *symbol)).collect();
        let mut crash = crash(&frames, &[]);
        crash.threads[0].python = vec![Frame { function: shown.to_owned(), ..Frame::default() }];
        message.clone_into(&mut crash.message);
        [NoPythonFrame, FrameUnlinked].map(|condition| holds(&condition, &crash))
    };
    let none = "<no Python frame>";
    assert_eq!(of(none, &[], ""), [true, false], "a thread of native code has none");
    assert_eq!(of(none, &["dict_dealloc", "_PyEval_EvalFrameDefault"], ""), [true, true]);
    assert_eq!(of(none, &["_TAIL_CALL_RESUME"], ""), [true, true]);
    assert_eq!(of(none, &["_PyEval_EvalFrameDefault"], FINALIZING), [false, false]);
    assert_eq!(of(none, &["_PyEval_EvalFrameDefault", "finalize_modules", "Py_FinalizeEx"], ""), [false, false]);
    assert_eq!(of("<freed frame>", &[], ""), [true, true]);
    assert_eq!(of("<invalid frame>", &["PyThreadState_Clear"], ""), [false, false]);
    assert_eq!(of("<freed thread state>", &[], ""), [true, false]);
}

#[test]
fn the_deeds_of_one_thread_alone_are_of_no_threads() {
    let of = |one_thread, gil: &str| {
        let mut crash = Crash { one_thread, ..crash(&[], &[]) };
        gil.clone_into(&mut crash.python.gil);
        [WithoutGil, Concurrent].map(|condition| holds(&condition, &crash))
    };
    assert_eq!([of(false, ""), of(false, "disabled"), of(false, "enabled")], [[true, true], [true, true], [false, false]]);
    assert_eq!(of(true, "disabled"), [true, false]);
}

#[test]
fn a_library_is_left_out_of_it_if_somebody_else_is_on_top() {
    let python = ("/usr/bin/python3.14t", "_Py_Dealloc");
    let other = "/v/site-packages/lxml/etree.cpython-314t-darwin.so";
    let of = |frames: &[(&str, &str)]| holds(&NobodyElse(2, &["fastlog"]), &crash(frames, &[]));
    assert!(of(&[python, (OWN, "f"), (other, "g")]) && of(&[python]) && !of(&[python, (other, "g")]));
    assert!(!of(&[("/usr/lib/libxml2.so.2", "f")]), "a library is somebody else's");
    let called = |frames: &[(&str, &str)]| holds(&CalledByOwn(&["PyMutex_*"]), &crash(frames, &[]));
    let mutex = ("/usr/bin/python3.14t", "PyMutex_Lock");
    assert!(called(&[mutex, python, (other, "g")]) && called(&[mutex]) && called(&[python, mutex, (other, "g")]));
    assert!(!called(&[mutex, mutex, (other, "g")]));
}

#[test]
fn a_plugin_of_a_library_is_no_part_of_the_module_that_uses_the_library() {
    let module = ("/usr/lib/python3.14t/lib-dynload/_sqlite3.cpython-314t-darwin.so", "load_extension");
    let of = |frames: &[(&str, &str)]| holds(&TopModule(3, &["_sqlite3"]), &crash(frames, &[]));
    let library = ("/usr/lib/libsqlite3.so.0", "sqlite3_load_extension");
    assert!(of(&[library, module]) && of(&[("/usr/lib/libz.so.1", "inflate"), library, module]));
    assert!(!of(&[("/usr/lib/mod_spatialite.so", "init"), library, module]));
    assert!(of(&[("/usr/lib/mod_spatialite.so", "init"), module]), "nothing shows that a library has loaded it");
    assert!(of(&[("/srv/app/native.so", "f"), ("/usr/lib/libffi.so.8", "ffi_call"), module]), "the program has loaded it");
}
