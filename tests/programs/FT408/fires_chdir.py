"""The current directory changed and restored by two threads, by hand and by contextlib."""

import contextlib
import os
import tempfile
import threading


def by_hand(folder: str) -> None:
    saved = os.getcwd()
    os.chdir(folder)  # race: os
    os.chdir(saved)  # maybe: os


def by_context(folder: str) -> None:
    with contextlib.chdir(folder):  # race: contextlib
        pass


home = os.getcwd()
with tempfile.TemporaryDirectory() as folder:
    for target in (by_hand, by_context):
        threads = [threading.Thread(target=target, args=(folder,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    os.chdir(home)
