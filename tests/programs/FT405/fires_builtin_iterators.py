"""One list iterator, zip, map, filter, enumerate, reversed and dict iterator, advanced by two threads.

The threads take turns, so that no interpreter crashes of it.
"""

from ftsan.testing import in_turns

rows, names, table = list(range(10)), list("abcdefghij"), dict.fromkeys(range(10))
of_list, zipped, mapped, filtered = iter(rows), zip(rows, names, strict=True), map(str, rows), filter(None, rows)
enumerated, backwards, of_dict = enumerate(rows), reversed(rows), iter(table.items())


def advance() -> None:
    next(of_list)  # race: list
    next(zipped)  # race: zip
    next(mapped)  # race: map
    next(filtered)  # race: filter
    for _ in enumerated:  # race: enumerate
        break
    next(backwards)  # race: reversed
    next(of_dict)  # race: dict


in_turns(advance, advance)
