"""``threading``, and what else of the standard library calls in one thread what another one gave to it: where it was given."""

DISTRIBUTION = ""
VERSIONS = ()
REALM = "any"

METHODS = (
    # Reports show the stack of this as the thread's origin.
    ("FT101", "born", "threading:Thread", "start"),
)

BIRTHS = (
    ("born", "concurrent.futures.thread:_WorkItem"),
    ("born", "weakref:finalize"),
)

CARRIERS = (
    "threading:Thread.run",
    "threading:Timer.run",
    "concurrent.futures.thread:_WorkItem.run",
    "weakref:finalize.__call__",
)

GIFTS = (
    ("sched:scheduler.enterabs", "action", "sched:scheduler.run", "action"),
    ("concurrent.futures._base:Future.add_done_callback", "fn", "concurrent.futures._base:Future._invoke_callbacks", "callback"),
)
