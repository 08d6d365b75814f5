"""Two threads run the same code: a line that is known of one is no excuse for the other, and the one that met it is shown, too."""

import selectors
import socket
import threading

selector = selectors.DefaultSelector()
pairs = [socket.socketpair() for _ in range(2)]


class Door:
    """A file object inside whose `fileno`, and so inside `register`, a thread waits until it is let go."""

    def __init__(self, file: socket.socket) -> None:
        self.file, self.reached, self.opened = file, threading.Event(), threading.Event()

    def fileno(self) -> int:
        self.reached.set()
        self.opened.wait()
        return self.file.fileno()


def register(file: Door | socket.socket) -> None:
    selector.register(file, selectors.EVENT_READ)  # offending: register # owner: always


def modify_meanwhile() -> None:
    second.reached.wait()
    selector.modify(pairs[0][0], selectors.EVENT_WRITE)  # owner: always
    second.opened.set()


first, second = Door(pairs[0][0]), Door(pairs[1][0])
thread = threading.Thread(target=register, args=(first,))
thread.start()
first.reached.wait()
register(pairs[0][1])
selector.unregister(pairs[0][1])  # offending: unregister
first.opened.set()
thread.join()

thread = threading.Thread(target=modify_meanwhile)
thread.start()
register(second)
thread.join()
selector.close()
for pair in pairs:
    for end in pair:
        end.close()
