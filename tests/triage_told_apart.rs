//! Crashes that look like another one: each was once taken for it.  Texts are as short as they can be and still show it.

use ftsan::triage::verdict::{Confidence, CrashCause, Verdict};
use ftsan::triage::{questions, read};

/// The verdict of the only crash of a text.
fn judged(text: &str) -> Verdict {
    let crashes = read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(crashes.len(), 1, "{text}");
    questions::of(&crashes[0])
}

/// The issue that a text is taken for.
fn issue(text: &str) -> Option<String> {
    judged(text).known_issue
}

/// gdb's stack of a thread of a free-threaded CPython 3.14.
fn gdb(frames: &str) -> String {
    format!("Python 3.14.3 free-threading build\nThread 9 \"w\" received signal SIGSEGV, Segmentation fault.\n{frames}\n")
}

/// faulthandler's dump of a free-threaded CPython 3.14: a Python stack, and functions of the interpreter or of a module.
fn faulthandler(python: &[&str], native: &[&str]) -> String {
    let mut text = "Fatal Python error: Segmentation fault\n\n<Cannot show all threads while the GIL is disabled>\n\
        Stack (most recent call first):\n"
        .to_owned();
    for line in python {
        text += &format!("  {line}\n");
    }
    text += "\nCurrent thread's C stack trace (most recent call first):\n";
    for frame in native {
        let (module, symbol) = frame.rsplit_once(' ').unwrap_or(("/opt/py/lib/libpython3.14t.so.1.0", frame));
        text += &format!("  Binary file \"{module}\", at {symbol}+0x31 [0x7f1b]\n");
    }
    text
}

#[test]
fn a_thread_without_a_python_frame_shares_no_generator() {
    let none = ["<no Python frame>"];
    let shares = |text: &str| issue(text).as_deref() == Some("gh-120321");
    let nanobind = "/v/lib/python3.14t/site-packages/solver/_core.cpython-314t-x86_64-linux-gnu.so inst_dealloc";
    for native in [
        &["PyThreadState_Clear", "Py_FinalizeEx"][..],
        &["_PyType_Lookup", nanobind, "_Py_Dealloc", "finalize_modules", "Py_FinalizeEx"],
        &["_PyThreadState_Attach", "PyEval_AcquireThread"],
        &["_PyEval_EvalFrameDefault", "finalize_modules", "Py_FinalizeEx"],
    ] {
        assert!(!shares(&faulthandler(&none, native)), "{native:?}");
    }
    assert!(!shares(
        "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f1c (most recent call first):\n  <no Python frame>\n"
    ));
    let busy = "Fatal Python error: _enter_buffered_busy: could not acquire lock for <_io.BufferedWriter name='<stdout>'> at \
        interpreter shutdown, possibly due to daemon threads\nPython runtime state: finalizing (tstate=0x00005)\n\n\
        Current thread 0x00007f5d (most recent call first):\n  <no Python frame>\n";
    assert!(!shares(busy));
    // The loop runs, and its frame is gone: another thread has taken it.
    assert!(shares(&faulthandler(
        &none,
        &["_PyEval_EvalFrameDefault", "gen_send_ex2", "gen_iternext", "_PyEval_EvalFrameDefault"]
    )));
}

#[test]
fn a_python_stack_that_was_trimmed_has_lost_no_frame() {
    let test = ["File \"/home/u/proj/tests/test_tree.py\", line 120 in test_insert"];
    let called = ["_PyEval_Vector", "_PyObject_Call_Prepend", "slot_tp_call", "_PyEval_EvalFrameDefault", "_PyEval_Vector"];
    for top in [&["_PyEval_EvalFrameDefault"][..], &["dict_dealloc", "_Py_Dealloc", "_PyEval_EvalFrameDefault"]] {
        let native: Vec<&str> = top.iter().chain(&called).copied().collect();
        assert_eq!(issue(&faulthandler(&test, &native)), None, "{native:?}");
    }
    let resumed = ["_PyEval_EvalFrameDefault", "gen_send_ex2", "gen_iternext", "list_extend", "_PyEval_EvalFrameDefault"];
    assert_eq!(issue(&faulthandler(&test, &resumed)).as_deref(), Some("gh-120321"));
}

#[test]
fn one_thread_alone_is_no_misuse_of_threads() {
    let sqlite = "Python 3.13.5 experimental free-threading build\nProgram received signal SIGSEGV, Segmentation fault.\n\
        #0  0x00007f6a0e3120cc in sqlite3VdbeExec () from /lib/libsqlite3.so.0\n\
        #1  0x00007f6a0e410d0e in stmt_step (statement=0x55) at ./Modules/_sqlite/cursor.c:512\n";
    let info = "(gdb) info threads\n  Id   Target Id                      Frame\n\
        * 1    Thread 0x7f6a (LWP 70121) \"python3.13t\" 0x00007f6a in sqlite3VdbeExec ()\n";
    let second = "  2    Thread 0x7f6b (LWP 70122) \"worker\" 0x00007f6b in sqlite3_step ()\n";
    assert_eq!(issue(&format!("{sqlite}{info}{second}")).as_deref(), Some("gh-146471"));
    assert_eq!(issue(sqlite).as_deref(), Some("gh-146471"));
    let alone = judged(&format!("{sqlite}{info}"));
    assert_eq!((alone.verdict, alone.known_issue), (CrashCause::InterpreterBug, None));
    let json = |freed_by: &str| {
        issue(&format!(
            "Python 3.14.2 free-threading build\n\
             ==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x507 at pc 0x7f bp 0x7f sp 0x7f\n\
             READ of size 8 at 0x507 thread T0\n    #0 0x55d0a1c0b1c1 in Py_TYPE Include/object.h:333\n    \
             #1 0x7f1c0a10c2d0 in encoder_listencode_dict Modules/_json.c:1620\n\
             freed by thread {freed_by} here:\n    #0 0x7f1c0b1b1c20 in free asan_malloc_linux.cpp:52\n    \
             #1 0x55d0a1c5b1c1 in tupledealloc Objects/tupleobject.c:231\n"
        ))
    };
    assert_eq!((json("T0"), json("T3").as_deref()), (None, Some("gh-157107")));
}

#[test]
fn a_plugin_of_a_library_is_neither_the_librarys_nor_cpythons() {
    for (plugin, library, caller) in [
        (
            "/usr/lib/mod_spatialite.so",
            "sqlite3_load_extension () from /lib/libsqlite3.so.0",
            "load_extension (self=0x2) at ./Modules/_sqlite/connection.c:1712",
        ),
        (
            "/usr/lib/ossl-modules/pkcs11.so",
            "SSL_CTX_load_verify_locations () from /lib/libssl.so.3",
            "_ssl__SSLContext_load_verify_locations_impl (self=0x2) at ./Modules/_ssl.c:4311",
        ),
    ] {
        let verdict =
            judged(&gdb(&format!("#0  0x00007f in init () from {plugin}\n#1  0x00007f in {library}\n#2  0x00007f in {caller}")));
        assert_eq!((verdict.verdict, verdict.known_issue), (CrashCause::LibraryBug, None), "{plugin}");
        assert!(verdict.evidence[0].contains("a plugin that lib"), "{:?}", verdict.evidence);
    }
}

#[test]
fn a_library_that_is_only_loaded_is_not_blamed_for_one_that_stands_on_top() {
    let put = [
        "File \"/srv/app/index.py\", line 31 in put",
        "File \"/opt/py/lib/python3.14t/asyncio/base_events.py\", line 2050 in _run_once",
    ];
    let of = |native: &[&str], loaded: &str| {
        judged(&format!("{}\nExtension modules: {loaded} (total: 2)\n\ngreenlet==3.2.4\n", faulthandler(&put, native)))
    };
    let rtree = "/v/lib/python3.14t/site-packages/rtree2/_core.cpython-314t-x86_64-linux-gnu.so rtree_insert";
    let section = ["_PyCriticalSection_BeginSlow", "PyCriticalSection_Begin"];
    let loaded = "greenlet._greenlet, rtree2._core";
    assert_eq!(of(&[section[0], section[1], rtree], loaded).culprit.as_deref(), Some("rtree2"));
    assert_eq!(of(&[section[0], section[1], "dict_get", rtree], loaded).culprit.as_deref(), Some("greenlet"));
    let usb = of(&["/usr/lib/libusb-1.0.so.0 handle_events", "make_pending_calls", "_Py_HandlePending"], "greenlet._greenlet");
    assert_eq!((usb.culprit, usb.known_issue), (None, None));
    let lxml = "Python 3.13.5 (main) [Clang 20]\nThread 1 \"p\" received signal SIGSEGV, Segmentation fault.\n\
        #0  0x00007f in ?? () from /v/lib/python3.13/site-packages/lxml/etree.cpython-313-x86_64-linux-gnu.so\n\
        #1  0x00005198a4 in _Py_Dealloc (op=0x7f) at Objects/object.c:2939\n\
        #2  0x0000505138 in PyObject_ClearManagedDict (obj=0x7f) at Objects/dictobject.c:7222\n\n\
        Extension modules: lxml.etree, msgspec._core (total: 2)\n";
    assert_eq!(judged(lxml).culprit.as_deref(), Some("lxml"));
}

#[test]
fn the_process_that_died_is_told_by_its_files_and_not_by_a_sentence_about_another() {
    let groupby = faulthandler(&["File \"/opt/py/lib/python3.14t/threading.py\", line 1024 in run"], &["groupby_next"]);
    assert_eq!(issue(&format!("It runs on Python 3.12.3 in production.\n\n{groupby}")).as_deref(), Some("gh-150791"));
    let text = "Thread 1 \"p\" received signal SIGSEGV, Segmentation fault.\n\
        #0  0x00007f in _textiowrapper_readline () from /opt/py/lib/libpython3.14t.so.1.0\n";
    assert_eq!(issue(&format!("We had Python 3.13.5t before.\n\n{text}")), None, "3.14 has that lock");
    let dealloc = "Thread 1 \"p\" received signal SIGSEGV, Segmentation fault.\n\
        #0  bytesio_dealloc (self=0x7f) at ./Modules/_io/bytesio.c:980\n";
    let banner = "Python 3.14.0 (main, Oct  7 2025, 15:35:21) [GCC 13.3.0] on linux\n";
    assert_eq!(issue(&format!("I tried the freethreaded build, too.\n{banner}{dealloc}")), None, "a build with the GIL");
    assert_eq!(issue(&format!("Python 3.14.0 free-threading build\n{dealloc}")).as_deref(), Some("gh-132551"));
    let gil = "Fatal Python error: Segmentation fault\n\nCurrent thread's C stack trace (most recent call first):\n  \
        Binary file \"/usr/lib/python3.14/lib-dynload/_json.cpython-314-x86_64-linux-gnu.so\", at encoder_call+0x41 [0x7f2f]\n";
    assert_eq!(issue(&format!("Our freethreaded build crashes, too.\n\n{gil}")), None, "its files say that it has the GIL");
}

#[test]
fn a_limit_of_memory_that_was_not_reached_killed_nobody() {
    let ring =
        "#0  0x00007f in ring_push () from /v/lib/python3.14t/site-packages/fastring/_ring.cpython-314t-x86_64-linux-gnu.so\n";
    assert_eq!(judged(&format!("(With 1 GB: exit code 137.)\n{ring}")).culprit.as_deref(), Some("fastring"));
    for docker in ["\"OOMKilled\": false, \"ExitCode\": 139", "    \"OOMKilled\": false,\n    \"Pid\": 0,\n    \"ExitCode\": 139,"]
    {
        assert_eq!(judged(docker).signature, "SIGSEGV | ? | ?", "{docker}");
    }
}

#[test]
fn a_stack_that_is_whole_and_short_has_not_run_out() {
    let dom = "() from /v/lib/python3.14t/site-packages/fastdom/_dom.cpython-314t-x86_64-linux-gnu.so";
    let mut frames: String = (0..27).map(|number| format!("#{number}  0x00007f in walk_node {dom}\n")).collect();
    let cut = judged(&gdb(&frames));
    assert!(cut.evidence[0].starts_with("stack overflow"), "{:?}", cut.evidence);
    frames += "#27 0x00007f in __libc_start_main () from /lib/libc.so.6\n#28 0x00007f in _start ()\n";
    assert_eq!(judged(&gdb(&frames)).culprit.as_deref(), Some("fastdom"));
    let endless = "#0  0x00007f in save (st=0x2) at ./Modules/_pickle.c:4411\n\
        #1  0x00007f in save_list (st=0x2) at ./Modules/_pickle.c:3300\n\
        #87212 0x000055 in pymain_run_python (exitcode=0x7f) at Modules/main.c:688\n#87213 0x00007f in _start ()";
    let verdict = judged(&gdb(endless));
    assert!(verdict.evidence[0].starts_with("stack overflow") && verdict.known_issue.is_none(), "{:?}", verdict.evidence);
}

#[test]
fn an_assertion_of_a_program_is_not_the_interpreters() {
    let of = |source: &str| {
        judged(&format!(
            "app: {source}:88: f: Assertion `refs == 0' failed.\nFatal Python error: Aborted\n\n\
             Current thread 0x00007f5ee89e2740 (most recent call first):\n  File \"/srv/game.py\", line 41 in tick\n"
        ))
        .verdict
    };
    assert_eq!(of("/home/u/python-projects/engine/src/Objects/sprite.c"), CrashCause::Unknown);
    for source in
        ["Objects/dictobject.c", "./Modules/_json.c", "/usr/src/python/Objects/dictobject.c", "/b/Python-3.14.0/Python/gc.c"]
    {
        assert_eq!(of(source), CrashCause::InterpreterBug, "{source}");
    }
}

#[test]
fn a_loop_that_nobody_else_runs_is_used_by_no_wrong_thread() {
    let uvloop =
        |function: &str| format!("/v/lib/python3.14t/site-packages/uvloop/loop.cpython-314t-x86_64-linux-gnu.so {function}");
    let worker = "File \"/opt/py/lib/python3.14t/threading.py\", line 1044 in _bootstrap";
    let app = "File \"/srv/app.py\", line 5 in start";
    let judged = |python: &[&str], function: &str| judged(&faulthandler(python, &[&uvloop(function)])).verdict;
    let made = "File \"/v/lib/python3.14t/site-packages/uvloop/__init__.py\", line 29 in new_event_loop";
    assert_eq!(judged(&[made, app, worker], "uv_loop_init"), CrashCause::LibraryBug);
    assert_eq!(judged(&[app, "File \"/srv/app.py\", line 9 in <module>"], "uv_walk"), CrashCause::LibraryBug, "nobody runs it");
    assert_eq!(judged(&[app, worker], "uv_timer_start"), CrashCause::CrossThreadMisuse);
}

#[test]
fn a_crash_below_write_is_of_the_transport_only_in_the_send() {
    let python = [
        "File \"/opt/py/lib/python3.14t/asyncio/selector_events.py\", line 1068 in write",
        "File \"/opt/py/lib/python3.14t/asyncio/base_events.py\", line 675 in run_forever",
        "File \"/srv/app/proto.py\", line 88 in <module>",
    ];
    let of = |native: &[&str]| judged(&faulthandler(&python, native)).verdict;
    assert_eq!(of(&["PyEval_SaveThread", "sock_call_ex", "sock_send"]), CrashCause::CrossThreadMisuse);
    for native in [&["subtype_traverse", "mark_heap_visitor", "gc_collect_main"][..], &["type_call", "_PyObject_MakeTpCall"]] {
        assert_ne!(of(native), CrashCause::CrossThreadMisuse, "{native:?}");
    }
}

#[test]
fn words_about_a_crash_are_not_its_own() {
    let ring = "/v/lib/python3.14t/site-packages/fastring/_ring.cpython-314t-x86_64-linux-gnu.so ring_push";
    let dump = faulthandler(&["File \"/srv/app/io.py\", line 20 in pull"], &[ring]);
    for line in [
        "It is not a stack overflow: with `ulimit -s unlimited` it crashes just the same.",
        "2026-03-04 10:22:31 WARNING dataset: skipping corrupted file a.jpg",
        "I had \"double free or corruption\" from numpy last year",
        "DeprecationWarning: This process (pid=4120) is multi-threaded, use of fork() may lead to deadlocks in the child.",
    ] {
        let verdict = judged(&format!("{line}\n\n{dump}"));
        assert_eq!((verdict.verdict, verdict.culprit.as_deref()), (CrashCause::LibraryBug, Some("fastring")), "{line}");
    }
    let pull =
        ["File \"/srv/app/io.py\", line 20 in pull", "File \"/opt/py/lib/python3.14t/threading.py\", line 1024 in _bootstrap"];
    let died = faulthandler(&pull, &["_PyEval_EvalFrameDefault", "_PyEval_Vector", "thread_run"]);
    let about = "(The old 3.12 workers log `ValueError: generator already executing` from time to time; that is unrelated.)";
    assert_eq!(issue(&format!("{about}\n\n{died}")), None);
    let said = "Traceback (most recent call last):\nValueError: generator already executing";
    assert_eq!(issue(&format!("{said}\n\n{died}")).as_deref(), Some("gh-120321"));
}

#[test]
fn a_function_in_a_source_of_somebody_else_is_no_function_of_cpython() {
    for frame in [
        "#0  tee_write_packet (avf=0x7f) at libavformat/tee.c:529",
        "#0  array_dealloc (self=0x7f) at ../numpy/_core/src/multiarray/arrayobject.c:421",
        "#0  encoder_listencode_dict (s=0x2) at simplejson/_speedups.c:3108",
        "#0  profiler_sample_stack (p=0x0) at src/sampler/profiler.c:210",
        "#0  element_measure (e=0x0) at ../src/layout/element.c:210",
        "#0  gen_close_block (g=0x0) at ../jit/src/gen.c:88",
    ] {
        let verdict = judged(&gdb(frame));
        assert_eq!((verdict.verdict, verdict.known_issue.as_deref()), (CrashCause::LibraryBug, None), "{frame}");
        assert!(verdict.evidence[0].contains("which is neither CPython's nor libc's"), "{:?}", verdict.evidence);
    }
    let asan = "Python 3.14.3 free-threading build\n\
        ==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x50 at pc 0x7f bp 0x7f sp 0x7f\n\
        READ of size 8 at 0x50 thread T3\n    \
        #0 0x7f1c0a10b1c1 in array_dealloc /home/u/numpy/numpy/_core/src/multiarray/arrayobject.c:421\n";
    assert_eq!(issue(asan), None);
    // CPython's own sources are told by their folders, wherever they were built.
    let tee = |source: &str| issue(&gdb(&format!("#0  tee_next (to=0x7f) at {source}:529")));
    for source in ["./Modules/itertoolsmodule.c", "/home/u/py314/Modules/itertoolsmodule.c", "itertoolsmodule.c"] {
        assert_eq!(tee(source).as_deref(), Some("gh-153062"), "{source}");
    }
    assert_eq!(judged(&gdb("#0  tee_next (to=0x7f) at ./Modules/itertoolsmodule.c:529")).confidence, Confidence::High);
}
