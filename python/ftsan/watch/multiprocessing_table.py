"""``multiprocessing``: a connection has one sender and one receiver at a time."""

DISTRIBUTION = ""
VERSIONS = ()
REALM = "any"

METHODS = (
    ("FT205", "one-at-a-time:16:send,send_bytes", "multiprocessing.connection:_ConnectionBase", "send send_bytes"),
    (
        "FT205",
        "one-at-a-time:32:recv,recv_bytes,recv_bytes_into",
        "multiprocessing.connection:_ConnectionBase",
        "recv recv_bytes recv_bytes_into",
    ),
)
