"""trio: what belongs to a run and may be touched by its thread only."""

DISTRIBUTION = "trio"
VERSIONS = ("0.30.", "0.31.", "0.32.", "0.33.", "0.34.", "0.35.")
REALM = "trio"

METHODS = (
    ("FT306", "loop-starts", "trio._core._run:", "unrolled_run"),
    ("FT306", "loop-stops", "trio._core._run:Runner", "close"),
    ("FT306", "first-use", "trio._core._run:CancelScope", "cancel __enter__ __exit__ deadline= shield="),
    ("FT306", "first-use", "trio._core._run:Nursery", "start_soon start"),
    ("FT306", "first-use", "trio._sync:Event", "set wait"),
    (
        "FT306",
        "first-use",
        "trio._sync:CapacityLimiter",
        "acquire acquire_nowait acquire_on_behalf_of acquire_on_behalf_of_nowait release release_on_behalf_of total_tokens=",
    ),
    ("FT306", "first-use", "trio._sync:Semaphore", "acquire acquire_nowait release"),
    ("FT306", "first-use", "trio._sync:_LockImpl", "acquire acquire_nowait release"),
    ("FT306", "first-use", "trio._sync:Condition", "acquire acquire_nowait release wait notify notify_all"),
    ("FT306", "first-use:_state", "trio._channel:MemorySendChannel", "send send_nowait clone close"),
    ("FT306", "first-use:_state", "trio._channel:MemoryReceiveChannel", "receive receive_nowait clone close"),
)

BIRTHS = (
    ("loop-born", "trio._core._run:Runner"),
    ("first-use-born", "trio._core._run:CancelScope"),
    ("first-use-born", "trio._core._run:Nursery"),
    ("first-use-born", "trio._sync:Event"),
    ("first-use-born", "trio._sync:CapacityLimiter"),
    ("first-use-born", "trio._sync:Semaphore"),
    ("first-use-born", "trio._sync:_LockImpl"),
    ("first-use-born", "trio._sync:Condition"),
    ("first-use-born", "trio._channel:MemoryChannelState"),
)

HAND_OVERS = (
    "trio._core._entry_queue:TrioToken.run_sync_soon",
    "trio._threads:from_thread_run",
    "trio._threads:from_thread_run_sync",
)

GIFTS = (
    ("trio._core._thread_cache:ThreadCache.start_thread_soon", "fn", "trio._core._thread_cache:WorkerThread._handle_job", "fn"),
)
