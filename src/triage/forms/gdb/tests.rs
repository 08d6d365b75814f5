//! Tests of `gdb.rs`.

use super::*;

#[test]
fn frames_are_taken_apart() {
    let place =
        |body: &str| parsed(body, true).map(|(name, module, source)| (name.to_owned(), module.to_owned(), source.to_owned()));
    let is = |name: &str, module: &str, source: &str| Some((name.to_owned(), module.to_owned(), source.to_owned()));
    assert_eq!(place("f (a=1, s=0x1 \"x)\") at ./x/y.c:12"), is("f", "", "./x/y.c"));
    assert_eq!(place("?? () from /lib/libx.so.1"), is("??", "/lib/libx.so.1", ""));
    assert_eq!(
        place("std::function<void (int)>::operator() (this=0x1) at a.h:1"),
        is("std::function<void (int)>::operator()", "", "a.h")
    );
    assert_eq!(place("f /x/y.c:12:3 (python+0x1)"), None);
    assert_eq!(parsed("0x0000f1 g::h (/x/y.c:12:3)", false), Some(("g::h", "", "/x/y.c")));
    assert_eq!(parsed("0x0000f1 in g /x/y.c:12:3", false), None);
    assert_eq!(place("f (libpython3.14t.so.1.0 + 0x1)"), None);
}

#[test]
fn the_thread_that_got_the_signal_is_the_crashed_one() {
    let crash = FORM.one(
        "Thread 2 \"worker\" received signal SIGSEGV, Segmentation fault.\n(gdb) thread apply all bt\n\n\
         Thread 2 (Thread 0x7f (LWP 12) \"worker\"):\n#0  f () at ./x.c:1\n#1  0x01 in g (a=1,\n    b=2)\n    at ./x.c:2\n\n\
         Thread 1 (Thread 0x7e (LWP 11) \"python\"):\n#0  0x02 in wait () from /lib/libc.so.6\n",
    );
    assert_eq!((crash.signal.as_str(), crash.threads.len()), ("SIGSEGV", 2));
    assert!(crash.threads[0].crashed && crash.threads[0].name == "worker" && crash.threads[0].native_id == 12);
    assert_eq!(crash.threads[0].native[1].symbol, "g");
    assert_eq!(crash.threads[1].native[0].module, "/lib/libc.so.6");
}

#[test]
fn the_stack_of_python_alone_is_read() {
    let crash = FORM.one(
        "Traceback (most recent call first):\n  File \"/x/a.py\", line 80, in wrapper\n    f()\n  <built-in method exec>\n  \
                     File \"/x/b.py\", line 8, in <module>\n",
    );
    assert_eq!((crash.threads[0].python.len(), crash.threads[0].python[0].line), (2, 80));
}

#[test]
fn frames_that_were_left_out_are_noticed() {
    let crash = FORM.one("#3  0x1 in f () from /a.so\n#9  0x1 in g () from /a.so\n");
    assert!(crash.threads[0].top_cut && crash.threads[0].cut);
}

#[test]
fn where_gdb_stopped_is_a_frame_where_there_is_no_backtrace() {
    let crash = FORM.one(
        "Program received signal SIGSEGV, Segmentation fault.\n0x00007fff in do_quote (\n    val=val@entry='j',\n    safe=0) at yarl/_quoting.c:2273\n\
         2273\tyarl/_quoting.c: No such file or directory.\n",
    );
    let frame = &crash.threads[0].native[0];
    assert_eq!((frame.symbol.as_str(), frame.source.as_str()), ("do_quote", "yarl/_quoting.c"));
    assert!(crash.threads[0].cut && crash.signal == "SIGSEGV");
}

#[test]
fn parentheses_inside_of_strings_open_nothing() {
    assert_eq!(["f (a=1)", "f (a=1,", "f (g (b))", "f (a=1, g (b"].map(open_parentheses), [0, 1, 0, 2]);
    assert_eq!([r#"f (s="(")"#, r#"f (s=")""#, r#"f (s="\"(", t=1)"#].map(open_parentheses), [0, 1, 0]);
}

fn names(crash: &Crash) -> Vec<Vec<&str>> {
    crash.threads.iter().map(|thread| thread.native.iter().map(|frame| frame.symbol.as_str()).collect()).collect()
}

#[test]
fn any_of_all_threads_may_have_got_the_signal() {
    let crash = FORM.one(
        "Thread 2 \"worker\" received signal SIGSEGV, Segmentation fault.\n\nThread 1 (LWP 11):\n#0  0x02 in wait () from /lib/libc.so.6\n\n\
         Thread 2 (LWP 12):\n#0  f () at ./x.c:1\n",
    );
    assert_eq!(names(&crash), [["f"], ["wait"]]);
    assert_eq!(crash.threads.iter().map(|thread| thread.crashed).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn the_thread_that_crashed_is_told_once_where_it_is_shown_twice() {
    let of = |first: &str| {
        FORM.one(&format!(
            "Thread 2 \"worker\" received signal SIGSEGV, Segmentation fault.\n(gdb) bt\n{first}(gdb) thread apply all bt\n\
             Thread 3 (LWP 13):\n#0  0x01 in x () from /a.so\n\nThread 2 (LWP 12):\n#0  0x01 in f () from /a.so\n#1  0x01 in g () from /a.so\n\n\
             Thread 1 (LWP 11):\n#0  0x01 in wait () from /a.so\n"
        ))
    };
    let both = of("#0  0x01 in f () from /a.so\n#1  0x01 in g () from /a.so\n");
    assert_eq!(names(&both), [vec!["f", "g"], vec!["x"], vec!["wait"]]);
    let thread = &both.threads[0];
    assert_eq!((thread.crashed, thread.native_id, thread.name.as_str()), (true, 12, "worker"));
    let other = of("#0  0x01 in f () from /a.so\n#1  0x01 in h () from /a.so\n");
    assert_eq!(names(&other), [vec!["f", "h"], vec!["x"], vec!["f", "g"], vec!["wait"]], "another stack");
    let longer = of("#0  0x01 in f () from /a.so\n#1  0x01 in g () from /a.so\n#2  0x01 in h () from /a.so\n");
    assert_eq!(longer.threads.len(), 4, "one that goes on");
}

#[test]
fn the_first_stack_without_a_head_is_that_of_the_current_thread() {
    let crash = FORM.one(
        "Thread 2 \"worker\" received signal SIGSEGV, Segmentation fault.\n(gdb) bt\n#0  0x01 in f () from /a.so\n(gdb) bt\n\
         #0  0x01 in abort () from /a.so\n",
    );
    assert_eq!(names(&crash), [["f"], ["abort"]]);
    assert_eq!((crash.threads[0].name.as_str(), crash.threads[0].crashed, crash.threads[1].name.as_str()), ("worker", true, ""));
}

#[test]
fn a_switch_of_threads_stands_between_the_signal_and_the_place() {
    let crash = FORM.one(
        "Program received signal SIGSEGV, Segmentation fault.\n[Switching to Thread 0x7f (LWP 12)]\n0x00007fff in f () from /a.so\n",
    );
    assert_eq!(names(&crash), [["f"]]);
}

#[test]
fn a_frame_goes_on_over_so_many_lines() {
    let source = |wrapped: usize| {
        let text = format!("{}#0  f (\n{}    b=2) at x.c:5\n", "text\n".repeat(60), "    a=1,\n".repeat(wrapped));
        FORM.one(&text).threads.remove(0).native.remove(0).source
    };
    assert_eq!((source(0).as_str(), source(MOST_LINES - 2).as_str(), source(MOST_LINES - 1).as_str()), ("x.c", "x.c", ""));
}

#[test]
fn which_lines_go_on_with_a_frame() {
    for (body, next, expected) in [
        ("f (a=1,", "b=2)", true),
        ("f (a=1,", "s=#2 x)", true),
        ("f (a=1,", "", false),
        ("f (a=1,", "#1  0x01 in g ()", false),
        ("f (a=1,", "(gdb) bt", false),
        ("f (a=1,", "Thread 1 (LWP 12):", false),
        ("f ()", "at x.c:5", true),
        ("f ()", "from /a.so", true),
        ("f ()", "text", false),
        ("f () at x.c:5", "at y.c:6", false),
        ("f () from /a.so", "from /b.so", false),
        ("f () at x.c:5", "text", false),
    ] {
        assert_eq!(continues(body, next), expected, "{body} and {next}");
    }
}

#[test]
fn lines_of_python_are_read_up_to_the_next_command() {
    let count = |end: &str| {
        let line = "  File \"/x/a.py\", line 80, in f\n";
        FORM.one(&format!("Traceback (most recent call first):\n{line}{end}\n{line}")).threads[0].python.len()
    };
    assert_eq!([count("    f()"), count("(gdb) list"), count("Thread 1 stopped")], [2, 1, 1]);
    let many = "  File \"/x/a.py\", line 80, in f\n".repeat(frames::MOST_FRAMES + 2);
    assert_eq!(FORM.one(&format!("{PY_BT}:\n{many}")).threads[0].python.len(), frames::MOST_FRAMES);
}

#[test]
fn frames_that_lost_their_marks_are_read_where_it_is_gdb_that_speaks() {
    let found = |head: &str| {
        let text = format!("{head}0  0x00007ffff7a0 in f (a=1) at x.c:5\n1  0x00007ffff7b0 in g () from /a.so\n");
        let crashes = read(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        crashes.first().map_or(0, |found| found.crash.threads.iter().map(|thread| thread.native.len()).sum())
    };
    let signal = "Program received signal SIGSEGV, Segmentation fault.\n";
    assert_eq!(found(&format!("{signal}(gdb) bt\n")), 2);
    assert_eq!(found(&format!("{signal}text\n")), 0, "without a prompt");
    assert_eq!(found("(gdb) bt\n"), 0, "without a signal");
    assert_eq!(found(&format!("{signal}(gdb) bt\n#0  0x01 in h () from /a.so\n")), 1, "others have their marks");
}

#[test]
fn frames_of_other_forms_are_none_of_gdb() {
    assert!(read(&["#00 pc 000000000001a2b4  /data/app/lib.so (f+8728)".to_owned()]).is_empty());
    let place = |body: &str| parsed(body, true).map(|(name, module, source)| [name, module, source].map(str::to_owned));
    let is = |parts: [&str; 3]| Some(parts.map(str::to_owned));
    assert_eq!(place("f () at x.c:5 (BuildId: 12ab)"), None);
    assert_eq!(place("f+0x12 x"), None);
    assert_eq!(place("f (a=0x1+0x2) at x.c:1"), is(["f", "", "x.c"]));
    assert_eq!(place("f<+0x2> (a) at x.c:1"), is(["f<+0x2>", "", "x.c"]));
    assert_eq!(place("f () from /opt/a+0x1.so"), is(["f", "/opt/a+0x1.so", ""]));
    assert_eq!(place("a=f (x) at x.c:1"), None);
    assert_eq!(place("(x)"), None);
    for (length, read) in [(999, true), (1000, false)] {
        assert_eq!(place(&format!("{} (x) at x.c:1", "f".repeat(length))).is_some(), read);
    }
}

#[test]
fn the_place_of_a_call_stands_behind_its_last_parenthesis() {
    let place = |body: &str| parsed(body, true).map(|(name, module, source)| [name, module, source].map(str::to_owned));
    let is = |parts: [&str; 3]| Some(parts.map(str::to_owned));
    assert_eq!(place("f (s=\") at \") from /a.so"), is(["f", "/a.so", ""]));
    assert_eq!(place("f (s=\") from \") at x.c:5"), is(["f", "", "x.c"]));
    assert_eq!(place("f (a=1)   /lib/a.so"), is(["f", "/lib/a.so", ""]));
    assert_eq!(place("f (a=1) /lib/a.so"), is(["f", "", ""]), "a library stands apart");
    assert_eq!(place("f (a=1)   text"), is(["f", "", ""]));
    assert_eq!(arguments("(x)"), None);
}

#[test]
fn frames_of_a_crash_tracker_have_an_address_a_name_and_a_place() {
    assert_eq!(FORM.one("#0 0x0000f1 g::h (/x/y.c:12:3)\n").threads[0].native[0].symbol, "g::h");
    for body in ["0xg1 f (/x.c:1:2)", "0xf1 f (/x.c:a:2)", "0xf1  (/x.c:1:2)", "0xf1 f /x.c:1:2"] {
        assert_eq!(parsed(body, false), None, "{body}");
    }
}

#[test]
fn the_words_that_a_process_died_with_are_read_from_the_arguments() {
    let said = |frame: &str| FORM.one(&format!("#0  __GI_abort () at ./stdlib/abort.c:79\n{frame}\n")).message;
    for (frame, words) in [
        (
            r#"#1  0x01 in fatal_error (fd=2, prefix=prefix@entry=0x05 <__func__.5> "PyMutex_Unlock", msg=msg@entry=0x06 "not locked", status=-1) at Python/pylifecycle.c:5"#,
            "Fatal Python error: PyMutex_Unlock: not locked",
        ),
        (
            r#"#1  0x01 in _Py_FatalErrorFunc (func=0x05 "f", msg=0x06 "it \"is\"") at Python/x.c:5"#,
            "Fatal Python error: f: it \"is\"",
        ),
        (r#"#1  Py_FatalError (message=0x05 "gone") at Python/x.c:5"#, "Fatal Python error: gone"),
        (
            r#"#1  __GI___assert_fail (assertion=0x01 "a > 0", file=0x02 "Objects/x.c", line=line@entry=12, function=0x03 "f") at ./assert/assert.c:101"#,
            "Objects/x.c:12: f: Assertion `a > 0' failed.",
        ),
        (
            r#"#1  _PyObject_AssertFailed (obj=0x01, expr=0x02 "b", msg=0x03 "c", file=0x04 "Objects/x.c", line=7, function=0x05 "f") at Objects/object.c:5"#,
            "Objects/x.c:7: f: Assertion \"b\" failed: c",
        ),
        (r#"#1  malloc_printerr (str=str@entry=0x07 "free(): invalid pointer") at ./malloc/malloc.c:5"#, "free(): invalid pointer"),
        (
            r#"#1  __fortify_fail (msg=0x07 "stack smashing detected") at ./debug/fortify_fail.c:5"#,
            "*** stack smashing detected ***: terminated",
        ),
        (r#"#1  f (msg=0x07 "free(): invalid pointer") at x.c:5"#, ""),
        ("#1  fatal_error (msg=<optimized out>) at Python/x.c:5", ""),
        (r#"#1  __assert_fail (assertion=0x01 "a > 0", file=<optimized out>, line=12) at x.c:5"#, ""),
    ] {
        assert_eq!(said(frame), words, "{frame}");
    }
}

#[test]
fn a_function_that_cannot_read_its_own_arguments_has_no_stack_left() {
    let unreadable = "<error reading variable: Cannot access memory at address 0x7fffff7fef00>";
    let text = |frame: &str| {
        format!("Program received signal SIGSEGV, Segmentation fault.\n{frame}\n(gdb) bt\n{frame}\n#1  0x02 in g (a=1) at y.c:5\n")
    };
    assert_eq!(FORM.one(&text(&format!("#0  0x01 in f (a={unreadable}) at x.c:5"))).message, said::STACK_UNREADABLE);
    assert_eq!(
        FORM.one(&text("#0  0x01 in f (a=0x5 <error: Cannot access memory at address 0x5>) at x.c:5")).message,
        "",
        "a pointer to nowhere"
    );
}
