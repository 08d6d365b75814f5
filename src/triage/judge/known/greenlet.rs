//! Crashes of greenlet on the free-threaded build.

use super::super::conditions::Condition;
use super::super::conditions::Condition::{
    Also, Any, Anywhere, Below, CalledByOwn, Loaded, Module, OlderThan, OnlyExtension, OwnTop, Python, PythonFrom, Says, Signal,
    Top, TopModule, WithoutGil,
};
use super::super::verdict::{Confidence, CrashCause};
use super::row::{FATAL_SIGNALS, Known};

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
/// An extension module that calls these itself may use them wrongly.
const LOCKS: &[&str] = &["_PyCriticalSection*", "PyCriticalSection*", "_PyMutex_*", "PyMutex_*"];
const UNLOCKED: &[&str] = &["unlocking mutex that is not locked"];
const USES_GREENLETS: &[&str] = &["greenlet", "gevent", "eventlet"];
/// Greenlets are not only imported: the stacks go through them.
const IN_USE: Condition = Any(&[
    Module(&["greenlet._greenlet", "gevent"]),
    Python(SPAWNS_GREENLETS),
    Python(&["gevent/*:*", "eventlet/*:*", "greenlet/*:*"]),
    Anywhere(&["greenlet._greenlet", "greenlet"], &["g_switch*", "slp_*", "greenlet::*"]),
]);

const GREENLET_SECTION: &str = "greenlet before 3.5.3 does not save tstate->critical_section when it switches, so a switch while a critical \
    section is held (asyncio holds one around every step of a task) leaves a chain that points into another greenlet's stack; \
    the next call that releases the thread state follows it.  The caller of that (a socket's send, a lock) is not at fault";
const GREENLET_LAYOUT: &str = "wheels of greenlet before 3.5.6 save and restore a private field of the thread state at the place where the CPython they were built \
            for has it; 3.14.4 moved it, so on another one they overwrite what lies there, and the interpreter follows that.  The code on the \
            stack is not at fault";
const GREENLET_UPGRADE: &str = "upgrade greenlet to 3.5.6 or later (3.5.3 fixes this crash; 3.5.4 the deadlock of the same cause, PR 519, and a crash in the \
    collector, greenlet#515; 3.5.6 finds the layout of the thread state by itself, greenlet#527)";

/// A critical section is left, or a mutex is that was not locked.
const AT_A_SECTION: Condition = Any(&[Top(3, CRITICAL_SECTION), Says(UNLOCKED)]);
const STEPS: Condition = Any(&[
    Anywhere(&["_asyncio"], STEPS_A_TASK),
    Module(&["_asyncio"]),
    Python(SPAWNS_GREENLETS),
    Python(RUNS_ASYNCIO),
    Says(UNLOCKED),
]);

const fn switched(confidence: Confidence, when: &'static [Condition]) -> Known {
    Known {
        name: "greenlet switched while a critical section was held",
        when,
        verdict: CrashCause::LibraryBug,
        confidence,
        culprit: Some("greenlet"),
        issue: Some("greenlet#513"),
        explanation: GREENLET_SECTION,
        next_step: GREENLET_UPGRADE,
    }
}

const fn of_another_layout(confidence: Confidence, when: &'static [Condition]) -> Known {
    Known {
        name: "greenlet's wheel was built for another layout of the thread state",
        when,
        verdict: CrashCause::LibraryBug,
        confidence,
        culprit: Some("greenlet"),
        issue: Some("greenlet#527"),
        explanation: GREENLET_LAYOUT,
        next_step: "upgrade greenlet to 3.5.6 or later, or build it for this interpreter: pip install --no-binary greenlet greenlet",
    }
}

/// The rows.  Where the version is not known and nothing of greenlet is on the stacks, another cause is as likely: such rows are guesses.
pub(super) static ROWS: &[Known] = &[
    switched(
        Confidence::High,
        &[
            AT_A_SECTION,
            WithoutGil,
            OwnTop(2),
            CalledByOwn(LOCKS),
            Loaded(USES_GREENLETS),
            OlderThan("greenlet", "3.5.3"),
            Also(&[Python(SPAWNS_GREENLETS)]),
            STEPS,
        ],
    ),
    switched(
        Confidence::High,
        &[
            AT_A_SECTION,
            WithoutGil,
            OwnTop(2),
            CalledByOwn(LOCKS),
            Loaded(USES_GREENLETS),
            Below("greenlet", "3.5.3"),
            IN_USE,
            STEPS,
        ],
    ),
    switched(
        Confidence::Medium,
        &[
            AT_A_SECTION,
            WithoutGil,
            OwnTop(2),
            CalledByOwn(LOCKS),
            Loaded(USES_GREENLETS),
            Below("greenlet", "3.5.3"),
            Also(&[Python(SPAWNS_GREENLETS)]),
            STEPS,
        ],
    ),
    switched(
        Confidence::Medium,
        &[WithoutGil, Top(2, CRITICAL_SECTION), IN_USE, Loaded(USES_GREENLETS), Below("greenlet", "3.5.3")],
    ),
    of_another_layout(
        Confidence::High,
        &[
            Signal(FATAL_SIGNALS),
            WithoutGil,
            Top(5, FREES_LATER),
            OwnTop(2),
            Loaded(&["greenlet"]),
            OlderThan("greenlet", "3.5.6"),
            PythonFrom("3.14"),
            OnlyExtension(&["greenlet"]),
        ],
    ),
    of_another_layout(
        Confidence::Medium,
        &[
            Signal(FATAL_SIGNALS),
            WithoutGil,
            Top(5, FREES_LATER),
            OwnTop(2),
            Loaded(&["greenlet"]),
            Below("greenlet", "3.5.6"),
            PythonFrom("3.14"),
            OnlyExtension(&["greenlet"]),
        ],
    ),
    of_another_layout(
        Confidence::Medium,
        &[
            Signal(FATAL_SIGNALS),
            WithoutGil,
            Top(5, FREES_LATER),
            OwnTop(2),
            Loaded(&["greenlet"]),
            Below("greenlet", "3.5.6"),
            PythonFrom("3.14"),
            IN_USE,
        ],
    ),
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
            WithoutGil,
            Loaded(USES_GREENLETS),
            IN_USE,
            OnlyExtension(USES_GREENLETS),
            Below("greenlet", "3.5.4"),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("greenlet"),
        issue: Some("greenlet#515"),
        explanation: "greenlet before 3.5.4 hides references of suspended greenlets from the collector of the free-threaded build, which follows or frees them",
        next_step: GREENLET_UPGRADE,
    },
    Known {
        name: "a greenlet whose wheel does not fit this interpreter",
        when: &[
            Signal(FATAL_SIGNALS),
            OlderThan("greenlet", "3.5.6"),
            WithoutGil,
            TopModule(4, &["greenlet._greenlet"]),
            Module(&["greenlet._greenlet"]),
            PythonFrom("3.14"),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Low,
        culprit: Some("greenlet"),
        issue: Some("greenlet#527"),
        explanation: GREENLET_LAYOUT,
        next_step: GREENLET_UPGRADE,
    },
];
