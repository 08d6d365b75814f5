"""Two threads load and unload copies of a library, others make calls; then extension modules are imported from copies."""

import _ctypes
import importlib.machinery
import importlib.util
import os
import shutil
import socket
import sys
import tempfile
import termios
import threading

over = threading.Event()


def traffic() -> None:
    while not over.is_set():
        here, there = socket.socketpair()
        here.send(b"x")
        assert there.recv(1) == b"x"
        here.close()
        there.close()


def load(copies: list[str], count: int) -> None:
    for number in range(count):
        _ctypes.dlclose(_ctypes.dlopen(copies[number % len(copies)], os.RTLD_NOW))


count = int(sys.argv[1])
threads = [threading.Thread(target=traffic) for _ in range(2)]
for thread in threads:
    thread.start()
with tempfile.TemporaryDirectory() as folder:
    copies = [shutil.copy(termios.__file__, f"{folder}/copy{number}.so") for number in range(20)]
    other = threading.Thread(target=load, args=(copies, count // 2))
    other.start()
    load(copies, count // 2)
    other.join()
    for copy in copies:
        loader = importlib.machinery.ExtensionFileLoader("termios", copy)
        spec = importlib.util.spec_from_file_location("termios", copy, loader=loader)
        assert spec is not None
        loader.exec_module(importlib.util.module_from_spec(spec))
over.set()
for thread in threads:
    thread.join()
print("ok")
