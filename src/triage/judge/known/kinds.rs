//! Kinds of crash that no issue stands for: misuse by the program as the stacks alone show it.

use super::super::conditions::Condition::{
    Any, Concurrent, Function, LoopThread, NotLoopThread, OwnTop, Python, PythonFrom, Says, Signal, Top, TopModule,
};
use super::super::verdict::{Confidence, CrashCause};
use super::row::{FATAL_SIGNALS, Known};

/// The rows.
pub(super) static ROWS: &[Known] = &[
    Known {
        name: "faulthandler died while it printed the stacks of running threads",
        when: &[Top(
            6,
            &[
                "faulthandler_user",
                "faulthandler_thread",
                "faulthandler_dump_traceback_py",
                "_Py_DumpTracebackThreads",
                "dump_traceback",
            ],
        )],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Low,
        culprit: None,
        issue: None,
        explanation: "faulthandler reads the frames of other threads while these go on: a thread that ends or returns frees what is being read \
            (gh-116008, gh-131580, gh-128400)",
        next_step: "leave out all_threads, timers and signals of faulthandler in a program whose threads come and go, or upgrade CPython; py-spy dump \
            looks from outside",
    },
    Known {
        name: "a method of the uvloop loop called from a thread that does not run it",
        when: &[TopModule(2, &["uvloop.loop"]), NotLoopThread],
        verdict: CrashCause::CrossThreadMisuse,
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
            Concurrent,
            LoopThread,
            TopModule(4, &["uvloop.loop"]),
            Function(
                4,
                &["uvloop.loop"],
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
        verdict: CrashCause::CrossThreadMisuse,
        confidence: Confidence::Medium,
        culprit: None,
        issue: None,
        explanation: "libuv died in its own timers or handles while its thread ran the loop: they were changed by another thread, which called a \
            method of the loop or of a handle that is not call_soon_threadsafe",
        next_step: "ftsan run names the thread that calls the loop from outside: FT101, FT107 (ftsan explain FT101)",
    },
    Known {
        name: "a Pickler used by several threads",
        when: &[
            Concurrent,
            Function(5, &["_pickle"], &["PyMemoTable_*", "memo_put", "memo_get", "_Pickler_*", "_pickle_Pickler*"]),
            TopModule(6, &["_pickle"]),
        ],
        verdict: CrashCause::InterpreterBug,
        confidence: Confidence::Low,
        culprit: None,
        issue: None,
        explanation: "a Pickler keeps its memo and its output without a lock, so two threads that use one free them under each other (related: gh-150505)",
        next_step: "give each thread its own Pickler",
    },
    Known {
        name: "native code that the program calls by itself",
        when: &[TopModule(5, &["_ctypes"])],
        verdict: CrashCause::Unknown,
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
            Concurrent,
            OwnTop(2),
            Signal(FATAL_SIGNALS),
            Python(&[
                "asyncio/selector_events.py:write",
                "asyncio/selector_events.py:writelines",
                "asyncio/selector_events.py:_write_*",
                "asyncio/sslproto.py:write",
                "asyncio/streams.py:write",
                "asyncio/selector_events.py:sendto",
            ]),
            // Code that write() leads to, such as the collector or a callback, dies of something else.
            Function(
                6,
                &["_socket", "_ssl"],
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
        ],
        verdict: CrashCause::CrossThreadMisuse,
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
        when: &[Concurrent, LoopThread, TopModule(3, &["uvloop.loop"])],
        verdict: CrashCause::CrossThreadMisuse,
        confidence: Confidence::Low,
        culprit: None,
        issue: None,
        explanation: "it died inside uvloop while its thread ran the loop; on the free-threaded build the usual cause is another thread that uses the loop, a \
            transport or a handle of it",
        next_step: "ftsan run names calls from other threads: FT101, FT105, FT107; if there are none, report it to uvloop with this block",
    },
];

/// Rows that are asked before a damaged heap is nobody's: what damaged it said so.
pub(super) static BEFORE_THE_HEAP: &[Known] = &[Known {
    name: "one Thread started by two threads at once",
    when: &[
        Signal(FATAL_SIGNALS),
        Concurrent,
        OwnTop(3),
        PythonFrom("3.13"),
        Any(&[Top(1, &["thread_run"]), Says(&["RuntimeError: thread already started", "del _limbo[self]"])]),
    ],
    verdict: CrashCause::InterpreterBug,
    confidence: Confidence::Low,
    culprit: None,
    issue: None,
    explanation: "Thread.start() looks whether the thread was started and starts it, without a lock in between; of two threads that do so at once one raises \
        \"thread already started\", and what the new thread begins with may have been freed",
    next_step: "start each thread in one place, or hold a lock around start(); no report of it is known: report it to CPython with the output of ftsan \
        triage --markdown",
}];
