"""gevent: each thread has a hub of its own, and a greenlet that waits on one is woken through it.

gevent documents that its Semaphore and locks may be shared by threads, so they are not here.
"""

DISTRIBUTION = "gevent"
VERSIONS = ("26.",)
REALM = "any"

METHODS = (
    # "for communicating within the same thread only"
    ("FT305", "hub", "gevent.event:Event", "set wait"),
    ("FT305", "hub", "gevent.event:AsyncResult", "set set_exception get wait"),
    ("FT305", "hub", "gevent.queue:SimpleQueue", "put get"),
    ("FT304", "thread", "gevent:Greenlet", "start start_later kill"),
)

BIRTHS = (
    ("born", "gevent.event:Event"),
    ("born", "gevent.event:AsyncResult"),
    ("born", "gevent.queue:SimpleQueue"),
)
