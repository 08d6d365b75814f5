"""The reader is woken by a shutdown, and closes its socket itself."""

import socket
import threading

here, there = socket.socketpair()


def read() -> None:
    while here.recv(1024):
        pass
    here.close()


thread = threading.Thread(target=read)
thread.start()
there.sendall(b"hello")
here.shutdown(socket.SHUT_RDWR)
thread.join()
there.close()
