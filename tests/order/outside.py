"""Locks that are not the program's: of processes, of files, of databases; and threads that are counted."""

from __future__ import annotations

import fcntl
import multiprocessing as mp
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from ftsan import _native
from ftsan.testing import wait_until

from tests.order import harness
from tests.order.harness import Pair, Plain, edge, measured


def use(lock: Any) -> None:
    with lock:
        pass


@edge("_multiprocessing:SemLock")
def lock_of_processes() -> Pair:
    lock = mp.Lock()
    return lambda: use(lock), lambda: use(lock)


@edge("_multiprocessing:SemLock.release")
def lock_of_processes_by_calls() -> Pair:
    lock = mp.Lock()
    return lambda: (lock.acquire(), lock.release()), lambda: (lock.acquire(timeout=5), lock.release())


@edge("", expected=False)
def lock_of_processes_not_obtained() -> Pair:
    lock = mp.Lock()
    return lambda: (use(lock), lock.acquire()), lambda: lock.acquire(block=False)


@edge("_multiprocessing:SemLock _thread:lock _thread:RLock")
def event_of_processes() -> Pair:
    event = mp.Event()
    return event.set, lambda: event.wait(10)


def new_file() -> str:
    number, path = tempfile.mkstemp()
    os.close(number)
    return path


def locked(path: str, closes: bool) -> None:
    number = os.open(path, os.O_RDWR)
    fcntl.flock(number, fcntl.LOCK_EX)
    if not closes:
        fcntl.flock(number, fcntl.LOCK_UN)
    os.close(number)


@edge("fcntl:.flock")
def file_locked_and_unlocked() -> Pair:
    path = new_file()
    return lambda: locked(path, closes=False), lambda: locked(path, closes=False)


@edge("posix:.close")
def file_locked_and_closed() -> Pair:
    path = new_file()
    return lambda: locked(path, closes=True), lambda: locked(path, closes=True)


@edge("_io:FileIO.close")
def file_object_locked_and_closed() -> Pair:
    path = new_file()

    def lock() -> None:
        with open(path, "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)

    return lock, lock


@edge("fcntl:.fcntl")
def open_file_locked() -> Pair:
    path = new_file()

    def lock() -> None:
        with open(path, "r+") as file:
            for kind in (fcntl.F_WRLCK, fcntl.F_UNLCK):
                fcntl.fcntl(file, fcntl.F_OFD_SETLKW, struct.pack("hhlli", kind, os.SEEK_SET, 0, 0, 0))

    return lock, lock


@edge("", expected=False)
def file_locked_for_the_process() -> Pair:
    path = new_file()

    def lock() -> None:
        with open(path, "r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            fcntl.lockf(file, fcntl.LOCK_UN)

    return lock, lock


@edge("posix:.open")
def lock_file_made_by_open() -> Pair:
    path = new_file()
    return lambda: os.unlink(path), lambda: os.open(path, os.O_CREAT | os.O_EXCL)


@edge("posix:.unlink")
def lock_file_removed() -> Pair:
    path = Path(new_file())
    return path.unlink, lambda: os.open(path, os.O_CREAT | os.O_EXCL)


@edge("_io:.open")
def lock_file_made_by_mode() -> Pair:
    path = new_file()
    return lambda: os.remove(path), lambda: open(path, "x").close()


@edge("", expected=False)
def file_made_by_anyone() -> Pair:
    path = new_file()
    return lambda: os.remove(path), lambda: open(path, "w").close()


@edge("posix:.stat")
def file_found() -> Pair:
    path = f"{new_file()}.made"
    return lambda: open(path, "w").close(), lambda: os.path.exists(path)


@edge("_io:.open")
def file_made_to_be_found() -> Pair:
    path = f"{new_file()}.made"
    return lambda: open(path, "a").close(), lambda: Path(path).is_file()


@edge("posix:.open")
def file_touched() -> Pair:
    path = f"{new_file()}.made"
    return Path(path).touch, lambda: os.path.isfile(path)


@edge("posix:.rename posix:.replace")
def file_renamed() -> Pair:
    path = new_file()
    return lambda: os.replace(path, f"{path}.made"), lambda: os.path.lexists(f"{path}.made")


@edge("", expected=False)
def file_found_that_was_there() -> Pair:
    path = new_file()
    return lambda: open(path, "w").close(), lambda: os.path.exists(path)


@edge("", expected=False)
def folder_found() -> Pair:
    path = f"{new_file()}.made"
    return lambda: os.mkdir(path), lambda: os.path.isdir(path)


@edge("posix:.mkdir")
def lock_folder() -> Pair:
    path = tempfile.mkdtemp()
    return lambda: os.rmdir(path), lambda: os.mkdir(path)


@edge("posix:.symlink")
def lock_link() -> Pair:
    path = new_file()
    return lambda: os.rename(path, f"{path}.old"), lambda: os.symlink("target", path)


def new_base() -> str:
    path = new_file()
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE job (number INTEGER)")
    base.close()
    return path


def write(path: str) -> None:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("BEGIN IMMEDIATE")
    base.execute("COMMIT")
    base.close()


@edge("_sqlite3:Connection _sqlite3:Cursor")
def transaction() -> Pair:
    path = new_base()
    return lambda: write(path), lambda: write(path)


@edge("_sqlite3:Connection.__exit__ _sqlite3:Connection.close _sqlite3:Cursor")
def transaction_of_a_with() -> Pair:
    path = new_base()

    def write_by_cursor() -> None:
        base = sqlite3.connect(path)
        with base:
            base.cursor().execute("INSERT INTO job VALUES (1)")
        base.close()

    return write_by_cursor, write_by_cursor


@edge("", expected=False)
def transaction_of_another_base() -> Pair:
    one, other = new_base(), new_base()
    return lambda: write(one), lambda: write(other)


def child(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


@edge("_posixsubprocess: posix:.posix_spawn", blocking=True)
def child_that_answers() -> Pair:
    process = child("print(input(), flush=True)")
    assert process.stdin and process.stdout
    ask, reply = process.stdin, process.stdout
    return lambda: ask.write(b"go\n"), reply.readline


@edge("posix:.waitpid", blocking=True)
def child_that_ends() -> Pair:
    process = child("input()")
    assert process.stdin
    return process.stdin.close, process.wait


@edge("", expected=False)
def another_child() -> Pair:
    one, other = child("print(input(), flush=True)"), child("print(1)")
    assert one.stdin and other.stdout
    ask, reply = one.stdin, other.stdout
    return lambda: ask.write(b"go\n"), reply.readline


def counted(count: Any) -> bool:
    plain = Plain()
    before = count()

    def work() -> None:
        plain.epoch = _native.epoch()

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: plain.epoch and count() == before)
    return _native.has_seen(plain.epoch)


@measured("threading:active_count")
def threads_counted() -> bool:
    return counted(threading.active_count)


@measured("threading:enumerate")
def threads_listed() -> bool:
    return counted(lambda: len(threading.enumerate()))


if __name__ == "__main__":
    harness.main()
