//! Crashes that are known, as a table: how each is recognised, whose it is, and what to do.
//!
//! Rows stand from the particular to the general and the first that holds is the verdict.  Every issue number was looked up; a row
//! without one describes a kind of crash, not a report.  A version that is not known does not exclude a row.

use super::conditions::Condition;
use super::facts::Facts;
use super::verdict::{Confidence, Kind};
use Condition::{
    Also, Any, Anywhere, Below, Interpreter, Loaded, Module, NoPythonFrame, NotLoopThread, OlderThan, Python, PythonBelow, Says,
    Signal, StackCutShort, Top, TopModule, WithoutGil,
};

/// A known crash.
pub struct Known {
    /// One sentence.
    pub name: &'static str,
    /// All of it must hold.
    pub when: &'static [Condition],
    /// Whose it is.
    pub verdict: Kind,
    /// How sure that is.
    pub confidence: Confidence,
    /// The distribution at fault.
    pub culprit: Option<&'static str>,
    /// Where it is reported.
    pub issue: Option<&'static str>,
    /// How it comes about.
    pub explanation: &'static str,
    /// What to do.
    pub next_step: &'static str,
}

const FATAL_SIGNALS: &[&str] = &["SIGSEGV", "SIGBUS", "SIGABRT"];
const RESUMES: &[&str] = &[
    "gen_send_ex*",
    "gen_iternext",
    "gen_send",
    "gen_throw*",
    "_gen_throw",
    "async_gen_*",
    "PyGen_*",
    "PyIter_Send",
    "gen_close*",
];
const EVALUATES: &[&str] =
    &["_PyEval_EvalFrame*", "_PyFrame_*", "_TAIL_CALL_*", "_PyGen_*", "clear_gen_frame", "_PyEval_FrameClearAndPop"];
/// What a frame says that another thread has taken over.
const TAKEN_OVER: &[&str] = &[
    "'NoneType' object is not an iterator",
    "generator already executing",
    "generator is already running",
    "cannot reuse already awaited",
    "coroutine is being awaited already",
    "Executing a cache",
    "unknown opcode",
    "frame->stackpointer != NULL",
    "gi_frame_state",
];
/// Where the interpreter frees, when it gets round to it, what other threads may still have been reading.
const FREES_LATER: &[&str] = &[
    "free_delayed",
    "_PyMem_FreeDelayed",
    "_PyObject_XDecRefDelayed",
    "process_queue",
    "maybe_process_queue",
    "_PyMem_ProcessDelayed*",
    "process_delayed*",
    "_Py_qsbr_*",
    "_PyMem_AbandonDelayed",
    "_Py_HandlePending",
];
/// Of a frame that another thread runs ahead of this one; no correct program makes the interpreter say it.
const EXECUTES_A_CACHE: &[&str] = &["Executing a cache", "unknown opcode"];
const STEPS_A_TASK: &[&str] = &["task_step*", "task_wakeup*", "TaskStepMethWrapper_call"];
const SPAWNS_GREENLETS: &[&str] = &["sqlalchemy/util/*:greenlet_spawn", "sqlalchemy/util/*:await_*"];
const RUNS_ASYNCIO: &[&str] = &["asyncio/base_events.py:_run_once", "asyncio/events.py:_run", "asyncio/runners.py:run"];
const CRITICAL_SECTION: &[&str] = &[
    "PyEval_SaveThread",
    "_PyCriticalSection*",
    "PyCriticalSection*",
    "_PyThreadState_Detach",
    "detach_thread",
    "_PyThreadState_Suspend",
    "_PyMutex_Unlock",
    "PyMutex_Unlock",
    "_PyMutex_TryUnlock",
];
const UNLOCKED: &[&str] = &["unlocking mutex that is not locked"];
const USES_GREENLETS: &[&str] = &["greenlet", "gevent", "eventlet"];

const GREENLET_SECTION: &str = "greenlet before 3.5.3 does not save tstate->critical_section when it switches, so a switch while a critical \
    section is held (asyncio holds one around every step of a task) leaves a chain that points into another greenlet's stack; \
    the next call that releases the thread state follows it.  What called it (a socket's send, a lock) is not at fault";
const GREENLET_LAYOUT: &str = "wheels of greenlet before 3.5.6 save and restore a private field of the thread state at the place where the CPython they were built \
            for has it; 3.14.4 moved it, so on another one they overwrite what lies there, and the interpreter follows that.  The code on the \
            stack is not at fault";
const GREENLET_UPGRADE: &str = "upgrade greenlet to 3.5.6 or later (3.5.3 fixes this crash; 3.5.4 the deadlock of the same cause, PR 519, and a crash in the \
    collector, greenlet#515; 3.5.6 finds the layout of the thread state by itself, greenlet#527)";
const GENERATOR: &str = "two threads resume one generator, coroutine or asynchronous generator: the frame is taken over by the other thread while it \
    runs.  With the GIL this raises \"generator already executing\"; before CPython 3.15 the free-threaded build does not check";
const GENERATOR_FIX: &str = "give each thread its own generator, or guard next() with a lock (ftsan run names both threads: FT108); CPython 3.15 raises \
    ValueError instead of crashing";

/// The table.
pub static KNOWN: &[Known] = &[
    Known {
        name: "greenlet switched while a critical section was held",
        when: &[
            Any(&[Top(3, CRITICAL_SECTION), Says(UNLOCKED)]),
            Loaded(USES_GREENLETS),
            Below("greenlet", "3.5.3"),
            Also(&[Python(SPAWNS_GREENLETS)]),
            Any(&[Anywhere(STEPS_A_TASK), Module(&["_asyncio"]), Python(SPAWNS_GREENLETS), Python(RUNS_ASYNCIO), Says(UNLOCKED)]),
        ],
        verdict: Kind::LibraryBug,
        confidence: Confidence::High,
        culprit: Some("greenlet"),
        issue: Some("greenlet#513"),
        explanation: GREENLET_SECTION,
        next_step: GREENLET_UPGRADE,
    },
    Known {
        name: "greenlet switched while a critical section was held",
        when: &[Top(2, CRITICAL_SECTION), Loaded(USES_GREENLETS), Below("greenlet", "3.5.3")],
        verdict: Kind::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("greenlet"),
        issue: Some("greenlet#513"),
        explanation: GREENLET_SECTION,
        next_step: GREENLET_UPGRADE,
    },
    Known {
        name: "greenlet's wheel was built for another layout of the thread state",
        when: &[Signal(FATAL_SIGNALS), Top(5, FREES_LATER), Loaded(&["greenlet"]), Below("greenlet", "3.5.6")],
        verdict: Kind::LibraryBug,
        confidence: Confidence::High,
        culprit: Some("greenlet"),
        issue: Some("greenlet#527"),
        explanation: GREENLET_LAYOUT,
        next_step: "upgrade greenlet to 3.5.6 or later, or build it for this interpreter: pip install --no-binary greenlet greenlet",
    },
    Known {
        name: "the garbage collector met a suspended greenlet",
        when: &[
            Signal(FATAL_SIGNALS),
            Top(
                6,
                &[
                    "gc_*",
                    "_PyGC_*",
                    "PyGC_*",
                    "visit_*",
                    "mark_*",
                    "update_refs",
                    "deduce_unreachable_heap",
                    "validate_*",
                    "_PyCStackRef*",
                ],
            ),
            Loaded(USES_GREENLETS),
            Below("greenlet", "3.5.4"),
        ],
        verdict: Kind::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("greenlet"),
        issue: Some("greenlet#515"),
        explanation: "greenlet before 3.5.4 hides references of suspended greenlets from the collector of the free-threaded build, which follows or frees them",
        next_step: GREENLET_UPGRADE,
    },
    Known {
        name: "a greenlet whose wheel does not fit this interpreter",
        when: &[Signal(FATAL_SIGNALS), OlderThan("greenlet", "3.5.6"), WithoutGil, Module(&["greenlet._greenlet"])],
        verdict: Kind::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("greenlet"),
        issue: Some("greenlet#527"),
        explanation: GREENLET_LAYOUT,
        next_step: GREENLET_UPGRADE,
    },
    Known {
        name: "a method of the uvloop loop called from a thread that does not run it",
        when: &[Any(&[TopModule(2, &["uvloop.loop"]), Top(3, &["uv_*", "uv__*"])]), Module(&["uvloop.loop"]), NotLoopThread],
        verdict: Kind::CrossThreadMisuse,
        confidence: Confidence::High,
        culprit: None,
        issue: None,
        explanation: "the crashing thread is inside uvloop and runs no loop: libuv's handles and timers belong to the thread that runs the loop, and \
            only call_soon_threadsafe may be called from another one",
        next_step: "hand the call over with loop.call_soon_threadsafe(...) or asyncio.run_coroutine_threadsafe(coro, loop); ftsan run reports each such \
            call as FT101 (ftsan explain FT101)",
    },
    Known {
        name: "timers or handles of a uvloop loop changed under the thread that runs it",
        when: &[
            Any(&[Module(&["uvloop.loop"]), Loaded(&["uvloop"])]),
            Top(
                4,
                &[
                    "uv__run_timers",
                    "uv_timer_*",
                    "uv__timer*",
                    "heap_*",
                    "uv__run_closing_handles",
                    "uv__finish_close",
                    "uv__io_*",
                    "uv__run_idle",
                    "uv__run_check",
                    "uv__run_prepare",
                    "uv_run",
                    "uv__queue*",
                ],
            ),
        ],
        verdict: Kind::CrossThreadMisuse,
        confidence: Confidence::Medium,
        culprit: None,
        issue: None,
        explanation: "libuv died in its own timers or handles while its thread ran the loop: they were changed by another thread, which called a \
            method of the loop or of a handle that is not call_soon_threadsafe",
        next_step: "ftsan run names the thread that calls the loop from outside: FT101, FT107 (ftsan explain FT101)",
    },
    Known {
        name: "itertools.groupby advanced by two threads",
        when: &[WithoutGil, Top(6, &["groupby_*", "_grouper_*", "groupby_step"])],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-150791"),
        explanation: "groupby keeps its current group and key without a lock: two threads that advance one groupby object, or a group of it, free what \
            the other one uses",
        next_step: "give each thread its own iterator or guard it with a lock (ftsan explain FT108 for generators; groupby is the same)",
    },
    Known {
        name: "itertools.groupby advanced by two threads, by the look of it",
        when: &[WithoutGil, Top(1, &["PyTuple_Pack"]), Interpreter(3)],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::Low,
        culprit: None,
        issue: Some("gh-150791"),
        explanation: "it died while a tuple of kept objects was made, one of which had been freed; in a build without symbols this is what groupby looks like \
            when two threads advance it",
        next_step: "if the line of the program advances a groupby (or another iterator that threads share), guard it with a lock or give each thread \
            its own",
    },
    Known {
        name: "itertools.tee iterated by two threads",
        when: &[WithoutGil, Top(6, &["tee_*", "teedataobject_*"])],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-153062"),
        explanation: "branches of one tee share a list of cells, and iterating them from two threads corrupts their reference counts",
        next_step: "upgrade to a CPython with the fix (3.15; 3.14 since July 2026), or guard the branches with one lock: concurrent use stays undefined",
    },
    Known {
        name: "OrderedDict iterated while another thread changes it",
        when: &[WithoutGil, Any(&[Top(6, &["odictiter_*", "_odict_*", "odict_*", "OrderedDict_*", "_odictnode_*", "PyODict_*"])])],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-151627"),
        explanation: "the linked list of an OrderedDict was read without its lock while another thread changed it (gh-125996, gh-151627)",
        next_step: "upgrade to a CPython with the fix, or guard the OrderedDict with a lock",
    },
    Known {
        name: "an Element of xml.etree changed by two threads",
        when: &[
            WithoutGil,
            Any(&[
                Top(6, &["element_*", "_elementtree_*", "treebuilder_*", "elementiter_*", "clear_extra"]),
                TopModule(2, &["_elementtree"]),
            ]),
        ],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-146022"),
        explanation: "_elementtree declares free-threading support and has no locks: clear() or append() frees the children that another thread reads",
        next_step: "do not share an Element between threads that change it, or guard the tree with one lock",
    },
    Known {
        name: "one SSLContext configured by two threads",
        when: &[
            Anywhere(&["_ssl__SSLContext_*", "SSL_CTX_use_*", "SSL_CTX_load_*", "_ssl__SSLContext__wrap_*"]),
            PythonBelow("3.15"),
        ],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-134698"),
        explanation: "OpenSSL's context was changed (load_cert_chain, load_verify_locations) while another thread used it, without a lock in the ssl module",
        next_step: "upgrade to the latest 3.14 or 3.13 (gh-134724 adds the lock), and configure an SSLContext before threads share it",
    },
    Known {
        name: "cProfile in several threads",
        when: &[
            Any(&[Top(6, &["profiler_*", "ptrace_*", "RotatingTree_*", "_lsprof_*"]), TopModule(3, &["_lsprof"])]),
            PythonBelow("3.15"),
        ],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-125165"),
        explanation: "_lsprof keeps its tree of calls without a lock before CPython 3.15 (gh-138229 adds it)",
        next_step: "profile one thread, with the GIL (PYTHON_GIL=1), or with CPython 3.15",
    },
    Known {
        name: "profiling or tracing of all threads switched while others run",
        when: &[
            Top(
                6,
                &[
                    "setup_profile",
                    "setup_tracing",
                    "PyEval_SetProfile*",
                    "PyEval_SetTrace*",
                    "_PyEval_SetProfile",
                    "_PyEval_SetTrace",
                    "sys_trace_*",
                    "call_profile_func",
                ],
            ),
            PythonBelow("3.14.1"),
        ],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-137400"),
        explanation: "setprofile_all_threads and settrace_all_threads raced with threads that begin a call or end",
        next_step: "upgrade to CPython 3.14.1 or later",
    },
    Known {
        name: "a TextIOWrapper used by several threads in 3.13t",
        when: &[Top(6, &["_textiowrapper_*", "textiowrapper_*", "_io_TextIOWrapper_*"]), PythonBelow("3.14")],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-140846"),
        explanation: "3.13t has no lock around the buffer of a text file",
        next_step: "upgrade to 3.14t",
    },
    Known {
        name: "atexit used by several threads",
        when: &[Top(6, &["atexit_*"]), PythonBelow("3.14")],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-126907"),
        explanation: "the list of atexit functions had no lock",
        next_step: "upgrade to 3.14t",
    },
    Known {
        name: "a connection or cursor of sqlite3 shared by threads",
        when: &[Any(&[TopModule(3, &["_sqlite3"]), Top(6, &["sqlite3_*", "pysqlite_*", "_pysqlite_*"])])],
        verdict: Kind::CrossThreadMisuse,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-146471"),
        explanation: "sqlite3 locks neither connections nor cursors: threads that share one (check_same_thread=False) free its statements under each other",
        next_step: "give each thread its own connection",
    },
    Known {
        name: "a MultiDict shared by threads",
        when: &[
            WithoutGil,
            Any(&[TopModule(4, &["multidict._multidict"]), Top(6, &["md_*", "multidict_*", "_multidict_*"])]),
            Loaded(&["multidict"]),
            Below("multidict", "7.1.0"),
        ],
        verdict: Kind::LibraryBug,
        confidence: Confidence::High,
        culprit: Some("multidict"),
        issue: Some("multidict#1433"),
        explanation: "multidict declares free-threading support; before 6.9 it has no lock at all, so a reader follows a table that update(), clear() or \
            extend() of another thread has freed (deletions: multidict#1492)",
        next_step: "upgrade multidict to 7.1.0 or later; until then do not share a MultiDict (headers, query) between threads, or lock it",
    },
    Known {
        name: "a NumPy array of objects changed by two threads",
        when: &[
            TopModule(4, &["numpy._core._multiarray_umath"]),
            Anywhere(&["OBJECT_*", "PyArray_Item_XDECREF", "PyArray_INCREF", "PyArray_XDECREF", "npy_*object*"]),
        ],
        verdict: Kind::CrossThreadMisuse,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("numpy#27199"),
        explanation: "NumPy does not lock arrays; an element of an object array that one thread replaces is freed under another one that reads it",
        next_step: "guard arrays that are changed by several threads with a lock",
    },
    Known {
        name: "np.repeat in several threads",
        when: &[Top(6, &["PyArray_Repeat", "npy_fastrepeat*"]), Below("numpy", "2.2.3")],
        verdict: Kind::LibraryBug,
        confidence: Confidence::High,
        culprit: Some("numpy"),
        issue: Some("numpy#28197"),
        explanation: "PyArray_Repeat wrote into the array of counts that threads share",
        next_step: "upgrade numpy to 2.2.3 or later",
    },
    Known {
        name: "xmlsec without the GIL",
        when: &[TopModule(6, &["xmlsec"])],
        verdict: Kind::ExtensionAssumesGil,
        confidence: Confidence::High,
        culprit: Some("xmlsec"),
        issue: Some("python-xmlsec#427"),
        explanation: "xmlsec does not declare free-threading support and crashes with PYTHON_GIL=0",
        next_step: "run with the GIL (leave out PYTHON_GIL=0) until xmlsec supports free threading",
    },
    Known {
        name: "cffi in 3.13t",
        when: &[TopModule(4, &["_cffi_backend"]), PythonBelow("3.14")],
        verdict: Kind::ExtensionAssumesGil,
        confidence: Confidence::Medium,
        culprit: Some("cffi"),
        issue: Some("cffi#126"),
        explanation: "cffi supports the free-threaded build from cffi 2.0 and CPython 3.14 on",
        next_step: "use 3.14t with cffi 2.0 or later",
    },
    Known {
        name: "an extension module built for another interpreter",
        when: &[
            Top(6, &["PyModule_Create*", "_PyModule_Create*", "PyModuleDef_Init", "PyModule_FromDefAndSpec*"]),
            Anywhere(&["PyInit_*", "_PyImport_RunModInitFunc", "import_run_extension"]),
        ],
        verdict: Kind::ExtensionAssumesGil,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("pydantic-core#1555"),
        explanation: "it died while an extension module was created: objects have another layout in the free-threaded build, and this module was compiled \
            for the one with the GIL (pydantic-core before it moved to PyO3 0.23 is an example)",
        next_step: "reinstall the extension with a wheel of this ABI (cp314t), or build it from source with this interpreter",
    },
    Known {
        name: "a generator, coroutine or asynchronous generator resumed by two threads",
        when: &[
            Signal(FATAL_SIGNALS),
            WithoutGil,
            Any(&[Top(2, EVALUATES), Top(3, RESUMES), NoPythonFrame, Says(EXECUTES_A_CACHE)]),
            Says(TAKEN_OVER),
            PythonBelow("3.15"),
        ],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-120321"),
        explanation: GENERATOR,
        next_step: GENERATOR_FIX,
    },
    Known {
        name: "a generator, coroutine or asynchronous generator resumed by two threads",
        when: &[
            Signal(FATAL_SIGNALS),
            WithoutGil,
            Top(2, EVALUATES),
            Interpreter(2),
            Any(&[NoPythonFrame, StackCutShort]),
            PythonBelow("3.15"),
        ],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-120321"),
        explanation: GENERATOR,
        next_step: GENERATOR_FIX,
    },
    Known {
        name: "a generator, coroutine or asynchronous generator resumed by two threads",
        when: &[Signal(FATAL_SIGNALS), WithoutGil, Any(&[Top(2, RESUMES), StackCutShort, NoPythonFrame]), PythonBelow("3.15")],
        verdict: Kind::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-120321"),
        explanation: GENERATOR,
        next_step: GENERATOR_FIX,
    },
    Known {
        name: "native code that the program calls by itself",
        when: &[Any(&[TopModule(5, &["_ctypes"]), Top(3, &["ffi_call*", "_call_function_pointer"])])],
        verdict: Kind::Unknown,
        confidence: Confidence::Medium,
        culprit: None,
        issue: None,
        explanation: "it died in a function called through ctypes: a wrong pointer, a wrong signature, or memory that was freed; neither the interpreter nor \
            an extension module checks that",
        next_step: "check argtypes, restype and the life of what is passed at the innermost Python line",
    },
    Known {
        name: "a transport written by two threads",
        when: &[
            Signal(FATAL_SIGNALS),
            Python(&[
                "asyncio/selector_events.py:write",
                "asyncio/selector_events.py:writelines",
                "asyncio/selector_events.py:_write_*",
                "asyncio/sslproto.py:write",
                "asyncio/streams.py:write",
                "asyncio/selector_events.py:sendto",
            ]),
            Any(&[
                Top(
                    6,
                    &[
                        "sock_*",
                        "PyEval_SaveThread",
                        "bytearray_*",
                        "PyByteArray_*",
                        "deque_*",
                        "memory_*",
                        "_PySSL*",
                        "_ssl_*",
                        "send*",
                        "__send*",
                        "PyBuffer_*",
                    ],
                ),
                Python(&["asyncio/selector_events.py:*"]),
            ]),
        ],
        verdict: Kind::CrossThreadMisuse,
        confidence: Confidence::Medium,
        culprit: None,
        issue: None,
        explanation: "it died while a transport of asyncio was written, and no known bug explains it: a transport and its buffer belong to the thread that runs \
            its loop, and a second thread that writes on the same connection frees them under the send (FT105)",
        next_step: "ftsan run names the second thread: FT105 transport-used-off-thread (ftsan explain FT105); give each thread its own connection, or use \
            loop.call_soon_threadsafe(transport.write, data)",
    },
    Known {
        name: "uvloop on the stack that failed",
        when: &[TopModule(3, &["uvloop.loop"])],
        verdict: Kind::CrossThreadMisuse,
        confidence: Confidence::Low,
        culprit: None,
        issue: None,
        explanation: "it died inside uvloop while its thread ran the loop; on the free-threaded build the usual cause is another thread that uses the loop, a \
            transport or a handle of it",
        next_step: "ftsan run names calls from other threads: FT101, FT105, FT107; if there are none, report it to uvloop with this block",
    },
];

impl Known {
    /// What speaks for it, one line per condition; `None` if one does not hold.
    pub(super) fn matches(&self, facts: &Facts<'_>) -> Option<Vec<String>> {
        let mut evidence = Vec::new();
        for condition in self.when {
            let said = condition.holds(facts)?;
            if !said.is_empty() && !evidence.contains(&said) {
                evidence.push(said);
            }
        }
        Some(evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_told_and_followed() {
        for row in KNOWN {
            assert!(!row.when.is_empty() && !row.explanation.is_empty() && !row.next_step.is_empty(), "{}", row.name);
            let number = row.issue.map(|issue| issue.rsplit(['#', '-']).next().unwrap_or(""));
            assert!(number.is_none_or(|number| number.parse::<u32>().is_ok()), "{}", row.name);
            let blames = matches!(row.verdict, Kind::LibraryBug);
            assert!(!blames || row.culprit.is_some(), "{}: a library's bug has a culprit", row.name);
        }
    }
}
