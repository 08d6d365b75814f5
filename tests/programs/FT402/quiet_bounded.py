"""Containers with a bound that may be passed by one: what is too much goes in one step, or each thread takes off what it has added.

ALSO: FT407
"""

from collections import OrderedDict, UserDict, deque

from ftsan.testing import in_turns

MOST = 2
compiled: dict[str, tuple[str, int]] = {}
oldest_first: dict[str, tuple[str, int]] = {}
least_used: OrderedDict[str, int] = OrderedDict()
seen: set[str] = set()
history = deque(["a", "b", "c"])
wrapped = UserDict(dict.fromkeys(range(9), ""))


def compile_text(text: str) -> tuple[str, int]:
    result = compiled.get(text)
    if result is None:
        if len(compiled) >= MOST:
            compiled.clear()
        result = compiled[text] = (text, len(text))
    return result


def compile_and_evict(text: str) -> tuple[str, int]:
    try:
        return oldest_first[text]
    except KeyError:
        pass
    result = (text, len(text))
    if len(oldest_first) >= MOST:
        try:
            del oldest_first[next(iter(oldest_first))]
        except StopIteration, RuntimeError, KeyError:
            return result
    oldest_first[text] = result
    return result


def count(text: str) -> None:
    least_used[text] = len(text)
    while len(least_used) > MOST:
        least_used.popitem(last=False)


def note(text: str) -> None:
    if len(seen) > MOST:
        seen.clear()
    seen.add(text)


def add(text: str) -> None:
    history.append(text)
    while len(history) > MOST + 1:
        history.popleft()


def drain() -> None:
    while wrapped:
        try:
            wrapped.popitem()
        except KeyError:
            break
        except RuntimeError:
            pass


def use(text: str) -> None:
    for function in (compile_text, compile_and_evict, count, note, add):
        function(text)


in_turns(drain, drain)
in_turns(*[lambda text=text: use(text) for text in ("d", "e", "f", "g", "h")])
