"""The exception that is handled is not the one that the call raises.

`heappop` and `popleft` raise IndexError if there is nothing, `popitem` KeyError.
"""

import heapq
from collections import deque

from ftsan.testing import in_turns

heap, jobs, entries = [1], deque([1]), {1: 1}


def from_heap() -> None:
    if heap:  # race: heap
        try:
            heapq.heappop(heap)  # race: heap
        except ValueError:
            print("never")


def from_deque() -> None:
    if jobs:  # race: deque
        try:
            jobs.popleft()  # race: deque
        except KeyError:
            print("never")


def from_entries() -> None:
    if entries:  # race: entries
        try:
            entries.popitem()  # race: entries
        except IndexError:
            print("never")


in_turns(from_heap, from_heap)
in_turns(from_deque, from_deque)
in_turns(from_entries, from_entries)
