"""``multiprocessing``: a connection has one receiver at a time.

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
