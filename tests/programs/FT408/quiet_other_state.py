"""State that two threads set to the same for good, replace under a lock, or ask for; and a method of such a name.

ALSO: FT407
"""

import csv
import locale
import os
import socket
import sys
import threading

from ftsan.testing import in_turns


class Panel:
    mask = 0

    def umask(self, mask: int) -> int:
        return mask


panel, lock = Panel(), threading.Lock()


def work() -> None:
    if sys.getrecursionlimit() < 2000:
        sys.setrecursionlimit(2000)
    socket.setdefaulttimeout(5)
    assert locale.setlocale(locale.LC_NUMERIC, None) == locale.setlocale(locale.LC_NUMERIC)
    assert csv.field_size_limit() and threading.stack_size() >= 0
    assert sys.get_int_max_str_digits() and sys.getswitchinterval() and os.geteuid() >= 0
    assert panel.umask(0o077) == 0o077
    with lock:
        saved = os.umask(0o077)
        os.umask(saved)


in_turns(work, work)
