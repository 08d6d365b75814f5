"""eventlet: each thread has a hub of its own, and a greenlet that waits on one cannot be woken from another."""

DISTRIBUTION = "eventlet"
VERSIONS = ("0.39.", "0.40.", "0.41.")
REALM = "any"

METHODS = (
    ("FT304", "thread", "eventlet.greenthread:", "kill cancel"),
    ("FT304", "thread", "eventlet.greenthread:GreenThread", "wait link unlink"),
    ("FT305", "hub", "eventlet.hubs.hub:BaseHub", "schedule_call_local schedule_call_global add_timer switch"),
    ("FT305", "hub", "eventlet.event:Event", "reset wait send send_exception"),
    ("FT305", "hub", "eventlet.semaphore:Semaphore", "acquire release"),
    ("FT305", "hub", "eventlet.semaphore:BoundedSemaphore", "release"),
    ("FT305", "hub", "eventlet.queue:LightQueue", "put get resize"),
    ("FT305", "hub", "eventlet.queue:Queue", "task_done join"),
)

BIRTHS = (
    ("born", "eventlet.hubs.hub:BaseHub"),
    ("born", "eventlet.event:Event"),
    ("born", "eventlet.semaphore:Semaphore"),
    ("born", "eventlet.queue:LightQueue"),
)
