//! Crashes of CPython and its standard library, of threads that share what it does not lock.

use super::super::conditions::Condition::{
    Also, Any, Anywhere, Concurrent, FrameUnlinked, Function, Interpreter, NoExtension, NoPythonFrame, OwnTop, Python, PythonBelow,
    PythonFrom, Says, Signal, StackCutShort, Top, TopModule, WithoutGil,
};
use super::super::conditions::{Condition, RESUMES};
use super::super::verdict::{Confidence, CrashCause};
use super::row::{FATAL_SIGNALS, Known};

const EVALUATES: &[&str] =
    &["_PyEval_EvalFrame*", "_PyFrame_*", "_TAIL_CALL_*", "_PyGen_*", "clear_gen_frame", "_PyEval_FrameClearAndPop"];
/// The complaints of a frame that another thread has taken over.
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
/// Of a frame that another thread runs ahead of this one; no correct program makes the interpreter say it.
const EXECUTES_A_CACHE: &[&str] = &["Executing a cache", "unknown opcode"];
const GENERATOR: &str = "two threads resume one generator, coroutine or asynchronous generator: the frame is taken over by the other thread while it \
    runs.  With the GIL this raises \"generator already executing\"; before CPython 3.15 the free-threaded build does not check";
const GENERATOR_FIX: &str = "give each thread its own generator, or guard next() with a lock (ftsan run names both threads: FT108); CPython 3.15 raises \
    ValueError instead of crashing";

/// The rows.
pub(super) static ROWS: &[Known] = &[
    Known {
        name: "itertools.groupby advanced by two threads",
        when: &[Concurrent, Top(4, &["groupby_*", "_grouper_*", "groupby_step"])],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-150791"),
        explanation: "groupby keeps its current group and key without a lock: two threads that advance one groupby object, or a group of it, free what \
            the other one uses",
        next_step: "give each thread its own iterator or guard it with a lock (ftsan explain FT108 for generators; groupby is the same)",
    },
    Known {
        name: "itertools.groupby advanced by two threads, by the look of it",
        when: &[Concurrent, Top(1, &["PyTuple_Pack"]), Interpreter(3)],
        verdict: CrashCause::InterpreterBug,
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
        when: &[Concurrent, Top(4, &["tee_*", "teedataobject_*"]), PythonBelow("3.14.7")],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-153062"),
        explanation: "branches of one tee share a list of cells, and iterating them from two threads corrupts their reference counts",
        next_step: "upgrade to CPython 3.14.7 or later, or guard the branches with one lock: concurrent use stays undefined",
    },
    Known {
        name: "OrderedDict iterated while another thread changes it",
        when: &[
            Concurrent,
            Any(&[Top(
                4,
                &[
                    "odictiter_*",
                    "_odict_*",
                    "odict_iter*",
                    "odict_pop*",
                    "odict_mp_*",
                    "odict_update*",
                    "odict_eq*",
                    "OrderedDict_*",
                    "_odictnode_*",
                    "PyODict_*",
                ],
            )]),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-151627"),
        explanation: "the linked list of an OrderedDict was read without its lock while another thread changed it (gh-125996, gh-151627)",
        next_step: "upgrade to a CPython with the fix, or guard the OrderedDict with a lock",
    },
    Known {
        name: "an Element of xml.etree changed by two threads",
        when: &[
            Concurrent,
            Function(4, &["_elementtree"], &["element_*", "_elementtree_*", "treebuilder_*", "elementiter_*", "clear_extra"]),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-146022"),
        explanation: "_elementtree declares free-threading support and has no locks: clear() or append() frees the children that another thread reads",
        next_step: "do not share an Element between threads that change it, or guard the tree with one lock",
    },
    Known {
        name: "one SSLContext configured by two threads",
        when: &[
            Anywhere(&["*"], &["_ssl__SSLContext_*", "SSL_CTX_use_*", "SSL_CTX_load_*", "_ssl__SSLContext__wrap_*"]),
            TopModule(3, &["_ssl"]),
            Concurrent,
            PythonBelow("3.14.1"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-134698"),
        explanation: "OpenSSL's context was changed (load_cert_chain, load_verify_locations) while another thread used it, without a lock in the ssl module (gh-124984 is \
            another report)",
        next_step: "upgrade to CPython 3.14.1 or later (gh-134724 adds the lock), and configure an SSLContext before threads share it",
    },
    Known {
        name: "cProfile in several threads",
        when: &[
            Concurrent,
            Function(4, &["_lsprof"], &["profiler_*", "ptrace_*", "RotatingTree_*", "_lsprof_*"]),
            PythonBelow("3.14.1"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-125165"),
        explanation: "_lsprof keeps its tree of calls without a lock before CPython 3.14.1 (gh-138229 adds it; gh-126884 is another report)",
        next_step: "profile one thread, with the GIL (PYTHON_GIL=1), or with CPython 3.14.1 or later",
    },
    Known {
        name: "profiling or tracing of all threads switched while others run",
        when: &[
            Top(
                4,
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
            Concurrent,
            PythonBelow("3.14.1"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-137400"),
        explanation: "setprofile_all_threads and settrace_all_threads raced with threads that begin a call or end",
        next_step: "upgrade to CPython 3.14.1 or later",
    },
    Known {
        name: "a TextIOWrapper used by several threads in 3.13t",
        when: &[Top(4, &["_textiowrapper_*", "textiowrapper_*", "_io_TextIOWrapper_*"]), Concurrent, PythonBelow("3.14")],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-140846"),
        explanation: "3.13t has no lock around the buffer of a text file",
        next_step: "upgrade to 3.14t",
    },
    Known {
        name: "atexit used by several threads",
        when: &[Top(4, &["atexit_*"]), Concurrent, PythonBelow("3.14")],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-126907"),
        explanation: "the list of atexit functions had no lock",
        next_step: "upgrade to 3.14t",
    },
    Known {
        name: "a connection or cursor of sqlite3 shared by threads",
        when: &[
            Concurrent,
            TopModule(3, &["_sqlite3"]),
            Also(&[Anywhere(&["*"], &["sqlite3_*", "sqlite3Vdbe*", "pysqlite_*", "_pysqlite_*"])]),
        ],
        verdict: CrashCause::CrossThreadMisuse,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-146471"),
        explanation: "sqlite3 locks neither connections nor cursors: threads that share one (check_same_thread=False) free its statements under each other",
        next_step: "give each thread its own connection",
    },
    Known {
        name: "containers encoded to JSON while another thread changes them",
        when: &[
            Concurrent,
            Function(4, &["_json"], &["encoder_*", "_encoder_*", "_match_number*"]),
            Any(&[TopModule(6, &["_json"]), Anywhere(&["_json"], &["encoder_listencode_*", "encoder_encode_*", "encoder_call"])]),
            PythonBelow("3.15"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-157107"),
        explanation: "the encoder of json reads borrowed elements of lists and dicts without their locks before CPython 3.15 (gh-157105, gh-157106, gh-157107; \
            gh-116738 adds the locks), so a thread that replaces one frees it under the encoder",
        next_step: "encode a copy, or guard the containers with one lock; CPython 3.15 locks them",
    },
    Known {
        name: "an array.array used by several threads",
        when: &[
            Concurrent,
            Function(
                4,
                &["array"],
                &[
                    "array_*",
                    "getarrayitem",
                    "setarrayitem",
                    "arrayiter_*",
                    "ins1",
                    "??_getitem",
                    "QQ_getitem",
                    "b_*item",
                    "i_*item",
                    "d_*item",
                ],
            ),
            Any(&[TopModule(4, &["array"]), Anywhere(&["array"], &["array_*", "getarrayitem", "arrayiter_*"])]),
            PythonFrom("3.13"),
            PythonBelow("3.16"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-128942"),
        explanation: "array declares free-threading support and locks nothing, in CPython 3.15 neither: a thread that appends, pops or clears moves the buffer that \
            another one reads (gh-128942, gh-146007)",
        next_step: "guard the array with a lock, or give each thread its own",
    },
    Known {
        name: "the memo of an Unpickler set by two threads",
        when: &[
            Concurrent,
            Anywhere(
                &["_pickle"],
                &[
                    "_Unpickler_Memo*",
                    "Unpickler_set_memo*",
                    "_Unpickler_ResizeMemoList",
                    "_Unpickler_NewMemo",
                    "_pickle_UnpicklerMemoProxy_*",
                ],
            ),
            TopModule(6, &["_pickle"]),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-150505"),
        explanation: "the setter of an Unpickler's memo has no lock (gh-150505, gh-157120), nor have Pickler and Unpickler before CPython 3.15, which raises RuntimeError (gh-143638): two \
            threads that use one free its memo \
            under each other",
        next_step: "give each thread its own Pickler and Unpickler",
    },
    Known {
        name: "a struct.Struct initialised again while another thread uses it",
        when: &[
            Concurrent,
            Function(
                4,
                &["_struct"],
                &["s_pack*", "s_unpack*", "Struct_*", "s_init", "s_new", "unpackiter_*", "prepare_s", "s_dealloc"],
            ),
            TopModule(4, &["_struct"]),
            PythonBelow("3.15"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-146020"),
        explanation: "Struct.__init__ frees the codes that pack() and unpack() of another thread read, and an iterator of iter_unpack() has no lock (gh-154013)",
        next_step: "do not call __init__ again, and give each thread its own iterator",
    },
    Known {
        name: "hex() of a memoryview that another thread releases",
        when: &[Concurrent, Top(3, &["_Py_strhex_impl", "memoryview_hex*"]), PythonBelow("3.14.6")],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-149816"),
        explanation: "release() of one thread took the buffer from under hex() of another one (PR 149858; 3.13t is not repaired)",
        next_step: "upgrade to CPython 3.14.6 or later; release a memoryview only when no thread uses it",
    },
    Known {
        name: "a memoryview released while another thread reads it",
        when: &[Concurrent, Says(&["Assertion `self->mbuf->exports > 0' failed"]), PythonBelow("3.16")],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-127716"),
        explanation: "the views of one buffer are counted without a lock, so release() of two threads, or release() and a slice, count wrong (gh-127716, gh-132565, \
            gh-155606; open)",
        next_step: "release a memoryview only when no thread uses it, or guard it with a lock",
    },
    Known {
        name: "tracemalloc read while another thread clears it",
        when: &[
            Concurrent,
            Top(4, &["frame_to_pyobject", "traceback_to_pyobject", "trace_to_pyobject", "tracemalloc_*"]),
            PythonBelow("3.14"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::High,
        culprit: None,
        issue: Some("gh-126314"),
        explanation: "take_snapshot() of one thread reads traces that clear_traces() or stop() of another one frees",
        next_step: "use tracemalloc from one thread, or upgrade to CPython 3.14",
    },
    Known {
        name: "a threading.local cleared while a thread ends",
        when: &[
            Concurrent,
            OwnTop(3),
            Any(&[
                Top(4, &["PyThreadState_Next", "local_clear", "clear_locals"]),
                Python(&["test/test_threading_local.py:test_threading_local_clear_race"]),
            ]),
            Any(&[
                Anywhere(&[], &["local_clear", "local_dealloc"]),
                Python(&["test/test_threading_local.py:test_threading_local_clear_race"]),
            ]),
            PythonBelow("3.13.1"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-118490"),
        explanation: "local_clear() walked the list of thread states without its lock while a thread of it was deleted (gh-118490, gh-120973)",
        next_step: "upgrade to CPython 3.13.1 or 3.14",
    },
    Known {
        name: "gc.freeze() on the free-threaded build",
        when: &[WithoutGil, Says(&["object should not be marked as unreachable yet"]), NoExtension, PythonBelow("3.13.1")],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("gh-126312"),
        explanation: "the collector traversed frozen objects and counted their references twice, with gc.freeze() in use",
        next_step: "upgrade to CPython 3.13.1 or later",
    },
    Known {
        name: "gc.unfreeze() of objects whose last reference is gone",
        when: &[WithoutGil, Says(&["tracked objects must have a reference count > 0"]), NoExtension, PythonBelow("3.14.3")],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Low,
        culprit: None,
        issue: Some("gh-142975"),
        explanation: "the collector met an object without references, and no extension module is known to be loaded that could have released it once too often: \
            objects that were released while frozen look so (gh-142975)",
        next_step: "upgrade CPython; if the program does not use gc.freeze(), look for the extension module that releases objects of that type once too often",
    },
    Known {
        name: "the collector walks a heap of a thread that is gone",
        when: &[
            WithoutGil,
            Anywhere(&[], &["_mi_heap_area_visit_blocks"]),
            Anywhere(&[], &["gc_visit_heaps*"]),
            NoExtension,
            PythonFrom("3.15"),
            PythonBelow("3.16"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Low,
        culprit: None,
        issue: Some("gh-140431"),
        explanation: "builds of 3.15 from October 2025 visit heaps of mimalloc in a state that the collector does not expect; a heap that was damaged before looks the same",
        next_step: "upgrade the build; if it still crashes, look for what damages memory: PYTHONMALLOC=debug, AddressSanitizer",
    },
    Known {
        name: "a page of another thread's heap put into the collector's list",
        when: &[
            Concurrent,
            Top(4, &["_PyMem_mi_page_maybe_free", "_mi_page_thread_free_collect", "_mi_page_free_collect"]),
            Anywhere(&[], &["gc_visit_heaps*"]),
            NoExtension,
            PythonFrom("3.14"),
            PythonBelow("3.14.4"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Low,
        culprit: None,
        issue: Some("gh-145614"),
        explanation: "while all threads stand still, pages that became empty went into the list of the thread that collects instead of their owner's \
            (PR 145626); a heap that was damaged before looks the same",
        next_step: "upgrade to CPython 3.14.4 or later; if it still crashes, look for what damages memory: PYTHONMALLOC=debug, AddressSanitizer",
    },
    Known {
        name: "the import lock released in the child of a fork",
        when: &[
            Says(&["_PyRecursiveMutex_Unlock: unlocking a recursive mutex"]),
            NoExtension,
            PythonFrom("3.13"),
            PythonBelow("3.13.1"),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Low,
        culprit: None,
        issue: Some("gh-126688"),
        explanation: "where a thread has another id after os.fork(), CPython 3.13.0 does not recognise the owner of its import lock in the child; \
            alphas of 3.14 say the same of warnings._release_lock() (gh-129766)",
        next_step: "upgrade to CPython 3.13.1 or later",
    },
    Known {
        name: "a closure of ctypes freed in the child of a fork",
        when: &[Anywhere(&["_ctypes"], &["CThunkObject_dealloc"]), Anywhere(&["*"], &["dlfree*"]), PythonFrom("3.13")],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Low,
        culprit: None,
        issue: Some("gh-155283"),
        explanation: "libffi before 3.5 keeps closures in memory that a fork shares, and the child aborts when it frees one; ctypes.util makes one when it is imported, \
            as threadpoolctl does (threadpoolctl#225)",
        next_step: "use the start method spawn or forkserver, upgrade libffi, or upgrade threadpoolctl",
    },
];

const fn resumed_by_two(confidence: Confidence, when: &'static [Condition]) -> Known {
    Known {
        name: "a generator, coroutine or asynchronous generator resumed by two threads",
        when,
        verdict: CrashCause::InterpreterBug,
        confidence,
        culprit: None,
        issue: Some("gh-120321"),
        explanation: GENERATOR,
        next_step: GENERATOR_FIX,
    }
}

/// One frame that two threads run; the rows are the most general ones that name an issue.
pub(super) static GENERATORS: &[Known] = &[
    resumed_by_two(
        Confidence::High,
        &[
            Signal(FATAL_SIGNALS),
            Concurrent,
            OwnTop(2),
            Any(&[Top(2, EVALUATES), Top(3, RESUMES), NoPythonFrame, Says(EXECUTES_A_CACHE)]),
            Says(TAKEN_OVER),
            PythonBelow("3.15"),
        ],
    ),
    resumed_by_two(
        Confidence::High,
        &[
            Signal(FATAL_SIGNALS),
            Concurrent,
            OwnTop(2),
            Top(2, EVALUATES),
            Interpreter(2),
            Any(&[FrameUnlinked, StackCutShort]),
            PythonBelow("3.15"),
        ],
    ),
    resumed_by_two(
        Confidence::Medium,
        &[Signal(FATAL_SIGNALS), Concurrent, OwnTop(2), Any(&[Top(2, RESUMES), StackCutShort, FrameUnlinked]), PythonBelow("3.15")],
    ),
];
