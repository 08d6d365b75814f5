"""pyzmq: a socket is used by one thread at a time; on asyncio, it belongs to the loop that uses it."""

DISTRIBUTION = "pyzmq"
VERSIONS = ("26.", "27.")
REALM = "asyncio"

METHODS = (
    (
        "FT205",
        "one-at-a-time",
        "zmq.sugar.socket:Socket",
        "send send_multipart send_string send_pyobj send_json recv_multipart recv_string recv_pyobj recv_json poll",
    ),
    ("FT205", "one-at-a-time", "zmq.sugar.socket:Socket", "recv recv_into?"),
    (
        "FT106",
        "first-use",
        "zmq._future:_AsyncSocket",
        "recv recv_multipart recv_into? send send_multipart poll",
    ),
)

BIRTHS = (("first-use-born", "zmq._future:_AsyncSocket"),)
