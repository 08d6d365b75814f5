"""TLS connections, in memory and over a socket pair, that threads use one after the other."""

import ssl
import threading

incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
lock = threading.Lock()


def worker() -> None:
    for _ in range(100):
        with lock:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                outgoing.read()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert client.version() is None
