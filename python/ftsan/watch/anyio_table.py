"""anyio: its primitives on asyncio, its task groups and memory streams on any loop.  On trio its other primitives are trio's."""

DISTRIBUTION = "anyio"
VERSIONS = ("4.8.", "4.9.", "4.10.", "4.11.", "4.12.", "4.13.", "4.14.", "4.15.", "4.16.")
REALM = "any"

METHODS = (
    ("FT306", "first-use", "anyio._backends._asyncio:CancelScope", "cancel __enter__ __exit__ deadline= shield="),
    ("FT306", "first-use", "anyio._backends._asyncio:TaskGroup", "start_soon create_task? start __aenter__ __aexit__"),
    # In a thread that has not inherited its starter's context, as by default with the GIL, it fails before it gets to the nursery.
    ("FT306", "first-use", "anyio._backends._trio:TaskGroup", "start_soon create_task? start __aenter__ __aexit__"),
    ("FT306", "first-use", "anyio._backends._asyncio:Event", "set wait"),
    ("FT306", "first-use", "anyio._backends._asyncio:Lock", "acquire acquire_nowait release"),
    ("FT306", "first-use", "anyio._backends._asyncio:Semaphore", "acquire acquire_nowait release"),
    (
        "FT306",
        "first-use",
        "anyio._backends._asyncio:CapacityLimiter",
        "acquire acquire_nowait acquire_on_behalf_of acquire_on_behalf_of_nowait release release_on_behalf_of total_tokens=",
    ),
    ("FT306", "first-use", "anyio._core._synchronization:Condition", "notify notify_all wait"),
    ("FT306", "first-use:_state", "anyio.streams.memory:MemoryObjectSendStream", "send send_nowait clone"),
    ("FT306", "first-use:_state", "anyio.streams.memory:MemoryObjectReceiveStream", "receive receive_nowait clone"),
    ("FT306", "portal", "anyio.from_thread:BlockingPortal", "call start_task start_task_soon"),
    # A thread that has a portal makes streams for its tasks, and closes them when the tasks are done: Starlette's TestClient.
    ("FT306", "first-use:_state!waiting_receivers,waiting_senders", "anyio.streams.memory:MemoryObjectSendStream", "close"),
    ("FT306", "first-use:_state!waiting_receivers,waiting_senders", "anyio.streams.memory:MemoryObjectReceiveStream", "close"),
)

BIRTHS = (
    ("first-use-born", "anyio._backends._asyncio:CancelScope"),
    ("first-use-born", "anyio._backends._asyncio:TaskGroup"),
    ("first-use-born", "anyio._backends._trio:TaskGroup"),
    ("first-use-born", "anyio._backends._asyncio:Event"),
    ("first-use-born", "anyio._backends._asyncio:Lock"),
    ("first-use-born", "anyio._backends._asyncio:Semaphore"),
    ("first-use-born", "anyio._backends._asyncio:CapacityLimiter"),
    ("first-use-born", "anyio._core._synchronization:Condition"),
    ("first-use-born", "anyio.streams.memory:_MemoryObjectStreamState?"),
    ("first-use-born", "anyio.streams.memory:MemoryObjectStreamState?"),
)

HAND_OVERS = (
    "anyio.from_thread:run",
    "anyio.from_thread:run_sync",
    "anyio.from_thread:BlockingPortal.call",
    "anyio.from_thread:BlockingPortal.start_task",
    "anyio.from_thread:BlockingPortal.start_task_soon",
)

GIFTS = (
    (
        "anyio._backends._asyncio:AsyncIOBackend.run_sync_in_worker_thread",
        "func",
        "anyio._backends._asyncio:WorkerThread.run",
        "func",
    ),
)
