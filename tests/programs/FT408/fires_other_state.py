"""State of the process that is replaced for a while by two threads."""

import csv
import locale
import os
import socket
import sys
import threading

from ftsan.testing import in_turns


def private_files() -> None:
    saved = os.umask(0o077)  # race: umask
    os.umask(saved)  # maybe: umask


def impatient(seconds: int) -> None:
    saved = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)  # race: timeout
    socket.setdefaulttimeout(saved)  # maybe: timeout


def in_plain_c(name: str) -> None:
    saved = locale.setlocale(locale.LC_NUMERIC)
    locale.setlocale(locale.LC_NUMERIC, name)  # race: locale
    locale.setlocale(locale.LC_NUMERIC, saved)  # maybe: locale


def deep(limit: int) -> None:
    saved = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)  # race: recursion
    sys.setrecursionlimit(saved)  # maybe: recursion


def digits(limit: int) -> None:
    saved = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)  # race: digits
    sys.set_int_max_str_digits(saved)  # maybe: digits


def wide(limit: int) -> None:
    saved = csv.field_size_limit(limit)  # race: fields
    csv.field_size_limit(saved)  # maybe: fields


def large(size: int) -> None:
    saved = threading.stack_size(size)  # race: stacks
    threading.stack_size(saved)  # maybe: stacks


def one() -> None:
    private_files()
    impatient(1)
    in_plain_c("C")
    deep(2000)
    digits(0)
    wide(1 << 20)
    large(1 << 20)


def other() -> None:
    private_files()
    impatient(2)
    in_plain_c("POSIX")
    deep(3000)
    digits(10_000)
    wide(1 << 21)
    large(1 << 21)


in_turns(one, other)
