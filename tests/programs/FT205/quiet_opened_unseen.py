"""Two threads read a pseudo-terminal, which the C library opens unseen, under a number that was a stream socket's before."""

import os
import socket
import threading

from ftsan.testing import wait_until_blocked

for sock in socket.socketpair():
    sock.close()
master, slave = os.openpty()
threads = [threading.Thread(target=os.read, args=(master, 1)) for _ in range(2)]
for thread in threads:
    thread.start()
    wait_until_blocked(thread)
os.write(slave, b"ab\n")
for thread in threads:
    thread.join()
os.close(master)
os.close(slave)
