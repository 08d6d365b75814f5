"""``multiprocessing``: a connection has one receiver at a time, and the threads of a pool call what the program gave to it.

Senders are not watched here: a message that is written may have been answered, and the answer sent on by another
thread, before ``send`` has returned. Two senders of which one is blocked are seen as the system calls that they make
(FT205).
"""

DISTRIBUTION = ""
VERSIONS = ()
REALM = "any"

METHODS = (
    (
        "FT205",
        "one-at-a-time:32:recv,recv_bytes,recv_bytes_into",
        "multiprocessing.connection:_ConnectionBase",
        "recv recv_bytes recv_bytes_into",
    ),
)

BIRTHS = (("born", "multiprocessing.pool:ApplyResult"),)

CARRIERS = (
    "multiprocessing.pool:ApplyResult._set",
    "multiprocessing.pool:MapResult._set",
)

# A worker sees nothing of a job but its number, of which there is one object.
GIFTS = (
    ("multiprocessing.pool:ApplyResult.__init__", "self._job", "multiprocessing.pool:worker", "job"),
    ("multiprocessing.pool:IMapIterator.__init__", "self._job", "multiprocessing.pool:worker", "job"),
)
