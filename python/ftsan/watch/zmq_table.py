"""pyzmq on asyncio: a socket belongs to the loop that uses it."""

DISTRIBUTION = "pyzmq"
VERSIONS = ("26.", "27.")
REALM = "asyncio"

METHODS = (
    (
        "FT106",
        "first-use",
        "zmq._future:_AsyncSocket",
        "recv recv_multipart recv_into? send send_multipart poll",
    ),
)

BIRTHS = (("first-use-born", "zmq._future:_AsyncSocket"),)
