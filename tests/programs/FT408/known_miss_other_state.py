"""State of the process that is replaced for a while by two threads and is not in the table: umask, locale, default timeout."""

import os
import socket
import threading


def private_files() -> None:
    saved = os.umask(0o077)  # race: umask
    os.umask(saved)  # maybe: umask


def impatient() -> None:
    saved = socket.getdefaulttimeout()
    socket.setdefaulttimeout(1)  # race: timeout
    socket.setdefaulttimeout(saved)  # maybe: timeout


def worker() -> None:
    private_files()
    impatient()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
