"""Views of a part of a bytearray, or as other numbers: their elements are no locations of their own."""

from ftsan.testing import in_turns

data = bytearray(8)
part, cast = memoryview(data)[2:4], memoryview(data).cast("H")


def worker() -> None:
    part[0] += 1  # race: part
    cast[0] += 1  # race: cast


in_turns(worker, worker)
