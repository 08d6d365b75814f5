"""Two threads that change a selector each in its own time slice: too short for them to meet by themselves."""

import selectors
import socket
import threading

selector = selectors.DefaultSelector()
pairs = [socket.socketpair() for _ in range(4)]
barrier = threading.Barrier(2)


def worker(files: tuple[socket.socket, ...]) -> None:
    barrier.wait()
    for file in files:
        selector.register(file, selectors.EVENT_READ)  # offending: register # owner


threads = [threading.Thread(target=worker, args=(files,)) for files in zip(*pairs, strict=True)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
selector.close()
for pair in pairs:
    for end in pair:
        end.close()
