"""Each operation on a TLS connection is under one lock."""

import contextlib
import ssl
import threading

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
lock = threading.Lock()


def shake() -> None:
    for _ in range(100):
        with lock, contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()


threads = [threading.Thread(target=shake) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
