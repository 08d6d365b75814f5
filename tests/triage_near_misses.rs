//! Crashes made from the table of known crashes: each row is reached by what it asks for, and by nothing that differs in module, build or
//! version.  A verdict of medium or high confidence that is wrong sends somebody to the wrong maintainer.

use ftsan::report::Frame;
use ftsan::triage::crash::{Crash, Extension, NativeFrame, Thread};
use ftsan::triage::judge::conditions::Condition;
use ftsan::triage::judge::known::{Known, before_the_heap, kinds, reported};
use ftsan::triage::questions;
use ftsan::triage::verdict::{Confidence, CrashCause, Verdict};

const INTERPRETER: &str = "/usr/local/lib/libpython3.14t.so.1.0";

/// The demands of a row, as far as it is one of several.
#[derive(Default, Clone)]
struct Wanted {
    signal: &'static str,
    /// Native frames, innermost first: module and function.
    native: Vec<(String, String)>,
    python: Vec<(String, String)>,
    message: String,
    loaded: Vec<&'static str>,
    /// Distribution, and whether its version must be below (or not below) one.
    versions: Vec<(&'static str, &'static str, bool)>,
    interpreter: Vec<(&'static str, bool)>,
    without_gil: bool,
}

/// A name that a pattern matches.
fn named(pattern: &str) -> String {
    pattern.replace('*', "x")
}

fn file(module: &str) -> String {
    let third_party = ["multidict", "numpy", "xmlsec", "pyarrow", "torch", "greenlet", "_cffi_backend"];
    let stdlib = !module.contains('.') && !third_party.contains(&module);
    let path = module.replace('.', "/");
    match module {
        "pyarrow" => "/v/lib/python3.14t/site-packages/pyarrow/libarrow.so.2500".to_owned(),
        "numpy" => file("numpy._core._multiarray_umath"),
        "torch" => "/v/lib/python3.14t/site-packages/torch/lib/libtorch_python.so".to_owned(),
        "greenlet" => file("greenlet._greenlet"),
        _ if stdlib => format!("/usr/local/lib/python3.14t/lib-dynload/{path}.cpython-314t-x86_64-linux-gnu.so"),
        _ => format!("/v/lib/python3.14t/site-packages/{path}.cpython-314t-x86_64-linux-gnu.so"),
    }
}

/// Every way to meet a condition.
fn ways(condition: &Condition) -> Vec<Wanted> {
    let one = Wanted::default;
    let native = |module: &str, name: &str| Wanted { native: vec![(module.to_owned(), named(name))], ..one() };
    match condition {
        Condition::Signal(names) => vec![Wanted { signal: names[0], ..one() }],
        Condition::Top(_, names) => names.iter().map(|name| native(INTERPRETER, name)).collect(),
        Condition::Anywhere(modules, names) => {
            let module =
                modules.first().filter(|module| **module != "*").map_or_else(|| INTERPRETER.to_owned(), |module| file(module));
            names.iter().map(|name| native(&module, name)).collect()
        }
        Condition::Function(_, modules, names) => names.iter().map(|name| native(&file(modules[0]), name)).collect(),
        Condition::TopModule(_, modules) | Condition::Module(modules) => vec![native(&file(modules[0]), "")],
        Condition::Python(places) => {
            let place = |place: &&str| {
                let (path, name) = place.rsplit_once(':').unwrap();
                let path = format!("/v/lib/python3.14t/site-packages/{}", path.replace('*', "x"));
                Wanted { python: vec![(path, named(name))], ..one() }
            };
            places.iter().map(place).collect()
        }
        Condition::Loaded(names) => vec![Wanted { loaded: vec![names[0]], ..one() }],
        Condition::OnlyExtension(names) => vec![Wanted { loaded: vec![names[0]], ..one() }],
        Condition::Says(words) => words.iter().map(|word| Wanted { message: (*word).to_owned(), ..one() }).collect(),
        Condition::NoPythonFrame => vec![Wanted { python: vec![(String::new(), "<no Python frame>".to_owned())], ..one() }],
        Condition::FrameUnlinked => {
            let frames = vec![(INTERPRETER.to_owned(), "_PyEval_EvalFrameDefault".to_owned())];
            vec![Wanted { native: frames, python: vec![(String::new(), "<no Python frame>".to_owned())], ..one() }]
        }
        Condition::StackCutShort => {
            let frames = vec![(INTERPRETER.to_owned(), "_PyEval_EvalFrameDefault".to_owned()); 4];
            vec![Wanted { native: frames, python: vec![("/srv/app/g.py".to_owned(), "items".to_owned())], ..one() }]
        }
        Condition::OlderThan(name, limit) | Condition::Below(name, limit) => {
            vec![Wanted { versions: vec![(name, limit, true)], ..one() }]
        }
        Condition::From(name, first) => vec![Wanted { versions: vec![(name, first, false)], ..one() }],
        Condition::PythonBelow(limit) => vec![Wanted { interpreter: vec![(limit, true)], ..one() }],
        Condition::PythonFrom(first) => vec![Wanted { interpreter: vec![(first, false)], ..one() }],
        Condition::WithoutGil | Condition::Concurrent => vec![Wanted { without_gil: true, ..one() }],
        Condition::Any(conditions) => conditions.iter().flat_map(ways).collect(),
        Condition::Interpreter(depth) => vec![Wanted { native: vec![(INTERPRETER.to_owned(), String::new()); *depth], ..one() }],
        Condition::NoExtension
        | Condition::NobodyElse(..)
        | Condition::CalledByOwn(_)
        | Condition::WholeStack
        | Condition::OwnTop(_)
        | Condition::NotLoopThread
        | Condition::LoopThread
        | Condition::Also(_) => {
            vec![one()]
        }
    }
}

fn together(a: &Wanted, b: &Wanted) -> Wanted {
    let mut out = a.clone();
    if out.signal.is_empty() {
        out.signal = b.signal;
    }
    out.native.extend(b.native.iter().filter(|frame| !a.native.contains(frame)).cloned());
    out.python.extend(b.python.iter().filter(|frame| !a.python.contains(frame)).cloned());
    if out.message.is_empty() {
        out.message.clone_from(&b.message);
    }
    out.loaded.extend(&b.loaded);
    out.versions.extend(&b.versions);
    out.interpreter.extend(&b.interpreter);
    out.without_gil |= b.without_gil;
    out
}

/// Ways to meet all conditions of a row: each alternative of each condition once, the first of the others.
fn wanted(row: &Known) -> Vec<Wanted> {
    let choices: Vec<Vec<Wanted>> = row.when.iter().map(ways).collect();
    let mut out = Vec::new();
    for (at, varied) in choices.iter().enumerate() {
        for alternative in varied {
            let parts = choices.iter().enumerate().map(|(other, first)| if other == at { alternative } else { &first[0] });
            out.push(parts.fold(Wanted::default(), |a, b| together(&a, b)));
        }
    }
    out
}

fn below(version: &str, limit: &str) -> bool {
    ftsan::triage::names::paths::is_below(version, limit)
}

/// A version that meets all limits of a thing.
fn version(limits: &[(&str, bool)], candidates: &[&str]) -> Option<String> {
    let fits = |version: &&&str| limits.iter().all(|(limit, under)| below(version, limit) == *under);
    let given = limits.iter().filter(|(_, under)| !under).map(|(limit, _)| *limit).collect::<Vec<_>>();
    given.iter().chain(candidates).find(fits).map(|version| (*version).to_owned())
}

const VERSIONS: [&str; 8] = ["0.0.1", "1.9.0", "2.2.0", "3.5.2", "6.7.0", "9.0", "12.0.0", "25.0.0"];
const PYTHONS: [&str; 5] = ["3.14.2", "3.13.0", "3.13.4", "3.15.0", "3.14.0"];

fn crash(wanted: &Wanted) -> Crash {
    let native = wanted.native.iter().map(|(module, symbol)| NativeFrame {
        module: module.clone(),
        symbol: symbol.clone(),
        offset: 16,
        ..NativeFrame::default()
    });
    let python = wanted.python.iter().map(|(file, function)| Frame {
        file: file.clone(),
        line: 5,
        function: function.clone(),
        ..Frame::default()
    });
    let thread = Thread { crashed: true, native: native.collect(), python: python.collect(), ..Thread::default() };
    let mut names: Vec<&str> = wanted.loaded.clone();
    names.extend(wanted.versions.iter().map(|(name, _, _)| *name));
    names.sort_unstable();
    names.dedup();
    let extensions = names.into_iter().map(|name| {
        let limits: Vec<(&str, bool)> =
            wanted.versions.iter().filter(|(of, _, _)| *of == name).map(|(_, limit, under)| (*limit, *under)).collect();
        Extension {
            name: format!("{name}._c"),
            distribution: name.to_owned(),
            version: version(&limits, &VERSIONS).unwrap_or_default(),
            ..Extension::default()
        }
    });
    let mut crash =
        Crash { threads: vec![thread], extensions: extensions.collect(), message: wanted.message.clone(), ..Crash::default() };
    crash.signal = if wanted.signal.is_empty() { "SIGSEGV" } else { wanted.signal }.to_owned();
    let number = version(&wanted.interpreter, &PYTHONS).expect("a version of Python that the row is for");
    crash.python.version = format!("{number} free-threading build");
    "disabled".clone_into(&mut crash.python.gil);
    crash
}

/// It sends somebody to a maintainer.
fn is_sure(verdict: &Verdict) -> bool {
    verdict.confidence != Confidence::Low && verdict.verdict != CrashCause::Unknown
}

#[test]
fn every_row_is_reached_by_what_it_asks_for() {
    let mut missed = Vec::new();
    for row in reported() {
        let ways = wanted(row);
        let verdicts: Vec<Verdict> = ways.iter().map(|wanted| questions::of(&crash(wanted))).collect();
        let reached =
            verdicts.iter().filter(|told| told.known_issue.as_deref() == row.issue && told.verdict == row.verdict).count();
        if reached * 2 < ways.len() {
            missed.push(format!("{}: {reached} of {}, else {:?}", row.name, ways.len(), verdicts[0]));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A crash that differs from one of a row in one thing, with the name of that thing.
fn near_misses(row: &Known, wanted: &Wanted) -> Vec<(String, Crash)> {
    let mut out = Vec::new();
    let hit = crash(wanted);
    // The same functions in a module of somebody else; a stack of nothing but the interpreter's loop has no such module.
    for module in ["/v/lib/python3.14t/site-packages/stranger/_core.cpython-314t-x86_64-linux-gnu.so", "/usr/lib/libstranger.so.3"]
    {
        let mut crash = hit.clone();
        for frame in &mut crash.threads[0].native {
            frame.module = module.to_owned();
        }
        if crash.threads[0].native.iter().any(|frame| !frame.symbol.is_empty())
            && row.when.iter().any(|condition| !ways(condition).iter().all(|way| way.native.is_empty()))
        {
            out.push((format!("in {module}"), crash));
        }
    }
    // A build with the GIL.
    if wanted.without_gil {
        let mut crash = hit.clone();
        crash.python.version = crash.python.version.replace(" free-threading build", "");
        "enabled".clone_into(&mut crash.python.gil);
        out.push(("with the GIL".to_owned(), crash));
    }
    // A version that has the fix, or does not have the bug yet.
    for (name, limit, under) in &wanted.versions {
        let mut crash = hit.clone();
        let wrong = if *under { vec![(*limit).to_owned(), format!("{}.5", limit)] } else { vec!["0.0.1".to_owned()] };
        for version in wrong {
            for known in crash.extensions.iter_mut().filter(|known| known.distribution == *name) {
                known.version.clone_from(&version);
            }
            out.push((format!("{name} {version}"), crash.clone()));
        }
    }
    for (limit, under) in &wanted.interpreter {
        let mut crash = hit.clone();
        crash.python.version = format!("{} free-threading build", if *under { limit } else { "3.12.1" });
        out.push((format!("Python {}", crash.python.version), crash));
    }
    // Nothing is known of greenlet's version, and nothing shows that it is in use: it may be the crash, and nobody can be sure.
    let shows = |text: &String| ["greenlet", "gevent", "eventlet"].iter().any(|name| text.contains(name));
    let in_use = hit.threads[0].native.iter().any(|frame| shows(&frame.module) || frame.symbol.starts_with("g_switch"))
        || hit.threads[0]
            .python
            .iter()
            .any(|frame| shows(&frame.file) || frame.function.contains("greenlet") || frame.function.contains("await_"));
    if row.culprit == Some("greenlet") && !in_use {
        let mut crash = hit.clone();
        crash.extensions.iter_mut().for_each(|known| known.version.clear());
        out.push(("without versions".to_owned(), crash));
    }
    // Another extension module on top of it all.
    let mut crash = hit.clone();
    let stranger = NativeFrame {
        module: "/v/site-packages/stranger/_core.cpython-314t-x86_64-linux-gnu.so".to_owned(),
        symbol: "strange".to_owned(),
        ..NativeFrame::default()
    };
    crash.threads[0].native.insert(0, stranger);
    crash.extensions.push(Extension { name: "stranger._core".to_owned(), ..Extension::default() });
    if row.when.iter().any(|condition| matches!(condition, Condition::TopModule(..))) {
        out.push(("below another extension".to_owned(), crash));
    }
    out
}

/// A text as somebody pastes it.
fn pasted(text: &str) -> Crash {
    ftsan::triage::read(text).unwrap().remove(0)
}

/// A dump of faulthandler with these native frames and extension modules.
fn dump(build: &str, frames: &[(&str, &str)], extensions: &str) -> Crash {
    let mut text = String::from("Fatal Python error: Segmentation fault\n\n");
    if build.contains('t') {
        text.push_str("<Cannot show all threads while the GIL is disabled>\nStack (most recent call first):\n");
    } else {
        text.push_str("Current thread 0x1 [MainThread] (most recent call first):\n");
    }
    text.push_str("  File \"/srv/app/app.py\", line 3 in work\n  File \"/srv/app/app.py\", line 9 in <module>\n\n");
    text.push_str("Current thread's C stack trace (most recent call first):\n");
    for (module, symbol) in frames {
        text.push_str(&format!(
            "  Binary file \"{}\", at {symbol}+0x1 [0x1]\n",
            module.replace("LIB", &format!("/opt/lib/libpython{build}.so.1.0"))
        ));
    }
    text.push_str(&format!("\nExtension modules: {extensions} (total: 1)\n"));
    ftsan::triage::read(&text).unwrap().remove(0)
}

#[test]
fn near_misses_that_people_met_are_never_sure() {
    let etree = "/v/lib/python3.14t/site-packages/lxml/etree.cpython-314t-x86_64-linux-gnu.so";
    let apsw = "/v/lib/python3.14t/site-packages/apsw/__init__.cpython-314t-x86_64-linux-gnu.so";
    let grpc = "/v/lib/python3.14t/site-packages/grpc/_cython/cygrpc.cpython-314t-x86_64-linux-gnu.so";
    let with_greenlet = |build: &str, version: &str, extensions: &str| {
        let mut crash = dump(build, &[("LIB", "_Py_HandlePending"), ("LIB", "_PyEval_EvalFrameDefault")], extensions);
        for known in crash.extensions.iter_mut().filter(|known| known.name == "greenlet._greenlet") {
            version.clone_into(&mut known.version);
        }
        crash
    };
    let cases = [
        ("element_clear of lxml", dump("3.14t", &[(etree, "element_clear"), ("LIB", "PyObject_Vectorcall")], "lxml.etree")),
        (
            "sqlite3_step inside of apsw",
            dump("3.14t", &[(apsw, "sqlite3_step"), (apsw, "sqlite3VdbeExec"), ("LIB", "f")], "apsw.__init__"),
        ),
        (
            "SSL_CTX_load_verify_locations of grpc",
            dump("3.14t", &[(grpc, "SSL_CTX_load_verify_locations"), ("LIB", "f")], "grpc._cython.cygrpc"),
        ),
        ("greenlet on a build with the GIL", with_greenlet("3.14", "", "greenlet._greenlet")),
        ("greenlet that has the fix", with_greenlet("3.14t", "3.5.6", "greenlet._greenlet")),
        ("greenlet only imported, beside others", with_greenlet("3.14t", "", "greenlet._greenlet, sqlalchemy.cyextension.util")),
        ("a mutex that was not locked, without greenlet", {
            let mut crash = dump("3.14t", &[("LIB", "PyMutex_Unlock"), ("LIB", "_PyEval_EvalFrameDefault")], "a._b");
            "Fatal Python error: PyMutex_Unlock: unlocking mutex that is not locked".clone_into(&mut crash.message);
            crash
        }),
        (
            "no Python frame, where native code had no thread state",
            pasted(
                "Fatal Python error: _PyThreadState_Attach: non-NULL old thread state\n\nCurrent thread 0x1 (most recent call first):\n  \
                 <no Python frame>\n\nThread 0x2 (most recent call first):\n  File \"/usr/lib/python3.14t/asyncio/base_events.py\", line 5 in time\n  \
                 <invalid frame>\n",
            ),
        ),
        (
            "a native thread that calls into torch",
            pasted(
                "Fatal Python error: PyThreadState_Get: the function must be called with an active thread state\n\n\
                 Current thread 0x1 (most recent call first):\n  File \"/v/site-packages/torch/cuda/__init__.py\", line 638 in set_device\n\n\
                 Extension modules: numpy._core._multiarray_umath, torch._C (total: 2)\n",
            ),
        ),
        (
            "frames of others that only wait",
            pasted(
                "Stack trace of thread 3607498:\n#0  0x00007f1ff929c3ba __futex_abstimed_wait_common (libc.so.6 + 0x9c3ba)\n\
                 #1  0x00007f1fe8b39deb blas_thread_server (libopenblas64_p-r0-742d56dc.3.20.so + 0x339deb)\n",
            ),
        ),
        (
            "absl's mutex, which is not absl's handler",
            pasted(
                "#0  0x00007fff4a5a7fb8 in absl::lts_2020_02_25::Mutex::ReaderLock() () from /v/site-packages/stranger/_c.so\n\
                 #1  0x00007fff4a51be0a in xla::Stream::Then() () from /v/site-packages/stranger/_c.so\n",
            ),
        ),
        ("a status alone", pasted("Process finished with exit code -1073741819 (0xC0000005)")),
        ("a head alone", pasted("Crashed Thread:  0\n\nException Type:  EXC_BAD_ACCESS (SIGSEGV)\n")),
        (
            "an allocator of a race that ThreadSanitizer saw",
            pasted(
                "WARNING: ThreadSanitizer: data race (pid=884305)\n  Write of size 8 at 0x7fe0ea1a0540 by thread T132:\n    \
                 #0 mi_block_set_nextx /srv/cpython/Objects/mimalloc/alloc.c:65:15 (python3.13+0x2ba5b6)\n    \
                 #1 mi_free /srv/cpython/Objects/mimalloc/alloc.c:590:7 (python3.13+0x2ba5b6)\n",
            ),
        ),
        (
            "hex() of a memoryview in a repaired interpreter",
            pasted(
                "Python 3.14.6 free-threading build\nFatal Python error: Segmentation fault\n\nStack (most recent call first):\n  \
                 File \"/srv/app.py\", line 3 in f\n\nCurrent thread's C stack trace (most recent call first):\n  \
                 Binary file \"/usr/bin/python3.14t\", at _Py_strhex_impl+0x1 [0x1]\n",
            ),
        ),
        (
            "a deque in a repaired interpreter",
            pasted(
                "Python 3.14.6 free-threading build\nFatal Python error: Segmentation fault\n\nStack (most recent call first):\n  \
                 File \"/srv/app.py\", line 3 in f\n\nCurrent thread's C stack trace (most recent call first):\n  \
                 Binary file \"/usr/bin/python3.14t\", at deque_index+0x1 [0x1]\n",
            ),
        ),
        ("a generator's frames on a build with the GIL", dump("3.14", &[("LIB", "gen_send_ex2"), ("LIB", "gen_iternext")], "a._b")),
    ];
    for (name, crash) in cases {
        let verdict = questions::of(&crash);
        assert!(!is_sure(&verdict), "{name}: {verdict:#?}");
    }
}

#[test]
fn what_only_looks_like_a_known_crash_is_never_sure() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for row in reported().chain(kinds()).chain(before_the_heap()) {
        for wanted in wanted(row) {
            if questions::of(&crash(&wanted)).known_issue.as_deref() != row.issue {
                continue;
            }
            for (how, crash) in near_misses(row, &wanted) {
                tried += 1;
                let verdict = questions::of(&crash);
                // A crash inside of the stranger's module is the stranger's.
                if is_sure(&verdict) && verdict.culprit.as_deref() != Some("stranger") {
                    wrong.push(format!(
                        "{} ({:?}) {how}: {} {} {:?} {:?} {:?}",
                        row.name,
                        wanted.native.first(),
                        verdict.verdict.as_str(),
                        verdict.confidence.as_str(),
                        verdict.culprit,
                        verdict.known_issue,
                        verdict.evidence.first()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried >= 200, "{tried}");
    eprintln!("{tried} near misses");
}
