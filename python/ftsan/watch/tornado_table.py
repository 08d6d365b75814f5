"""tornado: its queues, locks and periodic callbacks.  Its loop is asyncio's, and so are the rules of that."""

DISTRIBUTION = "tornado"
VERSIONS = ("6.",)
REALM = "asyncio"

METHODS = (
    ("FT106", "first-use", "tornado.queues:Queue", "put put_nowait get get_nowait task_done join"),
    ("FT106", "first-use", "tornado.locks:Condition", "wait notify notify_all"),
    ("FT106", "first-use", "tornado.locks:Event", "set clear wait"),
    ("FT106", "first-use", "tornado.locks:Semaphore", "acquire release"),
    ("FT106", "first-use", "tornado.locks:BoundedSemaphore", "release"),
    ("FT106", "first-use", "tornado.locks:Lock", "acquire release"),
    ("FT101", "first-use", "tornado.ioloop:PeriodicCallback", "start stop"),
    (
        "FT105",
        "first-use",
        "tornado.iostream:BaseIOStream",
        "write read_bytes read_into read_until read_until_regex read_until_close close set_close_callback",
    ),
    (
        "FT101",
        "attribute-only:asyncio_loop",
        "tornado.platform.asyncio:BaseAsyncIOLoop",
        "add_handler update_handler remove_handler call_at remove_timeout stop close run_in_executor set_default_executor",
    ),
)

BIRTHS = (
    ("first-use-born", "tornado.queues:Queue"),
    ("first-use-born", "tornado.locks:Condition"),
    ("first-use-born", "tornado.locks:Event"),
    ("first-use-born", "tornado.locks:Semaphore"),
    ("first-use-born", "tornado.locks:Lock"),
    ("first-use-born", "tornado.ioloop:PeriodicCallback"),
    ("first-use-born", "tornado.iostream:BaseIOStream"),
)

HAND_OVERS = (
    "tornado.platform.asyncio:BaseAsyncIOLoop.add_callback",
    "tornado.platform.asyncio:BaseAsyncIOLoop.add_callback_from_signal",
    "tornado.ioloop:IOLoop.spawn_callback",
)
