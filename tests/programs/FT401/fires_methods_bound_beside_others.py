"""A method that is bound to a name is loaded together with another variable (`LOAD_FAST_LOAD_FAST`)."""

from ftsan.testing import in_turns

totals: dict[str, int] = {}


def add(counts: dict[str, int]) -> None:
    get = totals.get
    for word, count in counts.items():
        totals[word] = count + get(word, 0)  # race


in_turns(lambda: add({"a": 1}), lambda: add({"a": 1}))
