"""A thread of C code closes what the only thread of Python polls, and wakes it up: closes_polled.py LIBRARY."""

import ctypes
import os
import select
import sys

library = ctypes.PyDLL(sys.argv[1])
(ours, theirs), (bell, rope) = os.pipe(), os.pipe()
poller = select.epoll()
poller.register(ours, select.EPOLLIN)
poller.register(bell, select.EPOLLIN)
library.close_once_polled(ours, rope)
poller.poll()
